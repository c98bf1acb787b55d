"""`LongWriterLLM.serve()` over a fake vLLM: whose arguments are whose, and what the presets add."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from langchain_core.exceptions import ModelConnectionError

from longchain.errors import InputError
from longchain.models.longwriter import LongWriterLLM
from longchain.models.longwriter.model_server import server_options

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]


def test_the_model_is_ready_and_asks_its_own_server(engine: Any) -> None:
    with LongWriterLLM.serve(engine.model, temperature=0.3, **engine.options()) as llm:
        assert (llm.model_name, llm.temperature) == ("my-model", 0.3)
        argv = engine.started()["argv"]
        assert llm.openai_api_base == f"http://127.0.0.1:{argv[argv.index('--port') + 1]}/v1"
    assert engine.gone()


async def test_also_asynchronously(engine: Any) -> None:
    async with LongWriterLLM.serve(engine.model, **engine.options()) as llm:
        assert llm.model_name == "my-model"
    assert engine.gone()


def test_a_key_reaches_the_model(engine: Any) -> None:
    with LongWriterLLM.serve(engine.model, api_key="a-key", **engine.options()) as llm:
        assert llm.openai_api_key.get_secret_value() == "a-key"  # type: ignore[union-attr]


def test_a_served_name_keeps_its_preset(engine: Any) -> None:
    folder = engine.model.rename(engine.model.with_name("LongWriter-llama3.1-8b"))
    with LongWriterLLM.serve(folder, served_model_name="writer", **engine.options()) as llm:
        assert (llm.model_name, llm.form, llm.temperature) == ("writer", "inst", 0.5)
        argv = engine.started()["argv"]
        assert argv[argv.index("--max-model-len") + 1] == "32768"


def test_presets_add_what_a_server_needs() -> None:
    completed = server_options("THUDM/LongWriter-glm4-9b", {"flags": ["--seed", "1"]})
    assert completed == {"max_model_len": 32_768, "flags": ["--trust-remote-code", "--seed", "1"]}
    assert server_options(Path("/models/mine"), {"max_model_len": 99}) == {
        "max_model_len": 99,
        "flags": [],
    }


def test_what_nobody_knows_is_refused(engine: Any) -> None:
    with pytest.raises(InputError, match="'topk'; is 'top_k' meant"):
        LongWriterLLM.serve(engine.model, topk=3, **engine.options())
    assert engine.runs == []


def test_a_server_that_has_ended_says_how(engine: Any) -> None:
    with LongWriterLLM.serve(engine.model, max_retries=0, **engine.options()) as llm:
        server = llm._server
        assert server is not None
        server.stop()
        with pytest.raises(ModelConnectionError, match="was stopped"):
            llm.invoke("Hello.")
