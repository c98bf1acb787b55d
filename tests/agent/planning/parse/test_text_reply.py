from __future__ import annotations

import pytest

from longchain.agent.planning.parse import parse

Triple = tuple[str, str, int]

ROME = [("The Principate", "How Augustus ruled", 400), ("Crisis", "Why it failed", 500)]


def read(text: str) -> list[Triple]:
    return [(part.heading, part.main_point, part.length) for part in parse(text).sections]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Paragraph 1 - Main Point: Describe it - Word Count: 400 words\n\n"
            "Paragraph 2 - Main Point: End it - Word Count: 1,200 words",
            [("", "Describe it", 400), ("", "End it", 1200)],
        ),
        (
            "Section 1 - Heading: Cars - Main Point: self-driving - a survey - Word Count: 400\n"
            "Section 2 – Heading: None – Main Point: End – Word Count: ~500 words",
            [("Cars", "self-driving - a survey", 400), ("", "End", 500)],
        ),
        (
            "Section 1 - Main Point: Say why a word count: 300 words is short - Word Count: 250",
            [("", "Say why a word count: 300 words is short", 250)],
        ),
        (
            "Section 1 - Main Point: a - Words: 100\\nSection 2 - Main Point: b - Words: 200",
            [("", "a", 100), ("", "b", 200)],
        ),
        (
            "Section 1 - Main Point: a - Words: 100 Section 2 - Main Point: b - Words: 200",
            [("", "a", 100), ("", "b", 200)],
        ),
        ("段落1 - 主要内容：介绍 - 字数：４００字", [("", "介绍", 400)]),
        ("第1节 - 标题：元首制 - 要点：治理 - 字数要求：400字", [("元首制", "治理", 400)]),
        ("第二节；标题：无；要点：结尾；字数：300-400字", [("", "结尾", 350)]),
        (
            "第1節｜見出し：始まり｜要点：概要を示す｜文字数：400文字",
            [("始まり", "概要を示す", 400)],
        ),
        ("段落1 - 要点：始まり - 文字数：約2万字", [("", "始まり", 20000)]),
        ("セクション1 - 見出し：なし - 要点：終わり - 文字数：1.5万文字", [("", "終わり", 15000)]),
        (
            "Abschnitt 1 - Überschrift: Rom - Hauptpunkt: Die Republik - Wortzahl: 1.500 Wörter",
            [("Rom", "Die Republik", 1500)],
        ),
        (
            "Paragraphe 1 - Idée principale : L'Empire - Nombre de mots : 1 500 mots",
            [("", "L'Empire", 1500)],
        ),
        (
            "Párrafo 1 - Punto principal: La República - Número de palabras: 400 palabras",
            [("", "La República", 400)],
        ),
        ("단락 1 - 제목: 시작 - 요점: 공화정 - 글자 수: 400자", [("시작", "공화정", 400)]),
        ("제1절 - 요점: 공화정 - 글자 수: 약 400자", [("", "공화정", 400)]),
    ],
)
def test_lines_are_read_in_every_language(text: str, expected: list[Triple]) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "**Section 1**\n**Heading:** The Principate\n**Main Point**: How Augustus ruled\n"
        "**Word Count:** 400 words\n\n**Section 2**\n**Heading:** Crisis\n"
        "**Main Point**: Why it failed\n**Word Count:** 500",
        "Heading: The Principate\nMain Point: How Augustus ruled\nWord Count: 400\n\n"
        "Heading: Crisis\nMain Point: Why it failed\nWord Count: 500",
        "Section 1 | Heading: The Principate | Main Point: How Augustus ruled | Words: 400\n"
        "Section 2 | Heading: Crisis | Main Point: Why it failed | Words: 500",
        "Section 1: The Principate (400 words): How Augustus ruled\n"
        "Section 2: Crisis (500 words): Why it failed",
        "### Section 1: The Principate\nMain point: How\nAugustus ruled\nWord count: ４００\n\n"
        "### Section 3: Crisis\n- Main point: Why it failed\n- Word count: 450 - 550 words",
        "<plan_format>\n- Section 1 - Heading: [The Principate] - Main Point: How Augustus ruled "
        "- Word Count: 400 words\n- Section 1 - Heading: “Crisis” - Main Point: Why it failed. "
        "Word Count: 500 words\n</plan_format>".replace("failed.", "failed;"),
        "1. **The Principate** (400 words): How Augustus ruled\n"
        "2. **Crisis** (about 500 words): Why it failed",
        "1. **The Principate (400 words)**: How Augustus ruled\n2. **Crisis (0.5k words)**: "
        "Why it failed",
        "- The Principate — how Augustus ruled [~400 words]\n"
        "- Crisis — why it failed [500 words]".replace("how A", "How A").replace("why", "Why"),
        "1) The Principate: How Augustus ruled - 400 words\n2) Crisis: Why it failed - 500 words.",
        "1. **The Principate**\n   - Main point: How Augustus ruled\n   - Word count: 400\n"
        "2. **Crisis**\n   - Main point: Why it failed\n   - Word count: 500",
        "* The Principate\n  Main point: How Augustus ruled\n  Length: 400\n\n"
        "* Crisis\n  Main point: Why it failed\n  Length: 500",
        "## 1. The Principate (400 words)\nHow Augustus ruled\n\n## 2. Crisis (500 words)\n\n"
        "Why it failed",
        "**1. The Principate** (400 words)\nHow Augustus ruled\n\n**2. Crisis** (500 words)\n"
        "Why it failed",
        "The Principate (400 words): How Augustus ruled\nCrisis (500 words): Why it failed",
        "| # | Section | Main point | Words |\n|---|:--|---|---:|\n"
        "| 1 | **The Principate** | How Augustus ruled | 400 |\n"
        "| 2 | Crisis | Why it failed | 500 |\n| | **Total** | | 900 |",
        "Title: The Principate\nMain Point: How Augustus ruled\nWord Count: 400\n\n"
        "Title: Crisis\nMain Point: Why it failed\nWord Count: 500",
        "Section 1\nHeading:\nThe Principate\nMain Point:\nHow Augustus ruled\nWord Count:\n"
        "400 words\n\nSection 2\nHeading:\nCrisis\nMain Point:\nWhy it failed\nWord Count:\n500",
        "- Section 1\n- Heading: The Principate\n- Main Point: How Augustus ruled\n"
        "- Word Count: 400\n- Section 2\n- Heading: Crisis\n- Main Point: Why it failed\n"
        "- Word Count: 500",
        "Word Count | Main Point | Heading |\n400 | How Augustus ruled | The Principate |\n"
        "~500 | Why it failed | Crisis |",
    ],
)
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        (
            "Here is the plan for a text of 900 words:\n\n",
            "\n\nTotal: 900 words\n\nLet me know if you would like changes.",
        ),
        ("<think>Section 1 - Main Point: no - Word Count: 9 words</think>\n", ""),
        ("Section 1 - Main Point: no - Word Count: 9 words</think>\n", "\n<think>hm"),
        ("```markdown\n", "\n```"),
    ],
)
def test_a_plan_in_other_clothes_reads_the_same(before: str, text: str, after: str) -> None:
    assert read(before + text + after) == ROME


def test_closing_words_are_not_what_the_last_section_says() -> None:
    text = "1. A (4 words)\n2. B (5 words)\n\nLet me know what you think."
    assert read(text) == [("A", "A", 4), ("B", "B", 5)]


def test_points_beneath_a_heading_become_its_main_point() -> None:
    assert read("1. A (4 words)\n   - x\n   - y\n2. B (5 words)\n   - z")[0] == ("A", "x; y", 4)
