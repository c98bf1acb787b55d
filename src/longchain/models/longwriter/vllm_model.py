"""`VllmModel`: fields of a chat model on a vLLM server, its profile, token counts and errors.

arguments -> the fields of every request; the server's answers -> profile, token counts, errors

Knows the server's `/v1/models` and `/tokenize`; requests for replies are in `model`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Self

import openai
from langchain_core.language_models import ModelProfile
from langchain_core.language_models.base import LangSmithParams
from langchain_core.messages import BaseMessage
from langchain_openai.chat_models.base import BaseChatOpenAI
from pydantic import Field, PrivateAttr, model_validator

from longchain.errors import ModelNameError
from longchain.models.longwriter.defaults import complete
from longchain.models.longwriter.error_translation import ErrorTranslator
from longchain.models.longwriter.http import httpx
from longchain.models.longwriter.presets import preset
from longchain.models.longwriter.prompt_formats import Format, render
from longchain.models.server import Server
from longchain.models.tokens import estimate

_QUERY_TIMEOUT = 10.0
"""Seconds that a server has for cheap queries: its models, a token count."""

_TIMEOUT = httpx.Timeout(3_600.0, connect=10.0)
"""Time limits of a reply: one of 32,768 tokens may take most of an hour, and sends nothing until
it is complete."""

_VLLM_FIELDS = (
    "min_tokens", "top_k", "repetition_penalty", "repetition_detection", "ignore_eos",
    "stop_token_ids", "chat_template_kwargs",
)  # fmt: skip
"""Fields of this class that are vLLM's, and go through `extra_body`."""


