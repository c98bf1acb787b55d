"""How a length is shared out."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longchain import SectionPlan, WritingPlan
from longchain.agent.planning import lengths
from longchain.document import ChapterPlan, Unit

LENGTHS = st.lists(st.integers(1, 5_000), min_size=1, max_size=60)


@given(LENGTHS, st.integers(1, 200_000))
def test_rescaled_lengths_add_up_and_keep_their_order(shares: list[int], total: int) -> None:
    plan = WritingPlan(sections=[SectionPlan(main_point="x", length=n) for n in shares])
    scaled = lengths.rescale(plan, total)
    scaled_lengths = [section.length for section in scaled.sections]
    assert sum(scaled_lengths) == max(total, sum(scaled_lengths)) or total < len(shares)
    if total >= 10 * len(shares) and min(shares) * total >= sum(shares):
        assert sum(scaled_lengths) == total
    pairs = sorted(zip(shares, scaled_lengths, strict=True))
    assert all(b[1] - a[1] >= -1 for a, b in itertools.pairwise(pairs))


def test_chapters_and_their_sections_are_rescaled_together() -> None:
    plan = WritingPlan(
        chapters=[ChapterPlan(heading="A", length=100), ChapterPlan(heading="B", length=300)],
        sections=[
            SectionPlan(heading="a", length=40, chapter="A"),
            SectionPlan(heading="b", length=60, chapter="A"),
        ],
    )
    scaled = lengths.rescale(plan, 4_000)
    assert [chapter.length for chapter in scaled.chapters] == [1_000, 3_000]
    assert [section.length for section in scaled.sections] == [400, 600]


@pytest.mark.parametrize("unit", ["words", "characters"])
@pytest.mark.parametrize("required", [1, 50, 200, 1_000, 20_000])
def test_an_even_plan_adds_up(required: int, unit: Unit) -> None:
    plan = lengths.even_plan("Write on tides.", required=required, unit=unit, language="en")
    assert plan.length == required
    assert all("tides" in section.main_point for section in plan.sections)


@pytest.mark.parametrize("required", [None, 200_000])
def test_an_even_plan_says_a_long_instruction_in_full_once(required: int | None) -> None:
    plan = lengths.even_plan(
        "Write on tides. " * 60, required=required, unit="words", language="en"
    )
    first, *later = [len(section.main_point) for section in plan.sections]
    assert 180 < first < 250
    assert max(later) < 150


@pytest.mark.parametrize(
    ("text", "most", "shown"),
    [("潮" * 9, 9, "潮" * 9), ("潮" * 9, 5, "潮潮潮潮…"), ("tides and\nmoons", 11, "tides and…")],
)
def test_what_is_shortened_ends_between_words(text: str, most: int, shown: str) -> None:
    assert lengths._shorten(text, most) == shown


def sections(count: int, length: int = 50, chapter: str = "") -> list[SectionPlan]:
    return [
        SectionPlan(heading=f"H{n}", main_point=f"P{n}.", length=length, chapter=chapter)
        for n in range(1, count + 1)
    ]


@pytest.mark.parametrize(
    ("count", "required", "unit", "left"),
    [(10, 100, "words", 2), (60, 100, "words", 2), (10, 400, "words", 10), (10, 399, "words", 9),
     (10, 400, "characters", 5), (10, 30, "words", 1), (60, 20_000, "words", 60)],
)  # fmt: skip
def test_a_models_sections_are_merged_where_they_are_too_short(
    count: int, required: int, unit: Unit, left: int
) -> None:
    plan = WritingPlan(sections=sections(count), unit=unit)
    fitted = lengths.fit(plan, required)
    assert (len(fitted.sections), fitted.length) == (left, required)
    points = [point for part in fitted.sections for point in part.main_point.split("; ")]
    assert [point.rstrip(".") for point in points] == [f"P{n}" for n in range(1, count + 1)]
    assert len(plan.sections) == count


def test_merged_sections_keep_the_first_heading_and_what_the_others_said() -> None:
    plan = WritingPlan(sections=[*sections(2, 10), SectionPlan(heading="Last", length=90)])
    fitted = lengths.fit(plan, 80)
    assert [(s.heading, s.main_point) for s in fitted.sections] == [("H1", "P1; P2."), ("Last", "")]
    assert lengths.fit(plan, 40).sections[0].main_point == "P1; P2; Last"


def test_sections_are_merged_within_their_chapter() -> None:
    chapters = [ChapterPlan(heading="A", length=100), ChapterPlan(heading="B", length=300)]
    plan = WritingPlan(
        chapters=chapters, sections=[*sections(8, chapter="A"), *sections(3, chapter="B")]
    )
    fitted = lengths.fit(plan, 400)
    assert [section.chapter for section in fitted.sections] == ["A", "A", "B", "B", "B"]
    assert sum(section.length for section in fitted.sections) == 400


def test_a_models_sections_outside_chapters_join_the_one_before() -> None:
    chapters = [ChapterPlan(heading="A", length=500), ChapterPlan(heading="B", length=500)]
    plan = WritingPlan(chapters=chapters, sections=[*sections(1), *sections(1, chapter="B")])
    plan.sections += sections(1)
    fitted = lengths.fit(plan, 2_000)
    assert [(s.chapter, s.length) for s in fitted.sections] == [("A", 1000), ("B", 500), ("B", 500)]


def test_sections_after_a_chapter_without_any_wait_until_they_are_reached() -> None:
    chapters = [ChapterPlan(heading=name, length=500) for name in "ABC"]
    plan = WritingPlan(
        chapters=chapters, sections=[*sections(1, chapter="A"), *sections(1, chapter="C")]
    )
    fitted = lengths.fit(plan, 3_000)
    assert [section.chapter for section in fitted.sections] == ["A"]
    assert [chapter.length for chapter in fitted.chapters] == [1_000] * 3


@pytest.mark.parametrize(
    ("required", "unit", "level"),
    [(None, "words", "section"), (19_000, "words", "section"), (21_000, "words", "chapter"),
     (39_000, "characters", "section"), (41_000, "characters", "chapter")],
)  # fmt: skip
def test_more_than_forty_sections_mean_chapters(
    required: int | None, unit: Unit, level: str
) -> None:
    assert lengths.choose_level(required, unit) == level


@pytest.mark.parametrize(
    ("required", "unit", "bounds"),
    [(99, "words", (1, 1, 99, 99)), (100, "words", (2, 2, 50, 50)),
     (900, "words", (2, 4, 200, 450)), (1_800, "characters", (2, 4, 400, 900)),
     (5_000, "words", (5, 25, 200, 1_000))],
)  # fmt: skip
def test_sections_have_the_length_that_planners_know(
    required: int, unit: Unit, bounds: tuple[int, ...]
) -> None:
    assert lengths.section_bounds(required, unit) == bounds


@pytest.mark.parametrize(
    ("required", "unit", "bounds"),
    [(21_000, "words", (2, 6, 1_750, 10_500)), (90_000, "characters", (7, 11, 4_090, 12_857)),
     (1_000_000, "words", (58, 62, 8_064, 17_241))],
)  # fmt: skip
def test_chapters_have_about_five_thousand_words(
    required: int, unit: Unit, bounds: tuple[int, ...]
) -> None:
    assert lengths.chapter_bounds(required, unit) == bounds
