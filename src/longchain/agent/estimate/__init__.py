"""What a document will take, said before it is written.

`Nodes` + the log of an input -> `Estimate`

The chain's own graph runs dry, with its prompts, its memory, its layout and its length control,
and a stand-in for the model: what that counts is the estimate. Knows what to assume of models;
asks none, and keeps nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass, field, fields
from statistics import fmean
from typing import Any

from langchain_core.documents import Document
from langchain_core.exceptions import ModelError
from langchain_core.language_models import BaseChatModel
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda
from langgraph.graph import StateGraph
from langsmith import tracing_context
from pydantic import BaseModel, ConfigDict

from longchain.agent.estimate.simulated_model import StandIn
from longchain.agent.node import ModelNode
from longchain.agent.nodes import Nodes, Update
from longchain.agent.options import MAX_STEPS
from longchain.agent.planning import lengths
from longchain.agent.planning.parse import WritingPlanParser
from longchain.agent.state import DocumentState
from longchain.agent.writing.section_prompt import write_prompt
from longchain.calls.ask import CallPolicy
from longchain.calls.budget import Prices
from longchain.calls.reply import Reply, read
from longchain.document import Unit, Usage, WritingPlan
from longchain.errors import LongchainError
from longchain.length.control import SPREAD
from longchain.models import tokens
from longchain.models.profile import context_window, layers, limited, output_limit

BRIEF = 0.5
"""What the most stubborn model writes over what it is asked, of those in `benchmarks/length.py`:
the one that has to be asked most often."""

RUNS, ENOUGH = 12, 24
"""Dry runs at most, and the sections after which there are no more: replies scatter, and of a few
sections one run says little. What one run draws too long, the next one draws too short."""

HEADING, POINT = 4, 16
"""Words of a heading and of a main point, as planners write them."""

PASSAGES, PASSAGE = 4, 150
"""References that a retriever finds for a section, and the words of each."""

FREE = 2_000
"""Words of a text whose length nobody has said; twice as many characters."""


class Estimate(BaseModel):
    """What a document is expected to take."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sections: int
    """Sections of the plan, given or assumed."""

    length: int
    """What will be written, in `unit`."""

    unit: Unit

    calls: int
    """Requests to models, where the model writes what it is asked, give or take a quarter."""

    calls_most: int
    """Requests where it writes half of what it is asked, its plan cannot be read at first, and
    chance is not kind. Failures and unusable replies come on top."""

    input_tokens: int
    """Prompt tokens of `calls`, cached ones included."""

    cached_tokens: int
    """Those of them that a server with a prefix cache has already, in blocks of 16."""

    output_tokens: int
    """Generated tokens, without reasoning, which nobody can foresee."""

    cost: float | None = None
    """In the currency of the prices; None without."""

    assumed: list[str]
    """What is not known yet, and what was taken for it."""


Topology = Callable[[Nodes], StateGraph[Any, Any, Any, Any]]


def estimate(
    stages: Nodes, log: list[Any], topology: Topology, prices: Prices | None = None
) -> Estimate:
    """Return what a document will take, without asking a model or the chain's retriever.

    A model on a server of its own is asked for its window, once; where that does not answer, none
    is known. Tokens are counted by the model's tokenizer where it is at hand, else by a rule of
    thumb that errs on the high side.

    Args:
        stages: The nodes of the chain that would write it; they are not run.
        log: The first events of the document.
        topology: Makes the chain's graph of nodes.
        prices: What tokens cost; None: as in the chain's budget.
    """
    # In a context of its own, or the caller's callbacks would take this for a run.
    rehearsal = _Rehearsal(stages, log, topology)
    return Context().run(rehearsal.estimate, prices or stages.prices)


