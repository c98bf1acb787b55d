"""Store in a PostgreSQL database, for several machines; needs the extra `postgres`.

PostgreSQL address -> `PostgresStore`

Knows PostgreSQL. A run is locked by an advisory lock, which belongs to a connection: when its
process dies, the server releases it. So the address must be the server's own, not that of a
pooler in transaction mode.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock
from typing import Any

from longchain.errors import RunError, StoreError, import_extra
from longchain.models.redact import redact_url
from longchain.runs.record import Record, parse_record
from longchain.runs.store import Store, ThreadedSaver, describe_process

psycopg: Any = import_extra("psycopg", "postgres", "keeping runs in PostgreSQL")
pool: Any = import_extra("psycopg_pool", "postgres", "keeping runs in PostgreSQL")
rows: Any = import_extra("psycopg.rows", "postgres", "keeping runs in PostgreSQL")
savers: Any = import_extra(
    "langgraph.checkpoint.postgres", "postgres", "keeping runs in PostgreSQL"
)

_MAX_CONNECTIONS = 8
_CONNECT_TIMEOUT = 30.0
"""Seconds to wait for a connection."""

_SETUP = "longchain setup"
"""Name of the lock under which the tables are created."""

_TABLE = """
CREATE TABLE IF NOT EXISTS longchain_runs (
    id TEXT PRIMARY KEY, created TEXT NOT NULL, number BIGSERIAL, record TEXT NOT NULL
)
"""
_KEEPALIVE = {
    "keepalives": 1, "keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3,
    "application_name": "longchain",
}  # fmt: skip
"""Options of a connection: the server notices within half a minute that a machine has vanished,
and releases its locks."""

_REFUSED = re.compile(r"authentication failed|(?:database|role) .* does not exist")
"""Errors of a connection that is refused; the driver gives no code for them."""

_LOCK_QUERY = """
SELECT 1 FROM pg_locks JOIN pg_database ON pg_database.oid = database
WHERE datname = current_database() AND locktype = 'advisory' AND objsubid = 1 AND granted
AND classid = %s AND objid = %s
"""
"""Query for a lock that does not take it, as that would turn away others for a moment."""


class _Saver(ThreadedSaver, savers.PostgresSaver):  # type: ignore[misc]
    """LangGraph's checkpointer, for synchronous and asynchronous use."""


