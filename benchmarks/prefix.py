"""Prefix work on a real vLLM: prompt tokens that it computes for each token that it writes.

Both layouts of `AgentWriteChain` write the same plan, with vLLM's prefix cache in blocks of several
sizes and without it; the figures are vLLM's own counters. What is computed is then told apart, by
the token ids that the server took and gave: what is new in a prompt, what the server had written
but does not find again (text that was trimmed, or tokenizes otherwise), and what the cache misses
since it holds whole blocks only.

    python -m benchmarks.prefix [--sections 20] [--tokens 400] [--check]
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.engine import Counters, arguments, counters, serving
from benchmarks.layouts import INSTRUCTION, plan_of
from longchain import AgentWriteChain, LongWriterLLM
from longchain.agent.writing.section_prompt import Layout
from longchain.models.longwriter.http import httpx

LAYOUTS: tuple[Layout, ...] = ("conversation", "paper")
SERVERS: dict[str, tuple[str, ...]] = {
    "32": ("--block-size", "32"),
    "128": ("--block-size", "128"),
    "off": ("--no-enable-prefix-caching",),
}
"""Sizes of the cache's blocks in tokens, and the flags that set them."""

WORDS = 100
"""Planned words of a section. What it gets is set in tokens: quality is no matter here."""

MOST, BELOW_PAPER = 0.5, 0.5
"""The most that `conversation` may compute per token, and the most of what `paper` computes."""

PROMISED = ("32",)
"""Block sizes for which that is promised. A CPU's are multiples of 32, vLLM's default there is 128;
a GPU's begin at 16."""


@dataclass
class Recorded:
    """The token ids of one request and its answer."""

    prompt: list[int]
    output: list[int]
    cached: int


@dataclass
class Outcome:
    """What one document took, by the server's counters, and why."""

    taken: Counters
    requests: list[Recorded] = field(default_factory=list)

    def per_token(self) -> float:
        """Computed prompt tokens per output token."""
        return self.taken.computed / self.taken.output

    def parts(self) -> tuple[float, float, float]:
        """Tell the computed tokens apart, per output token: new, not found again, whole blocks."""
        new = lost = blocks = 0
        before: list[int] = []
        for one in self.requests:
            common = shared(before, one.prompt)
            lost += len(before) - common
            new += len(one.prompt) - len(before)
            blocks += common - one.cached
            before = one.prompt + one.output
        return new / self.taken.output, lost / self.taken.output, blocks / self.taken.output


def shared(before: list[int], now: list[int]) -> int:
    """Return how many tokens two lists have in common at their beginning."""
    pairs = enumerate(zip(before, now, strict=False))
    return next((at for at, (old, new) in pairs if old != new), min(len(before), len(now)))


def recording(
    model: LongWriterLLM, into: list[Recorded], *, salt: str, tokens: int
) -> LongWriterLLM:
    """Return the same model, whose answers are recorded with their token ids.

    Args:
        model: The model.
        into: Where the records go.
        salt: Keeps a document from finding what an earlier one has left in the cache.
        tokens: The least that it writes at once.
    """

    def note(response: Any) -> None:
        if not response.request.url.path.endswith("/chat/completions"):
            return
        response.read()
        answer = json.loads(response.content)
        cached = (answer["usage"].get("prompt_tokens_details") or {}).get("cached_tokens") or 0
        ids = answer["choices"][0]["token_ids"]
        into.append(Recorded(answer["prompt_token_ids"], ids, cached))

    client = httpx.Client(event_hooks={"response": [note]}, timeout=600.0)
    return LongWriterLLM(
        model=model.model_name,
        base_url=model.openai_api_base,
        http_client=client,
        extra_body={"return_token_ids": True, "cache_salt": salt},
        min_tokens=tokens,
    )


def write(model: LongWriterLLM, layout: Layout, sections: int, tokens: int) -> Outcome:
    """Write one document and read the server's counters."""
    recorded: list[Recorded] = []
    own = recording(model, recorded, salt=f"prefix-{layout}", tokens=tokens)
    chain = AgentWriteChain(own, layout=layout, memory="full", length_control=False)
    before = counters(model)
    chain.invoke({"instruction": INSTRUCTION, "plan": plan_of(sections, WORDS)})
    return Outcome(counters(model).since(before), recorded)


def measure(path: Path, sections: int, tokens: int) -> Iterator[tuple[str, Layout, Outcome]]:
    """Write in both layouts on every server."""
    for blocks, flags in SERVERS.items():
        with serving(path, *flags) as model:
            for layout in LAYOUTS:
                yield blocks, layout, write(model, layout, sections, tokens)


def row(blocks: str, layout: Layout, outcome: Outcome) -> str:
    """Return one line of the table."""
    taken = outcome.taken
    parts = [f"{part:.2f}" if blocks != "off" else "" for part in outcome.parts()]
    counts = [len(outcome.requests), taken.prompt, taken.computed, taken.output]
    cells = [layout, blocks, *(f"{count:,}" for count in counts), f"{outcome.per_token():.2f}"]
    return f"| {' | '.join([*cells, *parts])} |"


def failures(found: dict[tuple[str, Layout], float]) -> list[str]:
    """Return what does not hold of what the layouts promise."""
    wrong = []
    for blocks in PROMISED:
        ours, paper = found[blocks, "conversation"], found[blocks, "paper"]
        if ours > MOST:
            wrong.append(f"blocks of {blocks}: conversation computes {ours:.2f} > {MOST}")
        if ours > BELOW_PAPER * paper:
            wrong.append(f"blocks of {blocks}: {ours:.2f} > {BELOW_PAPER} x {paper:.2f} of paper")
    return wrong


def main() -> int:
    """Print the table; with `--check`, fail where a promise does not hold."""
    parser = arguments(__doc__)
    parser.add_argument("--sections", type=int, default=20)
    parser.add_argument("--tokens", type=int, default=400, help="least tokens of each section")
    options = parser.parse_args()
    print(
        "| prompts | blocks | requests | prompt tokens | computed | written "
        "| computed per token written | new | not found again | whole blocks |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    found: dict[tuple[str, Layout], float] = {}
    for blocks, layout, outcome in measure(options.model, options.sections, options.tokens):
        print(row(blocks, layout, outcome), flush=True)
        found[blocks, layout] = outcome.per_token()
    wrong = failures(found)
    print("\n".join(wrong) or "Every promise holds.")
    return int(options.check and bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
