"""Repetition and variety of a text: text -> measures by name.

rep-n, distinct-n, repeated sentences, compression and MTLD, of words, or of characters in a script
without spaces. All but MTLD depend on a text's length: compare texts of like length. Knows tokens
and their order; knows nothing of the instruction.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence

from longchain.prose.repetition import ngrams, tokens
from longchain.sentences import split_sentences

MTLD_TTR = 18, 25
"""The type-token ratio below which MTLD closes a factor, 0.72, as a fraction without rounding."""

_MIN_SENTENCE_WORDS, _MIN_SENTENCE_CHARACTERS = 5, 10
"""Tokens of the shortest sentence that counts as repeated: shorter ones recur in good prose."""

_LAST_SPACED = "\u0dff"
"""Last character of the scripts that have spaces between words; beyond it, a token of one character
counts as a character. That includes Korean words of one syllable, unlike in `prose.repetition`: its
rule would change scores."""


def measures(text: str, language: str | None = None) -> dict[str, float]:
    """Return all measures of a text; none of one without a letter or digit.

    Args:
        text: Markdown or plain text.
        language: Its BCP 47 tag, which decides where sentences end; None: it is detected.

    Returns:
        `distinct_1` to `distinct_3`: distinct n-grams over all (Li et al. 2016, arXiv
        1510.03055), 0 to 1.
        `rep_2` to `rep_4`: n-grams that repeat an earlier one, over all: 1 - distinct-n
        (Welleck et al. 2020, arXiv 1908.04319), 0 to 1.
        `duplicate_sentences`: sentences that repeat an earlier one, over all that have 5 words
        or 10 characters, 0 to 1.
        `compression`: bytes over compressed bytes, 1 and more if the text repeats (Shaib et al.
        2024, arXiv 2403.00553; here zlib at level 6).
        `mtld`: see `mtld`.
    """
    # Sentence by sentence, as their tokens are needed, too: once for all is a tenth of the time.
    tokenized = [tuple(tokens(sentence)) for sentence in split_sentences(text, language)]
    items = number_tokens([token for sentence in tokenized for token in sentence])
    if not items:
        return {}
    results = {f"distinct_{n}": distinct(items, n) for n in (1, 2, 3)}
    for n in (2, 3):
        results[f"rep_{n}"] = 1 - results[f"distinct_{n}"]
    results["rep_4"] = 1 - distinct(items, 4)
    results["duplicate_sentences"] = duplicates(tokenized)
    results["compression"] = compression(text)
    results["mtld"] = mtld(items)
    return results


def number_tokens(items: Sequence[str]) -> list[int]:
    """Return a number for each token, the same one for equal tokens: numbers compare faster."""
    numbers: dict[str, int] = {}
    return [numbers.setdefault(item, len(numbers)) for item in items]


def distinct(items: Sequence[int], n: int) -> float:
    """Return the share of distinct n-grams, from 0 to 1; 1 if there are none."""
    total = len(items) - n + 1
    if total < 1:
        return 1.0
    if n == 1:
        return len(set(items)) / total
    return len(set(ngrams(items, n))) / total


def duplicates(tokenized: Iterable[tuple[str, ...]]) -> float:
    """Return the share of sentences that repeat an earlier one, from 0 to 1.

    Shorter ones than 5 words (10 characters in Chinese and Japanese) do not count.

    Args:
        tokenized: The tokens of each sentence.
    """
    counted = [sentence for sentence in tokenized if _is_long(sentence)]
    return 1 - len(set(counted)) / len(counted) if counted else 0.0


def _is_long(sentence: tuple[str, ...]) -> bool:
    """Return whether a sentence is long enough to count as repeated."""
    if len(sentence) < _MIN_SENTENCE_WORDS:
        return False
    if len(sentence) >= _MIN_SENTENCE_CHARACTERS:
        return True
    characters = sum(len(token) == 1 and token > _LAST_SPACED for token in sentence)
    return 2 * characters <= len(sentence)


def compression(text: str) -> float:
    """Return how many times smaller zlib makes a text; 1 for an empty one.

    It looks back 32 KB, so a repetition at a greater distance does not count.
    """
    data = text.encode("utf-8", "surrogatepass")
    return len(data) / len(zlib.compress(data, 6)) if data else 1.0


def mtld(items: Sequence[int]) -> float:
    """Return the measure of textual lexical diversity: tokens per factor, of both directions.

    A factor is a run of tokens that ends where its type-token ratio falls below 0.72; the rest at
    the end counts in part: (1 - its ratio) / (1 - 0.72). The mean of reading forwards and
    backwards. Stable from some 100 tokens on. A text without any factor, as no token of it
    repeats, has its number of tokens, which is the least that it could be.

    Source: McCarthy and Jarvis 2010, Behavior Research Methods 42, 381-392.
    """
    if not items:
        return 0.0
    return (_tokens_per_factor(items) + _tokens_per_factor(items[::-1])) / 2


def _tokens_per_factor(items: Sequence[int]) -> float:
    low, high = MTLD_TTR
    factors = count = 0
    types: set[int] = set()
    add = types.add
    for item in items:
        count += 1
        add(item)
        if high * len(types) < low * count:
            factors += 1
            count = 0
            types.clear()
    rest = (1 - len(types) / count) / (1 - low / high) if count else 0.0
    total = factors + rest
    return len(items) / total if total else float(len(items))
