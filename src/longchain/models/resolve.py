"""A model string and the environment -> a chat model; a chat model -> what is known of it.

`"openai:gpt-5"`, `"longwriter:NAME@URL"`, `"offline"`, nothing at all -> `BaseChatModel`

Asks a server for its models only where it is given an address and no name. Knows nothing of
prompts, and lets no key into a message.
"""

from __future__ import annotations

import os
import re
import warnings
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from langchain_core import exceptions
from langchain_core.language_models import BaseChatModel
from pydantic import ValidationError

from longchain.errors import LongchainError, ModelNameError
from longchain.models.address import shown, shown_url

if TYPE_CHECKING:
    from openai.types import Model

DEFAULT_OPENAI_MODEL = "gpt-5-mini"
"""What `OPENAI_API_KEY` alone means: a small model, since a long document takes many tokens."""

_NO_KEY = "none"
_OPENAI_URL = "https://api.openai.com/v1"
_SERVER_TIMEOUT = 10.0

_EXAMPLES = (
    "openai:gpt-5, anthropic:claude-sonnet-4-5, ollama:qwen3:8b, longwriter:NAME@URL or offline"
)
_OPENAI_NAME = re.compile(r"(?:gpt-|chatgpt-|o\d)[^:]*$")
_WHY = "longchain_model"


def chat_model(
    model: str | BaseChatModel | None = None,
    *,
    base_url: str | None = None,
    temperature: float | None = None,
    **kwargs: Any,
) -> BaseChatModel:
    """Return the chat model that is meant, the first of these that says anything.

    1. `model`: a chat model, which is returned as it is, or a string.
    2. `LONGCHAIN_MODEL`.
    3. The model of the server at `base_url`, or at `LONGCHAIN_BASE_URL`.
    4. `OPENAI_API_KEY`: `openai:gpt-5-mini`.
    5. The offline writer.

    A string is `provider:name` as for `init_chat_model`; `longwriter:NAME@URL`; `offline`; or a
    bare name, which belongs to the server where there is one. `base_url` stands for
    `LONGCHAIN_BASE_URL` where it is not given; the latter concerns OpenAI-compatible models only.
    A server is sent `OPENAI_API_KEY` where that is set, as by OpenAI's own client. An empty
    environment variable is unset.

    Args:
        model: A model string or a chat model.
        base_url: Address of an OpenAI-compatible server, up to and with `/v1`.
        temperature: Sampling temperature; None: the provider's own.
        **kwargs: More arguments for the chat model's class.

    Raises:
        ModelNameError: The string names no model, its package or key is missing, or the server
            does not say which model it serves.
    """
    if isinstance(model, BaseChatModel):
        return model
    if temperature is not None:
        kwargs["temperature"] = temperature
    given = (model or "").strip()
    if wanted := given or _env("LONGCHAIN_MODEL"):
        why = "as given" if given else "named by LONGCHAIN_MODEL"
        return _marked(_named(wanted, base_url, kwargs), why)
    if url := _server_url(base_url):
        why = "the server's model" if base_url else "the model of the server at LONGCHAIN_BASE_URL"
        return _marked(_served("", url, kwargs), why)
    if _env("OPENAI_API_KEY"):
        return _marked(_openai(DEFAULT_OPENAI_MODEL, None, kwargs), "OPENAI_API_KEY is set")
    why = "no model is named: set LONGCHAIN_MODEL, LONGCHAIN_BASE_URL or OPENAI_API_KEY"
    return _marked(_offline(), why)


def pinned(model: str | None, base_url: str | None) -> tuple[str, str]:
    """Return the string and the address that name the same model in another environment, too.

    Args:
        model: As for `chat_model`.
        base_url: As for `chat_model`.

    Returns:
        Both as they are given, else as the environment names them; an empty string with an
        address means the only model that is served there.
    """
    given, url = (model or "").strip() or _env("LONGCHAIN_MODEL"), (base_url or "").strip()
    provider, colon, rest = given.partition(":")
    if not colon or provider == "openai" or (provider == "longwriter" and "@" not in rest):
        url = url or ("" if given == "offline" else _env("LONGCHAIN_BASE_URL"))
    if given or url:
        return given, url
    return (f"openai:{DEFAULT_OPENAI_MODEL}" if _env("OPENAI_API_KEY") else "offline"), ""


