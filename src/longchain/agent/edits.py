"""Edits: changes by the user to a document that has been started.

`DocumentState` + an edit -> `Change`: records for the log, and messages on their effects

Keeps finished text wherever it can, and names what it cannot keep. Sections are numbered from 1.
Knows logs and plans; does not know models or databases.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from longchain.agent.events import Amended, Event, Mode, Reopened, Replaced, Revised
from longchain.agent.log import Record, to_record
from longchain.agent.planning.requests import read_edited_plan
from longchain.agent.request import start_log
from longchain.agent.section import SectionState
from longchain.agent.state import DocumentState
from longchain.document import SectionPlan, WritingPlan
from longchain.errors import InputError, RunError
from longchain.length import check, read_required_length

SHORTER_FACTOR, LONGER_FACTOR = 2 / 3, 3 / 2
"""Factors on a section's length for a note that says `shorter` or `longer` without a number."""

LENGTH_TOLERANCE = 0.1
"""Relative change of a section's length up to which the document's required length stays."""

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
    """The records that an edit adds to a log, and messages on its effects."""

    events: list[Record] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    def __add__(self, other: Change) -> Change:
        return Change(self.events + other.events, self.messages + other.messages)


def _change(event: Event, *messages: str) -> Change:
    return Change([to_record(event)], list(messages))


def amend(
    state: DocumentState,
    mode: Mode,
    *,
    instruction: str | None = None,
    length: int | None = None,
    style: str | None = None,
) -> Change:
    """Change the request; finished sections stay, the others follow the new request.

    Raises:
        InputError: The new instruction or length cannot be used.
    """
    changes, messages = _changed_fields(state, instruction, length, style)
    if not changes:
        return Change()
    if "instruction" in changes:
        start_log(changes["instruction"], mode=mode)  # raises if it cannot be written
    finished = [index for index, section in enumerate(state.sections) if section.done]
    if finished:
        messages.append(f"kept as written: {_name_sections(finished)}; the rest follows")
    else:
        messages.append("nothing is written yet, so all of it follows")
    if state.plan is not None and "instruction" in changes:
        messages.append("the plan stays: give another one to change it")
    return _change(Amended(changes=changes), "; ".join(messages))


def _changed_fields(
    state: DocumentState, instruction: str | None, length: int | None, style: str | None
) -> tuple[dict[str, Any], list[str]]:
    """Return the changed fields of the request, and a message for each."""
    request = state.request
    changes: dict[str, Any] = {}
    messages: list[str] = []
    if instruction is not None and instruction.strip() != request.instruction:
        changes["instruction"] = instruction.strip()
        messages.append("the instruction differs")
    if style is not None and style != request.style:
        changes["style"] = style
        messages.append("the style differs")
    required = _required_length(state, changes.get("instruction"), length)
    before = request.required if state.plan is None else state.required
    if required is not None and required != before:
        changes["required"] = required
        messages.append(f"the required length differs: {required:,} {state.unit}")
    return changes, messages


def _required_length(
    state: DocumentState, instruction: str | None, length: int | None
) -> int | None:
    """Return the new required length of the document; None if it does not change."""
    if length is not None:
        return check(length)
    if not instruction:
        return None
    read = read_required_length(instruction)
    if read is None or read.unit != state.unit:
        return None
    return check(read.target)


def replan(state: DocumentState, plan: Any, mode: Mode) -> Change:
    """Replace the plan; a finished section stays if its heading and main point are the same.

    Raises:
        InputError: The plan cannot be used.
    """
    edited = read_edited_plan(state, plan, mode, note="edited on the way")
    if state.plan is not None and _is_same_plan(state.plan, edited.plan):
        return Change()
    matches = _match_sections(state.sections, edited.plan)
    return _change(
        dataclasses.replace(edited, kept_sections=matches),
        _effects(state, edited.plan, matches),
    )


def _match_sections(sections: list[SectionState], plan: WritingPlan) -> list[int | None]:
    """Return for each section of a plan the index of the written section that it keeps."""
    unused: dict[tuple[str, str], list[int]] = {}
    for index, section in enumerate(sections):
        unused.setdefault(_identity(section.plan), []).append(index)
    matches: list[int | None] = []
    for planned in plan.sections:
        candidates = unused.get(_identity(planned))
        matches.append(candidates.pop(0) if candidates else None)
    return matches


def _is_same_plan(before: WritingPlan, after: WritingPlan) -> bool:
    not_compared = {"language", "unit"}
    return before.model_dump(exclude=not_compared) == after.model_dump(exclude=not_compared)


def _identity(section: SectionPlan) -> tuple[str, str]:
    return section.heading, section.main_point


