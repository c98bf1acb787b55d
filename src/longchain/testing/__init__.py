"""Test doubles for applications that write with a language model.

messages -> replies of a scripted or simulated model

`FakeWriter` is a chat model for unit tests that answers from a script. `SimulatedServer` is an
OpenAI-compatible server on 127.0.0.1 with slots, speed, a prefix cache and `Faults`. Both can
answer by a `LengthBehavior`: prose and plans of the requested length, or with the length errors of
real models. `python -m longchain.testing` runs the server in its own process.
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

_MODULES = {
    "FakeWriter": "writer",
    "Faults": "faults",
    "LengthBehavior": "behavior",
    "ScriptExhaustedError": "writer",
    "SimulatedServer": "server",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
