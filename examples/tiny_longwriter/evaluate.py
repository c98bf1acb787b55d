"""checkpoint -> figures with standard errors, on prompts that training never shows.

    python -m examples.tiny_longwriter evaluate DIR

Replies are sampled as `generation_config.json` says. A reply that does not end scores 0. Held out
are the ways to ask, pairs of topic and aspect, and for plans whole topics.
"""

from __future__ import annotations

import argparse
import json
import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from longchain import WritingPlanParser
from longchain.bench.score import duplicate_sentences, length_score
from longchain.errors import PlanError
from longchain.prose.loops import loop_start

from . import corpus
from . import requests as ask
from .lexicon import TOPICS
from .outlines import FEWEST, MOST, given
from .prose import write
from .sampler import Reply, Sampler

LENGTHS = (16, 32, 64, 96, 128, 192, 256)
PROMPTS = 48
"""Prompts for each length and kind."""

LONG_PROMPTS = 24
"""Prompts of several thousand tokens."""

Figure = dict[str, Any]
Request = tuple[list[dict[str, str]], int]
"""A conversation that ends with a request, and the length it asks for."""


def mean(values: Sequence[float]) -> tuple[float, float]:
    """Return the mean and its standard error."""
    middle = sum(values) / len(values)
    spread = sum((value - middle) ** 2 for value in values) / max(len(values) - 1, 1)
    return middle, math.sqrt(spread / len(values))


def score(reply: Reply, length: int) -> float:
    """Return the length score of a reply; 0 if it does not end."""
    return length_score(length, len(reply.text.split())) if reply.ended else 0.0


def direct(rng: random.Random, length: int) -> Request:
    """Return a bare request, in a way and about a pair that training never shows."""
    topic, aspect = corpus.pair(rng, unseen=True)
    shown = f"the {topic.name}"
    if rng.random() < 0.5:
        shown += f" and its {aspect.nouns[0]}"
    text = ask.HELD_OUT_ORDERS[rng.randrange(len(ask.HELD_OUT_ORDERS))].format(x=shown, n=length)
    return [{"role": "user", "content": text}], length


def section(rng: random.Random, layout: Any, count: int) -> Request:
    """Return the library's request for the last section of a plan, in one of its layouts."""
    topic = rng.choice(TOPICS)
    made = given(topic, [rng.choice((60, 80, 100, 120, 150)) for _ in range(count)], rng)
    events, _, _ = corpus.written(rng, made, count, 150)
    while events and events[-1]["section"] == count - 1:  # only the section's first request
        events.pop()
    instruction = ask.HELD_OUT_ORDERS[0].format(x=f"the {topic.name}", n=count * 100)
    asked = rng.randint(30, 200)
    log = [*ask.log(instruction, made.plan(), count * 100), *events]
    return ask.to_write(log, count - 1, "write", asked, layout=layout), asked


def extension(rng: random.Random) -> Request:
    """Return the library's request to go on with a section."""
    topic = rng.choice(TOPICS)
    made = given(topic, [150] * 4, rng)
    events, _, _ = corpus.written(rng, made, 4, 120)
    while events and events[-1]["section"] == 3:
        events.pop()
    text = write(topic, made.aspects[3], rng.randint(40, 120), rng)
    events.append(ask.piece(3, "write", 100, "", text, done=False))
    asked = rng.randint(15, 120)
    log = [*ask.log(f"Write a handbook on the {topic.name}.", made.plan(), 600), *events]
    return ask.to_write(log, 3, "extend", asked), asked


def whole(rng: random.Random) -> Request:
    """Return the library's request in direct mode."""
    topic, _ = corpus.pair(rng, unseen=True)
    length = rng.randint(30, 256)
    order = rng.choice(ask.HELD_OUT_ORDERS).format(x=f"the {topic.name}", n=length)
    log = ask.log(order, ask.whole(order, length), length)
    return ask.to_write(log, 0, "write", length, mode="direct"), length


def lengths_of(sampler: Sampler, requests: list[Request], seed: int) -> tuple[Figure, list[Reply]]:
    """Return how well replies keep to the lengths asked."""
    replies = sampler.reply([messages for messages, _ in requests], seed=seed)
    scores = [score(reply, asked) for reply, (_, asked) in zip(replies, requests, strict=True)]
    ratios = [
        len(reply.text.split()) / asked for reply, (_, asked) in zip(replies, requests, strict=True)
    ]
    middle, error = mean(scores)
    figure = {
        "prompts": len(requests),
        "score": round(middle, 2),
        "error": round(error, 2),
        "ended": round(sum(reply.ended for reply in replies) / len(replies), 4),
        "within_15": round(sum(abs(ratio - 1) <= 0.15 for ratio in ratios) / len(ratios), 3),
        "ratio": round(sum(ratios) / len(ratios), 3),
    }
    return figure, replies


def plan_of(text: str, total: int) -> bool:
    """Whether a reply is a plan of three to eight sections that add up."""
    parser = WritingPlanParser(unit="words", language="en", required=total, level="section")
    try:
        made = parser.invoke(text)
    except PlanError:
        return False
    return FEWEST <= len(made.sections) <= MOST and made.length == total


