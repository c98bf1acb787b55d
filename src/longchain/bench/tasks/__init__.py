"""The benchmarks: a name or a path -> `Sample`s.

`names()` lists them, `find(name)` says where one comes from, `load(name)` reads it. Any JSON lines
with `prompt` and `length` are a task, too. Knows data; knows nothing of models or scores.
"""

from longchain.bench.tasks.catalog import TASKS, File, Task, find, names
from longchain.bench.tasks.loaded import Loaded, load

__all__ = ["TASKS", "File", "Loaded", "Task", "find", "load", "names"]
