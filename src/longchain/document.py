"""Data models of plans, sections and documents.

instruction -> `WritingPlan` of `SectionPlan`s -> `Section`s -> `LongDocument`

Knows the shape of the data and its checks; does not know models, prompts or Markdown.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

Unit = Literal["words", "characters"]
"""Unit of a length. `longchain.length.count` has the conventions per language."""


class _DataModel(BaseModel):
    model_config = ConfigDict(extra="forbid", validate_assignment=True)


class SectionPlan(_DataModel):
    """The plan of one section: its heading, main point and length."""

    heading: str = ""
    """Heading without markup; empty for a text without headings (a letter, a story)."""

    main_point: str = ""
    """Content of the section, in a sentence or two."""

    length: int = Field(ge=1)
    """Planned length in the plan's unit, heading included."""

    chapter: str = ""
    """Heading of the chapter that the section belongs to; empty without chapters."""

    @field_validator("heading", "main_point", "chapter")
    @classmethod
    def _one_line(cls, value: str) -> str:
        return " ".join(value.split())


class ChapterPlan(_DataModel):
    """The plan of one chapter of a long document, whose sections are planned when it begins."""

    heading: str
    """Heading without markup, unique within the plan."""

    main_point: str = ""
    """Content of the chapter, in a sentence or two."""

    length: int = Field(ge=1)
    """Planned length in the plan's unit, all sections together."""

    @field_validator("heading", "main_point")
    @classmethod
    def _one_line(cls, value: str) -> str:
        return " ".join(value.split())


class WritingPlan(_DataModel):
    """The plan of a document: sections with a main point and a length each (AgentWrite, step I).

    Source: arXiv 2408.07055, section 3.
    """

    title: str = ""
    """Title of the document without markup; empty for none."""

    sections: list[SectionPlan] = Field(default_factory=list)
    """Sections planned so far, of all chapters, in order."""

    chapters: list[ChapterPlan] = Field(default_factory=list)
    """Chapters in order; empty for a plan without chapters."""

    unit: Unit = "words"
    """Unit of every length of the plan."""

    language: str | None = None
    """Language of the document as a BCP 47 tag such as `en`, `ja`, `zh`; None: unspecified."""

    @property
    def length(self) -> int:
        """Planned length of the document: the sum over the chapters, or else the sections."""
        parts = self.chapters or self.sections
        return sum(part.length for part in parts)

    def model_post_init(self, context: Any, /) -> None:
        """Refuse two chapters with the same heading, and sections of an unknown chapter.

        A validator would also check every assignment; a plan that is edited in place may be
        inconsistent between two assignments.
        """
        chapters = [chapter.heading for chapter in self.chapters]
        for number, heading in enumerate(chapters, 1):
            first = chapters.index(heading) + 1
            if first != number:
                raise ValueError(
                    f"chapters {first} and {number} share the heading {heading!r}: give each its "
                    "own"
                )
        if not chapters:
            return
        for number, section in enumerate(self.sections, 1):
            if section.chapter and section.chapter not in chapters:
                raise ValueError(
                    f"section {number} ({section.heading!r}) names a chapter that the plan does "
                    f"not have: {section.chapter!r}; it has {', '.join(map(repr, chapters))}"
                )

    def of_chapter(self, chapter: str) -> list[SectionPlan]:
        """Return the sections planned so far for the chapter with this heading, in order."""
        return [section for section in self.sections if section.chapter == chapter]


class Usage(_DataModel):
    """Number of requests and tokens of a document, as the models reported them."""

    calls: int = 0
    """Requests to models of any kind: plans, sections, extensions, rewrites, summaries."""

    input_tokens: int = 0
    """Prompt tokens, cached ones included."""

    output_tokens: int = 0
    """Generated tokens, reasoning included."""

    cached_tokens: int = 0
    """Prompt tokens that the server read from its prefix cache."""

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            calls=self.calls + other.calls,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
        )


class Reference(_DataModel):
    """A passage of a source that a section may cite."""

    id: int = Field(ge=1)
    """Number that the model cites, as in `[3]`; unique within a document."""

    title: str = ""
    """Title for the reader, or the name of the file."""

    source: str = ""
    """Origin: a path, a URL or an identifier."""

    text: str = ""
    """Text of the passage, as the model reads it."""


class Section(_DataModel):
    """A written section."""

    heading: str = ""
    """Heading, as planned."""

    main_point: str = ""
    """Main point, as planned."""

    chapter: str = ""
    """Heading of its chapter, as planned."""

    text: str = ""
    """Text in Markdown, without the heading."""

    budget: int = 0
    """Target length at the time of its first request, heading included."""

    length: int = 0
    """Length as written, with the heading, without citation marks."""

    calls: int = 0
    """Requests made for the section."""

    notes: list[str] = Field(default_factory=list)
    """Events while it was written, for people: `extended`, `trimmed`, `rewritten`, `loop cut`."""


class LongDocument(_DataModel):
    """A finished document. `AgentWriteChain` returns its JSON-plain form."""

    title: str = ""
    """Title, as planned."""

    text: str = ""
    """Whole document in Markdown: title, headings, sections and the list of references."""

    plan: WritingPlan
    """Plan that was followed."""

    sections: list[Section] = Field(default_factory=list)
    """Sections of all chapters, in order."""

    references: list[Reference] = Field(default_factory=list)
    """Cited references, numbered as cited, without the text of the passages."""

    length: int = 0
    """Length of title, headings and sections, in `unit`."""

    unit: Unit = "words"
    """Unit of `length`."""

    language: str | None = None
    """Language of the document as a BCP 47 tag; None: unknown."""

    usage: Usage = Field(default_factory=Usage)
    """Requests and tokens of the whole document."""

    report: dict[str, Any] = Field(default_factory=dict)
    """Measures of the text that need no judge: see `longchain.agent.finishing.report`."""
