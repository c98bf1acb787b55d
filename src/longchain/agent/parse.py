"""A model's reply read as a plan: AgentWrite's lines, Markdown lists and tables, JSON and YAML.

reply -> `WritingPlan`, or `PlanError` and nothing else

Knows what models call a plan's fields in the languages below, and how they damage a format.
Knows no model and no prompt but its own format instructions; rescales nothing.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from statistics import mean, median
from typing import Any, Literal

import yaml
from langchain_core.output_parsers import BaseOutputParser

from longchain.document import ChapterPlan, SectionPlan, Unit, WritingPlan
from longchain.errors import PlanError

MOST_SECTIONS = 2000
"""More sections or chapters than this are no plan but a model that does not stop."""

_DEFAULT_LENGTH: dict[Unit, int] = {"words": 400, "characters": 800}
_MOST_YAML = 200_000  # characters; the pure loader reads some 400,000 a second, the C one crashes
_MOST_LINES = 12_000  # 2,000 sections with each field and a blank on lines of their own
_MOST_COLONS = 40  # in a line
_LONGEST_LINE = 5000  # characters; a longer line is prose
_LONGEST_HEADING = 80  # characters; a longer unlabelled text is a main point

# What each field is called. Lower case; `_` and camelCase need no entry of their own.
_TITLE = """title; document title; titel; titre; título; titolo; 标题; 標題; 题目; 題目; 题名
    題名
    タイトル; 表題; 제목"""
_HEADING = """heading; headline; header; name; topic; subject; section title; section heading
    section name; chapter title; chapter heading; chapter name; paragraph title
    小标题; 小標題; 小节标题; 节标题; 章节标题; 章標題; 章标题; 名称
    主题; 見出し; 小見出し; 節名; 章名
    テーマ
    제목; 소제목; 주제; überschrift; abschnittstitel; kapiteltitel; thema
    intitulé; encabezado; epígrafe; tema; intestazione; cabeçalho; заголовок; название"""
_POINT = """main point; main points; main idea; main ideas; key point; key points; key idea
    point
    points; description; summary; content; contents; focus; purpose; goal; details; covers
    key points to cover; main content; what it says
    主要内容; 主要內容; 要点; 要點; 内容要点; 主旨; 内容; 內容; 描述; 摘要; 概要; 核心内容
    写作要点
    主な内容; 論点; 主題; ポイント; 主なポイント; 説明; 要旨; 내용; 요점; 주요 내용; 핵심 내용
    설명; 개요
    hauptpunkt; hauptpunkte; kernaussage; kernpunkt; hauptaussage; inhalt; beschreibung
    idée principale; idées principales; point principal; points principaux; point clé; contenu
    résumé; punto principal; puntos principales; idea principal; contenido; descripción
    punto principale; contenuto; descrizione; ponto principal; ideia principal; conteúdo
    главная мысль; основная мысль; содержание; описание"""
_LENGTH = """word count; words; word limit; word target; target words; target word count
    estimated words; estimated word count; approximate word count; number of words; length
    target length; budget; character count; characters; chars; number of characters
    字数; 字數; 字数要求; 字數要求; 目标字数; 预计字数; 建议字数; 篇幅; 词数; 单词数; 长度
    文字数; 目標文字数; 目安文字数; 語数; 単語数; 分量; 長さ; 글자 수; 단어 수; 분량; 길이
    글자 수 목표
    wortzahl; wortanzahl; wörter; anzahl wörter; länge; umfang; zeichenzahl; zeichenanzahl
    nombre de mots; mots; longueur; nombre de caractères; número de palabras; palabras
    cantidad de palabras; recuento de palabras; extensión; longitud; número de caracteres
    numero di parole; parole; lunghezza; número de palavras; palavras; contagem de palavras
    количество слов; число слов; объём; объем; длина"""
_SECTION = """section; sections; paragraph; paragraphs; part; parts; step; passage; subsection
    段落; 段; 节; 節; 小节; 小節; 部分; 部; セクション; パート; パラグラフ; 項; 단락; 문단; 섹션
    절
    abschnitt; abschnitte; absatz; teil; paragraphe; partie; párrafo; sección; apartado; parte
    paragrafo; sezione; parágrafo; seção; раздел; абзац; параграф; часть"""
_CHAPTER = """chapter; chapters; 章; 章节; 章節; チャプター; 장; 챕터; kapitel; chapitre
    capítulo
    capitolo; глава"""
_TOTAL = """total; grand total; overall total; in total; sum; total words; total length
    total word count; 总计; 總計; 合计; 总共; 共计; 全文; 总字数; 總字數; 合計; 総計; 計
    総文字数; 全体
    합계; 총; 총계; 총 글자 수; 총 분량; gesamt; summe; insgesamt; gesamtlänge; gesamtwortzahl
    au total
    total général; en total; suma; totale; somma; soma; итого; всего"""
_UNIT = """words; word; wds; characters; character; chars; 个汉字; 个字; 漢字; 汉字; 字符; 字
    文字; 单词
    單詞; 词; 詞; 個字; 語; 语; ワード; 単語; 자; 글자; 단어; 어절; wörtern; wörter; wort; worte
    zeichen
    mots; mot; caractères; palabras; palabra; caracteres; parole; caratteri; palavras; слов
    слова
    знаков"""
_NOTHING = {"", "-", "–", "—", "none", "n/a", "null", "无", "無", "なし", "없음", "keine", "aucun"}
_NO_TITLE = """plan; the plan; writing plan; outline; the outline; article outline
    document plan
    structure; table of contents; contents; 写作计划; 大纲; 目录; 計画; 執筆計画; 構成; 構成案
    目次; アウトライン
    개요; 목차; gliederung; schreibplan; plan de rédaction; esquema; índice"""

_Field = Literal["heading", "point", "length", "section", "chapter", "title"]


def _names(table: str) -> list[str]:
    """Return the entries of a label table, the longest first as alternations need them."""
    entries = (entry.strip() for line in table.splitlines() for entry in line.split(";"))
    return sorted(filter(None, entries), key=len, reverse=True)


def _fields() -> dict[str, _Field]:
    """Return what each label means; of two meanings the later table's wins."""
    tables: list[tuple[_Field, str]] = [
        ("section", _SECTION), ("chapter", _CHAPTER), ("length", _LENGTH), ("point", _POINT),
        ("heading", _HEADING), ("title", _TITLE),
    ]  # fmt: skip
    found: dict[str, _Field] = {}
    for meaning, table in tables:
        for name in _names(table):
            found[name] = found[name.replace(" ", "")] = meaning
    return found