def plans(sampler: Sampler, totals: Sequence[int], seed: int, *, begin: str = "") -> Figure:
    """Return how many plans can be read and add up, on topics whose plans were never shown."""
    rng = random.Random(seed)
    requests = []
    for total in totals:
        topic = rng.choice([topic for topic in TOPICS if corpus.unplanned(topic)])
        order = rng.choice(ask.HELD_OUT_ORDERS).format(x=f"the {topic.name}", n=f"{total:,}")
        requests.append(ask.to_plan(order, total))
    replies = sampler.reply(requests, seed=seed, begin=begin)
    good = [
        float(reply.ended and plan_of(reply.text, total))
        for reply, total in zip(replies, totals, strict=True)
    ]
    share, error = mean(good)
    missed = [total for total, fine in zip(totals, good, strict=True) if not fine]
    return {
        "prompts": len(totals),
        "add_up": round(share, 4),
        "error": round(error, 4),
        "ended": round(sum(reply.ended for reply in replies) / len(replies), 4),
        "missed": missed[:20],
    }


def evaluate(folder: Path, *, seed: int = 1234) -> Figure:
    """Return all figures of a checkpoint."""
    sampler = Sampler(folder)
    rng = random.Random(seed)
    figures: Figure = {
        "temperature": sampler.temperature,
        "top_p": sampler.top_p,
        "top_k": sampler.top_k,
    }
    figures |= {"lengths": {}, "requests": {}}
    replies: list[Reply] = []
    scores: list[float] = []
    for length in LENGTHS:
        asked = [direct(rng, length) for _ in range(PROMPTS)]
        figure, found = lengths_of(sampler, asked, seed + length)
        figures["lengths"][str(length)] = figure
        replies += found
        scores += [score(reply, length) for reply in found]
    middle, error = mean(scores)
    figures["all_lengths"] = {
        "prompts": len(scores), "score": round(middle, 2), "error": round(error, 2)
    }  # fmt: skip
    kinds = {
        "section, conversation": [section(rng, "conversation", 5) for _ in range(PROMPTS)],
        "section, paper": [section(rng, "paper", 5) for _ in range(PROMPTS)],
        "section 20, conversation": [section(rng, "conversation", 20) for _ in range(LONG_PROMPTS)],
        "section 20, paper": [section(rng, "paper", 20) for _ in range(LONG_PROMPTS)],
        "extension": [extension(rng) for _ in range(PROMPTS)],
        "direct mode": [whole(rng) for _ in range(PROMPTS)],
    }
    for number, (kind, asked) in enumerate(kinds.items()):
        figures["requests"][kind], found = lengths_of(sampler, asked, seed + number)
        replies += found
    tens = range(100, 2001, 10)
    figures["plans"] = plans(sampler, tens, seed)
    odd = [total for total in rng.sample(range(100, 2001), 120) if total % 10][:60]
    figures["plans, any total"] = plans(sampler, odd, seed + 1)
    figures["plans, JSON"] = plans(sampler, tens[::3], seed + 2, begin="{")
    figures["texts"] = texts(sampler, replies)
    return figures


def texts(sampler: Sampler, replies: list[Reply]) -> Figure:
    """Return what can be said of the prose itself."""
    again = [sampler.tokenizer.encode(reply.text).ids == reply.ids for reply in replies]
    long = [reply.text for reply in replies if len(reply.text.split()) > 150]
    return {
        "replies": len(replies),
        "ended": round(sum(reply.ended for reply in replies) / len(replies), 4),
        "same_ids_again": round(sum(again) / len(again), 4),
        "loops": sum(loop_start(reply.text) is not None for reply in replies),
        "duplicate_sentences_per_long_reply": round(
            sum(len(duplicate_sentences(text)) for text in long) / max(len(long), 1), 4
        ),
    }


def same_as_transformers(folder: Path) -> float:
    """Return the largest difference from the logits that transformers computes."""
    import torch
    from torch.nn import functional as F  # noqa: N812
    from transformers import AutoModelForCausalLM, AutoTokenizer

    sampler = Sampler(folder)
    theirs = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    messages, _ = direct(random.Random(0), 64)
    ids = tokenizer.apply_chat_template(
        messages, add_generation_prompt=True, return_dict=True, return_tensors="pt"
    )["input_ids"]
    with torch.inference_mode():
        places = torch.arange(ids.shape[1])[None]
        states, _ = sampler._forward(ids, places, None)
        ours = F.linear(states, sampler.table)
        return float((ours - theirs(ids).logits).abs().max())


def main(words: list[str]) -> None:
    """Print the figures of a checkpoint, and keep them in it as `evaluation.json`."""
    parser = argparse.ArgumentParser(description="Measure a tiny LongWriter.")
    parser.add_argument("folder", type=Path)
    given = parser.parse_args(words)
    import torch

    torch.set_num_threads(1)
    figures = evaluate(given.folder)
    figures["largest_difference_from_transformers"] = same_as_transformers(given.folder)
    (given.folder / "evaluation.json").write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))
