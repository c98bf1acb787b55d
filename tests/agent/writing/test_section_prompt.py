"""Plan -> sections: what the writer is shown, and what becomes of its replies."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest
from langchain_core.exceptions import ContextOverflowError
from langchain_core.messages import AIMessage
from langchain_core.prompts import ChatPromptTemplate

from longchain import AgentWriteChain, SectionPlan, WritingPlan
from longchain.agent.writing.section_prompt import Layout
from longchain.agent.writing.section_writer import SectionWriter
from longchain.calls.reply import SectionParser
from longchain.errors import InputError, PromptError, ReplyError
from longchain.language import ends_sentence
from longchain.testing import FakeWriter, LengthBehavior


def plan(sections: int, length: int = 100) -> dict[str, Any]:
    parts = [
        SectionPlan(heading=f"Part {name}", main_point=f"About {name}", length=length)
        for name in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[:sections]
    ]
    return WritingPlan(title="All", sections=parts).model_dump()


def given(sections: int = 3, length: int = 100, **more: Any) -> dict[str, Any]:
    return {"instruction": "Describe the letters.", "plan": plan(sections, length), **more}


def prose(words: int, name: str = "word") -> str:
    """Return as many words in sentences of ten."""
    made = [f"{name}{number}" for number in range(words)]
    for index in range(9, words, 10):
        made[index] += "."
    made[-1] = made[-1].rstrip(".") + "."
    return " ".join(made)


def sent(writer: FakeWriter) -> list[list[tuple[str, str]]]:
    return [[(message.type, message.text) for message in request] for request in writer.requests]


@pytest.mark.parametrize("layout", ["conversation", "paper"])
@pytest.mark.parametrize("language", ["en", "ja", "zh", "de"])
def test_a_request_names_its_length_once_as_its_last_number(layout: Layout, language: str) -> None:
    writer = FakeWriter(behavior=LengthBehavior(bias=0.5))
    AgentWriteChain(writer, layout=layout).invoke(given(language=language))
    assert writer.calls > 3  # extensions among them
    for request in sent(writer):
        last = request[-1][1]
        found = re.findall(r"(\d+) ?(?:words|字|語|词)", last.split("</section>")[-1])
        assert len(found) == 1
        assert re.findall(r"\d+", last)[-1] == found[0]


def test_a_conversation_only_grows_at_its_end() -> None:
    writer = FakeWriter(behavior=LengthBehavior(spread=0.3))
    AgentWriteChain(writer).invoke(given(12))
    requests = sent(writer)
    for before, after in itertools.pairwise(requests):
        kept = [a == b for a, b in zip(before, after, strict=False)]
        assert all(kept)
        assert [kind for kind, _ in after] == ["human", "ai"] * (len(after) // 2) + ["human"]


def test_the_paper_layout_only_grows_at_its_end_before_the_step() -> None:
    writer = FakeWriter(behavior=LengthBehavior())
    AgentWriteChain(writer, layout="paper").invoke(given(8))
    texts = [request[0][1].split("\n</text>")[0] for request in sent(writer)]
    assert all(len(request) == 1 for request in sent(writer))
    for before, after in itertools.pairwise(texts):
        assert after.startswith(before)


def test_only_the_last_section_may_end_the_document() -> None:
    writer = FakeWriter(behavior=LengthBehavior())
    AgentWriteChain(writer, length_control=False).invoke(given(3))
    ends = ["bring the document to its end" in request[-1][1] for request in sent(writer)]
    assert ends == [False, False, True]


def test_style_and_language_are_passed_on() -> None:
    writer = FakeWriter(behavior=LengthBehavior())
    AgentWriteChain(writer).invoke(given(1, style="Short sentences.", language="fr"))
    assert "Short sentences." in sent(writer)[0][0][1]
    assert "French" in sent(writer)[0][0][1]


def test_the_limit_of_a_reply_follows_the_length_asked() -> None:
    writer = FakeWriter(behavior=LengthBehavior())
    AgentWriteChain(writer).invoke(given(2, 100))
    small = writer.kwargs[0]["max_tokens"]
    other = FakeWriter(behavior=LengthBehavior())
    AgentWriteChain(other).invoke(given(2, 1_000))
    assert 300 < small < 800
    assert 3_000 < other.kwargs[0]["max_tokens"] < 6_000


def test_a_cut_reply_is_continued_and_stitched_at_a_whole_sentence() -> None:
    cut = AIMessage(prose(40, "a") + " and then it", response_metadata={"finish_reason": "length"})
    writer = FakeWriter(replies=[cut, prose(60, "b")])
    document = AgentWriteChain(writer).invoke(given(1))
    section = document["sections"][0]
    assert section["text"] == f"{prose(40, 'a')} {prose(60, 'b')}"
    assert section["calls"] == 2
    assert "cut" in section["notes"]


def test_a_short_section_is_extended_in_the_same_conversation() -> None:
    writer = FakeWriter(replies=[prose(30, "a"), prose(70, "b")])
    document = AgentWriteChain(writer).invoke(given(1))
    assert document["sections"][0]["notes"] == ["extended"]
    last = sent(writer)[1]
    assert last[1] == ("ai", prose(30, "a"))
    assert last[2][1].startswith("Go on with this part")


def test_a_section_far_too_long_is_trimmed_at_a_sentence() -> None:
    writer = FakeWriter(replies=[prose(130)])
    section = AgentWriteChain(writer).invoke(given(1))["sections"][0]
    assert section["notes"] == ["trimmed"]
    assert 90 <= section["length"] <= 110
    assert ends_sentence(section["text"])


def test_a_hopelessly_long_section_is_written_again_without_the_old_text_in_view() -> None:
    writer = FakeWriter(replies=[prose(500, "a"), prose(95, "b")])
    section = AgentWriteChain(writer).invoke(given(1))["sections"][0]
    assert section["text"] == prose(95, "b")
    assert "rewritten" in section["notes"]
    assert "a499" not in str(sent(writer)[1])


def test_open_loop_keeps_what_comes() -> None:
    writer = FakeWriter(replies=[prose(10), prose(400, "b"), prose(100, "c")])
    document = AgentWriteChain(writer, length_control=False).invoke(given(3))
    assert [section["calls"] for section in document["sections"]] == [1, 1, 1]
    assert document["length"] > 500


@pytest.mark.parametrize(
    "bad", ["", "   ", "<think>Let me see.</think>", "I'm sorry, but I can't help with that."]
)
def test_an_unusable_reply_is_asked_for_again_and_reported(bad: str) -> None:
    writer = FakeWriter(replies=[bad, prose(100)])
    document = AgentWriteChain(writer).invoke(given(1))
    assert document["sections"][0]["text"] == prose(100)
    assert document["report"]["calls"]["retries"] == 1
    assert "could not be used" in sent(writer)[1][-1][1]
    assert bad.strip() == "" or bad not in document["text"]


def test_a_model_that_never_answers_stops_the_run() -> None:
    writer = FakeWriter(replies=[""] * 3)
    with pytest.raises(ReplyError, match=r"section 1 \('Part A'\).*3 times in a row"):
        AgentWriteChain(writer).invoke(given(1))
    assert writer.calls == 3


def test_an_extension_that_never_comes_leaves_the_section_short() -> None:
    writer = FakeWriter(replies=[prose(30, "a"), "", "", ""])
    document = AgentWriteChain(writer).invoke(given(1))
    assert document["sections"][0]["text"] == prose(30, "a")
    assert "kept short" in document["sections"][0]["notes"]


def test_a_loop_is_cut_and_the_section_goes_on() -> None:
    loop = prose(40, "a") + " The same thing was said again and again." * 30
    writer = FakeWriter(replies=[loop, prose(60, "b")])
    text = AgentWriteChain(writer).invoke(given(1))["sections"][0]["text"]
    assert text.count("The same thing") <= 1
    assert "b59" in text


@pytest.mark.parametrize(
    ("wrapped", "note"),
    [
        ("<think>Plan it.</think>" + prose(100), "reasoning removed"),
        ("Part A\n\n" + prose(100), "heading removed"),
        ("## Part A\n\n" + prose(100), "heading removed"),
        ("```markdown\n" + prose(100) + "\n```", "fence removed"),
        (prose(100) + "\n\n(Word count: 100)", "word count removed"),
    ],
)
def test_what_is_no_prose_is_removed(wrapped: str, note: str) -> None:
    writer = FakeWriter(replies=[wrapped])
    section = AgentWriteChain(writer).invoke(given(1))["sections"][0]
    assert section["text"] == prose(100)
    assert section["length"] == 102
    assert note in section["notes"]


@pytest.mark.parametrize("mode", ["sequential", "parallel", "direct"])
def test_every_mode_meets_the_length(mode: Any) -> None:
    writer = FakeWriter(behavior=LengthBehavior(bias=0.66, spread=0.2, cap=800))
    document = AgentWriteChain(writer, mode=mode).invoke("Write a 3,000-word survey of ports.")
    assert document["length"] == pytest.approx(3_000, rel=0.06)


def test_parallel_sections_see_the_plan_but_not_each_other() -> None:
    writer = FakeWriter(behavior=LengthBehavior())
    AgentWriteChain(writer, mode="parallel", length_control=False).invoke(given(4))
    for request in sent(writer):
        assert len(request) == 1
        assert all(f"Part {name}" in request[0][1] for name in "ABCD")


def test_direct_mode_asks_for_the_whole_and_continues_until_it_is_there() -> None:
    writer = FakeWriter(replies=[prose(300, "a"), prose(300, "b"), prose(380, "c")])
    document = AgentWriteChain(writer, mode="direct").invoke("Write 1,000 words on tides.")
    assert document["length"] == 980
    assert sent(writer)[0][0][1].rstrip().endswith("1000 words")
    assert len(document["sections"]) == 1


def test_direct_mode_without_a_length_is_one_pass() -> None:
    writer = FakeWriter(replies=[prose(300)])
    document = AgentWriteChain(writer, mode="direct").invoke("Write an essay on tides.")
    assert document["length"] == 300
    assert document["report"]["required_length"] is None


def test_a_write_prompt_may_be_replaced() -> None:
    prompt = ChatPromptTemplate(
        [("system", "Tone: {style}"), ("human", "{main_point} in {length} {unit}")]
    )
    writer = FakeWriter(replies=[prose(100)])
    AgentWriteChain(writer, write_prompt=prompt).invoke(given(1, style="dry"))
    assert sent(writer)[0][0] == ("system", "Tone: dry")
    assert re.fullmatch(r"About A in \d+ words", sent(writer)[0][1][1])


@pytest.mark.parametrize(
    ("template", "named"), [("{step} {mood}", "mood"), ("{instruction}", "step")]
)
def test_a_write_prompt_with_other_variables_is_refused(template: str, named: str) -> None:
    with pytest.raises(PromptError, match=named):
        AgentWriteChain(FakeWriter(), write_prompt=ChatPromptTemplate.from_template(template))


@pytest.mark.parametrize(
    ("metadata", "finish"),
    [
        ({"finish_reason": "length"}, "length"),
        ({"stop_reason": "max_tokens"}, "length"),
        ({"finish_reason": "MAX_TOKENS"}, "length"),
        ({"done_reason": "length"}, "length"),
        ({"finish_reason": "content_filter"}, "filter"),
        ({"stop_reason": "end_turn"}, "stop"),
        ({"stopReason": "max_tokens"}, "length"),
        ({"incomplete_details": {"reason": "max_output_tokens"}}, "length"),
        ({"finish_reason": "PROHIBITED_CONTENT"}, "filter"),
        ({}, "stop"),
    ],
)
def test_finish_reasons_of_all_providers_are_understood(
    metadata: dict[str, str], finish: str
) -> None:
    model = FakeWriter(replies=[AIMessage("Done.", response_metadata=metadata)])
    assert (model | SectionParser()).invoke("x").finish == finish


def test_the_writer_is_prompt_model_parser() -> None:
    writer = SectionWriter(
        FakeWriter(replies=["Done."]), ChatPromptTemplate.from_template("{step}")
    )
    assert writer.invoke({"step": "Write.", "max_tokens": 50}).text == "Done."


def test_the_usage_of_every_call_is_counted() -> None:
    writer = FakeWriter(behavior=LengthBehavior(bias=0.4))
    document = AgentWriteChain(writer).invoke("Write a 1,000-word survey of ports.")
    usage = document["usage"]
    assert usage["calls"] == writer.calls
    assert usage["output_tokens"] > 1_000
    assert usage["input_tokens"] > usage["output_tokens"]


@pytest.mark.parametrize("mode", ["sequential", "direct"])
def test_a_model_that_only_loops_is_not_paid_for_long(mode: Any) -> None:
    writer = FakeWriter(replies=["lo lo " * 400] * 30)
    with pytest.raises(ReplyError, match="loop"):
        AgentWriteChain(writer, mode=mode).invoke({"instruction": "Sing.", "length": 100} if
                                                  mode == "direct" else given(1))  # fmt: skip
    assert writer.calls == 3


def test_a_number_in_brackets_is_no_citation_where_there_are_no_references() -> None:
    text = "Let x lie in the interval [0, 1] and read arr[3] first. " + prose(85)
    writer = FakeWriter(replies=[text])
    assert AgentWriteChain(writer).invoke(given(1))["sections"][0]["text"] == text


def test_no_turn_without_text_is_shown_after_a_rewrite() -> None:
    writer = FakeWriter(replies=[prose(500, "a"), prose(95, "b")])
    AgentWriteChain(writer).invoke(given(1))
    assert [kind for kind, _ in sent(writer)[1]] == ["human"]


@pytest.mark.parametrize("end", ["Anna Smith", "THE END", "See https://example.org/tides"])
def test_a_last_line_without_a_full_stop_may_be_meant(end: str) -> None:
    text = f"{prose(95)}\n\n{end}"
    writer = FakeWriter(replies=[text])
    assert AgentWriteChain(writer).invoke(given(1))["sections"][0]["text"] == text


def test_full_memory_that_does_not_fit_is_said_and_not_stretched() -> None:
    writer = FakeWriter(behavior=LengthBehavior())
    with pytest.raises(ContextOverflowError, match="memory 'auto' or 'summary'"):
        AgentWriteChain(writer, memory="full", window=3_000).invoke(given(12, 400))


def test_a_direct_pass_longer_than_the_window_shows_its_end() -> None:
    writer = FakeWriter(behavior=LengthBehavior(cap=1_000), window=8_192)
    document = AgentWriteChain(writer, mode="direct").invoke("Write 9,000 words on tides.")
    assert document["length"] == pytest.approx(9_000, rel=0.05)
    assert all("Write 9,000 words on tides." in request[0][1] for request in sent(writer))


@pytest.mark.parametrize(
    ("option", "said"),
    [({"mode": "fast"}, "sequential, parallel, direct"), ({"memory": "x"}, "auto, full, summary"),
     ({"layout": "y"}, "conversation, paper"), ({"window": 0}, "at least 1")],
)  # fmt: skip
def test_options_that_nobody_knows_are_refused(option: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        AgentWriteChain(FakeWriter(), **option)


def test_a_prompt_without_turns_shows_the_prior_text_whatever_the_layout() -> None:
    prompt = ChatPromptTemplate.from_template("{plan}\n{text}\n{step}")
    writer = FakeWriter(replies=[prose(100, "a"), prose(100, "b")])
    AgentWriteChain(writer, write_prompt=prompt).invoke(given(2))
    assert prose(100, "a") in sent(writer)[1][0][1]


def test_a_heading_of_the_models_stays_in_its_own_turn() -> None:
    headed = [f"## Part {name}\n\n{prose(100, name.lower())}" for name in "ABC"]
    writer = FakeWriter(replies=[*headed])
    document = AgentWriteChain(writer, length_control=False).invoke(given())
    assert document["text"].count("## Part") == 3  # the plan's, once each
    # A server finds what it has written: word for word, heading and all.
    assert [text for kind, text in sent(writer)[2] if kind == "ai"] == headed[:2]


def test_chatter_before_the_prose_is_shown_to_nobody() -> None:
    chatty = f"Sure! Here is part 1:\n\n{prose(100)}"
    writer = FakeWriter(replies=[chatty, prose(100, "b"), prose(100, "c")])
    AgentWriteChain(writer, length_control=False).invoke(given())
    assert [text for kind, text in sent(writer)[1] if kind == "ai"] == [prose(100)]
