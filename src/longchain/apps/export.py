"""Export of a document to a file: Markdown, plain text or JSON, by the suffix of its name.

`LongDocument` + path -> file

Knows formats and paths. A path that cannot be written is refused before anything is paid for.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from longchain.document import LongDocument
from longchain.errors import InputError
from longchain.length.markdown import strip_markdown

FORMATS = (".md", ".txt", ".json")
"""Suffixes of the formats that can be written."""

COMING = (".docx", ".epub", ".html", ".pdf")
"""Suffixes of the formats that a later version will write."""

PLAN_FORMATS = (".yaml", ".yml", ".json", ".md")
"""Suffixes of the formats of plan files."""


def check(
    path: Path,
    formats: tuple[str, ...] = FORMATS,
    *,
    sources: Iterable[str] = (),
    in_sources: bool = False,
) -> Path:
    """Return a path that can be written in one of the formats.

    Args:
        path: Path of the output.
        formats: Suffixes that it may have.
        sources: Paths that the document is written from; they must not be overwritten.
        in_sources: Whether the output may be in a folder of sources: if it was the output of the
            run from the beginning, the file there is the run's own.

    Raises:
        InputError: The format is unknown or not there yet, the path cannot be written, or it
            would overwrite one of the sources.
    """
    try:
        _check_path(path, formats)
        _check_sources(path, sources, folders=not in_sources)
        return path
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be written: {error.strerror}") from None


def partial_path(path: Path) -> Path:
    """Return the path for the finished sections of a document that stops early."""
    return path.with_name(f"{path.name}.partial.md")


def _check_sources(path: Path, sources: Iterable[str], *, folders: bool) -> None:
    """Refuse an output that would overwrite a source, by itself or by a file written beside it."""
    if not (sources := list(sources)):
        return
    from longchain.sources import is_source

    if is_source(path, sources, folders=folders):
        raise InputError(
            f"{str(path)!r} is one of the sources, and the output would take its place: "
            "name another file"
        )
    for other in (partial_path(path), _part_path(path)):
        if is_source(other, sources, folders=folders):
            raise InputError(
                f"{str(other)!r} is one of the sources, and writing {str(path)!r} may overwrite "
                "it: name another file"
            )


def _check_path(path: Path, formats: tuple[str, ...]) -> None:
    """Refuse a path that has another format, or that cannot be written."""
    if path.is_dir():
        raise InputError(f"{str(path)!r} is a folder: name a file")
    suffix = path.suffix.lower()
    if suffix in COMING and formats == FORMATS:
        raise InputError(
            f"{suffix} files will come with the extra 'export', which is not part of this "
            f"version: use one of {', '.join(formats)}"
        )
    if suffix not in formats:
        raise InputError(f"{str(path)!r}: use one of {', '.join(formats)}, not {suffix!r}")
    folder = path.parent
    if not folder.is_dir():
        raise InputError(f"{str(path)!r} cannot be written: there is no folder {str(folder)!r}")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise InputError(f"{str(path)!r} cannot be written: permission denied")
    if formats == FORMATS:
        _try_to_create(_part_path(path))


def _part_path(path: Path) -> Path:
    """Return the path at which a document is written before it is moved to `path`."""
    return path.with_name(f".{path.name}.part")


def _try_to_create(part: Path) -> None:
    """Create and remove a file: its name may be too long, or its folder not writable.

    A file that is there already is left alone: another run may be writing it.
    """
    with suppress(FileExistsError):
        part.touch(exist_ok=False)
        part.unlink()


def render(document: LongDocument, suffix: str) -> str:
    """Return the document in the format of a suffix: `.md`, `.txt` or `.json`."""
    if suffix == ".json":
        return json.dumps(document.model_dump(), ensure_ascii=False, indent=2) + "\n"
    if suffix == ".txt":
        return strip_markdown(document.text).strip() + "\n"
    return document.text


def write(document: LongDocument, path: Path) -> None:
    """Write the document completely or not at all: after a crash, the old file is unchanged.

    Raises:
        InputError: The file could not be written.
    """
    part = _part_path(path)
    try:
        part.write_text(render(document, path.suffix.lower()), encoding="utf-8")
        part.replace(path)
    except OSError as error:
        with suppress(OSError):  # the first error is the one to report
            part.unlink()
        raise InputError(f"{str(path)!r} could not be written: {error.strerror}") from error
