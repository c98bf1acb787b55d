"""A prediction -> its `Score`: what the benchmarks measure without a judge.

S_l by the published counter and by the right one, LIFEBench's score, repetition, diversity,
structure. Pure functions: no model, no network, no file. What each measure means stands where it
is made: `diversity`, `lifebench`, `structure`; what many come to, in `summary`.
"""

from __future__ import annotations

from longchain.bench import diversity, lifebench, structure
from longchain.bench.shapes import Prediction, Score
from longchain.bench.summary import summarize
from longchain.length import count_length, count_words_reference, length_score
from longchain.prose.repetition import duplicate_sentences, overlap, rep_n

__all__ = ["duplicate_sentences", "length_score", "overlap", "rep_n", "score", "summarize"]


def score(prediction: Prediction, *, light: bool = False) -> Score:
    """Return how well a text did.

    An empty one, or one without a letter or digit, scores 0 and has the flag `empty`; `failed`
    where an error says why. No text makes it fail.

    Args:
        prediction: The text and what was asked.
        light: S_l only.

    Returns:
        S_l and S_l by the published counter, where a length was required, and, unless light, all
        measures: `deviation` (output over required, minus 1); `lifebench_length`,
        `lifebench_deviation` (a fraction) and `lifebench_score` (0 to 100); those of `diversity`
        and `structure`.
    """
    text, required = prediction.response, prediction.length or None
    length = count_length(text, prediction.unit, prediction.language)
    published = count_words_reference(text)
    made = Score(
        id=prediction.id,
        task=prediction.task,
        language=prediction.language,
        kind=prediction.kind,
        required=required,
        unit=prediction.unit,
        bound=prediction.bound,
        length=length,
        length_published=published,
        s_l=length_score(required, length) if required else None,
        s_l_published=length_score(required, published) if required else None,
    )
    empty = not any(map(str.isalnum, text))
    made.flags = ["empty"] * empty + ["failed"] * bool(prediction.error)
    if light:
        return made
    if required:
        counted = lifebench.count(text)
        made.measures = {
            "deviation": length / required - 1,
            "lifebench_length": float(counted),
            "lifebench_deviation": lifebench.deviation(required, counted),
            "lifebench_score": lifebench.score(required, counted, prediction.bound),
        }
    if empty:
        nothing = structure.completion("", {**prediction.extra, "prefix": ""})
        made.measures |= nothing
        return made
    made.measures |= diversity.measures(text, prediction.language)
    found, flags = structure.measures(prediction)
    made.measures |= found
    made.flags += flags
    return made
