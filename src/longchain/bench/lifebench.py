"""LIFEBench's measures: required and output length -> Length Deviation, Length Score.

Knows that paper's formulas and its counter; knows nothing else.
"""

from __future__ import annotations

import math
import re

from longchain.bench.schema import Bound

_HAN = re.compile(r"[\u4e00-\u9fff]+")
_WORD = re.compile(r"\b[a-zA-Z0-9'-]+\b")

_TOO_SHORT, _TOO_LONG = 5, 2
"""k1 and k2: how fast the score falls."""

MIN_WORDS = 2
"""Words that a reply must have to be rated."""


def count(text: str) -> int:
    """Return a text's length as LIFEBench counts it: Han characters, and runs of `[A-Za-z0-9'-]`.

    Source: `count_words` in `exp/cache.py` of LIFEBench/LIFEBench.
    """
    return sum(map(len, _HAN.findall(text))) + len(_WORD.findall(text))


def deviation(required: int, output: int) -> float:
    """Return LD, the Length Deviation: (output - required) / required, so -1 for no text.

    Source: arXiv 2505.16234; `calculate_deviation` in `evaluate/evaluate_all_results.py`, there
    in percent.
    """
    return (output - required) / required


def score(required: int, output: int, bound: Bound = "equal") -> float:
    """Return LS, the Length Score, from 0 to 100.

    100 exp(5 LD) for a text that is too short, 100 exp(-2 LD) for one that is too long; with
    `at_most` any shorter text has 100, with `at_least` any longer one.

    The authors leave out a reply of at most one word (`evaluate/filters.py`); here it scores 0, or
    `at_most` would reward silence. LD is the fraction, as in the paper: the published script puts
    percent into the exponent, by which a text that is 10 % too long would have 2e-7.

    Source: arXiv 2505.16234; `exp_asymmetric` in `evaluate/evaluate_all_results.py`.
    """
    if output < MIN_WORDS:
        return 0.0
    relative = deviation(required, output)
    if relative < 0:
        return 100.0 if bound == "at_most" else 100 * math.exp(_TOO_SHORT * relative)
    if relative > 0 and bound == "at_least":
        return 100.0
    return 100 * math.exp(-_TOO_LONG * relative)
