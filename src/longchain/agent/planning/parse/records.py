"""A plan in records: what JSON and YAML hold, and the rows of a table.

data -> `Draft`; a mapping -> `Part`

Knows the shapes that models give a plan: lists, mappings of names to records, sections within
chapters. Does not know how the data was written down.
"""

from __future__ import annotations

from typing import Any, TypeGuard

from longchain.agent.planning.parse import amounts, lines
from longchain.agent.planning.parse.draft import (
    MOST_SECTIONS,
    Draft,
    Part,
    is_number,
    plain_heading,
)
from longchain.agent.planning.parse.labels import Field, meaning_of
from longchain.agent.planning.parse.rows import begins_with_opener, is_opener, read_row

_DEEPEST = 3
"""How many levels of lists and mappings are looked into."""


def read(data: Any, depth: int = 0) -> Draft | None:
    """Read a plan from data: a list of records, or a mapping that somewhere holds one."""
    if isinstance(data, list):
        found = parts(data)
        return Draft(parts=found) if found else None
    if not isinstance(data, dict) or depth > _DEEPEST:
        return None
    if len(data) > 1 and _maps(data):
        data = {"sections": data}
    own = part(data)
    drafts = [draft for draft in _within(data, depth) if draft.parts]
    if not drafts:
        return Draft(parts=[own]) if own.length and (own.heading or own.point) else None
    # Where chapters and sections stand side by side, the sections name their chapters.
    draft = min(drafts, key=lambda draft: all(part.is_chapter for part in draft.parts))
    draft.title = draft.title or own.heading
    return draft


def _within(data: dict[Any, Any], depth: int) -> list[Draft]:
    """Return the plans that a mapping holds, each under a key of its own."""
    found: list[Draft | None] = []
    for key, value in data.items():
        if isinstance(value, list) or _maps(value):
            chapters = meaning_of(str(key)) == "chapter"
            found.append(Draft(parts=parts(value, chapters=chapters)))
        elif isinstance(value, dict):
            found.append(read(value, depth + 1))
        elif isinstance(value, str) and "\n" in value:
            found.append(lines.read(value))
    return [draft for draft in found if draft]


def _maps(value: Any) -> TypeGuard[dict[Any, dict[Any, Any]]]:
    """Whether a value is a mapping of names to records."""
    return (
        isinstance(value, dict)
        and len(value) > 0
        and all(isinstance(item, dict) for item in value.values())
    )


def parts(
    items: list[Any] | dict[Any, Any], *, chapters: bool = False, depth: int = 0
) -> list[Part]:
    """Read records, each with the records that it holds; a total among them is left out."""
    found: list[Part] = []
    chapter = ""
    for item in _listed(items)[: MOST_SECTIONS + 1]:
        if isinstance(item, dict) and len(item) == 1 and _maps(item):
            (item,) = item.values()
        own = part(item) if isinstance(item, dict) else _entry(item)
        if not (own.heading or own.point) or amounts.names_total(own.heading):
            continue
        if isinstance(item, dict):
            name, below = _chapter_of(item), _below(item, depth)
            if name and name != chapter:
                found.append(Part(heading=name, is_chapter=True))
            chapter = name or chapter
            own.is_chapter = chapters or bool(below) or (not name and _is_chapter(item))
            found += [own, *below]
        elif own.length:
            found.append(own)
        if len(found) > MOST_SECTIONS:
            break
    return found


def _listed(items: list[Any] | dict[Any, Any]) -> list[Any]:
    """Return records as a list; a name that they stand under is their heading."""
    if isinstance(items, list):
        return items
    return [
        {**({} if begins_with_opener(str(key)) else {"heading": key}), **value}
        for key, value in items.items()
    ]


def _below(item: dict[Any, Any], depth: int) -> list[Part]:
    """Return the sections that a chapter's record holds."""
    inner = (value for value in item.values() if isinstance(value, list) or _maps(value))
    found = (parts(value, depth=depth + 1) for value in inner if depth < _DEEPEST)
    return next(filter(None, found), [])


def _is_chapter(item: dict[Any, Any]) -> bool:
    meanings = _meanings(item)
    return "chapter" in meanings and "section" not in meanings


def _meanings(item: dict[Any, Any]) -> set[Field | None]:
    return {meaning_of(str(key)) for key in item}


def part(item: dict[Any, Any]) -> Part:
    """Read one record by the names of its keys."""
    own, noun = Part(), ""
    for key, value in item.items():
        meaning = meaning_of(str(key))
        if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
            value = "; ".join(value)
        if isinstance(value, (list, dict)) or value is None:
            continue
        if meaning in ("length", "point"):
            own.assign(meaning, str(value))
        elif meaning in ("heading", "title"):
            own.assign("heading", str(value))
        elif meaning in ("section", "chapter") and not is_number(str(value)):
            noun = noun if noun and meaning == "chapter" else plain_heading(str(value))
    if not own.heading and noun and not is_opener(noun):
        own.heading = noun
    if own.length is None:
        before, own.length, after = amounts.split(own.heading)
        own.heading = plain_heading(before) if own.length and not after.strip() else own.heading
    return own


def _chapter_of(item: dict[Any, Any]) -> str:
    """Return the chapter that a section's record names beside its own heading."""
    if not _meanings(item) & {"heading", "title", "section"}:
        return ""
    named = (value for key, value in item.items() if meaning_of(str(key)) == "chapter")
    value = next(named, "")
    return plain_heading(value) if isinstance(value, str) and not is_number(value) else ""


def _entry(value: Any) -> Part:
    """Read an entry of a bare list: a heading or main point with a length."""
    line = read_row(value if isinstance(value, str) else "")
    own = Part(line.heading, line.point, line.length)
    for meaning, text in line.fields.items():
        own.assign(meaning, text)
    return own
