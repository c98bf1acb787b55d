"""Files of predictions: JSON lines, of longchain or as LongWriter's scripts write them.

`Prediction`s <-> lines; and lines of others (`prompt`, `type`, `length`, `response`)

`PredictionFile` is such a file while it is written. Knows files and samples; knows nothing of
models or scores.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple, Self

from longchain import language as languages
from longchain.bench.jsonl import explain_error, read_lines, replace_file
from longchain.bench.metadata import RunMetadata
from longchain.bench.record_file import RecordFile
from longchain.bench.schema import Prediction, Sample
from longchain.errors import InputError, RunError
from longchain.length import count_words_reference

_PUBLISHED_FIELDS = {"prompt", "response", "length", "type"}


class LoadedPredictions(NamedTuple):
    """The predictions of a file."""

    predictions: list[Prediction]
    skipped: list[str]
    """Lines that could not be read: number and reason of each."""


def read_predictions(path: Path, *, strict: bool = False) -> LoadedPredictions:
    """Return the predictions of a file, of longchain or of the published scripts.

    A line with an `id` and a `task` is longchain's. Any other needs a `prompt` and a `response`,
    as in the published `pred.jsonl`, and may have `type` and `length`; its id is its number in
    the file, its language that of the prompt.

    Args:
        path: The file.
        strict: Refuse lines that cannot be read; otherwise they are skipped and listed.

    Raises:
        InputError: The file cannot be read or has no predictions; or, if `strict`, a line is
            none.
    """
    predictions: list[Prediction] = []
    skipped: list[str] = []
    line_of: dict[tuple[str, str], int] = {}
    for number, line in read_lines(path):
        try:
            prediction = _parse_line(line, number, path)
            first = line_of.setdefault((prediction.task, prediction.id), number)
            if first != number:
                raise ValueError(f"sample {prediction.id!r} is already in line {first}")
        except ValueError as error:
            skipped.append(f"line {number}: {explain_error(error)}")
            if strict:
                raise InputError(f"{str(path)!r}, {skipped[-1]}") from None
        else:
            predictions.append(prediction)
    if predictions:
        return LoadedPredictions(predictions, skipped)
    reason = f": {skipped[0]}" if skipped else "; it is empty"
    raise InputError(f"{str(path)!r} holds no predictions{reason}")


def _parse_line(line: bytes, number: int, path: Path) -> Prediction:
    """Return the prediction in a line.

    Raises:
        ValueError: There is none; errors of pydantic and of `json` are such.
    """
    try:
        fields = json.loads(line)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if not isinstance(fields, dict):
        raise ValueError("no JSON object")
    if "id" in fields and "task" in fields:
        return Prediction.model_validate(fields)
    return _parse_published(fields, number, path)


def _parse_published(fields: dict[str, Any], number: int, path: Path) -> Prediction:
    """Return the prediction in a line of the published scripts.

    Raises:
        ValueError: It lacks a prompt or a response, or its length is no number.
    """
    prompt = fields.get("prompt")
    response = fields.get("response", 0)  # null is a response that failed, nothing is none
    if not isinstance(prompt, str) or not isinstance(response, str | None):
        raise ValueError("neither a prediction of longchain's nor one with prompt and response")
    length = fields.get("length")
    if length is not None:
        length = int(length)
    # The published scripts write to models/NAME/pred.jsonl.
    model = path.stem
    if model == "pred":
        model = path.resolve().parent.name
    language = languages.detect(prompt)
    return Prediction(
        id=f"{number:03d}",
        task=path.stem,
        prompt=prompt,
        length=length,
        unit=languages.default_unit(language),
        language=language,
        kind=str(fields.get("type") or ""),
        response=response or "",
        model=model,
        extra={key: value for key, value in fields.items() if key not in _PUBLISHED_FIELDS},
    )


def export_published(predictions: Iterable[Prediction], path: Path) -> int:
    """Write predictions as LongWriter's `pred.jsonl`, for its own scripts; return their number.

    A prediction without a required length is left out, as those scripts divide by it. They also
    stop at an empty response, which is written as it is.

    Raises:
        InputError: The file cannot be written.
    """
    lines = []
    for prediction in predictions:
        if not prediction.length:
            continue
        fields = {
            "prompt": prediction.prompt,
            "type": prediction.kind,
            "length": prediction.length,
            "response_length": count_words_reference(prediction.response),
            "response": prediction.response,
        }
        lines.append(json.dumps(fields, ensure_ascii=False) + "\n")
    replace_file(path, "".join(lines))
    return len(lines)


class PredictionFile:
    """A file of predictions that is being written; use it in a `with` statement.

    Args:
        path: The file; created if it is missing.
        metadata: Metadata of the run that writes.
        samples: All samples that the file is to have in the end.
        force: Continue a file that was begun with other settings.
        retry_failed: Remove the samples that failed, to write them again.

    Raises:
        RunError: Another process writes the file, it was begun with other settings, or a sample
            has another prompt than before.
        InputError: The file cannot be read or written, or samples share an id.
    """

    def __init__(
        self,
        path: Path,
        metadata: RunMetadata,
        samples: Sequence[Sample],
        *,
        force: bool = False,
        retry_failed: bool = False,
    ) -> None:
        self.path = path
        self.errors: dict[str, str] = {}
        """Error of each sample in the file, by its id; empty for one that has a text."""
        self.pending: list[Sample] = []
        """Samples that are not in the file, in their order."""
        self._samples = samples
        self._retry_failed = retry_failed
        self._prompts = {sample.id: sample.prompt for sample in samples}
        self._records = RecordFile(
            path,
            Prediction,
            metadata,
            noun="prediction",
            load=self._load,
            force=force,
            hint=", or force it to be continued",
        )
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        _check_unique_ids(self._samples)
        self._stack.enter_context(self._records)
        self.pending = [sample for sample in self._samples if sample.id not in self.errors]
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def failed(self) -> int:
        """Number of samples in the file that have no text."""
        return sum(bool(error) for error in self.errors.values())

    def append(self, prediction: Prediction) -> None:
        """Write a prediction; when this returns, it survives a crash.

        Raises:
            OSError: The disk is full, or gone.
        """
        self._records.append(prediction)
        self.errors[prediction.id] = prediction.error

    def _load(self, prediction: Prediction) -> bool:
        """Count a prediction that is in the file; False: it failed and is to be written again."""
        prompt = self._prompts.get(prediction.id, prediction.prompt)
        if prediction.prompt != prompt:
            raise RunError(
                f"sample {prediction.id!r} of {str(self.path)!r} has another prompt than now: "
                "choose another file"
            )
        if self._retry_failed and prediction.error:
            return False
        self.errors[prediction.id] = prediction.error
        return True


def _check_unique_ids(samples: Sequence[Sample]) -> None:
    seen: set[str] = set()
    for sample in samples:
        if sample.id in seen:
            raise InputError(f"two samples have the id {sample.id!r}: give each its own")
        seen.add(sample.id)
