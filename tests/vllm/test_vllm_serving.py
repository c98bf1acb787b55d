"""`serve()` over a real vLLM: what it serves, and that nothing is left of it.

Needs `LONGCHAIN_VLLM_PYTHON` and the tiny model's checkpoint. Starts three servers.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from longchain.models.server import Server, serve
from tests.vllm.tiny_model import CHECKPOINT

OPTIONS: dict[str, Any] = {
    "max_model_len": 2048,
    "served_model_name": "tiny",
    "api_key": "secret-1",
}
LONG = " ".join(["Write a report of 100 words on the harbor and the sea."] * 40)


def below(root: int) -> Iterator[tuple[int, str]]:
    """The processes below one, with their names."""
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = status.read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue
        if int(rest.split()[1]) == root and rest.split()[0] != "Z":
            pid = int(status.parent.name)
            yield pid, name
            yield from below(pid)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def within(seconds: float, done: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not (ended := done()) and time.monotonic() < end:
        time.sleep(0.1)
    return ended


def family(server: Server) -> list[int]:
    return [server.pid, *(pid for pid, _ in below(server.pid))]


def is_free(server: Server) -> bool:
    with socket.socket() as probe:
        port = int(server.base_url.removesuffix("/v1").rpartition(":")[2])
        return probe.connect_ex(("127.0.0.1", port)) != 0


def complete(server: Server, prompt: str) -> Any:
    assert server.api_key is not None
    key = server.api_key.get_secret_value()
    done = httpx.post(
        f"{server.base_url}/completions",
        json={"model": server.model, "prompt": prompt, "max_tokens": 8},
        headers={"authorization": f"Bearer {key}"},
        timeout=60,
        trust_env=False,
    )
    return done.raise_for_status().json()


def test_a_killed_server_is_told_of_and_the_next_one_serves() -> None:
    lines: list[str] = []
    serving = serve(CHECKPOINT, progress=lines.append, **OPTIONS)
    with serving as first:
        with serve(str(CHECKPOINT), **OPTIONS) as same:
            assert same is first
        assert lines[-1].endswith(f"ready at {first.base_url}")
        refused = httpx.get(f"{first.base_url}/models", trust_env=False)
        assert refused.status_code == httpx.codes.UNAUTHORIZED
        usages = [complete(first, LONG)["usage"] for _ in range(2)]
        assert usages[1]["prompt_tokens_details"]["cached_tokens"] > 0
        assert first.diagnose() is None
        assert "secret-1" not in first.log.read_text()

        pids = family(first)
        assert len(pids) > 2  # the engine and its worker at least
        os.kill(first.pid, signal.SIGKILL)
        assert "ended with code -9" in str(first.diagnose())
        assert within(20, lambda: not any(map(alive, pids)))

        with pytest.raises(ZeroDivisionError), serving as second:  # noqa: PT012
            assert second is not first
            assert complete(second, "The harbor")["choices"]
            pids = family(second)
            (engine,) = (pid for pid, name in below(second.pid) if name.startswith("VLLM::Engine"))
            os.kill(engine, signal.SIGKILL)
            assert within(20, lambda: second.diagnose() is not None)
            _ = 1 / 0
        assert not any(map(alive, pids))
        assert is_free(second)


async def test_a_start_that_is_cancelled_leaves_nothing() -> None:
    async def start() -> None:
        async with serve(CHECKPOINT, **OPTIONS):
            pass

    others = {pid for pid, _ in below(os.getpid())}

    def ours() -> dict[int, str]:
        return {pid: name for pid, name in below(os.getpid()) if pid not in others}

    def begun() -> bool:
        return any(name.startswith("VLLM::") for name in ours().values())

    task = asyncio.create_task(start())
    assert await asyncio.to_thread(within, 300, begun)
    pids = list(ours())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not any(map(alive, pids))
