"""A plan as an outline in Markdown.

`WritingPlan` -> text; text -> `LocatedValue`

Chapters are `##` with their sections beneath as `###`; sections without a chapter are `##`. Each
heading ends in its length, its main point is below; unit and language are at the top.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterator
from typing import Any

from longchain.agent.planning.planfile.located import LocatedValue, Place
from longchain.agent.planning.planfile.schema import DocumentFields, validate
from longchain.agent.planning.planfile.yaml_format import HEADER, dump
from longchain.agent.planning.planfile.yaml_format import read as read_yaml
from longchain.document import ChapterPlan, SectionPlan, Unit, WritingPlan

_UNITS: dict[str, Unit | None] = {
    "words": "words", "word": "words", "characters": "characters", "character": "characters",
    "字": "characters", "文字": "characters", "자": "characters", "": None,
}  # fmt: skip
_LENGTH = re.compile(r"(?P<number>.*\d)\s*(?P<unit>[^\W\d]*)")
_NUMBER = re.compile(r"(?P<chapter>Chapter )?\d+(?:\.\d+)*\.(?: |$)")
_LINE_END = re.compile(r"\r\n|\r|\n")
_MARKS = ("##", "###")
_CONTINUED = "## Chapter, continued: "
"""Beginning of a heading under which sections of an earlier chapter follow."""

# --- written ---


def write(plan: WritingPlan) -> str:
    """Return the plan as an outline: chapters `##`, their sections `###`, others `##`."""
    front: dict[str, Any] = {"unit": plan.unit}
    if plan.language is not None:
        front["language"] = plan.language
    is_one_line = plan.title == " ".join(plan.title.split())
    if not is_one_line:  # a heading has one line
        front["title"] = plan.title
    blocks = [f"---\n# {HEADER}\n{dump(front)}---"]
    if plan.title and is_one_line:
        blocks.append(f"# {plan.title}")
    blocks += _OutlineWriter(plan).blocks()
    return "\n\n".join(blocks) + "\n"


class _OutlineWriter:
    """Yields headings and main points in reading order."""

    def __init__(self, plan: WritingPlan) -> None:
        self.plan = plan
        """Plan that is written."""
        self.numbers = {chapter.heading: number for number, chapter in enumerate(plan.chapters, 1)}
        """Number of each chapter by its heading, counted from 1."""
        self.waiting = deque(plan.chapters)
        """Chapters that are still to be written."""
        self.written = Counter[str]()
        """Number of sections written of each chapter."""

    def blocks(self) -> Iterator[str]:
        """Yield the headings and the main points."""
        current = ""
        for number, section in enumerate(self.plan.sections, 1):
            chapter = section.chapter
            if chapter and chapter != current:
                yield from self._open_chapter(chapter)
            current = chapter
            self.written[chapter] += 1
            yield from self._write_part(self._mark_section(section, number), section)
        while self.waiting:
            yield from self._write_chapter(self.waiting.popleft())

    def _open_chapter(self, heading: str) -> Iterator[str]:
        """Yield the chapters up to one, or the heading under which it is continued."""
        if not any(chapter.heading == heading for chapter in self.waiting):
            yield _CONTINUED + heading
            return
        is_open = False
        while not is_open:
            chapter = self.waiting.popleft()
            is_open = chapter.heading == heading
            yield from self._write_chapter(chapter)

    def _write_chapter(self, chapter: ChapterPlan) -> Iterator[str]:
        """Yield a chapter's heading and main point."""
        number = self.numbers[chapter.heading]
        yield from self._write_part(f"## Chapter {number}.", chapter)

    def _mark_section(self, section: SectionPlan, number: int) -> str:
        """Return the hashes and the number of a section: `## 3.`, `### 2.1.`."""
        chapter = section.chapter
        if chapter in self.numbers:
            return f"### {self.numbers[chapter]}.{self.written[chapter]}."
        if chapter:
            return f"### {number}."
        return f"## {number}."

    def _write_part(self, mark: str, part: SectionPlan | ChapterPlan) -> Iterator[str]:
        """Yield a heading with its length, and the main point, which must not look like one."""
        heading = f"{part.heading} " if part.heading else ""
        yield f"{mark} {heading}({part.length} {self.plan.unit})"
        if part.main_point:
            yield re.sub(r"^(?=[\\#<])", r"\\", part.main_point)


# --- read ---


def read(text: str, name: str) -> LocatedValue:
    """Read an outline that `write` wrote, perhaps edited by a person.

    Raises:
        PlanFileError: A line belongs to no section, a section to no chapter, or units differ.
    """
    lines = _LINE_END.split(text)
    located, begin = _read_front_matter(lines, name)
    reader = _OutlineReader(lines, located)
    for number in range(begin + 1, len(lines) + 1):
        reader.read_line(number)
    located.value |= reader.parts
    _apply_units(located)
    return located


