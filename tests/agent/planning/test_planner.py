"""Instruction -> plan, through prompts, schemas, repair and fallback."""

from __future__ import annotations

import json
from typing import Any

import pytest
from langchain_core.exceptions import ModelInvalidRequestError
from langchain_core.prompts import ChatPromptTemplate

from longchain import AgentWriteChain, WritingPlan, WritingPlanParser
from longchain.agent.planning import planner
from longchain.errors import PromptError
from longchain.testing import FakeWriter, LengthBehavior

LINES = """Title: Tides
Section 1 - Heading: The Moon - Main Point: Why the moon pulls - Word Count: 300 words
Section 2 - Heading: The Coast - Main Point: What the coast does - Word Count: 300 words"""


def planned(*replies: Any, **options: Any) -> tuple[WritingPlan, FakeWriter]:
    writer = FakeWriter(replies=list(replies), **options)
    return AgentWriteChain(writer).plan("Write a 900-word essay on tides."), writer


def test_budgets_are_rescaled_to_the_required_length() -> None:
    made, _ = planned(LINES)
    assert made.title == "Tides"
    assert [section.length for section in made.sections] == [450, 450]


def test_an_unreadable_plan_is_asked_for_once_more_with_the_reason() -> None:
    made, writer = planned("I would rather not.", LINES)
    assert [section.heading for section in made.sections] == ["The Moon", "The Coast"]
    repair = writer.requests[1]
    assert [message.type for message in repair] == ["human", "ai", "human"]
    assert repair[1].content == "I would rather not."
    reason, _, order = str(repair[2].content).partition("\n")
    assert reason.endswith("Main Point: ... - Word Count: 400 words'")
    assert order.startswith("Answer with the plan alone")


def test_a_plan_that_stays_unreadable_becomes_an_even_one_and_the_report_says_so() -> None:
    writer = FakeWriter(replies=["no", "no"], behavior=LengthBehavior())
    document = AgentWriteChain(writer).invoke("Write a 900-word essay on tides.")
    assert document["report"]["planned_by"].startswith("even")
    assert document["length"] == pytest.approx(900, rel=0.05)
    assert len(document["sections"]) == 2


def test_structured_output_is_used_where_the_model_has_it() -> None:
    writer = FakeWriter(behavior=LengthBehavior(), structured=True)
    made = AgentWriteChain(writer).plan("Write a 900-word essay on tides.")
    assert made.length == 900
    assert "response_format" in writer.kwargs[0]


def test_a_model_that_refuses_structured_output_is_not_asked_for_it_again() -> None:
    refusal = ModelInvalidRequestError("response_format is not supported")
    writer = FakeWriter(replies=[refusal, LINES, LINES], structured=True)
    chain = AgentWriteChain(writer)
    for _ in range(2):
        assert chain.plan("Write a 900-word essay on tides.").length == 900
    assert ["response_format" in kwargs for kwargs in writer.kwargs] == [True, False, False]


def test_unreadable_structured_output_falls_back_to_lines() -> None:
    writer = FakeWriter(replies=["{}", LINES], structured=True)
    made = AgentWriteChain(writer).plan("Write a 900-word essay on tides.")
    assert made.title == "Tides"
    assert writer.calls == 2


def test_a_length_that_is_not_given_is_left_to_the_planner_who_says_so() -> None:
    writer = FakeWriter(replies=[LINES], behavior=LengthBehavior())
    document = AgentWriteChain(writer).invoke("Write an essay on tides.")
    assert document["report"]["required_length"] == 600
    assert "chosen by the planner: 600 words" in document["report"]["planned_by"]
    assert "Total" not in writer.requests[0][0].text


@pytest.mark.parametrize(
    ("instruction", "total", "opening"),
    [
        ("Write a 900-word essay on tides.", "Total: 900 words", "Plan a long document"),
        ("潮汐について3000字で書いてください。", "合計：3000字", "長い文書の構成"),
        ("写一篇3000字的文章介绍潮汐。", "总计：3000字", "请为一篇长文"),
        ("Schreibe einen Aufsatz über die Gezeiten mit 900 Wörtern.", "Total: 900 words", "German"),
    ],
)
def test_prompts_speak_the_documents_language(instruction: str, total: str, opening: str) -> None:
    writer = FakeWriter(behavior=LengthBehavior())
    AgentWriteChain(writer).plan(instruction)
    prompt = writer.requests[0][0].text
    assert prompt.rstrip().endswith(total)
    assert opening in prompt
    assert instruction in prompt


def test_long_documents_are_planned_in_chapters_first() -> None:
    writer = FakeWriter(behavior=LengthBehavior())
    chain = AgentWriteChain(writer)
    made = chain.plan("Write a 60,000-word history of Rome.")
    assert not made.sections
    assert made.length == 60_000
    assert 8 <= len(made.chapters) <= 16


def test_each_chapter_is_planned_when_it_is_reached() -> None:
    writer = FakeWriter(behavior=LengthBehavior(spread=0.2))
    document = AgentWriteChain(writer).invoke("Write a 30,000-word history of Rome.")
    chapters = [chapter["heading"] for chapter in document["plan"]["chapters"]]
    met = list(dict.fromkeys(section["chapter"] for section in document["sections"]))
    assert met == chapters
    assert document["length"] == pytest.approx(30_000, rel=0.03)
    planning = [i for i, r in enumerate(writer.requests) if "<plan_format>" in r[-1].text]
    assert len(planning) == len(chapters)
    assert planning[-1] > writer.calls // 2
    assert document["text"].count("\n## ") == len(chapters)


def test_a_plan_prompt_may_be_replaced() -> None:
    prompt = ChatPromptTemplate.from_template("Plan: {instruction}\n{format}\n{total}")
    writer = FakeWriter(replies=[LINES])
    AgentWriteChain(writer, plan_prompt=prompt).plan("Write a 900-word essay on tides.")
    assert writer.requests[0][0].text.startswith("Plan: Write a 900-word")


@pytest.mark.parametrize(
    ("template", "named"),
    [("{instruction} {format} {total} {mood}", "mood"), ("{instruction}", "format")],
)
def test_a_plan_prompt_with_other_variables_is_refused(template: str, named: str) -> None:
    with pytest.raises(PromptError, match=named):
        AgentWriteChain(FakeWriter(), plan_prompt=ChatPromptTemplate.from_template(template))


def test_the_planner_is_prompt_model_parser() -> None:
    model = FakeWriter(replies=[LINES])
    runnable = planner.build_planner(model, planner.plan_prompt(), WritingPlanParser())
    variables = planner.prompt_variables(
        "Write on tides.", required=600, unit="words", language="en"
    )
    assert runnable.invoke(variables).length == 600


def test_schemas_name_every_field_and_allow_no_other() -> None:
    for schema, parts in [
        (planner.plan_schema(), "sections"),
        (planner.plan_schema("chapter"), "chapters"),
    ]:
        item = schema["properties"][parts]["items"]
        assert item["required"] == list(item["properties"]) == ["heading", "main_point", "length"]
        assert item["additionalProperties"] is schema["additionalProperties"] is False
        json.dumps(schema)
