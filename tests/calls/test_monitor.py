"""Calls that hang, crawl or loop: who is given up, who is not, and what is paid for."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.exceptions import ModelAPIError, ModelTimeoutError
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk, ChatResult, LLMResult
from langchain_core.runnables import RunnableLambda
from langchain_openai import ChatOpenAI
from pydantic import PrivateAttr

from longchain import AgentWriteChain
from longchain.calls.monitor import CallMonitor, RepetitionStopped, RunCancelled, arun, run
from longchain.prose.loops import loop_start
from longchain.testing import FakeWriter, Faults, LengthBehavior, SimulatedServer, wire

INSTRUCTION = "Write a 600-word report on ports."
SENTENCE = "The ships come in and the ships go out with the tide. "
OF_A_LOOP = 1800
"""Tokens that a section of 400 words may have, and that a loop takes where nobody stops it."""
FOREVER = 20.0
"""Seconds that a call hangs; no test waits for it."""


class Slow(FakeWriter):
    """Hangs at some of its calls, and streams at a pace."""

    hangs: tuple[int, ...] = ()
    after: int = 0
    """Words that a streamed reply begins with before it hangs."""
    pace: float = 0.0

    _begun: int = PrivateAttr(default=0)
    _released: threading.Event = PrivateAttr(default_factory=threading.Event)

    def release(self) -> None:
        self._released.set()

    def _hanging(self) -> bool:
        with self._lock:
            self._begun += 1
            return self._begun in self.hangs

    def _generate(self, *args: Any, **kwargs: Any) -> ChatResult:
        if self._hanging():
            self._released.wait(FOREVER)
        return super()._generate(*args, **kwargs)

    async def _agenerate(self, *args: Any, **kwargs: Any) -> ChatResult:
        if self._hanging():
            await asyncio.sleep(FOREVER)
        return await super()._agenerate(*args, **kwargs)

    def _stream(self, *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        hanging = self._hanging()
        for number, chunk in enumerate(super()._stream(*args, **kwargs)):
            if hanging and number == self.after:
                self._released.wait(FOREVER)
            time.sleep(self.pace)
            yield chunk

    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        hanging, number = self._hanging(), 0
        async for chunk in super()._astream(*args, **kwargs):
            if hanging and number == self.after:
                await asyncio.sleep(FOREVER)
            number += 1
            await asyncio.sleep(self.pace)
            yield chunk


def quick(chain: AgentWriteChain) -> AgentWriteChain:
    """Return the chain with short pauses."""
    chain.stages.policy.retries.__dict__["first_pause"] = 0.01
    return chain


def written(chain: AgentWriteChain, *, asynchronous: bool, given: Any = INSTRUCTION) -> Any:
    return asyncio.run(chain.ainvoke(given)) if asynchronous else chain.invoke(given)


def notes(document: dict[str, Any]) -> list[str]:
    return [note for section in document["sections"] for note in section["notes"]]


# Silence ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize(("streaming", "after"), [(False, 0), (True, 0), (True, 7)])
def test_a_call_that_hangs_is_made_again(asynchronous: bool, streaming: bool, after: int) -> None:
    writer = Slow(behavior=LengthBehavior(), hangs=(2,), after=after)
    chain = quick(AgentWriteChain(writer, timeout=0.2, streaming=streaming))
    begun = time.monotonic()
    document = written(chain, asynchronous=asynchronous)
    assert time.monotonic() - begun < FOREVER / 4
    assert "waited out: no answer in time" in notes(document)
    assert document["report"]["length_score"] > 90
    assert document["usage"]["calls"] == writer._begun
    writer.release()


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_call_that_hangs_each_time_fails_in_the_end(asynchronous: bool) -> None:
    writer = Slow(behavior=LengthBehavior(), hangs=(2, 3, 4))
    chain = quick(AgentWriteChain(writer, timeout=0.05, max_retries=2))
    with pytest.raises(ModelTimeoutError, match=r"no sign of life for 0\.05 seconds"):
        written(chain, asynchronous=asynchronous)
    assert writer._begun == 4
    writer.release()


@pytest.mark.parametrize("asynchronous", [False, True])
def test_who_streams_slowly_and_steadily_is_heard_out(asynchronous: bool) -> None:
    writer = Slow(behavior=LengthBehavior(), pace=0.005)
    chain = AgentWriteChain(writer, timeout=0.3, streaming=True)
    begun = time.monotonic()
    document = written(chain, asynchronous=asynchronous, given=given(2))
    assert time.monotonic() - begun > 2 * 0.4
    assert not [note for note in notes(document) if note.startswith("waited out")]
    assert document["usage"]["calls"] == writer.calls >= 2


def test_without_a_timeout_nobody_is_given_up() -> None:
    writer = FakeWriter(behavior=LengthBehavior(), latency=0.3)
    for asynchronous in (False, True):
        chain = AgentWriteChain(writer, timeout=None)
        assert not [n for n in notes(written(chain, asynchronous=asynchronous)) if "waited" in n]


@pytest.mark.parametrize("timeout", [0, -1, float("inf"), float("nan")])
def test_a_timeout_is_a_time(timeout: float) -> None:
    with pytest.raises(ValueError, match="timeout is a number of seconds above 0"):
        AgentWriteChain(FakeWriter(), timeout=timeout)


async def test_a_call_that_does_not_hear_its_cancellation_is_left_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("longchain.calls.monitor._CANCEL_SECONDS", 0.05)
    leave = asyncio.Event()

    async def stubborn(_: Any) -> None:
        while not leave.is_set():
            try:
                await leave.wait()
            except asyncio.CancelledError:
                continue

    begun = time.monotonic()
    with pytest.raises(ModelTimeoutError):
        await arun(RunnableLambda(stubborn), "", {}, CallMonitor(), 0.05)
    assert time.monotonic() - begun < 1
    leave.set()
    await asyncio.sleep(0.01)


async def test_whoever_cancels_a_run_has_it_cancelled_also_while_a_call_cleans_up() -> None:
    async def tidy(_: Any) -> None:
        try:
            await asyncio.sleep(FOREVER)
        finally:
            await asyncio.sleep(0.3)

    task = asyncio.create_task(arun(RunnableLambda(tidy), "", {}, CallMonitor(), 0.05))
    await asyncio.sleep(0.15)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0.3)


# Stopping --------------------------------------------------------------------------------------


def test_stop_ends_the_calls_of_other_threads_at_once() -> None:
    writer = Slow(behavior=LengthBehavior(), hangs=tuple(range(2, 20)))
    chain = AgentWriteChain(writer, timeout=None, mode="parallel")
    ended: list[BaseException] = []

    def run() -> None:
        try:
            chain.invoke("Write a 2,000-word report on ports.")
        except BaseException as error:
            ended.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    while writer._begun < 4:
        time.sleep(0.01)
    begun = time.monotonic()
    chain.stages.policy.stop.set()
    thread.join(5)
    assert not thread.is_alive()
    assert time.monotonic() - begun < 2
    assert [type(error) for error in ended] == [RunCancelled]
    writer.release()


def test_stop_ends_a_pause_too() -> None:
    writer = FakeWriter(replies=[ModelAPIError("down")], behavior=LengthBehavior())
    chain = AgentWriteChain(writer)
    chain.stages.policy.retries.__dict__["first_pause"] = FOREVER
    timer = threading.Timer(0.1, chain.stages.policy.stop.set)
    timer.start()
    begun = time.monotonic()
    with pytest.raises(RunCancelled):
        chain.invoke(INSTRUCTION)
    assert time.monotonic() - begun < FOREVER / 4
    timer.join()


def test_ctrl_c_ends_a_call_that_hangs() -> None:
    writer = Slow(behavior=LengthBehavior(), hangs=(2,))
    main = threading.get_ident()
    timer = threading.Timer(0.3, signal.pthread_kill, (main, signal.SIGINT))
    begun = time.monotonic()
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        AgentWriteChain(writer, timeout=None).invoke(INSTRUCTION)
    assert time.monotonic() - begun < 2
    timer.join()
    writer.release()


def test_an_interpreter_does_not_wait_for_a_call_that_nobody_waits_for() -> None:
    program = """
        import threading
        from langchain_core.exceptions import ModelTimeoutError
        from langchain_core.runnables import RunnableLambda
        from longchain.calls.monitor import CallMonitor, run

        hangs = RunnableLambda(lambda _: threading.Event().wait(60))
        try:
            run(hangs, "", {}, CallMonitor(), 0.1, threading.Event())
        except ModelTimeoutError:
            print("given up", flush=True)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stdout == "given up\n"


