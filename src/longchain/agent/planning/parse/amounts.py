"""The lengths that a plan's text names: `400 words`, `1.5k`, `300-400字`, `(about 1,200 words)`.

text -> length; text -> what stands before a length, the length, what stands after it

Knows numbers, ranges and the names of units; does not know which part a length belongs to.
"""

from __future__ import annotations

import re

from longchain.agent.planning.parse.labels import LENGTH, TOTAL, UNIT, either
from longchain.length.reading.numerals import Numeral, find_numerals

# Digits only, as opposed to `find_numerals`: `one` and `二` are words of a main point, or ordinals.
_THOUSANDS = r"\d{1,3}(?:[,.,'’\u00a0\u202f ]\d{3})+(?!\d)"
_NUMBER = (
    rf"(?<!\d)(?:{_THOUSANDS}|\d{{1,9}})(?:[.,]\d{{1,3}})?(?!\d)"
    r"\s?(?:k\b|[千천]|[万萬만](?:\s?\d[千천]|\d{4}(?!\d))?)?"
)
_SPACES = str.maketrans("\u00a0\u202f", "  ")
_RANGE = (
    rf"(?P<low>{_NUMBER})(?:\s*(?:{either(UNIT)})?\s*"
    rf"(?:[-–—~〜～至到à]|から|에서|to|bis|and|a)\s*(?P<high>{_NUMBER}))?"
)
_COUNT = re.compile(_RANGE, re.IGNORECASE)
_ABOUT = r"[^\d()（）]{0,24}?"
_INLINE = re.compile(
    rf"(?:{_ABOUT}{_RANGE}\s*(?:{either(UNIT)})(?!\w*\d)\D{{0,16}}"
    rf"|\s*(?:{either(LENGTH)})\s*[:：]?{_ABOUT}{_RANGE.replace('?P<', '?P<own_')}\D{{0,16}})",
    re.IGNORECASE,
)
_BRACKETED = re.compile(r"[(（\[【〔]([^()（）\[\]【】〔〕]{1,60})[)）\]】〕]")
_TAIL = re.compile(
    rf"(?:^|\s[-–—]+|[:：,，|｜~≈–—])\s*(?:(?:about|ca\.?|approx\.?|around|approximately|etwa"
    rf"|environ|unos|约|約|약)\s*)?[~≈～]?\s*(?P<count>{_RANGE}\s*(?:{either(UNIT)}))[\s.。]*$",
    re.IGNORECASE,
)
_TOTAL_LINE = re.compile(
    rf"(?:{either(TOTAL)})\s?(?:{either(LENGTH)})?\s*(?:\([^()]{{0,20}}\))?\s*[:：=~≈–—-]*\s*"
    rf"(?:is|of|about|approx\w*\.?|ca\.?|约|約|약)?\s*[~≈]?\s*\d",
    re.IGNORECASE,
)
_TOTAL_NAME = re.compile(rf"(?:{either(TOTAL)})\s?(?:{either(LENGTH)})?", re.IGNORECASE)


def count(value: object) -> int | None:
    """Read a length: the middle of a range; None where there is none, or it is 0."""
    match = _COUNT.search(str(value)[:200])
    if not match:
        return None
    low, high = _numeral(match["low"]), _numeral(match["high"] or match["low"])
    if low.value < 100 and low.scale == 1 < high.scale:  # "1.5-2k": the factor stands for both
        low = _numeral(match["low"].rstrip() + re.sub(r"[\d.,\s]", "", match["high"]))
    return round((low.value + high.value) / 2) or None


def _numeral(text: str) -> Numeral:
    return next(find_numerals(text.translate(_SPACES)))


def begins_with_count(text: str, place: int) -> bool:
    """Whether a number stands at a place in a text."""
    return _COUNT.match(text, place) is not None


def split(text: str) -> tuple[str, int | None, str]:
    """Split a text at the length it names in brackets or at its end: before, length, after."""
    for match in reversed(list(_BRACKETED.finditer(text))):
        if _INLINE.fullmatch(match[1]):
            return text[: match.start()], count(match[1]), text[match.end() :]
    start = max(0, len(text) - 60)
    if tail := _TAIL.search(text[start:]):
        return text[: start + tail.start()], count(tail["count"]), ""
    return text, None, ""


def is_total(line: str) -> bool:
    """Whether a line sums up the plan: `Total: 2,000 words`."""
    return _TOTAL_LINE.match(line) is not None


def names_total(heading: str) -> bool:
    """Whether a heading is that of the sum in a table or a list of records."""
    return _TOTAL_NAME.fullmatch(heading) is not None
