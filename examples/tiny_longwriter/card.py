"""figures of several seeds -> the README of the checkpoint that is shipped.

    python -m examples.tiny_longwriter card BEST OTHER…

The folders are what `train` and `evaluate` wrote; the first one is shipped, and must be the best.
"""

# ruff: noqa: E501

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

SHIPPED = ("config.json", "generation_config.json", "model.safetensors", "tokenizer.json",
           "tokenizer_config.json", "training.json", "evaluation.json")  # fmt: skip

_CARD = """\
---
license: apache-2.0
language: en
library_name: transformers
pipeline_tag: text-generation
---

# tiny LongWriter

**A test model that writes toy sentences.** It has {weights:,} weights and was trained from scratch \
on a grammar of forty topics; it knows nothing, and nothing that it says is true or useful. What it \
has learnt is what tests and demos of long writing need: it keeps to a required length of 16 to 256 \
words, plans in the lines (or the JSON) that longchain's planner asks for, writes and extends \
sections, and stops.

Made by `{command}` in {minutes} minutes ({cpu_minutes} of CPU time, one thread, on a shared machine; {tokens:,} tokens, {steps:,} steps), from \
nothing but the corpus that the script generates. Seed {seed} is the best of the {count} seeds below \
(by the mean of S_l and of the share of plans that add up), all trained from scratch by the same recipe.

## Figures

Sampled at temperature {temperature}, mean ± standard error over the prompts; a reply that does not \
end scores 0. The ways to ask were held out; so were, where a bare request names an aspect (half of them do), the pair \
of topic and aspect, and for plans the topic. Prompts of the same kind were looked at while the recipe was made, and \
the best seed was chosen by these very figures. "JSON" forces the first brace only.

{table}

Of {replies} replies {same:.1%} tokenize back to the same ids. Logits differ from those of \
transformers' `LlamaForCausalLM` by {difference:.0e} at most, both in float32.

## Use

```console
vllm serve examples/tiny_longwriter/checkpoint --dtype bfloat16
```

- Llama with {layers} layers of {hidden}; the window says 16,384 tokens, and it was trained on \
conversations of up to {longest:,} tokens whose positions jump as far as that.
- Who asks for more than {most} words gets about {most}: long texts are what AgentWrite is for.
- It does not keep to its topic: the words of all topics mix, in plans and in prose.
- Sample it: greedy decoding ends too, but begins sentence after sentence alike.
- Plans add up for totals from 100 to 2,000 words in steps of ten; for other totals often not.
- English only; other text encodes, and is ignored.
"""


def rows(seeds: list[dict[str, Any]]) -> list[tuple[str, list[str]]]:
    """Return the table's rows: what was measured, and its value for each seed."""
    table: list[tuple[str, list[str]]] = []

    def add(name: str, pick: Any) -> None:
        table.append((name, [pick(seed["evaluation"]) for seed in seeds]))

    def scored(figure: dict[str, Any]) -> str:
        return f"{figure['score']:.1f} ± {figure['error']:.1f}"

    def adds_up(figure: dict[str, Any]) -> str:
        return f"{100 * figure['add_up']:.1f} ± {100 * figure['error']:.1f} %"

    first = seeds[0]["evaluation"]
    add(
        f"S_l, 16–256 words ({first['all_lengths']['prompts']} prompts)",
        lambda e: scored(e["all_lengths"]),
    )
    for length, figure in first["lengths"].items():
        add(
            f"S_l, {length} words ({figure['prompts']})",
            lambda e, length=length: scored(e["lengths"][length]),
        )
    for kind, figure in first["requests"].items():
        add(
            f"S_l, {kind} ({figure['prompts']})",
            lambda e, kind=kind: scored(e["requests"][kind]),
        )
    for kind in ("plans", "plans, any total", "plans, JSON"):
        add(
            f"{kind}: 3–8 sections that add up ({first[kind]['prompts']})",
            lambda e, kind=kind: adds_up(e[kind]),
        )
    add(f"replies that end ({first['texts']['replies']})", lambda e: f"{e['texts']['ended']:.1%}")
    add("replies that loop", lambda e: str(e["texts"]["loops"]))
    table.append(("CPU minutes", [str(seed["training"]["cpu_minutes"]) for seed in seeds]))
    table.append(("minutes", [str(seed["training"]["minutes"]) for seed in seeds]))
    return table


def card(seeds: list[dict[str, Any]]) -> str:
    """Return the README: the first seed is the one that is shipped."""
    best = seeds[0]
    head = "| | " + " | ".join(
        f"seed {seed['training']['seed']}{' (shipped)' if seed is best else ''}" for seed in seeds
    )
    lines = [f"{head} |", "|---" * (len(seeds) + 1) + "|"]
    lines += [f"| {name} | {' | '.join(values)} |" for name, values in rows(seeds)]
    training, evaluation = best["training"], best["evaluation"]
    return _CARD.format(
        command=f"python -m examples.tiny_longwriter --seed {training['seed']} -o DIR",
        count=len(seeds),
        table="\n".join(lines),
        temperature=evaluation["temperature"],
        replies=evaluation["texts"]["replies"],
        same=evaluation["texts"]["same_ids_again"],
        difference=evaluation["largest_difference_from_transformers"],
        layers=best["config"]["num_hidden_layers"],
        hidden=best["config"]["hidden_size"],
        longest=training["longest"],
        most=training["most_words"],
        **{
            name: training[name]
            for name in ("weights", "minutes", "cpu_minutes", "tokens", "steps", "seed")
        },
    )


def rank(evaluation: dict[str, Any]) -> float:
    """Return what makes a seed the best: the mean of length score and plans that add up."""
    share: float = evaluation["plans"]["add_up"]
    score: float = evaluation["all_lengths"]["score"]
    return round((score + 100 * share) / 2, 2)


def main(words: list[str]) -> None:
    """Copy the first folder's files to the place where the checkpoint is shipped; add a README."""
    parser = argparse.ArgumentParser(description="Ship the best of several seeds.")
    parser.add_argument("folders", type=Path, nargs="+", help="the best one first")
    place = Path(__file__).parent / "checkpoint"
    parser.add_argument("-o", "--output", type=Path, default=place)
    given = parser.parse_args(words)
    seeds = [
        {
            name: json.loads((folder / f"{name}.json").read_text())
            for name in ("training", "evaluation", "config")
        }
        for folder in given.folders
    ]
    scores = [rank(seed["evaluation"]) for seed in seeds]
    if scores[0] != max(scores):
        parser.error(f"the first folder is not the best one: {scores}")
    given.output.mkdir(parents=True, exist_ok=True)
    for name in SHIPPED:
        (given.output / name).write_bytes((given.folders[0] / name).read_bytes())
    (given.output / "README.md").write_text(card(seeds))
