"""Overhead: `AgentWriteChain` against a bare loop of the same calls.

The chain's requests are recorded once. The bare loop sends them again by the `openai` client to a
server that gives the same answers, so both do the same work, and what differs is the chain. Each
measurement has a fresh server in a process of its own; sides alternate; medians are reported.

    python -m benchmarks.overhead [--rounds 3] [--profile] [--check]
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import gc
import json
import pstats
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from langchain_core.messages import BaseMessage, convert_to_messages
from langchain_openai import ChatOpenAI
from openai import AsyncOpenAI, OpenAI

from longchain import AgentWriteChain, SectionPlan, WritingPlan
from longchain.testing import LengthBehavior, SimulatedServer

SPREAD = 0.25
WINDOW = 1_000_000
DOCUMENTS = 64
SHAPES = ((5, 100), (3, 400))
"""Sections and their words in the documents written at the same time: the shorter the sections,
the less a server's time hides the chain's."""
SPEED = 200.0
"""Tokens per second that each request is decoded with."""
WALL = 1.05
"""The most wall time of the chain over that of the bare loop."""
CPU = 0.010
"""The most CPU seconds of the chain for each section, beyond the bare loop's. Half of it is
`ChatOpenAI`'s; the chain's own goes to the graph, the prompt, the watch over the call, and the look
at what came: its language, and whether it was said before."""


Bodies = list[dict[str, Any]]
"""The requests of one document, in order."""

Side = Callable[[str], Callable[[], Any]]
"""A server's address -> what is measured, all set up."""


@dataclass
class Outcome:
    """What each side took, a measurement for each round."""

    sections: int
    chain: list[float] = field(default_factory=list)
    model: list[float] = field(default_factory=list)
    """The same calls by `ChatOpenAI` alone: what using LangChain costs by itself."""
    bare: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """The chain's time over the bare loop's."""
        return statistics.median(self.chain) / statistics.median(self.bare)

    def beyond(self, name: str) -> float:
        """Return what a side takes beyond the bare loop, for each section."""
        side: list[float] = getattr(self, name)
        return (statistics.median(side) - statistics.median(self.bare)) / self.sections


def given(number: int, sections: int, words: int) -> dict[str, Any]:
    """Return the input of one document; its number keeps it apart from the others."""
    plan = WritingPlan(
        title=f"Port {number}",
        sections=[
            SectionPlan(
                heading=f"Quay {quay}",
                main_point=f"What is moored at quay {quay} of port {number}, and since when",
                length=words,
            )
            for quay in range(1, sections + 1)
        ],
    )
    return {"instruction": f"Write a guide to port {number} of the river.", "plan": plan}


def chain_at(base_url: str) -> AgentWriteChain:
    """Return a chain that writes on a server."""
    return AgentWriteChain(model_at(base_url), window=WINDOW, memory="full")


def model_at(base_url: str) -> ChatOpenAI:
    """Return a chat model on a server."""
    return ChatOpenAI(model="simulated", base_url=base_url, api_key="none")  # type: ignore[arg-type]


def record(inputs: list[dict[str, Any]]) -> list[Bodies]:
    """Write the documents once and return the requests of each."""
    recorded = []
    for one in inputs:
        behavior = LengthBehavior(spread=SPREAD)
        with SimulatedServer(behavior=behavior, window=WINDOW) as server:
            chain_at(server.base_url).invoke(one)
            recorded.append(server.requests)
    return recorded


@contextmanager
def serving(speed: float | None) -> Iterator[tuple[str, Callable[[], int]]]:
    """Run a server in a process of its own; yield its address and what tells the tokens so far."""
    command = [sys.executable, "-m", "longchain.testing"]
    command += ["--spread", str(SPREAD), "--window", str(WINDOW)]
    command += ["--tokens-per-second", str(speed)] if speed else []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        base_url = process.stdout.readline().strip()

        def written() -> int:
            with urllib.request.urlopen(base_url.removesuffix("/v1") + "/metrics") as answer:
                metrics = dict(line.split() for line in answer.read().decode().splitlines())
            return int(metrics["longchain_simulated_output_tokens"])

        try:
            yield base_url, written
        finally:
            process.terminate()


def timed(side: Side, clock: Callable[[], float], speed: float | None) -> tuple[float, int]:
    """Return what a side takes by a clock on a fresh server, and the tokens it had written."""
    with serving(speed) as (base_url, written):
        work = side(base_url)
        gc.collect()
        begun = clock()
        work()
        return clock() - begun, written()


def compare(
    outcome: Outcome,
    sides: dict[str, Side],
    clock: Callable[[], float],
    *,
    rounds: int,
    speed: float | None = None,
) -> Outcome:
    """Measure the sides in turn, after one round that only warms up."""
    for number in range(rounds + 1):
        tokens = set()
        for name, side in sides.items():
            seconds, written = timed(side, clock, speed)
            tokens.add(written)
            if number:
                getattr(outcome, name).append(seconds)
        if len(tokens) > 1:
            raise RuntimeError(f"the sides did not do the same work: {tokens} tokens")
    return outcome


