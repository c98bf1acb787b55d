"""`AgentWriteChain`: the graph's topology, and its front.

```
START -> survey? -> plan <-> repair -> review? -> [ retrieve? -> write ... summarize? ] -> finish
```

It is a compiled LangGraph `StateGraph`, and so a Runnable: invoke, batch, stream, events, LCEL,
`as_tool`, LangServe, checkpointers and `get_state` are LangGraph's own. What is added at the door:
an input may be a bare string, and the limit of 25 steps that langchain-core hands down is lifted.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Annotated, Any, Literal, Self

from langchain_core.documents import Document
from langchain_core.language_models import BaseChatModel
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.rate_limiters import BaseRateLimiter
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.base import RunnableLike
from langgraph.channels import DeltaChannel, UntrackedValue
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command
from pydantic import BaseModel
from typing_extensions import TypedDict

from longchain.agent import options
from longchain.agent.estimate import Estimate, estimate
from longchain.agent.events import Mode, extend
from longchain.agent.finishing.markdown import pieces
from longchain.agent.finishing.report import document
from longchain.agent.node import Router
from longchain.agent.nodes import Nodes
from longchain.agent.planning import planner as plans
from longchain.agent.planning.parse import WritingPlanParser
from longchain.agent.request import Input, events, schema
from longchain.agent.state import DocumentState
from longchain.agent.writing import memory as memories
from longchain.agent.writing import prompter as writes
from longchain.calls.ask import CallPolicy
from longchain.calls.budget import Budget, Prices
from longchain.calls.limits import CallLimits
from longchain.calls.retry import Retry
from longchain.document import WritingPlan
from longchain.errors import InputError
from longchain.models.profile import context_window
from longchain.models.tokens import counter

SNAPSHOTS = 5_000
"""Updates between two full copies of the log in a checkpoint; each copy stores all text again."""


class Output(TypedDict, total=False):
    """What `AgentWriteChain` returns: the JSON-plain form of `LongDocument`."""

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
    """The graph's state: a log, from which everything else is computed."""

    log: Annotated[list[Any], DeltaChannel(extend, list, snapshot_frequency=SNAPSHOTS)]


class Log(TypedDict):
    """What the graph itself takes, once the door has turned the input into events."""

    log: list[Any]


