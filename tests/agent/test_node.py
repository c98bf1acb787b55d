"""Sections written at once: what one of them meets loses nothing of the others, nor do limits."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from langchain_core.exceptions import ModelAuthenticationError, ModelRateLimitError
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatResult
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from pydantic import PrivateAttr

from longchain import AgentWriteChain
from longchain.testing import FakeWriter, LengthBehavior
from longchain.testing.behavior import text_of

THREAD: Any = {"configurable": {"thread_id": "one"}}
SECTIONS = 6


def given(sections: int = SECTIONS) -> dict[str, Any]:
    """Return an input with a plan."""
    parts = [
        {"heading": f"Part {n}", "main_point": f"Point {n}", "length": 100}
        for n in range(1, sections + 1)
    ]
    return {"instruction": "Write about ports.", "plan": {"title": "Ports", "sections": parts}}


class Watched(FakeWriter):
    """Fails for good at one section, as long as it is told to, and counts who is in it at once."""

    fails_at: str = ""
    peak: int = 0

    _inside: int = PrivateAttr(default=0)

    def _enter(self, by: int) -> None:
        with self._lock:
            self._inside += by
            self.peak = max(self.peak, self._inside)

    def _check(self, messages: list[BaseMessage]) -> None:
        if self.fails_at and f"write part {self.fails_at} now" in text_of(messages[-1]).lower():
            raise ModelAuthenticationError("the key was taken back")

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        self._enter(1)
        try:
            self._check(messages)
            return super()._generate(messages, *args, **kwargs)
        finally:
            self._enter(-1)

    async def _agenerate(
        self, messages: list[BaseMessage], *args: Any, **kwargs: Any
    ) -> ChatResult:
        self._enter(1)
        try:
            self._check(messages)
            return await super()._agenerate(messages, *args, **kwargs)
        finally:
            self._enter(-1)


def watched(**options: Any) -> Watched:
    options = {"latency": 0.05, **options}
    return Watched(behavior=LengthBehavior(vary=False), **options)


# One section fails -----------------------------------------------------------------------------


def stored(values: dict[str, Any]) -> list[int]:
    """Return the numbers of the sections that a thread holds."""
    return sorted({e["section"] + 1 for e in values["log"] if e["type"] == "piece"})


OTHERS = [1, 2, 4, 5, 6]


@pytest.mark.parametrize("same", [True, False], ids=["same chain", "new chain"])
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_section_that_fails_leaves_the_others_be(kind: str, same: bool, tmp_path: Path) -> None:
    failing = watched(fails_at="3")
    with SqliteSaver.from_conn_string(str(tmp_path / "runs.db")) as sqlite:
        saver: Any = InMemorySaver() if kind == "memory" else sqlite
        chain = AgentWriteChain(failing, mode="parallel", checkpointer=saver)
        with pytest.raises(ModelAuthenticationError, match="taken back"):
            chain.invoke(given(), THREAD)
        assert stored(chain.get_state(THREAD).values) == OTHERS
        first = failing.calls
        with pytest.raises(ModelAuthenticationError):  # still
            chain.invoke(None, THREAD)
        assert stored(chain.get_state(THREAD).values) == OTHERS

        model = failing if same else watched()
        failing.fails_at = ""
        chain = chain if same else AgentWriteChain(model, mode="parallel", checkpointer=saver)
        before = model.calls
        document = chain.invoke(None, THREAD)
    check_resumed(document, first, model, before)


@pytest.mark.parametrize("same", [True, False], ids=["same chain", "new chain"])
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_a_section_that_fails_leaves_the_others_be_async(
    kind: str, same: bool, tmp_path: Path
) -> None:
    failing = watched(fails_at="3")
    async with opened(kind, tmp_path) as saver:
        chain = AgentWriteChain(failing, mode="parallel", checkpointer=saver)
        with pytest.raises(ModelAuthenticationError, match="taken back"):
            await chain.ainvoke(given(), THREAD)
        assert stored((await chain.aget_state(THREAD)).values) == OTHERS
        first = failing.calls

        model = failing if same else watched()
        failing.fails_at = ""
        chain = chain if same else AgentWriteChain(model, mode="parallel", checkpointer=saver)
        before = model.calls
        document = await chain.ainvoke(None, THREAD)
    check_resumed(document, first, model, before)


@asynccontextmanager
async def opened(kind: str, folder: Path) -> AsyncIterator[Any]:
    if kind == "memory":
        yield InMemorySaver()
    else:
        async with AsyncSqliteSaver.from_conn_string(str(folder / "runs.db")) as saver:
            yield saver


def check_resumed(document: dict[str, Any], first: int, model: FakeWriter, before: int) -> None:
    """See that a document is whole, and that its run wrote nothing again but what was missing."""
    whole = AgentWriteChain(watched(latency=0.0), mode="parallel").invoke(given())
    for number in OTHERS:
        written, expected = (one["sections"][number - 1]["text"] for one in (document, whole))
        assert written == expected
    assert document["sections"][2]["length"] == pytest.approx(100, abs=20)
    asked = [text_of(messages[-1]).lower() for messages in model.requests[before:]]
    assert asked
    assert all("part 3 now" in text or "go on with this part" in text for text in asked)
    assert first == len(OTHERS)
    assert document["usage"]["calls"] == first + len(asked)


def test_without_a_checkpointer_the_error_comes_all_the_same() -> None:
    model = watched(fails_at="3")
    with pytest.raises(ModelAuthenticationError):
        AgentWriteChain(model, mode="parallel").invoke(given())
    assert model.calls == len(OTHERS)


def test_the_error_of_one_document_is_not_that_of_another() -> None:
    model = watched(fails_at="6")
    chain = AgentWriteChain(model, mode="parallel")
    bad, *good = chain.batch([given(6), given(3), given(4)], return_exceptions=True)
    assert isinstance(bad, ModelAuthenticationError)
    assert [len(document["sections"]) for document in good] == [3, 4]


# Calls at once ---------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["sequential", "parallel"])
async def test_documents_and_sections_share_the_calls_at_once(mode: Any) -> None:
    model = watched(latency=0.005)
    chain = AgentWriteChain(model, mode=mode, max_concurrency=3)
    documents = await chain.abatch([given(4) for _ in range(8)])
    assert model.peak == 3
    assert model.calls == sum(document["usage"]["calls"] for document in documents)


@pytest.mark.parametrize("mode", ["sequential", "parallel"])
def test_threads_share_the_calls_at_once(mode: Any) -> None:
    model = watched(latency=0.005)
    chain = AgentWriteChain(model, mode=mode, max_concurrency=3)
    chain.batch([given(4) for _ in range(8)])
    assert model.peak == 3


async def test_threads_and_event_loops_share_them_too() -> None:
    model = watched(latency=0.005)
    chain = AgentWriteChain(model, mode="parallel", max_concurrency=2)
    thread = threading.Thread(target=lambda: chain.batch([given(4)] * 3))
    thread.start()
    await chain.abatch([given(4)] * 3)
    await asyncio.to_thread(thread.join)
    assert model.peak == 2


def test_without_a_limit_all_sections_are_written_at_once() -> None:
    model = watched(latency=0.2)
    chain = AgentWriteChain(model, mode="parallel", max_concurrency=None)
    asyncio.run(chain.ainvoke(given(8)))
    assert model.peak == 8


async def test_a_pause_holds_no_slot() -> None:
    model = watched(latency=0.0)
    model.replies = [ModelRateLimitError("busy")]
    chain = AgentWriteChain(model, max_concurrency=1)
    chain.stages.policy.retries.__dict__["first_pause"] = 2.0  # 1 to 2 s
    waiting = asyncio.create_task(chain.ainvoke(given(2)))
    while not model.calls:  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    begun = time.monotonic()
    await chain.ainvoke(given(2))
    assert time.monotonic() - begun < 0.9
    assert not waiting.done()
    await waiting
