"""Benchmark in the shape of LongBench-Write: a model alone, open-loop AgentWrite, and longchain.

120 samples with the lengths and types of LongBench-Write, 100 to 20,000 words or characters, half
of them Chinese, for simulated models whose direct replies are as long as those published of real
models. Served over HTTP, written by `longchain.bench.run` and scored by `longchain.bench.score`.

    python -m benchmarks.longbench [--path longbench_write.jsonl] [--limit 120] [--check]
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import sys
import tempfile
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from math import exp, log
from pathlib import Path
from random import Random
from typing import Any

from longchain.bench.schema import Sample, Score
from longchain.length import length_score
from longchain.testing import LengthBehavior
from longchain.testing.behavior import Message, WritingRequest

MODES = ("direct", "AgentWrite, open loop", "longchain", "longchain, parallel")

ENGLISH = {
    100: 2, 150: 1, 200: 3, 300: 2, 400: 9, 500: 5, 600: 4, 800: 4, 1000: 1, 1200: 5, 1600: 1,
    2000: 3, 2400: 1, 2500: 2, 2800: 1, 3000: 3, 3500: 1, 4000: 2, 5000: 3, 6000: 3, 10000: 3,
    12000: 1,
}  # fmt: skip
CHINESE = {
    200: 5, 300: 1, 400: 3, 500: 1, 600: 3, 800: 6, 1000: 1, 1200: 1, 1400: 1, 1500: 2, 1800: 1,
    2000: 10, 2200: 1, 2400: 1, 2500: 1, 3000: 7, 5000: 6, 7000: 1, 8000: 2, 10000: 3,
    15000: 2, 20000: 1,
}  # fmt: skip
"""Number of samples for each required length, counted in evaluation/longbench_write.jsonl."""

KINDS = {
    "Literature and Creative Writing": (31, "story", "小说"),
    "Academic and Monograph": (22, "monograph", "学术论文"),
    "Popular Science": (18, "popular science article", "科普文章"),
    "Functional Writing": (17, "report", "工作报告"),
    "News Report": (13, "news feature", "新闻报道"),
    "Community Forum": (10, "forum post", "论坛帖子"),
    "Education and Training": (9, "lesson", "教案"),
}
"""Published types: number of samples, counted likewise, and the name of the text in prompts."""

TOPICS = (
    ("an inland port", "内河港口"), ("the water of a city", "城市供水"),
    ("a mountain railway", "山区铁路"), ("the first public library", "第一座公共图书馆"),
    ("bees in winter", "冬天的蜜蜂"), ("a lighthouse keeper", "灯塔守护人"),
    ("the tea trade", "茶叶贸易"), ("an old observatory", "古老的天文台"),
)  # fmt: skip

MIN_SCORE, MIN_RANGE_SCORE = 97.0, 95.0
"""Mean S_l that longchain must reach for every model: of all samples, and of each range."""


@dataclass(frozen=True)
class Curve(LengthBehavior):
    """A model whose replies fall ever shorter of the required length, the longer that is."""

    _: KW_ONLY
    outputs: tuple[tuple[int, float], ...] = ()
    """Required lengths and median output lengths, both rising."""

    _by_length: dict[int, LengthBehavior] = field(default_factory=dict, repr=False, compare=False)

    def reply(self, messages: Sequence[Message], schema: Mapping[str, Any] | None = None) -> str:
        """Return the answer to `messages`."""
        required = WritingRequest.read(messages).length or 1
        if required not in self._by_length:
            bias = self.median(required) / required
            self._by_length[required] = LengthBehavior(
                bias=bias, spread=self.spread, cap=self.cap, seed=self.seed
            )
        return self._by_length[required].reply(messages, schema)

    def median(self, required: int) -> float:
        """Return the median output length, interpolated between points on log axes."""
        points = self.outputs or ((1, 1.0),)
        place = bisect_left([point[0] for point in points], required)
        if place == 0:
            return required * points[0][1] / points[0][0]
        if place == len(points):
            return points[-1][1]
        (x0, y0), (x1, y1) = points[place - 1 : place + 1]
        return exp(log(y0) + (log(y1) - log(y0)) * log(required / x0) / log(x1 / x0))


def mean_score(required: int, median: float, spread: float) -> float:
    """Return the mean S_l of output lengths with a log-normal distribution around a median."""
    normal = statistics.NormalDist()
    quantiles = [normal.inv_cdf((part + 0.5) / 200) for part in range(200)]
    lengths = [max(1, round(median * exp(spread * quantile))) for quantile in quantiles]
    return statistics.fmean(length_score(required, length) for length in lengths)


def fit_median(required: int, score: float, spread: float) -> float:
    """Return the median below the required length at which the mean S_l is a given one."""
    low, high = required / 10, float(required)
    for _ in range(40):
        middle = (low + high) / 2
        if mean_score(required, middle, spread) < score:
            low = middle
        else:
            high = middle
    return high


def curve(
    scores: dict[int, float], spread: float, *, extrapolate: bool = False, faithful: int = 1_000
) -> Curve:
    """Return the model whose direct replies have these mean S_l.

    Args:
        scores: Mean S_l by required length.
        spread: Spread of its output lengths around the median.
        extrapolate: Whether it keeps its last proportion beyond the last required length;
            otherwise its output grows no longer.
        faithful: Required length up to which its median output is as long as required: nothing
            is published about short texts.
    """
    points = [(1, 1.0), (faithful, float(faithful))]
    for required, score in scores.items():
        points.append((required, fit_median(required, score, spread)))
    if extrapolate:
        points.append((10 * points[-1][0], 10 * points[-1][1]))
    return Curve(spread=spread, outputs=tuple(points))


def models() -> dict[str, LengthBehavior]:
    """Return the simulated models by name.

    The figures are the mean S_l of HelloBench's released generations, 123 essays a file. Nothing
    is published on how long their sections are; the first model, which falls short of any length,
    represents those that miss them.
    """
    return {
        "0.8 of it, at most 2,000": LengthBehavior(bias=0.8, cap=2_000, spread=0.15),
        "GPT-4o": curve({2_000: 69.5, 4_000: 23.3, 8_000: 1.9}, 0.15),
        "Claude 3.5 Sonnet": curve({2_000: 91.7, 4_000: 78.3, 8_000: 56.8, 16_000: 6.7}, 0.15),
        "LongWriter-glm4-9b": curve({2_000: 78.0, 4_000: 86.6}, 0.25, extrapolate=True),
    }


def samples() -> list[Sample]:
    """Return samples with the lengths and types of LongBench-Write, and prompts of our own."""
    rng = Random(0)
    kinds = [kind for kind, (count, *_) in KINDS.items() for _ in range(count)]
    rng.shuffle(kinds)
    results: list[Sample] = []
    for chinese, lengths in enumerate((ENGLISH, CHINESE)):
        for length, count in lengths.items():
            for _ in range(count):
                number = len(results)
                kind = kinds[number % len(kinds)]
                topic = rng.choice(TOPICS)[chinese]
                form = KINDS[kind][2] if chinese else KINDS[kind][1]
                results.append(_sample(number + 1, kind, topic, form, length, bool(chinese)))
    return results


def _sample(number: int, kind: str, topic: str, form: str, length: int, chinese: bool) -> Sample:
    prompt = f"Write a {length}-word {form} about {topic}."
    if chinese:
        prompt = f"写一篇关于{topic}的{form}，{length}字。"
    return Sample(
        id=f"{number:03d}",
        task="longbench-write",
        prompt=prompt,
        length=length,
        unit="characters" if chinese else "words",
        language="zh" if chinese else "en",
        kind=kind,
    )


Job = tuple[str, str, list[Sample], bool]
"""Name of a model, a mode, the samples, and whether AgentWrite is passed the lengths."""


def write(job: Job) -> tuple[str, str, list[Score], dict[str, int]]:
    """Have one model write all samples in one mode, and score them."""
    from langchain_openai import ChatOpenAI

    from longchain import AgentWriteChain
    from longchain.bench.predictions import read_predictions
    from longchain.bench.run import run
    from longchain.bench.score import score
    from longchain.bench.writers import ChainWriter, ModelWriter
    from longchain.testing import SimulatedServer

    name, mode, asked, pass_length = job
    behavior = models()[name]
    with (
        SimulatedServer(behavior=behavior, model=name, window=131_072) as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        model = ChatOpenAI(base_url=server.base_url, api_key="any", model=name)  # type: ignore[arg-type]
        writer: Any = ModelWriter(model, max_tokens=32_768, streaming=False)
        if mode != "direct":
            chain_mode: Any = "parallel" if "parallel" in mode else "sequential"
            chain = AgentWriteChain(model, mode=chain_mode, length_control="open" not in mode)
            writer = ChainWriter(chain, pass_length=pass_length)
        file = Path(folder) / "pred.jsonl"
        run(asked, writer, file)
        predictions = read_predictions(file, strict=True).predictions
    counts = {
        "calls": sum(prediction.usage.calls for prediction in predictions),
        "failed": sum(bool(prediction.error) for prediction in predictions),
    }
    return name, mode, [score(prediction, light=True) for prediction in predictions], counts


Results = dict[tuple[str, str], tuple[list[Score], dict[str, int]]]
"""Scores and counts by name of the model and mode."""


def measure(
    asked: list[Sample], names: Sequence[str], pass_length: bool = False, processes: int = 2
) -> Results:
    """Have every model write in every mode."""
    jobs = [(name, mode, asked, pass_length) for mode in reversed(MODES) for name in names]
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        done = list(pool.imap_unordered(write, jobs, chunksize=1))
    results = {(name, mode): (scores, counts) for name, mode, scores, counts in done}
    return {(name, mode): results[name, mode] for name in names for mode in MODES}


def means(scores: list[Score]) -> dict[str, float]:
    """Return the mean S_l of all samples, and of each range that has any."""
    from longchain.bench.score import summarize

    summary = summarize(scores, resamples=0)
    parts = {"all": summary, **summary["ranges"]}
    return {name: part["s_l"] for name, part in parts.items() if part["s_l"] is not None}


def table(results: Results) -> list[str]:
    """Return the results as a Markdown table."""
    rows: list[str] = []
    for (name, mode), (scores, counts) in results.items():
        by_range = means(scores)
        if not rows:
            heads = ["model", "mode", *by_range, "lowest S_l", "calls"]
            rows = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
        cells = [f"{mean:.1f}" for mean in by_range.values()]
        lowest = min(score.s_l or 0.0 for score in scores)
        cells += [f"{lowest:.1f}", f"{counts['calls']:,}"]
        rows.append(f"| {name} | {mode} | {' | '.join(cells)} |")
    return rows


def failures(results: Results) -> list[str]:
    """Return the results that break a promise of longchain."""
    problems = []
    for (name, mode), (scores, counts) in results.items():
        if counts["failed"]:
            problems.append(f"{name}, {mode}: {counts['failed']:,} samples failed")
        if not mode.startswith("longchain"):
            continue
        for part, mean in means(scores).items():
            minimum = MIN_SCORE if part == "all" else MIN_RANGE_SCORE
            if mean < minimum:
                problems.append(f"{name}, {mode}, {part}: mean S_l {mean:.1f} < {minimum:g}")
    return problems


def main() -> int:
    """Print the table; with `--check`, fail if a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--path", type=Path, help="the published longbench_write.jsonl")
    parser.add_argument("--limit", type=int, help="number of samples, taken at even distances")
    parser.add_argument("--models", nargs="+", default=list(models()))
    parser.add_argument(
        "--pass-length",
        action="store_true",
        help="pass the lengths to AgentWrite, too: five published prompts state none in words",
    )
    parser.add_argument(  # its earlier name
        "--hand-length", dest="pass_length", action="store_true", help=argparse.SUPPRESS
    )
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    asked = samples()
    if options.path:
        from longchain.bench import tasks

        asked = list(tasks.load("longbench-write", path=options.path).samples)
    if options.limit:
        step = max(1, len(asked) // options.limit)
        asked = asked[::step][: options.limit]
    results = measure(asked, options.models, options.pass_length)
    print("\n".join(table(results)))
    problems = failures(results)
    print("\n".join(problems) or "Every promise holds.")
    return int(options.check and bool(problems))


if __name__ == "__main__":
    sys.exit(main())
