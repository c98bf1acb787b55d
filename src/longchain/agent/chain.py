"""`AgentWriteChain`: the graph that plans and writes a document, and its public methods.

instruction or `Input` -> the JSON-plain form of `LongDocument`

```
START -> survey? -> plan <-> repair -> review? -> [ retrieve? -> write ... summarize? ] -> finish
```

It is a compiled LangGraph `StateGraph`, and so a Runnable: invoke, batch, stream, events, LCEL,
`as_tool`, LangServe, checkpointers and `get_state` are LangGraph's own. Added to them: an input
may be a bare string, and the limit of 25 steps that langchain-core passes on is lifted.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import aclosing
from dataclasses import replace
from inspect import Parameter, Signature
from typing import Annotated, Any, Self

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable, RunnableConfig
from langgraph.channels import DeltaChannel, UntrackedValue
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command
from pydantic import BaseModel
from typing_extensions import TypedDict, Unpack

from longchain.agent.estimate import Estimate, estimate
from longchain.agent.finishing.markdown import chunks
from longchain.agent.finishing.report import build_document
from longchain.agent.log import append_events
from longchain.agent.node import Router
from longchain.agent.nodes import Nodes
from longchain.agent.options import (
    DEFAULTS,
    ChainOptions,
    complete,
    lift_step_limit,
    to_model,
    to_retriever,
    to_template,
    variable_names,
)
from longchain.agent.planning import planner as plans
from longchain.agent.planning.parse import WritingPlanParser
from longchain.agent.prompts.custom import check_prompt
from longchain.agent.request import Input, build_input_model, start_log
from longchain.agent.state import DocumentState
from longchain.agent.writing import memory as memories
from longchain.agent.writing.section_prompt import WRITE_PROMPT_RULES
from longchain.calls.ask import CallPolicy
from longchain.calls.budget import Prices
from longchain.calls.limits import CallLimits
from longchain.calls.retry import Retry
from longchain.document import WritingPlan
from longchain.errors import InputError
from longchain.models.profile import context_window
from longchain.models.tokens import counter

SNAPSHOT_FREQUENCY = 5_000
"""Updates between two full copies of the log in a checkpoint; each copy stores all text again."""


class Output(TypedDict, total=False):
    """Output of `AgentWriteChain`: the JSON-plain form of `LongDocument`."""

    title: Annotated[str, UntrackedValue]
    text: Annotated[str, UntrackedValue]
    plan: Annotated[dict[str, Any], UntrackedValue]
    sections: Annotated[list[dict[str, Any]], UntrackedValue]
    references: Annotated[list[dict[str, Any]], UntrackedValue]
    length: Annotated[int, UntrackedValue]
    unit: Annotated[str, UntrackedValue]
    language: Annotated[str, UntrackedValue]
    usage: Annotated[dict[str, int], UntrackedValue]
    report: Annotated[dict[str, Any], UntrackedValue]


class State(Output, total=False):
    """State of the graph: a log, from which everything else is computed."""

    log: Annotated[
        list[Any], DeltaChannel(append_events, list, snapshot_frequency=SNAPSHOT_FREQUENCY)
    ]


class GraphInput(TypedDict):
    """Input of the graph itself: the first events of the log, made from the caller's input."""

    log: list[Any]


