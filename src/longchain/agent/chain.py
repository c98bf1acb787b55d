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
from dataclasses import replace
from typing import Annotated, Any, Literal, Self, cast, get_args

from langchain_core.documents import Document
from langchain_core.language_models import BaseChatModel
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.base import RunnableLike, coerce_to_runnable
from langgraph.channels import DeltaChannel, UntrackedValue
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command
from pydantic import BaseModel
from typing_extensions import TypedDict

from longchain.agent import memory as memories
from longchain.agent import plan as plans
from longchain.agent import write as writes
from longchain.agent.layout import pieces
from longchain.agent.nodes import Nodes
from longchain.agent.parse import WritingPlanParser
from longchain.agent.progress import Mode, Progress, extend
from longchain.agent.report import document
from longchain.agent.request import Input, events, schema
from longchain.agent.retry import Retry
from longchain.agent.step import Choice
from longchain.document import WritingPlan
from longchain.errors import InputError
from longchain.models.resolve import chat_model
from longchain.models.tokens import counter
from longchain.models.traits import context_window

STEPS = 1_000_000
"""Steps that one document may take; the longest takes some ten thousand."""

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
        memory: What a prompt shows of prior sections: see `longchain.agent.memory`.
        layout: How prompts show it: see `longchain.agent.write`.
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
        checkpointer: Any LangGraph checkpointer.

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
        checkpointer: BaseCheckpointSaver[Any] | Literal[True] | None = None,
    ) -> None:
        _check(mode, memory, layout, window, memory_tokens)
        planning, writing = _template(plan_prompt), _template(write_prompt)
        writer = _model(model)

        def limits() -> memories.Limits:
            return memories.limits(
                memory,
                window=window or context_window(writer),
                budget=memory_tokens,
                count=counter(writer),
            )

        self.stages = Nodes(
            model=writer,
            planner_model=_model(planner_model) if planner_model is not None else writer,
            limits=limits,
            retriever=_retriever(retriever),
            plan_prompt=plans.check_prompt(planning) if planning else None,
            write_prompt=writes.check_prompt(writing) if writing else None,
            mode=mode,
            # Without turns in it, a prompt can show the prior text in one message only.
            layout="paper" if writing and "turns" not in _names(writing) else layout,
            length_control=length_control,
            grounded_only=grounded_only,
            review=review,
            local_sources=local_sources,
            retries=Retry(most=max_retries),
        )
        compiled = topology(self.stages).compile(checkpointer=checkpointer, name="AgentWrite")
        # A compiled graph is nothing but its attributes; taking them over keeps every feature of
        # it (subgraphs, get_state, drawing), which a facade around it would have to pass on.
        self.__dict__.update(vars(compiled))

    @property
    def planner(self) -> Runnable[dict[str, Any], WritingPlan]:
        """The planner: `ChatPromptTemplate | model | WritingPlanParser`.

        `longchain.agent.plan.variables` makes what its prompt is filled with.
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
        return super().stream(self._enter(input), _lift(config), **kwargs)

    def astream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Stream the graph's steps; `ainvoke`, `abatch` and `astream_events` come here, too."""
        return super().astream(self._enter(input), _lift(config), **kwargs)

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

    def _planning(self, progress: Progress) -> Runnable[Any, Any]:
        first = self.stages.start({"log": [progress.request]})
        surveying = first == "survey" and not progress.outline
        return self.stages.survey if surveying else self.stages.plan

    def follow(self, input: Any, config: RunnableConfig | None = None) -> Iterator[Progress]:
        """Write a document and yield where it stands after every step.

        `longchain.agent.report.document` makes the document of the last one.
        """
        given = self._enter(input)
        kept = None if isinstance(given, dict) else self.get_state(_named(config)).values
        progress = self._begun(given if kept is None else kept)
        for update in self.stream(given, config, stream_mode="updates"):
            progress.add(_events(update))
            yield progress

    async def afollow(
        self, input: Any, config: RunnableConfig | None = None
    ) -> AsyncIterator[Progress]:
        """Write a document and yield where it stands after every step, asynchronously."""
        given = self._enter(input)
        kept = None if isinstance(given, dict) else (await self.aget_state(_named(config))).values
        progress = self._begun(given if kept is None else kept)
        async for update in self.astream(given, config, stream_mode="updates"):
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
        return document(progress).model_dump()

    def _begun(self, values: dict[str, Any]) -> Progress:
        """Return what a run starts from: the events of its input, or of a checkpoint."""
        nodes = self.stages
        return Progress(values["log"], closed=nodes.length_control, mode=nodes.mode)


