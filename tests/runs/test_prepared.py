"""A database of runs that somebody has prepared: opening it runs nothing that stands in it."""

from __future__ import annotations

import pickle
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import ormsgpack
import pytest

from longchain import Runs
from longchain.errors import RunError, StoreError
from tests.runs.tides import BrokenError, given, writer


def packed(value: Any) -> bytes:
    return ormsgpack.packb(value, option=ormsgpack.OPT_NON_STR_KEYS)


def constructor(module: str, name: str, *arguments: Any) -> ormsgpack.Ext:
    """What makes a reader import a module and call something in it."""
    return ormsgpack.Ext(1, packed((module, name, arguments)))


class Touch:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def ext(trap: Path) -> dict[str, ormsgpack.Ext]:
    """Return calls that make a file, each as a checkpoint may name it."""
    touch = f"open({str(trap)!r}, 'w')"
    return {
        "positional": constructor("os", "system", f"touch '{trap}'"),
        "single": ormsgpack.Ext(0, packed(("builtins", "exec", touch))),
        "keywords": ormsgpack.Ext(
            2, packed(("builtins", "open", {"file": str(trap), "mode": "w"}))
        ),
        "method": ormsgpack.Ext(3, packed(("pathlib", "Path", str(trap), "touch"))),
        "pydantic 1": ormsgpack.Ext(
            4, packed(("builtins", "open", {"file": str(trap), "mode": "w"}))
        ),
        "pydantic 2": ormsgpack.Ext(
            5, packed(("builtins", "open", {"file": str(trap), "mode": "w"}, "x"))
        ),
    }


def trapped(blob: bytes, call: ormsgpack.Ext, where: str) -> bytes:
    """Return what is stored with a call in it: as one of its values, or in its place."""
    if where == "instead":
        return packed(call)
    option = ormsgpack.OPT_NON_STR_KEYS
    value = ormsgpack.unpackb(blob, ext_hook=ormsgpack.Ext, option=option)
    if isinstance(value, dict):
        return packed({**value, "more": call})
    return packed([*value, call] if isinstance(value, list) else [value, call])


LOOKS: dict[str, Callable[[Runs], object]] = {
    "show": lambda runs: runs.get("tides").progress(),
    "document": lambda runs: runs.get("tides").document(),
    "log": lambda runs: runs.get("tides").log(),
    "reviewing": lambda runs: runs.get("tides").reviewing(),
    "resume": lambda runs: runs.resume("tides", model=writer()).write(),
    "edit": lambda runs: runs.resume("tides", model=writer(), style="Dry."),
    "fork": lambda runs: runs.fork("tides", 2, model=writer(), name="ebb").write(),
}


@pytest.fixture
def database(state: Path) -> Path:
    with Runs(state) as runs, pytest.raises(BrokenError):
        runs.start(given(), model=writer(left=2), run="tides").write()
    return state / "runs.db"


def looked(state: Path, look: str) -> None:
    """Open the runs; what is there is read, or it is said that it cannot be."""
    with Runs(state) as runs:
        try:
            LOOKS[look](runs)
        except (RunError, StoreError) as error:
            assert "'tides'" in str(error)  # noqa: PT017
        assert [record.id for record in runs.list()][-1] == "tides"


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("where", ["inside", "instead"])
@pytest.mark.parametrize(
    ("table", "column"), [("checkpoints", "checkpoint"), ("writes", "value")], ids=lambda x: x
)
def test_a_prepared_database_runs_nothing(
    table: str, column: str, where: str, look: str, database: Path, state: Path, tmp_path: Path
) -> None:
    before = database.read_bytes()
    for kind in ext(tmp_path / "trap"):
        database.write_bytes(before)
        trap = tmp_path / f"trap {kind}"
        with closing(sqlite3.connect(database)) as connection, connection:
            rows = connection.execute(f"SELECT rowid, {column} FROM {table} WHERE type='msgpack'")
            for row, blob in rows.fetchall():
                prepared = trapped(blob, ext(trap)[kind], where)
                connection.execute(
                    f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (prepared, row)
                )
            assert connection.total_changes
        looked(state, look)
        assert not trap.exists(), kind


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("kind", ["pickle", "json", "msgpack", "new"])
def test_a_kind_of_data_that_longchain_does_not_store_is_not_read(
    kind: str, look: str, database: Path, state: Path, tmp_path: Path
) -> None:
    trap = tmp_path / "trap"
    call = b'{"lc": 2, "type": "constructor", "id": ["os", "system"], "args": ["touch %s"]}'
    stored = {"pickle": pickle.dumps(Touch(trap)), "json": call % str(trap).encode()}
    with closing(sqlite3.connect(database)) as connection, connection:
        row = (kind, stored.get(kind, b"\xc1"))
        for table, column in (("checkpoints", "checkpoint"), ("writes", "value")):
            connection.execute(f"UPDATE {table} SET type = ?, {column} = ?", row)
    looked(state, look)
    assert not trap.exists()


def test_what_longchain_stores_is_read_as_it_is(
    state: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Also a plan that waits for a review, sections side by side, and what a person changes."""
    with Runs(state) as runs:
        run = runs.start(
            "Write 300 words on tides.", model=writer(), run="tides", review=True, mode="parallel"
        )
        with pytest.raises(RunError, match="waits for a review"):
            run.write()
    with Runs(state) as runs:
        run = runs.resume("tides", model=writer())
        run.review(True)
        run.write()
        run.revise(1, "shorter")
        document, log = run.write(), run.log()
    with Runs(state) as runs:
        assert runs.get("tides").document() == document
        assert runs.get("tides").log() == log
    assert "deserializ" not in caplog.text.lower()
