"""Makes the plans of a simulated model: as lines, or as JSON that satisfies a schema.

number of parts, length, random stream -> text of a plan

Knows the format in which models write plans; does not know how it is read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from random import Random
from typing import Any, Literal, NamedTuple

from longchain.document import Unit
from longchain.testing import prose

_POINT_LENGTH = {"words": 12, "characters": 24}
_TITLE = {"en": "Title: ", "zh": "题目：", "ja": "タイトル："}
_LINES = {
    "en": {
        "section": "Section {}",
        "chapter": "Chapter {}",
        "rest": " - Heading: {} - Main Point: {} - Word Count: {}",
    },
    "zh": {"section": "第{}节", "chapter": "第{}章", "rest": " - 标题：{} - 要点：{} - 字数：{}"},
    "ja": {
        "section": "第{}節",
        "chapter": "第{}章",
        "rest": " - 見出し：{} - 要点：{} - 文字数：{}",
    },
}
_AMOUNT: dict[Unit, dict[str, str]] = {
    "words": {"en": "{} words", "zh": "{}词", "ja": "{}語", "ko": "{}단어"},
    "characters": {"en": "{} characters", "zh": "{}字", "ja": "{}字", "ko": "{}자"},
}
_MAX_DEPTH = 12
"""Nesting depth below which a recursive schema is filled with null."""


class PlannedPart(NamedTuple):
    """One section or chapter of a simulated plan."""

    heading: str
    main_point: str
    length: int


def divide(rng: Random, parts: int, length: int) -> list[int]:
    """Divide a length into parts whose sum differs by up to 5 %, as in the plans of models.

    Lengths of 200 and more are multiples of 10; the rounding error of one part is added to the
    next.
    """
    weights = [rng.uniform(0.75, 1.25) for _ in range(parts)]
    scale = length * rng.uniform(0.96, 1.04) / sum(weights)
    step = 10 if length / parts >= 200 else 1
    lengths: list[int] = []
    exact_sum, sum_so_far = 0.0, 0
    for weight in weights:
        exact_sum += weight * scale
        part = max(1, round((exact_sum - sum_so_far) / step) * step)
        lengths.append(part)
        sum_so_far += part
    return lengths


def make_parts(rng: Random, count: int, length: int, language: str) -> list[PlannedPart]:
    """Return parts with different headings and main points, and about `length` in total."""
    headings: dict[str, None] = {}
    while len(headings) < count:
        headings[prose.make_heading(rng, language)] = None
    lengths = divide(rng, count, length)
    return [
        PlannedPart(heading, make_point(rng, language), part_length)
        for heading, part_length in zip(headings, lengths, strict=True)
    ]


def make_point(rng: Random, language: str) -> str:
    """Return one short sentence."""
    unit: Unit = "characters" if language in ("zh", "ja") else "words"
    return prose.make_sentence(rng, language, _POINT_LENGTH[unit], unit)


def format_lines(
    title: str,
    level: Literal["section", "chapter"],
    parts: list[PlannedPart],
    unit: Unit,
    language: str,
) -> str:
    """Return a plan as lines, with labels in Chinese or Japanese, else in English.

    Such as `Section 1 - Heading: Ships - Main Point: They sail. - Word Count: 400 words`.
    """
    form = _LINES.get(language, _LINES["en"])
    rows = [_TITLE.get(language, _TITLE["en"]) + title]
    for number, part in enumerate(parts, start=1):
        amount = _AMOUNT[unit][language].format(part.length)
        label = form[level].format(number)
        rows.append(label + form["rest"].format(part.heading, part.main_point, amount))
    return "\n".join(rows)


def fill_schema(
    schema: Mapping[str, Any], rng: Random, language: str, plan: list[PlannedPart]
) -> str:
    """Return JSON that satisfies a schema, with the parts of a plan in its lists of objects.

    Properties named `heading`, `main_point` and `length` take those of the part; all others get a
    value of their type.
    """
    filler = _SchemaFiller(schema, rng, language, plan)
    return json.dumps(filler.value(schema), ensure_ascii=False)


class _SchemaFiller:
    """Fills a JSON schema with values, level by level."""

    def __init__(
        self, root: Mapping[str, Any], rng: Random, language: str, plan: list[PlannedPart]
    ) -> None:
        self.root = root
        self.rng = rng
        self.language = language
        self.plan = plan

    def value(
        self,
        schema: Mapping[str, Any],
        name: str = "",
        part: PlannedPart | None = None,
        depth: int = 0,
    ) -> Any:
        """Return a value for a schema.

        Args:
            schema: The schema, or a reference to one.
            name: The property that the value is for.
            part: The part of the plan whose property it is.
            depth: Nesting depth of the schema.
        """
        schema = self._resolve(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self.rng.choice(schema["enum"])
        if depth > _MAX_DEPTH:
            return None
        kind = _type_of(schema)
        if kind == "object":
            properties = schema.get("properties", {})
            return {
                key: self.value(child, key, part, depth + 1) for key, child in properties.items()
            }
        if kind == "array":
            return self._items(schema.get("items", {}), depth + 1)
        return self._scalar(kind, schema, name, part)

    def _resolve(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """Follow references into the schema's definitions; choose from alternatives."""
        while True:
            options = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
            if "$ref" in schema:
                target: Any = self.root
                for step in schema["$ref"].removeprefix("#/").split("/"):
                    target = target[step]
                schema = target
            elif options:
                not_null = (option for option in options if option.get("type") != "null")
                schema = next(not_null, options[0])
            else:
                return schema

    def _items(self, schema: Mapping[str, Any], depth: int) -> list[Any]:
        resolved = self._resolve(schema)
        if "properties" in resolved and self.plan:
            return [self.value(resolved, part=part, depth=depth) for part in self.plan]
        return [self.value(resolved, depth=depth) for _ in range(3)]

    def _scalar(
        self, kind: str, schema: Mapping[str, Any], name: str, part: PlannedPart | None
    ) -> Any:
        if part and name in PlannedPart._fields:
            return getattr(part, name)
        if kind in ("integer", "number"):
            low = schema.get("minimum", 1)
            return self.rng.randint(int(low), int(schema.get("maximum", low + 9)))
        if kind == "boolean":
            return True
        if kind == "null":
            return None
        if name in ("title", "heading"):
            return prose.make_heading(self.rng, self.language)
        return make_point(self.rng, self.language)


def _type_of(schema: Mapping[str, Any]) -> str:
    """Return the type of a schema; of several types the first but null."""
    kind = schema.get("type", "object" if "properties" in schema else "string")
    if isinstance(kind, list):
        return next(option for option in kind if option != "null")
    return str(kind)