_FIELDS = _fields()
_NO_TITLES = frozenset(_names(_NO_TITLE))
_WIDTHS = sorted({len(name) for name in _FIELDS}, reverse=True)


def _any(table: str) -> str:
    return "|".join(re.escape(name).replace(r"\ ", r"\s?") for name in _names(table))


_THOUSANDS = r"\d{1,3}(?:[,.,'’\u00a0\u202f ]\d{3})+(?!\d)"
_NUMBER = rf"(?<!\d)(?:{_THOUSANDS}|\d{{1,9}})(?:[.,]\d{{1,3}})?(?!\d)\s?(?:k\b|[千万萬천만])?"
_FACTORS = {"k": 1000, "千": 1000, "천": 1000, "万": 10_000, "萬": 10_000, "만": 10_000}
_RANGE = (
    rf"(?P<low>{_NUMBER})(?:\s*(?:{_any(_UNIT)})?\s*"
    rf"(?:[-–—~〜～至到à]|から|에서|to|bis|and|a)\s*(?P<high>{_NUMBER}))?"
)
_COUNT = re.compile(_RANGE, re.IGNORECASE)
_ABOUT = r"[^\d()（）]{0,24}?"
_INLINE = re.compile(
    rf"(?:{_ABOUT}{_RANGE}\s*(?:{_any(_UNIT)})(?!\w*\d)\D{{0,16}}"
    rf"|\s*(?:{_any(_LENGTH)})\s*[:：]?{_ABOUT}{_RANGE.replace('?P<', '?P<own_')}\D{{0,16}})",
    re.IGNORECASE,
)
_BRACKETED = re.compile(r"[(（\[【〔]([^()（）\[\]【】〔〕]{1,60})[)）\]】〕]")
_TAIL = re.compile(
    rf"(?:^|\s[-–—]+|[:：,，|｜~≈–—])\s*(?:(?:about|ca\.?|approx\.?|around|approximately|etwa"
    rf"|environ|unos|约|約|약)\s*)?[~≈～]?\s*(?P<count>{_RANGE}\s*(?:{_any(_UNIT)}))[\s.。]*$",
    re.IGNORECASE,
)
_TOTAL_LINE = re.compile(
    rf"(?:{_any(_TOTAL)})\s?(?:{_any(_LENGTH)})?\s*(?:\([^()]{{0,20}}\))?\s*[:：=~≈–—-]*\s*"
    rf"(?:is|of|about|approx\w*\.?|ca\.?|约|約|약)?\s*[~≈]?\s*\d",
    re.IGNORECASE,
)
_TOTAL_NAME = re.compile(rf"(?:{_any(_TOTAL)})\s?(?:{_any(_LENGTH)})?", re.IGNORECASE)

_ORDINAL = (
    r"\d{1,4}(?:[.-]\d{1,3})*|[ivxlc]{1,7}\b|[〇零一二三四五六七八九十百]{1,5}"
    r"|(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\b"
)
_OPENER = re.compile(
    rf"(?:(?:[第제]\s?(?:{_ORDINAL})|\d{{1,3}}(?=\s?[章장절节節]))"
    rf"\s?(?:(?P<chapter>{_any(_CHAPTER)})|(?:{_any(_SECTION)}))"
    rf"|(?:(?P<chapter_1>{_any(_CHAPTER)})|(?:{_any(_SECTION)}))"
    rf"\s*(?:n[o°º]\.?|nr\.?|\#)?\s*(?:{_ORDINAL}))"
    r"(?P<end>\s*[-–—:：.．、)）|｜,，;；]+\s*|\s*(?=[(（\[【])|\s*$|\s+|(?=[\u3040-\u9fff]))",
    re.IGNORECASE,
)
_MARK = re.compile(
    r"(?:(?P<hash>\#{1,6})\s*|(?P<bullet>[-*+•·‣◦▪●○■□–—])\s+(?:\[[ xX]\]\s+)?"
    r"|(?P<number>\(?\d{1,3}(?:\.\d{1,3})*(?:[.)](?!\d)|[、．）])|\d{1,3}(?:\.\d{1,3})+(?=\s)"
    r"|（\d{1,3}）|[①-⑳]|[（(]?[一二三四五六七八九十]{1,3}[、）)]|[IVX]{1,5}[.)](?=\s))\s*)(?=\S)"
)
_SEPARATOR = re.compile(r"(?:\s[-–—]+|[–—|｜;；／])\s*$")
_RUN_ON = re.compile(  # a section that begins in the middle of a line
    rf"(?<=\S)[ \t]+(?=[*_]{{0,2}}(?:{_any(_SECTION)}|{_any(_CHAPTER)})\s?\d{{1,3}}[*_]{{0,2}}"
    rf"\s?[-–—:：]\s?[*_]{{0,2}}(?:{_any(_POINT)}|{_any(_HEADING)}|{_any(_TITLE)})"
    r"[*_]{0,2}\s?[:：])",
    re.IGNORECASE,
)
_COLON = re.compile(r"\s{0,3}(?:[(（][^()（）]{0,20}[)）])?\s{0,2}[:：=]+\s*")
_TAG = re.compile(r"</?[a-zA-Z_]+>|```\w*|~~~\w*|[-=_*]{3,}")
_THINKING = re.compile(r"<(/?)(?:think|thinking|thought|reasoning)>", re.IGNORECASE)


