"""What keeps the runs: locks, permissions, a full disk, a read-only folder, damage, secrets."""

from __future__ import annotations

import logging
import os
import re
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tides import BrokenError, given, writer

from longchain import Runs
from longchain.errors import RunError, StoreError
from longchain.runs import sqlite
from longchain.testing import FakeWriter

FOLDER = Path(__file__).parent


def program(body: str, *arguments: str, env: dict[str, str] | None = None) -> Any:
    """Start a program that has the runs of this test."""
    begin = "import sys, time\nfrom tides import given, writer\nfrom longchain import Runs\n"
    return subprocess.Popen(
        [sys.executable, "-c", begin + body, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(FOLDER), **(env or {})},
    )


def stopped(runs: Runs, calls: int = 2, name: str = "tides") -> None:
    with pytest.raises(BrokenError):
        runs.start(given(), model=writer(left=calls), run=name).write()


# One run, one writer ---------------------------------------------------------------------------

WRITING = """
run = Runs().start(given(), model=writer(), run="tides")
steps = run.follow()
next(steps)
print("writing", flush=True)
time.sleep(60)
"""


def test_a_second_process_is_refused_until_the_first_one_is_dead(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "_LOCK_TIMEOUT", 0.05)
    with program(WRITING) as first:
        assert first.stdout.readline() == "writing\n"
        who = rf"the run 'tides' is being written by process {first.pid} on \S+: wait for it"
        model = writer()
        run = runs.resume("tides", model=model)
        for refused in (
            run.write,
            lambda: run.revise(1, "shorter"),
            lambda: run.rewrite(1),
            lambda: run.amend(style="Dry."),
            lambda: runs.delete("tides"),
            lambda: runs.resume("tides", model="offline"),
        ):
            with pytest.raises(RunError, match=who):
                refused()
        assert model.calls == 0
        assert runs.held("tides")
        assert runs.record("tides").external == ["model"]  # nor was its record changed
        assert len(runs.get("tides").document().sections) == 1  # it can be read
        first.send_signal(signal.SIGKILL)
        first.wait()
    assert not runs.held("tides")
    assert runs.record("tides").status == "writing"
    document = run.write()
    assert (len(document.sections), model.calls) == (4, 3)
    assert runs.record("tides").holder == f"process {os.getpid()} on {os.uname().nodename}"


def test_one_process_cannot_hold_a_run_twice(runs: Runs) -> None:
    run = runs.start(given(), model=writer(), run="tides")
    steps = run.follow()
    next(steps)
    with pytest.raises(RunError, match=f"is being written by process {os.getpid()} on"):
        runs.resume("tides", model=writer()).write()
    steps.close()  # type: ignore[attr-defined]
    assert runs.resume("tides", model=writer()).write().report["finished"]


def test_who_only_looks_turns_nobody_away(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    run = runs.start(given(), model=writer(), run="tides")
    looking = sqlite.FileLock(runs._store._lockfile("tides"), thread_local=False)  # type: ignore[attr-defined]
    looking.acquire()
    monkeypatch.setattr(sqlite.time, "sleep", lambda _: looking.release())
    with runs._store.lock("tides"):
        assert runs.held("tides")
    assert run.write().report["finished"]


def test_what_another_process_wrote_is_taken_in(runs: Runs, state: Path) -> None:
    run = runs.start(given(), model=writer(), run="tides")
    with Runs(state) as others:
        document = others.resume("tides", model=writer()).write()
    assert run.record.status == "new"
    assert run.write() == document
    assert run.record == runs.record("tides")
    assert run.record.finished == 4


# Who may read it -------------------------------------------------------------------------------


def test_what_people_write_is_theirs_alone(tmp_path: Path) -> None:
    before = os.umask(0o000)
    try:
        with Runs(tmp_path / "deep" / "state") as runs:
            stopped(runs)
            found = [tmp_path / "deep" / "state", *(tmp_path / "deep" / "state").rglob("*")]
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in found}
    finally:
        os.umask(before)
    assert {modes.pop("state"), modes.pop("runs.db.locks")} == {0o700}
    assert modes.pop("runs.db") == modes.pop("runs.db-wal") == modes.pop("runs.db-shm") == 0o600


