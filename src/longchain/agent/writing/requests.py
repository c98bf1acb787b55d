"""Next request for prose of a section.

`DocumentState` -> `SectionRequest`: kind, length to ask for, problem of the last reply

The lengths are the length controller's; does not know prompts.
"""

from __future__ import annotations

from dataclasses import dataclass

from longchain.agent.events import ReplyProblem, RequestKind
from longchain.agent.section import SectionState
from longchain.agent.state import DocumentState


@dataclass(frozen=True)
class SectionRequest:
    """One request for prose."""

    index: int
    """Index of the section."""

    kind: RequestKind

    length: int
    """Length to ask for, in the document's unit; 0 for none."""

    problem: ReplyProblem | None = None
    """Problem of the last reply, if it was rejected."""


def next_request(state: DocumentState, index: int) -> SectionRequest:
    """Return the next request for a section."""
    section = state.sections[index]
    if section.decision is not None:
        return SectionRequest(
            index, _request_kind(section), section.decision.length, section.problem
        )
    if state.mode == "direct" and state.request.required is None:
        return SectionRequest(index, "write", 0)
    decision = state.controller.first(index, section.heading_length)
    return SectionRequest(index, _request_kind(section), decision.length)


def _request_kind(section: SectionState) -> RequestKind:
    if section.text:
        return "extend"
    return "revise" if section.revision else "write"
