"""How a length is shared out: over sections, over chapters, and evenly where there is no plan.

`WritingPlan` + required length -> `WritingPlan` whose budgets add up. Knows no model.
"""

from __future__ import annotations

from typing import Literal

from longchain.document import ChapterPlan, SectionPlan, Unit, WritingPlan
from longchain.language import primary

MOST_SECTIONS = 40
"""More sections than this are planned in two steps: chapters first."""

SHORT, LONG = 200, 1000
"""The usual length of a section in words; twice as much in characters.

The bounds of AgentWrite's planner, arXiv 2408.07055, appendix on prompts.
"""

CHAPTER = 5000
"""The usual length of a chapter in words; twice as much in characters."""

MOST_CHAPTERS = 60

Level = Literal["section", "chapter"]
"""What a plan is made of at first."""

_EVEN = {
    "en": (
        "Part {number} of {count}: the beginning of: {instruction}",
        "Part {number} of {count}: what comes next in: {instruction}",
        "Part {number} of {count}: the end of: {instruction}",
    ),
    "ja": (
        "全{count}部の第{number}部。次の課題の導入：{instruction}",
        "全{count}部の第{number}部。次の課題の続き：{instruction}",
        "全{count}部の第{number}部。次の課題の結び：{instruction}",
    ),
    "zh": (
        "共{count}部分之第{number}部分，以下任务的开头：{instruction}",
        "共{count}部分之第{number}部分，以下任务的展开：{instruction}",
        "共{count}部分之第{number}部分，以下任务的结尾：{instruction}",
    ),
}

_EVEN_CHAPTER = {"en": "Chapter {number}", "ja": "第{number}章", "zh": "第{number}章"}


def level_of(required: int | None, unit: Unit) -> Level:
    """Return whether a document of that length is planned in chapters first."""
    factor = 1 if unit == "words" else 2
    usual = (SHORT + LONG) // 2 - 100  # what planners settle on, seen over LongWrite-Ruler
    return "chapter" if required and required > MOST_SECTIONS * usual * factor else "section"


def rescale(plan: WritingPlan, total: int) -> WritingPlan:
    """Return the plan with budgets that add up to `total`, in the proportions it has.

    Where a plan has chapters, their sections are rescaled to their chapter's new budget.
    """
    scaled = plan.model_copy(deep=True)
    if not scaled.chapters:
        _spread(scaled.sections, total)
        return scaled
    _spread(scaled.chapters, total)
    for chapter in scaled.chapters:
        if sections := scaled.of_chapter(chapter.heading):
            _spread(sections, chapter.length)
    return scaled


def _spread(parts: list[SectionPlan] | list[ChapterPlan], total: int) -> None:
    """Set the parts' lengths so that they add up, each at least 1 (largest remainder)."""
    whole = sum(part.length for part in parts)
    exact = [part.length * total / whole for part in parts]
    floors = [max(1, int(share)) for share in exact]
    left = total - sum(floors)
    order = sorted(range(len(parts)), key=lambda i: floors[i] - exact[i])
    for index in order[: max(left, 0)]:
        floors[index] += 1
    for index, length in enumerate(floors):
        parts[index].length = length


def even(
    instruction: str, *, required: int | None, unit: Unit, language: str, level: Level = "section"
) -> WritingPlan:
    """Return an even plan made without a model: the instruction in equal parts.

    What stands in when no plan could be read; the report says so.
    """
    factor = 1 if unit == "words" else 2
    total = required or 2000 * factor
    usual = (CHAPTER if level == "chapter" else 500) * factor
    count = max(2, round(total / usual)) if total >= 100 * factor else 1
    count = min(count, MOST_CHAPTERS if level == "chapter" else 10 * MOST_SECTIONS)
    parts = _EVEN[_own(language)]
    points = [_even_point(parts, number, count, instruction) for number in range(1, count + 1)]
    if level == "chapter":
        word = _EVEN_CHAPTER[_own(language)]
        chapters = [
            ChapterPlan(heading=word.format(number=number), main_point=point, length=1)
            for number, point in enumerate(points, 1)
        ]
        plan = WritingPlan(chapters=chapters, unit=unit, language=language)
    else:
        sections = [SectionPlan(main_point=point, length=1) for point in points]
        plan = WritingPlan(sections=sections, unit=unit, language=language)
    return rescale(plan, total)


def _even_point(parts: tuple[str, str, str], number: int, count: int, instruction: str) -> str:
    which = 0 if number == 1 else 2 if number == count else 1
    return parts[which].format(number=number, count=count, instruction=instruction[:500])


def _own(language: str) -> str:
    base = primary(language)
    return base if base in _EVEN else "en"
