"""A plan as far as a reply gave it, and the plan that it comes to.

`Part`s with gaps -> `WritingPlan`: missing lengths filled in, chapters named and summed up

Knows nothing of the form that the reply had. Rescales nothing: lengths given stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import mean
from typing import Literal

from longchain.agent.planning.parse.amounts import count
from longchain.agent.planning.parse.labels import Field
from longchain.document import ChapterPlan, SectionPlan, Unit, WritingPlan

MOST_SECTIONS = 2000
"""More sections or chapters than this are no plan but a model that does not stop."""

Level = Literal["section", "chapter"]

_DEFAULT_LENGTH: dict[Unit, int] = {"words": 400, "characters": 800}
_NOTHING = {"", "-", "–", "—", "none", "n/a", "null", "无", "無", "なし", "없음", "keine", "aucun"}


def plain(text: str) -> str:
    """Return a value without markup around it, or "" for one that says there is none."""
    # Escapes in JSON and YAML can hold half a character, which no document can.
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")
    value = " ".join(whole.replace("**", "").split()).strip("`")
    for left, right in ('""', "“”", "[]", "**", "__"):
        if len(value) > 1 and value[0] == left and value[-1] == right and left not in value[1:-1]:
            value = value[1:-1].strip()
    return "" if value.lower() in _NOTHING else value


def plain_heading(text: str) -> str:
    """Return a heading without markup around it and without what led to what follows it."""
    return plain(plain(text).rstrip(":：|｜ "))


def is_number(value: str) -> bool:
    """Whether a value only numbers a part: `3`, `2.1`."""
    return re.fullmatch(r"[\W\d]*", value) is not None


@dataclass(slots=True)
class Part:
    """A section or a chapter as far as the reply gave it."""

    heading: str = ""
    point: str = ""
    length: int | None = None
    is_chapter: bool = False
    labels: int = 0
    """How many of its fields, its opener included, were recognized by name or number."""

    def assign(self, meaning: Field, value: str) -> None:
        """Set a field, unless it is set; a length also where it was read as 0."""
        if meaning == "length":
            self.length = self.length or count(value)
        elif meaning == "point":
            self.point = self.point or plain(value)
        elif meaning != "chapter" or self.is_chapter:
            self.heading = self.heading or plain_heading(value)


@dataclass(slots=True)
class Draft:
    """A reply's plan as far as it was given: chapters stand before their sections."""

    title: str = ""
    parts: list[Part] = field(default_factory=list)


def complete(draft: Draft, unit: Unit, language: str | None, required: int | None) -> WritingPlan:
    """Return the plan of a draft.

    A part without a length gets the mean of those given; where none is given, an even share of
    its chapter or of `required`, else 400 words or 800 characters.
    """
    groups: list[tuple[Part | None, list[Part]]] = [(None, [])]
    for part in draft.parts:
        if part.is_chapter:
            groups.append((part, []))
        else:
            groups[-1][1].append(part)
    _fill_groups(groups, required, unit)
    chapters = _chapters([chapter for chapter, _ in groups if chapter])
    names = iter(["", *(chapter.heading for chapter in chapters)])
    sections = [
        _section(part, name) for name, (_, own) in zip(names, groups, strict=True) for part in own
    ]
    return WritingPlan(
        title=plain(draft.title),
        sections=sections,
        chapters=chapters,
        unit=unit,
        language=language,
    )


def _fill_groups(
    groups: Sequence[tuple[Part | None, list[Part]]], required: int | None, unit: Unit
) -> None:
    """Give each chapter and each section a length."""
    for chapter, members in groups:
        if chapter and chapter.length and all(part.length is None for part in members):
            _fill(members, chapter.length, unit)
    _fill([part for _, members in groups for part in members], required, unit)
    for chapter, members in groups:
        if chapter and members:
            chapter.length = sum(part.length or 0 for part in members)
    _fill([chapter for chapter, _ in groups if chapter], required, unit)


def _fill(parts: Sequence[Part], share: int | None, unit: Unit) -> None:
    """Give the parts without a length the mean of the others, or their share of the whole."""
    given = [part.length for part in parts if part.length]
    if given:
        length = round(mean(given))
    else:
        length = share // len(parts) if share and parts else _DEFAULT_LENGTH[unit]
    for part in parts:
        part.length = part.length or max(1, length)


def _section(part: Part, chapter: str) -> SectionPlan:
    return SectionPlan(
        heading=part.heading,
        main_point=part.point or part.heading,
        length=part.length or 1,
        chapter=chapter,
    )


def _chapters(parts: Sequence[Part]) -> list[ChapterPlan]:
    """Return the chapters, each under a heading of its own."""
    taken: set[str] = set()
    chapters = []
    for number, part in enumerate(parts, 1):
        first = heading = " ".join((part.heading or part.point or str(number)).split())
        again = 2
        while heading in taken:
            heading, again = f"{first} ({again})", again + 1
        taken.add(heading)
        point = part.point or part.heading
        chapters.append(ChapterPlan(heading=heading, main_point=point, length=part.length or 1))
    return chapters


def at_level(level: Level, plan: WritingPlan) -> WritingPlan:
    """Return the plan in sections or in chapters, where it came only in the others."""
    if level == "section" and not plan.sections:
        sections = [SectionPlan(**chapter.model_dump()) for chapter in plan.chapters]
        return plan.model_copy(update={"sections": sections, "chapters": []})
    if level == "chapter" and not plan.chapters:
        parts = [Part(s.heading, s.main_point, s.length) for s in plan.sections]
        return plan.model_copy(update={"sections": [], "chapters": _chapters(parts)})
    return plan