def _effects(state: DocumentState, plan: WritingPlan, matches: list[int | None]) -> str:
    """Return a message on the effects of another plan on each section."""
    unchanged, resized, new = [], [], []
    for index, old in enumerate(matches):
        if old is None:
            new.append(index)
        elif state.sections[old].done:
            unchanged.append(index)
            if state.sections[old].plan.length != plan.sections[index].length:
                resized.append(index)
    effects = {
        "kept as written": unchanged,
        "of these, with another length than planned now": resized,
        "new or changed, and to be written": new,
    }
    messages = ["the plan differs"]
    for effect, indices in effects.items():
        if indices:
            messages.append(f"{effect}: {_name_sections(indices)}")
    if dropped := _dropped_sections(state, matches):
        messages.append(f"dropped, though finished: {', '.join(dropped)}")
    return "; ".join(messages)


def _dropped_sections(state: DocumentState, matches: list[int | None]) -> list[str]:
    """Return the names of finished sections that a plan does not keep."""
    return [
        repr(section.plan.heading or section.plan.main_point[:40])
        for index, section in enumerate(state.sections)
        if section.done and index not in matches
    ]


def reopen(state: DocumentState, section: int) -> Change:
    """Have a section and all after it written anew.

    Raises:
        RunError: There is no such section.
    """
    first = _index(state, section)
    started = [i for i in range(first, len(state.sections)) if state.sections[i].started]
    if not started:
        return Change()
    return _change(Reopened(sections=started), f"to be written again: {_name_sections(started)}")


def replace(state: DocumentState, section: int, text: str) -> Change:
    """Replace the text of a section by the user's.

    Raises:
        RunError: There is no such section.
        InputError: The text is empty.
    """
    index = _index(state, section)
    old = state.sections[index]
    text = _strip_heading(text, old.plan.heading)
    if not text:
        raise InputError(f"the text for section {section} is empty")
    length = old.heading_length + state.count(text)
    return _change(
        Replaced(section=index, text=text, length=length),
        f"section {section} is the given text: {length:,} {state.unit}",
    )


def rewrite(state: DocumentState, section: int, text: str | None = None) -> Change:
    """Have a section and all after it written anew; with a text, only those after it.

    Raises:
        RunError: There is no such section.
        InputError: The text is empty.
    """
    if text is None:
        return reopen(state, section)
    change = replace(state, section, text)
    if section == len(state.sections):
        return change
    return change + reopen(state, section + 1)


def revise(state: DocumentState, section: int, note: str, length: int | None = None) -> Change:
    """Have a finished section changed, and keep all others.

    Args:
        state: The document.
        section: The section's number.
        note: The change, such as `shorter, less formal`.
        length: The section's new length, heading included; None: from the note, be it a number
            or `shorter`, else as it is.

    Raises:
        RunError: There is no such section, or it is not finished.
        InputError: The note is empty.
    """
    index = _index(state, section)
    note = " ".join(note.split())
    published = state.sections[index].published
    if not note:
        raise InputError(f"say what to change in section {section}")
    if not published.done:
        raise RunError(f"section {section} is not finished, so it cannot be revised yet")
    target = _revised_length(state, published, note, length)
    required = state.request.required
    difference = target - published.length
    if abs(difference) > LENGTH_TOLERANCE * published.length and state.required is not None:
        # A shorter section means a shorter document, not longer other sections.
        required = max(state.required + difference, 1)
    return _change(
        Revised(section=index, note=note, length=target, required=required),
        f"section {section} will be revised to about {target:,} {state.unit}: {note}",
    )


def _revised_length(
    state: DocumentState, section: SectionState, note: str, length: int | None
) -> int:
    """Return the target length of a revision."""
    if length is not None:
        return check(length)
    read = read_required_length(note)
    if read is not None and read.unit == state.unit:
        return check(read.target)
    factor = 1.0
    if _SHORTER.search(note):
        factor = SHORTER_FACTOR
    elif _LONGER.search(note):
        factor = LONGER_FACTOR
    return max(round(section.length * factor), 1)


def _index(state: DocumentState, section: int) -> int:
    """Return the index of a section by its number."""
    if state.plan is None:
        raise RunError("nothing is planned yet, so there are no sections to change")
    if not 1 <= section <= len(state.sections):
        raise RunError(f"there is no section {section}: the document has {len(state.sections)}")
    return section - 1


def _strip_heading(text: str, heading: str) -> str:
    """Return a section's text without its heading, which the document adds itself."""
    text = text.strip()
    first, _, rest = text.partition("\n")
    if heading and first.lstrip("#").strip() == heading:
        return rest.strip()
    return text


def _name_sections(indices: Iterable[int]) -> str:
    """Return sections by their numbers, such as `sections 1-3 and 5`."""
    spans: list[list[int]] = []
    for index in indices:
        number = index + 1
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    names = [str(first) if first == last else f"{first}-{last}" for first, last in spans]
    if names == [str(spans[0][0])]:
        return f"section {names[0]}"
    *leading, last_name = names
    if leading:
        return f"sections {', '.join(leading)} and {last_name}"
    return f"sections {last_name}"
