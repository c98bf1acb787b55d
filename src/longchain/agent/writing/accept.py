"""Accepts or rejects a reply of the section writer, and decides what the section needs next.

`SectionRequest` + `Reply` + `DocumentState` -> `ReplyStored`

Cleans the reply, joins it to the section's text, asks the length controller, and trims at a
sentence boundary. A reply with a problem is asked for again. Prose in the wrong language, or
prose that repeats a section, is accepted only if no retry brings a better one.
"""

from __future__ import annotations

from collections.abc import Sequence

import regex

from longchain import sources
from longchain.agent.events import ReplyProblem, ReplyStored, RequestKind
from longchain.agent.section import SectionState
from longchain.agent.state import DocumentState
from longchain.agent.writing.problems import reply_problem, unusable_problem
from longchain.agent.writing.reject import MAX_RETRIES, reject_reply
from longchain.agent.writing.requests import SectionRequest
from longchain.calls.reply import Reply
from longchain.document import Usage
from longchain.length import LengthDecision
from longchain.prose.cleanup import Cleaned, clean, stitch, to_sentence_end, trim
from longchain.sentences import ends_sentence

FREE_EXTENSION = 1000
"""Length to ask for after a cut reply where no length was requested."""

_HEADING_NOTES = frozenset({"heading removed", "title removed"})
_MAX_LEADING_HEADING = 300

_BARE_END = regex.compile(r"(?:https?://\S+|\p{Extended_Pictographic}\S?)\s*$")


def accept_reply(
    state: DocumentState,
    request: SectionRequest,
    reply: Reply,
    usage: Usage,
    *,
    strict: bool = False,
) -> ReplyStored:
    """Decide which part of a reply enters the document, and what the section needs next.

    Args:
        state: The document before the reply.
        request: The request that the reply answers.
        reply: The writer's reply.
        usage: The usage of the call.
        strict: Whether to reject prose in the wrong language, or prose that repeats a section,
            also after the last retry, instead of accepting it with a note.

    Raises:
        ReplyError: The section has no text, and there are no retries left.
    """
    section = state.sections[request.index]
    cleaned = _clean_reply(state, section, request.kind, reply)
    notes = list(cleaned.notes)
    if reply.finish == "filter":
        notes.append("stopped by the provider's filter")
    cut = reply.finish == "length" or cleaned.problem == "loop"
    text = _drop_unfinished_sentence(cleaned.text, state.language, cut, notes)
    problem = unusable_problem(cleaned, text, state, request.length) or reply_problem(
        text, state, request.index
    )
    if problem is not None:
        if strict or not _accepts_problem(state, section, problem):
            return reject_reply(section, request, problem, reply.text, usage)
        notes.append(f"accepted: {problem}")
    text, unknown = _remove_unknown_citations(section, text, notes)
    before = section.text if request.kind == "extend" else ""
    whole = stitch(before, text, state.language) if before else text
    text_length = state.count(text)
    whole_length = state.count(whole) if before else text_length
    reply_length = 0 if cut else text_length
    decision, length = _decide(state, request, reply_length, whole_length, cut)
    decision, whole, discarded = _apply_decision(state, decision, whole, notes)
    kept_chars = _common_prefix(before, whole)
    return ReplyStored(
        section=request.index,
        kind=request.kind,
        requested=request.length,
        reply_length=reply_length,
        kept_chars=kept_chars,
        text=whole[kept_chars:],
        leading_heading=_leading_heading(reply.text, whole[kept_chars:], cleaned.notes),
        section_length=length - discarded if whole else 0,
        discarded=discarded,
        accepted_problem=problem,
        unknown_citations=unknown,
        notes=notes,
        decision=decision,
        usage=usage,
    )


def _accepts_problem(state: DocumentState, section: SectionState, problem: ReplyProblem) -> bool:
    """Whether prose with this problem is the best that the model will write.

    A model that kept to its own language through all retries will do so in later sections, too;
    asking again would cost two more calls each time.
    """
    if not problem.acceptable:
        return False
    if problem.kind == "wrong language" and _accepted_before(state, problem):
        return True
    return section.retries >= MAX_RETRIES and not section.text


