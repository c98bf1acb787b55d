"""Forty runs of a fake writer, as they are now, against what they were: proof that nothing changed.

a table of cases -> every prompt, document and figure of theirs -> JSON, or a comparison with one

    python -m tests.recorded.record out.json.gz
    python -m tests.recorded.record --check tests/recorded/21eec33.json.gz

What is said to people in words (notes, sentences about changes) stands under `wording` and is not
compared. Uses the public names of `longchain` and `longchain.testing` alone, so that it runs
wherever private modules have moved.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import chdir
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Any

from langchain_core.documents import Document
from langchain_core.exceptions import ModelRateLimitError
from langchain_core.messages import AIMessage, BaseMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command
from pydantic import PrivateAttr

from longchain import (
    AgentWriteChain,
    Budget,
    OfflineWriter,
    Prices,
    Run,
    Runs,
    SectionPlan,
    SourceRetriever,
    WritingPlan,
    read_sources,
)
from longchain.testing import FakeWriter, LengthBehavior

ROOT = Path(__file__).parents[2]
"""The repository; sources are read by paths relative to it."""

THREAD: Any = {"configurable": {"thread_id": "one"}}
PRICES = Prices(input=0.25, output=2.0, cached=0.025)
SHOWN = 3
"""Differences of a case that are printed."""

# Writers ---------------------------------------------------------------------------------------

Twist = Callable[["Script", list[BaseMessage]], str | AIMessage]
"""What becomes of one reply."""


class Script:
    """The first replies of a writer: as its behavior has them, or twisted."""

    def __init__(
        self, behavior: LengthBehavior, twists: Sequence[Twist | Exception | None]
    ) -> None:
        self.behavior = behavior
        self.said: list[str] = []
        self.replies = [one if isinstance(one, Exception) else self._reply(one) for one in twists]

    def _reply(self, twist: Twist | None) -> Callable[[list[BaseMessage]], str | AIMessage]:
        def reply(messages: list[BaseMessage]) -> str | AIMessage:
            if twist is not None:
                return twist(self, messages)
            self.said.append(self.behavior.reply(messages))
            return self.said[-1]

        return reply


def around(before: str, after: str = "") -> Twist:
    """The reply with something around it."""
    return lambda script, messages: before + script.behavior.reply(messages) + after


def instead(text: str, finish: str = "stop") -> Twist:
    """Another reply."""
    return lambda script, messages: AIMessage(text, response_metadata={"finish_reason": finish})


def cut(share: float) -> Twist:
    """A reply that breaks off."""

    def twist(script: Script, messages: list[BaseMessage]) -> AIMessage:
        text = script.behavior.reply(messages)
        text = text[: int(len(text) * share)]
        return AIMessage(text, response_metadata={"finish_reason": "length"})

    return twist


def again(number: int) -> Twist:
    """A reply that was given already."""
    return lambda script, messages: script.said[number]


def english(words: int) -> Twist:
    """English prose of so many words."""
    request = [{"role": "user", "content": f"Describe a harbor in {words} words."}]
    return lambda script, messages: LengthBehavior(seed=len(script.said)).reply(request)


def asked(messages: Sequence[Any]) -> str:
    """The text of the last message."""
    last = messages[-1]
    return str(last.content if isinstance(last, BaseMessage) else last["content"])


class Citing(LengthBehavior):
    """Cites every reference that the request shows, and one that nobody knows."""

    def reply(self, messages: Sequence[Any], schema: Mapping[str, Any] | None = None) -> str:
        shown = re.findall(r'<reference id="(\d+)"', asked(messages))
        marks = "".join(f" [{number}]" for number in [*shown, "99"][: len(shown) + 1])
        text = super().reply(messages, schema)
        return re.sub(r"([.。])$", rf"{marks}\1", text) if shown else text


class German(LengthBehavior):
    """Writes German prose of the length that the English would have."""

    def reply(self, messages: Sequence[Any], schema: Mapping[str, Any] | None = None) -> str:
        text = super().reply(messages, schema)
        if "_format>" in asked(messages):
            return text
        return german(len(text.split()), Random(text))


_NOUNS = ["Fluss", "Kanal", "Turm", "Garten", "Markt", "Hafen", "Brunnen", "Lehrer", "Winter"]
_VERBS = ["bleibt", "ruht", "wächst", "verschwindet", "beginnt", "endet", "schweigt", "steht"]
_ADJECTIVES = ["alte", "neue", "stille", "ferne", "große", "kleine", "dunkle", "helle", "reiche"]
_PLACES = ["am Ufer", "im Norden", "in der Stadt", "auf dem Berg", "nach dem Regen"]


def german(words: int, chance: Random) -> str:
    """German sentences of so many words, in paragraphs."""
    written: list[str] = []
    while len(written) < words:
        sentence = ["Der", chance.choice(_ADJECTIVES), chance.choice(_NOUNS), chance.choice(_VERBS)]
        sentence += [*chance.choice(_PLACES).split(), "und", "der", chance.choice(_NOUNS)]
        sentence += ["ist", "nicht", *chance.choice(_PLACES).split()]
        sentence = sentence[: max(words - len(written), 1)]
        written += [*sentence[:-1], sentence[-1] + "."]
        if chance.random() < 0.1:
            written[-1] += "\n\n"
    return " ".join(written).replace("\n\n ", "\n\n").strip()


class Quoting(OfflineWriter):
    """The offline writer, with a record of what it was asked."""

    _requests: list[list[BaseMessage]] = PrivateAttr(default_factory=list)
    _kwargs: list[dict[str, Any]] = PrivateAttr(default_factory=list)

    @property
    def requests(self) -> list[list[BaseMessage]]:
        """The messages of every call."""
        return self._requests

    @property
    def kwargs(self) -> list[dict[str, Any]]:
        """What every call was given besides."""
        return self._kwargs

    def _generate(self, messages: Any, *rest: Any, **kwargs: Any) -> Any:
        self._requests.append(list(messages))
        self._kwargs.append(kwargs)
        return super()._generate(messages, *rest, **kwargs)

    def _stream(self, messages: Any, *rest: Any, **kwargs: Any) -> Any:
        self._requests.append(list(messages))
        self._kwargs.append(kwargs)
        return super()._stream(messages, *rest, **kwargs)


# What is recorded ------------------------------------------------------------------------------


class Tape:
    """What one case says, call after call and document after document."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sorted = False
        """Whether prompts have no order, since sections are written side by side."""
        self._writers: list[Any] = []
        self._documents: list[Any] = []
        self._facts: list[Any] = []
        self._wording: list[Any] = []

    def writer(
        self,
        *twists: Twist | Exception | None,
        kind: type[LengthBehavior] = LengthBehavior,
        seed: int = 1,
        model: dict[str, Any] | None = None,
        **behavior: Any,
    ) -> FakeWriter:
        """A fake writer whose prompts are recorded."""
        own = kind(seed=seed, **behavior)
        replies = Script(own, twists).replies
        return self.watch(FakeWriter(behavior=own, replies=replies, **(model or {})))

    def watch(self, model: Any) -> Any:
        """Record the prompts of a model."""
        self._writers.append(model)
        return model

    def write(self, model: Any, given: Any, **options: Any) -> dict[str, Any]:
        """Write a document with a chain, and record it."""
        self.sorted |= options.get("mode") == "parallel"
        return self.document(AgentWriteChain(model, **options).invoke(given))

    def document(self, document: Any) -> dict[str, Any]:
        """Record a document."""
        whole = document if isinstance(document, dict) else document.model_dump()
        figures, words = parted(whole)
        self._documents.append(figures)
        self._wording.append({"document": len(self._documents), **words})
        return whole

    def fact(self, name: str, value: Any) -> None:
        """Record anything else."""
        self._facts.append({name: value})

    def said(self, name: str, value: Any) -> None:
        """Record words for people."""
        self._wording.append({name: value})

    def failing(self, name: str, act: Callable[[], Any]) -> None:
        """Record that something fails, and how."""
        try:
            act()
        except Exception as error:
            self.fact(name, type(error).__name__)
            self.said(name, str(error))
        else:
            self.fact(name, "nothing failed")

    def run(self, name: str, run: Run) -> None:
        """Record where a run stands: its record, without names, times and machine."""
        fields = {"status", "instruction", "title", "sections", "finished", "required"}
        fields |= {"length", "unit", "usage", "options", "handed", "model", "model_name"}
        record = run.record.model_dump(by_alias=True)
        self.fact(name, {key: value for key, value in record.items() if key in fields})
        self.said(name, {"said": run.said, "error": run.record.error})

    def played(self) -> dict[str, Any]:
        """All of it, JSON-plain."""
        prompts = [
            {"messages": [shown(message) for message in messages], "with": kwargs}
            for writer in self._writers
            for messages, kwargs in zip(writer.requests, writer.kwargs, strict=True)
        ]
        if self.sorted:
            prompts.sort(key=lambda prompt: json.dumps(prompt, sort_keys=True))
        whole = {
            "prompts": prompts,
            "documents": self._documents,
            "facts": self._facts,
            "wording": self._wording,
        }
        plain: dict[str, Any] = json.loads(json.dumps(whole, ensure_ascii=False))
        return plain


