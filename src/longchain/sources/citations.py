"""Citation marks: which ids a text cites, whether they exist, and their numbers in the end.

text with `[3]` -> ids; text and known ids -> text without unknown ones; sections and references
-> sections numbered by source, and the reference list

Knows marks and Markdown; knows no retriever.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Set
from itertools import count
from pathlib import PurePath

from longchain.document import Reference

_IDS = r"\d{1,4}(?:\s*[,，、;；–—~～〜-]\s*\d{1,4})*"
_MARK = re.compile(
    # What looks like a mark and is none: code, links, definitions of links.
    r"(?P<other>```.*?(?:```|\Z)|`[^`\n]+`|!?\[[^\]\n]*\]\([^)\n]*\)|^[ ]{0,3}\[[^\]\n]+\]:)"
    rf"|(?P<space>[ \t]*)[\[［【]\s*(?P<ids>{_IDS})\s*[\]］】](?!\()",
    re.DOTALL | re.MULTILINE,
)
_ID = re.compile(r"(\d+)(?:\s*[–—~～〜-]\s*(\d+))?")

_OPEN = re.compile(r"[\[［【]")
"""Without one of these there is no mark: most texts need no closer look."""

_WIDEST = 50
"""A range of more ids than this is taken for its two ends: no passage is backed by so many."""

Change = Callable[[list[int], bool], list[int] | None]
"""A mark's ids, and whether it follows another mark directly -> the ids to write instead.

None leaves the mark as it is; no ids take it out, with the space before it.
"""


def cited(text: str) -> list[int]:
    """Return the ids that a text cites, each once, in order of first citation.

    Read are `[3]`, `[3, 7]`, `[1][2]`, `[2-4]` and their full-width forms; not links, footnotes
    and code.
    """
    if not _OPEN.search(text):
        return []
    marks = (_ids(match["ids"]) for match in _MARK.finditer(text) if match["ids"])
    return list(dict.fromkeys(number for ids in marks for number in ids))


def check(text: str, known: Set[int]) -> tuple[str, list[int]]:
    """Take ids that do not exist out of a text's marks.

    A mark that cites nothing else goes, with the space before it. A bracketed year is no
    citation as long as ids have fewer digits.

    Args:
        text: The text as the model wrote it.
        known: The ids that exist.

    Returns:
        The text, and the unknown ids, each once, in order.
    """
    unknown: list[int] = []
    longest = max((len(str(number)) for number in known), default=1)

    def keep(ids: list[int], follows: bool) -> list[int] | None:
        if all(number not in known and len(str(number)) > max(3, longest) for number in ids):
            return None
        wrong = [number for number in ids if number not in known]
        unknown.extend(wrong)
        return [number for number in ids if number in known] if wrong else None

    return _rewrite(text, keep), list(dict.fromkeys(unknown))


def without_marks(text: str) -> str:
    """Return a text without any citation marks."""
    return _rewrite(text, lambda ids, follows: [])


def renumber(text: str, order: Mapping[int, int]) -> str:
    """Replace ids by numbers; an id that comes twice in neighboring marks is kept once.

    Args:
        text: A text whose ids are known.
        order: Id to number. Marks with none of these ids stay as they are.
    """
    so_far: set[int] = set()

    def change(ids: list[int], follows: bool) -> list[int] | None:
        nonlocal so_far
        if not any(number in order for number in ids):
            return None
        numbers = dict.fromkeys(order[number] for number in ids if number in order)
        so_far = so_far if follows else set()
        fresh = [number for number in numbers if number not in so_far]
        so_far.update(fresh)
        return fresh

    return _rewrite(text, change)


class Numbering:
    """Numbers citations by source while sections come in, one after another.

    Passages of one source share a number, in order of first citation, so what has been numbered
    never changes later.

    Args:
        references: All that may be cited.
    """

    def __init__(self, references: Iterable[Reference]):
        self._known = {reference.id: reference for reference in references}
        self._numbers: dict[str, int] = {}
        self._next = count(1)
        self.references: list[Reference] = []
        """What was cited so far, numbered, without the passages."""

    def section(self, text: str) -> str:
        """Return the next section's text, numbered; unknown ids are taken out."""
        text, _ = check(text, self._known.keys())
        order = {key: self._number(self._known[key]) for key in cited(text) if key in self._known}
        return renumber(text, order)

    def _number(self, reference: Reference) -> int:
        source = reference.source or reference.title or reference.text
        if source not in self._numbers:
            number = self._numbers[source] = next(self._next)
            self.references.append(reference.model_copy(update={"id": number, "text": ""}))
        return self._numbers[source]


def number(
    sections: Iterable[str], references: Iterable[Reference]
) -> tuple[list[str], list[Reference]]:
    """Number the citations of a whole document by source, in order of first citation.

    Args:
        sections: The sections' texts, in order, citing ids.
        references: All that may be cited.

    Returns:
        The texts with numbers for ids, and what they cite, numbered, without the passages.
    """
    numbering = Numbering(references)
    return [numbering.section(text) for text in sections], numbering.references


def reference_list(references: Iterable[Reference]) -> str:
    """Return the reference list in Markdown, a paragraph each: `[1] Title. source`."""
    return "\n\n".join(_entry(reference) for reference in references)


def _entry(reference: Reference) -> str:
    title, source = " ".join(reference.title.split()), _place(reference.source)
    if not title or title == source:
        return f"[{reference.id}] {source or title}"
    stop = "" if title[-1] in ".?!。？！" else "。" if title[-1] > "\u3000" else "."
    return f"[{reference.id}] {title}{stop} {source}".rstrip()


def _place(source: str) -> str:
    """Return where a source is without what only its writer's machine knows."""
    path = PurePath(source)
    return "/".join(path.parts[-2:]) if path.is_absolute() and len(path.parts) > 2 else source


def _ids(text: str) -> list[int]:
    """Return the ids of one mark; ranges are spelled out."""
    found: list[int] = []
    for match in _ID.finditer(text):
        first, last = int(match[1]), int(match[2] or match[1])
        inside = first <= last < first + _WIDEST
        found += range(first, last + 1) if inside else [first, last]
    return list(dict.fromkeys(found))


def _mark(ids: list[int]) -> str:
    return f"[{', '.join(map(str, ids))}]"


def _rewrite(text: str, change: Change) -> str:
    """Rewrite every mark of a text."""
    if not _OPEN.search(text):
        return text
    done, position, after_mark, left = "", 0, False, ""
    for match in _MARK.finditer(text):
        if not match["ids"]:
            continue
        between = text[position : match.start()]
        follows = after_mark and not between
        ids = change(_ids(match["ids"]), follows)
        done += between
        position, after_mark = match.end(), True
        # A mark inherits the space of one that was taken out before it.
        space = match["space"] or (left if follows else "")
        left = "" if ids is None or ids else space
        if ids is None or ids:
            done += space + (match[0].lstrip(" \t") if ids is None else _mark(ids))
        elif not done or done.endswith("\n"):
            # Nothing stands before the mark on its line: the space after it goes instead.
            position += len(text[position:]) - len(text[position:].lstrip(" \t"))
    return done + text[position:]
