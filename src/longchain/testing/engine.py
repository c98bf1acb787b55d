"""Simulates the model behind the server: its output, its speed, its prefix cache and its faults.

`ChatCall` -> `Job` (prompt, fault, output) -> tokens at a given speed

Knows tokens and time; does not know HTTP.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain

from longchain.testing import tokens
from longchain.testing.behavior import LengthBehavior, WritingRequest
from longchain.testing.faults import Fault, Faults, FaultSampler
from longchain.testing.prefix_cache import PrefixCache, block_keys, chat_tokens
from longchain.testing.wire import ApiError, ChatCall

_CACHE_TOKENS = 4_000_000
_MAX_LOOP_TOKENS = 4_096
_BATCH = 64
"""Tokens emitted at once if no speed is set, before other requests continue."""
_MIN_PAUSE = 0.005
"""Minimum pause between two batches of tokens, in seconds."""
_REFUSAL = "I'm sorry, but I can't help with that."


@dataclass
class Stats:
    """Counters of a simulated server since its start."""

    requests: int = 0
    """Requests for chat completions, failed ones included."""

    prompt_tokens: int = 0
    """Prompt tokens of all requests that reached a slot."""

    cached_tokens: int = 0
    """Prompt tokens that were read from the prefix cache."""

    output_tokens: int = 0
    """Generated tokens of completed requests."""

    active: int = 0
    """Requests in a slot at this moment."""

    peak: int = 0
    """Maximum number of requests in a slot at the same time."""

    abandoned: int = 0
    """Requests whose client disconnected before the answer was complete."""

    faults: dict[str, int] = field(default_factory=dict)
    """Number of occurrences of each fault."""


@dataclass
class Job:
    """An accepted request while it is processed."""

    call: ChatCall
    fault: Fault
    prompt: list[str]
    """Tokens of the rendered chat."""
    output: tokens.ModelOutput = tokens.EMPTY
    cached: int | None = None
    """Prompt tokens read from the prefix cache; None: the server has no cache."""
    keys: list[int] = field(default_factory=list)
    """Keys of the prompt's blocks in the prefix cache."""


class Engine:
    """A simulated model with a context window, a number of slots and a speed."""

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
        """Create an engine; `SimulatedServer` documents the arguments."""
        self.stats = Stats()
        self.window = window
        self._behavior = behavior
        self._faults = faults
        self._fault_sampler = FaultSampler(faults)
        self._rate = tokens_per_second
        self._prefill_rate = prefill_tokens_per_second
        self._latency = latency
        self._slots = asyncio.Semaphore(slots or 1_000_000)
        self._cache = PrefixCache(_CACHE_TOKENS) if prefix_cache else None
        self._json_schema = json_schema

    def accept(self, call: ChatCall) -> Job:
        """Return the job of a request.

        Raises:
            ApiError: The request is refused, because of its fault or because it is too long.
        """
        fault = self._fault_sampler.sample(chain.from_iterable(call.turns))
        if (
            fault == "half_plan"
            and call.schema is None
            and not WritingRequest.read(call.messages).plan
        ):
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

    def _check_window(self, prompt: int, max_tokens: int | None) -> None:
        """Refuse a request whose prompt and reply exceed the window, with vLLM's message."""
        if prompt + (max_tokens or 1) > self.window:
            raise ApiError(
                400,
                f"This model's maximum context length is {self.window} tokens. However, the"
                f" messages take {prompt} tokens and {max_tokens or 'some'} are asked for in reply."
                " Shorten the messages or ask for less.",
            )

    async def run(self, job: Job, emit: Callable[[list[str]], None] | None = None) -> None:
        """Generate the output of a job, at the simulated speed.

        Args:
            job: The job, which receives its output and the number of cached prompt tokens.
            emit: Function to call with every batch of tokens when it is ready; None: the output
                is read at the end.
        """
        await asyncio.sleep(self._latency)
        async with self._slots:
            with self._count_active():
                await self._prefill(job)
                job.output = self._generate(job)
                await self._decode(job.output.pieces, emit)
                self.stats.output_tokens += len(job.output.pieces)
                if self._cache:
                    # The keys and values of the last token are computed only with the next one.
                    computed = job.prompt + job.output.pieces[:-1]
                    self._cache.store(block_keys(computed, job.keys))

    @contextmanager
    def _count_active(self) -> Iterator[None]:
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

    def _generate(self, job: Job) -> tokens.ModelOutput:
        """Return the model's output, changed by the fault of the job."""
        call, room = job.call, self.window - len(job.prompt)
        max_tokens = min(room, call.max_tokens or room)
        if job.fault == "empty":
            return tokens.EMPTY
        if job.fault == "refusal":
            return tokens.truncate(_REFUSAL, max_tokens, call.stop)
        text = self._behavior.reply(call.messages, call.schema)
        if job.fault == "loop":
            return _repeat_first_sentence(text, min(max_tokens, _MAX_LOOP_TOKENS))
        if job.fault == "half_plan":
            text = text[: len(text) // 2]
        output = tokens.truncate(text, max_tokens, call.stop)
        if job.fault in ("cut", "drop"):
            half = (len(output.pieces) + 1) // 2
            return tokens.ModelOutput(output.pieces[:half], "length")
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
        started, emitted = clock(), 0
        while emitted < len(pieces):
            await asyncio.sleep(max(started + (emitted + 1) / self._rate - clock(), _MIN_PAUSE))
            # By the clock, not by the number of pauses, so that late wake-ups do not add up.
            due = max(emitted + 1, int((clock() - started) * self._rate))
            emit(pieces[emitted:due])
            emitted = due


def _repeat_first_sentence(text: str, max_tokens: int) -> tokens.ModelOutput:
    """Return the first sentence of a text again and again, up to a number of tokens."""
    end = re.search(r"[.。\n]", text)
    sentence = text[: end.end()] if end else text
    pieces = tokens.split(sentence.strip() + " ")
    repeated = pieces * (max_tokens // len(pieces) + 1)
    return tokens.ModelOutput(repeated[:max_tokens], "length")


def _rate_limited(retry_after: float) -> ApiError:
    return ApiError(
        429,
        f"Too many requests; try again in {retry_after:g} seconds.",
        "requests",
        "rate_limit_exceeded",
        {"retry-after": f"{retry_after:g}"},
    )
