"""What a benchmark measures: a chat model by itself, or a chain that writes with it.

`Sample` -> `Written`: the raw text, and what it took

Knows models, chains and how often one asks again; knows nothing of files or scores.
"""

from __future__ import annotations

import asyncio
import hashlib
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple, Protocol

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig

from longchain.agent.chain import AgentWriteChain
from longchain.bench.shapes import Sample, Way
from longchain.calls import reply
from longchain.calls.limits import CallLimits
from longchain.calls.monitor import CallMonitor, StreamingMonitor, arun
from longchain.calls.retry import Retry, retry_after
from longchain.document import Usage
from longchain.errors import InputError
from longchain.models import resolve
from longchain.models.address import shown, shown_url
from longchain.models.profile import layers, limited
from longchain.models.tokens import estimate

_SAMPLING = (
    "temperature",
    "top_p",
    "top_k",
    "seed",
    "max_tokens",
    "max_completion_tokens",
    "num_predict",
    "max_output_tokens",
    "frequency_penalty",
    "presence_penalty",
    "repetition_penalty",
    "reasoning_effort",
)
"""What is kept of a model's fields, by name: the others may hold keys."""


class Written(NamedTuple):
    """What came of a sample."""

    text: str
    usage: Usage
    report: dict[str, Any]


class Writer(Protocol):
    """Writes samples, several at once."""

    way: Way
    model: BaseChatModel

    @property
    def settings(self) -> dict[str, Any]:
        """What it writes with, JSON-plain and without secrets."""

    async def write(self, sample: Sample) -> Written:
        """Write one sample."""


class Direct:
    """A chat model asked once, with the prompt as the only message, as the paper does.

    Args:
        model: The model.
        max_tokens: The most tokens of a reply; None: the model's own limit.
        timeout: Seconds that a call may give no sign of life; None waits for ever.
        streaming: Have replies streamed, so that silence is noticed early.
        retries: How often a request is sent again that may pass later; None: as a chain does.
        traffic: The limits of calls that it shares with others.
    """

    way: Way = "direct"

    def __init__(
        self,
        model: BaseChatModel,
        *,
        max_tokens: int | None = None,
        timeout: float | None = 600.0,
        streaming: bool = True,
        retries: Retry | None = None,
        traffic: CallLimits | None = None,
    ) -> None:
        if max_tokens is not None and max_tokens < 1:
            raise InputError(f"max_tokens is {max_tokens!r}: a reply has at least 1 token")
        self.model = model
        self.max_tokens = max_tokens
        self._timeout = timeout
        self._watch = StreamingMonitor if streaming else CallMonitor
        self._retries = retries or Retry()
        self._traffic = traffic or CallLimits()
        self._begun = False

    @property
    def settings(self) -> dict[str, Any]:
        """The model's sampling, and the limit of a reply."""
        limit = {} if self.max_tokens is None else {"max_tokens": self.max_tokens}
        return {**sampling(self.model), **limit}

    async def write(self, sample: Sample) -> Written:
        """Ask, and ask again where that may help; all that the calls took is counted."""
        usage, failed = Usage(), 0
        while True:
            watch = self._watch()
            try:
                message = await self._ask(sample, watch)
                self._begun = True
                break
            except Exception as error:
                failed += 1
                pause = self._retries.pause(error, failed, server_answered=self._begun)
                if pause is None:
                    raise
                if retry_after(error) is not None:
                    self._traffic.back_off(pause)
            finally:
                usage = usage + watch.usage
            await asyncio.sleep(pause)
        answer = reply.read(message)
        return Written(answer.text, usage, {"finish": answer.finish})

    async def _ask(self, sample: Sample, watch: CallMonitor) -> Any:
        most = self.max_tokens
        runnable = self.model if most is None else limited(self.model, most)
        config: RunnableConfig = {"callbacks": [watch]}
        tokens = estimate(sample.prompt) + 2 * (sample.length or 1_000)
        async with self._traffic.admit(tokens) as admitted:
            try:
                prompt = [HumanMessage(sample.prompt)]
                return await arun(runnable, prompt, config, watch, self._timeout)
            finally:
                admitted.record(watch.usage.input_tokens + watch.usage.output_tokens)


class Chained:
    """A chain that is given the prompt as its instruction, as a user would type it.

    Args:
        chain: The chain; its own retries and limits hold.
        hand_length: Hand the required length over beside the prompt, so that it need not be read
            from there.

    Raises:
        InputError: The chain keeps what it writes: a sample is written anew, or not at all.
    """

    def __init__(self, chain: AgentWriteChain, *, hand_length: bool = False) -> None:
        if chain.checkpointer:
            raise InputError("a benchmark takes a chain without a checkpointer")
        self.chain = chain
        self.hand_length = hand_length
        self.way: Way = chain.stages.mode
        self.model: BaseChatModel = chain.stages.model

    @property
    def settings(self) -> dict[str, Any]:
        """The model's sampling, and the chain's options."""
        stages = self.chain.stages
        planner = _own(stages.planner_model)
        prompts = {"plan_prompt": stages.plan_prompt, "write_prompt": stages.write_prompt}
        return {
            **sampling(self.model),
            "length_control": stages.length_control,
            "layout": stages.layout,
            "memory": stages.limit.memory,
            "window": stages.limit.window,
            "hand_length": self.hand_length,
            **({"planner": label(planner)} if planner is not _own(self.model) else {}),
            **({"retriever": type(stages.retriever).__name__} if stages.retriever else {}),
            **{name: prompt_hash(own.pretty_repr()) for name, own in prompts.items() if own},
        }

    async def write(self, sample: Sample) -> Written:
        """Write the document."""
        given: dict[str, Any] = {"instruction": sample.prompt}
        if self.hand_length and sample.length:
            given |= {"length": sample.length, "unit": sample.unit}
        done = await self.chain.ainvoke(given)
        return Written(done["text"], Usage(**done["usage"]), done["report"])


def _own(model: Any) -> Any:
    return layers(model)[-1]


def prompt_hash(text: str) -> str:
    """Return what tells a prompt from others: its SHA-256, the first 16 hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def label(model: BaseChatModel) -> str:
    """Return a model's name, without what may be secret in it."""
    return shown(resolve.name(_own(model)))


def sampling(model: BaseChatModel) -> dict[str, Any]:
    """Return what a model is made with, as far as it may be told: class, address, sampling."""
    own = _own(model)
    found: dict[str, Any] = {"client": type(own).__name__}
    url = getattr(own, "openai_api_base", None) or getattr(own, "base_url", None)
    if url:
        found["base_url"] = shown_url(str(url))
    for key in _SAMPLING:
        value = getattr(own, key, None)
        if isinstance(value, int | float | str):
            found[key] = value
    for wrapping in layers(model)[:-1]:
        bound = getattr(wrapping, "kwargs", None)
        if isinstance(bound, dict):
            found |= {key: bound[key] for key in _SAMPLING if key in bound}
    return found


def versions(model: BaseChatModel) -> dict[str, str]:
    """Return the versions of longchain, LangChain and the model's package."""
    package = type(_own(model)).__module__.partition(".")[0].replace("_", "-")
    found = {}
    for wanted in ("longchain", "langchain", "langchain-core", package):
        try:
            found[wanted] = version(wanted)
        except PackageNotFoundError:
            continue
    return found
