"""`resume`, `revise`, `fork`, `export`, `runs` and --edit-plan, as a user types them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.sqlite import SqliteSaver
from typer.testing import Result

from longchain import Runs
from longchain.agent.planning import planfile
from longchain.testing import SimulatedServer
from tests.apps.commands import COMMAND, HEADINGS, PLAN, at, run

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.allow_hosts(["127.0.0.1"]),
    pytest.mark.usefixtures("here", "plan"),
]


def written(server: SimulatedServer, *more: str) -> Result:
    given = ("write", "Tides", "--plan", "plan.yaml", "--run", "tides", *at(server))
    return run(*given, *more)


def stopped(server: SimulatedServer, *more: str) -> Result:
    result = written(server, "--max-calls", "2", *more)
    assert result.exit_code == 3
    return result


def headings(text: str) -> list[str]:
    return [line[3:] for line in text.splitlines() if line.startswith("## ")]


@contextmanager
def slow(*more: str, seen: str, tokens: int = 60) -> Iterator[tuple[Any, SimulatedServer]]:
    """The installed command against a slow server, when it has told what is waited for."""
    given = (COMMAND, "write", "Tides", "--plan", "plan.yaml", "--run", "tides", *more)
    with (
        SimulatedServer(tokens_per_second=tokens) as server,
        subprocess.Popen([*given, *at(server)], stderr=subprocess.PIPE, text=True) as process,
    ):
        assert process.stderr is not None
        if seen == "asked":
            while server.stats.requests == 0:
                time.sleep(0.01)
        else:
            assert any(line.startswith(seen) for line in process.stderr)
        yield process, server


# Killed, and gone on with ----------------------------------------------------------------------


def test_a_killed_run_is_listed_shown_exported_and_resumed(here: Path, plan: Path) -> None:
    # The second section would take 40 seconds: longer than all that is typed meanwhile.
    plan.write_text(PLAN.replace("estuaries, length: 60", "estuaries, length: 600"))
    with slow("-o", "tides.md", seen="[1/3]", tokens=20) as (process, server):
        held = run("runs")
        assert re.match(r"tides +writing +1/3 ", held.stdout)
        refused = run("resume", "tides")
        assert refused.exit_code == 2
        who = f"longchain: the run 'tides' is being written by process {process.pid} on "
        assert who in refused.stderr
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert re.match(r"tides +interrupted +1/3  \d+/720 words  Tides\n", run("runs").stdout)
        shown = run("runs", "show", "last").stdout
        assert "status: interrupted" in shown
        assert re.search(r"^ +1\. Causes: \d+ of 60\n +2\. Coasts: - of 600$", shown, re.MULTILINE)
        part = run("export", "tides")
        assert headings(part.stdout) == HEADINGS[:1]
        assert part.stderr == (
            "longchain: not finished: 1 of 3 sections; go on with: longchain resume tides\n"
        )
    with SimulatedServer(port=server.port) as quick:
        # Neither the model nor its address nor the file is named again.
        done = run("resume", "last")
        assert (done.exit_code, done.stdout) == (0, "")
        assert done.stderr.endswith(" -> " + str(here / "tides.md") + "\n")
        # The finished section is shown to the model, not asked for again.
        finished = part.stdout.partition("## Causes\n\n")[2].strip()
        assert finished
        for body in quick.requests:
            assert any(finished in turn["content"] for turn in body["messages"])
    text = (here / "tides.md").read_text()
    assert headings(text) == HEADINGS
    assert part.stdout.strip() in text
    assert re.match(r"tides +done +3/3 ", run("runs").stdout)


def test_a_finished_run_is_written_out_again_without_a_call(here: Path) -> None:
    with SimulatedServer() as server:
        assert written(server, "-o", "tides.md").exit_code == 0
    text = (here / "tides.md").read_text()
    (here / "tides.md").unlink()
    # The server is gone.
    again = run("resume", "tides")
    assert again.exit_code == 0
    assert (here / "tides.md").read_text() == text
    other = run("resume", "tides", "-o", "other.md", "--quiet")
    assert (other.exit_code, other.stderr) == (0, "")
    assert (here / "other.md").read_text() == text
    assert run("export", "tides").stdout == text


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("mode", ["sequential", "parallel"])
def test_a_stop_takes_less_than_a_second(mode: str, sign: signal.Signals) -> None:
    with slow("--mode", mode, seen="asked", tokens=5) as (process, _):
        begun = time.monotonic()
        process.send_signal(sign)
        process.wait(timeout=30)
        assert time.monotonic() - begun < 1
        told = process.stderr.read()
    assert process.returncode == 3, told
    assert told.splitlines()[-2:] == [
        "longchain: interrupted",
        "longchain: 0 of 3 sections are finished and kept; go on with: longchain resume tides",
    ]
    assert "Traceback" not in told
    assert re.match(r"tides +stopped +0/3 ", run("runs").stdout)


def test_a_budget_stops_and_a_larger_one_goes_on(server: SimulatedServer) -> None:
    first = stopped(server)
    assert "the budget of 2 calls is used up" in first.stderr
    assert first.stderr.endswith(
        "longchain: 2 of 3 sections are finished and kept; go on with: longchain resume tides\n"
    )
    assert run("resume", "tides").exit_code == 3
    assert len(server.requests) == 2
    more = run("resume", "tides", "--max-calls", "9")
    assert more.exit_code == 0
    assert "resumed: budget differs: " in more.stderr
    assert headings(more.stdout) == HEADINGS
    assert len(server.requests) == 3


def test_what_differs_is_told(server: SimulatedServer) -> None:
    stopped(server)
    Path("other.yaml").write_text(PLAN.replace("Coasts", "Harbors").replace("Power", "Mills"))
    given = ("--plan", "other.yaml", "--max-calls", "9", "--instruction", "Tides and harbors")
    told = run("resume", "tides", *given)
    assert (
        "resumed: the instruction differs; kept as written: sections 1-2; the rest" in told.stderr
    )
    assert (
        "resumed: the plan differs; kept as written: section 1; new or changed, and to be written: "
        "sections 2-3; dropped, though finished: 'Coasts'"
    ) in told.stderr
    assert headings(told.stdout) == ["Causes", "Harbors", "Mills"]


# Changed ---------------------------------------------------------------------------------------


def test_a_section_is_revised_and_the_rest_stays(server: SimulatedServer, here: Path) -> None:
    written(server, "-o", "tides.md")
    before = (here / "tides.md").read_text().split("## ")
    asked = len(server.requests)
    assert run("revise", "tides", "2", "in 30 words").exit_code == 0
    after = (here / "tides.md").read_text().split("## ")
    assert len(server.requests) == asked + 1
    assert [old == new for old, new in zip(before, after, strict=True)] == [True, True, False, True]
    assert len(after[2].split()) == pytest.approx(30, abs=4)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("revise", "tides", "3", "shorter"), "section 3 is not finished, so it cannot be revised"),
        (("revise", "tides", "4", "shorter"), "there is no section 4: the document has 3"),
        (("revise", "tides", "1", " "), "say what to change in section 1"),
        (("fork", "tides", "--section", "0"), "there is no section 0: the document has 3"),
        (("fork", "tides", "--section", "2", "--text", "no.md"), "'no.md' cannot be read"),
        (("fork", "tides", "--section", "2", "--text", "blank.md"), "the text for section 2 is"),
        (("fork", "tides", "--section", "2", "--name", "tides"), "there is a run 'tides' already"),
        (("resume", "nobody"), "there is no run 'nobody' in "),
        (("resume", "tides", "--length", "0"), "0"),
        (("resume", "tides", "--plan", "blank.md"), "blank.md"),
        (("export", "tides", "-o", "no/tides.md"), "there is no folder 'no'"),
        (("runs", "delete", "tides", "nobody"), "there is no run 'nobody'"),
        (("runs", "show", "nobody"), "there is no run 'nobody'"),
    ],
)
def test_a_mistake_changes_nothing(
    given: tuple[str, ...], said: str, server: SimulatedServer, here: Path
) -> None:
    (here / "blank.md").write_text("\n")
    stopped(server)
    before = run("runs", "--json").stdout
    result = run(*given)
    assert result.exit_code == 2
    assert result.stderr.startswith("longchain: ")
    assert said in result.stderr
    assert "go on with" not in result.stderr or given[0] == "revise"
    assert len(server.requests) == 2
    assert run("runs", "--json").stdout == before


def test_a_fork_goes_on_from_a_given_text(server: SimulatedServer, here: Path) -> None:
    text = written(server).stdout
    (here / "coasts.md").write_text("## Coasts\n\nThe bay is narrow, and the wave is high.\n")
    asked = len(server.requests)
    forked = run("fork", "tides", "--section", "2", "--text", "coasts.md", "--name", "other")
    assert forked.exit_code == 0
    parts, old = forked.stdout.split("## "), text.split("## ")
    assert parts[:2] == old[:2]
    assert parts[2] == "Coasts\n\nThe bay is narrow, and the wave is high.\n\n"
    assert parts[3] != old[3]
    assert len(server.requests) > asked
    assert run("export", "tides").stdout == text
    assert json.loads(run("runs", "show", "other", "--json").stdout)["parent"] == "tides"


def test_runs_are_deleted(server: SimulatedServer) -> None:
    stopped(server)
    assert run("runs", "delete", "tides").stderr == "deleted: tides\n"
    listed = run("runs")
    assert (listed.stdout, listed.exit_code) == ("", 0)
    assert listed.stderr.startswith("no runs in ")


# The plan in an editor -------------------------------------------------------------------------


def editor(monkeypatch: pytest.MonkeyPatch, here: Path, body: str) -> None:
    """An editor that does something to the file that it is given."""
    program = here.parent / "editor.py"
    program.write_text(
        f"import sys, pathlib\npath = pathlib.Path(sys.argv[-1])\ntext = path.read_text()\n{body}\n"
    )
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", f"{sys.executable} {program}")


def planned(server: SimulatedServer) -> Result:
    given = ("write", "Tides in 400 words", "--edit-plan", "--run", "tides", "-o", "tides.md")
    return run(*given, *at(server))


def test_a_plan_is_left_as_it_is(
    server: SimulatedServer, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor(monkeypatch, here, "pathlib.Path('seen.yaml').write_text(text)")
    assert planned(server).exit_code == 0
    seen = planfile.load("seen.yaml")
    assert headings((here / "tides.md").read_text()) == [s.heading for s in seen.sections]
    assert sorted(os.listdir(here)) == ["plan.yaml", "seen.yaml", "tides.md"]


def test_a_changed_plan_is_followed(
    server: SimulatedServer, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor(monkeypatch, here, f"path.write_text({PLAN!r})")
    assert planned(server).exit_code == 0
    assert headings((here / "tides.md").read_text()) == HEADINGS
    assert sorted(os.listdir(here)) == ["plan.yaml", "tides.md"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("length: 60}\\n- {heading: Power", "length: lots}\\n- {heading: Power", ", line 4: "),
        ("length: 60}", "length: 900000}", "2,700,000"),
        ("heading: Coasts", "heading: Coasts, chapter: One", "section 1"),
    ],
)
def test_a_mistake_in_the_plan_keeps_the_file(
    old: str,
    new: str,
    said: str,
    server: SimulatedServer,
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bad = PLAN.replace(old.replace("\\n", "\n"), new.replace("\\n", "\n"))
    assert bad != PLAN
    editor(monkeypatch, here, f"path.write_text({bad!r})")
    result = planned(server)
    assert result.exit_code == 2
    path = here / "tides.plan.yaml"
    first, *rest = result.stderr[result.stderr.index("longchain: ") :].splitlines()
    assert first.startswith(f"longchain: {path}")
    assert said in first
    if "lots" in new:
        assert "length" in first
    assert f"longchain: when it is right: longchain resume tides --plan {path}" in rest
    assert path.read_text() == bad
    assert len(server.requests) == 1
    path.write_text(PLAN)
    # As it was told:
    assert run("resume", "tides", "--plan", str(path)).exit_code == 0
    assert headings((here / "tides.md").read_text()) == HEADINGS


def test_a_kept_plan_is_edited_on(
    server: SimulatedServer, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor(monkeypatch, here, f"path.write_text({PLAN.replace('60', 'lots')!r})")
    assert planned(server).exit_code == 2
    editor(monkeypatch, here, "path.write_text(text.replace('lots', '50'))")
    assert run("resume", "tides").exit_code == 0
    assert headings((here / "tides.md").read_text()) == HEADINGS
    assert sorted(os.listdir(here)) == ["plan.yaml", "tides.md"]


def test_the_plan_of_a_run_is_edited_on_the_way(
    server: SimulatedServer, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped(server)
    editor(monkeypatch, here, "path.write_text(text.replace('Power', 'Mills'))")
    edited = run("resume", "tides", "--edit-plan", "--max-calls", "9")
    assert edited.exit_code == 0
    assert headings(edited.stdout) == ["Causes", "Coasts", "Mills"]
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("command", "said"),
    [("false", "ended with code 1"), ("no-such-editor", "cannot be started"), ("'", "cannot be")],
)
def test_an_editor_that_fails(
    command: str,
    said: str,
    server: SimulatedServer,
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("VISUAL", command)
    result = planned(server)
    assert result.exit_code in (2, 3)
    assert f"longchain: the editor {command!r} {said}" in result.stderr
    assert (here / "tides.plan.yaml").exists()
    assert len(server.requests) == 1


# Where nothing can be kept ---------------------------------------------------------------------


@pytest.mark.parametrize("where", ["file/state", "/proc/nowhere"])
def test_a_place_that_cannot_be_written_is_found_before_any_call(
    where: str, server: SimulatedServer
) -> None:
    Path("file").write_text("")
    result = written(server, "--state", where)
    assert result.exit_code == 2
    assert re.match(
        r"longchain: the runs in .* cannot be kept: .*set LONGCHAIN_STATE", result.stderr
    )
    assert len(server.requests) == 0


def test_a_read_only_place_is_found_before_any_call(
    server: SimulatedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped(server)
    access = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: "state" not in str(path) and access(path, mode)
    )
    for given, code in ((("resume", "tides"), 3), (("write", "Ebbs", *at(server)), 2)):
        result = run(*given)
        assert result.exit_code == code
        assert "can be read, but not written: it is read-only" in result.stderr
    assert len(server.requests) == 2
    assert headings(run("export", "tides").stdout) == HEADINGS[:2]
    assert re.match(r"tides +stopped +2/3 ", run("runs").stdout)


@pytest.mark.parametrize("output", [(), ("-o", "tides.md")])
def test_a_full_disk_gives_out_what_is_finished(
    output: tuple[str, ...], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = SqliteSaver.put

    def full(self: Any, *arguments: Any) -> Any:
        """There is room for the first section."""
        if len(server.requests) > 1:
            self.conn.execute("PRAGMA max_page_count = 1")
            self.conn.execute("CREATE TABLE more AS SELECT zeroblob(9000000)")
        return put(self, *arguments)

    monkeypatch.setattr(SqliteSaver, "put", full)
    with SimulatedServer() as server:
        result = written(server, *output)
    assert result.exit_code == 3
    assert "longchain: no room is left for the runs in " in result.stderr
    if output:
        assert (here / "tides.md.partial.md").exists()
        text = (here / "tides.md.partial.md").read_text()
        assert result.stdout == ""
    else:
        text = result.stdout
    assert headings(text)[:1] == HEADINGS[:1]
    assert "longchain: the finished sections are " in result.stderr
    monkeypatch.undo()


def test_a_damaged_file_is_told(server: SimulatedServer, here: Path) -> None:
    stopped(server)
    (here.parent / "state" / "runs.db").write_bytes(b"no database at all " * 500)
    for given in (("runs",), ("resume", "tides"), ("write", "Ebbs", *at(server))):
        result = run(*given)
        assert result.exit_code == 2
        assert re.match(r"longchain: the file of runs .* is damaged .*move it away", result.stderr)


def test_another_place_is_named(server: SimulatedServer, here: Path) -> None:
    written(server, "--state", "elsewhere")
    assert run("runs").stdout == ""
    assert run("runs", "--state", "elsewhere").stdout.startswith("tides ")
    with Runs(here / "elsewhere") as runs:
        assert runs.record("last").status == "done"
