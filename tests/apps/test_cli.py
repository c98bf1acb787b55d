"""The command line as a user types it: what it prints, what it refuses, and when it stops."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from longchain import LongDocument
from longchain.agent.planning import planfile
from longchain.apps import export
from longchain.testing import Faults, LengthBehavior, SimulatedServer
from tests.apps.commands import COMMAND, PLAN, at, run

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.allow_hosts(["127.0.0.1"]),
    pytest.mark.usefixtures("here"),
]

SOURCES = str(Path(__file__).parents[2] / "examples" / "sources")
TIDES = "Write a 600-word essay on tides."


def prompts(server: SimulatedServer) -> list[str]:
    """The text of every request."""
    return ["\n".join(turn["content"] for turn in body["messages"]) for body in server.requests]


def document(result: Result) -> LongDocument:
    assert result.exit_code == 0, result.stderr
    return LongDocument.model_validate_json(result.stdout)


# What is written, and where ------------------------------------------------------------------


def test_the_document_goes_to_stdout_and_progress_to_stderr(server: SimulatedServer) -> None:
    result = run("write", TIDES, *at(server))
    assert result.exit_code == 0
    assert result.stdout.startswith("# ")
    assert "[1/" not in result.stdout
    told = result.stderr.splitlines()
    assert told[0] == f"model: simulated (ChatOpenAI at {server.base_url}; as given)"
    assert re.fullmatch(r"run: \d{8}-\w{5}", told[1])
    assert re.fullmatch(r"plan: \d sections?, 600 words", told[2])
    assert re.fullmatch(r"\[1/\d\] .+: \d+ \(\d+ of 600 words, \d+s left\)", told[3])
    assert re.match(r"done: \d{3} words of 600, S_l \d", told[-1])


def test_quiet_tells_nothing(server: SimulatedServer) -> None:
    result = run("write", TIDES, "--quiet", *at(server))
    assert result.stderr == ""
    assert result.stdout.startswith("# ")


def test_json_is_the_whole_document(server: SimulatedServer) -> None:
    written = document(run("write", TIDES, "--json", *at(server)))
    assert written.length == pytest.approx(600, rel=0.05)
    assert written.report["required_length"] == 600


@pytest.mark.parametrize("suffix", export.FORMATS)
def test_output_goes_to_the_file_alone(suffix: str, server: SimulatedServer, here: Path) -> None:
    result = run("write", TIDES, "-o", f"tides{suffix}", *at(server))
    assert result.exit_code == 0
    assert result.stdout == ""
    assert result.stderr.endswith(f"-> tides{suffix}\n")
    assert os.listdir(here) == [f"tides{suffix}"]


def test_output_and_json_together(server: SimulatedServer) -> None:
    written = document(run("write", TIDES, "-o", "tides.md", "--json", *at(server)))
    assert Path("tides.md").read_text(encoding="utf-8") == written.text


def test_text_output_has_no_markup(server: SimulatedServer) -> None:
    written = document(run("write", TIDES, "-o", "tides.txt", "--json", *at(server)))
    text = Path("tides.txt").read_text(encoding="utf-8")
    assert text.splitlines()[0] == written.title
    assert "#" not in text


def test_the_instruction_comes_from_stdin(server: SimulatedServer) -> None:
    written = document(run("write", "-", "--json", *at(server), input=TIDES))
    assert written.report["required_length"] == 600
    assert TIDES in prompts(server)[0]


# Options that change how it is written -------------------------------------------------------


def test_a_plan_file_is_followed_without_planning(server: SimulatedServer) -> None:
    Path("plan.yaml").write_text(PLAN)
    written = document(run("write", "Tides", "--plan", "plan.yaml", "--json", *at(server)))
    assert [section.heading for section in written.sections] == ["Causes", "Coasts", "Power"]
    assert not any("<plan_format>" in prompt for prompt in prompts(server))


def test_parallel_sections_do_not_see_each_other(server: SimulatedServer) -> None:
    Path("plan.yaml").write_text(PLAN)
    given = ("write", "Tides", "--plan", "plan.yaml", "--json", "--mode", "parallel")
    written = document(run(*given, *at(server)))
    causes = written.sections[0].text[:80]
    assert not any(causes in prompt for prompt in prompts(server) if "part 2 " in prompt)


def test_direct_is_one_section_without_a_plan(server: SimulatedServer) -> None:
    written = document(run("write", TIDES, "--mode", "direct", "--json", *at(server)))
    assert len(written.sections) == 1
    assert "Write the whole text. Length: about" in prompts(server)[0]


@pytest.mark.parametrize(
    ("layout", "roles"), [("conversation", {"user", "assistant"}), ("paper", {"user"})]
)
def test_layout(layout: str, roles: set[str], server: SimulatedServer) -> None:
    Path("plan.yaml").write_text(PLAN)
    run("write", "Tides", "--plan", "plan.yaml", "--layout", layout, *at(server))
    second = next(body for body in server.requests if "part 2 " in str(body["messages"][-1]))
    assert {turn["role"] for turn in second["messages"]} == roles


@pytest.mark.parametrize(("memory", "summarized"), [("summary", True), ("full", False)])
def test_memory(memory: str, summarized: bool, server: SimulatedServer) -> None:
    run("write", "Tides in 3,000 words.", "--memory", memory, "--window", "6000", *at(server))
    assert any("<summary_format>" in prompt for prompt in prompts(server)) is summarized


def test_language_unit_and_length(server: SimulatedServer) -> None:
    options = ("--language", "ja", "--unit", "characters", "--length", "900")
    written = document(run("write", "Tides", *options, "--json", *at(server)))
    assert (written.language, written.unit) == ("ja", "characters")
    assert written.length == pytest.approx(900, rel=0.1)
    assert "日本語で" in prompts(server)[-1]


def test_style_stands_in_every_prompt(server: SimulatedServer) -> None:
    Path("style.txt").write_text("Dry, and never a metaphor.")
    assert run("write", TIDES, "--style", "style.txt", *at(server)).exit_code == 0
    assert all("never a metaphor" in prompt for prompt in prompts(server))


def test_without_length_control_nothing_is_extended() -> None:
    Path("plan.yaml").write_text(PLAN)
    given = ("write", "Tides", "--plan", "plan.yaml", "--no-length-control", "--json")
    with SimulatedServer(behavior=LengthBehavior(bias=0.5)) as server:
        written = document(run(*given, *at(server)))
    assert len(server.requests) == 3
    assert written.length < 100


def test_another_model_plans(server: SimulatedServer) -> None:
    run("write", TIDES, "--planner-model", "openai:planner", *at(server))
    models = [body["model"] for body in server.requests]
    assert models[0] == "planner"
    assert set(models[1:]) == {"simulated"}


def test_the_only_model_of_a_server_is_found(server: SimulatedServer) -> None:
    result = run("write", TIDES, "--base-url", server.base_url)
    assert result.stderr.startswith("model: simulated-writer (ChatOpenAI at")


def test_sources_are_cited_offline() -> None:
    given = ("write", "Write a 900-word report on how cities get their water.", "--json")
    written = document(run(*given, "--model", "offline", "--source", SOURCES))
    assert written.length == pytest.approx(900, rel=0.1)
    assert written.references
    assert written.report["citations"]["resolved"]


def test_grounded_only_is_said_to_the_model(server: SimulatedServer) -> None:
    run("write", TIDES, "--source", SOURCES, "--grounded-only", *at(server))
    assert "Write only what the references support." in prompts(server)[-1]


# plan and check ------------------------------------------------------------------------------


def test_a_plan_goes_to_stdout_as_yaml(server: SimulatedServer) -> None:
    result = run("plan", "Tides in 2,000 words.", *at(server))
    assert planfile.loads(result.stdout, "yaml").length == pytest.approx(2000, abs=20)
    assert len(server.requests) == 1


def test_a_plan_as_json(server: SimulatedServer) -> None:
    result = run("plan", TIDES, "--json", "--quiet", *at(server))
    assert result.stderr == ""
    assert json.loads(result.stdout)["sections"]


@pytest.mark.parametrize("suffix", export.PLAN_FORMATS)
def test_a_planned_file_is_written_from(suffix: str, server: SimulatedServer) -> None:
    assert run("plan", TIDES, "-o", f"plan{suffix}", *at(server)).stdout == ""
    planned = planfile.load(f"plan{suffix}")
    written = document(run("write", TIDES, "--plan", f"plan{suffix}", "--json", *at(server)))
    assert [s.heading for s in written.sections] == [s.heading for s in planned.sections]


def test_check_measures_a_file() -> None:
    Path("text.md").write_text("# Tides\n\nThe sea rises. The sea falls.\n")
    result = run("check", "text.md", "--length", "14")
    assert result.stdout.splitlines()[:2] == [
        "length: 7 words (en)",
        "required: 14 (-50.0%), S_l 50.0",
    ]


def test_check_measures_stdin_as_json() -> None:
    measured = json.loads(run("check", "-", "--json", input="潮が満ちる。潮が引く。").stdout)
    assert (measured["output_length"], measured["unit"]) == (11, "characters")


# In a process of its own ---------------------------------------------------------------------


def test_the_installed_command() -> None:
    given = [COMMAND, "write", "Write 400 words on water.", "--model", "offline", "-q"]
    done = subprocess.run([*given, "--source", SOURCES], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("# ")


def test_the_installed_command_refuses_without_a_traceback() -> None:
    given = [COMMAND, "write", "x", "--length", "0", "--model", "openai:x"]
    done = subprocess.run(
        [*given, "--base-url", "http://127.0.0.1:9/v1"], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


def until(process: subprocess.Popen[str], seen: Callable[[str], bool]) -> None:
    """Read what a process tells until a line is seen."""
    assert process.stderr is not None
    for line in process.stderr:
        if seen(line):
            return
    raise AssertionError("the process ended before")


def test_ctrl_c_keeps_what_is_finished() -> None:
    # The second section would take 40 seconds: a run that ends earlier was stopped.
    Path("plan.yaml").write_text(PLAN.replace("estuaries, length: 60", "estuaries, length: 600"))
    given = ("write", "Tides", "--plan", "plan.yaml", "-o", "tides.md")
    with (
        SimulatedServer(tokens_per_second=20) as server,
        subprocess.Popen(
            [COMMAND, *given, *at(server)], stderr=subprocess.PIPE, text=True
        ) as process,
    ):
        until(process, lambda line: line.startswith("[1/3]"))
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=30)
    assert process.returncode == 3
    said, how = rest.splitlines()[-2:]
    assert said == "longchain: interrupted"
    assert re.fullmatch(
        r"longchain: 1 of 3 sections are finished and kept; "
        r"go on with: longchain resume \d{8}-\w{5}",
        how,
    )
    assert "Traceback" not in rest
    assert "## Causes" in Path("tides.md.partial.md").read_text(encoding="utf-8")


def test_what_may_pass_is_waited_for_and_told() -> None:
    # The plan comes; then OpenAI's client tries three times before the run itself waits.
    faults = Faults(script=["ok", "429", "429", "429"], retry_after=0.01)
    with SimulatedServer(faults=faults) as server:
        result = run("write", TIDES, *at(server))
        assert (result.exit_code, server.stats.faults) == (0, {"rate_limit": 3})
    assert "\nwaiting: section 1: rate limit, again in " in result.stderr
    with SimulatedServer(faults=faults) as server:
        quiet = run("write", TIDES, *at(server), "--quiet")
        assert (quiet.exit_code, quiet.stderr) == (0, "")
