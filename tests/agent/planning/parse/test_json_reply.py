from __future__ import annotations

import pytest

from longchain.agent.planning.parse import parse

Triple = tuple[str, str, int]

ROME = [("The Principate", "How Augustus ruled", 400), ("Crisis", "Why it failed", 500)]


def read(text: str) -> list[Triple]:
    return [(part.heading, part.main_point, part.length) for part in parse(text).sections]


@pytest.mark.parametrize(
    "text",
    [
        '{"title": "Rome", "sections": [{"heading": "The Principate", "main_point": '
        '"How Augustus ruled", "length": 400}, {"title": "Crisis", "description": '
        '"Why it failed", "wordCount": "约500字"}]}',
        'Sure:\n```json\n[{"name": "The Principate", "mainPoint": "How Augustus ruled", '
        '"words": "400 words"},\n{"heading": "Crisis", "summary": "Why it failed", "字数": 500},]'
        "\n```\nEnjoy [1].",
        "{'plan': {'paragraphs': [ // first\n {'heading': 'The Principate', 'content': "
        "'How Augustus ruled', 'word_count': 400}, /* then */ {heading: 'Crisis', "
        "main_point: 'Why it failed', length: 500,}]}}",
        '{"sections": [{"heading": "The Principate", "main_point": "How Augustus ruled", '
        '"length": 400}, {"heading": "Crisis", "main_point": "Why it failed", "length": 500}, '
        '{"heading": "Cut", "length": 300, "main_point": "breaks o',
        '{"Section 1": {"heading": "The Principate", "main_point": "How Augustus ruled", '
        '"length": 400}, "Section 2": {"heading": "Crisis", "main_point": "Why it failed", '
        '"length": 500}}',
        '{"The Principate": {"main_point": "How Augustus ruled", "words": 400}, '
        '"Crisis": {"main_point": "Why it failed", "words": 500}}',
        '{"plan": "Section 1 - Heading: The Principate - Main Point: How Augustus ruled - Word '
        'Count: 400\\nSection 2 - Heading: Crisis - Main Point: Why it failed - Word Count: 500"}',
        '["The Principate (400 words): How Augustus ruled", '
        '"Crisis: Why it failed - 500 words", "x"]',
        '[{"section": {"heading": "The Principate", "main_points": ["How Augustus", "ruled"], '
        '"words": 400}}, {"Section": "Crisis", "point": "Why it failed", "length": "500"}, '
        '{"heading": "Total", "words": 900}, ["x"]]'.replace('", "ruled', " ruled"),
    ],
)
def test_json_is_read_whole_or_damaged(text: str) -> None:
    assert read(text) == ROME


def test_quotes_within_damaged_json_survive() -> None:
    text = "[{'heading': 'Rome's fall', 'main_point': \"the \"last\" one\", 'length': 400,},]"
    assert read(text) == [("Rome's fall", 'the "last" one', 400)]


def test_escapes_that_hold_half_a_character_are_dropped() -> None:
    assert read('[{"heading": "a\\ud800b \\ud83d\\ude00", "length": 3}]')[0][0] == "ab 😀"
    assert read("[{'heading': 'a\\ud800b', 'length': 3}]")[0][0] == "ab"
