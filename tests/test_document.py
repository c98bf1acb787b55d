"""The nouns hold what they say, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from longchain.document import (
    ChapterPlan,
    LongDocument,
    Reference,
    Section,
    SectionPlan,
    Usage,
    WritingPlan,
)

SECTIONS = [
    SectionPlan(heading="A", length=100, chapter="One"),
    SectionPlan(heading="B", length=150, chapter="Two"),
    SectionPlan(heading="C", length=200, chapter="One"),
]
CHAPTERS = [ChapterPlan(heading="One", length=400), ChapterPlan(heading="Two", length=600)]


@pytest.mark.parametrize("field", ["heading", "main_point", "chapter"])
def test_texts_of_a_section_plan_stand_on_one_line(field: str) -> None:
    given: dict[str, Any] = {field: " The\n\tmoon  and\u3000the sun ", "length": 1}
    assert getattr(SectionPlan(**given), field) == "The moon and the sun"


def test_texts_of_a_chapter_plan_stand_on_one_line() -> None:
    chapter = ChapterPlan(heading="The\nmoon", main_point="a\r\nb", length=1)
    assert (chapter.heading, chapter.main_point) == ("The moon", "a b")


@pytest.mark.parametrize("kind", [SectionPlan, ChapterPlan])
@pytest.mark.parametrize("length", [0, -1, 1.5, "many", None])
def test_a_planned_length_is_a_whole_number_of_at_least_one(
    kind: type[SectionPlan], length: Any
) -> None:
    with pytest.raises(ValidationError, match="length"):
        kind(heading="A", length=length)


def test_editing_a_plan_is_checked() -> None:
    plan = WritingPlan(sections=[SectionPlan(length=100)])
    plan.sections[0].length = 900
    assert plan.length == 900
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        plan.sections[0].length = 0


def test_two_chapters_with_one_heading_are_refused() -> None:
    with pytest.raises(ValidationError, match="chapters 1 and 3 share the heading 'One'"):
        WritingPlan(chapters=[*CHAPTERS, ChapterPlan(heading="One ", length=1)])


def test_a_section_of_a_chapter_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"section 3 \('C'\) names a chapter .*: 'One'"):
        WritingPlan(sections=SECTIONS[1:2] * 2 + SECTIONS[2:], chapters=CHAPTERS[1:])


def test_a_plan_may_be_wrong_while_it_is_edited() -> None:
    plan = WritingPlan(sections=SECTIONS, chapters=CHAPTERS)
    plan.sections.append(SectionPlan(length=10, chapter="Three"))
    plan.chapters.append(plan.chapters[0])
    plan.title = "Edited"
    plan.sections = plan.sections[:3]
    assert (plan.title, len(plan.sections), len(plan.chapters)) == ("Edited", 3, 3)


@pytest.mark.parametrize(
    ("plan", "length"),
    [
        (WritingPlan(), 0),
        (WritingPlan(sections=SECTIONS), 450),
        (WritingPlan(sections=SECTIONS, chapters=CHAPTERS), 1000),
    ],
)
def test_a_plan_is_as_long_as_its_largest_parts(plan: WritingPlan, length: int) -> None:
    assert plan.length == length


def test_sections_of_a_chapter_come_in_order() -> None:
    plan = WritingPlan(sections=SECTIONS, chapters=CHAPTERS)
    assert [section.heading for section in plan.of_chapter("One")] == ["A", "C"]
    assert plan.of_chapter("Three") == []


def test_usage_adds_up() -> None:
    first = Usage(calls=1, input_tokens=20, output_tokens=300, cached_tokens=4000)
    second = Usage(calls=5, input_tokens=60, output_tokens=700, cached_tokens=8000)
    assert first + second == Usage(
        calls=6, input_tokens=80, output_tokens=1000, cached_tokens=12000
    )


@pytest.mark.parametrize(
    "kind", [SectionPlan, ChapterPlan, WritingPlan, Usage, Reference, Section, LongDocument]
)
def test_unknown_fields_are_refused(kind: Any) -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        kind(words=400)


def test_units_are_words_or_characters() -> None:
    with pytest.raises(ValidationError, match="'words' or 'characters'"):
        WritingPlan(unit="pages")  # type: ignore[arg-type]


def test_a_document_is_plain_json() -> None:
    document = LongDocument(
        title="潮",
        text="# 潮\n",
        plan=WritingPlan(sections=SECTIONS, chapters=CHAPTERS, unit="characters", language="ja"),
        sections=[Section(heading="A", notes=["extended"])],
        references=[Reference(id=1, title="Tables")],
        report={"length_score": 98.5},
    )
    plain = json.loads(json.dumps(document.model_dump()))
    assert LongDocument.model_validate(plain) == document


def test_references_count_from_one() -> None:
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        Reference(id=0)
