"""`SharedServer`: one server for equal calls in a process, counted by its users.

a function that starts a server -> the running one, stopped when its last user has left

Knows locks and counts; does not know vLLM.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from typing import Generic, Protocol, TypeVar

from longchain.errors import ServerError

_POLL_SECONDS = 0.1


class Stoppable(Protocol):
    """A server that can be shared."""

    def diagnose(self) -> str | None:
        """Return why it does not work; None while it does."""

    def stop(self) -> None:
        """Stop it; may be called again."""


S = TypeVar("S", bound=Stoppable)


class StartCancelled(Exception):  # noqa: N818
    """The caller that waited for a server was cancelled."""


class SharedServer(Generic[S]):
    """A server, started by its first user and stopped after its last."""

    def __init__(self) -> None:
        self._busy = threading.Lock()
        """Lock for starting and stopping, either of which may take minutes."""

        self._counting = threading.Lock()
        """Lock for the counts of users."""

        self._users: Counter[S] = Counter()
        self._server: S | None = None
        self._failure: ServerError | None = None
        """Error of the latest start that failed."""

    def acquire(self, start: Callable[[], S], cancelled: threading.Event) -> S:
        """Return the running server, or start one; wait if another user is starting it.

        Raises:
            ServerError: It did not start, here or for another user in the meantime.
            StartCancelled: `cancelled` was set.
        """
        earlier_failure = self._failure
        while not self._busy.acquire(timeout=_POLL_SECONDS):
            if cancelled.is_set():
                raise StartCancelled
        try:
            server = self._server
            if server is None or server.diagnose():
                if self._failure and self._failure is not earlier_failure:
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

    def release(self, server: S) -> None:
        """End the use of a server; stop it if there is no other user."""
        with self._counting:
            self._users[server] -= 1
        # Users of a server that failed need not wait for the start of the next one.
        with self._busy if server is self._server else nullcontext():
            with self._counting:
                if self._users[server]:  # a new user has come
                    return
                del self._users[server]
            server.stop()
            if server is self._server:
                self._server = None
