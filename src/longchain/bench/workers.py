"""A pool of workers: jobs -> each handled once, several at a time.

Knows concurrency and when to stop; knows nothing of models, samples or files.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

Job = TypeVar("Job")


class StopJobs(Exception):  # noqa: N818  (a signal to the pool, which raises `error` itself)
    """Raised by a job: no further job starts, those that run are finished, then `error` is raised.

    Args:
        error: The error that ends the work.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


async def run_jobs(
    jobs: Sequence[Job], handle: Callable[[Job], Awaitable[None]], concurrency: int
) -> None:
    """Handle all jobs in their order, several at a time.

    Args:
        jobs: Whatever `handle` takes.
        handle: Does one job. `StopJobs` lets the running jobs finish, which are paid for; any
            other error cancels them at once.
        concurrency: Number of jobs at a time.

    Raises:
        Exception: The first error of a job.
    """
    waiting = iter(jobs)
    errors: list[Exception] = []

    async def work() -> None:
        for job in waiting:
            try:
                await handle(job)
            except StopJobs as stop:
                errors.append(stop.error)
            if errors:
                return

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(concurrency, len(jobs))):
                group.create_task(work())
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    if errors:
        raise errors[0]
