"""What is known of a run without reading its text.

Knows shapes and names; knows nothing of databases. A record bears no key: addresses lose what
stands before their `@`, and of a model only its string is kept.
"""

from __future__ import annotations

import json
import re
import secrets
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from longchain.document import Unit, Usage
from longchain.errors import RunError

FORMAT = 1
"""The version of what a run stores; a run of a later one is not read."""

Status = Literal["new", "writing", "review", "stopped", "failed", "done"]
"""`writing` also where the writer was killed: whoever holds the run's lock tells them apart."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Record(BaseModel):
    """One run: what was asked of whom, and how far it is."""

    model_config = ConfigDict(extra="ignore")  # a later version may say more

    id: str
    format: int = FORMAT
    version: str = ""
    """Of the longchain that wrote last."""

    created: str = ""
    """UTC, as ISO 8601."""

    updated: str = ""
    status: Status = "new"
    instruction: str = ""
    model: str = ""
    """The model string; empty: what the environment names, or a model that was handed over."""

    model_name: str = ""
    """The model that this came to, as its class calls it."""

    base_url: str = ""
    planner_model: str = ""
    options: dict[str, Any] = Field(default_factory=dict)
    """What `AgentWriteChain` was made with, as far as it can be written down."""

    handed: list[str] = Field(default_factory=list)
    """What it was made with beside that, and needs again: `model`, `retriever`, …"""

    output: str = ""
    """The file that the document goes to; empty for none."""

    parent: str = ""
    """The run that this one was forked from."""

    title: str = ""
    sections: int = 0
    """Planned so far."""

    finished: int = 0
    """Written so far."""

    required: int | None = None
    length: int = 0
    unit: Unit = "words"
    usage: Usage = Field(default_factory=Usage)
    error: str = ""
    """Why it stopped, in a sentence."""

    holder: str = ""
    """Who wrote it last: process and machine."""


def read(run: str, text: str) -> Record:
    """Return a record as it was stored.

    One that cannot be read still names its run, whose text stands elsewhere and can be exported.
    """
    try:
        return Record.model_validate_json(text)
    except ValidationError:
        pass
    try:
        found = json.loads(text)
        return Record(id=run, format=int(found["format"]), version=str(found["version"]))
    except (ValueError, TypeError, KeyError):
        return Record(id=run, status="failed", error="its record is damaged; try to export it")


def now() -> str:
    """Return the time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def new_id() -> str:
    """Return a name for a run: the day, and letters that tell it from the day's others."""
    letters = "".join(secrets.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(5))
    return f"{datetime.now(UTC):%Y%m%d}-{letters}"


def check_id(given: str) -> str:
    """Return a name that a run can have.

    Raises:
        RunError: It could be no file's name.
    """
    if not _ID.fullmatch(given) or given == "last":
        raise RunError(
            f"a run cannot be called {given!r}: use up to 64 letters, digits, '-', '_' and '.'"
        )
    return given
