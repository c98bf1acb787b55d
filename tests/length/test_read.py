from __future__ import annotations

import json
import random
import re
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longchain.length.read import RequiredLength, read_required_length

LABELED: list[dict[str, Any]] = [
    json.loads(line)
    for line in (Path(__file__).parent / "instructions.jsonl").read_text("utf-8").splitlines()
]


def _as_label(length: RequiredLength | None) -> dict[str, Any] | None:
    if length is None:
        return None
    return {name: getattr(length, name) for name in ("target", "minimum", "maximum", "unit")}


@pytest.mark.parametrize("row", LABELED, ids=lambda row: f"{row['language']}:{row['instruction']}")
def test_labeled_instructions(row: dict[str, Any]) -> None:
    assert _as_label(read_required_length(row["instruction"])) == row["length"]


@pytest.mark.parametrize("language", ["en", "zh", "ja", "ko", "de", "fr", "es"])
def test_every_language_has_cases_with_and_without_a_length(language: str) -> None:
    rows = [row for row in LABELED if row["language"] == language]
    without = [row for row in rows if row["length"] is None]
    assert len(rows) >= 30
    assert len(without) >= 4


@pytest.mark.parametrize(
    ("instruction", "evidence"),
    [
        ("Write about moss, at least 1,500 words, please", "at least 1,500 words"),
        ("写一篇字数不低于１０００字的文章", "不低于1000字"),
        ("1500字以上、2000字以内で", "1500字以上、2000字以内"),
        ("Write 3 essays of 500 words each", "500 words"),
        ("Write **2000 words** on tea", "2000 words"),
        ("Write 900 words on tea. Do not exceed 950 words.", "900 words … not exceed 950 words"),
        ("mindestens 800 und höchstens 900 Wörter", "mindestens 800 und höchstens 900 Wörter"),
    ],
)
def test_evidence_is_what_was_read(instruction: str, evidence: str) -> None:
    found = read_required_length(instruction)
    assert found is not None
    assert found.evidence == evidence


@pytest.mark.parametrize(
    "instruction",
    [
        "Write an essay of ２,０００ words",
        "Write an essay of 2,\u200b000 words",
        "Write an essay of 2,000\u00a0words",
        "Write an essay of 2\u202f000 words",
        "Write an essay of **2,000** words",
        "WRITE AN ESSAY OF 2,000 WORDS",
        "Write an essay of 2,000‑word length",
    ],
)
def test_odd_forms_read_as_plain_ones(instruction: str) -> None:
    found = read_required_length(instruction)
    assert found is not None
    assert (found.target, found.unit) == (2000, "words")


@pytest.mark.parametrize(
    ("instruction", "target"),
    [
        ("Write a 3,000-word report in 6 sections of 500 words", 3000),
        ("Write a report in 6 sections of 500 words", 3000),
        ("Write a report in 6 sections of 500 words, 2,800 words in total", 2800),
        ("Write a report in sections of 500 words", None),
        ("Write 4 chapters and 9 scenes, each 500 words", None),
        ("Write 4 chapters and 9 scenes, 500 words per scene", 4500),
    ],
)
def test_parts_times_length_unless_a_total_stands_beside_them(
    instruction: str, target: int | None
) -> None:
    found = read_required_length(instruction)
    assert (found and found.target) == target


def test_absurd_lengths_are_returned_as_they_are() -> None:
    found = read_required_length("Write 90,000,000 words")
    assert found is not None
    assert found.target == 90_000_000


def test_a_number_of_thousands_of_digits_is_no_length() -> None:
    assert read_required_length(f"Write {'9' * 5000} words") is None


def test_both_ends_of_a_long_instruction_are_read() -> None:
    pasted = "The committee met and talked about the weather. " * 20_000
    for instruction in (f"Write 700 words.\n{pasted}", f"{pasted}\nWrite 700 words."):
        found = read_required_length(instruction)
        assert found is not None
        assert found.target == 700


ADVERSARIAL = [
    "1," * 100_000,
    "1 " * 500_000,
    "1 000" * 200_000,
    "9" * 1_000_000,
    "字" * 1_000_000,
    "一" * 1_000_000,
    "万" * 1_000_000,
    "1字" * 300_000,
    "만 " * 300_000,
    "mil " * 250_000,
    "quatre-" * 140_000,
    "a " * 500_000,
    "(" * 1_000_000,
    '"' * 1_000_000,
    " " * 1_000_000 + "words",
    "not " * 200_000 + "less than 500 words",
    "each " * 200_000 + "500 words",
    "summarize this " * 60_000 + "500 words",
    "10 chapters of 500 words each " * 30_000,
    "word count: " * 80_000,
    "the summary should be 9 words. " * 40_000,
    "at least 5 words, at most 9 words, " * 30_000,
    "the 1,500-word essay (" * 50_000 + "500 words?",
    "52 weeks, each week 5 words, " * 40_000,
]


@pytest.mark.parametrize("instruction", ADVERSARIAL, ids=lambda text: text[:12])
def test_a_megabyte_takes_bounded_time(instruction: str) -> None:
    started = time.process_time()
    read_required_length(instruction)
    # About 0.1 to 0.7 s on a slow core; what goes wrong here takes minutes.
    assert time.process_time() - started < 10


def test_any_mixture_of_phrases_is_read_without_an_error() -> None:
    chance = random.Random(7)
    phrases = [p for row in LABELED for p in re.findall(r"\w+|\W", row["instruction"])]
    for _ in range(300):
        read_required_length("".join(chance.choices(phrases, k=chance.randint(1, 40))))


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.characters(), max_size=60))
def test_any_text_is_read_without_an_error(instruction: str) -> None:
    read_required_length(f"{instruction} 500 words {instruction}")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 5_000_000))
def test_digits_survive_in_every_language(number: int) -> None:
    for instruction in (
        f"Write {number} words",
        f"写{number}字的文章",
        f"{number}文字で書いて",
        f"Schreibe {number:,} Wörter".replace(",", "."),
        f"Écris {number:,} mots".replace(",", "\u202f"),
        f"{number}단어로 써 줘",
    ):
        found = read_required_length(instruction)
        assert found is not None
        assert found.target == number
