"""The names that models give to the fields of a plan, in the languages below.

key, column header or label -> `Field`; table of names -> regular expression of its entries

Knows words only; does not know numbers, or where in a reply a label may appear.
"""

from __future__ import annotations

import re
from typing import Literal

Field = Literal["heading", "point", "length", "section", "chapter", "title"]
"""A field of a plan's part, `title` being that of the whole document."""

NameTable = dict[str, str]
"""Language -> its names for one thing, in lower case, separated by semicolons."""

# `find_field` ignores `_`, `-`, camelCase and missing spaces: they need no entries here.

TITLE: NameTable = {
    "en": "title; document title",
    "zh": "标题; 標題; 题目; 題目; 题名",
    "ja": "題名; タイトル; 表題",
    "ko": "제목",
    "de": "titel",
    "fr": "titre",
    "es": "título",
    "it": "titolo",
}

HEADING: NameTable = {
    "en": "heading; headline; header; name; topic; subject; section title; section heading"
    "; section name; chapter title; chapter heading; chapter name; paragraph title",
    "zh": "小标题; 小標題; 小节标题; 节标题; 章节标题; 章標題; 章标题; 名称; 主题",
    "ja": "見出し; 小見出し; 節名; 章名; テーマ",
    "ko": "제목; 소제목; 주제",
    "de": "überschrift; abschnittstitel; kapiteltitel; thema",
    "fr": "intitulé",
    "es": "encabezado; epígrafe; tema",
    "it": "intestazione",
    "pt": "cabeçalho",
    "ru": "заголовок; название",
}

POINT: NameTable = {
    "en": "main point; main points; main idea; main ideas; key point; key points; key idea"
    "; point; points; description; summary; content; contents; focus; purpose; goal; details"
    "; covers; key points to cover; main content; what it says",
    "zh": "主要内容; 主要內容; 要点; 要點; 内容要点; 主旨; 内容; 內容; 描述; 摘要; 概要; 核心内容"
    "; 写作要点",
    "ja": "主な内容; 論点; 主題; ポイント; 主なポイント; 説明; 要旨; 要点; 内容; 概要",
    "ko": "내용; 요점; 주요 내용; 핵심 내용; 설명; 개요",
    "de": "hauptpunkt; hauptpunkte; kernaussage; kernpunkt; hauptaussage; inhalt; beschreibung",
    "fr": "idée principale; idées principales; point principal; points principaux; point clé"
    "; contenu; résumé",
    "es": "punto principal; puntos principales; idea principal; contenido; descripción",
    "it": "punto principale; contenuto; descrizione",
    "pt": "ponto principal; ideia principal; conteúdo",
    "ru": "главная мысль; основная мысль; содержание; описание",
}

LENGTH: NameTable = {
    "en": "word count; words; word limit; word target; target words; target word count"
    "; estimated words; estimated word count; approximate word count; number of words; length"
    "; target length; budget; character count; characters; chars; number of characters",
    "zh": "字数; 字數; 字数要求; 字數要求; 目标字数; 预计字数; 建议字数; 篇幅; 词数; 单词数; 长度",
    "ja": "文字数; 目標文字数; 目安文字数; 語数; 単語数; 分量; 長さ",
    "ko": "글자 수; 단어 수; 분량; 길이; 글자 수 목표",
    "de": "wortzahl; wortanzahl; wörter; anzahl wörter; länge; umfang; zeichenzahl; zeichenanzahl",
    "fr": "nombre de mots; mots; longueur; nombre de caractères",
    "es": "número de palabras; palabras; cantidad de palabras; recuento de palabras; extensión"
    "; longitud; número de caracteres",
    "it": "numero di parole; parole; lunghezza",
    "pt": "número de palavras; palavras; contagem de palavras",
    "ru": "количество слов; число слов; объём; объем; длина",
}

SECTION: NameTable = {
    "en": "section; sections; paragraph; paragraphs; part; parts; step; passage; subsection",
    "zh": "段落; 段; 节; 節; 小节; 小節; 部分; 部",
    "ja": "セクション; パート; パラグラフ; 項; 節; 段落; 部分; 部",
    "ko": "단락; 문단; 섹션; 절",
    "de": "abschnitt; abschnitte; absatz; teil",
    "fr": "paragraphe; partie",
    "es": "párrafo; sección; apartado; parte",
    "it": "paragrafo; sezione",
    "pt": "parágrafo; seção",
    "ru": "раздел; абзац; параграф; часть",
}

