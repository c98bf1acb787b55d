import json
import re
from concurrent.futures import ThreadPoolExecutor
from math import log
from statistics import median, stdev
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from longchain.document import Unit
from longchain.errors import InputError
from longchain.length import count_length
from longchain.testing import LengthBehavior
from longchain.testing.behavior import Message, WritingRequest, measure

PART = {"heading": "string", "main_point": "string", "length": "integer"}


def user(text: str) -> list[Message]:
    return [{"role": "user", "content": text}]


def schema(name: str) -> dict[str, Any]:
    part = {"type": "object", "properties": {key: {"type": kind} for key, kind in PART.items()}}
    properties = {"title": {"type": "string"}, name: {"type": "array", "items": part}}
    return {"type": "object", "properties": properties}


@pytest.mark.parametrize(
    ("text", "length", "unit", "language"),
    [
        ("Write 400 words.", 400, "words", "en"),
        ("A 10,000-word history", 10_000, "words", "en"),
        ("So far 900 words. Now write section 3 in 250 words", 250, "words", "en"),
        ("写一段文字，约800字", 800, "characters", "zh"),
        ("港の歴史を書いてください。800字", 800, "characters", "ja"),
        ("Write 800文字", 800, "characters", "ja"),
        ("８００字", 800, "characters", "zh"),
        ("항구의 역사를 쓰십시오. 800자", 800, "characters", "ko"),
        ("항구의 역사를 쓰십시오. 300 words", 300, "words", "ko"),
        ("Write in Korean: 500 characters", 500, "characters", "ko"),
        (
            "A tale of 3 characters in Japan. Write in Japanese: 500 characters",
            500,
            "characters",
            "ja",
        ),
        ("Write 500語", 500, "words", "ja"),
        ("写500词", 500, "words", "zh"),
        ("500 characters", 500, "characters", "en"),
        ("Chapter 7 comes next, in detail", None, "words", "en"),
        ("次の章の名前", None, "words", "ja"),
    ],
)
def test_request(text: str, length: int | None, unit: Unit, language: str) -> None:
    request = WritingRequest.read(user(text))
    assert (request.length, request.unit, request.language) == (length, unit, language)


def test_language_is_that_of_the_last_lines() -> None:
    assert (
        WritingRequest.read(user("港口的历史。" * 1_000 + "words " * 400 + "900 words")).language
        == "en"
    )


def test_only_the_last_message_counts() -> None:
    messages = [SystemMessage("Write 900 words"), HumanMessage([{"type": "text", "text": "Hi"}])]
    assert WritingRequest.read(messages).length is None


@pytest.mark.parametrize("length", [30, 200, 1_000])
@pytest.mark.parametrize(
    ("ask", "unit", "language"),
    [
        ("Write {} words", "words", "en"),
        ("请写{}字", "characters", "zh"),
        ("書いてください。{}文字", "characters", "ja"),
        ("쓰십시오. {}자", "characters", "ko"),
    ],
)
def test_unbiased_reply_has_the_length_asked_for(
    ask: str, unit: Unit, language: str, length: int
) -> None:
    reply = LengthBehavior().reply(user(ask.format(length)))
    assert measure(reply, unit) == length
    assert count_length(reply, unit, language) == length


@pytest.mark.parametrize(
    ("ask", "unit"),
    [("{} words", "words"), ("请写{}字", "characters"), ("書く。{}文字", "characters")],
)
def test_bias_and_spread_are_recovered(ask: str, unit: Unit) -> None:
    behavior = LengthBehavior(bias=0.8, spread=0.25, seed=3)
    replies = [behavior.reply(user(f"Part {n}: " + ask.format(300))) for n in range(400)]
    factors = [measure(reply, unit) / 300 for reply in replies]
    assert median(factors) == pytest.approx(0.8, rel=0.05)
    assert stdev(map(log, factors)) == pytest.approx(0.25, rel=0.1)


def test_cap_holds() -> None:
    behavior = LengthBehavior(spread=0.5, cap=120)
    lengths = [measure(behavior.reply(user(f"{n}: 110 words")), "words") for n in range(100)]
    assert max(lengths) == 120
    assert min(lengths) < 110


def test_replies_do_not_depend_on_order_or_threads() -> None:
    asked = [user(f"Section {n % 20}: 40 words") for n in range(60)]
    first, second = LengthBehavior(seed=9), LengthBehavior(seed=9)
    with ThreadPoolExecutor(8) as pool:
        threaded = list(pool.map(first.reply, asked))
    assert sorted(threaded) == sorted(map(second.reply, reversed(asked)))
    assert len(set(threaded)) == 60


def test_seed_decides() -> None:
    replies = {LengthBehavior(seed=seed).reply(user("40 words")) for seed in (1, 1, 2)}
    assert len(replies) == 2


