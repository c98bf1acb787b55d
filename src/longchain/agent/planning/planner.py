"""AgentWrite, step I: instruction -> `WritingPlan`.

The planner is `ChatPromptTemplate | model | WritingPlanParser`, once for a whole document and,
where it has chapters, once more for each chapter when it is reached. Structured output is used
where the model has it, the paper's lines otherwise; what cannot be read is asked for once more,
and then replaced by an even plan that says so.

Source of the method: arXiv 2408.07055, section 3. The prompts are our own.
"""

from __future__ import annotations

from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.prompt_values import PromptValue
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable, RunnableLambda

from longchain.agent.planning.lengths import CHAPTER, LONG, MOST_CHAPTERS, SHORT, Level
from longchain.agent.planning.parse import WritingPlanParser
from longchain.document import Unit, WritingPlan
from longchain.errors import PromptError
from longchain.language import primary

PLAN_VARIABLES = frozenset(
    {"instruction", "sources", "style", "language", "bounds", "format", "total"}
)
"""What a plan prompt may use; it must use `instruction`, `format` and `total`."""

_LINES = {
    "en": (
        "Section 1 - Heading: [heading] - Main Point: [what it says, in detail] "
        "- Word Count: [number] {unit}"
    ),
    "ja": "セクション1 - 見出し：[見出し] - 要点：[書く内容を具体的に] - 文字数：[数]{unit}",
    "zh": "第1节 - 标题：[标题] - 要点：[具体写什么] - 字数：[数]{unit}",
}

_FORMAT = {
    "en": (
        "<{tag}>\nTitle: [title of the document]\n{line}\n"
        "and so on, one line for each {level}.\n</{tag}>"
    ),
    "ja": ("<{tag}>\nタイトル：[文書の題名]\n{line}\n以下同様に、{level}ごとに1行ずつ。\n</{tag}>"),
    "zh": "<{tag}>\n题目：[文章的题目]\n{line}\n依此类推，每{level}一行。\n</{tag}>",
}

_LEVELS = {
    "en": {"section": "section", "chapter": "chapter"},
    "ja": {"section": "節", "chapter": "章"},
    "zh": {"section": "节", "chapter": "章"},
}

_CHAPTER_LABELS = {
    "en": ("Section 1", "Chapter 1"),
    "ja": ("セクション1", "第1章"),
    "zh": ("第1节", "第1章"),
}

_BOUNDS = {
    "en": "{least} to {most} {level}s of about {short} to {long} {unit} each",
    "ja": "{level}は{least}から{most}、それぞれ約{short}から{long}{unit}",
    "zh": "{least}到{most}{level}，每{level}约{short}到{long}{unit}",
}

_FREE_BOUNDS = {
    "en": "as many {level}s as the task needs, of about {short} to {long} {unit} each",
    "ja": "{level}は課題に必要なだけ、それぞれ約{short}から{long}{unit}",
    "zh": "{level}数按任务需要而定，每{level}约{short}到{long}{unit}",
}

_TOTAL = {
    "en": "The lengths add up to the whole document. Total: {total} {unit}",
    "ja": "各{level}の長さの合計が文書全体の長さになるようにしてください。合計：{total}{unit}",
    "zh": "各{level}的长度加起来等于全文长度。总计：{total}{unit}",
}

_FREE_TOTAL = {
    "en": "Choose the length of the whole document as the task deserves.",
    "ja": "文書全体の長さは、課題にふさわしいものを選んでください。",
    "zh": "全文的长度请根据任务自行选择。",
}

_ASK = {
    "en": """\
Plan a long document. It will be written later, one part after another, from your plan alone.

<instruction>
{instruction}
</instruction>
{sources}{style}
Break the task down into {bounds}. Give each part a heading (leave it out where such a text has \
none, as in a letter or a poem), a main point that says in detail what this part covers and no \
other part does, and a length. Follow the instruction in everything it asks for. \
Write headings and main points in {language}.

Answer with the plan alone, in this form:

{format}

{total}""",
    "ja": """\
長い文書の構成を立ててください。本文は後で、この構成だけをもとに一部分ずつ書かれます。

<instruction>
{instruction}
</instruction>
{sources}{style}
課題を{bounds}に分けてください。それぞれに、見出し（手紙や詩のように見出しのない文章では省く）、\
その部分だけで扱う内容を具体的に示した要点、長さを付けてください。\
指示が求めることにはすべて従ってください。見出しと要点は{language}で書いてください。

次の形式で、構成だけを答えてください。

{format}

{total}""",
    "zh": """\
请为一篇长文拟定写作计划。正文随后只根据这份计划逐部分写成。

<instruction>
{instruction}
</instruction>
{sources}{style}
请把任务分解为{bounds}。每一部分都要有标题（书信、诗歌等没有标题的文体可省略）、\
要点（具体说明这一部分写什么，并且不与其他部分重复）和长度。请遵守指令中的一切要求。\
标题和要点用{language}书写。

只回答计划本身，格式如下：

{format}

{total}""",
}

