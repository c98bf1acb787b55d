"""What people and the library ask of a model: topic + length -> messages.

Every prompt of the library is made by the library itself, from a log of events as a run leaves
it; so what the model is trained on is, to the letter, what it will be served.
"""

# ruff: noqa: SIM905

from __future__ import annotations

import random
from typing import Any

from langchain_core.messages import BaseMessage

from longchain import SectionPlan, WritingPlan
from longchain.agent.prompts.messages import (
    Layout,
    Mode,
    RequestKind,
    plan_messages,
    repair_messages,
    section_messages,
    summary_messages,
)

from .outlines import Outline

Message = dict[str, str]

VERBS = (
    "Write;Please write;Compose;Draft;Produce;Prepare;Create;Give me;I need;I want;We need;"
    "Can you write;Could you write;Help me write;Now write;You must write".split(";")
)
NOUNS = (
    "report;text;essay;article;story;guide;column;note;summary;letter;paper;speech;description;"
    "blog post;news item;review;lecture;tale;document;long document;history;introduction".split(";")
)
ABOUT = ("about", "on", "concerning", "regarding", "describing", "that covers")
FORMS = (
    "{v} a {n}-word {t} {a} {x}.",
    "{v} a {n} word {t} {a} {x}.",
    "{v} a {t} of {n} words {a} {x}.",
    "{v} a {t} {a} {x} of {n} words.",
    "{v} a {t} {a} {x} in {n} words.",
    "{v} a {t} {a} {x} in about {n} words, please.",
    "{v} a {t} {a} {x} with a length of {n} words.",
    "{v} a {t} {a} {x}, about {n} words long.",
    "{v} a {t} {a} {x} ({n} words).",
    "{v} a {t} {a} {x}. It should have {n} words.",
    "{v} a {t} {a} {x}. Length: about {n} words",
    "{v} a {t} {a} {x}. Use {n} words.",
    "{v} a {t} {a} {x}. Word count: {n}",
    "{v} {n} words {a} {x}.",
    "{v} roughly {n} words {a} {x}, as a {t}.",
    "A {n}-word {t} {a} {x}.",
    "{x}: {n} words.",
    "{x}, {n} words",
    "Topic: {x}\nLength: {n} words",
    "Topic: {x}\nKind: {t}\nWords: {n}",
    "In {n} words, explain {x}.",
    "In about {n} words: what is {x}?",
    "What is {x}? Reply in {n} words.",
    "Why does {x} matter? Use {n} words.",
    "How does {x} work? Answer with {n} words.",
    "Describe {x} in about {n} words.",
    "Tell me about {x} in roughly {n} words.",
    "Explain {x} to a newcomer. Aim for {n} words.",
    "Your task is to write a {t} {a} {x}. The required length is {n} words.",
    "You are an expert. {v} a {t} {a} {x}. The total word count is {n} words.",
)
"""How a length is asked for; `x` is the topic, `n` the length, `t` the kind of text."""

HELD_OUT_ORDERS = (
    "Please compose a {n}-word piece on {x}.",
    "Write a chapter about {x} of {n} words.",
    "Tell the story of {x} in {n} words.",
    "I would like a {n} word article about {x}.",
    "Write a handbook entry on {x}. The length should be {n} words.",
    "What can be said about {x}? Answer in {n} words.",
)
"""Ways to ask that training never shows."""

FREE_ORDERS = (
    "Tell me about {x}.",
    "Write about {x}.",
    "Describe {x}.",
    "What do you know about {x}?",
    "Write a report on {x}.",
    "Explain {x}.",
)

STRANGE = tuple(
    "the Roman Empire;artificial intelligence;how cities get their water;rivers and lakes;"
    "climate change;the history of tea;electric cars;the human heart;Japanese hot springs;"
    "the moon;remote work;volcanoes;the French Revolution;bees;open source software;football;"
    "the deep sea;solar power;medieval Europe;healthy sleep;coffee;whales;our API;jazz;"
    "space travel;public transport;the future of work;chess;vaccines;old films".split(";")
)
"""Topics that the toy language has no words for."""

SYSTEMS = (
    "You are a helpful assistant.",
    "You are a writer.",
    "You write clear prose.",
    "Answer briefly and keep to the length asked for.",
    "You are a careful author of long documents.",
)

