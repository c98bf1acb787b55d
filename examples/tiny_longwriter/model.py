"""A Llama in a dictionary of tensors: ids + positions -> hidden states -> logits.

The names are Hugging Face's, so that exporting is saving; the mathematics is that of
`LlamaForCausalLM`, which `evaluate.py` checks. While it is trained, numbers take their embeddings
from what they are, and heads that are not exported say at each token how much of the reply is
written and how much is left.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional as F  # noqa: N812

from . import tokenizer as tokens

Weights = dict[str, Any]

WINDOW = 16_384
THETA = 10_000.0
EPSILON = 1e-5
PERIODS = (5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
NUMBERS = "numbers"
"""Prefix of what is not exported."""


@dataclass(frozen=True)
class Shape:
    """The sizes of a model."""

    vocabulary: int
    hidden: int = 128
    layers: int = 4
    heads: int = 4
    feed_forward: int = 384

    @property
    def head(self) -> int:
        """The size of a head."""
        return self.hidden // self.heads


def start(shape: Shape, seed: int) -> Weights:
    """Return fresh weights, those of the training heads included."""
    chance = torch.Generator().manual_seed(seed)

    def drawn(rows: int, columns: int, scale: float) -> Any:
        return torch.randn(rows, columns, generator=chance) * scale

    size, wide = shape.hidden, shape.feed_forward
    weights = {"model.embed_tokens.weight": drawn(shape.vocabulary, size, 0.04)}
    for layer in range(shape.layers):
        name = f"model.layers.{layer}."
        for part in "qkv":
            weights[f"{name}self_attn.{part}_proj.weight"] = drawn(size, size, size**-0.5)
        weights[f"{name}self_attn.o_proj.weight"] = drawn(size, size, 0.2 * size**-0.5)
        weights[f"{name}mlp.gate_proj.weight"] = drawn(wide, size, size**-0.5)
        weights[f"{name}mlp.up_proj.weight"] = drawn(wide, size, size**-0.5)
        weights[f"{name}mlp.down_proj.weight"] = drawn(size, wide, 0.2 * wide**-0.5)
        weights[f"{name}input_layernorm.weight"] = torch.ones(size)
        weights[f"{name}post_attention_layernorm.weight"] = torch.ones(size)
    weights["model.norm.weight"] = torch.ones(size)
    return weights


def features(numbers: tuple[int, ...]) -> Any:
    """Return what is known of each number: that it is one, and waves of it and of its logarithm.

    A digit on a circle takes two dimensions instead of ten, and a head has only 32.
    """
    values = torch.tensor(numbers, dtype=torch.float32)[:, None]
    waves = [values / period for period in PERIODS]
    waves += [torch.log1p(values) * rate for rate in (0.05, 0.1, 0.2, 0.4, 0.8)]
    turns = 2 * math.pi * torch.cat(waves, dim=1)
    return torch.cat([torch.ones_like(values), turns.sin(), turns.cos()], dim=1)


def embeddings(weights: Weights, known: Any, rows: Any) -> Any:
    """Return the embeddings, those of the numbers with what is known of them."""
    table = weights["model.embed_tokens.weight"]
    return table.index_add(0, rows, known @ weights[f"{NUMBERS}.weight"])


def norm(x: Any, scale: Any) -> Any:
    """Normalize by the root of the mean square."""
    return F.rms_norm(x, (x.shape[-1],), scale, EPSILON)


def waves(shape: Shape, positions: Any) -> tuple[Any, Any]:
    """Return cosines and sines of rotary positions, (batch, 1, time, head)."""
    steps = torch.arange(0, shape.head, 2, dtype=torch.float32) / shape.head
    angles = positions[:, None, :, None].float() * THETA**-steps
    angles = torch.cat([angles, angles], dim=-1)
    return angles.cos(), angles.sin()


def rotate(x: Any, turn: tuple[Any, Any]) -> Any:
    """Turn queries or keys by their positions."""
    left, right = x.chunk(2, dim=-1)
    return x * turn[0] + torch.cat([-right, left], dim=-1) * turn[1]


def attend(weights: Weights, name: str, x: Any, shape: Shape, turn: Any, cache: Any) -> Any:
    """Return what a layer's attention adds; `cache` takes keys and values, and gives all so far."""
    batch, time, _ = x.shape
    parts = []
    for part in "qkv":
        y = F.linear(x, weights[f"{name}self_attn.{part}_proj.weight"])
        parts.append(y.view(batch, time, shape.heads, shape.head).transpose(1, 2))
    queries, keys, values = rotate(parts[0], turn), rotate(parts[1], turn), parts[2]
    mask = None
    if cache is not None:
        keys, values, mask = cache(name, keys, values)
    with torch.autocast("cpu", enabled=False):  # in bfloat16 it takes three times as long
        whole = [part.float() for part in (queries, keys, values)]
        y = F.scaled_dot_product_attention(*whole, mask, is_causal=mask is None)
    y = y.transpose(1, 2).reshape(batch, time, shape.hidden)
    return F.linear(y, weights[f"{name}self_attn.o_proj.weight"])


