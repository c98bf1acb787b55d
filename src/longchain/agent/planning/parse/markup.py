"""Values of a plan without the markup around them.

text as a model wrote it -> plain heading or main point, "" for a value such as "none"

Knows quotes, emphasis and the words for "none"; does not know which field a value belongs to.
"""

from __future__ import annotations

import re

_QUOTES = (('"', '"'), ("“", "”"), ("[", "]"), ("*", "*"), ("_", "_"))
_NONE_WORDS = {
    "", "-", "–", "—", "none", "n/a", "null", "无", "無", "なし", "없음", "keine", "aucun",
}  # fmt: skip


def strip_markup(text: str) -> str:
    """Return a value without the markup around it, or "" for a value such as "none"."""
    # Escapes in JSON and YAML can encode lone surrogates, which no document may have.
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")
    value = " ".join(whole.replace("**", "").split()).strip("`")
    for quotes in _QUOTES:
        value = _strip_quotes(value, quotes)
    if value.lower() in _NONE_WORDS:
        return ""
    return value


def _strip_quotes(value: str, quotes: tuple[str, str]) -> str:
    """Return a value without a pair of quotes that encloses all of it."""
    if len(value) < 2 or (value[0], value[-1]) != quotes:
        return value
    inner = value[1:-1]
    if quotes[0] in inner:  # "A" and "B"
        return value
    return inner.strip()


def strip_heading_markup(text: str) -> str:
    """Return a heading without the markup around it and the separator that follows it."""
    return strip_markup(strip_markup(text).rstrip(":：|｜ "))


def is_only_number(value: str) -> bool:
    """Return whether a value only numbers a part: `3`, `2.1`."""
    return re.fullmatch(r"[\W\d]*", value) is not None
