"""S_l of the texts that HelloBench released: `python -m benchmarks.hellobench PATH [--check]`.

Its length-constrained experiment has 123 essays a file and model, at 2k, 4k, 8k and 16k words.
`PATH` is a copy of github.com/Quehry/HelloBench: a checkout, or a Git directory without one.
Printed is the mean S_l by the published counter, which other papers have, and by the right one.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from longchain.bench.score import score, summarize
from longchain.bench.shapes import Prediction

LENGTHS = {"2k": 2_000, "4k": 4_000, "8k": 8_000, "16k": 16_000}
"""Required words by the part's name."""

FOLDER = "results/generations/length_constrained_exp"

FIGURES = {
    "gpt4o_0806": (69.5, 23.3, 1.9, 0.0),
    "claude35": (91.7, 78.3, 56.8, 6.7),
    "longwriter_9b": (78.0, 86.6),
}
"""What is to come out, by the published counter, at 2k, 4k, 8k and 16k, within `TOLERANCE`."""

TOLERANCE = 0.1

Means = dict[str, dict[str, tuple[int, float, float]]]
"""By model and part: how many texts, mean S_l by the published counter, and by the right one."""


def git(copy: Path, *command: str) -> bytes:
    """Return what Git says about a copy; nothing where it fails."""
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
    """Return a file's texts; none where it is missing."""
    name = f"{FOLDER}/{model}/heuristic_text_generation_{part}_results.jsonl"
    held = (copy / name).read_bytes() if (copy / name).is_file() else b""
    content = held or git(copy, "show", f"HEAD:{name}")
    return [json.loads(line)["response"] or "" for line in content.split(b"\n") if line.strip()]


def measure(copy: Path) -> Means:
    """Score all texts."""
    found: Means = {}
    for model in models(copy):
        for part, length in LENGTHS.items():
            scores = [
                score(
                    Prediction(
                        id=str(number),
                        task="hellobench",
                        prompt="",
                        length=length,
                        bound="at_least",
                        response=text,
                    ),
                    light=True,
                )
                for number, text in enumerate(responses(copy, model, part))
            ]
            if scores:
                said = summarize(scores, resamples=0)
                means = said["n"], said["s_l_published"], said["s_l"]
                found.setdefault(model, {})[part] = means
    return found


def table(found: Means) -> list[str]:
    """Return the results as a Markdown table."""
    rows = [
        "| model | " + " | ".join(f"{part}, published | {part}" for part in LENGTHS) + " |",
        "|---|" + "---|" * (2 * len(LENGTHS)),
    ]
    for model, parts in found.items():
        cells = [
            f"{parts[part][1]:.2f} | {parts[part][2]:.2f}" if part in parts else "- | -"
            for part in LENGTHS
        ]
        rows.append(f"| {model} | {' | '.join(cells)} |")
    return rows


def failures(found: Means) -> list[str]:
    """Return what comes out otherwise."""
    wrong = []
    for model, figures in FIGURES.items():
        for part, figure in zip(LENGTHS, figures, strict=False):
            count, mean, _ = found.get(model, {}).get(part, (0, -1.0, -1.0))
            if count != 123:
                wrong.append(f"{model}, {part}: {count} texts, not 123")
            elif abs(mean - figure) > TOLERANCE:
                wrong.append(f"{model}, {part}: S_l {mean:.2f}, not {figure}")
    return wrong


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; with `--check`, fail where a figure does not come out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("path", type=Path, help="a copy of github.com/Quehry/HelloBench")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args(arguments)
    found = measure(options.path)
    if not found:
        parser.error(f"{str(options.path)!r} holds nothing below {FOLDER}")
    print("\n".join(table(found)))
    wrong = failures(found)
    print("\n".join(wrong) or "Every figure comes out.")
    return int(options.check and bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
