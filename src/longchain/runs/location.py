"""A path, an address or the environment -> the `Store` that is meant.

Knows what names a place; what is kept there, and how, stands in the store of its kind.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import platformdirs

from longchain.runs.store import Store

FILE = "runs.db"
_POSTGRES = re.compile(r"postgres(?:ql)?://", re.IGNORECASE)


def place(where: str | Path | None = None) -> str:
    """Return where runs are kept: as given, `LONGCHAIN_STATE`, or the user's state folder.

    Args:
        where: A folder, a file that ends in `.db`, or a PostgreSQL address.
    """
    found = str(where or "").strip() or os.environ.get("LONGCHAIN_STATE", "").strip()
    found = found or platformdirs.user_state_dir("longchain", appauthor=False)
    if _POSTGRES.match(found):
        return found
    path = Path(found).expanduser().absolute()
    return str(path if path.suffix == ".db" else path / FILE)


def open_store(where: str | Path | None = None) -> Store:
    """Return the store at a place; a file and its folder are made where they are missing.

    Raises:
        StoreError: It cannot be opened.
        MissingExtraError: PostgreSQL needs packages that are not installed.
    """
    found = place(where)
    if _POSTGRES.match(found):
        from longchain.runs.postgres import PostgresStore

        return PostgresStore(found)
    from longchain.runs.sqlite import SqliteStore

    return SqliteStore(Path(found))
