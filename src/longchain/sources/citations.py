"""Reads, checks and numbers citation marks.

text with `[3]` -> ids; text + known ids -> text without unknown ones; sections + references ->
sections numbered by source, and the reference list

Knows marks and Markdown; knows no retriever.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Set
from itertools import count
from pathlib import PurePath

from longchain.document import Reference
from longchain.language import BACKTICK_CODE

_IDS = r"\d{1,4}(?:\s*[,，、;；–—~～〜-]\s*\d{1,4})*"
_MARK = re.compile(
    # Brackets that are no mark: in code, of links and of their definitions.
    rf"(?P<other>{BACKTICK_CODE}"
    r"|!?\[[^\]\n]*\]\([^)\n]*\)|^[ ]{0,3}\[[^\]\n]+\]:)"
    rf"|(?P<space>[ \t]*)[\[［【]\s*(?P<ids>{_IDS})\s*[\]］】](?!\()",
    re.DOTALL | re.MULTILINE,
)
_ID = re.compile(r"(\d+)(?:\s*[–—~～〜-]\s*(\d+))?")

_OPEN = re.compile(r"[\[［【]")
"""Every mark has one of these: a quick test that settles most texts."""

_MAX_RANGE = 50
"""Ids in a range; of a wider one only the two ends count, as no sentence has so many sources."""

Change = Callable[[list[int], bool], list[int] | None]
"""Maps a mark's ids, and whether it directly follows another mark, to the new ids.

None leaves the mark as it is; an empty list removes it, with the space before it.
"""


def cited_ids(text: str) -> list[int]:
    """Return the ids that a text cites, each once, in order of first citation.

    Reads `[3]`, `[3, 7]`, `[1][2]`, `[2-4]` and their full-width forms; not links, footnotes
    and code.
    """
    if not _OPEN.search(text):
        return []
    marks = (_read_ids(match["ids"]) for match in _MARK.finditer(text) if match["ids"])
    return list(dict.fromkeys(number for ids in marks for number in ids))


def check_citations(text: str, known: Set[int]) -> tuple[str, list[int]]:
    """Remove unknown ids from a text's citation marks.

    A mark without a known id is removed, with the space before it. A bracketed year is no
    citation as long as ids have fewer digits.

    Args:
        text: The text as the model wrote it.
        known: The ids that exist.

    Returns:
        The text, and the unknown ids, each once, in order.
    """
    unknown: list[int] = []
    max_digits = max((len(str(number)) for number in known), default=1)

    def remove_unknown(ids: list[int], follows: bool) -> list[int] | None:
        if all(number not in known and len(str(number)) > max(3, max_digits) for number in ids):
            return None
        wrong = [number for number in ids if number not in known]
        unknown.extend(wrong)
        return [number for number in ids if number in known] if wrong else None

    return _rewrite(text, remove_unknown), list(dict.fromkeys(unknown))


def strip_marks(text: str) -> str:
    """Return a text without any citation marks."""
    return _rewrite(text, lambda ids, follows: [])


def renumber(text: str, order: Mapping[int, int]) -> str:
    """Replace ids by numbers; a number occurs only once in neighboring marks.

    Args:
        text: A text whose ids are known.
        order: Id to number. Marks with none of these ids stay as they are.
    """
    run: set[int] = set()

    def change(ids: list[int], follows: bool) -> list[int] | None:
        nonlocal run
        if not any(number in order for number in ids):
            return None
        numbers = dict.fromkeys(order[number] for number in ids if number in order)
        run = run if follows else set()
        new = [number for number in numbers if number not in run]
        run.update(new)
        return new

    return _rewrite(text, change)


class Numbering:
    """Numbers citations by source, section by section.

    Passages of one source share a number, in order of first citation, so the numbers of a section
    never change later.

    Args:
        references: All references that may be cited.
    """

    def __init__(self, references: Iterable[Reference]):
        self._known = {reference.id: reference for reference in references}
        self._numbers: dict[str, int] = {}
        self._next = count(1)
        self.references: list[Reference] = []
        """References cited so far, numbered, without the passages."""

    def number_section(self, text: str) -> str:
        """Return the next section's text, numbered; unknown ids are removed."""
        text, _ = check_citations(text, self._known.keys())
        ids = [number for number in cited_ids(text) if number in self._known]
        return renumber(text, {number: self._number(self._known[number]) for number in ids})

    def _number(self, reference: Reference) -> int:
        source = reference.source or reference.title or reference.text
        if source not in self._numbers:
            number = self._numbers[source] = next(self._next)
            self.references.append(reference.model_copy(update={"id": number, "text": ""}))
        return self._numbers[source]


def number_citations(
    sections: Iterable[str], references: Iterable[Reference]
) -> tuple[list[str], list[Reference]]:
    """Number the citations of a whole document by source, in order of first citation.

    Args:
        sections: The sections' texts, in order, citing ids.
        references: All references that may be cited.

    Returns:
        The texts with numbers for ids, and the cited references, numbered, without the passages.
    """
    numbering = Numbering(references)
    return [numbering.number_section(text) for text in sections], numbering.references


def format_reference_list(references: Iterable[Reference]) -> str:
    """Format a reference list in Markdown, a paragraph each: `[1] Title. source`."""
    return "\n\n".join(_format_entry(reference) for reference in references)


def _format_entry(reference: Reference) -> str:
    title, source = " ".join(reference.title.split()), _short_path(reference.source)
    if not title or title == source:
        return f"[{reference.id}] {source or title}"
    stop = "" if title[-1] in ".?!。？！" else "。" if title[-1] > "\u3000" else "."
    return f"[{reference.id}] {title}{stop} {source}".rstrip()


def _short_path(source: str) -> str:
    """Shorten an absolute path to its last folder and file name."""
    path = PurePath(source)
    return "/".join(path.parts[-2:]) if path.is_absolute() and len(path.parts) > 2 else source


def _read_ids(text: str) -> list[int]:
    """Return the ids of one mark; ranges are spelled out."""
    ids: list[int] = []
    for match in _ID.finditer(text):
        first, last = int(match[1]), int(match[2] or match[1])
        is_range = first <= last < first + _MAX_RANGE
        ids += range(first, last + 1) if is_range else [first, last]
    return list(dict.fromkeys(ids))


def _format_mark(ids: list[int]) -> str:
    return f"[{', '.join(map(str, ids))}]"


def _rewrite(text: str, change: Change) -> str:
    """Rewrite every mark of a text."""
    if not _OPEN.search(text):
        return text
    result, position, is_after_mark, removed_space = "", 0, False, ""
    for match in _MARK.finditer(text):
        if not match["ids"]:
            continue
        between = text[position : match.start()]
        follows = is_after_mark and not between
        ids = change(_read_ids(match["ids"]), follows)
        result += between
        position, is_after_mark = match.end(), True
        # A mark inherits the space of one that was removed before it.
        space = match["space"] or (removed_space if follows else "")
        removed_space = "" if ids is None or ids else space
        if ids is None or ids:
            result += space + (match[0].lstrip(" \t") if ids is None else _format_mark(ids))
        elif not result or result.endswith("\n"):
            # The mark begins its line: remove the space after it instead.
            position += len(text[position:]) - len(text[position:].lstrip(" \t"))
    return result + text[position:]
