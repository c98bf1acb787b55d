"""The options of an `AgentWriteChain`, with their types and defaults, and their checks.

`ChainOptions` as a caller gives them -> `ChainOptions` that are complete

The chain, `Runs`, `longchain.bench` and the command line are typed by `ChainOptions`, so that an
option can be followed from the command line to the model. Knows nothing of graphs or documents.
"""

from __future__ import annotations

from typing import Any, Literal, cast, get_args

from langchain_core.documents import Document
from langchain_core.language_models import BaseChatModel
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.rate_limiters import BaseRateLimiter
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.base import RunnableLike, coerce_to_runnable
from langgraph.checkpoint.base import BaseCheckpointSaver
from typing_extensions import TypedDict

from longchain.agent.events import Mode
from longchain.agent.writing.memory import Memory
from longchain.agent.writing.section_prompt import Layout
from longchain.calls.budget import Budget
from longchain.errors import InputError
from longchain.models.resolve import chat_model

MAX_STEPS = 1_000_000
"""Graph steps that one document may take; the longest takes some ten thousand."""

BadReplies = Literal["accept", "stop"]


class ChainOptions(TypedDict, total=False):
    """Options of `AgentWriteChain`; what is left out has the value in `DEFAULTS`."""

    planner_model: str | Runnable[Any, Any] | None
    """Model that plans; None: the model that writes."""

    mode: Mode
    """`sequential` writes one section after another, the prior text in view; `parallel` all
    sections at once, each with the whole plan (faster, less coherent); `direct` the whole text in
    one pass, continued until the required length."""

    retriever: RunnableLike[str, list[Document]] | None
    """Retriever of references for each section: any Runnable from a string to documents."""

    memory: Memory
    """Prior text that a prompt shows: see `longchain.agent.writing.memory`."""

    layout: Layout
    """Layout of that text in a prompt: see `longchain.agent.writing`."""

    length_control: bool
    """Whether lengths are measured and corrected while writing; False: as in the paper."""

    grounded_only: bool
    """Whether the model is told to write from the references alone."""

    review: bool
    """Whether to pause after the plan, by `interrupt`; resume with `Command(resume=plan)`. Needs
    a checkpointer."""

    plan_prompt: str | ChatPromptTemplate | None
    """Replacement of the planner's prompt: a template, or its text."""

    write_prompt: str | ChatPromptTemplate | None
    """Replacement of the section writer's prompt, likewise."""

    window: int | None
    """Context window of the writing model in tokens, if its profile does not name it."""

    memory_tokens: int | None
    """Maximum number of tokens of prior text that a prompt shows."""

    local_sources: bool
    """Whether an input may name paths to read. Switch it off on a server."""

    max_retries: int
    """Maximum number of times that one request is sent again after a temporary error (a rate
    limit, a server's failure, a lost connection), with growing pauses, or those that the server
    names. The model's own client may retry on top of that."""

    timeout: float | None
    """Seconds without any output after which a call has failed: without another piece of a
    streamed reply, or without the whole of a reply that is not streamed. None: no limit."""

    max_concurrency: int | None
    """Maximum number of calls at once, of all documents that this chain writes."""

    requests_per_minute: float | None
    """Maximum number of calls in a minute, likewise."""

    tokens_per_minute: float | None
    """Maximum number of prompt and output tokens in a minute, likewise."""

    rate_limiter: BaseRateLimiter | None
    """Rate limiter of LangChain, in place of `requests_per_minute`."""

    budget: Budget | None
    """Limits on one document in calls, tokens or money."""

    bad_replies: BadReplies
    """Treatment of a reply that is in the wrong language or repeats an earlier section even after
    two retries: `accept` uses it, with a note in the report; `stop` ends the run, which can be
    resumed. A reply that is no prose is never used."""

    streaming: bool
    """Whether replies are streamed even if the caller does not stream: a silent server is noticed
    earlier, and a reply that repeats itself is stopped and not paid for to its end. Some servers
    report no usage then."""

    checkpointer: BaseCheckpointSaver[Any] | Literal[True] | None
    """Any LangGraph checkpointer. Each finished section is durable before the next call begins,
    unless `durability` says otherwise."""


