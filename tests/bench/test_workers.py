"""The pool of workers: each job once, and what an error leaves of the others."""

from __future__ import annotations

import asyncio

import pytest

from longchain.bench.workers import StopJobs, run_jobs


async def test_each_job_is_handled_once_and_in_order() -> None:
    begun: list[int] = []
    running: set[int] = set()
    peak = 0

    async def handle(job: int) -> None:
        nonlocal peak
        begun.append(job)
        running.add(job)
        peak = max(peak, len(running))
        await asyncio.sleep(0.001 * (job % 3))
        running.remove(job)

    await run_jobs(range(20), handle, 4)
    assert begun == list(range(20))
    assert peak == 4
    await run_jobs([], handle, 4)


async def test_a_stop_lets_running_jobs_finish() -> None:
    finished: list[int] = []

    async def handle(job: int) -> None:
        await asyncio.sleep(0.01 * job)
        if job in (1, 2):
            raise StopJobs(KeyError(job))
        finished.append(job)

    with pytest.raises(KeyError, match="1"):
        await run_jobs(range(9), handle, 4)
    # 0 gave way to 4, which runs when 1 stops the work; 2 stops it once more.
    assert finished == [0, 3, 4]


async def test_any_other_error_cancels_the_running_jobs() -> None:
    finished: list[int] = []

    async def handle(job: int) -> None:
        await asyncio.sleep(0.01 * job)
        if job == 1:
            raise ZeroDivisionError
        finished.append(job)

    with pytest.raises(ZeroDivisionError):
        await run_jobs(range(9), handle, 4)
    assert finished == [0]
