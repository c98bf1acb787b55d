"""Memory of earlier sections: how much of them the next prompt shows.

`DocumentState` + `Limits` -> sections to summarize; texts -> the part that fits into a prompt

`full` shows all earlier text (as in the paper). `summary` shows a running summary and the last
sections verbatim; `auto` is `full` until the text exceeds its share of the window. Sections are
folded into the summary several at a time: between two folds a prompt only grows at its end, so
that prefix caches hold. Each prompt is bounded, so the total is linear in the sections.

Knows token counts; does not lay out prompts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from langchain_core.prompts import ChatPromptTemplate

from longchain.agent.prompts import prompts_for
from longchain.agent.section import SectionState
from longchain.agent.state import DocumentState
from longchain.prose.cleanup import clean
from longchain.sentences import split_sentences

Memory = Literal["auto", "full", "summary"]

WINDOW = 32_768
"""Context window in tokens assumed for a model that names none: that of today's small models."""

SUMMARY_TOKENS = 900
"""Maximum number of tokens of a running summary."""

MAX_TOKENS_PER_CHARACTER = 3.0
"""Maximum number of tokens per character, on the average of a text, with any tokenizer."""

VERBATIM_TOKENS = 6_000
"""Maximum number of tokens of earlier text that memory `summary` shows verbatim."""

REQUEST_SIZE = 300
"""Characters of a request without its references: heading, main point and task."""

REPLY_RESERVE = 600
"""Tokens kept free in the window beside plan, request and reply."""

REFERENCE_TOKENS = 30
"""Tokens of a reference's tags and title."""


@dataclass(frozen=True)
class Limits:
    """Shares of the context window, in tokens."""

    memory: Memory

    window: int | None
    """The model's context window; None if it is unknown, and then it limits nothing."""

    prior: int
    """Maximum of verbatim earlier text."""

    plan: int
    """Maximum of the plan as prompts show it."""

    references: int
    """Maximum of the references of one section; a single one is shown whatever its size."""

    count: Callable[[str], int]
    """Counts tokens, exactly or on the high side."""


