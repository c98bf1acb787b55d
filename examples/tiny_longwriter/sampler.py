"""checkpoint + requests -> sampled replies, many at once.

A cache of keys and values that is allocated once; each row writes at its own place in it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional as F  # noqa: N812

from . import model as llama
from . import tokenizer as tokens

ROOM = 150_000
"""Tokens of a batch's cache, replies included."""


@dataclass(frozen=True)
class Reply:
    """What the model wrote: its text, its ids without the end, and whether it ended by itself."""

    text: str
    ids: list[int]
    ended: bool


class Cache:
    """Keys and values of a batch, by layer."""

    def __init__(self, lengths: Any, most: int):
        self.lengths, self.most = lengths, most
        self.stored: dict[str, tuple[Any, Any]] = {}
        self.mask: Any = None

    def prefill(self, name: str, keys: Any, values: Any) -> tuple[Any, Any, Any]:
        """Store a prompt's keys and values; attention stays causal."""
        batch, heads, time, size = keys.shape
        room = torch.zeros(2, batch, heads, self.most, size)
        room[0, :, :, :time], room[1, :, :, :time] = keys, values
        self.stored[name] = (room[0], room[1])
        return keys, values, None

    def step(self, name: str, keys: Any, values: Any) -> tuple[Any, Any, Any]:
        """Add one token of each row; the mask hides what lies behind it."""
        stored = self.stored[name]
        rows = torch.arange(len(self.lengths))
        stored[0][rows, :, self.lengths] = keys[:, :, 0]
        stored[1][rows, :, self.lengths] = values[:, :, 0]
        end = self.mask.shape[-1]
        return stored[0][:, :, :end], stored[1][:, :, :end], self.mask

    def grow(self) -> None:
        """Make room for the next token of each row."""
        seen = torch.arange(int(self.lengths.max()) + 1)
        self.mask = (seen[None] <= self.lengths[:, None])[:, None, None]


class Sampler:
    """Samples replies from a checkpoint."""

    def __init__(self, folder: Path):
        self.weights, self.shape = llama.load(folder)
        self.table = self.weights["model.embed_tokens.weight"]
        self.tokenizer = tokens.load(folder)
        settings = json.loads((folder / "generation_config.json").read_text())
        self.temperature: float = settings["temperature"]
        self.top_p: float = settings["top_p"]
        self.top_k: int = settings["top_k"]

    def reply(
        self,
        requests: Sequence[list[dict[str, str]]],
        *,
        temperature: float | None = None,
        most: int = 700,
        seed: int = 0,
        begin: str = "",
    ) -> list[Reply]:
        """Return one sampled reply to each request.

        Args:
            requests: Conversations that end with a request.
            temperature: Of sampling; 0 takes the likeliest token, None what the checkpoint says.
            most: Tokens of a reply.
            seed: Chance.
            begin: What every reply begins with, as a grammar would force it.
        """
        temperature = self.temperature if temperature is None else temperature
        chance = torch.Generator().manual_seed(seed)
        forced = self.tokenizer.encode(begin).ids
        prompts = [tokens.encode(self.tokenizer, messages) + forced for messages in requests]
        order = sorted(range(len(prompts)), key=lambda index: len(prompts[index]))
        found: dict[int, list[int]] = {}
        while order:
            size = max(1, min(64, ROOM // (len(prompts[order[-1]]) + most)))
            group, order = order[-size:], order[:-size]
            written = self._batch([prompts[index] for index in group], temperature, most, chance)
            found.update(zip(group, written, strict=True))
        return [self._read(forced + found[index]) for index in range(len(prompts))]

    def _read(self, ids: list[int]) -> Reply:
        ended = tokens.END in ids
        kept = ids[: ids.index(tokens.END)] if ended else ids
        return Reply(self.tokenizer.decode(kept), kept, ended)

    def _batch(
        self, prompts: list[list[int]], temperature: float, most: int, chance: Any
    ) -> list[list[int]]:
        longest = max(map(len, prompts))
        lengths = torch.tensor([len(prompt) for prompt in prompts])
        cache = Cache(lengths, longest + most)
        ids = torch.tensor([p + [tokens.PAD] * (longest - len(p)) for p in prompts])
        written: list[list[int]] = [[] for _ in prompts]
        with torch.inference_mode():
            places = torch.arange(longest).expand(len(prompts), -1)
            states, _ = self._forward(ids, places, cache.prefill)
            state = states[torch.arange(len(prompts)), lengths - 1]
            for _ in range(most):
                token = self._draw(state, temperature, chance)
                for row, index in zip(written, token.tolist(), strict=True):
                    row.append(index)
                if all(tokens.END in row[-1:] or tokens.END in row for row in written):
                    break
                cache.grow()
                states, _ = self._forward(token[:, None], cache.lengths[:, None], cache.step)
                cache.lengths = cache.lengths + 1
                state = states[:, 0]
        return written

    def _forward(self, ids: Any, places: Any, cache: Any) -> tuple[Any, Any]:
        return llama.forward(self.weights, self.table, self.shape, ids, places, cache)

    def _draw(self, state: Any, temperature: float, chance: Any) -> Any:
        logits = F.linear(state, self.table)
        if not temperature:
            return logits.argmax(-1)
        logits, order = logits.topk(self.top_k)  # the likeliest first
        odds = torch.softmax(logits / temperature, dim=-1)
        odds[odds.cumsum(-1) - odds > self.top_p] = 0.0
        drawn = torch.multinomial(odds, 1, generator=chance)
        return order.gather(-1, drawn)[:, 0]
