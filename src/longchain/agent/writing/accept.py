"""A reply -> what stands of it in the document, and what to do next.

`Reply` + `DocumentState` -> `Written` event

Cleans the reply, puts it behind what is written, asks the length controller, trims at a
sentence's edge. A reply that cannot be used becomes a problem to try again, never prose; one in
another language, or one that repeats a section, is prose only where nothing better came.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import regex

from longchain import sources
from longchain.agent.events import Kind, Written
from longchain.agent.state import DocumentState, Revision, SectionState
from longchain.agent.writing.problems import may_be_accepted, reply_problem
from longchain.calls.reply import Reply
from longchain.errors import ReplyError
from longchain.language import ends_sentence
from longchain.length import Step
from longchain.prose.cleanup import Cleaned, clean, stitch, to_sentence_end, trim

WORTH_KEEPING = 0.25
"""The share of what was asked for that must stand before a loop, if that is to be kept."""

RETRIES = 2
"""How often an unusable reply is asked for again."""

_HEADINGS = frozenset({"heading removed", "title removed"})
_LONGEST_LEAD = 300

_BARE_END = regex.compile(r"(?:https?://\S+|\p{Extended_Pictographic}\S?)\s*$")


def next_request(progress: DocumentState, index: int) -> tuple[Kind, int, str]:
    """Return the section's next request: its kind, the length to ask for, and the last problem."""
    draft = progress.sections[index]
    assert progress.controller is not None
    if not draft.next:
        if progress.mode == "direct" and progress.request["required"] is None:
            return "write", 0, ""
        step = progress.controller.first(index, progress.count(progress.heading(draft)))
        return "revise" if draft.revision else "write", step.length, ""
    kind: Kind = "extend" if draft.text else "revise" if draft.revision else "write"
    return kind, draft.next["length"], draft.next.get("problem", "")


def settle(
    progress: DocumentState,
    index: int,
    kind: Kind,
    asked: int,
    reply: Reply,
    usage: dict[str, int],
    *,
    strict: bool = False,
) -> Written:
    """Decide what stands of a reply, and what the section needs next.

    Args:
        progress: Where the document stands; its controller learns from the reply.
        index: The section's index.
        kind: What was asked for.
        asked: The length that was asked for; 0 where none was.
        reply: What the writer answered.
        usage: What the call took.
        strict: Whether prose in another language, or prose that repeats a section, is refused
            also where the model was asked often enough, rather than accepted with a note.

    Raises:
        ReplyError: The section has no text, and the model was asked often enough.
    """
    draft = progress.sections[index]
    cleaned = _clean(progress, draft, kind, reply)
    notes = list(cleaned.notes)
    notes += ["stopped by the provider's filter"] if reply.finish == "filter" else []
    cut = reply.finish == "length" or cleaned.problem == "loop"
    text = _whole(cleaned.text, progress.language, cut, notes)
    problem = _problem(cleaned, text, progress, asked) or reply_problem(text, progress, index)
    if problem and not strict and _may_stand(progress, draft, problem):
        notes.append(f"accepted: {problem}")
    elif problem:
        return _unusable(draft, index, kind, asked, problem, reply, usage)
    if draft.retrieved:
        text, unknown = sources.check_citations(text, set(draft.references))
        if unknown:
            notes.append(f"unknown citations removed: {', '.join(map(str, unknown))}")
    before = draft.text if kind == "extend" else ""
    whole = stitch(before, text, progress.language) if before else text
    got = 0 if cut else progress.count(text)
    step, length = _decide(progress, index, asked, got, whole, cut)
    step, whole, thrown = _done(progress, step, whole, notes)
    keep = _common(before, whole)
    return {
        "type": "piece",
        "section": index,
        "kind": kind,
        "asked": asked,
        "got": got,
        "keep": keep,
        "text": whole[keep:],
        "lead": _lead(reply.text, whole[keep:], cleaned.notes),
        "length": length - thrown if whole else 0,
        "thrown": thrown,
        "notes": notes,
        "next": asdict(step),
        "usage": usage,
    }


def _problem(cleaned: Cleaned, text: str, progress: DocumentState, asked: int) -> str:
    """Return why a reply cannot be used, or nothing.

    What stands before a loop is prose, but where it is little the model got nowhere: asked to go
    on from it, it would loop again.
    """
    if cleaned.problem in ("empty", "refusal"):
        return cleaned.problem
    if cleaned.problem == "loop" and progress.count(text) < asked * WORTH_KEEPING:
        return "loop"
    return "" if text.strip() else "no whole sentence"


def _may_stand(progress: DocumentState, draft: SectionState, problem: str) -> bool:
    """Whether nothing better than this prose will come.

    A model that stayed in one language, asked again and again, will not leave it for a later
    section: that would cost two more calls each time.
    """
    if not may_be_accepted(problem):
        return False
    known = problem.startswith("wrong language") and any(
        f"accepted: {problem}" in other.notes for other in progress.sections
    )
    return known or (draft.retries >= RETRIES and not draft.text)


