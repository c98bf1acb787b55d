"""Events of a document's log: what models, sources and the user have done to the document.

Typed values only; `longchain.agent.log` stores them as JSON-plain records and reads them back.

Everything durable is one append-only log of such events. A checkpoint then stores each piece of
text once, and a resumed run starts from exactly what the first one knew. Edits by the user are
events like the replies of models.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from longchain.document import Reference, SectionPlan, Unit, Usage, WritingPlan
from longchain.length import LengthDecision

Mode = Literal["sequential", "parallel", "direct"]
"""Writing mode: section by section, all sections at once, or the whole text in one pass."""

RequestKind = Literal["write", "extend", "revise"]
"""Kind of request for prose: a new section, more of it, or a changed version of its text."""

PlanOrigin = Literal["given", "direct", "planner", "edited"]
"""Origin of a plan: the user's input, direct mode (which needs none), the planner, or an edit."""

ProblemKind = Literal[
    "empty",
    "refusal",
    "loop",
    "no whole sentence",
    "wrong language",
    "repeats section",
    "repeats itself",
    "other",
]
"""Reason why a reply cannot be used; `other` stands for those of later versions."""

_ACCEPTABLE: frozenset[ProblemKind] = frozenset(
    {"wrong language", "repeats section", "repeats itself"}
)


@dataclass(frozen=True, slots=True)
class ReplyProblem:
    """The reason why a reply cannot be used.

    Its text form stands in logs, notes and retry prompts: `wrong language (en)`,
    `repeats section 3`, `empty`.
    """

    kind: ProblemKind

    language: str = ""
    """Tag of the language that the reply is in, for `wrong language`."""

    section: int | None = None
    """Number of the repeated section, from 1, for `repeats section`."""

    text: str = ""
    """The problem in words, for `other`."""

    @property
    def acceptable(self) -> bool:
        """Whether the reply is prose that may be kept if no retry brings a better one."""
        return self.kind in _ACCEPTABLE

    def __str__(self) -> str:
        if self.kind == "wrong language":
            return f"wrong language ({self.language})"
        if self.kind == "repeats section":
            return f"repeats section {self.section}"
        return self.text or self.kind

    @classmethod
    def parse(cls, text: str) -> ReplyProblem:
        """Read the text form."""
        if text.startswith("wrong language ("):
            return cls("wrong language", language=text[len("wrong language (") : -1])
        if text.startswith("repeats section "):
            return cls("repeats section", section=int(text.removeprefix("repeats section ")))
        match text:
            case "empty" | "refusal" | "loop" | "no whole sentence" | "repeats itself":
                return cls(text)
        return cls("other", text=text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One entry of the log."""

    usage: Usage | None = None
    """Usage of the model calls behind the event; None if there were none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Event):
    """The request for a document, with everything that was read from the user's input."""

    instruction: str

    required: int | None
    """Required length; None leaves it to the planner."""

    unit: Unit

    language: str

    style: str

    context: list[dict[str, Any]]
    """Documents given with the instruction, as `{"page_content", "metadata"}`."""

    sources: list[str]
    """Paths given with the instruction; a resumed run reads them again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surveyed(Event):
    """The sources were outlined for the planner."""

    outline: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned(Event):
    """A whole plan, which replaces the plan so far."""

    plan: WritingPlan

    origin: PlanOrigin

    note: str = ""
    """Note for the report."""

    required: int | None = None
    """Required length from here on; counts only for the origin `edited`."""

    kept_sections: list[int | None] | None = None
    """For each section of an edited plan, the index of the old section whose text it keeps.

    None for a section that must be written; None for the list if nothing was written before.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class ChapterPlanned(Event):
    """The sections of one chapter, planned when the chapter is reached."""

    sections: list[SectionPlan]

    note: str = ""
    """Note for the report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFailed(Event):
    """A planner's reply that could not be parsed; the next request repairs it."""

    reply: str

    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanReviewed(Event):
    """The user has reviewed the plan; a changed plan is an event of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieved(Event):
    """The references of a section were retrieved."""

    section: int

    references: list[int]
    """Ids of the references that the section may cite."""

    new_references: list[Reference]
    """Those that the document did not have before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyStored(Event):
    """A reply of the section writer, as far as it enters the document."""

    section: int

    kind: RequestKind

    requested: int
    """Length that was requested."""

    reply_length: int
    """Length of the reply's prose before trimming.

    0 if the reply was cut or rejected: it must not change the bias estimate.
    """

    kept_chars: int
    """Number of characters of the section's text that stay before the new text."""

    text: str
    """The new text; empty for a rejected reply."""

    leading_heading: str = ""
    """Heading that the model wrote before the prose.

    No prose, but part of what the server has in its prefix cache.
    """

    section_length: int
    """Length of the section after this event, heading included."""

    discarded: int
    """Length of the prose that this event throws away."""

    decision: LengthDecision
    """The length controller's decision about the section."""

    problem: ReplyProblem | None = None
    """Reason why the reply was rejected."""

    accepted_problem: ReplyProblem | None = None
    """Problem of a reply that was accepted all the same, since retries brought no better one."""

    unknown_citations: list[int] = field(default_factory=list)
    """Numbers of removed citations that name no reference of the section."""

    notes: list[str]
    """Notes for the report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summarized(Event):
    """A running summary of all sections before `end`."""

    text: str

    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Amended(Event):
    """The user has changed the request; written text stays.

    Without changes, it stands for changed options, or for calls that were cut off when the run
    was stopped.
    """

    changes: dict[str, Any]
    """New values of fields of `Request`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reopened(Event):
    """The user wants sections written anew; their texts are dropped."""

    sections: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Revised(Event):
    """The user wants a section changed; its text stays until the new one is done."""

    section: int

    note: str
    """The change, in the user's words."""

    length: int
    """Target length of the section, heading included."""

    required: int | None
    """Required length of the document from here on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced(Event):
    """The user has written a section."""

    section: int

    text: str

    length: int
    """Length of the section, heading included."""
