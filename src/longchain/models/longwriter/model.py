"""`LongWriterLLM`: a LangChain chat model over a vLLM server.

messages -> `AIMessage`, streamed or whole; a reply that the server cuts is continued

Speaks HTTP only: vLLM itself need not be installed here. Adds to LangChain's `BaseChatOpenAI` the
prompt formats, the fields of long-form sampling, continuation, exact token counts, and clear
errors.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Literal, Self

import openai
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from pydantic import BaseModel

from longchain.errors import InputError
from longchain.models.longwriter import request_fields
from longchain.models.longwriter.continuation import Continuation
from longchain.models.longwriter.model_server import ModelServer
from longchain.models.longwriter.prompt_formats import STOP, render
from longchain.models.longwriter.reply import PartialReply
from longchain.models.longwriter.thinking import ThinkingParser
from longchain.models.longwriter.vllm_model import VllmModel

_CHAT_ONLY_FIELDS = ("tools", "logprobs", "top_logprobs")
_CHAT_ONLY_EXTRA_FIELDS = (
    "add_generation_prompt", "continue_final_message", "chat_template_kwargs",
)  # fmt: skip


class LongWriterLLM(VllmModel):
    """A LongWriter model, or any other, on a vLLM server.

    A preset, chosen by the model's name, sets prompt format, sampling and limits; the caller's own
    arguments replace it: see `longchain.models.longwriter.presets`.

    A reply that a request cuts is continued in further requests, up to `max_tokens`, the window or
    the reply's own end. Streamed or not, it is one reply with one usage.

    Example:
        ```python
        from longchain import LongWriterLLM

        model = LongWriterLLM(model="LongWriter-glm4-9b", base_url="http://127.0.0.1:8000/v1")
        assert (model.temperature, model.top_k, model.max_tokens) == (0.5, 50, 32_768)
        ```
        On a server of its own: `with LongWriterLLM.serve("THUDM/LongWriter-glm4-9b") as model:`

    Raises:
        InputError: A field is not known to vLLM; the message names it.
        ModelNameError: No model is named.
    """

    @classmethod
    def serve(cls, model: str | Path, **options: Any) -> ModelServer[Self]:
        """Start a vLLM server, and yield a model on it: `with LongWriterLLM.serve(…) as llm:`.

        Also `async with`. The server ends with the block. LongWriter's own models are served with
        their window; the tokenizer of LongWriter-glm4-9b is its authors' code, which is run.

        Args:
            model: A folder in Hugging Face's format, or a name on a model hub.
            **options: Arguments of `longchain.models.server.serve` (`python`, `max_model_len`,
                `tensor_parallel_size`, `flags`, `progress`, …); all others are fields of the model.

        Raises:
            InputError: An argument cannot be used.
            ServerError: (on entering) vLLM did not start; the message says why.
        """
        return ModelServer(cls, model, options)

    # Requests ------------------------------------------------------------------------------

    def _get_request_payload(
        self, input_: LanguageModelInput, *, stop: list[str] | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        for_openai, extra_body = request_fields.split(kwargs)
        if "max_completion_tokens" in for_openai:
            for_openai["max_tokens"] = for_openai.pop("max_completion_tokens")
        if extra_body:
            default_extra_body = self._default_params.get("extra_body", {})
            for_openai["extra_body"] = {**default_extra_body, **extra_body}
        payload: dict[str, Any] = super()._get_request_payload(input_, stop=stop, **for_openai)
        if stop_strings := self._stop_strings(payload.get("stop")):
            payload["stop"] = stop_strings
        return payload

    def _stop_strings(self, stop: str | list[str] | None) -> list[str]:
        """Return the caller's stop strings, and those of the prompt format."""
        callers = [stop] if isinstance(stop, str) else stop or ()
        return [*callers, *STOP[self.form]]

    def _completion_payload(
        self, messages: list[BaseMessage], stop: list[str] | None, kwargs: dict[str, Any]
    ) -> dict[str, Any]:
        """Return the request for a prompt that is rendered here: a completion, not a chat."""
        payload = self._get_request_payload(messages, stop=stop, **kwargs)
        refused = sorted(payload.keys() & _CHAT_ONLY_FIELDS)
        if refused:
            raise InputError(f"the prompt format {self.form!r} has no {refused[0]}")
        payload["prompt"] = render(payload.pop("messages"), self.form)
        extra_body = dict(payload.pop("extra_body", {}))
        for name in _CHAT_ONLY_EXTRA_FIELDS:
            extra_body.pop(name, None)
        if "response_format" in payload:
            extra_body["response_format"] = payload.pop("response_format")
        return {**payload, "extra_body": extra_body}

    def _continuation(
        self, messages: list[BaseMessage], stop: list[str] | None, kwargs: dict[str, Any]
    ) -> Continuation:
        """Return the requests of one call, none of them made yet."""
        options = self._default_params | kwargs
        fields = dict(options)
        for extra_body in (options.get("extra_body"), kwargs.get("extra_body")):
            fields |= extra_body or {}
        single = _needs_single_request(options, fields)
        reply = PartialReply(
            max_tokens=options.get("max_completion_tokens") or options.get("max_tokens"),
            request_tokens=None if single else self.request_tokens,
            min_tokens=fields.get("min_tokens") or 0,
            window=self._window,
            stop=self._stop_strings(stop or options.get("stop")),
        )
        return Continuation(
            messages,
            kwargs,
            reply,
            single=single,
            thinking=ThinkingParser() if self.form == "zero" else None,
            translator=self._error_translator(),
            prefilled=self.form != "chat" or bool(fields.get("continue_final_message")),
            on_window=self._set_window,
        )

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        call = self._continuation(messages, stop, kwargs)
        while not call.finished:
            with call.translated_errors():
                request = call.next_request()
                try:
                    result = self._request(*request, stop)
                except openai.LengthFinishReasonError as error:  # a JSON text that was cut
                    result = self._create_chat_result(error.completion)
                call.add_result(result)
        return call.result()

    def _request(
        self, messages: list[BaseMessage], kwargs: dict[str, Any], stop: list[str] | None
    ) -> ChatResult:
        """Make one request."""
        if self.form == "chat":
            return super()._generate(messages, stop, None, **kwargs)
        payload = self._completion_payload(messages, stop, kwargs)
        return self._to_chat_result(self.root_client.completions.create(**payload))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        call = self._continuation(messages, stop, kwargs)
        while not call.finished:
            async with call.atranslated_errors():
                request = call.next_request()
                try:
                    result = await self._arequest(*request, stop)
                except openai.LengthFinishReasonError as error:
                    result = self._create_chat_result(error.completion)
                call.add_result(result)
        return call.result()

    async def _arequest(
        self, messages: list[BaseMessage], kwargs: dict[str, Any], stop: list[str] | None
    ) -> ChatResult:
        """Make one request asynchronously."""
        if self.form == "chat":
            return await super()._agenerate(messages, stop, None, **kwargs)
        payload = self._completion_payload(messages, stop, kwargs)
        return self._to_chat_result(await self.root_async_client.completions.create(**payload))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        def report(chunk: ChatGenerationChunk) -> ChatGenerationChunk:
            if run_manager:
                run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            return chunk

        call = self._continuation(messages, stop, kwargs)
        while not call.finished:
            with call.translated_errors():
                for received in self._stream_request(*call.next_request(), stop):
                    for chunk in call.add_chunk(received):
                        yield report(chunk)
                    if call.reply.stopped_by is not None:
                        break
                call.end_stream()
        for chunk in call.last_chunks():
            yield report(chunk)

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        async def report(chunk: ChatGenerationChunk) -> ChatGenerationChunk:
            if run_manager:
                await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            return chunk

        call = self._continuation(messages, stop, kwargs)
        while not call.finished:
            async with call.atranslated_errors():
                async for received in self._astream_request(*call.next_request(), stop):
                    for chunk in call.add_chunk(received):
                        yield await report(chunk)
                    if call.reply.stopped_by is not None:
                        break
                call.end_stream()
        for chunk in call.last_chunks():
            yield await report(chunk)

    def _stream_request(
        self, messages: list[BaseMessage], kwargs: dict[str, Any], stop: list[str] | None
    ) -> Iterator[ChatGenerationChunk]:
        """Stream one request."""
        if self.form == "chat":
            yield from super()._stream(messages, stop, None, **kwargs)
            return
        payload = self._completion_payload(messages, stop, self._stream_arguments(kwargs))
        with self.root_client.completions.create(**payload) as stream:
            yield from map(self._to_chat_chunk, stream)

    async def _astream_request(
        self, messages: list[BaseMessage], kwargs: dict[str, Any], stop: list[str] | None
    ) -> AsyncIterator[ChatGenerationChunk]:
        """Stream one request asynchronously."""
        if self.form == "chat":
            async for chunk in super()._astream(messages, stop, None, **kwargs):
                yield chunk
            return
        payload = self._completion_payload(messages, stop, self._stream_arguments(kwargs))
        async with await self.root_async_client.completions.create(**payload) as stream:
            async for piece in stream:
                yield self._to_chat_chunk(piece)

    def _stream_arguments(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments of a request that is streamed."""
        kwargs = {name: value for name, value in kwargs.items() if name != "stream_usage"}
        usage = {"include_usage": self._should_stream_usage(**kwargs)}
        return {**kwargs, "stream": True, "stream_options": usage}

    # Answers -------------------------------------------------------------------------------

    def _create_chat_result(
        self, response: dict[str, Any] | openai.BaseModel, generation_info: Any = None
    ) -> ChatResult:
        """Return an answer as LangChain's result, in which every choice has its finish reason."""
        result = super()._create_chat_result(response, generation_info)
        choices = response["choices"] if isinstance(response, dict) else _choices(response)
        for generation, choice in zip(result.generations, choices, strict=True):
            info = {**(generation.generation_info or {}), "finish_reason": choice["finish_reason"]}
            generation.generation_info = info | _stop_reason(choice)
        return result

    def _convert_chunk_to_generation_chunk(
        self, chunk: dict[str, Any], default_chunk_class: type, base_generation_info: Any
    ) -> ChatGenerationChunk | None:
        converted = super()._convert_chunk_to_generation_chunk(
            chunk, default_chunk_class, base_generation_info
        )
        choices = chunk.get("choices") or [{}]
        if converted is not None and (stop_reason := _stop_reason(choices[0])):
            converted.generation_info = {**(converted.generation_info or {}), **stop_reason}
        return converted

    def _to_chat_result(self, completion: openai.BaseModel) -> ChatResult:
        """Return a completion as the answer to a chat."""
        response = completion.model_dump(warnings=False)
        for choice in response["choices"]:
            choice["message"] = _as_message(choice)
        result = self._create_chat_result(response)
        for generation in result.generations:
            _parse_json(generation.message)
        return result

    def _to_chat_chunk(self, piece: openai.BaseModel) -> ChatGenerationChunk:
        """Return a piece of a streamed completion as a chunk of a chat's answer."""
        response = piece.model_dump(warnings=False)
        for choice in response["choices"]:
            choice["delta"] = _as_message(choice)
        chunk = self._convert_chunk_to_generation_chunk(response, AIMessageChunk, None)
        assert chunk is not None
        return chunk

    def with_structured_output(
        self,
        schema: dict[str, Any] | type[BaseModel] | type | None = None,
        *,
        method: Literal["function_calling", "json_mode", "json_schema"] = "json_schema",
        include_raw: bool = False,
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, Any]:
        """Return a model whose answers match a schema, by default by vLLM's own grammar.

        The method `function_calling` needs a server that was started with a tool parser.
        """
        return super().with_structured_output(
            schema, method=method, include_raw=include_raw, strict=strict, **kwargs
        )


def _needs_single_request(options: dict[str, Any], fields: dict[str, Any]) -> bool:
    """Return whether a reply cannot be continued: several choices, tools, or a schema."""
    if (options.get("n") or 1) > 1:
        return True
    if options.get("tools") or options.get("response_format"):
        return True
    return bool(fields.get("structured_outputs"))


def _choices(response: openai.BaseModel) -> list[dict[str, Any]]:
    """Return the reasons why each choice ended; vLLM's `stop_reason` is not a field of OpenAI's."""
    return [
        {name: getattr(choice, name, None) for name in ("finish_reason", "stop_reason")}
        for choice in getattr(response, "choices", [])
    ]


def _stop_reason(choice: dict[str, Any]) -> dict[str, Any]:
    """Return vLLM's `stop_reason` of a choice, if it has one."""
    if choice.get("stop_reason") is None:
        return {}
    return {"stop_reason": choice["stop_reason"]}


def _as_message(choice: dict[str, Any]) -> dict[str, Any]:
    """Take the text out of a completion's choice, as the message of a chat's choice."""
    choice.pop("logprobs", None)
    return {"role": "assistant", "content": choice.pop("text")}


def _parse_json(message: BaseMessage) -> None:
    """Add the object of an answer in JSON, where LangChain looks for a structured answer."""
    if message.text.lstrip().startswith("{"):
        try:
            message.additional_kwargs["parsed"] = json.loads(message.text)
        except ValueError:
            return
