"""Reads a plan from lines of text: AgentWrite's own, Markdown lists and headings.

text -> `PlanLine`s -> the depths at which chapters and sections start -> `PlanDraft`

Knows how lines belong together; one line alone is read by `plan_line`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from longchain.agent.parse.field_names import Field
from longchain.agent.parse.markup import strip_heading_markup, strip_markup
from longchain.agent.parse.plan_draft import DraftPart, PlanDraft
from longchain.agent.parse.plan_line import (
    BARE_DEPTH,
    CHAPTER_DEPTH,
    MAX_LINE_CHARS,
    SECTION_DEPTH,
    Depth,
    PlanLine,
    read_lines,
)
from longchain.agent.parse.stated_lengths import read_length, split_at_length


def read(text: str) -> PlanDraft | None:
    """Read a plan from lines: those that start a part, fields beneath, and prose between."""
    lines = read_lines(text)
    section_depth = _find_section_depth(lines)
    chapter_depth = _find_chapter_depth(lines, section_depth)
    reader = _DraftReader(section_depth, chapter_depth)
    for line in lines:
        reader.read(line)
    return reader.finish()


@dataclass(slots=True)
class _DepthCounts:
    """How often lines that start at one depth look like sections."""

    lengths: int = 0
    points: int = 0
    numbers: int = 0

    def may_be_sections(self, depth: Depth) -> bool:
        """Return whether there are enough; one bare line with a length can be prose."""
        needed = 2 if depth == BARE_DEPTH else 1
        return self.lengths + self.points >= needed or self.numbers > 1

    def rank(self, depth: Depth) -> tuple[int, int, int, list[int]]:
        """Return the key by which depths compare; of equal ones the higher wins."""
        return self.lengths, self.points, self.numbers, [-step for step in depth]


def _find_section_depth(lines: Iterable[PlanLine]) -> Depth | None:
    """Return the depth at which sections start: where lengths, main points or numbers are."""
    counts = _count_by_depth(lines)
    if SECTION_DEPTH in counts and counts[SECTION_DEPTH].numbers:
        return SECTION_DEPTH
    depths = [depth for depth in counts if counts[depth].may_be_sections(depth)]
    return max(depths, key=lambda depth: counts[depth].rank(depth), default=None)


def _count_by_depth(lines: Iterable[PlanLine]) -> dict[Depth, _DepthCounts]:
    """Count lengths, main points and numbers at each depth, or beneath it."""
    counts: dict[Depth, _DepthCounts] = {}
    open_depths: list[Depth] = []
    for line in lines:
        _close_depths(open_depths, line.depth)
        if line.is_total:
            continue
        if line.start_depth is not None:
            open_depths.append(line.start_depth)
            counts.setdefault(line.start_depth, _DepthCounts())
            counts[line.start_depth].numbers += line.numbered
        if open_depths:
            innermost = counts[open_depths[-1]]
            innermost.lengths += _states_length(line)
            innermost.points += "point" in line.fields
    return counts


def _close_depths(open_depths: list[Depth], depth: Depth | None) -> None:
    """Remove the depths that end where a line of a depth begins."""
    if depth is None:
        return
    while open_depths and open_depths[-1] >= depth:
        open_depths.pop()


def _states_length(line: PlanLine) -> bool:
    return bool(line.length or read_length(line.fields.get("length")))


def _find_chapter_depth(lines: Iterable[PlanLine], section_depth: Depth | None) -> Depth | None:
    """Return the depth at which chapters start: the one right above that of the sections."""
    if section_depth is None or section_depth == CHAPTER_DEPTH:
        return None
    followed = Counter[Depth]()
    above: Depth | None = None
    for line in lines:
        depth = line.start_depth
        if depth is None or depth > section_depth:
            continue
        if depth < section_depth:
            above = depth
        elif above is not None:
            followed[above] += 1  # a first section beneath it
            above = None
    if CHAPTER_DEPTH in followed:
        return CHAPTER_DEPTH
    return max((depth for depth in followed if followed[depth] > 1), default=None)


class _DraftReader:
    """Collects a draft, one line after another."""

    def __init__(self, section_depth: Depth | None, chapter_depth: Depth | None) -> None:
        self.section_depth = section_depth
        self.chapter_depth = chapter_depth
        self.title = ""
        self.parts: list[DraftPart] = []
        self.part: DraftPart | None = None
        self.open_field: Field | None = None
        """The field that prose would continue."""
        self.after_blank = False
        """Whether the line before was blank."""
        self.parts_with_prose: list[DraftPart] = []
        """The parts whose main point is prose beneath their heading."""
        self.prose_after_blank = False
        """Whether the prose of the last of those began after a blank line."""
        self.outside_chars = 0
        """Characters that belong to no part."""

    def read(self, line: PlanLine) -> None:
        if line.text:
            self._read_text(line)
        self.after_blank = not line.text

    def _read_text(self, line: PlanLine) -> None:
        if line.is_total and line.depth != SECTION_DEPTH:
            self.part = None
            self.open_field = None
        elif self._starts_part(line):
            self._start_part(line)
        elif line.fields:
            self._read_fields(line.fields)
        elif self._may_be_title(line):
            self.title = line.title
        else:
            self._read_prose(line)

    def _starts_part(self, line: PlanLine) -> bool:
        if line.start_depth is not None:
            return line.start_depth in (self.section_depth, self.chapter_depth)
        is_prose = line.depth is None
        return is_prose and "point" in line.fields and bool(line.heading)

    def _may_be_title(self, line: PlanLine) -> bool:
        is_first = not self.parts and not self.title
        return is_first and line.is_markdown_heading

    def _start_part(self, line: PlanLine) -> None:
        part = DraftPart(line.heading, line.point, line.length, self._is_chapter(line))
        part.labels = int(line.numbered)
        self._add_part(part)
        self.open_field = "point"
        for name, value in line.fields.items():
            self._assign(part, name, value)
        if part.is_chapter and not part.is_named:  # "Chapter 1 (900 words)"
            text, _, _ = split_at_length(line.text)
            part.heading = strip_heading_markup(text)

    def _is_chapter(self, line: PlanLine) -> bool:
        if line.depth is None:
            return False
        return line.depth in (CHAPTER_DEPTH, self.chapter_depth)

    def _add_part(self, part: DraftPart) -> None:
        self.parts.append(part)
        self.part = part

    def _read_fields(self, fields: dict[Field, str]) -> None:
        """Read the fields of the part at hand, or of one that they start."""
        for name, value in fields.items():
            if name == "title" and not self.parts and not self.title:
                self.title = strip_heading_markup(value)
                continue
            if self.section_depth is None:
                self._make_room(name)
            if self.part:
                self._assign(self.part, name, value)

    def _assign(self, part: DraftPart, name: Field, value: str) -> None:
        part.assign(name, value)
        part.labels += 1
        # A main point goes on in the lines beneath, any other field only if it is still empty.
        continues = name == "point" or not value
        self.open_field = name if continues else None

    def _make_room(self, name: Field) -> None:
        """Start a part at a field that the one at hand has, where nothing else starts parts."""
        is_chapter = name == "chapter"
        if self.part and not is_chapter and not self.part.has(name):
            return
        part = DraftPart(is_chapter=is_chapter)
        if not self.parts and name in ("point", "length"):
            # "Title: Kings", "Main Point: ...": the title was the heading of the first part.
            part.heading, self.title = self.title, ""
        self._add_part(part)

    def _read_prose(self, line: PlanLine) -> None:
        """Add prose to the field that it continues; other prose is no part of the plan."""
        text = strip_markup(line.text)
        part = self.part
        if part is None or not self._continues(part, line):
            self.outside_chars += len(text)
            if part and part.point:
                self.open_field = None
        elif self.open_field == "point":
            self._extend_point(part, text, line)
        elif self.open_field:
            part.assign(self.open_field, text)
            self.open_field = None

    def _continues(self, part: DraftPart, line: PlanLine) -> bool:
        """Return whether prose continues the open field, rather than a plan that is over."""
        if self.open_field is None:
            return False
        is_apart = self.after_blank and line.depth is None
        return not (is_apart and part.point)

    def _extend_point(self, part: DraftPart, text: str, line: PlanLine) -> None:
        if not part.point:
            part.point = text
            self.parts_with_prose.append(part)
            self.prose_after_blank = self.after_blank
        elif len(part.point) < MAX_LINE_CHARS:
            separator = " " if line.depth is None else "; "
            part.point += separator + text

    def finish(self) -> PlanDraft | None:
        """Return the draft if it is one of a plan, rather than an answer in prose."""
        last = self.parts[-1:]
        if self.prose_after_blank and self.parts_with_prose == last and len(self.parts) > 1:
            # The closing words of the reply, not the main point of the last section.
            self.parts_with_prose[0].point = ""
        parts = [part for part in self.parts if part.is_named]
        has_length = any(part.length for part in parts)
        if has_length or self._is_plan(parts):
            return PlanDraft(self.title, parts)
        return None

    def _is_plan(self, parts: list[DraftPart]) -> bool:
        """Return whether parts without any length are a plan: named or numbered, and no essay."""
        if not parts:
            return False
        labelled = [part for part in parts if part.labels > 0]
        if len(labelled) < 2 and parts[0].labels < 2:
            return False
        sizes = [len(part.heading) + len(part.point) for part in parts]
        return median(sizes) <= 600 and self.outside_chars <= max(400, sum(sizes))
