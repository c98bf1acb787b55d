"""Files of judgements: a judge's ratings of a file of predictions, written as they arrive.

predictions + a judge -> `Judgement`s, a line each; a text that has one is not judged again

The metadata beside the file names the predictions, so that a report finds them. Knows files; knows
nothing of how a judge is asked, which is in `judge`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

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
    settings = {
        "prompt_hash": rubric.load_template(prompt).hash,
        "temperature": temperature,
        "repeats": repeats,
    }
    metadata = _metadata(source, predictions[0].task, model, settings)
    judgements: dict[tuple[str, str], Judgement] = {}

    def load(judgement: Judgement) -> bool:
        judgements[judgement.task, judgement.id] = judgement
        return True

    with RecordFile(path, Judgement, metadata, noun="judgement", load=load) as file:

        def store(judgement: Judgement) -> None:
            file.append(judgement)
            load(judgement)
            if on_progress is not None:
                on_progress(judgement, len(judgements), len(predictions))

        pending = [each for each in predictions if (each.task, each.id) not in judgements]
        if pending:
            judge(
                pending,
                model,
                prompt=prompt,
                temperature=temperature,
                repeats=repeats,
                concurrency=concurrency,
                timeout=timeout,
                on_progress=store,
            )
    return [judgements[each.task, each.id] for each in predictions]


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
