"""The nouns: what is planned, what is written, and what it took.

instruction -> `WritingPlan` of `SectionPlan`s -> `Section`s -> `LongDocument`

Knows the shapes and how a document is laid out as Markdown; knows nothing of models or prompts.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

Unit = Literal["words", "characters"]
"""What a length counts. See `longchain.length` for the conventions per language."""


class _Noun(BaseModel):
    model_config = ConfigDict(extra="forbid", validate_assignment=True)


class SectionPlan(_Noun):
    """One section to be written: what it must say, and how long it should be."""

    heading: str = ""
    """Its heading, without markup; empty where the text has no headings (a letter, a story)."""

    main_point: str = ""
    """What this section says, in a sentence or two."""

    length: int = Field(ge=1)
    """Its budget in the plan's unit, heading included."""

    chapter: str = ""
    """The heading of the chapter it stands in; empty where there are no chapters."""

    @field_validator("heading", "main_point", "chapter")
    @classmethod
    def _one_line(cls, value: str) -> str:
        return " ".join(value.split())


class ChapterPlan(_Noun):
    """One chapter of a long document; its sections are planned when it is reached."""

    heading: str
    """Its heading, without markup; no two chapters of a plan share one."""

    main_point: str = ""
    """What this chapter covers, in a sentence or two."""

    length: int = Field(ge=1)
    """Its budget in the plan's unit, all sections together."""

    @field_validator("heading", "main_point")
    @classmethod
    def _one_line(cls, value: str) -> str:
        return " ".join(value.split())


class WritingPlan(_Noun):
    """A document as sections with a main point and a length each (AgentWrite, step I).

    Source: arXiv 2408.07055, section 3.
    """

    title: str = ""
    """The document's title, without markup; empty for none."""

    sections: list[SectionPlan] = Field(default_factory=list)
    """All sections planned so far, flat and in order."""

    chapters: list[ChapterPlan] = Field(default_factory=list)
    """The chapters in order, where there are any."""

    unit: Unit = "words"
    """What every length of the plan counts."""

    language: str | None = None
    """The document's language as a BCP 47 tag such as `en`, `ja`, `zh`; None: not said."""

    @property
    def length(self) -> int:
        """The sum of the budgets: of all chapters where there are chapters, else of sections."""
        return sum(part.length for part in (self.chapters or self.sections))

    def model_post_init(self, context: Any, /) -> None:
        """Refuse chapters that nobody can tell apart, and sections of chapters that are not there.

        Looked at when a plan is made, not at each assignment as a validator's would be: while a
        person edits a plan in place, it may be wrong for a moment.
        """
        names = [chapter.heading for chapter in self.chapters]
        for number, name in enumerate(names, 1):
            if (first := names.index(name) + 1) != number:
                raise ValueError(
                    f"chapters {first} and {number} share the heading {name!r}: give each its own"
                )
        for number, section in enumerate(self.sections, 1):
            if names and section.chapter and section.chapter not in names:
                raise ValueError(
                    f"section {number} ({section.heading!r}) names a chapter that the plan does "
                    f"not have: {section.chapter!r}; it has {', '.join(map(repr, names))}"
                )

    def of_chapter(self, chapter: str) -> list[SectionPlan]:
        """Return the sections planned so far for the chapter of that heading, in order."""
        return [section for section in self.sections if section.chapter == chapter]


class Usage(_Noun):
    """What a document took, as the models reported it."""

    calls: int = 0
    """Requests sent to a model, all of them: plan, sections, extensions, rewrites, summaries."""

    input_tokens: int = 0
    """Prompt tokens, cached ones included."""

    output_tokens: int = 0
    """Tokens generated, reasoning included."""

    cached_tokens: int = 0
    """Prompt tokens that the server took from its prefix cache."""

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            calls=self.calls + other.calls,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
        )


class Reference(_Noun):
    """Something that a section may cite."""

    id: int = Field(ge=1)
    """Its short id, as the model cites it: `[3]`. Unique within a document."""

    title: str = ""
    """What a reader is shown: a title, or the name of the file."""

    source: str = ""
    """Where it came from: a path, an address, an identifier."""

    text: str = ""
    """The passage itself, as the model sees it."""


class Section(_Noun):
    """One section as it was written."""

    heading: str = ""
    """As planned."""

    main_point: str = ""
    """As planned."""

    chapter: str = ""
    """As planned."""

    text: str = ""
    """Its prose in Markdown, without the heading."""

    budget: int = 0
    """The length it was given when its turn came, heading included."""

    length: int = 0
    """The length it came to, heading included, citation marks left out."""

    calls: int = 0
    """Requests that it took."""

    notes: list[str] = Field(default_factory=list)
    """What happened on the way: `extended`, `trimmed`, `rewritten`, `loop cut`, ..."""


class LongDocument(_Noun):
    """A finished document. `AgentWriteChain` returns its JSON-plain form."""

    title: str = ""
    """As planned."""

    text: str = ""
    """The whole document in Markdown: title, headings, prose and the reference list."""

    plan: WritingPlan
    """The plan as it was followed."""

    sections: list[Section] = Field(default_factory=list)
    """All sections, flat and in order."""

    references: list[Reference] = Field(default_factory=list)
    """What the text cites, numbered as it is cited, without the passages."""

    length: int = 0
    """Of title, headings and prose, in `unit`."""

    unit: Unit = "words"
    """What `length` counts."""

    language: str | None = None
    """The document's language as a BCP 47 tag; None: not known."""

    usage: Usage = Field(default_factory=Usage)
    """What it took."""

    report: dict[str, Any] = Field(default_factory=dict)
    """Judge-free measures of the text: see `longchain.agent.finishing.report`."""
