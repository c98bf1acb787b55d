"""A model's reply read as a plan: AgentWrite's lines, Markdown lists and tables, JSON and YAML.

reply -> `Draft` -> `WritingPlan`, or `PlanError` and nothing else

`labels` (names of fields) -> `amounts` (lengths) -> `draft` (what all forms come to) -> `rows`
(one line) -> `lines`, `records` (data) -> `notation` (JSON, YAML), `tables`: each knows those
before it. Nothing here knows a model, or a prompt but its own format instructions.
"""

from __future__ import annotations

from langchain_core.output_parsers import BaseOutputParser

from longchain.agent.planning.parse import lines, notation, tables
from longchain.agent.planning.parse.draft import MOST_SECTIONS, Level, at_level, complete
from longchain.document import Unit, WritingPlan
from longchain.errors import PlanError
from longchain.language import primary
from longchain.prose.reasoning import extract_answer

__all__ = ["MOST_SECTIONS", "WritingPlanParser", "parse"]


class WritingPlanParser(BaseOutputParser[WritingPlan]):
    """Reads a model's reply as a `WritingPlan`, in whichever form it came."""

    unit: Unit = "words"
    """What the plan's lengths count."""

    language: str | None = None
    """The document's language as a BCP 47 tag; the format instructions are given in it."""

    required: int | None = None
    """What the plan should add up to, in `unit`; shared out where a reply gives no lengths."""

    level: Level = "section"
    """What was asked for: a reply of the other kind becomes this one."""

    def parse(self, text: str) -> WritingPlan:
        """Return the plan in `text`.

        Raises:
            PlanError: There is none.
        """
        plan = parse(text, unit=self.unit, language=self.language, required=self.required)
        return at_level(self.level, plan)

    def get_format_instructions(self) -> str:
        """Return what to tell a model about the form of its answer: one line for each part."""
        form = _FORMS.get(primary(self.language or "en"), _FORMS["en"])
        part, unit = form[self.level], form[self.unit]
        return form["form"].format(part=part, unit=unit)

    @property
    def _type(self) -> str:
        return "writing_plan"


_FORMS = {
    "en": {
        "form": "Answer with a title line, then one line for each part, and nothing else:\n"
        "Title: ...\n{part} 1 - Heading: ... - Main Point: ... - Word Count: 400 {unit}",
        "section": "Section", "chapter": "Chapter", "words": "words", "characters": "characters",
    },
    "ja": {
        "form": "題名を1行、続けて各部分を1行ずつ書き、ほかには何も書かないでください。\n"
        "タイトル：…\n{part}1 - 見出し：… - 要点：… - 文字数：400{unit}",
        "section": "セクション", "chapter": "チャプター", "words": "語", "characters": "文字",
    },
    "zh": {
        "form": "先用一行写题目，再每部分写一行，不要写其他内容：\n"
        "题目：…\n{part}1 - 标题：… - 要点：… - 字数：400{unit}",
        "section": "段落", "chapter": "章节", "words": "词", "characters": "字",
    },
}  # fmt: skip


def parse(
    text: str, *, unit: Unit = "words", language: str | None = None, required: int | None = None
) -> WritingPlan:
    """Return the plan in a model's reply.

    A part without a length gets the mean of those given; where none is given, an even share of
    `required`, else 400 words or 800 characters. Lengths given are kept as they are.

    Args:
        text: The reply.
        unit: What the lengths count.
        language: The document's language, passed on to the plan.
        required: What the plan should add up to, in `unit`.

    Raises:
        PlanError: No plan could be read, or one of more than 2,000 parts.
    """
    reply = extract_answer(text.encode("utf-8", "ignore").decode())
    for reader in (notation.read_json, notation.read_yaml, tables.read, lines.read):
        draft = reader(reply)
        if draft and draft.parts:
            break
    else:
        raise PlanError(_missing(text, reply), llm_output=text)
    if len(draft.parts) > MOST_SECTIONS:
        message = f"the plan has more than {MOST_SECTIONS:,} parts; ask for fewer, longer ones"
        raise PlanError(message, llm_output=text)
    return complete(draft, unit, language, required)


def _missing(text: str, reply: str) -> str:
    """Say why there is no plan in a reply, for the model that is asked again."""
    if not text.strip():
        return "no plan could be read: the reply is empty"
    if not reply.strip():
        return "no plan could be read: the reply holds only reasoning, and no answer after it"
    start = " ".join(reply.split())[:60]
    return (
        "no plan could be read: no section with a heading or a main point, and a length, was found "
        f"in the reply that begins with {start!r}; expected lines such as "
        "'Section 1 - Heading: ... - Main Point: ... - Word Count: 400 words'"
    )
