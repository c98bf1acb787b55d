"""State of a document, computed by replaying its log.

records of the log -> `DocumentState`: plan, sections, references, summaries, usage

Texts, lengths, the controller's knowledge and the memory of earlier sections all follow from the
log alone; nothing else is state. Does not know prompts or models.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import Any

from longchain.agent.events import (
    Amended,
    ChapterPlanned,
    Event,
    Mode,
    PlanFailed,
    Planned,
    PlanOrigin,
    PlanReviewed,
    Reopened,
    Replaced,
    ReplyStored,
    Request,
    Retrieved,
    Revised,
    Summarized,
    Surveyed,
)
from longchain.agent.log import Record, read_event
from longchain.agent.section import SectionState, Turn
from longchain.calls.budget import Spending
from longchain.document import ChapterPlan, Reference, SectionPlan, Unit, Usage, WritingPlan
from longchain.length import LengthController, count_length
from longchain.length.control import MAX_CALLS
from longchain.prose.repetition import RepeatIndex

DIRECT_CALLS = 400
"""Requests that a direct pass may take: its one section is the whole document."""


class DocumentState:
    """State of a document, computed from its log and updated by `add`.

    Args:
        log: All records so far; the first is the request.
        closed: Whether the length is controlled in a closed loop.
        mode: Writing mode.
    """

    def __init__(self, log: Sequence[Record], *, closed: bool = True, mode: Mode = "sequential"):
        self.request = _read_request(log[0])
        self.mode = mode
        self.closed = closed
        self.plan: WritingPlan | None = None
        self.unit: Unit = self.request.unit
        """Unit of every length of this document."""
        self.language = self.request.language
        """Language of the document."""
        self.plan_origin: PlanOrigin | None = None
        """Origin of the first plan; None before there is one."""
        self.plan_notes: list[str] = []
        self.failures: list[tuple[str, str]] = []
        """Unreadable replies to the pending plan request, with the errors."""
        self.sections: list[SectionState] = []
        self.references: list[Reference] = []
        self.surveyed = False
        self.outline = ""
        self.reviewed = False
        self.retriever: Any = None
        """Retriever over the request's own material, made once per state."""
        self.repeat_index = RepeatIndex()
        """Index of the sections' n-grams, to find replies that repeat a section."""
        self.errors: list[Exception] = []
        """Errors of sections that are written in parallel, until all of them are back."""
        self.summaries: list[Summarized] = []
        """Running summaries; each covers more sections than the one before."""
        self.summary = ""
        """The last running summary; empty for none."""
        self.summarized = 0
        """Number of leading sections that the running summary covers."""
        self.usage = Usage()
        self._controller: LengthController | None = None
        self.seen = 1
        """Number of records read."""
        self.latest = log[0]
        """The last record read."""
        self.add(log[1:])
        self.spending = Spending(self.usage)
        """Usage so far and of calls in flight, which the log does not have yet."""

    def add(self, records: Sequence[Record]) -> None:
        """Apply the next records of the log."""
        for record in records:
            event = read_event(record)
            _APPLY[type(event)](self, event)
            if event.usage is not None:
                self.usage = self.usage + event.usage
            self.seen += 1
            self.latest = record

    # Events --------------------------------------------------------------------------------

    def _apply_survey(self, event: Surveyed) -> None:
        self.surveyed = True
        self.outline = event.outline

    def _apply_review(self, event: PlanReviewed) -> None:
        self.reviewed = True

    def _apply_plan_failure(self, event: PlanFailed) -> None:
        self.failures.append((event.reply, event.error))

    def _apply_plan(self, event: Planned) -> None:
        self._note_plan(event.note)
        self.plan_origin = self.plan_origin or event.origin
        if event.origin == "edited":
            self.request = replace(self.request, required=event.required)
        unit = self.unit
        self.plan = event.plan
        self._update_unit_and_language()
        self.sections = self._sections_of(event, recount=self.unit != unit)
        self._renew_controller()

    def _update_unit_and_language(self) -> None:
        """Take unit and language from the plan, if it names them, else from the request."""
        plan, request = self.plan, self.request
        self.unit = plan.unit if plan is not None else request.unit
        self.language = (plan.language if plan is not None else None) or request.language

    def _apply_chapter_plan(self, event: ChapterPlanned) -> None:
        self._note_plan(event.note)
        self.current_plan.sections.extend(event.sections)
        self.sections.extend(map(self._new_section, event.sections))
        self._renew_controller()

    def _note_plan(self, note: str) -> None:
        self.failures = []
        if note:
            self.plan_notes.append(note)

    def _sections_of(self, event: Planned, *, recount: bool) -> list[SectionState]:
        """Return the sections of a new plan, with the texts that it keeps."""
        sections = []
        unchanged = 0
        for index, plan in enumerate(event.plan.sections):
            old_index = event.kept_sections[index] if event.kept_sections else None
            if old_index is None:
                sections.append(self._new_section(plan))
                continue
            if unchanged == index == old_index:
                unchanged = index + 1
            old = self.sections[old_index]
            section = replace(old, plan=plan, message_cache=[])
            section.heading_length = self.count(self.heading(section))
            if recount:
                section.length = section.heading_length + self.count(section.text)
            elif section.text:
                section.length += section.heading_length - self.count(self.heading(old))
            sections.append(section)
        # A summary is valid as long as the leading texts that it sums up are the same.
        self._drop_summaries(unchanged)
        return sections

    def _new_section(self, plan: SectionPlan) -> SectionState:
        section = SectionState(plan=plan)
        section.heading_length = self.count(self.heading(section))
        return section

    def _drop_summaries(self, section: int) -> None:
        """Drop the summaries that cover a section or one after it."""
        self.summaries = [summary for summary in self.summaries if summary.end <= section]
        self._show_last_summary()

    def _show_last_summary(self) -> None:
        self.summary = self.summaries[-1].text if self.summaries else ""
        self.summarized = self.summaries[-1].end if self.summaries else 0

    def _renew_controller(self) -> None:
        """Make the controller for the present plan; what it has learned stays."""
        controller = self._new_controller()
        if self._controller is not None:
            controller.bias = self._controller.bias
        for index, section in enumerate(self.sections):
            if section.done:
                controller.finish(index, section.length)
            elif section.revision:
                controller.fixed[index] = section.revision.length
        self._controller = controller

    def _new_controller(self) -> LengthController:
        plan, required = self.current_plan, self.request.required
        direct = self.mode == "direct"
        return LengthController(
            [section.length for section in plan.sections],
            required,
            overhead=self.overhead(),
            reserve=sum(chapter.length for chapter in self.unplanned_chapters()),
            unit=self.unit,
            closed=required is not None if direct else self.closed,
            cautious=not direct,
            together=self.mode != "parallel",
            max_calls=DIRECT_CALLS if direct else MAX_CALLS,
        )

    def _apply_retrieval(self, event: Retrieved) -> None:
        self.references.extend(event.new_references)
        section = self.sections[event.section]
        section.references = event.references
        section.retrieved = True

    def _apply_reply(self, event: ReplyStored) -> None:
        section, controller = self.sections[event.section], self.controller
        if not section.calls:
            section.target_length = controller.target(event.section)
        if event.reply_length:
            controller.bias.learn(event.requested, event.reply_length)
        section.store_reply(event)
        if section.done:
            controller.finish(event.section, section.length)

    def _apply_summary(self, event: Summarized) -> None:
        self.summaries.append(event)
        self._show_last_summary()

    # Edits by the user ---------------------------------------------------------------------

    def _apply_amendment(self, event: Amended) -> None:
        self.request = replace(self.request, **event.changes)
        self._update_unit_and_language()
        for section in self.sections:
            section.heading_length = self.count(self.heading(section))
        if self.plan is not None:
            self._renew_controller()

    def _apply_reopening(self, event: Reopened) -> None:
        for index in event.sections:
            self.sections[index] = self.sections[index].reset()
        self._drop_summaries(min(event.sections))
        self._renew_controller()

    def _apply_revision(self, event: Revised) -> None:
        self.sections[event.section] = self.sections[event.section].published.revised(event)
        self.request = replace(self.request, required=event.required)
        self._drop_summaries(event.section)
        self._renew_controller()

    def _apply_replacement(self, event: Replaced) -> None:
        old = self.sections[event.section]
        self.sections[event.section] = old.reset(
            text=event.text,
            length=event.length,
            target_length=old.target_length or old.plan.length,
            turns=[Turn("write", event.length, event.text)],
            notes=["written by hand"],
            done=True,
        )
        self._drop_summaries(event.section)
        self._renew_controller()

    # Queries -------------------------------------------------------------------------------

    @property
    def current_plan(self) -> WritingPlan:
        """The plan, where there must be one.

        Raises:
            RuntimeError: Nothing is planned yet.
        """
        if self.plan is None:
            raise RuntimeError("nothing is planned yet")
        return self.plan

    @property
    def controller(self) -> LengthController:
        """The length controller of the plan.

        Raises:
            RuntimeError: Nothing is planned yet.
        """
        if self._controller is None:
            raise RuntimeError("nothing is planned yet")
        return self._controller

    @property
    def required(self) -> int | None:
        """Required length: as requested, or else the sum of the plan.

        None for a direct pass without a requested length.
        """
        if self.mode == "direct":
            return self.request.required
        return self.controller.required

    def count(self, text: str) -> int:
        """Return the length of a text in this document's unit."""
        return count_length(text, self.unit, self.language)

    def heading(self, section: SectionState) -> str:
        """Return the heading to show for a section: empty if it repeats the chapter's."""
        if section.plan.heading == section.plan.chapter:
            return ""
        return section.plan.heading

    def overhead(self) -> int:
        """Return the length of the title and of the chapters' headings."""
        plan = self.current_plan
        chapters = sum(self.count(chapter.heading) for chapter in plan.chapters)
        return self.count(plan.title) + chapters

    def unplanned_chapters(self) -> list[ChapterPlan]:
        """Return the chapters whose sections are not planned yet."""
        plan = self.current_plan
        planned = {section.chapter for section in plan.sections}
        return [chapter for chapter in plan.chapters if chapter.heading not in planned]

    def chapter_reached(self) -> str | None:
        """Return the heading of the chapter whose sections must be planned next, if any.

        A chapter is reached when every section planned so far is done; in `parallel` mode, at
        once.
        """
        if self.plan is None:
            return None
        chapters = self.unplanned_chapters()
        if not chapters:
            return None
        if self.mode == "parallel" or self.current() is None:
            return chapters[0].heading
        return None

    def current_number(self) -> int:
        """Return the number of the current section, from 1."""
        return (self.current() or 0) + 1

    def current(self) -> int | None:
        """Return the index of the first section that is not done, or None."""
        for index, section in enumerate(self.sections):
            if not section.done:
                return index
        return None

    def finished(self) -> bool:
        """Whether nothing remains to be written."""
        return self.plan is not None and self.current() is None and self.chapter_reached() is None

    def published_sections(self) -> list[SectionState]:
        """Return the leading sections that readers may see."""
        published = (section.published for section in self.sections)
        return list(takewhile(lambda section: section.done, published))


def _read_request(record: Record) -> Request:
    """Return the request, the first event of every log."""
    event = read_event(record)
    if not isinstance(event, Request):
        raise TypeError(f"a log begins with a request, not with {record['type']!r}")
    return event


_APPLY: dict[type[Event], Callable[[DocumentState, Any], None]] = {
    Surveyed: DocumentState._apply_survey,
    PlanReviewed: DocumentState._apply_review,
    PlanFailed: DocumentState._apply_plan_failure,
    Planned: DocumentState._apply_plan,
    ChapterPlanned: DocumentState._apply_chapter_plan,
    Retrieved: DocumentState._apply_retrieval,
    ReplyStored: DocumentState._apply_reply,
    Summarized: DocumentState._apply_summary,
    Amended: DocumentState._apply_amendment,
    Reopened: DocumentState._apply_reopening,
    Revised: DocumentState._apply_revision,
    Replaced: DocumentState._apply_replacement,
}
"""The method that applies each kind of event."""
