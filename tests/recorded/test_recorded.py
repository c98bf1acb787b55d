"""What 21eec33 did, this version does: the same prompts and documents, its runs and its plans."""

from __future__ import annotations

import gzip
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from longchain import Runs
from longchain.agent.planning import planfile
from longchain.apps.cli import app
from tests.recorded.old_runs import BOOK, continued, names
from tests.recorded.record import (
    CASES,
    ROOT,
    compared,
    differences,
    load,
    packed,
    record,
    save,
    unpacked,
)

HERE = Path(__file__).parent
OLD = "21eec33"
RECORDED = HERE / f"{OLD}.json.gz"
RUNS = {
    "revised": "done",
    "half": "stopped",
    "review": "review",
    "cited": "done",
    "cited-half": "stopped",
    "cited-fake": "done",
    "chapters": "stopped",
    "parallel": "stopped",
    "changed": "stopped",
    "forked": "done",
}
"""The runs of the old database."""

QUICK = (
    *("sequential-ja", "paper-summary-ja", "talk-en", "repeats-en", "open-loop-parallel-ko"),
    *("context-grounded-en", "runs-revise-en"),
)
"""Cases that take no time; the others are compared by `record.py --check`."""


@pytest.fixture(scope="module")
def expected() -> Any:
    return unpacked(load(RECORDED))


# The recording ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", QUICK)
def test_a_recorded_run_is_as_it_was(
    name: str, expected: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    same = compared(expected, [name])
    printed = capsys.readouterr().out
    assert same, printed
    assert printed == "1 of 1 recorded runs are identical\n"


def test_all_cases_are_recorded(expected: Any) -> None:
    assert set(expected) == set(CASES)
    assert len(expected) == 40
    for one in expected.values():
        assert one["prompts"]
        assert one["documents"] or one["facts"]


def test_a_difference_is_found_and_shown(expected: Any, capsys: pytest.CaptureFixture[str]) -> None:
    changed = {"talk-en": json.loads(json.dumps(expected["talk-en"]))}
    changed["talk-en"]["documents"][0]["length"] += 1
    changed["talk-en"]["prompts"][1]["messages"][0]["content"] += " Quickly."
    changed["talk-en"]["wording"] = []
    assert not compared(changed)
    printed = capsys.readouterr().out
    assert "talk-en: .documents[0].length\n  was: " in printed
    assert "talk-en: .prompts[1].messages[0].content\n  was: (from character " in printed
    assert printed.endswith("1 of 1 recorded runs differ\n")


def test_a_recording_reads_back_and_is_always_the_same(tmp_path: Path) -> None:
    played = record(["given-plan-styled-de"])
    for number in (1, 2):
        save(packed(played), tmp_path / f"{number}.json.gz")
        assert unpacked(load(tmp_path / f"{number}.json.gz")) == played
    assert (tmp_path / "1.json.gz").read_bytes() == (tmp_path / "2.json.gz").read_bytes()


def test_nothing_recorded_names_a_machine() -> None:
    for path in HERE.glob(f"{OLD}*"):
        data = path.read_bytes()
        text = gzip.decompress(data) if path.suffix == ".gz" else data
        for place in (ROOT, Path.home(), Path(tempfile.gettempdir())):
            assert f"{place}/".encode() not in text, path.name


# The database ----------------------------------------------------------------------------------


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LONGCHAIN_STATE", str(tmp_path / "nowhere"))
    return Path(shutil.copy(HERE / f"{OLD}-runs.db", tmp_path / "runs.db"))


@pytest.fixture
def runs(database: Path) -> Iterator[Runs]:
    with Runs(database) as opened:
        yield opened


@pytest.fixture(scope="module")
def outcomes() -> Any:
    return load(HERE / f"{OLD}-runs.json.gz")


def test_old_runs_are_listed(runs: Runs) -> None:
    assert {name: runs.record(name).status for name in names(runs)} == RUNS


@pytest.mark.parametrize("name", RUNS)
def test_an_old_run_goes_on_as_it_would_have(name: str, runs: Runs, outcomes: Any) -> None:
    """Shown, resumed to its end, revised and forked: each with the document that 21eec33 made."""
    before = runs.get(name).document()
    found = continued(runs, name)
    assert list(differences(outcomes[name], found))[:3] == []
    kept = [section.text for section in before.sections if name != "changed"]
    assert [section["text"] for section in found["after"]["sections"]][: len(kept)] == kept
    assert found["after"]["report"]["finished"]
    assert runs.record(f"{name}-fork").parent == name


# The command line ------------------------------------------------------------------------------


def typed(*arguments: str) -> Result:
    result = CliRunner().invoke(app, arguments)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_old_runs_are_listed_by_command(database: Path) -> None:
    lines = typed("runs", "--state", str(database)).stdout.splitlines()
    assert {line.split()[0]: line.split()[1] for line in lines} == RUNS


@pytest.mark.parametrize("name", RUNS)
def test_an_old_run_is_shown_and_exported_by_command(
    name: str, database: Path, tmp_path: Path, outcomes: Any
) -> None:
    shown = typed("runs", "show", name, "--state", str(database))
    assert f"status: {RUNS[name]}\n" in shown.stdout
    for suffix in ("md", "json"):
        output = str(tmp_path / f"out.{suffix}")
        assert typed("export", name, "-o", output, "--state", str(database)).exit_code == 0
    before = outcomes[name]["before"]
    assert (tmp_path / "out.md").read_text(encoding="utf-8") == before["text"]
    document = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert document["plan"] == before["plan"]
    assert document["usage"] == before["usage"]


def test_an_old_run_is_resumed_by_command(database: Path, outcomes: Any) -> None:
    """One that the offline writer wrote: nothing has to be handed over."""
    state = ("--state", str(database), "--max-calls", "200", "--quiet")
    result = typed("resume", "cited-half", *state)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == outcomes["cited-half"]["after"]["text"]


# Plan files ------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["yaml", "json", "md"])
def test_an_old_plan_file_is_read_and_written_as_it_was(form: str, tmp_path: Path) -> None:
    old = HERE / f"{OLD}-plan.{form}"
    plan = planfile.load(old)
    assert plan == BOOK
    new = tmp_path / f"plan.{form}"
    planfile.save(plan, new)
    assert new.read_bytes() == old.read_bytes()
    assert planfile.load(new) == plan
