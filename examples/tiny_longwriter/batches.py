"""conversations -> batches of ids, positions, losses, and what is written and left at each token.

A batch holds conversations of about the same length. Positions sometimes jump between or inside
requests, as if thousands of tokens stood there: so far turns are no surprise in a long document,
though training pays for short ones.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from .corpus import Example
from .model import WINDOW
from .tokenizer import ASSISTANT, END, NUMBERS, PAD, ROLES

LONGEST = 3600
"""Tokens of the longest conversation that is kept."""

SIZE = 2048
"""Tokens of a batch, padding included."""

EARLY, SHORT = 0.35, 700
"""The first share of training sees only conversations of at most so many tokens."""

NEAR = 48
"""Tokens at a request's end that stay together: the length is there."""

PROSE, SENTENCE, NUMBER, STOP = 0.6, 2.5, 5.0, 4.0
"""Weights of losses: a word of prose, what follows a sentence, a number of a plan, the end."""

BUCKETS = 52
RECKONED = 9
"""Digits that are known of a plan."""


@dataclass
class Row:
    """One conversation, token by token; `weights[i]` is that of predicting token `i`."""

    ids: list[int]
    weights: list[float]
    written: list[int]
    """Words of the reply so far, at each of its tokens; -1 elsewhere."""
    left: list[int]
    reckoned: list[tuple[int, list[int]]]
    """Tokens of plans, and what a planner must know there: see `reckoning`."""
    asked: list[tuple[int, list[int]]]
    """Where replies begin, and the digits of the last number of their requests."""
    starts: list[int]
    """Where positions may jump."""


def bucket(count: int) -> int:
    """Return the class of a number of words: exact below 12, then eight classes per doubling."""
    return count if count < 12 else min(12 + int(8 * math.log2(count / 12)), BUCKETS - 1)


def reckoning(total: int, budget: int, left: int) -> list[int]:
    """Return digits that say what a planner knows: the total, the next budget, sections left."""
    return [*digits(total), *digits(budget), left]


