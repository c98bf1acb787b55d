"""The token rule of the simulated models, the same in every process.

text -> pieces that join to the text; pieces and limits -> what of them is given out

A token is one Chinese, Japanese or Korean character, or up to four other characters of a word
together with the space before it, or a single white space character.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple
from zlib import crc32

_WIDE = "\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
_PIECE = re.compile(rf"[{_WIDE}]| ?[^\s{_WIDE}]{{1,4}}|\s")
_WORD = re.compile(rf"\s*(?:[{_WIDE}]|[^\s{_WIDE}]+)|\s+\Z")

FinishReason = Literal["stop", "length"]


class Output(NamedTuple):
    """What a model gives out: its tokens, and why it stopped there."""

    pieces: list[str]
    finish_reason: FinishReason

    @property
    def text(self) -> str:
        """The tokens as one string."""
        return "".join(self.pieces)


NOTHING = Output([], "stop")


def split(text: str) -> list[str]:
    """Return the tokens of `text`; joined they are the text again."""
    return _PIECE.findall(text)


def words(text: str) -> list[str]:
    """Return `text` in words with the white space before each; joined they are the text again."""
    return _WORD.findall(text)


def count(text: str) -> int:
    """Return how many tokens `text` has."""
    return len(split(text))


def numbers(pieces: Sequence[str]) -> list[int]:
    """Return a number for every token, equal where the tokens are."""
    return [crc32(piece.encode("utf-8", "replace")) for piece in pieces]


def limit(text: str, max_tokens: int | None, stop: Sequence[str] | None = None) -> Output:
    """Cut `text` before the first stop string, then after `max_tokens` tokens.

    Returns:
        The tokens, with `length` as the reason where `max_tokens` cut something off.
    """
    found = [text.find(word) for word in stop or () if word and word in text]
    pieces = split(text[: min(found)] if found else text)
    if max_tokens is None or len(pieces) <= max_tokens:
        return Output(pieces, "stop")
    return Output(pieces[:max_tokens], "length")
