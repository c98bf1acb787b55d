"""Outlines sources for a planner: titles and headings, with the amount of text under each.

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
from longchain.sources.passages import MAX_SIZE, measure_size

MAX_TOKENS = 1500
"""Tokens of an outline in a planner's prompt."""

_LONG = 3 * MAX_SIZE
"""Words under one heading from which the first words of passages are listed like headings."""

_OPENING_WORDS = 8
"""Words of a passage's opening in the outline; characters three times as many."""

_MAX_OPENINGS = 40
"""Openings under one heading; with more passages, one opening represents several."""

_FULL_DEPTH = 9
"""Levels of headings: more than any source has."""


@dataclass
class _Entry:
    text: str
    amount: int = 0
    passages: list[tuple[str, int]] = field(default_factory=list)
    """Opening and size of the passages directly under this entry."""
    below: dict[str, _Entry] = field(default_factory=dict)


def outline(documents: Sequence[Document]) -> str:
    """Outline the titles and headings of sources, with the amount of text under each.

    Under a heading with much text, the first words of its passages are listed, too. An outline of
    more than `MAX_TOKENS` tokens loses its deepest levels first, then the last sources.
    """
    if not documents:
        return ""
    language = detect(" ".join(document.page_content[:200] for document in documents[:100]))
    spaced = is_spaced(language)
    unit = " words" if spaced else "字" if language in ("ja", "zh") else " characters"
    entries = _entries(documents, spaced)
    for depth in (_FULL_DEPTH, 3, 2, 1, 0):
        lines = [line for entry in entries for line in _lines(entry, unit, depth, spaced)]
        if estimate("\n".join(lines)) <= MAX_TOKENS:
            return "\n".join(lines)
    return _shorten(lines)


def document_title(metadata: dict[str, Any], text: str) -> str:
    """Return a document's title, else its file's name, else its first words."""
    title = str(metadata.get("title") or "").strip()
    source = str(metadata.get("source") or "")
    return " ".join(title.split()) or PurePath(source).stem or _opening(text, True)


def _entries(documents: Sequence[Document], spaced: bool) -> list[_Entry]:
    """Return the sources as trees of headings, in their first order."""
    sources: dict[str, _Entry] = {}
    for document in documents:
        metadata, text = document.metadata, document.page_content
        name = document_title(metadata, text)
        entry = sources.setdefault(str(metadata.get("source") or name), _Entry(name))
        amount = measure_size(text, spaced)
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
    # In the full outline only: openings tell less than headings and take more room.
    if depth == _FULL_DEPTH and len(entry.passages) > 1 and amount >= _LONG * (1 if spaced else 2):
        stride = ceil(len(entry.passages) / _MAX_OPENINGS)
        for start in range(0, len(entry.passages), stride):
            words = sum(words for _, words in entry.passages[start : start + stride])
            opening = escape(entry.passages[start][0], quote=False)
            yield f"{'  ' * (level + 1)}- {opening} ({words}{unit})"
    for below in entry.below.values():
        yield from _lines(below, unit, depth, spaced, level + 1)


def _opening(text: str, spaced: bool) -> str:
    """Return the first words of a passage on one line."""
    line = " ".join(text.split()[: _OPENING_WORDS + 1]).lstrip("#>*-| ")
    short = " ".join(line.split()[:_OPENING_WORDS]) if spaced else line[: 3 * _OPENING_WORDS]
    return f"{short} …" if short != " ".join(text.split()) else short


def _shorten(lines: list[str]) -> str:
    """Return the first lines that fit, and the number of the others."""
    shown, tokens = [], 40
    for line in lines:
        tokens += estimate(line)
        if tokens > MAX_TOKENS:
            break
        shown.append(line)
    return "\n".join([*shown, f"- … and {len(lines) - len(shown)} more"])
