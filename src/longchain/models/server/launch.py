"""`Launch`: the command and the environment that start one vLLM server.

model, flags and options -> command and environment variables; equal launches are the same server

Refuses what can be seen to fail before a start. Does not start anything, and puts no key into a
command, which every list of processes shows.
"""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from longchain.errors import InputError, ServerError
from longchain.models.redact import redact_log
from longchain.models.server import model_files
from longchain.models.server.install import DEFAULT_ENVIRONMENT, Install, inherited

HOST = "127.0.0.1"
_GIB = 2**30

_CACHE_VARIABLE = "VLLM_CPU_KVCACHE_SPACE"
"""Environment variable for the GiB of the KV cache of vLLM's CPU build."""

_MAX_DEFAULT_CACHE = 4
"""GiB of the KV cache, at most, if the caller sets none."""

_CACHE_FLAGS = ("--kv-cache-memory-bytes", "--gpu-memory-utilization")

_REFUSED_FLAGS = {
    "--host": "the server listens on 127.0.0.1 only",
    "--port": "use port=…",
    "--model": "the model is the first argument",
    "--served-model-name": "use served_model_name=…",
    "--api-key": "use api_key=…, which no list of processes shows",
}
"""Flags that are set from arguments, and what to do instead."""

_LORA_RANKS = (16, 32, 64, 128, 256, 320, 512)
"""Values that vLLM takes for `--max-lora-rank`; the first is its default."""


