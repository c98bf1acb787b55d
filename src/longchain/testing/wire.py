"""The JSON of OpenAI's chat completions, as the simulated server reads and writes it.

body -> `ChatCall`; tokens and usage -> answers and server-sent events

Knows the shapes; does not know how an answer comes about.
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
    """A request that is answered with an error status."""

    def __init__(
        self,
        status: int,
        message: str,
        kind: str = "BadRequestError",
        code: str | int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Take the status, and what stands in the error's JSON."""
        super().__init__(message)
        self.status = status
        self.headers = headers
        error = {"message": message, "type": kind, "param": None, "code": code or status}
        self.body = {"error": error}


class ChatCall(NamedTuple):
    """A request for a chat completion, as far as the simulated server heeds it."""

    messages: list[dict[str, Any]]
    model: str
    max_tokens: int | None
    stop: list[str]
    schema: dict[str, Any] | None
    """The JSON schema of the response format."""
    stream: bool
    include_usage: bool

    @property
    def turns(self) -> list[tuple[str, str]]:
        """Role and text of every message."""
        return [(role_of(message), text_of(message)) for message in self.messages]

    @classmethod
    def read(cls, body: Mapping[str, Any], model: str) -> ChatCall:
        """Read a request's JSON; names that are not known are ignored, as by vLLM.

        Raises:
            ApiError: A field has no usable value.
        """
        most = body.get("max_completion_tokens") or body.get("max_tokens")
        if most is not None and (not isinstance(most, int) or most < 1):
            raise ApiError(400, f"max_tokens must be a whole number of at least 1, not {most!r}.")
        if body.get("n") not in (None, 1):
            raise ApiError(400, f"This server gives one choice per request, not n={body['n']!r}.")
        stop = body.get("stop") or []
        return cls(
            messages=messages_of(body),
            model=str(body.get("model") or model),
            max_tokens=most,
            stop=[stop] if isinstance(stop, str) else list(stop),
            schema=_schema(body.get("response_format") or {}),
            stream=bool(body.get("stream")),
            include_usage=bool((body.get("stream_options") or {}).get("include_usage")),
        )


def messages_of(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the messages of a request.

    Raises:
        ApiError: There are none, or they are not objects.
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
    """Return the object that a body holds.

    Raises:
        ApiError: It is not JSON, or no object.
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
    """Return what a request took, in tokens; `cached` is None where nothing is cached at all."""
    return {
        "prompt_tokens": prompt,
        "completion_tokens": output,
        "total_tokens": prompt + output,
        "prompt_tokens_details": None if cached is None else {"cached_tokens": cached},
    }


def completion(model: str, text: str, reason: str, taken: dict[str, Any]) -> bytes:
    """Return a whole answer."""
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": reason}
    body = {**_envelope("chat.completion", model), "choices": [choice], "usage": taken}
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")


class Events:
    """The server-sent events of one streamed answer."""

    def __init__(self, model: str) -> None:
        """Fix what all events of the answer share."""
        self._envelope = _envelope("chat.completion.chunk", model)
        # Rendered once: a token's event is then three strings joined, not a tree turned to JSON.
        before, after = self._event({"content": "\0"}, None).split(json.dumps("\0"))
        self._before, self._after = before, after

    def _event(self, delta: dict[str, Any], reason: str | None) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return f"data: {json.dumps({**self._envelope, 'choices': [choice]})}\n\n"

    def first(self) -> bytes:
        """Return the event that names the role."""
        return self._event({"role": "assistant", "content": ""}, None).encode()

    def pieces(self, pieces: list[str]) -> bytes:
        """Return one event for every token."""
        events = [f"{self._before}{json.dumps(piece)}{self._after}" for piece in pieces]
        return "".join(events).encode()

    def last(self, reason: str, taken: dict[str, Any] | None) -> bytes:
        """Return the event with the finish reason, that of the usage if given, and the end."""
        events = self._event({}, reason).encode()
        if taken is not None:
            body = {**self._envelope, "choices": [], "usage": taken}
            events += f"data: {json.dumps(body)}\n\n".encode()
        return events + DONE


def _envelope(kind: str, model: str) -> dict[str, Any]:
    identity = f"chatcmpl-{uuid.uuid4().hex}"
    return {"id": identity, "object": kind, "created": int(time.time()), "model": model}
