"""`ServedModel`: what a chat model and its vLLM server know of each other.

names and fields -> requests' defaults; the server's own answers -> profile, token counts, errors

Knows the environment, the presets and the server's `/v1/models` and `/tokenize`; how a reply is
asked for is `model`'s.
"""

from __future__ import annotations

import os
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
from longchain.models.longwriter import fields
from longchain.models.longwriter.failures import Explainer
from longchain.models.longwriter.formats import Format, render
from longchain.models.longwriter.http import httpx
from longchain.models.longwriter.presets import preset
from longchain.models.server import Server
from longchain.models.tokens import estimate

DEFAULT_URL = "http://127.0.0.1:8000/v1"
"""Where vLLM listens if nothing else is said."""

_ASKED = 10.0
"""Seconds that a server has for what costs it nothing: its models, a token count."""

_TIMEOUT = httpx.Timeout(3_600.0, connect=10.0)
"""A reply of 32,768 tokens may take the better part of an hour, and says nothing until then."""

_LONG_FORM = (
    "min_tokens", "top_k", "repetition_penalty", "repetition_detection", "ignore_eos",
    "stop_token_ids", "chat_template_kwargs",
)  # fmt: skip


class ServedModel(BaseChatOpenAI):
    """A model on a vLLM server: its fields, and what the server says of it."""

    model_name: str = Field(default="", alias="model")
    """The name under which the server has the model: see its `/v1/models`."""

    preset_name: str | None = None
    """The published name that the presets know, where the server has given it another."""

    prompt_format: Format | None = None
    """How messages become a prompt; None: as the preset says, else by the chat template."""

    max_tokens: int | None = Field(default=None, ge=1)
    """Tokens of a whole reply, over however many requests."""

    request_tokens: int | None = Field(default=None, ge=16)
    """Tokens that one request may ask for; a longer reply takes several. None: all at once."""

    min_tokens: int | None = Field(default=None, ge=0)
    """Tokens before which a reply may not end."""

    top_k: int | None = Field(default=None, ge=-1)
    """Sample from the k most likely tokens; 0 or -1: from all."""

    repetition_penalty: float | None = Field(default=None, gt=0)
    """Above 1.0, tokens that have occurred become less likely."""

    repetition_detection: dict[str, int] | None = None
    """End a reply that repeats itself (finish reason `repetition`): `max_pattern_size` and
    `min_pattern_size` in tokens, `min_count` repeats."""

    ignore_eos: bool | None = None
    """Go on past the model's own end, up to the limits: for measurements."""

    stop_token_ids: list[int] | None = None
    """Token ids that end a reply, beside the model's own."""

    chat_template_kwargs: dict[str, Any] | None = None
    """Variables of the chat template, such as `{"enable_thinking": False}`."""

    lora: str | None = None
    """An adapter's name on the server, to be used in the place of the model's own."""

    stream_usage: bool | None = True

    request_timeout: float | tuple[float, float] | Any | None = Field(
        default=_TIMEOUT, alias="timeout"
    )

    _server: Server | None = PrivateAttr(default=None)
    _window: int | None = PrivateAttr(default=None)
    _warned: bool = PrivateAttr(default=False)

    def __init__(self, **given: Any) -> None:
        # Here and not in a validator: what fails there shows all that was given, keys included.
        name = str(given.get("model") or given.get("model_name") or "")
        if not name:
            raise ModelNameError("LongWriterLLM(model=…): name the model as its server does")
        super().__init__(**_completed(given, name, self._own_names()))

    def attach(self, server: Server) -> None:
        """Take note of the server that was started for this model: it can say how it ended."""
        self._server = server

    @classmethod
    def _own_names(cls) -> dict[str, str]:
        """Return the names of the class's own fields, and what they are called inside."""
        names = {name: name for name in cls.model_fields}
        aliases = {f.alias: name for name, f in cls.model_fields.items() if f.alias}
        return names | aliases

    @model_validator(mode="after")
    def _set_longchain_version(self) -> Self:
        from longchain import __version__

        self._add_version("longchain", __version__)
        return self

    @property
    def form(self) -> Format:
        """The prompt format that holds."""
        return self.prompt_format or preset(self.preset_name or self.model_name).format

    # What LangChain asks -------------------------------------------------------------------

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
        own = {name: getattr(self, name) for name in _LONG_FORM}
        extra = {name: value for name, value in own.items() if value is not None}
        extra |= self.extra_body or {}
        if extra:
            params["extra_body"] = extra
        if self.lora:
            params["model"] = self.lora
        return params

    def _resolve_model_profile(self) -> ModelProfile | None:
        return None  # by name, OpenAI's would be found; the server is asked when it is needed

    def ask_profile(self) -> ModelProfile:
        """Return what the server says of the model, asking it the first time.

        `max_input_tokens` is its window, prompt and reply together; `structured_output` says
        whether it answers to a JSON schema, which every vLLM does. Empty where the server does not
        list its models, or not this one: then a call will tell.

        Raises:
            ModelError: The server cannot be reached.
        """
        if self.profile is None:
            with self._clearly():
                self.profile = self._told_by(self._served())
        return self.profile

    def _told_by(self, served: list[Any]) -> ModelProfile:
        profile = ModelProfile()
        cards = {card.id: card for card in served}
        card = cards.get(self.lora or self.model_name)
        if card is None:
            return profile
        parent = cards.get(getattr(card, "parent", None) or "")
        window = getattr(card, "max_model_len", None) or getattr(parent, "max_model_len", None)
        if isinstance(window, int):
            profile["max_input_tokens"] = window
            self._learn_window(window)
        if card.owned_by == "vllm":
            profile["structured_output"] = True
        return profile

    def _learn_window(self, tokens: int) -> None:
        self._window = tokens

    def _served(self) -> list[Any]:
        """Return the server's models; none where it does not list them."""
        client = self.root_client.with_options(timeout=_ASKED, max_retries=0)
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
        with self._clearly():
            return list(self._tokenized({"prompt": text, "add_special_tokens": False})["tokens"])

    def get_num_tokens(self, text: str) -> int:
        """Return how many tokens a text has: exactly, or estimated where the server cannot say."""
        if self.custom_get_token_ids is not None:
            return len(self.custom_get_token_ids(text))
        return self._counted({"prompt": text, "add_special_tokens": False}, lambda: text)

    def count_tokens(self, text: str) -> int:
        """Return how many tokens a text has; see `get_num_tokens`."""
        return self.get_num_tokens(text)

    def get_num_tokens_from_messages(
        self, messages: Sequence[BaseMessage], tools: Sequence[Any] | None = None, **kwargs: Any
    ) -> int:
        """Return how many tokens a conversation has as a prompt, its format's marks included.

        Exactly, or estimated where the server cannot say.
        """
        payload = self._get_request_payload(list(messages))
        shown = payload["messages"]
        if self.form != "chat":
            asked: dict[str, Any] = {"prompt": render(shown, self.form)}
        else:
            asked = {"messages": shown}
            if tools:
                bound: Any = self.bind_tools(list(tools))
                asked["tools"] = bound.kwargs["tools"]
        return self._counted(asked, lambda: "\n".join(message.text for message in messages))

    def _counted(self, asked: Mapping[str, Any], text: Callable[[], str]) -> int:
        try:
            return int(self._tokenized(asked)["count"])
        except (openai.OpenAIError, httpx.HTTPError, KeyError, TypeError, ValueError):
            if not self._warned:
                self._warned = True
                message = "the server counts no tokens (/tokenize); they are estimated"
                warnings.warn(message, stacklevel=4)
            return estimate(text())

    def _tokenized(self, asked: Mapping[str, Any]) -> Any:
        client = self.root_client.with_options(timeout=_ASKED, max_retries=0)
        url = str(httpx.URL(str(client.base_url)).join("../tokenize"))
        body = {"model": self.lora or self.model_name, **asked}
        return client.post(url, cast_to=object, body=body)

    # Errors --------------------------------------------------------------------------------

    def _explainer(self) -> Explainer:
        return Explainer(
            str(self.openai_api_base),
            self.lora or self.model_name,
            lambda: [card.id for card in self._served()],
            lambda: self._server.diagnose() if self._server is not None else None,
        )

    def _clearly(self) -> AbstractContextManager[None]:
        return self._explainer().clearly()


