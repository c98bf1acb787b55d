from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longchain.agent.planning.parse.stated_lengths import (
    is_total_heading,
    is_total_line,
    read_length,
    split_at_length,
)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("400", 400),
        ("４００字", 400),
        ("about 1,200 words", 1200),
        ("1.500 Wörter", 1500),
        ("1 500 mots", 1500),
        ("1\u202f500 mots", 1500),
        ("1.5k", 1500),
        ("2万字", 20_000),
        ("1万5千字", 15_000),
        ("1만 2천 자", 12_000),
        ("300-400", 350),
        ("300 words to 400 words", 350),
        ("300〜400字", 350),
        ("2-3k words", 2500),
        ("1.5-2k words", 1750),
        ("1~2万字", 15_000),
        ("9-10k", 9500),
        ("100-2k", 1050),
        ("words: 250 of 900", 250),
        ("N/A", None),
        ("0 words", None),
        ("four", None),
    ],
)
def test_a_length_is_read(text: str, length: int | None) -> None:
    assert read_length(text) == length


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Kings (400 words): seven of them", ("Kings ", 400, ": seven of them")),
        ("王政（1万5千字）", ("王政", 15_000, "")),
        ("Kings (753 BC) - 400 words.", ("Kings (753 BC)", 400, "")),
        ("Kings (word count: 300 to 400)", ("Kings ", 350, "")),
        ("Kings (753 BC)", ("Kings (753 BC)", None, "")),
        ("The 400 words of a king", ("The 400 words of a king", None, "")),
    ],
)
def test_a_text_is_split_at_its_length(text: str, parts: tuple[str, int | None, str]) -> None:
    assert split_at_length(text) == parts


@pytest.mark.parametrize("line", ["Total: 2,000 words", "总字数：2000字", "Total word count = 9"])
def test_a_total_is_recognized(line: str) -> None:
    assert is_total_line(line)
    assert not is_total_line("Total war: why Rome won")


def test_the_heading_of_a_total_is_recognized() -> None:
    assert is_total_heading("Total words")
    assert not is_total_heading("Total war")


@given(st.text(alphabet="0123456789０１,.'’\u00a0 kK千万만-~") | st.text())
def test_any_text_has_a_length_of_at_least_one_or_none(text: str) -> None:
    length = read_length(text)
    assert length is None or length >= 1