def test_without_variation_the_same_request_gets_the_same_reply() -> None:
    behavior = LengthBehavior(spread=0.3, vary=False)
    assert behavior.reply(user("90 words")) == behavior.reply(user("90 words"))


def test_messages_and_mappings_are_the_same_request() -> None:
    messages = [HumanMessage("Begin."), AIMessage("Done."), HumanMessage("60 words")]
    plain = [
        {"role": role, "content": text}
        for role, text in [("user", "Begin."), ("assistant", "Done."), ("user", "60 words")]
    ]
    assert LengthBehavior().reply(messages) == LengthBehavior().reply(plain)


def test_begun_reply_is_continued_to_the_length() -> None:
    begun = [*user("Write 100 words"), AIMessage("word " * 70)]
    assert measure(LengthBehavior().reply(begun), "words") == 30


@pytest.mark.parametrize(
    ("length", "sections"), [(50, 1), (100, 1), (900, 2), (4_500, 10), (90_000, 200)]
)
def test_plan_has_a_section_for_about_450_words(length: int, sections: int) -> None:
    reply = LengthBehavior().reply(user(f"<plan_format> Total: {length} words"))
    title, *lines = reply.splitlines()
    assert title.startswith("Title: ")
    assert len(lines) == sections
    pattern = r"Section \d+ - Heading: [^-]+ - Main Point: [^-]+ - Word Count: (\d+) words"
    budgets = [int(match[1]) for line in lines if (match := re.fullmatch(pattern, line))]
    assert len(budgets) == sections
    assert abs(sum(budgets) - length) <= 0.05 * length


@pytest.mark.parametrize(
    ("ask", "marks", "ending"),
    [
        ("请写 9000字", "字数：", "字"),
        ("書いてください。 9000字", "文字数：", "字"),
        ("쓰십시오 9000자", "Word Count: ", "자"),
        ("Write 9000 characters", "Word Count: ", " characters"),
    ],
)
def test_plan_is_in_the_language_and_unit_of_the_request(ask: str, marks: str, ending: str) -> None:
    reply = LengthBehavior().reply(user(f"<plan_format> {ask}"))
    assert reply.count(marks) == 10
    assert reply.endswith(ending)


@pytest.mark.parametrize("again", ["Answer with the plan alone. 900 words", "只回答计划。900字"])
def test_plan_may_be_asked_for_again(again: str) -> None:
    messages = [*user("<plan_format> 900 words"), AIMessage("Hm."), HumanMessage(again)]
    assert WritingRequest.read(messages).plan == "section"


def test_prose_after_a_plan_is_no_plan() -> None:
    messages = [*user("<plan_format> 900 words"), AIMessage("Hm."), HumanMessage("Write 50 words")]
    assert measure(LengthBehavior().reply(messages), "words") == 50


def test_language_may_be_named_in_the_first_message() -> None:
    messages = [*user("Write in Korean."), AIMessage("Yes."), HumanMessage("90 characters")]
    assert WritingRequest.read(messages).language == "ko"
    assert WritingRequest.read([*messages[:2], HumanMessage("90 words")]).language == "en"


def test_chapters_as_lines() -> None:
    reply = LengthBehavior().reply(user("<chapter_format> Total: 40,000 words"))
    assert reply.count("\nChapter ") == 8


@pytest.mark.parametrize(("name", "count"), [("sections", 7), ("chapters", 3)])
def test_plan_as_json(name: str, count: int) -> None:
    behavior = LengthBehavior(sections=7, chapters=3)
    plan = json.loads(behavior.reply(user("Total: 3000 words"), schema(name)))
    assert plan["title"]
    assert len(plan[name]) == count
    assert sum(part["length"] for part in plan[name]) == pytest.approx(3_000, rel=0.05)
    assert all(part["heading"] and part["main_point"] for part in plan[name])


@pytest.mark.parametrize(
    ("ask", "unit", "length"),
    [
        ("Sum up. <summary_format>", "words", 120),
        ("まとめてください。<summary_format>", "characters", 240),
    ],
)
def test_summary(ask: str, unit: Unit, length: int) -> None:
    assert measure(LengthBehavior().reply(user(ask)), unit) == length


def test_anything_else_gets_one_sentence() -> None:
    reply = LengthBehavior().reply(user("Who are you?"))
    assert reply.count(".") == 1
    assert reply.endswith(".")


@pytest.mark.parametrize(
    "fields", [{"bias": 0}, {"spread": -1}, {"cap": 0}, {"sections": 0}, {"chapters": -2}]
)
def test_fields_out_of_range_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=next(iter(fields))):
        LengthBehavior(**fields)