def _lead(reply: str, prose: str, notes: Sequence[str]) -> str:
    """Return the heading that stands before the prose in a reply, if that is all that was cut.

    In a conversation the reply is shown with it: without it, nothing that a server has cached of
    the section would be found again.
    """
    if not notes or not set(notes) <= _HEADINGS:
        return ""
    lead, found, _ = reply.partition(prose[:80])
    return lead if found and len(lead) <= _LONGEST_LEAD else ""


def _done(
    progress: DocumentState, step: Step, whole: str, notes: list[str]
) -> tuple[Step, str, int]:
    """Do what the controller decided: the next step, what stands, and the length thrown away."""
    if step.action == "trim":
        shorter = trim(whole, step.length, progress.unit, progress.language, min_length=step.least)
        thrown = progress.count(whole) - progress.count(shorter)
        notes += ["trimmed"] if thrown else []
        return Step("keep"), shorter, thrown
    if step.action == "rewrite":
        notes.append("rewritten")
        return Step("ask", step.length), "", progress.count(whole)
    notes += ["extended"] if step.action == "ask" else []
    return step, whole, 0


def _clean(progress: DocumentState, draft: SectionState, kind: Kind, reply: Reply) -> Cleaned:
    assert progress.plan is not None
    return clean(
        reply.text,
        heading=draft.plan.heading,
        title=progress.plan.title,
        previous_tail=draft.text[-400:] if kind == "extend" else "",
        language=progress.language,
        sections=progress.mode != "direct",
        looped=reply.finish == "loop",
    )


def _whole(text: str, language: str, cut: bool, notes: list[str]) -> str:
    """Return the reply without a last sentence that has no end."""
    if not cut and (ends_sentence(text) or _ends_otherwise(text)):
        return text
    whole = to_sentence_end(text, language)
    if whole != text:
        notes.append("cut" if cut else "unfinished sentence dropped")
    return whole


def _ends_otherwise(text: str) -> bool:
    """Whether a reply that the model ended by itself is whole though its end has no full stop.

    A signature, a verse, `THE END`: a short last line below others; an address or an emoji.
    """
    above, _, last = text.rstrip().rpartition("\n")
    short = len(last.split()) <= 8 and len(last) <= 60
    return bool(above.strip() and short) or bool(_BARE_END.search(last))


def _common(before: str, whole: str) -> int:
    """Return how many characters of what stood before still stand at the beginning."""
    if whole.startswith(before):
        return len(before)
    shared = 0
    for old, new in zip(before, whole, strict=False):
        if old != new:
            break
        shared += 1
    return shared


def _decide(
    progress: DocumentState, index: int, asked: int, got: int, whole: str, cut: bool
) -> tuple[Step, int]:
    """Return what to do with the section, and its length with this reply in it."""
    controller, draft = progress.controller, progress.sections[index]
    assert controller is not None
    heading = progress.count(progress.heading(draft))
    length = heading + progress.count(whole)
    calls = draft.calls + 1
    # The controller itself learns when the log is read: here it only looks one reply ahead.
    bias = controller.bias.with_reply(asked, got)
    step = controller.next(index, length, heading=heading, calls=calls, bias=bias)
    if cut and step.action == "keep" and calls < controller.most_calls:
        # A cut reply taught the controller nothing; it is only done where its budget is.
        missing = controller.budget(index) - length if asked else 1000
        if missing > controller.grain:
            return Step("ask", missing), length
    return step, length


def _unusable(
    draft: SectionState,
    index: int,
    kind: Kind,
    asked: int,
    problem: str,
    reply: Reply,
    usage: dict[str, int],
) -> Written:
    """Return the event of a reply that gave no prose: try again, or keep what there is."""
    notes = [f"reply not used: {problem}"]
    again = Step("ask", asked)
    if draft.retries >= RETRIES:
        if draft.revision:
            return _restored(draft.revision, index, asked, problem, usage)
        if not draft.text:
            raise ReplyError(_exhausted(draft, index, problem, reply.text))
        again = Step("keep")
        notes.append("kept short")
    return {
        "type": "piece",
        "section": index,
        "kind": kind,
        "asked": asked,
        "got": 0,
        "keep": len(draft.text),
        "text": "",
        "length": draft.length,
        "thrown": 0,
        "problem": problem,
        "notes": notes,
        "next": {**asdict(again), "problem": problem},
        "usage": usage,
    }


def _restored(
    revision: Revision, index: int, asked: int, problem: str, usage: dict[str, int]
) -> Written:
    """Return the event of a revision that came to nothing: the section stays as it was."""
    return {
        "type": "piece",
        "section": index,
        "kind": "revise",
        "asked": asked,
        "got": 0,
        "keep": 0,
        "text": revision.before.text,
        "length": revision.before.length,
        "thrown": 0,
        "notes": [f"kept as it was, since the revision could not be used: {problem}"],
        "next": asdict(Step("keep")),
        "usage": usage,
    }


def _exhausted(draft: SectionState, index: int, problem: str, text: str) -> str:
    name = draft.plan.heading or draft.plan.main_point[:60]
    said = f": {text[:120]!r}" if text.strip() else ""
    return (
        f"section {index + 1} ({name!r}) could not be written: the model's replies were unusable "
        f"{RETRIES + 1} times in a row ({problem}{said}); finished sections are kept: "
        "try again, or take another model"
    )
