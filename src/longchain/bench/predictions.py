"""A file of predictions: JSON lines, of longchain's own or as LongWriter's scripts write them.

`Prediction`s <-> lines; and lines that others wrote (`prompt`, `type`, `length`, `response`)

`Results` is such a file while it is written: one writer, each sample once, nothing lost by a crash.
Knows files and what was asked; knows nothing of models or scores.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Self, TypeVar

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from longchain import language as languages
from longchain.bench.shapes import Prediction, Sample
from longchain.errors import InputError, RunError
from longchain.length import count_words_reference

Shape = TypeVar("Shape", bound=BaseModel)

_PATIENCE = 0.5
"""Seconds to try for a file's lock."""


class About(BaseModel):
    """What a file's predictions have in common; it stands beside them in `FILE.meta.json`.

    In a file of its own, so that scripts that take every line for a prediction can read the rest.
    """

    model_config = ConfigDict(extra="ignore")  # a later version may say more

    task: str = ""
    source: str = ""
    """Where the samples came from."""

    sha256: str = ""
    """Of the samples' file; empty where there was none."""

    model: str = ""
    way: str = ""
    settings: dict[str, Any] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)
    """Of the programs that wrote last; another version may go on."""

    def changes(self, now: About) -> list[str]:
        """Return what another run would do differently, such as `max_tokens: 100, now 200`."""
        old, new = (_flat(about) for about in (self, now))
        return [
            f"{name}: {old.get(name)!r}, now {new.get(name)!r}"
            for name in dict.fromkeys([*old, *new])
            if old.get(name) != new.get(name)
        ]


def _flat(about: About) -> dict[str, Any]:
    said = json.loads(about.model_dump_json(include={"task", "sha256", "model", "way", "settings"}))
    return {**{key: said[key] for key in said if key != "settings"}, **said["settings"]}


class Read(NamedTuple):
    """What was read of a file."""

    predictions: list[Prediction]
    skipped: list[str]
    """What could not be read, a reason with its line's number each."""


def read_predictions(path: Path, *, strict: bool = False) -> Read:
    """Return the predictions of a file, whoever wrote it.

    A line that has an `id` and a `task` is longchain's own. Any other needs a `prompt` and a
    `response`, as the published `pred.jsonl` has them, with `type` and `length` where they are
    known; its id is its number in the file, its language that of the prompt.

    Args:
        path: The file.
        strict: Refuse lines that cannot be read, which else are skipped and named.

    Raises:
        InputError: The file cannot be read, holds nothing of the kind, or, where strict, a line
            that is none.
    """
    predictions: list[Prediction] = []
    skipped: list[str] = []
    seen: dict[tuple[str, str], int] = {}
    for number, line in lines(path):
        try:
            made = _prediction(line, number, path)
            first = seen.setdefault((made.task, made.id), number)
            if first != number:
                raise ValueError(f"sample {made.id!r} stands in line {first} already")
            predictions.append(made)
        except ValueError as error:
            skipped.append(f"line {number}: {_reason(error)}")
            if strict:
                raise InputError(f"{str(path)!r}, {skipped[-1]}") from None
    if not predictions:
        why = f": {skipped[0]}" if skipped else "; it is empty"
        raise InputError(f"{str(path)!r} holds no predictions{why}")
    return Read(predictions, skipped)


def lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a file that are not blank, each with its number from 1.

    Raises:
        InputError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if number == 1:
                    line = line.removeprefix(b"\xef\xbb\xbf")
                if line.strip():
                    yield number, line
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be read: {error.strerror}") from None


def records(path: Path, shape: type[Shape], name: str) -> list[Shape]:
    """Return what the lines of a file hold.

    Args:
        path: The file.
        shape: What each line is.
        name: What messages call it.

    Raises:
        InputError: The file cannot be read, or a line of it is none.
    """
    found = []
    for number, line in lines(path):
        try:
            found.append(shape.model_validate_json(line))
        except ValidationError as error:
            raise InputError(
                f"{str(path)!r}, line {number}, is no {name} ({_reason(error)})"
            ) from None
    return found


def append(file: BinaryIO, made: BaseModel) -> None:
    """Write one line; when this returns, it is safe from a crash.

    Raises:
        OSError: The disk is full, or gone.
    """
    file.write(made.model_dump_json().encode() + b"\n")
    file.flush()
    os.fsync(file.fileno())


def _prediction(line: bytes, number: int, path: Path) -> Prediction:
    """Return the prediction of a line.

    Raises:
        ValueError: It is none; pydantic's errors are such.
    """
    try:
        found = json.loads(line)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if not isinstance(found, dict):
        raise ValueError("no JSON object")
    if "id" in found and "task" in found:
        return Prediction.model_validate(found)
    prompt, response = found.get("prompt"), found.get("response", 0)
    if not isinstance(prompt, str) or not isinstance(response, str | None):
        raise ValueError("neither a prediction of longchain's nor one with prompt and response")
    length = found.get("length")
    language = languages.detect(prompt)
    known = {"prompt", "response", "length", "type"}
    return Prediction(
        id=f"{number:03d}",
        task=path.stem,
        prompt=prompt,
        length=None if length is None else int(length),
        unit=languages.default_unit(language),
        language=language,
        kind=str(found.get("type") or ""),
        response=response or "",
        # The published scripts write to models/NAME/pred.jsonl.
        model=path.resolve().parent.name if path.stem == "pred" else path.stem,
        extra={key: value for key, value in found.items() if key not in known},
    )


