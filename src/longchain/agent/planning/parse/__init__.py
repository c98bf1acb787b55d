"""Reads a model's reply as a plan: AgentWrite's lines, Markdown lists and tables, JSON, YAML.

reply -> `PlanDraft` -> `WritingPlan`, or `PlanError`

Each form of reply has a reader: `text_reply`, `table_reply`, `json_reply` (with `json_repair`) and
`yaml_reply`; the last three have `records` in common. They know the names of fields in ten
languages (`field_names`) and how lengths are written (`stated_lengths`). `plan_builder` completes
the draft. Nothing here knows a model, or a prompt other than its own format instructions.
"""

from __future__ import annotations

from langchain_core.output_parsers import BaseOutputParser

from longchain.agent.planning.parse import json_reply, table_reply, text_reply, yaml_reply
from longchain.agent.planning.parse.plan_builder import build_plan, convert_level
from longchain.agent.planning.parse.plan_draft import MAX_PLAN_PARTS, PlanDraft
from longchain.agent.prompts import Level
from longchain.document import Unit, WritingPlan
from longchain.errors import PlanError
from longchain.language import primary
from longchain.prose.reasoning import extract_answer

__all__ = ["MAX_PLAN_PARTS", "WritingPlanParser", "parse"]

_READERS = (json_reply.read, yaml_reply.read, table_reply.read, text_reply.read)


class WritingPlanParser(BaseOutputParser[WritingPlan]):
    """Reads a model's reply as a `WritingPlan`, whichever form it has."""

    unit: Unit = "words"
    """Unit of the plan's lengths."""

    language: str | None = None
    """Language of the document and of the format instructions, as a BCP 47 tag."""

    required: int | None = None
    """Sum of the lengths in `unit`; divided evenly if a reply states no lengths."""

    level: Level = "section"
    """Kind of parts asked for; a reply with the other kind is converted."""

    def parse(self, text: str) -> WritingPlan:
        """Return the plan in `text`.

        Raises:
            PlanError: There is no plan in it.
        """
        plan = parse(text, unit=self.unit, language=self.language, required=self.required)
        return convert_level(self.level, plan)

    def get_format_instructions(self) -> str:
        """Return the instructions on the form of an answer: one line for each part."""
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

    A part without a length gets the mean of the stated ones; if none is stated, an even share of
    its chapter or of `required`, else 400 words or 800 characters. Stated lengths are kept as they
    are.

    Args:
        text: The reply.
        unit: Unit of the lengths.
        language: The document's language, passed on to the plan.
        required: Sum of the lengths, in `unit`.

    Raises:
        PlanError: No plan could be read, or one of more than 2,000 parts.
    """
    reply = extract_answer(text.encode("utf-8", "ignore").decode())
    draft = _read_draft(reply)
    if not draft.parts:
        raise PlanError(_describe_failure(text, reply), llm_output=text)
    if len(draft.parts) > MAX_PLAN_PARTS:
        message = f"the plan has more than {MAX_PLAN_PARTS:,} parts; ask for fewer, longer ones"
        raise PlanError(message, llm_output=text)
    return build_plan(draft, unit, language, required)


def _read_draft(reply: str) -> PlanDraft:
    """Return the draft of the first reader that finds a plan."""
    for read in _READERS:
        draft = read(reply)
        if draft.parts:
            return draft
    return PlanDraft()


def _describe_failure(text: str, reply: str) -> str:
    """Return why there is no plan in a reply: for the model, which is asked again with it."""
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
