"""The scores of a prediction that need no judge: `Prediction` -> `Score`.

S_l by the published counter and by longchain's, LIFEBench's score, repetition, diversity,
structure. Pure functions: no model, no network, no file. `diversity`, `lifebench` and `structure`
say what each measure means; `summary` has the means of many scores.
"""

from __future__ import annotations

from longchain.bench import diversity, lifebench, structure
from longchain.bench.schema import Prediction, Score
from longchain.bench.summary import summarize
from longchain.length import count_length, count_words_reference, length_score
from longchain.prose.repetition import duplicate_sentences, overlap, rep_n

__all__ = ["duplicate_sentences", "length_score", "overlap", "rep_n", "score", "summarize"]


def score(prediction: Prediction, *, light: bool = False) -> Score:
    """Score a text without a judge.

    An empty text, or one without a letter or digit, scores 0 and has the flag `empty`; one with an
    error has the flag `failed`. No text raises an error.

    Args:
        prediction: The text and its instruction.
        light: Compute S_l only.

    Returns:
        S_l and S_l by the published counter, if a length was required, and, unless `light`, all
        measures: `deviation` (output over required, minus 1); `lifebench_length`,
        `lifebench_deviation` (a fraction) and `lifebench_score` (0 to 100); those of `diversity`
        and `structure`.
    """
    result = _score_length(prediction)
    if prediction.is_empty:
        result.flags.append("empty")
    if prediction.error:
        result.flags.append("failed")
    if light:
        return result
    result.measures |= _length_measures(prediction, result.length)
    if prediction.is_empty:
        # The prefix is the prompt's; no entry of an empty text is there.
        result.measures |= structure.completion("", {**prediction.extra, "prefix": ""})
        return result
    result.measures |= diversity.measures(prediction.response, prediction.language)
    measures, flags = structure.measures(prediction)
    result.measures |= measures
    result.flags += flags
    return result


def _score_length(prediction: Prediction) -> Score:
    """Return the score with S_l alone."""
    text, required = prediction.response, prediction.length or None
    result = Score(
        id=prediction.id,
        task=prediction.task,
        language=prediction.language,
        kind=prediction.kind,
        required=required,
        unit=prediction.unit,
        bound=prediction.bound,
        length=count_length(text, prediction.unit, prediction.language),
        length_published=count_words_reference(text),
    )
    if required:
        result.s_l = length_score(required, result.length)
        result.s_l_published = length_score(required, result.length_published)
    return result


def _length_measures(prediction: Prediction, length: int) -> dict[str, float]:
    """Return the measures of the length besides S_l; none if no length was required."""
    required = prediction.length
    if not required:
        return {}
    counted = lifebench.count(prediction.response)
    return {
        "deviation": length / required - 1,
        "lifebench_length": float(counted),
        "lifebench_deviation": lifebench.deviation(required, counted),
        "lifebench_score": lifebench.score(required, counted, prediction.bound),
    }
