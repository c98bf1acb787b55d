"""Many scores -> their means, counts and intervals, JSON-plain.

`Score`s -> a table: overall, by range of required length, by type, by language

Knows what the paper's tables show; knows no text.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from math import fsum
from typing import Any

from longchain.bench.shapes import Score

RANGES: tuple[tuple[str, int, float], ...] = (
    ("[0, 500)", 0, 500),
    ("[500, 2k)", 500, 2_000),
    ("[2k, 4k)", 2_000, 4_000),
    ("[4k, 20k)", 4_000, float("inf")),
)
"""LongBench-Write's ranges of required length: a name, from, and up to but without.

So its 120 samples fall into 26, 36, 31 and 27, as the paper's table 1 has them; the last one ends
with the benchmark, at 20,000, and holds what is longer.
"""

RESAMPLES = 1_000
_MOST_DRAWS = 2_000_000
"""Of the bootstrap for one group; of 2,000 scores and more, fewer resamples do."""

Values = tuple[float | None, float | None, float | None]
_NAMES = ("s_l", "s_l_published", "s_q")


def summarize(
    scores: Iterable[Score], *, resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, Any]:
    """Return what scores come to; in whatever order they are.

    Args:
        scores: Of one model and one benchmark.
        resamples: Of the bootstrap; 0: no intervals.
        seed: Of the bootstrap.

    Returns:
        Counts: `n`, `empty`, `unmeasured` (no length was required), `unjudged`, and each flag.
        Means, 0 to 100, None where nothing was measured: `s_l`, `s_l_published`, `s_q`, `s` (S̄:
        the mean of S_l and S_q), `s_published`.
        `intervals`: what holds 95 % of the resampled means, by name; `quality`: the judge's
        means by dimension, 0 to 100; `measures`: the means of all others by name; `measured`: of
        how many scores those are.
        `ranges`, `kinds`, `languages`: by name, the same counts, means, intervals and quality.
    """
    every = list(scores)
    measures: defaultdict[str, list[float]] = defaultdict(list)
    for one in every:
        for name, value in one.measures.items():
            measures[name].append(value)

    def groups(key: Callable[[Score], str]) -> dict[str, Any]:
        found: defaultdict[str, list[Score]] = defaultdict(list)
        for one in every:
            found[key(one)].append(one)
        return {name: _group(found[name], resamples, seed) for name in sorted(found) if name}

    ranges = groups(lambda score: range_of(score.required))
    return {
        **_group(every, resamples, seed),
        "measures": {name: _mean(measures[name]) for name in sorted(measures)},
        "measured": {name: len(measures[name]) for name in sorted(measures)},
        "ranges": {name: ranges[name] for name, _, _ in RANGES if name in ranges},
        "kinds": groups(lambda score: score.kind),
        "languages": groups(lambda score: score.language),
    }


def range_of(required: int | None) -> str:
    """Return the name of the range that a required length falls into; empty for none."""
    if required is None:
        return ""
    return next((name for name, low, high in RANGES if low <= required < high), "")


def _group(scores: Sequence[Score], resamples: int, seed: int) -> dict[str, Any]:
    flags = Counter(flag for score in scores for flag in set(score.flags))
    values: list[Values] = sorted(
        ((score.s_l, score.s_l_published, score.s_q) for score in scores), key=_order
    )
    quality: defaultdict[str, list[float]] = defaultdict(list)
    for score in scores:
        for name, value in score.quality.items():
            quality[name].append(value)
    judged, empty = sum(score.s_q is not None for score in scores), flags.pop("empty", 0)
    tried = flags.pop("unjudged", 0) or judged
    return {
        **{flag.replace(" ", "_"): flags[flag] for flag in sorted(flags)},
        "n": len(scores),
        "empty": empty,
        "unmeasured": sum(score.s_l is None for score in scores),
        "unjudged": len(scores) - judged if tried else 0,
        **_means(values),
        "intervals": intervals(values, resamples=resamples, seed=seed),
        "quality": {name: _mean(found) for name, found in quality.items()},
    }


def _order(values: Values) -> tuple[float, ...]:
    return tuple(-1.0 if value is None else value for value in values)


def _means(values: Sequence[Values]) -> dict[str, float | None]:
    found = {name: _mean(row[at] for row in values) for at, name in enumerate(_NAMES)}
    s_l, s_l_published, s_q = (found[name] for name in _NAMES)
    return {**found, "s": _half(s_l, s_q), "s_published": _half(s_l_published, s_q)}


def _mean(values: Iterable[float | None]) -> float | None:
    kept = [value for value in values if value is not None]
    return fsum(kept) / len(kept) if kept else None


def _half(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else (a + b) / 2


def intervals(
    values: Sequence[Values], *, resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, list[float]]:
    """Return the 95 % intervals of the means: percentiles of a bootstrap over samples.

    A sample is drawn with all its scores, so that the interval of S̄ knows how they go together.
    None of fewer than two samples.

    Source: Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 13.
    """
    if len(values) < 2 or resamples < 1:
        return {}
    rng = random.Random(seed)
    times = max(200, min(resamples, _MOST_DRAWS // len(values))) if resamples > 200 else resamples
    found: defaultdict[str, list[float]] = defaultdict(list)
    for _ in range(times):
        for name, mean in _means(rng.choices(values, k=len(values))).items():
            if mean is not None:
                found[name].append(mean)
    return {name: _middle(means) for name, means in found.items()}


def _middle(means: list[float]) -> list[float]:
    means = sorted(means)
    out = round(0.025 * (len(means) - 1))
    return [means[out], means[-1 - out]]
