"""A model -> how many tokens a text has for it.

`BaseChatModel.get_num_tokens` goes to the network where a tokenizer's file is not at hand, so it
is not asked: a model's own counter is used where it has one, a vLLM server's for a model on it,
OpenAI's tokenizer where its file is already on the disk, and otherwise an estimate that errs on the
high side.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Protocol, runtime_checkable

from langchain_core.language_models import BaseChatModel

from longchain.models.profile import layers

_FILE = "https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken"

_RATES = [
    # Letters that today's vocabularies hold in pieces of several: Latin with accents, Greek,
    # Cyrillic, Hebrew, Arabic.
    (re.compile("[\u0080-\u052f\u0590-\u06ff\u0750-\u077f\u1e00-\u1fff\ufb1d-\ufdff]+"), 0.5),
    # Han, kana, Hangul, Thai, Devanagari; punctuation and symbols.
    (
        re.compile(
            "[\u0900-\u097f\u0e00-\u0e7f\u1100-\u11ff\u2000-\u22ff\u2400-\u25ff\u2e80-\u9fff"
            "\uac00-\ud7af\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef]+"
        ),
        1.1,
    ),
    # Emoji and all else that takes four bytes: often one token a byte.
    (re.compile("[\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\U00010000-\U0010ffff]+"), 3.0),
]
"""Tokens a character, for the scripts that are told apart."""

_ASCII = re.compile(r"[\x00-\x7f]+")
_ASCII_RATE = 1 / 3.8

_OTHER_RATE = 2.0
"""Of all other scripts, such as Burmese or Amharic: few vocabularies know more than their signs,
and many only their bytes, three a character."""


def estimate(text: str) -> int:
    """Return about how many tokens a text has, on the high side for today's tokenizers.

    Rules of thumb, meant to be too high rather than too low: 3.8 ASCII characters a token, two
    letters of the other European alphabets, of Hebrew or Arabic, a little less than one Han,
    kana, Hangul, Thai or Devanagari character, and half a character of any other script. An
    emoji has three.
    """
    if text.isascii():
        return int(len(text) * _ASCII_RATE) + 1
    other = len(text)
    total = 0.0
    for signs, rate in [(_ASCII, _ASCII_RATE), *_RATES]:
        count = sum(map(len, signs.findall(text)))
        other -= count
        total += count * rate
    return int(total + other * _OTHER_RATE) + 1


@runtime_checkable
class _Counts(Protocol):
    """A model whose server counts exactly, and never fails to answer."""

    def count_tokens(self, text: str) -> int:
        """Return how many tokens a text has."""


def counter(model: BaseChatModel) -> Callable[[str], int]:
    """Return what counts tokens for a model, wrapped or not; it asks no server but the model's."""
    own = layers(model)[-1]
    if isinstance(own, _Counts):
        return own.count_tokens
    ids = getattr(own, "custom_get_token_ids", None)
    if ids is not None:
        return lambda text: len(ids(text))
    if type(own).__module__.startswith("langchain_openai") and not getattr(
        own, "openai_api_base", None
    ):
        return _openai() or estimate
    return estimate


@lru_cache(maxsize=1)
def _openai() -> Callable[[str], int] | None:
    """Return OpenAI's tokenizer if its file is on the disk: its download has no timeout."""
    folder = os.environ.get("TIKTOKEN_CACHE_DIR") or os.environ.get("DATA_GYM_CACHE_DIR")
    cached = Path(folder or Path(tempfile.gettempdir(), "data-gym-cache"))
    if not (cached / hashlib.sha1(_FILE.encode()).hexdigest()).is_file():
        return None
    import tiktoken

    encoding = tiktoken.get_encoding("o200k_base")
    return lambda text: len(encoding.encode_ordinary(text))
