"""One node of a graph, from one definition in its sync and its async form.

view(state) -> Runnable -> update(state)

Knows how a node is run, named, metered and tried again; does not know what any node does.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.config import merge_configs
from langgraph.constants import TAG_NOSTREAM
from langgraph.types import Send

from longchain.agent import retry, trace
from longchain.agent.progress import Progress
from longchain.agent.reply import Reply
from longchain.agent.spending import Budget
from longchain.agent.traffic import Traffic
from longchain.agent.watch import Looped, Stopped, StreamingWatch, Watch, acall, call
from longchain.document import Usage
from longchain.models.resolve import without_secrets
from longchain.models.tokens import estimate

logger = logging.getLogger(__name__)

_LOOK = 0.5
"""Seconds between two looks at whether the run is to end, in a pause."""

_ENDED = (Stopped, KeyboardInterrupt, asyncio.CancelledError)
"""What ends a run from outside, in the middle of its calls."""


@dataclass(frozen=True)
class Policy:
    """How a chain calls its models."""

    retries: retry.Retry = field(default_factory=retry.Retry)
    traffic: Traffic = field(default_factory=Traffic)
    budget: Budget | None = None
    timeout: float | None = None
    """Seconds that a call may be silent."""

    streaming: bool = False
    """Whether replies are streamed also where the caller does not ask for it."""

    stop: threading.Event = field(default_factory=threading.Event)
    """Set to have all calls given up at once, and no other one started."""

    cut: list[Usage] = field(default_factory=list)
    """What the calls of each node took that was cut off by a stop: the log has no event of it."""

    def __post_init__(self) -> None:
        self.traffic.sleep = self.sleep
        self.traffic.heed = self.heed

    def heed(self) -> None:
        """Go on, unless the run is to end."""
        if self.stop.is_set():
            raise Stopped

    def sleep(self, seconds: float) -> None:
        """Wait in a thread, but not when the run is to end."""
        if self.stop.wait(seconds):
            raise Stopped

    async def asleep(self, seconds: float) -> None:
        """Wait in an event loop, but not when the run is to end."""
        while seconds > 0:
            self.heed()
            await asyncio.sleep(min(seconds, _LOOK))
            seconds -= _LOOK
        self.heed()

    @property
    def weighs(self) -> bool:
        """Whether the tokens of a call have to be known before it."""
        return self.traffic.weighs or (self.budget is not None and self.budget.weighs)


@dataclass
class View:
    """What a node has made of the log: the input of its Runnable, and what it will need after."""

    progress: Progress
    input: Any
    runnable: Runnable[Any, Any]
    about: dict[str, Any] = field(default_factory=dict)
    catch: tuple[type[Exception], ...] = ()
    """Errors of the Runnable that the node's update wants to see."""

    reply: int | None = None
    """About how many tokens the model will answer; None: no model is asked."""

    waited: list[str] = field(default_factory=list)
    """What was waited out before the Runnable answered, such as `rate limit`."""

    def notes(self) -> list[str]:
        """Return what the report says of that."""
        return [f"waited out: {name}" for name in self.waited]

    def expected(self, *, weigh: bool) -> Usage:
        """Return what the call is expected to take; its tokens only where they are asked for."""
        if self.reply is None:
            return Usage()
        if not weigh:
            return Usage(calls=1)
        prompt = sum(map(estimate, _texts(self.input)))
        return Usage(calls=1, input_tokens=prompt, output_tokens=self.reply)


def _texts(input: Any) -> Iterator[str]:
    """Yield all text of a prompt's variables, or of messages."""
    if isinstance(input, str):
        yield input
    elif isinstance(input, BaseMessage):
        yield input.text
    elif isinstance(input, Iterable):
        for part in input.values() if isinstance(input, dict) else input:
            yield from _texts(part)


@dataclass
class Attempts:
    """One run of a node: what it has seen, and what its calls took together."""

    seen: View
    config: RunnableConfig
    label: str
    """What it writes, as a person would say: `section 3`."""
    where: dict[str, Any]
    """Which run and which section, for logs and spans."""
    usage: Usage = field(default_factory=Usage)


@dataclass
class Attempt:
    """One of its calls."""

    tokens: int
    """What it is expected to take."""
    watch: Watch
    of: tuple[Runnable[Any, Any], Any, RunnableConfig, Watch]
    """What is run: the Runnable, its input, its config, and who watches."""
    answer: Any = None
    pause: float = 0.0
    """Seconds until the next attempt; 0.0: there is an answer."""


