"""One way to call a model: limits, retry, budget, monitor and trace around every request.

`ModelCall` + `CallPolicy` -> the answer of its Runnable; `ask` in a thread, `aask` in an event loop

The nodes of the graph, the writers of `longchain.bench` and its judge call models through here.
Knows calls; does not know what they are for.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.config import merge_configs

from longchain.calls import monitor, retry, tracing
from longchain.calls.budget import Budget, Spending
from longchain.calls.limits import CallLimits
from longchain.calls.monitor import (
    CallMonitor,
    RepetitionStopped,
    RunCancelled,
    StreamingMonitor,
)
from longchain.calls.reply import Reply
from longchain.calls.retry import Retry
from longchain.document import Usage
from longchain.models.tokens import estimate

logger = logging.getLogger(__name__)

_POLL_SECONDS = 0.5
"""Seconds between two looks, during a pause, at whether the run has been cancelled."""

_CANCELLATIONS = (RunCancelled, KeyboardInterrupt, asyncio.CancelledError)
"""What ends a run from outside, in the middle of its calls."""


@dataclass(frozen=True)
class CallPolicy:
    """How models are called; the calls that share a policy share its limits."""

    retries: Retry = field(default_factory=Retry)
    limits: CallLimits = field(default_factory=CallLimits)
    budget: Budget | None = None
    timeout: float | None = None
    """Seconds without a sign of life after which a call has failed; None waits for ever."""

    streaming: bool = False
    """Whether replies are streamed also where the caller does not ask for it."""

    stop: threading.Event = field(default_factory=threading.Event)
    """Set to give up all calls at once and to start no other one."""

    cancelled: list[Usage] = field(default_factory=list)
    """Usage of calls that were cut off by a stop: no event of the log has it."""

    def __post_init__(self) -> None:
        self.limits.sleep = self.sleep
        self.limits.check_cancelled = self.check_cancelled

    def check_cancelled(self) -> None:
        """Raise `RunCancelled` if the run is to end."""
        if self.stop.is_set():
            raise RunCancelled

    def sleep(self, seconds: float) -> None:
        """Wait in a thread, unless the run is to end."""
        if self.stop.wait(seconds):
            raise RunCancelled

    async def asleep(self, seconds: float) -> None:
        """Wait in an event loop, unless the run is to end."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.check_cancelled()
            await asyncio.sleep(min(left, _POLL_SECONDS))
        self.check_cancelled()

    @property
    def counts_tokens(self) -> bool:
        """Whether the tokens of a call must be estimated before it starts."""
        if self.limits.counts_tokens:
            return True
        return self.budget is not None and self.budget.counts_tokens


@dataclass
class ModelCall:
    """One request for an answer, with all the attempts that it takes.

    `retried` and `usage` are filled while it is asked.
    """

    name: str
    """Its name in traces, such as `write`."""

    runnable: Runnable[Any, Any]
    input: Any
    spending: Spending
    """The account of the document that the call is for."""

    config: RunnableConfig | None = None
    reply_tokens: int | None = None
    """Tokens expected of the reply; None if no model is asked (a retriever)."""

    stops_repetition: bool = False
    """Whether the reply is prose that may loop: a streamed loop is cut off."""

    expected_errors: tuple[type[Exception], ...] = ()
    """Errors that the caller wants as the answer: returned, neither raised nor retried."""

    server_answered: bool = False
    """Whether the server has answered this document before: see `Retry.pause`."""

    label: str = ""
    """What it is for, as log lines name it: `section 3`."""

    context: Mapping[str, Any] = field(default_factory=dict)
    """The run and the section that it belongs to, for log records and spans."""

    retried: list[str] = field(default_factory=list)
    """Errors that were waited out, such as `rate limit`."""

    usage: Usage = field(default_factory=Usage)
    """Usage of all attempts together."""

    def expected_usage(self, *, with_tokens: bool) -> Usage:
        """Return what one attempt is expected to take; tokens only if they are needed."""
        if self.reply_tokens is None:
            return Usage()
        if not with_tokens:
            return Usage(calls=1)
        prompt = sum(map(estimate, _texts(self.input)))
        return Usage(calls=1, input_tokens=prompt, output_tokens=self.reply_tokens)


@dataclass
class _Attempt:
    """One attempt of a `ModelCall`."""

    tokens: int
    """Tokens that it is expected to take."""

    config: RunnableConfig
    monitor: CallMonitor
    answer: Any = None
    pause: float | None = None
    """Seconds until the next attempt; None if there is an answer."""


