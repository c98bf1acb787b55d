"""The event loop that all benchmarks of a process share: coroutine -> its result.

One loop in a thread of its own, for two reasons: the clients of chat models keep connections that
belong to the loop in which they were opened and fail in any other; and a notebook already runs a
loop in its main thread.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import wait
from functools import cache
from threading import Event
from typing import Any, TypeVar

_CANCEL_SECONDS = 10.0
"""Seconds that running calls have to end after an interruption."""

Result = TypeVar("Result")


def run_sync(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine on the shared loop and wait for it; an interruption cancels it first."""
    ended = Event()
    running_loop = shared_loop(os.getpid())
    future = asyncio.run_coroutine_threadsafe(_signal_end(coroutine, ended), running_loop)
    try:
        while not wait({future}, timeout=1).done:  # Windows sees Ctrl-C only between two waits
            pass
        return future.result()
    except BaseException:
        future.cancel()
        ended.wait(_CANCEL_SECONDS)
        raise


async def _signal_end(coroutine: Coroutine[Any, Any, Result], ended: Event) -> Result:
    """Run a coroutine and set an event once it has ended, also by cancellation."""
    try:
        return await coroutine
    finally:
        ended.set()


@cache
def shared_loop(process: int) -> asyncio.AbstractEventLoop:
    """Return the event loop of a process, starting it at the first call.

    Args:
        process: Id of the process: a forked one cannot use its parent's loop.
    """
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="longchain-bench", daemon=True).start()
    return loop
