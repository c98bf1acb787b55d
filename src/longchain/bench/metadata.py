"""Metadata of a results file: the settings of its records, in `FILE.meta.json` beside it.

`RunMetadata` <-> JSON

In a file of its own, so that scripts that take every line for a prediction can read the rest.
Knows settings and versions; knows nothing of the results themselves.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from longchain.bench.jsonl import replace_file

_COMPARED = {"task", "sha256", "model", "mode", "settings"}
"""Fields that must not change when a file is continued."""


class RunMetadata(BaseModel):
    """Task, model and settings that all records of a results file share."""

    # A later version may write more. The mode is `way` in the file, as in predictions.
    model_config = ConfigDict(extra="ignore", serialize_by_alias=True)

    task: str = ""
    source: str = ""
    """Path or address of the samples."""

    sha256: str = ""
    """Hash of the samples' file; empty if there was none."""

    model: str = ""
    mode: str = Field(
        default="", validation_alias=AliasChoices("way", "mode"), serialization_alias="way"
    )
    settings: dict[str, Any] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)
    """Versions of the packages that wrote last; other versions may continue the file."""

    def changes(self, new: RunMetadata) -> list[str]:
        """Return the differences of another run, such as `max_tokens: 100, now 200`."""
        before, after = self._flatten(), new._flatten()
        changes = []
        for name in dict.fromkeys([*before, *after]):
            if before.get(name) != after.get(name):
                changes.append(f"{name}: {before.get(name)!r}, now {after.get(name)!r}")
        return changes

    def _flatten(self) -> dict[str, Any]:
        """Return the compared fields and the settings in one dictionary of JSON values."""
        fields = json.loads(self.model_dump_json(include=_COMPARED, by_alias=False))
        settings = fields.pop("settings")
        return {**fields, **settings}


def metadata_path(path: Path) -> Path:
    """Return the path of the metadata of a results file."""
    return path.with_name(f"{path.name}.meta.json")


def read_metadata(path: Path) -> RunMetadata | None:
    """Return the metadata of a results file; None if there is none, or none that can be read."""
    try:
        return RunMetadata.model_validate_json(metadata_path(path).read_bytes())
    except (OSError, ValidationError):
        return None


def write_metadata(path: Path, metadata: RunMetadata) -> None:
    """Write the metadata of a results file.

    Raises:
        InputError: It cannot be written.
    """
    replace_file(metadata_path(path), metadata.model_dump_json(indent=2) + "\n")
