"""JSON lines, or one JSON list, from any source: bytes -> `JsonRecord`s, each with its number.

Knows encodings and JSON; knows nothing of benchmarks. A record that cannot be read has the reason.
"""

from __future__ import annotations

import codecs
import json
import math
from collections.abc import Iterator
from typing import Any, NamedTuple, NoReturn

from longchain.errors import InputError


class JsonRecord(NamedTuple):
    """One line of a file, or one item of a list."""

    number: int
    """Number in the file from 1, blank lines counted."""

    fields: dict[str, Any]
    """Fields of the JSON object; empty if it cannot be read."""

    reason: str = ""
    """Reason why it cannot be read."""

    kind: str = "line"
    """`line` or `item`."""


def read_records(data: bytes, name: str) -> Iterator[JsonRecord]:
    """Yield the lines that are not blank, with or without a byte order mark, LF or CRLF.

    Args:
        data: The whole file.
        name: Name of the file in errors.

    Raises:
        InputError: It is UTF-16 or compressed: then no line can be read.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise InputError(f"{name} is UTF-16: save it as UTF-8")
    if data.startswith((b"\x1f\x8b", b"PK\x03\x04")):
        raise InputError(f"{name} is compressed: unpack it")
    items = _parse_list(data)
    if items is not None:
        yield from map(_item_record, range(1, len(items) + 1), items)
        return
    # Not `splitlines`, which also cuts at characters that may be in a JSON string.
    for number, line in enumerate(data.split(b"\n"), 1):
        line = line.removeprefix(codecs.BOM_UTF8).strip()
        if line:
            yield _line_record(number, line)


def _item_record(number: int, item: Any) -> JsonRecord:
    if isinstance(item, dict):
        return JsonRecord(number, item, kind="item")
    return JsonRecord(number, {}, "no JSON object", "item")


def _line_record(number: int, line: bytes) -> JsonRecord:
    try:
        fields = _parse(line)
    except ValueError as error:
        return JsonRecord(number, {}, str(error))
    if isinstance(fields, dict):
        return JsonRecord(number, fields)
    return JsonRecord(number, {}, "no JSON object")


def _parse_list(data: bytes) -> list[Any] | None:
    """Return the items of a file that is one JSON list; None if it is none."""
    data = data.removeprefix(codecs.BOM_UTF8)
    if not data.lstrip().startswith(b"["):
        return None
    try:
        items = _parse(data)
    except ValueError:
        return None
    return items if isinstance(items, list) else None


def _parse(data: bytes) -> Any:
    """Parse JSON.

    Raises:
        ValueError: It is no JSON in UTF-8, or has a value that cannot be written as such again.
    """
    try:
        text = data.decode()
        value = json.loads(text, parse_constant=_refuse, parse_float=_parse_float)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeDecodeError:
        raise ValueError("no UTF-8 text") from None
    except UnicodeEncodeError:
        raise ValueError("half a character (a lone surrogate)") from None
    except RecursionError:
        raise ValueError("nested too deep") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"no JSON ({error.msg} at character {error.pos + 1})") from None
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")


def _parse_float(digits: str) -> float:
    """Return a number; `1e400` is refused, since infinity is no JSON number."""
    value = float(digits)
    return value if math.isfinite(value) else _refuse(digits)
