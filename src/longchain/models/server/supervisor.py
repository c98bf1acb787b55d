"""A program that runs another and outlives neither it nor whoever asked for it.

`supervisor.py GRACE LOG COMMAND…`, started by `process.py` with a pipe as its standard input; on
its standard output it says `pid N` when the command runs and `code N` when that has ended, and it
ends itself when nothing of it is left.

A byte in the pipe says that the command has begun its work, and may have something to finish. The
command is ended when the pipe closes, which it does however the other end came to go, by
`kill -9`, too. A signal or an exit handler in the asking process would not see that, and Linux's
own notice of a parent's death comes when a *thread* ends. Knows nothing of vLLM and imports
nothing but the standard library: it runs by itself, in whichever Python there is.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

_ADOPT = 36  # PR_SET_CHILD_SUBREAPER
_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG
_BRIEF = 1.0
"""Seconds to end for a command that has not begun its work: vLLM may heed no signal until then."""

_REST = 3.0
"""Seconds, at most, for what the command leaves behind."""

_TICK = 1.0
_SHOWN = os.path.isdir("/proc/self")
"""Whether the system shows whose child a process is; elsewhere the process group must do."""


def _control(option: int, value: int) -> None:
    """Set something of this process, where the system is Linux."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _children() -> dict[int, list[int]]:
    """Return the processes of this machine by their parents."""
    found: dict[int, list[int]] = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
            # The name of a program, in parentheses, may hold anything.
            parent = file.read().rpartition(b")")[2].split()[1]
            # The dead count until they are buried: with many threads, they go by and by, and keep
            # their children for so long.
            found.setdefault(int(parent), []).append(int(name))
    return found


def _descendants(root: int) -> Iterator[int]:
    children = _children()
    queue = list(children.get(root, ()))
    while queue:
        pid = queue.pop()
        yield pid
        queue += children.get(pid, ())


class Supervisor:
    """Runs one command and ends all that has come of it."""

    def __init__(self, command: list[str], *, grace: float, log: str) -> None:
        self._full_grace = grace
        self._grace = min(grace, _BRIEF)
        self._asker = os.getppid()
        self._stopping = False
        self._code: int | None = None
        # What loses its parent becomes a child of this process, also with a session of its own, so
        # that walking down from here finds everything.
        _control(_ADOPT, 1)
        self._wake = self._listen()
        with open(log, "ab") as output:
            # This process has one thread, which lives as long as itself: here the notice of a
            # parent's death is reliable, and covers a supervisor that is killed itself.
            self._main = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=lambda: _control(_DEATH_SIGNAL, signal.SIGTERM),
            ).pid

    def _listen(self) -> int:
        """Make a child's end and a request to stop readable; return where."""
        wake, waker = os.pipe()
        os.set_blocking(waker, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for asked in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(asked, self._stop)
        return wake

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def run(self) -> None:
        """Wait until the command or the need for it ends, and end all of it."""
        _say("pid", self._main)
        while self._code is None and not self._stopping:
            self._wait(_TICK)
        self._end()

    def _wait(self, seconds: float) -> None:
        watched = [self._wake] if self._stopping else [self._wake, 0]
        ready, _, _ = select.select(watched, [], [], seconds)
        if self._wake in ready:
            os.read(self._wake, 4096)
        if 0 in ready:
            if os.read(0, 4096):
                self._grace = self._full_grace
            else:
                self._stopping = True
        # A fork of the asking process may hold the pipe open after that has died.
        if os.getppid() != self._asker:
            self._stopping = True
        self._reap()

    def _reap(self) -> None:
        """Take leave of children that have ended, adopted ones included."""
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == self._main:
                    self._code = os.waitstatus_to_exitcode(ended[1])
                    _say("code", self._code)

    def _end(self) -> None:
        """End what is left: the command by itself, then all by request, then by force."""
        self._stopping = True
        rest = min(_REST, self._grace)
        if self._code is None:
            _send(self._main, signal.SIGTERM)
            self._until(lambda: self._code is not None, self._grace)
        if self._code is not None:
            self._until(lambda: not self._left(), rest)
        self._send_all(signal.SIGTERM)
        self._until(lambda: not self._left(), rest)
        # Python's tracker of shared memory frees it when it sees that all others are gone.
        self._send_all(signal.SIGKILL, spared=b"resource_tracker")
        self._until(lambda: not self._left(), _REST)
        # A process with much memory takes its time to die, too.
        self._send_all(signal.SIGKILL)
        self._until(lambda: not self._left(), _REST)

    def _send_all(self, sent: signal.Signals, *, spared: bytes | None = None) -> None:
        if not _SHOWN:
            _send(-self._main, sent)
            return
        for pid in _descendants(os.getpid()):
            if spared is None or spared not in _arguments(pid):
                _send(pid, sent)

    def _left(self) -> bool:
        if _SHOWN:
            return any(_descendants(os.getpid()))
        return _send(-self._main, 0)

    def _until(self, done: Callable[[], bool], seconds: float) -> None:
        end = time.monotonic() + seconds
        while not done() and (left := end - time.monotonic()) > 0:
            self._wait(min(left, 0.05))


def _send(pid: int, sent: int) -> bool:
    """Send a signal to a process, or to a group below zero; False where there is none."""
    try:
        os.kill(pid, sent)
    except OSError:
        return False
    return True


def _arguments(pid: int) -> bytes:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read()
    except OSError:
        return b""


def _say(word: str, number: int) -> None:
    # Whoever would have read it may be gone.
    with suppress(OSError):
        os.write(1, f"{word} {number}\n".encode())


def main(arguments: list[str]) -> None:
    """Run a command until it ends or standard input does."""
    grace, log, *command = arguments
    Supervisor(command, grace=float(grace), log=log).run()


if __name__ == "__main__":
    main(sys.argv[1:])
