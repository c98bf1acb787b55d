"""Limits on model calls: concurrency (a fair semaphore), requests and tokens per minute.

a call that wants to start -> an `Admission`, in the order of arrival

One queue serves all documents, threads and event loops of a chain. Knows calls, tokens and
seconds; knows nothing of models or documents.
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

_POLL_SECONDS = 0.5
"""Seconds between two looks by a waiting call: tokens may have been given back meanwhile."""


class CallLimits:
    """Limits shared by all calls of a chain, across threads and event loops.

    Args:
        concurrency: Maximum number of calls at once.
        requests_per_minute: Maximum number of calls started in a minute, evenly spread.
        tokens_per_minute: Average number of prompt and reply tokens in a minute.
        rate_limiter: A limiter of requests of the caller's own, in place of
            `requests_per_minute`.

    Raises:
        InputError: A limit that no call could meet, or two limits on requests.
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
        """Clock, in seconds; tests replace it."""
        self.sleep: Callable[[float], None] = time.sleep
        self.asleep: Callable[[float], Coroutine[Any, Any, None]] = asyncio.sleep
        self.check_cancelled: Callable[[], None] = lambda: None
        """Hook that raises `RunCancelled` once no call may start any more."""
        # Reentrant: garbage collection may end a forgotten coroutine at any point, which releases.
        self._lock = RLock()
        self._queue = _FairSemaphore(1, self._lock)
        """Waiting line for the rate limits: one call at a time waits for them."""
        self._slots = _FairSemaphore(concurrency or sys.maxsize, self._lock)
        self._tokens = None if tokens_per_minute is None else _TokenBucket(tokens_per_minute)
        self.counts_tokens = self._tokens is not None
        """Whether a limit on tokens is set, so that a call must be estimated before it starts."""
        self._not_before = -math.inf

    def admit(self, tokens: int = 0) -> Admission:
        """Return the admission of one call, to be entered by `with` or `async with`.

        Args:
            tokens: Estimated tokens of the call, prompt and reply together.
        """
        return Admission(self, tokens)

    def back_off(self, seconds: float) -> None:
        """Start no call for some seconds, as a server with HTTP 429 and Retry-After asks."""
        with self._lock:
            self._not_before = max(self._not_before, self.clock() + seconds)

    def _start(self, tokens: int) -> float:
        """Return the seconds until a call may start; 0.0 starts it and takes its tokens."""
        with self._lock:
            now = self.clock()
            seconds = max(self._not_before - now, 0.0)
            if self._tokens is not None:
                seconds = max(seconds, self._tokens.wait_seconds(now))
                if not seconds:
                    self._tokens.level -= tokens
            return seconds

    def _give_back(self, tokens: int) -> None:
        """Return tokens to the bucket; a negative number takes more."""
        with self._lock:
            if self._tokens is not None:
                self._tokens.level += tokens


class Admission:
    """Admission of one model call: inside of `with` or `async with` it holds a slot."""

    def __init__(self, limits: CallLimits, tokens: int) -> None:
        self.tokens = tokens
        """Tokens charged for the call: first the estimate, then the usage."""
        self._limits = limits
        self._ticket: _Ticket | None = None

    def record(self, tokens: int) -> None:
        """Replace the estimated tokens by those that the call has taken."""
        self._limits._give_back(self.tokens - tokens)
        self.tokens = tokens

    def __enter__(self) -> Admission:
        """Wait for a slot, and until the limits let another call start.

        Raises:
            InputError: The slots are held by this very thread or event loop, which cannot give
                them back as long as it waits here.
        """
        try:
            with closing(self._steps()) as steps:
                for step in steps:
                    self._limits.check_cancelled()
                    if isinstance(step, _Ticket):
                        self._refuse_deadlock(step)
                        with suppress(TimeoutError):
                            step.result(timeout=1)  # Windows sees Ctrl-C only between two waits
                    elif isinstance(step, BaseRateLimiter):
                        step.acquire()
                    else:
                        self._limits.sleep(step)
            self._limits.check_cancelled()
            return self
        except BaseException:
            self._release()
            raise

    async def __aenter__(self) -> Admission:
        """Wait for a slot and for the limits, asynchronously."""
        try:
            with closing(self._steps()) as steps:
                for step in steps:
                    self._limits.check_cancelled()
                    if isinstance(step, _Ticket):
                        await asyncio.wrap_future(step)
                    elif isinstance(step, BaseRateLimiter):
                        await step.aacquire()
                    else:
                        await self._limits.asleep(step)
            self._limits.check_cancelled()
            return self
        except BaseException:
            self._release()
            raise

    def __exit__(self, *_: object) -> None:
        self._release()

    async def __aexit__(self, *_: object) -> None:
        self._release()

    def _steps(self) -> Generator[_Ticket | BaseRateLimiter | float, None, None]:
        """Yield each thing to wait for, in order; closing the generator leaves the queue."""
        limits, turn = self._limits, _Ticket()
        self._ticket = _Ticket()
        try:
            yield from limits._queue.enter(turn)
            yield from limits._slots.enter(self._ticket)
            if limits.rate_limiter is not None:
                yield limits.rate_limiter
            while seconds := limits._start(self.tokens):  # last: no other wait may follow
                yield min(seconds, _POLL_SECONDS)
        finally:
            limits._queue.leave(turn)

    def _release(self) -> None:
        if self._ticket is not None:
            self._limits._slots.leave(self._ticket)

    def _refuse_deadlock(self, ticket: _Ticket) -> None:
        """Raise `InputError` if the wait for a ticket could never end."""
        in_queue = ticket is not self._ticket
        stuck = self._limits._slots.is_stuck(ticket)
        if in_queue and self._limits._queue.is_stuck(ticket):
            stuck = True
        if stuck:
            raise InputError(
                "this call would wait for ever: the calls before it belong to the thread or event "
                "loop that it blocks; use `await ainvoke(...)`, or raise the concurrency"
            )


