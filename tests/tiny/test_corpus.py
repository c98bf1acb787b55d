"""The corpus of the tiny LongWriter: lengths, plans, and prompts that are the library's own."""

from __future__ import annotations

import json
import random

import pytest

from examples.tiny_longwriter import corpus, outlines, prose, requests
from examples.tiny_longwriter.lexicon import ASPECTS, TOPICS
from longchain import AgentWriteChain
from longchain.agent.planning.parse import WritingPlanParser
from longchain.prose.cleanup import clean
from longchain.prose.loops import loop_start
from longchain.prose.repetition import duplicate_sentences
from longchain.testing import FakeWriter


@pytest.mark.parametrize("length", [6, 16, 40, 100, 256])
def test_prose_has_the_length_asked_for(length: int) -> None:
    rng = random.Random(length)
    for _ in range(20):
        text = prose.write(rng.choice(TOPICS), rng.choice(ASPECTS), length, rng)
        assert abs(len(text.split()) - length) <= max(2, 0.02 * length)


def test_long_prose_repeats_no_sentence_and_needs_no_cleaning() -> None:
    rng = random.Random(1)
    for _ in range(20):
        text = prose.write(rng.choice(TOPICS), rng.choice(ASPECTS), 256, rng, end=True)
        assert not duplicate_sentences(text)
        assert loop_start(text) is None
        assert clean(text, language="en").text == text
        assert text.endswith(".")


@pytest.mark.parametrize("total", [100, 130, 400, 990, 1000, 1234, 2000])
def test_plans_add_up_and_can_be_read(total: int) -> None:
    made = outlines.outline(TOPICS[0], total, random.Random(total))
    parser = WritingPlanParser(unit="words", language="en", required=total, level="section")
    for text in (made.lines(), made.json()):
        read = parser.invoke(text)
        assert [part.length for part in read.sections] == outlines.shares(total)
        assert [part.heading for part in read.sections] == [p.heading for p in made.sections]
        assert read.title == made.title
    assert json.loads(made.json())["sections"][0]["length"] == outlines.shares(total)[0]


def test_every_total_is_shared_out_over_three_to_eight_sections() -> None:
    for total in range(100, 2001):
        shares = outlines.shares(total)
        assert sum(shares) == total
        assert 3 <= len(shares) <= 8
        assert min(shares) > 0
        assert max(shares) <= 300


@pytest.mark.parametrize("layout", ["conversation", "paper"])
def test_prompts_are_what_the_chain_sends(layout: str) -> None:
    rng = random.Random(3)
    instruction = "Write a 400-word report on the harbor."
    made = outlines.outline(TOPICS[0], 400, rng)
    texts = [prose.write(TOPICS[0], aspect, 95, rng) for aspect in made.aspects]
    model = FakeWriter(replies=[made.lines(), *texts])
    AgentWriteChain(model, layout=layout, length_control=False).invoke(instruction)  # type: ignore[arg-type]
    assert requests.plain(model.requests[0]) == requests.to_plan(instruction, 400)

    events = requests.log(instruction, made.plan(), 400)
    for index, text in enumerate(texts):
        sent = requests.plain(model.requests[index + 1])
        asked = int(sent[-1]["content"].split()[-2])
        assert sent == requests.to_write(events, index, "write", asked, layout=layout)  # type: ignore[arg-type]
        events.append(requests.piece(index, "write", asked, "", text, done=True))


def test_direct_prompts_are_what_the_chain_sends() -> None:
    instruction = "Write 100 words about the lake."
    rng = random.Random(4)
    first, more = (prose.write(TOPICS[19], ASPECTS[0], length, rng) for length in (50, 45))
    model = FakeWriter(replies=[first, more])
    AgentWriteChain(model, mode="direct").invoke(instruction)
    events = requests.log(instruction, requests.whole(instruction, 100), 100)
    asked = [int(sent[-1].text.split()[-2]) for sent in model.requests]
    sent = [requests.plain(messages) for messages in model.requests]
    assert sent[0] == requests.to_write(events, 0, "write", asked[0], mode="direct")
    events.append(requests.piece(0, "write", asked[0], "", first, done=False))
    assert sent[1] == requests.to_write(events, 0, "extend", asked[1], mode="direct")


@pytest.mark.parametrize("kind", corpus.KINDS)
def test_every_example_ends_with_a_reply_to_a_request(kind: str) -> None:
    rng = random.Random(5)
    for _ in range(10):
        example = corpus.KINDS[kind](rng)
        roles = [message["role"] for message in example.messages]
        assert roles[-2:] == ["user", "assistant"]
        assert all(roles[turn] == "assistant" for turn in example.prose)
        assert all(text["content"] == text["content"].strip() for text in example.messages[1::2])


def test_a_seed_gives_one_corpus() -> None:
    first = [example.messages for example in corpus.corpus(7, 0.002)]
    assert first == [example.messages for example in corpus.corpus(7, 0.002)]
    assert first != [example.messages for example in corpus.corpus(8, 0.002)]


def test_held_out_pairs_are_not_in_bare_requests() -> None:
    assert any(corpus.held_out(topic, aspect) for topic in TOPICS for aspect in ASPECTS)
    rng = random.Random(6)
    assert not any(corpus.held_out(*corpus.pair(rng)) for _ in range(200))
    assert not any(corpus.unplanned(corpus.plannable(rng)) for _ in range(200))
