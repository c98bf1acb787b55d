from __future__ import annotations

from typing import Any

import pytest

from longchain.agent.planning.parse import parse
from longchain.document import SectionPlan

Triple = tuple[str, str, int]


def lines(*counts: str) -> str:
    return "\n".join(f"Section {n} - Main Point: p{n}{c}" for n, c in enumerate(counts, 1))


@pytest.mark.parametrize(
    ("text", "options", "lengths"),
    [
        (lines(" - Word Count: 100", "", " - Word Count: 0 words", " - Word Count: 301"), {},
         [100, 200, 200, 301]),
        (lines("", " - Word Count: N/A", ""), {"required": 1000}, [333, 333, 333]),
        (lines("", ""), {}, [400, 400]),
        (lines("", ""), {"unit": "characters"}, [800, 800]),
        (lines("", ""), {"required": 1}, [1, 1]),
        (lines(" - Word Count: 300 to 400 words", " - Word Count: approximately 1.5k"), {},
         [350, 1500]),
        (lines(" - Word Count: 2-3k words", " - Word Count: 12 000 words"), {}, [2500, 12000]),
        ("Chapter 1: K (900 words)\nSection 1: A\nSection 2: B\nSection 3: C", {}, [300] * 3),
    ],
)  # fmt: skip
def test_lengths_are_read_or_filled_in(
    text: str, options: dict[str, Any], lengths: list[int]
) -> None:
    assert [part.length for part in parse(text, **options).sections] == lengths


def test_lengths_given_are_not_rescaled() -> None:
    assert parse(lines(" - Word Count: 100"), required=5000).length == 100


@pytest.mark.parametrize(
    ("text", "chapters", "sections"),
    [
        (
            "Chapter 1 - Heading: A - Main Point: x - Word Count: 5000 words\n"
            "Chapter 2 - Heading: A - Main Point: y - Word Count: 4000 words",
            [("A", "x", 5000), ("A (2)", "y", 4000)], [],
        ),
        (
            "第1章 王政\n第1节 - 标题：甲 - 要点：一二 - 字数：400字\n"
            "第2章 共和\n第1节 - 标题：乙 - 要点：三四 - 字数：500字",
            [("王政", "王政", 400), ("共和", "共和", 500)], [("王政", "甲"), ("共和", "乙")],
        ),
        (
            "## Chapter 1: Kings\n1. A (400 words)\n2. B (300 words)\n## Chapter 2: Fall\n"
            "1. C (500 words)",
            [("Kings", "Kings", 700), ("Fall", "Fall", 500)],
            [("Kings", "A"), ("Kings", "B"), ("Fall", "C")],
        ),
        (
            "# Rome\n## Kings\n- A (400 words)\n- B (300 words)\n## Fall\n- C (500 words)",
            [("Kings", "Kings", 700), ("Fall", "Fall", 500)],
            [("Kings", "A"), ("Kings", "B"), ("Fall", "C")],
        ),
        (
            '{"chapters": [{"heading": "K", "sections": [{"heading": "A", "length": 300}, '
            '{"heading": "B", "length": 200}]}, {"heading": "K", "length": 900}]}',
            [("K", "K", 500), ("K (2)", "K", 900)], [("K", "A"), ("K", "B")],
        ),
        (
            '[{"chapter": 1, "title": "K", "words": 30}, '
            '{"chapter": 2, "title": "F", "words": 40}]',
            [("K", "K", 30), ("F", "F", 40)], [],
        ),
        ("Chapter 1 (50 words)\nChapter 2 (60 words)",
         [("Chapter 1", "Chapter 1", 50), ("Chapter 2", "Chapter 2", 60)], []),
        (
            "Chapter: K\nSection: A\nWords: 30\nSection: B\nWords: 30\n"
            "Chapter: F\nSection: C\nWords: 9",
            [("K", "K", 60), ("F", "F", 9)], [("K", "A"), ("K", "B"), ("F", "C")],
        ),
        (
            '[{"chapter": "K", "heading": "A", "length": 3}, {"chapter": "F", "heading": "B", '
            '"length": 4}]',
            [("K", "K", 3), ("F", "F", 4)], [("K", "A"), ("F", "B")],
        ),
    ],
)  # fmt: skip
def test_chapters_hold_their_sections(
    text: str, chapters: list[Triple], sections: list[tuple[str, str]]
) -> None:
    plan = parse(text)
    assert [(part.heading, part.main_point, part.length) for part in plan.chapters] == chapters
    assert [(part.chapter, part.heading) for part in plan.sections] == sections


def test_a_section_is_a_section_plan() -> None:
    assert parse("Section 1 - Heading: A - Word Count: 5").sections == [
        SectionPlan(heading="A", main_point="A", length=5)
    ]
