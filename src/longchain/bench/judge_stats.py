"""Statistics of a judge's work: agreement over repeats, bias for length and for order.

`Judgement`s (and `Score`s, for the lengths) -> a JSON-plain dictionary

Knows judgements; knows no model.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

from longchain.bench.agreement import agreement, spearman
from longchain.bench.rubric import DIMENSIONS
from longchain.bench.schema import Judgement, Score

_SETTINGS = ("judge", "prompt_hash", "temperature", "seed")
"""Fields that all judgements of one judge share."""


def describe(judgements: Sequence[Judgement], scores: Iterable[Score] = ()) -> dict[str, Any]:
    """Return how a judge worked and how reliable it was, JSON-plain.

    Args:
        judgements: Judgements of one judge.
        scores: Scores of the same texts, for their lengths.

    Returns:
        `judge`, `prompt_hash`, `temperature`, `seed`; `n`, `scored`, `repaired` and `unscored`
        (task, id and reasons of each); `s_q`, the mean; `agreement` over repeats, by dimension
        and of the mean rating (see `agreement.Agreement`; empty without repeats); `length_bias`,
        Spearman's correlation of S_q with the length, and `order_bias`, with the place in the
        judging order: near 0 if neither plays a part, though long texts may be better.
    """
    description: dict[str, Any] = {}
    if judgements:
        description |= {name: getattr(judgements[0], name) for name in _SETTINGS}
    scored = [judgement for judgement in judgements if judgement.s_q is not None]
    unscored = []
    for judgement in judgements:
        if judgement.unscored:
            reasons = judgement.unscored
            unscored.append({"task": judgement.task, "id": judgement.id, "reasons": reasons})
    description |= {
        "n": len(judgements),
        "scored": len(scored),
        "repaired": sum(judgement.repaired for judgement in judgements),
        "unscored": unscored,
        "s_q": fmean(map(_s_q, scored)) if scored else None,
        "agreement": _agreement_by_dimension(judgements),
        "length_bias": _length_bias(scored, scores),
        "order_bias": _order_bias(scored),
    }
    return description


def _agreement_by_dimension(judgements: Sequence[Judgement]) -> dict[str, dict[str, Any]]:
    """Return the agreement of repeated ratings, by dimension and of their mean."""
    results = {}
    for name in (*DIMENSIONS, "mean"):
        ratings = []
        for judgement in judgements:
            ratings.append([_value(rating, name) for rating in judgement.ratings])
        result = agreement(ratings)
        if result is not None:
            results[name] = result._asdict()
    return results


def _value(rating: Mapping[str, float], name: str) -> float:
    """Return the rating of a dimension, or their `mean`."""
    return fmean(rating.values()) if name == "mean" else rating[name]


def _length_bias(scored: Sequence[Judgement], scores: Iterable[Score]) -> float | None:
    """Return the rank correlation of S_q with the length of the text."""
    length_of = {(score.task, score.id): score.length for score in scores}
    quality, lengths = [], []
    for judgement in scored:
        length = length_of.get((judgement.task, judgement.id))
        # An empty text was not shown to the judge and says nothing about it.
        if judgement.ratings and length is not None:
            quality.append(_s_q(judgement))
            lengths.append(length)
    return spearman(quality, lengths)


def _order_bias(scored: Sequence[Judgement]) -> float | None:
    """Return the rank correlation of S_q with the mean place in the judging order."""
    quality, places = [], []
    for judgement in scored:
        if judgement.ratings and judgement.places:
            quality.append(_s_q(judgement))
            places.append(fmean(judgement.places))
    return spearman(quality, places)


def _s_q(judgement: Judgement) -> float:
    """Return S_q of a judgement that has one."""
    return judgement.s_q or 0.0
