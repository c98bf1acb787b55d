"""The log of a document being written -> where it stands.

`list[Event]` -> `DocumentState`

Where the document stands (texts, lengths, what the controller has learnt, which memory may be
dropped) is computed from the log alone, by replaying it; nothing else is state.

Knows nothing of prompts or models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Any

from longchain.agent.events import (
    Amended,
    Mode,
    Planned,
    Referred,
    Reopened,
    Replaced,
    Request,
    ReviewedPlan,
    Revised,
    Summarized,
    Surveyed,
    Written,
)
from longchain.calls.budget import Spending
from longchain.document import SectionPlan, Unit, Usage, WritingPlan
from longchain.length import LengthController, count_length
from longchain.prose.repeats import RepeatIndex


@dataclass
class Turn:
    """One request for prose and what stands of its answer, as later prompts show them."""

    kind: str
    asked: int
    text: str
    lead: str = ""


@dataclass
class Revision:
    """A change to a finished section that a person asked for."""

    note: str
    """What to change, in the person's words."""
    length: int
    """What the section should come to, heading included."""
    before: SectionState
    """The section as it stands until the new text does."""


@dataclass
class SectionState:
    """One section while it is written."""

    plan: SectionPlan
    text: str = ""
    length: int = 0
    """Heading included."""
    budget: int = 0
    calls: int = 0
    discarded_calls: int = 0
    """Calls for texts of it that no longer stand."""
    discarded_length: int = 0
    retries: int = 0
    """Replies in a row that could not be used."""
    turns: list[Turn] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    references: list[int] = field(default_factory=list)
    retrieved: bool = False
    next: dict[str, Any] = field(default_factory=dict)
    done: bool = False
    message_cache: list[Any] = field(default_factory=list)
    """Its turns as messages, once it is done: later prompts show them again and again."""
    revision: Revision | None = None
    """What is being changed; None unless a revision is under way."""

    @property
    def published(self) -> SectionState:
        """The section as a reader may see it: as before a revision, until that is done."""
        return self.revision.before if self.revision else self

    def reset(self, **changes: Any) -> SectionState:
        """Return the section as if nothing of it were written; what was looked up for it stays."""
        return SectionState(
            plan=self.plan,
            discarded_calls=self.discarded_calls + self.calls,
            discarded_length=self.discarded_length,
            references=self.references,
            retrieved=self.retrieved,
            **changes,
        )