@dataclass(slots=True)
class _Part:
    """A section or a chapter as far as the reply gave it."""

    heading: str = ""
    point: str = ""
    length: int | None = None
    is_chapter: bool = False
    labels: int = 0
    """How many of its fields, its opener included, were recognized by name or number."""


@dataclass(slots=True)
class _Draft:
    title: str = ""
    parts: list[_Part] = field(default_factory=list)


class WritingPlanParser(BaseOutputParser[WritingPlan]):
    """Reads a model's reply as a `WritingPlan`, in whichever form it came."""

    unit: Unit = "words"
    """What the plan's lengths count."""

    language: str | None = None
    """The document's language as a BCP 47 tag; the format instructions are given in it."""

    required: int | None = None
    """What the plan should add up to, in `unit`; shared out where a reply gives no lengths."""

    level: Literal["section", "chapter"] = "section"
    """What was asked for: a reply of the other kind becomes this one."""

    def parse(self, text: str) -> WritingPlan:
        """Return the plan in `text`.

        Raises:
            PlanError: There is none.
        """
        plan = parse(text, unit=self.unit, language=self.language, required=self.required)
        return _at(self.level, plan)

    def get_format_instructions(self) -> str:
        """Return what to tell a model about the form of its answer: one line for each part."""
        language = (self.language or "en").split("-")[0].lower()
        form = _FORMS.get(language, _FORMS["en"])
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
    reply = _without_thinking(text.encode("utf-8", "ignore").decode())
    for reader in (_json, _yaml, _table, _outline):
        draft = reader(reply)
        if draft and draft.parts:
            break
    else:
        raise PlanError(_missing(text, reply), llm_output=text)
    if len(draft.parts) > MOST_SECTIONS:
        message = f"the plan has more than {MOST_SECTIONS:,} parts; ask for fewer, longer ones"
        raise PlanError(message, llm_output=text)
    return _assemble(draft, unit, language, required)


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


def _at(level: Literal["section", "chapter"], plan: WritingPlan) -> WritingPlan:
    """Return the plan in sections or in chapters, where it came only in the others."""
    if level == "section" and not plan.sections:
        sections = [SectionPlan(**chapter.model_dump()) for chapter in plan.chapters]
        return plan.model_copy(update={"sections": sections, "chapters": []})
    if level == "chapter" and not plan.chapters:
        parts = [_Part(s.heading, s.main_point, s.length) for s in plan.sections]
        return plan.model_copy(update={"sections": [], "chapters": _chapters(parts)})
    return plan


# --- a draft becomes a plan ---


def _assemble(draft: _Draft, unit: Unit, language: str | None, required: int | None) -> WritingPlan:
    """Return the plan of a draft: missing lengths filled in, chapters named and summed up."""
    groups: list[tuple[_Part | None, list[_Part]]] = [(None, [])]
    for part in draft.parts:
        if part.is_chapter:
            groups.append((part, []))
        else:
            groups[-1][1].append(part)
    for chapter, members in groups:
        if chapter and chapter.length and all(part.length is None for part in members):
            _fill(members, chapter.length, unit)
    _fill([part for _, members in groups for part in members], required, unit)
    for chapter, members in groups:
        if chapter and members:
            chapter.length = sum(part.length or 0 for part in members)
    parts = [chapter for chapter, _ in groups if chapter]
    _fill(parts, required, unit)
    chapters = _chapters(parts)
    names = iter(["", *(chapter.heading for chapter in chapters)])
    sections = [
        _section(part, name) for name, (_, own) in zip(names, groups, strict=True) for part in own
    ]
    return WritingPlan(
        title=_line(draft.title), sections=sections, chapters=chapters, unit=unit, language=language
    )


def _fill(parts: Sequence[_Part], share: int | None, unit: Unit) -> None:
    """Give the parts without a length the mean of the others, or their share of the whole."""
    given = [part.length for part in parts if part.length]
    if given:
        length = round(mean(given))
    else:
        length = share // len(parts) if share and parts else _DEFAULT_LENGTH[unit]
    for part in parts:
        part.length = part.length or max(1, length)


def _section(part: _Part, chapter: str) -> SectionPlan:
    return SectionPlan(
        heading=part.heading,
        main_point=part.point or part.heading,
        length=part.length or 1,
        chapter=chapter,
    )


