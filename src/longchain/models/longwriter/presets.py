"""Presets: prompt format, sampling and limits of the published models.

a model's name -> `Preset`

Every other model is asked by its own chat template and sampled as its server does by default.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from longchain.models.longwriter.prompt_formats import Format


@dataclass(frozen=True)
class Preset:
    """Settings for a model, which a caller's own replace."""

    format: Format = "chat"
    """Prompt format that the model was trained on."""

    sampling: dict[str, Any] = field(default_factory=dict)
    """Arguments such as `temperature` and `top_p`, as the model's authors sampled it."""

    max_tokens: int | None = None
    """Tokens of one reply; None: as many as the window holds."""

    stop_token_ids: tuple[int, ...] = ()
    """Token ids that end a reply."""

    max_model_len: int | None = None
    """Context window in tokens to serve the model with."""

    flags: tuple[str, ...] = ()
    """Flags that `vllm serve` needs for the model."""


_LONG = {"temperature": 0.5, "top_p": 0.8, "top_k": 50}

GLM4 = Preset(
    sampling=_LONG,
    max_tokens=32_768,
    # <|endoftext|>, <|user|>, <|observation|> of GLM-4's tokenizer
    stop_token_ids=(151_329, 151_336, 151_338),
    max_model_len=32_768,
    flags=("--trust-remote-code",),
)
"""LongWriter-glm4-9b, as in `vllm_inference.py` of THUDM/LongWriter; its tokenizer runs as code."""

LLAMA = Preset(format="inst", sampling=_LONG, max_tokens=32_768, max_model_len=32_768)
"""LongWriter-llama3.1-8b: its tokenizer has Llama's chat template, which it was not trained on."""

ZERO = Preset(format="zero", sampling={"temperature": 0.6, "top_p": 0.95}, max_tokens=15_500)
"""LongWriter-Zero-32B, which thinks first; sampled as in its model card."""

ALPACA = Preset(format="alpaca", sampling={"temperature": 0.7, "top_p": 0.75, "top_k": 40})
"""Base and LoRA models of the Alpaca kind, which have no chat template."""

_PRESETS_BY_NAME = (
    (re.compile(r"longwriter.*glm-?4", re.IGNORECASE), GLM4),
    (re.compile(r"longwriter.*llama", re.IGNORECASE), LLAMA),
    (re.compile(r"longwriter-?zero", re.IGNORECASE), ZERO),
    (re.compile(r"alpaca|open-?calm", re.IGNORECASE), ALPACA),
)


def preset(name: str, form: Format | None = None) -> Preset:
    """Return the preset for a model's name, or for a prompt format that the caller chose.

    Args:
        name: The model's name, also with its owner or as a path.
        form: A prompt format; it counts more than the name if the name means another format.
    """
    model_name = name.rstrip("/").rpartition("/")[2]
    matches = (known for pattern, known in _PRESETS_BY_NAME if pattern.search(model_name))
    by_name = next(matches, Preset())
    if form is None or form == by_name.format:
        return by_name
    return next((known for known in (LLAMA, ZERO, ALPACA) if known.format == form), Preset())