class _Rehearsal:
    """A document that is written dry, several times."""

    def __init__(self, stages: Nodes, log: list[Any], topology: Topology) -> None:
        begun = DocumentState(log, closed=stages.length_control, mode=stages.mode)
        self.stages = stages
        self.log = log
        self.planned = begun.plan is None
        self.model = _stand_in(stages.model, begun)
        self.nodes = _nodes(stages, self.model)
        self.graph = topology(self.nodes).compile()

    def estimate(self, prices: Prices | None) -> Estimate:
        """Return the means of several runs."""
        first = self.run(0, 1.0)
        runs = min(RUNS, math.ceil(ENOUGH / len(first.sections)))
        usages = [first.usage, *(self.run(number, 1.0).usage for number in range(1, runs))]
        brief = [self.run(number, BRIEF).usage for number in range(runs)]
        names = Usage.model_fields
        mean = Usage(**{name: round(fmean(getattr(u, name) for u in usages)) for name in names})
        return Estimate(
            sections=len(first.sections),
            length=first.required or sum(draft.length for draft in first.sections),
            unit=first.unit,
            # What a sum of so many sections scatters grows with the root of their number; a section
            # takes one call more or less in about every fifth case, so this is two deviations.
            calls_most=max(usage.calls for usage in usages + brief)
            + math.ceil(math.sqrt(len(first.sections)))
            + self.planned,
            cost=prices.cost(mean) if prices else None,
            assumed=self._assumed(first),
            **mean.model_dump(),
        )

    def run(self, number: int, bias: float) -> DocumentState:
        """Write the document dry, and return where that ends."""
        self.model.begin(number // 2, bias, -SPREAD if number % 2 else SPREAD)
        log = [dict(event) for event in self.log]
        config: RunnableConfig = {"recursion_limit": MAX_STEPS, "max_concurrency": 1}
        with tracing_context(enabled=False):
            self.graph.invoke({"log": log}, config)
        return self.nodes.finished.pop()

    def _assumed(self, state: DocumentState) -> list[str]:
        said = []
        if self.log[0]["required"] is None and (self.planned or state.mode == "direct"):
            length = sum(draft.plan.length for draft in state.sections)
            said.append(f"a length of {length:,} {state.unit}, since none is given")
        if self.planned:
            said.append(f"a plan of {len(state.sections)} sections")
        if self.stages.source(state) is self.stages.retriever is not None:
            said.append(f"{PASSAGES} references of {PASSAGE} words for each section")
        return said


def _stand_in(model: BaseChatModel, begun: DocumentState) -> StandIn:
    """Return a stand-in with the limits of a model, as far as they can be had."""
    window = most = None
    try:
        window = context_window(model)
        most = min(output_limit(model, 1_000_000).values())
    except (ModelError, LongchainError, OSError):  # its server is down, which is no matter here
        pass
    own = layers(model)[-1]
    # One that counts by its server would ask it for every paragraph.
    count = tokens.estimate if hasattr(own, "count_tokens") else tokens.counter(model)
    return StandIn(
        count=count,
        language=begun.language,
        instruction=begun.request.instruction,
        unit=begun.unit,
        window=window,
        most=most,
    )


def _nodes(stages: Nodes, model: StandIn) -> _Nodes:
    """Return a chain's nodes around a stand-in; nothing of the caller's is called."""
    same = {one.name: getattr(stages, one.name) for one in fields(Nodes)}
    found: Runnable[str, list[Document]] = RunnableLambda(lambda _: _passages(model))
    changed = {
        "model": model,
        "planner_model": model,
        "limits": lambda: stages.limits(model),
        "retriever": found if stages.retriever is not None else None,
        "review": False,
        "strict": False,
        "policy": CallPolicy(),
    }
    return _Nodes(**{**same, **changed})


def _passages(model: StandIn) -> list[Document]:
    """Return what a retriever may find."""
    return [Document(model.filler.words(PASSAGE)) for _ in range(PASSAGES)]


@dataclass
class _Nodes(Nodes):
    """The nodes of a chain as they are, around a stand-in."""

    finished: list[DocumentState] = field(default_factory=list)
    """What the last run has come to."""

    def __post_init__(self) -> None:
        super().__post_init__()
        assert isinstance(self.model, StandIn)
        self.stand_in = self.model
        self.material: Any = None
        prompt = self.write_prompt or write_prompt(self.layout)
        self.writer = RunnableLambda(lambda variables: self._write(prompt, variables))
        for name in ("survey", "plan", "retrieve", "summarize", "write", "write_alone"):
            setattr(self, name, _DryNode(getattr(self, name), self.stand_in))

    def _write(self, prompt: Runnable[Any, Any], variables: dict[str, Any]) -> Reply:
        free = FREE if self.stand_in.unit == "words" else 2 * FREE
        model = limited(self.model, variables["max_tokens"])
        writer = model.bind(length=variables["length"] or free)
        return read(writer.invoke(prompt.invoke(variables)))

    def _planner(
        self, prompt: ChatPromptTemplate, parser: WritingPlanParser
    ) -> Runnable[dict[str, Any], WritingPlan]:
        reply = _plan(parser, self.stand_in)
        return prompt | self.model.bind(reply=reply) | parser

    def source(self, state: DocumentState) -> Any:
        """Return the retriever; the material of a request is read for the first run only."""
        state.retriever = state.retriever or self.material
        found = super().source(state)
        self.material = state.retriever
        return found

    def finish(self, state: Any) -> Update:
        """Keep what was written; nobody will read it."""
        self.finished.append(self.document_state(state))
        return {}


def _plan(parser: WritingPlanParser, model: StandIn) -> str:
    """Return an even plan as a planner would answer it, with headings and main points."""
    even = lengths.even_plan(
        "-",
        required=parser.required,
        unit=parser.unit,
        language=parser.language or "en",
        level=parser.level,
    )
    shares = [part.length for part in even.chapters] or [part.length for part in even.sections]
    words = model.filler.words
    parts = [
        {"heading": f"{words(HEADING)} {number}", "main_point": words(POINT), "length": length}
        for number, length in enumerate(shares, 1)
    ]
    answer = {"title": words(HEADING), f"{parser.level}s": parts}
    return json.dumps(answer, ensure_ascii=False)


class _DryNode(ModelNode):
    """A node that is only run: without limits, budgets, spans, or a second attempt."""

    def __init__(self, node: ModelNode, model: StandIn) -> None:
        super().__init__(
            node.name or "", node.prepare, node.update, reads=node.reads, policy=node.policy
        )
        self.model = model

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Run the node."""
        prepared = self.read(input, config)
        answer: Any
        try:
            answer = prepared.runnable.invoke(prepared.input)
        except prepared.expected_errors as error:
            answer = error
        return self.update(prepared, answer, self.model.taken().model_dump())
