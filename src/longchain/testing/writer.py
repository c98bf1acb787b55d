"""FakeWriter: a chat model for tests that answers from a script or by a behavior.

messages -> `AIMessage` with usage and finish reason, whole or in chunks; and a record of them

Opens no socket. Tokens are counted by the rule of `longchain.testing.tokens`.
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

Reply = str | AIMessage | BaseException | Callable[[list[BaseMessage]], str | AIMessage]
"""One answer of a script: a text, a message, something to raise, or what makes an answer."""


class ScriptExhaustedError(AssertionError):
    """A `FakeWriter` was asked more often than its script has answers."""


class FakeWriter(BaseChatModel):
    """A chat model whose answers a test decides, and which remembers what it was asked.

    ```python
    from longchain.testing import FakeWriter

    writer = FakeWriter(replies=["Rome was founded.", TimeoutError("slow")])
    assert writer.invoke("Begin.").text == "Rome was founded."
    assert writer.requests[0][0].content == "Begin."
    ```

    Raises:
        ScriptExhaustedError: The script is at its end and there is no behavior.
        ContextOverflowError: The prompt has more tokens than `window`.
        ModelInvalidRequestError: A JSON schema was asked for although not `structured`.
    """

    replies: list[Any] = Field(default_factory=list, exclude=True, repr=False)
    """The script: each `Reply` is used once, in the order in which requests arrive."""

    behavior: InstanceOf[LengthBehavior] | None = Field(default=None, exclude=True, repr=False)
    """Answers where the script is at its end."""

    model_name: str = "fake-writer"

    max_tokens: int | None = None
    """The most tokens of a reply, where the call says nothing else."""

    window: int | None = None
    """The most tokens of a prompt; also `profile["max_input_tokens"]`."""

    structured: bool = False
    """Whether it takes `response_format` with a JSON schema, and its profile says so."""

    latency: float = 0.0
    """Seconds before each answer."""

    _lock: Any = PrivateAttr(default_factory=Lock)
    _requests: list[list[BaseMessage]] = PrivateAttr(default_factory=list)
    _kwargs: list[dict[str, Any]] = PrivateAttr(default_factory=list)
    _used: int = PrivateAttr(default=0)

    @property
    def requests(self) -> list[list[BaseMessage]]:
        """The messages of every call so far, refused ones included."""
        with self._lock:
            return list(self._requests)

    @property
    def kwargs(self) -> list[dict[str, Any]]:
        """What every call so far was given besides messages: bound arguments and `stop`."""
        with self._lock:
            return list(self._kwargs)

    @property
    def calls(self) -> int:
        """How many calls there were so far."""
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
        """Return a number for every token of `text`, without asking the network."""
        return tokens.numbers(tokens.split(text))

    def get_num_tokens_from_messages(self, messages: list[BaseMessage], tools: Any = None) -> int:
        """Return the tokens of all messages together; roles count nothing."""
        return sum(tokens.count(text_of(message)) for message in messages)

    def with_structured_output(
        self, schema: dict[str, Any] | type, *, include_raw: bool = False, **kwargs: Any
    ) -> Runnable[LanguageModelInput, Any]:
        """Return a runnable that answers in JSON after `schema`, where `structured`."""
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
            # Gives other tasks their turn between words, as a model over a network does.
            await asyncio.sleep(0)

    def _answer(
        self, messages: list[BaseMessage], stop: list[str] | None, kwargs: dict[str, Any]
    ) -> AIMessage:
        """Record the call, take the next reply, and cut it as the call says."""
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
        most = kwargs.get("max_completion_tokens", kwargs.get("max_tokens", self.max_tokens))
        return self._finished(message, prompt, most, stop)

    def _schema(self, kwargs: dict[str, Any]) -> dict[str, Any] | None:
        """Return the JSON schema that the call asks for."""
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
            reply: Reply = self.replies[index]
            if isinstance(reply, BaseException):
                raise reply
            return reply(messages) if callable(reply) else reply
        if self.behavior is None:
            asked = text_of(messages[-1])
            raise ScriptExhaustedError(
                f"All {index} replies of this FakeWriter are used up, and it is asked once more:"
                f" {asked[-300:]!r}. Add a reply, or give it a behavior."
            )
        return self.behavior.reply(messages, schema)

    def _finished(
        self, message: AIMessage, prompt: int, most: int | None, stop: list[str] | None
    ) -> AIMessage:
        """Add usage and metadata, after cutting the text; what a script sets stays as it is."""
        output = tokens.limit(text_of(message), most, stop)
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
    """Yield a message word by word; all but the text travels with the last one."""
    text = message.content if isinstance(message.content, str) else None
    words = tokens.words(text) if text else [message.content]
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
