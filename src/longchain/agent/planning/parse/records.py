"""Reads a plan from records: the data in JSON and YAML, and the rows of a table.

data -> `PlanDraft`; a record (a mapping of names to values) -> `DraftPart`

Knows the shapes that models give a plan: lists, mappings of names to records, sections within
chapters. Does not know the notation of the data.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeGuard

from longchain.agent.planning.parse import text_reply
from longchain.agent.planning.parse.field_names import Field, find_field
from longchain.agent.planning.parse.markup import is_only_number, strip_heading_markup
from longchain.agent.planning.parse.plan_draft import MAX_PLAN_PARTS, DraftPart, PlanDraft
from longchain.agent.planning.parse.plan_line import begins_with_opener, is_opener, read_line
from longchain.agent.planning.parse.stated_lengths import is_total_heading, split_at_length

Record = dict[Any, Any]

_MAX_DEPTH = 3
"""Levels of lists and mappings that are searched."""


def read(data: Any, depth: int = 0) -> PlanDraft:
    """Read a plan from data: a list of records, or a mapping that contains one at some level."""
    if isinstance(data, list):
        return PlanDraft(parts=read_parts(data))
    if isinstance(data, dict) and depth <= _MAX_DEPTH:
        return _read_mapping(data, depth)
    return PlanDraft()


def _read_mapping(data: Record, depth: int) -> PlanDraft:
    """Read the plan within a mapping, or the mapping as the only part."""
    if len(data) > 1 and _is_mapping_of_records(data):
        data = {"sections": data}
    whole = read_part(data)
    drafts = [draft for draft in _find_drafts(data, depth) if draft.parts]
    if drafts:
        # Where chapters and sections are listed side by side, the sections name their chapters.
        draft = min(drafts, key=_has_only_chapters)
        if not draft.title:
            draft.title = whole.heading
        return draft
    if whole.length and whole.is_named:
        return PlanDraft(parts=[whole])
    return PlanDraft()


def _has_only_chapters(draft: PlanDraft) -> bool:
    """Return whether a draft has no sections."""
    return all(part.is_chapter for part in draft.parts)


def _find_drafts(data: Record, depth: int) -> Iterator[PlanDraft]:
    """Yield the plans within a mapping, each under a key of its own."""
    for key, value in data.items():
        if _holds_records(value):
            chapters = find_field(str(key)) == "chapter"
            yield PlanDraft(parts=read_parts(value, chapters=chapters))
        elif isinstance(value, dict):
            yield read(value, depth + 1)
        elif isinstance(value, str) and "\n" in value:
            yield text_reply.read(value)


def _holds_records(value: Any) -> TypeGuard[list[Any] | Record]:
    """Return whether a value is a list, or a mapping of names to records."""
    return isinstance(value, list) or _is_mapping_of_records(value)


def _is_mapping_of_records(value: Any) -> TypeGuard[dict[Any, Record]]:
    """Return whether a value is a mapping of names to records, at least one."""
    return isinstance(value, dict) and set(map(type, value.values())) == {dict}


def read_parts(
    items: list[Any] | Record, *, chapters: bool = False, depth: int = 0
) -> list[DraftPart]:
    """Read records, each followed by the records within it; a total is left out.

    Args:
        items: Records or texts, or a mapping of names to records.
        chapters: Whether the records are those of chapters.
        depth: Level of lists and mappings around the items.
    """
    reader = _PartsReader(chapters, depth)
    for item in _list_items(items)[: MAX_PLAN_PARTS + 1]:
        if isinstance(item, dict):
            reader.read_record(_unwrap(item))
        elif isinstance(item, str):
            reader.read_text(item)
        if len(reader.parts) > MAX_PLAN_PARTS:
            break
    return reader.parts


def _list_items(items: list[Any] | Record) -> list[Any]:
    """Return records as a list; a name that maps to one is its heading."""
    if isinstance(items, list):
        return items
    return [_add_heading(name, record) for name, record in items.items()]


def _add_heading(name: Any, record: Record) -> Record:
    """Return a record with its name as heading, unless that only numbers it: `Section 1`."""
    if begins_with_opener(str(name)):
        return record
    return {"heading": name, **record}


def _unwrap(item: Record) -> Record:
    """Return the record in a mapping that contains nothing else: `{"section": {...}}`."""
    if len(item) == 1 and _is_mapping_of_records(item):
        (record,) = item.values()
        return record
    return item


class _PartsReader:
    """Collects parts, one record after another."""

    def __init__(self, chapters: bool, depth: int) -> None:
        self.chapters = chapters
        """Whether all records are chapters."""
        self.depth = depth
        """Level of lists and mappings around the records."""
        self.parts: list[DraftPart] = []
        """Parts read so far."""
        self.chapter = ""
        """Chapter named by the last record that names one."""

    def read_text(self, text: str) -> None:
        """Read an entry of a bare list: a heading or main point with a length."""
        line = read_line(text)
        part = DraftPart(line.heading, line.point, line.length)
        for name, value in line.fields.items():
            part.assign(name, value)
        if part.length and _counts_as_part(part):
            self.parts.append(part)

    def read_record(self, record: Record) -> None:
        """Read a record, the chapter that it names, and the records within it."""
        part = read_part(record)
        if not _counts_as_part(part):
            return
        values = _index_by_field(record)
        chapter = _find_chapter(values)
        if chapter and chapter != self.chapter:
            self.chapter = chapter
            self.parts.append(DraftPart(heading=chapter, is_chapter=True))
        sections = _read_nested(record, self.depth)
        names_chapter_only = values.keys() & {"chapter", "section"} == {"chapter"}
        is_numbered_chapter = names_chapter_only and not chapter
        part.is_chapter = self.chapters or is_numbered_chapter or bool(sections)
        self.parts += [part, *sections]


def _counts_as_part(part: DraftPart) -> bool:
    """Return whether a record is a part, rather than the total or something else."""
    return part.is_named and not is_total_heading(part.heading)


def _index_by_field(record: Record) -> dict[Field, Any]:
    """Return the first value of each field in a record."""
    values: dict[Field, Any] = {}
    for key, value in record.items():
        name = find_field(str(key))
        if name:
            values.setdefault(name, value)
    return values


def _find_chapter(values: dict[Field, Any]) -> str:
    """Return the chapter that a section's record names beside its own heading."""
    if values.keys().isdisjoint({"heading", "title", "section"}):
        return ""
    name = values.get("chapter")
    if not isinstance(name, str) or is_only_number(name):
        return ""
    return strip_heading_markup(name)


