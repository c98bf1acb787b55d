"""Benchmark on HelloBench's released texts: `python -m benchmarks.hellobench PATH [--check]`.

A Git copy of their texts -> mean S_l by the published counter, as in other papers, and by
longchain's. Their length-constrained experiment has 123 essays a file and model, at 2k, 4k, 8k and
16k words. `PATH` is a copy of github.com/Quehry/HelloBench: a checkout, or a Git directory alone.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from longchain.bench.schema import Prediction
from longchain.bench.score import score, summarize

LENGTHS = {"2k": 2_000, "4k": 4_000, "8k": 8_000, "16k": 16_000}
"""Required words by the part's name."""

FOLDER = "results/generations/length_constrained_exp"

FIGURES = {
    "gpt4o_0806": (69.5, 23.3, 1.9, 0.0),
    "claude35": (91.7, 78.3, 56.8, 6.7),
    "longwriter_9b": (78.0, 86.6),
}
"""Expected mean S_l by the published counter at 2k, 4k, 8k and 16k, within `TOLERANCE`."""

TOLERANCE = 0.1

Means = dict[str, dict[str, tuple[int, float, float]]]
"""By model and part: number of texts, mean S_l by the published counter, and by longchain's."""


def git(copy: Path, *command: str) -> bytes:
    """Return the output of Git about a copy; nothing if it fails."""
    done = subprocess.run(["git", "-C", str(copy), *command], capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else b""


def models(copy: Path) -> list[str]:
    """Return the models of the experiment."""
    folder = copy / FOLDER
    if folder.is_dir():
        return sorted(each.name for each in folder.iterdir() if each.is_dir())
    listed = git(copy, "ls-tree", "--name-only", "HEAD", f"{FOLDER}/").decode()
    return [line.rpartition("/")[2] for line in listed.splitlines()]


def responses(copy: Path, model: str, part: str) -> list[str]:
    """Return a file's texts; none if it is missing."""
    name = f"{FOLDER}/{model}/heuristic_text_generation_{part}_results.jsonl"
    file = copy / name
    content = file.read_bytes() if file.is_file() else b""
    content = content or git(copy, "show", f"HEAD:{name}")
    return [json.loads(line)["response"] or "" for line in content.split(b"\n") if line.strip()]


def measure(copy: Path) -> Means:
    """Score all texts."""
    means: Means = {}
    for model in models(copy):
        for part, length in LENGTHS.items():
            texts = responses(copy, model, part)
            if texts:
                means.setdefault(model, {})[part] = _mean_scores(texts, length)
    return means


def _mean_scores(texts: Sequence[str], length: int) -> tuple[int, float, float]:
    """Return the number of texts and their mean S_l, by the published counter and longchain's."""
    scores = []
    for number, text in enumerate(texts):
        prediction = Prediction(
            id=str(number),
            task="hellobench",
            prompt="",
            length=length,
            bound="at_least",
            response=text,
        )
        scores.append(score(prediction, light=True))
    summary = summarize(scores, resamples=0)
    return summary["n"], summary["s_l_published"], summary["s_l"]


def table(means: Means) -> list[str]:
    """Return the results as a Markdown table."""
    rows = [
        "| model | " + " | ".join(f"{part}, published | {part}" for part in LENGTHS) + " |",
        "|---|" + "---|" * (2 * len(LENGTHS)),
    ]
    for model, parts in means.items():
        cells = []
        for part in LENGTHS:
            _, published, ours = parts.get(part, (0, None, None))
            cells.append("- | -" if published is None else f"{published:.2f} | {ours:.2f}")
        rows.append(f"| {model} | {' | '.join(cells)} |")
    return rows


def failures(means: Means) -> list[str]:
    """Return the figures that differ from the expected ones."""
    problems = []
    for model, figures in FIGURES.items():
        for part, figure in zip(LENGTHS, figures, strict=False):
            count, mean, _ = means.get(model, {}).get(part, (0, -1.0, -1.0))
            if count != 123:
                problems.append(f"{model}, {part}: {count} texts, not 123")
            elif abs(mean - figure) > TOLERANCE:
                problems.append(f"{model}, {part}: S_l {mean:.2f}, not {figure}")
    return problems


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; with `--check`, fail if a figure differs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("path", type=Path, help="a copy of github.com/Quehry/HelloBench")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args(arguments)
    means = measure(options.path)
    if not means:
        parser.error(f"{str(options.path)!r} holds nothing below {FOLDER}")
    print("\n".join(table(means)))
    problems = failures(means)
    print("\n".join(problems) or "Every figure is as expected.")
    return int(options.check and bool(problems))


if __name__ == "__main__":
    sys.exit(main())
