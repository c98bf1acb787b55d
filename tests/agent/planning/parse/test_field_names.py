from __future__ import annotations

import pytest

from longchain.agent.planning.parse import field_names
from longchain.agent.planning.parse.field_names import (
    Field,
    NameTable,
    find_field,
    find_label_before,
)

TABLES: list[NameTable] = [
    field_names.TITLE, field_names.HEADING, field_names.POINT, field_names.LENGTH,
    field_names.SECTION, field_names.CHAPTER, field_names.TOTAL, field_names.UNIT,
    field_names.GENERIC_TITLE,
]  # fmt: skip


@pytest.mark.parametrize("table", TABLES)
def test_a_table_has_each_name_of_a_language_once(table: NameTable) -> None:
    for entries in table.values():
        names = [name.strip() for name in entries.split(";")]
        assert len(names) == len(set(names))
        assert all(name and name == name.lower() for name in names)


@pytest.mark.parametrize(
    ("name", "field"),
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
def test_the_field_of_a_name(name: str, field: Field | None) -> None:
    assert find_field(name) == field


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("- Main Point", ("point", 2)),
        ("a 12 Word Count", ("length", 5)),
        ("passwords", (None, 9)),
        ("约500字数", ("length", 4)),
    ],
)
def test_the_label_that_ends_at_a_position(text: str, label: tuple[Field | None, int]) -> None:
    assert find_label_before(text, len(text)) == label