def _env(variable: str) -> str:
    return os.environ.get(variable, "").strip()


def _server_url(base_url: str | None) -> str:
    """Return the address of the server that is meant, checked; empty for none."""
    url = (base_url or "").strip() or _env("LONGCHAIN_BASE_URL")
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid or re.search(r"\s", url):
        raise ModelNameError(
            f"the base URL {shown_url(url)!r} is no web address; write it as http://HOST:PORT/v1"
        )
    return url


def _named(name: str, base_url: str | None, kwargs: dict[str, Any]) -> BaseChatModel:
    """Return the chat model that a string names."""
    provider, colon, rest = name.partition(":")
    if name == "offline":
        if base_url:
            raise ModelNameError("the model 'offline' asks no server: leave out the base URL")
        return _offline()
    if provider == "longwriter":
        return _longwriter(rest, base_url, kwargs)
    if provider == "openai" and colon:
        if not rest:
            raise ModelNameError(f"{name!r} names no model; write openai:NAME")
        return _openai(rest, _server_url(base_url) or None, kwargs)
    if not colon and (url := _server_url(base_url)):
        return _served(name, url, kwargs)
    if _OPENAI_NAME.match(name):
        return _openai(name, None, kwargs)
    found = _provider_model(name, base_url, kwargs)
    if found is None and (url := _server_url(base_url)):
        # Servers have names with a colon, too: `qwen3:8b`.
        found = _served(name, url, kwargs)
    if found is None:
        raise ModelNameError(f"the model {shown(name)!r} is not known; write one as {_EXAMPLES}")
    return found


def _provider_model(
    name: str, base_url: str | None, kwargs: dict[str, Any]
) -> BaseChatModel | None:
    """Ask LangChain for a model; None where it knows no such provider."""
    from langchain.chat_models import init_chat_model

    provider, colon, rest = name.partition(":")
    hidden = shown(name)
    if colon and not rest:
        raise ModelNameError(f"{name!r} names no model; write {provider}:NAME")
    if base_url:
        kwargs = {"base_url": _server_url(base_url), **kwargs}
    try:
        # For some providers LangChain tries langchain-community next, which announces its end.
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            found: BaseChatModel = (
                init_chat_model(rest, model_provider=provider, **kwargs)
                if colon
                else init_chat_model(name, **kwargs)
            )
        return found
    except ImportError as error:
        raise ModelNameError(f"the model {hidden!r} needs a package: {error}") from error
    except AttributeError as error:  # langchain-community is there, but has it no longer
        package = f"langchain-{provider.replace('_', '-')}"
        raise ModelNameError(
            f"the model {hidden!r} needs a package: pip install {package}"
        ) from error
    except ValidationError as error:
        # Its text shows all that the class was given, keys included, so it is not chained.
        raise ModelNameError(f"the model {hidden!r} cannot be set up: {_reasons(error)}") from None
    except ValueError as error:
        if str(error).startswith(("Unsupported provider", "Unable to infer model provider")):
            return None
        raise ModelNameError(f"the model {hidden!r} cannot be set up: {error}") from error
    except Exception as error:
        from openai import OpenAIError

        if not isinstance(error, OpenAIError):
            raise
        raise ModelNameError(f"the model {hidden!r} cannot be set up: {error}") from error


def _reasons(error: ValidationError) -> str:
    details = error.errors()
    return "; ".join(
        ": ".join(filter(None, (".".join(map(str, detail["loc"])), detail["msg"])))
        for detail in details
    )


