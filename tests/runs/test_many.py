"""A hundred runs at once in one process: none is turned away, none is mixed up with another."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from longchain import Runs
from longchain.runs import Run
from tests.runs.tides import given, plan, writer


def started(runs: Runs, number: int) -> Run:
    parts = plan(f"Ebb {number}", f"Flood {number}", length=40)
    return runs.start(given(plan=parts), model=writer(seed=number), run=f"tide-{number}")


def check(runs: Runs, count: int) -> None:
    """Each is done, and has its own two sections."""
    records = runs.list()
    assert len(records) == count
    assert {record.status for record in records} == {"done"}
    texts = set()
    for number in range(count):
        document = runs.get(f"tide-{number}").document()
        headings = [section.heading for section in document.sections]
        assert headings == [f"Ebb {number}", f"Flood {number}"]
        assert not runs.held(f"tide-{number}")
        texts |= {section.text for section in document.sections}
    assert len(texts) == 2 * count


async def test_a_hundred_at_once(runs: Runs) -> None:
    await asyncio.gather(*(started(runs, number).awrite() for number in range(100)))
    check(runs, 100)


def test_a_hundred_from_eight_threads(runs: Runs) -> None:
    """They are registered there, too."""
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: started(runs, number).write(), range(100)))
    check(runs, 100)
