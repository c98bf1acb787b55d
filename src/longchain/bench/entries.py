"""A file of a benchmark -> the `Entry` of a report; scores <-> JSON lines.

predictions, as `bench run` or others wrote them; a judge's judgements; scores -> `Entry`

Knows what stands in which file; knows nothing of how anything is measured.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from longchain.bench.judge import apply
from longchain.bench.judged import predictions_of, read_judgements
from longchain.bench.predictions import (
    About,
    lines,
    meta_of,
    read_predictions,
    records,
    replace,
)
from longchain.bench.report import Entry
from longchain.bench.score import score
from longchain.bench.shapes import Prediction, Score


def about(predictions: Sequence[Prediction], source: Path | None = None) -> About:
    """Return what predictions have in common; what differs between them is left out.

    Args:
        predictions: At least one.
        source: The file that they were read from.
    """
    first = predictions[0]

    def shared(name: str) -> Any:
        value = getattr(first, name)
        return value if all(getattr(one, name) == value for one in predictions) else None

    return About(
        task=shared("task") or "",
        source=str(source or ""),
        model=shared("model") or "",
        way=shared("way") or "",
        settings=shared("settings") or {},
        versions=shared("versions") or {},
    )


def title(made: About) -> str:
    """Return what a report calls it, such as `gpt-5, sequential, open loop`; empty: not known."""
    parts = [made.model, made.way if made.way != "given" else ""]
    if made.settings.get("length_control") is False:
        parts.append("open loop")
    return ", ".join(filter(None, parts))


def write_scores(scores: Sequence[Score], path: Path, made: About) -> None:
    """Write scores as JSON lines, and beside them what the texts were made with.

    Raises:
        InputError: A file cannot be written.
    """
    replace(path, "".join(one.model_dump_json() + "\n" for one in scores))
    replace(meta_of(path), made.model_dump_json(indent=2) + "\n")


def read_scores(path: Path) -> list[Score]:
    """Return the scores of a file.

    Raises:
        InputError: It cannot be read, or a line of it is none.
    """
    return records(path, Score, "score")


def entry(named: str) -> Entry:
    """Return what a report shows of a file.

    Args:
        named: The file's path, or `NAME=PATH`.

    Raises:
        InputError: It cannot be read, or holds neither predictions nor scores.
    """
    name, equals, rest = named.partition("=")
    path = Path(rest if equals else named)
    if equals and Path(named).exists():
        name, path = "", Path(named)
    kind = _kind(path)
    if kind == "scores":
        scores, made = read_scores(path), _known(path)
    elif kind == "judgements":
        place, predictions = predictions_of(path)
        scores = apply([score(one) for one in predictions], read_judgements(path))
        made = _of(place, predictions)
    else:
        predictions = read_predictions(path).predictions
        scores, made = [score(one) for one in predictions], _of(path, predictions)
    return Entry((name if equals else "") or title(made) or path.stem, scores, _plain(made))


def _kind(path: Path) -> Literal["predictions", "scores", "judgements"]:
    """Tell what a file holds by the fields of its first line; what has a prompt is a prediction."""
    for _, line in lines(path):
        try:
            found = json.loads(line)
        except ValueError:
            break
        if isinstance(found, dict) and "prompt" not in found:
            if "ratings" in found:
                return "judgements"
            if "s_l" in found:
                return "scores"
        break
    return "predictions"


def _of(path: Path, predictions: Sequence[Prediction]) -> About:
    """Return what predictions have in common, and where their samples came from."""
    kept = _known(path)
    return about(predictions, Path(kept.source)).model_copy(update={"sha256": kept.sha256})


def _known(path: Path) -> About:
    try:
        return About.model_validate_json(meta_of(path).read_bytes())
    except (OSError, ValidationError):
        return About(source=str(path))


def _plain(made: About) -> dict[str, Any]:
    return {key: value for key, value in made.model_dump().items() if value}
