"""A model call that is watched: how long it is silent, whether it loops, what it takes.

Runnable + input -> answer, within a time; or a `ModelTimeoutError`, or a `Looped`

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
from longchain.repetition import LoopGuard

_LOOK = 0.2
"""Seconds between two looks at whether the run is to end."""

_LOOK_ASYNC = 0.5
"""The same for calls of an event loop, of which one thread may have thousands."""

_GRACE = 5.0
"""Seconds that a cancelled call may take to clean up before it is left behind."""


class Looped(BaseException):
    """A reply goes in circles, and the rest of it is not wanted.

    Not an `Exception`, or fallbacks and handlers of errors would take it for a failure.
    """

    def __init__(self, text: str) -> None:
        super().__init__("the reply went in circles and was stopped")
        self.text = text


class Stopped(BaseException):
    """Nobody wants the answer any more: the run is being ended."""


class Watch(BaseCallbackHandler):
    """Follows the model calls of one node: adds up what they take, notices silence and loops.

    Args:
        guarded: Whether replies are prose, to be stopped where they loop. It takes a reply that
            is streamed.
    """

    run_inline = True

    def __init__(self, *, guarded: bool = False) -> None:
        self.usage = Usage()
        self.guarded = guarded
        self.heard = time.monotonic()
        """When there was a sign of life."""
        self.abandoned = False
        """Whether nobody waits for the answer any more."""
        self.looped: str | None = None
        """The reply until it was found to go in circles."""
        self.interrupt: Callable[[], object] | None = None
        """Cancels the call, where it is asynchronous."""
        self._lock = Lock()
        self._flying = False
        self._begin(())

    def _begin(self, prompt: Any) -> None:
        self.heard = time.monotonic()
        self._prompt = prompt
        self._text: list[str] = []
        self._tokens = 0
        self._guard = LoopGuard()

    def on_chat_model_start(self, serialized: Any, messages: Any, **kwargs: Any) -> None:
        """Begin anew with each reply; of a call that was given up, none begins any more.

        It may be given up before its request is made, or go on to a fallback after that.
        """
        if self.abandoned:
            raise Looped("")
        self._begin(messages)
        self._flying = True

    def on_llm_new_token(self, token: Any, *, chunk: Any = None, **kwargs: Any) -> None:
        """Take note of a piece of the reply, and stop it if it loops."""
        message = getattr(chunk, "message", None)
        self._hear(token if message is None else message.text)

    def on_stream_event(self, event: Any, **kwargs: Any) -> None:
        """Take note of a sign of life, which may be a piece of the reply."""
        delta = event.get("delta") if isinstance(event, dict) else None
        if isinstance(delta, dict) and delta.get("type") == "text-delta":
            self._hear(delta.get("text"))
        else:
            self.heard = time.monotonic()

    def _hear(self, piece: Any) -> None:
        self.heard = time.monotonic()
        self._tokens += 1
        if self.abandoned:
            raise Looped("")
        if not self.guarded or not isinstance(piece, str) or not piece:
            return
        self._text.append(piece)
        if self._guard.feed(piece):
            self.looped = "".join(self._text)
            if self.interrupt is None:
                raise Looped(self.looped)
            self.interrupt()
            # At once: `asyncio.wait_for` of Python 3.11, in which ChatOpenAI waits for the next
            # piece, loses a cancellation that comes together with it.
            raise asyncio.CancelledError

    def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:
        """Count a finished call; what the server does not report is estimated."""
        message = getattr(response.generations[0][0], "message", None)
        used = message.usage_metadata if isinstance(message, AIMessage) else None
        if not used:
            text = message.text if isinstance(message, AIMessage) else ""
            self._count(max(self._tokens, estimate(text) if text else 0), prompt=True)
            return
        cached = (used.get("input_token_details") or {}).get("cache_read", 0)
        self._land(
            Usage(
                calls=1,
                input_tokens=used.get("input_tokens", 0),
                output_tokens=used.get("output_tokens", 0),
                cached_tokens=cached or 0,
            )
        )

    def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        """Count a call that failed; what it wrote until then is about a token for each piece."""
        self._count(self._tokens, prompt=self._tokens > 0)

    def await_call(self) -> None:
        """Wait for a call from now on; one watch may follow several, one after another."""
        self.heard, self.abandoned = time.monotonic(), False

    def abandon(self) -> None:
        """Count a call that nobody waits for any more, and end it with its next piece."""
        self.abandoned = True
        self._count(self._tokens, prompt=self._tokens > 0)

    def _count(self, output: int, *, prompt: bool) -> None:
        texts = (message.text for turns in self._prompt for message in turns) if prompt else ()
        self._land(Usage(calls=1, input_tokens=sum(map(estimate, texts)), output_tokens=output))

    def _land(self, taken: Usage) -> None:
        """Add up a call, once: one that is given up may still end, or fail."""
        with self._lock:
            if self._flying:
                self._flying = False
                self.usage = self.usage + taken


class StreamingWatch(Watch):
    """A watch that has replies streamed, whoever calls.

    LangChain streams a call where a handler can tap what comes.
    """

    def tap_output_iter(self, run_id: UUID, output: Iterator[Any]) -> Iterator[Any]:
        """Return the output as it is."""
        return output

    def tap_output_aiter(self, run_id: UUID, output: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """Return the output as it is."""
        return output


def call(
    runnable: Runnable[Any, Any],
    input: Any,
    config: RunnableConfig,
    watch: Watch,
    timeout: float | None,
    stop: threading.Event,
) -> Any:
    """Run a Runnable, but do not wait for it when it is silent for too long.

    Args:
        runnable: What is run.
        input: Its input.
        config: Its config; the watch is among the callbacks.
        watch: Hears the signs of life: each piece of a streamed reply, or its end.
        timeout: Seconds without one; None waits for ever.
        stop: Set by another thread where the run is to end at once; then nothing is started.

    Raises:
        ModelTimeoutError: It was silent for too long. What it still does is thrown away.
        Stopped: The run is to end.
    """
    if stop.is_set():
        raise Stopped
    answer: Future[Any] = Future()
    context = contextvars.copy_context()

    def work() -> None:
        try:
            result = context.run(runnable.invoke, input, config)
        except BaseException as error:
            answer.set_exception(error)
        else:
            answer.set_result(result)

    # A thread of its own, and no pool's: the interpreter does not wait for it when it ends.
    watch.await_call()
    patience = math.inf if timeout is None else timeout
    threading.Thread(target=work, name="longchain-call", daemon=True).start()
    try:
        while not stop.is_set():
            left = watch.heard + patience - time.monotonic()
            if left <= 0:
                raise _silent(patience)
            if wait({answer}, min(left, _LOOK)).done:
                return answer.result()
        raise Stopped
    finally:
        watch.abandon()


async def acall(
    runnable: Runnable[Any, Any],
    input: Any,
    config: RunnableConfig,
    watch: Watch,
    timeout: float | None,  # noqa: ASYNC109  (of silence, not of the whole)
    stop: threading.Event | None = None,
) -> Any:
    """Run a Runnable asynchronously; one that is silent for too long, or loops, is cancelled.

    Raises:
        ModelTimeoutError: It was silent for too long.
        Looped: Its reply went in circles.
        Stopped: The run is to end.
    """
    stop = stop or threading.Event()
    if stop.is_set():
        raise Stopped
    watch.await_call()
    patience = math.inf if timeout is None else timeout
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(runnable.ainvoke(input, config))
    # LangChain's `agenerate` makes an `AttributeError` of an exception that is no `Exception`.
    watch.interrupt = partial(loop.call_soon_threadsafe, task.cancel)
    try:
        while not task.done():
            if stop.is_set():
                raise Stopped
            left = watch.heard + patience - time.monotonic()
            if left <= 0:
                raise _silent(patience)
            await asyncio.wait({task}, timeout=min(left, _LOOK_ASYNC))
        if watch.looped is not None and (task.cancelled() or task.exception()):
            raise Looped(watch.looped)
        return task.result()
    finally:
        watch.abandon()
        if not task.done():
            task.cancel()
            # Not `await task`: that would take a cancellation of this very task for the other's.
            await asyncio.wait({task}, timeout=_GRACE)
        if task.done() and not task.cancelled():
            task.exception()  # heard, or asyncio would say that nobody did


def _silent(timeout: float) -> ModelTimeoutError:
    return ModelTimeoutError(f"the model gave no sign of life for {timeout:g} seconds")
