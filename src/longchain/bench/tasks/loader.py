"""The samples of a benchmark, or of any file: a name or a path -> `LoadedTask`.

Knows where data may be; `samples` knows how a record is read, `fetch` how a file is downloaded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from longchain.bench.schema import Sample
from longchain.bench.tasks.catalog import File, Format, Task, find, names
from longchain.bench.tasks.fetch import RAW, fetch, file_url, matches_hash
from longchain.bench.tasks.json_records import JsonRecord, read_records
from longchain.bench.tasks.samples import READERS, sort_samples
from longchain.errors import InputError

_MAX_REASONS = 5
"""Number of reasons that a message lists."""


@dataclass(frozen=True)
class LoadedTask:
    """The samples of a benchmark, and how they were read."""

    samples: list[Sample]
    """Samples in the authors' order, each with an id of its own."""

    skipped: list[str]
    """Records left out: line (and file, if there are several) and reason of each."""

    source: str
    """Path or address; of several files one after the other, with commas."""

    sha256: str
    """Hash of the file; of several, of their SHA-256s in a row."""

    notes: list[str] = field(default_factory=list)
    """Differences from the published data: another content, another number of samples."""


class _Content(NamedTuple):
    """The content of one file."""

    source: str
    data: bytes
    part: str = ""


def load(
    name_or_path: str | Path,
    *,
    path: str | Path | None = None,
    strict: bool = False,
    limit: int | None = None,
    offline: bool = False,
    base: str = RAW,
) -> LoadedTask:
    """Return the samples of a benchmark.

    Args:
        name_or_path: One of `names()`, or a file of JSON lines with `prompt` and `length`.
        path: A benchmark's file, or the folder of its files; None: it is downloaded from its
            authors' repository, once. With a name that is no benchmark's: the task's file.
        strict: Refuse records that cannot be read or are duplicates; otherwise they are skipped.
        limit: Number of samples to return, the first ones; None: all.
        offline: Do not download anything.
        base: Another server than GitHub's.

    Raises:
        InputError: There is no such benchmark or file, it cannot be downloaded, it has another
            hash, or it has no samples; if `strict`, a record cannot be read or is a duplicate.
    """
    if limit is not None and limit < 1:
        raise InputError(f"the limit is {limit}: ask for 1 sample or more")
    name = str(name_or_path)
    if name in names():
        task = find(name)
        contents, notes = _benchmark_contents(task, path, offline, base)
        reader = _Reader(name, task.format)
        samples = reader.read(contents, strict)
        if len(samples) != task.count and len(contents) == len(task.files):
            notes.append(f"{task.name} has {task.count:,} samples, this is {len(samples):,}")
    else:
        file, name = _user_file(name, path)
        contents, notes = [_Content(str(file), _read_bytes(file))], []
        reader = _Reader(name, "plain")
        samples = reader.read(contents, strict)
    return LoadedTask(
        samples=sort_samples(samples, reader.format)[:limit],
        skipped=reader.skipped,
        source=", ".join(content.source for content in contents),
        sha256=_hash(contents),
        notes=notes,
    )


def _user_file(name: str, path: str | Path | None) -> tuple[Path, str]:
    """Return the file and the name of a task that is no benchmark."""
    if path is not None:
        return Path(path).expanduser(), name
    file = Path(name).expanduser()
    if not file.exists() and file.suffix.lower() not in {".jsonl", ".json"}:
        find(name)  # a misspelled name: the error lists those that there are
    return file, file.stem


def _benchmark_contents(
    task: Task, path: str | Path | None, offline: bool, base: str
) -> tuple[list[_Content], list[str]]:
    """Return the content of a benchmark's files, and notes on those that differ."""
    if path is not None:
        return _copied_contents(task, Path(path).expanduser())
    if not task.repository:
        folder = resources.files("longchain.bench") / "data"
        return [_Content(file.name, (folder / file.name).read_bytes()) for file in task.files], []
    contents = []
    for file in task.files:
        data = fetch(task, file, offline=offline, base=base)
        contents.append(_Content(file_url(task, file, base), data, file.part))
    return contents, []


