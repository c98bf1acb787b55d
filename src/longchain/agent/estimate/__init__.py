"""Estimates calls, tokens and cost of a document before it is written.

`Nodes` + the log of an input -> `Estimate`

Runs the chain's own graph, with its prompts, memory, layout and length control, with a simulated
model, whose usage is the estimate.

Knows assumptions about models; calls no real model and stores nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
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

from longchain.agent.estimate.simulated_model import SimulatedModel
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
from longchain.models.profile import context_window, limited, output_limit, unwrap

PESSIMISTIC_BIAS = 0.5
"""Lowest bias (written / requested length) in `benchmarks/length.py`, which needs most calls."""

MAX_RUNS = 12
"""Maximum number of simulated runs per bias.

Replies scatter, and one run of a few sections tells little. Runs come in pairs whose deviations
cancel out: replies that are too long in one are too short in the next.
"""

MIN_SECTIONS = 24
"""Sections of all runs together after which no further run is made."""

HEADING_WORDS = 4
"""Words of a heading in the plans of models."""

POINT_WORDS = 16
"""Words of a main point in the plans of models."""

PASSAGES = 4
"""References that a retriever is assumed to find for a section."""

PASSAGE_WORDS = 150
"""Words of such a reference."""

DEFAULT_WORDS = 2_000
"""Assumed words of a text without a required length; twice as many characters."""


class Estimate(BaseModel):
    """The expected calls, tokens and cost of a document."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sections: int
    """Sections of the plan, which may be assumed."""

    length: int
    """Length of the document, in `unit`."""

    unit: Unit
    """Unit of `length`."""

    calls: int
    """Requests to models if the replies have the requested length with a spread of 0.25."""

    calls_most: int
    """Upper estimate of the requests.

    If replies have half the requested length, the first plan cannot be read, and the random
    deviations are unfavorable. Retries of failures and unusable replies are extra.
    """

    input_tokens: int
    """Prompt tokens of `calls`, cached ones included."""

    cached_tokens: int
    """Prompt tokens that a server with a prefix cache has cached, in blocks of 16."""

    output_tokens: int
    """Generated tokens, without reasoning, which cannot be predicted."""

    cost: float | None = None
    """Cost in the currency of the prices; None without prices."""

    assumed: list[str]
    """Assumptions in place of unknown values, as sentences for people."""


Topology = Callable[[Nodes], StateGraph[Any, Any, Any, Any]]
"""Function that makes the chain's graph of its nodes."""


def estimate(
    stages: Nodes, log: list[Any], topology: Topology, prices: Prices | None = None
) -> Estimate:
    """Estimate calls, tokens and cost of a document, without calling the model or the retriever.

    A model on a local server is asked once for its context window; without an answer, the window is
    unknown. Tokens are counted by the model's tokenizer if it is available, else by a rule of thumb
    with an upward bias.

    Args:
        stages: The nodes of the chain that would write the document; they are not run.
        log: The first events of the document.
        topology: Function that makes the chain's graph of its nodes.
        prices: Prices of tokens; None: those of the chain's budget.
    """
    simulation = _Simulation(stages, log, topology)
    # A new context, so that the caller's callbacks do not see a run.
    return Context().run(simulation.estimate, prices or stages.prices)