DEFAULTS: ChainOptions = {
    "planner_model": None,
    "mode": "sequential",
    "retriever": None,
    "memory": "auto",
    "layout": "conversation",
    "length_control": True,
    "grounded_only": False,
    "review": False,
    "plan_prompt": None,
    "write_prompt": None,
    "window": None,
    "memory_tokens": None,
    "local_sources": True,
    "max_retries": 5,
    "timeout": 600.0,
    "max_concurrency": 128,
    "requests_per_minute": None,
    "tokens_per_minute": None,
    "rate_limiter": None,
    "budget": None,
    "bad_replies": "accept",
    "streaming": False,
    "checkpointer": None,
}

_CHOICES: dict[str, Any] = {
    "mode": Mode,
    "memory": Memory,
    "layout": Layout,
    "bad_replies": BadReplies,
}


def complete(options: ChainOptions) -> ChainOptions:
    """Return the options with the defaults of those that are left out.

    Raises:
        TypeError: An option has a name that is not known.
        InputError: An option has a value that cannot be used.
    """
    unknown = sorted(options.keys() - DEFAULTS.keys())
    if unknown:
        raise TypeError(
            f"AgentWriteChain got an unexpected keyword argument {unknown[0]!r}; "
            f"its options are {', '.join(DEFAULTS)}"
        )
    settings: ChainOptions = {**DEFAULTS, **options}
    for name, choices in _CHOICES.items():
        value = cast("dict[str, Any]", settings)[name]
        if value not in get_args(choices):
            raise InputError(f"{name} is one of {', '.join(get_args(choices))}, not {value!r}")
    for name in ("window", "memory_tokens"):
        tokens = cast("dict[str, Any]", settings)[name]
        if tokens is not None and tokens < 1:
            raise InputError(f"{name} is a number of tokens, at least 1, not {tokens!r}")
    timeout = settings["timeout"]
    if timeout is not None and not 0 < timeout < float("inf"):
        raise InputError(f"timeout is a number of seconds above 0, or None; not {timeout!r}")
    return settings


def to_template(prompt: str | ChatPromptTemplate | None) -> ChatPromptTemplate | None:
    """Return a prompt that may be given as its text."""
    return ChatPromptTemplate.from_template(prompt) if isinstance(prompt, str) else prompt


def variable_names(prompt: ChatPromptTemplate) -> set[str]:
    """Return the names of a prompt's variables."""
    return {*prompt.input_variables, *prompt.optional_variables}


def to_model(model: str | Runnable[Any, Any] | None) -> BaseChatModel:
    """Return the chat model of an option, with the Runnables that wrap it."""
    if model is None or isinstance(model, str | BaseChatModel):
        return chat_model(model)
    # `with_fallbacks`, `bind` and `with_config` pass on the attributes of the model inside.
    if isinstance(model, Runnable) and hasattr(getattr(model, "bound", model), "profile"):
        return cast("BaseChatModel", model)
    raise InputError(
        f"model is a string, a chat model, or one with retries, fallbacks or bound arguments; "
        f"not {type(model).__name__}"
    )


def to_retriever(
    retriever: RunnableLike[str, list[Document]] | None,
) -> Runnable[str, list[Document]] | None:
    """Return a retriever as a Runnable; a plain function becomes one."""
    if retriever is None:
        return None
    return cast("Runnable[str, list[Document]]", coerce_to_runnable(retriever))


def lift_step_limit(config: RunnableConfig | None) -> RunnableConfig:
    """Return the config with room for any document, unless the caller has set a limit.

    `batch`, LCEL sequences, `with_retry`, tools and LangServe arrive with langchain-core's 25
    steps, or with one less for each lambda that the call came through.
    """
    settings = config or {}
    limit = settings.get("recursion_limit", 25)
    inherited = limit <= 25 or limit == 10_007
    return cast(
        "RunnableConfig", {**settings, "recursion_limit": MAX_STEPS if inherited else limit}
    )
