"""Store in one SQLite file, the default: needs no server and survives `kill -9` at any moment.

path -> `SqliteStore`

Knows SQLite and file locks. The write-ahead log (WAL) is synced at every commit, so that a
finished section also survives a power cut. Not for a network drive, on which neither locks nor
syncs can be relied on.
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
from longchain.runs.record import Record, parse_record
from longchain.runs.store import Store, ThreadedSaver, describe_process

_COMMIT_TIMEOUT = 60.0
"""Seconds to wait for another process's commit."""

_LOCK_TIMEOUT = 0.5
"""Seconds to try to lock a run: `is_locked` of another process has the lock for a moment."""

_MIN_FREE_BYTES = 64 * 1024
"""Free space that SQLite needs: the index of its write-ahead log takes half of it."""

_TABLE = """
CREATE TABLE IF NOT EXISTS runs (
    id TEXT PRIMARY KEY, created TEXT NOT NULL, record TEXT NOT NULL
);
"""


class _Saver(ThreadedSaver, SqliteSaver):
    """LangGraph's checkpointer, for synchronous and asynchronous use."""


class SqliteStore(Store):
    """Runs in one file; the locks are in a folder beside it, one file for each run.

    Args:
        path: The file; it is created, with its folder, if it is missing.

    Raises:
        StoreError: It cannot be created, read or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.location = str(path)
        self._locks = path.with_name(f"{path.name}.locks")
        self._copy: TemporaryDirectory[str] | None = None
        with self.translated_errors():
            if path.exists() and not self._writable():
                self._connect(self._make_copy())
                return
            for folder in (path.parent, self._locks):
                if not folder.exists():
                    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not path.exists():  # documents are private: no access for other users
                os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
            self._connect(path)
            self._prepare()

    def _connect(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, check_same_thread=False, timeout=_COMMIT_TIMEOUT)
        self.saver: _Saver = _Saver(self._connection)

    def _writable(self) -> bool:
        """Return whether the file and its folder can be written, with the space SQLite needs."""
        if not (os.access(self.path, os.W_OK) and os.access(self.path.parent, os.W_OK)):
            return False
        try:
            self._locks.mkdir(exist_ok=True, mode=0o700)
            with TemporaryFile(dir=self._locks) as probe:
                probe.write(bytes(_MIN_FREE_BYTES))
                probe.flush()
        except OSError:
            return False
        return True

    def _make_copy(self) -> Path:
        """Copy the database to read it: SQLite must write beside a file even to read it."""
        self._copy = TemporaryDirectory(prefix="longchain-")
        for name in (self.path.name, f"{self.path.name}-wal"):
            with suppress(FileNotFoundError):
                copyfile(self.path.with_name(name), Path(self._copy.name) / name)
        return Path(self._copy.name) / self.path.name

    def _require_writable(self) -> None:
        """Raise a `StoreError` if the runs can only be read."""
        if self._copy is not None:
            raise StoreError(
                f"the runs in {self.location!r} can be read, but not written: it is read-only, "
                "or no room is left; free some, or set LONGCHAIN_STATE to a folder that can be "
                "written"
            )

    def _prepare(self) -> None:
        """Create the tables.

        If two processes do so at once, SQLite raises an error instead of waiting; hence the loop.
        """
        end = time.monotonic() + _COMMIT_TIMEOUT
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
        """Register a run; False if the name is taken."""
        self._require_writable()
        row = (record.id, record.created, record.model_dump_json())
        with self.translated_errors(), self.saver.cursor() as cursor:
            cursor.execute("INSERT OR IGNORE INTO runs VALUES (?, ?, ?)", row)
            return cursor.rowcount > 0

    def save(self, record: Record) -> None:
        """Update the record of a run."""
        self._require_writable()
        row = (record.model_dump_json(), record.id)
        with self.translated_errors(), self.saver.cursor() as cursor:
            cursor.execute("UPDATE runs SET record = ? WHERE id = ?", row)

    def load(self, run: str) -> Record | None:
        """Return the record of a run; None if there is no such run."""
        rows = self._rows("SELECT id, record FROM runs WHERE id = ?", run)
        return parse_record(*rows[0]) if rows else None

    def records(self) -> list[Record]:
        """Return all records, the latest first."""
        rows = self._rows("SELECT id, record FROM runs ORDER BY created DESC, rowid DESC")
        return [parse_record(*row) for row in rows]

    def _rows(self, query: str, *values: str) -> list[tuple[str, str]]:
        with self.translated_errors(), self.saver.cursor(transaction=False) as cursor:
            return cursor.execute(query, values).fetchall()

    def delete(self, run: str) -> None:
        """Delete a run with all its text."""
        self._require_writable()
        with self.translated_errors():
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
        """Lock a run; the system releases the lock of a process that dies."""
        self._require_writable()
        # A new object each time, or one process could lock a run twice.
        lock = FileLock(self._lockfile(run), thread_local=False)
        try:
            with self.translated_errors():
                lock.acquire(timeout=_LOCK_TIMEOUT, poll_interval=0.02)
        except Timeout:
            record = self.load(run)
            holder = (record.holder if record else "") or "another process"
            raise RunError(
                f"the run {run!r} is being written by {holder}: wait for it, or stop it first"
            ) from None
        try:
            if record := self.load(run):
                self.save(record.model_copy(update={"holder": describe_process()}))
            yield
        finally:
            lock.release()

    def is_locked(self, run: str) -> bool:
        """Return whether a process has locked a run, this one included."""
        if self._copy is not None:
            return False
        lock = FileLock(self._lockfile(run), thread_local=False)
        try:
            with self.translated_errors():
                lock.acquire(timeout=0)
        except Timeout:
            return True
        lock.release()
        return False

    def check_lock(self, run: str) -> None:
        """Do nothing: the lock of a file is not lost."""

    # Errors --------------------------------------------------------------------------------

    def translate(self, error: BaseException) -> StoreError | None:
        """Return the `StoreError` for an error of SQLite; None for any other error."""
        if isinstance(error, sqlite3.Error):
            return StoreError(self._describe(error))
        return None

    @contextmanager
    def translated_errors(self) -> Iterator[None]:
        """Raise errors of SQLite and of the file system as `StoreError`."""
        try:
            yield
        except (StoreError, Timeout):
            raise
        except sqlite3.Error as error:
            raise StoreError(self._describe(error)) from error
        except OSError as error:
            raise StoreError(
                f"the runs in {self.location!r} cannot be kept: {error.strerror or error}; "
                "set LONGCHAIN_STATE to a folder that can be written"
            ) from error

    def _describe(self, error: sqlite3.Error) -> str:
        """Return what happened and what to do about it."""
        code = getattr(error, "sqlite_errorname", None) or ""
        if code.startswith("SQLITE_FULL"):
            return f"no room is left for the runs in {self.location!r}: free some, then resume"
        if code.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
            return (
                f"the runs in {self.location!r} cannot be written ({error}): "
                "set LONGCHAIN_STATE to a folder that can be written"
            )
        if code.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
            return (
                f"the file of runs {self.location!r} is damaged ({error}): move it away, or set "
                "LONGCHAIN_STATE to another folder; `sqlite3 FILE .recover` may recover its content"
            )
        return f"the runs in {self.location!r} cannot be read or written: {error}"

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
        if self._copy is not None:
            self._copy.cleanup()