def _named(config: RunnableConfig | None) -> RunnableConfig:
    """Return the config of a run that goes on."""
    if not config:
        raise InputError("to go on with a document, name its thread in the config")
    return config


def _events(update: dict[str, Any]) -> list[Any]:
    """Return what the nodes of one update added to the log."""
    changes = [changed for changed in update.values() if isinstance(changed, dict)]
    return [event for changed in changes for event in changed.get("log", [])]


def topology(nodes: Nodes) -> StateGraph[State, None, Log, Output]:
    """Return the graph: its nodes, and which may follow which."""
    graph = StateGraph(State, input_schema=Log, output_schema=Output)
    parallel = nodes.mode == "parallel"
    first, after_plan, advance = map(Choice, (nodes.start, nodes.planned, nodes.advance))
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
        graph.add_node("gather", lambda state: {"log": []})
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


def _check(
    mode: str, memory: str, layout: str, window: int | None, memory_tokens: int | None
) -> None:
    """Refuse options that nobody knows."""
    choices: list[tuple[str, str, Any]] = [
        ("mode", mode, Mode),
        ("memory", memory, memories.Memory),
        ("layout", layout, writes.Layout),
    ]
    for name, value, known in choices:
        if value not in get_args(known):
            raise InputError(f"{name} is one of {', '.join(get_args(known))}, not {value!r}")
    for name, number in (("window", window), ("memory_tokens", memory_tokens)):
        if number is not None and number < 1:
            raise InputError(f"{name} is a number of tokens, at least 1, not {number!r}")


def _template(given: str | ChatPromptTemplate | None) -> ChatPromptTemplate | None:
    return ChatPromptTemplate.from_template(given) if isinstance(given, str) else given


def _names(prompt: ChatPromptTemplate) -> set[str]:
    return {*prompt.input_variables, *prompt.optional_variables}


def _model(given: str | Runnable[Any, Any] | None) -> BaseChatModel:
    """Return the chat model that is meant, with what is wrapped around it."""
    if given is None or isinstance(given, str | BaseChatModel):
        return chat_model(given)
    # `with_fallbacks`, `bind` and `with_config` pass on what a model is asked about itself.
    if isinstance(given, Runnable) and hasattr(getattr(given, "bound", given), "profile"):
        return cast("BaseChatModel", given)
    raise InputError(
        f"model is a string, a chat model, or one with retries, fallbacks or bound arguments; "
        f"not {type(given).__name__}"
    )


def _retriever(
    given: RunnableLike[str, list[Document]] | None,
) -> Runnable[str, list[Document]] | None:
    """Return a retriever as a Runnable; a plain function becomes one."""
    if given is None:
        return None
    return cast("Runnable[str, list[Document]]", coerce_to_runnable(given))


def _lift(config: RunnableConfig | None) -> RunnableConfig:
    """Return the config with room for any document, unless the caller set a limit on purpose.

    `batch`, LCEL sequences, `with_retry`, tools and LangServe arrive with langchain-core's 25, or
    less by one for each lambda that it came through.
    """
    given = config or {}
    limit = given.get("recursion_limit", 25)
    inherited = limit <= 25 or limit == 10_007
    return cast("RunnableConfig", {**given, "recursion_limit": STEPS if inherited else limit})
