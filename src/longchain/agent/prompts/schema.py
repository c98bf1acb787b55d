"""Fields of one prompt language: every text that a model is shown.

A language is one `Prompts` object in a file of its own, such as `languages/en.py`. Braces mark the
variables of a text; each field names them. `docs/prompts.md` shows all prompts filled in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from longchain.document import Unit
from longchain.language import english_name

Level = Literal["section", "chapter"]
"""Parts that a plan consists of at first: long documents are planned in chapters."""


@dataclass(frozen=True)
class PlanningPrompts:
    """Texts that ask for a plan (AgentWrite, step I)."""

    request: str
    """Request for a plan: `instruction`, `sources`, `style`, `bounds`, `language`, `format`,
    `total`."""

    chapter_request: str
    """Request for the sections of one chapter: those of `request`, `chapters`, `chapter`."""

    repair: str
    """Request to send a plan again that could not be read: `error`, `total`."""

    format: str
    """Description of the answer's form: `tag`, `line`, `level`."""

    line: str
    """Example of one line of a plan: `unit`."""

    section_label: str
    """Label of the first section in `line`."""

    chapter_label: str
    """Label that replaces `section_label` when chapters are planned."""

    levels: Mapping[Level, str]
    """Names of the levels `section` and `chapter`."""

    bounds: str
    """Number and length of the parts: `min_count`, `max_count`, `level`, `min_length`,
    `max_length`, `unit`."""

    free_bounds: str
    """Length of the parts without a required length: `level`, `min_length`, `max_length`,
    `unit`."""

    total: str
    """Closing sentence with the required length: `total`, `unit`, `level`."""

    free_total: str
    """Closing sentence without a required length."""

    closing_total: str
    """Required length at the end of a repair request: `total`, `unit`."""

    even_points: tuple[str, str, str]
    """Main points of the even plan for its first, middle and last parts: `number`, `count`,
    `instruction`."""

    even_chapter: str
    """Heading of a chapter of the even plan: `number`."""


@dataclass(frozen=True)
class WritingPrompts:
    """Texts that ask for prose and for a running summary (AgentWrite, step II)."""

    preamble: str
    """Text before all prior text: `instruction`, `style`, `plan`, `language`, `grounding`."""

    grounding: str
    """Rules for citing the references of a section."""

    grounded_only: str
    """Rule to write from the references alone."""

    write: str
    """Request for a section: `which`, `end`, `length`, `unit`."""

    extend: str
    """Request for more of a section: `length`, `unit`."""

    revise: str
    """Request to revise a section: `which`, `note`, `length`, `unit`."""

    direct: str
    """Request for the whole text at once: `length`, `unit`."""

    direct_any_length: str
    """Request for the whole text at once, at a length of the model's choice."""

    last_part: str
    """Addition to `write` for the last section (`end`)."""

    part: str
    """Name of a section (`which`): `number`."""

    summary: str
    """Request to update the running summary: `instruction`, `summary`, `text`, `language`."""


@dataclass(frozen=True)
class RetryNotes:
    """Notes that open a request after a reply that could not be used."""

    opening: str
    """First sentence: `problem`."""

    by_problem: Mapping[str, str]
    """Advice by problem, such as `empty` or `repeats section`: `number`, `language`."""

    other: str
    """Advice for any other problem."""


@dataclass(frozen=True)
class Prompts:
    """All prompts of one language."""

    language: str
    """Primary BCP 47 tag of the language that the prompts are written in."""

    language_names: Mapping[str, str]
    """Names of documents' languages by tag; English names serve for all others."""

    unit_names: Mapping[Unit, str]
    """Names of the units of length."""

    planning: PlanningPrompts
    writing: WritingPrompts
    retry: RetryNotes

    def language_name(self, language: str) -> str:
        """Return the name of a document's language, as these prompts write it."""
        return self.language_names.get(language) or english_name(language)
