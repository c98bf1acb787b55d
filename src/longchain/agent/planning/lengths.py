"""Divides a required length among the sections and chapters of a plan.

`WritingPlan` + required length -> `WritingPlan` whose lengths add up

Also makes the even plan that replaces one that could not be read. Does not know models.
"""

from __future__ import annotations

from typing import NamedTuple

from longchain.agent.prompts import Level, PlanningPrompts, prompts_for
from longchain.document import ChapterPlan, SectionPlan, Unit, WritingPlan

MAX_SECTIONS_WITHOUT_CHAPTERS = 40
"""Maximum number of sections that are planned at once; longer documents get chapters first."""

MIN_SECTION_LENGTH, MAX_SECTION_LENGTH = 200, 1000
"""Usual length of a section in words; twice as much in characters.

The bounds of AgentWrite's planner, arXiv 2408.07055, appendix on prompts.
"""

TYPICAL_SECTION_LENGTH = 500
"""Length of a section in words on which planners settle, measured on LongWrite-Ruler."""

MIN_MEAN_LENGTH = 40
"""Mean length below which a model's sections are merged, in words; twice that in characters.

Writers asked for less overshoot: 10 sections for a 100-word document came to 129 words, 60 to 774.
"""

MIN_DIVISIBLE_LENGTH = 100
"""Length in words below which a document is one section; twice as much in characters."""

CHAPTER_LENGTH = 5000
"""Usual length of a chapter in words; twice as much in characters."""

MAX_CHAPTERS = 60

MAX_EVEN_SECTIONS = 400
"""Maximum number of sections of an even plan."""

DEFAULT_LENGTH = 2000
"""Length in words of an even plan without a required length; twice as much in characters."""


class PartBounds(NamedTuple):
    """Number and length of the parts that a planner is asked for."""

    min_count: int
    max_count: int
    min_length: int
    max_length: int


def in_unit(words: int, unit: Unit) -> int:
    """Return a length in words in a document's unit: two characters for a word."""
    return words if unit == "words" else 2 * words


def choose_level(required: int | None, unit: Unit) -> Level:
    """Return whether a document of this length is planned in sections or in chapters first."""
    longest = in_unit(MAX_SECTIONS_WITHOUT_CHAPTERS * TYPICAL_SECTION_LENGTH, unit)
    return "chapter" if required and required > longest else "section"


