"""What callers hand in -> the first events of a log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from longchain import AgentWriteChain, SectionPlan, WritingPlan
from longchain.agent.request import events
from longchain.errors import InputError, LengthError, SourceError
from longchain.testing import FakeWriter

PLAN = WritingPlan(sections=[SectionPlan(main_point="All of it", length=1_000)])


def request(given: Any) -> dict[str, Any]:
    return dict(events(given, mode="sequential")[0])


@pytest.mark.parametrize(
    ("given", "required", "unit", "language"),
    [
        ("Write a 2,000-word report on tides.", 2_000, "words", "en"),
        ("潮汐について2万字で書いてください。", 20_000, "characters", "ja"),
        ("写一篇1500字的文章。", 1_500, "characters", "zh"),
        ("Write about tides.", None, "words", "en"),
        ("潮汐について書いてください。", None, "characters", "ja"),
        ({"instruction": "Write 500 words.", "length": 800}, 800, "words", "en"),
        ({"instruction": "潮汐について", "length": 800}, 800, "characters", "ja"),
        ({"instruction": "Tides", "length": 800, "unit": "characters"}, 800, "characters", "en"),
        ({"instruction": "Tides", "language": "de"}, None, "words", "de"),
        ({"instruction": "Write 300 words.", "plan": PLAN}, 1_000, "words", "en"),
        ({"instruction": "x", "plan": PLAN, "length": 1_050}, 1_050, "words", "en"),
        ([HumanMessage("Write 700 words.")], 700, "words", "en"),
    ],
)
def test_the_length_is_explicit_planned_read_or_open(
    given: Any, required: int | None, unit: str, language: str
) -> None:
    made = request(given)
    assert (made["required"], made["unit"], made["language"]) == (required, unit, language)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ("", InputError, "empty"),
        ("  \n", InputError, "empty"),
        ({"instruction": ""}, InputError, "empty"),
        (42, InputError, "not int"),
        ({"instruction": "x", "length": 0}, LengthError, "0 cannot be written"),
        ({"instruction": "x", "length": -3}, LengthError, "-3 cannot be written"),
        ({"instruction": "x", "length": 2_000_001}, LengthError, "2,000,001"),
        ({"instruction": "x", "length": "long"}, LengthError, "'long'"),
        ("Write 3,000,000 words.", LengthError, "3,000,000"),
        ({"instruction": "x", "unit": "pages"}, InputError, "'pages'"),
        ({"instruction": "x", "language": "klingon"}, InputError, "'klingon'"),
        ({"instruction": "x", "plan": {"sections": []}}, InputError, "no sections"),
        ({"instruction": "x", "plan": {"parts": []}}, InputError, "parts"),
        ({"instruction": "x", "plan": PLAN, "length": 2_000}, LengthError, "adds up to 1,000"),
        ({"instruction": "x", "plan": PLAN, "unit": "characters"}, LengthError, "counts words"),
        ({"instruction": "x", "sources": ["no/such/file.md"]}, SourceError, "no/such/file.md"),
        ({"instruction": "x", "context": 42}, InputError, "context"),
    ],
)
def test_what_cannot_be_written_is_refused_before_the_first_call(
    given: Any, error: type[Exception], message: str
) -> None:
    writer = FakeWriter()
    with pytest.raises(error, match=message):
        AgentWriteChain(writer).invoke(given)
    assert writer.calls == 0


def test_a_given_plan_within_a_tenth_of_the_length_is_rescaled() -> None:
    plan = events({"instruction": "x", "plan": PLAN, "length": 1_080}, mode="sequential")[1]
    assert plan["plan"]["sections"][0]["length"] == 1_080


def test_local_sources_can_be_switched_off(tmp_path: Path) -> None:
    secret = tmp_path / "secret.md"
    secret.write_text("Secret.")
    given = {"instruction": "x", "sources": [str(secret)]}
    with pytest.raises(InputError, match="no local sources"):
        AgentWriteChain(FakeWriter(), local_sources=False).invoke(given)


def test_unknown_fields_are_a_graph_around_it_and_no_mistake() -> None:
    assert request({"instruction": "Write 500 words.", "messages": []})["required"] == 500
