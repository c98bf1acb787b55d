"""`Process`: a command that ends with the process that started it.

command and environment -> a group of processes that is stopped as a whole

`supervisor.py` watches the command, from a process of its own; this module holds the other end of
its pipe.
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

_GRACE_SECONDS = 10.0
"""Seconds that the command has to end when it is asked to; vLLM takes less than one."""

_MAX_STOP_SECONDS = _GRACE_SECONDS + 20.0
"""Seconds after which a supervisor that has not ended is killed."""


class Process:
    """A command and all processes that it starts, which end together."""

    def __init__(
        self, command: Sequence[str], *, python: str, env: Mapping[str, str], log: Path
    ) -> None:
        """Start it.

        Args:
            command: The program and its arguments.
            python: The interpreter for the supervisor.
            env: The whole environment.
            log: The file to which its output is appended.
        """
        self._owner = os.getpid()
        self._reading = threading.Lock()
        self._output = b""
        with log.open("ab") as errors:
            self._supervisor = subprocess.Popen(
                [python, "-I", supervisor.__file__, str(_GRACE_SECONDS), str(log), *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=dict(env),
                # Ctrl-C in a terminal reaches its whole group; this one ends by `stop`.
                start_new_session=True,
            )
        assert self._supervisor.stdout is not None
        os.set_blocking(self._supervisor.stdout.fileno(), False)

    @property
    def pid(self) -> int | None:
        """Process id of the command; None while it is being started."""
        return self._number(b"pid ")

    @property
    def code(self) -> int | None:
        """Exit code, below 0 for a signal; None while the command runs, or if it is unknown."""
        return self._number(b"code ")

    def alive(self) -> bool:
        """Return whether the command runs."""
        return self._supervisor.poll() is None and self.code is None

    def allow_grace(self) -> None:
        """Tell the supervisor that the command has begun its work, and may need time to end it."""
        assert self._supervisor.stdin is not None
        with suppress(OSError):
            self._supervisor.stdin.write(b".")
            self._supervisor.stdin.flush()

    def stop(self) -> None:
        """End all of its processes and wait until they are gone; may be called again."""
        if self._owner != os.getpid():
            return  # this is a fork of the process that started it
        pid = self.pid
        assert self._supervisor.stdin is not None
        with suppress(OSError):
            self._supervisor.stdin.close()
        # A fork of this process may hold the pipe open.
        self._supervisor.terminate()
        try:
            self._supervisor.wait(_MAX_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._supervisor.kill()
        if self._supervisor.wait() and pid:
            # The supervisor was killed or failed, and may have left the command running.
            with suppress(OSError):
                os.killpg(pid, signal.SIGKILL)
        self._read(last=True)

    def _number(self, word: bytes) -> int | None:
        """Return the number in the supervisor's line that begins with a word."""
        self._read()
        for line in self._output.splitlines():
            if line.startswith(word):
                return int(line.removeprefix(word))
        return None

    def _read(self, *, last: bool = False) -> None:
        """Read what the supervisor has written so far."""
        pipe = self._supervisor.stdout
        assert pipe is not None
        with self._reading:
            with suppress(BlockingIOError):
                while not pipe.closed and (piece := os.read(pipe.fileno(), 4096)):
                    self._output += piece
            if last:
                pipe.close()