def section_bounds(required: int, unit: Unit) -> PartBounds:
    """Return the sections to ask for: of 200 to 1,000 words, or less in a short document."""
    shortest = in_unit(MIN_SECTION_LENGTH, unit)
    longest = in_unit(MAX_SECTION_LENGTH, unit)
    min_count = max_count = 1
    if required >= in_unit(MIN_DIVISIBLE_LENGTH, unit):
        # Also a document no longer than one section is planned in two: each section is an
        # opportunity to measure the length, and to correct it.
        max_count = max(2, required // shortest)
        min_count = max(2, min(max_count, -(-required // longest)))
    return PartBounds(
        min_count,
        max_count,
        min_length=min(shortest, max(required // max_count, 1)),
        max_length=min(longest, required // min_count),
    )


def chapter_bounds(required: int, unit: Unit) -> PartBounds:
    """Return the chapters to ask for: of about 5,000 words, two more or fewer."""
    count = round(required / in_unit(CHAPTER_LENGTH, unit))
    count = min(max(count, 3), MAX_CHAPTERS)
    min_count, max_count = max(count - 2, 2), count + 2
    return PartBounds(
        min_count,
        max_count,
        min_length=max(required // (max_count * 2), 1),
        max_length=required // min_count,
    )


def rescale(plan: WritingPlan, total: int) -> WritingPlan:
    """Return the plan with lengths that add up to `total`, in the same proportions.

    If the plan has chapters, their sections are rescaled to the new length of their chapter.
    """
    scaled = plan.model_copy(deep=True)
    if not scaled.chapters:
        _share_out(scaled.sections, total)
        return scaled
    _share_out(scaled.chapters, total)
    for chapter in scaled.chapters:
        if sections := scaled.of_chapter(chapter.heading):
            _share_out(sections, chapter.length)
    return scaled


def _share_out(parts: list[SectionPlan] | list[ChapterPlan], total: int) -> None:
    """Set the parts' lengths so that they add up, each at least 1 (largest remainder)."""
    whole = sum(part.length for part in parts)
    exact = [part.length * total / whole for part in parts]
    lengths = [max(1, int(share)) for share in exact]
    remainder = max(total - sum(lengths), 0)
    by_remainder = sorted(range(len(parts)), key=lambda index: lengths[index] - exact[index])
    for index in by_remainder[:remainder]:
        lengths[index] += 1
    for index, length in enumerate(lengths):
        parts[index].length = length


def fit(plan: WritingPlan, required: int) -> WritingPlan:
    """Return a model's plan with sections long enough to write, adding up to `required`.

    Neighboring sections are merged while they are shorter than `MIN_MEAN_LENGTH` in the mean. In
    a plan with chapters, sections outside of them join the chapter before; sections that come
    after a chapter without any are dropped and planned when their chapter is reached. A user's
    plan is only rescaled: see `rescale`.
    """
    fitted = plan.model_copy(deep=True)
    min_length = in_unit(MIN_MEAN_LENGTH, fitted.unit)
    if fitted.chapters:
        fitted.sections = _fit_chapters(fitted, required, min_length)
    else:
        fitted.sections = _merge(fitted.sections, required // min_length)
    return rescale(fitted, required)


def _fit_chapters(plan: WritingPlan, required: int, min_length: int) -> list[SectionPlan]:
    """Return the merged sections of all chapters before the first one that has none."""
    whole = plan.length
    heading = plan.chapters[0].heading
    for section in plan.sections:
        section.chapter = section.chapter or heading
        heading = section.chapter
    fitted: list[SectionPlan] = []
    for chapter in plan.chapters:
        sections = plan.of_chapter(chapter.heading)
        if not sections:
            break
        fitted += _merge(sections, chapter.length * required // (whole * min_length))
    return fitted


def _merge(sections: list[SectionPlan], max_count: int) -> list[SectionPlan]:
    """Merge the shortest neighbors until at most `max_count` sections, or one, are left."""
    merged = list(sections)
    while len(merged) > max(max_count, 1):
        sums = [merged[at].length + merged[at + 1].length for at in range(len(merged) - 1)]
        shortest = sums.index(min(sums))
        merged[shortest : shortest + 2] = [_join(merged[shortest], merged[shortest + 1])]
    return merged


def _join(first: SectionPlan, second: SectionPlan) -> SectionPlan:
    points = first.main_point.rstrip(".。;； "), second.main_point or second.heading
    return SectionPlan(
        heading=first.heading,
        main_point="; ".join(filter(None, points)),
        length=first.length + second.length,
        chapter=first.chapter,
    )


def even_plan(
    instruction: str, *, required: int | None, unit: Unit, language: str, level: Level = "section"
) -> WritingPlan:
    """Return a plan of equal parts, made without a model: the instruction, divided.

    It replaces a plan that could not be read; the report says so.
    """
    total = required or in_unit(DEFAULT_LENGTH, unit)
    prompts = prompts_for(language).planning
    points = _even_points(instruction, _even_count(total, unit, level), prompts)
    plan = WritingPlan(unit=unit, language=language)
    if level == "chapter":
        headings = [prompts.even_chapter.format(number=n) for n in range(1, len(points) + 1)]
        plan.chapters = [
            ChapterPlan(heading=heading, main_point=point, length=1)
            for heading, point in zip(headings, points, strict=True)
        ]
    else:
        plan.sections = [SectionPlan(main_point=point, length=1) for point in points]
    return rescale(plan, total)


def _even_count(total: int, unit: Unit, level: Level) -> int:
    """Return the number of parts of an even plan."""
    if total < in_unit(MIN_DIVISIBLE_LENGTH, unit):
        return 1
    usual, maximum = TYPICAL_SECTION_LENGTH, MAX_EVEN_SECTIONS
    if level == "chapter":
        usual, maximum = CHAPTER_LENGTH, MAX_CHAPTERS
    return min(max(2, round(total / in_unit(usual, unit))), maximum)


def _even_points(instruction: str, count: int, prompts: PlanningPrompts) -> list[str]:
    """Return the main points of an even plan, the later ones with less of the instruction.

    A plan may have 400 of them.
    """
    first, middle, last = prompts.even_points
    templates = [first, *[middle] * (count - 2), last][:count]
    points = []
    for number, template in enumerate(templates, 1):
        excerpt = _shorten(instruction, 200 if number == 1 else 80)
        points.append(template.format(number=number, count=count, instruction=excerpt))
    return points


def _shorten(text: str, max_chars: int) -> str:
    """Return the beginning of a text, cut between words if it has any."""
    line = " ".join(text.split())
    if len(line) <= max_chars:
        return line
    cut = line[: max_chars - 1]
    head, _, partial_word = cut.rpartition(" ")
    if len(partial_word) < max_chars // 2:
        cut = head
    return cut.rstrip() + "…"
