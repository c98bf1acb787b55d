"""The plan as prompts show it: whole, by its headings, or an excerpt.

`WritingPlan` -> numbered lines that fit into the plan's share of the context window
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from longchain.document import ChapterPlan, SectionPlan, WritingPlan

MAX_LINE_CHARS = 200
"""Maximum characters of one line of an excerpt."""


def describe_part(part: SectionPlan | ChapterPlan) -> str:
    """Return the heading and main point of a section or chapter in one line."""
    return f"{part.heading}: {part.main_point}" if part.heading else part.main_point


def number_lines(parts: Sequence[SectionPlan | ChapterPlan]) -> list[str]:
    """Return the sections or chapters of a plan as numbered lines."""
    return [f"{number}. {describe_part(part)}" for number, part in enumerate(parts, 1)]


def view_plan(
    plan: WritingPlan, first_shown: int, *, max_tokens: int, count: Callable[[str], int]
) -> str:
    """Return the plan for the prompt of a section: its chapters, or else its sections.

    An excerpt lies around the first section whose text is shown, not around the current one: so
    it stays the same until more text is summarized, and prefix caches hold.

    Args:
        plan: The plan.
        first_shown: Index of the first section whose text the prompt shows.
        max_tokens: Maximum tokens of the plan.
        count: Counts the tokens of a text.
    """
    parts: Sequence[SectionPlan | ChapterPlan] = plan.chapters or plan.sections
    whole = "\n".join(number_lines(parts))
    if count(whole) <= max_tokens:
        return whole
    lines = [f"{n}. {part.heading or part.main_point[:80]}" for n, part in enumerate(parts, 1)]
    headings = "\n".join(lines)
    if count(headings) <= max_tokens:
        return headings
    excerpt = _lines_around(lines, _part_index(plan, first_shown), max_tokens, count)
    return "\n".join(["…", *excerpt, "…"])


def _part_index(plan: WritingPlan, section: int) -> int:
    """Return the index of a section's chapter; without chapters, of the section itself."""
    if not plan.chapters:
        return section
    headings = [chapter.heading for chapter in plan.chapters]
    return headings.index(plan.sections[section].chapter)


def _lines_around(
    lines: list[str], anchor: int, max_tokens: int, count: Callable[[str], int]
) -> list[str]:
    """Return as many lines around the anchor as fit, two after it for each one before it.

    What comes next matters more to the writer than what is written.
    """
    lines = [line[:MAX_LINE_CHARS] for line in lines]
    first = last = anchor
    room = max_tokens - count(lines[anchor])
    while room > 0 and last - first + 1 < len(lines):
        before, after = anchor - first, last - anchor
        at_end = last + 1 == len(lines)
        if first == 0 or (not at_end and after < 2 * before + 2):
            last += 1
            added = lines[last]
        else:
            first -= 1
            added = lines[first]
        room -= count(added) + 1
    return lines[first : last + 1]
