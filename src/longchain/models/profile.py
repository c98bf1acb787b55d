"""Profile of a chat model, wrapped or not: its window, its structured output, its reply limits.

model -> context window, support of JSON schemas, the model with a limit on its replies

Asks no server but the model's own, once. Knows nothing of prompts.
"""

from __future__ import annotations

import sys
from typing import Any

from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable

REASONING_TOKENS = 25_000
"""Tokens for hidden reasoning, on top of the reply: one limit covers both.

Generous on purpose: a limit that is reached while thinking leaves no prose at all, and tokens that
are not used cost nothing.
"""


def unwrap(model: Any) -> list[Any]:
    """Return a model's wrappers, the outermost first, and the model itself last.

    `bind`, `with_retry`, `with_config` and `with_fallbacks` wrap a model, in any order; of
    fallbacks, the first choice is the model.
    """
    layers = [model]
    while not isinstance(layers[-1], BaseChatModel):
        # Not by getattr: wrappers pass on the attributes of the model inside.
        fields = getattr(layers[-1], "__dict__", {})
        inner = fields.get("bound", fields.get("runnable"))
        if inner is None:
            break
        layers.append(inner)
    return layers


def _profile_value(model: BaseChatModel, key: str) -> Any:
    """Return a value of a model's LangChain profile, also if the model is wrapped.

    A model on a server of its own is asked for its profile, once.
    """
    innermost = unwrap(model)[-1]
    profile = getattr(innermost, "profile", None)
    if profile is None and (ask := getattr(innermost, "ask_profile", None)):
        profile = ask()
    return (profile or {}).get(key)


def context_window(model: BaseChatModel) -> int | None:
    """Return the maximum tokens of a prompt, None if the model's profile does not name it.

    For a server that was asked: of prompt and reply together.
    """
    window = _profile_value(model, "max_input_tokens")
    return window if isinstance(window, int) and window > 0 else None


def supports_json_schema(model: BaseChatModel) -> bool | None:
    """Return whether a model answers by a JSON schema, None if its profile does not say."""
    value = _profile_value(model, "structured_output")
    return value if isinstance(value, bool) else None


def truncation_errors() -> tuple[type[Exception], ...]:
    """Return the errors that a client raises for a structured answer that was cut or filtered.

    OpenAI's client raises them in place of the answer; a client that is not loaded has none.
    """
    client = sys.modules.get("openai")
    names = ("LengthFinishReasonError", "ContentFilterFinishReasonError")
    return tuple(getattr(client, name) for name in names if hasattr(client, name))


_LIMIT_FIELDS = {
    "ChatOllama": "num_predict",
    "ChatGoogleGenerativeAI": "max_output_tokens",
    "ChatVertexAI": "max_output_tokens",
}
"""Name of the reply limit, by class; all other classes call it `max_tokens`."""

_LIMITED_BY_FIELD = "ChatOllama"
"""Class whose limit must be set in its field: as an argument of a call it is a TypeError."""


def output_limit(model: BaseChatModel, tokens: int) -> dict[str, int]:
    """Return the limit of a reply in tokens, under the name that the model's class uses.

    A reasoning model gets `REASONING_TOKENS` on top: its limit covers the reasoning, too. The
    limit never exceeds the model's own maximum, nor a limit that the user has set or bound.
    """
    *wrappers, innermost = unwrap(model)
    classes = (cls.__name__ for cls in type(innermost).__mro__)
    key = next((_LIMIT_FIELDS[name] for name in classes if name in _LIMIT_FIELDS), "max_tokens")
    if _profile_value(model, "reasoning_output"):
        tokens += REASONING_TOKENS
    bounds = [_profile_value(model, "max_output_tokens"), getattr(innermost, key, None)]
    for wrapper in wrappers:
        kwargs = getattr(wrapper, "kwargs", None)
        if isinstance(kwargs, dict):
            bounds.append(kwargs.get(key))
    return {key: min([tokens, *(n for n in bounds if isinstance(n, int) and n > 0)])}


def limited(model: BaseChatModel, tokens: int) -> Runnable[LanguageModelInput, AIMessage]:
    """Return a model, with its wrappers, whose replies are limited by `output_limit`.

    The limit is an argument of each call. Ollama's class gets it in a field instead, in a copy
    that shares its connections; each of several fallbacks then has a limit of its own.
    """
    if _is_limited_by_field(model):
        copy: Runnable[LanguageModelInput, AIMessage] = _limited_copy(model, tokens)
        return copy
    return model.bind(**output_limit(model, tokens))


def _wrapped_parts(model: Any) -> dict[str, Any]:
    """Return the Runnables inside a wrapper by field; of fallbacks, all of them."""
    if isinstance(model, BaseChatModel):
        return {}
    fields = getattr(model, "__dict__", {})
    return {key: fields[key] for key in ("bound", "runnable", "fallbacks") if key in fields}


def _is_limited_by_field(model: Any) -> bool:
    """Return whether a model, wrapped or not, or one of several takes its limit in a field."""
    if isinstance(model, (list, tuple)):
        return any(map(_is_limited_by_field, model))
    if parts := _wrapped_parts(model):
        return any(map(_is_limited_by_field, parts.values()))
    return any(cls.__name__ == _LIMITED_BY_FIELD for cls in type(model).__mro__)


def _limited_copy(model: Any, tokens: int) -> Any:
    """Return a copy of a model, or of each of several, with the limit inside its wrappers."""
    if isinstance(model, (list, tuple)):
        return [_limited_copy(one, tokens) for one in model]
    if parts := _wrapped_parts(model):
        changes = {key: _limited_copy(part, tokens) for key, part in parts.items()}
        kwargs = getattr(model, "kwargs", None) or {}
        # Bound `options` replace everything that Ollama's class has in its fields.
        if options := kwargs.get("options"):
            limit = output_limit(model, tokens)
            changes["kwargs"] = {**kwargs, "options": {**limit, **options}}
        return model.model_copy(update=changes)
    if not isinstance(model, BaseChatModel):
        return model
    limit = output_limit(model, tokens)
    if _is_limited_by_field(model):
        return model.model_copy(update=limit)
    return model.bind(**limit)
