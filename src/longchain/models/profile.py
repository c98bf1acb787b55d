"""A chat model, wrapped or not -> what is known of it: its window, what it takes, its limits.

Asks no server but the model's own, once. Knows nothing of prompts.
"""

from __future__ import annotations

import sys
from typing import Any

from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable

REASONING_TOKENS = 25_000
"""Room for hidden reasoning on top of the reply, which one limit covers together.

Generous on purpose: a limit that is reached while thinking leaves no prose at all, and tokens that
are not used cost nothing.
"""


def layers(model: Any) -> list[Any]:
    """Return a model's wrappings, the outermost first, and the model itself last.

    `bind`, `with_retry`, `with_config` and `with_fallbacks` wrap a model, in any order; of
    fallbacks, the first choice is the model.
    """
    found = [model]
    while not isinstance(found[-1], BaseChatModel):
        # Not by getattr: wrappings pass on the attributes of what is inside.
        fields = getattr(found[-1], "__dict__", {})
        inner = fields.get("bound", fields.get("runnable"))
        if inner is None:
            break
        found.append(inner)
    return found


def _says(model: BaseChatModel, key: str) -> Any:
    """Return what a model's profile says, also where the model is wrapped.

    A model on a server of its own is asked for it, once.
    """
    own = layers(model)[-1]
    profile = getattr(own, "profile", None)
    if profile is None and (ask := getattr(own, "ask_profile", None)):
        profile = ask()
    return (profile or {}).get(key)


def context_window(model: BaseChatModel) -> int | None:
    """Return how many tokens a prompt may have, None where the model does not say.

    Of a server that was asked, prompt and reply together.
    """
    window = _says(model, "max_input_tokens")
    return window if isinstance(window, int) and window > 0 else None


def structured(model: BaseChatModel) -> bool | None:
    """Return whether a model answers to a JSON schema, None where it does not say."""
    says = _says(model, "structured_output")
    return says if isinstance(says, bool) else None


def half_answers() -> tuple[type[Exception], ...]:
    """Return the errors by which a client says that a structured answer was cut or filtered.

    OpenAI's raises them in the place of the answer; of a client that is not loaded, there are none.
    """
    client = sys.modules.get("openai")
    names = ("LengthFinishReasonError", "ContentFilterFinishReasonError")
    return tuple(getattr(client, name) for name in names if hasattr(client, name))


_LIMITS = {
    "ChatOllama": "num_predict",
    "ChatGoogleGenerativeAI": "max_output_tokens",
    "ChatVertexAI": "max_output_tokens",
}
"""How classes call the limit of a reply that do not call it `max_tokens`."""

_BY_FIELD = "ChatOllama"
"""The class that has its limit in a field of its own: as an argument of a call it is an error."""


def output_limit(model: BaseChatModel, tokens: int) -> dict[str, int]:
    """Return what limits a reply to so many tokens, under the name that the model's class has.

    A reasoning model's limit covers what it thinks, too, and would cut the prose to nothing: it
    gets `REASONING_TOKENS` on top. No limit passes what the model itself allows, nor one that
    the model was made with or bound to.
    """
    *wrappings, own = layers(model)
    kinds = (kind.__name__ for kind in type(own).__mro__)
    key = next((_LIMITS[kind] for kind in kinds if kind in _LIMITS), "max_tokens")
    if _says(model, "reasoning_output"):
        tokens += REASONING_TOKENS
    bounds = [_says(model, "max_output_tokens"), getattr(own, key, None)]
    bound = (getattr(wrapping, "kwargs", None) for wrapping in wrappings)
    bounds += [kwargs.get(key) for kwargs in bound if isinstance(kwargs, dict)]
    return {key: min([tokens, *(b for b in bounds if isinstance(b, int) and b > 0)])}


def limited(model: BaseChatModel, tokens: int) -> Runnable[LanguageModelInput, AIMessage]:
    """Return a model, wrapped as it is, with `output_limit` in force.

    The limit is an argument of each call. Ollama's class gets it in a field instead, in a copy
    that shares its connections; each of several fallbacks then has its own.
    """
    return _copied(model, tokens) if _by_field(model) else model.bind(**output_limit(model, tokens))


def _inside(model: Any) -> dict[str, Any]:
    """Return what a wrapping wraps, by field; of fallbacks, all of them."""
    if isinstance(model, BaseChatModel):
        return {}
    fields = getattr(model, "__dict__", {})
    return {key: fields[key] for key in ("bound", "runnable", "fallbacks") if key in fields}


def _by_field(model: Any) -> bool:
    """Does a model, wrapped or not, or one of several take its limit in a field?"""
    if isinstance(model, (list, tuple)):
        return any(map(_by_field, model))
    if inside := _inside(model):
        return any(map(_by_field, inside.values()))
    return any(kind.__name__ == _BY_FIELD for kind in type(model).__mro__)


def _copied(model: Any, tokens: int) -> Any:
    """Return a copy of a model, or of each of several, with the limit inside its wrappings."""
    if isinstance(model, (list, tuple)):
        return [_copied(one, tokens) for one in model]
    if inside := _inside(model):
        changed = {key: _copied(one, tokens) for key, one in inside.items()}
        kwargs = getattr(model, "kwargs", None) or {}
        # Bound `options` take the place of all that Ollama's class has in its fields.
        if options := kwargs.get("options"):
            limit = output_limit(model, tokens)
            changed["kwargs"] = {**kwargs, "options": {**limit, **options}}
        return model.model_copy(update=changed)
    if not isinstance(model, BaseChatModel):
        return model
    limit = output_limit(model, tokens)
    return model.model_copy(update=limit) if _by_field(model) else model.bind(**limit)
