"""Memory: what the prompts of a book take, with a running summary and with the whole text.

`memory="summary"` writes on a server whose window holds a twentieth of the longest book;
`memory="full"`, the way of the published scripts, needs one that holds all of it.

    python -m benchmarks.memory [--words 25000 50000 100000] [--check]
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import LLMResult
from langchain_openai import ChatOpenAI

from longchain import AgentWriteChain
from longchain.agent.finishing.report import build_document
from longchain.testing import LengthBehavior, SimulatedServer

Memory = Literal["summary", "full"]

LENGTHS = (25_000, 50_000, 100_000)
SMALL = 8_192
"""The window that must do for any book under `summary`, prompt and reply together."""
SPREAD = 0.25
GROWTH = 1.25
"""The most by which prompt tokens per word may grow from the shortest to the longest book: longer
books show longer plans, up to an eighth of the window."""


@dataclass
class Outcome:
    """What one book took."""

    words: int
    sections: int
    calls: int
    prompts: list[int]
    """Prompt tokens of each request for prose."""
    per_section: list[int]
    """Prompt tokens of each section, its extensions included."""
    nodes: dict[str, int]
    """Prompt tokens of each kind of request."""
    computed: int
    """Prompt tokens that the server's prefix cache did not hold."""
    score: float

    @property
    def total(self) -> int:
        """Prompt tokens of the whole book."""
        return sum(self.nodes.values())

    @property
    def per_word(self) -> float:
        """Prompt tokens per word written."""
        return self.total / self.words


@dataclass(eq=False)
class Meter(BaseCallbackHandler):
    """Notes the prompt tokens of every request, by the section that it belongs to."""

    prompts: list[int] = field(default_factory=list)
    sections: Counter[int] = field(default_factory=Counter)
    nodes: Counter[str] = field(default_factory=Counter)
    _waiting: dict[UUID, dict[str, Any]] = field(default_factory=dict)

    def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Remember what the request is for."""
        self._waiting[run_id] = metadata or {}

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """Count its prompt."""
        metadata = self._waiting.pop(run_id)
        message = getattr(response.generations[0][0], "message", None)
        if not isinstance(message, AIMessage) or message.usage_metadata is None:
            raise TypeError(f"the server reported no usage: {message!r}")
        tokens = message.usage_metadata["input_tokens"]
        self.nodes[metadata["longchain_node"]] += tokens
        if "section" in metadata:
            self.sections[metadata["section"]] += tokens
            self.prompts.append(tokens)


def run(words: int, memory: Memory, seed: int = 0) -> Outcome:
    """Write one book. A prompt that does not fit is an error, from the server and so from here."""
    window = SMALL if memory == "summary" else 20 * words
    behavior = LengthBehavior(spread=SPREAD, seed=seed)
    with SimulatedServer(behavior=behavior, window=window) as server:
        model = ChatOpenAI(model="simulated", base_url=server.base_url, api_key="none")  # type: ignore[arg-type]
        chain = AgentWriteChain(model, memory=memory, window=window)
        meter = Meter()
        given = f"Write a {words:,}-word history of inland ports."
        *_, progress = chain.follow(given, {"callbacks": [meter]})
        done, stats = build_document(progress), server.stats
    return Outcome(
        words=done.length,
        sections=len(done.sections),
        calls=done.usage.calls,
        prompts=meter.prompts,
        per_section=list(meter.sections.values()),
        nodes=dict(meter.nodes),
        computed=stats.prompt_tokens - stats.cached_tokens,
        score=done.report["length_score"],
    )


def measure(lengths: Iterable[int] = LENGTHS) -> dict[tuple[Memory, int], Outcome]:
    """Write a book of each length with each memory."""
    memories: tuple[Memory, ...] = ("summary", "full")
    return {(memory, words): run(words, memory) for memory in memories for words in lengths}


def table(found: dict[tuple[Memory, int], Outcome]) -> list[str]:
    """Return the results as a Markdown table, a row for each memory and length."""
    rows = [
        "| memory | words | S_l | sections | calls | prompt tokens a section, mean | most "
        "| longest prompt | of summaries | all prompt tokens | per word | not cached |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for (memory, words), outcome in found.items():
        rows.append(
            f"| {memory} | {words:,} | {outcome.score:.1f} | {outcome.sections} | {outcome.calls} "
            f"| {statistics.fmean(outcome.per_section):,.0f} | {max(outcome.per_section):,} "
            f"| {max(outcome.prompts):,} | {outcome.nodes.get('summarize', 0):,} "
            f"| {outcome.total:,} | {outcome.per_word:.1f} | {outcome.computed:,} |"
        )
    return rows


def failures(found: dict[tuple[Memory, int], Outcome]) -> list[str]:
    """Return what does not hold of what the running summary promises."""
    books = [found[cell] for cell in sorted(found) if cell[0] == "summary"]
    wrong = [
        f"{book.words:,} words: a prompt of {max(book.prompts):,} tokens, and {SMALL:,} are all"
        for book in books
        if max(book.prompts) >= SMALL
    ]
    growth = books[-1].per_word / books[0].per_word
    if growth > GROWTH:
        wrong.append(f"prompt tokens per word grow {growth:.2f} times from the shortest book on")
    return wrong


def main() -> int:
    """Print the table; with `--check`, fail where a promise does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--words", type=int, nargs="+", default=LENGTHS)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    found = measure(options.words)
    print("\n".join(table(found)))
    wrong = failures(found)
    print("\n".join(wrong) or "Every promise holds.")
    return int(options.check and bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
