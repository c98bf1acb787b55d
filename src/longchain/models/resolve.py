"""Model names: finds the chat model that a string, an address and the environment name.

`"openai:gpt-5"`, `"longwriter:NAME@URL"`, `"offline"` or nothing -> `BaseChatModel`

Knows the providers and their environment variables; asks a server for its models only if it gets an
address without a name. Does not know prompts, and shows no key in any message.
"""

from __future__ import annotations

import os
import re
import warnings
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

from langchain_core.language_models import BaseChatModel
from pydantic import ValidationError

from longchain.errors import ModelNameError
from longchain.models.redact import redact_model_name, redact_url

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types import Model

DEFAULT_OPENAI_MODEL = "gpt-5-mini"
"""Model that `OPENAI_API_KEY` alone selects: small, since a long document takes many tokens."""

_NO_KEY = "none"
"""Key for servers that ask for none: OpenAI's client refuses to start without one."""

_OPENAI_URL = "https://api.openai.com/v1"
_OPENAI_URL_VARIABLES = ("OPENAI_API_BASE", "OPENAI_BASE_URL")
_OPENAI_KEY_ARGUMENTS = ("api_key", "openai_api_key")

_MODEL_LIST_TIMEOUT = 10.0
"""Seconds that a server has to list its models."""

_MAX_LISTED_MODELS = 8

_EXAMPLES = (
    "openai:gpt-5, anthropic:claude-sonnet-4-5, ollama:qwen3:8b, longwriter:NAME@URL or offline"
)
_OPENAI_NAME = re.compile(r"(?:gpt-|chatgpt-|o\d)[^:]*$")
_UNKNOWN_PROVIDER = ("Unsupported provider", "Unable to infer model provider")
"""Beginnings of the `ValueError` of `init_chat_model` for a provider that it does not know."""

_REASON_KEY = "longchain_model"
"""Key of a model's metadata for the reason why it was chosen; it appears in traces."""


def chat_model(
    model: str | BaseChatModel | None = None,
    *,
    base_url: str | None = None,
    temperature: float | None = None,
    **kwargs: Any,
) -> BaseChatModel:
    """Return the chat model named by the first of these that is given.

    1. `model`: a chat model, which is returned unchanged, or a string.
    2. `LONGCHAIN_MODEL`.
    3. The model of the server at `base_url`, or at `LONGCHAIN_BASE_URL`.
    4. `OPENAI_API_KEY`: `openai:gpt-5-mini`.
    5. The offline writer.

    A string is `provider:name` as for `init_chat_model`; `longwriter:NAME@URL`; `offline`; or a
    bare name, which is taken for a model of the server if there is one. Without `base_url`,
    `LONGCHAIN_BASE_URL` is used, for OpenAI-compatible models only. A server is sent
    `OPENAI_API_KEY` if that is set, as by OpenAI's own client. An empty environment variable
    counts as unset.

    Args:
        model: A model string or a chat model.
        base_url: Address of an OpenAI-compatible server, up to and with `/v1`.
        temperature: Sampling temperature; None: the provider's own.
        **kwargs: More arguments for the chat model's class.

    Raises:
        ModelNameError: The string does not name a model, its package or key is missing, or the
            server does not say which model it serves.
    """
    if isinstance(model, BaseChatModel):
        return model
    if temperature is not None:
        kwargs["temperature"] = temperature
    chosen, reason = _choose((model or "").strip(), base_url, kwargs)
    chosen.metadata = {**(chosen.metadata or {}), _REASON_KEY: reason}
    return chosen


