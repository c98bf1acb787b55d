"""A command that ends with whoever runs it: `Process`.

command, environment -> a process group that is stopped as a whole

`supervisor.py` does the watching, in a process of its own; this is the end that holds its pipe.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from longchain.models.server import supervisor

_GRACE = 10.0
"""Seconds to end by request; vLLM takes less than one."""

_PATIENCE = _GRACE + 20.0
"""Seconds until a supervisor that has not ended is given up."""


class Process:
    """A command and whatever it starts, which end together."""

    def __init__(
        self, command: Sequence[str], *, python: str, env: Mapping[str, str], log: Path
    ) -> None:
        """Start it.

        Args:
            command: The program and its arguments.
            python: The interpreter for the supervisor.
            env: The whole environment.
            log: Where its output is appended.
        """
        self._owner = os.getpid()
        self._reading = threading.Lock()
        self._said = b""
        with log.open("ab") as errors:
            self._supervisor = subprocess.Popen(
                [python, "-I", supervisor.__file__, str(_GRACE), str(log), *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=dict(env),
                # Ctrl-C in a terminal reaches its whole group; this one ends when it is told to.
                start_new_session=True,
            )
        assert self._supervisor.stdout is not None
        os.set_blocking(self._supervisor.stdout.fileno(), False)

    @property
    def pid(self) -> int | None:
        """The command's process; None while it is being started."""
        return self._number(b"pid ")

    @property
    def code(self) -> int | None:
        """Its exit code, below 0 for a signal; None while it runs, or where nobody knows."""
        return self._number(b"code ")

    def alive(self) -> bool:
        """Say whether the command runs."""
        return self._supervisor.poll() is None and self.code is None

    def begun(self) -> None:
        """Say that it has begun its work, so that it is given time to end it."""
        assert self._supervisor.stdin is not None
        with suppress(OSError):
            self._supervisor.stdin.write(b".")
            self._supervisor.stdin.flush()

    def stop(self) -> None:
        """End all of it; return when it is gone. Once is enough."""
        if self._owner != os.getpid():
            return  # a fork of the process that it belongs to
        pid = self.pid
        assert self._supervisor.stdin is not None
        with suppress(OSError):
            self._supervisor.stdin.close()
        # A fork of this process may hold the pipe open.
        self._supervisor.terminate()
        try:
            self._supervisor.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._supervisor.kill()
        if self._supervisor.wait() and pid:  # it was killed, or failed: what is left is ours to end
            with suppress(OSError):
                os.killpg(pid, signal.SIGKILL)
        self._read(last=True)

    def _number(self, word: bytes) -> int | None:
        self._read()
        said = [line for line in self._said.splitlines() if line.startswith(word)]
        return int(said[0].removeprefix(word)) if said else None

    def _read(self, *, last: bool = False) -> None:
        """Take what the supervisor has said so far."""
        pipe = self._supervisor.stdout
        assert pipe is not None
        with self._reading:
            with suppress(BlockingIOError):
                while not pipe.closed and (piece := os.read(pipe.fileno(), 4096)):
                    self._said += piece
            if last:
                pipe.close()
