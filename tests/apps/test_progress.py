"""Progress of a run on stderr, and the finished sections of a run that stops early."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from langchain_core.exceptions import ModelRateLimitError

from longchain import Runs, SectionPlan, WritingPlan
from longchain.apps import progress
from longchain.testing import FakeWriter

TIDE = (
    "The moon pulls the sea towards it. Twice a day the water climbs the beach and falls back. "
    "The sun has a smaller part in this. When both stand in one line, the range is widest, and "
    "sailors speak of springs. A week later they work against each other. Narrow bays squeeze "
    "the wave and lift it higher than any open shore."
)
COAST = (
    "Harbors keep records of high water. A clerk writes the hour and the mark on a board. Ships "
    "wait for depth before they enter. Pilots know every bar of sand and every light on the pier. "
    "Fishermen leave at night and return with the flood, when the quay can be reached."
)
PARTS = [SectionPlan(heading=name, main_point=name, length=60) for name in ("Causes", "Coasts")]
GIVEN = {"instruction": "Tides", "plan": WritingPlan(sections=PARTS).model_dump()}


def stopped(output: Path | None) -> None:
    writer = FakeWriter(replies=[TIDE, RuntimeError("broken")])
    with Runs() as runs, pytest.raises(RuntimeError, match="broken"):
        progress.write(runs.start(GIVEN, model=writer), quiet=True, rescue=output)


def test_finished_sections_go_beside_the_output(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stopped(Path("tides.md"))
    assert os.listdir(here) == ["tides.md.partial.md"]
    assert TIDE in Path("tides.md.partial.md").read_text(encoding="utf-8")
    assert capsys.readouterr().out == ""


def test_finished_sections_are_printed_where_they_cannot_be_saved(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And what went wrong with the model is still what is raised."""
    stopped(Path(f"{'a' * 245}.md"))
    told = capsys.readouterr()
    assert TIDE in told.out
    assert "the finished sections are on standard output" in told.err
    assert "File name too long" in told.err
    assert os.listdir(here) == []


def test_a_closed_terminal_hides_no_error(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object, **__: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("builtins.print", gone)
    stopped(here / "no" / "tides.md")


def test_a_rate_limit_that_is_waited_out_is_shown(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    writer = FakeWriter(replies=[TIDE, ModelRateLimitError("slow down"), COAST])
    with Runs() as runs:
        run = runs.start(GIVEN, model=writer)
        run.chain.stages.policy.retries.__dict__["first_pause"] = 0.01
        progress.write(run, quiet=False, rescue=None)
    assert "waiting: section 2: rate limit, again in 0 s" in capsys.readouterr().err
