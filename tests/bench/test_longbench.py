"""The benchmark of LongBench-Write's shape: its models are calibrated, and it tells ways apart."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from benchmarks import longbench
from longchain.bench.schema import Score
from longchain.length import length_score
from longchain.testing.behavior import measure

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]


def test_the_samples_have_the_published_shape() -> None:
    made = longbench.samples()
    assert len(made) == 120
    assert sum(sample.length or 0 for sample in made) == 332_650
    assert Counter(sample.language for sample in made) == {"en": 60, "zh": 60}
    ranges = Counter(
        sum((sample.length or 0) >= bound for bound in (500, 2_000, 4_000)) for sample in made
    )
    assert [ranges[place] for place in range(4)] == [26, 36, 31, 27]
    assert Counter(sample.kind for sample in made) == {
        kind: count for kind, (count, *_) in longbench.KINDS.items()
    }
    assert made == longbench.samples()


@pytest.mark.parametrize(
    ("model", "asked", "published"),
    [
        ("GPT-4o", 2_000, 69.5),
        ("GPT-4o", 4_000, 23.3),
        ("GPT-4o", 8_000, 1.9),
        ("GPT-4o", 16_000, 0.0),
        ("Claude 3.5 Sonnet", 2_000, 91.7),
        ("Claude 3.5 Sonnet", 4_000, 78.3),
        ("Claude 3.5 Sonnet", 8_000, 56.8),
        ("Claude 3.5 Sonnet", 16_000, 6.7),
        ("LongWriter-glm4-9b", 2_000, 78.0),
        ("LongWriter-glm4-9b", 4_000, 86.6),
    ],
)
def test_direct_replies_are_as_long_as_published(model: str, asked: int, published: float) -> None:
    behavior = longbench.models()[model]
    prompts = (
        [{"role": "user", "content": f"Write a {asked}-word essay, number {essay}."}]
        for essay in range(123)  # as many as HelloBench has
    )
    scores = [length_score(asked, measure(behavior.reply(prompt), "words")) for prompt in prompts]
    error = statistics.stdev(scores) / len(scores) ** 0.5
    assert statistics.fmean(scores) == pytest.approx(published, abs=max(0.2, 3 * error))


def test_the_ways_are_told_apart() -> None:
    name = "0.8 of it, at most 2,000"
    asked = [sample for sample in longbench.samples() if sample.length in (300, 1_200, 7_000)]
    found = {}
    for mode in longbench.MODES:
        _, _, scores, sent = longbench.write((name, mode, asked, False))
        found[name, mode] = scores, sent
    direct, opened, closed, parallel = (
        longbench.means(found[name, mode][0])["[4k, 20k)"] for mode in longbench.MODES
    )
    assert direct == 0.0
    assert 60 < opened < 95 < min(closed, parallel)
    rows = longbench.table(found)
    assert {row.count("|") for row in rows} == {9}
    assert "| all |" in rows[0]


def test_a_broken_promise_is_noticed() -> None:
    scores = [
        Score(id="1", task="t", required=length, length=length, s_l=s_l)
        for length, s_l in ((100, 94.0), (1_000, 99.9), (3_000, 99.9))
    ]
    fine = {"calls": 1, "failed": 0}
    assert longbench.failures({("m", "direct"): (scores, fine)}) == []
    assert longbench.failures({("m", "longchain"): (scores, {**fine, "failed": 2})}) == [
        "m, longchain: 2 samples failed",
        "m, longchain, [0, 500): mean S_l 94.0 < 95",
    ]
    assert longbench.failures({("m", "longchain"): (scores[:1], fine)})[0].endswith("94.0 < 97")


def test_it_explains_itself() -> None:
    command = [sys.executable, "-m", "benchmarks.longbench", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert done.returncode == 0
    assert "--check" in done.stdout