class PostgresStore(Store):
    """Runs in one PostgreSQL database.

    Args:
        dsn: Address of the database, as `postgresql://USER:PASSWORD@HOST/DATABASE`.

    Raises:
        StoreError: The database cannot be reached.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self.location = redact_url(dsn)
        self._lock_connection: Any = None
        """Connection that locks the runs that this process writes: one for all of them, since a
        server allows few. If it is lost, so are all locks."""

        self._locked: dict[str, Any] = {}
        """Locked runs, each with the connection that has locked it."""

        self._mutex = Lock()
        with self.translated_errors():
            # First one connection: with a wrong password, a pool would retry again and again.
            with self._connect() as first:
                # Not `pg_advisory_lock`: a statement that waits would block the building of an
                # index in the session that it waits for, and both would wait for ever.
                query = "SELECT pg_try_advisory_lock(%s)"
                while not first.execute(query, (_key(_SETUP),)).fetchone()[0]:
                    time.sleep(0.05)
                first.row_factory = rows.dict_row
                savers.PostgresSaver(first).setup()
                first.execute(_TABLE)
            self._pool = pool.ConnectionPool(
                dsn,
                min_size=1,
                max_size=_MAX_CONNECTIONS,
                timeout=_CONNECT_TIMEOUT,
                open=True,
                check=pool.ConnectionPool.check_connection,
                kwargs={
                    "autocommit": True,
                    "prepare_threshold": 0,
                    "row_factory": rows.dict_row,
                    **_KEEPALIVE,
                },
            )
            self.saver = _Saver(self._pool)  # type: ignore[call-arg]

    def _connect(self) -> Any:
        return psycopg.connect(
            self._dsn, autocommit=True, connect_timeout=int(_CONNECT_TIMEOUT), **_KEEPALIVE
        )

    # Records -------------------------------------------------------------------------------

    def add(self, record: Record) -> bool:
        """Register a run; False if the name is taken."""
        row = (record.id, record.created, record.model_dump_json())
        added = self._run(
            "INSERT INTO longchain_runs (id, created, record) VALUES (%s, %s, %s) "
            "ON CONFLICT DO NOTHING RETURNING id AS value",
            *row,
        )
        return bool(added)

    def save(self, record: Record) -> None:
        """Update the record of a run."""
        self._run(
            "UPDATE longchain_runs SET record = %s WHERE id = %s RETURNING id AS value",
            record.model_dump_json(),
            record.id,
        )

    def load(self, run: str) -> Record | None:
        """Return the record of a run; None if there is no such run."""
        values = self._run("SELECT record AS value FROM longchain_runs WHERE id = %s", run)
        return parse_record(run, values[0]) if values else None

    def records(self) -> list[Record]:
        """Return all records, the latest first."""
        values = self._run(
            "SELECT id || E'\\n' || record AS value FROM longchain_runs "
            "ORDER BY created DESC, number DESC"
        )
        return [parse_record(*value.split("\n", 1)) for value in values]

    def _run(self, query: str, *values: str) -> list[str]:
        with self.translated_errors(), self._pool.connection() as connection:
            return [row["value"] for row in connection.execute(query, values).fetchall()]

    def delete(self, run: str) -> None:
        """Delete a run with all its text."""
        with self.translated_errors():
            self.saver.delete_thread(run)
        self._run("DELETE FROM longchain_runs WHERE id = %s RETURNING id AS value", run)

    # Locks ---------------------------------------------------------------------------------

    @contextmanager
    def lock(self, run: str) -> Iterator[None]:
        """Lock a run; the lock ends with the connection."""
        if not self._try_lock(run):
            record = self.load(run)
            holder = (record.holder if record else "") or "another process"
            raise RunError(
                f"the run {run!r} is being written by {holder}: wait for it, or stop it first"
            )
        try:
            if record := self.load(run):
                self.save(record.model_copy(update={"holder": describe_process()}))
            yield
        finally:
            with self._mutex, suppress(psycopg.Error):
                self._locked.pop(run).execute("SELECT pg_advisory_unlock(%s)", (_key(run),))

    def _try_lock(self, run: str) -> bool:
        """Try to lock a run; return whether it is locked now.

        A connection could take a lock twice, so its locks are noted in `_locked`.
        """
        with self._mutex, self.translated_errors():
            if run in self._locked:
                return False
            if self._lock_connection is None or not _is_alive(self._lock_connection):
                self._lock_connection = None  # if connecting fails, the lost one is not used again
                self._lock_connection = self._connect()
            connection = self._lock_connection
            query = "SELECT pg_try_advisory_lock(%s)"
            locked = bool(connection.execute(query, (_key(run),)).fetchone()[0])
            if locked:
                self._locked[run] = connection
            return locked

    def check_lock(self, run: str) -> None:
        """Check that the connection that has locked a run has not been lost.

        Raises:
            StoreError: It has been lost: another process may have locked the run by now.
        """
        if connection := self._locked.get(run):
            with self.translated_errors():
                connection.execute("SELECT 1")

    def is_locked(self, run: str) -> bool:
        """Return whether a process has locked a run, this one included."""
        high, low = divmod(_key(run) % 2**64, 2**32)
        with self.translated_errors(), self._pool.connection() as connection:
            return connection.execute(_LOCK_QUERY, (high, low)).fetchone() is not None

    # Errors --------------------------------------------------------------------------------

    def translate(self, error: BaseException) -> StoreError | None:
        """Return the `StoreError` for an error of PostgreSQL; None for any other error."""
        if isinstance(error, psycopg.Error):
            return StoreError(self._describe(error))
        return None

    def _describe(self, error: Exception) -> str:
        return f"the runs in {self.location!r} {_describe_problem(error)}"

    @contextmanager
    def translated_errors(self) -> Iterator[None]:
        """Raise errors of the database as `StoreError`, without the password of the address."""
        try:
            yield
        except StoreError:
            raise
        except psycopg.Error as error:
            # Not chained: the message of the driver may repeat the address.
            raise StoreError(self._describe(error)) from None

    def close(self) -> None:
        """Close the database."""
        self._pool.close()
        if self._lock_connection is not None:
            with suppress(psycopg.Error):
                self._lock_connection.close()


def _is_alive(connection: Any) -> bool:
    try:
        connection.execute("SELECT 1")
    except psycopg.Error:
        return False
    return True


def _describe_problem(error: Exception) -> str:
    """Return what happened and what to do about it, as the rest of a sentence."""
    state = getattr(error, "sqlstate", None) or ""
    if state.startswith("53"):
        return "cannot be kept: the server is out of room, memory or connections; resume later"
    if state in ("28P01", "28000", "3D000") or _REFUSED.search(str(error)):
        return "cannot be reached: the server refuses the user, the password or the database"
    disconnected = not state or state.startswith(("08", "57P"))
    if isinstance(error, psycopg.OperationalError) and disconnected:
        return "cannot be reached: check the address and that the server runs"
    return f"cannot be read or written ({type(error).__name__} {state}".rstrip() + ")"


def _key(name: str) -> int:
    """Return the number of the advisory lock of a name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
