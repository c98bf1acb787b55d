"""How a length is shared out."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longchain import SectionPlan, WritingPlan
from longchain.agent import budget
from longchain.document import ChapterPlan, Unit

LENGTHS = st.lists(st.integers(1, 5_000), min_size=1, max_size=60)


@given(LENGTHS, st.integers(1, 200_000))
def test_rescaled_budgets_add_up_and_keep_their_order(lengths: list[int], total: int) -> None:
    made = WritingPlan(sections=[SectionPlan(main_point="x", length=n) for n in lengths])
    scaled = budget.rescale(made, total)
    got = [section.length for section in scaled.sections]
    assert sum(got) == max(total, sum(got)) or total < len(lengths)
    if total >= 10 * len(lengths) and min(lengths) * total >= sum(lengths):
        assert sum(got) == total
    pairs = sorted(zip(lengths, got, strict=True))
    assert all(b[1] - a[1] >= -1 for a, b in itertools.pairwise(pairs))


def test_chapters_and_their_sections_are_rescaled_together() -> None:
    made = WritingPlan(
        chapters=[ChapterPlan(heading="A", length=100), ChapterPlan(heading="B", length=300)],
        sections=[
            SectionPlan(heading="a", length=40, chapter="A"),
            SectionPlan(heading="b", length=60, chapter="A"),
        ],
    )
    scaled = budget.rescale(made, 4_000)
    assert [chapter.length for chapter in scaled.chapters] == [1_000, 3_000]
    assert [section.length for section in scaled.sections] == [400, 600]


@pytest.mark.parametrize("unit", ["words", "characters"])
@pytest.mark.parametrize("required", [1, 50, 200, 1_000, 20_000])
def test_an_even_plan_adds_up(required: int, unit: Unit) -> None:
    made = budget.even("Write on tides.", required=required, unit=unit, language="en")
    assert made.length == required
    assert all("tides" in section.main_point for section in made.sections)


@pytest.mark.parametrize(
    ("required", "unit", "level"),
    [(None, "words", "section"), (19_000, "words", "section"), (21_000, "words", "chapter"),
     (39_000, "characters", "section"), (41_000, "characters", "chapter")],
)  # fmt: skip
def test_more_than_forty_sections_mean_chapters(
    required: int | None, unit: Unit, level: str
) -> None:
    assert budget.level_of(required, unit) == level
