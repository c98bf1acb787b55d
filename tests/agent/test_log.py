"""Records of the log and their events, also of logs that 21eec33 has written."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from longchain import Runs
from longchain.agent.events import (
    PlanFailed,
    Planned,
    Reopened,
    ReplyProblem,
    ReplyStored,
    Request,
    Summarized,
)
from longchain.agent.finishing.report import build_document
from longchain.agent.log import append_events, read_event, to_record
from longchain.agent.state import DocumentState
from longchain.document import Usage
from longchain.length import LengthDecision

OLD = Path(__file__).parents[1] / "recorded" / "21eec33-runs.db"
NEW_FIELDS = {"origin", "accepted", "unknown_citations"}
LEFT_OUT: tuple[Any, ...] = ("", [], {}, None)
"""Values that need not be stored: they are the defaults."""

REQUEST: dict[str, Any] = {
    "type": "request", "instruction": "Describe the harbor.", "required": None, "unit": "words",
    "language": "en", "style": "", "context": [], "sources": [],
}  # fmt: skip
PLAN: dict[str, Any] = {
    "type": "plan",
    "plan": {"sections": [{"heading": f"Pier {n}", "length": 70} for n in (1, 2)]},
    "note": "given",
    "usage": {},
}


def piece(**fields: Any) -> dict[str, Any]:
    """A reply as 21eec33 has stored it."""
    return {
        "type": "piece", "section": 0, "kind": "write", "asked": 70, "got": 70, "keep": 0,
        "text": "Prose.", "lead": "", "length": 70, "thrown": 0, "notes": [],
        "next": {"action": "keep", "length": 0, "least": 0},
        "usage": {"calls": 1, "input_tokens": 9, "output_tokens": 9, "cached_tokens": 0},
        **fields,
    }  # fmt: skip


@pytest.fixture(scope="module")
def old_logs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, list[Any]]]:
    with Runs(Path(shutil.copy(OLD, tmp_path_factory.mktemp("old") / "runs.db"))) as runs:
        yield {record.id: runs.get(record.id).log() for record in runs.list()}


# Old logs --------------------------------------------------------------------------------------


def test_old_records_keep_their_names_and_values(old_logs: dict[str, list[Any]]) -> None:
    records = [record for log in old_logs.values() for record in log]
    assert {record["type"] for record in records} == {
        *("request", "survey", "plan", "references", "piece", "summary"),
        *("amend", "reopen", "revise", "replace"),
    }
    for record in records:
        stored = to_record(read_event(record))
        added = {name for name in stored if name not in record}
        assert added <= NEW_FIELDS
        missing = {name: record[name] for name in record if name not in stored}
        assert all(value in LEFT_OUT for value in missing.values()), missing
        for name in stored.keys() & record.keys() - {"plan", "sections", "usage"}:
            assert stored[name] == record[name]


def test_the_origin_of_an_old_plan_is_derived(old_logs: dict[str, list[Any]]) -> None:
    origins = {
        name: [event.origin for event in map(read_event, log) if isinstance(event, Planned)]
        for name, log in old_logs.items()
    }
    assert origins["revised"] == ["given"]
    assert origins["cited"] == ["planner"]
    assert origins["changed"] == ["planner", "edited"]
    assert {name: DocumentState(log).plan_origin for name, log in old_logs.items()} == {
        name: chosen[0] for name, chosen in origins.items()
    }


@pytest.mark.parametrize(
    ("record", "origin"),
    [
        ({**PLAN, "note": "not needed"}, "direct"),
        ({**PLAN, "note": "edited in review", "required": None}, "edited"),
        ({**PLAN, "note": "waited out: rate limit"}, "planner"),
        ({**PLAN, "note": "edited in review", "origin": "planner"}, "planner"),
    ],
)
def test_the_origin_of_a_plan(record: dict[str, Any], origin: str) -> None:
    event = read_event(record)
    assert isinstance(event, Planned)
    assert event.origin == origin


def test_old_removed_citations_are_counted(old_logs: dict[str, list[Any]]) -> None:
    state = DocumentState(old_logs["cited-fake"])
    notes = [note for section in state.sections for note in section.notes]
    assert notes.count("unknown citations removed: 99") == 3
    assert build_document(state).report["citations"]["removed"] == 3


def test_an_old_accepted_problem_counts_for_later_sections() -> None:
    notes = ["accepted: wrong language (de)", "unknown citations removed: 7, 12", "extended"]
    event = read_event(piece(notes=notes))
    assert isinstance(event, ReplyStored)
    assert event.accepted_problem == ReplyProblem("wrong language", language="de")
    assert event.unknown_citations == [7, 12]
    state = DocumentState([REQUEST, PLAN, piece(notes=notes)])
    assert state.sections[0].accepted_problems == [ReplyProblem("wrong language", language="de")]


def test_old_rejected_replies_are_counted() -> None:
    rejected = piece(
        got=0, text="", length=0, problem="repeats section 2",
        notes=["reply not used: repeats section 2"],
        next={"action": "ask", "length": 70, "least": 0, "problem": "repeats section 2"},
    )  # fmt: skip
    event = read_event(rejected)
    assert isinstance(event, ReplyStored)
    assert event.problem == ReplyProblem("repeats section", section=2)
    assert event.decision == LengthDecision("ask", 70)
    assert to_record(event)["next"] == rejected["next"]
    state = DocumentState([REQUEST, PLAN, rejected, piece(), piece(section=1)])
    assert build_document(state).report["calls"]["retries"] == 1
    state.add([{"type": "revise", "section": 0, "note": "x", "length": 70, "required": None}])
    assert state.sections[0].rejected_replies == 1
    state.add([{"type": "reopen", "sections": [0]}])
    assert state.sections[0].rejected_replies == 0


# New records -----------------------------------------------------------------------------------


def test_typed_fields_are_stored() -> None:
    event = ReplyStored(
        section=0,
        kind="write",
        requested=70,
        reply_length=71,
        kept_chars=0,
        text="Prose [1].",
        section_length=71,
        discarded=0,
        decision=LengthDecision("keep"),
        accepted_problem=ReplyProblem("repeats itself"),
        unknown_citations=[99],
        notes=["in any words"],
        usage=Usage(calls=1),
    )
    record = to_record(event)
    assert (record["got"], record["accepted"]) == (71, "repeats itself")
    assert record["unknown_citations"] == [99]
    assert read_event(record) == event


def test_a_required_length_is_stored_with_an_edited_plan_only() -> None:
    event = read_event({**PLAN, "required": None, "kept": [0, None]})
    assert isinstance(event, Planned)
    stored = to_record(event)
    assert (stored["required"], stored["kept"], stored["origin"]) == (None, [0, None], "edited")
    assert "required" not in to_record(read_event(PLAN))


def test_what_kind_of_plan_a_record_is() -> None:
    failed = {"type": "plan", "failed": "?", "error": "no sections", "usage": {"calls": 1}}
    assert read_event(failed) == PlanFailed(reply="?", error="no sections", usage=Usage(calls=1))
    assert to_record(read_event(failed))["failed"] == "?"


def test_a_new_request_begins_the_log_anew() -> None:
    event = read_event(REQUEST)
    assert isinstance(event, Request)
    assert to_record(event) == REQUEST
    summary = to_record(Summarized(text="So far.", end=1, usage=Usage(calls=1)))
    assert (summary["type"], summary["upto"]) == ("summary", 1)
    log = append_events([REQUEST, PLAN], [[summary], [REQUEST, PLAN]])
    assert log == [REQUEST, PLAN]
    reopened = to_record(Reopened(sections=[0]))
    assert append_events(log, [[reopened]]) == [REQUEST, PLAN, reopened]


@pytest.mark.parametrize(
    "text",
    [
        *("empty", "refusal", "loop", "no whole sentence", "repeats itself"),
        *("wrong language (zh)", "repeats section 12", "a problem of tomorrow"),
    ],
)
def test_a_problem_in_words(text: str) -> None:
    problem = ReplyProblem.parse(text)
    assert str(problem) == text
    assert problem.acceptable == text.startswith(("wrong", "repeats"))
