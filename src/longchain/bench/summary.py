"""Summaries of many scores: means, counts and confidence intervals, JSON-plain.

`Score`s -> a table: overall, by range of required length, by type, by language

Knows what the paper's tables show; knows no text.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import fsum
from typing import Any

from longchain.bench.schema import Score

RANGES: tuple[tuple[str, int, float], ...] = (
    ("[0, 500)", 0, 500),
    ("[500, 2k)", 500, 2_000),
    ("[2k, 4k)", 2_000, 4_000),
    ("[4k, 20k)", 4_000, float("inf")),
)
"""LongBench-Write's ranges of required length: name, lower bound, upper bound (excluded).

So its 120 samples fall into 26, 36, 31 and 27, as in the paper's table 1; the last one ends with
the benchmark, at 20,000, and also takes what is longer.
"""

RESAMPLES = 1_000
_MIN_RESAMPLES = 200
_MAX_DRAWS = 2_000_000
"""Draws of the bootstrap for one group: for more than 2,000 scores, fewer resamples are enough."""

Values = tuple[float | None, float | None, float | None]
"""S_l, S_l by the published counter, and S_q of one sample."""

_NAMES = ("s_l", "s_l_published", "s_q")


def summarize(
    scores: Iterable[Score], *, resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, Any]:
    """Summarize scores; their order does not matter.

    Args:
        scores: Scores of one model and one benchmark.
        resamples: Number of resamples of the bootstrap; 0: no intervals.
        seed: Seed of the bootstrap.

    Returns:
        Counts: `n`, `empty`, `unmeasured` (no length was required), `unjudged`, and each flag.
        Means, 0 to 100, None if nothing was measured: `s_l`, `s_l_published`, `s_q`, `s` (S̄:
        the mean of S_l and S_q), `s_published`.
        `intervals`: the middle 95 % of the resampled means, by name; `quality`: the judge's
        means by dimension, 0 to 100; `measures`: the means of all others by name; `measured`:
        the number of scores that these are of.
        `ranges`, `kinds`, `languages`: by name, the same counts, means, intervals and quality.
    """
    scores = list(scores)

    def group(key: Callable[[Score], str]) -> dict[str, Any]:
        return _summarize_groups(scores, key, resamples, seed)

    measures = _collect(score.measures for score in scores)
    ranges = group(lambda score: range_of(score.required))
    return {
        **_summarize_group(scores, resamples, seed),
        "measures": {name: _mean(measures[name]) for name in sorted(measures)},
        "measured": {name: len(measures[name]) for name in sorted(measures)},
        "ranges": {name: ranges[name] for name, _, _ in RANGES if name in ranges},
        "kinds": group(lambda score: score.kind),
        "languages": group(lambda score: score.language),
    }


def range_of(required: int | None) -> str:
    """Return the name of the range that a required length falls into; empty for none."""
    if required is None:
        return ""
    for name, low, high in RANGES:
        if low <= required < high:
            return name
    return ""


def _collect(dictionaries: Iterable[Mapping[str, float]]) -> dict[str, list[float]]:
    """Return all values of each name."""
    values: defaultdict[str, list[float]] = defaultdict(list)
    for dictionary in dictionaries:
        for name, value in dictionary.items():
            values[name].append(value)
    return values


def _summarize_groups(
    scores: Sequence[Score], key: Callable[[Score], str], resamples: int, seed: int
) -> dict[str, Any]:
    """Return the summary of each group of scores that share a key, in the order of the keys."""
    groups: defaultdict[str, list[Score]] = defaultdict(list)
    for score in scores:
        groups[key(score)].append(score)
    groups.pop("", None)  # scores without a type or a required length
    return {name: _summarize_group(groups[name], resamples, seed) for name in sorted(groups)}


def _summarize_group(scores: Sequence[Score], resamples: int, seed: int) -> dict[str, Any]:
    """Return counts, means, intervals and quality of some scores."""
    flags = Counter(flag for score in scores for flag in set(score.flags))
    empty, unscored = flags.pop("empty", 0), flags.pop("unjudged", 0)
    judged = sum(score.s_q is not None for score in scores)
    # Sorted, so that the bootstrap draws the same in whatever order the scores come.
    values: list[Values] = [(score.s_l, score.s_l_published, score.s_q) for score in scores]
    values.sort(key=_sort_key)
    quality = _collect(score.quality for score in scores)
    return {
        **{flag.replace(" ", "_"): flags[flag] for flag in sorted(flags)},
        "n": len(scores),
        "empty": empty,
        "unmeasured": sum(score.s_l is None for score in scores),
        # Without any judgement there was no judge, and nothing is missing.
        "unjudged": len(scores) - judged if unscored or judged else 0,
        **_means(values),
        "intervals": intervals(values, resamples=resamples, seed=seed),
        "quality": {name: _mean(ratings) for name, ratings in quality.items()},
    }


def _sort_key(values: Values) -> tuple[float, ...]:
    return tuple(-1.0 if value is None else value for value in values)


def _means(values: Sequence[Values]) -> dict[str, float | None]:
    """Return the means of S_l, S_l by the published counter and S_q, and both S̄."""
    means = {name: _mean(row[column] for row in values) for column, name in enumerate(_NAMES)}
    means["s"] = _mean_of_two(means["s_l"], means["s_q"])
    means["s_published"] = _mean_of_two(means["s_l_published"], means["s_q"])
    return means


def _mean(values: Iterable[float | None]) -> float | None:
    """Return the mean of the values that are not None; None if there are none."""
    numbers = [value for value in values if value is not None]
    return fsum(numbers) / len(numbers) if numbers else None


def _mean_of_two(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else (a + b) / 2


def intervals(
    values: Sequence[Values], *, resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, list[float]]:
    """Return the 95 % intervals of the means: percentiles of a bootstrap over samples.

    A sample is drawn with all its scores, so that the interval of S̄ respects their correlation.
    There is none of fewer than two samples.

    Source: Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 13.
    """
    if len(values) < 2 or resamples < 1:
        return {}
    if resamples > _MIN_RESAMPLES:
        resamples = max(_MIN_RESAMPLES, min(resamples, _MAX_DRAWS // len(values)))
    rng = random.Random(seed)
    means: defaultdict[str, list[float]] = defaultdict(list)
    for _ in range(resamples):
        resample = rng.choices(values, k=len(values))
        for name, mean in _means(resample).items():
            if mean is not None:
                means[name].append(mean)
    return {name: _middle_95(resampled) for name, resampled in means.items()}


def _middle_95(means: list[float]) -> list[float]:
    """Return the two ends of the middle 95 %."""
    means = sorted(means)
    outside = round(0.025 * (len(means) - 1))
    return [means[outside], means[-1 - outside]]
