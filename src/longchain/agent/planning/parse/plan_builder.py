"""Completes a draft: missing lengths, unique headings of chapters, sections put into chapters.

`PlanDraft` -> `WritingPlan`; `WritingPlan` -> the same in sections or in chapters

Does not know the form of the reply. Rescales nothing: stated lengths stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import mean

from longchain.agent.planning.parse.markup import strip_markup
from longchain.agent.planning.parse.plan_draft import DraftPart, PlanDraft
from longchain.agent.prompts import Level
from longchain.document import ChapterPlan, SectionPlan, Unit, WritingPlan

_DEFAULT_LENGTH: dict[Unit, int] = {"words": 400, "characters": 800}


@dataclass(slots=True)
class _ChapterGroup:
    """A chapter with its sections."""

    chapter: DraftPart
    sections: list[DraftPart] = field(default_factory=list)

    def share_length(self, unit: Unit) -> None:
        """Divide the chapter's length evenly if no section states its own."""
        sections_state_none = all(part.length is None for part in self.sections)
        if self.chapter.length and sections_state_none:
            _fill_in(self.sections, self.chapter.length, unit)

    def sum_lengths(self) -> None:
        """Make the chapter as long as its sections, if it has some."""
        if self.sections:
            self.chapter.length = sum(part.known_length for part in self.sections)


def build_plan(
    draft: PlanDraft, unit: Unit, language: str | None, required: int | None
) -> WritingPlan:
    """Return the plan of a draft.

    A part without a length gets the mean of the stated ones; if none is stated, an even share of
    its chapter or of `required`, else 400 words or 800 characters.
    """
    opening, groups = _group_by_chapter(draft.parts)
    _fill_in_lengths(opening, groups, required, unit)
    chapters = _build_chapters([group.chapter for group in groups])
    sections = [_build_section(part, "") for part in opening]
    for chapter, group in zip(chapters, groups, strict=True):
        sections += [_build_section(part, chapter.heading) for part in group.sections]
    return WritingPlan(
        title=strip_markup(draft.title),
        sections=sections,
        chapters=chapters,
        unit=unit,
        language=language,
    )


def _group_by_chapter(
    parts: Sequence[DraftPart],
) -> tuple[list[DraftPart], list[_ChapterGroup]]:
    """Return the sections before the first chapter, and the chapters with their sections."""
    opening: list[DraftPart] = []
    groups: list[_ChapterGroup] = []
    sections = opening
    for part in parts:
        if part.is_chapter:
            group = _ChapterGroup(part)
            groups.append(group)
            sections = group.sections
        else:
            sections.append(part)
    return opening, groups


def _fill_in_lengths(
    opening: list[DraftPart], groups: Sequence[_ChapterGroup], required: int | None, unit: Unit
) -> None:
    """Give each chapter and each section a length."""
    sections = list(opening)
    for group in groups:
        group.share_length(unit)
        sections += group.sections
    _fill_in(sections, required, unit)
    for group in groups:
        group.sum_lengths()
    _fill_in([group.chapter for group in groups], required, unit)


def _fill_in(parts: Sequence[DraftPart], total: int | None, unit: Unit) -> None:
    """Give the parts without a length the mean of the others, or an even share of the total."""
    stated = [part.length for part in parts if part.length]
    missing = [part for part in parts if not part.length]
    length = _DEFAULT_LENGTH[unit]
    if stated:
        length = round(mean(stated))
    elif missing and total:
        length = max(1, total // len(missing))
    for part in missing:
        part.length = length


def _build_section(part: DraftPart, chapter: str) -> SectionPlan:
    """Return the plan of a section, without a main point that of its heading."""
    return SectionPlan(
        heading=part.heading,
        main_point=part.main_point,
        length=part.known_length,
        chapter=chapter,
    )


def _build_chapters(parts: Sequence[DraftPart]) -> list[ChapterPlan]:
    """Return the chapters; a heading that an earlier one has gets a number."""
    chapters: list[ChapterPlan] = []
    headings: set[str] = set()
    for number, part in enumerate(parts, 1):
        name = part.heading or part.point or str(number)
        heading = _make_unique(" ".join(name.split()), headings)
        headings.add(heading)
        chapters.append(
            ChapterPlan(heading=heading, main_point=part.main_point, length=part.known_length)
        )
    return chapters


def _make_unique(heading: str, headings: set[str]) -> str:
    """Return a heading that is not among others: `Kings`, `Kings (2)`, `Kings (3)`."""
    unique = heading
    number = 2
    while unique in headings:
        unique = f"{heading} ({number})"
        number += 1
    return unique


def convert_level(level: Level, plan: WritingPlan) -> WritingPlan:
    """Return the plan in sections or in chapters, if it has only the others."""
    if level == "section" and not plan.sections:
        sections = [SectionPlan(**chapter.model_dump()) for chapter in plan.chapters]
        return plan.model_copy(update={"sections": sections, "chapters": []})
    if level == "chapter" and not plan.chapters:
        parts = [DraftPart(part.heading, part.main_point, part.length) for part in plan.sections]
        return plan.model_copy(update={"sections": [], "chapters": _build_chapters(parts)})
    return plan
