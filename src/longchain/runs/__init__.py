"""Runs: documents under way, kept so that nothing of them is lost.

instruction -> `Run`, in the `Runs` of one place -> `LongDocument`

A run is registered before its first call and durable after every step; it is resumed after a
crash, changed on the way, revised when it is done, and forked. One process at a time writes it.
"""

from longchain.runs.record import Record
from longchain.runs.run import Run
from longchain.runs.runs import Runs

__all__ = ["Record", "Run", "Runs"]
