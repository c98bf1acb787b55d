"""Durability: what it costs to keep a run, in bytes, in time and in memory.

One document of 500 sections of 5 KB each: bytes stored for each byte of text, and the time that a
section takes (the model answers at once) as the document grows, side by side with the same chain
that keeps nothing. Then 100 runs at once in one process: errors, and memory for each.

    python -m benchmarks.durability [--sections 500] [--runs 100] [--store sqlite|postgres|both]
                                    [--check]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.cluster import cluster
from longchain import AgentWriteChain, Runs, SectionPlan, WritingPlan
from longchain.runs.location import locate_store
from longchain.testing import FakeWriter, LengthBehavior

SIZE = 5_000
"""Bytes of a section's text."""
PARTS = 5
"""Stretches of the document whose sections are timed together."""
BYTES = 3.0
"""The most bytes stored for a byte of text."""
FLAT = 1.5
"""The most time of a section in the last stretch over one in the first, beyond that of a chain
that keeps nothing."""


def texts(count: int) -> list[str]:
    """Return sections of about 5 KB, no two alike."""
    made = []
    for number in range(count):
        sentences: list[str] = []
        size = 0
        while size < SIZE:
            place_ = len(sentences)
            sentence = f"Crane {number}-{place_} lifts bale {number * 7 + place_ * 13} on board."
            sentences.append(sentence)
            size += len(sentence) + 1
        made.append(" ".join(sentences))
    return made


def given(count: int) -> dict[str, Any]:
    """Return the input: a plan of so many sections, each as long as it will be."""
    length = len(texts(1)[0].split())
    parts = [
        SectionPlan(heading=f"Quay {n}", main_point=f"What lies at quay {n}", length=length)
        for n in range(1, count + 1)
    ]
    return {"instruction": "Write a guide to the port.", "plan": WritingPlan(sections=parts)}


