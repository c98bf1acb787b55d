"""Runs: documents that are stored while they are written, so that a crash loses nothing.

instruction -> `Run`, in the `Runs` of one store -> `LongDocument`

A run is registered before its first call and stored after every step. It can be resumed after a
crash, changed while it is written, revised when it is finished, and forked. Only one process at a
time writes it.
"""

from longchain.runs.record import Record
from longchain.runs.run import Run
from longchain.runs.runs import Runs

__all__ = ["Record", "Run", "Runs"]