# Loops -----------------------------------------------------------------------------------------


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tokens that a server has sent in streams."""
    found: list[str] = []
    pieces = wire.Events.pieces

    def counted(events: wire.Events, some: list[str]) -> bytes:
        found.extend(some)
        return pieces(events, some)

    monkeypatch.setattr(wire.Events, "pieces", counted)
    return found


def served(server: SimulatedServer) -> Any:
    return ChatOpenAI(
        model="x",
        base_url=server.base_url,
        api_key="none",  # type: ignore[arg-type]
        max_retries=0,
        profile={"structured_output": False},
    )


async def consume(chain: AgentWriteChain, way: str) -> dict[str, Any]:
    """Write a document in one of the ways in which replies are streamed."""
    if way == "invoke":
        return await asyncio.to_thread(chain.invoke, INSTRUCTION)
    if way == "ainvoke":
        return await chain.ainvoke(INSTRUCTION)
    modes: Any = ["messages", "values"]
    found: Any = None
    if way == "stream":
        for mode, value in await asyncio.to_thread(
            lambda: list(chain.stream(INSTRUCTION, stream_mode=modes))
        ):
            found = value if mode == "values" else found
    else:
        async for mode, value in chain.astream(INSTRUCTION, stream_mode=modes):
            found = value if mode == "values" else found
    return dict(found)


@pytest.mark.enable_socket
@pytest.mark.allow_hosts(["127.0.0.1"])
@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream"])
async def test_a_loop_is_stopped_and_not_paid_for(way: str, sent: list[str]) -> None:
    # A real speed, or the server has said everything before anybody can hang up.
    faults = Faults(script=["ok", "loop"])
    with SimulatedServer(faults=faults, tokens_per_second=1500) as server:
        chain = AgentWriteChain(served(server), streaming=way in ("invoke", "ainvoke"))
        document = await consume(chain, way)
        asked = server.requests[1]
        limit = asked.get("max_tokens") or asked["max_completion_tokens"]
        after = server.stats
    assert after.abandoned == 1
    assert after.faults == {"loop": 1}
    assert len(sent) - after.output_tokens < limit / 2
    assert loop_start(document["text"]) is None
    assert any("loop" in note for note in notes(document)), notes(document)
    assert document["report"]["length_score"] > 90
    assert document["usage"]["calls"] == after.requests


class Recorder(BaseCallbackHandler):
    def __init__(self) -> None:
        self.ends = 0
        self.errors: list[BaseException] = []

    def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:
        self.ends += 1

    def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        self.errors.append(error)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_loop_is_no_failure_that_fallbacks_answer(asynchronous: bool) -> None:
    first = FakeWriter(replies=[SENTENCE * 400], behavior=LengthBehavior())
    other = FakeWriter(behavior=LengthBehavior())
    chain = AgentWriteChain(first.with_fallbacks([other]), streaming=True)
    document = written(chain, asynchronous=asynchronous, given=given(1, 400))
    assert other.calls == 0
    assert first.calls == document["usage"]["calls"]
    assert document["usage"]["output_tokens"] < OF_A_LOOP / 2
    assert document["text"].count(SENTENCE.strip()) <= 1


def given(sections: int, length: int = 100) -> dict[str, Any]:
    """Return an input with a plan."""
    parts = [
        {"heading": f"Part {n}", "main_point": f"Point {n}", "length": length}
        for n in range(1, sections + 1)
    ]
    return {"instruction": "Write about ports.", "plan": {"title": "Ports", "sections": parts}}


class Blocks(FakeWriter):
    """Answers in lists of blocks, as Anthropic's models do."""

    def _stream(self, *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        for chunk in super()._stream(*args, **kwargs):
            yield self._in_blocks(chunk)

    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        async for chunk in super()._astream(*args, **kwargs):
            yield self._in_blocks(chunk)

    def _in_blocks(self, chunk: ChatGenerationChunk) -> ChatGenerationChunk:
        blocks: Any = [{"type": "text", "text": str(chunk.message.text), "index": 0}]
        message = chunk.message.model_copy(update={"content": blocks})
        assert isinstance(message, AIMessageChunk)
        return ChatGenerationChunk(message=message)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_loop_in_blocks_is_stopped(asynchronous: bool) -> None:
    writer = Blocks(replies=[SENTENCE * 400], behavior=LengthBehavior())
    document = written(
        AgentWriteChain(writer, streaming=True), asynchronous=asynchronous, given=given(1, 400)
    )
    assert writer.calls == document["usage"]["calls"]
    assert document["usage"]["output_tokens"] < OF_A_LOOP / 2
    assert document["text"].count(SENTENCE.strip()) <= 1


@pytest.mark.filterwarnings("ignore:The v3 streaming protocol")
async def test_a_loop_is_stopped_in_the_events_of_the_third_version() -> None:
    writer = FakeWriter(replies=[SENTENCE * 400], behavior=LengthBehavior())
    chain = AgentWriteChain(writer)
    stream: Any = await chain.astream_events(given(1, 400), version="v3")
    document = await stream.output()
    assert writer.calls == document["usage"]["calls"]
    assert document["usage"]["output_tokens"] < OF_A_LOOP / 2


def test_a_plan_is_not_watched_for_loops() -> None:
    watch = CallMonitor()
    for _ in range(1000):
        watch.on_llm_new_token(SENTENCE)
    watch = CallMonitor(stops_repetition=True)
    for _ in range(7):
        watch.on_llm_new_token(SENTENCE)
    with pytest.raises(RepetitionStopped):
        watch.on_llm_new_token(SENTENCE)


# Counting --------------------------------------------------------------------------------------


class Silent(FakeWriter):
    """Reports no usage, as many servers do where they stream."""

    def _finish(self, *args: Any) -> AIMessage:
        return super()._finish(*args).model_copy(update={"usage_metadata": None})


@pytest.mark.parametrize("streaming", [False, True])
def test_what_a_server_does_not_report_is_estimated(streaming: bool) -> None:
    exact = AgentWriteChain(FakeWriter(behavior=LengthBehavior()), streaming=streaming)
    silent = AgentWriteChain(Silent(behavior=LengthBehavior()), streaming=streaming)
    known, guessed = exact.invoke(INSTRUCTION)["usage"], silent.invoke(INSTRUCTION)["usage"]
    assert guessed["calls"] == known["calls"]
    for name in ("input_tokens", "output_tokens"):
        assert 0.5 * known[name] < guessed[name] < 2 * known[name], name


def test_a_call_is_counted_once_also_when_it_ends_after_it_was_given_up() -> None:
    writer = Slow(replies=["Hello there."], hangs=(1,), after=2)
    watch = CallMonitor()
    with pytest.raises(ModelTimeoutError):
        run(writer, "Begin.", {"callbacks": [watch]}, watch, 0.1, threading.Event())
    assert watch.usage.calls == 1
    writer.release()
    while any(thread.name == "longchain-call" for thread in threading.enumerate()):
        time.sleep(0.01)
    assert watch.usage.calls == 1


def test_callbacks_of_the_caller_hear_of_a_loop_as_of_an_error() -> None:
    recorder = Recorder()
    writer = FakeWriter(replies=[SENTENCE * 400], behavior=LengthBehavior())
    AgentWriteChain(writer, streaming=True).invoke(given(1), {"callbacks": [recorder]})
    assert [type(error) for error in recorder.errors] == [RepetitionStopped]
    assert recorder.ends >= 1


# Fallbacks -------------------------------------------------------------------------------------


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_document_is_written_by_the_fallback(asynchronous: bool) -> None:
    first = FakeWriter(replies=[ModelAPIError("down")] * 50)
    other = FakeWriter(behavior=LengthBehavior())
    chain = AgentWriteChain(first.with_fallbacks([other]))
    document = written(chain, asynchronous=asynchronous)
    assert document["report"]["length_score"] > 90
    assert first.calls == other.calls > len(document["sections"])
    assert document["usage"]["calls"] == first.calls + other.calls
