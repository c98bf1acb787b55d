"""Tokenizes text for the simulated models, identically in every process.

text -> tokens that join to the text; text and limits -> `ModelOutput`

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


class ModelOutput(NamedTuple):
    """The tokens that a model generates, and the reason why it stopped."""

    pieces: list[str]
    finish_reason: FinishReason

    @property
    def text(self) -> str:
        """The tokens as one string."""
        return "".join(self.pieces)


EMPTY = ModelOutput([], "stop")
"""Output without a token."""


def split(text: str) -> list[str]:
    """Split a text into tokens that join back to it."""
    return _PIECE.findall(text)


def split_words(text: str) -> list[str]:
    """Split a text into words, each with the white space before it, that join back to it."""
    return _WORD.findall(text)


def count(text: str) -> int:
    """Return the number of tokens of a text."""
    return len(split(text))


def token_ids(pieces: Sequence[str]) -> list[int]:
    """Return a number for every token, the same for equal tokens."""
    return [crc32(piece.encode("utf-8", "replace")) for piece in pieces]


def truncate(text: str, max_tokens: int | None, stop: Sequence[str] | None = None) -> ModelOutput:
    """Cut a text before the first stop string, then after `max_tokens` tokens.

    Returns:
        The tokens, with the finish reason `length` if `max_tokens` cut off some.
    """
    stops = [text.find(word) for word in stop or () if word and word in text]
    if stops:
        text = text[: min(stops)]
    pieces = split(text)
    if max_tokens is None or len(pieces) <= max_tokens:
        return ModelOutput(pieces, "stop")
    return ModelOutput(pieces[:max_tokens], "length")