def digits(number: int) -> list[int]:
    """Return the four digits of a number."""
    return [number // place % 10 for place in (1000, 100, 10, 1)]


class Vocabulary:
    """What batches must know of tokens."""

    def __init__(self, tokenizer: Any):
        self.tokenizer = tokenizer
        vocabulary = tokenizer.get_vocab()
        self.stops = {index for token, index in vocabulary.items() if token in (".", ".Ċ")}
        self.breaks = {index for token, index in vocabulary.items() if set(token) == {"Ċ"}}
        self.numbers = {vocabulary[str(number)]: number for number in NUMBERS}
        self.spaced = {index for token, index in vocabulary.items() if token[0] == "Ġ"}

    def rows(self, examples: list[Example]) -> list[Row]:
        """Return conversations as rows; those that are too long are left out."""
        texts = [message["content"] for example in examples for message in example.messages]
        encoded = iter(self.tokenizer.encode_batch(texts, add_special_tokens=False))
        rows = []
        for example in examples:
            row = Row([], [], [], [], [], [], [])
            number_asked: int | None = None
            for number, message in enumerate(example.messages):
                ids = next(encoded).ids
                if message["role"] == "assistant":
                    if number_asked is not None:
                        row.asked.append((len(row.ids), digits(number_asked)))
                    if example.kind in ("plan", "json"):
                        self._plan(row, ids, every=example.forced)
                    self._reply(row, ids, number in example.prose, example.forced)
                else:
                    found = [self.numbers[token] for token in ids if token in self.numbers]
                    number_asked = found[-1] if found else None
                    free = range(len(row.ids), len(row.ids) + max(len(ids) - NEAR, 1))
                    row.starts += free
                    self._add(row, [ROLES[message["role"]], *ids, END])
            if len(row.ids) <= LONGEST:
                rows.append(row)
        return rows

    def _add(self, row: Row, ids: list[int]) -> None:
        row.ids += ids
        row.weights += [0.0] * len(ids)
        row.written += [-1] * len(ids)
        row.left += [-1] * len(ids)

    def _reply(self, row: Row, ids: list[int], prose: bool, forced: bool) -> None:
        weights, written = [0.0], [0]
        before = ASSISTANT
        for token in ids:
            weights.append(self._weight(token, before, prose))
            begins = token in self.spaced or before in self.breaks or before == ASSISTANT
            begins = begins and token not in self.breaks
            written.append(written[-1] + begins)
            before = token
        if forced:
            weights[1] = 0.0
        row.ids += [ASSISTANT, *ids, END]
        row.weights += [*weights, STOP]
        row.written += [*written, -1] if prose else [-1] * (len(ids) + 2)
        whole = written[-1]
        row.left += [*(whole - n for n in written), -1] if prose else [-1] * (len(ids) + 2)

    def _plan(self, row: Row, ids: list[int], *, every: bool) -> None:
        """Note what must be known at each token; in lines, every other number counts sections."""
        places = [at for at, token in enumerate(ids) if token in self.numbers]
        places = places if every else places[1::2]
        budgets = [self.numbers[ids[at]] for at in places]
        reached = 0
        for at in range(-1, places[-1]):
            reached += at == places[reached]
            known = reckoning(sum(budgets), budgets[reached], len(budgets) - reached)
            row.reckoned.append((len(row.ids) + 1 + at, known))

    def _weight(self, token: int, before: int, prose: bool) -> float:
        if not prose:
            return NUMBER if token in self.numbers else 1.0
        return SENTENCE if before in self.stops else PROSE


def order(rows: list[Row], rng: random.Random) -> list[list[Row]]:
    """Return batches in the order in which training sees them: short conversations first."""
    rows = rng.sample(rows, len(rows))
    whole = sum(len(row.ids) for row in rows)
    early: list[Row] = []
    late: list[Row] = []
    seen = 0
    for row in rows:
        first = seen < EARLY * whole and len(row.ids) <= SHORT
        (early if first else late).append(row)
        seen += len(row.ids) if first else 0
    return [*_batches(early, rng), *_batches(late, rng)]


def _batches(rows: list[Row], rng: random.Random) -> Iterator[list[Row]]:
    found: list[list[Row]] = []
    for at in range(0, len(rows), 640):
        batch: list[Row] = []
        for row in sorted(rows[at : at + 640], key=lambda row: len(row.ids)):
            if batch and len(row.ids) * (len(batch) + 1) > SIZE:
                found.append(batch)
                batch = []
            batch.append(row)
        found.append(batch)
    rng.shuffle(found)
    # Windows are small against the whole, so shuffling all batches keeps kinds mixed.
    return iter(found)


def positions(row: Row, rng: random.Random) -> list[int]:
    """Return a row's positions, half of the time with one to three jumps."""
    jumps = [0] * len(row.ids)
    if rng.random() < 0.5:
        count = rng.randint(1, 3)
        room = WINDOW - len(row.ids) - 1
        for start in rng.sample(row.starts, min(count, len(row.starts))):
            jumps[start] = int(20 * (room / count / 20) ** rng.random())
    places, at = [], -1
    for jump in jumps:
        at += 1 + jump
        places.append(at)
    return places


@dataclass
class Batch:
    """Tensors of one step; `where` are flat places whose next token has a loss."""

    ids: Any
    positions: Any
    where: Any
    targets: Any
    weights: Any
    counted: Any
    """Flat places inside of prose."""
    written: Any
    left: Any
    planned: Any
    """Flat places inside of plans."""
    reckoned: Any
    begun: Any
    """Flat places where replies begin."""
    asked: Any


def tensors(rows: list[Row], rng: random.Random) -> Batch:
    """Return rows as the tensors of one step, padded at the right."""
    longest = max(len(row.ids) for row in rows)
    ids, places = [], []
    where, targets, weights = [], [], []
    counted, written, left = [], [], []
    planned, reckoned = [], []
    begun, asked = [], []
    for number, row in enumerate(rows):
        pad = longest - len(row.ids)
        ids.append(row.ids + [PAD] * pad)
        places.append(positions(row, rng) + [0] * pad)
        base = number * longest
        for at, weight in enumerate(row.weights):
            if weight:
                where.append(base + at - 1)
                targets.append(row.ids[at])
                weights.append(weight)
            if row.written[at] >= 0:
                counted.append(base + at)
                written.append(bucket(row.written[at]))
                left.append(bucket(row.left[at]))
        planned += [base + at for at, _ in row.reckoned]
        reckoned += [known for _, known in row.reckoned]
        begun += [base + at for at, _ in row.asked]
        asked += [known for _, known in row.asked]
    whole: list[Any] = [ids, places, where, targets, weights, counted, written, left]
    whole += [planned, reckoned, begun, asked]
    kinds = [torch.float if column is weights else torch.long for column in whole]
    made = [torch.tensor(column, dtype=kind) for column, kind in zip(whole, kinds, strict=True)]
    return Batch(*made)