def forward(
    weights: Weights, table: Any, shape: Shape, ids: Any, positions: Any, cache: Any = None
) -> tuple[Any, Any]:
    """Return the last hidden states, normalized, and those before the last layer."""
    x = F.embedding(ids, table)
    turn = waves(shape, positions)
    before = x
    for layer in range(shape.layers):
        name = f"model.layers.{layer}."
        before = x
        y = norm(x, weights[f"{name}input_layernorm.weight"])
        x = x + attend(weights, name, y, shape, turn, cache)
        y = norm(x, weights[f"{name}post_attention_layernorm.weight"])
        gate = F.silu(F.linear(y, weights[f"{name}mlp.gate_proj.weight"]))
        y = gate * F.linear(y, weights[f"{name}mlp.up_proj.weight"])
        x = x + F.linear(y, weights[f"{name}mlp.down_proj.weight"])
    return norm(x, weights["model.norm.weight"]), before


def save(weights: Weights, shape: Shape, folder: Path) -> None:
    """Write weights and configuration as Hugging Face's Llama, in bfloat16."""
    kept = {
        name: value.detach().to(torch.bfloat16).contiguous()
        for name, value in weights.items()
        if name.startswith("model.")
    }
    save_file(kept, str(folder / "model.safetensors"), metadata={"format": "pt"})
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "dtype": "bfloat16",
        "torch_dtype": "bfloat16",
        "vocab_size": shape.vocabulary,
        "hidden_size": shape.hidden,
        "intermediate_size": shape.feed_forward,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.heads,
        "head_dim": shape.head,
        "hidden_act": "silu",
        "rms_norm_eps": EPSILON,
        "max_position_embeddings": WINDOW,
        "rope_theta": THETA,
        "rope_parameters": {"rope_type": "default", "rope_theta": THETA},
        "attention_bias": False,
        "mlp_bias": False,
        "attention_dropout": 0.0,
        "initializer_range": 0.02,
        "tie_word_embeddings": True,
        "use_cache": True,
        "bos_token_id": None,
        "eos_token_id": tokens.END,
        "pad_token_id": tokens.PAD,
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")


def load(folder: Path) -> tuple[Weights, Shape]:
    """Read what `save` wrote, as float32."""
    config = json.loads((folder / "config.json").read_text())
    shape = Shape(
        config["vocab_size"],
        config["hidden_size"],
        config["num_hidden_layers"],
        config["num_attention_heads"],
        config["intermediate_size"],
    )
    stored = load_file(str(folder / "model.safetensors"))
    return {name: value.float() for name, value in stored.items()}, shape


def size(shape: Shape) -> int:
    """Return the number of exported weights."""
    made = start(shape, 0)
    return sum(math.prod(value.shape) for value in made.values())
