"""Retry with exponential backoff: which errors are temporary, and how long to wait.

error -> seconds until the request is sent again, or None

Decided by LangChain's provider-neutral errors, by Python's own connection errors, and by the HTTP
status of any other error. A request that was wrong is never sent twice.
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

_TEMPORARY_STATUSES = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
"""HTTP statuses of temporary failures; 529 is Anthropic's for overload."""

_DESCRIPTIONS: tuple[tuple[type[BaseException], str], ...] = (
    (exceptions.ModelRateLimitError, "rate limit"),
    (exceptions.ModelTimeoutError, "no answer in time"),
    (exceptions.ModelConnectionError, "connection lost"),
    (exceptions.ModelAPIError, "server error"),
    (TimeoutError, "no answer in time"),
    (ConnectionError, "connection lost"),
)
"""Names of temporary errors in reports."""

_NO_ANSWER_ERRORS = (
    exceptions.ModelConnectionError,
    exceptions.ModelTimeoutError,
    ConnectionError,
    TimeoutError,
)
"""Errors raised when no server answers at all."""

_BROKEN_ANSWER_CLASSES = frozenset(
    {"RemoteProtocolError", "ReadError", "WriteError", "IncompleteRead"}
)
"""Error classes of HTTP clients for a connection that was lost in the middle of an answer."""


@dataclass(frozen=True)
class Retry:
    """How often a request is sent again after a temporary error, and after which pauses."""

    max_retries: int = 5
    """Maximum number of times that one request is sent again."""

    first_pause: float = 1.0
    """Seconds before the first retry; doubled for each further one."""

    max_pause: float = 60.0
    """Maximum seconds between two attempts, unless the server names more."""

    max_retry_after: float = 600.0
    """Maximum seconds that a server may name; beyond them the run stops and can be resumed."""

    random_source: random.Random = field(default_factory=random.Random, repr=False, compare=False)
    """Source of the random part of each pause."""

    def pause(self, error: Exception, failed: int, *, server_answered: bool = True) -> float | None:
        """Return the seconds to wait before a retry; None if a retry would not help.

        Half of a pause is random: runs that fail together must not come back together.

        Args:
            error: The error of the latest attempt.
            failed: Number of attempts that have failed.
            server_answered: Whether the server has answered this run before. One that never did
                is more likely named wrongly than briefly away, and the user wants to know.
        """
        if failed > self.max_retries or not is_temporary(error):
            return None
        never_answered = not server_answered and not _had_answered(error)
        if never_answered and isinstance(error, _NO_ANSWER_ERRORS):
            return None
        named = retry_after(error)
        if named is not None and named > self.max_retry_after:
            return None
        usual = min(self.max_pause, self.first_pause * 2.0 ** (failed - 1))
        pause = usual * (0.5 + 0.5 * self.random_source.random())
        if named is None:
            return pause
        return max(named + 0.1 * usual * self.random_source.random(), pause)


def is_temporary(error: Exception) -> bool:
    """Return whether the same request may succeed later."""
    if isinstance(error, exceptions.ModelError):
        return bool(error.is_retryable)
    if isinstance(error, TimeoutError | ConnectionError):
        return True
    return _status(error) in _TEMPORARY_STATUSES


def _had_answered(error: BaseException | None) -> bool:
    """Return whether a server had begun to answer before the connection was lost."""
    while error is not None:
        if isinstance(error, ConnectionResetError):
            return True
        if type(error).__name__ in _BROKEN_ANSWER_CLASSES:
            return True
        error = error.__cause__ or error.__context__
    return False


def describe(error: Exception) -> str:
    """Return the name of a temporary error in reports, such as `rate limit`."""
    for kind, description in _DESCRIPTIONS:
        if isinstance(error, kind):
            return description
    return "rate limit" if _status(error) == 429 else "server error"


def retry_after(error: Exception) -> float | None:
    """Return the seconds that a server asks to wait (Retry-After), None if it names none."""
    headers = getattr(getattr(error, "response", None), "headers", None)
    if not isinstance(headers, Mapping):
        return None
    for header, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(header)
        if value is None:
            continue
        seconds = _seconds(str(value))
        if seconds is not None:
            return max(seconds * unit, 0.0)
    return None


def _seconds(value: str) -> float | None:
    """Return the seconds of a Retry-After header: a number, or a date."""
    try:
        return float(value)
    except ValueError:
        pass
    try:
        return parsedate_to_datetime(value).timestamp() - time.time()
    except (TypeError, ValueError):
        return None


def _status(error: Exception) -> Any:
    """Return the HTTP status of an error, None if it has none."""
    response = getattr(error, "response", None)
    return getattr(error, "status_code", None) or getattr(response, "status_code", None)
