"""The lengths that a plan's text states: `400 words`, `1.5k`, `300-400字`, `(about 1,200 words)`.

text -> length; text -> text before a length, the length, text after it

Knows numbers, ranges and the names of units; does not know which part a length belongs to.
"""

from __future__ import annotations

import re

from longchain.agent.planning.parse.field_names import LENGTH, TOTAL, UNIT, alternation
from longchain.length.reading.numerals import Numeral, find_numerals

_LENGTH_NAMES = alternation(LENGTH)
_TOTAL_NAMES = alternation(TOTAL)
_UNIT_NAMES = alternation(UNIT)
# Digits only, unlike `find_numerals`: in a plan, `one` and `二` are words of a main point, or
# ordinals.
_THOUSANDS = r"\d{1,3}(?:[,.,'’\u00a0\u202f ]\d{3})+(?!\d)"
_NUMBER = (
    rf"(?<!\d)(?:{_THOUSANDS}|\d{{1,9}})(?:[.,]\d{{1,3}})?(?!\d)"
    r"\s?(?:k\b|[千천]|[万萬만](?:\s?\d[千천]|\d{4}(?!\d))?)?"
)
_PLAIN_SPACES = str.maketrans("\u00a0\u202f", "  ")
_RANGE = (
    rf"(?P<low>{_NUMBER})(?:\s*(?:{_UNIT_NAMES})?\s*"
    rf"(?:[-–—~〜～至到à]|から|에서|to|bis|and|a)\s*(?P<high>{_NUMBER}))?"
)
_LABELLED_RANGE = _RANGE.replace("?P<", "?P<labelled_")
_LENGTH = re.compile(_RANGE, re.IGNORECASE)
_ABOUT = r"[^\d()（）]{0,24}?"
_LENGTH_WITH_UNIT = re.compile(
    rf"(?:{_ABOUT}{_RANGE}\s*(?:{_UNIT_NAMES})(?!\w*\d)\D{{0,16}}"
    rf"|\s*(?:{_LENGTH_NAMES})\s*[:：]?{_ABOUT}{_LABELLED_RANGE}\D{{0,16}})",
    re.IGNORECASE,
)
_BRACKETED = re.compile(r"[(（\[【〔]([^()（）\[\]【】〔〕]{1,60})[)）\]】〕]")
_LENGTH_AT_END = re.compile(
    rf"(?:^|\s[-–—]+|[:：,，|｜~≈–—])\s*(?:(?:about|ca\.?|approx\.?|around|approximately|etwa"
    rf"|environ|unos|约|約|약)\s*)?[~≈～]?\s*(?P<count>{_RANGE}\s*(?:{_UNIT_NAMES}))[\s.。]*$",
    re.IGNORECASE,
)
_TOTAL_LINE = re.compile(
    rf"(?:{_TOTAL_NAMES})\s?(?:{_LENGTH_NAMES})?\s*(?:\([^()]{{0,20}}\))?\s*[:：=~≈–—-]*\s*"
    rf"(?:is|of|about|approx\w*\.?|ca\.?|约|約|약)?\s*[~≈]?\s*\d",
    re.IGNORECASE,
)
_TOTAL_HEADING = re.compile(rf"(?:{_TOTAL_NAMES})\s?(?:{_LENGTH_NAMES})?", re.IGNORECASE)


def read_length(value: object) -> int | None:
    """Read a length, of a range the middle; None if there is none or it is 0."""
    match = _LENGTH.search(str(value)[:200])  # no length is longer; a main point may be
    if match is None:
        return None
    lower = match["low"]
    upper = match["high"] or lower
    low, high = _read_number(lower), _read_number(upper)
    if low.value < 100 and low.scale == 1 < high.scale:
        # "1.5-2k": the factor counts for both ends.
        factor = re.sub(r"[\d.,\s]", "", upper)
        low = _read_number(lower.rstrip() + factor)
    middle = round((low.value + high.value) / 2)
    return middle or None


def _read_number(text: str) -> Numeral:
    """Read a number that the patterns above have matched."""
    return next(find_numerals(text.translate(_PLAIN_SPACES)))


def has_number_at(text: str, position: int) -> bool:
    """Return whether a number begins at a position of a text."""
    return _LENGTH.match(text, position) is not None


def split_at_length(text: str) -> tuple[str, int | None, str]:
    """Split a text at the length that it states in brackets or at its end.

    Returns:
        The text before the length, the length (None if there is none), and the text after it.
    """
    brackets = list(_BRACKETED.finditer(text))
    for match in reversed(brackets):
        if _LENGTH_WITH_UNIT.fullmatch(match[1]):
            return text[: match.start()], read_length(match[1]), text[match.end() :]
    # No length is longer; in 10,000 blanks, the search would take 14 s.
    start = max(0, len(text) - 60)
    at_end = _LENGTH_AT_END.search(text[start:])
    if at_end is None:
        return text, None, ""
    return text[: start + at_end.start()], read_length(at_end["count"]), ""


def is_total_line(line: str) -> bool:
    """Return whether a line gives the length of the whole plan: `Total: 2,000 words`."""
    return _TOTAL_LINE.match(line) is not None


def is_total_heading(heading: str) -> bool:
    """Return whether a table row or record of that heading gives the length of the whole plan."""
    return _TOTAL_HEADING.fullmatch(heading) is not None
