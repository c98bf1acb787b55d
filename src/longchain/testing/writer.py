"""FakeWriter: a chat model for tests that answers from a script or by a behavior.

messages -> `AIMessage` with usage and finish reason, complete or in chunks; record of requests

Opens no socket. `longchain.testing.tokens` counts the tokens.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from operator import itemgetter
from threading import Lock
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.exceptions import ContextOverflowError, ModelInvalidRequestError
from langchain_core.language_models import BaseChatModel, LanguageModelInput, ModelProfile
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.output_parsers import JsonOutputParser, PydanticOutputParser
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, RunnableMap, RunnablePassthrough
from langchain_core.utils.function_calling import convert_to_json_schema
from pydantic import BaseModel, Field, InstanceOf, PrivateAttr

from longchain.testing import tokens
from longchain.testing.behavior import LengthBehavior, text_of

ScriptedReply = str | AIMessage | BaseException | Callable[[list[BaseMessage]], str | AIMessage]
"""A scripted answer: a text, a message, an exception to raise, or a function of the messages."""


class ScriptExhaustedError(AssertionError):
    """A `FakeWriter` was called more often than its script has replies."""


class FakeWriter(BaseChatModel):
    """A chat model that answers from a script and records its requests.

    ```python
    from longchain.testing import FakeWriter

    writer = FakeWriter(replies=["Rome was founded.", TimeoutError("slow")])
    assert writer.invoke("Begin.").text == "Rome was founded."
    assert writer.requests[0][0].content == "Begin."
    ```

    Raises:
        ScriptExhaustedError: All replies are used and there is no behavior.
        ContextOverflowError: The prompt has more tokens than `window`.
        ModelInvalidRequestError: A JSON schema was requested from a writer without `structured`.
    """

    replies: list[Any] = Field(default_factory=list, exclude=True, repr=False)
    """Script of `ScriptedReply` values; each is used once, in the order of the requests."""

    behavior: InstanceOf[LengthBehavior] | None = Field(default=None, exclude=True, repr=False)
    """Behavior that answers after the last reply of the script."""

    model_name: str = "fake-writer"
    """Name in the metadata of replies."""

    max_tokens: int | None = None
    """Maximum number of tokens of a reply, unless the call sets it."""

    window: int | None = None
    """Maximum number of tokens of a prompt; also `profile["max_input_tokens"]`."""

    structured: bool = False
    """True: `response_format` with a JSON schema is supported, also according to the profile."""

    latency: float = 0.0
    """Seconds before each reply."""

    _lock: Any = PrivateAttr(default_factory=Lock)
    _requests: list[list[BaseMessage]] = PrivateAttr(default_factory=list)
    _kwargs: list[dict[str, Any]] = PrivateAttr(default_factory=list)
    _used: int = PrivateAttr(default=0)

    @property
    def requests(self) -> list[list[BaseMessage]]:
        """The messages of all calls so far, refused ones included."""
        with self._lock:
            return list(self._requests)

    @property
    def kwargs(self) -> list[dict[str, Any]]:
        """The other arguments of all calls so far: bound arguments and `stop`."""
        with self._lock:
            return list(self._kwargs)

    @property
    def calls(self) -> int:
        """The number of calls so far."""
        return len(self._requests)

    @property
    def _llm_type(self) -> str:
        return "fake-writer"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model_name": self.model_name, "max_tokens": self.max_tokens}

    def _resolve_model_profile(self) -> ModelProfile:
        profile = ModelProfile(structured_output=self.structured)
        if self.window is not None:
            profile["max_input_tokens"] = self.window
        return profile

    def get_token_ids(self, text: str) -> list[int]:
        """Return a number for each token of a text, without network access."""
        return tokens.token_ids(tokens.split(text))

    def get_num_tokens_from_messages(self, messages: list[BaseMessage], tools: Any = None) -> int:
        """Return the number of tokens of all messages; roles count 0."""
        return sum(tokens.count(text_of(message)) for message in messages)

    def with_structured_output(
        self, schema: dict[str, Any] | type, *, include_raw: bool = False, **kwargs: Any
    ) -> Runnable[LanguageModelInput, Any]:
        """Return a runnable that answers in JSON by a schema, natively if `structured`."""
        if not self.structured or kwargs.get("method", "json_schema") != "json_schema":
            return super().with_structured_output(schema, include_raw=include_raw, **kwargs)
        form = {"name": "reply", "schema": convert_to_json_schema(schema)}
        model = self.bind(response_format={"type": "json_schema", "json_schema": form})
        parser: Runnable[Any, Any] = JsonOutputParser()
        if isinstance(schema, type) and issubclass(schema, BaseModel):
            parser = PydanticOutputParser(pydantic_object=schema)
        if not include_raw:
            return model | parser
        parsed = RunnablePassthrough.assign(
            parsed=itemgetter("raw") | parser, parsing_error=lambda _: None
        )
        unread = RunnablePassthrough.assign(parsed=lambda _: None)
        return RunnableMap(raw=model) | parsed.with_fallbacks(
            [unread], exception_key="parsing_error"
        )

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        time.sleep(self.latency)
        message = self._answer(messages, stop, kwargs)
        return ChatResult(generations=[ChatGeneration(message=message)])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        await asyncio.sleep(self.latency)
        message = self._answer(messages, stop, kwargs)
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        time.sleep(self.latency)
        yield from _chunks(self._answer(messages, stop, kwargs))

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        await asyncio.sleep(self.latency)
        for chunk in _chunks(self._answer(messages, stop, kwargs)):
            yield chunk
            # Other tasks run between two words, as with a model over a network.
            await asyncio.sleep(0)

    def _answer(
        self, messages: list[BaseMessage], stop: list[str] | None, kwargs: dict[str, Any]
    ) -> AIMessage:
        """Record the call and return the next reply, cut by the limits of the call."""
        kwargs = {**kwargs, "stop": stop} if stop else dict(kwargs)
        with self._lock:
            self._requests.append(list(messages))
            self._kwargs.append(kwargs)
        prompt = self.get_num_tokens_from_messages(messages)
        if self.window is not None and prompt > self.window:
            raise ContextOverflowError(
                f"The prompt has {prompt} tokens, the window of {self.model_name!r} {self.window}."
            )
        schema = self._schema(kwargs)
        reply = self._next_reply(messages, schema)
        message = AIMessage(reply) if isinstance(reply, str) else reply
        max_tokens = kwargs.get("max_completion_tokens", kwargs.get("max_tokens", self.max_tokens))
        return self._finish(message, prompt, max_tokens, stop)

    def _schema(self, kwargs: dict[str, Any]) -> dict[str, Any] | None:
        """Return the requested JSON schema, if there is one."""
        form = kwargs.get("response_format") or {}
        if form.get("type") != "json_schema":
            return None
        if not self.structured:
            raise ModelInvalidRequestError(
                "This FakeWriter takes no response_format; give it structured=True."
            )
        schema: dict[str, Any] = form["json_schema"]["schema"]
        return schema

    def _next_reply(
        self, messages: list[BaseMessage], schema: dict[str, Any] | None
    ) -> str | AIMessage:
        with self._lock:
            index = self._used
            self._used += index < len(self.replies)
        if index < len(self.replies):
            reply: ScriptedReply = self.replies[index]
            if isinstance(reply, BaseException):
                raise reply
            return reply(messages) if callable(reply) else reply
        if self.behavior is None:
            prompt = text_of(messages[-1])
            raise ScriptExhaustedError(
                f"All {index} replies of this FakeWriter are used up, and it is asked once more:"
                f" {prompt[-300:]!r}. Add a reply, or give it a behavior."
            )
        return self.behavior.reply(messages, schema)

    def _finish(
        self, message: AIMessage, prompt: int, max_tokens: int | None, stop: list[str] | None
    ) -> AIMessage:
        """Cut the text and add usage and metadata, unless the scripted message has its own."""
        output = tokens.truncate(text_of(message), max_tokens, stop)
        content = output.text if isinstance(message.content, str) else message.content
        usage = UsageMetadata(
            input_tokens=prompt,
            output_tokens=len(output.pieces),
            total_tokens=prompt + len(output.pieces),
        )
        metadata = {"finish_reason": output.finish_reason, "model_name": self.model_name}
        return message.model_copy(
            update={
                "content": content,
                "usage_metadata": message.usage_metadata or usage,
                "response_metadata": {**metadata, **message.response_metadata},
            }
        )


def _chunks(message: AIMessage) -> Iterator[ChatGenerationChunk]:
    """Yield a message word by word; the last chunk has everything but the text."""
    text = message.content if isinstance(message.content, str) else None
    words = tokens.split_words(text) if text else [message.content]
    for word in words[:-1]:
        yield ChatGenerationChunk(message=AIMessageChunk(content=word))
    last = AIMessageChunk(
        content=words[-1],
        id=message.id,
        additional_kwargs=message.additional_kwargs,
        tool_calls=message.tool_calls,
        usage_metadata=message.usage_metadata,
        response_metadata=message.response_metadata,
        chunk_position="last",
    )
    yield ChatGenerationChunk(message=last)
