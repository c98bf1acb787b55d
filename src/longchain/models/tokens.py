"""Token counts: counts or estimates the tokens that a text has for a model.

a chat model -> a function from texts to token counts

Uses the model's own tokenizer if it has one, a vLLM server's for a model on it, OpenAI's if its
file is already on the disk, and otherwise an estimate that errs on the high side. Does not use
`BaseChatModel.get_num_tokens`, which downloads a missing tokenizer.
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

from longchain.models.profile import unwrap

_TOKENIZER_URL = "https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken"

_RATES = [
    # Latin with accents, Greek, Cyrillic, Hebrew, Arabic: several letters a token in today's
    # vocabularies.
    (re.compile("[\u0080-\u052f\u0590-\u06ff\u0750-\u077f\u1e00-\u1fff\ufb1d-\ufdff]+"), 0.5),
    # Han, kana, Hangul, Thai, Devanagari; punctuation and symbols.
    (
        re.compile(
            "[\u0900-\u097f\u0e00-\u0e7f\u1100-\u11ff\u2000-\u22ff\u2400-\u25ff\u2e80-\u9fff"
            "\uac00-\ud7af\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef]+"
        ),
        1.1,
    ),
    # Emoji and all other characters of four bytes: often one token a byte.
    (re.compile("[\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\U00010000-\U0010ffff]+"), 3.0),
]
"""Tokens per character, by script."""

_ASCII = re.compile(r"[\x00-\x7f]+")
_ASCII_RATE = 1 / 3.8

_OTHER_RATE = 2.0
"""Tokens per character of all other scripts, such as Burmese or Amharic: few vocabularies know more
than their characters, and many only their bytes, three a character."""


def estimate(text: str) -> int:
    """Estimate the tokens of a text, on the high side for today's tokenizers.

    Rules of thumb, meant to be too high rather than too low: 3.8 ASCII characters a token, two
    letters of the other European alphabets, of Hebrew or Arabic, a little less than one Han,
    kana, Hangul, Thai or Devanagari character, and half a character of any other script. An
    emoji has three tokens.
    """
    if text.isascii():
        return int(len(text) * _ASCII_RATE) + 1
    others = len(text)
    tokens = 0.0
    for script, rate in [(_ASCII, _ASCII_RATE), *_RATES]:
        characters = sum(map(len, script.findall(text)))
        others -= characters
        tokens += characters * rate
    return int(tokens + others * _OTHER_RATE) + 1


@runtime_checkable
class _CountsTokens(Protocol):
    """A model that counts tokens exactly on its server and estimates them if the server cannot."""

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens of a text."""


def counter(model: BaseChatModel) -> Callable[[str], int]:
    """Return the function that counts tokens for a model, wrapped or not.

    Calls no server except the model's own.
    """
    inner = unwrap(model)[-1]
    if isinstance(inner, _CountsTokens):
        return inner.count_tokens
    tokenize = getattr(inner, "custom_get_token_ids", None)
    if tokenize is not None:
        return lambda text: len(tokenize(text))
    if _is_openai_model(inner):
        return _openai_counter() or estimate
    return estimate


def _is_openai_model(model: object) -> bool:
    """Return whether a model is one of OpenAI's, not of a compatible server."""
    from_openai_package = type(model).__module__.startswith("langchain_openai")
    return from_openai_package and not getattr(model, "openai_api_base", None)


@lru_cache(maxsize=1)
def _openai_counter() -> Callable[[str], int] | None:
    """Return the counter of OpenAI's tokenizer if its file is on the disk; never download it.

    The download has no timeout.
    """
    folder = os.environ.get("TIKTOKEN_CACHE_DIR") or os.environ.get("DATA_GYM_CACHE_DIR")
    cache = Path(folder or Path(tempfile.gettempdir(), "data-gym-cache"))
    if not (cache / hashlib.sha1(_TOKENIZER_URL.encode()).hexdigest()).is_file():
        return None
    import tiktoken

    encoding = tiktoken.get_encoding("o200k_base")
    return lambda text: len(encoding.encode_ordinary(text))
