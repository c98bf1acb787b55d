"""`LongWriterLLM`: a LangChain chat model over a vLLM server.

messages -> `AIMessage`, streamed or whole, continued where the server cuts it

HTTP only: vLLM itself need not be installed here. What LangChain's `BaseChatOpenAI` does is left to
it; what is ours is the prompt format, the fields of long-form sampling, continuation, exact token
counts, and clear errors.
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
from longchain.models.longwriter import fields
from longchain.models.longwriter.dialog import Dialog
from longchain.models.longwriter.formats import STOP, render
from longchain.models.longwriter.reply import Ongoing
from longchain.models.longwriter.served import ServedModel
from longchain.models.longwriter.serving import Served
from longchain.models.longwriter.thinking import Thinking


class LongWriterLLM(ServedModel):
    """A LongWriter model, or any other, on a vLLM server.

    Presets by the model's name set how it wants to be asked: see
    `longchain.models.longwriter.presets`. Whatever the caller gives goes before them.

    A reply that a request cuts is continued in further requests, as far as `max_tokens`, the
    window, or the reply's own end; streamed or not, it is one reply with one usage.

    Example:
        ```python
        from longchain import LongWriterLLM

        model = LongWriterLLM(model="LongWriter-glm4-9b", base_url="http://127.0.0.1:8000/v1")
        assert (model.temperature, model.top_k, model.max_tokens) == (0.5, 50, 32_768)
        ```
        With a server of its own: `with LongWriterLLM.serve("THUDM/LongWriter-glm4-9b") as model:`

    Raises:
        InputError: A field that no vLLM server knows; the sentence names it.
        ModelNameError: No model is named.
    """

    @classmethod
    def serve(cls, model: str | Path, **options: Any) -> Served[Self]:
        """Serve a model by a vLLM of one's own, and ask it: `with LongWriterLLM.serve(…) as llm:`.

        Also `async with`. The server ends with the block. LongWriter's own models are served with
        their window; the tokenizer of LongWriter-glm4-9b is code of its authors, which is run.

        Args:
            model: A folder in Hugging Face's format, or a name that a hub knows.
            **options: Arguments of `longchain.models.server.serve` (`python`, `max_model_len`,
                `tensor_parallel_size`, `flags`, `progress`, …); all others are fields of the model.

        Raises:
            InputError: An argument cannot be used.
            ServerError: (on entering) vLLM did not start; the message says why.
        """
        return Served(cls, model, options)

    # Requests ------------------------------------------------------------------------------

    def _get_request_payload(
        self, input_: LanguageModelInput, *, stop: list[str] | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        own, extra = fields.routed(kwargs)
        if "max_completion_tokens" in own:
            own["max_tokens"] = own.pop("max_completion_tokens")
        if extra:
            own["extra_body"] = {**self._default_params.get("extra_body", {}), **extra}
        payload: dict[str, Any] = super()._get_request_payload(input_, stop=stop, **own)
        if ends := self._ends(payload.get("stop")):
            payload["stop"] = ends
        return payload

    def _ends(self, asked: str | list[str] | None) -> list[str]:
        """Return the stop strings that were asked for, and those of the prompt format."""
        return [*([asked] if isinstance(asked, str) else asked or ()), *STOP[self.form]]

    def _prompted(
        self, messages: list[BaseMessage], stop: list[str] | None, kwargs: dict[str, Any]
    ) -> dict[str, Any]:
        """Return the request of a prompt in a format of ours: a completion, not a chat."""
        payload = self._get_request_payload(messages, stop=stop, **kwargs)
        if refused := {"tools", "logprobs", "top_logprobs"} & payload.keys():
            raise InputError(f"the prompt format {self.form!r} has no {sorted(refused)[0]}")
        payload["prompt"] = render(payload.pop("messages"), self.form)
        extra = dict(payload.pop("extra_body", {}))
        for name in ("add_generation_prompt", "continue_final_message", "chat_template_kwargs"):
            extra.pop(name, None)
        if "response_format" in payload:
            extra["response_format"] = payload.pop("response_format")
        return {**payload, "extra_body": extra}

    def _dialog(
        self, messages: list[BaseMessage], stop: list[str] | None, kwargs: dict[str, Any]
    ) -> Dialog:
        asked = self._default_params | kwargs
        extra = {**asked, **(asked.get("extra_body") or {}), **(kwargs.get("extra_body") or {})}
        single = bool(
            (asked.get("n") or 1) > 1
            or asked.get("tools")
            or asked.get("response_format")
            or extra.get("structured_outputs")
        )
        ongoing = Ongoing(
            budget=asked.get("max_completion_tokens") or asked.get("max_tokens"),
            step=None if single else self.request_tokens,
            least=extra.get("min_tokens") or 0,
            window=self._window,
            stop=self._ends(stop or asked.get("stop")),
        )
        raw = self.form != "chat"
        return Dialog(
            messages,
            kwargs,
            ongoing,
            single=single,
            thinking=Thinking() if self.form == "zero" else None,
            explainer=self._explainer(),
            prefilled=raw or bool(extra.get("continue_final_message")),
            learn=self._learn_window,
        )

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        dialog = self._dialog(messages, stop, kwargs)
        while not dialog.over:
            with dialog.clearly():
                shown, limits = dialog.call()
                try:
                    if self.form == "chat":
                        result = super()._generate(shown, stop, None, **limits)
                    else:
                        asked = self._prompted(shown, stop, limits)
                        result = self._chat_of(self.root_client.completions.create(**asked))
                except openai.LengthFinishReasonError as error:  # half of a JSON text
                    result = self._create_chat_result(error.completion)
                dialog.take(result)
        return dialog.result()

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        dialog = self._dialog(messages, stop, kwargs)
        while not dialog.over:
            async with dialog.aclearly():
                shown, limits = dialog.call()
                try:
                    if self.form == "chat":
                        result = await super()._agenerate(shown, stop, None, **limits)
                    else:
                        asked = self._prompted(shown, stop, limits)
                        client = self.root_async_client.completions
                        result = self._chat_of(await client.create(**asked))
                except openai.LengthFinishReasonError as error:
                    result = self._create_chat_result(error.completion)
                dialog.take(result)
        return dialog.result()

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        def tell(chunk: ChatGenerationChunk) -> ChatGenerationChunk:
            if run_manager:
                run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            return chunk

        dialog = self._dialog(messages, stop, kwargs)
        while not dialog.over:
            with dialog.clearly():
                for chunk in self._chunks(*dialog.call(), stop):
                    for shown in dialog.passed(chunk):
                        yield tell(shown)
                    if dialog.ongoing.stopped_by is not None:
                        break
                dialog.end()
        for shown in dialog.last():
            yield tell(shown)

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        async def tell(chunk: ChatGenerationChunk) -> ChatGenerationChunk:
            if run_manager:
                await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            return chunk

        dialog = self._dialog(messages, stop, kwargs)
        while not dialog.over:
            async with dialog.aclearly():
                async for chunk in self._achunks(*dialog.call(), stop):
                    for shown in dialog.passed(chunk):
                        yield await tell(shown)
                    if dialog.ongoing.stopped_by is not None:
                        break
                dialog.end()
        for shown in dialog.last():
            yield await tell(shown)

    def _chunks(
        self, messages: list[BaseMessage], kwargs: dict[str, Any], stop: list[str] | None
    ) -> Iterator[ChatGenerationChunk]:
        """Stream one request."""
        if self.form == "chat":
            yield from super()._stream(messages, stop, None, **kwargs)
            return
        asked = self._prompted(messages, stop, self._streamed(kwargs))
        with self.root_client.completions.create(**asked) as stream:
            yield from map(self._chunk_of, stream)

    async def _achunks(
        self, messages: list[BaseMessage], kwargs: dict[str, Any], stop: list[str] | None
    ) -> AsyncIterator[ChatGenerationChunk]:
        """Stream one request asynchronously."""
        if self.form == "chat":
            async for chunk in super()._astream(messages, stop, None, **kwargs):
                yield chunk
            return
        asked = self._prompted(messages, stop, self._streamed(kwargs))
        async with await self.root_async_client.completions.create(**asked) as stream:
            async for piece in stream:
                yield self._chunk_of(piece)

    def _streamed(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        kwargs = {name: value for name, value in kwargs.items() if name != "stream_usage"}
        usage = {"include_usage": self._should_stream_usage(**kwargs)}
        return {**kwargs, "stream": True, "stream_options": usage}

    # Answers -------------------------------------------------------------------------------

    def _create_chat_result(
        self, response: dict[str, Any] | openai.BaseModel, generation_info: Any = None
    ) -> ChatResult:
        """Return LangChain's form of an answer; every choice has its own finish reason."""
        result = super()._create_chat_result(response, generation_info)
        choices = response["choices"] if isinstance(response, dict) else _choices(response)
        for generation, choice in zip(result.generations, choices, strict=True):
            info = {**(generation.generation_info or {}), "finish_reason": choice["finish_reason"]}
            if choice.get("stop_reason") is not None:
                info["stop_reason"] = choice["stop_reason"]
            generation.generation_info = info
        return result

    def _convert_chunk_to_generation_chunk(
        self, chunk: dict[str, Any], default_chunk_class: type, base_generation_info: Any
    ) -> ChatGenerationChunk | None:
        found = super()._convert_chunk_to_generation_chunk(
            chunk, default_chunk_class, base_generation_info
        )
        choices = chunk.get("choices") or [{}]
        if found is not None and choices[0].get("stop_reason") is not None:
            info = {**(found.generation_info or {}), "stop_reason": choices[0]["stop_reason"]}
            found.generation_info = info
        return found

    def _chat_of(self, completion: openai.BaseModel) -> ChatResult:
        """Return a completion as a chat's answer."""
        plain = completion.model_dump(warnings=False)
        for choice in plain["choices"]:
            choice["message"] = {"role": "assistant", "content": choice.pop("text")}
            choice.pop("logprobs", None)
        result = self._create_chat_result(plain)
        for generation in result.generations:
            _parsed(generation.message)
        return result

    def _chunk_of(self, piece: openai.BaseModel) -> ChatGenerationChunk:
        plain = piece.model_dump(warnings=False)
        for choice in plain["choices"]:
            choice["delta"] = {"role": "assistant", "content": choice.pop("text")}
            choice.pop("logprobs", None)
        found = self._convert_chunk_to_generation_chunk(plain, AIMessageChunk, None)
        assert found is not None
        return found

    def with_structured_output(
        self,
        schema: dict[str, Any] | type[BaseModel] | type | None = None,
        *,
        method: Literal["function_calling", "json_mode", "json_schema"] = "json_schema",
        include_raw: bool = False,
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, Any]:
        """Return the model with answers that match a schema, by vLLM's own grammar by default.

        `function_calling` needs a server started with a tool parser.
        """
        return super().with_structured_output(
            schema, method=method, include_raw=include_raw, strict=strict, **kwargs
        )


def _choices(response: openai.BaseModel) -> list[dict[str, Any]]:
    """Return what ended each choice; vLLM's `stop_reason` is no field of OpenAI's."""
    return [
        {name: getattr(choice, name, None) for name in ("finish_reason", "stop_reason")}
        for choice in getattr(response, "choices", [])
    ]


def _parsed(message: BaseMessage) -> None:
    """Put an answer that is a JSON object where LangChain looks for a structured one."""
    if message.text.lstrip().startswith("{"):
        try:
            message.additional_kwargs["parsed"] = json.loads(message.text)
        except ValueError:
            return