def _read_nested(record: Record, depth: int) -> list[DraftPart]:
    """Return the sections within a chapter's record."""
    if depth >= _MAX_DEPTH:
        return []
    for value in record.values():
        if _holds_records(value):
            parts = read_parts(value, depth=depth + 1)
            if parts:
                return parts
    return []


def read_part(record: Record) -> DraftPart:
    """Read one record by the names of its keys."""
    part = DraftPart()
    part_name = ""  # {"section": "Kings"} names the part, unless it has a heading
    for key, value in record.items():
        text = _to_text(value)
        name = find_field(str(key))
        if name is None:
            continue
        if name not in ("section", "chapter"):
            part.assign(name, text)
        elif not is_only_number(text) and (name == "section" or not part_name):
            part_name = strip_heading_markup(text)
    if not part.heading and not is_opener(part_name):
        part.heading = part_name
    if part.length is None:
        _take_length_from_heading(part)
    return part


def _to_text(value: Any) -> str:
    """Return a value as text, a list of texts joined; "" for other lists, mappings and null."""
    if isinstance(value, list) and set(map(type, value)) == {str}:
        return "; ".join(value)
    if value is None or isinstance(value, (list, dict)):
        return ""
    return str(value)


def _take_length_from_heading(part: DraftPart) -> None:
    """Read the length that a heading states: `Kings (400 words)`."""
    before, part.length, after = split_at_length(part.heading)
    if part.length and not after.strip():
        part.heading = strip_heading_markup(before)
