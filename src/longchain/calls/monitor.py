"""Monitors one model call: its silence, its repetition, its cancellation and its usage.

Runnable + input -> answer; or `ModelTimeoutError`, `RepetitionStopped`, `RunCancelled`

Knows callbacks, clocks and tokens; knows nothing of documents.
"""

from __future__ import annotations

import asyncio
import contextvars
import math
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, wait
from functools import partial
from threading import Lock
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.exceptions import ModelTimeoutError
from langchain_core.messages import AIMessage
from langchain_core.outputs import LLMResult
from langchain_core.runnables import Runnable, RunnableConfig

from longchain.document import Usage
from longchain.models.tokens import estimate
from longchain.prose.loops import LoopGuard

_POLL_SECONDS = 0.2
"""Seconds between two looks at whether the run has been cancelled."""

_POLL_SECONDS_ASYNC = 0.5
"""The same in an event loop, where one thread may hold thousands of calls."""

_CANCEL_SECONDS = 5.0
"""Seconds that a cancelled call may take to clean up before it is left behind."""


class RepetitionStopped(BaseException):
    """A streamed reply was cut off because it repeats itself; `text` holds it until then.

    A `BaseException`: fallbacks and error handlers must not take it for a failure.
    """

    def __init__(self, text: str) -> None:
        super().__init__("the reply repeated itself and was stopped")
        self.text = text


class RunCancelled(BaseException):
    """The run was cancelled: no answer is wanted any more."""


class CallMonitor(BaseCallbackHandler):
    """Callback handler of one attempt: adds up usage, notices silence and repetition.

    Args:
        stops_repetition: Whether a streamed reply that repeats itself is cut off.
    """

    run_inline = True

    def __init__(self, *, stops_repetition: bool = False) -> None:
        self.usage = Usage()
        self.stops_repetition = stops_repetition
        self.last_activity = time.monotonic()
        """Time of the last sign of life, by `time.monotonic`."""
        self.abandoned = False
        """Whether the call was given up: it ends with its next piece."""
        self.repetition: str | None = None
        """Text of the reply up to the repetition that stopped it; None if there was none."""
        self.interrupt: Callable[[], object] | None = None
        """Function that cancels an asynchronous call; None in a thread."""
        self._lock = Lock()
        self._in_flight = False
        self._begin(())

    def _begin(self, prompt: Any) -> None:
        self.last_activity = time.monotonic()
        self._prompt = prompt
        self._text: list[str] = []
        self._tokens = 0
        self._guard: LoopGuard | None = None

    def on_chat_model_start(self, serialized: Any, messages: Any, **kwargs: Any) -> None:
        """Start the account of a reply; refuse to start one for a call that was given up.

        A call may be given up before its request is made, or before it tries a fallback.
        """
        if self.abandoned:
            raise RepetitionStopped("")
        self._begin(messages)
        self._in_flight = True

    def on_llm_new_token(self, token: Any, *, chunk: Any = None, **kwargs: Any) -> None:
        """Record a piece of the reply, and stop it if it repeats itself."""
        message = getattr(chunk, "message", None)
        self._on_piece(token if message is None else message.text)

    def on_stream_event(self, event: Any, **kwargs: Any) -> None:
        """Record a stream event, which may carry a piece of the reply."""
        delta = event.get("delta") if isinstance(event, dict) else None
        if isinstance(delta, dict) and delta.get("type") == "text-delta":
            self._on_piece(delta.get("text"))
        else:
            self.last_activity = time.monotonic()

    def _on_piece(self, piece: Any) -> None:
        self.last_activity = time.monotonic()
        self._tokens += 1
        if self.abandoned:
            raise RepetitionStopped("")
        if not self.stops_repetition or not isinstance(piece, str) or not piece:
            return
        self._text.append(piece)
        if self._guard is None:
            self._guard = LoopGuard()
        if self._guard.feed(piece):
            self.repetition = "".join(self._text)
            if self.interrupt is None:
                raise RepetitionStopped(self.repetition)
            self.interrupt()
            # At once: `asyncio.wait_for` of Python 3.11, in which ChatOpenAI waits for the next
            # piece, loses a cancellation that comes together with it.
            raise asyncio.CancelledError

    def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:
        """Add the usage of a finished call; estimate it if the server reports none."""
        message = getattr(response.generations[0][0], "message", None)
        used = message.usage_metadata if isinstance(message, AIMessage) else None
        if not used:
            text = message.text if isinstance(message, AIMessage) else ""
            self._count(max(self._tokens, estimate(text) if text else 0), prompt=True)
            return
        cached = (used.get("input_token_details") or {}).get("cache_read", 0)
        self._add_usage(
            Usage(
                calls=1,
                input_tokens=used.get("input_tokens", 0),
                output_tokens=used.get("output_tokens", 0),
                cached_tokens=cached or 0,
            )
        )

    def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        """Add the usage of a failed call: about one token for each piece that had arrived."""
        self._count(self._tokens, prompt=self._tokens > 0)

    def expect_call(self) -> None:
        """Get ready for a call; one monitor may follow several, one after another."""
        self.last_activity, self.abandoned = time.monotonic(), False

    def abandon(self) -> None:
        """Give the call up: add its usage so far, and end it with its next piece."""
        self.abandoned = True
        self._count(self._tokens, prompt=self._tokens > 0)

    def _count(self, output: int, *, prompt: bool) -> None:
        """Add an estimated usage; the prompt counts once the server has answered."""
        texts = (message.text for turns in self._prompt for message in turns) if prompt else ()
        input_tokens = sum(map(estimate, texts))
        self._add_usage(Usage(calls=1, input_tokens=input_tokens, output_tokens=output))

    def _add_usage(self, usage: Usage) -> None:
        """Add a call's usage once: a call that was given up may still end or fail."""
        with self._lock:
            if self._in_flight:
                self._in_flight = False
                self.usage = self.usage + usage


