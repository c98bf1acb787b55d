"""The data sets of the benchmarks: a name or a path -> `Sample`s.

`names()` lists them, `find(name)` says where one is published, `load(name)` reads it. Any file of
JSON lines with `prompt` and `length` is a task, too. Knows data; knows nothing of models or scores.
"""

from longchain.bench.tasks.catalog import TASKS, File, Task, find, names
from longchain.bench.tasks.loader import LoadedTask, load

__all__ = ["TASKS", "File", "LoadedTask", "Task", "find", "load", "names"]
