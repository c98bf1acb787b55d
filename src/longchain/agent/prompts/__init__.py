"""Every prompt that a model is shown: one `Prompts` object, in one file, for each language.

language -> `Prompts`

Languages are in `longchain.agent.prompts.languages`. `docs/prompts.md` shows every prompt filled
in; `python -m longchain.agent.prompts` generates it.

Knows texts only: `longchain.agent.planning` and `longchain.agent.writing` fill them in.
"""

from __future__ import annotations

from longchain.agent.prompts.languages import LANGUAGES
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


def prompts_for(language: str | None) -> Prompts:
    """Return the prompts for a document: in its own language if there are any, else in English.

    Args:
        language: BCP 47 tag of the document's language; None if it is not known.
    """
    return LANGUAGES.get(primary(language or "en"), LANGUAGES["en"])