@pytest.mark.parametrize("where", ["folder", "folder/mine.db"])
def test_where_they_are_kept(where: str, tmp_path: Path) -> None:
    with Runs(tmp_path / where) as runs:
        runs.start(given(), model=writer())
        name = "mine.db" if where.endswith(".db") else "runs.db"
        assert runs.where == str(tmp_path / "folder" / name)
    assert (tmp_path / "folder" / name).exists()


# No room ---------------------------------------------------------------------------------------


def test_a_full_disk_stops_and_what_is_finished_stays(runs: Runs) -> None:
    store: Any = runs._store
    run = runs.start(given(), model=writer(), run="tides")
    steps = run.follow()
    next(steps)
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match=r"no room is left for the runs in .*runs\.db'"):
        store.add(run.record.model_copy(update={"id": "big", "error": "x" * 99_000}))
    with pytest.raises(StoreError, match="free some, then resume"):
        list(steps)
    finished = len(runs.get("tides").document().sections)
    assert finished >= 1
    store._connection.execute("PRAGMA max_page_count = 100000")
    model = writer()
    assert len(runs.resume("tides", model=model).write().sections) == 4
    assert model.calls == 4 - finished


LIMITED = """
import resource
runs = Runs()
run = runs.start(given(), model=writer(), run="tides")
steps = run.follow()
next(steps)
import os
where = runs.where + "-wal"
resource.setrlimit(resource.RLIMIT_FSIZE, (os.path.getsize(where) + 100,) * 2)
try:
    for _ in steps:
        pass
except Exception as error:
    print(type(error).__name__, error)
print(len(runs.get("tides").document().sections))
"""


def test_a_file_that_may_not_grow(runs: Runs) -> None:
    with program(LIMITED) as limited:
        told, trouble = limited.communicate(timeout=60)
    assert limited.returncode == 0, trouble
    sentence, finished = told.splitlines()
    assert re.match(r"StoreError (no room is left for|the runs in) .*runs\.db", sentence)
    assert finished == "1"
    model = writer()
    assert len(runs.resume("tides", model=model).write().sections) == 4
    assert model.calls == 3


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be written: said by the system here, since root may write everywhere."""
    monkeypatch.setattr(sqlite.os, "access", lambda *_: False)


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("log", ["checkpointed", "open"])
@pytest.mark.usefixtures("closed")
def test_a_read_only_folder_can_be_read(log: str, state: Path) -> None:
    """Also where a killed process has left SQLite's log behind, which holds the last sections."""
    ends = "time.sleep(60)" if log == "open" else "steps.close()"
    with program(WRITING.replace("time.sleep(60)", ends)) as p:
        assert p.stdout.readline() == "writing\n"
        if log == "open":
            p.kill()
    before = snapshot(state)
    with Runs(state) as closed_runs:
        assert [record.id for record in closed_runs.list()] == ["tides"]
        run = closed_runs.get("tides")
        assert len(run.document().sections) == 1
        assert not closed_runs.held("tides")
        model = writer()
        for change in (
            lambda: closed_runs.resume("tides", model=model).write(),
            lambda: closed_runs.start(given(), model=model),
            lambda: closed_runs.delete("tides"),
        ):
            with pytest.raises(StoreError, match="can be read, but not written: it is read-only"):
                change()
        assert model.calls == 0
    assert snapshot(state) == before


