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

from longchain.length.reading.required_length import RequiredLength, read_required_length

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


def _read(instruction: str) -> tuple[int, int | None, int | None] | None:
    required = read_required_length(instruction)
    return (required.target, required.minimum, required.maximum) if required else None


RANGES = {
    "en": "200-300 words/200–300 words/200 to 300 words/between 200 and 300 words"
    "/from 200 to 300 words/from 200 up to 300 words/200 or 300 words/200 words to 300 words"
    "/200 words or 300 words/between 200 words and 300 words/two to three hundred words",
    "de": "200-300 Wörter/200–300 Wörter/200 bis 300 Wörter/200 oder 300 Wörter"
    "/zwischen 200 und 300 Wörter/von 200 bis 300 Wörter/200 Wörter bis 300 Wörter",
    "fr": "200-300 mots/200 à 300 mots/200 ou 300 mots/entre 200 et 300 mots",
    "es": "200-300 palabras/200 a 300 palabras/200 o 300 palabras/entre 200 y 300 palabras",
    "ja": "200-300字/200~300字/200〜300字/200～300文字/200から300字/200字から300字/200字〜300字"
    "/200または300字/200字または300字/200か300字",
    "zh": "200-300字/200~300字/200到300字/200至300字/200字到300字/200或300字/200字或者300字"
    "/介于200和300字/二三百字",
    "ko": "200-300자/200~300자/200에서 300자/200자에서 300자",
}
"""200 to 300 as each language writes it."""

PARTS = {
    "en": ("A diary, {} per entry", "A diary of 7 entries, {} per entry"),
    "de": ("Ein Roman, {} je Kapitel", "Ein Roman in 7 Kapiteln, {} je Kapitel"),
    "fr": ("Un roman, {} par chapitre", "Un roman en 7 chapitres, {} par chapitre"),
    "es": ("Una novela, {} por capítulo", "Una novela de 7 capítulos, {} por capítulo"),
    "ja": ("小説を書いて。各章{}", "小説を書いて。全7章、各章{}"),
    "zh": ("写一本小说,每章{}", "写一本小说,共7章,每章{}"),
    "ko": ("소설, 각 장 {}", "소설 7장, 각 장 {}"),
}


@pytest.mark.parametrize(
    ("language", "written"),
    [(language, one) for language in RANGES for one in RANGES[language].split("/")],
)
def test_neither_end_of_a_range_counts_parts(language: str, written: str) -> None:
    open_, counted = PARTS[language]
    assert _read(open_.format(written)) is None
    assert _read(counted.format(written)) == (1750, 1400, 2100)


@pytest.mark.parametrize(
    ("instruction", "length"),
    [
        ("A diary, 200 to 300 words per entry", None),
        ("400 or 500 words per section", None),
        ("A diary, 20 to 30 words per entry", None),
        ("Describe the planets, 20 to 30 words each", None),
        ("Describe the planets, 50 or 40 words each", None),
        ("Describe 8 planets, 20 to 30 words each", (200, 160, 240)),
        ("A diary with 7 entries, 200 to 300 words each", (1750, 1400, 2100)),
        ("Ein Roman, 20 bis 30 Wörter je Kapitel", None),
        ("日記、1日200~300字", None),
        ("200〜300字の記事を3本", (750, 600, 900)),
        ("三篇200到300字的作文", (750, 600, 900)),
        ("写日记,共7篇,每篇200字到300字", (1750, 1400, 2100)),
    ],
)
def test_ranges_of_parts(instruction: str, length: tuple[int, int, int] | None) -> None:
    assert _read(instruction) == length


@pytest.mark.parametrize(
    "instruction",
    [
        "Write 5 to 7 chapters of 2,000 words each",
        "Write 5-7 chapters of 2,000 words each",
        "Write between 5 and 7 chapters, each 2,000 words",
        "Write three or four 500-word essays",
        "A report in 5 to 7 sections, each with 3 paragraphs of 100 words",
        "5 bis 7 Kapitel zu je 2000 Wörtern",
        "5 à 7 chapitres de 2000 mots chacun",
        "5~7章、各章2000字",
        "5章から7章、各章2000字",
        "200〜300字の記事を3〜5本",
        "200字の記事案を3〜5個",
        "五到七章,每章2000字",
        "两三章,每章2000字",
        "소설 5~7장, 각 장 2000자",
    ],
)
def test_a_range_of_parts_leaves_their_number_open(instruction: str) -> None:
    assert _read(instruction) is None


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
