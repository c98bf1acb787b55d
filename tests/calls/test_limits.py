"""One line for threads and event loops: who may start, who waits, and that nothing is lost."""

from __future__ import annotations

import asyncio
import gc
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import FrameType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core import rate_limiters
from langchain_core.rate_limiters import BaseRateLimiter, InMemoryRateLimiter

from longchain.calls import limits as module
from longchain.calls.limits import CallLimits
from longchain.errors import InputError


class Clock:
    """Time that passes only where somebody sleeps."""

    def __init__(self, limits: CallLimits) -> None:
        self.now = 1000.0
        limits.clock = lambda: self.now
        limits.sleep = self.sleep
        limits.asleep = self.asleep

    @property
    def passed(self) -> float:
        return round(self.now - 1000, 3)

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds

    async def asleep(self, seconds: float) -> None:
        self.sleep(seconds)
        await asyncio.sleep(0)


class Counting(BaseRateLimiter):
    """Lets everything pass, and counts it."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def acquire(self, *, blocking: bool = True) -> bool:
        self.asked.append("sync")
        return True

    async def aacquire(self, *, blocking: bool = True) -> bool:
        self.asked.append("async")
        return True


def nothing_is_left(limits: CallLimits) -> bool:
    return not limits._slots._tickets and not limits._queue._tickets


def until(met: Callable[[], bool]) -> None:
    """Wait for other threads."""
    end = time.monotonic() + 5
    while not met():
        assert time.monotonic() < end, "not met in 5 s"
        time.sleep(0.001)


async def auntil(met: Callable[[], bool]) -> None:
    """Wait for other tasks."""
    async with asyncio.timeout(5):
        while not met():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("concurrency", [1, 3])
def test_threads_and_event_loops_share_the_slots(concurrency: int) -> None:
    limits, lock = CallLimits(concurrency), threading.Lock()
    running, peak, done = 0, 0, 0

    def count(by: int) -> None:
        nonlocal running, peak, done
        with lock:
            running += by
            peak = max(peak, running)
            done += by < 0

    def thread() -> None:
        for _ in range(10):
            with limits.admit():
                count(1)
                time.sleep(0.001)
                count(-1)

    async def task() -> None:
        async with limits.admit():
            count(1)
            await asyncio.sleep(0.001)
            count(-1)

    async def loop() -> None:
        await asyncio.gather(*(task() for _ in range(30)))

    with ThreadPoolExecutor(6) as pool:
        jobs = [pool.submit(thread) for _ in range(4)]
        jobs += [pool.submit(asyncio.run, loop()) for _ in range(2)]
        for job in jobs:
            job.result(timeout=20)
    assert (peak, done, running) == (concurrency, 100, 0)
    assert nothing_is_left(limits)


def test_without_a_limit_all_start_at_once() -> None:
    limits = CallLimits()

    async def all_at_once() -> None:
        meeting = asyncio.Barrier(50)

        async def task() -> None:
            async with limits.admit(10**9):
                await meeting.wait()

        await asyncio.wait_for(asyncio.gather(*(task() for _ in range(50))), 5)

    asyncio.run(all_at_once())
    assert nothing_is_left(limits)


async def test_who_comes_first_starts_first() -> None:
    limits, started = CallLimits(1), []

    def thread(number: int) -> None:
        with limits.admit():
            started.append(number)

    async def task(number: int) -> None:
        async with limits.admit():
            started.append(number)

    with ThreadPoolExecutor(8) as pool:
        waiting: list[Any] = []
        async with limits.admit():
            for number in range(12):
                if number % 3 == 0:
                    waiting.append(asyncio.wrap_future(pool.submit(thread, number)))
                elif number % 3 == 1:
                    waiting.append(asyncio.create_task(task(number)))
                else:
                    job = pool.submit(asyncio.run, task(number))
                    waiting.append(asyncio.wrap_future(job))
                await auntil(lambda: len(limits._queue._tickets) == number + 1)  # noqa: B023
            # One who comes later does not slip in when the slot comes free.
        async with limits.admit():
            started.append(12)
        await asyncio.gather(*waiting)
    assert started == list(range(13))


async def test_a_cancelled_waiter_leaves_the_line() -> None:
    limits, started = CallLimits(1), []

    async def task(number: int) -> None:
        async with limits.admit():
            started.append(number)

    async with limits.admit():
        tasks = [asyncio.create_task(task(number)) for number in range(4)]
        await auntil(lambda: len(limits._queue._tickets) == 4)
        tasks[0].cancel()  # at the door
        tasks[2].cancel()  # in the line
        assert await asyncio.wait(tasks, timeout=0.01) == (
            {tasks[0], tasks[2]},
            {tasks[1], tasks[3]},
        )
    await asyncio.wait_for(asyncio.gather(tasks[1], tasks[3]), 5)
    assert started == [1, 3]
    assert nothing_is_left(limits)


async def test_a_slot_given_to_a_task_that_is_cancelled_before_it_runs_goes_on() -> None:
    limits, started = CallLimits(1), []

    async def task(number: int) -> None:
        async with limits.admit():
            started.append(number)

    held = limits.admit()
    await held.__aenter__()
    tasks = [asyncio.create_task(task(number)) for number in range(2)]
    await auntil(lambda: len(limits._queue._tickets) == 2)
    await held.__aexit__()  # gives the slot to the first, and nothing awaited lets it run
    assert next(iter(limits._slots._tickets)).done()
    tasks[0].cancel()
    await asyncio.wait_for(tasks[1], 5)
    assert started == [1]
    assert tasks[0].cancelled()
    assert nothing_is_left(limits)


@pytest.mark.parametrize("options", [{}, {"tokens_per_minute": 60}, {"requests_per_minute": 1}])
async def test_cancelled_while_it_waits_for_a_time(options: dict[str, Any]) -> None:
    limits = CallLimits(2, **options)
    async with limits.admit(1000):
        if not options:
            limits.back_off(60)
        task = asyncio.create_task(limits.admit(1000).__aenter__())
        await auntil(lambda: len(limits._slots._tickets) == 2)
        task.cancel()
        assert await asyncio.wait([task], timeout=5) == ({task}, set())
        assert task.cancelled()
    assert nothing_is_left(limits)
    assert not limits._tokens or -1000 <= limits._tokens.level < -900  # only what started


def test_an_exception_gives_the_slot_back() -> None:
    limits = CallLimits(1)

    async def fails() -> None:
        async with limits.admit():
            raise LookupError

    for _ in range(3):
        with pytest.raises(LookupError), limits.admit():
            raise LookupError
        with pytest.raises(LookupError):
            asyncio.run(fails())
    assert nothing_is_left(limits)


@pytest.mark.parametrize("waits_for", ["slot", "requests", "tokens"])
def test_ctrl_c_gets_through_to_a_waiting_thread(waits_for: str) -> None:
    limits = {
        "slot": CallLimits(1),
        "requests": CallLimits(requests_per_minute=1),
        "tokens": CallLimits(tokens_per_minute=60),
    }[waits_for]
    entered, leave = threading.Event(), threading.Event()

    def other() -> None:
        with limits.admit(10_000):
            entered.set()
            leave.wait(5)

    thread = threading.Thread(target=other)
    thread.start()
    assert entered.wait(5)
    main = threading.get_ident()
    timer = threading.Timer(0.05, signal.pthread_kill, (main, signal.SIGINT))
    timer.start()
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt), limits.admit():
        raise AssertionError("it never starts")
    assert time.monotonic() - begun < 0.9
    leave.set()
    thread.join()
    timer.join()
    assert nothing_is_left(limits)


def test_ctrl_c_loses_no_slot_in_whatever_line_it_comes() -> None:
    limits = CallLimits(2, tokens_per_minute=60, rate_limiter=Counting())
    clock, steps, before = Clock(limits), 0, sys.gettrace()
    ways_in = {"__enter__", "_steps", "enter", "_start"}

    def interrupt(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal steps
        code = frame.f_code
        if code.co_filename != module.__file__ or code.co_name not in ways_in:
            return None
        if event == "line":
            steps -= 1
            if steps == 0:
                sys.settrace(before)
                raise KeyboardInterrupt
        return interrupt

    def entered(line: int) -> bool:
        nonlocal steps
        steps = line
        admit = limits.admit(2)
        sys.settrace(interrupt)
        try:
            admit.__enter__()
        except KeyboardInterrupt:
            return False
        finally:
            sys.settrace(before)
        admit.__exit__()
        return True

    line = 1
    while not entered(line):
        assert nothing_is_left(limits), line
        line += 1
    assert line > 30
    assert clock.passed > 0


async def test_a_call_that_would_block_its_own_slot_says_so() -> None:
    limits = CallLimits(1)
    async with limits.admit():
        with pytest.raises(InputError, match="wait for ever"), limits.admit():
            pass
    with limits.admit():
        pass
    assert nothing_is_left(limits)

    def nested() -> None:
        with limits.admit(), limits.admit():
            pass

    with pytest.raises(InputError, match="wait for ever"):
        await asyncio.to_thread(nested)
    assert nothing_is_left(limits)


async def test_a_call_does_not_wait_for_tasks_that_it_blocks() -> None:
    limits = CallLimits(2)
    async with limits.admit():
        async with limits.admit():
            ahead = asyncio.create_task(limits.admit().__aenter__())
            await auntil(lambda: len(limits._queue._tickets) == 1)
            with pytest.raises(InputError, match="wait for ever"), limits.admit():
                pass
            ahead.cancel()
            await asyncio.wait([ahead])
        with limits.admit():  # a slot is free, and nobody is ahead
            pass
    limits.back_off(60)
    ahead = asyncio.create_task(limits.admit().__aenter__())
    await auntil(lambda: len(limits._queue._tickets) == 1)
    with pytest.raises(InputError, match="wait for ever"), limits.admit():
        pass
    ahead.cancel()
    await asyncio.wait([ahead])
    assert nothing_is_left(limits)


def test_slots_of_a_closed_event_loop_are_free_again() -> None:
    limits = CallLimits(1)
    loop = asyncio.new_event_loop()
    held, waits = limits.admit(), limits.admit()
    loop.run_until_complete(held.__aenter__())
    forgotten = loop.create_task(waits.__aenter__())
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    with limits.admit():
        assert len(limits._slots._tickets) == 1
    forgotten._log_destroy_pending = False  # type: ignore[attr-defined]
    del forgotten, held, waits
    gc.collect()
    assert nothing_is_left(limits)


def test_every_call_asks_the_rate_limiter() -> None:
    limiter = Counting()
    limits = CallLimits(rate_limiter=limiter)

    async def two() -> None:
        for _ in range(2):
            async with limits.admit():
                pass

    with limits.admit():
        asyncio.run(two())
    assert limiter.asked == ["sync", "async", "async"]


def test_requests_per_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = CallLimits(requests_per_minute=30)
    clock = Clock(limits)
    fake = SimpleNamespace(monotonic=lambda: clock.now, sleep=clock.sleep)
    monkeypatch.setattr(rate_limiters, "time", fake)
    times = []
    for _ in range(4):
        with limits.admit():
            times.append(clock.passed)
    assert times == pytest.approx([0, 2, 4, 6], abs=0.4)  # LangChain's looks every 0.1 s


async def test_requests_per_minute_in_real_time() -> None:
    limits, begun = CallLimits(requests_per_minute=1200), time.monotonic()
    for _ in range(4):
        async with limits.admit():
            pass
    assert time.monotonic() - begun >= 0.1
    assert isinstance(limits.rate_limiter, InMemoryRateLimiter)


def test_tokens_per_minute() -> None:
    limits = CallLimits(tokens_per_minute=6000)  # 100 a second
    clock, times = Clock(limits), []
    for tokens in (200, 300, 50_000, 100):
        with limits.admit(tokens) as admit:
            times.append(clock.passed)
            admit.record(tokens)
    # The third is larger than all that a minute brings: it starts, and the next one waits for it.
    assert times == pytest.approx([0, 2, 5, 505], abs=0.02)


async def test_tokens_per_minute_for_tasks() -> None:
    limits = CallLimits(tokens_per_minute=6000)
    clock, times = Clock(limits), []

    async def task() -> None:
        async with limits.admit(200):
            times.append(clock.passed)

    await asyncio.gather(*(task() for _ in range(4)))
    assert times == pytest.approx([0, 2, 4, 6], abs=0.05)


@pytest.mark.parametrize(("record", "next_one"), [(200, 2), (1000, 10), (0, 0), (50, 0.5)])
def test_what_was_used_corrects_what_was_reserved(record: int, next_one: float) -> None:
    limits = CallLimits(tokens_per_minute=6000)
    clock = Clock(limits)
    with limits.admit(200) as admit:
        admit.record(7)
        admit.record(record)  # the last word counts
    with limits.admit(200):
        assert clock.passed == pytest.approx(next_one, abs=0.02)


def test_tokens_that_come_back_let_a_waiting_call_start_sooner() -> None:
    limits = CallLimits(tokens_per_minute=6000)
    clock = Clock(limits)
    with limits.admit(100_000) as admit:

        def sleep(seconds: float) -> None:
            clock.sleep(seconds)
            if clock.passed >= 3:
                admit.record(0)

        limits.sleep = sleep
        with limits.admit():
            assert 3 <= clock.passed < 4


def test_what_was_reserved_and_not_used_comes_back_whole() -> None:
    limits = CallLimits(tokens_per_minute=6000)
    clock, times = Clock(limits), []
    with limits.admit(1000) as one, limits.admit(1000) as two:
        one.record(0)
        two.record(0)
    for _ in range(4):
        with limits.admit(500):
            times.append(clock.passed)
    assert times == pytest.approx([10, 10, 10, 15], abs=0.02)


def test_an_idle_chain_saves_up_a_second_of_tokens() -> None:
    limits = CallLimits(tokens_per_minute=6000)
    clock = Clock(limits)
    with limits.admit(0):
        clock.sleep(3600)
    times = []
    for _ in range(3):
        with limits.admit(100):
            times.append(clock.passed - 3600)
    assert times == pytest.approx([0, 0, 1], abs=0.02)


def test_all_wait_while_the_traffic_is_held() -> None:
    limits = CallLimits(4)
    clock = Clock(limits)

    async def task() -> float:
        async with limits.admit():
            return clock.passed

    async def tasks() -> list[float]:
        return await asyncio.gather(*(task() for _ in range(3)))

    with limits.admit():
        limits.back_off(30)
        limits.back_off(5)  # does not shorten it
        with limits.admit():
            assert clock.passed == pytest.approx(30)
        assert asyncio.run(tasks()) == pytest.approx([30] * 3)
        limits.back_off(10)
        assert asyncio.run(tasks()) == pytest.approx([40] * 3)


async def test_a_hold_reaches_those_who_wait_already() -> None:
    limits = CallLimits(1)
    clock = Clock(limits)

    async def task() -> float:
        async with limits.admit():
            return clock.passed

    async with limits.admit():
        waiting = asyncio.create_task(task())
        await auntil(lambda: len(limits._queue._tickets) == 1)
        limits.back_off(20)
    assert await waiting == pytest.approx(20)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3), st.lists(st.sampled_from("ncxy"), max_size=40), st.randoms())
def test_no_order_of_events_loses_a_slot(
    concurrency: int, events: list[str], chance: random.Random
) -> None:
    limits = CallLimits(concurrency)

    async def play() -> None:
        running: dict[asyncio.Task[None], asyncio.Event] = {}
        inside = 0

        async def task(end: asyncio.Event) -> None:
            nonlocal inside
            async with limits.admit():
                inside += 1
                assert inside <= concurrency
                try:
                    await end.wait()
                finally:
                    inside -= 1

        for event in events:
            if event == "n":
                end = asyncio.Event()
                running[asyncio.create_task(task(end))] = end
            elif event == "y":
                await asyncio.sleep(0)
            elif running:
                chosen = chance.choice(list(running))
                if event == "c":
                    chosen.cancel()
                else:
                    running[chosen].set()
        for end in running.values():
            end.set()
        if running:
            _, left = await asyncio.wait(running, timeout=5)
            assert not left
            for one in running:
                assert one.cancelled() or one.exception() is None
        assert inside == 0

    asyncio.run(play())
    assert nothing_is_left(limits)


def test_cancellations_under_load_lose_no_slot() -> None:
    limits, stop = CallLimits(2), time.monotonic() + 0.4

    async def loop(seed: int) -> None:
        chance = random.Random(seed)

        async def task() -> None:
            async with limits.admit():
                await asyncio.sleep(chance.choice([0, 0, 0.0005]))

        while time.monotonic() < stop:
            tasks = [asyncio.create_task(task()) for _ in range(8)]
            await asyncio.sleep(chance.choice([0, 0.0005, 0.001]))
            for one in chance.sample(tasks, 5):
                one.cancel()
            _, left = await asyncio.wait(tasks, timeout=5)
            assert not left

    def thread() -> None:
        while time.monotonic() < stop:
            with limits.admit():
                pass

    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(asyncio.run, loop(seed)) for seed in range(2)]
        jobs += [pool.submit(thread) for _ in range(2)]
        for job in jobs:
            job.result(timeout=20)
    assert nothing_is_left(limits)


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        ({"concurrency": 0}, "concurrency is 0"),
        ({"concurrency": -2}, "concurrency is -2"),
        ({"requests_per_minute": 0}, "requests_per_minute is 0"),
        ({"requests_per_minute": -1.5}, "requests_per_minute is -1.5"),
        ({"tokens_per_minute": 0}, "tokens_per_minute is 0"),
        ({"tokens_per_minute": float("nan")}, "tokens_per_minute is nan"),
        ({"tokens_per_minute": float("inf")}, "tokens_per_minute is inf"),
        ({"requests_per_minute": 5, "rate_limiter": Counting()}, "not both"),
    ],
)
def test_limits_that_are_none(limits: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        CallLimits(**limits)