def wall(rounds: int, documents: int, sections: int, words: int) -> Outcome:
    """Compare wall time: many documents at the same time on a server that takes its time."""
    inputs = [given(number, sections, words) for number in range(documents)]
    recorded = record(inputs)

    async def chains(chain: AgentWriteChain) -> None:
        await asyncio.gather(*(chain.ainvoke(one) for one in inputs))

    async def bare(client: AsyncOpenAI) -> None:
        async with client:
            await asyncio.gather(*(again(client, bodies) for bodies in recorded))

    async def again(client: AsyncOpenAI, bodies: Bodies) -> None:
        for body in bodies:
            await client.chat.completions.create(**body)

    def chain_side(base_url: str) -> Callable[[], None]:
        chain = chain_at(base_url)
        return lambda: asyncio.run(chains(chain))

    def bare_side(base_url: str) -> Callable[[], None]:
        client = AsyncOpenAI(base_url=base_url, api_key="none")
        return lambda: asyncio.run(bare(client))

    sides: dict[str, Side] = {"chain": chain_side, "bare": bare_side}
    outcome = Outcome(sections=documents * sections)
    return compare(outcome, sides, time.perf_counter, rounds=rounds, speed=SPEED)


def cpu(rounds: int, sections: int = 20, words: int = 400) -> Outcome:
    """Compare CPU time: one document on a server that answers at once."""
    one = given(0, sections, words)
    (bodies,) = record([one])
    prompts = [convert_to_messages(body["messages"]) for body in bodies]

    def chain_side(base_url: str) -> Callable[[], Any]:
        return partial(chain_at(base_url).invoke, one)

    def model_side(base_url: str) -> Callable[[], None]:
        return partial(replay, model_at(base_url), prompts, bodies)

    def bare_side(base_url: str) -> Callable[[], None]:
        return partial(send, OpenAI(base_url=base_url, api_key="none"), bodies)

    sides: dict[str, Side] = {"chain": chain_side, "model": model_side, "bare": bare_side}
    return compare(Outcome(sections), sides, time.process_time, rounds=rounds)


def send(client: OpenAI, bodies: Bodies) -> None:
    """Send recorded requests again by the bare client."""
    with client:
        for body in bodies:
            client.chat.completions.create(**body)


def replay(model: ChatOpenAI, prompts: list[list[BaseMessage]], bodies: Bodies) -> None:
    """Send recorded requests again by a chat model."""
    for prompt, body in zip(prompts, bodies, strict=True):
        model.invoke(prompt, max_tokens=body["max_completion_tokens"])


def profile(sections: int = 20, words: int = 400) -> None:
    """Print where the chain's time goes."""
    one = given(0, sections, words)
    with serving(None) as (base_url, _):
        chain = chain_at(base_url)
        chain.invoke(one)
        profiler = cProfile.Profile()
        profiler.runcall(chain.invoke, one)
    pstats.Stats(profiler).sort_stats("cumulative").print_stats("longchain|generate_prompt", 40)


def table(walls: dict[str, Outcome], cpus: Outcome) -> list[str]:
    """Return the results as a Markdown table."""
    rows = ["| measure | bare client | ChatOpenAI | chain | beyond the bare client |"]
    rows += ["|---|---|---|---|---|"]
    for shape, outcome in walls.items():
        bare, chain = statistics.median(outcome.bare), statistics.median(outcome.chain)
        rows.append(f"| wall, {shape} | {bare:.2f} s | | {chain:.2f} s | x {outcome.ratio:.3f} |")
    bare, model, chain = (
        statistics.median(side) / cpus.sections * 1000
        for side in (cpus.bare, cpus.model, cpus.chain)
    )
    rows.append(
        f"| CPU of a section, one document | {bare:.1f} ms | {model:.1f} ms | {chain:.1f} ms "
        f"| {cpus.beyond('chain') * 1000:.1f} ms |"
    )
    return rows


def failures(walls: dict[str, Outcome], cpus: Outcome) -> list[str]:
    """Return what does not hold of what is promised."""
    wrong = [
        f"wall, {shape}: x {outcome.ratio:.3f} > {WALL}"
        for shape, outcome in walls.items()
        if outcome.ratio > WALL
    ]
    if (beyond := cpus.beyond("chain")) > CPU:
        wrong.append(f"CPU: {beyond * 1000:.1f} ms a section > {CPU * 1000:.0f} ms")
    return wrong


def main() -> int:
    """Print the table; with `--check`, fail where a promise does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--documents", type=int, default=DOCUMENTS)
    parser.add_argument("--profile", action="store_true", help="say where the chain's time goes")
    parser.add_argument("--raw", action="store_true", help="print every measurement as JSON")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    if options.profile:
        profile()
        return 0
    walls = {
        f"{options.documents} documents of {sections} x {words} words at once": wall(
            options.rounds, options.documents, sections, words
        )
        for sections, words in SHAPES
    }
    cpus = cpu(options.rounds)
    print("\n".join(table(walls, cpus)))
    if options.raw:
        outcomes = {**walls, "cpu": cpus}
        print(json.dumps({name: vars(outcome) for name, outcome in outcomes.items()}))
    wrong = failures(walls, cpus)
    print("\n".join(wrong) or "Every promise holds.")
    return int(options.check and bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
