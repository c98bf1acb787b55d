"""Prints a page with one whole prompt of each kind in each language.

`LANGUAGES` -> Markdown

    python -m longchain.agent.prompts > docs/prompts.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from langchain_core.documents import Document
from langchain_core.messages import BaseMessage

from longchain.agent.log import Record
from longchain.agent.prompts import LANGUAGES, Prompts
from longchain.agent.prompts.messages import (
    ReplyProblem,
    chapter_messages,
    plan_messages,
    repair_messages,
    section_messages,
    summary_messages,
)
from longchain.agent.prompts.samples import sample_for
from longchain.agent.writing.retry_notes import retry_note
from longchain.document import ChapterPlan, SectionPlan, Unit, WritingPlan
from longchain.language import english_name, is_spaced
from longchain.sources import outline

INTRODUCTION = """\
# Prompts

Every prompt that longchain sends to a model, filled in for a sample document. The texts are in \
`src/longchain/agent/prompts/languages/`: one object, in one file, for each language. A document \
whose language has no prompts of its own is asked for in English, with the name of its language.

A section's request names its length once, as the last number of its last message. In the layout \
`conversation` the prior text is a conversation: each request a turn of the user, each piece of \
text an answer of the model. In the layout `paper` it is one message. Both grow only at their end, \
so that a server's prefix cache serves what it has read before.