def _chapters(parts: Sequence[_Part]) -> list[ChapterPlan]:
    """Return the chapters, each under a heading of its own."""
    taken: set[str] = set()
    chapters = []
    for number, part in enumerate(parts, 1):
        plain = heading = part.heading or part.point or str(number)
        again = 2
        while heading in taken:
            heading, again = f"{plain} ({again})", again + 1
        taken.add(heading)
        point = part.point or part.heading
        chapters.append(ChapterPlan(heading=heading, main_point=point, length=part.length or 1))
    return chapters


# --- words, numbers and other small things ---


def _without_thinking(text: str) -> str:
    """Return a reply without its reasoning, also where only one of the two tags is there."""
    kept: list[str] = []
    begin, inside = 0, False
    for tag in _THINKING.finditer(text):
        if tag[1]:
            kept = kept if inside else []
            begin, inside = tag.end(), False
        elif not inside:
            kept.append(text[begin : tag.start()])
            inside = True
    return "".join(kept) if inside else "".join([*kept, text[begin:]])


def _line(text: str) -> str:
    """Return a value without markup around it, or "" for one that says there is none."""
    # Escapes in JSON and YAML can hold half a character, which no document can.
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")
    value = " ".join(whole.replace("**", "").split()).strip("`")
    for left, right in ('""', "“”", "[]", "**", "__"):
        if len(value) > 1 and value[0] == left and value[-1] == right and left not in value[1:-1]:
            value = value[1:-1].strip()
    return "" if value.lower() in _NOTHING else value


def _heading(text: str) -> str:
    return _line(_line(text).rstrip(":：|｜ "))


def _factor(number: str) -> int:
    return _FACTORS.get(number.strip()[-1:].lower(), 1)


def _number(number: str) -> float:
    """Read one number: full-width digits, thousands separators, `k`, `万`."""
    digits = number.strip().rstrip("kK千万萬천만 ")
    if _factor(number) == 1 or not re.fullmatch(r"\d+[.,]\d+", digits):
        digits = re.sub(rf"^{_THOUSANDS}", lambda match: re.sub(r"\D", "", match[0]), digits)
    return float(digits.replace(",", ".")) * _factor(number)


def _count(value: object) -> int | None:
    """Read a length: the middle of a range; None where there is none, or it is 0."""
    match = _COUNT.search(str(value)[:200])
    if not match:
        return None
    low = _number(match["low"])
    high = _number(match["high"] or match["low"])
    if low < 100 and _factor(match["low"]) == 1:  # "2-3k": the factor stands for both
        low *= _factor(match["high"] or "")
    return round((low + high) / 2) or None


def _inline(text: str) -> tuple[str, int | None, str]:
    """Split a text at the length it names in brackets or at its end: before, length, after."""
    for match in reversed(list(_BRACKETED.finditer(text))):
        if _INLINE.fullmatch(match[1]):
            return text[: match.start()], _count(match[1]), text[match.end() :]
    start = max(0, len(text) - 60)
    if tail := _TAIL.search(text[start:]):
        return text[: start + tail.start()], _count(tail["count"]), ""
    return text, None, ""


