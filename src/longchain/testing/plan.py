"""The plans that a simulated model makes: as lines, or as JSON after a schema.

number of parts, length, random stream -> the text of a plan

Knows the form of a plan as models write it; does not know who reads it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from random import Random
from typing import Any, Literal, NamedTuple

from longchain.document import Unit
from longchain.testing import prose

_POINT = {"words": 12, "characters": 24}
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
_DEPTH = 12
"""A schema that refers to itself deeper than this is filled with null."""


class Part(NamedTuple):
    """One section or chapter of a simulated plan."""

    heading: str
    main_point: str
    length: int


def budgets(rng: Random, parts: int, length: int) -> list[int]:
    """Return `parts` budgets that add up to `length` only within 5 %, as those of models do.

    Budgets of 200 and more are round numbers; what rounding takes from one goes to the next.
    """
    weights = [rng.uniform(0.75, 1.25) for _ in range(parts)]
    scale = length * rng.uniform(0.96, 1.04) / sum(weights)
    step = 10 if length / parts >= 200 else 1
    result, reached, given = [], 0.0, 0
    for weight in weights:
        reached += weight * scale
        budget = max(1, round((reached - given) / step) * step)
        result.append(budget)
        given += budget
    return result


def parts(rng: Random, count: int, length: int, unit: Unit, language: str) -> list[Part]:
    """Return `count` parts with different headings and points, and budgets for `length`."""
    headings: dict[str, None] = {}
    while len(headings) < count:
        headings[prose.heading(rng, language)] = None
    return [
        Part(heading, point(rng, language), budget)
        for heading, budget in zip(headings, budgets(rng, count, length), strict=True)
    ]


def point(rng: Random, language: str) -> str:
    """Return one short sentence."""
    unit: Unit = "characters" if language in ("zh", "ja") else "words"
    return prose.sentence(rng, language, _POINT[unit], unit)


def lines(
    title: str, level: Literal["section", "chapter"], parts: list[Part], unit: Unit, language: str
) -> str:
    """Return a plan as lines, with labels in Chinese and Japanese, else in English.

    Such as `Section 1 - Heading: Ships - Main Point: They sail. - Word Count: 400 words`.
    """
    form = _LINES.get(language, _LINES["en"])
    rows = [
        form[level].format(number)
        + form["rest"].format(
            part.heading, part.main_point, _AMOUNT[unit][language].format(part.length)
        )
        for number, part in enumerate(parts, start=1)
    ]
    return "\n".join([_TITLE.get(language, _TITLE["en"]) + title, *rows])


def fill(schema: Mapping[str, Any], rng: Random, language: str, plan: list[Part]) -> str:
    """Return JSON that satisfies `schema`, with the parts of a plan in its lists of objects.

    Properties named `heading`, `main_point` and `length` take those of the part; all others get
    a value of their type.
    """
    return json.dumps(_Filler(schema, rng, language, plan).value(schema), ensure_ascii=False)


class _Filler:
    """Fills one schema; holds what every level of it needs."""

    def __init__(
        self, root: Mapping[str, Any], rng: Random, language: str, plan: list[Part]
    ) -> None:
        self.root = root
        self.rng = rng
        self.language = language
        self.plan = plan

    def value(
        self, schema: Mapping[str, Any], name: str = "", part: Part | None = None, depth: int = 0
    ) -> Any:
        """Return a value for `schema`, the property `name` of a part."""
        schema = self._resolved(schema)
        if "const" in schema or "enum" in schema:
            return schema["const"] if "const" in schema else self.rng.choice(schema["enum"])
        kind = schema.get("type", "object" if "properties" in schema else "string")
        if isinstance(kind, list):
            kind = next(option for option in kind if option != "null")
        if depth > _DEPTH:
            return None
        if kind == "object":
            properties = schema.get("properties", {})
            return {
                key: self.value(child, key, part, depth + 1) for key, child in properties.items()
            }
        if kind == "array":
            return self._items(schema.get("items", {}), depth + 1)
        return self._plain(kind, schema, name, part)

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """Follow a reference into the schema's definitions, and choose from alternatives."""
        while True:
            options = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
            if "$ref" in schema:
                target: Any = self.root
                for step in schema["$ref"].removeprefix("#/").split("/"):
                    target = target[step]
                schema = target
            elif options:
                schema = next((one for one in options if one.get("type") != "null"), options[0])
            else:
                return schema

    def _items(self, schema: Mapping[str, Any], depth: int) -> list[Any]:
        resolved = self._resolved(schema)
        if "properties" in resolved and self.plan:
            return [self.value(resolved, part=part, depth=depth) for part in self.plan]
        return [self.value(resolved, depth=depth) for _ in range(3)]

    def _plain(self, kind: str, schema: Mapping[str, Any], name: str, part: Part | None) -> Any:
        if part and name in Part._fields:
            return getattr(part, name)
        if kind in ("integer", "number"):
            low = schema.get("minimum", 1)
            return self.rng.randint(int(low), int(schema.get("maximum", low + 9)))
        if kind in ("boolean", "null"):
            return True if kind == "boolean" else None
        if name in ("title", "heading"):
            return prose.heading(self.rng, self.language)
        return point(self.rng, self.language)
