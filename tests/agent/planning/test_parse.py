from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.exceptions import OutputParserException

from longchain.agent.planning.parse import MAX_PLAN_PARTS, WritingPlanParser, parse
from longchain.document import WritingPlan
from longchain.errors import PlanError

Triple = tuple[str, str, int]


def read(text: str) -> list[Triple]:
    return [(part.heading, part.main_point, part.length) for part in parse(text).sections]


def lines(*counts: str) -> str:
    return "\n".join(f"Section {n} - Main Point: p{n}{c}" for n, c in enumerate(counts, 1))


# --- one plan, every form, three languages ---

WORDS: dict[str, dict[str, Any]] = {
    "en": {
        "line": "Section {n} - Heading: {h} - Main Point: {p} - Word Count: {c} words",
        "item": "{n}. **{h}** ({c} words): {p}",
        "head": "| Heading | Main Point | Word Count |",
        "keys": ("heading", "main_point", "length"),
        "plan": [("Kings", "Seven kings - and a wolf", 300), ("Republic", "Consuls", 400)],
    },
    "zh": {
        "line": "第{n}节 - 标题：{h} - 要点：{p} - 字数：{c}字",
        "item": "{n}、**{h}**（{c}字）：{p}",
        "head": "| 标题 | 要点 | 字数 |",
        "keys": ("标题", "要点", "字数"),
        "plan": [("王政", "七王与母狼", 300), ("共和国", "执政官", 400)],
    },
    "ja": {
        "line": "セクション{n} - 見出し：{h} - 要点：{p} - 文字数：{c}文字",
        "item": "{n}．**{h}**（{c}文字）：{p}",
        "head": "| 見出し | 要点 | 文字数 |",
        "keys": ("見出し", "要点", "文字数"),
        "plan": [("王政", "七人の王", 300), ("共和政", "執政官の時代", 400)],
    },
}


def as_lines(words: dict[str, Any], template: str = "line") -> str:
    return "\n".join(
        words[template].format(n=n, h=h, p=p, c=c) for n, (h, p, c) in enumerate(words["plan"], 1)
    )


def as_items(words: dict[str, Any]) -> str:
    return as_lines(words, "item")


def as_table(words: dict[str, Any]) -> str:
    rows = [f"| {h} | {p} | {c} |" for h, p, c in words["plan"]]
    return "\n".join([words["head"], "|---|---|---|", *rows])


def as_json(words: dict[str, Any]) -> str:
    records = [dict(zip(words["keys"], part, strict=True)) for part in words["plan"]]
    return json.dumps({"sections": records}, ensure_ascii=False)


@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize("form", [as_lines, as_items, as_table, as_json])
def test_one_plan_in_every_form_reads_the_same(
    language: str, form: Callable[[dict[str, Any]], str]
) -> None:
    assert read(form(WORDS[language])) == WORDS[language]["plan"]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Title: Rome\nSection 1 - Main Point: a - Word Count: 4", "Rome"),
        ("**题目：《罗马》**\n第1节 - 要点：开头 - 字数：4字", "《罗马》"),
        ("タイトル：ローマ\nセクション1 - 要点：始 - 文字数：4", "ローマ"),
        ("# Rome\n\n## A (4 words)\nx\n\n## B (4 words)\ny", "Rome"),
        ("# Rome\n\n| Heading | Words |\n|--|--|\n| A | 4 |", "Rome"),
        ("# Outline: Rome\n\n1. A (4 words)\n2. B (4 words)", "Rome"),
        ("## Writing Plan\n1. A (4 words)\n2. B (4 words)", ""),
        ('{"title": "Rome", "sections": [{"heading": "A", "length": 4}]}', "Rome"),
    ],
)
def test_the_title_is_read(text: str, title: str) -> None:
    assert parse(text).title == title


# --- the parser ---


def test_the_parser_returns_the_level_asked_for() -> None:
    flat = "Section 1: A (5 words)\nSection 2: A (6 words)"
    plan = WritingPlanParser(level="chapter", language="en").parse(flat)
    assert [(part.heading, part.length) for part in plan.chapters] == [("A", 5), ("A (2)", 6)]
    assert plan.sections == []
    plan = WritingPlanParser(unit="characters").parse(flat.replace("Section", "Chapter"))
    assert [part.heading for part in plan.sections] == ["A", "A (2)"]
    assert (plan.chapters, plan.unit) == ([], "characters")


def test_the_parser_is_a_runnable_over_messages() -> None:
    assert WritingPlanParser(required=900).invoke(lines("", "")).length == 900