class _Simulation:
    """Several simulated runs of a document."""

    def __init__(self, stages: Nodes, log: list[Any], topology: Topology) -> None:
        start = DocumentState(log, closed=stages.length_control, mode=stages.mode)
        self.stages = stages
        self.log = log
        self.needs_plan = start.plan is None
        self.required = start.request.required
        self.model = _simulate_model(stages.model, start)
        self.nodes = _simulate_nodes(stages, self.model)
        self.graph = topology(self.nodes).compile()

    def estimate(self, prices: Prices | None) -> Estimate:
        """Return the means of several runs."""
        first = self.run(0, 1.0)
        runs = min(MAX_RUNS, math.ceil(MIN_SECTIONS / len(first.sections)))
        usages = [first.usage, *(self.run(number, 1.0).usage for number in range(1, runs))]
        pessimistic = [self.run(number, PESSIMISTIC_BIAS).usage for number in range(runs)]
        mean = _mean_usage(usages)
        return Estimate(
            sections=len(first.sections),
            length=first.required or sum(section.length for section in first.sections),
            unit=first.unit,
            # The scatter of a sum grows with the square root of the number of sections. A section
            # takes one call more or less in about every fifth case, so this is two standard
            # deviations.
            calls_most=max(usage.calls for usage in usages + pessimistic)
            + math.ceil(math.sqrt(len(first.sections)))
            + self.needs_plan,
            cost=prices.cost(mean) if prices else None,
            assumed=self._assumptions(first),
            **mean.model_dump(),
        )

    def run(self, number: int, bias: float) -> DocumentState:
        """Simulate the writing of the document, and return its final state.

        Args:
            number: Number of the run, which determines its random draws.
            bias: Mean of written / requested length.
        """
        self.model.begin(number // 2, bias, -SPREAD if number % 2 else SPREAD)
        log = [dict(event) for event in self.log]
        config: RunnableConfig = {"recursion_limit": MAX_STEPS, "max_concurrency": 1}
        with tracing_context(enabled=False):
            self.graph.invoke({"log": log}, config)
        return self.nodes.finished.pop()

    def _assumptions(self, document: DocumentState) -> list[str]:
        """Return sentences about the assumed values."""
        assumptions = []
        if self.required is None and (self.needs_plan or document.mode == "direct"):
            length = sum(section.plan.length for section in document.sections)
            assumptions.append(f"a length of {length:,} {document.unit}, since none is given")
        if self.needs_plan:
            assumptions.append(f"a plan of {len(document.sections)} sections")
        if self.stages.source(document) is self.stages.retriever is not None:
            assumptions.append(f"{PASSAGES} references of {PASSAGE_WORDS} words for each section")
        return assumptions


def _mean_usage(usages: Sequence[Usage]) -> Usage:
    means = {
        name: round(fmean(getattr(usage, name) for usage in usages)) for name in Usage.model_fields
    }
    return Usage(**means)


def _simulate_model(model: BaseChatModel, start: DocumentState) -> SimulatedModel:
    """Return a simulated model with the limits of a model, as far as they are known."""
    window = max_output = None
    try:
        window = context_window(model)
        max_output = min(output_limit(model, 1_000_000).values())
    except (ModelError, LongchainError, OSError):  # its server is down, which does not matter here
        pass
    inner_model = unwrap(model)[-1]
    # A model that counts tokens by its server would be asked for every paragraph.
    count = tokens.estimate if hasattr(inner_model, "count_tokens") else tokens.counter(model)
    return SimulatedModel(
        count=count,
        language=start.language,
        instruction=start.request.instruction,
        unit=start.unit,
        window=window,
        max_output=max_output,
    )


def _simulate_nodes(stages: Nodes, model: SimulatedModel) -> _SimulatedNodes:
    """Return a copy of a chain's nodes with a simulated model and retriever."""
    original = {one.name: getattr(stages, one.name) for one in fields(Nodes)}
    retriever: Runnable[str, list[Document]] = RunnableLambda(lambda _: _make_passages(model))
    changes = {
        "model": model,
        "planner_model": model,
        "limits": lambda: stages.limits(model),
        "retriever": retriever if stages.retriever is not None else None,
        "review": False,
        "strict": False,
        "policy": CallPolicy(),
    }
    return _SimulatedNodes(**{**original, **changes})


def _make_passages(model: SimulatedModel) -> list[Document]:
    """Return passages as a retriever may find them."""
    return [Document(model.filler.words(PASSAGE_WORDS)) for _ in range(PASSAGES)]


@dataclass
class _SimulatedNodes(Nodes):
    """The nodes of a chain, with a simulated model."""

    finished: list[DocumentState] = field(default_factory=list)
    """Final state of the latest run."""

    def __post_init__(self) -> None:
        super().__post_init__()
        assert isinstance(self.model, SimulatedModel)
        self.simulated_model = self.model
        self.material: Any = None
        """Retriever of the material in the request, which is read for the first run only."""
        prompt = self.write_prompt or write_prompt(self.layout)
        self.writer = RunnableLambda(lambda variables: self._write(prompt, variables))
        for name in ("survey", "plan", "retrieve", "summarize", "write", "write_alone"):
            setattr(self, name, _SimulatedNode(getattr(self, name), self.simulated_model))

    def _write(self, prompt: Runnable[Any, Any], variables: dict[str, Any]) -> Reply:
        is_words = self.simulated_model.unit == "words"
        default_length = DEFAULT_WORDS if is_words else 2 * DEFAULT_WORDS
        model = limited(self.model, variables["max_tokens"])
        writer = model.bind(length=variables["length"] or default_length)
        return read(writer.invoke(prompt.invoke(variables)))

    def _planner(
        self, prompt: ChatPromptTemplate, parser: WritingPlanParser
    ) -> Runnable[dict[str, Any], WritingPlan]:
        reply = _make_plan(parser, self.simulated_model)
        return prompt | self.model.bind(reply=reply) | parser

    def source(self, state: DocumentState) -> Any:
        """Return the retriever; the material of a request is read for the first run only."""
        state.retriever = state.retriever or self.material
        retriever = super().source(state)
        self.material = state.retriever
        return retriever

    def finish(self, state: Any) -> Update:
        """Keep the final state instead of making a document."""
        self.finished.append(self.document_state(state))
        return {}


def _make_plan(parser: WritingPlanParser, model: SimulatedModel) -> str:
    """Return the reply of a planner: equal lengths, with headings and main points."""
    plan = lengths.even_plan(
        "-",
        required=parser.required,
        unit=parser.unit,
        language=parser.language or "en",
        level=parser.level,
    )
    words = model.filler.words
    shares = [part.length for part in plan.chapters] or [part.length for part in plan.sections]
    parts = [
        {
            "heading": f"{words(HEADING_WORDS)} {number}",
            "main_point": words(POINT_WORDS),
            "length": length,
        }
        for number, length in enumerate(shares, 1)
    ]
    reply = {"title": words(HEADING_WORDS), f"{parser.level}s": parts}
    return json.dumps(reply, ensure_ascii=False)


class _SimulatedNode(ModelNode):
    """A node without limits, budget, tracing and retries."""

    def __init__(self, node: ModelNode, model: SimulatedModel) -> None:
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
        return self.update(prepared, answer, self.model.pop_usage())
