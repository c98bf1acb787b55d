"""A place for runs, and no model in the environment."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from longchain import Runs


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for runs, and no model in the environment."""
    for name in os.environ:
        if name.startswith(("OPENAI_", "LONGCHAIN_")):
            monkeypatch.delenv(name)
    folder = tmp_path / "state"
    monkeypatch.setenv("LONGCHAIN_STATE", str(folder))
    return folder


@pytest.fixture
def runs(state: Path) -> Iterator[Runs]:
    with Runs() as opened:
        yield opened
