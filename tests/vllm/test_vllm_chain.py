"""`AgentWriteChain` on a real vLLM, from an instruction to a document of the asked length.

The lengths are beyond what the tiny model writes in one reply: the paper's point.
"""

from __future__ import annotations

from typing import Any

import pytest

from longchain import AgentWriteChain, LongWriterLLM, SectionPlan, WritingPlan
from longchain.length import count_words

TOPICS = ("harbor", "lighthouse", "market")


def check(document: dict[str, Any], least: float) -> None:
    """Every section once, in the plan's order, and the length that was asked for."""
    report = document["report"]
    assert report["length_score"] >= least, (document["length"], report)
    planned = [section["heading"] for section in document["plan"]["sections"]]
    assert [section["heading"] for section in document["sections"]] == planned
    assert all(section["text"].strip() for section in document["sections"])
    assert report["headings_in_plan_order"]
    assert document["usage"]["output_tokens"] > 0


def test_one_reply_is_too_short_for_it(llm: LongWriterLLM) -> None:
    for topic in TOPICS:
        message = llm.invoke(f"Write 1000 words about the {topic}.")
        assert count_words(message.text) < 600
        assert message.response_metadata["finish_reason"] == "stop"


@pytest.mark.parametrize("words", [400, 1000])
@pytest.mark.parametrize("layout", ["conversation", "paper"])
@pytest.mark.parametrize("structured", [True, False], ids=["json", "lines"])
def test_its_own_plan_is_written_to_length(
    llm: LongWriterLLM, words: int, layout: Any, structured: bool
) -> None:
    llm.profile = {"max_input_tokens": 16_384, "structured_output": structured}
    chain = AgentWriteChain(llm, layout=layout)
    document = chain.invoke(f"Write a {words}-word report on the harbor.")
    check(document, 90)
    assert document["report"]["planned_by"] == "model"
    assert chain.stages.structured is structured
    assert len(document["sections"]) > 1


@pytest.mark.parametrize("mode", ["sequential", "parallel"])
def test_a_given_plan_of_twenty_sections(llm: LongWriterLLM, mode: Any) -> None:
    plan = WritingPlan(
        title="The Harbor",
        sections=[
            SectionPlan(heading=f"Quay {n}", main_point=f"The boats of quay {n}", length=50)
            for n in range(1, 21)
        ],
    )
    chain = AgentWriteChain(llm, mode=mode)
    document = chain.invoke({"instruction": "A report on the harbor.", "plan": plan})
    assert len(document["sections"]) == 20
    check(document, 90 if mode == "sequential" else 80)


@pytest.mark.parametrize("words", [400, 1000])
def test_parallel_sections_keep_to_their_budgets(llm: LongWriterLLM, words: int) -> None:
    chain = AgentWriteChain(llm, mode="parallel")
    check(chain.invoke(f"Write a {words}-word report on the harbor."), 75)


@pytest.mark.parametrize("words", [200, 400, 1000])
def test_a_direct_pass_is_continued_to_its_length(llm: LongWriterLLM, words: int) -> None:
    chain = AgentWriteChain(llm, mode="direct")
    document = chain.invoke(f"Write a {words}-word report on the harbor.")
    assert document["report"]["length_score"] >= 85
    assert document["report"]["calls"]["writing"] >= 1


def test_tokens_come_while_they_are_written(llm: LongWriterLLM) -> None:
    chain = AgentWriteChain(llm)
    streamed = [
        message.text
        for message, _ in chain.stream("Write a 200-word report.", stream_mode="messages")
    ]
    assert len(streamed) > 50
