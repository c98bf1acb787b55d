"""The writers that a benchmark measures: a chat model alone, or a chain that writes with it.

`Sample` -> `WriterOutput`: the raw text, its usage and its report

Knows models, chains and retries; knows nothing of files or scores.
"""

from __future__ import annotations

import hashlib
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple, Protocol

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage

from longchain.agent.chain import AgentWriteChain
from longchain.bench.client import ModelClient
from longchain.bench.schema import Sample, WritingMode
from longchain.calls import reply
from longchain.calls.ask import CallPolicy
from longchain.calls.budget import Spending
from longchain.calls.limits import CallLimits
from longchain.calls.retry import Retry
from longchain.document import Usage
from longchain.errors import InputError
from longchain.models import resolve
from longchain.models.profile import limited, unwrap
from longchain.models.redact import redact_model_name, redact_url

_SAMPLING_FIELDS = (
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
"""Fields of a model that are recorded, by name: other fields may have API keys."""

_DEFAULT_LENGTH = 1_000
"""Words that a reply is taken to have for the token limit, if a sample requires no length."""


class WriterOutput(NamedTuple):
    """The text written for a sample."""

    text: str
    usage: Usage
    report: dict[str, Any]


class Writer(Protocol):
    """Writes samples, several at a time."""

    mode: WritingMode
    model: BaseChatModel

    @property
    def settings(self) -> dict[str, Any]:
        """Settings of the writer, JSON-plain and without secrets."""

    async def write(self, sample: Sample) -> WriterOutput:
        """Write one sample."""


class ModelWriter:
    """Asks a chat model once, with the prompt as the only message, as the paper does.

    Args:
        model: The model.
        max_tokens: Upper bound of tokens in a reply; None: the model's own limit.
        timeout: Seconds without a sign of life after which a call fails; None: no limit.
        streaming: Have replies streamed, so that silence is noticed early.
        retries: How often a request is repeated after an error that may pass; None: as a chain
            does.
        traffic: Limits of calls that it shares with other writers.
    """

    mode: WritingMode = "direct"

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
        policy = CallPolicy(
            retries=retries or Retry(),
            limits=traffic or CallLimits(),
            timeout=timeout,
            streaming=streaming,
        )
        self._client = ModelClient("bench", policy)

    @property
    def settings(self) -> dict[str, Any]:
        """Sampling of the model, and the limit of a reply."""
        settings = sampling_settings(self.model)
        if self.max_tokens is not None:
            settings["max_tokens"] = self.max_tokens
        return settings

    async def write(self, sample: Sample) -> WriterOutput:
        """Ask the model; the usage is that of all attempts."""
        runnable: Any = self.model
        if self.max_tokens is not None:
            runnable = limited(self.model, self.max_tokens)
        # About two tokens a word or character, to keep within a limit of tokens per minute.
        reply_tokens = 2 * (sample.length or _DEFAULT_LENGTH)
        spending = Spending(Usage())
        message = await self._client.ask(
            runnable, [HumanMessage(sample.prompt)], spending, reply_tokens=reply_tokens
        )
        answer = reply.read(message)
        return WriterOutput(answer.text, spending.spent, {"finish": answer.finish})


class ChainWriter:
    """Gives a chain the prompt as its instruction, as a user would type it.

    Args:
        chain: The chain; its own retries and limits apply.
        pass_length: Pass the required length beside the prompt, so that it need not be read from
            there.

    Raises:
        InputError: The chain has a checkpointer: a sample is written anew, or not at all.
    """

    def __init__(self, chain: AgentWriteChain, *, pass_length: bool = False) -> None:
        if chain.checkpointer:
            raise InputError("a benchmark takes a chain without a checkpointer")
        self.chain = chain
        self.pass_length = pass_length
        self.mode: WritingMode = chain.stages.mode
        self.model: BaseChatModel = chain.stages.model

    @property
    def settings(self) -> dict[str, Any]:
        """Sampling of the model, and options of the chain."""
        stages = self.chain.stages
        settings = {
            **sampling_settings(self.model),
            "length_control": stages.length_control,
            "layout": stages.layout,
            "memory": stages.limit.memory,
            "window": stages.limit.window,
            "hand_length": self.pass_length,  # its name in the files of all versions
        }
        planner = _innermost(stages.planner_model)
        if planner is not _innermost(self.model):
            settings["planner"] = label(planner)
        if stages.retriever:
            settings["retriever"] = type(stages.retriever).__name__
        if stages.plan_prompt:
            settings["plan_prompt"] = hash_prompt(stages.plan_prompt.pretty_repr())
        if stages.write_prompt:
            settings["write_prompt"] = hash_prompt(stages.write_prompt.pretty_repr())
        return settings

    async def write(self, sample: Sample) -> WriterOutput:
        """Write the document."""
        chain_input: dict[str, Any] = {"instruction": sample.prompt}
        if self.pass_length and sample.length:
            chain_input |= {"length": sample.length, "unit": sample.unit}
        document = await self.chain.ainvoke(chain_input)
        return WriterOutput(document["text"], Usage(**document["usage"]), document["report"])


Direct, Chained = ModelWriter, ChainWriter
"""Earlier names of the writers."""


def _innermost(model: Any) -> Any:
    """Return the chat model itself, without the runnables around it."""
    return unwrap(model)[-1]


def hash_prompt(text: str) -> str:
    """Return the SHA-256 of a prompt, its first 16 hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def label(model: BaseChatModel) -> str:
    """Return a model's name, without secrets that may be in it."""
    return redact_model_name(resolve.name(_innermost(model)))


def sampling_settings(model: BaseChatModel) -> dict[str, Any]:
    """Return the settings of a model that are no secrets: class, address, sampling."""
    innermost = _innermost(model)
    settings: dict[str, Any] = {"client": type(innermost).__name__}
    url = getattr(innermost, "openai_api_base", None) or getattr(innermost, "base_url", None)
    if url:
        settings["base_url"] = redact_url(str(url))
    for field in _SAMPLING_FIELDS:
        value = getattr(innermost, field, None)
        if isinstance(value, int | float | str):
            settings[field] = value
    for wrapper in unwrap(model)[:-1]:
        bound = getattr(wrapper, "kwargs", None)
        if isinstance(bound, dict):
            settings |= {field: bound[field] for field in _SAMPLING_FIELDS if field in bound}
    return settings


def package_versions(model: BaseChatModel) -> dict[str, str]:
    """Return the versions of longchain, LangChain and the model's package."""
    package = type(_innermost(model)).__module__.partition(".")[0].replace("_", "-")
    versions = {}
    for name in ("longchain", "langchain", "langchain-core", package):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions
