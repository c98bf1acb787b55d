"""The planner: instruction -> `WritingPlan` (AgentWrite, step I).

`PlanVariables` -> `ChatPromptTemplate | model | WritingPlanParser` -> `WritingPlan`

It runs once for a document and, if that has chapters, once more for each chapter when it is
reached. Models that can are asked for JSON, others for the lines of the paper. Texts are in
`longchain.agent.prompts`.

Source of the method: arXiv 2408.07055, section 3. The prompts are our own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.prompt_values import PromptValue
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable, RunnableLambda
from typing_extensions import TypedDict

from longchain.agent.planning.lengths import (
    MAX_SECTION_LENGTH,
    MIN_SECTION_LENGTH,
    chapter_bounds,
    in_unit,
    section_bounds,
)
from longchain.agent.planning.parse import WritingPlanParser
from longchain.agent.planning.plan_view import describe_part, number_lines
from longchain.agent.prompts import Level, Prompts, prompts_for
from longchain.agent.prompts.custom import VariableRules
from longchain.document import ChapterPlan, Unit, WritingPlan


class PlanVariables(TypedDict):
    """Variables of a plan prompt."""

    instruction: str

    sources: str
    """Outline of the sources, with its tags; empty without sources."""

    style: str
    """Style that the user asked for, with its tags; empty without one."""

    language: str
    """Name of the document's language."""

    bounds: str
    """Number and length of the parts to plan."""

    format: str
    """Description of the answer's form."""

    total: str
    """Closing sentence with the required length."""


class ChapterVariables(TypedDict):
    """Additional variables of the prompt that plans one chapter."""

    chapters: str
    """All chapters, one in a line."""

    chapter: str
    """Heading and main point of the chapter to plan."""


PLAN_PROMPT_RULES = VariableRules(
    option="plan_prompt",
    allowed=frozenset(PlanVariables.__annotations__),
    required=(frozenset({"instruction", "format", "total"}),),
)
"""Variables of a plan prompt of the user's own."""


def plan_prompt(language: str | None = None, *, chapter: bool = False) -> ChatPromptTemplate:
    """Return the planner's prompt for a document, or for one chapter of it."""
    prompts = prompts_for(language).planning
    text = prompts.chapter_request if chapter else prompts.request
    return ChatPromptTemplate([("human", text)])


def prompt_variables(
    instruction: str,
    *,
    required: int | None,
    unit: Unit,
    language: str,
    level: Level = "section",
    sources: str = "",
    style: str = "",
) -> PlanVariables:
    """Return the variables of a plan prompt.

    Args:
        instruction: The user's instruction.
        required: Required length of what is planned; None leaves it to the planner.
        unit: Unit of all lengths.
        language: BCP 47 tag of the document's language.
        level: Whether to plan sections, or chapters first.
        sources: Outline of the sources.
        style: Style that the user asked for.
    """
    prompts = prompts_for(language)
    return {
        "instruction": instruction,
        "sources": f"\n<sources>\n{sources}\n</sources>\n" if sources else "",
        "style": f"\n<style>\n{style}\n</style>\n" if style else "",
        "language": prompts.language_name(language),
        "bounds": _describe_bounds(prompts, required, unit, level),
        "format": _describe_format(prompts, unit, level),
        "total": _describe_total(prompts, required, unit, level),
    }


def chapter_variables(chapters: Sequence[ChapterPlan], heading: str) -> ChapterVariables:
    """Return the variables that name the chapter to plan, and show it among the others."""
    chapter = next(chapter for chapter in chapters if chapter.heading == heading)
    return {
        "chapters": "\n".join(number_lines(chapters)),
        "chapter": describe_part(chapter),
    }


def _describe_bounds(prompts: Prompts, required: int | None, unit: Unit, level: Level) -> str:
    planning, names = prompts.planning, {"unit": prompts.unit_names[unit]}
    names["level"] = planning.levels[level]
    if required is None:
        return planning.free_bounds.format(
            min_length=in_unit(MIN_SECTION_LENGTH, unit),
            max_length=in_unit(MAX_SECTION_LENGTH, unit),
            **names,
        )
    if level == "chapter":
        bounds = chapter_bounds(required, unit)
    else:
        bounds = section_bounds(required, unit)
    return planning.bounds.format(**bounds._asdict(), **names)


def _describe_format(prompts: Prompts, unit: Unit, level: Level) -> str:
    planning = prompts.planning
    line = planning.line.format(unit=prompts.unit_names[unit])
    tag = "plan_format"
    if level == "chapter":
        line = line.replace(planning.section_label, planning.chapter_label)
        tag = "chapter_format"
    return planning.format.format(tag=tag, line=line, level=planning.levels[level])


def _describe_total(prompts: Prompts, required: int | None, unit: Unit, level: Level) -> str:
    planning = prompts.planning
    if not required:
        return planning.free_total
    return planning.total.format(
        total=required, unit=prompts.unit_names[unit], level=planning.levels[level]
    )


def repair_messages(
    request: Sequence[BaseMessage],
    reply: str,
    error: str,
    *,
    required: int | None,
    unit: Unit,
    language: str,
) -> list[BaseMessage]:
    """Return the request for a plan once more, after a reply that could not be read.

    Args:
        request: Messages of the first request.
        reply: The reply.
        error: The reason why it could not be read.
        required: Required length of what is planned; None leaves it to the planner.
        unit: Unit of the length.
        language: BCP 47 tag of the document's language.
    """
    prompts = prompts_for(language)
    total = ""
    if required:
        total = prompts.planning.closing_total.format(total=required, unit=prompts.unit_names[unit])
    order = prompts.planning.repair.format(error=error, total=total)
    return [*request, AIMessage(reply or "-"), HumanMessage(order)]


def build_planner(
    model: BaseChatModel,
    prompt: Runnable[Any, PromptValue],
    parser: WritingPlanParser,
    *,
    structured: bool = False,
) -> Runnable[Any, WritingPlan]:
    """Return the planner: `PlanVariables` -> `WritingPlan`.

    Args:
        model: The model that plans.
        prompt: A plan prompt, or any Runnable that turns its variables into messages.
        parser: Parser of the reply, in whichever form it is.
        structured: Whether to ask for JSON by the model's `json_schema` method.

    Raises:
        PlanError: (when run) No plan could be read from the reply.
    """
    if not structured:
        return prompt | model | parser
    schema = plan_schema(parser.level)
    json_model = model.with_structured_output(schema, method="json_schema", include_raw=True)
    return prompt | json_model | RunnableLambda(_raw_message) | parser


def _raw_message(output: Any) -> Any:
    return output["raw"]


def plan_schema(level: Level = "section") -> dict[str, Any]:
    """Return the JSON schema of a plan in sections or chapters, for structured output."""
    parts = f"{level}s"
    part = {
        "type": "object",
        "properties": {
            "heading": {"type": "string"},
            "main_point": {"type": "string"},
            "length": {"type": "integer"},
        },
        "required": ["heading", "main_point", "length"],
        "additionalProperties": False,
    }
    return {
        "title": "WritingPlan",
        "description": "The plan of a long document.",
        "type": "object",
        "properties": {"title": {"type": "string"}, parts: {"type": "array", "items": part}},
        "required": ["title", parts],
        "additionalProperties": False,
    }
