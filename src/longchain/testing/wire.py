"""Reads and writes the JSON of OpenAI's chat completions API.

body -> `ChatCall`; tokens and usage -> responses and server-sent events

Knows the format; does not know how an answer is generated.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from typing import Any, NamedTuple

from longchain.testing.behavior import role_of, text_of

DONE = b"data: [DONE]\n\n"


class ApiError(Exception):
    """An error response."""

    def __init__(
        self,
        status: int,
        message: str,
        kind: str = "BadRequestError",
        code: str | int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Create an error response.

        Args:
            status: HTTP status.
            message: Description of the error.
            kind: Type of the error, in OpenAI's terms.
            code: Code of the error; None: the status.
            headers: Additional HTTP headers.
        """
        super().__init__(message)
        self.status = status
        self.headers = headers
        error = {"message": message, "type": kind, "param": None, "code": code or status}
        self.body = {"error": error}


class ChatCall(NamedTuple):
    """The parameters of a chat completion that the simulated server supports."""

    messages: list[dict[str, Any]]
    model: str
    max_tokens: int | None
    stop: list[str]
    schema: dict[str, Any] | None
    """JSON schema of the response format; None: any text."""
    stream: bool
    include_usage: bool

    @property
    def turns(self) -> list[tuple[str, str]]:
        """Role and text of every message."""
        return [(role_of(message), text_of(message)) for message in self.messages]

    @classmethod
    def read(cls, body: Mapping[str, Any], model: str) -> ChatCall:
        """Read the JSON of a request; unknown names are ignored, as by vLLM.

        Raises:
            ApiError: The value of a field cannot be used.
        """
        limit = body.get("max_completion_tokens") or body.get("max_tokens")
        if limit is not None and (not isinstance(limit, int) or limit < 1):
            raise ApiError(400, f"max_tokens must be a whole number of at least 1, not {limit!r}.")
        if body.get("n") not in (None, 1):
            raise ApiError(400, f"This server gives one choice per request, not n={body['n']!r}.")
        stop = body.get("stop") or []
        return cls(
            messages=messages_of(body),
            model=str(body.get("model") or model),
            max_tokens=limit,
            stop=[stop] if isinstance(stop, str) else list(stop),
            schema=_schema(body.get("response_format") or {}),
            stream=bool(body.get("stream")),
            include_usage=bool((body.get("stream_options") or {}).get("include_usage")),
        )


def messages_of(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the messages of a request.

    Raises:
        ApiError: The list is missing or empty, or an element is no object.
    """
    messages = body.get("messages")
    if (
        not isinstance(messages, list)
        or not messages
        or not all(isinstance(message, dict) for message in messages)
    ):
        raise ApiError(400, f"messages must be a list of at least one object, not {messages!r}.")
    return messages


def parse(body: bytes) -> dict[str, Any]:
    """Parse the JSON object in a body.

    Raises:
        ApiError: The body is not JSON, or not an object.
    """
    try:
        parsed = json.loads(body)
    except ValueError as error:
        raise ApiError(400, f"The body is not JSON: {error}.") from None
    if not isinstance(parsed, dict):
        raise ApiError(400, f"The body must be a JSON object, not {type(parsed).__name__}.")
    return parsed


def _schema(form: Mapping[str, Any]) -> dict[str, Any] | None:
    if form.get("type") != "json_schema":
        return None
    schema = (form.get("json_schema") or {}).get("schema")
    if not isinstance(schema, dict):
        raise ApiError(
            400, f"response_format.json_schema.schema must be an object, not {schema!r}."
        )
    return schema


def usage(prompt: int, cached: int | None, output: int) -> dict[str, Any]:
    """Return the usage of a request in tokens; `cached` is None for a server without a cache."""
    return {
        "prompt_tokens": prompt,
        "completion_tokens": output,
        "total_tokens": prompt + output,
        "prompt_tokens_details": None if cached is None else {"cached_tokens": cached},
    }


def completion(model: str, text: str, reason: str, usage: dict[str, Any]) -> bytes:
    """Return the body of a complete answer."""
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": reason}
    body = {**_envelope("chat.completion", model), "choices": [choice], "usage": usage}
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")


class Events:
    """The server-sent events of one streamed answer."""

    def __init__(self, model: str) -> None:
        """Create the fields that all events of the answer share."""
        self._envelope = _envelope("chat.completion.chunk", model)
        # Rendered once: the event of a token is then a concatenation instead of a JSON dump.
        before, after = self._event({"content": "\0"}, None).split(json.dumps("\0"))
        self._before, self._after = before, after

    def _event(self, delta: dict[str, Any], reason: str | None) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return f"data: {json.dumps({**self._envelope, 'choices': [choice]})}\n\n"

    def first(self) -> bytes:
        """Return the first event, which has the role."""
        return self._event({"role": "assistant", "content": ""}, None).encode()

    def pieces(self, pieces: list[str]) -> bytes:
        """Return one event for each token."""
        events = [f"{self._before}{json.dumps(piece)}{self._after}" for piece in pieces]
        return "".join(events).encode()

    def last(self, reason: str, usage: dict[str, Any] | None) -> bytes:
        """Return the last events: the finish reason, the usage if requested, and the end."""
        events = self._event({}, reason).encode()
        if usage is not None:
            body = {**self._envelope, "choices": [], "usage": usage}
            events += f"data: {json.dumps(body)}\n\n".encode()
        return events + DONE


def _envelope(kind: str, model: str) -> dict[str, Any]:
    identity = f"chatcmpl-{uuid.uuid4().hex}"
    return {"id": identity, "object": kind, "created": int(time.time()), "model": model}
