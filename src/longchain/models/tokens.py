"""A model -> how many tokens a text has for it.

`BaseChatModel.get_num_tokens` goes to the network where a tokenizer's file is not at hand, so it
is not asked: a model's own counter is used where it has one, OpenAI's tokenizer where its file is
already on the disk, and otherwise an estimate that errs on the high side.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import regex
from langchain_core.language_models import BaseChatModel

_FILE = "https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken"

_WIDE = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\u3000-\u303f\uff00-\uffef]"
)
_NARROW = regex.compile(r"[^\x00-\x7f]")


def estimate(text: str) -> int:
    """Return about how many tokens a text has, on the high side for today's tokenizers.

    Rules of thumb, meant to be too high rather than too low: 3.8 ASCII characters a token, two
    letters of other alphabets, and a little less than one Han, kana, Hangul or Thai character.
    """
    wide = len(_WIDE.findall(text))
    narrow = len(_NARROW.findall(text)) - wide
    return int((len(text) - wide - narrow) / 3.8 + wide * 1.1 + narrow / 2) + 1


def counter(model: BaseChatModel) -> Callable[[str], int]:
    """Return what counts tokens for a model, without any request."""
    ids = getattr(model, "custom_get_token_ids", None)
    if ids is not None:
        return lambda text: len(ids(text))
    if type(model).__module__.startswith("langchain_openai") and not getattr(
        model, "openai_api_base", None
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
