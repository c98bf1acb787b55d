"""The log of a document being written -> where it stands.

`list[Event]` -> `Progress`

Everything durable is one append-only log of JSON-plain events, so a checkpoint stores each piece
of text once and a resumed run sees what the first one saw. Where the document stands (texts,
lengths, what the controller has learnt, which memory may be dropped) is computed from the log
alone, by replaying it; nothing else is state.

Knows nothing of prompts or models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from longchain.document import SectionPlan, Unit, Usage, WritingPlan
from longchain.length import LengthController, count_length

Mode = Literal["sequential", "parallel", "direct"]
"""How sections are written: one after another, all at once, or the whole text in one go."""


class Request(TypedDict):
    """What was asked for, as the chain understood it."""

    type: Literal["request"]
    instruction: str
    required: int | None
    """The required length; None leaves it to the planner."""
    unit: Unit
    language: str
    style: str
    context: list[dict[str, Any]]
    """Documents given with the instruction, as `{"page_content", "metadata"}`."""
    sources: list[str]
    """Paths given with the instruction; they are read again where a run is resumed."""


class Planned(TypedDict):
    """A plan, or one chapter's sections, or an attempt that gave none."""

    type: Literal["plan"]
    plan: NotRequired[dict[str, Any]]
    """The whole plan so far, in place of what there was."""
    sections: NotRequired[list[dict[str, Any]]]
    """Sections of the chapter that was reached."""
    failed: NotRequired[str]
    """The reply that could not be read; the next event is a repair."""
    error: NotRequired[str]
    required: NotRequired[int | None]
    """The length that holds from here on, where a person changed the plan."""
    note: NotRequired[str]
    usage: dict[str, int]


class Surveyed(TypedDict):
    """What the sources hold, as the planner is shown it."""

    type: Literal["survey"]
    outline: str


class ReviewedPlan(TypedDict):
    """A person has seen the plan; a changed plan is an event of its own."""

    type: Literal["review"]


class Referred(TypedDict):
    """What the retriever found for a section."""

    type: Literal["references"]
    section: int
    ids: list[int]
    new: list[dict[str, Any]]
    """References seen for the first time."""


class Written(TypedDict):
    """One reply of the section writer, as far as it stands in the document."""

    type: Literal["piece"]
    section: int
    kind: Literal["write", "extend"]
    asked: int
    got: int
    """Length of the reply's prose before any trimming; 0 where it taught nothing."""
    keep: int
    """Characters of the section's text so far that stay before this piece."""
    text: str
    lead: NotRequired[str]
    """The heading that the model put before it: no prose, but what the server has in its cache."""
    length: int
    """Of the section after this piece, heading included."""
    thrown: int
    """Length of prose that was thrown away by this step."""
    problem: NotRequired[str]
    """Why the reply could not be used; `text` is then empty."""
    notes: list[str]
    next: dict[str, Any]
    """What the controller decided: a `Step` as a dictionary."""
    usage: dict[str, int]


class Summarized(TypedDict):
    """A running summary that stands for all sections before `upto`."""

    type: Literal["summary"]
    text: str
    upto: int
    usage: dict[str, int]


Event = Request | Surveyed | Planned | ReviewedPlan | Referred | Written | Summarized


def extend(log: list[Any], writes: Sequence[list[Any]]) -> list[Any]:
    """Append events to the log (the reducer of its channel); a new request starts it anew."""
    whole = list(log)
    for events in writes:
        for event in events:
            if event["type"] == "request":
                whole = []
            whole.append(event)
    return whole


@dataclass
class Turn:
    """One request for prose and what stands of its answer, as later prompts show them."""

    kind: str
    asked: int
    text: str
    lead: str = ""


@dataclass
class Draft:
    """One section while it is written."""

    plan: SectionPlan
    text: str = ""
    length: int = 0
    """Heading included."""
    budget: int = 0
    calls: int = 0
    thrown: int = 0
    retries: int = 0
    """Replies in a row that could not be used."""
    turns: list[Turn] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    references: list[int] = field(default_factory=list)
    referred: bool = False
    next: dict[str, Any] = field(default_factory=dict)
    done: bool = False
    shown: list[Any] = field(default_factory=list)
    """Its turns as messages, once it is done: later prompts show them again and again."""


class Progress:
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
        self.drafts: list[Draft] = []
        self.references: list[dict[str, Any]] = []
        self.surveyed = False
        self.outline = ""
        self.reviewed = False
        self.retriever: Any = None
        """Finds the references of this request; made once for each reading of the log."""
        self.summary = ""
        self.summarized = 0
        self.usage = Usage()
        self.controller: LengthController | None = None
        self.seen = 1
        """How many events of the log are taken in."""
        self.latest: Any = log[0]
        self.add(log[1:])

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
            self.plan = WritingPlan.model_validate(event["plan"])
            self.drafts = []
            new = self.plan.sections
        else:
            assert self.plan is not None
            new = [SectionPlan.model_validate(section) for section in event["sections"]]
            self.plan.sections.extend(new)
        self.drafts.extend(Draft(plan=section) for section in new)
        self._control()

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
            self.controller.written = before.written

    def _references(self, event: Referred) -> None:
        self.references.extend(event["new"])
        draft = self.drafts[event["section"]]
        draft.references = event["ids"]
        draft.referred = True

    def _piece(self, event: Written) -> None:
        draft = self.drafts[event["section"]]
        assert self.controller is not None
        if not draft.calls:
            draft.budget = self.controller.budget(event["section"])
        draft.calls += 1
        draft.notes.extend(event["notes"])
        draft.next = event["next"]
        draft.thrown += event["thrown"]
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

    def _stand(self, draft: Draft, event: Written) -> None:
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
        self.summary, self.summarized = event["text"], event["upto"]

    # Where it stands -----------------------------------------------------------------------

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

    def heading(self, draft: Draft) -> str:
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
                ready = self.mode == "parallel" or all(draft.done for draft in self.drafts)
                return chapter.heading if ready else None
        return None

    def current_number(self) -> int:
        """Return the number of the section at hand, as people count."""
        return (self.current() or 0) + 1

    def current(self) -> int | None:
        """Return the first section that is not done, or None."""
        return next((i for i, draft in enumerate(self.drafts) if not draft.done), None)
