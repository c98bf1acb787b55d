"""Numbers side by side -> how far they agree, and whether one goes with the other.

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
    """How far several ratings of each text agree."""

    texts: int
    """With two ratings or more."""

    exact: float
    """The share of pairs of ratings of one text that are equal."""

    difference: float
    """The mean distance of such a pair."""

    alpha: float | None
    """Krippendorff's alpha for an interval scale: 1 is perfect, 0 is chance; None where all
    ratings are the same, of which nothing can be told."""


def agreement(ratings: Iterable[Sequence[float]]) -> Agreement | None:
    """Return the agreement over texts, each with its ratings; None where none has two.

    Alpha is 1 - Do / De: the mean squared distance of ratings of one text, each text weighed by
    its ratings, over that of all ratings.

    Source: Krippendorff 2004, Content Analysis, chapter 11; Hayes and Krippendorff 2007,
    Communication Methods and Measures 1, 77-89.
    """
    units = [list(values) for values in ratings if len(values) > 1]
    if not units:
        return None
    pairs = [(a, b) for values in units for a, b in combinations(values, 2)]
    counts = Counter(value for values in units for value in values)
    total = counts.total()
    within = sum(
        2 * sum((a - b) ** 2 for a, b in combinations(values, 2)) / (len(values) - 1)
        for values in units
    )
    among = 2 * sum(counts[a] * counts[b] * (a - b) ** 2 for a, b in combinations(counts, 2))
    return Agreement(
        texts=len(units),
        exact=sum(a == b for a, b in pairs) / len(pairs),
        difference=sum(abs(a - b) for a, b in pairs) / len(pairs),
        alpha=1 - (total - 1) * within / among if among else None,
    )


def spearman(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Return the rank correlation, -1 to 1; None of fewer than three pairs or of a constant.

    Pearson's correlation of the ranks, equal values sharing their mean rank (Spearman 1904).
    """
    if len(a) != len(b) or len(a) < 3:
        return None
    x, y = _ranks(a), _ranks(b)
    middle = (len(a) + 1) / 2
    both = sum((i - middle) * (j - middle) for i, j in zip(x, y, strict=True))
    spread = sqrt(sum((i - middle) ** 2 for i in x) * sum((j - middle) ** 2 for j in y))
    return both / spread if spread else None


def _ranks(values: Sequence[float]) -> list[float]:
    places: dict[float, list[int]] = {}
    for place, value in enumerate(sorted(values), 1):
        places.setdefault(value, []).append(place)
    return [sum(places[value]) / len(places[value]) for value in values]
