from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from langchain_ollama import ChatOllama

from longchain import AgentWriteChain, SectionPlan, WritingPlan
from longchain.agent.writing import memory
from longchain.bench.schema import Sample
from longchain.bench.writers import ModelWriter
from longchain.models.profile import limited
from longchain.testing import FakeWriter

_CLAUSES = (
    "The {} boat leaves the harbor before the tide turns.",
    "A keeper writes down which of the {} lamps went out.",
    "Nobody on pier {} remembers so much fog in spring.",
)


class Server:
    """Ollama's `/api/chat`, which answers as long as it is asked to."""

    def __init__(self) -> None:
        self.options: list[dict[str, Any]] = []
        self._said = 0

    def model(self, **fields: Any) -> ChatOllama:
        transport = httpx.MockTransport(self._answer)
        return ChatOllama(model="qwen3:8b", client_kwargs={"transport": transport}, **fields)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/api/chat"
        body = json.loads(request.content)
        assert body["stream"]
        self.options.append(body["options"])
        asked = re.findall(r"[\d,]*\d", body["messages"][-1]["content"])
        sentences = [self._sentence() for _ in range(int(asked[-1].replace(",", "")) // 10)]
        parts: list[dict[str, Any]] = [
            {"message": {"role": "assistant", "content": f"{one} "}} for one in sentences
        ]
        parts.append({"message": {"role": "assistant", "content": ""}})
        parts[-1] |= {"done_reason": "stop", "prompt_eval_count": 9, "eval_count": 9}
        common = {"model": "qwen3:8b", "created_at": "2025-01-01T00:00:00Z"}
        lines = [{**common, "done": part is parts[-1], **part} for part in parts]
        text = "".join(json.dumps(line) + "\n" for line in lines)
        return httpx.Response(200, text=text, headers={"content-type": "application/x-ndjson"})

    def _sentence(self) -> str:
        self._said += 1
        return _CLAUSES[self._said % 3].format(self._said)


def given(names: str = "ABC", length: int = 100) -> dict[str, Any]:
    sections = [
        SectionPlan(heading=f"Pier {name}", main_point=f"Who moors at pier {name}", length=length)
        for name in names
    ]
    plan = WritingPlan(title="The harbor", sections=sections).model_dump()
    return {"instruction": "Describe the harbor.", "plan": plan, "language": "en"}


WRAPPINGS: list[Callable[[ChatOllama], Any]] = [
    lambda model: model,
    lambda model: model.with_retry(),
    lambda model: model.with_config(tags=["x"]),
    lambda model: model.bind(stop=["<end>"]),
    lambda model: model.with_fallbacks([FakeWriter()]).with_retry(),
]


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("wrap", WRAPPINGS)
def test_a_document_is_written_with_a_limit_on_each_reply(
    wrap: Callable[[ChatOllama], Any], asynchronous: bool
) -> None:
    server = Server()
    model = server.model(temperature=0.3, num_ctx=8192)
    chain = AgentWriteChain(wrap(model))
    document = asyncio.run(chain.ainvoke(given())) if asynchronous else chain.invoke(given())
    assert [section["heading"] for section in document["sections"]] == [
        "Pier A",
        "Pier B",
        "Pier C",
    ]
    assert len(server.options) == 3
    for options in server.options:
        assert 200 <= options.pop("num_predict") <= 1000
        options.pop("stop", None)
        assert options == {"temperature": 0.3, "num_ctx": 8192}
    assert model.num_predict is None


def test_a_running_summary_is_limited() -> None:
    server = Server()
    model = server.model(profile={"max_input_tokens": 4_000})
    AgentWriteChain(model, memory="summary").invoke(given("ABCDEFGHIJKLMNOP", length=300))
    limits = [options["num_predict"] for options in server.options]
    assert len(limits) > 16
    assert memory.SUMMARY_TOKENS in limits


def test_the_limit_that_a_model_was_made_with_holds() -> None:
    server = Server()
    AgentWriteChain(server.model(num_predict=180)).invoke(given())
    assert {options["num_predict"] for options in server.options} == {180}


def test_a_benchmark_limits_replies() -> None:
    server = Server()
    writer = ModelWriter(server.model(temperature=0.3), max_tokens=500)
    asyncio.run(writer.write(Sample(id="1", task="own", prompt="Write 300 words.", length=300)))
    assert server.options == [{"temperature": 0.3, "num_predict": 500}]


def test_bound_options_are_kept_and_limited() -> None:
    server = Server()
    bound: Any = server.model(temperature=0.3).bind(options={"num_ctx": 512})
    limited(bound, 100).invoke("Write 20 words")
    limited(bound.bind(options={"num_predict": 7}), 100).invoke("Write 20 words")
    assert server.options == [{"num_predict": 100, "num_ctx": 512}, {"num_predict": 7}]


def test_wrappings_are_kept_in_any_order() -> None:
    server = Server()
    wrapped: Any = server.model(seed=1).bind(stop=["<end>"]).with_retry().with_config(tags=["x"])
    limited(wrapped, 100).invoke("Write 20 words")
    assert server.options == [{"seed": 1, "stop": ["<end>"], "num_predict": 100}]


def test_each_of_several_fallbacks_has_the_limit_that_it_takes() -> None:
    server, other = Server(), FakeWriter(replies=[ConnectionError("down"), "Here it is."])
    model: Any = other.with_fallbacks([server.model()])
    limited(model, 100).invoke("Write 20 words")
    assert server.options == [{"num_predict": 100}]
    assert other.kwargs[0]["max_tokens"] == 100


def test_a_copy_shares_the_connections() -> None:
    model = Server().model()
    assert limited(model, 100)._client is model._client  # type: ignore[attr-defined]
