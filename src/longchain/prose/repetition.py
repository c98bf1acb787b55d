"""Measures how much a text repeats itself or another text, by n-grams and by sentences.

text -> share of repeated n-grams, duplicate sentences
prose of a reply + texts of all sections -> index of the section that it repeats, or None

Knows tokens, n-grams and which parts of a text may occur twice; knows no documents. Loops are in
`longchain.prose.loops`.
"""

from __future__ import annotations

import re
import threading
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import TypeVar

import regex

from longchain.language import FENCED_CODE, character_class
from longchain.sentences import split_sentences

# Scripts without spaces between words. Wider than the table of `language` for Chinese and Japanese:
# with the marks of kana, and with the Han of every future version of Unicode.
_UNSPACED = character_class("th", "lo", "my", "km") + (
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uff66-\uff9f\U00020000-\U0003ffff"
)
# `\w` leaves out the vowel signs of Hebrew, Arabic and the Indic scripts and would split words.
_MARKS = "\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u0963\u0966-\u0dff"
_LETTER = rf"(?:[^\W_{_UNSPACED}]|[{_MARKS}])"
# 40 at most, so that an endless `hahahaha...` is many tokens rather than one that grows.
TOKEN = re.compile(rf"[{_UNSPACED}]|{_LETTER}{{1,40}}(?:['’]{_LETTER}{{1,40}})*")
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")

_MIN_SENTENCE_WORDS, _MIN_SENTENCE_CHARACTERS = 5, 10
"""Shorter sentences may occur twice in good prose."""

_LONG_TEXT = 1000
"""Characters from which on the tokens of a text are cached, and its n-grams sampled."""

MIN_TOKENS = 60
"""Words (characters in scripts without spaces) from which on a reply may be a repeat."""

OVERLAP = 0.7
"""Share of 5-grams in common with one section above which a reply repeats that section.

Measured on pages written for it: other prose of one book 0 to 0.08, a summary that quotes a
sentence 0.14, paraphrases sentence by sentence 0.23 to 0.28, clauses of contracts 0.39, lessons
after one form with other words in its blanks 0.63. A copy with a word changed in every sentence
has 0.79.
"""

_NON_PROSE = regex.compile(
    rf"{FENCED_CODE}"
    r"|\$\$.{1,2000}?\$\$|(?<!\\)\$[^$\n]+\$|\\\[.{1,2000}?\\\]|\\\(.{1,500}?\\\)"  # formulas
    r"|^[ \t]*[|>][^\n]*$|<[^<>\n]+>"  # table rows, quotations, tags
    r"|^(?=[^\n]{1,300}$)[^\n]*(?:https?://|doi[:.]|\bpp?\. ?\d)[^\n]*$"  # a line for a source
    r"|^[ \t]*\[\^?\w{1,8}\]:?[ \t][^\n]*$"
    r'|“[^“”\n]{60,}”|„[^„“\n]{60,}“|«[^«»\n]{60,}»|"[^"\n]{60,}"|「[^「」\n]{60,}」|『[^『』\n]{60,}』',
    regex.DOTALL | regex.MULTILINE,
)
_IS_CJK = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]")
_MAX_VERSE_LINE, _MAX_CJK_VERSE_LINE = 60, 24
_N = 5
"""Size of the n-grams by which sections are compared."""

_Token = TypeVar("_Token")
_Gram = TypeVar("_Gram")
"""An n-gram or its hash."""


def tokens(text: str) -> list[str]:
    """Return the words of `text`, or its characters if the script has no spaces.

    Case is folded; punctuation, markup and symbols are left out.
    """
    # Several measures read the same long text; a single sentence is not worth caching.
    if len(text) > _LONG_TEXT:
        return list(_cached_tokens(text))
    return TOKEN.findall(text.casefold())


@lru_cache(maxsize=64)
def _cached_tokens(text: str) -> tuple[str, ...]:
    return tuple(TOKEN.findall(text.casefold()))


def ngrams(items: Sequence[_Token], n: int) -> Iterator[tuple[_Token, ...]]:
    """Yield the n-grams of tokens, in order."""
    return zip(*(islice(items, start, None) for start in range(n)), strict=False)


def rep_n(text: str, n: int = 4) -> float:
    """Return the share of n-grams that repeat an earlier one, from 0 to 1.

    `1 - distinct / total`: "seq-rep-n" of Welleck et al. 2020 (arXiv 1908.04319). In Chinese
    and Japanese the n-grams are of characters, so compare within a language only.
    """
    grams = list(ngrams(tokens(text), n))
    if not grams:
        return 0.0
    return 1 - len(set(grams)) / len(grams)


def overlap(a: str, b: str, n: int = 5) -> float:
    """Return the share of the n-grams of `b` that also occur in `a`, from 0 to 1."""
    earlier = set(ngrams(tokens(a), n))
    later = list(ngrams(tokens(b), n))
    if not later:
        return 0.0
    return sum(gram in earlier for gram in later) / len(later)


def find_repeats(texts: Sequence[str], threshold: float, n: int = 5) -> list[list[int]]:
    """Find for each text the earlier ones that it repeats.

    A text repeats an earlier one if their `overlap` is above the threshold. All pairs are
    compared at the cost of reading each text once. Long texts are compared by a quarter of their
    n-grams: the same ones in every text, chosen by the last letter of the first word.

    Returns:
        The indices of the repeated texts, one list per text.
    """
    owners: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    repeated = []
    for index, text in enumerate(texts):
        grams = _sampled_ngrams(text, n)
        shared = count_shared(grams, owners)
        limit = threshold * len(grams)
        repeated.append([owner for owner, count in sorted(shared.items()) if count > limit])
        for gram in set(grams):
            owners[gram].append(index)
    return repeated