def _copied_contents(task: Task, path: Path) -> tuple[list[_Content], list[str]]:
    """Return the content of a user's copy of a benchmark, and notes on files that differ."""
    contents, notes = [], []
    for place, file in _find_files(task, path):
        data = _read_bytes(place)
        contents.append(_Content(str(place), data, file.part))
        has_hash = file.sha256 or file.blob
        if has_hash and not matches_hash(data, file):
            notes.append(f"{str(place)!r} differs from {file.name!r} of the pinned commit")
    return contents, notes


def _find_files(task: Task, path: Path) -> list[tuple[Path, File]]:
    """Return the places of a benchmark's files: in a folder of any kind, or the file alone.

    Raises:
        InputError: A file is missing, or it is not clear which one this is.
    """
    if path.is_dir():
        return [(_find_in_folder(task, file, path), file) for file in task.files]
    for file in task.files:
        if file.name == path.name:
            return [(path, file)]
    if len(task.files) > 1:
        raise InputError(
            f"{str(path)!r} is none of {task.name}'s files: give the folder of "
            f"{', '.join(file.name for file in task.files)}"
        )
    return [(path, task.files[0])]


def _find_in_folder(task: Task, file: File, folder: Path) -> Path:
    """Return the place of a file: in a checkout, beside one, or loose in the folder."""
    checkout = folder / task.repository.rpartition("/")[2]
    for parent in (folder, checkout):
        for place in (parent / file.path, parent / file.name):
            if place.is_file():
                return place
    raise InputError(
        f"{str(folder)!r} has neither {file.path!r} nor {file.name!r}, which {task.name} "
        f"needs: see {task.source}"
    )


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be read: {error.strerror or error}") from None


class _Reader:
    """Reads samples, and records why records are skipped."""

    def __init__(self, task: str, format: Format) -> None:
        self.task, self.format = task, format
        self.skipped: list[str] = []
        self._places_by_id: dict[str, str] = {}
        self._places_by_prompt: dict[tuple[str, int | None], str] = {}

    def read(self, contents: Sequence[_Content], strict: bool) -> list[Sample]:
        """Return the samples of all files.

        Raises:
            InputError: There are none; or, if `strict`, a record cannot be read.
        """
        samples: list[Sample] = []
        for content in contents:
            prefix = f"{Path(content.source).name}, " if len(contents) > 1 else ""
            for record in read_records(content.data, repr(content.source)):
                place = f"{prefix}{record.kind} {record.number}"
                try:
                    samples += self._read_record(record, content.part, place)
                except ValueError as error:
                    self.skipped.append(f"{place}: {error}")
                    if strict:
                        raise InputError(f"{content.source!r}, {self.skipped[-1]}") from None
        if samples:
            return samples
        reason = "; it is empty"
        if self.skipped:
            reason = f": {'; '.join(self.skipped[:_MAX_REASONS])}"
        raise InputError(f"{contents[0].source!r} holds no samples{reason}")

    def _read_record(self, record: JsonRecord, part: str, place: str) -> list[Sample]:
        """Return the samples of a record.

        Raises:
            ValueError: It cannot be read, or is a duplicate.
        """
        if record.reason:
            raise ValueError(record.reason)
        samples = list(READERS[self.format](record.fields, self.task, part, record.number))
        for sample in samples:
            self._check_unique(sample, place)
        return samples

    def _check_unique(self, sample: Sample, place: str) -> None:
        """Refuse a sample whose id, or whose prompt with the same length, was there before.

        Raises:
            ValueError: It was.
        """
        prompt = sample.prompt, sample.length
        if prompt in self._places_by_prompt:
            raise ValueError(f"the same prompt and length as in {self._places_by_prompt[prompt]}")
        if sample.id in self._places_by_id:
            raise ValueError(f"the same id as in {self._places_by_id[sample.id]}: {sample.id!r}")
        self._places_by_prompt[prompt] = self._places_by_id[sample.id] = place


def _hash(contents: Sequence[_Content]) -> str:
    digests = [hashlib.sha256(content.data).hexdigest() for content in contents]
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("".join(digests).encode()).hexdigest()
