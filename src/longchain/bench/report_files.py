"""Files of the benchmarks, read for a report: predictions, judgements or scores -> `ScoredRun`.

`Score`s <-> JSON lines, with their metadata beside them

Knows the kinds of files; knows nothing of how anything is measured.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from longchain.bench.jsonl import read_lines, read_records, replace_file
from longchain.bench.judge import apply
from longchain.bench.judgements import read_judged_predictions, read_judgements
from longchain.bench.metadata import RunMetadata, read_metadata, write_metadata
from longchain.bench.predictions import read_predictions
from longchain.bench.report import ScoredRun
from longchain.bench.schema import Prediction, Score
from longchain.bench.score import score


def collect_metadata(predictions: Sequence[Prediction], source: Path | None = None) -> RunMetadata:
    """Return the metadata that predictions share; a field that differs between them is empty.

    Args:
        predictions: At least one.
        source: The file that they were read from.
    """
    return RunMetadata(
        task=_common_value(predictions, "task") or "",
        source=str(source or ""),
        model=_common_value(predictions, "model") or "",
        mode=_common_value(predictions, "mode") or "",
        settings=_common_value(predictions, "settings") or {},
        versions=_common_value(predictions, "versions") or {},
    )


def _common_value(predictions: Sequence[Prediction], field: str) -> Any:
    """Return the value of a field that all predictions share; None if they differ."""
    value = getattr(predictions[0], field)
    for prediction in predictions:
        if getattr(prediction, field) != value:
            return None
    return value


def format_name(metadata: RunMetadata) -> str:
    """Return a name for a report, such as `gpt-5, sequential, open loop`; empty if unknown."""
    parts = [metadata.model]
    if metadata.mode != "given":
        parts.append(metadata.mode)
    if metadata.settings.get("length_control") is False:
        parts.append("open loop")
    return ", ".join(filter(None, parts))


def write_scores(scores: Sequence[Score], path: Path, metadata: RunMetadata) -> None:
    """Write scores as JSON lines, and the metadata of the texts beside them.

    Raises:
        InputError: A file cannot be written.
    """
    replace_file(path, "".join(one.model_dump_json() + "\n" for one in scores))
    write_metadata(path, metadata)


def read_scores(path: Path) -> list[Score]:
    """Return the scores of a file.

    Raises:
        InputError: The file cannot be read, or a line is no score.
    """
    return read_records(path, Score, "score")


def load(argument: str) -> ScoredRun:
    """Return the scores of a file, with a name and the metadata for a report.

    Args:
        argument: Path of the file, or `NAME=PATH`.

    Raises:
        InputError: The file cannot be read, or has none of them.
    """
    name, path = _split_name(argument)
    match _detect_content(path):
        case "scores":
            scores, metadata = read_scores(path), _metadata_of(path)
        case "judgements":
            source, predictions = read_judged_predictions(path)
            scores = apply([score(each) for each in predictions], read_judgements(path))
            metadata = _predictions_metadata(source, predictions)
        case "predictions":
            predictions = read_predictions(path).predictions
            scores = [score(each) for each in predictions]
            metadata = _predictions_metadata(path, predictions)
    return ScoredRun(
        name=name or format_name(metadata) or path.stem,
        scores=scores,
        about={key: value for key, value in metadata.model_dump().items() if value},
    )


def _split_name(argument: str) -> tuple[str, Path]:
    """Return name and path of `NAME=PATH`; no name for a path, also one with an equals sign."""
    name, equals, rest = argument.partition("=")
    if not equals or Path(argument).exists():
        return "", Path(argument)
    return name, Path(rest)


def _detect_content(path: Path) -> Literal["predictions", "scores", "judgements"]:
    """Return the kind of records in a file, by the fields of the first one."""
    _, line = next(read_lines(path), (0, b""))
    try:
        fields = json.loads(line)
    except ValueError:
        return "predictions"
    if not isinstance(fields, dict) or "prompt" in fields:
        return "predictions"
    if "ratings" in fields:
        return "judgements"
    return "scores" if "s_l" in fields else "predictions"


def _predictions_metadata(path: Path, predictions: Sequence[Prediction]) -> RunMetadata:
    """Return the metadata that predictions share, and the source of their samples."""
    stored = _metadata_of(path)
    metadata = collect_metadata(predictions, Path(stored.source))
    return metadata.model_copy(update={"sha256": stored.sha256})


def _metadata_of(path: Path) -> RunMetadata:
    return read_metadata(path) or RunMetadata(source=str(path))