def _choose(name: str, base_url: str | None, kwargs: dict[str, Any]) -> tuple[BaseChatModel, str]:
    """Return the chat model, and the reason why it was chosen."""
    if name:
        return _model_named(name, base_url, kwargs), "as given"
    if name := _env("LONGCHAIN_MODEL"):
        return _model_named(name, base_url, kwargs), "named by LONGCHAIN_MODEL"
    if url := _server_url(base_url):
        reason = "the model of the server at LONGCHAIN_BASE_URL"
        if base_url:
            reason = "the server's model"
        return _model_at(url, kwargs), reason
    if _env("OPENAI_API_KEY"):
        return _openai(DEFAULT_OPENAI_MODEL, None, kwargs), "OPENAI_API_KEY is set"
    reason = "no model is named: set LONGCHAIN_MODEL, LONGCHAIN_BASE_URL or OPENAI_API_KEY"
    return _offline(), reason


def pin_model(model: str | None, base_url: str | None) -> tuple[str, str]:
    """Return a name and an address that mean the same model also in another environment.

    Args:
        model: As for `chat_model`.
        base_url: As for `chat_model`.

    Returns:
        Both as given, otherwise as the environment names them. An empty name with an address means
        the only model of that server.
    """
    name = (model or "").strip() or _env("LONGCHAIN_MODEL")
    url = (base_url or "").strip()
    if not url and _uses_default_server(name):
        url = _env("LONGCHAIN_BASE_URL")
    if name or url:
        return name, url
    if _env("OPENAI_API_KEY"):
        return f"openai:{DEFAULT_OPENAI_MODEL}", ""
    return "offline", ""


def _uses_default_server(name: str) -> bool:
    """Return whether `LONGCHAIN_BASE_URL` applies to a model name."""
    if name == "offline":
        return False
    provider, colon, rest = name.partition(":")
    if not colon or provider == "openai":
        return True
    return provider == "longwriter" and "@" not in rest


def _env(variable: str) -> str:
    return os.environ.get(variable, "").strip()


def _server_url(base_url: str | None) -> str:
    """Return the given address, otherwise that of the environment; empty if there is none.

    Raises:
        ModelNameError: It is not a web address.
    """
    url = (base_url or "").strip() or _env("LONGCHAIN_BASE_URL")
    if url and not _is_web_address(url):
        raise ModelNameError(
            f"the base URL {redact_url(url)!r} is not a web address; write it as "
            "http://HOST:PORT/v1"
        )
    return url


def _is_web_address(url: str) -> bool:
    if re.search(r"\s", url):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


# Model strings -----------------------------------------------------------------------------


def _model_named(name: str, base_url: str | None, kwargs: dict[str, Any]) -> BaseChatModel:
    """Return the chat model that a string names."""
    if name == "offline":
        if base_url:
            raise ModelNameError("the model 'offline' asks no server: leave out the base URL")
        return _offline()
    provider, colon, rest = name.partition(":")
    if provider == "longwriter":
        return _longwriter(rest, base_url, kwargs)
    if not colon:
        return _model_with_bare_name(name, base_url, kwargs)
    if not rest:
        raise ModelNameError(f"{name!r} does not name a model; write {provider}:NAME")
    if provider == "openai":
        return _openai(rest, _server_url(base_url) or None, kwargs)
    model = _from_provider(name, base_url, kwargs)
    if model is not None:
        return model
    if url := _server_url(base_url):
        # The names of servers' models may have a colon, too, such as `qwen3:8b`.
        return _openai(name, url, kwargs)
    raise _unknown(name)


def _model_with_bare_name(name: str, base_url: str | None, kwargs: dict[str, Any]) -> BaseChatModel:
    """Return the chat model for a name without a provider."""
    if url := _server_url(base_url):
        return _openai(name, url, kwargs)
    if _OPENAI_NAME.match(name):
        return _openai(name, None, kwargs)
    model = _from_provider(name, base_url, kwargs)
    if model is not None:
        return model
    raise _unknown(name)


def _unknown(name: str) -> ModelNameError:
    return ModelNameError(
        f"the model {redact_model_name(name)!r} is not known; write one as {_EXAMPLES}"
    )


