import re
from random import Random

import pytest

from longchain.document import Unit
from longchain.testing import prose
from longchain.testing.behavior import measure
from longchain.testing.vocabulary import VOCABULARIES, Vocabulary

KINDS = [
    ("en", "words"),
    ("zh", "characters"),
    ("ja", "characters"),
    ("ko", "characters"),
    ("ko", "words"),
]


@pytest.mark.parametrize(("language", "unit"), KINDS)
def test_length_is_exact(language: str, unit: Unit) -> None:
    for length in range(2, 300):
        assert measure(prose.write(Random(length), language, length, unit), unit) == length


@pytest.mark.parametrize(("language", "unit"), KINDS)
@pytest.mark.parametrize("length", [1, 5, 40, 333])
def test_text_ends_with_a_full_stop(language: str, unit: Unit, length: int) -> None:
    assert prose.write(Random(1), language, length, unit).endswith((".", "。"))


@pytest.mark.parametrize("length", [1, 10, 100, 1_000])
def test_english_by_characters_ends_within_a_word(length: int) -> None:
    text = prose.write(Random(1), "en", length, "characters")
    assert 0 <= measure(text, "characters") - length <= 14
    assert text.endswith(".")


@pytest.mark.parametrize(
    ("language", "unit", "length", "stop", "low", "high"),
    [
        ("en", "words", 30_000, r"(?<=\.)\s+", 8, 22),
        ("zh", "characters", 30_000, r"(?<=。)\s*", 15, 40),
        ("ja", "characters", 30_000, r"(?<=。)\s*", 15, 40),
        ("ko", "characters", 30_000, r"(?<=\.)\s+", 15, 40),
    ],
)
def test_sentences_differ_and_have_usual_lengths(
    language: str, unit: Unit, length: int, stop: str, low: int, high: int
) -> None:
    text = prose.write(Random(5), language, length, unit)
    sentences = [sentence for sentence in re.split(stop, text) if sentence]
    assert len(set(sentences)) == len(sentences) > 700
    assert all(low <= measure(sentence, unit) <= high for sentence in sentences)


def test_english_repeats_hardly_any_four_words() -> None:
    words = prose.write(Random(2), "en", 30_000, "words").lower().split()
    fours = list(zip(words, words[1:], words[2:], words[3:], strict=False))
    assert len(set(fours)) > 0.995 * len(fours)


def test_text_has_paragraphs() -> None:
    paragraphs = prose.write(Random(1), "en", 400, "words").split("\n\n")
    assert 3 <= len(paragraphs) <= 12


def test_chinese_words_are_written_in_english() -> None:
    assert prose.write(Random(1), "zh", 50, "words").isascii()


@pytest.mark.parametrize("language", list(VOCABULARIES))
def test_headings_have_no_punctuation(language: str) -> None:
    headings = {prose.make_heading(Random(seed), language) for seed in range(200)}
    assert len(headings) > 190
    assert all(re.fullmatch(r"[\w ]+", heading) for heading in headings)


@pytest.mark.parametrize("vocabulary", VOCABULARIES.values())
def test_vocabulary_has_no_word_twice(vocabulary: Vocabulary) -> None:
    for words in vars(vocabulary).values():
        assert len(set(words)) == len(words) >= 20


@pytest.mark.parametrize(("language", "adjective"), [("zh", 2), ("ja", 3), ("ko", 3)])
def test_wide_words_have_the_size_that_sentences_rely_on(language: str, adjective: int) -> None:
    words = VOCABULARIES[language]
    assert {len(word) for word in words.nouns + words.verbs + words.adverbs} == {2}
    assert {len(word) for word in words.adjectives} == {adjective}
