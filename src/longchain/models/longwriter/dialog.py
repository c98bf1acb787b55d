"""One call of the chat model -> the requests it takes, and what they add up to.

messages and limits -> the next request; answers and chunks -> one answer, streamed or whole

Knows LangChain's messages and how a server is told to go on; the text itself is `reply`'s.
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
from longchain.models.longwriter.failures import Explainer, aborted
from longchain.models.longwriter.reply import Ongoing
from longchain.models.longwriter.thinking import Thinking

_ENDED = ("finish_reason", "stop_reason", "model_name", "system_fingerprint", "service_tier")
"""What a chunk says of a request's end; said of each request, LangChain would join the strings."""

_FAILED = ("abort", "error")

Call = tuple[list[BaseMessage], dict[str, Any]]
"""Messages, and the arguments that go with them."""


class Dialog:
    """The requests of one call.

    Args:
        messages: What the caller says.
        kwargs: The call's arguments.
        ongoing: The reply to be.
        single: Whether one request must do: several choices, tools, or a schema, whose text a
            second request cannot go on with.
        thinking: Tells thoughts from the answer, where the model marks them.
        explainer: Says what an error means.
        prefilled: Whether a last message of the assistant is the beginning of the reply.
        learn: Takes note of the model's window, in tokens, where an error told it.
    """

    def __init__(
        self,
        messages: Sequence[BaseMessage],
        kwargs: dict[str, Any],
        ongoing: Ongoing,
        *,
        single: bool,
        thinking: Thinking | None,
        explainer: Explainer,
        prefilled: bool,
        learn: Callable[[int], None],
    ) -> None:
        self.messages = list(messages)
        self.kwargs = kwargs
        self.ongoing = ongoing
        self.single = single
        self.thinking = thinking
        self.explainer = explainer
        self.learn = learn
        self.prefix = ""
        if prefilled and messages and isinstance(messages[-1], AIMessage):
            self.prefix = self.messages.pop().text
        self.over = False
        self.usage: UsageMetadata | None = None
        self._last: ChatResult | None = None
        self._ended: dict[str, Any] = {}

    def call(self) -> Call:
        """Return the next request."""
        self._ended = {}
        kwargs = self.kwargs | self.ongoing.limits()
        if self.single:
            return self.messages, kwargs
        begun = self.prefix + self.ongoing.shown
        if not begun:
            return self.messages, kwargs
        kwargs |= {"add_generation_prompt": False, "continue_final_message": True}
        return [*self.messages, AIMessage(begun)], kwargs

    @contextmanager
    def clearly(self) -> Iterator[None]:
        """Run a request: its errors are said clearly, a full window ends what is begun."""
        try:
            yield
        except Exception as error:
            self._raise(error, self.explainer.explained(error))

    @asynccontextmanager
    async def aclearly(self) -> AsyncIterator[None]:
        """Run a request asynchronously: to explain an error, the server may have to be asked."""
        try:
            yield
        except Exception as error:
            self._raise(error, await asyncio.to_thread(self.explainer.explained, error))

    def _raise(self, error: Exception, found: Exception) -> None:
        if isinstance(found, WindowError):
            if self.ongoing.begun:
                self.over, self._ended = True, {**self._ended, "finish_reason": "length"}
                return
            if self._fits(found):
                return
        if found is error:
            raise error
        # Not chained where it may repeat what was sent: the sentence says it all.
        raise found from None

    def _fits(self, error: WindowError) -> bool:
        """Ask for less, once, where the prompt alone fits: vLLM does not do it by itself."""
        room = error.window - (error.tokens or 0)
        if self.ongoing.window is not None or not 0 < room < self.ongoing.limits().get(
            "max_tokens", 0
        ):
            return False
        self.ongoing.window, self.ongoing.step = error.window, room
        self.learn(error.window)
        return True

    # Whole answers -------------------------------------------------------------------------

    def take(self, result: ChatResult) -> None:
        """Take in a whole answer."""
        self._last = result
        if self.single:
            self.over = True
            return
        generation = result.generations[0]
        message, info = generation.message, generation.generation_info or {}
        assert isinstance(message, AIMessage)
        self.ongoing.feed(message.text)
        self._ended = info
        self._end(message.usage_metadata)

    def result(self) -> ChatResult:
        """Return the one answer that all requests came to."""
        assert self._last is not None
        if self.single:
            return self._last
        self.ongoing.rest()
        generation = self._last.generations[0]
        thought, answer = self._told(self.ongoing.shown, last=True)
        message = generation.message.model_copy(
            update={"content": answer, "usage_metadata": self.usage}
        )
        if thought:
            message.additional_kwargs["reasoning_content"] = thought
        info = {**self._ended, **self._finish()}
        output = {**(self._last.llm_output or {}), "token_usage": _token_usage(self.usage)}
        one = ChatGeneration(message=message, generation_info=info)
        return ChatResult(generations=[one], llm_output=output)

    # Streams -------------------------------------------------------------------------------

    def passed(self, chunk: ChatGenerationChunk) -> Iterator[ChatGenerationChunk]:
        """Take in a chunk of a stream; yield what of it may be shown by now."""
        if self.single:
            yield chunk
            return
        message, info = chunk.message, dict(chunk.generation_info or {})
        assert isinstance(message, AIMessageChunk)
        self._ended |= {key: info.pop(key) for key in _ENDED if key in info}
        if message.usage_metadata:
            self._ended["usage"] = message.usage_metadata
        thought, answer = self._told(self.ongoing.feed(message.text))
        if thought or answer:
            yield _chunk(message.model_copy(update={"usage_metadata": None}), answer, thought, info)

    def end(self) -> None:
        """Take note of the end of a request's stream.

        Raises:
            Exception: The stream ended before the reply did.
        """
        if self.single:
            self.over = True
            return
        if self.ongoing.stopped_by is None and "finish_reason" not in self._ended:
            raise self.explainer.lost()
        self._end(self._ended.pop("usage", None))

    def last(self) -> Iterator[ChatGenerationChunk]:
        """Yield the last chunk: what was held back, why the reply ended, and what it took."""
        if self.single:
            return
        thought, answer = self._told(self.ongoing.rest(), last=True)
        info = {**self._ended, **self._finish()}
        message = AIMessageChunk(content="", usage_metadata=self.usage)
        yield _chunk(message, answer, thought, info)

    # Both ----------------------------------------------------------------------------------

    def _end(self, usage: UsageMetadata | None) -> None:
        finish = self._ended.get("finish_reason")
        if finish in _FAILED:
            raise aborted(self.explainer.url, str(finish))
        self.usage = add_usage(self.usage, usage) if usage else self.usage
        wrote = usage["output_tokens"] if usage else None
        total = usage["total_tokens"] if usage else 0
        self.over = self.ongoing.ends(finish, wrote, total)

    def _finish(self) -> dict[str, Any]:
        if self.ongoing.stopped_by is not None:
            return {"finish_reason": "stop", "stop_reason": self.ongoing.stopped_by}
        return {"finish_reason": self._ended.get("finish_reason")}

    def _told(self, text: str, *, last: bool = False) -> tuple[str, str]:
        """Return what a text adds to the thoughts and to the answer."""
        if self.thinking is None:
            return "", text
        thought, answer = self.thinking.feed(text)
        if last:
            more = self.thinking.rest()
            thought, answer = thought + more[0], answer + more[1]
        return thought, answer


def _chunk(
    message: AIMessageChunk, answer: str, thought: str, info: dict[str, Any]
) -> ChatGenerationChunk:
    shown = message.model_copy(update={"content": answer})
    if thought:
        shown.additional_kwargs = {**shown.additional_kwargs, "reasoning_content": thought}
    return ChatGenerationChunk(message=shown, generation_info=info or None)


def _token_usage(usage: UsageMetadata | None) -> dict[str, int] | None:
    if usage is None:
        return None
    return {
        "prompt_tokens": usage["input_tokens"],
        "completion_tokens": usage["output_tokens"],
        "total_tokens": usage["total_tokens"],
    }
