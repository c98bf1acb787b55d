"""A text -> which of the sections it says again, if any.

`Told` is an index of n-grams that grows with the document, at the cost of what is new. Knows
n-grams and what of a text is prose of its own; knows nothing of documents.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import regex

from longchain.prose.repetition import overlap, tokens

LEAST_TOKENS = 60
"""Words (characters where words have no spaces) from which on a reply may be a repeat."""

OVERLAP = 0.7
"""The share of 5-grams from one section above which a reply is that section again.

Measured on pages written for it: other prose of one book 0 to 0.08, a summary that quotes a
sentence 0.14, paraphrases sentence by sentence 0.23 to 0.28, clauses of contracts 0.39, lessons
after one form with other words in its blanks 0.63. A copy with a word changed in every sentence
has 0.79.
"""

_NO_PROSE = regex.compile(
    r"^[ \t]*(?P<fence>```|~~~).*?(?:^[ \t]*(?P=fence)[`~]*[ \t]*$|\Z)|`[^`\n]+`"  # code
    r"|\$\$.{1,2000}?\$\$|(?<!\\)\$[^$\n]+\$|\\\[.{1,2000}?\\\]|\\\(.{1,500}?\\\)"  # formulas
    r"|^[ \t]*[|>][^\n]*$|<[^<>\n]+>"  # table rows, quotations, tags
    r"|^(?=[^\n]{1,300}$)[^\n]*(?:https?://|doi[:.]|\bpp?\. ?\d)[^\n]*$"  # a line for a source
    r"|^[ \t]*\[\^?\w{1,8}\]:?[ \t][^\n]*$"
    r'|“[^“”\n]{60,}”|„[^„“\n]{60,}“|«[^«»\n]{60,}»|"[^"\n]{60,}"|「[^「」\n]{60,}」|『[^『』\n]{60,}』',
    regex.DOTALL | regex.MULTILINE,
)
_WIDE = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]")
_VERSE_LINE, _WIDE_VERSE_LINE = 60, 24


@lru_cache(maxsize=8)
def prose(text: str) -> str:
    """Return a reply without what need not be in its own words or its own language."""
    return _NO_PROSE.sub(" ", text)


def _is_verse(paragraph: str) -> bool:
    """Whether a paragraph has three lines or more, all of them short: a refrain may come again."""
    lines = paragraph.strip().split("\n")
    longest = _WIDE_VERSE_LINE if _WIDE.search(paragraph) else _VERSE_LINE
    return len(lines) >= 3 and max(map(len, lines)) <= longest


_N = 5


class Told:
    """Which n-grams stand in which section, kept up to date at the cost of what is new.

    An eighth of them, the same ones in every text, chosen by the first letters of their words
    (the last ones are the same few in Korean). They only find the section to compare with:
    `overlap` decides. May be used by many threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._texts: list[str] = []
        self._owners: dict[int, tuple[int, ...]] = {}

    def repeated(self, text: str, texts: Sequence[str]) -> int | None:
        """Return the index of the section that a text repeats, or None.

        Args:
            text: A reply's prose.
            texts: All sections as they stand; empty where nothing is written.
        """
        paragraphs = regex.split(r"\n[ \t]*\n", prose(text))
        shown = "\n\n".join(part for part in paragraphs if not _is_verse(part))
        if len(tokens(shown)) < LEAST_TOKENS:
            return None
        grams = _grams(shown)
        with self._lock:
            self._update(texts)
            shared = Counter(owner for gram in grams for owner in self._owners.get(gram, ()))
        if not shared:
            return None
        place, count = shared.most_common(1)[0]
        if count < OVERLAP / 2 * len(grams):
            return None
        return place if overlap(texts[place], shown, _N) > OVERLAP else None

    def _update(self, texts: Sequence[str]) -> None:
        gone = [""] * (len(self._texts) - len(texts))
        self._texts += [""] * (len(texts) - len(self._texts))
        for index, text in enumerate([*texts, *gone]):
            known = self._texts[index]
            if text is known or text == known:
                continue
            if not text.startswith(known):
                self._drop(index, known)
                known = ""
            self._add(index, text[len(known) :])
            self._texts[index] = text

    def _add(self, index: int, text: str) -> None:
        alone = (index,)
        for gram in _grams(text):
            owners = self._owners.get(gram)
            if owners is None:
                self._owners[gram] = alone
            elif index not in owners:
                self._owners[gram] = (*owners, index)

    def _drop(self, index: int, text: str) -> None:
        for gram in _grams(text):
            left = tuple(owner for owner in self._owners.get(gram, ()) if owner != index)
            if left:
                self._owners[gram] = left
            else:
                self._owners.pop(gram, None)


def _grams(text: str) -> set[int]:
    """Return the hashes of the n-grams that are looked at."""
    items = tokens(text)
    first = [ord(item[0]) for item in items]
    rows = zip(*(items[start:] for start in range(_N)), strict=False)
    marks = zip(first, first[1:], first[2:], strict=False)
    return {hash(row) for row, mark in zip(rows, marks, strict=False) if sum(mark) % 8 == 5}
