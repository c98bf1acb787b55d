"""Location of the runs: finds it and opens the store there.

path, PostgreSQL address, environment variable or nothing -> `Store`

Knows the forms of a location; `sqlite` and `postgres` know what is stored there.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import platformdirs

from longchain.runs.store import Store

DATABASE_NAME = "runs.db"
_POSTGRES = re.compile(r"postgres(?:ql)?://", re.IGNORECASE)


def locate_store(where: str | Path | None = None) -> str:
    """Return the location of the store: as given, `LONGCHAIN_STATE`, or the user's state folder.

    Args:
        where: A folder, a file that ends in `.db`, or a PostgreSQL address.
    """
    location = str(where or "").strip()
    if not location:
        location = os.environ.get("LONGCHAIN_STATE", "").strip()
    if not location:
        location = platformdirs.user_state_dir("longchain", appauthor=False)
    if _POSTGRES.match(location):
        return location
    path = Path(location).expanduser().absolute()
    return str(path if path.suffix == ".db" else path / DATABASE_NAME)


def open_store(where: str | Path | None = None) -> Store:
    """Open the store at a location; create the file and its folder if they are missing.

    Raises:
        StoreError: It cannot be opened.
        MissingExtraError: PostgreSQL needs packages that are not installed.
    """
    location = locate_store(where)
    if _POSTGRES.match(location):
        from longchain.runs.postgres import PostgresStore

        return PostgresStore(location)
    from longchain.runs.sqlite import SqliteStore

    return SqliteStore(Path(location))
