"""The model calls of a chain -> when each may start: so many at once, and so many a minute.

One line for all documents, threads and event loops of the chain: who comes first starts first.
Knows calls, tokens and seconds; knows nothing of models or documents.
"""

from __future__ import annotations

import asyncio
import math
import sys
import time
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Future, InvalidStateError
from contextlib import closing, suppress
from itertools import islice, takewhile
from threading import RLock, get_ident
from typing import Any

from langchain_core.rate_limiters import BaseRateLimiter, InMemoryRateLimiter

from longchain.errors import InputError

_LOOK = 0.5
"""Seconds after which a call that waits for a time looks again: tokens may have come back."""


class Traffic:
    """The limits that all calls of one chain share, whatever thread or event loop they come from.

    Args:
        concurrency: Calls that run at once, at most.
        requests_per_minute: Calls that start in a minute, at most, evenly spread.
        tokens_per_minute: Tokens of prompts and replies in a minute, on average.
        rate_limiter: Decides on requests instead of `requests_per_minute`.

    Raises:
        InputError: A limit that nothing could pass, or two limits on requests.
    """

    def __init__(
        self,
        concurrency: int | None = None,
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
        *,
        rate_limiter: BaseRateLimiter | None = None,
    ) -> None:
        if concurrency is not None and concurrency < 1:
            raise InputError(f"concurrency is {concurrency!r}: at least 1 call must run at once")
        for name, limit in (
            ("requests_per_minute", requests_per_minute),
            ("tokens_per_minute", tokens_per_minute),
        ):
            if limit is not None and not 0 < limit < math.inf:
                raise InputError(f"{name} is {limit!r}: give a number above 0, or None")
        if requests_per_minute is not None:
            if rate_limiter is not None:
                raise InputError("give requests_per_minute or rate_limiter, not both")
            second = requests_per_minute / 60
            rate_limiter = InMemoryRateLimiter(
                requests_per_second=second, max_bucket_size=max(1.0, second)
            )
            rate_limiter.available_tokens = 1.0  # or at 1 a minute the first call waits a minute
        self.rate_limiter = rate_limiter
        self.clock: Callable[[], float] = time.monotonic
        """What time it is, in seconds."""
        self.sleep: Callable[[float], None] = time.sleep
        self.asleep: Callable[[float], Coroutine[Any, Any, None]] = asyncio.sleep
        self.heed: Callable[[], None] = lambda: None
        """Raises where no call is to start any more."""
        # Reentrant, as garbage collection may end forgotten coroutines anywhere, and they leave.
        self._lock = RLock()
        self._door = _Gate(1, self._lock)
        """Behind it stands the call that starts next."""
        self._slots = _Gate(concurrency or sys.maxsize, self._lock)
        self._tokens = None if tokens_per_minute is None else _Bucket(tokens_per_minute)
        self._until = -math.inf

    @property
    def weighs(self) -> bool:
        """Whether the tokens of a call matter here."""
        return self._tokens is not None

    def call(self, tokens: int = 0) -> Call:
        """Return a call, to be made inside of `with` or `async with`.

        Args:
            tokens: How many it may take, prompt and reply together.
        """
        return Call(self, tokens)

    def hold(self, seconds: float) -> None:
        """Let no call start for so many seconds, as a server asks that answers 429."""
        with self._lock:
            self._until = max(self._until, self.clock() + seconds)

    def _start(self, tokens: int) -> float:
        """Return the seconds until a call may start; 0.0: it starts now, and has its tokens."""
        with self._lock:
            now = self.clock()
            seconds = max(self._until - now, 0.0)
            if self._tokens is not None:
                seconds = max(seconds, self._tokens.wait(now))
                if not seconds:
                    self._tokens.level -= tokens
            return seconds

    def _correct(self, tokens: int) -> None:
        with self._lock:
            if self._tokens is not None:
                self._tokens.level += tokens


