"""Languages that prompts are written in: one file with one `Prompts` object for each.

To add a language, write its object in a file beside `en.py` and list it in `LANGUAGES`.
"""

from __future__ import annotations

from longchain.agent.prompts.languages import en, ja, zh

LANGUAGES = {prompts.language: prompts for prompts in (en.PROMPTS, ja.PROMPTS, zh.PROMPTS)}
"""Prompts by the primary language tag of the document."""
