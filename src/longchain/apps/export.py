"""`LongDocument` -> a file: Markdown, plain text or JSON, by its suffix.

Knows formats and paths; a path that cannot be written is found before anything is paid for.
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
"""What can be written today."""

COMING = (".docx", ".epub", ".html", ".pdf")
"""What the extra `export` will bring."""


PLAN_FORMATS = (".yaml", ".yml", ".json", ".md")
"""What a plan can be written as."""


def check(
    path: Path,
    formats: tuple[str, ...] = FORMATS,
    *,
    sources: Iterable[str] = (),
    ours: bool = False,
) -> Path:
    """Return a path that can be written in one of the formats.

    Args:
        path: The file.
        formats: Suffixes that it may have.
        sources: What the document is written from, which stays as it is.
        ours: Whether the run has had this output from its beginning: what by now stands there,
            in a folder of sources, is its own.

    Raises:
        InputError: The format is unknown or not there yet, the path cannot be written, or what
            would be written there is one of the sources.
    """
    try:
        checked = _checked(path, formats)
        _spare(path, sources, folders=not ours)
        return checked
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be written: {error.strerror}") from None


def partial(path: Path) -> Path:
    """Return where the finished sections of a document go that stops early."""
    return path.with_name(f"{path.name}.partial.md")


def _spare(path: Path, sources: Iterable[str], *, folders: bool) -> None:
    """Refuse an output that would take a source's place, now or where writing stops early."""
    if not (sources := list(sources)):
        return
    from longchain.sources import is_source

    if is_source(path, sources, folders=folders):
        raise InputError(
            f"{str(path)!r} is one of the sources, and the output would take its place: "
            "name another file"
        )
    for beside in (partial(path), _beside(path)):
        if is_source(beside, sources, folders=folders):
            raise InputError(
                f"{str(beside)!r} is one of the sources, and writing {str(path)!r} may overwrite "
                "it: name another file"
            )


def _checked(path: Path, formats: tuple[str, ...]) -> Path:
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
        _try(_beside(path))
    return path


def _beside(path: Path) -> Path:
    """Return where a document is written before it takes its place."""
    return path.with_name(f".{path.name}.part")


def _try(part: Path) -> None:
    """Make and remove a file: its name may be too long, or its folder closed, where `path` is not.

    One that is there already is left alone: another run may be writing it.
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
    """Write the document, whole or not at all: a crash leaves the old file as it was.

    Raises:
        InputError: The file could not be written.
    """
    beside = _beside(path)
    try:
        beside.write_text(render(document, path.suffix.lower()), encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):  # of what went wrong twice, the first is told
            beside.unlink()
        raise InputError(f"{str(path)!r} could not be written: {error.strerror}") from error
