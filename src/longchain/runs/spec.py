"""Specification of the chain of a run: its model and options, as a record stores them.

record + changes -> `ChainSpec` -> `AgentWriteChain`

Model objects, retrievers and the like cannot be stored; they must be passed again to resume a
run. Knows chains, options and model strings; knows nothing of stores or logs.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import Any, cast

from langchain_core.runnables import Runnable
from langgraph.checkpoint.base import BaseCheckpointSaver

from longchain.agent.chain import AgentWriteChain
from longchain.agent.options import ChainOptions
from longchain.calls.budget import Budget, Prices
from longchain.errors import RunError
from longchain.models.profile import layers
from longchain.models.redact import redact_model_name, redact_url
from longchain.models.resolve import chat_model, name, pin_model
from longchain.runs.record import Record

Model = str | Runnable[Any, Any] | None
"""Model string or model object; None: the model of the environment."""

_LABELS = {"model": "model", "base_url": "base URL", "planner_model": "planner"}


@dataclass
class ChainSpec:
    """The parts of a run's chain."""

    model: Model = None
    base_url: str | None = None
    planner_model: Model = None
    options: ChainOptions = field(default_factory=ChainOptions)
    missing: str = ""
    """Sentence that names the objects that the run was started with and that are missing now."""

    @classmethod
    def from_record(
        cls,
        record: Record,
        model: Model = None,
        base_url: str | None = None,
        planner_model: Model = None,
        options: ChainOptions | None = None,
    ) -> ChainSpec:
        """Return the specification of a stored run, with what changes."""
        merged: dict[str, Any] = {**record.options, **(options or {})}
        if isinstance(merged.get("budget"), dict):
            merged["budget"] = _to_budget(merged["budget"])
        parts = {**merged, "model": model, "planner_model": planner_model}
        missing = _describe_missing(record, parts)
        if not model:
            model = record.model or None
            base_url = base_url or record.base_url or None
        elif isinstance(model, str) and model.strip():
            model, base_url = pin_model(model, base_url)
        if planner_model is None:
            planner_model = record.planner_model
        return cls(model, base_url, planner_model, cast("ChainOptions", merged), missing)

    def chain(self, saver: BaseCheckpointSaver[Any]) -> AgentWriteChain:
        """Return the chain.

        Raises:
            RunError: An object that the run was started with is missing.
            InputError: Its model is not available.
        """
        if self.missing:
            raise RunError(self.missing)
        options: ChainOptions = {**self.options, "checkpointer": saver, "planner_model": None}
        if planner := self.planner_model or None:
            options["planner_model"] = _to_model(planner, self.base_url)
        return AgentWriteChain(_to_model(self.model, self.base_url), **options)

    def to_record(self) -> dict[str, Any]:
        """Return the fields of a record: without objects, and without secrets of addresses."""
        options: dict[str, Any] = dict(self.options)
        parts = {"model": self.model, "planner_model": self.planner_model, **options}
        stored = {key: _to_plain(value) for key, value in options.items() if _is_plain(value)}
        return {
            "model": _model_string(self.model),
            "base_url": redact_url(self.base_url) if self.base_url else "",
            "planner_model": _model_string(self.planner_model),
            "options": stored,
            "external": [key for key, value in parts.items() if not _is_plain(value)],
            "version": version("longchain"),
        }

    def differences(self, record: Record) -> list[str]:
        """Return sentences that describe how the specification differs from that of a record."""
        changed, messages = self.to_record(), []
        for part, label in _LABELS.items():
            before, after = getattr(record, part), changed[part]
            if before != after and part not in record.external:
                messages.append(
                    f"the {label} differs: {after or 'what the environment names'} goes on for "
                    f"{before or 'what the environment named'}; what is written stays"
                )
        for key, value in changed["options"].items():
            before = record.options.get(key)
            if value != before:
                messages.append(f"{key} differs: {value!r}, and was {before!r}")
        if record.version != changed["version"]:
            messages.append(
                f"longchain differs: {changed['version']} goes on for {record.version}; "
                "what is written stays"
            )
        return messages


def model_name(chain: AgentWriteChain) -> str:
    """Return the name of a chain's model, without its wrappers."""
    return redact_model_name(name(layers(chain.stages.model)[-1]))


def prices(record: Record) -> Prices | None:
    """Return the prices of a run's tokens, None if they are not known."""
    budget = record.options.get("budget")
    return _to_budget(budget).prices if budget else None


def _describe_missing(record: Record, parts: dict[str, Any]) -> str:
    """Return the sentence that names the missing objects; empty if none is missing."""
    missing = [part for part in record.external if parts.get(part) is None]
    if not missing:
        return ""
    return (
        f"the run {record.id!r} was started with a {' and a '.join(missing)} of your own: "
        f"hand it over again, as resume({record.id!r}, {missing[0]}=…)"
    )


def _to_model(model: Model, base_url: str | None) -> Any:
    """Return the chat model of a model string; a model object as it is."""
    return chat_model(model, base_url=base_url) if isinstance(model, str | None) else model


def _model_string(model: Model) -> str:
    """Return a model string without secrets; empty for a model object."""
    return redact_model_name(model) if isinstance(model, str) else ""


def _is_plain(value: Any) -> bool:
    """Return whether a record can store a value."""
    if isinstance(value, Budget):
        return True
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True


def _to_plain(value: Any) -> Any:
    """Return a value as a record stores it."""
    return asdict(value) if isinstance(value, Budget) else value


def _to_budget(record: dict[str, Any]) -> Budget:
    """Return the budget that a record stores."""
    prices = record.get("prices")
    return Budget(**{**record, "prices": Prices(**prices) if prices else None})
