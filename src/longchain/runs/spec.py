"""How the chain of a run is made: what of it a record keeps, and what is handed over again.

Knows chains, options and model strings; knows nothing of stores or logs.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import Any

from langchain_core.runnables import Runnable
from langgraph.checkpoint.base import BaseCheckpointSaver

from longchain.agent.chain import AgentWriteChain
from longchain.calls.budget import Budget, Prices
from longchain.errors import RunError
from longchain.models.profile import layers
from longchain.models.redact import redact_model_name, redact_url
from longchain.models.resolve import chat_model, name, pin_model
from longchain.runs.record import Record

Model = str | Runnable[Any, Any] | None

_LABELS = {"model": "model", "base_url": "base URL", "planner_model": "planner"}


@dataclass
class Making:
    """What the chain of a run is made of."""

    model: Model = None
    base_url: str | None = None
    planner_model: Model = None
    options: dict[str, Any] = field(default_factory=dict)
    lacking: str = ""
    """What was handed over when the run was started and is missing now, as a sentence."""

    @classmethod
    def again(
        cls,
        record: Record,
        model: Model = None,
        base_url: str | None = None,
        planner_model: Model = None,
        options: dict[str, Any] | None = None,
    ) -> Making:
        """Return how a run is made that was made before, with what changes."""
        kept = {**record.options, **(options or {})}
        if isinstance(kept.get("budget"), dict):
            kept["budget"] = _budget(kept["budget"])
        given = {**kept, "model": model, "planner_model": planner_model}
        missing = [what for what in record.handed if given.get(what) is None]
        lacking = (
            f"the run {record.id!r} was started with a {' and a '.join(missing)} of your own: "
            f"hand it over again, as resume({record.id!r}, {missing[0]}=…)"
            if missing
            else ""
        )
        if isinstance(model, str) and model.strip():
            model, base_url = pin_model(model, base_url)
        elif not model:
            model, base_url = None, base_url or record.base_url or None
        return cls(
            model=model if model is not None else record.model or None,
            base_url=base_url,
            planner_model=planner_model if planner_model is not None else record.planner_model,
            options=kept,
            lacking=lacking,
        )

    def chain(self, saver: BaseCheckpointSaver[Any]) -> AgentWriteChain:
        """Return the chain.

        Raises:
            RunError: It lacks what was handed over when the run was started.
            InputError: Its model cannot be had.
        """
        if self.lacking:
            raise RunError(self.lacking)
        planner = self.planner_model or None
        return AgentWriteChain(
            _model(self.model, self.base_url),
            planner_model=_model(planner, self.base_url) if planner else None,
            checkpointer=saver,
            **self.options,
        )

    def kept(self) -> dict[str, Any]:
        """Return what a record keeps of it: no object, and of an address no secret."""
        handed = {"model": self.model, "planner_model": self.planner_model, **self.options}
        return {
            "model": _string(self.model),
            "base_url": redact_url(self.base_url) if self.base_url else "",
            "planner_model": _string(self.planner_model),
            "options": {key: _plain(v) for key, v in self.options.items() if _is_plain(v)},
            "handed": [key for key, v in handed.items() if v is not None and not _is_plain(v)],
            "version": version("longchain"),
        }

    def differences(self, record: Record) -> list[str]:
        """Return in words what differs from how the run was made before."""
        kept, said = self.kept(), []
        for what, label in _LABELS.items():
            before, after = getattr(record, what), kept[what]
            if before != after and what not in record.handed:
                said.append(
                    f"the {label} differs: {after or 'what the environment names'} goes on for "
                    f"{before or 'what the environment named'}; what is written stays"
                )
        for key, value in kept["options"].items():
            if value != (before := record.options.get(key)):
                said.append(f"{key} differs: {value!r}, and was {before!r}")
        if record.version != kept["version"]:
            said.append(
                f"longchain differs: {kept['version']} goes on for {record.version}; "
                "what is written stays"
            )
        return said


def model_name(chain: AgentWriteChain) -> str:
    """Return what the chain's model is called, without its wrappings."""
    return redact_model_name(name(layers(chain.stages.model)[-1]))


def prices(record: Record) -> Prices | None:
    """Return what a run's tokens cost, where that was said."""
    kept = record.options.get("budget")
    return _budget(kept).prices if kept else None


def _model(given: Model, base_url: str | None) -> Any:
    return chat_model(given, base_url=base_url) if isinstance(given, str | None) else given


def _string(model: Model) -> str:
    return redact_model_name(model) if isinstance(model, str) else ""


def _is_plain(value: Any) -> bool:
    if isinstance(value, Budget):
        return True
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True


def _plain(value: Any) -> Any:
    return asdict(value) if isinstance(value, Budget) else value


def _budget(kept: dict[str, Any]) -> Budget:
    prices = kept.get("prices")
    return Budget(**{**kept, "prices": Prices(**prices) if prices else None})
