"""Runs in a PostgreSQL database, for several machines: the extra `postgres`.

Knows PostgreSQL. A run is held by an advisory lock, which belongs to a connection: when its
process dies, the server lets go of it. So the address must be the server's own, not that of a
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
from longchain.runs.record import Record, read
from longchain.runs.store import Store, Threaded, me

psycopg: Any = import_extra("psycopg", "postgres", "keeping runs in PostgreSQL")
pool: Any = import_extra("psycopg_pool", "postgres", "keeping runs in PostgreSQL")
rows: Any = import_extra("psycopg.rows", "postgres", "keeping runs in PostgreSQL")
savers: Any = import_extra(
    "langgraph.checkpoint.postgres", "postgres", "keeping runs in PostgreSQL"
)

_CONNECTIONS = 8
_PATIENCE = 30.0
"""Seconds to wait for a connection."""

_SETUP = "longchain setup"
_TABLE = """
CREATE TABLE IF NOT EXISTS longchain_runs (
    id TEXT PRIMARY KEY, created TEXT NOT NULL, number BIGSERIAL, record TEXT NOT NULL
)
"""
_ALIVE = {
    "keepalives": 1, "keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3,
    "application_name": "longchain",
}  # fmt: skip
"""So that a machine that vanished is noticed in half a minute, and its locks with it."""


_REFUSED = re.compile(r"authentication failed|(?:database|role) .* does not exist")
"""What the server says to a newcomer, whom the driver tells no code."""

_HELD = """
SELECT 1 FROM pg_locks JOIN pg_database ON pg_database.oid = database
WHERE datname = current_database() AND locktype = 'advisory' AND objsubid = 1 AND granted
AND classid = %s AND objid = %s
"""
"""Looks at a lock without taking it, which would turn away who wants to hold it just then."""


class _Saver(Threaded, savers.PostgresSaver):  # type: ignore[misc]
    """LangGraph's saver, through both doors."""


