"""How long a text is, how long it should be, and how to get there.

text -> length (`count`), instruction -> `RequiredLength` (`read`), replies -> next request
(`control`). Knows no model.
"""

from longchain.length.control import LONGEST, LengthController, Step, check
from longchain.length.count import (
    count_characters,
    count_length,
    count_words,
    count_words_reference,
)
from longchain.length.reading.required_length import RequiredLength, read_required_length

__all__ = [
    "LONGEST",
    "LengthController",
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

    100 where output and required length are equal; falls in proportion to how many times too
    long (to 0 at four times) or too short (to 0 at a third) the output is.

    Args:
        required: The required length, at least 1.
        output: The length of what was written, in the same unit; 0 scores 0.

    Source: arXiv 2408.07055, equation 1.
    """
    if output <= 0:
        return 0.0
    over = (output / required - 1) / 3 if output > required else (required / output - 1) / 2
    return 100 * max(0.0, 1 - over)
