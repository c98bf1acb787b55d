"""Every prompt that a model is shown, one `Prompts` object and one file for each language.

language -> `Prompts`

To add a language, write its object beside `en.py` and name it in `LANGUAGES`. Knows texts only:
what they are filled with is made by `longchain.agent.planning` and `longchain.agent.writing`.
"""

from __future__ import annotations

from longchain.agent.prompts import en, ja, zh
from longchain.agent.prompts.schema import PlanningPrompts, Prompts, RetryNotes, WritingPrompts
from longchain.language import primary

__all__ = ["LANGUAGES", "PlanningPrompts", "Prompts", "RetryNotes", "WritingPrompts", "prompts_for"]

LANGUAGES = {prompts.language: prompts for prompts in (en.PROMPTS, ja.PROMPTS, zh.PROMPTS)}
"""The prompts by the primary language tag of the document."""


def prompts_for(language: str | None) -> Prompts:
    """Return the prompts for a document: in its own language, else in English.

    Args:
        language: The document's BCP 47 tag; None: not known.
    """
    return LANGUAGES.get(primary(language or "en"), en.PROMPTS)
