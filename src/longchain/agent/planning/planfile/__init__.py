"""A plan as a file that a person reads and edits, and that reads back exactly.

`WritingPlan` -> YAML, JSON or Markdown -> `WritingPlan`, or `PlanFileError` with line and field

`yaml_format`, `json_format` and `markdown_format` write a plan, and read a file into values with
their lines (`located`); pydantic validates these by the models in `schema`. Does not read models'
replies: that is `longchain.agent.planning.parse`, which forgives the mistakes that are errors here.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from longchain.agent.planning.planfile import json_format, markdown_format, yaml_format
from longchain.agent.planning.planfile.located import LocatedValue
from longchain.agent.planning.planfile.schema import build_plan
from longchain.document import WritingPlan
from longchain.errors import PlanFileError

__all__ = ["Format", "dumps", "load", "loads", "save"]

Format = Literal["yaml", "json", "md"]
"""Format of a plan file."""

_SUFFIXES: dict[str, Format] = {".yaml": "yaml", ".yml": "yaml", ".json": "json", ".md": "md"}
_WRITERS: dict[Format, Callable[[WritingPlan], str]] = {
    "yaml": yaml_format.write,
    "json": json_format.write,
    "md": markdown_format.write,
}
_READERS: dict[Format, Callable[[str, str], LocatedValue]] = {
    "yaml": yaml_format.read,
    "json": json_format.read,
    "md": markdown_format.read,
}


def save(plan: WritingPlan, path: str | Path) -> None:
    """Write a plan to a file, in the format of its suffix.

    Raises:
        PlanFileError: The suffix is none of .yaml, .yml, .json, .md, or the file cannot be written.
    """
    text = dumps(plan, _find_format(Path(path)))
    try:
        Path(path).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise PlanFileError(f"{path}: the plan cannot be written: {error.strerror}") from error


def load(path: str | Path) -> WritingPlan:
    """Return the plan in a file.

    Raises:
        PlanFileError: The file cannot be read, or has a mistake; the message names its line.
    """
    path = Path(path)
    format_ = _find_format(path)
    if path.is_dir():
        raise PlanFileError(f"{path}: a directory, not a plan file")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise PlanFileError(f"{path}: no such plan file") from error
    except OSError as error:
        raise PlanFileError(f"{path}: the plan cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise PlanFileError(f"{path}, line {line}: not UTF-8; save the file as UTF-8") from error
    return loads(text, format_, name=str(path))


def dumps(plan: WritingPlan, format: Format) -> str:
    """Return a plan as text."""
    if format not in _WRITERS:
        raise PlanFileError(f"a plan is written as yaml, json or md, not {format!r}")
    return _WRITERS[format](plan)


def loads(text: str, format: Format, *, name: str = "plan") -> WritingPlan:
    """Return the plan in a text.

    Args:
        text: A text that `dumps` wrote, perhaps edited by a person.
        format: Its format.
        name: Its name in messages: a path.

    Raises:
        PlanFileError: The text has a mistake; the message names line and field.
    """
    if format not in _READERS:
        raise PlanFileError(f"a plan is read from yaml, json or md, not {format!r}")
    return build_plan(_READERS[format](text, name))


def _find_format(path: Path) -> Format:
    """Return the format of a path's suffix."""
    format_ = _SUFFIXES.get(path.suffix.lower())
    if format_:
        return format_
    raise PlanFileError(f"{path}: a plan file ends in .yaml, .json or .md, not {path.suffix!r}")
