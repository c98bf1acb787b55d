"""Supervisor: a program that runs a command and ends it when the process that started it ends.

`supervisor.py GRACE LOG COMMAND…` -> `pid N` on standard output when the command runs, `code N`
when it has ended

`process.py` starts it with a pipe as its standard input. The command is ended when the pipe closes,
which happens however the other process ended, also by `kill -9`: a signal or an exit handler in
that process would miss it, and Linux's own signal for a parent's death comes when a *thread* ends.
A byte in the pipe says that the command has begun its work, and may need time to end it. The
supervisor ends when all of the command's processes are gone.

Imports only the standard library, since it runs by itself in any Python; does not know vLLM.
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

_ADOPT_ORPHANS = 36  # PR_SET_CHILD_SUBREAPER
_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG

_EARLY_GRACE_SECONDS = 1.0
"""Seconds to end for a command that has not begun its work: vLLM may ignore signals until then."""

_MAX_LEFTOVER_SECONDS = 3.0
"""Seconds to end, at most, for processes that the command leaves behind."""

_POLL_SECONDS = 1.0
_MAX_POLL_SECONDS_AT_END = 0.05

_HAS_PROC = os.path.isdir("/proc/self")
"""Whether the system tells the parent of a process; otherwise the process group must suffice."""


def _control(option: int, value: int) -> None:
    """Set an option of this process, on Linux."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _children() -> dict[int, list[int]]:
    """Return the processes of this machine by their parents."""
    children: dict[int, list[int]] = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
            # The program's name, in parentheses, may contain any characters.
            parent = file.read().rpartition(b")")[2].split()[1]
            # Zombies are included: one with many threads ends gradually, and keeps its children
            # until then.
            children.setdefault(int(parent), []).append(int(name))
    return children


def _descendants(root: int) -> Iterator[int]:
    """Yield the processes below one."""
    children = _children()
    queue = list(children.get(root, ()))
    while queue:
        pid = queue.pop()
        yield pid
        queue += children.get(pid, ())


class Supervisor:
    """Runs one command and ends it with all processes that it has started."""

    def __init__(self, command: list[str], *, grace: float, log: str) -> None:
        self._full_grace = grace
        self._grace = min(grace, _EARLY_GRACE_SECONDS)
        self._parent = os.getppid()
        self._stopping = False
        self._code: int | None = None
        # Orphans, also those with a session of their own, become children of this process, so
        # that all processes of the command are found below this one.
        _control(_ADOPT_ORPHANS, 1)
        self._wake = self._listen()
        with open(log, "ab") as output:
            # Linux's signal for a parent's death is reliable here, since this process has a single
            # thread. It ends the command if the supervisor itself is killed.
            self._main = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=lambda: _control(_DEATH_SIGNAL, signal.SIGTERM),
            ).pid

    def _listen(self) -> int:
        """Make the end of a child and a signal to stop readable; return the file descriptor."""
        wake, waker = os.pipe()
        os.set_blocking(waker, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for stop_signal in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(stop_signal, self._stop)
        return wake

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def run(self) -> None:
        """Wait until the command or its parent ends, and end all of its processes."""
        _report("pid", self._main)
        while self._code is None and not self._stopping:
            self._wait(_POLL_SECONDS)
        self._end()

    def _wait(self, seconds: float) -> None:
        """Wait for the end of a child, a signal, or the pipe, at most for some seconds."""
        watched = [self._wake] if self._stopping else [self._wake, 0]
        ready, _, _ = select.select(watched, [], [], seconds)
        if self._wake in ready:
            os.read(self._wake, 4096)
        if 0 in ready:
            if os.read(0, 4096):
                self._grace = self._full_grace
            else:
                self._stopping = True
        # A fork of the parent may hold the pipe open after the parent has died.
        if os.getppid() != self._parent:
            self._stopping = True
        self._reap()

    def _reap(self) -> None:
        """Collect children that have ended, adopted ones included."""
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == self._main:
                    self._code = os.waitstatus_to_exitcode(ended[1])
                    _report("code", self._code)

    def _end(self) -> None:
        """End the command, then ask all of its processes to end, then kill them."""
        self._stopping = True
        leftover_seconds = min(_MAX_LEFTOVER_SECONDS, self._grace)
        if self._code is None:
            _send(self._main, signal.SIGTERM)
            self._wait_until(self._has_ended, self._grace)
        if self._has_ended():
            self._wait_until(self._all_gone, leftover_seconds)
        self._send_all(signal.SIGTERM)
        self._wait_until(self._all_gone, leftover_seconds)
        # Python's resource tracker frees shared memory when all other processes are gone.
        self._send_all(signal.SIGKILL, except_for=b"resource_tracker")
        self._wait_until(self._all_gone, _MAX_LEFTOVER_SECONDS)
        # A process with much memory takes some time to die, too.
        self._send_all(signal.SIGKILL)
        self._wait_until(self._all_gone, _MAX_LEFTOVER_SECONDS)

    def _send_all(self, number: signal.Signals, *, except_for: bytes | None = None) -> None:
        """Send a signal to all processes of the command, except those with a certain argument."""
        if not _HAS_PROC:
            _send(-self._main, number)
            return
        for pid in _descendants(os.getpid()):
            if except_for is None or except_for not in _arguments(pid):
                _send(pid, number)

    def _has_ended(self) -> bool:
        return self._code is not None

    def _all_gone(self) -> bool:
        if _HAS_PROC:
            return not any(_descendants(os.getpid()))
        return not _send(-self._main, 0)

    def _wait_until(self, done: Callable[[], bool], seconds: float) -> None:
        end = time.monotonic() + seconds
        while not done() and (left := end - time.monotonic()) > 0:
            self._wait(min(left, _MAX_POLL_SECONDS_AT_END))


def _send(pid: int, number: int) -> bool:
    """Send a signal to a process, or to a group if below zero; return False if there is none."""
    try:
        os.kill(pid, number)
    except OSError:
        return False
    return True


def _arguments(pid: int) -> bytes:
    """Return the command line of a process."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read()
    except OSError:
        return b""


def _report(word: str, number: int) -> None:
    """Write a line for the parent."""
    with suppress(OSError):  # the parent may be gone
        os.write(1, f"{word} {number}\n".encode())


def main(arguments: list[str]) -> None:
    """Run a command until it ends or standard input does."""
    grace, log, *command = arguments
    Supervisor(command, grace=float(grace), log=log).run()


if __name__ == "__main__":
    main(sys.argv[1:])
