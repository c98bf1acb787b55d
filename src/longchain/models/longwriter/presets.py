"""A model's name -> how it wants to be asked: prompt format, sampling, limits.

Knows the published models by name; everything else is asked by its own chat template and sampled
as the server says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from longchain.models.longwriter.formats import Format


@dataclass(frozen=True)
class Preset:
    """What holds for a model where the caller says nothing else."""

    format: Format = "chat"
    sampling: dict[str, Any] = field(default_factory=dict)
    """`temperature`, `top_p` and so on, as its authors sampled it."""

    max_tokens: int | None = None
    """Tokens of one reply; None: as many as the window holds."""

    stop_token_ids: tuple[int, ...] = ()
    max_model_len: int | None = None
    """Context window in tokens to serve it with."""

    flags: tuple[str, ...] = ()
    """What a server of it needs beside."""


_LONG = {"temperature": 0.5, "top_p": 0.8, "top_k": 50}

GLM4 = Preset(
    sampling=_LONG,
    max_tokens=32_768,
    # <|endoftext|>, <|user|>, <|observation|> of GLM-4's tokenizer
    stop_token_ids=(151_329, 151_336, 151_338),
    max_model_len=32_768,
    flags=("--trust-remote-code",),
)
"""LongWriter-glm4-9b, as in `vllm_inference.py` of THUDM/LongWriter; its tokenizer is code."""

LLAMA = Preset(format="inst", sampling=_LONG, max_tokens=32_768, max_model_len=32_768)
"""LongWriter-llama3.1-8b: its tokenizer has Llama's chat template, which it was not trained on."""

ZERO = Preset(format="zero", sampling={"temperature": 0.6, "top_p": 0.95}, max_tokens=15_500)
"""LongWriter-Zero-32B: it thinks first; sampled as in its model card."""

ALPACA = Preset(format="alpaca", sampling={"temperature": 0.7, "top_p": 0.75, "top_k": 40})
"""Base and LoRA models of the Alpaca kind, which have no chat template."""

_NAMES = (
    (re.compile(r"longwriter.*glm-?4", re.IGNORECASE), GLM4),
    (re.compile(r"longwriter.*llama", re.IGNORECASE), LLAMA),
    (re.compile(r"longwriter-?zero", re.IGNORECASE), ZERO),
    (re.compile(r"alpaca|open-?calm", re.IGNORECASE), ALPACA),
)


def preset(name: str, form: Format | None = None) -> Preset:
    """Return the preset of a model, by a prompt format that is named or else by its name.

    Args:
        name: The model's name, also with its owner or as a path.
        form: A prompt format that the caller chose: what is known by the name then holds only
            where that means the same format.
    """
    own = name.rstrip("/").rpartition("/")[2]
    found = next((known for pattern, known in _NAMES if pattern.search(own)), Preset())
    if form is None or form == found.format:
        return found
    return next((p for p in (LLAMA, ZERO, ALPACA) if p.format == form), Preset())