_ASK_CHAPTER = {
    "en": """\
Plan one chapter of a long document. The chapters are fixed; now this one is broken down.

<instruction>
{instruction}
</instruction>
{sources}{style}
<chapters>
{chapters}
</chapters>

The chapter to plan: {chapter}

Break this chapter down into {bounds}. Give each section a heading, a main point that says in \
detail what it covers and no other section or chapter does, and a length. \
Write headings and main points in {language}.

Answer with the plan of this chapter alone, in this form:

{format}

{total}""",
    "ja": """\
長い文書のうち、一つの章の構成を立ててください。章立ては決まっています。

<instruction>
{instruction}
</instruction>
{sources}{style}
<chapters>
{chapters}
</chapters>

構成を立てる章：{chapter}

この章を{bounds}に分けてください。それぞれに、見出し、ほかの節や章と重ならない内容を具体的に示した要点、\
長さを付けてください。見出しと要点は{language}で書いてください。

次の形式で、この章の構成だけを答えてください。

{format}

{total}""",
    "zh": """\
请为一篇长文中的一章拟定写作计划。各章已经确定，现在细分其中一章。

<instruction>
{instruction}
</instruction>
{sources}{style}
<chapters>
{chapters}
</chapters>

要细分的一章：{chapter}

请把这一章分解为{bounds}。每一节都要有标题、要点（具体说明写什么，并且不与其他节或其他章重复）和长度。\
标题和要点用{language}书写。

只回答这一章的计划，格式如下：

{format}

{total}""",
}

_REPAIR = {
    "en": (
        "This plan could not be read: {error}\n"
        "Answer with the plan alone, without comment, exactly in the form asked for.\n{total}"
    ),
    "ja": (
        "この構成は読み取れませんでした：{error}\n"
        "説明を付けず、求めた形式どおりに構成だけを答えてください。\n{total}"
    ),
    "zh": "这份计划无法读取：{error}\n请严格按照要求的格式，只回答计划，不要加说明。\n{total}",
}

_TAIL_TOTAL = {
    "en": "Total: {total} {unit}",
    "ja": "合計：{total}{unit}",
    "zh": "总计：{total}{unit}",
}

UNIT_NAMES: dict[str, dict[Unit, str]] = {
    "en": {"words": "words", "characters": "characters"},
    "ja": {"words": "語", "characters": "字"},
    "zh": {"words": "词", "characters": "字"},
}
"""What prompts call a unit, by the prompt's language."""


def prompt_language(language: str | None) -> str:
    """Return the language that our prompts have for a document's: its own, or English."""
    base = primary(language or "en")
    return base if base in _ASK else "en"


def plan_prompt(language: str | None = None, *, chapter: bool = False) -> ChatPromptTemplate:
    """Return the planner's prompt for a document, or for one chapter of it."""
    table = _ASK_CHAPTER if chapter else _ASK
    return ChatPromptTemplate([("human", table[prompt_language(language)])])


def check_prompt(prompt: ChatPromptTemplate) -> ChatPromptTemplate:
    """Return a plan prompt whose variables are ours to fill.

    Raises:
        PromptError: It lacks `instruction`, `format` or `total`, or has one that nobody fills.
    """
    variables = set(prompt.input_variables)
    if unknown := variables - PLAN_VARIABLES:
        raise PromptError(
            f"plan_prompt has variables that nobody fills: {sorted(unknown)}; "
            f"it may use {sorted(PLAN_VARIABLES)}"
        )
    if missing := {"instruction", "format", "total"} - variables:
        raise PromptError(f"plan_prompt lacks the variables {sorted(missing)}")
    return prompt


