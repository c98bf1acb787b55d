"""Agreement of ratings and correlation of ranks.

Ratings of the same texts -> exact agreement, difference, Krippendorff's alpha; pairs -> Spearman's
rank correlation. Knows numbers only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import combinations
from math import sqrt
from typing import NamedTuple


class Agreement(NamedTuple):
    """Agreement of several ratings of each text."""

    texts: int
    """Number of texts with two ratings or more."""

    exact: float
    """Share of pairs of ratings of one text that are equal."""

    difference: float
    """Mean distance of such a pair."""

    alpha: float | None
    """Krippendorff's alpha for an interval scale: 1 is perfect, 0 is chance; None if all ratings
    are the same, which leaves it undefined."""


def agreement(ratings: Iterable[Sequence[float]]) -> Agreement | None:
    """Return the agreement over texts, each with its ratings; None if no text has two.

    Alpha is 1 - Do / De: the mean squared distance of ratings of one text, each text weighted by
    its number of ratings, over that of all ratings.

    Source: Krippendorff 2004, Content Analysis, chapter 11; Hayes and Krippendorff 2007,
    Communication Methods and Measures 1, 77-89.
    """
    texts = [list(values) for values in ratings if len(values) > 1]
    if not texts:
        return None
    pairs: list[tuple[float, float]] = []
    for values in texts:
        pairs += combinations(values, 2)
    return Agreement(
        texts=len(texts),
        exact=sum(a == b for a, b in pairs) / len(pairs),
        difference=sum(abs(a - b) for a, b in pairs) / len(pairs),
        alpha=_alpha(texts),
    )


def _alpha(texts: Sequence[Sequence[float]]) -> float | None:
    """Return Krippendorff's alpha; None if all ratings are the same."""
    counts: Counter[float] = Counter()
    for values in texts:
        counts.update(values)
    expected = 2 * sum(counts[a] * counts[b] * (a - b) ** 2 for a, b in combinations(counts, 2))
    if not expected:
        return None
    observed = sum(map(_disagreement, texts))
    return 1 - (counts.total() - 1) * observed / expected


def _disagreement(values: Sequence[float]) -> float:
    """Return the squared distances of the ratings of one text, weighted by their number."""
    squares = sum((a - b) ** 2 for a, b in combinations(values, 2))
    return 2 * squares / (len(values) - 1)


def spearman(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Return the rank correlation, -1 to 1; None of fewer than three pairs or of a constant.

    Pearson's correlation of the ranks, where equal values share their mean rank (Spearman 1904).
    """
    if len(a) != len(b) or len(a) < 3:
        return None
    x, y = _ranks(a), _ranks(b)
    mean = (len(a) + 1) / 2
    covariance = sum((i - mean) * (j - mean) for i, j in zip(x, y, strict=True))
    spread = sqrt(sum((i - mean) ** 2 for i in x) * sum((j - mean) ** 2 for j in y))
    return covariance / spread if spread else None


def _ranks(values: Sequence[float]) -> list[float]:
    """Return the rank of each value from 1; equal values share the mean of their ranks."""
    places: dict[float, list[int]] = {}
    for place, value in enumerate(sorted(values), 1):
        places.setdefault(value, []).append(place)
    return [sum(places[value]) / len(places[value]) for value in values]
