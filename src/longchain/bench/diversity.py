"""How varied a text is, and how much of it repeats: text -> measures by name.

rep-n, distinct-n, repeated sentences, compression and MTLD, of words, or of characters where a
script has no spaces. All but MTLD move with a text's length: compare like with like. Knows
tokens and their order; knows nothing of what was asked.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from itertools import islice

from longchain.prose.repetition import tokens
from longchain.sentences import split_sentences

MTLD_TTR = 18, 25
"""The type-token ratio below which MTLD closes a factor, 0.72, as a fraction without rounding."""

_LEAST_WORDS, _LEAST_CHARACTERS = 5, 10
"""A sentence of fewer may stand twice in good prose."""


def measures(text: str, language: str | None = None) -> dict[str, float]:
    """Return all measures of a text; none of one without a letter or digit.

    Args:
        text: Markdown or plain.
        language: Its BCP 47 tag, for where sentences end; None: found out.

    Returns:
        `distinct_1` to `distinct_3`: distinct n-grams over all (Li et al. 2016, arXiv
        1510.03055), 0 to 1.
        `rep_2` to `rep_4`: n-grams that repeat an earlier one, over all: 1 - distinct-n
        (Welleck et al. 2020, arXiv 1908.04319), 0 to 1.
        `duplicate_sentences`: sentences that repeat an earlier one, over all that have 5 words
        or 10 characters, 0 to 1.
        `compression`: bytes over compressed bytes, 1 and more where it repeats (Shaib et al.
        2024, arXiv 2403.00553; here zlib at level 6).
        `mtld`: see there.
    """
    # Sentence by sentence, as their tokens are needed, too: once for all is a tenth of the time.
    said = [tuple(tokens(sentence)) for sentence in split_sentences(text, language)]
    items = numbered([item for sentence in said for item in sentence])
    if not items:
        return {}
    found = {f"distinct_{n}": distinct(items, n) for n in (1, 2, 3)}
    found |= {f"rep_{n}": 1 - found[f"distinct_{n}"] for n in (2, 3)}
    found["rep_4"] = 1 - distinct(items, 4)
    found["duplicate_sentences"] = duplicates(said)
    found["compression"] = compression(text)
    found["mtld"] = mtld(items)
    return found


def numbered(items: Sequence[str]) -> list[int]:
    """Return a number for each token, the same one for equal tokens: quicker to compare."""
    numbers: dict[str, int] = {}
    return [numbers.setdefault(item, len(numbers)) for item in items]


def distinct(items: Sequence[int], n: int) -> float:
    """Return the share of distinct n-grams, from 0 to 1; 1 where there are none."""
    total = len(items) - n + 1
    if total < 1:
        return 1.0
    grams = zip(*(islice(items, start, None) for start in range(n)), strict=False)
    return (len(set(items)) if n == 1 else len(set(grams))) / total


def duplicates(said: Iterable[tuple[str, ...]]) -> float:
    """Return the share of sentences that an earlier one already said, from 0 to 1.

    Shorter ones than 5 words (10 characters in Chinese and Japanese) do not count.

    Args:
        said: The tokens of each sentence.
    """
    kept = [sentence for sentence in said if _is_long(sentence)]
    return 1 - len(set(kept)) / len(kept) if kept else 0.0


def _is_long(key: tuple[str, ...]) -> bool:
    if not _LEAST_WORDS <= len(key) < _LEAST_CHARACTERS:
        return len(key) >= _LEAST_CHARACTERS
    # A token of a script without spaces is one character.
    return 2 * sum(len(item) == 1 and item > "\u0dff" for item in key) <= len(key)


def compression(text: str) -> float:
    """Return how many times smaller zlib makes a text; 1 for an empty one.

    It sees back 32 KB, so what repeats later than that does not count.
    """
    raw = text.encode("utf-8", "surrogatepass")
    return len(raw) / len(zlib.compress(raw, 6)) if raw else 1.0


def mtld(items: Sequence[int]) -> float:
    """Return the measure of textual lexical diversity: tokens per factor, of both directions.

    A factor is a run of tokens that ends where its type-token ratio falls below 0.72; what is
    left at the end counts in part: (1 - its ratio) / (1 - 0.72). The mean of reading forwards
    and backwards. Steady from some 100 tokens on. A text that makes no factor at all, as no token
    of it repeats, has its number of tokens, which is the least that it could be.

    Source: McCarthy and Jarvis 2010, Behavior Research Methods 42, 381-392.
    """
    if not items:
        return 0.0
    return (_per_factor(items) + _per_factor(items[::-1])) / 2


def _per_factor(items: Sequence[int]) -> float:
    least, whole = MTLD_TTR
    factors = count = 0
    types: set[int] = set()
    add = types.add
    for item in items:
        count += 1
        add(item)
        if whole * len(types) < least * count:
            factors += 1
            count = 0
            types.clear()
    rest = (1 - len(types) / count) / (1 - least / whole) if count else 0.0
    total = factors + rest
    return len(items) / total if total else float(len(items))