def _label(name: str) -> _Field | None:
    """Return what a key, a column or a label means: `wordCount`, `Main Point`, `字数`."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name[:60])
    words = re.sub(r"[(（][^()（）]*[)）]", "", spaced).replace("_", " ").replace("-", " ")
    return _FIELDS.get(" ".join(words.strip("*#: ：").lower().split()))


# --- JSON, YAML and tables: records ---

_VALUE = re.compile(r"[\[{](?=\s*(?:[\"'“{\[}]|//|/\*|[A-Za-z_]\w*\s*:))")
_ENDS = r"(?!\s*(?:[,:}\]]|\n|\Z))"  # a quote inside a string is one that nothing follows
_TOKEN = re.compile(
    r"(?P<remark>//[^\n]*|/\*.*?(?:\*/|\Z)|\#[^\n]*)"
    rf'|(?P<text>"(?:[^"\\]++|\\.|"{_ENDS})*+(?:"|\Z)|\'(?:[^\'\\]++|\\.|\'{_ENDS})*+(?:\'|\Z)'
    r"|“[^”]*+(?:”|\Z))"
    r"|(?P<open>[{\[])|(?P<close>[}\]])|(?P<comma>[,，])|(?P<bare>[^\s{}\[\]:：,，\"'“]++)",
    re.DOTALL,
)
_YAML_KEY = re.compile(r"^[ \t]*(?:-[ \t]+)?[\w \"']{1,40}:(?:[ \t]|$)", re.MULTILINE)
_FENCED = re.compile(r"```\w*\n(.*?)(?:```|\Z)", re.DOTALL)


def _json(text: str) -> _Draft | None:
    """Read a plan from the first JSON value that holds one."""
    end = tries = 0
    for opening in _VALUE.finditer(text):
        if opening.start() < end:
            continue
        try:
            data, end = json.JSONDecoder(strict=False).raw_decode(text, opening.start())
        except (ValueError, RecursionError):
            data, end = _loose(text, opening.start())
        draft = _from_data(data)
        tries += 1
        if draft or tries == 20:
            return draft
    return None


def _loose(text: str, start: int) -> tuple[Any, int]:
    """Read JSON with comments, single quotes, stray commas or a cut-off end; and where it ends.

    Of a value cut off, a record that lacks its length or breaks off within a text is left out.
    """
    stack: list[Any] = [[]]
    keys: list[str | None] = [None]
    whole = True
    for token in _TOKEN.finditer(text, start):
        kind = token.lastgroup
        if len(stack) > 50:
            break
        if kind == "open":
            value: Any = {} if token[0] == "{" else []
            _put(stack[-1], keys, value)
            stack.append(value)
            keys.append(None)
        elif kind == "close":
            stack.pop()
            keys.pop()
            if len(stack) == 1:
                return stack[0][0], token.end()
        elif kind == "comma":
            keys[-1] = None
        elif kind != "remark":
            whole = kind == "bare" or (len(token[0]) > 1 and token[0][-1] in "\"'”")
            _put(stack[-1], keys, _unescaped(token[0]) if kind == "text" else token[0])
    if isinstance(stack[-1], dict) and not (whole and _record(stack[-1]).length):
        stack[-1].clear()
    return stack[0][0], len(text)


def _put(container: Any, keys: list[str | None], value: Any) -> None:
    """Add a value where it was read: an item, a key that waits for its value, or the value."""
    if isinstance(container, list):
        container.append(value)
    elif keys[-1] is None:
        keys[-1] = value if isinstance(value, str) else ""
    else:
        container[keys[-1]] = value
        keys[-1] = None


def _unescaped(token: str) -> str:
    inner = token[1:-1] if len(token) > 1 and token[-1] in "\"'”" else token[1:]
    return re.sub(
        r"\\(?:u([0-9a-fA-F]{4})|(.))",
        lambda match: (
            chr(int(match[1], 16)) if match[1] else match[2].translate({110: " ", 116: " "})
        ),
        inner,
        flags=re.DOTALL,
    )


def _yaml(text: str) -> _Draft | None:
    """Read a plan from a YAML document, fenced or alone."""
    fence = _FENCED.search(text)
    document = fence[1] if fence else text
    if len(document) > _MOST_YAML or not _YAML_KEY.search(document):
        return None
    try:
        data = yaml.load(document, Loader=yaml.BaseLoader)  # safe; leaves every scalar a text
    except (yaml.YAMLError, RecursionError):
        return None
    draft = _from_data(data)
    # Labels on lines of their own are YAML, too, but one whose repeated keys would be lost, or
    # where each label is an item: those are for `_outline`.
    whole = draft and len(draft.parts) > 1 and any(part.length for part in draft.parts)
    return draft if whole else None


def _table(text: str) -> _Draft | None:
    """Read a plan from Markdown tables whose header rows name a plan's fields."""
    records: list[Any] = []
    header: list[str] = []
    above: list[str] = []
    for line in text.splitlines()[:_MOST_LINES]:
        if len(line) > _LONGEST_LINE or len(cells := re.split(r"(?<!\\)[|｜]", line.strip())) < 3:
            header = []
            above += [] if records else [line]
            continue
        cells = [_line(cell.replace(r"\|", "|")) for cell in cells]
        if not header:
            header = cells if len({_label(cell) for cell in cells} - {None}) > 1 else []
        elif not all(set(cell) <= set("-: ") for cell in cells):
            records.append(dict(zip(header, cells, strict=False)))
    parts = _records(records, chapters=False)
    titles = (_title_of(_row(line)) for line in above)
    return _Draft(next(filter(None, titles), ""), parts) if parts else None


def _title_of(row: _Row) -> str:
    """Return the document's title where a line is its heading or names it."""
    if "title" in row.fields:
        return _heading(row.fields["title"])
    if row.depth is None or row.depth[0] != 0:
        return ""
    kind, _, title = row.heading.replace("：", ":").partition(":")
    heading = title.strip() if kind.lower() in _NO_TITLES else row.heading
    return "" if heading.lower() in _NO_TITLES else heading


def _from_data(data: Any, depth: int = 0) -> _Draft | None:
    """Read a plan from data: a list of records, or a mapping that somewhere holds one."""
    if isinstance(data, list):
        parts = _records(data, chapters=False)
        return _Draft(parts=parts) if parts else None
    if not isinstance(data, dict) or depth > 3:
        return None
    if len(data) > 1 and _maps(data):
        data = {"sections": data}
    found: list[_Draft] = []
    for key, value in data.items():
        if isinstance(value, list) or _maps(value):
            found.append(_Draft(parts=_records(value, chapters=_label(str(key)) == "chapter")))
        elif isinstance(value, dict):
            found += filter(None, [_from_data(value, depth + 1)])
        elif isinstance(value, str) and "\n" in value:
            found += filter(None, [_outline(value)])
    own = _record(data)
    if not (found := [draft for draft in found if draft.parts]):
        return _Draft(parts=[own]) if own.length and (own.heading or own.point) else None
    # Where chapters and sections stand side by side, the sections name their chapters.
    draft = min(found, key=lambda draft: all(part.is_chapter for part in draft.parts))
    draft.title = draft.title or own.heading
    return draft


def _maps(value: Any) -> bool:
    """Whether a value is a mapping of names to records."""
    return (
        isinstance(value, dict)
        and len(value) > 0
        and all(isinstance(item, dict) for item in value.values())
    )