class VllmModel(BaseChatOpenAI):
    """A chat model on a vLLM server, as far as its fields and queries of the server."""

    model_name: str = Field(default="", alias="model")
    """Name of the model on the server: see its `/v1/models`."""

    preset_name: str | None = None
    """Published name by which the preset is chosen, if the server has another name for it."""

    prompt_format: Format | None = None
    """Format of the prompt; None: the preset's, otherwise the chat template."""

    max_tokens: int | None = Field(default=None, ge=1)
    """Tokens of a whole reply, of all its requests together."""

    request_tokens: int | None = Field(default=None, ge=16)
    """Tokens of one request; a longer reply takes several. None: one request for all of it."""

    min_tokens: int | None = Field(default=None, ge=0)
    """Tokens before which a reply may not end."""

    top_k: int | None = Field(default=None, ge=-1)
    """Number of most likely tokens to sample from; 0 or -1: all."""

    repetition_penalty: float | None = Field(default=None, gt=0)
    """Penalty on tokens that have occurred; above 1.0 they become less likely."""

    repetition_detection: dict[str, int] | None = None
    """Limits that end a reply which repeats itself (finish reason `repetition`):
    `max_pattern_size` and `min_pattern_size` in tokens, `min_count` repeats."""

    ignore_eos: bool | None = None
    """Whether to write on after the model's own end, up to the limits: for measurements."""

    stop_token_ids: list[int] | None = None
    """Token ids that end a reply, in addition to the model's own."""

    chat_template_kwargs: dict[str, Any] | None = None
    """Variables of the chat template, such as `{"enable_thinking": False}`."""

    lora: str | None = None
    """Name of a LoRA adapter on the server, which is requested instead of the model."""

    stream_usage: bool | None = True

    request_timeout: float | tuple[float, float] | Any | None = Field(
        default=_TIMEOUT, alias="timeout"
    )

    _server: Server | None = PrivateAttr(default=None)
    """Server that was started for this model."""

    _window: int | None = PrivateAttr(default=None)
    """Tokens of prompt and reply together, once the server has told them."""

    _warned: bool = PrivateAttr(default=False)
    """Whether the user was warned that token counts are estimates."""

    def __init__(self, **arguments: Any) -> None:
        # Not in a validator: pydantic shows all arguments in the error, keys included.
        name = str(arguments.get("model") or arguments.get("model_name") or "")
        if not name:
            raise ModelNameError("LongWriterLLM(model=…): name the model as its server does")
        super().__init__(**complete(arguments, name, self._names_of_fields()))

    def attach(self, server: Server) -> None:
        """Store the server that was started for this model; it can say why it has ended."""
        self._server = server

    @classmethod
    def _names_of_fields(cls) -> dict[str, str]:
        """Return the fields and their aliases, each with the name of the field."""
        names = {name: name for name in cls.model_fields}
        for name, field in cls.model_fields.items():
            if field.alias:
                names[field.alias] = name
        return names

    @model_validator(mode="after")
    def _set_longchain_version(self) -> Self:
        from longchain import __version__

        self._add_version("longchain", __version__)
        return self

    @property
    def form(self) -> Format:
        """Prompt format in use."""
        return self.prompt_format or preset(self.preset_name or self.model_name).format

    # LangChain's interface -----------------------------------------------------------------

    @property
    def _llm_type(self) -> str:
        return "longwriter"

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        params["ls_provider"] = "longchain"
        return params

    @property
    def _default_params(self) -> dict[str, Any]:
        params = super()._default_params
        extra_body = {}
        for name in _VLLM_FIELDS:
            value = getattr(self, name)
            if value is not None:
                extra_body[name] = value
        extra_body |= self.extra_body or {}
        if extra_body:
            params["extra_body"] = extra_body
        if self.lora:
            params["model"] = self.lora
        return params

    def _resolve_model_profile(self) -> ModelProfile | None:
        return None  # OpenAI's profiles go by name and do not apply; see `ask_profile`

    def ask_profile(self) -> ModelProfile:
        """Return the model's profile; the first call asks the server for it.

        `max_input_tokens` is the window, prompt and reply together; `structured_output` says
        whether the server can answer in a JSON schema, as every vLLM can. The profile is empty if
        the server does not list its models, or not this one.

        Raises:
            ModelError: The server cannot be reached.
        """
        if self.profile is None:
            with self._translated_errors():
                self.profile = self._profile_from(self._list_models())
        return self.profile

    def _profile_from(self, cards: list[Any]) -> ModelProfile:
        """Return the model's profile from the server's list of models."""
        profile = ModelProfile()
        card_of = {card.id: card for card in cards}
        card = card_of.get(self.lora or self.model_name)
        if card is None:
            return profile
        # An adapter has the window of the model that it belongs to.
        parent = card_of.get(getattr(card, "parent", None) or "")
        window = getattr(card, "max_model_len", None) or getattr(parent, "max_model_len", None)
        if isinstance(window, int):
            profile["max_input_tokens"] = window
            self._set_window(window)
        if card.owned_by == "vllm":
            profile["structured_output"] = True
        return profile

    def _set_window(self, tokens: int) -> None:
        self._window = tokens

    def _list_models(self) -> list[Any]:
        """Return the server's models; none if it does not list them."""
        client = self.root_client.with_options(timeout=_QUERY_TIMEOUT, max_retries=0)
        try:
            return list(client.models.list().data)
        except (openai.NotFoundError, AttributeError, TypeError):  # it speaks another protocol
            return []

    # Tokens --------------------------------------------------------------------------------

    def get_token_ids(self, text: str) -> list[int]:
        """Return a text's token ids, by the server's tokenizer.

        Raises:
            ModelError: The server does not answer, or has no `/tokenize`.
        """
        if self.custom_get_token_ids is not None:
            return self.custom_get_token_ids(text)
        with self._translated_errors():
            return list(self._tokenize(_prompt_query(text))["tokens"])

    def get_num_tokens(self, text: str) -> int:
        """Return the number of tokens of a text: exact, or estimated if the server cannot count."""
        if self.custom_get_token_ids is not None:
            return len(self.custom_get_token_ids(text))
        return self._count(_prompt_query(text), lambda: text)

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens of a text; see `get_num_tokens`."""
        return self.get_num_tokens(text)

    def get_num_tokens_from_messages(
        self, messages: Sequence[BaseMessage], tools: Sequence[Any] | None = None, **kwargs: Any
    ) -> int:
        """Return the number of tokens of a conversation as a prompt, with its format's marks.

        Exact, or estimated if the server cannot count.
        """
        dicts = self._get_request_payload(list(messages))["messages"]
        query: dict[str, Any]
        if self.form != "chat":
            query = {"prompt": render(dicts, self.form)}
        else:
            query = {"messages": dicts}
            if tools:
                bound: Any = self.bind_tools(list(tools))
                query["tools"] = bound.kwargs["tools"]
        return self._count(query, lambda: "\n".join(message.text for message in messages))

    def _count(self, query: Mapping[str, Any], text: Callable[[], str]) -> int:
        """Ask the server for a number of tokens; estimate it, with one warning, if that fails."""
        try:
            return int(self._tokenize(query)["count"])
        except (openai.OpenAIError, httpx.HTTPError, KeyError, TypeError, ValueError):
            if not self._warned:
                self._warned = True
                message = "the server counts no tokens (/tokenize); they are estimated"
                warnings.warn(message, stacklevel=4)
            return estimate(text())

    def _tokenize(self, query: Mapping[str, Any]) -> Any:
        """Return the server's answer to a query at `/tokenize`."""
        client = self.root_client.with_options(timeout=_QUERY_TIMEOUT, max_retries=0)
        url = str(httpx.URL(str(client.base_url)).join("../tokenize"))
        body = {"model": self.lora or self.model_name, **query}
        return client.post(url, cast_to=object, body=body)

    # Errors --------------------------------------------------------------------------------

    def _error_translator(self) -> ErrorTranslator:
        def list_names() -> list[str]:
            return [card.id for card in self._list_models()]

        def diagnose() -> str | None:
            return self._server.diagnose() if self._server is not None else None

        url, model = str(self.openai_api_base), self.lora or self.model_name
        return ErrorTranslator(url, model, list_names, diagnose)

    def _translated_errors(self) -> AbstractContextManager[None]:
        return self._error_translator().translating()


def _prompt_query(text: str) -> dict[str, Any]:
    """Return the query at `/tokenize` for a text by itself."""
    return {"prompt": text, "add_special_tokens": False}