def count_shared(grams: Iterable[_Gram], owners: Mapping[_Gram, Collection[int]]) -> Counter[int]:
    """Count the n-grams that a text shares with each owner in an index of n-grams."""
    # `Counter` counts an iterable in C: a third faster than a loop over `shared[owner] += 1`.
    return Counter(owner for gram in grams for owner in owners.get(gram, ()))


def _sampled_ngrams(text: str, n: int) -> list[tuple[str, ...]]:
    grams = list(ngrams(tokens(text), n))
    if len(text) <= _LONG_TEXT:
        return grams
    return [gram for gram in grams if ord(gram[0][-1]) % 4 == 1]


def duplicate_sentences(text: str) -> list[str]:
    """Return each sentence that repeats an earlier one, once per repeat, in order.

    Case, punctuation and markup do not count. Sentences under 5 words (10 characters in
    Chinese and Japanese) are left out: good prose may have `Yes, it is.` twice.
    """
    seen: set[tuple[str, ...]] = set()
    duplicates = []
    for sentence in split_sentences(text):
        key = tuple(tokens(sentence))
        if not is_sentence_length(key):
            continue
        if key in seen:
            duplicates.append(sentence.strip())
        seen.add(key)
    return duplicates


def is_sentence_length(items: Sequence[str]) -> bool:
    """Whether tokens are enough for a sentence."""
    if len(items) < _MIN_SENTENCE_WORDS:
        return False
    if len(items) >= _MIN_SENTENCE_CHARACTERS:
        return True
    unspaced = sum(bool(_IS_UNSPACED.match(item)) for item in items)
    return 2 * unspaced <= len(items)


# Sections that a reply repeats -----------------------------------------------------------------


@lru_cache(maxsize=8)
def strip_non_prose(text: str) -> str:
    """Return a text without the parts that may be in any language or occur twice.

    These are code, formulas, tables, long quotations, tags and lines that name a source.
    """
    return _NON_PROSE.sub(" ", text)


def _strip_verse(text: str) -> str:
    """Return a text without its paragraphs of verse, in which a refrain may occur again."""
    paragraphs = regex.split(r"\n[ \t]*\n", text)
    return "\n\n".join(paragraph for paragraph in paragraphs if not _is_verse(paragraph))


def _is_verse(paragraph: str) -> bool:
    """Whether a paragraph has at least three lines, all of them short."""
    lines = paragraph.strip().split("\n")
    if len(lines) < 3:
        return False
    limit = _MAX_CJK_VERSE_LINE if _IS_CJK.search(paragraph) else _MAX_VERSE_LINE
    return max(map(len, lines)) <= limit


class RepeatIndex:
    """Maps n-grams to the sections they occur in; an update costs only the new text.

    Keeps the hashes of an eighth of the n-grams: the same ones in every text, chosen by the first
    letters of their words (the last letters are the same few in Korean). They only find the
    section to compare with: `overlap` decides. Thread-safe.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._texts: list[str] = []
        self._owners: dict[int, tuple[int, ...]] = {}

    def find(self, text: str, texts: Sequence[str]) -> int | None:
        """Find the section that a text repeats.

        Args:
            text: A reply's prose.
            texts: The current texts of all sections; empty for one that is not written.

        Returns:
            The section's index, or None.
        """
        prose = _strip_verse(strip_non_prose(text))
        if len(tokens(prose)) < MIN_TOKENS:
            return None
        sample = _hashed_ngrams(prose)
        with self._lock:
            self._update(texts)
            shared = count_shared(sample, self._owners)
        if not shared:
            return None
        index, count = shared.most_common(1)[0]
        # Half the threshold: a sample of an eighth may miss the true share.
        if count < OVERLAP / 2 * len(sample):
            return None
        return index if overlap(texts[index], prose, _N) > OVERLAP else None

    def _update(self, texts: Sequence[str]) -> None:
        removed = [""] * (len(self._texts) - len(texts))
        self._texts += [""] * (len(texts) - len(self._texts))
        for index, text in enumerate([*texts, *removed]):
            if text is not self._texts[index]:  # most texts are the same objects as before
                self._set_text(index, text)

    def _set_text(self, index: int, text: str) -> None:
        indexed = self._texts[index]
        if text == indexed:
            return
        if not text.startswith(indexed):
            self._remove(index, indexed)
            indexed = ""
        self._add(index, text[len(indexed) :])
        self._texts[index] = text

    def _add(self, index: int, text: str) -> None:
        only_owner = (index,)  # one tuple shared by all n-grams, to save memory
        for gram in _hashed_ngrams(text):
            owners = self._owners.get(gram)
            if owners is None:
                self._owners[gram] = only_owner
            elif index not in owners:
                self._owners[gram] = (*owners, index)

    def _remove(self, index: int, text: str) -> None:
        for gram in _hashed_ngrams(text):
            owners = self._owners.pop(gram, ())
            remaining = tuple(owner for owner in owners if owner != index)
            if remaining:
                self._owners[gram] = remaining


def _hashed_ngrams(text: str) -> set[int]:
    """Return the hashes of an eighth of the n-grams of a text."""
    items = tokens(text)
    letters = [ord(item[0]) for item in items]
    first_three = zip(letters, letters[1:], letters[2:], strict=False)
    sample = set()
    for gram, codes in zip(ngrams(items, _N), first_three, strict=False):
        if sum(codes) % 8 == 5:
            sample.add(hash(gram))
    return sample