class AgentWriteChain(CompiledStateGraph[State, None, Any, Output]):
    """Writes a long document: plans it, then writes it section by section (AgentWrite).

    Args:
        model: The model that writes: a chat model, also one with fallbacks or bound arguments, or
            a string such as `"openai:gpt-5"`. None takes the one that the environment names: see
            `longchain.models.resolve`.
        planner_model: The model that plans; None: the same.
        mode: `sequential` writes one section after another, the prior text in view; `parallel`
            all at once, each with the whole plan (faster, less coherent); `direct` the whole text
            in one pass, continued until the required length.
        retriever: Finds references for each section: any Runnable from a string to documents.
        memory: What a prompt shows of prior sections: see `longchain.agent.writing.memory`.
        layout: How prompts show it: see `longchain.agent.writing.prompter`.
        length_control: False for the paper's open loop.
        grounded_only: Tell the model to write from the references alone.
        review: Pause after the plan, by `interrupt`; resume with `Command(resume=plan)`. Needs a
            checkpointer.
        plan_prompt: Replaces the planner's prompt: a template, or its text.
        write_prompt: Replaces the section writer's prompt, likewise.
        window: The writing model's context window in tokens, where its profile does not say.
        memory_tokens: Tokens of prior text that a prompt may show.
        local_sources: Whether an input may name paths to read. Switch it off on a server.
        max_retries: How often one request is sent again where it may pass later (a rate limit, a
            server's failure, a lost connection), with growing pauses, or those that the server
            names. The model's own client may try again on top of that.
        timeout: Seconds that a call may give no sign of life, which is a piece of a streamed reply
            or the whole of another; then it counts as failed. None waits for ever.
        max_concurrency: Calls at once, of all documents that this chain writes.
        requests_per_minute: Calls in a minute, likewise.
        tokens_per_minute: Prompt and output tokens in a minute, likewise.
        rate_limiter: LangChain's own kind of limit, in the place of `requests_per_minute`.
        budget: What one document may take in calls, tokens or money.
        bad_replies: What becomes of a reply that is in the wrong language or repeats an earlier
            section, also when asked for twice more: `accept` keeps it with a note in the report,
            `stop` ends the run, which can be resumed. What is no prose is never kept.
        streaming: Have replies streamed also where the caller takes them whole: silence is
            noticed earlier, and a reply that loops is not paid for to its end. Some servers
            report no usage then.
        checkpointer: Any LangGraph checkpointer. Each finished section is durable before the
            next call begins, unless `durability` says otherwise.

    The input is an instruction, or a dictionary: `instruction`, and as you like `length` and `unit`
    (`words` or `characters`), `language` (a tag such as `ja`), `style`, `plan` (a `WritingPlan` or
    its JSON-plain form), `context` (texts or documents), `sources` (paths). The output is the
    JSON-plain form of `LongDocument`: `title`, `text`, `plan`, `sections`, `references`, `length`,
    `unit`, `language`, `usage`, `report`.

    Raises:
        InputError: An option has a value that nobody knows.
        ModelNameError: The model string names no known model.
        PromptError: A prompt's variables are not ours to fill.

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
        self,
        model: str | Runnable[Any, Any] | None = None,
        *,
        planner_model: str | Runnable[Any, Any] | None = None,
        mode: Mode = "sequential",
        retriever: RunnableLike[str, list[Document]] | None = None,
        memory: memories.Memory = "auto",
        layout: writes.Layout = "conversation",
        length_control: bool = True,
        grounded_only: bool = False,
        review: bool = False,
        plan_prompt: str | ChatPromptTemplate | None = None,
        write_prompt: str | ChatPromptTemplate | None = None,
        window: int | None = None,
        memory_tokens: int | None = None,
        local_sources: bool = True,
        max_retries: int = 5,
        timeout: float | None = 600.0,
        max_concurrency: int | None = 128,
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
        rate_limiter: BaseRateLimiter | None = None,
        budget: Budget | None = None,
        bad_replies: Literal["accept", "stop"] = "accept",
        streaming: bool = False,
        checkpointer: BaseCheckpointSaver[Any] | Literal[True] | None = None,
    ) -> None:
        options.check_choices(mode=mode, memory=memory, layout=layout, bad_replies=bad_replies)
        options.check_least(window=window, memory_tokens=memory_tokens)
        planning, writing = options.template(plan_prompt), options.template(write_prompt)
        writer = options.model(model)

        def limits(writer: BaseChatModel = writer) -> memories.Limits:
            return memories.limits(
                memory,
                window=window or context_window(writer),
                budget=memory_tokens,
                count=counter(writer),
            )

        self.stages = Nodes(
            model=writer,
            planner_model=options.model(planner_model) if planner_model is not None else writer,
            limits=limits,
            retriever=options.retriever(retriever),
            plan_prompt=plans.check_prompt(planning) if planning else None,
            write_prompt=writes.check_prompt(writing) if writing else None,
            mode=mode,
            # Without turns in it, a prompt can show the prior text in one message only.
            layout="paper" if writing and "turns" not in options.names(writing) else layout,
            length_control=length_control,
            grounded_only=grounded_only,
            review=review,
            local_sources=local_sources,
            strict=bad_replies == "stop",
            policy=CallPolicy(
                retries=Retry(max_retries=max_retries),
                limits=CallLimits(
                    max_concurrency,
                    requests_per_minute,
                    tokens_per_minute,
                    rate_limiter=rate_limiter,
                ),
                budget=budget,
                timeout=options.seconds(timeout),
                streaming=streaming,
            ),
        )
        compiled = topology(self.stages).compile(checkpointer=checkpointer, name="AgentWrite")
        # A compiled graph is nothing but its attributes; taking them over keeps every feature of
        # it (subgraphs, get_state, drawing), which a facade around it would have to pass on.
        self.__dict__.update(vars(compiled))

    @property
    def planner(self) -> Runnable[dict[str, Any], WritingPlan]:
        """The planner: `ChatPromptTemplate | model | WritingPlanParser`.

        `longchain.agent.planning.planner.variables` makes what its prompt is filled with.
        """
        stages = self.stages
        prompt = stages.plan_prompt or plans.plan_prompt()
        return plans.planner(stages.planner_model, prompt, WritingPlanParser())

    @property
    def writer(self) -> Runnable[Any, Any]:
        """The section writer: `ChatPromptTemplate | model | SectionParser`."""
        return self.stages.writer

    def copy(self, update: dict[str, Any] | None = None) -> Self:
        """Return a copy with other attributes."""
        other = object.__new__(type(self))
        other.__dict__.update({**vars(self), **(update or {})})
        return other

    # The door ------------------------------------------------------------------------------

    def _enter(self, given: Any) -> Any:
        """Return the graph's input for a caller's: events, or a command as it is."""
        if isinstance(given, Command) and isinstance(given.resume, WritingPlan):
            # Plain, as all that is checkpointed: LangGraph warns of classes when it reads them.
            return replace(given, resume=given.resume.model_dump())
        if given is None or isinstance(given, Command):
            return given
        if isinstance(given, Mapping) and set(given) == {"log"}:
            return given
        nodes = self.stages
        log = events(given, mode=nodes.mode, local_sources=nodes.local_sources)
        if nodes.grounded_only and nodes.source(nodes.progress({"log": log})) is None:
            raise InputError(
                "grounded_only: nothing to write from: give context, sources or a retriever"
            )
        return {"log": log}

    def stream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Stream the graph's steps; `invoke` and `batch` come through here, too."""
        return super().stream(self._enter(input), options.lift(config), **self._durably(kwargs))

    def astream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Stream the graph's steps; `ainvoke`, `abatch` and `astream_events` come here, too."""
        return super().astream(self._enter(input), options.lift(config), **self._durably(kwargs))

    def _durably(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        """Have each step stored before the next one begins, unless the caller chose otherwise."""
        chosen = kwargs.get("durability") or kwargs.get("checkpoint_during") is not None
        stores = isinstance(self.checkpointer, BaseCheckpointSaver)
        return kwargs if chosen or not stores else {**kwargs, "durability": "sync"}

    @property
    def InputType(self) -> Any:  # noqa: N802
        """What the chain takes: an instruction, or an instruction with options."""
        return str | Input

    def get_input_schema(self, config: RunnableConfig | None = None) -> type[BaseModel]:
        """Return the input as a pydantic model that refuses what the chain would refuse."""
        return schema(self.stages.mode, self.stages.local_sources)

    def get_input_jsonschema(self, config: RunnableConfig | None = None) -> dict[str, Any]:
        """Return the input's JSON schema."""
        return self.get_input_schema(config).model_json_schema()

    # What a writer wants -------------------------------------------------------------------

    def estimate(self, input: Any, prices: Prices | None = None) -> Estimate:
        """Return what a document will take, without asking a model or the retriever.

        Args:
            input: What would be written.
            prices: What tokens cost; None: as in the budget.

        Raises:
            InputError: The input cannot be used.
        """
        return estimate(self.stages, self._enter(input)["log"], topology, prices)

    def plan(self, input: Any, config: RunnableConfig | None = None) -> WritingPlan:
        """Plan a document without writing it; hand the plan back as `{"instruction", "plan"}`.

        Raises:
            InputError: The input cannot be used.
        """
        log = self._enter(input)["log"]
        while (progress := self.stages.progress({"log": log})).plan is None:
            log = extend(log, [self._planning(progress).invoke({"log": log}, config)["log"]])
        return progress.plan

    async def aplan(self, input: Any, config: RunnableConfig | None = None) -> WritingPlan:
        """Plan a document without writing it, asynchronously."""
        log = self._enter(input)["log"]
        while (progress := self.stages.progress({"log": log})).plan is None:
            node = self._planning(progress)
            log = extend(log, [(await node.ainvoke({"log": log}, config))["log"]])
        return progress.plan

    def _planning(self, progress: DocumentState) -> Runnable[Any, Any]:
        first = self.stages.start({"log": [progress.request]})
        surveying = first == "survey" and not progress.outline
        return self.stages.survey if surveying else self.stages.plan

    def follow(self, input: Any, config: RunnableConfig | None = None) -> Iterator[DocumentState]:
        """Write a document and yield where it stands after every step.

        `longchain.agent.finishing.report.document` makes the document of the last one.
        """
        given = self._enter(input)
        kept = None if isinstance(given, dict) else self.get_state(_named(config)).values
        progress = self._begun(given if kept is None else kept)
        for update in self.stream(given, config, stream_mode="updates"):
            progress.add(_events(update))
            yield progress

    async def afollow(
        self, input: Any, config: RunnableConfig | None = None
    ) -> AsyncIterator[DocumentState]:
        """Write a document and yield where it stands after every step, asynchronously."""
        given = self._enter(input)
        kept = None if isinstance(given, dict) else (await self.aget_state(_named(config))).values
        progress = self._begun(given if kept is None else kept)
        async with aclosing(self.astream(given, config, stream_mode="updates")) as steps:
            async for update in steps:
                progress.add(_events(update))
                yield progress

    def stream_text(self, input: Any, config: RunnableConfig | None = None) -> Iterator[str]:
        """Yield the document's Markdown as it becomes final; the pieces join to the text.

        What is yielded is never taken back: a section comes when it is finished. For tokens as
        the model writes them, use `stream(..., stream_mode="messages")`.
        """
        shown = 0
        for progress in self.follow(input, config):
            parts = pieces(progress)[0] if progress.plan is not None else []
            yield from parts[shown:]
            shown = max(shown, len(parts))

    async def astream_text(
        self, input: Any, config: RunnableConfig | None = None
    ) -> AsyncIterator[str]:
        """Yield the document's Markdown as it becomes final, asynchronously."""
        shown = 0
        async for progress in self.afollow(input, config):
            parts = pieces(progress)[0] if progress.plan is not None else []
            for part in parts[shown:]:
                yield part
            shown = max(shown, len(parts))

    def document(self, config: RunnableConfig) -> dict[str, Any]:
        """Return a finished document again from its checkpoint, without a call.

        Raises:
            InputError: The thread holds no document, or one that is not finished.
        """
        values = self.get_state(config).values
        if not values.get("log"):
            raise InputError("this thread holds no document")
        progress = self._begun(values)
        if progress.plan is None or progress.current() is not None or progress.chapter_reached():
            raise InputError("the document is not finished: go on with invoke(None, config)")
        return document(progress, self.stages.prices).model_dump()

    def _begun(self, values: dict[str, Any]) -> DocumentState:
        """Return what a run starts from: the events of its input, or of a checkpoint."""
        nodes = self.stages
        return DocumentState(values["log"], closed=nodes.length_control, mode=nodes.mode)


def _named(config: RunnableConfig | None) -> RunnableConfig:
    """Return the config of a run that goes on."""
    if not config:
        raise InputError("to go on with a document, name its thread in the config")
    return config


def _events(update: dict[str, Any]) -> list[Any]:
    """Return what the nodes of one update added to the log.

    A resumed run also hands on what was stored before it stopped and not yet taken in, with a note
    that says so; the state that it starts from has that already.
    """
    if (update.get("__metadata__") or {}).get("cached"):
        return []
    changes = [changed for changed in update.values() if isinstance(changed, dict)]
    return [event for changed in changes for event in changed.get("log", [])]


def topology(nodes: Nodes) -> StateGraph[State, None, Log, Output]:
    """Return the graph: its nodes, and which may follow which."""
    graph = StateGraph(State, input_schema=Log, output_schema=Output)
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
