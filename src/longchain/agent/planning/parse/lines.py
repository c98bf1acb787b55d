"""A plan in lines: AgentWrite's own, Markdown lists and headings.

text -> `Row`s -> the depths at which chapters and sections start -> `Draft`

Knows how lines belong together; what stands in one line is known to `rows`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from statistics import median

from longchain.agent.planning.parse import amounts
from longchain.agent.planning.parse.draft import Draft, Part, plain, plain_heading
from longchain.agent.planning.parse.labels import Field
from longchain.agent.planning.parse.rows import (
    BARE_DEPTH,
    CHAPTER_DEPTH,
    LONGEST_LINE,
    SECTION_DEPTH,
    Depth,
    Row,
    read_rows,
)


def read(text: str) -> Draft | None:
    """Read a plan from lines: those that start a part, fields beneath, and prose between."""
    found = read_rows(text)
    level = _level(found)
    reader = _Reader(level, _above(found, level))
    for row in found:
        reader.read(row)
    return reader.draft()


def _level(rows: Iterable[Row]) -> Depth | None:
    """Return the depth at which sections start: where lengths, main points or numbers are."""
    counted, pointed, numbered = Counter[Depth](), Counter[Depth](), Counter[Depth]()
    above: list[Depth] = []
    for row in rows:
        if row.depth is not None:
            while above and above[-1] >= row.depth:
                above.pop()
        if row.starts and row.depth is not None and not row.is_total:
            above.append(row.depth)
            numbered[row.depth] += row.numbered
        if above and not row.is_total:
            counted[above[-1]] += bool(row.length or amounts.count(row.fields.get("length")))
            pointed[above[-1]] += "point" in row.fields
    if numbered[SECTION_DEPTH]:
        return SECTION_DEPTH
    fit = [
        depth
        for depth in numbered
        if counted[depth] + pointed[depth] > (depth == BARE_DEPTH) or numbered[depth] > 1
    ]
    return max(
        fit,
        key=lambda d: (counted[d], pointed[d], numbered[d], [-step for step in d]),
        default=None,
    )


def _above(rows: Iterable[Row], level: Depth | None) -> Depth | None:
    """Return the depth at which chapters start: the one right above that of the sections."""
    if level is None or level == CHAPTER_DEPTH:
        return None
    followed = Counter[Depth]()
    last: Depth | None = None
    for row in rows:
        if row.depth is None or not row.starts:
            continue
        if row.depth == level and last is not None and last < level:
            followed[last] += 1
        last = row.depth if row.depth <= level else last
    fit = [d for d in followed if followed[d] > 1 or d == CHAPTER_DEPTH]
    return CHAPTER_DEPTH if CHAPTER_DEPTH in fit else max(fit, default=None)


class _Reader:
    """Collects a draft, one row after another."""

    def __init__(self, level: Depth | None, above: Depth | None) -> None:
        self.level, self.above = level, above
        self.title = ""
        self.parts: list[Part] = []
        self.part: Part | None = None
        self.open: Field | None = None
        """The field that prose would continue."""
        self.gap = False
        self.beneath: list[Part] = []
        """The parts whose main point stands in lines beneath their heading."""
        self.late = False
        """Whether the last of those stands after a blank line."""
        self.outside = 0
        """Characters that belong to no part."""

    def read(self, row: Row) -> None:
        if not row.text:
            self.gap = True
            return
        if row.is_total and row.depth != SECTION_DEPTH:
            self.part = self.open = None
        elif (row.starts and row.depth in (self.level, self.above)) or (
            row.fields and row.heading and "point" in row.fields and row.depth is None
        ):
            self._start(row)
        elif row.fields:
            self._set(row.fields)
        elif not self.parts and not self.title and row.depth and row.depth[0] == 0:
            self.title = row.title
        else:
            self._continue(row)
        self.gap = False

    def _start(self, row: Row) -> None:
        chapter = row.depth == CHAPTER_DEPTH or (row.depth is not None and row.depth == self.above)
        self.part = Part(row.heading, row.point, row.length, chapter)
        self.part.labels = int(row.numbered)
        self.parts.append(self.part)
        self.open = "point"
        self._set(row.fields, beneath=False)
        if not self.part.heading and chapter and not self.part.point:
            self.part.heading = plain_heading(amounts.split(row.text)[0])

    def _set(self, fields: dict[Field, str], *, beneath: bool = True) -> None:
        for meaning, value in fields.items():
            meaning = "heading" if meaning == "section" else meaning
            if meaning == "title" and not self.parts and not self.title:
                self.title = plain_heading(value)
                continue
            if beneath and self.level is None:
                self._make_room("heading" if meaning == "title" else meaning)
            if self.part:
                self.part.assign(meaning, value)
                self.part.labels += 1
                self.open = meaning if meaning == "point" or not value else None

    def _make_room(self, meaning: Field) -> None:
        """Start a part at a field that the one at hand has, where nothing else starts parts."""
        if meaning == "chapter":
            self.part = None
        full = self.part and getattr(self.part, meaning, None)
        if self.part is None or full:
            self.part = Part(is_chapter=meaning == "chapter")
            if not self.parts and self.title and meaning in ("point", "length"):
                self.part.heading, self.title = self.title, ""
            self.parts.append(self.part)

    def _continue(self, row: Row) -> None:
        """Add prose to the field that it continues; what continues none is chatter."""
        part, text = self.part, plain(row.text)
        if part is None or self.open is None or (self.gap and part.point and row.depth is None):
            self.outside += len(text)
            self.open = None if self.part and self.part.point else self.open
        elif self.open != "point":
            part.assign(self.open, text)
            self.open = None
        elif len(part.point) < LONGEST_LINE:
            if not part.point:
                self.beneath.append(part)
                self.late = self.gap
            joint = "; " if row.depth is not None else " "
            part.point = f"{part.point}{joint}{text}" if part.point else text

    def draft(self) -> Draft | None:
        """Return what was read where it is a plan, rather than an answer in prose."""
        if self.late and self.beneath == self.parts[-1:] and len(self.parts) > 1:
            self.beneath[0].point = ""  # the closing words, not what the last section says
        parts = [part for part in self.parts if part.heading or part.point]
        if not parts or not (any(part.length for part in parts) or self._is_plan(parts)):
            return None
        return Draft(self.title, parts)

    def _is_plan(self, parts: list[Part]) -> bool:
        """Whether parts without any length are a plan: named or numbered, and not an essay."""
        sizes = [len(part.heading) + len(part.point) for part in parts]
        structured = sum(part.labels > 0 for part in parts) > 1 or parts[0].labels > 1
        return structured and median(sizes) <= 600 and self.outside <= max(400, sum(sizes))