def _records(items: list[Any] | dict[Any, Any], *, chapters: bool, depth: int = 0) -> list[_Part]:
    """Read records, each with the records that it holds; a total among them is left out."""
    if isinstance(items, dict):
        items = [
            {**({} if _OPENER.match(str(key)) else {"heading": key}), **value}
            for key, value in items.items()
        ]
    parts: list[_Part] = []
    chapter = ""
    for item in items[: MOST_SECTIONS + 1]:
        if isinstance(item, dict) and len(item) == 1 and _maps(item):
            (item,) = item.values()
        part = _record(item) if isinstance(item, dict) else _entry(item)
        if not (part.heading or part.point) or _TOTAL_NAME.fullmatch(part.heading):
            continue
        if isinstance(item, dict):
            name, below = _chapter_of(item), _below(item, depth)
            if name and name != chapter:
                parts.append(_Part(heading=name, is_chapter=True))
            chapter = name or chapter
            part.is_chapter = chapters or bool(below) or (not name and _is_chapter(item))
            parts += [part, *below]
        elif part.length:
            parts.append(part)
        if len(parts) > MOST_SECTIONS:
            break
    return parts


def _below(item: dict[Any, Any], depth: int) -> list[_Part]:
    """Return the sections that a chapter's record holds."""
    inner = (value for value in item.values() if isinstance(value, list) or _maps(value))
    found = (_records(value, chapters=False, depth=depth + 1) for value in inner if depth < 3)
    return next(filter(None, found), [])


def _is_chapter(item: dict[Any, Any]) -> bool:
    meanings = {_label(str(key)) for key in item}
    return "chapter" in meanings and "section" not in meanings


def _record(item: dict[Any, Any]) -> _Part:
    """Read one record by the names of its keys."""
    part, noun = _Part(), ""
    for key, value in item.items():
        meaning = _label(str(key))
        if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
            value = "; ".join(value)
        if isinstance(value, (list, dict)) or value is None:
            continue
        if meaning == "length":
            part.length = part.length or _count(value)
        elif meaning == "point":
            part.point = part.point or _line(str(value))
        elif meaning in ("heading", "title"):
            part.heading = part.heading or _heading(str(value))
        elif meaning in ("section", "chapter") and not re.fullmatch(r"[\W\d]*", str(value)):
            noun = noun if noun and meaning == "chapter" else _heading(str(value))
    if not part.heading and noun and not _is_opener(noun):
        part.heading = noun
    if part.length is None:
        before, part.length, after = _inline(part.heading)
        part.heading = _heading(before) if part.length and not after.strip() else part.heading
    return part


def _chapter_of(item: dict[Any, Any]) -> str:
    """Return the chapter that a section's record names beside its own heading."""
    meanings = {_label(str(key)) for key in item}
    if not meanings & {"heading", "title", "section"}:
        return ""
    named = (value for key, value in item.items() if _label(str(key)) == "chapter")
    value = next(named, "")
    return _heading(value) if isinstance(value, str) and not re.fullmatch(r"[\W\d]*", value) else ""


def _is_opener(text: str) -> bool:
    match = _OPENER.match(text)
    return match is not None and match.end() == len(text)


# --- lines: AgentWrite's own, Markdown lists and headings ---

_Depth = tuple[int, ...]
_CHAPTER_DEPTH, _SECTION_DEPTH, _BOLD_DEPTH, _BARE_DEPTH = (-1,), (1,), (2,), (9,)
# Between them stand headings (0, hashes, dots) and list items (3, indent, is a bullet, dots).


@dataclass(slots=True)
class _Row:
    """One line of a reply, taken apart."""

    depth: _Depth | None = None
    """How deep it stands by its mark; None for prose."""

    numbered: bool = False
    fields: dict[_Field, str] = field(default_factory=dict)
    heading: str = ""
    point: str = ""
    length: int | None = None
    text: str = ""
    """What it says without its mark; empty for a blank line."""

    is_total: bool = False

    @property
    def starts(self) -> bool:
        """Whether it may start a part: it is more than a field of one."""
        return self.depth is not None and (
            self.numbered or bool(self.heading or self.point) or not self.fields
        )


def _outline(text: str) -> _Draft | None:
    """Read a plan from lines: those that start a part, fields beneath, and prose between."""
    if text.count("\\n") > text.count("\n"):
        text = text.replace("\\n", "\n")
    if len(text) < _LONGEST_LINE * 20:
        text = _RUN_ON.sub("\n", text)
    lines = re.sub(r"\n\s+\n|\n{3,}", "\n\n", text).splitlines()
    rows = [_row(line) for line in lines[:_MOST_LINES]]
    level = _level(rows)
    reader = _Lines(level, _above(rows, level))
    for row in rows:
        reader.read(row)
    return reader.draft()


def _row(line: str) -> _Row:
    """Take one line apart: mark, label with number, named fields, heading and main point."""
    body = line.strip().lstrip(">").strip()
    if not body or len(body) > _LONGEST_LINE or _TAG.fullmatch(body):
        return _Row()
    indent = (len(line.expandtabs(4)) - len(line.expandtabs(4).lstrip())) // 2
    row = _Row()
    body = _unmarked(body, indent, row)
    lead = ""
    if body.startswith("**") and (end := body.find("**", 2)) > 2:
        lead = body[2:end]
        row.depth = row.depth or (_BOLD_DEPTH if len(lead) <= _LONGEST_HEADING else None)
    body = plain = body.replace("**", "")
    body = _unmarked(body, indent, row)
    row.text, row.is_total = body, bool(_TOTAL_LINE.match(body))
    if (opener := _OPENER.match(body)) and _opens(opener, row):
        is_chapter = opener["chapter"] or opener["chapter_1"]
        row.depth, row.numbered = _CHAPTER_DEPTH if is_chapter else _SECTION_DEPTH, True
        body = body[opener.end() :]
    rest, row.fields = _split(body, opened=row.depth is not None)
    lead = "" if row.fields else lead[len(plain) - len(body) :]
    row.heading, row.length, row.point = _named(rest, lead, row)
    if row.depth is None and row.length and row.heading:
        row.depth = _BARE_DEPTH
    return row


