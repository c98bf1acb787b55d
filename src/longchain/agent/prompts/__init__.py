"""Every prompt that a model is shown: one `Prompts` object, in one file, for each language.

language -> `Prompts`

To add a language, write its object beside `en.py` and list it in `LANGUAGES`. `docs/prompts.md`
shows every prompt filled in; `python -m longchain.agent.prompts` generates it.

Knows texts only: `longchain.agent.planning` and `longchain.agent.writing` fill them in.
"""

from __future__ import annotations

from longchain.agent.prompts import en, ja, zh
from longchain.agent.prompts.schema import (
    Level,
    PlanningPrompts,
    Prompts,
    RetryNotes,
    WritingPrompts,
)
from longchain.language import primary

__all__ = [
    "LANGUAGES",
    "Level",
    "PlanningPrompts",
    "Prompts",
    "RetryNotes",
    "WritingPrompts",
    "prompts_for",
]

LANGUAGES = {prompts.language: prompts for prompts in (en.PROMPTS, ja.PROMPTS, zh.PROMPTS)}
"""Prompts by the primary language tag of the document."""


def prompts_for(language: str | None) -> Prompts:
    """Return the prompts for a document: in its own language if there are any, else in English.

    Args:
        language: BCP 47 tag of the document's language; None if it is not known.
    """
    return LANGUAGES.get(primary(language or "en"), en.PROMPTS)
