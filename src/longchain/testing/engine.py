"""The simulated model behind the server: what it writes, how fast, and what goes wrong.

`ChatCall` -> `Job` (prompt, fault, output) -> its tokens, paced, through a slot and a prefix cache

Knows tokens and time; knows nothing of HTTP.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain

from longchain.testing import tokens
from longchain.testing.behavior import LengthBehavior, Request
from longchain.testing.faults import Draw, Fault, Faults
from longchain.testing.prefix_cache import PrefixCache, block_keys, chat_tokens
from longchain.testing.wire import ApiError, ChatCall

_CACHE_TOKENS = 4_000_000
_LONGEST_LOOP = 4_096
_BATCH = 64
"""Tokens given out at once where no speed is set, before other requests get their turn."""
_TICK = 0.005
"""The shortest pause between two batches of tokens, in seconds."""
_REFUSAL = "I'm sorry, but I can't help with that."


@dataclass
class Stats:
    """What a simulated server has done so far."""

    requests: int = 0
    """Chat completions asked for, failed ones included."""

    prompt_tokens: int = 0
    """Of requests that got as far as a slot."""

    cached_tokens: int = 0
    """Of these prompt tokens, those taken from the prefix cache."""

    output_tokens: int = 0

    active: int = 0
    """Requests in a slot at this moment."""

    peak: int = 0
    """The most requests in a slot at the same time."""

    abandoned: int = 0
    """Requests whose client went away before the answer was complete."""

    faults: dict[str, int] = field(default_factory=dict)
    """How often each fault happened."""


@dataclass
class Job:
    """One accepted request on its way."""

    call: ChatCall
    fault: Fault
    prompt: list[str]
    """The tokens of the rendered chat."""
    output: tokens.Output = tokens.NOTHING
    cached: int | None = None
    """Prompt tokens taken from the prefix cache; None: there is none."""
    keys: list[int] = field(default_factory=list)
    """Of the prompt's blocks in that cache."""


class Engine:
    """A model with a window, a number of slots and a speed."""

    def __init__(
        self,
        behavior: LengthBehavior,
        faults: Faults,
        *,
        window: int,
        tokens_per_second: float | None,
        prefill_tokens_per_second: float | None,
        latency: float,
        slots: int | None,
        prefix_cache: bool,
        json_schema: bool,
    ) -> None:
        """Take what `SimulatedServer` is given."""
        self.stats = Stats()
        self.window = window
        self._behavior = behavior
        self._faults = faults
        self._draw = Draw(faults)
        self._rate = tokens_per_second
        self._prefill_rate = prefill_tokens_per_second
        self._latency = latency
        self._slots = asyncio.Semaphore(slots or 1_000_000)
        self._cache = PrefixCache(_CACHE_TOKENS) if prefix_cache else None
        self._json_schema = json_schema

    def accept(self, call: ChatCall) -> Job:
        """Return the job for a request.

        Raises:
            ApiError: The request is refused, by its fault or because it does not fit.
        """
        fault = self._draw.next(chain.from_iterable(call.turns))
        if fault == "half_plan" and call.schema is None and not Request.read(call.messages).plan:
            fault = "ok"
        if fault != "ok":
            self.stats.faults[fault] = self.stats.faults.get(fault, 0) + 1
        if fault == "rate_limit":
            raise _rate_limited(self._faults.retry_after)
        if fault == "error":
            raise ApiError(500, "The engine failed; this is simulated.", "InternalServerError")
        if call.schema is not None and not self._json_schema:
            raise ApiError(400, "This server does not support response_format json_schema.")
        job = Job(call, fault, chat_tokens(call.turns))
        self._check_window(len(job.prompt), call.max_tokens)
        return job

    def _check_window(self, prompt: int, most: int | None) -> None:
        if prompt + (most or 1) > self.window:
            raise ApiError(
                400,
                f"This model's maximum context length is {self.window} tokens. However, the"
                f" messages take {prompt} tokens and {most or 'some'} are asked for in reply."
                " Shorten the messages or ask for less.",
            )

    async def run(self, job: Job, emit: Callable[[list[str]], None] | None = None) -> None:
        """Produce the output of `job` in the time that it takes.

        Args:
            job: Afterwards it holds the output and how much of the prompt was cached.
            emit: Called with every batch of tokens when it is ready; None: nobody listens until
                the end.
        """
        await asyncio.sleep(self._latency)
        async with self._slots:
            with self._counted():
                await self._prefill(job)
                job.output = self._write(job)
                await self._decode(job.output.pieces, emit)
                self.stats.output_tokens += len(job.output.pieces)
                if self._cache:
                    # Keys and values of the last token are computed only with the next one.
                    computed = job.prompt + job.output.pieces[:-1]
                    self._cache.store(block_keys(computed, job.keys))

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self.stats.active += 1
        self.stats.peak = max(self.stats.peak, self.stats.active)
        try:
            yield
        finally:
            self.stats.active -= 1

    async def _prefill(self, job: Job) -> None:
        if self._cache:
            job.keys = block_keys(job.prompt)
            job.cached = self._cache.match(job.keys, len(job.prompt))
        cached = job.cached or 0
        self.stats.prompt_tokens += len(job.prompt)
        self.stats.cached_tokens += cached
        if self._prefill_rate:
            await asyncio.sleep((len(job.prompt) - cached) / self._prefill_rate)
        if self._cache:
            self._cache.store(job.keys)

    def _write(self, job: Job) -> tokens.Output:
        """Return what the model says, with the job's fault."""
        call, room = job.call, self.window - len(job.prompt)
        most = min(room, call.max_tokens or room)
        if job.fault == "empty":
            return tokens.NOTHING
        if job.fault == "refusal":
            return tokens.limit(_REFUSAL, most, call.stop)
        text = self._behavior.reply(call.messages, call.schema)
        if job.fault == "loop":
            return _loop(text, min(most, _LONGEST_LOOP))
        if job.fault == "half_plan":
            text = text[: len(text) // 2]
        output = tokens.limit(text, most, call.stop)
        if job.fault in ("cut", "drop"):
            return tokens.Output(output.pieces[: (len(output.pieces) + 1) // 2], "length")
        return output

    async def _decode(self, pieces: list[str], emit: Callable[[list[str]], None] | None) -> None:
        if emit is None:
            await asyncio.sleep(len(pieces) / self._rate if self._rate else 0)
            return
        if not self._rate:
            for start in range(0, len(pieces), _BATCH):
                emit(pieces[start : start + _BATCH])
                await asyncio.sleep(0)
            return
        clock = asyncio.get_running_loop().time
        begun, given = clock(), 0
        while given < len(pieces):
            await asyncio.sleep(max(begun + (given + 1) / self._rate - clock(), _TICK))
            # By the clock, not by the number of pauses: late wake-ups do not add up.
            due = max(given + 1, int((clock() - begun) * self._rate))
            emit(pieces[given:due])
            given = due


def _loop(text: str, most: int) -> tokens.Output:
    """Return the first sentence of `text` over and over."""
    end = re.search(r"[.。\n]", text)
    sentence = tokens.split((text[: end.end()] if end else text).strip() + " ")
    pieces = sentence * (most // len(sentence) + 1)
    return tokens.Output(pieces[:most], "length")


def _rate_limited(retry_after: float) -> ApiError:
    return ApiError(
        429,
        f"Too many requests; try again in {retry_after:g} seconds.",
        "requests",
        "rate_limit_exceeded",
        {"retry-after": f"{retry_after:g}"},
    )
