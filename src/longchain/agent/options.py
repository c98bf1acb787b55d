"""What a caller says of a chain -> what it is made of, checked.

Knows what options mean; knows nothing of graphs or documents.
"""

from __future__ import annotations

from typing import Any, Literal, cast, get_args

from langchain_core.documents import Document
from langchain_core.language_models import BaseChatModel
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.base import RunnableLike, coerce_to_runnable

from longchain.agent.events import Mode
from longchain.agent.writing.memory import Memory
from longchain.agent.writing.section_prompt import Layout
from longchain.errors import InputError
from longchain.models.resolve import chat_model

STEPS = 1_000_000
"""Steps that one document may take; the longest takes some ten thousand."""

CHOICES: dict[str, Any] = {
    "mode": Mode,
    "memory": Memory,
    "layout": Layout,
    "bad_replies": Literal["accept", "stop"],
}


def check_choices(**given: str) -> None:
    """Refuse values that nobody knows."""
    for name, value in given.items():
        known = get_args(CHOICES[name])
        if value not in known:
            raise InputError(f"{name} is one of {', '.join(known)}, not {value!r}")


def check_least(**given: int | None) -> None:
    """Refuse numbers of tokens below 1."""
    for name, number in given.items():
        if number is not None and number < 1:
            raise InputError(f"{name} is a number of tokens, at least 1, not {number!r}")


def seconds(timeout: float | None) -> float | None:
    """Return a time that can be waited for."""
    if timeout is not None and not 0 < timeout < float("inf"):
        raise InputError(f"timeout is a number of seconds above 0, or None; not {timeout!r}")
    return timeout


def template(given: str | ChatPromptTemplate | None) -> ChatPromptTemplate | None:
    """Return a prompt that may be given as its text."""
    return ChatPromptTemplate.from_template(given) if isinstance(given, str) else given


def names(prompt: ChatPromptTemplate) -> set[str]:
    """Return the variables of a prompt."""
    return {*prompt.input_variables, *prompt.optional_variables}


def model(given: str | Runnable[Any, Any] | None) -> BaseChatModel:
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


def retriever(
    given: RunnableLike[str, list[Document]] | None,
) -> Runnable[str, list[Document]] | None:
    """Return a retriever as a Runnable; a plain function becomes one."""
    if given is None:
        return None
    return cast("Runnable[str, list[Document]]", coerce_to_runnable(given))


def lift(config: RunnableConfig | None) -> RunnableConfig:
    """Return the config with room for any document, unless the caller set a limit on purpose.

    `batch`, LCEL sequences, `with_retry`, tools and LangServe arrive with langchain-core's 25, or
    less by one for each lambda that it came through.
    """
    given = config or {}
    limit = given.get("recursion_limit", 25)
    inherited = limit <= 25 or limit == 10_007
    return cast("RunnableConfig", {**given, "recursion_limit": STEPS if inherited else limit})