def timed(sections: int, follow: Callable[[], Iterator[Any]]) -> list[float]:
    """Return the seconds of a section in each stretch of a document."""
    stamps, done = [time.perf_counter()], 0
    for progress in follow():
        if (now := len(progress.published_sections())) > done:
            done = now
            if done % (sections // PARTS) == 0:
                stamps.append(time.perf_counter())
    return [(after - before) / (sections // PARTS) for before, after in pairwise(stamps)]


def writer(sections: int) -> FakeWriter:
    """Return the model: each section at once, and summaries between them."""
    return FakeWriter(replies=texts(2 * sections))


PRIOR = 6_000
"""Tokens of prior text in a prompt: the time for whole books in it would hide the store's."""


def stored(where: str, run: str) -> int:
    """Return the bytes that a store takes for a run."""
    if where.startswith("postgresql"):
        import psycopg

        with psycopg.connect(where) as connection:
            row = connection.execute(
                "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c "
                "JOIN pg_namespace n ON n.oid = c.relnamespace "
                "WHERE n.nspname = 'public' AND c.relkind = 'r'"
            ).fetchone()
            assert row is not None
            return int(row[0])
    file = Path(where)
    return sum(part.stat().st_size for part in file.parent.glob(f"{file.name}*") if part.is_file())


def grow(where: str, sections: int) -> tuple[list[float], float]:
    """Write the long document; return the seconds a section, and bytes for each byte of text."""
    with Runs(where) as runs:
        run = runs.start(
            given(sections),
            model=writer(sections),
            run="long",
            memory="summary",
            memory_tokens=PRIOR,
        )
        seconds = timed(sections, run.follow)
        text = len(run.document().text.encode())
    return seconds, stored(where, "long") / text


def crowd(where: str, count: int) -> tuple[int, float, float]:
    """Do what `many` does in a process of its own, whose memory nothing else has had."""
    command = [sys.executable, "-m", "benchmarks.durability", "--many", where, "--runs", str(count)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    *said, last = done.stdout.splitlines()
    print("\n".join(said), end="\n" * bool(said))
    whole, seconds, memory = json.loads(last)
    return whole, seconds, memory


def many(where: str, count: int) -> tuple[int, float, float]:
    """Write many documents at once; return those that are whole, seconds, and MB for each."""

    async def all_at_once() -> list[Any]:
        with Runs(where) as runs:
            model = FakeWriter(behavior=LengthBehavior(), latency=0.02)
            made = [
                runs.start(f"Write a 2,000-word guide to port {n}.", model=model)
                for n in range(count)
            ]
            return await asyncio.gather(*(run.awrite() for run in made), return_exceptions=True)

    begun, before = time.perf_counter(), _memory()
    found = asyncio.run(all_at_once())
    seconds, grown = time.perf_counter() - begun, _memory() - before
    for error in {repr(one) for one in found if isinstance(one, BaseException)}:
        print(f"- {error}")
    whole = [one for one in found if not isinstance(one, BaseException)]
    return sum(one.report["finished"] for one in whole), seconds, grown / count


def _memory() -> float:
    """Return the most memory that this process has had, in MB."""
    status = Path("/proc/self/status")
    if status.exists():  # what `getrusage` says there is that of the process that started this one
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        assert found is not None
        return int(found[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


def stores(chosen: str, scope: ExitStack) -> Iterator[tuple[str, str]]:
    """Yield the stores by name, each empty."""
    if chosen in ("sqlite", "both"):
        yield "SQLite", locate_store(Path(scope.enter_context(tempfile.TemporaryDirectory())))
    if chosen in ("postgres", "both"):
        yield "PostgreSQL", scope.enter_context(cluster())


def row(name: str, seconds: list[float], share: float | None) -> str:
    """Return a row of the table of growth."""
    cells = " | ".join(f"{1000 * one:.1f}" for one in seconds)
    return f"| {name} | {cells} | {'-' if share is None else f'{share:.2f}'} |"


def main() -> int:
    """Measure, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sections", type=int, default=500)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--store", choices=["sqlite", "postgres", "both"], default="sqlite")
    parser.add_argument("--check", action="store_true", help="fail where a promise does not hold")
    parser.add_argument("--many", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.many:
        print(json.dumps(many(asked.many, asked.runs)))
        return 0
    broken = []
    sections = asked.sections
    step = sections // PARTS
    heads = " | ".join(f"ms a section, {n * step + 1}-{(n + 1) * step}" for n in range(PARTS))
    print(f"| kept in | {heads} | bytes a byte |")
    print("|---|" + "---|" * (PARTS + 1), flush=True)
    chain = AgentWriteChain(writer(sections), memory="summary", memory_tokens=PRIOR)
    bare = timed(sections, lambda: chain.follow(given(sections)))
    print(row("nothing", bare, None), flush=True)
    crowds = []
    with ExitStack() as scope:
        for name, where in stores(asked.store, scope):
            seconds, share = grow(where, sections)
            print(row(name, seconds, share), flush=True)
            beyond = [kept - none for kept, none in zip(seconds, bare, strict=True)]
            if share > BYTES:
                broken.append(f"{name}: {share:.2f} bytes for a byte of text > {BYTES}")
            if beyond[-1] > FLAT * max(statistics.median(beyond), 0.001):
                broken.append(f"{name}: a section takes longer the more there are: {beyond}")
            crowds.append((name, *crowd(where, asked.runs)))
    print("\n| kept in | runs at once | whole | seconds | MB a run |\n|---|---|---|---|---|")
    for name, whole, took, memory in crowds:
        print(f"| {name} | {asked.runs} | {whole} | {took:.1f} | {memory:.2f} |")
        if whole != asked.runs:
            broken.append(f"{name}: {asked.runs - whole} of {asked.runs} runs at once failed")
    for said in broken:
        print(f"BROKEN: {said}")
    return int(bool(broken) and asked.check)


if __name__ == "__main__":
    sys.exit(main())
