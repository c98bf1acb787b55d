"""Next request for a plan, and the events of plans by the planner and by the user.

`DocumentState` -> `PlanRequest` and its prompt variables; `WritingPlan` -> `Planned` or
`ChapterPlanned`

Does not know models.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from longchain.agent.events import ChapterPlanned, Mode, Planned, Request
from longchain.agent.log import read_event, to_record
from longchain.agent.planning import lengths, planner
from longchain.agent.prompts import Level
from longchain.agent.request import start_log
from longchain.agent.state import DocumentState
from longchain.document import Usage, WritingPlan


@dataclass(frozen=True)
class PlanRequest:
    """A request for the whole plan, or for the sections of one chapter."""

    chapter: str | None
    """Heading of the chapter; None for the whole plan."""

    level: Level

    required: int | None
    """Required length of what is planned; None leaves it to the planner."""


def next_plan_request(state: DocumentState) -> PlanRequest:
    """Return the next request for a plan."""
    chapter = state.chapter_reached()
    if chapter is not None:
        return PlanRequest(chapter, "section", _remaining_length(state, chapter))
    required = state.request.required
    return PlanRequest(None, lengths.choose_level(required, state.unit), required)


def _remaining_length(state: DocumentState, chapter: str) -> int:
    """Return the length that remains for a chapter whose sections are about to be planned."""
    planned = {waiting.heading: waiting.length for waiting in state.unplanned_chapters()}
    return state.controller.remaining(planned[chapter], sum(planned.values()))


def plan_variables(state: DocumentState, request: PlanRequest) -> dict[str, Any]:
    """Return the variables of the plan prompt."""
    variables: dict[str, Any] = {}
    variables |= planner.prompt_variables(
        state.request.instruction,
        required=request.required,
        unit=state.unit,
        language=state.language,
        level=request.level,
        sources=state.outline,
        style=state.request.style,
    )
    if request.chapter is not None:
        variables |= planner.chapter_variables(state.current_plan.chapters, request.chapter)
    return variables


def even_plan(state: DocumentState, request: PlanRequest) -> WritingPlan:
    """Return a plan of equal parts, for a planner whose replies cannot be read."""
    return lengths.even_plan(
        state.request.instruction,
        required=request.required,
        unit=state.unit,
        language=state.language,
        level=request.level,
    )


def plan_event(
    request: PlanRequest, plan: WritingPlan, notes: list[str], usage: Usage
) -> Planned | ChapterPlanned:
    """Return the event of a plan, fitted to the required length."""
    if request.chapter is not None:
        plan = plan.model_copy(update={"chapters": []})
    plan = lengths.fit(plan, request.required or plan.length)
    if request.chapter is not None:
        sections = [
            section.model_copy(update={"chapter": request.chapter}) for section in plan.sections
        ]
        return ChapterPlanned(sections=sections, note="; ".join(notes), usage=usage)
    if not request.required:
        notes = [*notes, f"length chosen by the planner: {plan.length:,} {plan.unit}"]
    return Planned(plan=plan, origin="planner", note="; ".join(notes), usage=usage)


def read_edited_plan(
    state: DocumentState, plan: Any, mode: Mode, *, note: str, local_sources: bool = True
) -> Planned:
    """Return the event of a plan by the user, which decides on length, unit and language, too.

    Raises:
        InputError: The plan cannot be used.
    """
    same_request = to_record(state.request)
    changed = {"length": None, "unit": None, "language": None, "plan": plan}
    records = start_log({**same_request, **changed}, mode=mode, local_sources=local_sources)
    request, planned = map(read_event, records)
    assert isinstance(request, Request)
    assert isinstance(planned, Planned)
    return replace(planned, origin="edited", note=note, required=request.required)