def _from_provider(name: str, base_url: str | None, kwargs: dict[str, Any]) -> BaseChatModel | None:
    """Return LangChain's chat model; None if LangChain does not know the provider."""
    if base_url:
        kwargs = {"base_url": _server_url(base_url), **kwargs}
    try:
        return _init_chat_model(name, kwargs)
    except ValidationError as error:
        # Not chained: its text shows all arguments of the class, keys included.
        raise _invalid(name, error) from None
    except Exception as error:
        if isinstance(error, ValueError) and str(error).startswith(_UNKNOWN_PROVIDER):
            return None
        _raise_provider_error(name, error)


def _init_chat_model(name: str, kwargs: dict[str, Any]) -> BaseChatModel:
    from langchain.chat_models import init_chat_model

    provider, colon, rest = name.partition(":")
    model: BaseChatModel
    # For some providers LangChain also tries langchain-community, which warns of its end.
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        if colon:
            model = init_chat_model(rest, model_provider=provider, **kwargs)
        else:
            model = init_chat_model(name, **kwargs)
    return model


def _raise_provider_error(name: str, error: Exception) -> NoReturn:
    """Raise an error of `init_chat_model` as one that says what to do, or unchanged if unknown."""
    subject = f"the model {redact_model_name(name)!r}"
    if isinstance(error, ImportError):
        raise ModelNameError(f"{subject} needs a package: {error}") from error
    if isinstance(error, AttributeError):
        # langchain-community is installed, but no longer has this provider.
        package = f"langchain-{name.partition(':')[0].replace('_', '-')}"
        raise ModelNameError(f"{subject} needs a package: pip install {package}") from error

    from openai import OpenAIError

    if isinstance(error, ValueError | OpenAIError):
        raise ModelNameError(f"{subject} cannot be set up: {error}") from error
    raise error


def _invalid(name: str, error: ValidationError) -> ModelNameError:
    """Return the error for arguments that the model's class refuses; it does not show them."""
    reasons = []
    for detail in error.errors():
        field = ".".join(map(str, detail["loc"]))
        reasons.append(": ".join(filter(None, (field, detail["msg"]))))
    subject = f"the model {redact_model_name(name)!r}"
    return ModelNameError(f"{subject} cannot be set up: {'; '.join(reasons)}")


# Kinds of models ---------------------------------------------------------------------------


def _openai(name: str, base_url: str | None, kwargs: dict[str, Any]) -> BaseChatModel:
    """Return a model of OpenAI's, or of a server that speaks its protocol."""
    from langchain_openai import ChatOpenAI

    options: dict[str, Any] = {"model": name, "stream_usage": True}
    url = base_url or next(filter(None, map(_env, _OPENAI_URL_VARIABLES)), "")
    if url:
        options["base_url"] = url
    elif os.environ.keys() & _OPENAI_URL_VARIABLES:
        # The client would take the empty variable for an address and fail.
        options["base_url"] = _OPENAI_URL
    if not _env("OPENAI_API_KEY") and not kwargs.keys() & _OPENAI_KEY_ARGUMENTS:
        if not url:
            raise ModelNameError(
                f"the model 'openai:{redact_model_name(name)}' needs a key: set OPENAI_API_KEY, "
                "or a base URL if the server asks for none"
            )
        options["api_key"] = _NO_KEY
    try:
        return ChatOpenAI(**options | kwargs)
    except ValidationError as error:
        raise _invalid(f"openai:{name}", error) from None


def _longwriter(name_and_url: str, base_url: str | None, kwargs: dict[str, Any]) -> BaseChatModel:
    """Return the model `NAME@URL`, or the only model of the server if there is no name."""
    name, _, address = name_and_url.partition("@")
    url = _server_url(address or base_url)
    if not url:
        full_name = redact_model_name(f"longwriter:{name_and_url}")
        raise ModelNameError(
            f"{full_name!r} does not name a server; write longwriter:NAME@http://HOST:PORT/v1"
        )
    return _vllm(name or _only_model(url, kwargs).id, url, kwargs)


