"""How much of a text repeats, and whether it has fallen into a loop.

text -> shares, sentences, the index at which a loop begins

Knows tokens and their order only; asks no model and cuts nothing itself.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from longchain.language import sentences

# Scripts that put no space between words: Thai to Khmer, kana, Han with its extensions.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
# `\w` leaves out the vowel signs of Hebrew, Arabic and the Indic scripts and would split words.
_MARKS = "\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u0963\u0966-\u0dff"
_LETTER = rf"(?:[^\W_{_UNSPACED}]|[{_MARKS}])"
# 40 at most, so that `hahahaha...` without an end is many tokens rather than one that grows.
_TOKEN = re.compile(rf"[{_UNSPACED}]|{_LETTER}{{1,40}}(?:['’]{_LETTER}{{1,40}})*")
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")
# What may follow a token where a sentence or a line ends; the match belongs to the sentence.
_EDGE = re.compile(
    r"(?:[^\w\n]|_){0,12}(?<!\s)(?=[^\S\n]*\n)|[.!?…。！？।۔]{1,12}[\"'”’»」』）)\]*_]{0,12}"
)

_COPIES = 4
_LEAST = 40
_LEAST_ALIGNED = 24
"""Tokens in a loop of whole sentences or lines: less is asked, a refrain rarely has as many."""
_LEAST_WORDS, _LEAST_CHARACTERS = 5, 10
_BLANK_RUN = 2000
"""Characters without a letter or digit: more than any form or rule that a document ends with."""


def tokens(text: str) -> list[str]:
    """Return the words of `text`, or its characters where the script has no spaces.

    Case is folded; punctuation, markup and symbols are left out.
    """
    # One text is measured in several ways; a sentence is not worth remembering.
    return list(_remembered(text)) if len(text) > 1000 else _TOKEN.findall(text.casefold())


@lru_cache(maxsize=64)
def _remembered(text: str) -> tuple[str, ...]:
    return tuple(_TOKEN.findall(text.casefold()))


def _grams(items: Sequence[str], n: int) -> Iterable[tuple[str, ...]]:
    return zip(*(islice(items, start, None) for start in range(n)), strict=False)


def rep_n(text: str, n: int = 4) -> float:
    """Return the share of n-grams that repeat an earlier one, from 0 to 1.

    `1 - distinct / total`: "seq-rep-n" of Welleck et al. 2020 (arXiv 1908.04319). In Chinese
    and Japanese the grams are of characters, so compare within a language only.
    """
    grams = list(_grams(tokens(text), n))
    return 1 - len(set(grams)) / len(grams) if grams else 0.0


def overlap(a: str, b: str, n: int = 5) -> float:
    """Return the share of the n-grams of `b` that stand in `a` too, from 0 to 1."""
    earlier = set(_grams(tokens(a), n))
    later = list(_grams(tokens(b), n))
    return sum(gram in earlier for gram in later) / len(later) if later else 0.0


def repeats(texts: Sequence[str], threshold: float, n: int = 5) -> list[list[int]]:
    """Return for each text the indices of the earlier ones that it repeats.

    It repeats one where more than `threshold` of its n-grams stand there: `overlap` over all
    pairs, at the cost of reading each text once. In long texts a quarter of the n-grams is looked
    at: the same ones in every text, chosen by the last letter of the first word.
    """
    owners: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    found = []
    for index, text in enumerate(texts):
        grams = list(_grams(tokens(text), n))
        if len(text) > 1000:
            grams = [gram for gram in grams if ord(gram[0][-1]) % 4 == 1]
        shared = Counter(owner for gram in grams for owner in owners.get(gram, ()))
        found.append([i for i, count in sorted(shared.items()) if count > threshold * len(grams)])
        for gram in set(grams):
            owners[gram].append(index)
    return found


def duplicate_sentences(text: str) -> list[str]:
    """Return each sentence that an earlier one already said, once per repeat, in order.

    Case, punctuation and markup do not count. Sentences under 5 words (10 characters in
    Chinese and Japanese) are left out: `Yes, it is.` may stand twice in good prose.
    """
    seen: Counter[tuple[str, ...]] = Counter()
    repeats = []
    for sentence in sentences(text):
        key = tuple(tokens(sentence))
        if _is_long(key):
            repeats += [sentence.strip()] * (seen[key] > 0)
            seen[key] += 1
    return repeats


def _is_long(items: Sequence[str]) -> bool:
    """Whether this is a sentence's worth of tokens."""
    if not _LEAST_WORDS <= len(items) < _LEAST_CHARACTERS:
        return len(items) >= _LEAST_CHARACTERS
    unspaced = sum(bool(_IS_UNSPACED.match(item)) for item in items)
    return len(items) >= (_LEAST_CHARACTERS if 2 * unspaced > len(items) else _LEAST_WORDS)


def loop_start(text: str, *, known: bool = False) -> int | None:
    """Return where `text` begins to loop, or None where it does not end in a loop.

    A loop is the same span over and over up to the end: at least 4 times and 40 tokens, or
    4 times the same sentence or line. Case and punctuation do not count. Also a loop: 2,000
    characters at the end without a letter or digit. O(n).

    Args:
        text: Any text.
        known: Whether it is known to end in a loop, as where a server stopped it for that: then
            twice the same span is one.

    Returns:
        An index such that `text[:index]` keeps one copy, up to a sentence's end where the loop
        has one.
    """
    if known:
        return _loop(text, 2, 2, 2)
    return None if _ends_once(text) else _loop(text, _COPIES, _LEAST, _LEAST_ALIGNED)


