"""Defaults of a chat model on vLLM: completes its arguments from its preset and the environment.

the caller's arguments -> arguments of `BaseChatOpenAI`

Knows `LONGCHAIN_BASE_URL` and the variables for keys; refuses names that no vLLM server knows.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from longchain.models.longwriter import request_fields
from longchain.models.longwriter.presets import preset

DEFAULT_URL = "http://127.0.0.1:8000/v1"
"""Address at which vLLM listens by default."""


def complete(
    arguments: Mapping[str, Any], name: str, field_names: Mapping[str, str]
) -> dict[str, Any]:
    """Return a model's arguments, completed by its preset and the environment.

    Args:
        arguments: The caller's arguments; one that is None counts as not given.
        name: The model's name.
        field_names: The class's fields and their aliases, each with the name of the field. Other
            arguments become fields of every request.

    Raises:
        InputError: A name is neither a field's nor one that a vLLM server knows.
    """
    others = {key: value for key, value in arguments.items() if key not in field_names}
    extra_body = dict(arguments.get("extra_body") or {})
    model_kwargs = dict(arguments.get("model_kwargs") or {})
    request_fields.check([*others, *extra_body, *model_kwargs], field_names)
    completed: dict[str, Any] = {}
    given_fields: set[str] = set()
    for key, value in arguments.items():
        if key in field_names and value is not None:
            completed[key] = value
            given_fields.add(field_names[key])
    for field, value in _defaults(arguments, name).items():
        if field not in given_fields:
            completed[field] = value
    extra_body |= others
    if extra_body:
        completed["extra_body"] = extra_body
    return completed


def _defaults(arguments: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the fields that the preset and the environment set."""
    known = preset(arguments.get("preset_name") or name, arguments.get("prompt_format"))
    return {
        **known.sampling,
        "max_tokens": known.max_tokens,
        "stop_token_ids": list(known.stop_token_ids) or None,
        "openai_api_base": _env("LONGCHAIN_BASE_URL") or DEFAULT_URL,
        "openai_api_key": _env("LONGCHAIN_API_KEY") or _env("OPENAI_API_KEY") or "none",
    }


def _env(variable: str) -> str:
    return os.environ.get(variable, "").strip()
