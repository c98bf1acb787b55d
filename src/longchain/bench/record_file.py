"""A file of records that is written record by record, survives a crash and can be continued.

records -> JSON lines, one for each, and the metadata of the run beside them

Knows locks, crashes and settings; knows nothing of what the records are about.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Generic, Self

from filelock import FileLock, Timeout
from pydantic import ValidationError

from longchain.bench.jsonl import (
    RecordT,
    parse_record,
    read_lines,
    replace_file,
    sync_folder,
    unwritable,
)
from longchain.bench.metadata import RunMetadata, metadata_path, read_metadata, write_metadata
from longchain.errors import RunError

_LOCK_SECONDS = 0.5
"""Seconds to wait for the lock of a file: another writer keeps it for minutes or hours."""


class RecordFile(Generic[RecordT]):
    """A file of records that is being written; use it in a `with` statement.

    Opening locks the file, refuses one that other settings began, repairs its last line and reads
    its records. Each record is written and synced before the next. A file that is refused is not
    changed.

    Args:
        path: The file; created if it is missing.
        schema: Class of the records.
        metadata: Metadata of the run that writes.
        noun: Name of a record in messages, such as `prediction`.
        load: Receives each record that is in the file already; False removes it from there.
        force: Continue a file that was begun with other settings.
        hint: What else a user can do about other settings, for messages.

    Raises:
        RunError: Another process writes the file, or it was begun with other settings.
        InputError: The file cannot be read or written.
    """

    def __init__(
        self,
        path: Path,
        schema: type[RecordT],
        metadata: RunMetadata,
        *,
        noun: str,
        load: Callable[[RecordT], bool],
        force: bool = False,
        hint: str = "",
    ) -> None:
        self.path = path
        self._schema, self._metadata = schema, metadata
        self._noun, self._load = noun, load
        self._force, self._hint = force, hint
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(lock_file(self.path))
            try:
                if self.path.exists() and self.path.stat().st_size:
                    self._compare_metadata()
                    self._repair_last_line()
                    self._load_records()
                write_metadata(self.path, self._metadata)
                self._file = stack.enter_context(self.path.open("ab"))
                sync_folder(self.path)
            except OSError as error:
                raise unwritable(self.path, error) from None
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def append(self, record: RecordT) -> None:
        """Write a record; when this returns, it survives a crash.

        Raises:
            OSError: The disk is full, or gone.
        """
        self._file.write(record.model_dump_json().encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def _compare_metadata(self) -> None:
        if self._force:
            return
        before = read_metadata(self.path)
        if before is None:
            raise RunError(
                f"{str(self.path)!r} was not begun by this command, as "
                f"{metadata_path(self.path).name} is not beside it: choose another file{self._hint}"
            )
        changes = before.changes(self._metadata)
        if changes:
            raise RunError(
                f"{str(self.path)!r} was begun with other settings ({'; '.join(changes)}): choose "
                f"another file or the same settings{self._hint}"
            )

    def _repair_last_line(self) -> None:
        """Remove the part of a line that a crash left; a whole record only lacks its line end."""
        with self.path.open("r+b") as file:
            data = file.read()
            end = data.rfind(b"\n") + 1
            if end == len(data):
                return
            try:
                self._schema.model_validate_json(data[end:])
            except ValidationError:
                file.truncate(end)
            else:
                file.write(b"\n")

    def _load_records(self) -> None:
        lines: list[bytes] = []
        removed = False
        for number, line in read_lines(self.path):
            record = parse_record(self.path, number, line, self._schema, self._noun)
            if self._load(record):
                lines.append(line)
            else:
                removed = True
        if removed:
            replace_file(self.path, b"".join(lines))


@contextmanager
def lock_file(path: Path) -> Iterator[None]:
    """Lock a file, so that no other process writes it; its folder is created if it is missing.

    Raises:
        RunError: Another process has locked it.
        InputError: It cannot be written.
    """
    lock = FileLock(f"{path}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=_LOCK_SECONDS)
    except Timeout:
        raise RunError(
            f"{str(path)!r} is being written by another process: wait for it, or choose another "
            "file"
        ) from None
    except OSError as error:
        raise unwritable(path, error) from None
    try:
        yield
    finally:
        lock.release()
