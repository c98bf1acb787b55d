"""Rejected replies: ask again, keep what there is, or give up.

`SectionRequest` + `ReplyProblem` -> `ReplyStored` without text, or a `ReplyError`

Does not decide which replies are rejected: see `longchain.agent.writing.accept`.
"""

from __future__ import annotations

from longchain.agent.events import ReplyProblem, ReplyStored
from longchain.agent.section import Revision, SectionState
from longchain.agent.writing.requests import SectionRequest
from longchain.document import Usage
from longchain.errors import ReplyError
from longchain.length import LengthDecision

MAX_RETRIES = 2
"""Number of retries after a rejected reply."""


def reject_reply(
    section: SectionState,
    request: SectionRequest,
    problem: ReplyProblem,
    reply_text: str,
    usage: Usage,
) -> ReplyStored:
    """Return the event of a rejected reply, with the decision to retry or to keep the section.

    Raises:
        ReplyError: The section has no text, and there are no retries left.
    """
    decision = LengthDecision("ask", request.length)
    notes = [f"reply not used: {problem}"]
    if section.retries >= MAX_RETRIES:
        if section.revision:
            return _restore(section.revision, request, problem, usage)
        if not section.text:
            raise ReplyError(_give_up_message(section, request.index, problem, reply_text))
        decision = LengthDecision("keep")
        notes.append("kept short")
    return ReplyStored(
        section=request.index,
        kind=request.kind,
        requested=request.length,
        reply_length=0,
        kept_chars=len(section.text),
        text="",
        section_length=section.length,
        discarded=0,
        problem=problem,
        decision=decision,
        notes=notes,
        usage=usage,
    )


def _restore(
    revision: Revision, request: SectionRequest, problem: ReplyProblem, usage: Usage
) -> ReplyStored:
    """Return the event of a failed revision: the section gets its old text back."""
    return ReplyStored(
        section=request.index,
        kind="revise",
        requested=request.length,
        reply_length=0,
        kept_chars=0,
        text=revision.before.text,
        section_length=revision.before.length,
        discarded=0,
        decision=LengthDecision("keep"),
        notes=[f"kept as it was, since the revision could not be used: {problem}"],
        usage=usage,
    )


def _give_up_message(
    section: SectionState, index: int, problem: ReplyProblem, reply_text: str
) -> str:
    name = section.plan.heading or section.plan.main_point[:60]
    excerpt = f": {reply_text[:120]!r}" if reply_text.strip() else ""
    return (
        f"section {index + 1} ({name!r}) could not be written: the model's replies were unusable "
        f"{MAX_RETRIES + 1} times in a row ({problem}{excerpt}); finished sections are kept: "
        "try again, or take another model"
    )
