"""Runs in one SQLite file, the default: no server, and safe against `kill -9` at any moment.

Knows SQLite and file locks. The log is written ahead (WAL) and synced at every commit, so that a
finished section also survives a power cut. Not for a network drive, where neither holds.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory, TemporaryFile

from filelock import FileLock, Timeout
from langgraph.checkpoint.sqlite import SqliteSaver

from longchain.errors import RunError, StoreError
from longchain.runs.record import Record, read
from longchain.runs.store import Store, Threaded, me

_BUSY = 60.0
"""Seconds to wait for another process's commit."""

_PATIENCE = 0.5
"""Seconds to try for a run's lock: who only looks whether it is held has it for a moment."""

_INDEX = 64 * 1024
"""Bytes of room that must be left: SQLite's index of its log takes half of it."""

_TABLE = """
CREATE TABLE IF NOT EXISTS runs (
    id TEXT PRIMARY KEY, created TEXT NOT NULL, record TEXT NOT NULL
);
"""


class _Saver(Threaded, SqliteSaver):
    """LangGraph's saver, through both doors."""


class SqliteStore(Store):
    """Runs in one file; beside it stand the locks, a file for each run.

    Args:
        path: The file; it is made, with its folder, where it is missing.

    Raises:
        StoreError: It cannot be made, read or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.shown = str(path)
        self._locks = path.with_name(f"{path.name}.locks")
        self._copy: TemporaryDirectory[str] | None = None
        with self.reading():
            if path.exists() and not self._writable():
                self._connect(self._copied())
                return
            for folder in (path.parent, self._locks):
                if not folder.exists():
                    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not path.exists():  # what people write is theirs alone
                os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
            self._connect(path)
            try:
                self._prepare()
            except BaseException:
                self._connection.close()  # Python 3.13 warns of a connection that is left open
                raise

    def _connect(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, check_same_thread=False, timeout=_BUSY)
        self.saver: _Saver = _Saver(self._connection)

    def _writable(self) -> bool:
        """Say whether the file and its folder are open, and have room, for what SQLite needs."""
        if not (os.access(self.path, os.W_OK) and os.access(self.path.parent, os.W_OK)):
            return False
        try:
            self._locks.mkdir(exist_ok=True, mode=0o700)
            with TemporaryFile(dir=self._locks) as probe:
                probe.write(bytes(_INDEX))
                probe.flush()
        except OSError:
            return False
        return True

    def _copied(self) -> Path:
        """Return a copy to read from: SQLite needs to write beside a file even to read it."""
        self._copy = TemporaryDirectory(prefix="longchain-")
        for name in (self.path.name, f"{self.path.name}-wal"):
            with suppress(FileNotFoundError):
                copyfile(self.path.with_name(name), Path(self._copy.name) / name)
        return Path(self._copy.name) / self.path.name

    def _for_writing(self) -> None:
        if self._copy is not None:
            raise StoreError(
                f"the runs in {self.shown!r} can be read, but not written: it is read-only, or no "
                "room is left; free some, or set LONGCHAIN_STATE to a folder that can be written"
            )

    def _prepare(self) -> None:
        """Make the tables. Two processes that do so at once may meet where SQLite does not wait."""
        end = time.monotonic() + _BUSY
        while True:
            try:
                self._connection.execute("PRAGMA synchronous=FULL")
                self.saver.setup()
                self._connection.executescript(_TABLE)
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > end:
                    raise
                time.sleep(0.02)

    # Records -------------------------------------------------------------------------------

    def add(self, record: Record) -> bool:
        """Register a run; False where the name is taken."""
        self._for_writing()
        row = (record.id, record.created, record.model_dump_json())
        with self.reading(), self.saver.cursor() as cursor:
            cursor.execute("INSERT OR IGNORE INTO runs VALUES (?, ?, ?)", row)
            return cursor.rowcount > 0

    def save(self, record: Record) -> None:
        """Bring a record up to date."""
        self._for_writing()
        row = (record.model_dump_json(), record.id)
        with self.reading(), self.saver.cursor() as cursor:
            cursor.execute("UPDATE runs SET record = ? WHERE id = ?", row)

    def load(self, run: str) -> Record | None:
        """Return a run's record."""
        found = self._rows("SELECT id, record FROM runs WHERE id = ?", run)
        return read(*found[0]) if found else None

    def records(self) -> list[Record]:
        """Return all records, the latest first."""
        found = self._rows("SELECT id, record FROM runs ORDER BY created DESC, rowid DESC")
        return [read(*row) for row in found]

    def _rows(self, query: str, *values: str) -> list[tuple[str, str]]:
        with self.reading(), self.saver.cursor(transaction=False) as cursor:
            return cursor.execute(query, values).fetchall()

    def delete(self, run: str) -> None:
        """Delete a run with all its text."""
        self._for_writing()
        with self.reading():
            self.saver.delete_thread(run)
            with self.saver.cursor() as cursor:
                cursor.execute("DELETE FROM runs WHERE id = ?", (run,))
            with suppress(OSError):
                self._lockfile(run).unlink()

    # Locks ---------------------------------------------------------------------------------

    def _lockfile(self, run: str) -> Path:
        return self._locks / f"{run}.lock"

    @contextmanager
    def lock(self, run: str) -> Iterator[None]:
        """Hold a run; the system itself lets go of it for a process that dies."""
        self._for_writing()
        # Another object for each holder, or one process could hold a run twice.
        held = FileLock(self._lockfile(run), thread_local=False)
        try:
            with self.reading():
                held.acquire(timeout=_PATIENCE, poll_interval=0.02)
        except Timeout:
            record = self.load(run)
            who = record.holder if record and record.holder else "another process"
            raise RunError(
                f"the run {run!r} is being written by {who}: wait for it, or stop it first"
            ) from None
        try:
            if record := self.load(run):
                self.save(record.model_copy(update={"holder": me()}))
            yield
        finally:
            held.release()

    def held(self, run: str) -> bool:
        """Say whether somebody holds a run, this process included."""
        if self._copy is not None:
            return False
        held = FileLock(self._lockfile(run), thread_local=False)
        try:
            with self.reading():
                held.acquire(timeout=0)
        except Timeout:
            return True
        held.release()
        return False

    def still_held(self, run: str) -> None:
        """Do nothing: a file's lock is not lost."""

    # Trouble -------------------------------------------------------------------------------

    def translated(self, error: BaseException) -> StoreError | None:
        """Return the `StoreError` for what SQLite has raised."""
        return StoreError(self._sentence(error)) if isinstance(error, sqlite3.Error) else None

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Turn what SQLite or the file system raises into a sentence."""
        try:
            yield
        except (StoreError, Timeout):
            raise
        except sqlite3.Error as error:
            raise StoreError(self._sentence(error)) from error
        except OSError as error:
            raise StoreError(
                f"the runs in {self.shown!r} cannot be kept: {error.strerror or error}; "
                "set LONGCHAIN_STATE to a folder that can be written"
            ) from error

    def _sentence(self, error: sqlite3.Error) -> str:
        code = getattr(error, "sqlite_errorname", None) or ""
        if code.startswith("SQLITE_FULL"):
            return f"no room is left for the runs in {self.shown!r}: free some, then resume"
        if code.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
            return (
                f"the runs in {self.shown!r} cannot be written ({error}): "
                "set LONGCHAIN_STATE to a folder that can be"
            )
        if code.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
            return (
                f"the file of runs {self.shown!r} is damaged ({error}): move it away, or set "
                "LONGCHAIN_STATE to another folder; `sqlite3 FILE .recover` may save what it held"
            )
        return f"the runs in {self.shown!r} cannot be read or written: {error}"

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()
        if self._copy is not None:
            self._copy.cleanup()
