"""The record of a run: its request, its model and its progress, without its text.

JSON <-> `Record`

Knows shapes and names; knows nothing of databases. A record holds no key: addresses lose their
user and password, and of a model only its string is kept.
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
"""Version of the stored form; a run of a later version is not read."""

Status = Literal["new", "writing", "review", "stopped", "failed", "done"]
"""State of a run; a run whose writer was killed is still `writing`, but its lock is free."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Record(BaseModel):
    """One run: its request, its model and its progress."""

    model_config = ConfigDict(
        extra="ignore",  # a later version may store more
        populate_by_name=True,
        serialize_by_alias=True,
    )

    id: str
    format: int = FORMAT
    version: str = ""
    """Version of longchain that wrote it last."""

    created: str = ""
    """Time in UTC, as ISO 8601."""

    updated: str = ""
    status: Status = "new"
    instruction: str = ""
    model: str = ""
    """Model string; empty for the model of the environment, and for a model object."""

    model_name: str = ""
    """Name of the model, as its class calls it."""

    base_url: str = ""
    planner_model: str = ""
    options: dict[str, Any] = Field(default_factory=dict)
    """Options of `AgentWriteChain`, as far as JSON can hold them."""

    external: list[str] = Field(default_factory=list, alias="handed")
    """Names of the objects that it was started with and needs again: `model`, `retriever`, …

    Stored as `handed`."""

    @property
    def handed(self) -> list[str]:
        """The former name of `external`."""
        return self.external

    output: str = ""
    """File that the document is written to; empty for none."""

    parent: str = ""
    """Id of the run that this one was forked from."""

    title: str = ""
    sections: int = 0
    """Number of sections planned so far."""

    finished: int = 0
    """Number of sections written so far."""

    required: int | None = None
    length: int = 0
    unit: Unit = "words"
    usage: Usage = Field(default_factory=Usage)
    error: str = ""
    """Reason why it stopped, in a sentence."""

    holder: str = ""
    """Process and machine that wrote it last."""


def parse_record(run: str, text: str) -> Record:
    """Return a stored record.

    A record that cannot be read still names its run, whose text can be exported.
    """
    try:
        return Record.model_validate_json(text)
    except ValidationError:
        pass
    try:
        fields = json.loads(text)
        return Record(id=run, format=int(fields["format"]), version=str(fields["version"]))
    except (ValueError, TypeError, KeyError):
        return Record(id=run, status="failed", error="its record is damaged; try to export it")


def new_record(name: str | None, **fields: Any) -> Record:
    """Return the record of a run that begins now; without a name it gets a new id.

    Raises:
        RunError: The name cannot be used.
    """
    run = check_id(name) if name is not None else new_id()
    return Record(id=run, created=now(), updated=now(), **fields)


def now() -> str:
    """Return the time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def new_id() -> str:
    """Return a new run id: the day, and five random letters and digits."""
    letters = "".join(secrets.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(5))
    return f"{datetime.now(UTC):%Y%m%d}-{letters}"


def check_id(name: str) -> str:
    """Return a name that can be a run's id.

    Raises:
        RunError: The name is too long, or has other characters than a file name may have.
    """
    if not _ID.fullmatch(name) or name == "last":
        raise RunError(
            f"a run cannot be called {name!r}: use up to 64 letters, digits, '-', '_' and '.'"
        )
    return name
