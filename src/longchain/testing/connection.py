"""A minimal HTTP/1.1 server connection on an asyncio transport.

bytes -> `HttpRequest` -> a handler, which responds through its `Connection`

Knows keep-alive, bodies with a content length, complete responses and chunked streams; cancels the
handler when the client disconnects. Does not know the content of the bodies.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

_MAX_BODY = 64 * 1024 * 1024
"""Maximum size of a request body, in bytes."""

logger = logging.getLogger(__name__)


class HttpRequest(NamedTuple):
    """A complete HTTP request."""

    method: str
    path: str
    headers: Mapping[str, str]
    """Header values by name in lower case."""
    body: bytes


Handler = Callable[[HttpRequest, "Connection"], Awaitable[None]]


class _BadRequestError(Exception):
    """The bytes are no valid request."""


class Connection(asyncio.Protocol):
    """A client's connection: reads its requests one after the other and writes the responses."""

    transport: asyncio.Transport

    def __init__(self, handler: Handler, peers: set[Connection]) -> None:
        """Create a connection.

        Args:
            handler: Coroutine function that responds to a request.
            peers: Set of all open connections, which this one joins while it is open.
        """
        self._handler = handler
        self._peers = peers
        self._buffer = bytearray()
        self._head: tuple[str, str, dict[str, str]] | None = None
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Add the connection to the open ones."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._peers.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the handler of a client that disconnected."""
        self._peers.discard(self)
        if self._task:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        """Buffer bytes until a request is complete."""
        self._buffer += data
        self._start_next()

    def _start_next(self) -> None:
        """Start handling the next complete request, unless one is being handled."""
        if self._task or self.transport.is_closing():
            return
        try:
            request = self._pop_request()
        except _BadRequestError as error:
            self.respond_json(400, {"error": {"message": str(error), "code": 400}})
            self.transport.close()
            return
        if request:
            self._task = asyncio.get_running_loop().create_task(self._serve(request))

    def _pop_request(self) -> HttpRequest | None:
        """Remove a complete request from the buffer, if there is one."""
        if self._head is None:
            head, separator, rest = self._buffer.partition(b"\r\n\r\n")
            if not separator:
                return None
            self._head, self._buffer = _parse_head(head.decode("latin-1")), rest
            if self._head[2].get("expect", "").lower() == "100-continue":
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        method, path, headers = self._head
        length = _body_length(headers)
        if len(self._buffer) < length:
            return None
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        self._head = None
        return HttpRequest(method, path, headers, body)

    async def _serve(self, request: HttpRequest) -> None:
        try:
            await self._handler(request, self)
        except Exception:
            logger.exception("The simulated server failed on %s %s", request.method, request.path)
            self.transport.abort()
        if request.headers.get("connection", "").lower() == "close":
            self.transport.close()
        self._task = None
        self._start_next()

    def respond(
        self,
        status: int,
        body: bytes,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
        part: float = 1.0,
    ) -> None:
        """Send a complete response.

        Args:
            status: HTTP status.
            body: Body, whose length is announced in the headers.
            content_type: Media type of the body.
            headers: Additional headers.
            part: Share of the body that is sent; below 1 to simulate a dropped connection.
        """
        fields = {"content-type": content_type, "content-length": str(len(body)), **(headers or {})}
        self.transport.write(_response_head(status, fields) + body[: round(len(body) * part)])

    def respond_json(
        self, status: int, body: Any, headers: Mapping[str, str] | None = None
    ) -> None:
        """Send a complete response with a JSON body."""
        data = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        self.respond(status, data, headers=headers)

    def start_stream(self) -> None:
        """Start a chunked response of server-sent events."""
        fields = {"content-type": "text/event-stream", "transfer-encoding": "chunked"}
        self.transport.write(_response_head(200, fields))

    def send(self, data: bytes) -> None:
        """Send a chunk of a stream."""
        self.transport.write(b"%x\r\n%b\r\n" % (len(data), data))

    def end_stream(self) -> None:
        """Send the last chunk of a stream."""
        self.transport.write(b"0\r\n\r\n")


def _parse_head(head: str) -> tuple[str, str, dict[str, str]]:
    request_line, *lines = head.split("\r\n")
    try:
        method, target, _ = request_line.split(" ")
    except ValueError:
        raise _BadRequestError(f"not an HTTP request: {request_line[:80]!r}") from None
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return method, target.partition("?")[0], headers


def _body_length(headers: Mapping[str, str]) -> int:
    text = headers.get("content-length", "0")
    if "transfer-encoding" in headers or not text.isdecimal() or int(text) > _MAX_BODY:
        raise _BadRequestError(f"a body needs a content-length of at most {_MAX_BODY} bytes")
    return int(text)


def _response_head(status: int, fields: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
