"""An error of a model, explained in one line: what to do about it, and no key."""

from __future__ import annotations

import pytest
from langchain_core.exceptions import (
    ModelAuthenticationError,
    ModelConnectionError,
    ModelError,
)

from longchain.errors import ReplyError
from longchain.models.error_hints import explain

KEY = "sk-very-secret"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ModelAuthenticationError(f"Incorrect key: {KEY}"), "Incorrect key: [key]; check the key"),
        (ModelAuthenticationError("Incorrect key: hunter2-hunter2"), "[key]; check the key"),
        (ModelConnectionError("Connection\nerror."), "Connection error.; check the base URL"),
        (ModelError(""), "the model failed: ModelError"),
        (ModelError(f"no route to http://u:{KEY}@h/v1"), "no route to http://[key]@h/v1"),
        (TimeoutError("slow"), "the model failed: slow; try again when"),
        (ConnectionError(), "the model failed: ConnectionError; check the base URL"),
        (OSError(28, "disk full"), "the run stopped: [Errno 28] disk full"),
        (ReplyError("no prose after 3 replies"), "no prose after 3 replies"),
    ],
)
def test_an_error_is_explained_without_a_key(
    monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "hunter2-hunter2")
    line = explain(error)
    assert said in line
    assert KEY not in line
    assert "\n" not in line
