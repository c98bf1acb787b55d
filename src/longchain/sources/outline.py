"""What a planner sees of the sources: titles and headings, with how much stands under each.

documents -> lines such as `- Title (900 words)` and `  - Heading (210 words)`
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from math import ceil
from pathlib import PurePath
from typing import Any

from langchain_core.documents import Document

from longchain.language import detect, is_spaced
from longchain.models.tokens import estimate
from longchain.sources.passages import MOST, size

MOST_TOKENS = 1500
"""What an outline may take of a planner's prompt, in tokens."""

_LONG = 3 * MOST
"""Words without a heading from which the first words of passages stand in for headings."""

_OPENING = 8
"""Words that are shown of a passage's beginning; characters three times as many."""


_MOST_OPENINGS = 40
"""Where one heading has more passages, each beginning stands for several."""


@dataclass
class _Entry:
    text: str
    amount: int = 0
    passages: list[tuple[str, int]] = field(default_factory=list)
    """Beginning and size of the passages right under this entry."""
    below: dict[str, _Entry] = field(default_factory=dict)


def outline(documents: Sequence[Document]) -> str:
    """Return the titles and headings of sources, with the size of what stands under them.

    Where much stands under one heading, the first words of its passages are shown, too. Depth is
    given up first where all would take more than `MOST_TOKENS` tokens, then sources at the end.
    """
    if not documents:
        return ""
    language = detect(" ".join(document.page_content[:200] for document in documents[:100]))
    spaced = is_spaced(language)
    unit = " words" if spaced else "字" if language in ("ja", "zh") else " characters"
    entries = _entries(documents, spaced)
    for depth in (9, 3, 2, 1, 0):
        lines = [line for entry in entries for line in _lines(entry, unit, depth, spaced)]
        if estimate("\n".join(lines)) <= MOST_TOKENS:
            return "\n".join(lines)
    return _shortened(lines)


def title(metadata: dict[str, Any], text: str) -> str:
    """Return what a document is called: its title, its file's name, or its first words."""
    named = str(metadata.get("title") or "").strip()
    source = str(metadata.get("source") or "")
    return " ".join(named.split()) or PurePath(source).stem or _opening(text, True)


def _entries(documents: Sequence[Document], spaced: bool) -> list[_Entry]:
    """Return the sources as trees of headings, in the order they came in."""
    sources: dict[str, _Entry] = {}
    for document in documents:
        metadata, text = document.metadata, document.page_content
        name = title(metadata, text)
        entry = sources.setdefault(str(metadata.get("source") or name), _Entry(name))
        amount = size(text, spaced)
        entry.amount += amount
        heading = metadata.get("heading") or []
        for part in [heading] if isinstance(heading, str) else heading:
            entry = entry.below.setdefault(str(part), _Entry(str(part)))
            entry.amount += amount
        entry.passages.append((_opening(text, spaced), amount))
    return list(sources.values())


def _lines(entry: _Entry, unit: str, depth: int, spaced: bool, level: int = 0) -> Iterator[str]:
    yield f"{'  ' * level}- {escape(entry.text, quote=False)} ({entry.amount}{unit})"
    if level >= depth:
        return
    amount = sum(passage[1] for passage in entry.passages)
    # The deepest outline only: beginnings say less than headings and take more room.
    if depth == 9 and len(entry.passages) > 1 and amount >= _LONG * (1 if spaced else 2):
        stride = ceil(len(entry.passages) / _MOST_OPENINGS)
        for start in range(0, len(entry.passages), stride):
            words = sum(words for _, words in entry.passages[start : start + stride])
            opening = escape(entry.passages[start][0], quote=False)
            yield f"{'  ' * (level + 1)}- {opening} ({words}{unit})"
    for below in entry.below.values():
        yield from _lines(below, unit, depth, spaced, level + 1)


def _opening(text: str, spaced: bool) -> str:
    """Return the first words of a passage on one line."""
    line = " ".join(text.split()[: _OPENING + 1]).lstrip("#>*-| ")
    short = " ".join(line.split()[:_OPENING]) if spaced else line[: 3 * _OPENING]
    return f"{short} …" if short != " ".join(text.split()) else short


def _shortened(lines: list[str]) -> str:
    """Return the first lines that fit, and how many more there are."""
    kept, taken = [], 40
    for line in lines:
        taken += estimate(line)
        if taken > MOST_TOKENS:
            break
        kept.append(line)
    return "\n".join([*kept, f"- … and {len(lines) - len(kept)} more"])