class Call:
    """One model call: inside of `with` or `async with` it holds one of the slots."""

    def __init__(self, traffic: Traffic, tokens: int) -> None:
        self.tokens = tokens
        """Tokens that it counts for: first what it may take, then what it took."""
        self._traffic = traffic
        self._place: _Place | None = None

    def used(self, tokens: int) -> None:
        """Say how many tokens it took; without that it counts for what it might have taken."""
        self._traffic._correct(self.tokens - tokens)
        self.tokens = tokens

    def __enter__(self) -> Call:
        """Wait for a slot, and until the limits let another call start.

        Raises:
            InputError: The slots are held by this very thread or event loop, which cannot give
                them back as long as it waits here.
        """
        try:
            with closing(self._waits()) as waits:
                for wait in waits:
                    self._traffic.heed()
                    if isinstance(wait, _Place):
                        self._refuse_deadlock(wait)
                        with suppress(TimeoutError):
                            wait.result(timeout=1)  # Windows sees Ctrl-C only between two waits
                    elif isinstance(wait, BaseRateLimiter):
                        wait.acquire()
                    else:
                        self._traffic.sleep(wait)
            self._traffic.heed()
            return self
        except BaseException:
            self._leave()
            raise

    async def __aenter__(self) -> Call:
        """Do the same asynchronously."""
        try:
            with closing(self._waits()) as waits:
                for wait in waits:
                    self._traffic.heed()
                    if isinstance(wait, _Place):
                        await asyncio.wrap_future(wait)
                    elif isinstance(wait, BaseRateLimiter):
                        await wait.aacquire()
                    else:
                        await self._traffic.asleep(wait)
            self._traffic.heed()
            return self
        except BaseException:
            self._leave()
            raise

    def __exit__(self, *_: object) -> None:
        self._leave()

    async def __aexit__(self, *_: object) -> None:
        self._leave()

    def _waits(self) -> Generator[_Place | BaseRateLimiter | float, None, None]:
        """Yield what has to be waited for, one after the other; closing it leaves the line."""
        traffic, door = self._traffic, _Place()
        self._place = _Place()
        try:
            yield from traffic._door.enter(door)
            yield from traffic._slots.enter(self._place)
            if traffic.rate_limiter is not None:
                yield traffic.rate_limiter
            while seconds := traffic._start(self.tokens):  # last: nothing may come between
                yield min(seconds, _LOOK)
        finally:
            traffic._door.leave(door)

    def _leave(self) -> None:
        if self._place is not None:
            self._traffic._slots.leave(self._place)

    def _refuse_deadlock(self, place: _Place) -> None:
        door, slots = self._traffic._door, self._traffic._slots
        if slots.stuck(place) or (place is not self._place and door.stuck(place)):
            raise InputError(
                "this call would wait for ever: the calls before it belong to the thread or event "
                "loop that it blocks; use `await ainvoke(...)`, or raise the concurrency"
            )


class _Place(Future[None]):
    """A place in the line of a gate; it is done once it is inside."""

    def __init__(self) -> None:
        super().__init__()
        try:
            self.owner: asyncio.AbstractEventLoop | int = asyncio.get_running_loop()
        except RuntimeError:
            self.owner = get_ident()

    def abandoned(self) -> bool:
        """Say whether its event loop was closed under it."""
        return isinstance(self.owner, asyncio.AbstractEventLoop) and self.owner.is_closed()


class _Gate:
    """Lets in so many at once, in the order in which they came."""

    def __init__(self, most: int, lock: RLock) -> None:
        self.most = most
        self._places: dict[_Place, None] = {}
        """All who came and have not left, in order. As nobody overtakes, the first `most` of them
        are inside: there is no count that could disagree with them."""
        self._lock = lock

    def enter(self, place: _Place) -> Generator[_Place, None, None]:
        """Join the line; yield the place for as long as it has to be waited for."""
        with self._lock:
            self._places[place] = None
        self._admit()
        while not place.done():
            yield place
            self._admit()

    def leave(self, place: _Place) -> None:
        """Leave from inside or from the line, and let in who comes next."""
        with self._lock:
            self._places.pop(place, None)
        self._admit()

    def stuck(self, place: _Place) -> bool:
        """Say whether a blocked owner of this place keeps it from ever coming in."""
        with self._lock:
            ahead = takewhile(lambda other: other is not place, list(self._places))
        return sum(other.owner == place.owner for other in ahead) >= self.most

    def _admit(self) -> None:
        with self._lock:
            for place in [place for place in self._places if place.abandoned()]:
                self._places.pop(place, None)
            inside = list(islice(self._places, self.most))
        # No lock is held here: whoever may go in stays so. Two threads may both say it, and a task
        # that is just being cancelled has cancelled its place; it will leave.
        for place in inside:
            if not place.done():
                with suppress(InvalidStateError):
                    place.set_result(None)


class _Bucket:
    """So many tokens a minute; a call takes what it needs, and the next one waits out the debt.

    So no call is too large, and none has to wait for more than the debt of those before it.
    """

    def __init__(self, per_minute: float) -> None:
        self.rate = per_minute / 60
        """Tokens a second."""
        self.level = 0.0
        """Tokens to spend; below 0, the debt."""
        self._filled: float | None = None

    def wait(self, now: float) -> float:
        """Return the seconds until the debt is paid.

        Of what time brings only a second's worth is saved up, or a chain that was idle would break
        the limit of its first minute; tokens that were taken and not used come back whole.
        """
        elapsed = 0.0 if self._filled is None else now - self._filled
        self._filled = now
        self.level = max(self.level, min(self.level + elapsed * self.rate, self.rate))
        return -self.level / self.rate if self.level <= -1 else 0.0
