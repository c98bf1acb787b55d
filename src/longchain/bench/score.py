"""Text in, score out, no model: what the benchmarks measure without a judge.

`length_score` is S_l of LongBench-Write; repetition is measured by rep-n and repeated sentences.
"""

from longchain.length import length_score
from longchain.repetition import duplicate_sentences, overlap, rep_n

__all__ = ["duplicate_sentences", "length_score", "overlap", "rep_n"]
