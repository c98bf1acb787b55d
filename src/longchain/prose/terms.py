"""Splits a text into the terms that a search compares.

text -> list of terms: words in the singular; pairs of neighboring characters in scripts without
spaces between words, and in Korean, whose endings are part of the word

Knows scripts and stop words; knows no index and no document.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import regex

# Wider than `character_class` of `language`: with Korean, and with every block of each script.
_PAIRED = r"\p{Han}\p{Hiragana}\p{Katakana}ー々〆\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_RUN = regex.compile(rf"[{_PAIRED}]+|[[\p{{L}}\p{{M}}\p{{N}}]--[{_PAIRED}]]+", regex.V1)
_ASCII = re.compile(r"[a-z0-9]+")
_IS_PAIRED = regex.compile(rf"[{_PAIRED}]")
_ALL_HIRAGANA = regex.compile(r"[\p{Hiragana}ー]+")

_STOP_WORD_LIST = """
    a about after all also an and any are as at be been but by can cover covers do each for from
    had has have how if in into is it its more most no not of on only or other out over please
    report section some such than that the their them then there these they this to under up was
    were what when where which while who will with word words write written your
    der die das den dem des ein eine einer eines und oder in im ist sind zu zur zum mit von für
    auf aus bei nicht sich über wie als auch
    le la les un une du et ou dans est sont pour par sur avec que qui au aux ce cette ne pas
    el los las del y o en es son para por con se al como
    """
_STOP_WORDS = frozenset(_STOP_WORD_LIST.split())
"""English, German, French and Spanish stop words, and words of every request to write.

Headings are few and short, so rarity alone would make `The Sea` the best match for `the`.
"""


def terms(text: str) -> list[str]:
    """Return the terms of a text in order, repeated as often as they occur."""
    if text.isascii():  # five times as fast, and most passages are
        words = _ASCII.findall(text.lower())
        return [_singular(word) for word in words if word not in _STOP_WORDS]
    result: list[str] = []
    for word in _RUN.findall(unicodedata.normalize("NFKC", text).lower()):
        if not word.isascii() and _IS_PAIRED.match(word):
            result += _pairs(word)
        elif word not in _STOP_WORDS:
            result.append(_singular(word))
    return result


def _pairs(run: str) -> list[str]:
    """Return the pairs of neighboring characters; pairs of hiragana are grammar, not content."""
    if len(run) == 1:
        return [run]
    pairs = [run[i : i + 2] for i in range(len(run) - 1)]
    return [pair for pair in pairs if not _ALL_HIRAGANA.fullmatch(pair)] or pairs


@lru_cache(maxsize=100_000)
def _singular(word: str) -> str:
    """Return the approximate singular of an English plural: both only need the same form."""
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes")):
        return word[:-2]
    return word[:-1]
