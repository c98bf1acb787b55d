"""Counting, reading and controlling the length of texts.

text -> length (`count`); instruction -> `RequiredLength` (`reading`); lengths of replies ->
`LengthDecision` (`control`)

Does not know models.
"""

from longchain.length.control import MAX_LENGTH, LengthController, LengthDecision, check
from longchain.length.count import (
    count_characters,
    count_length,
    count_words,
    count_words_reference,
)
from longchain.length.reading.required_length import RequiredLength, read_required_length

LONGEST = MAX_LENGTH
"""Former name of `MAX_LENGTH`."""

Step = LengthDecision
"""Former name of `LengthDecision`."""

__all__ = [
    "LONGEST",
    "MAX_LENGTH",
    "LengthController",
    "LengthDecision",
    "RequiredLength",
    "Step",
    "check",
    "count_characters",
    "count_length",
    "count_words",
    "count_words_reference",
    "length_score",
    "read_required_length",
]


def length_score(required: int, output: int) -> float:
    """Return S_l, the length score of LongBench-Write, from 0 to 100.

    100 if output and required length are equal; falls linearly with the ratio of the two, to 0 at
    four times the required length and at a third of it.

    Args:
        required: The required length, at least 1.
        output: The length of the output in the same unit; 0 scores 0.

    Source: arXiv 2408.07055, equation 1.
    """
    if output <= 0:
        return 0.0
    if output > required:
        return 100 * max(0.0, 1 - (output / required - 1) / 3)
    return 100 * max(0.0, 1 - (required / output - 1) / 2)