def _reason(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    if isinstance(error, UnicodeDecodeError):
        return "no UTF-8 text"
    return f"no JSON ({error})" if isinstance(error, json.JSONDecodeError) else str(error)


def export_published(predictions: Iterable[Prediction], path: Path) -> int:
    """Write predictions as LongWriter's `pred.jsonl`, for its own scripts; return how many.

    A prediction without a required length is left out, as those scripts divide by it. They also
    stop at an empty response, which is written as it is.

    Raises:
        InputError: The file cannot be written.
    """
    written = [
        {
            "prompt": one.prompt,
            "type": one.kind,
            "length": one.length,
            "response_length": count_words_reference(one.response),
            "response": one.response,
        }
        for one in predictions
        if one.length
    ]
    replace(path, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in written))
    return len(written)


class Results:
    """A file of predictions that is being written; use it in a `with` statement.

    Every prediction is one line, written and synced before the next. What a crash tore off at the
    end is dropped when the file is opened again.

    Args:
        path: The file; it is made where it is missing.
        about: What writes it.
        samples: What is to stand in it.
        force: Go on with a file that other settings began.
        again: Drop the samples that failed, to write them once more.

    Raises:
        RunError: Another process writes the file, or it was begun with other settings.
        InputError: The file cannot be read or written, or samples share an id.
    """

    def __init__(
        self,
        path: Path,
        about: About,
        samples: Sequence[Sample],
        *,
        force: bool = False,
        again: bool = False,
    ) -> None:
        self.path = path
        self.done: dict[str, str] = {}
        """The samples that stand in the file, each with its error."""
        self.left: list[Sample] = []
        """The samples that do not, in their order."""
        self._about, self._samples = about, samples
        self._force, self._again = force, again
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        _check(self._samples)
        with ExitStack() as stack:
            stack.enter_context(held(self.path))
            try:
                self._mend()
                self._compare()
                self._take_stock()
                replace(meta_of(self.path), self._about.model_dump_json(indent=2) + "\n")
                self._file = stack.enter_context(self.path.open("ab"))
                _sync_folder(self.path)
            except OSError as error:
                raise _unwritable(self.path, error) from None
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def append(self, made: Prediction) -> None:
        """Write a prediction; when this returns, it is safe from a crash.

        Raises:
            OSError: The disk is full, or gone.
        """
        append(self._file, made)
        self.done[made.id] = made.error

    def _mend(self) -> None:
        """Drop the half of a line at the end; a whole one only lacks the line's end."""
        if not self.path.exists():
            return
        with self.path.open("r+b") as file:
            data = file.read()
            end = data.rfind(b"\n") + 1
            if end == len(data):
                return
            try:
                Prediction.model_validate_json(data[end:])
                file.write(b"\n")
            except ValidationError:
                file.truncate(end)

    def _compare(self) -> None:
        if self._force or not self.path.exists() or not self.path.stat().st_size:
            return
        try:
            before = About.model_validate_json(meta_of(self.path).read_bytes())
        except (OSError, ValidationError):
            raise RunError(
                f"{str(self.path)!r} was not begun by this command, as "
                f"{meta_of(self.path).name} is not beside it: choose another file, or force it to "
                "be gone on with"
            ) from None
        if changes := before.changes(self._about):
            raise RunError(
                f"{str(self.path)!r} was begun with other settings ({'; '.join(changes)}): choose "
                "another file, the same settings, or force it to be gone on with"
            )

    def _take_stock(self) -> None:
        """See what is done and what is left."""
        prompts = {sample.id: sample.prompt for sample in self._samples}
        kept: list[bytes] = []
        dropped = False
        for number, line in lines(self.path) if self.path.exists() else ():
            try:
                made = Prediction.model_validate_json(line)
            except ValidationError as error:
                raise InputError(
                    f"{str(self.path)!r}, line {number}, is no prediction ({_reason(error)}): "
                    "mend or remove the line"
                ) from None
            if made.prompt != prompts.get(made.id, made.prompt):
                raise RunError(
                    f"sample {made.id!r} of {str(self.path)!r} has another prompt than now: choose "
                    "another file"
                )
            if self._again and made.error:
                dropped = True
                continue
            kept.append(line)
            self.done[made.id] = made.error
        if dropped:
            replace(self.path, b"".join(kept))
        self.left = [sample for sample in self._samples if sample.id not in self.done]


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold a file, so that no other process writes it; its folder is made where it is missing.

    Raises:
        RunError: Another process holds it.
        InputError: It cannot be written.
    """
    lock = FileLock(f"{path}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=_PATIENCE)
    except Timeout:
        raise RunError(
            f"{str(path)!r} is being written by another process: wait for it, or choose another "
            "file"
        ) from None
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        yield
    finally:
        lock.release()


def meta_of(path: Path) -> Path:
    """Return the file beside a file that says how it was made."""
    return path.with_name(f"{path.name}.meta.json")


def _check(samples: Sequence[Sample]) -> None:
    seen: set[str] = set()
    for sample in samples:
        if sample.id in seen:
            raise InputError(f"two samples have the id {sample.id!r}: give each its own")
        seen.add(sample.id)


def replace(path: Path, text: str | bytes) -> None:
    """Write a whole file, or leave the one that is there.

    Raises:
        InputError: It cannot be written.
    """
    data = text.encode() if isinstance(text, str) else text
    beside = path.with_name(f"{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        _sync_folder(path)
    except OSError as error:
        raise _unwritable(path, error) from None


def _sync_folder(path: Path) -> None:
    """Have a file's name survive a power cut, where folders can be synced."""
    if os.name == "nt":
        return
    folder = os.open(path.resolve().parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(f"{str(path)!r} cannot be written: {error.strerror or error}")
