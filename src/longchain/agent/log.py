"""The log of a document as it is stored: JSON-plain records, one per event.

record <-> event; log + records -> log

The only module that knows the names in checkpoints and in users' databases. They never change;
events are renamed in Python only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, asdict, fields
from typing import Any

from longchain.agent.events import (
    Amended,
    ChapterPlanned,
    Event,
    PlanFailed,
    Planned,
    PlanReviewed,
    Reopened,
    Replaced,
    ReplyProblem,
    ReplyStored,
    Request,
    Retrieved,
    Revised,
    Summarized,
    Surveyed,
)
from longchain.document import Reference, SectionPlan, Usage, WritingPlan
from longchain.length import LengthDecision

Record = dict[str, Any]
"""One event as it is stored; `type` names its kind."""

_TYPES: dict[type[Event], str] = {
    Request: "request",
    Surveyed: "survey",
    Planned: "plan",
    ChapterPlanned: "plan",
    PlanFailed: "plan",
    PlanReviewed: "review",
    Retrieved: "references",
    ReplyStored: "piece",
    Summarized: "summary",
    Amended: "amend",
    Reopened: "reopen",
    Revised: "revise",
    Replaced: "replace",
}
_CLASSES = {stored: event for event, stored in _TYPES.items() if stored != "plan"}

_NAMES: dict[type[Event], dict[str, str]] = {
    Planned: {"kept_sections": "kept"},
    PlanFailed: {"reply": "failed"},
    Retrieved: {"references": "ids", "new_references": "new"},
    ReplyStored: {
        "requested": "asked",
        "reply_length": "got",
        "kept_chars": "keep",
        "leading_heading": "lead",
        "section_length": "length",
        "discarded": "thrown",
        "decision": "next",
        "accepted_problem": "accepted",
    },
    Summarized: {"end": "upto"},
    Amended: {"changes": "request"},
}
"""Stored names of the attributes whose names differ."""


def _read_decision(stored: Mapping[str, Any]) -> LengthDecision:
    return LengthDecision(stored["action"], stored["length"], stored["least"])


_Conversion = Callable[[Any], Any]
_CONVERSIONS: dict[tuple[type[Event], str], tuple[_Conversion, _Conversion]] = {
    (Planned, "plan"): (WritingPlan.model_validate, WritingPlan.model_dump),
    (ChapterPlanned, "sections"): (
        lambda stored: [SectionPlan.model_validate(section) for section in stored],
        lambda sections: [section.model_dump() for section in sections],
    ),
    (Retrieved, "new_references"): (
        lambda stored: [Reference.model_validate(reference) for reference in stored],
        lambda references: [reference.model_dump() for reference in references],
    ),
    (ReplyStored, "decision"): (_read_decision, asdict),
    (ReplyStored, "problem"): (ReplyProblem.parse, str),
    (ReplyStored, "accepted_problem"): (ReplyProblem.parse, str),
}
"""How to read and to write the attributes that are not JSON-plain."""

_USAGE: tuple[_Conversion, _Conversion] = (Usage.model_validate, Usage.model_dump)
_PLAIN: tuple[_Conversion, _Conversion] = (lambda stored: stored, lambda value: value)


def _default(attribute: Field[Any]) -> Any:
    """Return an attribute's default; `MISSING` if it must always be given."""
    if attribute.default_factory is not MISSING:
        return attribute.default_factory()
    return attribute.default


def _mapping(event: type[Event]) -> list[tuple[str, str, Any, _Conversion, _Conversion]]:
    """Return attribute, stored name, default, reader and writer of each attribute of an event."""
    names = _NAMES.get(event, {})
    rows = []
    for attribute in fields(event):
        name = attribute.name
        conversion = _USAGE if name == "usage" else _CONVERSIONS.get((event, name), _PLAIN)
        rows.append((name, names.get(name, name), _default(attribute), *conversion))
    return rows


_MAPPINGS = {event: _mapping(event) for event in _TYPES}


def read_event(record: Record) -> Event:
    """Return the event of a record, also of one that an earlier version has stored."""
    record = _add_missing_fields(record)
    event = _class_of(record)
    values = {}
    for name, stored, _, read, _ in _MAPPINGS[event]:
        if stored in record:
            values[name] = read(record[stored])
    return event(**values)


def to_record(event: Event) -> Record:
    """Return an event as it is stored; attributes at their defaults are left out."""
    record: Record = {"type": _TYPES[type(event)]}
    for name, stored, default, _, write in _MAPPINGS[type(event)]:
        value = getattr(event, name)
        if value != default:
            record[stored] = write(value)
    if isinstance(event, ReplyStored) and event.problem is not None:
        record["next"]["problem"] = record["problem"]
    if isinstance(event, Planned) and event.origin == "edited":
        record["required"] = event.required
    return record


def _class_of(record: Record) -> type[Event]:
    """Return an event's class; the type `plan` stands for three of them."""
    if record["type"] != "plan":
        return _CLASSES[record["type"]]
    if "failed" in record:
        return PlanFailed
    return Planned if "plan" in record else ChapterPlanned


def _add_missing_fields(record: Record) -> Record:
    """Return a record with the fields that version 0.1 did not store, derived from its notes."""
    match record["type"]:
        case "plan" if "plan" in record and "origin" not in record:
            return {**record, "origin": _origin_of(record)}
        case "piece" if record["notes"] and "accepted" not in record:
            return {**record, **_outcome_of(record["notes"])}
    return record


def _origin_of(record: Record) -> str:
    if "required" in record:
        return "edited"
    return {"given": "given", "not needed": "direct"}.get(record.get("note", ""), "planner")


def _outcome_of(notes: Sequence[str]) -> Record:
    """Return the accepted problem and the removed citations that notes speak of."""
    outcome: Record = {}
    for note in notes:
        name, _, detail = note.partition(": ")
        if name == "accepted":
            outcome["accepted"] = detail
        elif name == "unknown citations removed":
            outcome["unknown_citations"] = [int(number) for number in detail.split(", ")]
    return outcome


def append_events(log: list[Record], updates: Sequence[list[Record]]) -> list[Record]:
    """Append records to the log (the reducer of its channel); a new request starts it anew."""
    whole = list(log)
    for records in updates:
        for record in records:
            if record["type"] == "request":
                whole = []
            whole.append(record)
    return whole
