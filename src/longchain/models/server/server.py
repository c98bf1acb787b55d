"""`Server`: a vLLM server that runs: started, watched until it is ready, explained and stopped.

a `Launch` -> a process that answers at `base_url`

`launch` knows the command, `process` ends all processes, `crash` explains why they have ended.
"""

from __future__ import annotations

import atexit
import os
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from weakref import WeakSet

import httpx
from pydantic import SecretStr

from longchain.errors import ServerError
from longchain.models.server import crash, launch
from longchain.models.server.launch import HOST, Launch
from longchain.models.server.process import Process
from longchain.models.server.shared_server import StartCancelled

_POLL_SECONDS = 0.1
_PROGRESS_SECONDS = 5.0
"""Seconds between two lines about the start."""

_HEALTH_TIMEOUT = 5.0
_TAIL_LINES = 20
_MAX_LOG_BYTES = 1_000_000
_MAX_LINE_CHARACTERS = 160

Progress = Callable[[str], None]


class Server:
    """A vLLM server that is ready; `serve()` makes them."""

    base_url: str
    """Address of the server, up to and with `/v1`."""

    model: str
    """Name of the model in requests."""

    pid: int
    """Process id of the server; the engine and its workers are processes below it."""

    log: Path
    """File with vLLM's output; kept until this process ends, or for good if vLLM failed."""

    api_key: SecretStr | None
    """Bearer token that requests must send."""

    def __init__(self, wanted: Launch) -> None:
        port = wanted.port or launch.free_port()
        self.base_url = f"http://{HOST}:{port}/v1"
        self.model = wanted.name
        self.api_key = SecretStr(wanted.api_key) if wanted.api_key else None
        self._launch = wanted
        self._stopped = False
        self._failed = False
        handle, log = tempfile.mkstemp(prefix="longchain-vllm-", suffix=".log")
        os.close(handle)
        self.log = Path(log)
        self._process = Process(
            wanted.command(port),
            python=wanted.install.python,
            env=wanted.environment(),
            log=self.log,
        )
        _running.add(self)

    def __repr__(self) -> str:
        return f"<Server {self.model!r} at {self.base_url}>"

    def alive(self) -> bool:
        """Return whether the server's process runs."""
        return not self._stopped and self._process.alive()

    def tail(self, n: int = _TAIL_LINES) -> str:
        """Return the last `n` lines of the log, without secrets."""
        return "\n".join(self._read_log().splitlines()[-n:]) if n > 0 else ""

    def diagnose(self) -> str | None:
        """Return one sentence if the server has ended or is about to; None while it works.

        Waits some seconds for a server that runs and does not answer.
        """
        if self._stopped:
            return f"the vLLM server at {self.base_url} was stopped"
        with _client() as client:
            # A server that does not answer in time is busy, not dead.
            if self.alive() and _is_healthy(client, self.base_url) is not False:
                return None
        self._failed = True
        # vLLM may outlive its engine by moments: wait for its exit code.
        end = time.monotonic() + _HEALTH_TIMEOUT
        while self.alive() and time.monotonic() < end:
            time.sleep(_POLL_SECONDS)
        state = "is not healthy" if self.alive() else f"ended with code {self._process.code}"
        return f"the vLLM server at {self.base_url} {state}: {self._cause()}"

    def wait(self, timeout: float, progress: Progress | None, cancelled: threading.Event) -> None:
        """Wait until it answers.

        Args:
            timeout: Seconds that it has.
            progress: Called every few seconds with a line about the start.
            cancelled: Set by another thread to end the wait.

        Raises:
            ServerError: It ended, or has not answered after `timeout` seconds.
            StartCancelled: `cancelled` was set.
        """
        start = time.monotonic()
        next_report = _PROGRESS_SECONDS
        with _client() as client:
            while not _is_healthy(client, self.base_url):
                elapsed = time.monotonic() - start
                self._check_start(elapsed, timeout)
                if progress and elapsed >= next_report:
                    next_report = elapsed + _PROGRESS_SECONDS
                    progress(f"vLLM, {elapsed:.0f} s: {self._last_message()}")
                if cancelled.wait(_POLL_SECONDS):
                    raise StartCancelled
        pid = self._process.pid
        if pid is None or not self.alive():
            raise self._failure(self._cause())
        self.pid = pid
        self._process.allow_grace()
        if progress:
            progress(f"vLLM, {time.monotonic() - start:.0f} s: ready at {self.base_url}")

    def _check_start(self, elapsed: float, timeout: float) -> None:
        """Raise an error if the server has ended, or has had its time."""
        if not self.alive():
            raise self._failure(self._cause())
        if elapsed > timeout:
            raise self._failure(
                f"it was not ready after {timeout:g} seconds, which startup_timeout lengthens; "
                f"its log: {self.log}"
            )

    def _last_message(self) -> str:
        """Return the last line of the log that is not indented."""
        messages = [line for line in crash.clean_lines(self._read_log()) if line[0] > " "]
        return messages[-1][:_MAX_LINE_CHARACTERS] if messages else "starting"

    def stop(self) -> None:
        """End all of its processes and free its port; may be called again."""
        if self._process.alive() and not self._failed:
            _removable_logs.add(self.log)
        self._stopped = True
        self._process.stop()
        _running.discard(self)

    def _read_log(self) -> str:
        """Return the end of the log, without secrets."""
        with self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - _MAX_LOG_BYTES))
            return self._launch.redact(file.read().decode(errors="replace"))

    def _cause(self) -> str:
        return f"{crash.explain(self._read_log(), self._process.code)}; its log: {self.log}"

    def _failure(self, cause: str) -> ServerError:
        """Return the error for a start that failed, with the end of the log."""
        self._failed = True
        message = f"vLLM could not serve {self._launch.model!r}: {cause}"
        tail = self.tail().strip()
        return ServerError(f"{message}\n{tail}" if tail else message)


def _client() -> httpx.Client:
    # The environment's proxies do not lead to this machine.
    return httpx.Client(trust_env=False, timeout=_HEALTH_TIMEOUT)


def _is_healthy(client: httpx.Client, base_url: str) -> bool | None:
    """Return whether a server answers that it is healthy; None if it does not answer in time."""
    try:
        return client.get(f"{base_url.removesuffix('/v1')}/health").status_code == httpx.codes.OK
    except httpx.TimeoutException:
        return None
    except httpx.HTTPError:
        return False


_running: WeakSet[Server] = WeakSet()

_removable_logs: set[Path] = set()
"""Logs of servers that have not failed."""


@atexit.register
def _clean_up() -> None:
    """Stop servers that still run, and remove the logs of those that have not failed."""
    for server in list(_running):
        server.stop()
    for log in _removable_logs:
        with suppress(OSError):
            log.unlink()
