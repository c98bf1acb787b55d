"""Limit of a reply in tokens: `max_tokens` of one request for prose.

requested length + prompt texts + `Limits` -> tokens, or `ContextOverflowError`
"""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.exceptions import ContextOverflowError

from longchain.agent.writing.memory import MAX_TOKENS_PER_CHARACTER, Limits
from longchain.document import Unit
from longchain.language import is_spaced

TOKENS_PER_UNIT = {"words": 2.0, "characters": 1.5}
"""Tokens of one unit, on the high side: German words have about two, a Chinese, Japanese or Korean
character about one."""

TOKENS_PER_LETTER = 0.6
"""Tokens of one character of an alphabet, on the high side: two letters make about one token."""

HEADROOM = 2.0
"""Factor of `max_tokens` over what the requested length needs.

It protects against endless replies and does not control the length: a model that writes 1.6 times
what it is asked for must still end by itself.
"""

EXTRA_TOKENS = 200
"""Tokens added to every limit, for headings and the end of a sentence."""

MAX_REPLY_TOKENS = 32_768
"""Maximum tokens of one reply: what the LongWriter models were made for."""

FREE_LENGTH = 3000
"""Length assumed for a reply whose length the model chooses, in the document's unit."""

MARGIN_TOKENS = 100
"""Tokens of the window kept free for a chat template."""

COUNT_ERROR = 1.05
"""Factor on counted tokens, for what a chat template adds to each message."""

MIN_REPLY_TOKENS = 500
"""Room in the window below which a request is refused, or a quarter of the limit if less."""


def max_reply_tokens(
    length: int,
    texts: Sequence[str],
    limits: Limits,
    *,
    unit: Unit,
    language: str,
    section: int,
) -> int:
    """Return the maximum tokens of a reply, by the length asked for and by the window.

    Args:
        length: Length asked for in the unit; 0 leaves it to the model.
        texts: All texts of the prompt.
        limits: Shares of the context window.
        unit: The document's unit.
        language: BCP 47 tag of the document's language.
        section: Number of the section, for the error message.

    Raises:
        ContextOverflowError: The prompt leaves too little room for a reply.
    """
    wanted = round((length or FREE_LENGTH) * _tokens_per_unit(unit, language) * HEADROOM)
    wanted = min(wanted + EXTRA_TOKENS, MAX_REPLY_TOKENS)
    if limits.window is None:
        return wanted
    room = limits.window - MARGIN_TOKENS - _prompt_tokens(texts, limits, wanted)
    if room < min(wanted // 4, MIN_REPLY_TOKENS):
        raise ContextOverflowError(
            f"the request for section {section} leaves no room for an answer "
            f"in a window of {limits.window:,} tokens: use memory 'auto' or 'summary', "
            "shorter references, or a model with a larger window"
        )
    return min(wanted, room)


def _tokens_per_unit(unit: Unit, language: str) -> float:
    alphabet = is_spaced(language) and language != "ko"
    if unit == "characters" and alphabet:
        return TOKENS_PER_LETTER
    return TOKENS_PER_UNIT[unit]


def _prompt_tokens(texts: Sequence[str], limits: Limits, wanted: int) -> int:
    """Return the tokens of a prompt, counted only where an estimate leaves less than wanted."""
    assert limits.window is not None
    estimate = round(sum(map(len, texts)) * MAX_TOKENS_PER_CHARACTER)
    if limits.window - estimate - MARGIN_TOKENS >= wanted:
        return estimate
    return round(sum(map(limits.count, texts)) * COUNT_ERROR)