def _accepted_before(state: DocumentState, problem: ReplyProblem) -> bool:
    return any(problem in section.accepted_problems for section in state.sections)


def _remove_unknown_citations(
    section: SectionState, text: str, notes: list[str]
) -> tuple[str, list[int]]:
    """Return the text without citations of references that the section does not have."""
    if not section.retrieved:
        return text, []
    text, unknown = sources.check_citations(text, set(section.references))
    if unknown:
        notes.append(f"unknown citations removed: {', '.join(map(str, unknown))}")
    return text, unknown


def _leading_heading(reply: str, prose: str, notes: Sequence[str]) -> str:
    """Return the heading before the prose in a reply, if cleanup removed nothing else.

    Later prompts show the reply with it, as the server has it in its prefix cache.
    """
    if not notes or not set(notes) <= _HEADING_NOTES:
        return ""
    heading, separator, _ = reply.partition(prose[:80])
    return heading if separator and len(heading) <= _MAX_LEADING_HEADING else ""


def _apply_decision(
    state: DocumentState, decision: LengthDecision, whole: str, notes: list[str]
) -> tuple[LengthDecision, str, int]:
    """Trim or drop the text as decided.

    Returns:
        The decision that remains, the section's text, and the length that was discarded.
    """
    match decision.action:
        case "trim":
            trimmed = trim(
                whole, decision.length, state.unit, state.language, min_length=decision.least
            )
            discarded = state.count(whole) - state.count(trimmed)
            if discarded:
                notes.append("trimmed")
            return LengthDecision("keep"), trimmed, discarded
        case "rewrite":
            notes.append("rewritten")
            return LengthDecision("ask", decision.length), "", state.count(whole)
        case "ask":
            notes.append("extended")
    return decision, whole, 0


def _clean_reply(
    state: DocumentState, section: SectionState, kind: RequestKind, reply: Reply
) -> Cleaned:
    return clean(
        reply.text,
        heading=section.plan.heading,
        title=state.current_plan.title,
        previous_tail=section.text[-400:] if kind == "extend" else "",
        language=state.language,
        sections=state.mode != "direct",
        looped=reply.finish == "loop",
    )


def _drop_unfinished_sentence(text: str, language: str, cut: bool, notes: list[str]) -> str:
    """Return the reply without an unfinished last sentence."""
    if not cut and (ends_sentence(text) or _ends_without_full_stop(text)):
        return text
    whole = to_sentence_end(text, language)
    if whole != text:
        notes.append("cut" if cut else "unfinished sentence dropped")
    return whole


def _ends_without_full_stop(text: str) -> bool:
    """Whether a reply that the model ended by itself is complete without a full stop.

    A signature, a verse, `THE END`: a short last line below others; an address or an emoji.
    """
    above, _, last = text.rstrip().rpartition("\n")
    if above.strip() and len(last.split()) <= 8 and len(last) <= 60:
        return True
    return bool(_BARE_END.search(last))


def _common_prefix(before: str, whole: str) -> int:
    """Return the number of leading characters that two texts share."""
    if whole.startswith(before):
        return len(before)
    shared = 0
    for old, new in zip(before, whole, strict=False):
        if old != new:
            break
        shared += 1
    return shared


def _decide(
    state: DocumentState, request: SectionRequest, reply_length: int, text_length: int, cut: bool
) -> tuple[LengthDecision, int]:
    """Return the controller's decision, and the section's length with this reply."""
    controller, section = state.controller, state.sections[request.index]
    heading = section.heading_length
    length = heading + text_length
    calls = section.calls + 1
    # The controller itself learns from the log: this only looks one reply ahead.
    bias = controller.bias.with_reply(request.length, reply_length)
    decision = controller.next(request.index, length, heading=heading, calls=calls, bias=bias)
    if not cut or decision.action != "keep" or calls >= controller.max_calls:
        return decision, length
    # A cut reply says nothing about the model's bias, so the section must reach its target.
    missing = FREE_EXTENSION
    if request.length:
        missing = controller.target(request.index) - length
    if missing > controller.half_sentence:
        return LengthDecision("ask", missing), length
    return decision, length
