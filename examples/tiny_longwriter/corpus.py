"""seed -> the conversations that the model learns from.

Each `Example` is a conversation with what is asked at each turn; `prose` says which assistant
turns are prose of a required length, so that training can also ask what is left to write.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from longchain.agent.prompts.messages import RequestKind

from . import requests as ask
from .lexicon import ASPECTS, TOPICS, Aspect, Topic
from .outlines import Outline, given, outline
from .prose import Writer, paragraphs, write
from .requests import Message

SHORTEST, LONGEST = 6, 288
"""Words of one reply. Who is asked for more writes as much as this."""

MIX = {
    "direct": 6000, "sketch": 2000, "plan": 500, "json": 250, "talk": 750, "paper": 200,
    "whole": 550, "summary": 40, "small": 80,
}  # fmt: skip
"""Examples of each kind in one corpus."""


@dataclass(frozen=True)
class Example:
    """A conversation to learn from; every assistant turn has a loss."""

    kind: str
    messages: list[Message]
    prose: frozenset[int] = field(default_factory=frozenset)
    """Messages that are prose of a required length."""
    forced: bool = False
    """Whether a grammar forces the first token of the reply, so that it must not be learnt."""


def held_out(topic: Topic, aspect: Aspect) -> bool:
    """Whether training never shows this aspect of this topic: one pair in eight."""
    return (TOPICS.index(topic) * 7 + ASPECTS.index(aspect) * 3) % 8 == 0


def unplanned(topic: Topic) -> bool:
    """Whether training never shows a plan for this topic: one in eight."""
    return TOPICS.index(topic) % 8 == 3


def plannable(rng: random.Random) -> Topic:
    """Return a topic of those that training shows plans for."""
    return rng.choice([topic for topic in TOPICS if not unplanned(topic)])


def pair(rng: random.Random, *, unseen: bool = False) -> tuple[Topic, Aspect]:
    """Return a topic and an aspect, of those that training shows or of the others."""
    while True:
        topic, aspect = rng.choice(TOPICS), rng.choice(ASPECTS)
        if held_out(topic, aspect) == unseen:
            return topic, aspect


def known(topic: Topic) -> list[Aspect]:
    """Return the aspects of a topic that training shows."""
    return [aspect for aspect in ASPECTS if not held_out(topic, aspect)]


def reply_length(rng: random.Random) -> int:
    """Return a length to ask for: short ones, which cost little, most often."""
    kind = rng.random()
    if kind < 0.4:
        return round(SHORTEST * math.exp(rng.random() * math.log(48 / SHORTEST)))
    if kind < 0.7:
        return round(SHORTEST * math.exp(rng.random() * math.log(LONGEST / SHORTEST)))
    return rng.randint(60, LONGEST)


def kept(asked: int) -> int:
    """Return what is written for what is asked: no more than the longest reply."""
    return min(max(asked, SHORTEST), LONGEST)


def subject(topic: Topic, rng: random.Random) -> str:
    """Return how an instruction names its topic: now and then in words that are not ours."""
    if rng.random() < 0.12:
        return ask.stranger(rng)
    return f"the {topic.name}"


def direct(rng: random.Random) -> Example:
    """A bare request for a text of some length, without the library."""
    topic, aspect = pair(rng)
    length = reply_length(rng) if rng.random() < 0.97 else rng.randint(LONGEST, 2000)
    shown = subject(topic, rng)
    if rng.random() < 0.3:
        shown += f" and its {aspect.nouns[0]}"
    if rng.random() < 0.03:
        text, length = rng.choice(ask.FREE_ORDERS).format(x=shown), rng.randint(60, 120)
    else:
        text = ask.order(shown, length, rng)
    messages = [{"role": "user", "content": text}]
    if rng.random() < 0.15:
        messages.insert(0, {"role": "system", "content": rng.choice(ask.SYSTEMS)})
    prose = write(topic, aspect, kept(length), rng, end=rng.random() < 0.2)
    messages.append({"role": "assistant", "content": prose})
    return Example("direct", messages, frozenset([len(messages) - 1]))


def document_length(rng: random.Random) -> int:
    """Return the length of a document to plan: mostly round, from 100 to 2,000 words."""
    if rng.random() < 0.75:
        return rng.randrange(100, 2001, 10)
    total = round(100 * math.exp(rng.random() * math.log(20)))
    return total if rng.random() < 0.3 else total // 10 * 10


def planned(rng: random.Random, topic: Topic, total: int) -> tuple[str, Outline]:
    """Return an instruction and a plan for it, with aspects that training shows."""
    aspects = known(topic)
    rng.shuffle(aspects)
    count = len(outline(topic, total, rng).sections)
    instruction = ask.order(subject(topic, rng), total, rng)
    return instruction, outline(topic, total, rng, aspects[:count])


def plans(rng: random.Random, kind: str, turns: int, answer: Callable[[Outline], str]) -> Example:
    """A request for a plan, and requests to repair it, each for another length.

    One plan after another in a conversation costs half of what it costs alone. That the length
    changes, which no repair by the library does, makes the model look at the last request.
    """
    topic = plannable(rng)
    messages: list[Message] = []
    for turn in range(turns):
        total = document_length(rng)
        instruction, made = planned(rng, topic, total)
        messages += ask.to_repair(total, rng) if turn else ask.to_plan(instruction, total)
        messages.append({"role": "assistant", "content": answer(made)})
    return Example(kind, messages, forced=kind == "json")


def sketch(rng: random.Random) -> Example:
    """A plan for a request of one or two lines.

    In a prompt of hundreds of tokens the total is one token among them, and to find it takes
    longer than this training; found in a short prompt first, it is found in the long one, too.
    """
    total = document_length(rng)
    instruction, made = planned(rng, plannable(rng), total)
    asked = ask.to_repair(total, rng)[0]["content"]
    json = rng.random() < 0.2
    messages = [
        {"role": "user", "content": f"{instruction}\n{asked}"},
        {"role": "assistant", "content": made.json() if json else made.lines()},
    ]
    return Example("json" if json else "plan", messages, forced=json)


def to_plan(rng: random.Random) -> Example:
    """The library's request for a plan, answered in its lines."""
    return plans(rng, "plan", 5, Outline.lines)


