"""HTTP/1.1 on an asyncio transport, as little of it as an API client needs.

bytes -> `Request` -> a handler, which answers through its `Connection`

Keep-alive, bodies with a length, whole answers and chunked streams. When the client goes away,
the handler is cancelled. Knows nothing of what the bodies mean.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

_LARGEST = 64 * 1024 * 1024
"""The largest body, in bytes."""

logger = logging.getLogger(__name__)


class Request(NamedTuple):
    """One request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


Handler = Callable[[Request, "Connection"], Awaitable[None]]


class _BadRequestError(Exception):
    """The bytes are no request that can be answered."""


class Connection(asyncio.Protocol):
    """One client's connection: reads its requests one after the other, writes the answers."""

    transport: asyncio.Transport

    def __init__(self, handler: Handler, peers: set[Connection]) -> None:
        """Take the handler of requests, and the set that holds all open connections."""
        self._handler = handler
        self._peers = peers
        self._buffer = bytearray()
        self._head: tuple[str, str, dict[str, str]] | None = None
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Join the open connections."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._peers.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop working for a client that is gone."""
        self._peers.discard(self)
        if self._task:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        """Collect bytes until they are a request."""
        self._buffer += data
        self._begin()

    def _begin(self) -> None:
        """Start the next request where one is complete and none is being answered."""
        if self._task or self.transport.is_closing():
            return
        try:
            request = self._take()
        except _BadRequestError as error:
            self.respond_json(400, {"error": {"message": str(error), "code": 400}})
            self.transport.close()
            return
        if request:
            self._task = asyncio.get_running_loop().create_task(self._serve(request))

    def _take(self) -> Request | None:
        """Take a complete request off the buffer."""
        if self._head is None:
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return None
            self._head, self._buffer = _parse(head.decode("latin-1")), rest
            if self._head[2].get("expect", "").lower() == "100-continue":
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        method, path, headers = self._head
        length = _body_length(headers)
        if len(self._buffer) < length:
            return None
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        self._head = None
        return Request(method, path, headers, body)

    async def _serve(self, request: Request) -> None:
        try:
            await self._handler(request, self)
        except Exception:
            logger.exception("The simulated server failed on %s %s", request.method, request.path)
            self.transport.abort()
        if request.headers.get("connection", "").lower() == "close":
            self.transport.close()
        self._task = None
        self._begin()

    def respond(
        self,
        status: int,
        body: bytes,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
        part: float = 1.0,
    ) -> None:
        """Send a whole answer, or only the first `part` of a body announced as whole."""
        fields = {"content-type": content_type, "content-length": str(len(body)), **(headers or {})}
        self.transport.write(_status_line(status, fields) + body[: round(len(body) * part)])

    def respond_json(
        self, status: int, body: Any, headers: Mapping[str, str] | None = None
    ) -> None:
        """Send `body` as JSON."""
        data = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        self.respond(status, data, headers=headers)

    def start_stream(self) -> None:
        """Begin an answer of server-sent events."""
        fields = {"content-type": "text/event-stream", "transfer-encoding": "chunked"}
        self.transport.write(_status_line(200, fields))

    def send(self, data: bytes) -> None:
        """Send one chunk of a stream."""
        self.transport.write(b"%x\r\n%b\r\n" % (len(data), data))

    def end_stream(self) -> None:
        """End a stream properly."""
        self.transport.write(b"0\r\n\r\n")


def _parse(head: str) -> tuple[str, str, dict[str, str]]:
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
    if "transfer-encoding" in headers or not text.isdecimal() or int(text) > _LARGEST:
        raise _BadRequestError(f"a body needs a content-length of at most {_LARGEST} bytes")
    return int(text)


def _status_line(status: int, fields: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
