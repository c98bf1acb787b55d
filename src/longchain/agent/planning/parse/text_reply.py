"""Reads a plan from lines of text: AgentWrite's own, Markdown lists and headings.

text -> `PlanLine`s -> `PlanDraft`

Knows how lines belong together; `plan_line` reads one line alone, and `part_depths` finds the
depths at which chapters and sections start.
"""

from __future__ import annotations

from statistics import median

from longchain.agent.planning.parse.field_names import Field
from longchain.agent.planning.parse.markup import strip_heading_markup, strip_markup
from longchain.agent.planning.parse.part_depths import find_chapter_depth, find_section_depth
from longchain.agent.planning.parse.plan_draft import DraftPart, PlanDraft
from longchain.agent.planning.parse.plan_line import (
    CHAPTER_DEPTH,
    MAX_LINE_CHARS,
    SECTION_DEPTH,
    Depth,
    PlanLine,
    read_lines,
)
from longchain.agent.planning.parse.stated_lengths import split_at_length


def read(text: str) -> PlanDraft:
    """Read a plan from lines: those that start a part, fields beneath, and prose between."""
    lines = read_lines(text)
    section_depth = find_section_depth(lines)
    chapter_depth = find_chapter_depth(lines, section_depth)
    reader = _DraftReader(section_depth, chapter_depth)
    for line in lines:
        reader.read(line)
    return reader.finish()


class _DraftReader:
    """Collects a draft, one line after another."""

    def __init__(self, section_depth: Depth | None, chapter_depth: Depth | None) -> None:
        self.section_depth = section_depth
        """Depth at which sections start; None if only fields start them."""
        self.part_depths = {section_depth, chapter_depth} - {None}
        """Depths at which parts start."""
        self.chapter_depths = {CHAPTER_DEPTH, chapter_depth} - {None}
        """Those at which the parts are chapters."""
        self.title = ""
        """Title of the document."""
        self.parts: list[DraftPart] = []
        """Parts in order."""
        self.part: DraftPart | None = None
        """Part that fields and prose belong to."""
        self.open_field: Field | None = None
        """Field that prose continues."""
        self.after_blank = False
        """Whether the line before was blank."""
        self.parts_with_prose: list[DraftPart] = []
        """Parts whose main point is prose beneath their heading."""
        self.prose_after_blank = False
        """Whether the prose of the last of those began after a blank line."""
        self.outside_chars = 0
        """Characters that belong to no part."""

    @property
    def is_at_beginning(self) -> bool:
        """Whether neither a title nor a part has been read."""
        return not self.parts and not self.title

    def read(self, line: PlanLine) -> None:
        """Read the next line."""
        if line.text:
            self._read_text(line)
        self.after_blank = not line.text

    def _read_text(self, line: PlanLine) -> None:
        """Read a line that is not blank."""
        if line.is_total and line.depth != SECTION_DEPTH:
            self.part = None
            self.open_field = None
        elif self._starts_part(line):
            self._start_part(line)
        elif line.fields:
            self._read_fields(line.fields)
        elif self.is_at_beginning and line.is_markdown_heading:
            self.title = line.title
        else:
            self._read_prose(line)

    def _starts_part(self, line: PlanLine) -> bool:
        """Return whether a line starts a part by its depth, or by a heading with a main point."""
        if line.start_depth in self.part_depths:
            return True
        return line.depth is None and "point" in line.fields and bool(line.heading)

    def _start_part(self, line: PlanLine) -> None:
        """Add the part that a line starts."""
        part = DraftPart(line.heading, line.point, line.length)
        part.is_chapter = line.depth in self.chapter_depths
        part.labels = int(line.numbered)
        self._add_part(part)
        self.open_field = "point"
        for name, value in line.fields.items():
            self._assign(part, name, value)
        if part.is_chapter and not part.is_named:  # "Chapter 1 (900 words)"
            text, _, _ = split_at_length(line.text)
            part.heading = strip_heading_markup(text)

    def _add_part(self, part: DraftPart) -> None:
        """Add a part, to which the next lines belong."""
        self.parts.append(part)
        self.part = part

    def _read_fields(self, fields: dict[Field, str]) -> None:
        """Read the fields of the part at hand, or of one that they start."""
        for name, value in fields.items():
            if name == "title" and self.is_at_beginning:
                self.title = strip_heading_markup(value)
                continue
            if self.section_depth is None:
                self._make_room(name)
            if self.part:
                self._assign(self.part, name, value)

    def _assign(self, part: DraftPart, name: Field, value: str) -> None:
        """Set a field of a part, and note whether the next lines continue it."""
        part.assign(name, value)
        part.labels += 1
        # A main point goes on in the lines beneath, any other field only if it is still empty.
        continues = name == "point" or not value
        self.open_field = None
        if continues:
            self.open_field = name

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
        if self._is_over(line):
            self.open_field = None
        if self.part is None or self.open_field is None:
            self.outside_chars += len(text)
        elif self.open_field == "point":
            self._extend_point(self.part, text, line)
        else:
            self.part.assign(self.open_field, text)
            self.open_field = None

    def _is_over(self, line: PlanLine) -> bool:
        """Return whether prose after a blank line follows a part that has its main point."""
        is_apart = self.after_blank and line.depth is None
        return is_apart and self.part is not None and bool(self.part.point)

    def _extend_point(self, part: DraftPart, text: str, line: PlanLine) -> None:
        """Add prose to a main point; the points of a list get semicolons between."""
        if not part.point:
            part.point = text
            self.parts_with_prose.append(part)
            self.prose_after_blank = self.after_blank
        elif len(part.point) < MAX_LINE_CHARS:
            separator = "; "
            if line.depth is None:
                separator = " "
            part.point += separator + text

    def finish(self) -> PlanDraft:
        """Return the draft, without parts if the lines are an answer in prose."""
        self._drop_closing_words()
        parts = [part for part in self.parts if part.is_named]
        if not self._is_plan(parts):
            return PlanDraft()
        return PlanDraft(self.title, parts)

    def _drop_closing_words(self) -> None:
        """Take prose for the closing words of the reply if only the last section has some."""
        last = self.parts[-1:]
        is_only_prose = self.prose_after_blank and self.parts_with_prose == last
        if is_only_prose and len(self.parts) > 1:
            self.parts_with_prose[0].point = ""

    def _is_plan(self, parts: list[DraftPart]) -> bool:
        """Return whether parts are a plan: with a length, or named or numbered and no essay."""
        if not parts or any(part.length for part in parts):
            return bool(parts)
        labelled = [part for part in parts if part.labels > 0]
        if len(labelled) < 2 and parts[0].labels < 2:
            return False
        sizes = [len(part.heading) + len(part.point) for part in parts]
        if median(sizes) > 600:  # characters: paragraphs of an essay
            return False
        return self.outside_chars <= max(400, sum(sizes))
