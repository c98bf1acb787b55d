"""A file of judgements: what a judge said of a file of predictions, kept as it is said.

predictions + a model -> `Judgement`s, a line each; a text that has one is not judged again

What stands beside it in `FILE.meta.json` names the predictions, so that a report finds them.
Knows files; how one judges stands in `judge`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from langchain_core.language_models import BaseChatModel
from pydantic import ValidationError

from longchain.bench import rubric
from longchain.bench.judge import Judgement, judge
from longchain.bench.predictions import (
    About,
    append,
    held,
    meta_of,
    read_predictions,
    records,
    replace,
)
from longchain.bench.shapes import Prediction
from longchain.bench.writers import label, versions
from longchain.errors import InputError, RunError


def judged(
    source: Path,
    model: BaseChatModel,
    path: Path,
    *,
    prompt: Path | str | None = None,
    temperature: float | None = 0.0,
    repeats: int = 1,
    concurrency: int = 8,
    timeout: float | None = 300.0,
    tell: Callable[[Judgement, int, int], None] | None = None,
) -> list[Judgement]:
    """Judge the predictions of a file that have no judgement yet; return all judgements.

    Args:
        source: The file of predictions.
        model: The judge.
        path: The file of judgements; it is made where it is missing.
        prompt: As for `ajudge`, and so what follows.
        temperature: Of the judge.
        repeats: How often each text is judged.
        concurrency: Requests at once.
        timeout: Seconds that a request may take.
        tell: Called after each text, with how many are done and how many there are.

    Raises:
        InputError: A file cannot be read or written.
        RunError: Another process writes the file, or it is about other texts, by another judge,
            or asked otherwise.
        ModelError: The judge refuses everybody; what it has said is kept.
    """
    predictions = read_predictions(source).predictions
    about = About(
        task=predictions[0].task,
        source=str(source.resolve()),
        sha256=hashlib.sha256(source.read_bytes()).hexdigest(),
        model=label(model),
        way="judge",
        settings={
            "prompt_hash": rubric.template(prompt).hash,
            "temperature": temperature,
            "repeats": repeats,
        },
        versions=versions(model),
    )
    with held(path):
        found = _kept(path, about)
        replace(meta_of(path), about.model_dump_json(indent=2) + "\n")
        left = [one for one in predictions if (one.task, one.id) not in found]
        with path.open("ab") as file:

            def keep(made: Judgement) -> None:
                append(file, made)
                found[made.task, made.id] = made
                if tell is not None:
                    tell(made, len(found), len(predictions))

            if left:
                judge(
                    left,
                    model,
                    prompt=prompt,
                    temperature=temperature,
                    repeats=repeats,
                    concurrency=concurrency,
                    timeout=timeout,
                    tell=keep,
                )
    return [found[one.task, one.id] for one in predictions]


def _kept(path: Path, about: About) -> dict[tuple[str, str], Judgement]:
    """Return the judgements that the file holds, without what a crash tore off at its end."""
    if not path.exists() or not path.stat().st_size:
        return {}
    try:
        before = About.model_validate_json(meta_of(path).read_bytes())
    except (OSError, ValidationError):
        raise RunError(
            f"{str(path)!r} was not begun by this command, as {meta_of(path).name} is not beside "
            "it: choose another file"
        ) from None
    if changes := before.changes(about):
        raise RunError(
            f"{str(path)!r} was begun otherwise ({'; '.join(changes)}): choose another file"
        )
    data = path.read_bytes()
    if not data.endswith(b"\n"):
        replace(path, data[: data.rfind(b"\n") + 1])
    return {(one.task, one.id): one for one in read_judgements(path)}


def read_judgements(path: Path) -> list[Judgement]:
    """Return the judgements of a file.

    Raises:
        InputError: It cannot be read, or a line of it is none.
    """
    return records(path, Judgement, "judgement")


def predictions_of(path: Path) -> tuple[Path, Sequence[Prediction]]:
    """Return the predictions that a file of judgements is about, and where they stand.

    Raises:
        InputError: They are not where they were, or have changed.
    """
    try:
        about = About.model_validate_json(meta_of(path).read_bytes())
    except (OSError, ValidationError):
        raise InputError(
            f"{str(path)!r} does not say what it is about, as {meta_of(path).name} is not beside it"
        ) from None
    source = Path(about.source)
    places = [source, path.with_name(source.name)]  # where it was, or moved along
    place = next((place for place in places if place.exists()), None)
    if place is None:
        raise InputError(f"{str(path)!r} is about {about.source!r}, which is not there")
    if hashlib.sha256(place.read_bytes()).hexdigest() != about.sha256:
        raise InputError(
            f"{str(path)!r} is about {str(place)!r}, which has changed since: judge it anew"
        )
    return place, read_predictions(place).predictions
