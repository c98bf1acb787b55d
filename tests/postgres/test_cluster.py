"""The PostgreSQL of tests and benchmarks: it starts, leaves nothing, and keeps a document."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from langgraph.checkpoint.postgres import PostgresSaver
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

from benchmarks import cluster as clusters
from benchmarks.cluster import cluster
from longchain import AgentWriteChain, SectionPlan, WritingPlan
from longchain.testing import FakeWriter, LengthBehavior

ROOT = Path(__file__).parents[2]
PLAN = WritingPlan(
    title="The Coast",
    sections=[
        SectionPlan(heading=heading, main_point=f"What is known of {heading}", length=60)
        for heading in ("the tide", "the harbor", "the town", "the light", "the end")
    ],
)
THREAD: Any = {"configurable": {"thread_id": "one"}}


def show(dsn: str, setting: str) -> str:
    """Return one of a server's settings."""
    with psycopg.connect(dsn) as connection:
        (value,) = connection.execute(f"SHOW {setting}".encode()).fetchone() or ("",)
    return str(value)


def check_gone(dsn: str, data: str) -> None:
    """Check that nothing is left of a server: neither its folder, nor its port is taken."""
    assert not Path(data).parent.exists()
    with pytest.raises(psycopg.OperationalError, match="refused"):
        psycopg.connect(dsn)


# the server ----------------------------------------------------------------------------------


def test_it_answers(dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_it_is_as_safe_as_a_users(dsn: str) -> None:
    assert show(dsn, "fsync") == show(dsn, "synchronous_commit") == "on"
    assert show(dsn, "listen_addresses") == "127.0.0.1"
    assert show(dsn, "max_connections") == "200"


@pytest.mark.parametrize("password", [":wrong", ""])
def test_it_asks_for_the_password(dsn: str, password: str) -> None:
    other = re.sub(r":\w+@", f"{password}@", dsn)
    assert other != dsn
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(other)


def test_nothing_is_left_of_it() -> None:
    with cluster() as dsn:
        data = show(dsn, "data_directory")
        assert Path(data).exists()
    check_gone(dsn, data)


def test_nothing_is_left_where_the_work_fails_and_stays_connected() -> None:
    seen: list[Any] = []

    def work() -> None:
        with cluster() as dsn:
            seen.extend([dsn, show(dsn, "data_directory"), psycopg.connect(dsn)])
            raise ValueError("the work failed")

    with pytest.raises(ValueError, match="the work failed"):
        work()
    dsn, data, connection = seen
    check_gone(dsn, data)
    connection.close()


def test_nothing_is_left_where_it_has_crashed() -> None:
    with cluster() as dsn:
        data = show(dsn, "data_directory")
        (pid, *_) = (Path(data) / "postmaster.pid").read_text().split()
        os.kill(int(pid), signal.SIGKILL)
    check_gone(dsn, data)


def start() -> subprocess.Popen[str]:
    """Start a program that has a server and says its address."""
    program = (
        "import time; from benchmarks.cluster import cluster\n"
        "with cluster() as dsn: print(dsn, flush=True); time.sleep(60)"
    )
    return subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    )


@pytest.mark.parametrize("whom", ["program", "terminal"])
def test_nothing_is_left_after_ctrl_c(whom: str) -> None:
    with start() as running:
        assert running.stdout is not None
        dsn = running.stdout.readline().strip()
        data = show(dsn, "data_directory")
        if whom == "terminal":
            os.killpg(running.pid, signal.SIGINT)  # Ctrl-C reaches the whole group
        else:
            running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=30)
    assert said.strip().endswith("KeyboardInterrupt")
    check_gone(dsn, data)


SLOW = """#!/bin/sh
# An initdb that clears up when it is told to end, as the real one does.
trap 'kill $!; sleep 0.5; touch "$(dirname "$0")/told"; exit 1' INT
sleep 60 &
mkdir data
wait
"""


@pytest.fixture
def slow_initdb(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """It comes first on the PATH, in a folder that is open to other accounts."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        program = Path(folder) / "initdb"
        program.write_text(SLOW)
        program.chmod(0o755)
        monkeypatch.setenv("PATH", folder, prepend=os.pathsep)
        yield program


def test_nothing_is_left_after_ctrl_c_while_it_is_made(slow_initdb: Path) -> None:
    there = set(Path(tempfile.gettempdir()).glob("longchain-postgres-*"))
    with start() as running:
        made: set[Path] = set()
        while not any((folder / "data").exists() for folder in made):
            assert running.poll() is None
            made = set(Path(tempfile.gettempdir()).glob("longchain-postgres-*")) - there
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=30)
    assert said.strip().endswith("KeyboardInterrupt")
    assert slow_initdb.with_name("told").exists()
    assert not any(folder.exists() for folder in made)


def test_a_lack_of_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(clusters, "_DEBIAN", tmp_path)
    with pytest.raises(clusters.MissingError, match="apt-get install postgresql"), cluster():
        pass


def test_the_newest_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(clusters, "_DEBIAN", tmp_path)
    for version in ("9.6", "15", "17"):
        (tmp_path / version / "bin").mkdir(parents=True)
        (tmp_path / version / "bin" / "initdb").touch()
    assert clusters._programs() == tmp_path / "17" / "bin"


def test_why_it_does_not_start_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "CONNECTIONS", -1)
    with pytest.raises(RuntimeError, match=r"(?s)pg_ctl failed.*max_connections"), cluster():
        pass


# databases on it -----------------------------------------------------------------------------


@pytest.mark.parametrize("time", ["first", "second"])
def test_every_test_has_a_fresh_database(database: str, time: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE only_here (id int)")


# a document on it ----------------------------------------------------------------------------


def test_a_document_is_kept(database: str) -> None:
    options: dict[str, Any] = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    pool: ConnectionPool[Any] = ConnectionPool(database, min_size=1, max_size=4, kwargs=options)
    with pool:
        saver = PostgresSaver(pool)
        saver.setup()
        written = AgentWriteChain(FakeWriter(behavior=LengthBehavior()), checkpointer=saver).invoke(
            {"instruction": "Write about the coast.", "plan": PLAN.model_dump()}, THREAD
        )
        silent = FakeWriter(replies=[])
        kept = AgentWriteChain(silent, checkpointer=PostgresSaver(pool)).document(THREAD)
    assert len(written["sections"]) == 5
    assert kept == written
    assert silent.requests == []