def _openai(name: str, base_url: str | None, kwargs: dict[str, Any]) -> BaseChatModel:
    """Return a model of OpenAI's, or of a server that speaks its protocol."""
    from langchain_openai import ChatOpenAI

    options: dict[str, Any] = {"model": name, "stream_usage": True}
    url = base_url or _env("OPENAI_API_BASE") or _env("OPENAI_BASE_URL")
    # The client takes an empty variable for an address and fails.
    if url or {"OPENAI_API_BASE", "OPENAI_BASE_URL"} & os.environ.keys():
        options["base_url"] = url or _OPENAI_URL
    if not _env("OPENAI_API_KEY") and not {"api_key", "openai_api_key"} & kwargs.keys():
        if not url:
            raise ModelNameError(
                f"the model 'openai:{shown(name)}' needs a key: set OPENAI_API_KEY, "
                "or a base URL where the server asks for none"
            )
        options["api_key"] = _NO_KEY
    try:
        return ChatOpenAI(**options | kwargs)
    except ValidationError as error:
        hidden = shown(f"openai:{name}")
        raise ModelNameError(f"{hidden!r} cannot be set up: {_reasons(error)}") from None


def _longwriter(rest: str, base_url: str | None, kwargs: dict[str, Any]) -> BaseChatModel:
    """Return `NAME@URL`, or the only model of the server where no name is given."""
    name, _, address = rest.partition("@")
    url = _server_url(address or base_url)
    if not url:
        raise ModelNameError(
            f"{shown(f'longwriter:{rest}')!r} says no server; "
            "write longwriter:NAME@http://HOST:PORT/v1"
        )
    return _vllm(name or _only_model(url, kwargs).id, url, kwargs)


def _vllm(name: str, url: str, kwargs: dict[str, Any]) -> BaseChatModel:
    """Return a model on a vLLM server."""
    from longchain.models.longwriter import LongWriterLLM

    try:
        return LongWriterLLM(model=name, base_url=url, **kwargs)
    except ValidationError as error:
        hidden = shown(f"longwriter:{name}@{url}")
        raise ModelNameError(f"{hidden!r} cannot be set up: {_reasons(error)}") from None


def _served(name: str, url: str, kwargs: dict[str, Any]) -> BaseChatModel:
    """Return the model of that name on a server, or the only one that it serves."""
    if name:
        return _openai(name, url, kwargs)
    served = _only_model(url, kwargs)
    if served.owned_by == "vllm":
        return _vllm(served.id, url, kwargs)
    # As vLLM does, it may say how many tokens the prompt and the reply may have together.
    window = getattr(served, "max_model_len", None)
    if isinstance(window, int) and window > 0:
        kwargs = {"profile": {"max_input_tokens": window}, **kwargs}
    return _openai(served.id, url, kwargs)


def _only_model(url: str, kwargs: dict[str, Any]) -> Model:
    """Ask a server which model it serves."""
    import openai

    key = kwargs.get("api_key") or kwargs.get("openai_api_key") or _env("OPENAI_API_KEY") or _NO_KEY
    secret = getattr(key, "get_secret_value", None)
    client = openai.OpenAI(
        base_url=url,
        api_key=secret() if secret else key,
        max_retries=0,
        timeout=_SERVER_TIMEOUT,
        http_client=kwargs.get("http_client"),
    )
    try:
        found = [served for served in client.models.list().data if served.id]
    except openai.APIStatusError as error:
        raise _no_answer(url, f"HTTP {error.status_code}") from None
    except (openai.OpenAIError, AttributeError, TypeError, ValueError) as error:
        # Not chained: a server's answer may repeat the key that it was sent.
        raise _no_answer(url, _cause(error)) from None
    # An adapter names the model that it belongs to as its parent.
    own = [served for served in found if not getattr(served, "parent", None)]
    if len(own) == 1:
        return own[0]
    names = ", ".join(served.id for served in own[:8])
    serves = f"serves {len(own)} models ({names}); name one" if own else "serves no model"
    raise ModelNameError(f"the server at {shown(url)} {serves}")