def _unmarked(body: str, indent: int, row: _Row) -> str:
    """Return a line without its marks, which say how deep it stands."""
    while mark := _MARK.match(body):
        body = body[mark.end() :]
        dots = (mark["number"] or "").strip(" .)").count(".")
        if mark["hash"]:
            row.depth = (0, len(mark["hash"]), 0)
        elif row.depth is None:
            row.depth = (3, indent, int(bool(mark["bullet"])), dots)
        elif row.depth[0] == 0:
            row.depth = (0, row.depth[1], dots)
        row.numbered = row.numbered or bool(mark["number"])
    return body


def _opens(opener: re.Match[str], row: _Row) -> bool:
    """Whether a label with a number starts a part, rather than a sentence ("Part 2 of the...")."""
    rest = opener.string[opener.end() :]
    if opener["end"].strip() or not rest or rest[0] in "(（[【":
        return True
    return opener[0][0] in "第제" or row.depth is not None or not _split(rest)[0]


def _split(body: str, *, opened: bool = False) -> tuple[str, dict[_Field, str]]:
    """Split a line at its named fields: what stands before them, and each field's value.

    A label counts at the line's start and after a dash, bar or semicolon; that of a length also
    after any other break where a part has begun and a number follows. A second label of the same
    kind is part of the text: a main point may say "summary:".
    """
    cuts: dict[_Field, tuple[int, int, bool]] = {}
    for colon in islice(_COLON.finditer(body), _MOST_COLONS):
        meaning, begin = _label_before(body, colon.start())
        if meaning is None:
            continue
        before = body[max(0, begin - 8) : begin].rstrip("*_ ")
        apart = not before or bool(_SEPARATOR.search(before + " "))
        counts = meaning == "length" and (cuts or opened) and _COUNT.match(body, colon.end())
        if (apart or counts) and (meaning not in cuts or (apart and not cuts[meaning][2])):
            cuts.pop(meaning, None)
            cuts[meaning] = begin, colon.end(), apart
    ends = [begin for begin, _, _ in cuts.values()] + [len(body)]
    fields = {
        meaning: _trimmed(body[begin:end])
        for (meaning, (_, begin, _)), end in zip(cuts.items(), ends[1:], strict=False)
    }
    return _trimmed(body[: ends[0]]) if cuts else body, fields


def _label_before(body: str, end: int) -> tuple[_Field | None, int]:
    """Return the longest label that ends at a place in a line, and where it begins."""
    window = body[max(0, end - _WIDTHS[0]) : end].lower().replace("_", " ")
    for width in _WIDTHS:
        meaning = _FIELDS.get(window[-width:]) if width <= len(window) else None
        begin = end - width
        if meaning and (begin == 0 or not (body[begin - 1].isalnum() and body[begin].isascii())):
            return meaning, begin
    return None, end


def _trimmed(value: str) -> str:
    return re.sub(r"(?:\s[-–—]+|[|｜;；,，]|\s[-–—]*)$", "", value.strip()).strip()


def _named(rest: str, lead: str, row: _Row) -> tuple[str, int | None, str]:
    """Tell heading, length and main point in the text of a part that names none of them."""
    before, length, after = _inline(rest)
    after = after.lstrip(" :：-–—*")
    heading, point = before, after
    if lead.strip():
        heading, point = lead, after or before[len(lead) :]
    elif not after and not (row.depth and row.depth[0] == 0) and not row.fields:
        pieces = re.split(r"\s+[-–—]+\s+|：|:\s+|——", before, maxsplit=1)
        heading, point = pieces if len(pieces) == 2 else (before, "")
    if lead.strip():
        heading = _inline(heading)[0]
    heading, point = _heading(heading), _line(point.lstrip(" :：-–—"))
    if not point and not lead and len(heading) > _LONGEST_HEADING:
        heading, point = "", heading
    return heading, length, point


def _level(rows: Iterable[_Row]) -> _Depth | None:
    """Return the depth at which sections start: where lengths, main points or numbers are."""
    counted, pointed, numbered = Counter[_Depth](), Counter[_Depth](), Counter[_Depth]()
    above: list[_Depth] = []
    for row in rows:
        if row.depth is not None:
            while above and above[-1] >= row.depth:
                above.pop()
        if row.starts and row.depth is not None and not row.is_total:
            above.append(row.depth)
            numbered[row.depth] += row.numbered
        if above and not row.is_total:
            counted[above[-1]] += bool(row.length or _count(row.fields.get("length")))
            pointed[above[-1]] += "point" in row.fields
    if numbered[_SECTION_DEPTH]:
        return _SECTION_DEPTH
    fit = [
        depth
        for depth in numbered
        if counted[depth] + pointed[depth] > (depth == _BARE_DEPTH) or numbered[depth] > 1
    ]
    return max(
        fit,
        key=lambda d: (counted[d], pointed[d], numbered[d], [-step for step in d]),
        default=None,
    )