def shown(message: BaseMessage) -> dict[str, Any]:
    """A message as it is recorded."""
    return {"type": message.type, "content": message.content}


def parted(document: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A document's text and figures, and its words for people."""
    figures = deepcopy(document)
    report = figures["report"]
    words = {
        "sections": [section.pop("notes") for section in figures["sections"]],
        "report": [section.pop("notes") for section in report["sections"]],
        "planned_by": report.pop("planned_by"),
    }
    return figures, words


# The cases -------------------------------------------------------------------------------------

Case = Callable[[Tape], None]
CASES: dict[str, Case] = {}
"""The forty runs, by name."""


def case(play: Case) -> Case:
    """Add a case to the table, under its function's name."""
    CASES[play.__name__.replace("_", "-")] = play
    return play


def plan(*headings: str, length: int = 90, **more: Any) -> WritingPlan:
    """A plan with these headings."""
    sections = [
        SectionPlan(heading=heading, main_point=f"What {heading.lower()} came to", length=length)
        for heading in headings or ("Springs", "Aqueducts", "Baths", "Sewers")
    ]
    return WritingPlan(title="Water", sections=sections, **more)


@case
def sequential_en(tape: Tape) -> None:
    tape.write(
        tape.writer(sections=5, spread=0.25), "Write a 1,100-word history of Roman water supply."
    )


@case
def sequential_ja(tape: Tape) -> None:
    tape.write(tape.writer(sections=5, spread=0.2), "ローマの水道の歴史を2000字で書いてください。")


@case
def sequential_zh(tape: Tape) -> None:
    model = tape.writer(sections=5, spread=0.2, seed=2)
    tape.write(model, "请写一篇2000字的文章，介绍古罗马的供水系统。")


@case
def sequential_de(tape: Tape) -> None:
    wish = "Schreibe einen Aufsatz von 700 Wörtern über die Wasserversorgung im alten Rom."
    tape.write(tape.writer(kind=German, sections=4, bias=0.8), wish)


@case
def sequential_ko(tape: Tape) -> None:
    tape.write(tape.writer(sections=4, spread=0.2), "고대 로마의 수도에 대해 1500자로 써 주세요.")


@case
def paper_en(tape: Tape) -> None:
    model = tape.writer(sections=5, bias=0.6, spread=0.25)
    tape.write(model, "Write 1,200 words about lighthouses.", layout="paper")


@case
def paper_summary_ja(tape: Tape) -> None:
    model = tape.writer(sections=7, bias=1.2)
    given = {"instruction": "灯台の歴史を説明してください。", "length": 2400, "unit": "characters"}
    tape.write(model, given, layout="paper", memory="summary", memory_tokens=500)


@case
def parallel_en(tape: Tape) -> None:
    wish = "Write a report of 1,000 words on canals."
    tape.write(tape.writer(sections=4, bias=0.6, spread=0.25), wish, mode="parallel")
    chain = AgentWriteChain(
        tape.writer(sections=4, bias=1.6, seed=3), mode="parallel", layout="paper"
    )
    tape.document(asyncio.run(chain.ainvoke(wish)))


@case
def direct_en(tape: Tape) -> None:
    model = tape.writer(cap=350, spread=0.25)
    tape.write(model, "Write an essay of 1,200 words about bridges.", mode="direct")


@case
def direct_ja(tape: Tape) -> None:
    model = tape.writer(bias=0.6)
    tape.write(model, "橋について1600字のエッセイを書いてください。", mode="direct")


@case
def summary_en(tape: Tape) -> None:
    model = tape.writer(sections=8, spread=0.25)
    wish = "Write 1,600 words about the history of harbors."
    tape.write(model, wish, memory="summary", memory_tokens=600)


@case
def auto_window_en(tape: Tape) -> None:
    model = tape.writer(sections=9, model={"window": 3000})
    tape.write(model, "Write 1,800 words about the history of clocks.")


@case
def chapters_en(tape: Tape) -> None:
    model = tape.writer(chapters=3, sections=3, cap=260)
    options: dict[str, Any] = {"memory": "summary", "memory_tokens": 500}
    wish = "Write a book of 21,000 words about rivers."
    tape.write(model, wish, length_control=False, **options)


@case
def chapters_given_ja(tape: Tape) -> None:
    chapters = [
        {"heading": "源", "main_point": "水がどこから来るか", "length": 500},
        {"heading": "橋", "main_point": "水がどう運ばれるか", "length": 900},
        {"heading": "町", "main_point": "水がどう使われるか", "length": 700},
    ]
    sections = [
        {"heading": "泉", "main_point": "山の泉", "length": 250, "chapter": "源"},
        {"heading": "雨", "main_point": "雨と雪", "length": 250, "chapter": "源"},
    ]
    made = {"title": "水", "chapters": chapters, "sections": sections, "unit": "characters"}
    model = tape.writer(spread=0.2, sections=3)
    tape.write(model, {"instruction": "水の本を書いてください。", "plan": made, "language": "ja"})


@case
def many_sections_en(tape: Tape) -> None:
    made = plan(*(f"Week {number}" for number in range(1, 46)), length=40)
    model = tape.writer(spread=0.3, model={"window": 4000})
    tape.write(model, {"instruction": "Write a diary of a lock keeper.", "plan": made})


@case
def open_loop_en(tape: Tape) -> None:
    model = tape.writer(sections=4, bias=0.6, spread=0.25)
    tape.write(model, "Write 900 words about windmills.", length_control=False)


@case
def open_loop_parallel_ko(tape: Tape) -> None:
    model = tape.writer(sections=4, bias=1.6, spread=0.25)
    options: dict[str, Any] = {"mode": "parallel", "layout": "paper", "length_control": False}
    tape.write(model, "풍차의 역사를 1200자로 써 주세요.", **options)


@case
def long_zh(tape: Tape) -> None:
    model = tape.writer(bias=1.6, spread=0.25, sections=6)
    tape.write(model, "请写一篇2400字的文章，谈谈运河。")


@case
def talk_en(tape: Tape) -> None:
    asking = "\n\nLet me know if you would like me to continue!"
    model = tape.writer(
        None,
        around("Sure, here is the next section about ships:\n\n", "\n\n(Word count: 120)"),
        around("**Section 2:** ", asking),
        around("<think>I have to be brief.</think>\n\n"),
        around("## A heading of its own\n\n", "\n\n---\n\n[To be continued]"),
        sections=6,
    )
    tape.write(model, "Write 700 words about ships.")


@case
def empty_refusal_en(tape: Tape) -> None:
    model = tape.writer(
        None,
        instead(""),
        None,
        instead("I'm sorry, but I can't help with that request."),
        ModelRateLimitError("slow down"),
        None,
        instead("The pilot", "content_filter"),
        sections=4,
    )
    tape.write(model, "Write 500 words about pilots.")


@case
def wrong_language_ja(tape: Tape) -> None:
    wrong = english(150)
    model = tape.writer(None, wrong, None, wrong, wrong, wrong, sections=3)
    chain = AgentWriteChain(model, bad_replies="stop", checkpointer=InMemorySaver())
    tape.failing("stopped", lambda: chain.invoke("港について900字で書いてください。", THREAD))
    tape.document(chain.invoke(None, THREAD))


@case
def repeats_en(tape: Tape) -> None:
    model = tape.writer(
        *(None, None, again(1), None, again(1), again(1), again(1), again(2)), sections=5
    )
    tape.write(model, "Write 900 words about tides.", layout="paper")


@case
def loop_streamed_en(tape: Tape) -> None:
    loop = instead("The harbor is quiet at night. " * 150, "length")
    inside = around("A lamp burns on the quay. ", " The pump turns and the pump turns." * 40)
    model = tape.writer(None, loop, None, inside, sections=4)
    tape.write(model, "Write 600 words about harbors at night.", streaming=True)


@case
def full_cut_zh(tape: Tape) -> None:
    model = tape.writer(None, cut(0.3), None, cut(0.7), cut(0.05), sections=4)
    given = {"instruction": "请介绍灯塔的历史。", "length": 1500, "unit": "characters"}
    tape.write(model, given, memory="full")
    tape.write(tape.writer(model={"max_tokens": 120}), "请写一篇800字的文章，谈谈港口。")


@case
def plan_repaired_en(tape: Tape) -> None:
    model = tape.writer(instead("I will first think about what to write."), sections=4, bias=0.8)
    tape.write(model, "Write 800 words about wells.")


@case
def plan_even_ja(tape: Tape) -> None:
    unread = instead("何を書くか考えます。")
    tape.write(tape.writer(unread, unread), "井戸について1600字で書いてください。")


@case
def plan_structured_en(tape: Tape) -> None:
    planner = tape.writer(sections=4, seed=5, model={"structured": True})
    tape.write(tape.writer(), "Write 700 words about dams.", planner_model=planner)
    model = tape.writer(chapters=3, sections=2, cap=60, seed=6, model={"structured": True})
    wish = "Write a book of 20,500 words about dams."
    tape.write(model, wish, mode="parallel", length_control=False)


@case
def given_plan_styled_de(tape: Tape) -> None:
    given = {
        "instruction": "Schreibe über das Wasser im alten Rom.",
        "plan": plan("Quellen", "Leitungen", "Bäder"),
        "length": 280,
        "style": "Nüchtern, in der dritten Person.",
    }
    tape.write(tape.writer(None, english(90), english(90), english(90), kind=German), given)


WELLS = [
    "Wells\n\nA well reaches the water that stands in the ground. Its walls are lined with stone.",
    "Cisterns\n\nA cistern keeps rain. It is plastered with lime, so that no water is lost.",
    "Pumps\n\nA pump lifts water by a piston. The force pump was known in Alexandria.",
]


@case
def context_grounded_en(tape: Tape) -> None:
    model = tape.writer(kind=Citing, sections=4, spread=0.2)
    given = {"instruction": "Write 600 words about wells and cisterns.", "context": WELLS}
    tape.write(model, given, grounded_only=True)


@case
def retriever_parallel_ja(tape: Tape) -> None:
    found = SourceRetriever.over(read_sources(["examples/sources-ja"]), k=2)
    model = tape.writer(kind=Citing, sections=4)
    wish = "水の道について1400字で書いてください。"
    tape.write(model, wish, mode="parallel", retriever=found)
    tape.write(tape.writer(kind=Citing, sections=3, seed=2), wish, retriever=look_up)


def look_up(query: str) -> list[Document]:
    """A retriever that is a function."""
    about = {"source": "wells.md", "title": "Wells"}
    return [Document(WELLS[0], metadata=about), Document(WELLS[2], metadata={"source": "p.md"})]


@case
def prompts_en(tape: Tape) -> None:
    options: dict[str, Any] = {
        "plan_prompt": "Plan this: {instruction}\n{bounds}\n\n{format}\n\n{total}",
        "write_prompt": "{instruction}\n\n{text}\n\nNow {heading}: {main_point} ({language}). "
        "Write {length} {unit}.",
    }
    tape.write(tape.writer(sections=4, bias=0.7), "Write 700 words about oars.", **options)
    options = {
        "write_prompt": "{preamble}\n{plan}\n{text}\n{step}\n{references}",
        "mode": "parallel",
    }
    tape.write(tape.writer(sections=3), "Write 400 words about sails.", **options)


@case
def review_en(tape: Tape) -> None:
    with SqliteSaver.from_conn_string(":memory:") as saver:
        chain = AgentWriteChain(tape.writer(sections=4), review=True, checkpointer=saver)
        paused = chain.invoke("Write 500 words about anchors.", THREAD)
        tape.fact("waits", [interrupt.value for interrupt in paused["__interrupt__"]])
        changed = plan("Stone", "Iron", "Chains", length=120)
        tape.document(chain.invoke(Command(resume=changed), THREAD))
        tape.document(chain.document(THREAD))
        other: Any = {"configurable": {"thread_id": "two"}}
        chain.invoke("Write 300 words about ropes.", other)
        tape.document(chain.invoke(Command(resume=True), other))


@case
def runs_revise_en(tape: Tape) -> None:
    given = {"instruction": "Write about water.", "plan": plan().model_dump()}
    with Runs(tape.folder) as runs:
        run = runs.start(given, model=tape.writer(spread=0.2), run="water")
        tape.run("new", run)
        tape.document(run.write())
        run.revise(2, "shorter, less formal")
        tape.document(run.write())
        run.revise(3, "Say more of the hot rooms, in 150 words.")
        tape.document(run.write())
        run.rewrite(3)
        tape.document(run.write())
        run.rewrite(2, "## Aqueducts\n\nThey carried water. It fell a little with every mile.")
        tape.document(run.document())
        tape.document(run.write())
        tape.run("done", run)
        tape.failing("no such section", lambda: run.revise(9, "longer"))


@case
def runs_amend_en(tape: Tape) -> None:
    given = {"instruction": "Write about water.", "plan": plan().model_dump()}
    budget = Budget(calls=2, prices=PRICES)
    with Runs(tape.folder) as runs:
        run = runs.start(given, model=tape.writer(), run="water", budget=budget)
        tape.failing("budget", run.write)
        tape.run("stopped", run)
        tape.document(run.document())
        larger = Budget(calls=20, tokens=100_000, prices=PRICES)
        model = tape.writer(seed=2)
        run = runs.resume("water", model=model, budget=larger, length=420, style="Dry.")
        run.amend(instruction="Write about water for engineers.")
        tape.document(run.write())
        tape.said("edit", run.edit(plan("Sewers", "Fountains", "Springs", "Baths")))
        tape.document(run.write())
        tape.run("done", run)


@case
def runs_fork_ja(tape: Tape) -> None:
    with Runs(tape.folder) as runs:
        model = tape.writer(sections=4)
        run = runs.start(
            "水について1200字で書いてください。", model=model, run="water", review=True
        )
        tape.failing("waits", run.write)
        tape.run("review", run)
        tape.failing("waits still", run.write)
        run.review()
        tape.document(run.write())
        other = runs.fork("water", 3, name="other", model=tape.writer(seed=4), style="簡潔に")
        tape.run("forked", other)
        tape.document(other.write())
        third = runs.fork("water", 2, text="水は流れる。", name="third", model=model)
        tape.document(third.write())
        tape.document(runs.get("water").document())
        tape.fact("listed", [record.id for record in runs.list()])


@case
def runs_error_parallel_en(tape: Tape) -> None:
    tape.sorted = True
    given = {"instruction": "Write about water.", "plan": plan().model_dump()}
    broken = Breaking(behavior=LengthBehavior(seed=1, bias=1.1), avoids="Baths", others=3)
    with Runs(tape.folder) as runs:
        run = runs.start(given, model=tape.watch(broken), run="water", mode="parallel")
        tape.failing("broken", run.write)
        tape.run("stopped", run)
        tape.document(run.document())
        tape.document(runs.resume("water", model=tape.writer(seed=2)).write())


class Breaking(FakeWriter):
    """Fails at one section, when the others are written."""

    avoids: str
    others: int

    _written: Any = PrivateAttr(default_factory=lambda: threading.Semaphore(0))

    def _generate(self, messages: list[BaseMessage], *rest: Any, **kwargs: Any) -> Any:
        step = str(messages[-1].content).rpartition("What ")[2]
        if self.avoids.lower() in step:
            for _ in range(self.others):
                self._written.acquire(timeout=20)
            time.sleep(0.5)  # until they are stored, too
            self._requests.append(list(messages))
            self._kwargs.append(kwargs)
            raise ValueError(f"the model avoids {self.avoids}")
        reply = super()._generate(messages, *rest, **kwargs)
        self._written.release()
        return reply


@case
def estimate_free_en(tape: Tape) -> None:
    chain = AgentWriteChain(tape.writer(spread=0.2), budget=Budget(tokens=200_000, prices=PRICES))
    wish = "Write an essay about ferries."
    inputs: list[Any] = [wish, "Write 3,000 words about ferries."]
    inputs += [{"instruction": wish, "plan": plan(length=150)}]
    for given in inputs:
        expected = chain.estimate(given).model_dump()
        tape.said("assumed", expected.pop("assumed"))
        tape.fact("estimate", expected)
    japanese = AgentWriteChain(tape.writer(), mode="parallel", retriever=look_up)
    expected = japanese.estimate("渡し船について4000字で書いてください。", PRICES).model_dump()
    tape.said("assumed", expected.pop("assumed"))
    tape.fact("estimate", expected)
    tape.fact("plan", chain.plan(wish).model_dump())
    tape.document(chain.invoke(wish))


@case
def stream_text_en(tape: Tape) -> None:
    wish = "Write 600 words about rafts."
    given = {"instruction": wish, "context": WELLS}
    chain = AgentWriteChain(tape.writer(kind=Citing, sections=4, bias=0.7))
    tape.fact("pieces", list(chain.stream_text(given)))

    async def pieces() -> list[str]:
        chain = AgentWriteChain(tape.writer(sections=3, bias=1.3), streaming=True)
        return [piece async for piece in chain.astream_text(wish)]

    tape.fact("pieces", asyncio.run(pieces()))


@case
def offline_en(tape: Tape) -> None:
    given = {
        "instruction": "Write 1,400 words about drinking water.",
        "sources": "examples/sources",
    }
    tape.write(tape.watch(Quoting()), given)


@case
def offline_ja(tape: Tape) -> None:
    model = tape.watch(Quoting())
    given = {"instruction": "水の道を800字で説明してください。", "sources": ["examples/sources-ja"]}
    tape.write(model, given, grounded_only=True, mode="parallel", layout="paper")


# Recording and comparing -----------------------------------------------------------------------


def record(names: Sequence[str] = ()) -> dict[str, Any]:
    """Play the cases, all or those of these names."""
    played: dict[str, Any] = {}
    for name in names or CASES:
        with tempfile.TemporaryDirectory() as folder, chdir(ROOT):
            tape = Tape(Path(folder))
            CASES[name](tape)
            played[name] = tape.played()
    return played


def packed(played: dict[str, Any]) -> dict[str, Any]:
    """The recording with each message of a case written once."""
    whole = deepcopy(played)
    for one in whole.values():
        known: dict[str, int] = {}
        for prompt in one["prompts"]:
            prompt["messages"] = [
                known.setdefault(json.dumps(message, sort_keys=True), len(known))
                for message in prompt["messages"]
            ]
        one["messages"] = [json.loads(message) for message in known]
    return whole


def unpacked(whole: dict[str, Any]) -> dict[str, Any]:
    """The recording as it was played."""
    played = deepcopy(whole)
    for one in played.values():
        known = one.pop("messages")
        for prompt in one["prompts"]:
            prompt["messages"] = [known[number] for number in prompt["messages"]]
    return played


def save(whole: Any, path: Path) -> None:
    """Write JSON down, the same bytes for the same content."""
    text = json.dumps(whole, ensure_ascii=False, sort_keys=True, indent=0)
    data = (text + "\n").encode()
    path.write_bytes(gzip.compress(data, 9, mtime=0) if path.suffix == ".gz" else data)


def load(path: Path) -> Any:
    """Read JSON."""
    data = path.read_bytes()
    return json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)