class Step(Runnable[Any, Any]):
    """A node: `view` of the state -> its Runnable -> `update` of the state, sync and async.

    It is no run of its own in traces: the graph has already made one that bears the node's name.

    Args:
        name: The node's name.
        view: What the node makes of the state.
        update: What it adds to the state, from the view, the Runnable's answer and its usage.
        prose: Whether its reply is prose: tokens that a caller may stream, and that may loop.
        reads: Keys of the graph's state that it sees beside what was sent to it.
        deferred: Whether an error waits in the progress for the nodes beside this one, which
            LangGraph would cancel in the middle of calls that are paid for.
        policy: How it calls models.
    """

    def __init__(
        self,
        name: str,
        view: Callable[[Any], View],
        update: Callable[[View, Any, dict[str, int]], Any],
        *,
        prose: bool = False,
        reads: tuple[str, ...] = (),
        deferred: bool = False,
        policy: Policy,
    ):
        self.name = name
        self.reads = reads
        self.policy = policy
        self.view = view
        self.update = update
        self.prose = prose
        self.deferred = deferred
        self.tags = [] if prose else [TAG_NOSTREAM]

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Run the node."""
        made, policy = self._prepare(input, config), self.policy
        try:
            while True:
                with (
                    self._attempt(made) as tried,
                    policy.traffic.call(tokens=tried.tokens) as admitted,
                ):
                    try:
                        tried.answer = call(*tried.of, policy.timeout, policy.stop)
                    finally:
                        admitted.used(_tokens(tried.watch.usage))
                if not tried.pause:
                    return self.update(made.seen, tried.answer, made.usage.model_dump())
                policy.sleep(tried.pause)
        except Exception as error:
            return self._defer(made, error)
        except _ENDED:
            policy.cut.append(made.usage)
            raise

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Run the node asynchronously."""
        made, policy = self._prepare(input, config), self.policy
        try:
            while True:
                with self._attempt(made) as tried:
                    async with policy.traffic.call(tokens=tried.tokens) as admitted:
                        try:
                            tried.answer = await acall(*tried.of, policy.timeout, policy.stop)
                        finally:
                            admitted.used(_tokens(tried.watch.usage))
                if not tried.pause:
                    return self.update(made.seen, tried.answer, made.usage.model_dump())
                await policy.asleep(tried.pause)
        except Exception as error:
            return self._defer(made, error)
        except _ENDED:
            policy.cut.append(made.usage)
            raise

    @contextmanager
    def _attempt(self, made: Attempts) -> Iterator[Attempt]:
        """Account for one attempt: what it may take, what it took, what comes of its failure."""
        seen, ledger = made.seen, made.seen.progress.ledger
        expected = seen.expected(weigh=self.policy.weighs)
        if seen.reply is not None:
            ledger.admit(self.policy.budget, expected)
        watch = (StreamingWatch if self.policy.streaming else Watch)(guarded=self.prose)
        inner = merge_configs(made.config, {"callbacks": [watch]})
        tried = Attempt(_tokens(expected), watch, (seen.runnable, seen.input, inner, watch))
        try:
            with trace.span(self.name or "", made.where, watch):
                yield tried
        except (Exception, Looped) as error:
            tried.answer, tried.pause = self._failed(made, error)
        finally:
            made.usage = made.usage + watch.usage
            if seen.reply is not None:
                ledger.settle(expected, watch.usage)

    def _failed(self, made: Attempts, error: Exception | Looped) -> tuple[Any, float]:
        """Return what stands for an answer, or the seconds to wait, or raise the error."""
        if isinstance(error, Looped):
            return Reply(error.text, "loop"), 0.0
        if isinstance(error, made.seen.catch):
            return error, 0.0
        return None, self._pause(made, error)

    def _pause(self, made: Attempts, error: Exception) -> float:
        """Return the seconds to wait before the Runnable is run again, or raise the error."""
        seen = made.seen
        begun = seen.progress.usage.calls > 0 or bool(seen.waited)
        pause = self.policy.retries.pause(error, len(seen.waited) + 1, begun=begun)
        if pause is None:
            raise error
        seen.waited.append(retry.name(error))
        if retry.retry_after(error) is not None:
            # What the server asks of one call, it asks of all that share its limit.
            self.policy.traffic.hold(pause)
        where = {"section": None, **made.where}  # a format may name it for all records
        logger.info("%s: %s, again in %.0f s", made.label, seen.waited[-1], pause, extra=where)
        return pause

    def _defer(self, made: Attempts, error: Exception) -> Any:
        """Raise an error, or keep it until the nodes beside this one are done.

        A checkpointer stores its message, which may repeat what a provider was sent.
        """
        error.args = tuple(
            without_secrets(part) if isinstance(part, str) else part for part in error.args
        )
        if not self.deferred:
            raise error
        made.seen.progress.errors.append(error)
        return {"log": []}

    def _prepare(self, state: Any, config: RunnableConfig | None) -> Attempts:
        if self.reads:
            state = {**state, **_read(self.reads, config)}
        seen = self.view(state)
        about = seen.about.get("metadata", {})
        name = f"section {about['section']}" if "section" in about else str(self.name)
        run = (config or {}).get("configurable", {}).get("thread_id", "")
        extra: RunnableConfig = {
            "tags": self.tags,
            "metadata": {"longchain_node": self.name, **about},
        }
        if "section" in about:
            extra["run_name"] = f"{about['request']} {name}"
        return Attempts(seen, merge_configs(config, extra), name, {"run": str(run), **about})


def _tokens(usage: Usage) -> int:
    return usage.input_tokens + usage.output_tokens


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
