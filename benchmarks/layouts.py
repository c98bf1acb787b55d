"""Prompt layouts: how many prompt tokens a server must compute for each token that it writes.

The two layouts of `AgentWriteChain` beside the way of LongWriter's published scripts: one prompt
per section, with the instruction, the plan, all text so far and the step. Every way writes the
same plan, on a server with a prefix cache and on one without.

    python -m benchmarks.layouts [--sections 20] [--words 400] [--seeds 3] [--check]
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from typing import Literal

from langchain_openai import ChatOpenAI
from openai import OpenAI

from longchain import AgentWriteChain, SectionPlan, WritingPlan
from longchain.testing import LengthBehavior, SimulatedServer

Way = Literal["conversation", "paper", "published"]

WAYS: tuple[Way, ...] = ("conversation", "paper", "published")
CAPS = (None, 250)
"""Words that a reply has at most: without a limit, and so few that sections take several calls."""
SPREAD = 0.25
WINDOW = 4_000_000
"""No document comes near it: what is measured is the whole text, never a summary."""
TARGETS: dict[Way, float] = {"conversation": 0.3, "paper": 1.3}
"""The most computed prompt tokens per output token, with a prefix cache."""

INSTRUCTION = "Write a survey of inland ports for readers who have never seen one."

Cell = tuple[Way, bool, int | None]
"""The way of prompting, whether there is a prefix cache, and the cap on a reply."""


@dataclass
class Outcome:
    """What one document took on the server."""

    requests: int
    prompt: int
    """Prompt tokens, cached ones included."""
    computed: int
    """Prompt tokens that were not cached."""
    output: int

    @property
    def per_token(self) -> float:
        """Computed prompt tokens per output token."""
        return self.computed / self.output


def plan_of(sections: int, words: int) -> WritingPlan:
    """Return a plan of equal sections, with main points as long as planners write them."""
    return WritingPlan(
        title="Inland Ports",
        sections=[
            SectionPlan(
                heading=f"Harbor {number}",
                main_point=(
                    f"How harbor {number} came to be, which goods it turns over today, who works "
                    "in it, and what its neighbors on the river do otherwise"
                ),
                length=words,
            )
            for number in range(1, sections + 1)
        ],
    )


def published(server: SimulatedServer, plan: WritingPlan) -> None:
    """Write as the published scripts do: a loop that pastes everything so far into each prompt."""
    lines = [
        f"Paragraph {number}: {section.main_point} ({section.length} words)"
        for number, section in enumerate(plan.sections, 1)
    ]
    outline, text = "\n".join(lines), ""
    with OpenAI(base_url=server.base_url, api_key="none") as client:
        for line in lines:
            prompt = (
                "You help to write a long text, one paragraph in each answer. Below are the task, "
                "the plan of all paragraphs and what has been written.\n\n"
                f"Task:\n{INSTRUCTION}\n\nPlan:\n{outline}\n\nWritten so far:\n{text}\n\n"
                "Answer with the next paragraph alone, neither a heading nor a closing remark. "
                f"The next paragraph is:\n{line}"
            )
            reply = client.chat.completions.create(
                model="simulated", messages=[{"role": "user", "content": prompt}]
            )
            text += f"{reply.choices[0].message.content}\n\n"


def write(way: Way, server: SimulatedServer, plan: WritingPlan) -> None:
    """Write the plan's document on a server, in one of the ways."""
    if way == "published":
        published(server, plan)
        return
    model = ChatOpenAI(model="simulated", base_url=server.base_url, api_key="none")  # type: ignore[arg-type]
    chain = AgentWriteChain(model, layout=way, memory="full", window=WINDOW)
    chain.invoke({"instruction": INSTRUCTION, "plan": plan})


def run(cell: Cell, plan: WritingPlan, seed: int) -> Outcome:
    """Write one document and read the server's counters."""
    way, cache, cap = cell
    behavior = LengthBehavior(spread=SPREAD, cap=cap, seed=seed)
    with SimulatedServer(behavior=behavior, prefix_cache=cache, window=WINDOW) as server:
        write(way, server, plan)
        stats = server.stats
    computed = stats.prompt_tokens - stats.cached_tokens
    return Outcome(stats.requests, stats.prompt_tokens, computed, stats.output_tokens)


def measure(
    sections: int = 20, words: int = 400, seeds: int = 3, caps: Iterable[int | None] = CAPS
) -> dict[Cell, list[Outcome]]:
    """Write every cell with every seed."""
    plan = plan_of(sections, words)
    return {
        cell: [run(cell, plan, seed) for seed in range(seeds)]
        for cell in product(WAYS, (True, False), caps)
    }


def mean(outcomes: list[Outcome], name: str) -> float:
    """Return the mean of one measure over the seeds of a cell."""
    return statistics.fmean(getattr(outcome, name) for outcome in outcomes)


def table(found: dict[Cell, list[Outcome]]) -> list[str]:
    """Return the results as a Markdown table, a row for each way and server."""
    rows = [
        "| prompts | prefix cache | longest reply | requests | prompt tokens | computed "
        "| written | computed per token written |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for (way, cache, cap), outcomes in sorted(found.items(), key=lambda item: str(item[0][2])):
        counts = [mean(outcomes, name) for name in ("requests", "prompt", "computed", "output")]
        rows.append(
            f"| {way} | {'yes' if cache else 'no'} | {cap or 'any'} | "
            + " | ".join(f"{count:,.0f}" for count in counts)
            + f" | {mean(outcomes, 'per_token'):.2f} |"
        )
    return rows


def failures(found: dict[Cell, list[Outcome]]) -> list[str]:
    """Return what does not hold of what the layouts promise."""
    return [
        f"{way}, longest reply {cap or 'any'}: {worst:.2f} computed per token > {TARGETS[way]}"
        for (way, cache, cap), outcomes in found.items()
        if cache and way in TARGETS
        if (worst := max(outcome.per_token for outcome in outcomes)) > TARGETS[way]
    ]


def main() -> int:
    """Print the table; with `--check`, fail where a promise does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sections", type=int, default=20)
    parser.add_argument("--words", type=int, default=400, help="of each section")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    found = measure(options.sections, options.words, options.seeds)
    print("\n".join(table(found)))
    wrong = failures(found)
    print("\n".join(wrong) or "Every promise holds.")
    return int(options.check and bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
