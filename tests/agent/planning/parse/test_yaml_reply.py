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
        "title: Rome\nsections:\n  - heading: The Principate\n    main_point: >\n"
        "      How Augustus\n      ruled\n    length: 400\n  - heading: 'Crisis'\n"
        "    main_point: Why it failed\n"
        "    length: 500 words\n",
        "```yaml\n- heading: The Principate\n  main_point: How Augustus ruled\n  word_count: 400\n"
        "- heading: Crisis\n  main_point: Why it failed\n  word_count: 500\n```",
    ],
)
def test_yaml_is_read_fenced_or_alone(text: str) -> None:
    assert read(text) == ROME