@dataclass(frozen=True)
class Launch:
    """Everything that determines a server: equal launches are the same server."""

    install: Install
    """vLLM installation that serves."""

    model: str
    """Full path of a folder, or a name on a model hub."""

    name: str
    """Name under which the model is served."""

    port: int | None
    tensor_parallel_size: int | None
    max_model_len: int | None
    dtype: str | None
    quantization: str | None
    lora: tuple[tuple[str, str], ...]
    """Names and paths of LoRA adapters."""

    chat_template: str | None
    env: tuple[tuple[str, str], ...] = field(repr=False)
    """Environment variables that the caller sets."""

    flags: tuple[str, ...]
    """Further flags of vLLM."""

    api_key: str | None = field(repr=False)

    def command(self, port: int) -> list[str]:
        """Return the command; the caller's flags come last and so take precedence."""
        options: dict[str, object] = {
            "--model": self.model,
            "--served-model-name": self.name,
            "--host": HOST,
            "--port": port,
            "--tensor-parallel-size": self.tensor_parallel_size,
            "--max-model-len": self.max_model_len,
            "--dtype": self.dtype,
            "--quantization": self.quantization,
            "--chat-template": self.chat_template,
        }
        command = [self.install.python, "-m", self.install.server_module]
        for flag, value in options.items():
            if value is not None:
                command += [flag, str(value)]
        # Replies then say how many tokens of the prompt came from the prefix cache.
        command.append("--enable-prompt-tokens-details")
        if self.install.cpu:
            # Compiling takes longer than loading a small model (26 of 70 s) and needs a compiler.
            command.append("--enforce-eager")
        return [*command, *self._lora_flags(), *self.flags]

    def _lora_flags(self) -> list[str]:
        if not self.lora:
            return []
        flags = ["--enable-lora", "--lora-modules"]
        flags += [json.dumps({"name": name, "path": path}) for name, path in self.lora]
        rank = max(model_files.lora_rank(Path(path)) for _, path in self.lora)
        default, *larger = _LORA_RANKS
        sufficient = [max_rank for max_rank in larger if default < rank <= max_rank]
        if sufficient:
            flags += ["--max-lora-rank", str(sufficient[0])]
        return flags

    def environment(self) -> dict[str, str]:
        """Return the environment variables, the only way by which the key reaches vLLM."""
        env = DEFAULT_ENVIRONMENT | self._offline_variables() | inherited(dict(self.env))
        if self._needs_cache_size(env):
            env[_CACHE_VARIABLE] = str(self._default_cache())
        # Kernels that are built on first use need tools of the same venv, such as ninja.
        tools = os.path.dirname(self.install.python)
        env["PATH"] = os.pathsep.join(filter(None, (tools, env.get("PATH"))))
        env.pop("VLLM_API_KEY", None)
        if self.api_key:
            env["VLLM_API_KEY"] = self.api_key
        return env

    def _offline_variables(self) -> dict[str, str]:
        """Return the variable that keeps vLLM off model hubs, if all files are on this machine."""
        paths = [self.model, *dict(self.lora).values()]
        if all(Path(path).exists() for path in paths):
            return {"HF_HUB_OFFLINE": "1"}
        return {}

    def _needs_cache_size(self, env: dict[str, str]) -> bool:
        """Return whether the size of the KV cache must be set.

        Without it, vLLM's CPU build would take most of the memory. In vLLM, the variable takes
        precedence over the flags, so it is not set if there is a flag.
        """
        if not self.install.cpu or env.get(_CACHE_VARIABLE):
            return False
        return not any(flag.startswith(_CACHE_FLAGS) for flag in self.flags)

    def _default_cache(self) -> int:
        """Return GiB for the KV cache: up to 4, but at most half of the memory that is left."""
        free = _free_memory() or 2 * _MAX_DEFAULT_CACHE * _GIB
        left = free - self._weight_bytes()
        return max(1, min(_MAX_DEFAULT_CACHE, left // (2 * _GIB)))

    def _weight_bytes(self) -> int:
        """Return the bytes that a local model's weights take in memory; 0 if that is unknown."""
        folder = Path(self.model)
        if self.quantization or not folder.is_dir():
            return 0
        size = model_files.weight_bytes(folder)
        # vLLM loads single precision as half, unless it is told to keep it.
        keeps_single = self.dtype in ("float", "float32")
        if model_files.stored_dtype(folder) == "float32" and not keeps_single:
            return size // 2
        return size

    def check(self) -> None:
        """Refuse what can be seen to fail, before the minutes that a start takes.

        Raises:
            InputError: The port is in use.
            ServerError: The model is larger than the memory.
        """
        if self.port and not _is_free(self.port):
            raise InputError(f"port {self.port} is in use: leave it out, or choose another")
        if self.install.cpu:
            self._check_memory()

    def _check_memory(self) -> None:
        free, weights = _free_memory(), self._weight_bytes()
        if free is None or not weights:
            return
        try:
            cache = int(self.environment().get(_CACHE_VARIABLE) or 0) * _GIB
        except ValueError:
            return  # vLLM itself says that the variable is not a number
        if weights + cache > free:
            raise ServerError(
                f"the model {self.model!r} takes {weights / _GIB:.1f} GiB and its KV cache "
                f"{cache / _GIB:.0f} GiB, but {free / _GIB:.1f} GiB of memory are free: choose "
                f"a smaller model, a smaller {_CACHE_VARIABLE} (in GiB), or a machine with more "
                "memory"
            )

    def redact(self, log: str) -> str:
        """Return lines of the server's log without secrets."""
        return redact_log(log, inherited(dict(self.env)), self.api_key)


def check_flags(flags: Sequence[str]) -> None:
    """Refuse flags that are set from arguments.

    Raises:
        InputError: One of them is among the flags, or the flags are one string.
    """
    if isinstance(flags, str):
        raise InputError(f'the flags are a list of words, not {flags!r}: ["--flag", "value"]')
    for flag in flags:
        name = flag.partition("=")[0].replace("_", "-")
        if name in _REFUSED_FLAGS:
            raise InputError(f"the flag {name} cannot be passed on: {_REFUSED_FLAGS[name]}")


def free_port() -> int:
    """Return a port that is not in use."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As vLLM does: fading connections of an earlier server do not matter.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _free_memory() -> int | None:
    """Return the bytes of free memory, on Linux; a container's limit counts."""
    limits: list[int] = []
    with suppress(OSError, ValueError, AttributeError):
        available = re.search(r"MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text())
        limits.append(int(available[1]) * 1024 if available else 0)
    with suppress(OSError, ValueError):  # the file says "max" if there is no limit
        group = Path("/sys/fs/cgroup")
        limit = int((group / "memory.max").read_text())
        limits.append(limit - int((group / "memory.current").read_text()))
    return min(limits, default=None)
