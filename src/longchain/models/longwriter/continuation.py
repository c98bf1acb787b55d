"""Continuation: one call of the chat model as one or several requests, joined to one answer.

messages and limits -> the next request; results and chunks -> one answer, streamed or whole

Knows LangChain's messages and how a server is told to continue; the text itself is `reply`'s.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata, add_usage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from longchain.errors import WindowError
from longchain.models.longwriter.error_translation import ErrorTranslator, aborted
from longchain.models.longwriter.reply import PartialReply
from longchain.models.longwriter.thinking import ThinkingParser

_END_FIELDS = (
    "finish_reason", "stop_reason", "model_name", "system_fingerprint", "service_tier",
)  # fmt: skip
"""Fields of a chunk about the end of a request, which are passed on once for the whole reply:
LangChain would join the strings of several requests."""

_FAILED = ("abort", "error")
"""Finish reasons of a request that the server gave up."""

NextRequest = tuple[list[BaseMessage], dict[str, Any]]
"""Messages, and the arguments that go with them."""


class Continuation:
    """The requests of one call.

    Args:
        messages: The caller's messages.
        kwargs: The call's arguments.
        reply: The reply, still empty.
        single: Whether only one request may be made: for several choices, for tools, and for a
            schema, whose text a second request cannot continue.
        thinking: Separates thoughts from the answer, for models that mark them.
        translator: Translates the errors of requests.
        prefilled: Whether a last message of the assistant is the beginning of the reply.
        on_window: Called with the model's window in tokens if an error contained it.
    """

    def __init__(
        self,
        messages: Sequence[BaseMessage],
        kwargs: dict[str, Any],
        reply: PartialReply,
        *,
        single: bool,
        thinking: ThinkingParser | None,
        translator: ErrorTranslator,
        prefilled: bool,
        on_window: Callable[[int], None],
    ) -> None:
        self.messages = list(messages)
        self.kwargs = kwargs
        self.reply = reply
        self.single = single
        self.thinking = thinking
        self.translator = translator
        self.on_window = on_window
        self.prefix = ""
        if prefilled and messages and isinstance(messages[-1], AIMessage):
            self.prefix = self.messages.pop().text
        self.finished = False
        self.usage: UsageMetadata | None = None
        self._last_result: ChatResult | None = None
        self._end_info: dict[str, Any] = {}

    def next_request(self) -> NextRequest:
        """Return the next request."""
        self._end_info = {}
        kwargs = self.kwargs | self.reply.next_limits()
        text = self.prefix + self.reply.text
        if self.single or not text:
            return self.messages, kwargs
        kwargs |= {"add_generation_prompt": False, "continue_final_message": True}
        return [*self.messages, AIMessage(text)], kwargs

    # Errors ----------------------------------------------------------------------------------

    @contextmanager
    def translated_errors(self) -> Iterator[None]:
        """Make a request: its errors are translated, and a full window ends a reply with text."""
        try:
            yield
        except Exception as error:
            self._handle(error, self.translator.translate(error))

    @asynccontextmanager
    async def atranslated_errors(self) -> AsyncIterator[None]:
        """Make a request asynchronously: translating an error may ask the server."""
        try:
            yield
        except Exception as error:
            self._handle(error, await asyncio.to_thread(self.translator.translate, error))

    def _handle(self, error: Exception, translated: Exception) -> None:
        """Raise a translated error, unless it ends the reply or a smaller request may follow."""
        if isinstance(translated, WindowError):
            if self.reply.text:
                self.finished = True
                self._end_info = {**self._end_info, "finish_reason": "length"}
                return
            if self._lower_limit(translated):
                return
        if translated is error:
            raise error
        # Not chained: the original error may repeat what was sent, and the sentence is complete.
        raise translated from None

    def _lower_limit(self, error: WindowError) -> bool:
        """Lower the limit, once, if the prompt alone fits into the window; return whether it did.

        vLLM refuses such a request instead of lowering its `max_tokens`.
        """
        if self.reply.window is not None:
            return False
        room = error.window - (error.tokens or 0)
        if not 0 < room < self.reply.next_limits().get("max_tokens", 0):
            return False
        self.reply.window, self.reply.request_tokens = error.window, room
        self.on_window(error.window)
        return True

    # Whole answers ---------------------------------------------------------------------------

    def add_result(self, result: ChatResult) -> None:
        """Add the answer to one request."""
        self._last_result = result
        if self.single:
            self.finished = True
            return
        generation = result.generations[0]
        message = generation.message
        assert isinstance(message, AIMessage)
        self.reply.feed(message.text)
        self._end_info = generation.generation_info or {}
        self._end_request(message.usage_metadata)

    def result(self) -> ChatResult:
        """Return the answers to all requests, joined to one."""
        assert self._last_result is not None
        if self.single:
            return self._last_result
        self.reply.flush()
        generation = self._last_result.generations[0]
        thought, answer = self._separate(self.reply.text, last=True)
        message = generation.message.model_copy(
            update={"content": answer, "usage_metadata": self.usage}
        )
        if thought:
            message.additional_kwargs["reasoning_content"] = thought
        info = {**self._end_info, **self._finish_info()}
        output = {**(self._last_result.llm_output or {}), "token_usage": _token_usage(self.usage)}
        joined = ChatGeneration(message=message, generation_info=info)
        return ChatResult(generations=[joined], llm_output=output)

    # Streams ---------------------------------------------------------------------------------

    def add_chunk(self, chunk: ChatGenerationChunk) -> Iterator[ChatGenerationChunk]:
        """Add a chunk of a stream; yield the part of the reply that may be shown now, if any."""
        if self.single:
            yield chunk
            return
        message = chunk.message
        assert isinstance(message, AIMessageChunk)
        info = dict(chunk.generation_info or {})
        self._end_info |= {key: info.pop(key) for key in _END_FIELDS if key in info}
        if message.usage_metadata:
            self._end_info["usage"] = message.usage_metadata
        thought, answer = self._separate(self.reply.feed(message.text))
        if thought or answer:
            yield _chunk(message.model_copy(update={"usage_metadata": None}), answer, thought, info)

    def end_stream(self) -> None:
        """Note the end of a request's stream.

        Raises:
            Exception: The stream ended before the reply did.
        """
        if self.single:
            self.finished = True
            return
        if self.reply.stopped_by is None and "finish_reason" not in self._end_info:
            raise self.translator.lost_connection()
        self._end_request(self._end_info.pop("usage", None))

    def last_chunks(self) -> Iterator[ChatGenerationChunk]:
        """Yield the last chunk: text that was held back, finish reason and usage."""
        if self.single:
            return
        thought, answer = self._separate(self.reply.flush(), last=True)
        info = {**self._end_info, **self._finish_info()}
        message = AIMessageChunk(content="", usage_metadata=self.usage)
        yield _chunk(message, answer, thought, info)

    # Both ------------------------------------------------------------------------------------

    def _end_request(self, usage: UsageMetadata | None) -> None:
        finish_reason = self._end_info.get("finish_reason")
        if finish_reason in _FAILED:
            raise aborted(self.translator.url, str(finish_reason))
        if usage:
            self.usage = add_usage(self.usage, usage)
            tokens, total = usage["output_tokens"], usage["total_tokens"]
            self.finished = self.reply.end_request(finish_reason, tokens, total)
        else:
            self.finished = self.reply.end_request(finish_reason, None, 0)

    def _finish_info(self) -> dict[str, Any]:
        if self.reply.stopped_by is not None:
            return {"finish_reason": "stop", "stop_reason": self.reply.stopped_by}
        return {"finish_reason": self._end_info.get("finish_reason")}

    def _separate(self, text: str, *, last: bool = False) -> tuple[str, str]:
        """Return what a piece of text adds to the thoughts and to the answer."""
        if self.thinking is None:
            return "", text
        thought, answer = self.thinking.feed(text)
        if last:
            last_thought, last_answer = self.thinking.flush()
            thought, answer = thought + last_thought, answer + last_answer
        return thought, answer


def _chunk(
    message: AIMessageChunk, answer: str, thought: str, info: dict[str, Any]
) -> ChatGenerationChunk:
    chunk_message = message.model_copy(update={"content": answer})
    if thought:
        chunk_message.additional_kwargs = {
            **chunk_message.additional_kwargs,
            "reasoning_content": thought,
        }
    return ChatGenerationChunk(message=chunk_message, generation_info=info or None)


def _token_usage(usage: UsageMetadata | None) -> dict[str, int] | None:
    """Return a usage under the names of OpenAI's interface."""
    if usage is None:
        return None
    return {
        "prompt_tokens": usage["input_tokens"],
        "completion_tokens": usage["output_tokens"],
        "total_tokens": usage["total_tokens"],
    }
