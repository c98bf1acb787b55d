import pytest

from longchain.prose.repetition import (
    duplicate_sentences,
    overlap,
    rep_n,
    tokens,
)

CAT = "The cat sat on the mat. "
MOON = "他走进房间，看见了窗外的月亮。"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("Don't stop — 42 times!", ["don't", "stop", "42", "times"]),
        ("**Bold** _text_", ["bold", "text"]),
        ("月が出た。Tokyo 5", ["月", "が", "出", "た", "tokyo", "5"]),
        ("한국어 문장", ["한국어", "문장"]),
        ("हिन्दी है।", ["हिन्दी", "है"]),
    ],
)
def test_tokens(text: str, expected: list[str]) -> None:
    assert tokens(text) == expected


@pytest.mark.parametrize(
    ("text", "n", "expected"),
    [
        ("", 4, 0.0),
        ("one two three", 4, 0.0),
        ("a b c d e f", 2, 0.0),
        ("a b a b a b", 2, 1 - 2 / 5),
        ("A b, a B", 2, 1 - 2 / 3),
        ("春天春天", 2, 1 - 2 / 3),
    ],
)
def test_rep_n_is_the_share_of_repeated_grams(text: str, n: int, expected: float) -> None:
    assert rep_n(text, n) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("", "", 0.0),
        ("a b c d e f", "x y", 0.0),
        ("a b c d e f", "a b c d e f", 1.0),
        ("x a b c d e y", "a b c d e z", 0.5),
        ("a b c d e", "v w x y z q", 0.0),
    ],
)
def test_overlap_is_the_share_of_b(a: str, b: str, expected: float) -> None:
    assert overlap(a, b) == pytest.approx(expected)


def test_duplicate_sentences_ignores_case_punctuation_and_short_ones() -> None:
    text = "The sea was calm that night. No. No. The sea was calm, that night! It rained."
    assert duplicate_sentences(text) == ["The sea was calm, that night!"]
    assert duplicate_sentences(MOON * 3) == [MOON] * 2
