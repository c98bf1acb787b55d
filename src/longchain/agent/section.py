"""State of one section while it is written.

`ReplyStored` events -> `SectionState`: text, length, turns and figures of the section

Does not know the other sections, prompts or models.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from longchain.agent.events import ReplyProblem, ReplyStored, RequestKind, Revised
from longchain.document import SectionPlan
from longchain.length import LengthDecision


@dataclass(slots=True)
class Turn:
    """One request for prose and its stored answer, as later prompts show them."""

    kind: RequestKind

    asked: int
    """Length that was requested."""

    text: str

    lead: str = ""
    """Heading that the model wrote before the text."""


@dataclass(slots=True)
class Revision:
    """A change to a finished section that the user asked for."""

    note: str
    """The change, in the user's words."""

    length: int
    """Target length of the section, heading included."""

    before: SectionState
    """The section before the revision; readers see it until the new text is done."""


@dataclass(slots=True)
class SectionState:
    """One section while it is written."""

    plan: SectionPlan

    text: str = ""

    length: int = 0
    """Length so far, heading included."""

    heading_length: int = 0
    """Length of its heading, if it is shown."""

    target_length: int = 0
    """Length that the section was given when its turn came, heading included; 0 before."""

    calls: int = 0
    """Requests for the text so far."""

    discarded_calls: int = 0
    """Requests for earlier texts that were dropped."""

    discarded_length: int = 0
    """Length of all prose that was thrown away."""

    retries: int = 0
    """Number of replies rejected in a row."""

    rejected_replies: int = 0
    """Number of all rejected replies, for the report."""

    removed_citations: int = 0
    """Number of replies from which unknown citations were removed, for the report."""

    accepted_problems: list[ReplyProblem] = field(default_factory=list)
    """Problems of replies that were accepted all the same."""

    turns: list[Turn] = field(default_factory=list)

    notes: list[str] = field(default_factory=list)

    references: list[int] = field(default_factory=list)
    """Ids of the references that the section may cite."""

    retrieved: bool = False
    """Whether the references have been retrieved."""

    decision: LengthDecision | None = None
    """The length controller's last decision; None before the first reply."""

    problem: ReplyProblem | None = None
    """Problem of the last reply, if it was rejected."""

    done: bool = False

    message_cache: list[Any] = field(default_factory=list)
    """Turns as messages, once the section is done: all later prompts show them."""

    revision: Revision | None = None
    """The revision under way; None if there is none."""

    @property
    def published(self) -> SectionState:
        """The section as readers see it: the old text until a revision is done."""
        return self.revision.before if self.revision else self

    @property
    def started(self) -> bool:
        """Whether anything of the section has been requested or written."""
        return bool(self.done or self.text or self.calls or self.revision)

    @property
    def total_calls(self) -> int:
        """Requests for the section, those for dropped texts included."""
        return self.discarded_calls + self.calls

    def reset(self, **changes: Any) -> SectionState:
        """Return the section without its text; its references stay."""
        return SectionState(
            plan=self.plan,
            heading_length=self.heading_length,
            discarded_calls=self.discarded_calls + self.calls,
            discarded_length=self.discarded_length,
            references=self.references,
            retrieved=self.retrieved,
            **changes,
        )

    def revised(self, event: Revised) -> SectionState:
        """Return the section at the start of a revision; its figures for the report stay."""
        return self.reset(
            revision=Revision(event.note, event.length, self),
            notes=[*self.notes, f"revised: {event.note}"],
            rejected_replies=self.rejected_replies,
            removed_citations=self.removed_citations,
            accepted_problems=self.accepted_problems,
        )

    def store_reply(self, event: ReplyStored) -> None:
        """Take in a reply of the writer."""
        self.calls += 1
        self.notes.extend(event.notes)
        self.decision = event.decision
        self.problem = event.problem
        self.discarded_length += event.discarded
        if event.unknown_citations:
            self.removed_citations += 1
        if event.accepted_problem is not None:
            self.accepted_problems = [*self.accepted_problems, event.accepted_problem]
        if event.problem is not None:
            self.retries += 1
            self.rejected_replies += 1
        else:
            self.retries = 0
            self._store_text(event)
        if event.decision.action == "keep":
            self._finish()

    def _store_text(self, event: ReplyStored) -> None:
        """Put the new text behind the part of the old text that stays."""
        turns: list[Turn] = []
        remaining = event.kept_chars
        for turn in self.turns:
            if remaining <= 0:
                break
            turns.append(Turn(turn.kind, turn.asked, turn.text[:remaining], turn.lead))
            remaining -= len(turn.text)
        if event.text:
            turns.append(Turn(event.kind, event.requested, event.text, event.leading_heading))
        self.turns = turns
        self.text = self.text[: event.kept_chars] + event.text
        self.length = event.section_length

    def _finish(self) -> None:
        self.done = True
        if self.revision is not None:
            # Later prompts show the section as if it had been written like this at once.
            self.turns = [Turn("write", self.revision.length, self.text)]
            self.revision = None