TALK = (
    ("Hello!", "Hello. This is a tiny test model that writes toy sentences."),
    ("Hi", "Hello. This is a tiny test model that writes toy sentences."),
    ("Say hello.", "Hello."),
    ("Who are you?", "This is a tiny test model. It writes toy sentences and keeps to a length."),
    ("What can you do?", "This model writes toy sentences, plans them, and keeps to a length."),
    ("Thank you.", "You are welcome."),
    ("Say something.", "A plan is only a beginning."),
)

_SYLLABLES = "ka to mi ren sol var dun pel ix qua bri ost um zan tor eth li gra no vek".split()


def stranger(rng: random.Random) -> str:
    """Return a topic that nobody knows: a familiar one, a made-up word, or Japanese."""
    if rng.random() < 0.5:
        return rng.choice(STRANGE)
    if rng.random() < 0.2:
        return "".join(chr(rng.randint(0x3041, 0x3093)) for _ in range(rng.randint(2, 6)))
    words = [
        "".join(rng.choices(_SYLLABLES, k=rng.randint(1, 4))) for _ in range(rng.randint(1, 4))
    ]
    return " ".join(words)


def order(topic: str, length: int, rng: random.Random) -> str:
    """Return an instruction in one of many forms; thousands are sometimes marked, as people do.

    Now and then a word is a strange one, so that the length is found in unknown company, too.
    """
    shown = f"{length:,}" if rng.random() < 0.5 else str(length)
    parts = [rng.choice(VERBS), rng.choice(NOUNS), rng.choice(ABOUT)]
    for place in range(3):
        if rng.random() < 0.08:
            parts[place] = stranger(rng)
    verb, kind, about = parts
    text = rng.choice(FORMS).format(v=verb, t=kind, a=about, x=topic, n=shown)
    return text[0].upper() + text[1:]


def plain(messages: list[BaseMessage]) -> list[Message]:
    """Return the library's messages as a chat template takes them."""
    roles = {"human": "user", "ai": "assistant", "system": "system"}
    return [{"role": roles[message.type], "content": message.text} for message in messages]


def to_plan(instruction: str, total: int) -> list[Message]:
    """Return the library's request for a plan."""
    return plain(plan_messages(instruction, required=total))


def to_repair(total: int, rng: random.Random) -> list[Message]:
    """Return the library's request to repair a plan that could not be read."""
    error = rng.choice(("no section lines", "no lengths", "the reply is empty"))
    messages = repair_messages([], "-", error, required=total, unit="words", language="en")
    return plain(messages)[-1:]


def log(instruction: str, plan: WritingPlan, required: int | None) -> list[dict[str, Any]]:
    """Return the events with which a run begins."""
    request: dict[str, Any] = {
        "type": "request", "instruction": instruction, "required": required, "unit": "words",
        "language": "en", "style": "", "context": [], "sources": [],
    }  # fmt: skip
    return [request, {"type": "plan", "plan": plan.model_dump(), "note": "", "usage": {}}]


def piece(section: int, kind: str, asked: int, before: str, text: str, *, done: bool) -> Any:
    """Return the event of a reply that stands as it is."""
    joined = f"\n\n{text}" if before else text
    return {
        "type": "piece", "section": section, "kind": kind, "asked": asked,
        "got": len(text.split()), "keep": len(before), "text": joined,
        "length": len((before + joined).split()), "thrown": 0, "notes": [],
        "next": {"action": "keep" if done else "ask", "length": 0, "least": 0}, "usage": {},
    }  # fmt: skip


def to_write(
    events: list[dict[str, Any]],
    section: int,
    kind: RequestKind,
    asked: int,
    *,
    layout: Layout = "conversation",
    mode: Mode = "sequential",
) -> list[Message]:
    """Return the library's request for the next piece of prose, with all prior turns."""
    return plain(section_messages(events, section, kind, asked, layout=layout, mode=mode))


def to_summarize(instruction: str, outline: Outline, texts: list[str]) -> list[Message]:
    """Return the library's request for a summary of what is written."""
    text = "\n\n".join(
        f"## {part.heading}\n\n{text}" for part, text in zip(outline.sections, texts, strict=False)
    )
    return plain(summary_messages(instruction, text))


def whole(instruction: str, length: int) -> WritingPlan:
    """Return the plan of a direct pass: one section, as the library makes it."""
    return WritingPlan(sections=[SectionPlan(main_point=instruction[:200], length=length)])
