"""The benchmarks run, tell the ways apart that they compare, and notice a broken promise."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI

from benchmarks import layouts, length, memory, overhead, proof
from benchmarks.__main__ import ON_VLLM, RUNS

ROOT = Path(__file__).parents[1]

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]


def columns(rows: list[str]) -> list[int]:
    """How many cells each row of a Markdown table has."""
    return [row.count("|") - 1 for row in rows]


# length --------------------------------------------------------------------------------------


def test_length_compares_open_and_closed_loop() -> None:
    found = {}
    for closed in (False, True):
        cell, outcome = length.write(((1_000, 0.5, None, closed), 0))
        found[cell] = [outcome]
    opened, closed_ = (found[1_000, 0.5, None, closed][0].score for closed in (False, True))
    assert opened < 60
    assert closed_ > 90


def test_length_notices_a_low_score() -> None:
    plain = (4_000, 1.0, None, True)
    good = length.Outcome(99, 1.0, 0.0, 0.0, 0, 1)
    assert length.failures({plain: [good]}) == []
    assert length.failures({plain: [replace(good, score=80)]}) == [
        "4000: mean S_l 80.0 < 98.0",
        f"{plain}: mean S_l 80.0 < 90",
    ]


# layouts -------------------------------------------------------------------------------------


def test_layouts_tell_the_ways_apart() -> None:
    found = layouts.measure(sections=5, words=120, seeds=1, caps=[None])
    cost = {cell[:2]: outcomes[0].per_token for cell, outcomes in found.items()}
    assert cost["conversation", True] < 0.7 * cost["paper", True]
    assert cost["paper", True] < cost["paper", False]
    assert cost["published", True] < cost["published", False]
    uncached = found["paper", False, None][0]
    assert uncached.computed == uncached.prompt > uncached.output
    assert columns(layouts.table(found)) == [8] * 8


def test_layouts_notice_a_broken_promise() -> None:
    good, bad = layouts.Outcome(20, 9000, 290, 1000), layouts.Outcome(20, 9000, 310, 1000)
    cells: dict[layouts.Cell, list[layouts.Outcome]] = {
        ("conversation", True, None): [good, good],
        ("conversation", False, None): [bad],
        ("published", True, None): [bad],
    }
    assert layouts.failures(cells) == []
    cells["conversation", True, 250] = [good, bad]
    (said,) = layouts.failures(cells)
    assert said == "conversation, longest reply 250: 0.31 computed per token > 0.3"


# memory --------------------------------------------------------------------------------------


def test_memory_bounds_the_prompts_of_a_summary() -> None:
    found = memory.measure([6_000])
    summary, full = found["summary", 6_000], found["full", 6_000]
    assert "summarize" in summary.nodes
    assert "summarize" not in full.nodes
    assert max(summary.prompts) < memory.SMALL < max(full.prompts)
    assert summary.words == pytest.approx(6_000, rel=0.05)
    assert sum(summary.per_section) == summary.nodes["write"]
    assert columns(memory.table(found)) == [12] * 4


def test_memory_notices_a_broken_promise() -> None:
    short = memory.Outcome(1000, 2, 3, [900], [900, 900], {"write": 8000}, 1, 99)
    long = replace(short, words=4000, nodes={"write": 36_000})
    assert memory.failures({("summary", 1000): short, ("summary", 4000): long}) == []
    grown = replace(long, prompts=[8192], nodes={"write": 50_000})
    full = replace(short, words=9000, nodes={"write": 9_000_000})
    books: dict[tuple[memory.Memory, int], memory.Outcome] = {
        ("summary", 1000): short,
        ("summary", 4000): grown,
        ("full", 9000): full,
    }
    assert memory.failures(books) == [
        "4,000 words: a prompt of 8,192 tokens, and 8,192 are all",
        "prompt tokens per word grow 1.56 times from the shortest book on",
    ]


# overhead ------------------------------------------------------------------------------------


def test_overhead_compares_the_same_work() -> None:
    walls = overhead.wall(1, documents=3, sections=2, words=30)
    cpus = overhead.cpu(1, sections=2, words=30)
    assert len(walls.chain) == len(walls.bare) == len(cpus.model) == 1
    assert walls.sections == 6
    # 30 words take a quarter of a second to decode: neither side can have skipped any.
    assert min(walls.chain[0], walls.bare[0]) > 0.4
    assert columns(overhead.table({"short": walls}, cpus)) == [5] * 4


def test_overhead_refuses_to_compare_other_work() -> None:
    one, other = overhead.given(1, 1, 20), overhead.given(2, 1, 60)
    (bodies,) = overhead.record([other])

    def chain(base_url: str) -> Any:
        return lambda: overhead.chain_at(base_url).invoke(one)

    def bare(base_url: str) -> Any:
        return lambda: overhead.send(OpenAI(base_url=base_url, api_key="x"), bodies)

    with pytest.raises(RuntimeError, match="the sides did not do the same work"):
        overhead.compare(
            overhead.Outcome(1), {"chain": chain, "bare": bare}, time.process_time, rounds=1
        )


def test_overhead_notices_a_broken_promise() -> None:
    cheap = overhead.Outcome(10, chain=[1.04], model=[1.0], bare=[1.0])
    dear = overhead.Outcome(10, chain=[1.12], model=[1.0], bare=[1.0])
    assert overhead.failures({"a": cheap}, cheap) == []
    assert overhead.failures({"a": dear}, dear) == [
        "wall, a: x 1.120 > 1.05",
        "CPU: 12.0 ms a section > 10 ms",
    ]


# all of them ---------------------------------------------------------------------------------


@pytest.mark.parametrize("module", [run[1][0] for run in RUNS])
def test_every_benchmark_explains_itself(module: str) -> None:
    command = [sys.executable, "-m", f"benchmarks.{module}", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert done.returncode == 0
    assert "--check" in done.stdout


def test_all_benchmarks_are_run() -> None:
    there = {path.stem for path in (ROOT / "benchmarks").glob("*.py") if path.stem[0] != "_"}
    # `cluster` and `engine` start servers for the others, `proof` runs the others. `longbench` is
    # run by itself, and tested in tests/bench. `hellobench` needs a copy of HelloBench.
    apart = {"cluster", "engine", "proof", "longbench", "hellobench"}
    assert {run[1][0] for run in (*RUNS, *ON_VLLM)} == there - apart


# proof ---------------------------------------------------------------------------------------


def test_a_proof_goes_on_with_the_steps_that_have_not_passed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ready = tmp_path / "ready"
    second = f"import os, sys; print('twice'); sys.exit(not os.path.exists({str(ready)!r}))"
    steps = {"first": ["-c", "print('once')"], "second": ["-c", second]}
    monkeypatch.setattr(proof, "PARTS", {"house": steps})
    monkeypatch.setattr(proof, "OUTPUT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["proof", "house"])
    assert proof.main() == 1
    printed = capsys.readouterr().out
    assert "step second: exit status 1" in printed
    assert printed.endswith("twice\nproof house: failed: second\n")
    ready.touch()
    assert proof.main() == 0
    printed = capsys.readouterr().out
    assert "step first: passed on" in printed
    assert printed.endswith("proof house: all 2 steps have passed\n")
    assert (tmp_path / "house" / "first.log").read_text() == "once\n"


def test_a_step_of_a_proof_is_stopped_with_its_children_when_its_time_is_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof, "MAX_SECONDS", 1)
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    start = time.monotonic()
    with (tmp_path / "log").open("wb") as output:
        assert proof.execute(command, output.fileno()) == "stopped"
    assert time.monotonic() - start < 30