class DocumentState:
    """Where a document stands, computed from its log and brought up to date by `add`.

    Args:
        log: All events so far; the first is the request.
        closed: Whether the length is controlled in a closed loop.
        mode: How sections are written.
    """

    def __init__(self, log: Sequence[Any], *, closed: bool = True, mode: Mode = "sequential"):
        self.request: Request = log[0]
        self.mode = mode
        self.closed = closed
        self.plan: WritingPlan | None = None
        self.plan_notes: list[str] = []
        self.failures: list[tuple[str, str]] = []
        """Replies to the pending plan request that could not be read, with the errors."""
        self.sections: list[SectionState] = []
        self.references: list[dict[str, Any]] = []
        self.surveyed = False
        self.outline = ""
        self.reviewed = False
        self.retriever: Any = None
        """Finds the references of this request; made once for each reading of the log."""
        self.repeat_index = RepeatIndex()
        """N-grams of the sections, to find a reply that repeats one."""
        self.errors: list[Exception] = []
        """What sections met that are written side by side, until all of them are back."""
        self.summaries: list[Summarized] = []
        """The running summaries, each of which reaches further than the one before."""
        self.usage = Usage()
        self.controller: LengthController | None = None
        self.seen = 1
        """How many events of the log are taken in."""
        self.latest: Any = log[0]
        self.add(log[1:])
        self.spending = Spending(self.usage)
        """What is spent, calls in flight included: ahead of the log."""

    def add(self, events: Sequence[Any]) -> None:
        """Take in what happened next."""
        for event in events:
            getattr(self, f"_{event['type']}")(event)
            if "usage" in event:
                self.usage = self.usage + Usage(**event["usage"])
            self.seen, self.latest = self.seen + 1, event

    # What happened -------------------------------------------------------------------------

    def _survey(self, event: Surveyed) -> None:
        self.surveyed, self.outline = True, event["outline"]

    def _review(self, event: ReviewedPlan) -> None:
        self.reviewed = True

    def _plan(self, event: Planned) -> None:
        if "failed" in event:
            self.failures.append((event["failed"], event["error"]))
            return
        self.failures = []
        if note := event.get("note"):
            self.plan_notes.append(note)
        if "required" in event:
            self.request = {**self.request, "required": event["required"]}
        if "plan" in event:
            before = self.unit
            self.plan = WritingPlan.model_validate(event["plan"])
            recount = self.unit != before
            self.sections = self._carried(self.plan, event.get("kept"), recount)
        else:
            assert self.plan is not None
            new = [SectionPlan.model_validate(section) for section in event["sections"]]
            self.plan.sections.extend(new)
            self.sections.extend(SectionState(plan=section) for section in new)
        self._control()

    def _carried(
        self, plan: WritingPlan, kept: list[int | None] | None, recount: bool
    ) -> list[SectionState]:
        """Return the drafts of a new plan, with the texts that it keeps."""
        before, sections = self.sections, []
        # A summary holds as far as the texts that it sums up are the same.
        same = 0
        for index, section in enumerate(plan.sections):
            old = kept[index] if kept else None
            if old is None:
                sections.append(SectionState(plan=section))
                continue
            same = index + 1 if same == index == old else same
            draft = replace(before[old], plan=section, message_cache=[])
            moved = self.count(self.heading(draft)) - self.count(self.heading(before[old]))
            if recount:
                draft.length = self.count(self.heading(draft)) + self.count(draft.text)
            elif draft.text:
                draft.length += moved
            sections.append(draft)
        self._forget(same)
        return sections

    def _forget(self, section: int) -> None:
        """Drop the summaries that speak of a section or of one after it."""
        self.summaries = [summary for summary in self.summaries if summary["upto"] <= section]

    def _control(self) -> None:
        """Make the controller anew for a plan that has grown, with all it has learnt."""
        assert self.plan is not None
        before = self.controller
        planned = {section.chapter for section in self.plan.sections}
        waiting = [chapter for chapter in self.plan.chapters if chapter.heading not in planned]
        direct = self.mode == "direct"
        self.controller = LengthController(
            [section.length for section in self.plan.sections],
            self.request["required"],
            overhead=self.overhead(),
            reserve=sum(chapter.length for chapter in waiting),
            unit=self.unit,
            closed=self.request["required"] is not None if direct else self.closed,
            cautious=not direct,
            together=self.mode != "parallel",
            **({"most_calls": 400} if direct else {}),
        )
        if before is not None:
            self.controller.bias = before.bias
        for index, draft in enumerate(self.sections):
            if draft.done:
                self.controller.finish(index, draft.length)
            elif draft.revision:
                self.controller.fixed[index] = draft.revision.length

    def _references(self, event: Referred) -> None:
        self.references.extend(event["new"])
        draft = self.sections[event["section"]]
        draft.references = event["ids"]
        draft.retrieved = True

    def _piece(self, event: Written) -> None:
        draft = self.sections[event["section"]]
        assert self.controller is not None
        if not draft.calls:
            draft.budget = self.controller.budget(event["section"])
        draft.calls += 1
        draft.notes.extend(event["notes"])
        draft.next = event["next"]
        draft.discarded_length += event["thrown"]
        if "problem" in event:
            draft.retries += 1
        else:
            draft.retries = 0
            self._stand(draft, event)
        if event["got"]:
            self.controller.bias.learn(event["asked"], event["got"])
        if event["next"]["action"] == "keep":
            draft.done = True
            self.controller.finish(event["section"], draft.length)
            if draft.revision:  # later prompts need not see what it once was
                draft.turns = [Turn("write", draft.revision.length, draft.text)]
                draft.revision = None

    def _stand(self, draft: SectionState, event: Written) -> None:
        """Put a piece behind what stays of the section before it."""
        room = event["keep"]
        kept: list[Turn] = []
        for turn in draft.turns:
            if room <= 0:
                break
            kept.append(Turn(turn.kind, turn.asked, turn.text[:room], turn.lead))
            room -= len(turn.text)
        turn = Turn(event["kind"], event["asked"], event["text"], event.get("lead", ""))
        new = [turn] if event["text"] else []
        draft.turns = [*kept, *new]
        draft.text = draft.text[: event["keep"]] + event["text"]
        draft.length = event["length"]

    def _summary(self, event: Summarized) -> None:
        self.summaries.append(event)

    # What a person changed -----------------------------------------------------------------

    def _amend(self, event: Amended) -> None:
        self.request = {**self.request, **event["request"]}  # type: ignore[typeddict-item]
        if self.plan is not None:
            self._control()

    def _reopen(self, event: Reopened) -> None:
        for index in event["sections"]:
            self.sections[index] = self.sections[index].reset()
        self._forget(min(event["sections"]))
        self._control()

    def _revise(self, event: Revised) -> None:
        index, before = event["section"], self.sections[event["section"]].published
        revision = Revision(event["note"], event["length"], before)
        notes = [*before.notes, f"revised: {event['note']}"]
        self.sections[index] = before.reset(revision=revision, notes=notes)
        self.request = {**self.request, "required": event["required"]}
        self._forget(index)
        self._control()

    def _replace(self, event: Replaced) -> None:
        before = self.sections[event["section"]]
        self.sections[event["section"]] = before.reset(
            text=event["text"],
            length=event["length"],
            budget=before.budget or before.plan.length,
            turns=[Turn("write", event["length"], event["text"])],
            notes=["written by hand"],
            done=True,
        )
        self._forget(event["section"])
        self._control()

    # Where it stands -----------------------------------------------------------------------

    @property
    def summary(self) -> str:
        """The running summary; empty for none."""
        return self.summaries[-1]["text"] if self.summaries else ""

    @property
    def summarized(self) -> int:
        """How many leading sections the running summary stands for."""
        return self.summaries[-1]["upto"] if self.summaries else 0

    @property
    def unit(self) -> Unit:
        """The unit of every length of this document."""
        return self.plan.unit if self.plan is not None else self.request["unit"]

    @property
    def language(self) -> str:
        """The document's language."""
        return (self.plan and self.plan.language) or self.request["language"]

    @property
    def required(self) -> int | None:
        """The required length: asked for, or else what the plan adds up to.

        None for a direct pass that nobody gave a length.
        """
        if self.mode == "direct":
            return self.request["required"]
        assert self.controller is not None
        return self.controller.required

    def count(self, text: str) -> int:
        """Return the length of a text in this document's unit."""
        return count_length(text, self.unit, self.language)

    def heading(self, draft: SectionState) -> str:
        """Return a section's heading as the document shows it: not one that repeats its chapter."""
        return "" if draft.plan.heading == draft.plan.chapter else draft.plan.heading

    def overhead(self) -> int:
        """Return the length of the title and of the chapters' headings."""
        assert self.plan is not None
        headings = [self.plan.title, *(chapter.heading for chapter in self.plan.chapters)]
        return sum(self.count(heading) for heading in headings)

    def chapter_reached(self) -> str | None:
        """Return the heading of the chapter whose sections must be planned next, if any.

        It is reached when every section planned before it is done (in `parallel`, at once).
        """
        if self.plan is None:
            return None
        planned = {section.chapter for section in self.plan.sections}
        for chapter in self.plan.chapters:
            if chapter.heading not in planned:
                ready = self.mode == "parallel" or all(draft.done for draft in self.sections)
                return chapter.heading if ready else None
        return None

    def current_number(self) -> int:
        """Return the number of the section at hand, as people count."""
        return (self.current() or 0) + 1

    def current(self) -> int | None:
        """Return the first section that is not done, or None."""
        return next((i for i, draft in enumerate(self.sections) if not draft.done), None)

    def finished(self) -> bool:
        """Say whether nothing remains to be written."""
        return self.plan is not None and self.current() is None and self.chapter_reached() is None

    def published_sections(self) -> list[SectionState]:
        """Return the leading sections that a reader may see."""
        return list(
            takewhile(lambda draft: draft.done, (draft.published for draft in self.sections))
        )
