"""An error -> whether it may pass, and how long to wait before the same request goes out again.

Decided by LangChain's neutral family of errors, by what Python itself raises where a connection
fails, and by the HTTP status of an error that neither knows. A wrong request is never sent twice.
Knows errors and seconds; knows nothing of models or documents.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

from langchain_core import exceptions

_PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
"""HTTP statuses that say nothing against the request itself; 529 is Anthropic's for overload."""

_NAMES: tuple[tuple[type[BaseException], str], ...] = (
    (exceptions.ModelRateLimitError, "rate limit"),
    (exceptions.ModelTimeoutError, "no answer in time"),
    (exceptions.ModelConnectionError, "connection lost"),
    (exceptions.ModelAPIError, "server error"),
    (TimeoutError, "no answer in time"),
    (ConnectionError, "connection lost"),
)


_SILENT = (
    exceptions.ModelConnectionError,
    exceptions.ModelTimeoutError,
    ConnectionError,
    TimeoutError,
)
"""What is met where nobody answers at all."""

_SPOKE = frozenset({"RemoteProtocolError", "ReadError", "WriteError", "IncompleteRead"})
"""Classes of HTTP clients for a connection that was lost in the middle of an answer."""


@dataclass(frozen=True)
class Retry:
    """How patient a run is with what may pass."""

    most: int = 5
    """Times that one request is sent again."""

    first: float = 1.0
    """Seconds before it is first sent again; doubled each time."""

    longest: float = 60.0
    """Seconds between two times, at most, unless the server names more."""

    patience: float = 600.0
    """The most seconds that a server may name; beyond them the run stops, and can be resumed."""

    chance: random.Random = field(default_factory=random.Random, repr=False, compare=False)

    def pause(self, error: Exception, failed: int, *, begun: bool = True) -> float | None:
        """Return the seconds to wait before trying again; None: it will not pass, or not soon.

        Half of a pause is left to chance, or runs that fail together would come back together.

        Args:
            error: What the request met.
            failed: How often it has failed by now.
            begun: Whether the run has had an answer. A server that never answered is more likely
                named wrongly than away for a moment, and whoever named it wants to know.
        """
        if failed > self.most or not passing(error):
            return None
        if not begun and isinstance(error, _SILENT) and not _spoke(error):
            return None
        named = retry_after(error)
        if named is not None and named > self.patience:
            return None
        usual = min(self.longest, self.first * 2.0 ** (failed - 1))
        pause = usual * (0.5 + 0.5 * self.chance.random())
        return pause if named is None else max(named + 0.1 * usual * self.chance.random(), pause)


def passing(error: Exception) -> bool:
    """Say whether the same request may succeed later."""
    if isinstance(error, exceptions.ModelError):
        return bool(error.is_retryable)
    if isinstance(error, TimeoutError | ConnectionError):
        return True
    return _status(error) in _PASSING


def _spoke(error: BaseException | None) -> bool:
    """Say whether somebody was there, though the connection was lost."""
    while error is not None:
        if type(error).__name__ in _SPOKE or isinstance(error, ConnectionResetError):
            return True
        error = error.__cause__ or error.__context__
    return False


def name(error: Exception) -> str:
    """Return what a report calls an error that was waited out."""
    found = next((name for kind, name in _NAMES if isinstance(error, kind)), "")
    return found or ("rate limit" if _status(error) == 429 else "server error")


def retry_after(error: Exception) -> float | None:
    """Return the seconds that a server asks to be left alone, None where it names none."""
    headers = getattr(getattr(error, "response", None), "headers", None)
    if not isinstance(headers, Mapping):
        return None
    for header, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        said = headers.get(header)
        if said is None:
            continue
        seconds = _seconds(str(said))
        if seconds is not None:
            return max(seconds * unit, 0.0)
    return None


def _seconds(said: str) -> float | None:
    """Read a number of seconds, or a date."""
    try:
        return float(said)
    except ValueError:
        pass
    try:
        return parsedate_to_datetime(said).timestamp() - time.time()
    except (TypeError, ValueError):
        return None


def _status(error: Exception) -> Any:
    response = getattr(error, "response", None)
    return getattr(error, "status_code", None) or getattr(response, "status_code", None)
