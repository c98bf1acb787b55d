"""Files of JSON lines, read and written: bytes <-> numbered lines <-> records.

Knows files and pydantic; knows nothing of what the records are about.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from longchain.errors import InputError

RecordT = TypeVar("RecordT", bound=BaseModel)

_BOM = b"\xef\xbb\xbf"
"""UTF-8 byte order mark, which editors on Windows write."""


def read_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a file that are not blank, each with its number from 1.

    Raises:
        InputError: The file cannot be read.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if number == 1:
                    line = line.removeprefix(_BOM)
                if line.strip():
                    yield number, line
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be read: {error.strerror}") from None


def read_records(path: Path, schema: type[RecordT], noun: str) -> list[RecordT]:
    """Return the records of a file.

    Args:
        path: The file.
        schema: Class of the records.
        noun: Name of a record in messages, such as `score`.

    Raises:
        InputError: The file cannot be read, or a line is no such record.
    """
    return [parse_record(path, number, line, schema, noun) for number, line in read_lines(path)]


def parse_record(path: Path, number: int, line: bytes, schema: type[RecordT], noun: str) -> RecordT:
    """Return the record in a line.

    Raises:
        InputError: The line is no such record; the message has its number and the reason.
    """
    try:
        return schema.model_validate_json(line)
    except ValidationError as error:
        raise InputError(
            f"{str(path)!r}, line {number}, is no {noun} ({explain_error(error)}): "
            "correct or remove the line"
        ) from None


def explain_error(error: ValueError) -> str:
    """Return in a few words why a line could not be read."""
    match error:
        case ValidationError():
            first = error.errors()[0]
            return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        case UnicodeDecodeError():
            return "no UTF-8 text"
        case json.JSONDecodeError():
            return f"no JSON ({error})"
        case _:
            return str(error)


def replace_file(path: Path, content: str | bytes) -> None:
    """Write a whole file, or leave the old one as it is: never half of each.

    Raises:
        InputError: The file cannot be written.
    """
    data = content.encode() if isinstance(content, str) else content
    temporary = path.with_name(f"{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path)
    except OSError as error:
        raise unwritable(path, error) from None


def sync_folder(path: Path) -> None:
    """Sync the folder of a new file, so that its name survives a power cut; not on Windows."""
    if os.name == "nt":
        return
    folder = os.open(path.resolve().parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def unwritable(path: Path, error: OSError) -> InputError:
    """Return the error to raise for a file that cannot be written."""
    return InputError(f"{str(path)!r} cannot be written: {error.strerror or error}")
