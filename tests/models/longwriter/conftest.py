"""A fake vLLM server, and an environment that names none."""

from __future__ import annotations

import os

import pytest

from tests.models.longwriter.transport import FakeVLLM


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(("OPENAI_", "LONGCHAIN_")):
            monkeypatch.delenv(name)


@pytest.fixture
def server() -> FakeVLLM:
    return FakeVLLM()