def _ends_once(text: str) -> bool:
    """Whether the end is surely no loop: one of its words stands in the text too seldom.

    Most texts need no closer look than this. The very last word may be cut short, and so may the
    first one of the stretch that is looked at.
    """
    whole = text.casefold()
    end = _TOKEN.findall(whole[-200:])[1:-1]
    return any(whole.count(word) < _COPIES - 1 for word in end[-4:])


class Tokenized(NamedTuple):
    """A text's tokens, and where each begins and ends."""

    items: list[str]
    begins: list[int]
    ends: list[int]

    @classmethod
    def of(cls, text: str) -> Tokenized:
        """Tokenize a text as `tokens` does."""
        matches = list(_TOKEN.finditer(text))
        items = [match.group().casefold() for match in matches]
        return cls(items, [match.start() for match in matches], [match.end() for match in matches])

    def shorter(self) -> Tokenized:
        """Leave out the last token."""
        return Tokenized(self.items[:-1], self.begins[:-1], self.ends[:-1])

    def edge(self, text: str, index: int) -> int | None:
        """Return where the sentence or line ends right after a token, None where none does."""
        stop = self.begins[index + 1] if index + 1 < len(self.begins) else len(text)
        found = _EDGE.match(text, self.ends[index], stop)
        return found.end() if found else None


def _loop(text: str, copies: int, least: int, least_aligned: int) -> int | None:
    found = Tokenized.of(text)
    last = found.ends[-1] if found.ends else 0
    if len(text) - last >= _BLANK_RUN:
        return (found.edge(text, len(found.items) - 1) if found.items else None) or last
    place = _repeat(text, found, copies, least, least_aligned)
    if place is None and 0 < last == len(text):
        # The last word may be cut short by the end of the reply: `very very ve`.
        place = _repeat(text, found.shorter(), copies, least, least_aligned)
    return place


def _repeat(text: str, found: Tokenized, copies: int, least: int, least_aligned: int) -> int | None:
    """Look for the shortest period that makes the last tokens a loop."""
    for period, run in _runs(found.items, len(found.items) // copies):
        if run < copies * period or run < least_aligned:
            continue
        begin = len(found.items) - run
        span = found.items[begin : begin + period]
        if all(item.isdecimal() for item in span):
            # Rows of zeros are honest more often than rows of words.
            certain = run >= 3 * least
        else:
            certain = run >= least or (_is_long(span) and _is_aligned(text, found, begin, period))
        if certain:
            return _cut(text, found, begin, period)
    return None


def _runs(items: Sequence[str], longest: int) -> Iterable[tuple[int, int]]:
    """Yield each period up to `longest` and how many tokens at the end repeat with it.

    The Z function of the reversed tokens, which finds all periods in O(n) together.
    """
    last, size = len(items) - 1, len(items)
    reach = [0] * (longest + 1)
    left = right = 0
    for period in range(1, longest + 1):
        same = min(reach[period - left], right - period) if period < right else 0
        while period + same < size and items[last - same] == items[last - period - same]:
            same += 1
        reach[period] = same
        if period + same > right:
            left, right = period, period + same
        yield period, period + same


def _is_aligned(text: str, found: Tokenized, begin: int, period: int) -> bool:
    """Whether the span that repeats is made of whole sentences or lines."""
    final = len(found.items) - 1
    for index in range(begin, begin + period):
        if found.edge(text, index) is None:
            continue
        later = range(index, final, period)
        return all(found.edge(text, place) is not None for place in later)
    return False


def _cut(text: str, found: Tokenized, begin: int, period: int) -> int:
    """Return the end of the first copy, or of the sentence that runs on from there."""
    # What stands before the loop may happen to end like its span and be taken for part of it,
    # so the first copy is complete only at the next sentence's end.
    for index in range(begin + period - 1, begin + 2 * period - 1):
        place = found.edge(text, index)
        if place is not None:
            return place
    return found.ends[begin + period - 1]


class LoopGuard:
    """Watches a text while it arrives.

    More is asked than by `loop_start`, since a refrain may still go on: 6 copies and 60 tokens.
    What it reports, `loop_start` finds in the whole text too. Keeps 4,000 characters and looks
    at them once per 200 that arrive, so its work per character does not grow with the text.
    """

    _WINDOW = 4000
    _STRIDE = 200

    def __init__(self) -> None:
        self._tail = ""
        self._fresh = 0
        self._found = False

    def feed(self, piece: str) -> bool:
        """Take the next piece of the text and say whether a loop is certain by now."""
        self._tail = (self._tail + piece)[-self._WINDOW :]
        self._fresh += len(piece)
        if not self._found and self._fresh >= self._STRIDE:
            self._fresh = 0
            self._found = (
                _loop(self._tail, _COPIES + 2, _LEAST + 20, 2 * _LEAST_ALIGNED) is not None
            )
        return self._found