class PostgresStore(Store):
    """Runs in one database.

    Args:
        dsn: Its address, as `postgresql://USER:PASSWORD@HOST/DATABASE`.

    Raises:
        StoreError: It is out of reach.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self.shown = redact_url(dsn)
        self._holder: Any = None
        """The connection whose locks hold the runs that this process writes: one for all of them,
        since a server has few. Where it is lost, so are all holds."""
        self._held: dict[str, Any] = {}
        """By which connection each of them is held."""
        self._guard = Lock()
        with self.reading():
            # Once by itself: a pool would try again and again what a wrong password refuses.
            with self._connect() as first:
                # Not `pg_advisory_lock`: one statement that waits would hold up the building of an
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
                max_size=_CONNECTIONS,
                timeout=_PATIENCE,
                open=True,
                check=pool.ConnectionPool.check_connection,
                kwargs={
                    "autocommit": True,
                    "prepare_threshold": 0,
                    "row_factory": rows.dict_row,
                    **_ALIVE,
                },
            )
            self.saver = _Saver(self._pool)  # type: ignore[call-arg]

    def _connect(self) -> Any:
        return psycopg.connect(self._dsn, autocommit=True, connect_timeout=int(_PATIENCE), **_ALIVE)

    # Records -------------------------------------------------------------------------------

    def add(self, record: Record) -> bool:
        """Register a run; False where the name is taken."""
        row = (record.id, record.created, record.model_dump_json())
        added = self._run(
            "INSERT INTO longchain_runs (id, created, record) VALUES (%s, %s, %s) "
            "ON CONFLICT DO NOTHING RETURNING id AS value",
            *row,
        )
        return bool(added)

    def save(self, record: Record) -> None:
        """Bring a record up to date."""
        self._run(
            "UPDATE longchain_runs SET record = %s WHERE id = %s RETURNING id AS value",
            record.model_dump_json(),
            record.id,
        )

    def load(self, run: str) -> Record | None:
        """Return a run's record."""
        found = self._run("SELECT record AS value FROM longchain_runs WHERE id = %s", run)
        return read(run, found[0]) if found else None

    def records(self) -> list[Record]:
        """Return all records, the latest first."""
        found = self._run(
            "SELECT id || E'\\n' || record AS value FROM longchain_runs "
            "ORDER BY created DESC, number DESC"
        )
        return [read(*row.split("\n", 1)) for row in found]

    def _run(self, query: str, *values: str) -> list[str]:
        with self.reading(), self._pool.connection() as connection:
            return [row["value"] for row in connection.execute(query, values).fetchall()]

    def delete(self, run: str) -> None:
        """Delete a run with all its text."""
        with self.reading():
            self.saver.delete_thread(run)
        self._run("DELETE FROM longchain_runs WHERE id = %s RETURNING id AS value", run)

    # Locks ---------------------------------------------------------------------------------

    @contextmanager
    def lock(self, run: str) -> Iterator[None]:
        """Hold a run by a connection, with which the hold ends."""
        if not self._take(run):
            record = self.load(run)
            who = record.holder if record and record.holder else "another process"
            raise RunError(
                f"the run {run!r} is being written by {who}: wait for it, or stop it first"
            )
        try:
            if record := self.load(run):
                self.save(record.model_copy(update={"holder": me()}))
            yield
        finally:
            with self._guard, suppress(psycopg.Error):
                self._held.pop(run).execute("SELECT pg_advisory_unlock(%s)", (_key(run),))

    def _take(self, run: str) -> bool:
        """Try to hold a run. A connection may take a lock twice, so what it holds is noted."""
        with self._guard, self.reading():
            if run in self._held:
                return False
            if self._holder is not None and not _alive(self._holder):
                self._holder = None
            connection = self._holder = self._holder or self._connect()
            query = "SELECT pg_try_advisory_lock(%s)"
            mine = bool(connection.execute(query, (_key(run),)).fetchone()[0])
            if mine:
                self._held[run] = connection
            return mine

    def still_held(self, run: str) -> None:
        """Make sure that the connection that holds a run has not been lost.

        Raises:
            StoreError: It has: somebody else may hold the run by now.
        """
        if connection := self._held.get(run):
            with self.reading():
                connection.execute("SELECT 1")

    def held(self, run: str) -> bool:
        """Say whether somebody holds a run, this process included."""
        high, low = divmod(_key(run) % 2**64, 2**32)
        with self.reading(), self._pool.connection() as connection:
            return connection.execute(_HELD, (high, low)).fetchone() is not None

    # Trouble -------------------------------------------------------------------------------

    def translated(self, error: BaseException) -> StoreError | None:
        """Return the `StoreError` for what PostgreSQL has raised."""
        return StoreError(self._said(error)) if isinstance(error, psycopg.Error) else None

    def _said(self, error: Exception) -> str:
        return f"the runs in {self.shown!r} {_sentence(error)}"

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Turn what the database raises into a sentence, without the address's password."""
        try:
            yield
        except StoreError:
            raise
        except psycopg.Error as error:
            # Not chained: what the driver says may repeat the address.
            raise StoreError(self._said(error)) from None

    def close(self) -> None:
        """Let go of the database."""
        self._pool.close()
        if self._holder is not None:
            with suppress(psycopg.Error):
                self._holder.close()


def _alive(connection: Any) -> bool:
    try:
        connection.execute("SELECT 1")
    except psycopg.Error:
        return False
    return True


def _sentence(error: Exception) -> str:
    state = getattr(error, "sqlstate", None) or ""
    if state.startswith("53"):
        return "cannot be kept: the server is out of room, memory or connections; resume later"
    if state in ("28P01", "28000", "3D000") or _REFUSED.search(str(error)):
        return "cannot be reached: the server refuses the user, the password or the database"
    gone = not state or state.startswith(("08", "57P"))
    if isinstance(error, psycopg.OperationalError) and gone:
        return "cannot be reached: check the address and that the server runs"
    return f"cannot be read or written ({type(error).__name__} {state}".rstrip() + ")"


def _key(name: str) -> int:
    """Return an advisory lock's number for a name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
