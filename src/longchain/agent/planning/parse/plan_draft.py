"""A plan as far as a reply states it, the same for every form of reply.

fields with their values -> `DraftPart`s -> `PlanDraft`, without parts if the reply has no plan

Does not know the form of the reply, and fills in nothing: that is `plan_builder`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from longchain.agent.planning.parse.field_names import Field
from longchain.agent.planning.parse.markup import strip_heading_markup, strip_markup
from longchain.agent.planning.parse.stated_lengths import read_length

MAX_PLAN_PARTS = 2000
"""Most sections or chapters of a plan; a reply with more is a model that does not stop."""


@dataclass(slots=True)
class DraftPart:
    """A section or a chapter as far as the reply states it."""

    heading: str = ""
    """Heading; empty if none is stated."""

    point: str = ""
    """Main point; empty if none is stated."""

    length: int | None = None
    """Length; None if none is stated."""

    is_chapter: bool = False
    """Whether it is a chapter, to which the sections after it belong."""

    labels: int = 0
    """Number of its fields, its opener included, that were recognized by name or number."""

    @property
    def known_length(self) -> int:
        """Length; 0 if none is stated."""
        return self.length or 0

    @property
    def main_point(self) -> str:
        """Main point, of a part without one its heading."""
        return self.point or self.heading

    @property
    def is_named(self) -> bool:
        """Whether it has a heading or a main point."""
        return bool(self.main_point)

    def has(self, name: Field) -> bool:
        """Return whether a field has a value; a part's title is its heading."""
        values = {"length": self.length, "point": self.point}
        return bool(values.get(name, self.heading))

    def assign(self, name: Field, value: str) -> None:
        """Set a field that has no value yet."""
        if self.has(name):
            return
        match name:
            case "length":
                self.length = read_length(value)
            case "point":
                self.point = strip_markup(value)
            case "chapter" if not self.is_chapter:
                pass  # the name of the chapter around a section
            case _:
                self.heading = strip_heading_markup(value)


@dataclass(slots=True)
class PlanDraft:
    """A plan as far as a reply states it."""

    title: str = ""
    """Title of the document; empty if none is stated."""

    parts: list[DraftPart] = field(default_factory=list)
    """Chapters and sections in order, each chapter before its sections."""
