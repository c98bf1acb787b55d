"""Runs in PostgreSQL that are killed at any moment lose nothing, either."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(300)
def test_killed_runs_lose_nothing() -> None:
    command = [sys.executable, "-m", "benchmarks.chaos", "--runs", "12", "--check"]
    command += ["--store", "postgres"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "| PostgreSQL | 12 | " in done.stdout