def _cause(error: Exception) -> str:
    import openai

    if isinstance(error, openai.APITimeoutError):
        return f"no answer within {_SERVER_TIMEOUT:g} seconds"
    if isinstance(error, openai.APIConnectionError):
        return "no connection"
    return "not the answer of an OpenAI-compatible server"


def _no_answer(url: str, cause: str) -> ModelNameError:
    return ModelNameError(
        f"the server at {shown(url)} does not say which model it serves ({cause}); "
        "check that it runs and that the address ends as its API does, mostly in /v1, "
        "or name the model"
    )


def _offline() -> BaseChatModel:
    from longchain.models.offline import OfflineWriter

    return OfflineWriter()


def _marked(model: BaseChatModel, why: str) -> BaseChatModel:
    """Note in the model why it was chosen; traces show it, requests do not."""
    model.metadata = {**(model.metadata or {}), _WHY: why}
    return model


def describe(model: BaseChatModel) -> str:
    """Return one line that says which model is used, where, and why.

    Example: `gpt-5-mini (ChatOpenAI; OPENAI_API_KEY is set)`.
    """
    url = getattr(model, "openai_api_base", None) or getattr(model, "base_url", None)
    place = f" at {shown(str(url))}" if url else ""
    why = (model.metadata or {}).get(_WHY, "as given")
    return f"{shown(name(model))} ({type(model).__name__}{place}; {why})"


def name(model: BaseChatModel) -> str:
    """Return a model's own name, such as `gpt-5`; its kind where it has none."""
    for field in ("model_name", "model", "model_id", "deployment_name"):
        value = getattr(model, field, None)
        if isinstance(value, str) and value:
            return value
    return model._llm_type


_HINTS: list[tuple[type[Exception], str]] = [
    (exceptions.ModelAuthenticationError, "check the key in the provider's environment variable"),
    (exceptions.ModelPermissionDeniedError, "check what the key may use"),
    (exceptions.ModelNotFoundError, "check the model's name and the base URL"),
    (exceptions.ModelRateLimitError, "wait a little, or lower the concurrency, and resume"),
    (exceptions.ModelTimeoutError, "resume when the server answers again"),
    (exceptions.ModelConnectionError, "check the base URL and that the server runs"),
    (exceptions.ContextOverflowError, "choose a model with a larger window or `summary` memory"),
    (exceptions.ModelAPIError, "resume when the server works again"),
    # What models raise whose package does not translate its errors.
    (TimeoutError, "try again when the server answers"),
    (ConnectionError, "check the base URL and that the server runs"),
]
_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD")
_SECRET = re.compile(r"(?:\b(?:sk|pk|key)[-_]|(?<=[Bb]earer ))[\w.*-]{6,}|(?<=://)\S+(?=@)")
_LONGEST_REASON = 300


def without_secrets(text: str) -> str:
    """Return a message without keys, and without user and password of an address."""
    text = _SECRET.sub("[key]", text)
    for variable, value in os.environ.items():
        if _SECRET_NAME.search(variable) and len(value) >= 8:
            text = text.replace(value, "[key]")
    return text


def explain(error: Exception) -> str:
    """Return one line that says what went wrong and what to do; without any key.

    An `OSError` is taken for the model's only where it is about a connection. Where an error is
    `complete`, its message is the whole sentence.
    """
    if isinstance(error, LongchainError):
        return str(error)
    reason = without_secrets(" ".join(str(error).split()))[:_LONGEST_REASON]
    reason = reason or type(error).__name__
    hint = next((hint for kind, hint in _HINTS if isinstance(error, kind)), "")
    local = isinstance(error, OSError) and not hint
    if getattr(error, "complete", False):  # the message says what to do
        hint = ""
    what = "the run stopped" if local else "the model failed"
    return f"{what}: {reason}" + (f"; {hint}" if hint else "")
