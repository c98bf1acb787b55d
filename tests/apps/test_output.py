"""An output is never one of the sources that the document is written from."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import Result

from longchain import Runs
from longchain.testing import SimulatedServer
from tests.apps.commands import at, run

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.allow_hosts(["127.0.0.1"]),
    pytest.mark.usefixtures("here"),
]

NOTE = "The tide rises and falls twice a day, because the moon draws the water after it.\n"


@pytest.fixture(autouse=True)
def sources(here: Path, plan: Path) -> Iterator[None]:
    """Sources by several names, and a look at them when all is done."""
    (here / "notes").mkdir()
    made = [here / "a.md", here / "notes" / "b.md", here / "new.md.partial.md"]
    for file in made:
        file.write_text(NOTE)
    (here / "link.md").symlink_to("a.md")
    (here / "same").symlink_to("notes")
    os.link(here / "a.md", here / "hard.md")
    yield
    assert [file.read_text() for file in made] == [NOTE] * 3
    assert (here / "link.md").is_symlink()


def refused(result: Result, file: str) -> None:
    said = "is one of the sources, and the output would take its place: name another file"
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1] == f"longchain: {file!r} {said}"


@pytest.mark.parametrize("command", ["write", "plan"])
@pytest.mark.parametrize(
    ("source", "output"),
    [
        ("a.md", "a.md"),
        ("a.md", "./notes/../a.md"),
        ("a.md", "link.md"),
        ("link.md", "a.md"),
        ("a.md", "hard.md"),
        ("notes", "notes/b.md"),
        ("notes", "same/b.md"),
        (".", "a.md"),
    ],
)
def test_a_source_is_no_output(
    command: str, source: str, output: str, server: SimulatedServer
) -> None:
    result = run(command, "Tides", "--source", source, "-o", output, *at(server))
    refused(result, str(Path(output)))
    assert server.requests == []
    with Runs() as runs:
        assert runs.list() == []


def test_nor_is_a_source_overwritten_where_writing_stops_early(server: SimulatedServer) -> None:
    given = ("--source", "new.md.partial.md", "-o", "new.md", *at(server))
    result = run("write", "Tides", *given)
    assert (result.exit_code, result.stdout, server.requests) == (2, "", [])
    assert result.stderr == (
        "longchain: 'new.md.partial.md' is one of the sources, and writing 'new.md' may overwrite "
        "it: name another file\n"
    )


@pytest.mark.parametrize(
    "command", ["resume tides", "revise tides 1 shorter", "fork tides --section 2", "export tides"]
)
@pytest.mark.parametrize(("source", "output"), [("a.md", "link.md"), ("notes", "notes/b.md")])
def test_a_run_spares_its_sources(
    command: str, source: str, output: str, server: SimulatedServer
) -> None:
    begun = ("write", "Tides", "--plan", "plan.yaml", "--run", "tides", "--source", source)
    assert run(*begun, "--max-calls", "2", *at(server)).exit_code == 3
    before = len(server.requests)
    refused(run(*command.split(), "-o", output), output)
    assert len(server.requests) == before


def test_a_run_goes_on_with_its_own_output_among_its_sources(
    server: SimulatedServer, here: Path
) -> None:
    """What stands there when it is resumed, finished or not, it has written itself."""
    given = ("write", "Tides", "--plan", "plan.yaml", "--run", "tides", "--source", "notes")
    output = ("-o", "notes/tides.md")
    assert run(*given, *output, "--max-calls", "2", *at(server)).exit_code == 3
    assert (here / "notes" / "tides.md.partial.md").exists()
    assert run("resume", "tides", "--max-calls", "50").exit_code == 0
    assert run("resume", "tides").exit_code == 0
    assert run("export", "tides", *output).exit_code == 0
    refused(run(*given[:-3], "other", "--source", "notes", *output, *at(server)), "notes/tides.md")
