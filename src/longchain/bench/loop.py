"""The event loop of all benchmarks of a process: `finish(coroutine)` -> its result.

One loop for all, in a thread of its own. The clients of models keep connections that belong to the
loop in which they were made, and fail in the next one; and a notebook runs a loop already.
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

_GRACE = 10.0
"""Seconds that calls may take to end when a run is interrupted."""

Result = TypeVar("Result")


def finish(working: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end; one that is interrupted is cancelled, and has ended then."""
    ended = Event()
    future = asyncio.run_coroutine_threadsafe(_marked(working, ended), loop(os.getpid()))
    try:
        while not wait({future}, timeout=1).done:  # Windows sees Ctrl-C only between two waits
            pass
        return future.result()
    except BaseException:
        future.cancel()
        ended.wait(_GRACE)
        raise


async def _marked(working: Coroutine[Any, Any, Result], ended: Event) -> Result:
    try:
        return await working
    finally:
        ended.set()


@cache
def loop(process: int) -> asyncio.AbstractEventLoop:
    """Return the event loop of a process; a forked one needs its own."""
    made = asyncio.new_event_loop()
    threading.Thread(target=made.run_forever, name="longchain-bench", daemon=True).start()
    return made