def _above(rows: Iterable[_Row], level: _Depth | None) -> _Depth | None:
    """Return the depth at which chapters start: the one right above that of the sections."""
    if level is None or level == _CHAPTER_DEPTH:
        return None
    followed = Counter[_Depth]()
    last: _Depth | None = None
    for row in rows:
        if row.depth is None or not row.starts:
            continue
        if row.depth == level and last is not None and last < level:
            followed[last] += 1
        last = row.depth if row.depth <= level else last
    fit = [d for d in followed if followed[d] > 1 or d == _CHAPTER_DEPTH]
    return _CHAPTER_DEPTH if _CHAPTER_DEPTH in fit else max(fit, default=None)


class _Lines:
    """Collects a draft, one row after another."""

    def __init__(self, level: _Depth | None, above: _Depth | None) -> None:
        self.level, self.above = level, above
        self.title = ""
        self.parts: list[_Part] = []
        self.part: _Part | None = None
        self.open: _Field | None = None
        """The field that prose would continue."""
        self.gap = False
        self.beneath: list[_Part] = []
        """The parts whose main point stands in lines beneath their heading."""
        self.late = False
        """Whether the last of those stands after a blank line."""
        self.outside = 0
        """Characters that belong to no part."""

    def read(self, row: _Row) -> None:
        if not row.text:
            self.gap = True
            return
        if row.is_total and row.depth != _SECTION_DEPTH:
            self.part = self.open = None
        elif (row.starts and row.depth in (self.level, self.above)) or (
            row.fields and row.heading and "point" in row.fields and row.depth is None
        ):
            self._start(row)
        elif row.fields:
            self._set(row.fields)
        elif not self.parts and not self.title and row.depth and row.depth[0] == 0:
            self.title = _title_of(row)
        else:
            self._continue(row)
        self.gap = False

    def _start(self, row: _Row) -> None:
        chapter = row.depth == _CHAPTER_DEPTH or (row.depth is not None and row.depth == self.above)
        self.part = _Part(row.heading, row.point, row.length, chapter)
        self.part.labels = int(row.numbered)
        self.parts.append(self.part)
        self.open = "point"
        self._set(row.fields, beneath=False)
        if not self.part.heading and chapter and not self.part.point:
            self.part.heading = _heading(_inline(row.text)[0])

    def _set(self, fields: dict[_Field, str], *, beneath: bool = True) -> None:
        for meaning, value in fields.items():
            meaning = "heading" if meaning == "section" else meaning
            if meaning == "title" and not self.parts and not self.title:
                self.title = _heading(value)
                continue
            if beneath and self.level is None:
                self._make_room("heading" if meaning == "title" else meaning)
            if self.part:
                _assign(self.part, meaning, value)
                self.part.labels += 1
                self.open = meaning if meaning == "point" or not value else None

    def _make_room(self, meaning: _Field) -> None:
        """Start a part at a field that the one at hand has, where nothing else starts parts."""
        if meaning == "chapter":
            self.part = None
        full = self.part and getattr(self.part, meaning, None)
        if self.part is None or full:
            self.part = _Part(is_chapter=meaning == "chapter")
            if not self.parts and self.title and meaning in ("point", "length"):
                self.part.heading, self.title = self.title, ""
            self.parts.append(self.part)

    def _continue(self, row: _Row) -> None:
        """Add prose to the field that it continues; what continues none is chatter."""
        part, text = self.part, _line(row.text)
        if part is None or self.open is None or (self.gap and part.point and row.depth is None):
            self.outside += len(text)
            self.open = None if self.part and self.part.point else self.open
        elif self.open != "point":
            _assign(part, self.open, text)
            self.open = None
        elif len(part.point) < _LONGEST_LINE:
            if not part.point:
                self.beneath.append(part)
                self.late = self.gap
            joint = "; " if row.depth is not None else " "
            part.point = f"{part.point}{joint}{text}" if part.point else text

    def draft(self) -> _Draft | None:
        """Return what was read where it is a plan, rather than an answer in prose."""
        if self.late and self.beneath == self.parts[-1:] and len(self.parts) > 1:
            self.beneath[0].point = ""  # the closing words, not what the last section says
        parts = [part for part in self.parts if part.heading or part.point]
        if not parts or not (any(part.length for part in parts) or self._is_plan(parts)):
            return None
        return _Draft(self.title, parts)

    def _is_plan(self, parts: list[_Part]) -> bool:
        """Whether parts without any length are a plan: named or numbered, and not an essay."""
        sizes = [len(part.heading) + len(part.point) for part in parts]
        structured = sum(part.labels > 0 for part in parts) > 1 or parts[0].labels > 1
        return structured and median(sizes) <= 600 and self.outside <= max(400, sum(sizes))


def _assign(part: _Part, meaning: _Field, value: str) -> None:
    """Set a field of a part, unless it has one; a length also where it was read as 0."""
    if meaning == "length":
        part.length = part.length or _count(value)
    elif meaning == "point":
        part.point = part.point or _line(value)
    elif meaning != "chapter" or part.is_chapter:
        part.heading = part.heading or _heading(value)


def _entry(value: Any) -> _Part:
    """Read an entry of a bare list: a heading or main point with a length."""
    row = _row(value if isinstance(value, str) else "")
    part = _Part(row.heading, row.point, row.length)
    for meaning, value in row.fields.items():
        _assign(part, meaning, value)
    return part
