"""The shape of LongBench-Write: a model by itself, open-loop AgentWrite, and longchain.

120 samples with the lengths and types of LongBench-Write, 100 to 20,000 words or characters, half
of them Chinese, for simulated models whose direct replies are as long as real models' were found
to be. Served over HTTP, written by `longchain.bench.run` and scored by `longchain.bench.score`.

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

from longchain.bench.shapes import Sample, Score
from longchain.length import length_score
from longchain.testing import LengthBehavior
from longchain.testing.behavior import Message, WritingRequest

WAYS = ("direct", "AgentWrite, open loop", "longchain", "longchain, parallel")

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
"""How many samples require each length, counted in evaluation/longbench_write.jsonl."""

KINDS = {
    "Literature and Creative Writing": (31, "story", "小说"),
    "Academic and Monograph": (22, "monograph", "学术论文"),
    "Popular Science": (18, "popular science article", "科普文章"),
    "Functional Writing": (17, "report", "工作报告"),
    "News Report": (13, "news feature", "新闻报道"),
    "Community Forum": (10, "forum post", "论坛帖子"),
    "Education and Training": (9, "lesson", "教案"),
}
"""The published types: how many samples each, counted likewise, and what is asked for."""

TOPICS = (
    ("an inland port", "内河港口"), ("the water of a city", "城市供水"),
    ("a mountain railway", "山区铁路"), ("the first public library", "第一座公共图书馆"),
    ("bees in winter", "冬天的蜜蜂"), ("a lighthouse keeper", "灯塔守护人"),
    ("the tea trade", "茶叶贸易"), ("an old observatory", "古老的天文台"),
)  # fmt: skip

LEAST, LEAST_IN_RANGE = 97.0, 95.0
"""The mean S_l that longchain must reach for every model: of all samples, and of each range."""


@dataclass(frozen=True)
class Curve(LengthBehavior):
    """A model whose replies fall ever more behind what they are asked for."""

    _: KW_ONLY
    outputs: tuple[tuple[int, float], ...] = ()
    """What is asked for, and the median that is written, both rising."""

    _by_length: dict[int, LengthBehavior] = field(default_factory=dict, repr=False, compare=False)

    def reply(self, messages: Sequence[Message], schema: Mapping[str, Any] | None = None) -> str:
        """Return the answer to `messages`."""
        asked = WritingRequest.read(messages).length or 1
        if asked not in self._by_length:
            self._by_length[asked] = LengthBehavior(
                bias=self.median(asked) / asked, spread=self.spread, cap=self.cap, seed=self.seed
            )
        return self._by_length[asked].reply(messages, schema)

    def median(self, asked: int) -> float:
        """Return the length in the middle of what is written; between points by proportion."""
        points = self.outputs or ((1, 1.0),)
        place = bisect_left([point[0] for point in points], asked)
        if place == 0:
            return asked * points[0][1] / points[0][0]
        if place == len(points):
            return points[-1][1]
        (x0, y0), (x1, y1) = points[place - 1 : place + 1]
        return exp(log(y0) + (log(y1) - log(y0)) * log(asked / x0) / log(x1 / x0))


def mean_score(asked: int, median: float, spread: float) -> float:
    """Return the mean S_l of outputs that are spread log-normally around a median."""
    normal = statistics.NormalDist()
    parts = [normal.inv_cdf((part + 0.5) / 200) for part in range(200)]
    return statistics.fmean(
        length_score(asked, max(1, round(median * exp(spread * part)))) for part in parts
    )


def fitted(asked: int, score: float, spread: float) -> float:
    """Return the median below the length asked for at which the mean S_l is the one given."""
    low, high = asked / 10, float(asked)
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if mean_score(asked, middle, spread) < score else (low, middle)
    return high


def curve(
    scores: dict[int, float], spread: float, *, onward: bool = False, faithful: int = 1_000
) -> Curve:
    """Return the model whose direct replies have these mean S_l.

    Args:
        scores: The mean S_l by length asked for.
        spread: Of its lengths around the median.
        onward: Whether it keeps its last proportion beyond them; else it writes no more than that.
        faithful: Up to which length it writes what it is asked, in the middle: nothing is
            published about short texts.
    """
    points = [(1, 1.0), (faithful, float(faithful))]
    points += [(asked, fitted(asked, score, spread)) for asked, score in scores.items()]
    if onward:
        points.append((10 * points[-1][0], 10 * points[-1][1]))
    return Curve(spread=spread, outputs=tuple(points))


def models() -> dict[str, LengthBehavior]:
    """Return the simulated models by name.

    The figures are the mean S_l of HelloBench's released generations, 123 essays a file. Nothing
    is published on what these models make of sections; the first one, which falls short of any
    length, stands for those that do not keep to them.
    """
    return {
        "0.8 of it, at most 2,000": LengthBehavior(bias=0.8, cap=2_000, spread=0.15),
        "GPT-4o": curve({2_000: 69.5, 4_000: 23.3, 8_000: 1.9}, 0.15),
        "Claude 3.5 Sonnet": curve({2_000: 91.7, 4_000: 78.3, 8_000: 56.8, 16_000: 6.7}, 0.15),
        "LongWriter-glm4-9b": curve({2_000: 78.0, 4_000: 86.6}, 0.25, onward=True),
    }


def samples() -> list[Sample]:
    """Return samples with the lengths and types of LongBench-Write, and prompts of our own."""
    rng = Random(0)
    kinds = [kind for kind, (count, *_) in KINDS.items() for _ in range(count)]
    rng.shuffle(kinds)
    made: list[Sample] = []
    for chinese, lengths in enumerate((ENGLISH, CHINESE)):
        for length, count in lengths.items():
            for _ in range(count):
                kind = kinds[len(made) % len(kinds)]
                topic, form = rng.choice(TOPICS)[chinese], KINDS[kind][1 + chinese]
                prompt = (
                    f"写一篇关于{topic}的{form}，{length}字。"
                    if chinese
                    else f"Write a {length}-word {form} about {topic}."
                )
                made.append(
                    Sample(
                        id=f"{len(made) + 1:03d}",
                        task="longbench-write",
                        prompt=prompt,
                        length=length,
                        unit="characters" if chinese else "words",
                        language="zh" if chinese else "en",
                        kind=kind,
                    )
                )
    return made


Job = tuple[str, str, list[Sample], bool]
"""A model's name, a way, what is written, and whether AgentWrite is handed the lengths."""


