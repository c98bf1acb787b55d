"""SimulatedServer: an OpenAI-compatible server on 127.0.0.1 with a simulated model.

requests of any OpenAI client -> simulated answers, at the speed of a real server

Knows routes, starting and stopping; does not know how the model answers, which is in `engine`.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, Self

from longchain.testing import tokens, wire
from longchain.testing.behavior import LengthBehavior, role_of, text_of
from longchain.testing.connection import Connection, HttpRequest
from longchain.testing.engine import Engine, Job, Stats
from longchain.testing.faults import Faults
from longchain.testing.prefix_cache import chat_tokens

_HOST = "127.0.0.1"
_MAX_REMEMBERED = 1_000
"""Number of the latest requests that `SimulatedServer.requests` shows."""


class SimulatedServer:
    """An OpenAI-compatible server in a thread of this process, for tests and benchmarks.

    It answers `POST /v1/chat/completions` (complete or streamed), `GET /v1/models`,
    `POST /tokenize`, `GET /health` and `GET /metrics`, and listens on 127.0.0.1 only. Every start
    resets the counters and the prefix cache.

    ```python
    from longchain.testing import LengthBehavior, SimulatedServer

    with SimulatedServer(behavior=LengthBehavior(bias=0.8), slots=4) as server:
        print(server.base_url)  # for ChatOpenAI(base_url=..., api_key="any")
    assert server.stats.requests == 0
    ```
    """

    def __init__(
        self,
        *,
        behavior: LengthBehavior | None = None,
        faults: Faults | None = None,
        model: str = "simulated-writer",
        window: int = 32_768,
        tokens_per_second: float | None = None,
        prefill_tokens_per_second: float | None = None,
        latency: float = 0.0,
        slots: int | None = None,
        prefix_cache: bool = True,
        json_schema: bool = True,
        port: int = 0,
    ) -> None:
        """Create a server; `start()` or a `with` statement starts it.

        Args:
            behavior: Answers of the model; None: `LengthBehavior()`.
            faults: Faults of the server; None: no faults.
            model: Name of the model in `/v1/models`; requests may name any model.
            window: Maximum number of tokens of prompt and reply together.
            tokens_per_second: Decoding speed per request; None: no delay.
            prefill_tokens_per_second: Speed for prompt tokens that are not cached; None: no delay.
            latency: Seconds before each request enters the queue for a slot.
            slots: Maximum number of requests decoded at once, others wait; None: no limit.
            prefix_cache: Whether blocks of 16 tokens are shared between requests.
            json_schema: Whether `response_format` with a JSON schema is supported, or refused with
                status 400.
            port: Port to listen on; 0: a free one.
        """
        self.model = model
        self.port = port
        self._settings: dict[str, Any] = {
            "behavior": behavior or LengthBehavior(),
            "faults": faults or Faults(),
            "window": window,
            "tokens_per_second": tokens_per_second,
            "prefill_tokens_per_second": prefill_tokens_per_second,
            "latency": latency,
            "slots": slots,
            "prefix_cache": prefix_cache,
            "json_schema": json_schema,
        }
        self._engine = Engine(**self._settings)
        self._requests: deque[dict[str, Any]] = deque(maxlen=_MAX_REMEMBERED)
        self._peers: set[Connection] = set()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing: asyncio.Event | None = None

    @property
    def url(self) -> str:
        """The server's address, without `/v1`."""
        return f"http://{_HOST}:{self.port}"

    @property
    def base_url(self) -> str:
        """The base URL for OpenAI clients."""
        return f"{self.url}/v1"

    @property
    def stats(self) -> Stats:
        """A copy of the counters."""
        stats = self._engine.stats
        return replace(stats, faults=dict(stats.faults))

    @property
    def requests(self) -> list[dict[str, Any]]:
        """The JSON of the latest 1,000 requests for chat completions, in order of arrival."""
        return list(self._requests)

    def start(self) -> Self:
        """Start listening, and return when the server accepts requests.

        Raises:
            RuntimeError: The server is running.
            OSError: The port is in use.
        """
        if self._thread:
            raise RuntimeError(f"the server runs already at {self.url}")
        self._engine = Engine(**self._settings)
        self._requests.clear()
        listening: Future[int] = Future()
        name = f"simulated-server-{self.model}"
        thread = threading.Thread(target=self._run, args=(listening,), name=name, daemon=True)
        thread.start()
        try:
            self.port = listening.result()
        except BaseException:
            thread.join()
            raise
        self._thread = thread
        return self

    def close(self) -> None:
        """Close all connections and the port, and end the thread; idempotent."""
        thread, self._thread = self._thread, None
        if thread and self._loop and self._closing:
            self._loop.call_soon_threadsafe(self._closing.set)
            thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.start)

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.close)

    def _run(self, listening: Future[int]) -> None:
        try:
            asyncio.run(self._serve(listening))
        except BaseException as error:
            if listening.done():
                raise
            listening.set_exception(error)

    async def _serve(self, listening: Future[int]) -> None:
        """Answer requests until `close()`."""
        self._loop, self._closing = asyncio.get_running_loop(), asyncio.Event()
        server = await self._loop.create_server(
            lambda: Connection(self._handle, self._peers), _HOST, self.port, backlog=1_024
        )
        listening.set_result(server.sockets[0].getsockname()[1])
        await self._closing.wait()
        server.close()
        while self._peers:
            for peer in self._peers:
                peer.transport.abort()
            await asyncio.sleep(0)
        await server.wait_closed()

    async def _handle(self, request: HttpRequest, connection: Connection) -> None:
        """Answer a request."""
        try:
            match request.method, request.path:
                case "POST", "/v1/chat/completions":
                    await self._chat(wire.parse(request.body), connection)
                case "GET", "/v1/models":
                    connection.respond_json(200, self._models())
                case "POST", "/tokenize":
                    connection.respond_json(200, self._tokenize(wire.parse(request.body)))
                case "GET", "/health":
                    connection.respond(200, b"")
                case "GET", "/metrics":
                    connection.respond(200, self._metrics().encode(), "text/plain")
                case method, path:
                    raise wire.ApiError(404, f"There is no {method} {path}.", "NotFoundError")
        except wire.ApiError as error:
            connection.respond_json(error.status, error.body, error.headers)

    async def _chat(self, body: dict[str, Any], connection: Connection) -> None:
        stats = self._engine.stats
        stats.requests += 1
        self._requests.append(body)
        job = self._engine.accept(wire.ChatCall.read(body, self.model))
        try:
            await (self._stream if job.call.stream else self._complete)(job, connection)
        except asyncio.CancelledError:
            stats.abandoned += 1
            raise
        if job.fault == "drop":
            connection.transport.close()

    async def _complete(self, job: Job, connection: Connection) -> None:
        await self._engine.run(job)
        answer = wire.completion(
            job.call.model, job.output.text, job.output.finish_reason, _usage(job)
        )
        connection.respond(200, answer, part=0.5 if job.fault == "drop" else 1.0)

    async def _stream(self, job: Job, connection: Connection) -> None:
        events = wire.Events(job.call.model)
        connection.start_stream()
        connection.send(events.first())
        await self._engine.run(job, lambda pieces: connection.send(events.pieces(pieces)))
        if job.fault == "drop":
            return
        usage = _usage(job) if job.call.include_usage else None
        connection.send(events.last(job.output.finish_reason, usage))
        connection.end_stream()

    def _models(self) -> dict[str, Any]:
        model = {
            "id": self.model,
            "object": "model",
            "created": int(time.time()),
            "owned_by": "longchain",
            "max_model_len": self._engine.window,
        }
        return {"object": "list", "data": [model]}

    def _tokenize(self, body: dict[str, Any]) -> dict[str, Any]:
        prompt = body.get("prompt")
        if isinstance(prompt, str):
            pieces = tokens.split(prompt)
        else:
            turns = [(role_of(turn), text_of(turn)) for turn in wire.messages_of(body)]
            pieces = chat_tokens(turns, generate=body.get("add_generation_prompt", True))
        return {
            "count": len(pieces),
            "max_model_len": self._engine.window,
            "tokens": tokens.token_ids(pieces),
        }

    def _metrics(self) -> str:
        stats = vars(self._engine.stats).copy()
        faults: dict[str, int] = stats.pop("faults")
        lines = [f"longchain_simulated_{name} {value}" for name, value in stats.items()]
        lines += [
            f'longchain_simulated_faults{{kind="{kind}"}} {count}' for kind, count in faults.items()
        ]
        return "\n".join(lines) + "\n"


def _usage(job: Job) -> dict[str, Any]:
    return wire.usage(len(job.prompt), job.cached, len(job.output.pieces))