def _completed(given: dict[str, Any], name: str, own: Mapping[str, str]) -> dict[str, Any]:
    """Return a model's arguments with what the environment and its preset say.

    Args:
        given: What the caller says.
        name: The model's name.
        own: Names of the class's fields, with what they are called inside.

    Raises:
        InputError: A name is neither a field's nor one that a vLLM server knows.
    """
    others = {key: value for key, value in given.items() if key not in own}
    extra, more = dict(given.get("extra_body") or {}), dict(given.get("model_kwargs") or {})
    fields.check([*others, *extra, *more], own)
    known = preset(given.get("preset_name") or name, given.get("prompt_format"))
    url = os.environ.get("LONGCHAIN_BASE_URL", "").strip() or DEFAULT_URL
    keys = (os.environ.get(name, "").strip() for name in ("LONGCHAIN_API_KEY", "OPENAI_API_KEY"))
    defaults: dict[str, Any] = {
        **known.sampling,
        "max_tokens": known.max_tokens,
        "stop_token_ids": list(known.stop_token_ids) or None,
        "openai_api_base": url,
        "openai_api_key": next(filter(None, keys), "none"),
    }
    said = {own[key] for key, value in given.items() if key in own and value is not None}
    completed = {key: value for key, value in given.items() if key in own}
    completed = {key: value for key, value in completed.items() if value is not None}
    completed |= {key: value for key, value in defaults.items() if key not in said}
    if extra | others:
        completed["extra_body"] = {**extra, **others}
    return completed
