"""Error translation: errors between a model and its server, as one sentence in plain words.

an error of `openai` or `httpx` -> the LangChain error of the same kind, with a message that says
what to do

Knows vLLM's messages; shows no key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import openai
from langchain_openai.chat_models import base

from longchain.errors import WindowError
from longchain.models.longwriter.http import httpx
from longchain.models.redact import redact_url

_WINDOW = re.compile(r"maximum context length (?:of|is) (\d+)")
_WINDOW_OTHERWISE = re.compile(
    r"maximum\s+context length \((\d+)\)|maximum model length of (\d+)|max_model_len=(\d+)"
)
_PROMPT_TOKENS = re.compile(
    r"(?:contains|has|take)\s+(?:at least )?(\d+)\s+(?:input )?tokens"
    r"|Input length \((\d+)\)|prompt[^.]*?\(length (\d+)\)"
)
_NO_CHAT_COMPLETION = re.compile(
    r"OpenAI-compatible endpoint|missing 'choices'|null value for 'choices'"
)
"""LangChain's words for an answer that is not a chat completion."""

_MAX_MESSAGE_CHARACTERS = 300
_MAX_LISTED_MODELS = 8

_LANGCHAIN_ERRORS: tuple[tuple[type[openai.APIStatusError], type[openai.APIStatusError]], ...] = (
    (openai.AuthenticationError, base.OpenAIAuthenticationError),
    (openai.PermissionDeniedError, base.OpenAIPermissionDeniedError),
    (openai.NotFoundError, base.OpenAIModelNotFoundError),
    (openai.RateLimitError, base.OpenAIRateLimitError),
    (openai.InternalServerError, base.OpenAIAPIError),
    (openai.BadRequestError, base.OpenAIInvalidRequestError),
    (openai.UnprocessableEntityError, base.OpenAIInvalidRequestError),
)
"""LangChain's error for each of OpenAI's."""


