from __future__ import annotations

import pytest
import sentencex
from hypothesis import given
from hypothesis import strategies as st

from longchain.sentences import ends_sentence, split_sentences


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "", []),
        ("en", "  \n", ["  \n"]),
        ("en", "Dr. Ng sailed. She won [3]. ", ["Dr. Ng sailed. ", "She won [3]. "]),
        ("en", "One.[4] Two.", ["One.[4] ", "Two."]),
        ("en", "# 1. Ships\nA boat. Two.", ["# 1. Ships\n", "A boat. ", "Two."]),
        ("en", "Text\n- one\n- two\nafter", ["Text\n", "- one\n", "- two\n", "after"]),
        ("en", "1. One. Two.\n2. Three.\n", ["1. One. ", "Two.\n", "2. Three.\n"]),
        ("en", "- one\n  goes on\n\nafter", ["- one\n  goes on\n\n", "after"]),
        ("en", "a\n\n\nb\r\n\r\nc", ["a\n\n\n", "b\r\n\r\n", "c"]),
        ("en", "\n\na", ["\n\na"]),
        ("en", "```\na. B\n\nc\n```\nEnd. E.", ["```\na. B\n\nc\n```\n", "End. ", "E."]),
        ("en", "a:\n| 1. | 2 |\n|---|---|\nb", ["a:\n", "| 1. | 2 |\n", "|---|---|\n", "b"]),
        ("en", "One. **Two. Three.** Four.", ["One. ", "**Two. ", "Three.** ", "Four."]),
        ("en", "*One!* __Two.__\n_Three?_ 4", ["*One!* ", "__Two.__\n", "_Three?_ ", "4"]),
        ("en", "One.* Two.", ["One.* ", "Two."]),
        ("en", "One. * two.", ["One. ", "* two."]),
        ("en", "- **One.** Two.", ["- **One.** ", "Two."]),
        ("ja", "雨。**雪。**晴。**雲。", ["雨。", "**雪。**", "晴。", "**雲。"]),
        ("ja", "**「雨。」**次。", ["**「雨。」**", "次。"]),
        ("ja", "*「雪。」*と言った。", ["*「雪。」*と言った。"]),
        ("zh", "2**3。**好。**走。", ["2**3。", "**好。**", "走。"]),
        ("ja", "雨だ。「はい。」次！", ["雨だ。", "「はい。」", "次！"]),
        ("ja", "『終わり。』（完。）次。", ["『終わり。』", "（完。）", "次。"]),
        ("ja", "彼は「雨。」と彼は言った。次。", ["彼は「雨。」と彼は言った。", "次。"]),
        ("ja", "「雨。」ところが晴れた。", ["「雨。」", "ところが晴れた。"]),
        ("zh", "他说：“走吧。”然后走了。真的！？", ["他说：“走吧。”", "然后走了。", "真的！？"]),
    ],
)
def test_sentences(language: str, text: str, expected: list[str]) -> None:
    assert split_sentences(text, language) == expected


def test_sentences_find_the_language_out() -> None:
    assert split_sentences("雨だ。晴れだ。") == ["雨だ。", "晴れだ。"]


LINE_MARKS = ["# ", "- ", "12. ", "> ", "| ", "```", "---", "\n", "\n\n", "\r\n", "\u2028"]
IN_LINES = ["Dr. A", "b.", " ", "\u3000", "。", "」", "「", "と言", "“", "”", "…", "[3]", "\ud800"]
EMPHASIS = ["*", "**", "_"]
MARKDOWN = st.lists(st.sampled_from([*LINE_MARKS, *IN_LINES, *EMPHASIS])).map("".join)


@given(MARKDOWN | st.text(), st.sampled_from([None, "en", "ja", "zh", "th", "xx", "en-US"]))
def test_sentences_lose_nothing(text: str, language: str | None) -> None:
    pieces = split_sentences(text, language)
    assert "".join(pieces) == text
    assert all(piece.strip() for piece in pieces) or len(pieces) == 1


@given(MARKDOWN | st.text())
def test_ends_sentence_never_raises(text: str) -> None:
    assert ends_sentence(text) in {True, False}


def test_a_long_paragraph_is_cut_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    # `sentencex` is quadratic in unclosed quotation marks: 600,000 characters took it 88 s.
    segment = sentencex.segment
    given: list[int] = []

    def record(language: str, portion: str) -> list[str]:
        given.append(len(portion))
        sentences: list[str] = segment(language, portion)
        return sentences

    monkeypatch.setattr("longchain.sentences.sentencex.segment", record)
    assert split_sentences("雨。「晴れ。" * 5000, "ja") == ["雨。", "「晴れ。"] * 5000
    assert max(given) <= 4000


@pytest.mark.parametrize(
    "text",
    [
        "Done.",
        "Done!”",
        'He said "Go."',
        "(Done.)",
        "**Done.**",
        "Done [3].",
        "Done.[3]",
        "Done. [3, 7]",
        "Done.[^1]",
        "Done.²",
        "Done.\\",
        "Fin.</p>",
        "Great! 🎉",
        "Wait…",
        "« Oui. »",
        "„Ja.“",
        "Τι κάνεις;",
        "كيف؟",
        "यह है।",
        "終わり。",
        "彼は「はい」",
        "他说“好”",
        "好！）",
        "สวัสดี",
        "ລາວ",
        "End.\n\n---",
        "- a\n- b",
        "1. One.\n2. Two.",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "a | b\n--- | ---\n1 | 2",
        "```py\nx\n```",
        "$$x$$",
        "![a chart](chart.png)",
    ],
)
def test_ends_in_a_whole_sentence(text: str) -> None:
    assert ends_sentence(text)
    assert ends_sentence(text + " \n")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Not done",
        "the, ",
        "see:",
        "a;",
        "—",
        'He said "',
        "He said “",
        "Done. **",
        "(see",
        "word (aside)",
        "see [here](http://x)",
        "終わ",
        "他走",
        "# Head",
        "Text.\n\n## Next",
        "---",
        "- only",
        "- a,\n- b,",
        "- a\n- b and (",
        "1. One.\n2. Two",
        "| a | b |\n|---|---|\n| 1",
        "a | b\n--- | ---\n1",
        "```py\nx = 1.",
    ],
)
def test_ends_in_a_cut_sentence(text: str) -> None:
    assert not ends_sentence(text)


@pytest.mark.parametrize(
    ("text", "language", "count"),
    [
        ("Im 19. Jahrhundert kam die Kühlung auf. Das half.", "de", 2),
        ("Det var i 19. århundrede. Så kom krigen.", "da", 2),
        ("Er kam am 3. Mai 1820. Sie blieb.", "de", 2),
        ("In 1820. Then she left.", "en", 2),
    ],
)
def test_an_ordinal_number_ends_no_sentence(text: str, language: str, count: int) -> None:
    assert len(split_sentences(text, language)) == count
