"""Files of judgements: a judge's ratings of a file of predictions, written as they arrive.

predictions + a judge -> `Judgement`s, a line each; a text that has one is not judged again

The metadata beside the file names the predictions, so that a report finds them. Knows files; knows
nothing of how a judge is asked, which is in `judge`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

from langchain_core.language_models import BaseChatModel

from longchain.bench import rubric, writers
from longchain.bench.jsonl import read_records
from longchain.bench.judge import judge
from longchain.bench.metadata import RunMetadata, metadata_path, read_metadata
from longchain.bench.predictions import read_predictions
from longchain.bench.record_file import RecordFile
from longchain.bench.schema import Judgement, Prediction
from longchain.errors import InputError


def judge_file(
    source: Path,
    model: BaseChatModel,
    path: Path,
    *,
    prompt: Path | str | None = None,
    temperature: float | None = 0.0,
    repeats: int = 1,
    concurrency: int = 8,
    timeout: float | None = 300.0,
    on_progress: Callable[[Judgement, int, int], None] | None = None,
) -> list[Judgement]:
    """Judge the predictions of a file that have no judgement yet; return all judgements.

    Args:
        source: The file of predictions.
        model: The judge.
        path: The file of judgements; created if it is missing.
        prompt: Another prompt for the judge, as in `ajudge`.
        temperature: Temperature of the judge.
        repeats: Number of times that each text is judged.
        concurrency: Number of requests at a time.
        timeout: Seconds that a request may take.
        on_progress: Called after each text with its judgement, the number of judged texts and the
            number of all.

    Raises:
        InputError: A file cannot be read or written.
        RunError: Another process writes the file, or it has judgements of other texts, by another
            judge or with other settings.
        ModelError: The judge refuses every call; finished judgements are in the file.
    """
    predictions = read_predictions(source).predictions
    template = rubric.load_template(prompt)
    settings = {"prompt_hash": template.hash, "temperature": temperature, "repeats": repeats}
    metadata = _metadata(source, predictions[0].task, model, settings)
    with _JudgementFile(path, metadata, predictions, on_progress) as file:
        if file.pending:
            judge(
                file.pending,
                model,
                prompt=prompt,
                temperature=temperature,
                repeats=repeats,
                concurrency=concurrency,
                timeout=timeout,
                on_progress=file.append,
            )
    return file.judgements


class _JudgementFile:
    """A file of judgements that is being written; use it in a `with` statement.

    Args:
        path: The file; created if it is missing.
        metadata: Metadata of the run that writes.
        predictions: All texts that the file is to have judgements of in the end.
        on_progress: Called after each text with its judgement, the number of judged texts and the
            number of all.
    """

    def __init__(
        self,
        path: Path,
        metadata: RunMetadata,
        predictions: Sequence[Prediction],
        on_progress: Callable[[Judgement, int, int], None] | None,
    ) -> None:
        self.pending: list[Prediction] = []
        """Predictions that have no judgement in the file, in their order."""
        self._predictions = predictions
        self._on_progress = on_progress
        self._judgements: dict[tuple[str, str], Judgement] = {}
        self._records = RecordFile(path, Judgement, metadata, noun="judgement", load=self._load)

    def __enter__(self) -> Self:
        self._records.__enter__()
        self.pending = [each for each in self._predictions if _key(each) not in self._judgements]
        return self

    def __exit__(self, *error: object) -> None:
        self._records.__exit__(*error)

    @property
    def judgements(self) -> list[Judgement]:
        """Judgements of all texts, in the order of the predictions."""
        return [self._judgements[_key(prediction)] for prediction in self._predictions]

    def append(self, judgement: Judgement) -> None:
        """Write a judgement and report it; it survives a crash from then on.

        Raises:
            OSError: The disk is full, or gone.
        """
        self._records.append(judgement)
        self._load(judgement)
        if self._on_progress is not None:
            self._on_progress(judgement, len(self._judgements), len(self._predictions))

    def _load(self, judgement: Judgement) -> bool:
        """Count a judgement that is in the file; True: it stays there."""
        self._judgements[_key(judgement)] = judgement
        return True


def _key(record: Prediction | Judgement) -> tuple[str, str]:
    """Return what identifies a text, and the judgement of it."""
    return record.task, record.id


def _metadata(
    source: Path, task: str, model: BaseChatModel, settings: dict[str, Any]
) -> RunMetadata:
    return RunMetadata(
        task=task,
        source=str(source.resolve()),
        sha256=_hash_file(source),
        model=writers.label(model),
        mode="judge",
        settings=settings,
        versions=writers.package_versions(model),
    )


def read_judgements(path: Path) -> list[Judgement]:
    """Return the judgements of a file.

    Raises:
        InputError: The file cannot be read, or a line is no judgement.
    """
    return read_records(path, Judgement, "judgement")


def read_judged_predictions(path: Path) -> tuple[Path, Sequence[Prediction]]:
    """Return the file of predictions that a file of judgements is about, and its predictions.

    It is searched where it was when it was judged, then beside the judgements.

    Raises:
        InputError: The predictions are in neither place, or have changed.
    """
    metadata = read_metadata(path)
    if metadata is None:
        raise InputError(
            f"{str(path)!r} does not say what it is about, as {metadata_path(path).name} is not "
            "beside it"
        )
    source = Path(metadata.source)
    if not source.exists():
        source = path.with_name(source.name)  # both files were moved
    if not source.exists():
        raise InputError(f"{str(path)!r} is about {metadata.source!r}, which is not there")
    if _hash_file(source) != metadata.sha256:
        raise InputError(
            f"{str(path)!r} is about {str(source)!r}, which has changed since: judge it again"
        )
    return source, read_predictions(source).predictions


def _hash_file(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
