from __future__ import annotations

import re

import pytest
import sentencex
from hypothesis import given
from hypothesis import strategies as st

from longchain.language import (
    Script,
    character_class,
    default_unit,
    detect,
    ends_sentence,
    english_name,
    is_spaced,
    sentences,
)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("", "en"),
        ("2024, 3.14 %", "en"),
        ("Write 5000 words about Kant", "en"),
        ("Write an essay about 侘寂", "en"),
        ("Write an essay about 侘寂と金継ぎ", "en"),
        ("The poet Li Bai (李白) lived in Tang China.", "en"),
        ("写一篇关于 ChatGPT 的文章", "zh"),
        ("奶茶の店在台北的街上有很多人排队购买新品", "zh"),
        ("日本語とEnglishの混在、2024年。", "ja"),
        ("LangChainとLangGraphを使ってRAGを実装する", "ja"),
        ("LangChainのRunnableとは何か", "ja"),
        ("使い方は https://example.org/a/very/long/path/of/an/address を見る", "ja"),
        ("次の例を見る。\n```python\nfor item in the_list_of_items: print(item)\n```\n", "ja"),
        ("ｶﾞｲﾄﾞ", "ja"),
        ("서울에서 KTX를 타고", "ko"),
        ("สวัสดีครับ", "th"),
        ("Напиши эссе о Канте", "ru"),
        ("Напиши есе про Канта і її вплив", "uk"),
        ("اكتب مقالا", "ar"),
        ("Γράψε ένα δοκίμιο", "el"),
        ("כתוב מאמר", "he"),
        ("एक निबंध लिखो", "hi"),
        ("Schreibe einen Aufsatz über Kant", "de"),
        ("Écris un essai sur Kant", "fr"),
        ("Escribe un ensayo sobre Kant", "es"),
        ("Scrivi un saggio su Kant", "it"),
        ("Escreva um ensaio sobre Kant", "pt"),
        ("Schrijf een essay over Kant", "nl"),
    ],
)
def test_detect(text: str, language: str) -> None:
    assert detect(text) == language


def test_detect_looks_only_at_the_beginning_of_a_long_text() -> None:
    assert detect("春が来た。" * 4000 + "the end of it " * 90_000) == "ja"


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
    assert sentences(text, language) == expected


def test_sentences_find_the_language_out() -> None:
    assert sentences("雨だ。晴れだ。") == ["雨だ。", "晴れだ。"]


LINE_MARKS = ["# ", "- ", "12. ", "> ", "| ", "```", "---", "\n", "\n\n", "\r\n", "\u2028"]
IN_LINES = ["Dr. A", "b.", " ", "\u3000", "。", "」", "「", "と言", "“", "”", "…", "[3]", "\ud800"]
EMPHASIS = ["*", "**", "_"]
MARKDOWN = st.lists(st.sampled_from([*LINE_MARKS, *IN_LINES, *EMPHASIS])).map("".join)


@given(MARKDOWN | st.text(), st.sampled_from([None, "en", "ja", "zh", "th", "xx", "en-US"]))
def test_sentences_lose_nothing(text: str, language: str | None) -> None:
    pieces = sentences(text, language)
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

    monkeypatch.setattr("longchain.language.sentencex.segment", record)
    assert sentences("雨。「晴れ。" * 5000, "ja") == ["雨。", "「晴れ。"] * 5000
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
    ("language", "spaced", "unit"),
    [
        ("en", True, "words"),
        ("de-AT", True, "words"),
        ("ko", True, "characters"),
        ("ja", False, "characters"),
        ("zh-Hant", False, "characters"),
        ("th", False, "characters"),
        ("lo", False, "characters"),
        ("km", False, "characters"),
        ("my", False, "characters"),
    ],
)
def test_spacing_and_unit(language: str, spaced: bool, unit: str) -> None:
    assert (is_spaced(language), default_unit(language)) == (spaced, unit)


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("de", "German"),
        ("de-AT", "German"),
        ("pt_BR", "Brazilian Portuguese"),
        ("zh-Hans", "Simplified Chinese"),
        ("tlh", "tlh"),
    ],
)
def test_english_name(tag: str, name: str) -> None:
    assert english_name(tag) == name


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
    assert len(sentences(text, language)) == count


@pytest.mark.parametrize(
    ("scripts", "ranges"),
    [
        (("th", "lo", "my", "km"), "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"),
        (("th", "lo", "km"), "\u0e00-\u0eff\u1780-\u17ff"),
        (
            ("han",),
            "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af",
        ),
    ],
)
def test_character_class(scripts: tuple[Script, ...], ranges: str) -> None:
    every = "".join(map(chr, range(0x110000)))
    pattern = re.compile(f"[{character_class(*scripts)}]")
    assert pattern.findall(every) == re.findall(f"[{ranges}]", every)
