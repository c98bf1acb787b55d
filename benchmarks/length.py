"""Length control: closed loop against open loop, over simulated models.

Documents of 200 to 30,000 words, models that write 0.5 to 1.6 times what they are asked with a
log-normal spread of 0.25, with and without a cap on the length of a reply.

    python -m benchmarks.length [--seeds 20] [--check]
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

LENGTHS = (200, 500, 1_000, 4_000, 10_000, 30_000)
BIASES = (0.5, 0.66, 1.0, 1.3, 1.6)
CAPS = (None, 400, 250)
SPREAD = 0.25
MEANS = {200: 94.0, 500: 96.0, 1_000: 96.0, 4_000: 98.0, 10_000: 98.0, 30_000: 98.0}
"""The least mean S_l of the closed loop at each length."""

Cell = tuple[int, float, int | None, bool]
"""Required length, bias, cap, closed loop or not."""


@dataclass
class Outcome:
    """What one document came to."""

    score: float
    calls_per_section: float
    thrown: float
    """Share of the words kept."""
    cut: float
    """The largest share that was cut off one section."""
    unfinished: int
    """Sections that do not end in a whole sentence."""
    tokens: int


def write(job: tuple[Cell, int]) -> tuple[Cell, Outcome]:
    """Write one document with a simulated model and measure it."""
    from longchain import AgentWriteChain
    from longchain.agent.finishing.report import build_document
    from longchain.language import ends_sentence
    from longchain.testing import FakeWriter, LengthBehavior

    cell, seed = job
    required, bias, cap, closed = cell
    model = FakeWriter(behavior=LengthBehavior(bias=bias, spread=SPREAD, cap=cap, seed=seed))
    chain = AgentWriteChain(model, length_control=closed)
    progress = list(chain.follow(f"Write a {required:,}-word survey of inland ports."))[-1]
    done = build_document(progress)
    cuts = [
        draft.discarded_length / (draft.length + draft.discarded_length)
        for draft in progress.sections
        if "trimmed" in draft.notes and "rewritten" not in draft.notes
    ]
    return cell, Outcome(
        score=done.report["length_score"],
        calls_per_section=done.usage.calls / len(done.sections),
        thrown=done.report["thrown_away"] / max(done.length, 1),
        cut=max(cuts, default=0.0),
        unfinished=sum(not ends_sentence(section.text) for section in done.sections),
        tokens=done.usage.input_tokens + done.usage.output_tokens,
    )


def measure(lengths: Iterable[int], seeds: int, processes: int = 2) -> dict[Cell, list[Outcome]]:
    """Write every cell with every seed, open and closed loop."""
    cells = product(lengths, BIASES, CAPS, (False, True))
    jobs = [(cell, seed) for cell in cells for seed in range(seeds)]
    jobs.sort(key=lambda job: -job[0][0])  # the long ones first, so that no core waits at the end
    found: defaultdict[Cell, list[Outcome]] = defaultdict(list)
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for cell, outcome in pool.imap_unordered(write, jobs, chunksize=4):
            found[cell].append(outcome)
    return found


def mean(outcomes: list[Outcome], name: str) -> float:
    """Return the mean of one measure over the seeds of a cell."""
    return statistics.fmean(getattr(outcome, name) for outcome in outcomes)


def table(found: dict[Cell, list[Outcome]]) -> list[str]:
    """Return the results as a Markdown table, a row for each required length."""
    rows = [
        "| words | S_l open | worst cell | S_l closed | worst cell | calls/section, bias 1, no cap "
        "| thrown away, worst cell | largest cut | extra tokens, bias 1, no cap |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for required in sorted({cell[0] for cell in found}):
        loops = {
            closed: {c: o for c, o in found.items() if c[0] == required and c[3] is closed}
            for closed in (False, True)
        }
        scores = {k: [mean(o, "score") for o in cells.values()] for k, cells in loops.items()}
        plain = {k: found[required, 1.0, None, k] for k in (False, True)}
        extra = mean(plain[True], "tokens") / mean(plain[False], "tokens") - 1
        rows.append(
            f"| {required:,} | {statistics.fmean(scores[False]):.1f} | {min(scores[False]):.1f} "
            f"| {statistics.fmean(scores[True]):.1f} | {min(scores[True]):.1f} "
            f"| {mean(plain[True], 'calls_per_section'):.2f} "
            f"| {max(mean(o, 'thrown') for o in loops[True].values()):.1%} "
            f"| {max(x.cut for o in loops[True].values() for x in o):.1%} | {extra:+.0%} |"
        )
    return rows


def failures(found: dict[Cell, list[Outcome]]) -> list[str]:
    """Return what does not hold of what the closed loop promises."""
    wrong = []
    closed = {cell: outcomes for cell, outcomes in found.items() if cell[3]}
    for required in sorted({cell[0] for cell in closed}):
        row = {cell: o for cell, o in closed.items() if cell[0] == required}
        score = statistics.fmean(mean(o, "score") for o in row.values())
        if score < MEANS[required]:
            wrong.append(f"{required}: mean S_l {score:.1f} < {MEANS[required]}")
        calls = mean(closed[required, 1.0, None, True], "calls_per_section")
        if required >= 4_000 and calls > 1.2:
            wrong.append(f"{required}: {calls:.2f} calls a section")
    for cell, outcomes in closed.items():
        if (score := mean(outcomes, "score")) < 90:
            wrong.append(f"{cell}: mean S_l {score:.1f} < 90")
        if (thrown := mean(outcomes, "thrown")) > 0.1:
            wrong.append(f"{cell}: {thrown:.1%} thrown away")
        if (cut := max(outcome.cut for outcome in outcomes)) > 0.25:
            wrong.append(f"{cell}: {cut:.1%} cut off a section")
        if unfinished := sum(outcome.unfinished for outcome in outcomes):
            wrong.append(f"{cell}: {unfinished} sections without a whole last sentence")
    return wrong


def main() -> int:
    """Print the table; with `--check`, fail where a promise does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--lengths", type=int, nargs="+", default=LENGTHS)
    parser.add_argument("--cells", action="store_true", help="print every cell")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    found = measure(options.lengths, options.seeds)
    print("\n".join(table(found)))
    if options.cells:
        for cell, outcomes in sorted(found.items(), key=str):
            print(cell, *(f"{n} {mean(outcomes, n):.3f}" for n in ("score", "thrown", "tokens")))
    wrong = failures(found)
    print("\n".join(wrong) or "Every promise holds.")
    return int(options.check and bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
