"""Runs in a real PostgreSQL: one writer, no loss at `kill -9`, and clear words when it fails."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import ormsgpack
import psycopg
import pytest

from benchmarks.cluster import cluster
from longchain import Runs, SectionPlan, WritingPlan
from longchain.errors import RunError, StoreError
from longchain.runs import postgres
from longchain.testing import FakeWriter, LengthBehavior

PLAN = WritingPlan(
    title="The Coast",
    sections=[
        SectionPlan(heading=heading, main_point=f"What is known of {heading}", length=60)
        for heading in ("the tide", "the harbor", "the town", "the light")
    ],
)
GIVEN = {"instruction": "Write about the coast.", "plan": PLAN.model_dump()}
WRITING = f"""
import sys, time
from longchain import Runs
from longchain.testing import FakeWriter, LengthBehavior
run = Runs(sys.argv[1]).start({GIVEN!r}, model=FakeWriter(behavior=LengthBehavior()), run="coast")
steps = run.follow()
next(steps); next(steps)
print("writing", flush=True)
time.sleep(60)
"""


def writer(**behavior: Any) -> FakeWriter:
    return FakeWriter(behavior=LengthBehavior(**behavior))


@pytest.fixture
def runs(database: str) -> Iterator[Runs]:
    with Runs(database) as opened:
        yield opened


def test_a_run_is_written_listed_and_deleted(runs: Runs, database: str) -> None:
    run = runs.start(GIVEN, model=writer(), run="coast")
    document = run.write()
    assert (runs.record("coast").status, runs.record("last").finished) == ("done", 4)
    with Runs(database) as others:
        assert [record.id for record in others.list()] == ["coast"]
        assert others.resume("coast").write() == document
        others.delete("coast")
    assert runs.list() == []
    with pytest.raises(RunError, match="holds nothing"):
        run.document()


def test_a_killed_run_is_resumed_and_a_living_one_is_not(runs: Runs, database: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITING, database], stdout=subprocess.PIPE, text=True
    ) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "writing\n"
        assert runs.held("coast")
        model = writer()
        run = runs.resume("coast", model=model)
        for refused in (run.write, lambda: run.rewrite(1), lambda: runs.delete("coast")):
            with pytest.raises(RunError, match=f"is being written by process {first.pid} on "):
                refused()
        first.send_signal(signal.SIGKILL)
        first.wait()
    for _ in range(100):  # the server has to notice
        if not runs.held("coast"):
            break
        asyncio.run(asyncio.sleep(0.05))
    document = run.write()
    assert (len(document.sections), model.calls) == (4, 2)
    assert runs.record("coast").holder.startswith(f"process {os.getpid()} on ")


def test_one_process_cannot_hold_a_run_twice(runs: Runs, database: str) -> None:
    run = runs.start(GIVEN, model=writer(), run="coast")
    steps = run.follow()
    next(steps)
    with Runs(database) as others:
        for place in (runs, others):
            assert place.held("coast")
            with pytest.raises(RunError, match=f"is being written by process {os.getpid()} on "):
                place.resume("coast", model=writer()).write()
    steps.close()  # type: ignore[attr-defined]
    assert not runs.held("coast")
    assert runs.resume("coast", model=writer()).write().report["finished"]


async def test_a_hundred_at_once_take_few_connections(runs: Runs, database: str) -> None:
    model, seen = writer(), []
    started = [runs.start(GIVEN, model=model, run=f"coast-{number}") for number in range(100)]

    async def watch() -> None:
        while True:
            with psycopg.connect(database) as connection:
                count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'longchain'"
                seen.append(connection.execute(count).fetchone()[0])  # type: ignore[index]
            await asyncio.sleep(0.2)

    watching = asyncio.create_task(watch())
    documents = await asyncio.gather(*(run.awrite() for run in started))
    watching.cancel()
    assert all(len(document.sections) == 4 for document in documents)
    assert {record.status for record in runs.list()} == {"done"}
    assert 1 <= max(seen) <= 10


def test_changes_and_forks(runs: Runs) -> None:
    model = writer()
    runs.start(GIVEN, model=model, run="coast").write()
    run = runs.resume("coast", model=model)
    before = [section.text for section in run.document().sections]
    run.revise(2, "shorter")
    after = [section.text for section in run.write().sections]
    assert [new == old for new, old in zip(after, before, strict=True)] == [True, False, True, True]
    forked = runs.fork("coast", 3, text="The town is old.", model=model)
    texts = [section.text for section in forked.write().sections]
    assert texts[:3] == [*after[:2], "The town is old."]
    assert [section.text for section in runs.get("coast").document().sections] == after


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (r":\w+@", ":moonshine42@", "refuses the user, the password or the database"),
        (r"/\w+$", "/nowhere", "refuses the user, the password or the database"),
        (r":\d+/", ":9/", "cannot be reached: check the address"),
    ],
)
def test_what_cannot_be_reached_is_said_without_the_password(
    old: str, new: str, said: str, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    address = re.sub(old, new, database)
    (password,) = re.findall(r":(\w+)@", address)
    with pytest.raises(StoreError, match=said) as found:
        Runs(address)
    cause = f"{found.value!r} {found.value.__cause__!r} {caplog.text}"
    assert password not in cause
    assert "127.0.0.1" in str(found.value)


def test_no_password_is_shown(runs: Runs, database: str) -> None:
    (password,) = re.findall(r":(\w+)@", database)
    assert password not in runs.where
    run = runs.start(GIVEN, model=writer(), run="coast")
    run.write()
    assert password not in run.record.model_dump_json()


def test_a_server_that_stops_in_the_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "_CONNECT_TIMEOUT", 1.0)
    with cluster() as dsn, Runs(dsn) as runs:
        run = runs.start(GIVEN, model=writer(), run="coast")
        steps = run.follow()
        progress = next(steps)
        with psycopg.connect(dsn) as connection:
            (data,) = connection.execute("SHOW data_directory").fetchone() or ("",)
        (pid, *_) = (Path(data) / "postmaster.pid").read_text().split()
        os.kill(int(pid), signal.SIGQUIT)
        with pytest.raises(StoreError, match="cannot be reached: check the address and that the"):
            list(steps)
        assert progress.published_sections()  # who follows has what was finished


def test_a_lost_hold_stops_the_writer(runs: Runs, database: str) -> None:
    """Another may hold the run by now, so nothing more is written."""
    run = runs.start(GIVEN, model=writer(), run="coast")
    steps = run.follow()
    next(steps)
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_database d "
            "ON d.oid = l.database WHERE d.datname = current_database() AND locktype = 'advisory'"
        )
        with pytest.raises(StoreError, match="cannot be reached"):
            list(steps)
    assert 1 <= len(run.document().sections) < 4
    assert len(runs.resume("coast", model=writer()).write().sections) == 4


@pytest.mark.parametrize("table", ["checkpoint_blobs", "checkpoint_writes"])
def test_a_prepared_database_runs_nothing(
    table: str, runs: Runs, database: str, tmp_path: Path
) -> None:
    runs.start(GIVEN, model=writer(), run="coast").write()
    trap = tmp_path / "trap"
    call = ormsgpack.packb(ormsgpack.Ext(1, ormsgpack.packb(("os", "system", [f"touch {trap}"]))))
    with psycopg.connect(database, autocommit=True) as server:
        query = f"UPDATE {table} SET type = 'msgpack', blob = %s"
        assert server.execute(query.encode(), (call,)).rowcount > 0
    run = runs.get("coast")
    for look in (run.progress, run.document, run.log, run.reviewing, run.write):
        with suppress(RunError, StoreError):
            look()
    assert not trap.exists()
