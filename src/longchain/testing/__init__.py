"""Test doubles for applications that write with a language model.

`FakeWriter` is a chat model for unit tests, answering from a script; `SimulatedServer` is an
OpenAI-compatible server on 127.0.0.1 with slots, speed, a prefix cache and `Faults`; both may
answer by a `LengthBehavior`: prose and plans that are as long as asked for, or as far off as real
models are. `python -m longchain.testing` runs the server in a process of its own.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from longchain.testing.behavior import LengthBehavior
    from longchain.testing.faults import Faults
    from longchain.testing.server import SimulatedServer
    from longchain.testing.writer import FakeWriter, ScriptExhaustedError

__all__ = ["FakeWriter", "Faults", "LengthBehavior", "ScriptExhaustedError", "SimulatedServer"]

_ROOMS = {
    "FakeWriter": "writer",
    "Faults": "faults",
    "LengthBehavior": "behavior",
    "ScriptExhaustedError": "writer",
    "SimulatedServer": "server",
}


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return __all__
