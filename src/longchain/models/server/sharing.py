"""Where equal calls meet: `Slot`, which holds one server at a time.

a way to start one -> the one that runs, started once and stopped when its last user leaves

Knows nothing of vLLM.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from typing import Generic, Protocol, TypeVar

from longchain.errors import ServerError

_POLL = 0.1


class Stoppable(Protocol):
    """What can be shared."""

    def diagnose(self) -> str | None:
        """Say why it does not work; None while it does."""

    def stop(self) -> None:
        """End it; once is enough."""


S = TypeVar("S", bound=Stoppable)


class Abandoned(Exception):  # noqa: N818
    """Whoever waited has gone."""


class Slot(Generic[S]):
    """One server for all who want the same."""

    def __init__(self) -> None:
        self._busy = threading.Lock()
        """Held while a server is started or stopped, which may take minutes."""
        self._counting = threading.Lock()
        self._users: Counter[S] = Counter()
        self._server: S | None = None
        self._failure: ServerError | None = None

    def take(self, start: Callable[[], S], abandoned: threading.Event) -> S:
        """Return the server that runs, or start it; wait for another who does.

        Raises:
            ServerError: It did not start, here or where another has tried meanwhile.
            Abandoned: `abandoned` was set.
        """
        seen = self._failure
        while not self._busy.acquire(timeout=_POLL):
            if abandoned.is_set():
                raise Abandoned
        try:
            server = self._server
            if server is None or server.diagnose():
                if self._failure and self._failure is not seen:
                    raise ServerError(str(self._failure))  # it would fail again
                server = self._start(start)
            with self._counting:
                self._users[server] += 1
            return server
        finally:
            self._busy.release()

    def _start(self, start: Callable[[], S]) -> S:
        self._server = None
        try:
            self._server = start()
        except ServerError as error:
            self._failure = error
            raise
        return self._server

    def give(self, server: S) -> None:
        """Take leave of a server."""
        with self._counting:
            self._users[server] -= 1
        # Who used one that failed need not wait for the one that is started in its place.
        with self._busy if server is self._server else nullcontext():
            with self._counting:
                if self._users[server]:  # someone has come in
                    return
                del self._users[server]
            server.stop()
            if server is self._server:
                self._server = None