@pytest.mark.parametrize("language", ["en", "ja", "zh-CN", "fr", None])
@pytest.mark.parametrize("level", ["section", "chapter"])
def test_the_form_that_is_asked_for_is_read(language: str | None, level: Any) -> None:
    parser = WritingPlanParser(language=language, level=level, unit="characters")
    instructions = parser.get_format_instructions()
    reply = instructions.splitlines()[-1].replace("…", "水").replace("...", "Water")
    plan = parser.parse(reply)
    assert plan.length == 400
    assert len(plan.chapters if level == "chapter" else plan.sections) == 1


# --- what is no plan ---

ESSAY = "\n\n".join(
    f"## {n}. Rome\n\n" + "Rome was a city on seven hills. " * 30 for n in (1, 2, 3)
)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        "I'm sorry, I can't do that.",
        "Rome grew.\n\nIt fell in 476.\n\nSection 1 of the law is silent: 400 words are too few.",
        ESSAY,
        "Rome fell for many reasons.\n\n" * 30 + "1. Money ran out\n2. Legions left",
        "<think>Section 1 - Main Point: a - Word Count: 4 words",
        "Total: 2000 words",
        "Title: Rome",
        "- Rome\n- Greece\n- Egypt",
        "Please tell me the word count: 500?",
        '{"error": "overloaded"}',
        '{"name": "search", "arguments": {"query": "Rome"}}',
        "Summary: I cannot help with that.",
        "|a|b|\n|-|-|\n|c|d|",
        "{" * 50,
        "[" * 100_000,
    ],
)
def test_what_is_no_plan_is_a_plan_error(text: str) -> None:
    with pytest.raises(PlanError) as caught:
        parse(text)
    assert caught.value.llm_output == text
    assert isinstance(caught.value, OutputParserException)


def test_the_error_says_what_is_missing() -> None:
    with pytest.raises(PlanError, match="the reply is empty"):
        parse("")
    with pytest.raises(PlanError, match="only reasoning"):
        parse("<think>hm")
    with pytest.raises(PlanError, match=r"'Sorry\.'.*Word Count: 400 words"):
        parse("Sorry.")


def test_the_error_is_our_sentence_alone() -> None:
    with pytest.raises(PlanError) as caught:
        parse("<think>hm")
    sentence = "no plan could be read: the reply holds only reasoning, and no answer after it"
    assert str(caught.value) == sentence
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (str(copy), copy.llm_output) == (sentence, "<think>hm")


def test_more_sections_than_a_plan_can_have_are_refused() -> None:
    text = lines(*[" - Word Count: 5"] * MAX_PLAN_PARTS)
    assert len(parse(text).sections) == MAX_PLAN_PARTS
    with pytest.raises(PlanError, match="2,000"):
        parse(text + "\nSection 1 - Main Point: a - Word Count: 5")


# --- any text, any damage ---

FRAGMENTS = st.sampled_from(
    ["Section 1", " - ", "Main Point: ", "Word Count: 400 words", "\n", "第1章", "字数：", "{", "}",
     "[", "]", '"', "'", ":", ",", "heading", "<think>", "</think>", "```", "|", "---", "**", "# ",
     "1. ", "- ", "(400 words)", "Total: 9", "&a", "*a", "length: 3", "\\u", "\ud800", "９９", "."]
)  # fmt: skip


@given(st.text() | st.lists(FRAGMENTS, max_size=40).map("".join))
@settings(max_examples=400, deadline=None)
def test_any_text_is_a_plan_or_a_plan_error(text: str) -> None:
    try:
        plan = parse(text)
    except PlanError:
        return
    assert WritingPlan.model_validate(plan.model_dump()) == plan
    assert plan.length >= 1


@pytest.mark.parametrize(
    "piece",
    [
        "a", " ", "\n", "a: ", "[", "{'a':", '"', "' ", "**", "<think>", "1. a (4 words)\n", "- ",
        "|", "| a ", "Section 1 - Main Point: x - Word Count: 400 words\n", "word count: ", "(",
        "- heading: a\n", "9", "9,999", "total ", "#", "```\n", "/*", "第一", "a - b - ",
        "「『", "\\u", "a:\n  ", "x\n<think>a</think>\n", "</think>",
        "：word count" * 450 + "\n", "a:\x00" * 100 + "\n",
    ],
)  # fmt: skip
def test_a_megabyte_of_anything_comes_to_an_end(piece: str) -> None:
    # Quadratic in its length, it would take longer than any test may.
    text = piece * (1_000_000 // len(piece))
    with suppress(PlanError):
        assert parse(text).length >= 1