CHAPTER: NameTable = {
    "en": "chapter; chapters",
    "zh": "章; 章节; 章節",
    "ja": "チャプター; 章",
    "ko": "장; 챕터",
    "de": "kapitel",
    "fr": "chapitre",
    "es": "capítulo",
    "it": "capitolo",
    "ru": "глава",
}

TOTAL: NameTable = {
    "en": "total; grand total; overall total; in total; sum; total words; total length"
    "; total word count",
    "zh": "总计; 總計; 合计; 总共; 共计; 全文; 总字数; 總字數",
    "ja": "合計; 総計; 計; 総文字数; 全体",
    "ko": "합계; 총; 총계; 총 글자 수; 총 분량",
    "de": "gesamt; summe; insgesamt; gesamtlänge; gesamtwortzahl",
    "fr": "au total",
    "es": "total général; en total; suma",
    "it": "totale; somma",
    "pt": "soma",
    "ru": "итого; всего",
}
"""Beginnings of a line that gives the length of the whole plan."""

UNIT: NameTable = {
    "en": "words; word; wds; characters; character; chars",
    "zh": "个汉字; 个字; 汉字; 字符; 字; 個字; 单词; 單詞; 词; 詞; 语",
    "ja": "漢字; 字; 文字; 語; ワード; 単語",
    "ko": "자; 글자; 단어; 어절",
    "de": "wörtern; wörter; wort; worte; zeichen",
    "fr": "mots; mot; caractères",
    "es": "palabras; palabra; caracteres",
    "it": "parole; caratteri",
    "pt": "palavras",
    "ru": "слов; слова; знаков",
}
"""Units that follow the number of a length."""

GENERIC_TITLE: NameTable = {
    "en": "plan; the plan; writing plan; outline; the outline; article outline; document plan"
    "; structure; table of contents; contents",
    "zh": "写作计划; 大纲; 目录",
    "ja": "計画; 執筆計画; 構成; 構成案; 目次; アウトライン",
    "ko": "개요; 목차",
    "de": "gliederung; schreibplan",
    "fr": "plan de rédaction",
    "es": "esquema; índice",
}
"""Headings that name the plan as such (`Outline`), and are no title of the document."""


def list_names(table: NameTable) -> list[str]:
    """Return the entries of a table, the longest first as alternations need them."""
    names = {name.strip() for line in table.values() for name in line.split(";")}
    return sorted(names, key=lambda name: (-len(name), name))


def alternation(table: NameTable) -> str:
    """Return a regular expression that matches any entry, its spaces optional."""
    patterns = [re.escape(name).replace(r"\ ", r"\s?") for name in list_names(table)]
    return "|".join(patterns)


def _index_names() -> dict[str, Field]:
    """Return the field of each name; of two fields with one name, the later table's."""
    tables: list[tuple[Field, NameTable]] = [
        ("section", SECTION),
        ("chapter", CHAPTER),
        ("length", LENGTH),
        ("point", POINT),
        ("heading", HEADING),
        ("title", TITLE),
    ]
    fields: dict[str, Field] = {}
    for field, table in tables:
        for name in list_names(table):
            fields[name] = field
            fields[name.replace(" ", "")] = field
    return fields


_FIELDS = _index_names()
_NAME_WIDTHS = sorted({len(name) for name in _FIELDS}, reverse=True)
_CAMEL_CASE = re.compile(r"(?<=[a-z])(?=[A-Z])")
_BRACKETED_REMARK = re.compile(r"[(（][^()（）]*[)）]")


def find_field(name: str) -> Field | None:
    """Return the field that a key, column header or label names: `wordCount`, `字数`."""
    words = _CAMEL_CASE.sub(" ", name[:60])
    words = _BRACKETED_REMARK.sub("", words)
    words = words.replace("_", " ").replace("-", " ")
    words = words.strip("*#: ：").lower()
    return _FIELDS.get(" ".join(words.split()))


def find_label_before(text: str, end: int) -> tuple[Field | None, int]:
    """Find the longest label that ends at a position.

    Returns:
        Its field and the position where it begins; None and `end` if there is no label.
    """
    window = text[max(0, end - _NAME_WIDTHS[0]) : end].lower().replace("_", " ")
    for width in _NAME_WIDTHS:
        if width > len(window):
            continue
        field = _FIELDS.get(window[-width:])
        if field and _begins_word(text, end - width):
            return field, end - width
    return None, end


def _begins_word(text: str, position: int) -> bool:
    """Return whether a name at a position is no end of a longer word (`passwords`)."""
    if position == 0 or not text[position - 1].isalnum():
        return True
    return not text[position].isascii()  # Chinese and Japanese put no spaces between words