class AgentWriteChain(CompiledStateGraph[State, None, Any, Output]):
    """Writes a long document: plans it, then writes it section by section (AgentWrite).

    Args:
        model: The model that writes: a chat model, also one with fallbacks or bound arguments, or
            a string such as `"openai:gpt-5"`. None: the model that the environment names, see
            `longchain.models.resolve`.
        **options: See `longchain.agent.options.ChainOptions`: `planner_model`, `mode`,
            `retriever`, `memory`, `layout`, `length_control`, `grounded_only`, `review`,
            `plan_prompt`, `write_prompt`, `window`, `memory_tokens`, `local_sources`,
            `max_retries`, `timeout`, `max_concurrency`, `requests_per_minute`,
            `tokens_per_minute`, `rate_limiter`, `budget`, `bad_replies`, `streaming`,
            `checkpointer`.

    The input is an instruction, or a dictionary: `instruction`, and optionally `length` and `unit`
    (`words` or `characters`), `language` (a tag such as `ja`), `style`, `plan` (a `WritingPlan` or
    its JSON-plain form), `context` (texts or documents), `sources` (paths). The output is the
    JSON-plain form of `LongDocument`: `title`, `text`, `plan`, `sections`, `references`, `length`,
    `unit`, `language`, `usage`, `report`.

    Raises:
        TypeError: An option has a name that is not known.
        InputError: An option has a value that cannot be used.
        ModelNameError: The model string names no known model.
        PromptError: A prompt lacks a variable, or has one that is never filled.

    Example:
        ```python
        from longchain import AgentWriteChain
        from longchain.testing import FakeWriter, LengthBehavior

        chain = AgentWriteChain(FakeWriter(behavior=LengthBehavior()))
        document = chain.invoke("Write a 1,000-word history of the Roman Empire.")
        assert abs(document["length"] - 1000) < 100
        ```
    """

    def __init__(
        self, model: str | Runnable[Any, Any] | None = None, **options: Unpack[ChainOptions]
    ) -> None:
        settings = complete(options)
        self.stages = _nodes(to_model(model), settings)
        compiled = topology(self.stages).compile(
            checkpointer=settings["checkpointer"], name="AgentWrite"
        )
        # A compiled graph consists of its attributes only. To copy them keeps all its features
        # (subgraphs, get_state, drawing), which a wrapper would have to pass on one by one.
        self.__dict__.update(vars(compiled))

    @property
    def planner(self) -> Runnable[dict[str, Any], WritingPlan]:
        """Planner as a Runnable: `ChatPromptTemplate | model | WritingPlanParser`.

        `longchain.agent.planning.planner.prompt_variables` makes the variables of its prompt.
        """
        stages = self.stages
        prompt = stages.plan_prompt or plans.plan_prompt()
        return plans.build_planner(stages.planner_model, prompt, WritingPlanParser())

    @property
    def writer(self) -> Runnable[Any, Any]:
        """Section writer as a Runnable: `ChatPromptTemplate | model | SectionParser`."""
        return self.stages.writer

    def copy(self, update: dict[str, Any] | None = None) -> Self:
        """Return a copy with other attributes."""
        other = object.__new__(type(self))
        other.__dict__.update({**vars(self), **(update or {})})
        return other

    # Input ---------------------------------------------------------------------------------

    def to_graph_input(self, user_input: Any) -> Any:
        """Return the input of the graph: the first events, or a command as it is.

        Raises:
            InputError: The input cannot be used.
        """
        if user_input is None:
            return None
        if isinstance(user_input, Command):
            return _with_plain_plan(user_input)
        if isinstance(user_input, Mapping) and set(user_input) == {"log"}:
            return user_input
        nodes = self.stages
        log = start_log(user_input, mode=nodes.mode, local_sources=nodes.local_sources)
        if nodes.grounded_only and nodes.source(nodes.document_state({"log": log})) is None:
            raise InputError(
                "grounded_only: nothing to write from: give context, sources or a retriever"
            )
        return {"log": log}

    def stream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Stream the graph's steps; `invoke` and `batch` come through here, too."""
        return super().stream(
            self.to_graph_input(input), lift_step_limit(config), **self._with_durability(kwargs)
        )

    def astream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Stream the graph's steps; `ainvoke`, `abatch` and `astream_events` come here, too."""
        return super().astream(
            self.to_graph_input(input), lift_step_limit(config), **self._with_durability(kwargs)
        )

    def _with_durability(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        """Have each step stored before the next one begins, unless the caller chose otherwise."""
        if kwargs.get("durability") or kwargs.get("checkpoint_during") is not None:
            return kwargs
        if not isinstance(self.checkpointer, BaseCheckpointSaver):
            return kwargs
        return {**kwargs, "durability": "sync"}

    @property
    def InputType(self) -> Any:  # noqa: N802
        """Type of the input: an instruction, or a dictionary with one."""
        return str | Input

    def get_input_schema(self, config: RunnableConfig | None = None) -> type[BaseModel]:
        """Return a pydantic model of the input that refuses what the chain would refuse."""
        return build_input_model(self.stages.mode, self.stages.local_sources)

    def get_input_jsonschema(self, config: RunnableConfig | None = None) -> dict[str, Any]:
        """Return the JSON schema of the input."""
        return self.get_input_schema(config).model_json_schema()

    # Estimating, planning and writing ------------------------------------------------------

    def estimate(self, input: Any, prices: Prices | None = None) -> Estimate:
        """Estimate calls, tokens and cost of a document, without a call to model or retriever.

        Args:
            input: Input as for `invoke`.
            prices: Prices of tokens; None: those of the budget.

        Raises:
            InputError: The input cannot be used.
        """
        return estimate(self.stages, self.to_graph_input(input)["log"], topology, prices)

    def plan(self, input: Any, config: RunnableConfig | None = None) -> WritingPlan:
        """Plan a document without writing it; to write it, pass `{"instruction", "plan"}`.

        Raises:
            InputError: The input cannot be used.
        """
        log = self.to_graph_input(input)["log"]
        while (state := self.stages.document_state({"log": log})).plan is None:
            log = append_events(
                log, [self._planning_node(state).invoke({"log": log}, config)["log"]]
            )
        return state.plan

    async def aplan(self, input: Any, config: RunnableConfig | None = None) -> WritingPlan:
        """Plan a document without writing it, asynchronously."""
        log = self.to_graph_input(input)["log"]
        while (state := self.stages.document_state({"log": log})).plan is None:
            node = self._planning_node(state)
            log = append_events(log, [(await node.ainvoke({"log": log}, config))["log"]])
        return state.plan

    def _planning_node(self, state: DocumentState) -> Runnable[Any, Any]:
        """Return the node that goes on with planning."""
        surveying = self.stages.source(state) is not None and not state.outline
        return self.stages.survey if surveying else self.stages.plan

    def follow(self, input: Any, config: RunnableConfig | None = None) -> Iterator[DocumentState]:
        """Write a document and yield its state after every step.

        `longchain.agent.finishing.report.build_document` makes the document from the last one.
        """
        graph_input = self.to_graph_input(input)
        values = graph_input
        if not isinstance(graph_input, dict):
            values = self.get_state(_require_config(config)).values
        state = self._state_of(values)
        for update in self.stream(graph_input, config, stream_mode="updates"):
            state.add(_new_events(update))
            yield state

    async def afollow(
        self, input: Any, config: RunnableConfig | None = None
    ) -> AsyncIterator[DocumentState]:
        """Write a document and yield its state after every step, asynchronously."""
        graph_input = self.to_graph_input(input)
        values = graph_input
        if not isinstance(graph_input, dict):
            values = (await self.aget_state(_require_config(config))).values
        state = self._state_of(values)
        async with aclosing(self.astream(graph_input, config, stream_mode="updates")) as steps:
            async for update in steps:
                state.add(_new_events(update))
                yield state

    def stream_text(self, input: Any, config: RunnableConfig | None = None) -> Iterator[str]:
        """Yield the document's Markdown as it becomes final; the parts join to the whole text.

        A section is yielded when it is finished, and does not change after that. For tokens as
        the model writes them, use `stream(..., stream_mode="messages")`.
        """
        yielded = 0
        for state in self.follow(input, config):
            parts = chunks(state)[0] if state.plan is not None else []
            yield from parts[yielded:]
            yielded = max(yielded, len(parts))

    async def astream_text(
        self, input: Any, config: RunnableConfig | None = None
    ) -> AsyncIterator[str]:
        """Yield the document's Markdown as it becomes final, asynchronously."""
        yielded = 0
        async for state in self.afollow(input, config):
            parts = chunks(state)[0] if state.plan is not None else []
            for part in parts[yielded:]:
                yield part
            yielded = max(yielded, len(parts))

    def document(self, config: RunnableConfig) -> dict[str, Any]:
        """Return a finished document from its checkpoint, without a call.

        Raises:
            InputError: The thread has no document, or one that is not finished.
        """
        values = self.get_state(config).values
        if not values.get("log"):
            raise InputError("this thread has no document")
        state = self._state_of(values)
        if state.plan is None or state.current() is not None or state.chapter_reached():
            raise InputError("the document is not finished: go on with invoke(None, config)")
        return build_document(state, self.stages.prices).model_dump()

    def _state_of(self, values: dict[str, Any]) -> DocumentState:
        """Return the document state after the events of an input or of a checkpoint."""
        nodes = self.stages
        return DocumentState(values["log"], closed=nodes.length_control, mode=nodes.mode)


def _nodes(writer: BaseChatModel, settings: ChainOptions) -> Nodes:
    """Return the nodes of a chain whose options are complete."""
    plan_prompt = to_template(settings["plan_prompt"])
    write_prompt = to_template(settings["write_prompt"])
    planner = settings["planner_model"]
    # Without turns in it, a prompt can show the prior text in one message only.
    one_message = write_prompt is not None and "turns" not in variable_names(write_prompt)

    def limits(writer: BaseChatModel = writer) -> memories.Limits:
        """Return the limits of the memory, for the window and the tokens of the model."""
        return memories.limits(
            settings["memory"],
            window=settings["window"] or context_window(writer),
            budget=settings["memory_tokens"],
            count=counter(writer),
        )

    return Nodes(
        model=writer,
        planner_model=writer if planner is None else to_model(planner),
        limits=limits,
        retriever=to_retriever(settings["retriever"]),
        plan_prompt=plan_prompt and check_prompt(plan_prompt, plans.PLAN_PROMPT_RULES),
        write_prompt=write_prompt and check_prompt(write_prompt, WRITE_PROMPT_RULES),
        mode=settings["mode"],
        layout="paper" if one_message else settings["layout"],
        length_control=settings["length_control"],
        grounded_only=settings["grounded_only"],
        review=settings["review"],
        local_sources=settings["local_sources"],
        strict=settings["bad_replies"] == "stop",
        policy=_call_policy(settings),
    )


def _call_policy(settings: ChainOptions) -> CallPolicy:
    """Return how a chain calls its models."""
    limits = CallLimits(
        settings["max_concurrency"],
        settings["requests_per_minute"],
        settings["tokens_per_minute"],
        rate_limiter=settings["rate_limiter"],
    )
    return CallPolicy(
        retries=Retry(max_retries=settings["max_retries"]),
        limits=limits,
        budget=settings["budget"],
        timeout=settings["timeout"],
        streaming=settings["streaming"],
    )


def _signature() -> Signature:
    """Return the signature of `AgentWriteChain`, with every option and its default."""
    model = Parameter("model", Parameter.POSITIONAL_OR_KEYWORD, default=None)
    types = ChainOptions.__annotations__
    options = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=types[name])
        for name, default in DEFAULTS.items()
    ]
    return Signature([model, *options])