def to_plan_json(rng: random.Random) -> Example:
    """The same request, answered in JSON, as a server's grammar will force it."""
    return plans(rng, "json", 4, Outline.json)


def run(rng: random.Random) -> tuple[str, Outline, int]:
    """Return a document to write: its instruction, its plan and its length."""
    topic = rng.choice(TOPICS)
    if rng.random() < 0.6:
        total = document_length(rng)
        return *planned(rng, topic, total), total
    count = rng.randint(2, 20)
    budgets = [rng.choice((40, 50, 60, 80, 100, 120, 150, 200, 400)) for _ in range(count)]
    made = given(topic, budgets, rng)
    if rng.random() < 0.25:
        made = strange(made, rng)
    total = sum(budgets)
    return ask.order(subject(topic, rng), total, rng), made, total


def strange(made: Outline, rng: random.Random) -> Outline:
    """Return a plan whose headings and points are not in the words of the toy language."""
    sections = [
        part.model_copy(
            update={
                "heading": rng.choice([f"Section {n}", ask.stranger(rng), ask.stranger(rng)]),
                "main_point": f"{ask.stranger(rng)} and {ask.stranger(rng)}",
            }
        )
        for n, part in enumerate(made.sections, 1)
    ]
    return Outline(ask.stranger(rng), made.topic, made.aspects, tuple(sections))


def pieces(rng: random.Random, length: int) -> list[int]:
    """Return what a section is asked for, call by call: mostly once, else with extensions."""
    if rng.random() < 0.75 or length < 24:
        return [length]
    first = round(length * rng.uniform(0.3, 0.8))
    return [first, max(length - first, 12)]


def written(
    rng: random.Random, made: Outline, upto: int, most: int
) -> tuple[list[dict[str, Any]], list[int], list[int]]:
    """Return the events of some sections' writing, what is left to ask, and all asked lengths.

    Args:
        rng: Chance.
        made: The plan.
        upto: Sections to write, the last one's last call being left out.
        most: Words that are asked for at most in one section.
    """
    events: list[dict[str, Any]] = []
    lengths: list[int] = []
    for index in range(upto):
        goal = min(made.sections[index].length, most)
        calls = pieces(rng, max(round(goal * rng.uniform(0.6, 1.3)), SHORTEST))
        writer = Writer(made.topic, made.aspects[index], rng)
        before = ""
        for number, asked in enumerate(calls):
            lengths.append(asked)
            if index == upto - 1 and number == len(calls) - 1:
                return events, calls, lengths
            text = paragraphs(writer.sentences(kept(asked)), rng)
            done = number == len(calls) - 1
            kind = "extend" if number else "write"
            event = ask.piece(index, kind, asked, before, text, done=done)
            before += event["text"]
            events.append(event)
    raise AssertionError("unreachable")