This page is generated: `python -m longchain.agent.prompts > docs/prompts.md`.
"""

PROBLEMS = (
    "empty",
    "refusal",
    "loop",
    "no whole sentence",
    "wrong language (fr)",
    "repeats section 1",
    "repeats itself",
    "any other problem",
)

ROLES = {"human": "User", "ai": "Model", "system": "System"}


def build_page() -> str:
    """Return the page as Markdown."""
    parts = [INTRODUCTION]
    for prompts in LANGUAGES.values():
        parts.append(f"## {english_name(prompts.language)}\n")
        parts += LanguagePage(prompts).entries()
    return "\n".join(parts)


def show(title: str, explanation: str, messages: list[BaseMessage]) -> str:
    """Return one prompt under its title, each message in a fence."""
    blocks = [f"### {title}\n\n{explanation}\n"]
    for message in messages:
        blocks.append(f"{ROLES[message.type]}:\n\n```text\n{message.text.rstrip()}\n```\n")
    return "\n".join(blocks)


class LanguagePage:
    """The prompts of one language, filled in with its sample document."""

    def __init__(self, prompts: Prompts):
        self.language = prompts.language
        self.sample = sample_for(prompts.language)
        self.unit: Unit = "words" if is_spaced(prompts.language) else "characters"
        self.length = 300 if self.unit == "words" else 600
        """Length of a section."""

    def entries(self) -> Iterator[str]:
        """Yield every kind of prompt as Markdown."""
        yield from self._plans()
        yield from self._sections()
        yield from self._direct()
        yield self._summary()
        yield self._retry_notes()

    # Planning ------------------------------------------------------------------------------

    def _plans(self) -> Iterator[str]:
        sample, length = self.sample, 3 * self.length
        plan = self._plan_messages(length, sources=self._outline(), style=sample.style)
        yield show("Plan", "The first request: a plan in sections of about equal length.", plan)
        yield show(
            "Plan without a required length",
            "The planner chooses the length of the document.",
            self._plan_messages(None),
        )
        yield show(
            "Plan in chapters",
            "A document of more than about 40 sections is planned in chapters first.",
            self._plan_messages(100 * length),
        )
        yield show(
            "Plan of one chapter",
            "Sent for each chapter when it is reached, after all sections before it.",
            chapter_messages(
                sample.instruction,
                WritingPlan(chapters=self._chapters(), unit=self.unit),
                sample.parts[1][0],
                language=self.language,
            ),
        )
        repair = repair_messages(
            plan,
            sample.unreadable,
            sample.error,
            required=length,
            unit=self.unit,
            language=self.language,
        )
        yield show(
            "Repair of a plan",
            "Sent once if the reply to the request for a plan could not be read.",
            repair,
        )

    def _plan_messages(self, required: int | None, **more: str) -> list[BaseMessage]:
        return plan_messages(
            self.sample.instruction,
            required=required,
            unit=self.unit,
            language=self.language,
            **more,
        )

    def _outline(self) -> str:
        title, text = self.sample.passage
        return outline([Document(text, metadata={"title": title})])

    # Writing -------------------------------------------------------------------------------

    def _sections(self) -> Iterator[str]:
        log = self._log()
        second = [*log, self._piece(0)]
        yield show(
            "Section",
            "A section in the layout `conversation`, with its references and the prior text.",
            section_messages(second, 1, "write", self.length),
        )
        yield show(
            "Section in the layout `paper`",
            "The same request in one message.",
            section_messages(second, 1, "write", self.length, layout="paper"),
        )
        yield show(
            "Last section, in a chapter and after a summary",
            "A long document: the plan shows the chapters, a summary replaces the earlier text, "
            "and the last section ends the document.",
            section_messages(self._chaptered_log(), 2, "write", self.length),
        )
        yield show(
            "Extension",
            "Sent if a section is far shorter than asked for. The text so far is the last answer.",
            section_messages([*log, self._piece(0, done=False)], 0, "extend", self.length // 2),
        )
        revised = [*second, self._piece(1), self._revision(0)]
        yield show(
            "Revision",
            "Sent if the user asks to change a finished section.",
            section_messages(revised, 0, "revise", self.length),
        )

    def _direct(self) -> Iterator[str]:
        log = [self._request(style=""), self._plan([self.sample.instruction])]
        yield show(
            "Direct mode",
            "The whole text in one request; longer ones are continued by extensions.",
            section_messages(log, 0, "write", 3 * self.length, mode="direct"),
        )
        yield show(
            "Direct mode without a required length",
            "The model chooses the length.",
            section_messages(log, 0, "write", 0, mode="direct"),
        )

    def _summary(self) -> str:
        text = f"## {self.sample.parts[1][0]}\n\n{self.sample.texts[1]}"
        messages = summary_messages(
            self.sample.instruction, text, summary=self.sample.summary, language=self.language
        )
        return show(
            "Running summary",
            "Sent when the prior text exceeds its share of the model's window.",
            messages,
        )

    def _retry_notes(self) -> str:
        notes = []
        for problem in PROBLEMS:
            note = retry_note(ReplyProblem.parse(problem), self.language)
            notes.append(f"{problem}:\n{note.rstrip()}")
        explanation = (
            "After a reply that could not be used the same request is sent again; one of these "
            "notes precedes its last sentence."
        )
        block = "\n\n".join(notes)
        return f"### Retry notes\n\n{explanation}\n\n```text\n{block}\n```\n"

    # Events of the sample's log ------------------------------------------------------------

    def _log(self) -> list[Record]:
        """Return the log of a document that is planned, with a reference for each section."""
        points = [f"{heading}\n{point}" for heading, point in self.sample.parts]
        references = [self._references(index) for index in range(len(points))]
        return [self._request(style=self.sample.style), self._plan(points), *references]

    def _chaptered_log(self) -> list[Record]:
        """Return the log of a document in chapters whose first section is summarized."""
        points = [f"{heading}\n{point}" for heading, point in self.sample.parts]
        return [
            self._request(style=""),
            self._plan(points, self._chapters()),
            self._piece(0),
            self._piece(1),
            {"type": "summary", "text": self.sample.summary, "upto": 1, "usage": {}},
        ]

    def _chapters(self) -> list[ChapterPlan]:
        return [
            ChapterPlan(heading=heading, main_point=point, length=10 * self.length)
            for heading, point in self.sample.parts
        ]

    def _request(self, *, style: str) -> Record:
        return {
            "type": "request",
            "instruction": self.sample.instruction,
            "required": 3 * self.length,
            "unit": self.unit,
            "language": self.language,
            "style": style,
            "context": [],
            "sources": [],
        }

    def _plan(self, points: list[str], chapters: list[ChapterPlan] | None = None) -> Record:
        sections = []
        for index, point in enumerate(points):
            heading, _, main_point = point.rpartition("\n")
            section = SectionPlan(heading=heading, main_point=main_point, length=self.length)
            if chapters:
                section.chapter = chapters[index].heading
            sections.append(section)
        plan = WritingPlan(
            title=self.sample.title, sections=sections, chapters=chapters or [], unit=self.unit
        )
        return {"type": "plan", "plan": plan.model_dump(), "note": "", "usage": {}}

    def _references(self, section: int) -> Record:
        title, text = self.sample.passage
        reference = {"id": 1, "title": title, "source": "", "text": text}
        new = [] if section else [reference]
        return {"type": "references", "section": section, "ids": [1], "new": new}

    def _piece(self, section: int, *, done: bool = True) -> Record:
        action = "keep" if done else "ask"
        return {
            "type": "piece",
            "section": section,
            "kind": "write",
            "asked": self.length,
            "got": self.length,
            "keep": 0,
            "text": self.sample.texts[section],
            "length": self.length,
            "thrown": 0,
            "notes": [],
            "next": {"action": action, "length": 0, "least": 0},
            "usage": {},
        }

    def _revision(self, section: int) -> Record:
        return {
            "type": "revise",
            "section": section,
            "note": self.sample.note,
            "length": self.length,
            "required": 3 * self.length,
        }


if __name__ == "__main__":
    sys.stdout.write(build_page())