AgentWriteChain.__signature__ = _signature()  # type: ignore[attr-defined]
"""Signature for `help` and editors: the options are one typed dictionary in the code."""


def _with_plain_plan(command: Command[Any]) -> Command[Any]:
    """Return the command with its plan in the JSON-plain form.

    All that is checkpointed is plain: LangGraph warns of classes when it reads them.
    """
    if isinstance(command.resume, WritingPlan):
        return replace(command, resume=command.resume.model_dump())
    return command


def _require_config(config: RunnableConfig | None) -> RunnableConfig:
    """Return the config of a document that is continued, which names its thread."""
    if not config:
        raise InputError("to go on with a document, name its thread in the config")
    return config


def _new_events(update: dict[str, Any]) -> list[Any]:
    """Return the events that the nodes of one update added to the log.

    A resumed run first repeats the updates that were stored and not yet applied when it stopped,
    marked as cached; the state that it starts from has their events already.
    """
    metadata = update.get("__metadata__") or {}
    if metadata.get("cached"):
        return []
    events: list[Any] = []
    for changes in update.values():
        if isinstance(changes, dict):
            events += changes.get("log", [])
    return events


def topology(nodes: Nodes) -> StateGraph[State, None, GraphInput, Output]:
    """Return the graph: its nodes and the edges between them."""
    graph = StateGraph(State, input_schema=GraphInput, output_schema=Output)
    parallel = nodes.mode == "parallel"
    first, after_plan, advance = map(Router, (nodes.start, nodes.planned, nodes.advance))
    onward = ["plan", "retrieve", "summarize", "finish", "write_alone" if parallel else "write"]
    graph.add_node("survey", nodes.survey)
    graph.add_node("plan", nodes.plan)
    graph.add_node("repair", nodes.plan)
    graph.add_node("retrieve", nodes.retrieve)
    graph.add_node("summarize", nodes.summarize)
    graph.add_node("finish", nodes.finish)
    planned = ["repair", *onward]
    if nodes.review:
        graph.add_node("review", nodes.review_plan)
        graph.add_conditional_edges("review", advance, onward)
        planned = ["review", *planned]
    if parallel:
        graph.add_node("write_alone", nodes.write_alone)
        graph.add_node("gather", nodes.gather)
        graph.add_edge("write_alone", "gather")
        graph.add_conditional_edges("gather", advance, onward)
    else:
        graph.add_node("write", nodes.write)
        graph.add_conditional_edges("write", advance, onward)
    graph.add_conditional_edges(START, first, ["survey", *planned])
    graph.add_conditional_edges("survey", first, planned)
    graph.add_conditional_edges("plan", after_plan, planned)
    graph.add_conditional_edges("repair", after_plan, planned)
    graph.add_conditional_edges("retrieve", advance, onward)
    graph.add_conditional_edges("summarize", advance, onward)
    graph.add_edge("finish", END)
    return graph
