"""Finds where a text falls into a loop, in a whole text or while it arrives.

text -> index at which a loop at its end begins, or None

Knows tokens and their order; calls no model and shortens no text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from longchain.prose.repetition import TOKEN, is_sentence_length

# The end of a sentence or line right after a token; the match belongs to the sentence.
_SENTENCE_END = re.compile(
    r"(?:[^\w\n]|_){0,12}(?<!\s)(?=[^\S\n]*\n)|[.!?…。！？।۔]{1,12}[\"'”’»」』）)\]*_]{0,12}"
)

_MAX_BLANK = 2000
"""Characters without a letter or digit: more than any form or rule that a document ends with."""


class _LoopLimits(NamedTuple):
    """The size from which on a repeated span at the end of a text is a loop."""

    min_copies: int
    min_tokens: int
    min_aligned_tokens: int
    """Tokens in a loop of whole sentences or lines: fewer, as a refrain rarely has as many."""


_FINISHED = _LoopLimits(min_copies=4, min_tokens=40, min_aligned_tokens=24)
_GROWING = _LoopLimits(min_copies=6, min_tokens=60, min_aligned_tokens=48)
"""Limits for a text that still arrives: a refrain that will end may look like a loop."""
_CERTAIN = _LoopLimits(min_copies=2, min_tokens=2, min_aligned_tokens=2)


def loop_start(text: str, *, known: bool = False) -> int | None:
    """Return the index at which `text` begins to loop, or None if it does not end in a loop.

    A loop is the same span again and again up to the end: at least 4 times and 40 tokens, or
    4 times the same sentence or line. Case and punctuation do not count. Also a loop: 2,000
    characters at the end without a letter or digit. O(n).

    Args:
        text: Any text.
        known: Whether the text is known to end in a loop, for example because a server stopped
            it for that reason: then the same span twice is one.

    Returns:
        An index such that `text[:index]` keeps one copy, up to the end of a sentence if the loop
        has one.
    """
    if known:
        return _find_loop(text, _CERTAIN)
    if _ends_uniquely(text):
        return None
    return _find_loop(text, _FINISHED)


def _ends_uniquely(text: str) -> bool:
    """Whether one of the last words is too rare in the text for a loop at the end.

    A quick check that settles most texts. The very last word may be cut short, and so may the
    first one of the last 200 characters.
    """
    folded = text.casefold()
    last_words = TOKEN.findall(folded[-200:])[1:-1][-4:]
    return any(folded.count(word) < _FINISHED.min_copies - 1 for word in last_words)


class Tokenized(NamedTuple):
    """The tokens of a text, with the index at which each begins and ends."""

    items: list[str]
    begins: list[int]
    ends: list[int]

    @classmethod
    def of(cls, text: str) -> Tokenized:
        """Tokenize a text as `tokens` does."""
        matches = list(TOKEN.finditer(text))  # three comprehensions are faster than one loop
        items = [match.group().casefold() for match in matches]
        return cls(items, [match.start() for match in matches], [match.end() for match in matches])

    def without_last(self) -> Tokenized:
        """Return all tokens but the last."""
        return Tokenized(self.items[:-1], self.begins[:-1], self.ends[:-1])

    def sentence_end(self, text: str, index: int) -> int | None:
        """Return where a sentence or line ends right after a token; None if none does."""
        following = index + 1
        stop = self.begins[following] if following < len(self.begins) else len(text)
        match = _SENTENCE_END.match(text, self.ends[index], stop)
        return match.end() if match else None


def _find_loop(text: str, limits: _LoopLimits) -> int | None:
    tokenized = Tokenized.of(text)
    last_end = tokenized.ends[-1] if tokenized.ends else 0
    if len(text) - last_end >= _MAX_BLANK:
        return _blank_start(text, tokenized)
    place = _find_repetition(text, tokenized, limits)
    if place is None and 0 < last_end == len(text):
        # The end of the reply may have cut the last word short: `very very ve`.
        return _find_repetition(text, tokenized.without_last(), limits)
    return place


def _blank_start(text: str, tokenized: Tokenized) -> int:
    """Return where the text ends before a long stretch without a letter or digit."""
    if not tokenized.items:
        return 0
    sentence_end = tokenized.sentence_end(text, len(tokenized.items) - 1)
    return sentence_end or tokenized.ends[-1]


def _find_repetition(text: str, tokenized: Tokenized, limits: _LoopLimits) -> int | None:
    """Find the shortest period with which the last tokens loop, and where to cut."""
    items = tokenized.items
    min_copies, _, min_run = limits
    for period, run in _periods(items, len(items) // min_copies):
        if run < min_copies * period or run < min_run:
            continue
        begin = len(items) - run
        if _is_loop(text, tokenized, begin, period, limits):
            return _cut_index(text, tokenized, begin, period)
    return None


def _is_loop(text: str, tokenized: Tokenized, begin: int, period: int, limits: _LoopLimits) -> bool:
    """Whether the tokens from `begin` on, which repeat with a period, are a loop."""
    run = len(tokenized.items) - begin
    span = tokenized.items[begin : begin + period]
    if all(item.isdecimal() for item in span):
        # Rows of zeros are intended more often than rows of words.
        return run >= 3 * limits.min_tokens
    if run >= limits.min_tokens:
        return True
    return is_sentence_length(span) and _is_aligned(text, tokenized, begin, period)


def _periods(items: Sequence[str], max_period: int) -> Iterator[tuple[int, int]]:
    """Yield each period up to `max_period` and how many tokens at the end repeat with it.

    The Z function of the reversed tokens, which finds all periods in O(n) together.
    """
    last, size = len(items) - 1, len(items)
    reach = [0] * (max_period + 1)
    left = right = 0
    for period in range(1, max_period + 1):
        same = min(reach[period - left], right - period) if period < right else 0
        while period + same < size and items[last - same] == items[last - period - same]:
            same += 1
        reach[period] = same
        if period + same > right:
            left, right = period, period + same
        yield period, period + same


def _is_aligned(text: str, tokenized: Tokenized, begin: int, period: int) -> bool:
    """Whether the span that repeats is made of whole sentences or lines."""
    final = len(tokenized.items) - 1
    for index in range(begin, begin + period):
        if tokenized.sentence_end(text, index) is None:
            continue
        copies = range(index, final, period)
        return all(tokenized.sentence_end(text, copy) is not None for copy in copies)
    return False


def _cut_index(text: str, tokenized: Tokenized, begin: int, period: int) -> int:
    """Return the end of the first copy, or of the sentence that continues from there."""
    # The text before the loop may happen to end like its span and be taken for part of it, so
    # the first copy is complete only at the next end of a sentence.
    last = begin + period - 1
    for index in range(last, last + period):
        place = tokenized.sentence_end(text, index)
        if place is not None:
            return place
    return tokenized.ends[last]


class LoopGuard:
    """Detects a loop in a text while it arrives.

    Asks for more than `loop_start`, since a refrain may still go on: 6 copies and 60 tokens.
    `loop_start` also finds any loop that it reports in the whole text. Keeps 4,000 characters and
    checks them once per 200 that arrive, so its work per character does not grow with the text.
    """

    _WINDOW = 4000
    _STRIDE = 200

    def __init__(self) -> None:
        self._tail = ""
        self._unchecked = 0
        self._is_loop = False

    def feed(self, piece: str) -> bool:
        """Add the next piece of the text and return whether a loop is certain by now."""
        self._tail = (self._tail + piece)[-self._WINDOW :]
        self._unchecked += len(piece)
        if not self._is_loop and self._unchecked >= self._STRIDE:
            self._unchecked = 0
            self._is_loop = _find_loop(self._tail, _GROWING) is not None
        return self._is_loop
