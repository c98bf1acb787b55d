"""A plan as a file that a person reads and edits, and that reads back exactly.

`WritingPlan` -> YAML, JSON or Markdown -> `WritingPlan`, or `PlanFileError` with line and field

`source` (the fields, checked) -> `notation` (YAML and JSON) -> `outline` (Markdown): each knows
those before it. Does not read models' replies: that is `longchain.agent.planning.parse`, which
forgives what this names.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from longchain.agent.planning.planfile import notation, outline
from longchain.agent.planning.planfile.source import plan_of
from longchain.document import WritingPlan
from longchain.errors import PlanFileError

__all__ = ["Format", "dumps", "load", "loads", "save"]

Format = Literal["yaml", "json", "md"]
"""How a plan is written down."""

_SUFFIXES: dict[str, Format] = {".yaml": "yaml", ".yml": "yaml", ".json": "json", ".md": "md"}


def save(plan: WritingPlan, path: str | Path) -> None:
    """Write a plan to a file, in the form that its suffix names.

    Raises:
        PlanFileError: The suffix is none of .yaml, .yml, .json, .md, or the file cannot be written.
    """
    text = dumps(plan, _format_of(Path(path)))
    try:
        Path(path).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise PlanFileError(f"{path}: the plan cannot be written: {error.strerror}") from error


def load(path: str | Path) -> WritingPlan:
    """Return the plan in a file.

    Raises:
        PlanFileError: The file cannot be read, or holds a mistake; the message names its line.
    """
    path = Path(path)
    format_ = _format_of(path)
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
    if format == "md":
        return outline.write(plan)
    if format == "json":
        return notation.write_json(plan)
    if format != "yaml":
        raise PlanFileError(f"a plan is written as yaml, json or md, not {format!r}")
    return notation.write_yaml(plan)


def loads(text: str, format: Format, *, name: str = "plan") -> WritingPlan:
    """Return the plan in a text.

    Args:
        text: What `dumps` wrote, perhaps edited by a person.
        format: Its form.
        name: What messages call it: a path.

    Raises:
        PlanFileError: The text holds a mistake; the message names line and field.
    """
    if format == "md":
        return outline.read(text, name)
    if format == "json":
        return plan_of(notation.read_json(text, name))
    if format != "yaml":
        raise PlanFileError(f"a plan is read from yaml, json or md, not {format!r}")
    return plan_of(notation.read_yaml(text, name))


def _format_of(path: Path) -> Format:
    if format_ := _SUFFIXES.get(path.suffix.lower()):
        return format_
    raise PlanFileError(f"{path}: a plan file ends in .yaml, .json or .md, not {path.suffix!r}")
