"""An empty folder without any model in the environment, a plan in it, and a simulated server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from longchain.testing import SimulatedServer
from tests.apps.commands import PLAN


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, and no model in the environment."""
    for name in os.environ:
        if name.startswith(("OPENAI_", "LONGCHAIN_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("LONGCHAIN_STATE", str(tmp_path / "state"))
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def plan(here: Path) -> Path:
    """A plan file of three sections."""
    path = here / "plan.yaml"
    path.write_text(PLAN)
    return path


@pytest.fixture
def server() -> Iterator[SimulatedServer]:
    with SimulatedServer() as running:
        yield running