def _read_front_matter(lines: list[str], name: str) -> tuple[LocatedValue, int]:
    """Read the fields between two `---` at the top, and return how many lines they take."""
    if lines[0].strip() != "---":
        return LocatedValue(name, {}), 0
    end = _find_front_matter_end(lines)
    if end is None:
        message = "the `---` at the top has no second one that ends it"
        raise LocatedValue(name).error_at(1, message)
    located = read_yaml("\n".join(["", *lines[1:end]]), name)
    if not located.value:
        located.value = {}
    validate(located, DocumentFields)
    return located, end + 1


def _find_front_matter_end(lines: list[str]) -> int | None:
    """Return the index of the line that ends the front matter; None if there is none."""
    for index, line in enumerate(lines[1:], 1):
        if line.rstrip() == "---":
            return index
    return None


class _OutlineReader:
    """Collects chapters and sections, one line after another."""

    def __init__(self, lines: list[str], located: LocatedValue) -> None:
        self.lines = [line.strip() for line in lines]
        """All lines of the file."""
        self.first_words = [line.partition(" ")[0] for line in self.lines]
        """First word of each line: the hashes of a heading."""
        self.located = located
        """Fields of the document, and the lines of parts."""
        self.parts: dict[str, list[dict[str, Any]]] = {"chapters": [], "sections": []}
        """Fields of the parts read so far."""
        self.part: dict[str, Any] | None = None
        """Part whose main point the lines below a heading are."""
        self.chapter = ""
        """Chapter that sections belong to."""

    def read_line(self, number: int) -> None:
        """Read a line, counted from 1."""
        line = self.lines[number - 1]
        word = self.first_words[number - 1]
        if word == "#" and "title" not in self.located.value:
            self.located.value["title"] = line.removeprefix("#").strip()
        elif line.startswith(_CONTINUED):
            self.chapter = line.removeprefix(_CONTINUED)
            self.part = None
        elif word in _MARKS:
            self._read_heading(number, word)
        elif line:
            self._read_main_point(number)

    def _read_heading(self, number: int, mark: str) -> None:
        """Read the heading of a chapter or a section."""
        heading = self.lines[number - 1].removeprefix(mark).strip()
        numbering = _NUMBER.match(heading)
        if numbering:
            heading = heading[numbering.end() :]
        part = _split_heading(heading)
        kind = "sections"
        if mark == "###":
            if not self.chapter:
                message = "`###` belongs to no chapter; a chapter is `##`"
                raise self.located.error_at(number, message)
            part["chapter"] = self.chapter
        elif (numbering and numbering["chapter"]) or self._has_sections(number):
            kind = "chapters"
            self.chapter = part["heading"]
        else:
            self.chapter = ""
        self.located.lines[kind, len(self.parts[kind])] = number
        self.parts[kind].append(part)
        self.part = part

    def _has_sections(self, number: int) -> bool:
        """Return whether the next heading below a line is that of a section in a chapter."""
        for word in self.first_words[number:]:
            if word in _MARKS:
                return word == "###"
        return False

    def _read_main_point(self, number: int) -> None:
        """Add a line to the main point of the part above it."""
        line = self.lines[number - 1]
        is_heading = not self.first_words[number - 1].strip("#")
        if self.part is None or is_heading:
            message = f"this belongs to no section: {line[:40]!r}"
            raise self.located.error_at(number, message)
        text = re.sub(r"^\\(?=[\\#<])", "", line)
        main_point = self.part.get("main_point", "")
        self.part["main_point"] = f"{main_point} {text}".strip()


def _split_heading(heading: str) -> dict[str, Any]:
    """Return the fields in a heading: itself, and its length in brackets."""
    begin = max(heading.rfind("("), heading.rfind("（"))
    if begin < 0 or not heading.endswith((")", "）")):
        return {"heading": heading}
    return {"heading": heading[:begin].strip(), "length": heading[begin + 1 : -1].strip()}


def _apply_units(located: LocatedValue) -> None:
    """Take the units from the lengths: all the same, and the one at the top."""
    for kind in ("chapters", "sections"):
        for index, part in enumerate(located.value[kind]):
            _apply_unit(located, (kind, index), part)


def _apply_unit(located: LocatedValue, place: Place, part: dict[str, Any]) -> None:
    """Take the unit from the length of one part."""
    length = _LENGTH.fullmatch(part.get("length", ""))
    if length is None or length["unit"].lower() not in _UNITS:
        return
    part["length"] = length["number"]
    unit = _UNITS[length["unit"].lower()]
    if unit is None:
        return
    plan_unit = located.value.setdefault("unit", unit)
    if plan_unit != unit:
        raise located.error(place, f"this length counts {unit}, the plan {plan_unit}")
