"""LangChain's own standard suites, on a mocked transport."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests

from longchain.models.longwriter import LongWriterLLM
from tests.models.longwriter.transport import URL, FakeVLLM


class TestUnit(ChatModelUnitTests):
    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return LongWriterLLM

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "tiny", "base_url": URL}

    @property
    def init_from_env_params(self) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
        env = {"LONGCHAIN_API_KEY": "a-key", "LONGCHAIN_BASE_URL": URL}
        return env, {"model": "tiny"}, {"openai_api_key": "a-key", "openai_api_base": URL}


# Both are LangChain's own, `ChatOpenAI` gives them, too: a schema of Pydantic 1 goes by tools, and
# a streamed answer is dumped together with the object that it was parsed as.
@pytest.mark.filterwarnings("ignore:Received a Pydantic BaseModel V1 schema")
@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
class TestIntegration(ChatModelIntegrationTests):
    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return LongWriterLLM

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return FakeVLLM(names=("tiny", "another")).params()

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def supports_model_override(self) -> bool:
        return True

    @property
    def model_override_value(self) -> str:
        return "another"