def test_no_room_to_open_it_in_still_lets_it_be_read(
    state: Path, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped(runs)
    runs.close()

    def full(**_: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sqlite, "TemporaryFile", full)
    with Runs(state) as readable:
        assert len(readable.get("tides").document().sections) == 2
        with pytest.raises(StoreError, match="no room is left"):
            readable.start(given(), model=writer())


@pytest.mark.parametrize("where", ["file/state", "/proc/nowhere", "/dev/null/state"])
def test_a_place_that_cannot_be_made(where: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StoreError, match=r"the runs in .* cannot be kept: .*set LONGCHAIN_STATE"):
        Runs(tmp_path / where)


# Damage ----------------------------------------------------------------------------------------


def test_a_file_that_is_no_database(state: Path) -> None:
    state.mkdir()
    (state / "runs.db").write_bytes(b"This is no database, and it never was one. " * 40)
    with pytest.raises(StoreError, match=r"the file of runs '.*runs\.db' is damaged .*move it"):
        Runs()
    assert (state / "runs.db").read_bytes().startswith(b"This is no database")


def test_a_file_that_is_damaged_in_the_middle(state: Path) -> None:
    with Runs() as runs:
        stopped(runs)
    path = state / "runs.db"
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    path.write_bytes(data)
    with pytest.raises(StoreError, match="is damaged"), Runs() as runs:
        runs.get("tides").document()


def test_a_record_that_cannot_be_read_hides_no_other(runs: Runs) -> None:
    stopped(runs, name="ebb")
    stopped(runs, name="flood")
    store: Any = runs._store
    with store.saver.cursor() as cursor:
        cursor.execute("UPDATE runs SET record = '{' WHERE id = 'flood'")
    assert [(record.id, record.status) for record in runs.list()] == [
        ("flood", "failed"),
        ("ebb", "stopped"),
    ]
    assert "damaged" in runs.record("flood").error
    assert len(runs.get("flood").document().sections) == 2  # which stand elsewhere


def test_a_record_of_a_later_format_may_say_what_nobody_knows_yet(runs: Runs) -> None:
    stopped(runs)
    store: Any = runs._store
    later = '{"id": "tides", "format": 2, "version": "7.0", "status": "dreaming"}'
    with store.saver.cursor() as cursor:
        cursor.execute("UPDATE runs SET record = ?", (later,))
    with pytest.raises(RunError, match=r"written by longchain 7\.0.*upgrade longchain"):
        runs.get("tides")
    assert [record.id for record in runs.list()] == ["tides"]


def test_damage_on_the_way_is_said_and_not_hidden(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runs.start(given(), model=writer(), run="tides")
    steps = run.follow()
    progress = next(steps)
    saver: Any = run.chain.checkpointer

    def damaged(*_: Any, **__: Any) -> Any:
        error = sqlite3.DatabaseError("database disk image is malformed")
        error.sqlite_errorname = "SQLITE_CORRUPT"
        raise error

    monkeypatch.setattr(saver, "put", damaged)
    with pytest.raises(StoreError, match="is damaged"):
        list(steps)
    assert progress.published_sections()  # who follows has what was finished


# Secrets ---------------------------------------------------------------------------------------

KEY = "sk-proj-tides0123456789abcdef"
PASSWORD = "moonshine42"
TOKEN = "hf_tidesTokenOfTheEnvironment"


def refuse(_: Any) -> str:
    raise RuntimeError(f"Incorrect API key provided: {KEY}; token {TOKEN}")


@pytest.mark.enable_socket
@pytest.mark.allow_hosts(["127.0.0.1"])
@pytest.mark.parametrize("mode", ["sequential", "parallel"])
def test_no_secret_is_kept_or_told(
    mode: Any,
    state: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    address = f"http://user:{PASSWORD}@127.0.0.1:9/v1"
    monkeypatch.setenv("LONGCHAIN_BASE_URL", f"http://user:{PASSWORD}@127.0.0.1:9/v2")
    with Runs() as runs:
        named = [
            runs.start(given(), model="openai:tides", base_url=address, planner_model="gpt-5"),
            runs.start("Write about tides.", model=f"longwriter:tides@{address}"),
            runs.start(given(), model="openai:tides"),
        ]
        assert named[0].record.base_url == "http://127.0.0.1:9/v1"
        assert named[1].record.model == "longwriter:tides@http://127.0.0.1:9/v1"
        assert named[2].record.base_url == "http://127.0.0.1:9/v2"
        run = runs.start(given(), model=FakeWriter(replies=[refuse] * 9), mode=mode)
        with pytest.raises(RuntimeError):
            run.write()
        assert "Incorrect API key" in run.record.error
        told = " ".join(map(str, runs.list()))
    files = b"".join(path.read_bytes() for path in state.rglob("*") if path.is_file())
    assert b"Write about tides." in files
    for secret in (KEY, PASSWORD, TOKEN):
        assert secret.encode() not in files
        assert secret not in told
        assert secret not in caplog.text
