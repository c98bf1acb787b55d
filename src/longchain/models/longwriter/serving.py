"""A model's name -> a `LongWriterLLM` on a server of its own, for as long as a `with` block lasts.

Knows which arguments are the server's and which the model's, and what the presets add to them.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

from longchain.models.longwriter.presets import preset
from longchain.models.server import Server, serve

if TYPE_CHECKING:
    from longchain.models.longwriter.model import LongWriterLLM

_SERVERS = frozenset(inspect.signature(serve).parameters) - {"model"}


class Served:
    """What `LongWriterLLM.serve()` returns: a context manager, sync and async.

    Args:
        kind: The class of the chat model.
        model: What to serve.
        options: Arguments of `longchain.models.server.serve` and of the class, told by name.
    """

    def __init__(
        self, kind: type[LongWriterLLM], model: str | Path, options: dict[str, Any]
    ) -> None:
        known = preset(str(model), options.get("prompt_format"))
        asked = {name: value for name, value in options.items() if name in _SERVERS}
        if asked.get("max_model_len") is None:
            asked["max_model_len"] = known.max_model_len
        asked["flags"] = [*known.flags, *asked.get("flags", ())]
        self._kind = kind
        self._wanted = str(model)
        self._own = {name: value for name, value in options.items() if name not in _SERVERS}
        self._serving = serve(model, **asked)

    def __enter__(self) -> LongWriterLLM:
        return self._of(self._serving.__enter__())

    def __exit__(self, *raised: object) -> None:
        self._serving.__exit__(*raised)

    async def __aenter__(self) -> LongWriterLLM:
        return self._of(await self._serving.__aenter__())

    async def __aexit__(self, *raised: object) -> None:
        await self._serving.__aexit__(*raised)

    def _of(self, server: Server) -> LongWriterLLM:
        own = dict(self._own)
        if server.api_key is not None:
            own.setdefault("api_key", server.api_key)
        # By the name that was asked for: the server's may not tell which model it is.
        own.setdefault("preset_name", self._wanted)
        model = self._kind(model=server.model, base_url=server.base_url, **own)
        model.attach(server)
        return model