class _Ticket(Future[None]):
    """A place in the queue of a semaphore; done once it is admitted."""

    def __init__(self) -> None:
        super().__init__()
        try:
            self.owner: asyncio.AbstractEventLoop | int = asyncio.get_running_loop()
        except RuntimeError:
            self.owner = get_ident()

    def is_abandoned(self) -> bool:
        """Return whether its event loop has been closed, so that nobody will ever release it."""
        return isinstance(self.owner, asyncio.AbstractEventLoop) and self.owner.is_closed()


class _FairSemaphore:
    """A semaphore that admits tickets in the order of their arrival."""

    def __init__(self, max_inside: int, lock: RLock) -> None:
        self.max_inside = max_inside
        self._tickets: dict[_Ticket, None] = {}
        """Tickets that have not left, in order of arrival. Nobody overtakes, so the first
        `max_inside` of them are inside, and no separate count can disagree."""
        self._lock = lock

    def enter(self, ticket: _Ticket) -> Generator[_Ticket, None, None]:
        """Join the queue; yield the ticket until it is admitted."""
        with self._lock:
            self._tickets[ticket] = None
        self._admit()
        while not ticket.done():
            yield ticket
            self._admit()

    def leave(self, ticket: _Ticket) -> None:
        """Leave, from inside or from the queue, and admit the next tickets."""
        with self._lock:
            self._tickets.pop(ticket, None)
        self._admit()

    def is_stuck(self, ticket: _Ticket) -> bool:
        """Return whether the ticket waits for its own blocked thread or event loop."""
        with self._lock:
            ahead = takewhile(lambda other: other is not ticket, list(self._tickets))
        return sum(other.owner == ticket.owner for other in ahead) >= self.max_inside

    def _admit(self) -> None:
        """Mark the tickets that are inside as done."""
        with self._lock:
            for ticket in [ticket for ticket in self._tickets if ticket.is_abandoned()]:
                self._tickets.pop(ticket, None)
            inside = list(islice(self._tickets, self.max_inside))
        # Outside of the lock: an admitted ticket stays admitted. Two threads may both mark it, and
        # a task that is being cancelled has cancelled its ticket and will leave.
        for ticket in inside:
            if not ticket.done():
                with suppress(InvalidStateError):
                    ticket.set_result(None)


class _TokenBucket:
    """A bucket of tokens that may go into debt: the next call waits until the debt is paid.

    So no call is too large for the limit, and none waits longer than the earlier debt.
    """

    def __init__(self, per_minute: float) -> None:
        self.rate = per_minute / 60
        """Refill rate in tokens per second."""
        self.level = 0.0
        """Tokens left to spend; a negative number is the debt."""
        self._filled: float | None = None

    def wait_seconds(self, now: float) -> float:
        """Return the seconds until the debt is paid, and refill the bucket.

        An idle bucket saves up one second's worth only, or a chain that was idle would break the
        limit in its first minute; tokens that were taken and not used are given back in full.
        """
        elapsed = 0.0 if self._filled is None else now - self._filled
        self._filled = now
        self.level = max(self.level, min(self.level + elapsed * self.rate, self.rate))
        return -self.level / self.rate if self.level <= -1 else 0.0
