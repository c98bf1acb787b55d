"""The name of a benchmark, or the path of a file -> its `Sample`s and what was left out.

Knows where data may lie; how a record is read stands in `samples`, how a file is fetched in
`fetch`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from longchain.bench.shapes import Sample
from longchain.bench.tasks.catalog import File, Form, Task, find, names
from longchain.bench.tasks.fetch import RAW, address, fetch, fits
from longchain.bench.tasks.lines import records
from longchain.bench.tasks.samples import READERS, in_order
from longchain.errors import InputError

_NAMED = 5
"""How many reasons a message names."""


@dataclass(frozen=True)
class Loaded:
    """What was read of a benchmark."""

    samples: list[Sample]
    """In the authors' order, each with an id of its own."""

    skipped: list[str]
    """What was left out: the line (and the file where there are several) and the reason."""

    source: str
    """The path or the address; of several files one after the other, with commas."""

    sha256: str
    """Of the file; of several, of their SHA-256s in a row."""

    notes: list[str] = field(default_factory=list)
    """What else to know: a copy that differs from the pinned file, another number of samples."""


class _Data(NamedTuple):
    source: str
    content: bytes
    part: str = ""


def load(
    name_or_path: str | Path,
    *,
    path: str | Path | None = None,
    strict: bool = False,
    limit: int | None = None,
    offline: bool = False,
    base: str = RAW,
) -> Loaded:
    """Return the samples of a benchmark.

    Args:
        name_or_path: One of `names()`, or a file of JSON lines with `prompt` and `length`.
        path: Where a benchmark's file lies, or the folder of its files; None: it is fetched from
            its authors' repository, once. With a name that is no benchmark's: the task's file.
        strict: Refuse records that cannot be read, or stand there twice, which else are skipped.
        limit: How many samples, the first; None: all.
        offline: Do not fetch anything.
        base: Where to fetch from instead of GitHub.

    Raises:
        InputError: There is no such benchmark or file, it cannot be had, it has another hash, or
            it holds no samples; where strict, a record cannot be read or is a duplicate.
    """
    if limit is not None and limit < 1:
        raise InputError(f"the limit is {limit}: ask for 1 sample or more")
    name = str(name_or_path)
    notes: list[str] = []
    if name in names():
        task = find(name)
        pieces = _pieces(task, None if path is None else Path(path), offline, base, notes)
        form = task.form
    else:
        file, name = _own(name, path)
        pieces, form = [_Data(str(file), _read(file))], "plain"
        task = None
    samples, skipped = _samples(pieces, name, form, strict)
    if task and len(samples) != task.count and len(pieces) == len(task.files):
        notes.append(f"{task.name} has {task.count:,} samples, this is {len(samples):,}")
    return Loaded(
        samples=in_order(samples, form)[:limit],
        skipped=skipped,
        source=", ".join(piece.source for piece in pieces),
        sha256=_digest(pieces),
        notes=notes,
    )


def _own(name: str, path: str | Path | None) -> tuple[Path, str]:
    """Return the file and the name of a task that is no benchmark."""
    file = Path(name if path is None else path).expanduser()
    if path is None and not file.exists() and file.suffix.lower() not in {".jsonl", ".json"}:
        find(name)  # which says what names there are
    return file, name if path is not None else file.stem


def _pieces(
    task: Task, path: Path | None, offline: bool, base: str, notes: list[str]
) -> list[_Data]:
    """Return the content of a benchmark's files."""
    if path is not None:
        pieces = []
        for place, file in _places(task, path.expanduser()):
            pieces.append(_Data(str(place), _read(place), file.part))
            if (file.sha256 or file.blob) and not fits(pieces[-1].content, file):
                notes.append(f"{str(place)!r} differs from {file.name!r} of the pinned commit")
        return pieces
    if not task.repository:
        folder = resources.files("longchain.bench") / "data"
        return [_Data(file.name, (folder / file.name).read_bytes()) for file in task.files]
    return [
        _Data(address(task, file, base), fetch(task, file, offline=offline, base=base), file.part)
        for file in task.files
    ]


def _places(task: Task, path: Path) -> list[tuple[Path, File]]:
    """Return where each of a benchmark's files lies: in a folder of any kind, or the file alone.

    Raises:
        InputError: A file is missing, or it is not clear which one this is.
    """
    if not path.is_dir():
        named = [file for file in task.files if file.name == path.name]
        if not named and len(task.files) > 1:
            raise InputError(
                f"{str(path)!r} is none of {task.name}'s files: give the folder of "
                f"{', '.join(file.name for file in task.files)}"
            )
        return [(path, (named or list(task.files))[0])]
    found = []
    for file in task.files:
        repository = task.repository.rpartition("/")[2]
        tried = [path / file.path, path / file.name]
        tried += [path / repository / file.path, path / repository / file.name]
        place = next((place for place in tried if place.is_file()), None)
        if place is None:
            raise InputError(
                f"{str(path)!r} has neither {file.path!r} nor {file.name!r}, which {task.name} "
                f"needs: see {task.source}"
            )
        found.append((place, file))
    return found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be read: {error.strerror or error}") from None


def _samples(
    pieces: Sequence[_Data], task: str, form: Form, strict: bool
) -> tuple[list[Sample], list[str]]:
    """Return the samples and what was left out."""
    samples: list[Sample] = []
    skipped: list[str] = []
    ids: dict[str, str] = {}
    asked: dict[tuple[str, int | None], str] = {}
    for piece in pieces:
        name = Path(piece.source).name
        for record in records(piece.content, repr(piece.source)):
            place = f"{record.kind} {record.number}"
            place = f"{name}, {place}" if len(pieces) > 1 else place
            try:
                if record.reason:
                    raise ValueError(record.reason)
                read = list(READERS[form](record.found, task, piece.part, record.number))
                for sample in read:
                    _once(sample, place, ids, asked)
                samples += read
            except ValueError as error:
                skipped.append(f"{place}: {error}")
                if strict:
                    raise InputError(f"{piece.source!r}, {skipped[-1]}") from None
    if not samples:
        why = f": {'; '.join(skipped[:_NAMED])}" if skipped else "; it is empty"
        raise InputError(f"{pieces[0].source!r} holds no samples{why}")
    return samples, skipped


def _once(
    sample: Sample, place: str, ids: dict[str, str], asked: dict[tuple[str, int | None], str]
) -> None:
    """See that a sample was not there before.

    Raises:
        ValueError: Its id was, or its prompt with the same length.
    """
    first = asked.get((sample.prompt, sample.length))
    if first is not None:
        raise ValueError(f"the same prompt and length as in {first}")
    if sample.id in ids:
        raise ValueError(f"the same id as in {ids[sample.id]}: {sample.id!r}")
    ids[sample.id] = asked[sample.prompt, sample.length] = place


def _digest(pieces: Sequence[_Data]) -> str:
    digests = [hashlib.sha256(piece.content).hexdigest() for piece in pieces]
    return (
        digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
    )
