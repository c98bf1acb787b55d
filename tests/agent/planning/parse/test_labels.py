from __future__ import annotations

import pytest

from longchain.agent.planning.parse import labels
from longchain.agent.planning.parse.labels import Field, Table, label_before, meaning_of

TABLES: list[Table] = [
    labels.TITLE, labels.HEADING, labels.POINT, labels.LENGTH, labels.SECTION, labels.CHAPTER,
    labels.TOTAL, labels.UNIT, labels.NO_TITLE,
]  # fmt: skip


@pytest.mark.parametrize("table", TABLES)
def test_a_table_holds_each_name_of_a_language_once(table: Table) -> None:
    for entries in table.values():
        found = [name.strip() for name in entries.split(";")]
        assert len(found) == len(set(found))
        assert all(name and name == name.lower() for name in found)


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("Main Point", "point"),
        ("mainPoint", "point"),
        ("main_point", "point"),
        ("key-points", "point"),
        ("**Word Count:**", "length"),
        ("Words (approx.)", "length"),
        ("字数", "length"),
        ("글자수", "length"),
        ("見出し", "heading"),
        ("主題", "point"),
        ("主题", "heading"),
        ("제목", "title"),
        ("Kapitel", "chapter"),
        ("#", None),
        ("colour", None),
    ],
)
def test_what_a_name_means(name: str, meaning: Field | None) -> None:
    assert meaning_of(name) == meaning


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("- Main Point", ("point", 2)),
        ("a 12 Word Count", ("length", 5)),
        ("passwords", (None, 9)),
        ("约500字数", ("length", 4)),
    ],
)
def test_the_label_that_ends_at_a_place(text: str, found: tuple[Field | None, int]) -> None:
    assert label_before(text, len(text)) == found
