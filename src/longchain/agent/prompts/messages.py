"""Messages of each request, as a run sends them: for training data and documentation.

instruction, plan or log of a run -> `list[BaseMessage]`

`examples/tiny_longwriter` makes its training data of them, `python -m longchain.agent.prompts` the
page that shows all prompts.
"""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.messages import BaseMessage

from longchain.agent.events import Mode, ReplyProblem, RequestKind
from longchain.agent.log import Record
from longchain.agent.planning.lengths import choose_level
from longchain.agent.planning.planner import (
    chapter_variables,
    plan_prompt,
    prompt_variables,
    repair_messages,
)
from longchain.agent.prompts import prompts_for
from longchain.agent.state import DocumentState
from longchain.agent.writing.memory import Limits, summary_prompt
from longchain.agent.writing.requests import SectionRequest
from longchain.agent.writing.section_prompt import Layout, PromptBuilder, write_prompt
from longchain.document import Unit, WritingPlan

__all__ = [
    "Layout",
    "Mode",
    "ReplyProblem",
    "RequestKind",
    "chapter_messages",
    "plan_messages",
    "repair_messages",
    "section_messages",
    "summary_messages",
]

_MAX_TOKENS = 10**9

UNLIMITED = Limits("full", None, _MAX_TOKENS, _MAX_TOKENS, _MAX_TOKENS, len)
"""Limits of a model with a window for any prompt."""


def plan_messages(
    instruction: str,
    *,
    required: int | None,
    unit: Unit = "words",
    language: str = "en",
    sources: str = "",
    style: str = "",
) -> list[BaseMessage]:
    """Return the request for a plan: in sections, or in chapters for a long document.

    Args:
        instruction: The user's instruction.
        required: Required length in the unit; None leaves it to the planner.
        unit: Unit of all lengths.
        language: BCP 47 tag of the document's language.
        sources: Outline of the sources.
        style: Style that the user asked for.
    """
    variables = prompt_variables(
        instruction,
        required=required,
        unit=unit,
        language=language,
        level=choose_level(required, unit),
        sources=sources,
        style=style,
    )
    return plan_prompt(language).format_messages(**variables)


def chapter_messages(
    instruction: str, plan: WritingPlan, heading: str, *, language: str = "en"
) -> list[BaseMessage]:
    """Return the request for the sections of one chapter.

    Args:
        instruction: The user's instruction.
        plan: The plan with its chapters.
        heading: Heading of the chapter.
        language: BCP 47 tag of the document's language.
    """
    lengths = {chapter.heading: chapter.length for chapter in plan.chapters}
    variables = prompt_variables(
        instruction, required=lengths[heading], unit=plan.unit, language=language
    )
    chapters = chapter_variables(plan.chapters, heading)
    return plan_prompt(language, chapter=True).format_messages(**variables, **chapters)


def section_messages(
    log: Sequence[Record],
    index: int,
    kind: RequestKind,
    length: int,
    *,
    layout: Layout = "conversation",
    mode: Mode = "sequential",
    problem: ReplyProblem | None = None,
) -> list[BaseMessage]:
    """Return the request for the next piece of prose, with all prior text.

    Args:
        log: Events of the run so far; the first is the request.
        index: Index of the section.
        kind: Whether to write, extend or revise it.
        length: Length to ask for, in the document's unit; 0 leaves it to the model.
        layout: Form in which prompts show the prior text.
        mode: Order in which sections are written.
        problem: Problem of the last reply, if it could not be used.
    """
    state = DocumentState(log, mode=mode)
    builder = PromptBuilder(state, layout, UNLIMITED, grounded=bool(state.references))
    variables = builder.variables(SectionRequest(index, kind, length, problem))
    return write_prompt(layout).format_messages(**variables)


def summary_messages(
    instruction: str, text: str, *, summary: str = "", language: str = "en"
) -> list[BaseMessage]:
    """Return the request to update the running summary.

    Args:
        instruction: The user's instruction.
        text: Text to summarize, with its headings.
        summary: The summary so far.
        language: BCP 47 tag of the document's language.
    """
    return summary_prompt(language).format_messages(
        instruction=instruction,
        text=text,
        summary=summary,
        language=prompts_for(language).language_name(language),
    )
