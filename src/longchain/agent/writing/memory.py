"""Prior sections -> what the next prompt may see.

`full` shows all prior text (the paper's way). `summary` shows a running summary and the last
sections verbatim; `auto` is full until the text would pass what the window allows. Sections are
folded into the summary several at a time, so that between two folds a prompt only grows at its
end and prefix caches hold. Per section the prompt is bounded, so the total is linear.

Knows the log's `DocumentState` and token counts; does not lay out prompts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from langchain_core.prompts import ChatPromptTemplate

from longchain.agent.planning.planner import prompt_language
from longchain.agent.state import DocumentState, SectionState
from longchain.language import sentences
from longchain.prose.cleanup import clean

Memory = Literal["auto", "full", "summary"]

WINDOW = 32_768
"""Context window assumed in tokens where a model does not say: what today's small models have."""

SUMMARY_TOKENS = 900
"""The most that a running summary may take, in tokens."""

MOST_PER_CHARACTER = 3.0
"""Tokens that one character may take at most, on the average of a text."""

VERBATIM = 6_000
"""Prior text kept word for word under `summary`, in tokens, where the window allows."""


@dataclass(frozen=True)
class Limits:
    """What fits: the window and the share of it that prior text may take, in tokens."""

    memory: Memory
    window: int | None
    """The model's context window; None where nobody knows it, and nothing is held to it."""
    prior: int
    """Verbatim prior text, at most."""
    plan: int
    """The plan as prompts show it, at most."""
    references: int
    """The references of one section, at most; one is shown whatever its size."""
    count: Callable[[str], int]
    """Counts tokens, exactly or on the safe side."""