def _vllm(name: str, url: str, kwargs: dict[str, Any]) -> BaseChatModel:
    """Return a model on a vLLM server."""
    from longchain.models.longwriter import LongWriterLLM

    try:
        return LongWriterLLM(model=name, base_url=url, **kwargs)
    except ValidationError as error:
        raise _invalid(f"longwriter:{name}@{url}", error) from None


def _offline() -> BaseChatModel:
    from longchain.models.offline import OfflineWriter

    return OfflineWriter()


# Servers -----------------------------------------------------------------------------------


def _model_at(url: str, kwargs: dict[str, Any]) -> BaseChatModel:
    """Return the only model of a server."""
    card = _only_model(url, kwargs)
    if card.owned_by == "vllm":
        return _vllm(card.id, url, kwargs)
    # Other servers may send vLLM's field, too: the tokens of prompt and reply together.
    window = getattr(card, "max_model_len", None)
    if isinstance(window, int) and window > 0:
        kwargs = {"profile": {"max_input_tokens": window}, **kwargs}
    return _openai(card.id, url, kwargs)


def _only_model(url: str, kwargs: dict[str, Any]) -> Model:
    """Return what a server says of the only model that it serves.

    Raises:
        ModelNameError: It serves none or several, or does not answer.
    """
    # The `parent` of a LoRA adapter is the model that it belongs to.
    cards = [card for card in _list_models(url, kwargs) if not getattr(card, "parent", None)]
    if len(cards) == 1:
        return cards[0]
    served = "serves no model"
    if cards:
        names = ", ".join(card.id for card in cards[:_MAX_LISTED_MODELS])
        served = f"serves {len(cards)} models ({names}); name one"
    raise ModelNameError(f"the server at {redact_url(url)} {served}")


def _list_models(url: str, kwargs: dict[str, Any]) -> list[Model]:
    """Ask a server for its models; they all have an id."""
    import openai

    client = _client(url, kwargs)
    try:
        return [card for card in client.models.list().data if card.id]
    except (openai.OpenAIError, AttributeError, TypeError, ValueError) as error:
        # Not chained: a server's answer may repeat the key that it was sent.
        raise ModelNameError(
            f"the server at {redact_url(url)} does not say which model it serves "
            f"({_cause(error)}); check that it runs and that the address ends as its API does, "
            "mostly in /v1, or name the model"
        ) from None


def _client(url: str, kwargs: dict[str, Any]) -> OpenAI:
    import openai

    key = kwargs.get("api_key") or kwargs.get("openai_api_key") or _env("OPENAI_API_KEY") or _NO_KEY
    get_secret_value = getattr(key, "get_secret_value", None)
    return openai.OpenAI(
        base_url=url,
        api_key=get_secret_value() if get_secret_value else key,
        max_retries=0,
        timeout=_MODEL_LIST_TIMEOUT,
        http_client=kwargs.get("http_client"),
    )


def _cause(error: Exception) -> str:
    import openai

    match error:
        case openai.APIStatusError():
            return f"HTTP {error.status_code}"
        case openai.APITimeoutError():
            return f"no answer within {_MODEL_LIST_TIMEOUT:g} seconds"
        case openai.APIConnectionError():
            return "no connection"
    return "not the answer of an OpenAI-compatible server"


# Descriptions ------------------------------------------------------------------------------


def describe(model: BaseChatModel) -> str:
    """Return one line that says which model is used, where, and why.

    Example: `gpt-5-mini (ChatOpenAI; OPENAI_API_KEY is set)`.
    """
    url = getattr(model, "openai_api_base", None) or getattr(model, "base_url", None)
    address = f" at {redact_model_name(str(url))}" if url else ""
    reason = (model.metadata or {}).get(_REASON_KEY, "as given")
    return f"{redact_model_name(name(model))} ({type(model).__name__}{address}; {reason})"


def name(model: BaseChatModel) -> str:
    """Return a model's name, such as `gpt-5`, or the type of the model if it has none."""
    for field in ("model_name", "model", "model_id", "deployment_name"):
        value = getattr(model, field, None)
        if isinstance(value, str) and value:
            return value
    return model._llm_type
