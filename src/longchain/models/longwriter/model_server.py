"""`ModelServer`: serves a model with vLLM and yields a chat model for it, for a `with` block.

a model's name or folder, and arguments -> `LongWriterLLM` on a server of its own

Knows which arguments belong to the server and which to the chat model, and what the presets add.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

from longchain.models.longwriter.defaults import DEFAULT_URL
from longchain.models.longwriter.presets import preset
from longchain.models.longwriter.prompt_formats import Format
from longchain.models.longwriter.vllm_model import VllmModel
from longchain.models.server import Server, serve

Model = TypeVar("Model", bound=VllmModel)

_SERVER_ARGUMENTS = frozenset(inspect.signature(serve).parameters) - {"model"}


def server_options(
    model: str | Path, options: Mapping[str, Any], form: Format | None = None
) -> dict[str, Any]:
    """Return arguments of `serve` for a model, completed by its preset.

    Args:
        model: A model's folder, or its name on a hub.
        options: The caller's arguments.
        form: The prompt format, if the caller chose one.
    """
    known = preset(str(model), form)
    completed = dict(options)
    if completed.get("max_model_len") is None:
        completed["max_model_len"] = known.max_model_len
    completed["flags"] = [*known.flags, *(completed.get("flags") or ())]
    return completed


class ModelServer(Generic[Model]):
    """Context manager, sync and async, that `LongWriterLLM.serve()` returns; it yields the model.

    Args:
        model_class: The class of the chat model.
        model: A model's folder, or its name on a hub.
        arguments: Arguments of `longchain.models.server.serve` and of the class, by name.
    """

    def __init__(
        self, model_class: type[Model], model: str | Path, arguments: dict[str, Any]
    ) -> None:
        self._model_class = model_class
        # The preset is chosen by this name: the server may have another one for the model.
        self._model_arguments: dict[str, Any] = {"preset_name": str(model)}
        options: dict[str, Any] = {}
        for name, value in arguments.items():
            if name in _SERVER_ARGUMENTS:
                options[name] = value
            else:
                self._model_arguments[name] = value
        form = arguments.get("prompt_format")
        self._server_context = serve(model, **server_options(model, options, form))
        # Wrong arguments of the model are refused here, before minutes of waiting for a server.
        self._chat_model("to-be-served", DEFAULT_URL, {})

    def __enter__(self) -> Model:
        return self._model_on(self._server_context.__enter__())

    def __exit__(self, *error: object) -> None:
        self._server_context.__exit__(*error)

    async def __aenter__(self) -> Model:
        return self._model_on(await self._server_context.__aenter__())

    async def __aexit__(self, *error: object) -> None:
        await self._server_context.__aexit__(*error)

    def _model_on(self, server: Server) -> Model:
        key = {} if server.api_key is None else {"api_key": server.api_key}
        model = self._chat_model(server.model, server.base_url, key)
        model.attach(server)
        return model

    def _chat_model(self, name: str, url: str, key: dict[str, Any]) -> Model:
        return self._model_class(model=name, base_url=url, **key, **self._model_arguments)
