"""A plan as an outline in Markdown.

`WritingPlan` -> text; text -> `WritingPlan`, or `PlanFileError` with the line

Chapters are `##` with their sections beneath as `###`; sections without a chapter are `##`. Each
heading ends in its length, its main point stands below; unit and language stand at the top.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from longchain.agent.planning.planfile.notation import REMARK, as_yaml, read_yaml
from longchain.agent.planning.planfile.source import Source, mapping, plan_of
from longchain.document import ChapterPlan, SectionPlan, Unit, WritingPlan
from longchain.errors import PlanFileError

_FRONT_KEYS = ("title", "unit", "language")
_UNITS: dict[str, Unit | None] = {
    "words": "words", "word": "words", "characters": "characters", "character": "characters",
    "字": "characters", "文字": "characters", "자": "characters", "": None,
}  # fmt: skip
_NUMBERED = re.compile(r"(?P<chapter>Chapter )?\d+(?:\.\d+)*\.(?: |$)")
_AGAIN = "Chapter, continued: "


def write(plan: WritingPlan) -> str:
    """Return the plan as an outline: chapters `##`, their sections `###`, others `##`."""
    front: dict[str, Any] = {"unit": plan.unit}
    if plan.language is not None:
        front["language"] = plan.language
    on_line = plan.title == " ".join(plan.title.split())
    if not on_line:  # a title of several lines stands in no heading
        front["title"] = plan.title
    blocks = [f"---\n# {REMARK}\n{as_yaml(front)}---"]
    blocks += [f"# {plan.title}"] if plan.title and on_line else []
    return "\n\n".join([*blocks, *_blocks(plan)]) + "\n"


def _blocks(plan: WritingPlan) -> Iterator[str]:
    """Yield headings and main points in reading order."""
    waiting = list(enumerate(plan.chapters, 1))
    names = [chapter.heading for chapter in plan.chapters]
    current, inner = "", 0
    for number, section in enumerate(plan.sections, 1):
        name = section.chapter
        if name and name != current:
            due = name in (chapter.heading for _, chapter in waiting)
            while due and waiting and current != name:
                at, chapter = waiting.pop(0)
                yield from _block(f"## Chapter {at}.", chapter, plan.unit)
                current, inner = chapter.heading, 0
            if not due:
                yield f"## {_AGAIN}{name}"
                inner = sum(s.chapter == name for s in plan.sections[: number - 1])
        current, inner = name, inner + 1
        at = names.index(name) + 1 if name in names else 0
        mark = f"### {at}.{inner}." if at else f"### {number}." if name else f"## {number}."
        yield from _block(mark, section, plan.unit)
    for at, left in waiting:
        yield from _block(f"## Chapter {at}.", left, plan.unit)


def _block(mark: str, part: SectionPlan | ChapterPlan, unit: Unit) -> Iterator[str]:
    heading = f"{part.heading} " if part.heading else ""
    yield f"{mark} {heading}({part.length} {unit})"
    if part.main_point:
        yield re.sub(r"^(?=[\\#<])", r"\\", part.main_point)


def read(text: str, name: str) -> WritingPlan:
    """Read an outline that `write` wrote, perhaps edited by a person."""
    lines = re.split(r"\r\n|\r|\n", text)
    source, begin = _front(lines, name)
    parts: dict[str, list[dict[str, Any]]] = {"chapters": [], "sections": []}
    chapter, last = "", None
    headings = [line.strip().partition(" ")[0] for line in lines]
    for number, line in enumerate((line.strip() for line in lines[begin:]), begin + 1):
        level = headings[number - 1]
        if level == "#" and "title" not in source.value:
            source.value["title"] = line[2:].strip()
        elif line.startswith(f"## {_AGAIN}"):
            chapter, last = line.removeprefix(f"## {_AGAIN}"), None
        elif level in ("##", "###"):
            below = next((mark for mark in headings[number:] if mark in ("##", "###")), "")
            last, kind = _part_at(line, level, below == "###")
            if level == "##":
                chapter = last["heading"] if kind == "chapters" else ""
            elif not chapter:
                raise source.fault(number, "`###` stands in no chapter; a chapter is `##`")
            if kind == "sections" and chapter:
                last["chapter"] = chapter
            source.note((kind, len(parts[kind])), number)
            parts[kind].append(last)
        elif line and (last is None or level.strip("#") == ""):
            raise source.fault(number, f"this belongs to no section: {line[:40]!r}")
        elif line and last is not None:
            plain = re.sub(r"^\\(?=[\\#<])", "", line)
            last["main_point"] = f"{last.get('main_point', '')} {plain}".strip()
    source.value |= parts
    _settle_unit(source)
    return plan_of(source)


def _front(lines: list[str], name: str) -> tuple[Source, int]:
    """Read what stands between two `---` at the top, and return the line after it."""
    if lines[0].strip() != "---":
        return Source({}, {}, name), 0
    end = next((at for at, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
    if end is None:
        raise PlanFileError(f"{name}, line 1: the `---` at the top has no second one that ends it")
    source = read_yaml("\n".join(["", *lines[1:end]]), name)
    source.value = mapping(source, source.value or {}, (), _FRONT_KEYS, "the plan")
    return source, end + 1


def _part_at(line: str, level: str, has_sections: bool) -> tuple[dict[str, Any], str]:
    """Return the part that a heading names, and whether it is a chapter or a section."""
    body = line.removeprefix(level).strip()
    mark = _NUMBERED.match(body)
    body = body[mark.end() :] if mark else body
    chapter = level == "##" and (has_sections or bool(mark and mark["chapter"]))
    part: dict[str, Any] = {"heading": body}
    begin = max(body.rfind("("), body.rfind("（"))
    if body.endswith((")", "）")) and begin >= 0:
        part = {"heading": body[:begin].strip(), "length": body[begin + 1 : -1].strip()}
    return part, "chapters" if chapter else "sections"


def _settle_unit(source: Source) -> None:
    """Take the units from the lengths: all the same, and the one named at the top."""
    for kind in ("chapters", "sections"):
        for index, part in enumerate(source.value[kind]):
            match = re.fullmatch(r"(.*\d)\s*([^\W\d]*)", part.get("length", ""))
            if not match or match[2].lower() not in _UNITS:
                continue
            part["length"], unit = match[1], _UNITS[match[2].lower()]
            if unit and source.value.setdefault("unit", unit) != unit:
                raise source.error(
                    (kind, index), f"this length counts {unit}, the plan {source.value['unit']}"
                )
