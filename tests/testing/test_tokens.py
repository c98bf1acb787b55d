import pytest
from hypothesis import given
from hypothesis import strategies as st

from longchain.testing import tokens


@given(st.text())
def test_pieces_and_words_join_to_the_text(text: str) -> None:
    assert "".join(tokens.split(text)) == text
    assert "".join(tokens.split_words(text)) == text


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("the harbors", ["the", " harb", "ors"]),
        ("港口。", ["港", "口", "。"]),
        ("a\n\n한국 b", ["a", "\n", "\n", "한", "국", " b"]),
        ("café au", ["café", " au"]),
    ],
)
def test_split(text: str, pieces: list[str]) -> None:
    assert tokens.split(text) == pieces


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello,  big\n\nworld. ", ["Hello,", "  big", "\n\nworld.", " "]),
        ("漢字 ok", ["漢", "字", " ok"]),
        ("", []),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert tokens.split_words(text) == words


@pytest.mark.parametrize(
    ("most", "stop", "text", "reason"),
    [
        (None, None, "one two three", "stop"),
        (4, None, "one two three", "stop"),
        (2, None, "one two", "length"),
        (None, [" two"], "one", "stop"),
        (1, ["three", " t"], "one", "stop"),
        (1, ["three", ""], "one", "length"),
    ],
)
def test_limit(most: int | None, stop: list[str] | None, text: str, reason: str) -> None:
    output = tokens.truncate("one two three", most, stop)
    assert (output.text, output.finish_reason) == (text, reason)


def test_numbers_tell_tokens_apart() -> None:
    first, second, third = tokens.token_ids(["a", "b", "a"])
    assert first == third != second