def differences(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield where two recordings differ: a path, what was there, and what is there now."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            yield from differences(old.get(key, _Nothing), new.get(key, _Nothing), f"{path}.{key}")
    elif isinstance(old, list) and isinstance(new, list):
        for index, (before, after) in enumerate(zip(old, new, strict=False)):
            yield from differences(before, after, f"{path}[{index}]")
        if len(old) != len(new):
            yield f"len({path})", len(old), len(new)
    elif old != new or type(old) is not type(new):
        yield path, old, new


class _Nothing:
    """Stands for what is not there."""


def excerpt(old: Any, new: Any) -> tuple[str, str]:
    """Two values as a person compares them: long texts from where they part."""
    if not (isinstance(old, str) and isinstance(new, str)):
        return _short(old), _short(new)
    pairs = enumerate(zip(old, new, strict=False))
    at = next((i for i, (a, b) in pairs if a != b), min(len(old), len(new)))
    begin = max(at - 40, 0)
    where = f"(from character {begin}) " if begin else ""
    return where + _short(old[begin : at + 80]), where + _short(new[begin : at + 80])


def _short(value: Any) -> str:
    shown = "nothing" if value is _Nothing else json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= 200 else shown[:199] + "…"


def compared(expected: dict[str, Any], names: Sequence[str] = (), *, wording: bool = False) -> bool:
    """Play the cases again, say which differ from what is expected, and whether none does."""
    same = 0
    names = names or list(expected)
    for name in names:
        (played,) = record([name]).values()
        # Prompts first: what is asked otherwise is the cause of all that is answered otherwise.
        keys = ("prompts", "documents", "facts", "wording")[: 4 if wording else 3]
        old, new = ({key: one[key] for key in keys} for one in (expected[name], played))
        found = list(differences(old, new))
        same += not found
        for path, before, after in found[:SHOWN]:
            was, now = excerpt(before, after)
            print(f"{name}: {path}\n  was: {was}\n  now: {now}")
        if len(found) > SHOWN:
            print(f"{name}: and {len(found) - SHOWN:,} differences more")
    if same == len(names):
        print(f"{same} of {len(names)} recorded runs are identical")
    else:
        print(f"{len(names) - same} of {len(names)} recorded runs differ")
    return same == len(names)


def main() -> int:
    """Record, or compare, as the command line says."""
    parser = argparse.ArgumentParser(description="Record forty runs, or compare them.")
    parser.add_argument("out", nargs="?", type=Path, help="where to write: .json or .json.gz")
    parser.add_argument("--check", type=Path, help="the recording to compare with")
    parser.add_argument("--only", nargs="+", default=[], choices=list(CASES), metavar="CASE")
    parser.add_argument("--wording", action="store_true", help="compare words for people, too")
    given = parser.parse_args()
    if (given.out is None) == (given.check is None):
        parser.error("name either a file to write, or one to --check")
    if given.check is not None:
        return 0 if compared(unpacked(load(given.check)), given.only, wording=given.wording) else 1
    save(packed(record(given.only)), given.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