class StreamingMonitor(CallMonitor):
    """A monitor that makes LangChain stream every reply.

    LangChain streams a call if one of its handlers can tap the output.
    """

    def tap_output_iter(self, run_id: UUID, output: Iterator[Any]) -> Iterator[Any]:
        """Return the output as it is."""
        return output

    def tap_output_aiter(self, run_id: UUID, output: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """Return the output as it is."""
        return output


def run(
    runnable: Runnable[Any, Any],
    input: Any,
    config: RunnableConfig,
    monitor: CallMonitor,
    timeout: float | None,
    stop: threading.Event,
) -> Any:
    """Run a Runnable in a thread; give it up when it is silent for too long or cancelled.

    Args:
        runnable: The Runnable.
        input: Its input.
        config: Its config, with the monitor among its callbacks.
        monitor: Records the signs of life: each piece of a streamed reply, or its end.
        timeout: Seconds without a sign of life; None waits for ever.
        stop: Event that cancels the call; once it is set, nothing is started.

    Raises:
        ModelTimeoutError: It was silent for too long; what it still returns is dropped.
        RunCancelled: `stop` is set.
    """
    if stop.is_set():
        raise RunCancelled
    answer: Future[Any] = Future()
    context = contextvars.copy_context()

    def work() -> None:
        try:
            result = context.run(runnable.invoke, input, config)
        except BaseException as error:
            answer.set_exception(error)
        else:
            answer.set_result(result)

    # A daemon thread rather than a pool's: the interpreter does not wait for it at its exit.
    monitor.expect_call()
    limit = math.inf if timeout is None else timeout
    threading.Thread(target=work, name="longchain-call", daemon=True).start()
    try:
        while not stop.is_set():
            left = monitor.last_activity + limit - time.monotonic()
            if left <= 0:
                raise _timeout_error(limit)
            if wait({answer}, min(left, _POLL_SECONDS)).done:
                return answer.result()
        raise RunCancelled
    finally:
        monitor.abandon()


async def arun(
    runnable: Runnable[Any, Any],
    input: Any,
    config: RunnableConfig,
    monitor: CallMonitor,
    timeout: float | None,  # noqa: ASYNC109  (of silence, not of the whole)
    stop: threading.Event | None = None,
) -> Any:
    """Run a Runnable in an event loop; cancel it when it is silent for too long, or see `run`.

    Raises:
        ModelTimeoutError: It was silent for too long.
        RepetitionStopped: Its reply repeated itself.
        RunCancelled: `stop` is set.
    """
    stop = stop or threading.Event()
    if stop.is_set():
        raise RunCancelled
    monitor.expect_call()
    limit = math.inf if timeout is None else timeout
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(runnable.ainvoke(input, config))
    # LangChain's `agenerate` makes an `AttributeError` of an exception that is no `Exception`.
    monitor.interrupt = partial(loop.call_soon_threadsafe, task.cancel)
    try:
        while not task.done():
            if stop.is_set():
                raise RunCancelled
            left = monitor.last_activity + limit - time.monotonic()
            if left <= 0:
                raise _timeout_error(limit)
            await asyncio.wait({task}, timeout=min(left, _POLL_SECONDS_ASYNC))
        if monitor.repetition is not None and (task.cancelled() or task.exception()):
            raise RepetitionStopped(monitor.repetition)
        return task.result()
    finally:
        monitor.abandon()
        await _cancel(task)


async def _cancel(task: asyncio.Future[Any]) -> None:
    """Cancel a task that is not done, and leave it behind if it takes too long to clean up."""
    if not task.done():
        task.cancel()
        # Not `await task`: it would take a cancellation of this task for the other one's.
        await asyncio.wait({task}, timeout=_CANCEL_SECONDS)
    if task.done() and not task.cancelled():
        task.exception()  # retrieved, or asyncio would log that nobody did


def _timeout_error(timeout: float) -> ModelTimeoutError:
    """Return the error of a call that was silent for too long."""
    return ModelTimeoutError(f"the model gave no sign of life for {timeout:g} seconds")