def ask(call: ModelCall, policy: CallPolicy) -> Any:
    """Return the answer of the call's Runnable; retry, wait and account as the policy says.

    Returns:
        The Runnable's output; one of `expected_errors`; or a `Reply` that ends in a loop.

    Raises:
        BudgetError: The next attempt would pass a limit of the budget.
        ModelTimeoutError: No sign of life in time, also when retried.
        RunCancelled: The policy's `stop` is set.
        Exception: Whatever the Runnable raised last.
    """
    with _record_if_cancelled(call, policy):
        while True:
            with (
                _attempt(call, policy) as attempt,
                policy.limits.admit(attempt.tokens) as admission,
            ):
                try:
                    attempt.answer = monitor.run(
                        call.runnable,
                        call.input,
                        attempt.config,
                        attempt.monitor,
                        policy.timeout,
                        policy.stop,
                    )
                finally:
                    admission.record(_token_sum(attempt.monitor.usage))
            if attempt.pause is None:
                return attempt.answer
            policy.sleep(attempt.pause)


async def aask(call: ModelCall, policy: CallPolicy) -> Any:
    """Return the answer of the call's Runnable, asynchronously: see `ask`."""
    with _record_if_cancelled(call, policy):
        while True:
            with _attempt(call, policy) as attempt:
                async with policy.limits.admit(attempt.tokens) as admission:
                    try:
                        attempt.answer = await monitor.arun(
                            call.runnable,
                            call.input,
                            attempt.config,
                            attempt.monitor,
                            policy.timeout,
                            policy.stop,
                        )
                    finally:
                        admission.record(_token_sum(attempt.monitor.usage))
            if attempt.pause is None:
                return attempt.answer
            await policy.asleep(attempt.pause)


@contextmanager
def _record_if_cancelled(call: ModelCall, policy: CallPolicy) -> Iterator[None]:
    """Record the usage of a call that is cut off: no event of the log will have it."""
    try:
        yield
    except _CANCELLATIONS:
        policy.cancelled.append(call.usage)
        raise


@contextmanager
def _attempt(call: ModelCall, policy: CallPolicy) -> Iterator[_Attempt]:
    """Account for one attempt: reserve its budget, watch it, record its usage, judge its error."""
    expected = call.expected_usage(with_tokens=policy.counts_tokens)
    asks_model = call.reply_tokens is not None
    if asks_model:
        call.spending.reserve(policy.budget, expected)
    monitor_class = StreamingMonitor if policy.streaming else CallMonitor
    watcher = monitor_class(stops_repetition=call.stops_repetition)
    config = merge_configs(call.config, {"callbacks": [watcher]})
    attempt = _Attempt(_token_sum(expected), config, watcher)
    try:
        with tracing.span(call.name, call.context, watcher):
            yield attempt
    except RepetitionStopped as stopped:
        attempt.answer = Reply(stopped.text, "loop")
    except Exception as error:
        if isinstance(error, call.expected_errors):
            attempt.answer = error
        else:
            attempt.pause = _pause_after(call, policy, error)
    finally:
        call.usage = call.usage + watcher.usage
        if asks_model:
            call.spending.record(expected, watcher.usage)


def _pause_after(call: ModelCall, policy: CallPolicy, error: Exception) -> float:
    """Return the seconds to wait before the next attempt, or raise the error."""
    answered = call.server_answered or bool(call.retried)
    pause = policy.retries.pause(error, len(call.retried) + 1, server_answered=answered)
    if pause is None:
        raise error
    call.retried.append(retry.describe(error))
    if retry.retry_after(error) is not None:
        # The server means all calls that share its limit, not just the one it has refused.
        policy.limits.back_off(pause)
    context = {"section": None, **call.context}  # a log format may name it for all records
    logger.info("%s: %s, again in %.0f s", call.label, call.retried[-1], pause, extra=context)
    return pause


def _token_sum(usage: Usage) -> int:
    return usage.input_tokens + usage.output_tokens


def _texts(input: Any) -> Iterator[str]:
    """Yield all text of a prompt's variables, or of messages."""
    if isinstance(input, str):
        yield input
    elif isinstance(input, BaseMessage):
        yield input.text
    elif isinstance(input, Mapping):
        for value in input.values():
            yield from _texts(value)
    elif isinstance(input, Iterable):
        for value in input:
            yield from _texts(value)
