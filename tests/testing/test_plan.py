import json
from random import Random
from typing import Any

import pytest
from pydantic import BaseModel, Field

from longchain.document import Unit
from longchain.testing import plan


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize(("parts", "length"), [(1, 100), (3, 170), (12, 5_000), (40, 30_000)])
def test_budgets_come_near_the_length(parts: int, length: int, seed: int) -> None:
    budgets = plan.divide(Random(seed), parts, length)
    assert len(budgets) == parts
    assert min(budgets) >= 1
    assert abs(sum(budgets) - length) <= 0.05 * length


def test_budgets_hardly_ever_add_up() -> None:
    sums = [sum(plan.divide(Random(seed), 10, 5_000)) for seed in range(50)]
    assert sums.count(5_000) < 10


def test_parts_differ() -> None:
    parts = plan.make_parts(Random(1), 300, 90_000, "en")
    assert len({part.heading for part in parts}) == 300
    assert len({part.main_point for part in parts}) == 300


PARTS = [plan.PlannedPart("Ships", "They sail.", 400), plan.PlannedPart("Ports", "They wait.", 350)]


def test_lines() -> None:
    assert plan.format_lines("Seas", "section", PARTS, "words", "en") == (
        "Title: Seas\n"
        "Section 1 - Heading: Ships - Main Point: They sail. - Word Count: 400 words\n"
        "Section 2 - Heading: Ports - Main Point: They wait. - Word Count: 350 words"
    )


@pytest.mark.parametrize(
    ("language", "unit", "line"),
    [
        (
            "en",
            "characters",
            "Chapter 1 - Heading: Ships - Main Point: x - Word Count: 9 characters",
        ),
        ("zh", "characters", "第1章 - 标题：Ships - 要点：x - 字数：9字"),
        ("ja", "characters", "第1章 - 見出し：Ships - 要点：x - 文字数：9字"),
        ("ko", "characters", "Chapter 1 - Heading: Ships - Main Point: x - Word Count: 9자"),
        ("ko", "words", "Chapter 1 - Heading: Ships - Main Point: x - Word Count: 9단어"),
    ],
)
def test_lines_of_chapters_by_language(language: str, unit: Unit, line: str) -> None:
    lines = plan.format_lines(
        "", "chapter", [plan.PlannedPart("Ships", "x", 9)], unit, language
    ).splitlines()
    assert lines[1] == line


class Verdict(BaseModel):
    score: int = Field(ge=2, le=5)
    share: float
    fair: bool
    kind: str = Field(json_schema_extra={"enum": ["a", "b"]})
    note: str | None
    nested: dict[str, int]
    quotes: list[str]


def test_any_schema_is_filled() -> None:
    text = plan.fill_schema(Verdict.model_json_schema(), Random(1), "en", [])
    verdict = Verdict.model_validate_json(text)
    assert verdict.note
    assert verdict.kind in "ab"
    assert len(verdict.quotes) == 3


def test_schema_that_refers_to_itself_ends() -> None:
    tree: dict[str, Any] = {"$ref": "#/$defs/Node", "$defs": {}}
    tree["$defs"]["Node"] = {"properties": {"child": {"$ref": "#/$defs/Node"}}}
    assert json.loads(plan.fill_schema(tree, Random(1), "en", []))["child"]["child"]


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"const": 3}, 3),
        ({"type": ["null", "boolean"]}, True),
        ({"type": "null"}, None),
        ({"type": "integer", "minimum": 4, "maximum": 4}, 4),
        ({"anyOf": [{"type": "null"}, {"type": "integer", "minimum": 9, "maximum": 9}]}, 9),
    ],
)
def test_plain_values(schema: dict[str, Any], value: object) -> None:
    assert json.loads(plan.fill_schema(schema, Random(1), "en", [])) == value
