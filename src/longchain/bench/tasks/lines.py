"""JSON lines, or one JSON list, as people keep them: bytes -> `Record`s, each with its number.

Knows encodings and JSON; knows nothing of benchmarks. What cannot be read says why.
"""

from __future__ import annotations

import codecs
import json
import math
from collections.abc import Iterator
from typing import Any, NamedTuple, NoReturn

from longchain.errors import InputError


class Record(NamedTuple):
    """A line, or an item of a list."""

    number: int
    """From 1, blank lines counted."""

    found: dict[str, Any]
    """Its fields; empty where it cannot be read."""

    reason: str = ""
    """Why it cannot be read."""

    kind: str = "line"
    """`line` or `item`."""


def records(data: bytes, name: str) -> Iterator[Record]:
    """Yield the lines that are not blank, with or without a byte order mark, LF or CRLF.

    Args:
        data: The whole file.
        name: What to call it in an error.

    Raises:
        InputError: It is UTF-16 or compressed: then no line can be read.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise InputError(f"{name} is UTF-16: save it as UTF-8")
    if data.startswith((b"\x1f\x8b", b"PK\x03\x04")):
        raise InputError(f"{name} is compressed: unpack it")
    if (listed := _list(data)) is not None:
        for number, item in enumerate(listed, 1):
            whole = isinstance(item, dict)
            yield Record(number, item if whole else {}, "" if whole else "no JSON object", "item")
        return
    # Not `splitlines`, which also cuts at marks that may stand in a JSON string.
    for number, line in enumerate(data.split(b"\n"), 1):
        line = line.removeprefix(codecs.BOM_UTF8).strip()
        if line:
            try:
                yield Record(number, _object(line))
            except ValueError as error:
                yield Record(number, {}, str(error))


def _list(data: bytes) -> list[Any] | None:
    """Return the items of a file that is one JSON list."""
    data = data.removeprefix(codecs.BOM_UTF8)
    if not data.lstrip().startswith(b"["):
        return None
    try:
        found = _parsed(data)
    except ValueError:
        return None
    return found if isinstance(found, list) else None


def _object(line: bytes) -> dict[str, Any]:
    found = _parsed(line)
    if not isinstance(found, dict):
        raise ValueError("no JSON object")
    return found


def _parsed(data: bytes) -> Any:
    """Return what JSON says.

    Raises:
        ValueError: It is no JSON in UTF-8, or says what cannot be written as such again.
    """
    try:
        text = data.decode()
        found = json.loads(text, parse_constant=_refuse, parse_float=_finite)
        if "\\u" in text:
            json.dumps(found, ensure_ascii=False).encode()
    except UnicodeDecodeError:
        raise ValueError("no UTF-8 text") from None
    except UnicodeEncodeError:
        raise ValueError("half a character (a lone surrogate)") from None
    except RecursionError:
        raise ValueError("nested too deep") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"no JSON ({error.msg} at character {error.pos + 1})") from None
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")


def _finite(written: str) -> float:
    """Return a number; `1e400` is none that JSON could be written with again."""
    value = float(written)
    return value if math.isfinite(value) else _refuse(written)
