"""Files of models: checks the folders of models and LoRA adapters, and reads their sizes.

a folder, or a name on a model hub -> its full path or the name, bytes of weights, LoRA rank

Knows Hugging Face's file names; does not load anything.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

from longchain.errors import InputError, ModelNameError

_CONFIGURATIONS = ("config.json", "params.json")
_ADAPTER_CONFIGURATION = "adapter_config.json"
_WEIGHTS = "*.safetensors"


def model_path(model: str | Path) -> str:
    """Return the full path of a model's folder, or its name on a model hub.

    Raises:
        ModelNameError: The folder is missing or has no model, or there is no name.
    """
    name = str(model).strip()
    if not name:
        raise ModelNameError("no model is named: give a folder or a name such as ORG/NAME")
    path = full_path(name)
    if path.suffix == ".gguf" and path.is_file():
        return str(path)
    if path.is_dir():
        _check_folder(name, path)
        return str(path)
    if isinstance(model, Path) or path.exists() or _looks_like_path(name):
        raise ModelNameError(
            f"{name!r} is not a folder: give a model's folder or a name such as ORG/NAME"
        )
    return name


def _looks_like_path(name: str) -> bool:
    return name[0] in "/.~-" or name.count("/") > 1


def _check_folder(name: str, path: Path) -> None:
    """Refuse a folder without a model."""
    if any((path / file).is_file() for file in _CONFIGURATIONS):
        return
    if (path / _ADAPTER_CONFIGURATION).is_file():
        raise ModelNameError(
            f"{name!r} is a LoRA adapter: serve its base model with lora={{NAME: FOLDER}}"
        )
    raise ModelNameError(
        f"{name!r} is not a model's folder, it has no config.json: look one level up"
    )


def model_name(path: str) -> str:
    """Return the name under which a model is served: the hub's, or the last part of its path."""
    return Path(path).name.removesuffix(".gguf") if os.path.isabs(path) else path


def file_path(file: str | Path) -> str:
    """Return the full path of a file.

    Raises:
        InputError: There is no such file.
    """
    path = full_path(file)
    if not path.is_file():
        raise InputError(f"{str(file)!r} is not a file")
    return str(path)


def lora_path(name: str, adapter: str | Path) -> str:
    """Return the full path of an adapter's folder, or its name on a model hub.

    Raises:
        InputError: There is no adapter in the folder.
    """
    path = full_path(adapter)
    if (path / _ADAPTER_CONFIGURATION).is_file():
        return str(path)
    if path.exists() or isinstance(adapter, Path) or str(adapter)[:1] in "/.~":
        raise InputError(
            f"the adapter {name!r} is not at {str(adapter)!r}: it has no adapter_config.json there"
        )
    return str(adapter)


def full_path(path: str | Path) -> Path:
    """Return an absolute path, with `~` expanded and links kept."""
    return Path(os.path.abspath(os.path.expanduser(path)))


def weight_bytes(folder: Path) -> int:
    """Return the size of a model's weights as they are stored."""
    # Some models have the same weights a second time, as `consolidated.safetensors`.
    files = list(folder.glob(f"model{_WEIGHTS}")) or list(folder.glob(_WEIGHTS))
    return sum(file.stat().st_size for file in files)


def stored_dtype(folder: Path) -> object:
    """Return the data type of a model's weights, such as `float32`, as far as it is stated."""
    configuration = _read_json(folder / "config.json")
    return configuration.get("dtype") or configuration.get("torch_dtype")


def lora_rank(adapter: Path) -> int:
    """Return the rank of a LoRA adapter; 0 if it is not stated."""
    rank = _read_json(adapter / _ADAPTER_CONFIGURATION).get("r", 0)
    return rank if isinstance(rank, int) else 0


def _read_json(path: Path) -> dict[str, object]:
    """Return the object in a JSON file; empty if there is none."""
    with suppress(OSError, ValueError):
        content = json.loads(path.read_bytes())
        if isinstance(content, dict):
            return content
    return {}
