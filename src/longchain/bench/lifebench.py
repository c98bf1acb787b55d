"""LIFEBench's measures: required and written length -> Length Deviation, Length Score.

Knows that paper's formulas and its counter; knows nothing else.
"""

from __future__ import annotations

import math
import re

from longchain.bench.shapes import Bound

_HAN = re.compile(r"[\u4e00-\u9fff]+")
_WORD = re.compile(r"\b[a-zA-Z0-9'-]+\b")

_TOO_SHORT, _TOO_LONG = 5, 2
"""k1 and k2: how fast the score falls."""

LEAST = 2
"""Words that a reply must have to be rated."""


def count(text: str) -> int:
    """Return a text's length as LIFEBench counts it: Han characters, and runs of `[A-Za-z0-9'-]`.

    Source: `count_words` in `exp/cache.py` of LIFEBench/LIFEBench.
    """
    return sum(map(len, _HAN.findall(text))) + len(_WORD.findall(text))


def deviation(required: int, output: int) -> float:
    """Return LD, the Length Deviation: (output - required) / required, so -1 for nothing.

    Source: arXiv 2505.16234; `calculate_deviation` in `evaluate/evaluate_all_results.py`, there
    in percent.
    """
    return (output - required) / required


def score(required: int, output: int, bound: Bound = "equal") -> float:
    """Return LS, the Length Score, from 0 to 100.

    100 exp(5 LD) where the text is too short, 100 exp(-2 LD) where it is too long; `at_most` has
    100 for any that is shorter, `at_least` for any that is longer.

    A reply of at most one word is left out by the authors (`evaluate/filters.py`); here it scores
    0, or `at_most` would reward silence. LD is the fraction, as in the paper: the published
    script puts percent into the exponent, by which a text that is 10 % too long would have
    2e-7.

    Source: arXiv 2505.16234; `exp_asymmetric` in `evaluate/evaluate_all_results.py`.
    """
    if output < LEAST:
        return 0.0
    off = deviation(required, output)
    if (bound == "at_most" and off < 0) or (bound == "at_least" and off > 0):
        return 100.0
    return 100 * math.exp(_TOO_SHORT * off if off < 0 else -_TOO_LONG * off)
