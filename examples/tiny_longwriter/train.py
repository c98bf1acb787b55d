"""seed -> a folder with a checkpoint, from nothing but a generated corpus, in one go.

corpus -> tokenizer -> rows -> steps -> files. Heads that are thrown away at the end make the
model say at each token of its prose how many words are written and how many are left: with that,
keeping to a length is learnt in minutes.
"""

from __future__ import annotations

import ctypes
import json
import random
import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional as F  # noqa: N812

from . import model as llama
from . import tokenizer as tokens
from .batches import BUCKETS, NUMBER, RECKONED, Batch, Vocabulary, order, tensors
from .corpus import LONGEST, corpus
from .optimizer import Optimizer

COUNTING, PLANNING = 0.25, 1.0
"""Weights of the losses of counting words, and of knowing what was asked and planned."""

WARM, COOL = 0.02, 0.6
"""The shares of training in which the rate rises, and falls to nothing."""

TEMPERATURE, TOP_P, TOP_K = 0.8, 0.95, 64


def train(seed: int, folder: Path, *, share: float = 1.0) -> dict[str, Any]:
    """Train a model from scratch and write it.

    Args:
        seed: Chance: of the corpus, of the first weights and of the order.
        folder: Where the checkpoint goes.
        share: How much of the whole corpus; less for a try.

    Returns:
        What was trained: seed, minutes, tokens, steps, weights.
    """
    began, clock = time.monotonic(), time.process_time()
    torch.set_num_threads(1)
    _keep_memory()
    rng = random.Random(seed)
    examples = list(corpus(seed, share))
    sample = rng.sample(examples, min(len(examples), 3000))
    tokenizer = tokens.build(m["content"] for example in sample for m in example.messages)
    rows = Vocabulary(tokenizer).rows(examples)
    batches = order(rows, rng)
    shape = llama.Shape(tokenizer.get_vocab_size())
    count = sum(len(row.ids) for row in rows)
    print(f"{len(rows):,} conversations, {count:,} tokens, {len(batches):,} steps, {shape}")
    weights = _steps(batches, shape, tokenizer, seed, rng)
    folder.mkdir(parents=True, exist_ok=True)
    known, numbers = _numbers(tokenizer)
    with torch.no_grad():
        table = llama.embeddings(weights, known, numbers)
    llama.save({**weights, "model.embed_tokens.weight": table}, shape, folder)
    tokens.save(tokenizer, folder, llama.WINDOW)
    _generation(folder)
    made = {
        "seed": seed,
        "minutes": round((time.monotonic() - began) / 60, 1),
        "cpu_minutes": round((time.process_time() - clock) / 60, 1),
        "tokens": count,
        "steps": len(batches),
        "weights": llama.size(shape),
        "longest": max(len(row.ids) for row in rows),
        "most_words": LONGEST,
    }
    (folder / "training.json").write_text(json.dumps(made, indent=2) + "\n")
    return made


def _keep_memory() -> None:
    """Keep freed memory: giving it back after each tensor took 13 % of the time."""
    if sys.platform == "linux":
        library = ctypes.CDLL(None)
        if hasattr(library, "mallopt"):  # thresholds of mmap (-3) and of trimming (-1), in bytes
            library.mallopt(-3, 1 << 30)
            library.mallopt(-1, (1 << 31) - 1)


def _numbers(tokenizer: Any) -> tuple[Any, Any]:
    """Return what is known of the numbers that are tokens, and their ids."""
    rows = torch.tensor([tokenizer.token_to_id(str(number)) for number in tokens.NUMBERS])
    return llama.features(tokens.NUMBERS), rows


def _steps(
    batches: list[Any], shape: llama.Shape, tokenizer: Any, seed: int, rng: random.Random
) -> llama.Weights:
    weights = llama.start(shape, seed)
    known, numbers = _numbers(tokenizer)
    # A number is mostly what is known of it; that part is large, for it must also tell apart the
    # numbers that are predicted.
    weights["model.embed_tokens.weight"][numbers] *= 0.5
    chance = torch.Generator().manual_seed(seed)
    drawn = torch.randn(known.shape[1], shape.hidden, generator=chance)
    weights[f"{llama.NUMBERS}.weight"] = 0.04 * drawn
    for name in ("written", "left"):
        weights[f"{name}.weight"] = torch.zeros(BUCKETS, shape.hidden)
    weights["asked.weight"] = torch.zeros(40, shape.hidden)
    weights["reckoned.weight"] = torch.zeros(10 * RECKONED, shape.hidden)
    weights["counting.weight"] = torch.ones(shape.hidden)
    for value in weights.values():
        value.requires_grad_()
    optimizer = Optimizer(weights)
    began, seen = time.monotonic(), 0
    means: list[float] = []
    budgets = 5.0
    for number, rows in enumerate(batches):
        batch = tensors(rows, rng)
        table = llama.embeddings(weights, known, numbers)
        with torch.autocast("cpu", torch.bfloat16):  # half the time where the CPU knows it
            loss, counting, planned = losses(weights, table, shape, batch)
        (loss + counting).backward()
        done = number / len(batches)
        optimizer.step(min(1.0, (done + 0.001) / WARM, (1 - done) / COOL))
        seen += batch.ids.numel()
        fresh = [loss.item(), counting.item()]
        means = [m + 0.02 * (f - m) for m, f in zip(means or fresh, fresh, strict=True)]
        budgets += 0.05 * (planned - budgets) if planned else 0.0
        if number % 100 == 99:
            speed = seen / (time.monotonic() - began)
            print(
                f"step {number + 1:,}: loss {means[0]:.3f}, counting {means[1]:.3f}, "
                f"budgets {budgets:.3f}, {speed:,.0f} tokens/s",
                flush=True,
            )
    return weights


def losses(weights: Any, table: Any, shape: llama.Shape, batch: Batch) -> tuple[Any, Any, float]:
    """Return the loss of the next token, that of counting, and that of a plan's numbers alone."""
    last, before = llama.forward(weights, table, shape, batch.ids, batch.positions)
    logits = F.linear(last.flatten(0, 1)[batch.where], table)
    each = F.cross_entropy(logits.float(), batch.targets, reduction="none")
    loss = (each * batch.weights).sum() / batch.weights.sum()
    numbers = each.detach()[batch.weights == NUMBER]
    planned = float(numbers.mean()) if len(numbers) else 0.0

    def head(name: str, places: Any, wanted: Any, classes: int) -> Any:
        inner = llama.norm(before.flatten(0, 1)[places], weights["counting.weight"])
        said = F.linear(inner, weights[f"{name}.weight"]).view(-1, classes)
        each = F.cross_entropy(said.float(), wanted.flatten(), reduction="none")
        return each.sum() / max(len(each), 1)  # a batch may hold no such place

    counting = head("written", batch.counted, batch.written, BUCKETS)
    counting = counting + head("left", batch.counted, batch.left, BUCKETS)
    reckoning = head("reckoned", batch.planned, batch.reckoned, 10)
    reckoning = reckoning + head("asked", batch.begun, batch.asked, 10)
    return loss, COUNTING * counting + PLANNING * reckoning, planned


def _generation(folder: Path) -> None:
    """Write how to sample: a server takes it as its default."""
    settings = {
        "do_sample": True,
        "temperature": TEMPERATURE,
        "top_p": TOP_P,
        "top_k": TOP_K,
        "eos_token_id": tokens.END,
        "pad_token_id": tokens.PAD,
    }
    (folder / "generation_config.json").write_text(json.dumps(settings, indent=2) + "\n")
