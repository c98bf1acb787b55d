"""What can happen to a document: the events of its log.

Everything durable is one append-only log of JSON-plain events, so that a checkpoint stores each
piece of text once and a resumed run sees what the first one saw. What people do to a document
(edit its plan, ask for a section anew) is an event like what models do.

Knows shapes only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from longchain.document import Unit

Mode = Literal["sequential", "parallel", "direct"]
"""How sections are written: one after another, all at once, or the whole text in one go."""


Kind = Literal["write", "extend", "revise"]
"""What is asked for: a section's beginning, more of it, or its text once again with a change."""


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
    kept: NotRequired[list[int | None]]
    """Where a person changed the plan on the way: for each of its sections, which section of the
    plan before keeps its place and its text; None for one that is to be written."""
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
    kind: Kind
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


class Amended(TypedDict):
    """A person has changed what is asked for; what is written so far stays."""

    type: Literal["amend"]
    request: dict[str, Any]
    """The fields of the request that have changed; none where a run is made in another way, or
    was stopped in the middle of calls."""
    usage: NotRequired[dict[str, int]]
    """What calls took that were cut off when the run was stopped."""


class Reopened(TypedDict):
    """A person wants sections written again; their texts go."""

    type: Literal["reopen"]
    sections: list[int]


class Revised(TypedDict):
    """A person wants one section changed; its text stays until the new one stands."""

    type: Literal["revise"]
    section: int
    note: str
    """What to change, in the person's words."""
    length: int
    """What it should come to, heading included."""
    required: int | None
    """The required length of the whole from here on."""


class Replaced(TypedDict):
    """A person has written a section."""

    type: Literal["replace"]
    section: int
    text: str
    length: int
    """Heading included."""


Event = (
    Request | Surveyed | Planned | ReviewedPlan | Referred | Written | Summarized
    | Amended | Reopened | Revised | Replaced
)  # fmt: skip


def extend(log: list[Any], writes: Sequence[list[Any]]) -> list[Any]:
    """Append events to the log (the reducer of its channel); a new request starts it anew."""
    whole = list(log)
    for events in writes:
        for event in events:
            if event["type"] == "request":
                whole = []
            whole.append(event)
    return whole
