"""One node of the graph, from one definition in its sync and its async form.

prepare(state) -> `ask` -> update(state)

Knows how a node is run, named and traced; does not know what any node does, nor how a model is
called: see `longchain.calls.ask`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.config import merge_configs
from langgraph.constants import TAG_NOSTREAM
from langgraph.types import Send

from longchain.agent.state import DocumentState
from longchain.calls.ask import CallPolicy, ModelCall, aask, ask
from longchain.document import Usage
from longchain.models.redact import redact_secrets

Context = TypeVar("Context")


@dataclass
class Prepared(Generic[Context]):
    """What a node has read from the log: what it runs, and what its update needs afterwards."""

    document: DocumentState
    input: Any
    runnable: Runnable[Any, Any]
    context: Context
    expected_errors: tuple[type[Exception], ...] = ()
    """Errors of the Runnable that the node's update wants to see."""

    reply_tokens: int | None = None
    """Tokens expected of the model's reply; None if no model is asked."""

    section: int | None = None
    """The section's number in traces and log lines, from 1; None if there is none."""

    request: str = ""
    """The kind of request in traces, such as `extend`; empty without a section."""

    retried: list[str] = field(default_factory=list)
    """Errors that were waited out before the Runnable answered, such as `rate limit`."""

    def notes(self) -> list[str]:
        """Return the report's notes on errors that were waited out."""
        return [f"waited out: {name}" for name in self.retried]

    def metadata(self) -> dict[str, Any]:
        """Return the section and the kind of request, for traces and log records."""
        if self.section is None:
            return {}
        return {"section": self.section, "request": self.request}


class ModelNode(Runnable[Any, Any]):
    """A node: `prepare` reads the state, its Runnable answers, `update` adds to the state.

    It is no run of its own in traces: the graph has already made one that bears the node's name.

    Args:
        name: The node's name.
        prepare: Reads the state.
        update: Makes the addition to the state from the answer and its usage.
        prose: Whether its reply is prose: tokens that a caller may stream, and that may loop.
        reads: Keys of the graph's state that it sees beside what was sent to it.
        keeps_errors: Parallel mode: keep an error and raise it when all sections are back;
            LangGraph would cancel the siblings' paid calls.
        policy: How it calls models.
    """

    def __init__(
        self,
        name: str,
        prepare: Callable[[Any], Prepared[Any]],
        update: Callable[[Prepared[Any], Any, Usage], Any],
        *,
        prose: bool = False,
        reads: tuple[str, ...] = (),
        keeps_errors: bool = False,
        policy: CallPolicy,
    ):
        self.name = name
        self.reads = reads
        self.policy = policy
        self.prepare = prepare
        self.update = update
        self.prose = prose
        self.keeps_errors = keeps_errors
        self.tags = [] if prose else [TAG_NOSTREAM]

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Run the node."""
        prepared = self.read(input, config)
        call = self._call(prepared, config)
        try:
            answer = ask(call, self.policy)
            return self.update(prepared, answer, call.usage)
        except Exception as error:
            return self._handle(prepared, error)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Run the node asynchronously."""
        prepared = self.read(input, config)
        call = self._call(prepared, config)
        try:
            answer = await aask(call, self.policy)
            return self.update(prepared, answer, call.usage)
        except Exception as error:
            return self._handle(prepared, error)

    def read(self, state: Mapping[str, Any], config: RunnableConfig | None) -> Prepared[Any]:
        """Return what the node makes of the graph's state."""
        if self.reads:
            state = {**state, **_read(self.reads, config)}
        return self.prepare(state)

    def _call(self, prepared: Prepared[Any], config: RunnableConfig | None) -> ModelCall:
        """Return the request to the model, named and tagged for traces."""
        metadata = prepared.metadata()
        thread = (config or {}).get("configurable", {}).get("thread_id", "")
        extra: RunnableConfig = {
            "tags": self.tags,
            "metadata": {"longchain_node": self.name, **metadata},
        }
        label = str(self.name)
        if prepared.section is not None:
            label = f"section {prepared.section}"
            extra["run_name"] = f"{prepared.request} {label}"
        return ModelCall(
            name=self.name or "",
            runnable=prepared.runnable,
            input=prepared.input,
            spending=prepared.document.spending,
            config=merge_configs(config, extra),
            reply_tokens=prepared.reply_tokens,
            stops_repetition=self.prose,
            expected_errors=prepared.expected_errors,
            server_answered=prepared.document.usage.calls > 0,
            label=label,
            context={"run": str(thread), **metadata},
            retried=prepared.retried,
        )

    def _handle(self, prepared: Prepared[Any], error: Exception) -> Any:
        """Raise an error, or keep it until the nodes beside this one are done.

        A checkpointer stores its message, which may repeat what a provider was sent.
        """
        error.args = tuple(
            redact_secrets(part) if isinstance(part, str) else part for part in error.args
        )
        if not self.keeps_errors:
            raise error
        prepared.document.errors.append(error)
        return {"log": []}


def _read(keys: tuple[str, ...], config: RunnableConfig | None) -> dict[str, Any]:
    """Return parts of the graph's state, for a node that something was sent to.

    Such a node is handed what was sent and nothing else. A `Send` that carried the log would be
    checkpointed with it, once for each section: 500 sections took 48 bytes for each of text.
    LangGraph hands every task a reader of the state, for its own edges; it has no public name.
    """
    read = (config or {}).get("configurable", {}).get("__pregel_read")
    if read is None:
        raise RuntimeError("this node runs inside of its graph only")
    return {key: read(key, False) for key in keys}


class Router(Runnable[Any, str | list[Send]]):
    """Chooses the next node, and leaves no trace of it.

    A trace would repeat the whole log after every step, and LangServe could not send its event: a
    `Send` is no JSON.
    """

    def __init__(self, choose: Callable[[Any], str | list[Send]]):
        self.choose = choose
        self.name = choose.__name__

    def invoke(
        self, input: Any, config: RunnableConfig | None = None, **kwargs: Any
    ) -> str | list[Send]:
        """Return the next node's name, or what is sent to several."""
        return self.choose(input)

    async def ainvoke(
        self, input: Any, config: RunnableConfig | None = None, **kwargs: Any
    ) -> str | list[Send]:
        """Return the same; nothing here waits."""
        return self.choose(input)
