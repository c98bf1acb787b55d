"""How a length is shared out: over sections, over chapters, and evenly where there is no plan.

`WritingPlan` + required length -> `WritingPlan` whose budgets add up. Knows no model.
"""

from __future__ import annotations

from itertools import takewhile
from typing import Literal

from longchain.document import ChapterPlan, SectionPlan, Unit, WritingPlan
from longchain.language import primary

MOST_SECTIONS = 40
"""More sections than this are planned in two steps: chapters first."""

SHORT, LONG = 200, 1000
"""The usual length of a section in words; twice as much in characters.

The bounds of AgentWrite's planner, arXiv 2408.07055, appendix on prompts.
"""

LEAST = 40
"""The mean length below which a model's sections are merged, in words; twice that in characters.

Writers told to keep to less overshoot: 10 sections for a 100-word document came to 129 words, 60
to 774.
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


def fit(plan: WritingPlan, required: int) -> WritingPlan:
    """Return a model's plan as it can be followed: in bounds, and adding up to `required`.

    Neighboring sections are merged while they are shorter than `LEAST` in the mean. Where there
    are chapters, sections outside them join the one before; sections that come after a chapter
    without any are dropped, to be planned when their chapter is reached. What a person planned is
    only rescaled: see `rescale`.
    """
    fitted = plan.model_copy(deep=True)
    least = LEAST * (1 if fitted.unit == "words" else 2)
    if not fitted.chapters:
        fitted.sections = _merged(fitted.sections, required // least)
        return rescale(fitted, required)
    whole = fitted.length
    chapter = fitted.chapters[0].heading
    for section in fitted.sections:
        chapter = section.chapter = section.chapter or chapter
    begun = takewhile(lambda part: fitted.of_chapter(part.heading), fitted.chapters)
    fitted.sections = [
        section
        for part in begun
        for section in _merged(
            fitted.of_chapter(part.heading), part.length * required // (whole * least)
        )
    ]
    return rescale(fitted, required)


def _merged(sections: list[SectionPlan], most: int) -> list[SectionPlan]:
    """Return at most so many sections, at least one: the shortest neighbors become one."""
    merged = list(sections)
    while len(merged) > max(most, 1):
        pairs = [merged[at].length + merged[at + 1].length for at in range(len(merged) - 1)]
        at = pairs.index(min(pairs))
        merged[at : at + 2] = [_joined(merged[at], merged[at + 1])]
    return merged


def _joined(first: SectionPlan, second: SectionPlan) -> SectionPlan:
    points = first.main_point.rstrip(".。;； "), second.main_point or second.heading
    return SectionPlan(
        heading=first.heading,
        main_point="; ".join(filter(None, points)),
        length=first.length + second.length,
        chapter=first.chapter,
    )


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
    """Say which part of the instruction this is; later ones, of up to 400, say it shorter."""
    which = 0 if number == 1 else 2 if number == count else 1
    shown = _shortened(instruction, 200 if number == 1 else 80)
    return parts[which].format(number=number, count=count, instruction=shown)


def _shortened(text: str, most: int) -> str:
    """Return a text of at most so many characters, cut between words where there are any."""
    line = " ".join(text.split())
    if len(line) <= most:
        return line
    head, _, rest = line[: most - 1].rpartition(" ")
    return (head if len(rest) < most // 2 else line[: most - 1]).rstrip() + "…"


def _own(language: str) -> str:
    base = primary(language)
    return base if base in _EVEN else "en"