def answered(
    kind: str,
    messages: list[Message],
    made: Outline,
    index: int,
    asked: int,
    rng: random.Random,
) -> Example:
    """Return a request for a section with its answer; prior answers are prose, too."""
    last = index == len(made.sections) - 1
    text = write(made.topic, made.aspects[index], kept(asked), rng, end=last)
    messages = [*messages, {"role": "assistant", "content": text}]
    turns = [n for n, message in enumerate(messages) if message["role"] == "assistant"]
    return Example(kind, messages, frozenset(turns))


def conversation(rng: random.Random) -> Example:
    """Sections of a document in the layout `conversation`, each a turn to learn from."""
    instruction, made, total = run(rng)
    upto = rng.randint(1, len(made.sections)) if rng.random() < 0.5 else len(made.sections)
    most = 1000 if upto < 5 else rng.choice((60, 90, 120))
    events, calls, _ = written(rng, made, upto, most)
    head = ask.log(instruction, made.plan(), total)
    kind: RequestKind = "extend" if len(calls) > 1 else "write"
    messages = ask.to_write([*head, *events], upto - 1, kind, calls[-1])
    return answered("talk", messages, made, upto - 1, calls[-1], rng)


def paper(rng: random.Random) -> Example:
    """One section of a document in the layout `paper`: all prior text in one message."""
    instruction, made, total = run(rng)
    upto = rng.randint(1, min(len(made.sections), 8))
    events, calls, _ = written(rng, made, upto, rng.choice((60, 120, 250)))
    head = ask.log(instruction, made.plan(), total)
    kind: RequestKind = "extend" if len(calls) > 1 else "write"
    messages = ask.to_write([*head, *events], upto - 1, kind, calls[-1], layout="paper")
    return answered("paper", messages, made, upto - 1, calls[-1], rng)


def whole(rng: random.Random) -> Example:
    """A direct pass by the library, sometimes continued once or more."""
    topic, aspect = pair(rng)
    total = reply_length(rng) if rng.random() < 0.6 else document_length(rng)
    total = max(total, 12)
    instruction = ask.order(subject(topic, rng), total, rng)
    plan = ask.whole(instruction, total)
    events = ask.log(instruction, plan, total)
    writer = Writer(topic, aspect, rng)
    before, asked = "", total
    kind: RequestKind = "write"
    for _ in range(rng.choice((0, 0, 1, 1, 2, 3))):
        event = ask.piece(
            0, kind, asked, before, paragraphs(writer.sentences(kept(asked)), rng), done=False
        )
        events.append(event)
        before += event["text"]
        asked, kind = max(reply_length(rng), 12), "extend"
    messages = ask.to_write(events, 0, kind, asked, mode="direct")
    text = paragraphs(writer.sentences(kept(asked), end=rng.random() < 0.5), rng)
    messages.append({"role": "assistant", "content": text})
    turns = [n for n, message in enumerate(messages) if message["role"] == "assistant"]
    return Example("whole", messages, frozenset(turns))


def summary(rng: random.Random) -> Example:
    """The library's request for a running summary, with a short one."""
    instruction, made, _ = run(rng)
    upto = rng.randint(1, min(3, len(made.sections)))
    texts = [write(made.topic, made.aspects[i], 60, rng) for i in range(upto)]
    people = " and ".join(rng.sample(made.topic.people, 2))
    answer = (
        f"Summary: {' '.join(text.split('. ')[0].strip('.') + '.' for text in texts)}\n"
        f"Facts: the text is about the {made.topic.name} and its {people}.\nOpen: nothing."
    )
    messages = ask.to_summarize(instruction, made, texts)
    return Example("summary", [*messages, {"role": "assistant", "content": answer}])


def small(rng: random.Random) -> Example:
    """Small talk, so that a stranger's first word gets a sensible answer."""
    said, answer = rng.choice(ask.TALK)
    messages = [{"role": "user", "content": said}, {"role": "assistant", "content": answer}]
    return Example("small", messages)


KINDS: dict[str, Callable[[random.Random], Example]] = {
    "direct": direct, "sketch": sketch, "plan": to_plan, "json": to_plan_json,
    "talk": conversation, "paper": paper, "whole": whole, "summary": summary, "small": small,
}  # fmt: skip


def corpus(seed: int, share: float = 1.0) -> Iterator[Example]:
    """Yield all training conversations of a seed, kind by kind.

    Args:
        seed: Chance.
        share: How much of the whole corpus.
    """
    rng = random.Random(seed)
    for kind, count in MIX.items():
        for _ in range(max(round(count * share), 1)):
            yield KINDS[kind](rng)
