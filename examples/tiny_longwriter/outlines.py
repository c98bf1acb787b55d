"""topic + total -> a plan of three to eight sections whose budgets add up to the total.

The number of sections and the budgets follow from the total alone, by a rule that a small model
can learn: equal round budgets, and what remains in the first section.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass

from longchain.document import SectionPlan, WritingPlan

from .lexicon import ASPECTS, Aspect, Topic

FEWEST, MOST = 3, 8
STEPS = ((0, 30), (150, 50), (250, 100), (900, 200), (1700, 250))
"""From which total on the sections have which length."""

TITLES = (
    "The {Topic}",
    "Life and Work at the {Topic}",
    "A Portrait of the {Topic}",
    "The Story of the {Topic}",
    "Understanding the {Topic}",
)


@dataclass(frozen=True)
class Outline:
    """A plan, and what its sections are about."""

    title: str
    topic: Topic
    aspects: tuple[Aspect, ...]
    sections: tuple[SectionPlan, ...]

    def plan(self) -> WritingPlan:
        """Return it as the library's plan."""
        return WritingPlan(title=self.title, sections=list(self.sections), language="en")

    def lines(self) -> str:
        """Return it in the lines that the library's planner asks for."""
        lines = [f"Title: {self.title}"] if self.title else []
        for number, part in enumerate(self.sections, 1):
            lines.append(
                f"Section {number} - Heading: {part.heading} - Main Point: {part.main_point} "
                f"- Word Count: {part.length} words"
            )
        return "\n".join(lines)

    def json(self) -> str:
        """Return it in JSON after the library's schema."""
        fields = ("heading", "main_point", "length")
        sections = [{name: getattr(part, name) for name in fields} for part in self.sections]
        return json.dumps({"title": self.title, "sections": sections}, ensure_ascii=False)


def shares(total: int) -> list[int]:
    """Return the budgets of a document's sections: the rest in the first one, and equal ones.

    The last two digits of the rest are mostly those of the total, and it stands where the total
    is still close, so that there is little to reckon: 640 words are 140 and five times 100.
    """
    each = next(size for least, size in reversed(STEPS) if total >= least)
    count = FEWEST if total < 300 else total // each
    if each == 250:
        count = min((total - 50) // each + 1, MOST)
    if each == 200 and total % 200 >= 100:
        count += 1  # the rest is a section of its own
    return [total - each * (count - 1)] + [each] * (count - 1)


def outline(
    topic: Topic, total: int, rng: random.Random, aspects: list[Aspect] | None = None
) -> Outline:
    """Return a plan for a topic; of its aspects, none comes twice."""
    budgets = shares(total)
    return _outline(topic, budgets, rng, aspects or rng.sample(ASPECTS, len(budgets)))


def given(topic: Topic, budgets: list[int], rng: random.Random) -> Outline:
    """Return a plan as a person may give it: any number of sections of any length."""
    deck = [*rng.sample(ASPECTS, len(ASPECTS)), *rng.sample(ASPECTS, len(ASPECTS))]
    return _outline(topic, budgets, rng, deck[: len(budgets)])


def _outline(
    topic: Topic, budgets: list[int], rng: random.Random, aspects: list[Aspect]
) -> Outline:
    title = rng.choice(TITLES).format(Topic=topic.name.title())
    sections = []
    for aspect, budget in zip(aspects, budgets, strict=True):
        point = f"{rng.choice(aspect.points)}, at the {topic.name}"
        heading = rng.choice(aspect.headings)
        sections.append(SectionPlan(heading=heading, main_point=point, length=budget))
    return Outline(title, topic, tuple(aspects), tuple(sections))