def limits(
    memory: Memory,
    *,
    window: int | None,
    budget: int | None,
    count: Callable[[str], int],
) -> Limits:
    """Divide a context window between plan, prior text and reply.

    Args:
        memory: What prompts show of prior sections.
        window: The model's context window in tokens; None where it does not say.
        budget: Tokens of prior text, where the caller limits them.
        count: Counts the tokens of a text.
    """
    whole = window or WINDOW
    share = whole * 3 // 10 if memory == "summary" else whole * 6 // 10
    prior = min(share, VERBATIM) if memory == "summary" else share
    remembered = lru_cache(maxsize=2048)(count)
    return Limits(memory, window, min(prior, budget or prior), whole // 8, whole // 4, remembered)


def fold_until(progress: DocumentState, limit: Limits, *, requests: bool) -> int | None:
    """Return up to which section the text must be summarized before the next call, or None.

    When the verbatim part would pass its share, its older half goes.

    Args:
        progress: Where the document stands.
        limit: What fits.
        requests: Whether prompts repeat each section's request, with its references, beside its
            text, as in the `conversation` layout.
    """
    if limit.memory == "full" or progress.mode != "sequential":
        return None
    start, current = progress.summarized, progress.current()
    if current is None or current == start:
        return None
    known = {reference["id"]: reference["text"] for reference in progress.references}
    shown = [
        _shown(draft, known, limit, requests) for draft in progress.sections[start : current + 1]
    ]
    prior = _prior(progress, limit, sum(map(len, shown[-1][1:])))
    if sum(len(text) for texts in shown[:-1] for text in texts) * MOST_PER_CHARACTER <= prior:
        return None  # whatever the tokenizer: most documents need not be counted at each step
    sizes = [sum(map(limit.count, texts)) for texts in shown[:-1]]
    total = sum(sizes)
    if total <= prior:
        return None
    end = start
    # The last section stays verbatim if it can: the next one must join on to it.
    while end < current and total > (prior // 2 if end < current - 1 else prior):
        total -= sizes[end - start]
        end += 1
    return end


REQUEST = " " * 300
"""What a request is beside its references: the section's heading and main point, and the task."""


def _shown(draft: SectionState, known: dict[int, str], limit: Limits, requests: bool) -> list[str]:
    """Return the texts by which a section makes a prompt longer."""
    if not requests:
        return [draft.text, REQUEST]
    cited = within(limit, [known[key] for key in draft.references])
    return [draft.text, REQUEST * max(len(draft.turns), 1), *cited]


def _prior(progress: DocumentState, limit: Limits, request: int) -> int:
    """Return the tokens that prior text may take before the section at hand.

    Args:
        progress: Where the document stands.
        limit: What fits.
        request: Characters of the section's own request, references and all.
    """
    if limit.window is None:
        return limit.prior
    index = progress.current() or 0
    assert progress.controller is not None
    fixed = progress.request["instruction"] + progress.request["style"] + progress.summary
    reply = min(2 * progress.controller.budget(index), limit.window // 3)
    taken = limit.plan + round((len(fixed) + request) / 3) + reply + 600
    return max(min(limit.prior, limit.window - taken), 0)


def tail(limit: Limits, text: str) -> str:
    """Return the end of a text, as much as prompts may show of it, from a paragraph's beginning.

    The beginning moves on by half of that share at a time: in between, prompts only grow.
    """
    share = limit.prior if limit.window is None else min(limit.prior, limit.window * 4 // 10)
    if len(text) * MOST_PER_CHARACTER <= share or limit.count(text) <= share:
        return text
    most = max(len(text) * share // limit.count(text), 400)
    start = ((len(text) - most) // (most // 2) + 1) * (most // 2)
    ends = [place for mark in ("\n\n", ". ", "。") if (place := text.find(mark, start)) >= 0]
    return "…\n\n" + text[min(ends, default=start) :].lstrip(".。 \n")


def within(limit: Limits, texts: list[str]) -> list[str]:
    """Return the leading texts that fit into the share of a section's references."""
    kept: list[str] = []
    room = limit.references
    for text in texts:
        room -= limit.count(text) + 30
        if room < 0 and kept:
            break
        kept.append(text)
    return kept


_SUMMARIZE = {
    "en": """\
A long document is being written, and its earlier part will no longer be shown to its writer. \
Keep what the writer needs to go on without contradiction or repetition.

<instruction>
{instruction}
</instruction>

<summary>
{summary}
</summary>

<text>
{text}
</text>

<summary_format>
Summary: what the text so far says or tells, in order.
Facts: names, numbers, definitions, terms and decisions that must stay the same.
Open: what has been announced, asked or left open.
</summary_format>

Bring the summary up to date with the text, in this form and in {language}. \
Drop details before you drop facts. At most 350 words.""",
    "ja": """\
長い文書を執筆中で、前半の本文はこの先書き手に示されなくなります。\
矛盾や繰り返しなしに書き続けるために必要なことを残してください。

<instruction>
{instruction}
</instruction>

<summary>
{summary}
</summary>

<text>
{text}
</text>

<summary_format>
要約：これまでの本文の内容を順に。
事実：変えてはならない名前、数、定義、用語、決定事項。
未了：予告したこと、問いかけ、まだ片付いていないこと。
</summary_format>

本文を踏まえて、この形式で要約を{language}で更新してください。\
削るときは、事実よりも細部を先に削ってください。700字以内。""",
    "zh": """\
一篇长文正在写作中，前面的正文此后不再展示给作者。\
请保留作者继续写作、避免矛盾和重复所需要的内容。

<instruction>
{instruction}
</instruction>

<summary>
{summary}
</summary>

<text>
{text}
</text>

<summary_format>
摘要：到目前为止的内容，按顺序。
事实：必须保持一致的人名、数字、定义、术语和决定。
未完：已预告、已提问或尚未交代的内容。
</summary_format>

请根据正文，按此格式用{language}更新摘要。需要删减时，先删细节，后删事实。不超过700字。""",
}


def summary_prompt(language: str | None) -> ChatPromptTemplate:
    """Return the prompt that brings the running summary up to date."""
    return ChatPromptTemplate([("human", _SUMMARIZE[prompt_language(language)])])


def summary_variables(progress: DocumentState, end: int, language_name: str) -> dict[str, Any]:
    """Return what the summary prompt is filled with."""
    sections = progress.sections[progress.summarized : end]
    return {
        "instruction": progress.request["instruction"],
        "summary": progress.summary,
        "text": "\n\n".join(
            f"## {draft.plan.heading}\n\n{draft.text}" if draft.plan.heading else draft.text
            for draft in sections
        ),
        "language": language_name,
    }


def settle(progress: DocumentState, end: int, reply: str, limit: Limits) -> tuple[str, int]:
    """Return the new running summary and up to which section it stands for the text.

    An empty reply must not cost the writer its memory: the old summary and the first sentence of
    each section stand in. One that is too long is cut, or the prompt would grow after all.
    """
    text = clean(reply).text
    if not text.strip():
        firsts = [
            sentences(draft.text, progress.language)[0].strip()
            for draft in progress.sections[progress.summarized : end]
            if draft.text
        ]
        text = "\n".join([progress.summary, *firsts]).strip()
    while limit.count(text) > SUMMARY_TOKENS:
        text = text[: len(text) * 3 // 4]
    return text, end
