"""Finds the section that a reply repeats, by its n-grams.

prose of a reply + texts of all sections -> index of the repeated section, or None

`RepeatIndex` grows with the document; an update costs only the new text. Knows n-grams and which
parts of a text may occur twice; knows no documents.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import lru_cache

import regex

from longchain.language import FENCED_CODE
from longchain.prose.repetition import count_shared, ngrams, overlap, tokens

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


_N = 5


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
        sample = _sampled_ngrams(prose)
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
        for gram in _sampled_ngrams(text):
            owners = self._owners.get(gram)
            if owners is None:
                self._owners[gram] = only_owner
            elif index not in owners:
                self._owners[gram] = (*owners, index)

    def _remove(self, index: int, text: str) -> None:
        for gram in _sampled_ngrams(text):
            owners = self._owners.pop(gram, ())
            remaining = tuple(owner for owner in owners if owner != index)
            if remaining:
                self._owners[gram] = remaining


def _sampled_ngrams(text: str) -> set[int]:
    """Return the hashes of an eighth of the n-grams of a text."""
    items = tokens(text)
    letters = [ord(item[0]) for item in items]
    first_three = zip(letters, letters[1:], letters[2:], strict=False)
    sample = set()
    for gram, codes in zip(ngrams(items, _N), first_three, strict=False):
        if sum(codes) % 8 == 5:
            sample.add(hash(gram))
    return sample
