"""The plan as the prompt of a section shows it: whole, by its headings, or an excerpt.

`DocumentState` + `Limits` -> numbered lines that fit into the plan's share of the window
"""

from __future__ import annotations

from collections.abc import Sequence

from longchain.agent.planning.planner import number_lines
from longchain.agent.state import DocumentState
from longchain.agent.writing.memory import Limits
from longchain.document import ChapterPlan, SectionPlan

MAX_LINE_CHARS = 200
"""Maximum characters of one line of an excerpt."""


def view_plan(state: DocumentState, index: int, limits: Limits) -> str:
    """Return the plan for the prompt of a section: its chapters, or else its sections.

    Args:
        state: The document.
        index: Index of the section.
        limits: Shares of the context window.
    """
    plan = state.current_plan
    parts: Sequence[SectionPlan | ChapterPlan] = plan.chapters or plan.sections
    whole = "\n".join(number_lines(parts))
    if limits.count(whole) <= limits.plan:
        return whole
    lines = [f"{n}. {part.heading or part.main_point[:80]}" for n, part in enumerate(parts, 1)]
    headings = "\n".join(lines)
    if limits.count(headings) <= limits.plan:
        return headings
    excerpt = _lines_around(lines, _excerpt_anchor(state, index), limits)
    return "\n".join(["…", *excerpt, "…"])


def _excerpt_anchor(state: DocumentState, index: int) -> int:
    """Return the index of the first part whose text is shown.

    Not that of the current one: so the excerpt stays the same until more text is summarized, and
    prefix caches hold.
    """
    first_shown = state.summarized if state.mode == "sequential" else index
    chapters = state.current_plan.chapters
    if not chapters:
        return first_shown
    headings = [chapter.heading for chapter in chapters]
    return headings.index(state.sections[first_shown].plan.chapter)


def _lines_around(lines: list[str], anchor: int, limits: Limits) -> list[str]:
    """Return as many lines around the anchor as fit, two after it for each one before it.

    What comes next matters more to the writer than what is written.
    """
    lines = [line[:MAX_LINE_CHARS] for line in lines]
    first = last = anchor
    room = limits.plan - limits.count(lines[anchor])
    while room > 0 and last - first + 1 < len(lines):
        before, after = anchor - first, last - anchor
        at_end = last + 1 == len(lines)
        if first == 0 or (not at_end and after < 2 * before + 2):
            last += 1
            added = lines[last]
        else:
            first -= 1
            added = lines[first]
        room -= limits.count(added) + 1
    return lines[first : last + 1]
