"""One reply on its way, over one request or several.

pieces of text, as requests bring them -> what may be shown; when a request ends -> whether to go on

Knows texts and token counts; knows nothing of HTTP. A cut reply is gone on with from what has been
shown of it, so the joined text is what one uncut request would have given: what must not be shown
before the next piece is seen (white space at the end, a character of which bytes are missing, what
may be the beginning of a stop string) is held back, and written again by the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_TRIES = 3
"""Requests in a row that may bring nothing to show, such as white space alone."""

_BROKEN = "\ufffd"
"""What stands for a character whose last bytes are in the next token."""


@dataclass
class Ongoing:
    """A reply that may take several requests."""

    budget: int | None
    """Tokens of the whole reply; None: until it ends or the window does."""

    step: int | None
    """Tokens of one request; None: the whole budget."""

    least: int = 0
    """Tokens before which it may not end."""

    window: int | None = None
    """Tokens of prompt and reply together, where that is known."""

    stop: Sequence[str] = ()
    shown: str = ""
    tokens: int = 0
    stopped_by: str | None = None
    """A stop string that began in one request and ended in the next: no server sees that."""

    _held: str = ""
    _fresh: bool = False
    """Whether the next piece is the first one of a request that goes on."""

    _asked: int | None = None
    _before: int = 0
    _idle: int = 0

    @property
    def begun(self) -> bool:
        """Whether there is something to go on from."""
        return bool(self.shown)

    def limits(self) -> dict[str, int]:
        """Return the limits of the next request, in tokens."""
        left = None if self.budget is None else self.budget - self.tokens
        most = [tokens for tokens in (left, self.step, self.window) if tokens is not None]
        if left is None and self.step is None:
            most = []  # the server's own limit is what the window leaves
        limits = {"max_tokens": min(most)} if most else {}
        self._asked = min(most, default=None)
        if self.least:  # also when it is reached, or the model's own would be sent again
            limits["min_tokens"] = min([max(self.least - self.tokens, 0), *most])
        return limits

    def feed(self, piece: str) -> str:
        """Take in the next piece of text; return what may be shown by now."""
        if not piece or self.stopped_by is not None:
            return ""
        if self._fresh:
            # The model writes again what was held back; a chat template may have trimmed white
            # space that it therefore does not miss.
            apart = self._held.isspace() and not piece[0].isspace()
            self._held = self._held if apart else ""
            self._fresh = False
        text = self._held + piece
        for mark in self.stop:
            if (place := text.find(mark)) >= 0:
                text, self.stopped_by = text[:place], mark
        keep = len(text) if self.stopped_by is not None else self._safe(text)
        self._held = text[keep:]
        self.shown += text[:keep]
        return text[:keep]

    def _safe(self, text: str) -> int:
        """Return how much of a text may be shown whatever comes next."""
        end = len(text.rstrip(_BROKEN))
        begun = [
            size
            for mark in self.stop
            for size in range(min(len(mark) - 1, end), 0, -1)
            if text.endswith(mark[:size], 0, end)
        ]
        end -= max(begun, default=0)
        return len(text[:end].rstrip())

    def ends(self, finish: str | None, tokens: int | None, total: int) -> bool:
        """Take note of the end of a request; return whether the reply is over.

        Args:
            finish: Why the request ended.
            tokens: What it wrote; None where the server does not say: a cut one wrote all that it
                was allowed.
            total: Prompt and output together.
        """
        unknown = tokens is None and self._asked is None
        self.tokens += (self._asked or 0) if tokens is None else tokens
        grown, self._before = len(self.shown) - self._before, len(self.shown)
        self._idle = 0 if grown else self._idle + 1
        self._fresh = True
        spent = self.budget is not None and self.tokens >= self.budget
        full = self.window is not None and total >= self.window
        return (
            self.stopped_by is not None
            or finish != "length"
            or spent
            or full
            or not self.shown
            or unknown
            or self._idle >= _TRIES
        )

    def rest(self) -> str:
        """Return what was held back and belongs to the reply after all, once it is over."""
        rest = "" if self.stopped_by is not None else self._held.rstrip(_BROKEN)
        self._held = ""
        self.shown += rest
        return rest