class ErrorTranslator:
    """Translates the errors of one server.

    Args:
        url: The server's address, up to and with `/v1`.
        model: The name that requests ask for.
        list_models: Asks the server for the names of its models; may raise.
        diagnose: Returns why the server has ended, for one that this process started; otherwise
            None.
    """

    def __init__(
        self,
        url: str,
        model: str,
        list_models: Callable[[], list[str]],
        diagnose: Callable[[], str | None],
    ) -> None:
        self.url = redact_url(url)
        self.model = model
        self.list_models = list_models
        self.diagnose = diagnose

    @contextmanager
    def translating(self) -> Iterator[None]:
        """Translate the errors of a block."""
        try:
            yield
        except Exception as error:
            translated = self.translate(error)
            if translated is error:
                raise
            raise translated from None

    def translate(self, error: Exception) -> Exception:
        """Return the error to raise in the place of another; the same if it is not known."""
        translated = self._translate(error)
        if translated is not error:
            # No hint need be added to the message: see `longchain.models.error_hints.explain`.
            vars(translated).setdefault("complete_message", True)
        return translated

    def _translate(self, error: Exception) -> Exception:
        match error:
            case openai.APITimeoutError() | httpx.TimeoutException():
                return self._timeout(_request_of(error, self.url))
            case openai.APIConnectionError() | httpx.TransportError():
                return self.lost_connection(_request_of(error, self.url))
            case openai.APIStatusError():
                return self._status_error(error)
            case openai.APIError():
                return self._stream_error(error)
            case KeyError() | TypeError() | ValueError() if _NO_CHAT_COMPLETION.search(str(error)):
                message = self._not_compatible("its answer is not a chat completion")
                return base.OpenAIModelNotFoundError(
                    message, response=_response(404, self.url), body=None
                )
        return error

    def _timeout(self, request: httpx.Request) -> Exception:
        error = base.OpenAITimeoutError(request)
        # Its class has a message of its own.
        error.message = self.diagnose() or f"the server at {self.url} did not answer in time"
        error.args = (error.message,)
        return error

    def lost_connection(self, request: httpx.Request | None = None) -> Exception:
        """Return the error for a server that cannot be reached or has broken off a reply."""
        message = self.diagnose() or (
            f"the server at {self.url} cannot be reached or went away; start one with "
            f"`longchain vllm {self.model}`, or correct the base URL"
        )
        request = request or httpx.Request("POST", self.url)
        return base.OpenAIConnectionError(message=message, request=request)

    def _stream_error(self, error: openai.APIError) -> Exception:
        """Translate an error that the server sent in the middle of a stream."""
        message = _shortened(error.message)
        return window_error(message) or _api_error(
            f"the server at {self.url} failed: {message}", self.url, error.body
        )

    def _status_error(self, error: openai.APIStatusError) -> Exception:
        message = _server_message(error)
        if overflow := window_error(message):
            return overflow
        for openai_error, langchain_error in _LANGCHAIN_ERRORS:
            if isinstance(error, openai_error):
                sentence = self._sentence(error, message)
                return langchain_error(sentence, response=error.response, body=error.body)
        return error

    def _sentence(self, error: openai.APIStatusError, message: str) -> str:
        if isinstance(error, openai.NotFoundError):
            return self._not_found(message)
        if isinstance(error, openai.AuthenticationError):
            return f"the server at {self.url} refuses the key: give api_key or LONGCHAIN_API_KEY"
        if isinstance(error, openai.InternalServerError) and (sentence := self.diagnose()):
            return sentence
        if "chat template" in message.lower():
            return (
                f"the model {self.model!r} has no chat template: name a prompt format, such as "
                'LongWriterLLM(prompt_format="alpaca"), or serve it with --chat-template FILE'
            )
        return f"the server at {self.url} answers with HTTP {error.status_code}: {message}"

    def _not_compatible(self, reason: str) -> str:
        return (
            f"the server at {self.url} is not OpenAI-compatible ({reason}): "
            "the base URL mostly ends in /v1"
        )

    def _not_found(self, message: str) -> str:
        """Return the sentence for HTTP 404: a wrong model, or a wrong address."""
        try:
            names = self.list_models()
        except Exception:  # of any kind: the message can be given without the names
            names = []
        if not names:
            return self._not_compatible(message)
        if self.model in names:
            return f"the server at {self.url} answers with HTTP 404: {message}"
        listed = ", ".join(map(repr, names[:_MAX_LISTED_MODELS]))
        return f"the server at {self.url} serves no model {self.model!r}; it serves {listed}"


def window_error(message: str) -> WindowError | None:
    """Return the error for a server's message that the window is too small; None for others."""
    window = _WINDOW.search(message) or _WINDOW_OTHERWISE.search(message)
    if window is None:
        return None
    prompt = _PROMPT_TOKENS.search(message)
    return WindowError(window=_number(window), tokens=_number(prompt) if prompt else None)


def _number(match: re.Match[str]) -> int:
    """Return the number in the only group that took part in a match."""
    return next(int(group) for group in match.groups() if group)


def aborted(url: str, finish_reason: str) -> Exception:
    """Return the error for a reply that the server gave up: its text must not be used."""
    message = f"the server at {url} gave up a reply (finish reason {finish_reason!r}); try again"
    return _api_error(message, url)


def _server_message(error: openai.APIStatusError) -> str:
    """Return a server's message, without the status and the JSON around it."""
    body: Any = error.body
    for key in ("error", "message", "detail"):
        if isinstance(body, dict) and body.get(key):
            body = body[key]
    return _shortened(body if isinstance(body, str) else error.message)


def _shortened(message: str) -> str:
    return " ".join(message.split())[:_MAX_MESSAGE_CHARACTERS]


def _request_of(error: Exception, url: str) -> httpx.Request:
    try:
        return error.request  # type: ignore[attr-defined, no-any-return]
    except (AttributeError, RuntimeError):
        return httpx.Request("POST", url)


def _api_error(message: str, url: str, body: object = None) -> Exception:
    return base.OpenAIAPIError(message, response=_response(500, url), body=body)


def _response(status: int, url: str) -> httpx.Response:
    return httpx.Response(status, request=httpx.Request("POST", url))