def planner(
    model: BaseChatModel,
    prompt: Runnable[dict[str, Any], PromptValue],
    parser: WritingPlanParser,
    *,
    structured: bool = False,
) -> Runnable[dict[str, Any], WritingPlan]:
    """Return the planner: prompt variables -> `WritingPlan`.

    Args:
        model: The model that plans.
        prompt: A plan prompt, or what turns the variables into messages.
        parser: It reads the reply, whichever form it has.
        structured: Ask for JSON by the model's `json_schema` method.

    Raises:
        PlanError: (when run) No plan could be read from the reply.
    """
    if not structured:
        return prompt | model | parser
    schema = chapter_schema() if parser.level == "chapter" else section_schema()
    asked = model.with_structured_output(schema, method="json_schema", include_raw=True)
    return prompt | asked | RunnableLambda(_raw) | parser


def _raw(answer: Any) -> Any:
    return answer["raw"]


def section_schema() -> dict[str, Any]:
    """Return the JSON schema of a plan in sections, as structured output asks for it."""
    return _schema("sections")


def chapter_schema() -> dict[str, Any]:
    """Return the JSON schema of a plan in chapters."""
    return _schema("chapters")


def _schema(parts: str) -> dict[str, Any]:
    part = {
        "type": "object",
        "properties": {
            "heading": {"type": "string"},
            "main_point": {"type": "string"},
            "length": {"type": "integer"},
        },
        "required": ["heading", "main_point", "length"],
        "additionalProperties": False,
    }
    return {
        "title": "WritingPlan",
        "description": "The plan of a long document.",
        "type": "object",
        "properties": {"title": {"type": "string"}, parts: {"type": "array", "items": part}},
        "required": ["title", parts],
        "additionalProperties": False,
    }


def repair_messages(
    asked: PromptValue, failures: list[tuple[str, str]], variables: dict[str, Any]
) -> list[BaseMessage]:
    """Return the plan request once more, with the reply that could not be read and why."""
    reply, error = failures[-1]
    text = _REPAIR[variables["prompt_language"]].format(error=error, total=variables["tail_total"])
    return [*asked.to_messages(), AIMessage(reply or "-"), HumanMessage(text)]


def variables(
    instruction: str,
    *,
    required: int | None,
    unit: Unit,
    language: str,
    language_name: str,
    level: Level = "section",
    sources: str = "",
    style: str = "",
) -> dict[str, Any]:
    """Return what the plan prompts are filled with."""
    own = prompt_language(language)
    names = UNIT_NAMES[own]
    levels = _LEVELS[own]
    label, chapter_label = _CHAPTER_LABELS[own]
    line = _LINES[own].format(unit=names[unit])
    if level == "chapter":
        line = line.replace(label, chapter_label)
    total = (_TOTAL if required else _FREE_TOTAL)[own].format(
        total=required, unit=names[unit], level=levels[level]
    )
    return {
        "instruction": instruction,
        "sources": f"\n<sources>\n{sources}\n</sources>\n" if sources else "",
        "style": f"\n<style>\n{style}\n</style>\n" if style else "",
        "language": language_name,
        "bounds": _bounds(required, unit, own, level),
        "format": _FORMAT[own].format(tag=f"{_tag(level)}_format", line=line, level=levels[level]),
        "total": total,
        "tail_total": (
            _TAIL_TOTAL[own].format(total=required, unit=names[unit]) if required else ""
        ),
        "prompt_language": own,
    }


def _tag(level: Level) -> str:
    return "chapter" if level == "chapter" else "plan"


def _bounds(required: int | None, unit: Unit, own: str, level: Level) -> str:
    """Say how many parts of what length: 200 to 1,000 words, less where the whole is short."""
    factor = 1 if unit == "words" else 2
    name, part = UNIT_NAMES[own][unit], _LEVELS[own][level]
    if required is None:
        return _FREE_BOUNDS[own].format(
            short=SHORT * factor, long=LONG * factor, unit=name, level=part
        )
    if level == "chapter":
        count = min(max(round(required / (CHAPTER * factor)), 3), MOST_CHAPTERS)
        least, most = max(count - 2, 2), count + 2
    else:
        # A document that is itself no longer than two sections is still planned in some parts:
        # each part is a chance to measure, and to correct.
        most = max(2, required // (SHORT * factor)) if required >= 100 * factor else 1
        least = max(1, min(most, -(-required // (LONG * factor))))
        if least == 1 and most > 1:
            least = 2
    return _BOUNDS[own].format(
        least=least,
        most=most,
        short=max(required // (most * 2), 1)
        if level == "chapter"
        else min(SHORT * factor, max(required // most, 1)),
        long=required // least if level == "chapter" else min(LONG * factor, required // least),
        unit=name,
        level=part,
    )
