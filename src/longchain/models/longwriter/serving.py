"""A model's name -> a `LongWriterLLM` on a server of its own, for as long as a `with` block lasts.

Knows which arguments are the server's and which the model's, and what the presets add to them.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

from longchain.models.longwriter.formats import Format
from longchain.models.longwriter.presets import preset
from longchain.models.longwriter.served import DEFAULT_URL, ServedModel
from longchain.models.server import Server, serve

Model = TypeVar("Model", bound=ServedModel)

_SERVERS = frozenset(inspect.signature(serve).parameters) - {"model"}


def options(
    model: str | Path, given: Mapping[str, Any], form: Format | None = None
) -> dict[str, Any]:
    """Return the arguments of `serve` for a model, with what its preset adds.

    Args:
        model: A model's folder, or its name on a hub.
        given: What the caller says.
        form: The prompt format, where the caller chose one.
    """
    known = preset(str(model), form)
    asked = dict(given)
    if asked.get("max_model_len") is None:
        asked["max_model_len"] = known.max_model_len
    asked["flags"] = [*known.flags, *(asked.get("flags") or ())]
    return asked


class Served(Generic[Model]):
    """What `LongWriterLLM.serve()` returns: a context manager, sync and async.

    Args:
        kind: The class of the chat model.
        model: What to serve.
        given: Arguments of `longchain.models.server.serve` and of the class, told by name.
    """

    def __init__(self, kind: type[Model], model: str | Path, given: dict[str, Any]) -> None:
        theirs = {name: value for name, value in given.items() if name in _SERVERS}
        self._kind = kind
        self._wanted = str(model)
        self._own = {name: value for name, value in given.items() if name not in _SERVERS}
        self._serving = serve(model, **options(model, theirs, given.get("prompt_format")))
        # What cannot be used is told at once, and not when a server has been waited for.
        self._made("to-be-served", DEFAULT_URL)

    def __enter__(self) -> Model:
        return self._of(self._serving.__enter__())

    def __exit__(self, *raised: object) -> None:
        self._serving.__exit__(*raised)

    async def __aenter__(self) -> Model:
        return self._of(await self._serving.__aenter__())

    async def __aexit__(self, *raised: object) -> None:
        await self._serving.__aexit__(*raised)

    def _of(self, server: Server) -> Model:
        own = {} if server.api_key is None else {"api_key": server.api_key}
        model = self._made(server.model, server.base_url, **own)
        model.attach(server)
        return model

    def _made(self, name: str, url: str, **more: Any) -> Model:
        # The presets go by the name that was asked for: the server's may not tell the model.
        own = {"preset_name": self._wanted, **more, **self._own}
        return self._kind(model=name, base_url=url, **own)