def write(job: Job) -> tuple[str, str, list[Score], dict[str, int]]:
    """Have one model write all samples in one way, and score them."""
    from langchain_openai import ChatOpenAI

    from longchain import AgentWriteChain
    from longchain.bench.predictions import read_predictions
    from longchain.bench.run import run
    from longchain.bench.score import score
    from longchain.bench.writers import Chained, Direct
    from longchain.testing import SimulatedServer

    name, way, asked, hand_length = job
    behavior = models()[name]
    with (
        SimulatedServer(behavior=behavior, model=name, window=131_072) as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        model = ChatOpenAI(base_url=server.base_url, api_key="any", model=name)  # type: ignore[arg-type]
        writer: Any = Direct(model, max_tokens=32_768, streaming=False)
        if way != "direct":
            mode: Any = "parallel" if "parallel" in way else "sequential"
            chain = AgentWriteChain(model, mode=mode, length_control="open" not in way)
            writer = Chained(chain, hand_length=hand_length)
        file = Path(folder) / "pred.jsonl"
        run(asked, writer, file)
        predictions = read_predictions(file, strict=True).predictions
    sent = {
        "calls": sum(one.usage.calls for one in predictions),
        "failed": sum(bool(one.error) for one in predictions),
    }
    return name, way, [score(one, light=True) for one in predictions], sent


Found = dict[tuple[str, str], tuple[list[Score], dict[str, int]]]


def measure(
    asked: list[Sample], names: Sequence[str], hand_length: bool = False, processes: int = 2
) -> Found:
    """Have every model write in every way."""
    jobs = [(name, way, asked, hand_length) for way in reversed(WAYS) for name in names]
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        done = list(pool.imap_unordered(write, jobs, chunksize=1))
    order = {(name, way): (scores, sent) for name, way, scores, sent in done}
    return {(name, way): order[name, way] for name in names for way in WAYS}


def means(scores: list[Score]) -> dict[str, float]:
    """Return the mean S_l of all samples, and of each range that has any."""
    from longchain.bench.score import summarize

    found = summarize(scores, resamples=0)
    parts = {"all": found, **found["ranges"]}
    return {name: part["s_l"] for name, part in parts.items() if part["s_l"] is not None}


def table(found: Found) -> list[str]:
    """Return the results as a Markdown table."""
    rows: list[str] = []
    for (name, way), (scores, sent) in found.items():
        made = means(scores)
        if not rows:
            heads = ["model", "way", *made, "lowest S_l", "calls"]
            rows = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
        cells = [f"{mean:.1f}" for mean in made.values()]
        lowest = min(score.s_l or 0.0 for score in scores)
        rows.append(f"| {name} | {way} | {' | '.join(cells)} | {lowest:.1f} | {sent['calls']:,} |")
    return rows


def failures(found: Found) -> list[str]:
    """Return what does not hold of what longchain promises."""
    wrong = []
    for (name, way), (scores, sent) in found.items():
        if sent["failed"]:
            wrong.append(f"{name}, {way}: {sent['failed']:,} samples failed")
        if not way.startswith("longchain"):
            continue
        for place, mean in means(scores).items():
            least = LEAST if place == "all" else LEAST_IN_RANGE
            if mean < least:
                wrong.append(f"{name}, {way}, {place}: mean S_l {mean:.1f} < {least:g}")
    return wrong


def main() -> int:
    """Print the table; with `--check`, fail where a promise does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--path", type=Path, help="the published longbench_write.jsonl")
    parser.add_argument("--limit", type=int, help="so many samples, evenly taken")
    parser.add_argument("--models", nargs="+", default=list(models()))
    parser.add_argument(
        "--hand-length",
        action="store_true",
        help="name the lengths to AgentWrite, too: five published prompts state none in words",
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
    found = measure(asked, options.models, options.hand_length)
    print("\n".join(table(found)))
    wrong = failures(found)
    print("\n".join(wrong) or "Every promise holds.")
    return int(options.check and bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
