"""`longchain write … --estimate`: what is said, and that nothing else is done."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import Result

from longchain.testing import SimulatedServer
from tests.apps import commands

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.allow_hosts(["127.0.0.1"]),
]

TIDES = "Write a 3,000-word essay on tides."
DOWN = ("--model", "openai:simulated", "--base-url", "http://127.0.0.1:9/v1")
PLAN = """\
title: Tides
sections:
- {heading: Causes, main_point: The moon and the sun, length: 400}
- {heading: Coasts, main_point: Bays and estuaries, length: 400}
"""


def run(*arguments: str) -> Result:
    return commands.run("write", *arguments, "--estimate")


def test_it_is_said_in_lines(here: Path) -> None:
    result = run(TIDES, *DOWN)
    assert result.exit_code == 0
    lines = dict(line.split(": ", 1) for line in result.stdout.splitlines())
    assert list(lines) == [
        *("sections", "calls", "prompt tokens", "output tokens", "cost", "assumed")
    ]
    assert lines["sections"] == "6, 3,000 words"
    assert lines["cost"] == "give --price-in and --price-out"
    assert result.stderr.startswith("model: simulated (ChatOpenAI at")


def test_prices_make_a_cost(here: Path) -> None:
    result = run(TIDES, *DOWN, "--price-in", "1", "--price-out", "10", "--json", "--quiet")
    said = json.loads(result.stdout)
    cost = (said["input_tokens"] + 10 * said["output_tokens"]) / 1e6
    assert said["cost"] == pytest.approx(cost)
    assert result.stderr == ""


def test_a_plan_file_is_taken(here: Path) -> None:
    Path("plan.yaml").write_text(PLAN)
    given = ("--plan", "plan.yaml", "--edit-plan", "--json", "--mode", "parallel")
    said = json.loads(run("Tides", *given, *DOWN).stdout)
    assert (said["sections"], said["length"], said["assumed"]) == (2, 800, [])


def test_nothing_is_asked_and_nothing_kept(here: Path, server: SimulatedServer) -> None:
    model = ("--model", "openai:simulated", "--base-url", server.base_url)
    assert run(TIDES, *model, "-o", "tides.md").exit_code == 0
    assert server.stats.requests == 0
    assert list(here.iterdir()) == []
    assert not (here.parent / "state").exists()


def test_mistakes_are_mistakes(here: Path) -> None:
    result = run(" ", *DOWN)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "the instruction is empty" in result.stderr
