"""One node of a graph, from one definition in its sync and its async form.

view(state) -> Runnable -> update(state)

Knows how a node is run, named and metered; does not know what any node does.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage
from langchain_core.outputs import LLMResult
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.config import merge_configs
from langgraph.constants import TAG_NOSTREAM
from langgraph.types import Send

from longchain.agent import retry
from longchain.agent.progress import Progress

logger = logging.getLogger(__name__)


class Meter(BaseCallbackHandler):
    """Adds up what the model calls of one node took."""

    run_inline = True

    def __init__(self) -> None:
        self.usage = {"calls": 0, "input_tokens": 0, "output_tokens": 0, "cached_tokens": 0}

    def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:
        """Count a finished call."""
        self.usage["calls"] += 1
        message = getattr(response.generations[0][0], "message", None)
        used = message.usage_metadata if isinstance(message, AIMessage) else None
        if used:
            self.usage["input_tokens"] += used["input_tokens"]
            self.usage["output_tokens"] += used["output_tokens"]
            cached = used.get("input_token_details", {}).get("cache_read", 0)
            self.usage["cached_tokens"] += cached or 0

    def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        """Count a call that failed."""
        self.usage["calls"] += 1


@dataclass
class View:
    """What a node has made of the log: the input of its Runnable, and what it will need after."""

    progress: Progress
    input: Any
    runnable: Runnable[Any, Any]
    about: dict[str, Any] = field(default_factory=dict)
    catch: tuple[type[Exception], ...] = ()
    """Errors of the Runnable that the node's update wants to see."""

    waited: list[str] = field(default_factory=list)
    """What was waited out before the Runnable answered, such as `rate limit`."""

    def notes(self) -> list[str]:
        """Return what the report says of that."""
        return [f"waited out: {name}" for name in self.waited]


class Step(Runnable[Any, Any]):
    """A node: `view` of the state -> its Runnable -> `update` of the state, sync and async.

    It is no run of its own in traces: the graph has already made one that bears the node's name.

    Args:
        name: The node's name.
        view: What the node makes of the state.
        update: What it adds to the state, from the view, the Runnable's answer and its usage.
        stream: Whether its tokens are prose that a caller may stream.
        reads: Keys of the graph's state that it sees beside what was sent to it.
        retries: How patient it is with errors that may pass.
    """

    def __init__(
        self,
        name: str,
        view: Callable[[Any], View],
        update: Callable[[View, Any, dict[str, int]], Any],
        *,
        stream: bool = False,
        reads: tuple[str, ...] = (),
        retries: retry.Retry = retry.Retry(),  # noqa: B008  (frozen)
    ):
        self.name = name
        self.reads = reads
        self.retries = retries
        self.view = view
        self.update = update
        self.tags = [] if stream else [TAG_NOSTREAM]

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Run the node."""
        seen, meter, inner = self._prepare(input, config)
        while True:
            try:
                answer = seen.runnable.invoke(seen.input, inner)
                break
            except Exception as error:
                if isinstance(error, seen.catch):
                    answer = error
                    break
                time.sleep(self._pause(seen, error))
        return self.update(seen, answer, meter.usage)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Run the node asynchronously."""
        seen, meter, inner = self._prepare(input, config)
        while True:
            try:
                answer = await seen.runnable.ainvoke(seen.input, inner)
                break
            except Exception as error:
                if isinstance(error, seen.catch):
                    answer = error
                    break
                await asyncio.sleep(self._pause(seen, error))
        return self.update(seen, answer, meter.usage)

    def _pause(self, seen: View, error: Exception) -> float:
        """Return the seconds to wait before the Runnable is run again, or raise the error."""
        begun = seen.progress.usage.calls > 0 or bool(seen.waited)
        pause = self.retries.pause(error, len(seen.waited) + 1, begun=begun)
        if pause is None:
            raise error
        seen.waited.append(retry.name(error))
        logger.info("%s: %s, again in %.0f s", self.name, seen.waited[-1], pause)
        return pause

    def _prepare(
        self, state: Any, config: RunnableConfig | None
    ) -> tuple[View, Meter, RunnableConfig]:
        if self.reads:
            state = {**state, **_read(self.reads, config)}
        seen, meter = self.view(state), Meter()
        extra: RunnableConfig = {
            "callbacks": [meter],
            "tags": self.tags,
            "metadata": {"longchain_node": self.name, **seen.about.get("metadata", {})},
        }
        return seen, meter, merge_configs(config, extra)


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


class Choice(Runnable[Any, str | list[Send]]):
    """Says which node is next, and leaves no trace of it.

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
