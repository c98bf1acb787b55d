"""What went wrong between a model and its server -> one sentence that says so.

an `openai` or `httpx` error -> the LangChain error that callers catch, of the same kind, in clear
words. Knows what vLLM says; lets no key into a message.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import openai
from langchain_openai.chat_models import base

from longchain.errors import WindowError
from longchain.models.address import shown_url
from longchain.models.longwriter.http import httpx

_WINDOW = re.compile(r"maximum context length (?:of|is) (\d+)")
_PROMPT = re.compile(
    r"(?:contains|has|take)\s+(?:at least )?(\d+)\s+(?:input )?tokens"
    r"|Input length \((\d+)\)|prompt[^.]*?\(length (\d+)\)"
)
_LENGTH = re.compile(
    r"maximum\s+context length \((\d+)\)|maximum model length of (\d+)|max_model_len=(\d+)"
)

_NO_CHAT = re.compile(r"OpenAI-compatible endpoint|missing 'choices'|null value for 'choices'")
"""What LangChain says of an answer that is no chat completion."""

_KINDS: tuple[tuple[type[openai.APIStatusError], type[openai.APIStatusError]], ...] = (
    (openai.AuthenticationError, base.OpenAIAuthenticationError),
    (openai.PermissionDeniedError, base.OpenAIPermissionDeniedError),
    (openai.NotFoundError, base.OpenAIModelNotFoundError),
    (openai.RateLimitError, base.OpenAIRateLimitError),
    (openai.InternalServerError, base.OpenAIAPIError),
    (openai.BadRequestError, base.OpenAIInvalidRequestError),
    (openai.UnprocessableEntityError, base.OpenAIInvalidRequestError),
)


class Explainer:
    """Says what an error of a server means.

    Args:
        url: The server's address, up to and with `/v1`.
        model: The name that was asked for.
        names: Asks the server which models it serves; it may raise.
        dead: Returns a sentence where the server was started by us and has ended.
    """

    def __init__(
        self,
        url: str,
        model: str,
        names: Callable[[], list[str]],
        dead: Callable[[], str | None],
    ) -> None:
        self.url = shown_url(url)
        self.model = model
        self.names = names
        self.dead = dead

    def explained(self, error: Exception) -> Exception:
        """Return the error to raise in the place of one that a call met; maybe the same."""
        found = self._meant(error)
        # Its message says what to do: see `longchain.models.resolve.explain`.
        vars(found).setdefault("complete", found is not error)
        return found

    def _meant(self, error: Exception) -> Exception:
        if isinstance(error, openai.APITimeoutError | httpx.TimeoutException):
            request = _request(error, self.url)
            return _said(
                base.OpenAITimeoutError(request), self._ended("did not answer in time", "")
            )
        if isinstance(error, openai.APIConnectionError | httpx.TransportError):
            return self.lost(_request(error, self.url))
        if isinstance(error, openai.APIStatusError):
            return self._status(error)
        if isinstance(error, openai.APIError):  # in the middle of a stream
            said = " ".join(error.message.split())[:300]
            return overflow(said) or _failed(
                f"the server at {self.url} failed: {said}", self.url, error.body
            )
        if isinstance(error, KeyError | TypeError | ValueError) and _NO_CHAT.search(str(error)):
            return base.OpenAIModelNotFoundError(
                self._foreign("its answer is none"), response=_response(404, self.url), body=None
            )
        return error

    @contextmanager
    def clearly(self) -> Iterator[None]:
        """Run something whose errors are said clearly."""
        try:
            yield
        except Exception as error:
            found = self.explained(error)
            if found is error:
                raise
            raise found from None

    def lost(self, request: httpx.Request | None = None) -> Exception:
        """Return the error of a server that cannot be reached or went away."""
        hint = f"start one with `longchain vllm {self.model}`, or correct the base URL"
        message = self._ended("cannot be reached or went away", hint)
        request = request or httpx.Request("POST", self.url)
        return base.OpenAIConnectionError(message=message, request=request)

    def _ended(self, what: str, hint: str) -> str:
        if sentence := self.dead():
            return sentence
        return f"the server at {self.url} {what}" + (f"; {hint}" if hint else "")

    def _status(self, error: openai.APIStatusError) -> Exception:
        said = _message(error)
        if found := overflow(said):
            return found
        kind = next((ours for theirs, ours in _KINDS if isinstance(error, theirs)), None)
        if kind is None:
            return error
        return kind(self._sentence(error, said), response=error.response, body=error.body)

    def _sentence(self, error: openai.APIStatusError, said: str) -> str:
        if isinstance(error, openai.NotFoundError):
            return self._not_found(said)
        if isinstance(error, openai.AuthenticationError):
            return f"the server at {self.url} refuses the key: give api_key or LONGCHAIN_API_KEY"
        if isinstance(error, openai.InternalServerError) and (sentence := self.dead()):
            return sentence
        if "chat template" in said.lower():
            return (
                f"the model {self.model!r} has no chat template: name a prompt format, such as "
                'LongWriterLLM(prompt_format="alpaca"), or serve it with --chat-template FILE'
            )
        return f"the server at {self.url} answers with HTTP {error.status_code}: {said}"

    def _foreign(self, said: str) -> str:
        return (
            f"the server at {self.url} is no OpenAI-compatible one ({said}): "
            "the base URL mostly ends in /v1"
        )

    def _not_found(self, said: str) -> str:
        try:
            served = self.names()
        except Exception:  # whatever it is, the sentence says what is known
            served = []
        if not served:
            return self._foreign(said)
        if self.model in served:
            return f"the server at {self.url} answers with HTTP 404: {said}"
        names = ", ".join(map(repr, served[:8]))
        return f"the server at {self.url} serves no model {self.model!r}; it serves {names}"


def overflow(said: str) -> WindowError | None:
    """Return the error that a server's message means where a window is too small, or None."""
    window = _WINDOW.search(said) or _LENGTH.search(said)
    if window is None:
        return None
    most = next(int(number) for number in window.groups() if number)
    prompt = _PROMPT.search(said)
    tokens = next((int(n) for n in prompt.groups() if n), None) if prompt else None
    return WindowError(window=most, tokens=tokens)


def _message(error: openai.APIStatusError) -> str:
    """Return what a server says, without the status and the JSON around it."""
    body: Any = error.body
    for key in ("error", "message", "detail"):
        if isinstance(body, dict) and body.get(key):
            body = body[key]
    text = body if isinstance(body, str) else error.message
    return " ".join(text.split())[:300]


def _request(error: Exception, url: str) -> httpx.Request:
    try:
        return error.request  # type: ignore[attr-defined, no-any-return]
    except (AttributeError, RuntimeError):
        return httpx.Request("POST", url)


def _said(error: base.OpenAITimeoutError, message: str) -> Exception:
    """Give a timeout its sentence: its class makes up a message of its own."""
    error.message = message
    error.args = (message,)
    return error


def aborted(url: str, finish: str) -> Exception:
    """Return the error of a reply that the server gave up: no prose to be kept."""
    return _failed(
        f"the server at {url} gave up a reply (finish reason {finish!r}); try again", url
    )


def _failed(message: str, url: str, body: object = None) -> Exception:
    return base.OpenAIAPIError(message, response=_response(500, url), body=body)


def _response(status: int, url: str) -> httpx.Response:
    return httpx.Response(status, request=httpx.Request("POST", url))
