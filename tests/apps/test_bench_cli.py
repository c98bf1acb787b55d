"""The benchmarks as a user types them: what is told, what is refused, what is gone on with."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from typer.testing import Result

from longchain.testing import Faults, LengthBehavior, SimulatedServer
from tests.apps import commands
from tests.apps.commands import COMMAND, at

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.allow_hosts(["127.0.0.1"]),
    pytest.mark.usefixtures("here"),
]

TASK, OUT = Path("ports.jsonl"), Path("pred.jsonl")


def run(*arguments: str) -> Result:
    return commands.run("bench", *arguments)


@pytest.fixture(autouse=True)
def task(here: Path) -> None:
    """Four instructions."""
    lines = [
        {
            "prompt": f"Write a {words}-word report on ports.",
            "length": words,
            "type": kind,
        }
        for words, kind in ((100, "News Report"), (600, "News Report"), (2_500, "Essay"))
    ]
    lines.append({"prompt": "写一篇关于港口的文章，300字。", "length": 300, "type": "Essay"})
    TASK.write_text("".join(json.dumps(line) + "\n" for line in lines))


def made() -> list[dict[str, Any]]:
    return [json.loads(line) for line in OUT.read_text().splitlines()]


# run -----------------------------------------------------------------------------------------


def test_a_model_writes_a_file_of_instructions(server: SimulatedServer) -> None:
    result = run(
        "run", str(TASK), *at(server), "--max-tokens", "9000", "--temperature", "0.5",
        "-o", str(OUT),
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    assert result.stdout == ""
    told = result.stderr.splitlines()
    assert told[0] == f"model: simulated (ChatOpenAI at {server.base_url}; as given)"
    assert told[1] == "task: 4 samples of ports.jsonl"
    assert re.fullmatch(
        r"\[1/4\] \w+: [\d,]+ of [\d,]+ (words|characters) \(\d+:\d\d:\d\d left\)", told[2]
    )
    assert told[-1] == "done: 4 samples, 0 without a text -> pred.jsonl"
    assert {one["way"] for one in made()} == {"direct"}
    assert made()[0]["settings"]["temperature"] == 0.5
    bodies = server.requests
    assert len(bodies) == 4
    assert {len(body["messages"]) for body in bodies} == {1}
    assert {body["temperature"] for body in bodies} == {0.5}
    assert {body.get("max_completion_tokens", body.get("max_tokens")) for body in bodies} == {9000}


@pytest.mark.parametrize("mode", ["sequential", "parallel"])
def test_agentwrite_writes_it(server: SimulatedServer, mode: str) -> None:
    result = run(
        "run", str(TASK), *at(server), "--mode", mode, "--limit", "2", "-q", "-o", str(OUT)
    )
    assert result.exit_code == 0, result.stderr
    assert result.stderr == ""
    assert [(one["way"], one["error"]) for one in made()] == [(mode, "")] * 2
    assert all(one["settings"]["length_control"] for one in made())


def test_the_open_loop_is_the_papers(server: SimulatedServer) -> None:
    run(
        "run", str(TASK), *at(server), "--mode", "sequential", "--no-length-control",
        "--pass-length", "--limit", "1", "-o", str(OUT),
    )  # fmt: skip
    settings = made()[0]["settings"]
    assert (settings["length_control"], settings["hand_length"]) == (False, True)


def test_options_keep_their_earlier_names(server: SimulatedServer) -> None:
    run(
        "run", str(TASK), *at(server), "--way=sequential", "--hand-length", "--again",
        "--limit", "1", "-o", str(OUT),
    )  # fmt: skip
    assert (made()[0]["way"], made()[0]["settings"]["hand_length"]) == ("sequential", True)
    shown = run("run", "--help").stdout
    assert "--mode" in shown
    assert not any(name in shown for name in ("--way", "--hand-length", "--again"))


def test_the_same_command_goes_on(server: SimulatedServer) -> None:
    command = ("run", str(TASK), *at(server), "-o", str(OUT))
    run(*command, "--limit", "1")
    result = run(*command)
    assert sorted(one["id"] for one in made()) == ["001", "002", "003", "004"]
    assert "[2/4]" in result.stderr
    assert "[1/4]" not in result.stderr
    assert server.stats.requests == 4
    assert run(*command).exit_code == 0
    assert server.stats.requests == 4


def test_other_settings_need_force(server: SimulatedServer) -> None:
    command = ("run", str(TASK), *at(server), "-o", str(OUT))
    run(*command, "--limit", "1")
    result = run(*command, "--max-tokens", "50")
    assert result.exit_code == 2
    assert "max_tokens: None, now 50" in result.stderr
    assert run(*command, "--max-tokens", "50", "--force").exit_code == 0
    assert len(made()) == 4


def test_failed_samples_are_counted_and_can_be_written_again() -> None:
    with SimulatedServer(window=400) as small:
        command = ("run", str(TASK), *at(small), "-o", str(OUT), "--max-tokens", "390")
        result = run(*command)
        assert result.exit_code == 1  # none has a text
        assert "done: 4 samples, 4 without a text" in result.stderr
        assert ", 4 failed)" in result.stderr
    with SimulatedServer(port=small.port) as large:
        assert run(*command, "--retry-failed").exit_code == 0
        assert large.stats.requests == 4
    assert [one["error"] for one in made()] == [""] * 4


def test_a_server_that_goes_away_stops_the_run(server: SimulatedServer) -> None:
    command = ("run", str(TASK), *at(server), "-o", str(OUT))
    run(*command, "--limit", "2")
    server.close()
    result = run(*command)
    assert result.exit_code == 3
    assert "2 samples are kept in pred.jsonl; the same command resumes" in result.stderr
    assert "Traceback" not in result.stderr
    server.start()
    assert run(*command).exit_code == 0
    assert len(made()) == 4


def test_a_server_that_is_not_there_fails_at_once() -> None:
    with SimulatedServer() as server:
        pass
    result = run("run", str(TASK), *at(server), "-o", str(OUT))
    assert result.exit_code == 1
    assert "check the base URL" in result.stderr


def test_rate_limits_are_waited_out() -> None:
    with SimulatedServer(faults=Faults(rate_limit=0.3, retry_after=0.01, seed=3)) as busy:
        result = run("run", str(TASK), *at(busy), "-o", str(OUT))
        assert result.exit_code == 0, result.stderr
        assert busy.stats.faults["rate_limit"] > 0
    assert [one["error"] for one in made()] == [""] * 4


def test_ctrl_c_stops_a_run_that_can_be_gone_on_with() -> None:
    first = {"prompt": "Write a 5-word report on ports.", "length": 5}
    TASK.write_text(f"{json.dumps(first)}\n{TASK.read_text()}")
    # The first sample takes a second, the longest five minutes: a run that ends was stopped.
    with SimulatedServer(tokens_per_second=10) as slow:
        command = [COMMAND, "bench", "run", str(TASK), *at(slow), "-o", str(OUT)]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            assert any(line.startswith("[1/5]") for line in process.stderr)
            process.send_signal(signal.SIGINT)
            told = process.stderr.read()
        assert process.returncode == 3
    assert "longchain: interrupted" in told
    assert "the same command resumes" in told
    assert "Traceback" not in told
    assert 0 < len(made()) < 5
    with SimulatedServer(port=slow.port) as quick:
        assert subprocess.run([*command[:-6], *at(quick), "-o", str(OUT)]).returncode == 0
    assert len(made()) == 5


def test_mistakes_are_told_without_a_traceback(server: SimulatedServer) -> None:
    for arguments, said in (
        (["run", "longbench-wirte", *at(server), "-o", "a.jsonl"], "longbench-write"),
        (["run", "missing.jsonl", *at(server), "-o", "a.jsonl"], "cannot be read"),
        (["run", str(TASK), "--model", "no:such", "-o", "a.jsonl"], "no:such"),
        (["run", str(TASK), *at(server)], "--output"),
        (["run", str(TASK), *at(server), "--pass-length", "-o", "a.jsonl"], "--mode sequential"),
        (["score", "missing.jsonl"], "cannot be read"),
        (["report", "missing.jsonl"], "cannot be read"),
        (["report", str(TASK), "-o", "report.pdf"], "a report is .html, .json, .md"),
        (["score", str(TASK)], "holds no predictions"),
    ):
        result = run(*arguments)
        assert result.exit_code == 2, arguments
        assert said in result.stderr, arguments
    with FileLock(f"{OUT}.lock"):
        result = run("run", str(TASK), *at(server), "-o", str(OUT))
    assert (result.exit_code, "another process" in result.stderr) == (2, True)


def test_bad_lines_of_a_task_are_skipped_or_refused(server: SimulatedServer) -> None:
    TASK.write_text(TASK.read_text() + '{"length": 3}\n')
    command = ("run", str(TASK), *at(server), "-o", str(OUT), "-q")
    result = run(*command, "--strict")
    assert (result.exit_code, OUT.exists()) == (2, False)
    result = run(*command)
    assert (result.exit_code, len(made())) == (0, 4)
    assert result.stderr.startswith("longchain: skipped: line 5")


# score and report ----------------------------------------------------------------------------


@pytest.fixture
def written(server: SimulatedServer) -> None:
    """Predictions of a model by itself."""
    run("run", str(TASK), *at(server), "-q", "-o", str(OUT))


@pytest.mark.usefixtures("written")
def test_predictions_are_scored() -> None:
    result = run("score", str(OUT), "-o", "scores.jsonl", "--export", "published.jsonl")
    assert result.exit_code == 0, result.stderr
    assert "| pred.jsonl | 100.0" in result.stdout
    scores = [json.loads(line) for line in Path("scores.jsonl").read_text().splitlines()]
    assert [one["id"] for one in scores] == [one["id"] for one in made()]
    assert json.loads(run("score", str(OUT), "--light", "--json").stdout)
    published = [json.loads(line) for line in Path("published.jsonl").read_text().splitlines()]
    assert list(published[0]) == ["prompt", "type", "length", "response_length", "response"]
    assert run("score", "published.jsonl").exit_code == 0


@pytest.mark.usefixtures("written")
def test_several_are_reported_side_by_side() -> None:
    run("score", str(OUT), "-o", "scores.jsonl")
    text = run("report", str(OUT), "again=scores.jsonl").stdout
    assert "| simulated, direct | 100.0" in text
    assert "| again | 100.0" in text
    for name in ("report.html", "report.md", "report.json"):
        result = run("report", str(OUT), "-o", name)
        assert (result.exit_code, result.stdout) == (0, "")
        assert Path(name).stat().st_size > 500
    found = json.loads(run("report", str(OUT), "--json").stdout)
    assert found["entries"][0]["name"] == "simulated, direct"
    assert "simulated" in Path("report.html").read_text()


@pytest.mark.usefixtures("written")
def test_texts_are_judged_and_reported(server: SimulatedServer) -> None:
    judge = ("judge", str(OUT), "--judge", "openai:simulated", "--base-url", server.base_url)
    result = run(*judge, "--repeats", "2", "-o", "judged.jsonl")
    assert result.exit_code == 0, result.stderr
    told = result.stderr.splitlines()
    assert told[0].startswith("judge: simulated")
    assert re.fullmatch(r"\[1/4\] \w+: S_q \d+\.\d", told[1])
    assert "| simulated, direct | " in result.stdout
    assert "S_q" in result.stdout
    asked = server.stats.requests
    again = run(*judge, "--repeats", "2", "--json", "-q", "-o", "judged.jsonl")
    assert json.loads(again.stdout)["n"] == 4
    assert server.stats.requests == asked  # what is judged is not judged again
    refused = run(*judge, "-o", "judged.jsonl")
    assert (refused.exit_code, "repeats: 2, now 1" in refused.stderr) == (2, True)
    run("score", str(OUT), "--judged", "judged.jsonl", "-o", "scores.jsonl")
    found = json.loads(run("report", "judged.jsonl", "b=scores.jsonl", "--json").stdout)["entries"]
    assert found[0]["summary"] == found[1]["summary"]
    assert found[0]["summary"]["s_q"] is not None
    OUT.write_text(OUT.read_text() + "\n")
    result = run("report", "judged.jsonl")
    assert (result.exit_code, "has changed since" in result.stderr) == (2, True)


@pytest.mark.usefixtures("written")
def test_a_judge_that_says_nothing_of_use_is_told() -> None:
    with SimulatedServer(json_schema=False) as useless:
        result = run(
            "judge", str(OUT), "--judge", "openai:simulated", "--base-url", useless.base_url,
            "-o", "judged.jsonl",
        )  # fmt: skip
    assert result.exit_code == 1
    assert "[4/4]" in result.stderr
    assert "unreadable" in result.stderr


def test_a_capped_model_is_found_out_and_agentwrite_helps() -> None:
    with SimulatedServer(behavior=LengthBehavior(cap=700)) as capped:
        run("run", str(TASK), *at(capped), "-o", "direct.jsonl")
        run("run", str(TASK), *at(capped), "--mode", "sequential", "-o", "agentwrite.jsonl")
    result = run("report", "direct.jsonl", "agentwrite.jsonl", "--json")
    direct, agentwrite = json.loads(result.stdout)["entries"]
    assert direct["summary"]["ranges"]["[2k, 4k)"]["s_l"] == 0.0
    assert agentwrite["summary"]["ranges"]["[2k, 4k)"]["s_l"] > 95


def test_benchmarks_are_listed() -> None:
    assert re.search(r"^longbench-write +120 ", run("list").stdout, re.MULTILINE)
    assert {"name", "samples", "license"} <= json.loads(run("list", "--json").stdout)[0].keys()
