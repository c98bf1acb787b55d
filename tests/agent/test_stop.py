"""No call starts once a stop has been asked for; what was sent until then is in the record."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.exceptions import ModelAPIError
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatResult
from langchain_core.rate_limiters import InMemoryRateLimiter
from langchain_core.runnables import Runnable, RunnableLambda
from pydantic import PrivateAttr

from longchain import Run, Runs
from longchain.agent.events import Mode
from longchain.calls.limits import CallLimits
from longchain.calls.monitor import CallMonitor, RepetitionStopped, RunCancelled, arun
from longchain.calls.monitor import run as run_monitored
from longchain.testing import FakeWriter, LengthBehavior, SimulatedServer

QUEUE, AT_ONCE = 20, 4
SECTIONS = [
    {"heading": f"Part {n}", "main_point": f"Point {n}", "length": 60} for n in range(1, QUEUE + 1)
]
SOON = 10.0
"""Seconds within which all of it ends, on any machine."""


class Hanging(FakeWriter):
    """Answers some calls, and lets those after them hang."""

    answers: int = 0

    _begun: int = PrivateAttr(default=0)
    _go: threading.Event = PrivateAttr(default_factory=threading.Event)

    def _hangs(self) -> bool:
        with self._lock:
            self._begun += 1
            return self._begun > self.answers

    def _generate(self, *args: Any, **kwargs: Any) -> ChatResult:
        if self._hangs():
            self._go.wait(60)
        return super()._generate(*args, **kwargs)

    async def _agenerate(self, *args: Any, **kwargs: Any) -> ChatResult:
        if self._hangs():
            await asyncio.sleep(60)
        return await super()._agenerate(*args, **kwargs)


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    with Runs(tmp_path / "state") as opened:
        yield opened


def hanging(answers: int = 0) -> Hanging:
    return Hanging(behavior=LengthBehavior(), answers=answers)


def started(
    runs: Runs, model: FakeWriter, mode: Mode, sections: int = QUEUE, **options: Any
) -> Run:
    options = {"max_concurrency": AT_ONCE, "timeout": None, **options}
    plan = {"title": "Ports", "sections": SECTIONS[:sections]}
    given: Any = {"instruction": "Write about ports.", "plan": plan}
    if mode == "direct":  # which takes no plan
        given = "Write a 900-word report on ports."
    return runs.start(given, model=model, mode=mode, run="ports", **options)


def when(ready: Callable[[], bool], act: Callable[[], object]) -> threading.Thread:
    """Do something, from another thread, as soon as something is so."""

    def wait() -> None:
        end = time.monotonic() + SOON
        while not ready() and time.monotonic() < end:
            time.sleep(0.005)
        act()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def ended(run: Run, asynchronous: bool, error: type[BaseException]) -> None:
    begun = time.monotonic()
    with pytest.raises(error):
        asyncio.run(run.awrite()) if asynchronous else run.write()
    assert time.monotonic() - begun < SOON


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize(
    ("mode", "answers", "sent"),
    [("parallel", 0, 4), ("parallel", 6, 10), ("sequential", 2, 3), ("direct", 0, 1)],
)
def test_a_stop_starts_nothing_more(
    mode: Mode, answers: int, sent: int, asynchronous: bool, runs: Runs
) -> None:
    model = hanging(answers)
    run = started(runs, model, mode)
    stopper = when(lambda: model._begun == sent, run.stop)
    ended(run, asynchronous, RunCancelled)
    stopper.join()
    model._go.set()
    time.sleep(0.1)
    assert model._begun == sent
    record = runs.record("ports")
    assert (record.status, record.usage.calls) == ("stopped", sent)
    assert run.progress().usage == record.usage

    again = FakeWriter(behavior=LengthBehavior())
    document = runs.resume("ports", model=again).write()
    assert document.report["finished"]
    assert document.usage.calls == sent + again.calls


async def test_a_run_that_is_cancelled_starts_nothing_more(runs: Runs) -> None:
    model = hanging()
    run = started(runs, model, "parallel")
    task = asyncio.create_task(run.awrite())
    while model._begun < AT_ONCE:  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert model._begun == AT_ONCE
    assert runs.record("ports").usage.calls == AT_ONCE


@pytest.mark.parametrize("asynchronous", [False, True])
def test_nor_after_a_pause(asynchronous: bool, runs: Runs) -> None:
    model = FakeWriter(replies=[ModelAPIError("down")] * QUEUE, behavior=LengthBehavior())
    run = started(runs, model, "parallel", AT_ONCE)
    run.chain.stages.policy.retries.__dict__["first_pause"] = 4.0  # 2 to 4 s
    stopper = when(lambda: model.calls == AT_ONCE, run.stop)
    ended(run, asynchronous, RunCancelled)
    stopper.join()
    assert model.calls == AT_ONCE
    assert runs.record("ports").usage.calls == AT_ONCE


@pytest.mark.parametrize("asynchronous", [False, True])
def test_nor_behind_a_limit_of_requests(asynchronous: bool, runs: Runs) -> None:
    model = hanging()
    run = started(runs, model, "parallel", requests_per_minute=600)
    stopper = when(lambda: model._begun == 2, run.stop)
    ended(run, asynchronous, RunCancelled)
    stopper.join()
    model._go.set()
    assert model._begun <= 3  # the third may just have been on its way
    assert runs.record("ports").usage.calls == model._begun


@pytest.mark.parametrize("asynchronous", [False, True])
def test_nor_does_a_run_begin_that_is_to_end(asynchronous: bool) -> None:
    asked: list[str] = []
    stop = threading.Event()
    stop.set()
    model: Runnable[Any, Any] = RunnableLambda(asked.append)
    given: Any = (model, "", {}, CallMonitor(), None, stop)
    with pytest.raises(RunCancelled):
        asyncio.run(arun(*given)) if asynchronous else run_monitored(*given)
    assert asked == []


def test_a_call_that_is_given_up_goes_on_to_no_fallback() -> None:
    watch, failed, stop = CallMonitor(), threading.Event(), threading.Event()

    def fail(_: Any) -> AIMessage:
        failed.wait(SOON)
        raise ConnectionError

    second = FakeWriter(behavior=LengthBehavior())
    first: Any = FakeWriter(replies=[fail])
    setter = when(lambda: first.calls == 1, stop.set)
    with pytest.raises(RunCancelled):
        run_monitored(
            first.with_fallbacks([second]), "x", {"callbacks": [watch]}, watch, None, stop
        )
    setter.join()
    failed.set()
    time.sleep(0.2)
    assert (second.calls, watch.usage.calls) == (0, 1)
    with pytest.raises(RepetitionStopped):
        second.invoke("x", {"callbacks": [watch]})
    assert second.calls == 0


@pytest.mark.parametrize("asynchronous", [False, True])
def test_one_monitor_follows_several_calls(asynchronous: bool) -> None:
    monitor, model = CallMonitor(), FakeWriter(replies=["One.", "Two."])
    for answer in ("One.", "Two."):
        call: Any = (model, "x", {"callbacks": [monitor]}, monitor, None, threading.Event())
        reply = asyncio.run(arun(*call)) if asynchronous else run_monitored(*call)
        assert reply.text == answer
    assert monitor.usage.calls == 2


@pytest.mark.parametrize("asynchronous", [False, True])
def test_who_waits_in_line_is_sent_away(asynchronous: bool) -> None:
    limiter = InMemoryRateLimiter(requests_per_second=1000)
    limits = CallLimits(1, tokens_per_minute=1e9, rate_limiter=limiter)
    stopped = False

    def check_cancelled() -> None:
        if stopped:
            raise RunCancelled

    limits.check_cancelled = check_cancelled

    async def enter() -> None:
        async with limits.admit():
            pytest.fail("it came in")

    with limits.admit():
        stopped = True
        if not asynchronous:
            with pytest.raises(RunCancelled), limits.admit():
                pytest.fail("it came in")
    if asynchronous:
        with pytest.raises(RunCancelled):
            asyncio.run(enter())
    stopped = False
    with limits.admit():  # whoever was sent away holds no place
        pass


@pytest.mark.enable_socket
@pytest.mark.allow_hosts(["127.0.0.1"])
def test_ctrl_c_sends_nothing_more(tmp_path: Path) -> None:
    """The command against a slow server: four calls at once, and sixteen in line."""
    parts = "".join(
        f"- {{heading: Part {n}, main_point: Point {n}, length: 60}}\n" for n in range(1, QUEUE + 1)
    )
    (tmp_path / "plan.yaml").write_text(f"title: Ports\nsections:\n{parts}")
    state = str(tmp_path / "state")
    with SimulatedServer(tokens_per_second=5) as server:
        given = ("write", "Ports", "--plan", "plan.yaml", "--run", "ports", "--mode", "parallel")
        at = ("--model", "openai:simulated", "--base-url", server.base_url, "--state", state)
        limit = ("--max-concurrency", str(AT_ONCE))
        command = str(Path(sys.executable).with_name("longchain"))
        with subprocess.Popen([command, *given, *at, *limit], cwd=tmp_path) as begun:
            try:
                end = time.monotonic() + 60  # to start takes seconds
                while len(server.requests) < AT_ONCE and time.monotonic() < end:
                    time.sleep(0.01)
                begun.send_signal(signal.SIGINT)
                assert begun.wait(SOON) == 3
            finally:
                begun.kill()
        assert len(server.requests) == AT_ONCE
    with Runs(state) as runs:
        record = runs.record("ports")
        assert (record.status, record.usage.calls) == ("stopped", AT_ONCE)
