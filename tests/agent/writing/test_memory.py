"""Prior sections -> what the next prompt may see."""

from __future__ import annotations

from typing import Any

import pytest

from longchain import AgentWriteChain, SectionPlan, WritingPlan
from longchain.agent.writing import memory
from longchain.models.tokens import estimate
from longchain.testing import FakeWriter, LengthBehavior

WINDOW = 8_192


def given(sections: int, length: int = 400) -> dict[str, Any]:
    parts = [
        SectionPlan(heading=f"Stage {n}", main_point=f"What happens at stage {n}", length=length)
        for n in range(1, sections + 1)
    ]
    return {"instruction": "Tell it all.", "plan": WritingPlan(sections=parts).model_dump()}


def written(
    how: memory.Memory, sections: int = 30, **options: Any
) -> tuple[dict[str, Any], FakeWriter]:
    writer = FakeWriter(behavior=LengthBehavior(), window=options.pop("holds", None))
    chain = AgentWriteChain(writer, memory=how, **options)
    return chain.invoke(given(sections)), writer


def prompts(writer: FakeWriter) -> list[str]:
    return ["\n".join(message.text for message in request) for request in writer.requests]


@pytest.mark.parametrize("layout", ["conversation", "paper"])
def test_a_summary_keeps_every_prompt_within_the_window(layout: Any) -> None:
    document, writer = written("summary", holds=WINDOW, layout=layout)
    assert len(document["sections"]) == 30
    assert max(estimate(prompt) for prompt in prompts(writer)) < WINDOW * 0.75


def test_total_prompt_tokens_grow_linearly_under_a_summary() -> None:
    # Windows of 4,000 tokens: from 50 sections on the plan's share is full, too.
    cost = [
        written("summary", sections, window=4_000)[0]["usage"]["input_tokens"]
        for sections in (50, 100, 150)
    ]
    assert cost[2] - cost[1] < 1.1 * (cost[1] - cost[0])
    assert written("full", 150)[0]["usage"]["input_tokens"] > 8 * cost[2]


def test_full_memory_shows_everything() -> None:
    _, writer = written("full", 8)
    last = prompts(writer)[-1]
    assert not any("<summary_format>" in prompt for prompt in prompts(writer))
    first = writer.requests[1][1].text
    assert first in last


def test_auto_is_full_until_the_window_is_near() -> None:
    _, roomy = written("auto", 20, window=200_000)
    _, tight = written("auto", 20, window=WINDOW)
    assert not any("<summary_format>" in prompt for prompt in prompts(roomy))
    assert any("<summary_format>" in prompt for prompt in prompts(tight))


def test_the_summary_and_the_last_section_are_in_view_after_a_fold() -> None:
    replies: list[Any] = []
    writer = FakeWriter(replies=replies, behavior=LengthBehavior(), window=4_000)
    AgentWriteChain(writer, memory="summary").invoke(given(8))
    texts = prompts(writer)
    fold = next(i for i, prompt in enumerate(texts) if "<summary_format>" in prompt)
    after = writer.requests[fold + 1]
    assert "<summary>" in after[0].text
    assert after[-2].text == writer.requests[fold - 1][-1].text or after[-2].type == "ai"


def test_between_two_folds_the_prompt_only_grows() -> None:
    _, writer = written("summary", 20, window=WINDOW)
    grown = 0
    for before, after in zip(writer.requests, writer.requests[1:], strict=False):
        if [m.text for m in before] == [m.text for m in after[: len(before)]]:
            grown += 1
    assert grown > 12


def test_an_empty_summary_does_not_cost_the_writer_its_memory() -> None:
    class Forgetful(LengthBehavior):
        def reply(self, messages: Any, *args: Any, **kwargs: Any) -> str:
            text = str(messages[-1].text if hasattr(messages[-1], "text") else messages[-1])
            return "" if "<summary_format>" in text else super().reply(messages, *args, **kwargs)

    writer = FakeWriter(behavior=Forgetful(), window=4_000)
    AgentWriteChain(writer, memory="summary").invoke(given(8))
    shown = [r[0].text for r in writer.requests if "<summary>\n" in r[0].text]
    later = [text for text in shown if "<summary_format>" not in text]
    assert later
    assert all(len(text.split("<summary>\n")[1].split("\n</summary>")[0]) > 50 for text in later)


def test_a_long_plan_is_shown_around_the_section_at_hand() -> None:
    _, writer = written("summary", 200, window=4_000, holds=4_000)
    assert max(estimate(prompt) for prompt in prompts(writer)) < 4_000


@pytest.mark.parametrize(
    ("how", "window", "budget", "prior"),
    [("full", 10_000, None, 6_000), ("summary", 10_000, None, 3_000),
     ("summary", 200_000, None, 6_000), ("auto", 10_000, 500, 500), ("auto", None, None, 19_660)],
)  # fmt: skip
def test_limits_divide_the_window(
    how: memory.Memory, window: int | None, budget: int | None, prior: int
) -> None:
    assert memory.limits(how, window=window, budget=budget, count=len).prior == prior


@pytest.mark.parametrize("window", [8_192, 16_384])
@pytest.mark.parametrize("layout", ["conversation", "paper"])
@pytest.mark.parametrize("how", ["summary", "auto"])
def test_references_are_part_of_what_must_fit(how: memory.Memory, layout: Any, window: int) -> None:
    words = LengthBehavior()
    context = [
        words.reply([{"role": "user", "content": f"Passage {n}. Write 220 words"}])
        for n in range(40)
    ]
    writer = FakeWriter(behavior=LengthBehavior(), window=window)
    chain = AgentWriteChain(writer, memory=how, layout=layout)
    document = chain.invoke({**given(16), "context": context})
    assert document["length"] == pytest.approx(6_400, rel=0.05)


def test_many_small_sections_fit_too() -> None:
    writer = FakeWriter(behavior=LengthBehavior(), window=WINDOW)
    document = AgentWriteChain(writer).invoke(given(150, 25))
    assert len(document["sections"]) == 150