def limits(
    memory: Memory,
    *,
    window: int | None,
    budget: int | None,
    count: Callable[[str], int],
) -> Limits:
    """Divide a context window between plan, earlier text and reply.

    Args:
        memory: How much of earlier sections prompts show.
        window: The model's context window in tokens; None if it is unknown.
        budget: Maximum number of tokens of earlier text, if the caller sets one.
        count: Counts the tokens of a text.
    """
    size = window or WINDOW
    prior = size * 6 // 10
    if memory == "summary":
        prior = min(size * 3 // 10, VERBATIM_TOKENS)
    cached_count = lru_cache(maxsize=2048)(count)
    return Limits(memory, window, min(prior, budget or prior), size // 8, size // 4, cached_count)


def summary_end(
    state: DocumentState, current: int | None, limit: Limits, *, shows_requests: bool
) -> int | None:
    """Find the section before which all text must be summarized before the next request.

    If the verbatim text exceeds its share of the window, its older half is summarized.

    Args:
        state: The document.
        current: Index of the current section; None if all are done.
        limit: Shares of the context window.
        shows_requests: Whether prompts repeat each section's request, with its references, beside
            its text, as in the `conversation` layout.

    Returns:
        The index of the first section that stays verbatim; None if all text may stay.
    """
    if limit.memory == "full" or state.mode != "sequential":
        return None
    start = state.summarized
    if current is None or current == start:
        return None
    passages = {reference.id: reference.text for reference in state.references}
    shown = [
        _shown_texts(section, passages, limit, shows_requests)
        for section in state.sections[start : current + 1]
    ]
    *earlier, request = shown
    available = _available_tokens(state, limit, request_chars=sum(map(len, request[1:])))
    characters = sum(len(text) for texts in earlier for text in texts)
    if characters * MAX_TOKENS_PER_CHARACTER <= available:
        return None  # fits with any tokenizer: most documents are never counted
    folded = _fold(available, [sum(map(limit.count, texts)) for texts in earlier])
    return start + folded if folded else None


def _fold(available: int, sizes: Sequence[int]) -> int:
    """Return how many leading sections to summarize so that the rest fits.

    Folds down to half of what is available. The last section stays if it fits as a whole: the
    next one must join on to it.
    """
    total = sum(sizes)
    if total <= available:
        return 0
    folded = 0
    for index, size in enumerate(sizes):
        is_last = index == len(sizes) - 1
        if total <= (available if is_last else available // 2):
            break
        total -= size
        folded += 1
    return folded


def _shown_texts(
    section: SectionState, passages: dict[int, str], limit: Limits, shows_requests: bool
) -> list[str]:
    """Return the texts that a section adds to a prompt: its own, then its requests'."""
    request = " " * REQUEST_SIZE
    if not shows_requests:
        return [section.text, request]
    references = within(limit, [passages[number] for number in section.references])
    return [section.text, request * max(len(section.turns), 1), *references]


def _available_tokens(state: DocumentState, limit: Limits, *, request_chars: int) -> int:
    """Return the tokens that earlier text may take in the next prompt.

    Args:
        state: The document.
        limit: Shares of the context window.
        request_chars: Characters of the next section's own request, with its references.
    """
    if limit.window is None:
        return limit.prior
    target = state.controller.target(state.current() or 0)
    preamble = state.request.instruction + state.request.style + state.summary
    reply = min(2 * target, limit.window // 3)
    fixed = limit.plan + round((len(preamble) + request_chars) / 3) + reply + REPLY_RESERVE
    return max(min(limit.prior, limit.window - fixed), 0)


def tail(limit: Limits, text: str) -> str:
    """Return the end of a text that fits into a prompt, from the beginning of a paragraph.

    The beginning advances by half of the maximum at a time: in between, prompts only grow.
    """
    share = limit.prior
    if limit.window is not None:
        share = min(limit.prior, limit.window * 4 // 10)
    if len(text) * MAX_TOKENS_PER_CHARACTER <= share or limit.count(text) <= share:
        return text
    maximum = max(len(text) * share // limit.count(text), 400)
    step = maximum // 2
    start = ((len(text) - maximum) // step + 1) * step
    breaks = [text.find(mark, start) for mark in ("\n\n", ". ", "。")]
    start = min((position for position in breaks if position >= 0), default=start)
    return "…\n\n" + text[start:].lstrip(".。 \n")


def within(limit: Limits, texts: list[str]) -> list[str]:
    """Return the leading texts that fit into the share of a section's references."""
    fitting: list[str] = []
    remaining = limit.references
    for text in texts:
        remaining -= limit.count(text) + REFERENCE_TOKENS
        if remaining < 0 and fitting:
            break
        fitting.append(text)
    return fitting


def summary_prompt(language: str | None) -> ChatPromptTemplate:
    """Return the prompt that updates the running summary."""
    return ChatPromptTemplate([("human", prompts_for(language).writing.summary)])


def summary_variables(state: DocumentState, end: int) -> dict[str, Any]:
    """Return the variables of the summary prompt."""
    return {
        "instruction": state.request.instruction,
        "summary": state.summary,
        "text": "\n\n".join(map(_with_heading, state.sections[state.summarized : end])),
        "language": prompts_for(state.language).language_name(state.language),
    }


def _with_heading(section: SectionState) -> str:
    if not section.plan.heading:
        return section.text
    return f"## {section.plan.heading}\n\n{section.text}"


def updated_summary(state: DocumentState, end: int, reply: str, limit: Limits) -> str:
    """Return the new running summary of all sections before `end`.

    An empty reply must not cost the writer its memory: the old summary and the first sentence of
    each section take its place. A long one is shortened, or prompts would grow after all.
    """
    text = clean(reply).text
    if not text.strip():
        text = _fallback_summary(state, end)
    while limit.count(text) > SUMMARY_TOKENS:
        text = text[: len(text) * 3 // 4]
    return text


def _fallback_summary(state: DocumentState, end: int) -> str:
    lines = [state.summary]
    for section in state.sections[state.summarized : end]:
        if section.text:
            lines.append(split_sentences(section.text, state.language)[0].strip())
    return "\n".join(lines).strip()
