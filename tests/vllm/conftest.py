"""One real vLLM for all tests that only ask: the tiny model, with small blocks in its cache."""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import vcr  # noqa: F401  (pytest-recording would import it in the midst of the tests)

from longchain.models.longwriter import LongWriterLLM
from longchain.models.server import Server, serve
from tests.vllm.tiny_model import CHECKPOINT


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test here needs a vLLM, may talk to this machine, and may take its time."""
    here = Path(__file__).parent
    lacking = not os.environ.get("LONGCHAIN_VLLM_PYTHON")
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.vllm)
            item.add_marker(pytest.mark.timeout(600))
            item.add_marker(pytest.mark.enable_socket)
            item.add_marker(pytest.mark.allow_hosts(["127.0.0.1"]))
            # LangChain keeps its asynchronous clients open for as long as the process lasts.
            item.add_marker(pytest.mark.filterwarnings("ignore::ResourceWarning"))
            item.add_marker(
                pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
            )
            if inspect.iscoroutinefunction(getattr(item, "function", None)):
                item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
            if lacking:
                reason = "LONGCHAIN_VLLM_PYTHON is not set: make test-vllm sets it"
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The server."""
    with serve(CHECKPOINT, served_model_name="tiny", flags=["--block-size", "32"]) as running:
        model = LongWriterLLM(model="tiny", base_url=running.base_url)
        ends = [model.get_token_ids(mark)[0] for mark in ('"', '",', '"}')]
        os.environ["LONGCHAIN_TEST_SERVER"] = json.dumps([running.base_url, ends])
        yield running


@pytest.fixture
def llm(server: Server) -> LongWriterLLM:
    """The model on it, sampled as its own configuration says."""
    return LongWriterLLM(model="tiny", base_url=server.base_url)


@pytest.fixture
def greedy(server: Server) -> LongWriterLLM:
    """The same, always taking the likeliest token."""
    return LongWriterLLM(model="tiny", base_url=server.base_url, temperature=0)
