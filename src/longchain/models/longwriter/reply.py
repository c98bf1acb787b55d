"""Text of one reply that takes several requests: token limits, stop strings, and when it is over.

pieces of text -> what may be shown so far; the end of a request -> whether another one follows

A reply that a request has cut is continued from the text that was shown of it, so the joined text
is what one uncut request would have given. Text that the next piece may change is held back, and
the model writes it again: white space at the end, a character of which bytes are missing, and a
possible beginning of a stop string. Knows texts and token counts; does not know HTTP.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_MAX_EMPTY_REQUESTS = 3
"""Requests in a row that may add no text to show, such as white space alone."""

_INCOMPLETE_CHARACTER = "\ufffd"
"""Character in the place of one whose last bytes are in the next token."""


@dataclass
class PartialReply:
    """A reply that may take several requests."""

    max_tokens: int | None
    """Tokens of the whole reply; None: until it ends or the window is full."""

    request_tokens: int | None
    """Tokens of one request; None: as many as the whole reply."""

    min_tokens: int = 0
    """Tokens before which the reply may not end."""

    window: int | None = None
    """Tokens of prompt and reply together; None: unknown."""

    stop: Sequence[str] = ()
    """Strings that end the reply."""

    text: str = ""
    """Text that was shown so far."""

    tokens: int = 0
    """Tokens that all requests have written so far."""

    stopped_by: str | None = None
    """Stop string that ended the reply. No server finds one that two requests share."""

    _pending: str = ""
    """Text that is held back, since the next piece may change it."""

    _continued: bool = False
    """Whether the next piece is the first of a request that continues the reply."""

    _requested_tokens: int | None = None
    """Limit of the current request in tokens."""

    _previous_length: int = 0
    """Characters of the text at the end of the previous request."""

    _empty_requests: int = 0
    """Requests in a row that have added no text."""

    def next_limits(self) -> dict[str, int]:
        """Return `max_tokens` and `min_tokens` of the next request, as far as there are limits."""
        limits: dict[str, int] = {}
        self._requested_tokens = self._next_max_tokens()
        if self._requested_tokens is not None:
            limits["max_tokens"] = self._requested_tokens
        if self.min_tokens:
            # Sent also as 0: otherwise the model's own field would be sent again.
            min_tokens = max(self.min_tokens - self.tokens, 0)
            limits["min_tokens"] = min(min_tokens, limits.get("max_tokens", min_tokens))
        return limits

    def _next_max_tokens(self) -> int | None:
        bounds: list[int] = []
        if self.max_tokens is not None:
            bounds.append(self.max_tokens - self.tokens)
        if self.request_tokens is not None:
            bounds.append(self.request_tokens)
        if not bounds:
            return None  # the server's own limit is what the window leaves
        if self.window is not None:
            bounds.append(self.window)
        return min(bounds)

    def feed(self, piece: str) -> str:
        """Add a piece of text; return the text that may be shown now."""
        if not piece or self.stopped_by is not None:
            return ""
        if self._continued:
            self._continued = False
            self._drop_repeated(piece)
        text = self._cut_at_stop(self._pending + piece)
        end = len(text) if self.stopped_by is not None else self._safe_length(text)
        self._pending = text[end:]
        self.text += text[:end]
        return text[:end]

    def _drop_repeated(self, piece: str) -> None:
        """Drop the pending text, which the model writes again in a request that continues.

        White space stays if the piece begins without it: a chat template may have trimmed it, so
        that the model does not write it again.
        """
        if not self._pending.isspace() or piece[0].isspace():
            self._pending = ""

    def _cut_at_stop(self, text: str) -> str:
        """Cut a text before the first stop string, and note which one it was."""
        for stop in self.stop:
            start = text.find(stop)
            if start >= 0:
                text, self.stopped_by = text[:start], stop
        return text

    def _safe_length(self, text: str) -> int:
        """Return the length of the part of a text that may be shown whatever comes next."""
        text = text.rstrip(_INCOMPLETE_CHARACTER)
        possible_stop = max((overlap(text, stop) for stop in self.stop), default=0)
        return len(text[: len(text) - possible_stop].rstrip())

    def end_request(self, finish_reason: str | None, tokens: int | None, total: int) -> bool:
        """Note the end of a request; return whether the reply is over.

        Args:
            finish_reason: Why the request ended.
            tokens: Tokens that it wrote. None if the server does not say: a request that was cut
                wrote as many as it was allowed.
            total: Tokens of prompt and output together.
        """
        unknown_usage = tokens is None and self._requested_tokens is None
        if tokens is None:
            tokens = self._requested_tokens or 0
        self.tokens += tokens
        grew = len(self.text) != self._previous_length
        self._previous_length = len(self.text)
        self._empty_requests = 0 if grew else self._empty_requests + 1
        self._continued = True
        if self.stopped_by is not None or finish_reason != "length":
            return True
        if self._is_at_limit(total):
            return True
        # A further request would have nothing to continue from, no known end, or no effect.
        return not self.text or unknown_usage or self._empty_requests >= _MAX_EMPTY_REQUESTS

    def _is_at_limit(self, total: int) -> bool:
        """Return whether the reply has all of its tokens, or the window is full."""
        if self.max_tokens is not None and self.tokens >= self.max_tokens:
            return True
        return self.window is not None and total >= self.window

    def flush(self) -> str:
        """Return the text that was held back and belongs to the reply, once that is over."""
        rest = "" if self.stopped_by is not None else self._pending.rstrip(_INCOMPLETE_CHARACTER)
        self._pending = ""
        self.text += rest
        return rest


def overlap(text: str, mark: str) -> int:
    """Return how many characters at the end of a text may be the beginning of a mark."""
    sizes = range(min(len(mark) - 1, len(text)), 0, -1)
    return next((size for size in sizes if text.endswith(mark[:size])), 0)
