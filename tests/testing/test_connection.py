import asyncio
import socket
from collections.abc import Iterator

import pytest

from longchain.testing import LengthBehavior, SimulatedServer

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

HEALTH = b"GET /health HTTP/1.1\r\nhost: here\r\n\r\n"


@pytest.fixture
def server() -> Iterator[SimulatedServer]:
    with SimulatedServer(behavior=LengthBehavior(vary=False)) as server:
        yield server


async def exchange(server: SimulatedServer, *parts: bytes, answers: int = 1) -> list[bytes]:
    """Send bytes as they are; return the status lines of that many answers."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        for part in parts:
            writer.write(part)
            await asyncio.sleep(0.01)
        return [await answer(reader) for _ in range(answers)]
    finally:
        writer.close()
        await writer.wait_closed()


async def answer(reader: asyncio.StreamReader) -> bytes:
    """Read one answer; return its status line."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = head.partition(b"content-length: ")[2].partition(b"\r\n")[0]
    await reader.readexactly(int(length or 0))
    return head.partition(b"\r\n")[0]


async def test_connection_is_kept_alive(server: SimulatedServer) -> None:
    assert await exchange(server, HEALTH, HEALTH, answers=2) == [b"HTTP/1.1 200 OK"] * 2


async def test_requests_sent_ahead_are_answered_in_order(server: SimulatedServer) -> None:
    other = HEALTH.replace(b"/health", b"/nowhere")
    heads = await exchange(server, HEALTH + other + HEALTH, answers=3)
    assert [head.split()[1] for head in heads] == [b"200", b"404", b"200"]


async def test_request_may_arrive_in_pieces(server: SimulatedServer) -> None:
    body = b'{"prompt": "the harbor"}'
    head = b"POST /tokenize HTTP/1.1\r\ncontent-length: %d\r\n" % len(body)
    heads = await exchange(server, head[:9], head[9:], b"\r\n" + body[:5], body[5:])
    assert heads == [b"HTTP/1.1 200 OK"]


async def test_client_that_waits_for_leave_gets_it(server: SimulatedServer) -> None:
    head = b"POST /tokenize HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 14\r\n\r\n"
    heads = await exchange(server, head, b'{"prompt": ""}', answers=2)
    assert [head.split()[1] for head in heads] == [b"100", b"200"]


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"POST /tokenize HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n",
        b"POST /tokenize HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        b"POST /tokenize HTTP/1.1\r\ncontent-length: 99999999999\r\n\r\n",
    ],
)
async def test_unreadable_request_is_refused(server: SimulatedServer, request_bytes: bytes) -> None:
    assert await exchange(server, request_bytes) == [b"HTTP/1.1 400 Bad Request"]


async def test_connection_closes_when_asked(server: SimulatedServer) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(HEALTH.replace(b"host: here", b"Connection: close"))
    assert (await reader.read()).startswith(b"HTTP/1.1 200 OK")
    writer.close()
    await writer.wait_closed()


async def test_failure_of_the_server_ends_the_connection(
    server: SimulatedServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(server, "_models", lambda: 1 / 0)
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await exchange(server, HEALTH.replace(b"/health", b"/v1/models"))
    assert "ZeroDivisionError" in caplog.text
    assert await exchange(server, HEALTH) == [b"HTTP/1.1 200 OK"]


def test_close_drops_open_connections_and_frees_the_port() -> None:
    server = SimulatedServer().start()
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(HEALTH)
        client.recv(1_000)
        server.close()
        assert client.recv(1_000) == b""
    with socket.create_server(("127.0.0.1", server.port)):
        pass
