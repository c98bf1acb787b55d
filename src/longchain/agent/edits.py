"""What a person wants changed in a document that is under way -> events for its log.

`DocumentState` + a wish -> `Change`: the events, and in words what differs and what becomes of it

Finished text is kept wherever it can be, and what cannot be kept is said. Sections are numbered
as people count, from 1. Knows logs and plans; knows nothing of models or databases.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from longchain.agent.events import Mode
from longchain.agent.request import events as request_events
from longchain.agent.state import DocumentState, SectionState
from longchain.document import SectionPlan, WritingPlan
from longchain.errors import InputError, RunError
from longchain.length import check, read_required_length

SHORTER, LONGER = 2 / 3, 3 / 2
"""What a note that says `shorter` or `longer`, and no number, makes of a section's length."""

_SHORTER = re.compile(
    r"\b(?:short(?:er|en)|condense|trim|tighten|cut (?:it )?down|kürz|plus court|raccourci"
    r"|más cort|acort|più breve|mais curt)"
    r"|短く|短め|縮め|簡潔に|缩短|縮短|更短|短一[点些]|精简|줄여|짧게",
    re.IGNORECASE,
)
_LONGER = re.compile(
    r"\b(?:longer|lengthen|expand|länger|ausführlicher|plus long|rallonge|más larg|alarga"
    r"|più lung|mais long)"
    r"|長く|長め|詳しく|加长|加長|更长|长一[点些]|扩写|늘려|길게",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Change:
    """What is added to a log, and what a person is told of it."""

    events: list[Any] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def __add__(self, other: Change) -> Change:
        return Change(self.events + other.events, self.said + other.said)


def amended(
    progress: DocumentState,
    mode: Mode,
    *,
    instruction: str | None = None,
    length: int | None = None,
    style: str | None = None,
) -> Change:
    """Change what is asked for; sections that are written stay, the others follow the new wish.

    Raises:
        InputError: The new instruction or length cannot be used.
    """
    request = progress.request
    changed: dict[str, Any] = {}
    said: list[str] = []
    if instruction is not None and instruction.strip() != request["instruction"]:
        changed["instruction"] = instruction.strip()
        said.append("the instruction differs")
    if style is not None and style != request["style"]:
        changed["style"] = style
        said.append("the style differs")
    required = _length(progress, changed.get("instruction"), length)
    before = progress.request["required"] if progress.plan is None else progress.required
    if required is not None and required != before:
        changed["required"] = required
        said.append(f"the required length differs: {required:,} {progress.unit}")
    if not changed:
        return Change()
    if "instruction" in changed:
        request_events(changed["instruction"], mode=mode)  # refuses what cannot be written
    written = [index for index, draft in enumerate(progress.sections) if draft.done]
    fate = f"kept as written: {_sections(written)}; the rest follows"
    said.append(fate if written else "nothing is written yet, so all of it follows")
    if progress.plan is not None and "instruction" in changed:
        said.append("the plan stays: give another one to change it")
    return Change([{"type": "amend", "request": changed}], ["; ".join(said)])


def _length(progress: DocumentState, instruction: str | None, length: int | None) -> int | None:
    """Return the whole length that a person now asks for; None: as before."""
    if length is not None:
        return check(length)
    read = read_required_length(instruction) if instruction else None
    if read is None or read.unit != progress.unit:
        return None
    return check(read.target)


def replanned(progress: DocumentState, plan: Any, mode: Mode) -> Change:
    """Go on with another plan: a finished section stays where its heading and point are the same.

    Raises:
        InputError: The plan cannot be used.
    """
    open_to = {"length": None, "unit": None, "language": None}
    given = {**progress.request, **open_to, "plan": plan}
    request, planned = request_events(given, mode=mode)
    new = WritingPlan.model_validate(planned["plan"])
    if progress.plan is not None and _same(progress.plan, new):
        return Change()
    kept: list[int | None] = []
    used: set[int | None] = set()
    for section in new.sections:
        same = (i for i, draft in enumerate(progress.sections) if _key(draft.plan) == _key(section))
        kept.append(next((i for i in same if i not in used), None))
        used.add(kept[-1])
    event = {**planned, "note": "edited on the way", "kept": kept, "required": request["required"]}
    return Change([event], _fates(progress, new, kept))


def _same(before: WritingPlan, after: WritingPlan) -> bool:
    silent = {"language", "unit"}
    return before.model_dump(exclude=silent) == after.model_dump(exclude=silent)


def _key(section: SectionPlan) -> tuple[str, str]:
    return section.heading, section.main_point


def _fates(progress: DocumentState, plan: WritingPlan, kept: list[int | None]) -> list[str]:
    """Return what becomes of each section, in words."""
    sections = progress.sections
    stays = [new for new, old in enumerate(kept) if old is not None and sections[old].done]
    anew = [new for new, old in enumerate(kept) if old is None]
    gone = [i for i, draft in enumerate(sections) if draft.done and i not in kept]
    longer = [
        new
        for new in stays
        if (old := kept[new]) is not None and sections[old].plan.length != plan.sections[new].length
    ]
    said = ["the plan differs"]
    if stays:
        said.append(f"kept as written: {_sections(stays)}")
    if longer:
        said.append(f"of these, with another length than planned now: {_sections(longer)}")
    if anew:
        said.append(f"new or changed, and to be written: {_sections(anew)}")
    if gone:
        names = ", ".join(
            repr(sections[i].plan.heading or sections[i].plan.main_point[:40]) for i in gone
        )
        said.append(f"dropped, though finished: {names}")
    return ["; ".join(said)]


def reopened(progress: DocumentState, section: int) -> Change:
    """Have a section and all after it written again.

    Raises:
        RunError: There is no such section.
    """
    first = _index(progress, section)
    again = [i for i in range(first, len(progress.sections)) if _begun(progress.sections[i])]
    if not again:
        return Change()
    said = f"to be written again: {_sections(again)}"
    return Change([{"type": "reopen", "sections": again}], [said])


def replaced(progress: DocumentState, section: int, text: str) -> Change:
    """Put a person's text in the place of a section.

    Raises:
        RunError: There is no such section.
        InputError: The text is empty.
    """
    index = _index(progress, section)
    text = _without_heading(text, progress.sections[index].plan.heading)
    if not text:
        raise InputError(f"the text for section {section} is empty")
    length = progress.count(progress.heading(progress.sections[index])) + progress.count(text)
    event = {"type": "replace", "section": index, "text": text, "length": length}
    said = f"section {section} is the given text: {length:,} {progress.unit}"
    return Change([event], [said])


def rewritten(progress: DocumentState, section: int, text: str | None = None) -> Change:
    """Have all from a section on written again, or all after it where its text is given.

    Raises:
        RunError: There is no such section.
        InputError: The text is empty.
    """
    if text is None:
        return reopened(progress, section)
    given = replaced(progress, section, text)
    last = section == len(progress.sections)
    return given if last else given + reopened(progress, section + 1)


def revised(progress: DocumentState, section: int, note: str, length: int | None = None) -> Change:
    """Have a finished section changed, and keep all others.

    Args:
        progress: Where the document stands.
        section: The section's number.
        note: What to change, such as `shorter, less formal`.
        length: What the section should come to, heading included; None: what the note says, be it
            a number or `shorter`, else what it has.

    Raises:
        RunError: There is no such section, or it is not finished.
        InputError: The note is empty.
    """
    index, note = _index(progress, section), " ".join(note.split())
    published = progress.sections[index].published
    if not note:
        raise InputError(f"say what to change in section {section}")
    if not published.done:
        raise RunError(f"section {section} is not finished, so it cannot be revised yet")
    target = _target(progress, published, note, length)
    required = progress.request["required"]
    moved = target - published.length
    if abs(moved) > 0.1 * published.length and progress.required is not None:
        # Who wants a section shorter wants the whole shorter.
        required = max(progress.required + moved, 1)
    event = {
        "type": "revise",
        "section": index,
        "note": note,
        "length": target,
        "required": required,
    }
    said = f"section {section} will be revised to about {target:,} {progress.unit}: {note}"
    return Change([event], [said])


def _target(progress: DocumentState, draft: SectionState, note: str, length: int | None) -> int:
    if length is not None:
        return check(length)
    read = read_required_length(note)
    if read is not None and read.unit == progress.unit:
        return check(read.target)
    factor = SHORTER if _SHORTER.search(note) else LONGER if _LONGER.search(note) else 1.0
    return max(round(draft.length * factor), 1)


def _index(progress: DocumentState, section: int) -> int:
    """Return a section's index for the number that people give it."""
    if progress.plan is None:
        raise RunError("nothing is planned yet, so there are no sections to change")
    if not 1 <= section <= len(progress.sections):
        raise RunError(f"there is no section {section}: the document has {len(progress.sections)}")
    return section - 1


def _begun(draft: SectionState) -> bool:
    return bool(draft.done or draft.text or draft.calls or draft.revision)


def _without_heading(text: str, heading: str) -> str:
    """Return a section's text as it is kept: without the heading, which the layout puts there."""
    first, _, rest = text.strip().partition("\n")
    titled = first.lstrip("#").strip() == heading and bool(heading)
    return rest.strip() if titled else text.strip()


def _sections(indices: Iterable[int]) -> str:
    """Return sections as people count and name them: `sections 1-3 and 5`."""
    numbers = [index + 1 for index in indices]
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    names = [str(a) if a == b else f"{a}-{b}" for a, b in spans]
    listed = ", ".join(names[:-1]) + (" and " if names[1:] else "") + "".join(names[-1:])
    return f"section{'s' * (len(numbers) != 1)} {listed}"
