from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longchain.length.count import (
    count_characters,
    count_length,
    count_words,
    count_words_reference,
)

MIXED = "日本語とEnglishの混在、2024年。"
FAMILY = "👨‍👩‍👧‍👦"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        (" \n\t", 0),
        ("One two three.", 3),
        ("a well-known fact", 3),
        ("don't, don’t", 2),
        ("3.14 and 1,000 and 20%", 5),
        ("U.S. and/or l'homme", 3),
        ("pages 3–5, 1990-1995", 3),  # pages, 3–5, 1990-1995
        ("here — there", 2),
        ("here—there and here--there", 5),  # here there / and / here there
        ("- – — & … ! 🎉", 0),
        ("naïve café", 2),
        ("Voilà : « l’été », dit-il.", 3),  # Voilà, l’été, dit-il
        ("Привет, мир!", 2),
        ("ＡＢＣ１２３ ＤＥ", 2),
        ("한국어 문장은 짧다.", 3),  # three runs between spaces
        ("日本語です。", 5),  # 日 本 語 で す; 。 is none
        ("がガｶﾞー々", 5),  # が ガ ｶﾞ ー 々
        (MIXED, 10),  # 日本語と 4, English 1, の混在 3, 2024 1, 年 1
        ("中文“hello world”……——don’t 3.14%", 6),  # 2 + 2 + 0 + 1 + 1
        ("Hello，world。", 2),
        ("สวัสดีครับ", 3),  # 10 letters and signs / 3.9 = 2.6
        ("ກ", 1),  # never none
        ("ใช้ GPT ได้", 3),  # 4 / 3.9 = 1.0 for 4 + 4 = 8 / 3.9 = 2.05 Thai, GPT 1
    ],
)
def test_words(text: str, words: int) -> None:
    assert count_words(text) == words
    assert count_length(text, "words") == words


@pytest.mark.parametrize(
    ("text", "language", "characters"),
    [
        ("", "ja", 0),
        (MIXED, "ja", 21),  # 日本語と 4 + English 7 + の混在、 4 + 2024 4 + 年。 2
        (MIXED, None, 21),
        (MIXED, "zh", 12),  # 日本語と 4 + English 1 + の混在、 4 + 2024 1 + 年。 2
        ("あ い　う\n\nえ", "ja", 4),
        ("東京タワー、333m。", "ja", 11),  # 東京 2 + タワー 3 + 、 1 + 333m 4 + 。 1
        ("「はい」……", "ja", 6),
        ("がガｶﾞﾊﾟ", "ja", 4),
        ("ＡＢＣ１２３ABC", "ja", 9),
        ("写一篇关于 ChatGPT 的文章", None, 9),  # 写一篇关于 5 + ChatGPT 1 + 的文章 3
        ("你好，世界！", "zh", 6),
        ("你好,世界!", "zh-Hans", 6),  # half-width marks are one run each
        ("他说：“好……”——", "zh", 10),  # 他说 2 ： 1 “ 1 好 1 …… 2 ” 1 —— 2
        ("中文“hello world”", "zh", 6),  # 2 + “ 1 + 2 + ” 1
        ("don’t 3.14% GPT-4", "zh", 3),
        ("ＡＢＣ１２３ ABC", "zh", 2),
        (f"好{FAMILY}🇯🇵👍🏽", "zh", 4),
        ("안녕하세요 여러분.", "ko", 9),  # 5 + 3 + .
        ("안녕하세요 여러분.", None, 9),
        ("Hi there, you.", "en", 12),  # 2 + 6 + 4
        ("Hi there, you.", None, 12),
        ("สวัสดี", "th", 6),  # ส ว ั ส ด ี
        ("हिन्दी", "hi", 6),  # ह ि न ् द ी
        (f"{FAMILY}🇯🇵👍🏽é", "en", 4),
        ("e\u0301 x\u0323\u0301", "en", 2),
        ("co\u00adop\u200b\ufeff", "en", 4),
    ],
)
def test_characters(text: str, language: str | None, characters: int) -> None:
    assert count_characters(text, language) == characters
    assert count_length(text, "characters", language) == characters


@pytest.mark.parametrize("language", ["en", "ja", "zh", "ko", "th", None])
@pytest.mark.parametrize(
    "text", ["Élève déçu", "ガギグとパ", "한국어 문장", "ẹ́ ở", "\u0958 \u1026"]
)
def test_composed_or_not_is_the_same(text: str, language: str | None) -> None:
    composed, parts = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    assert text != composed or text != parts
    for same in (composed, parts):
        assert count_characters(same, language) == count_characters(text, language)
        assert count_words(same) == count_words(text)


@pytest.mark.parametrize(
    ("markdown", "words"),
    [
        ("1. One [two](x.y 'no') [5]\n2. three<br>four <!-- no -->\n", 4),
        ("1. one\n   2) two\n", 2),
        ("- [x] one\n> 3. two\n\n---\n***", 2),
        ("```no\none # two\n```\n~~~ no\nthree", 3),
        ("|one|two|\n|---|---|\n|three|4|", 4),
        ("---\nno: no\n---\n# One [^2]\n**two**&nbsp;_three_[^no]", 3),
        ("<p class='no' id=no>one</p>two <a name=no>three</a>four", 3),  # one, two, threefour
        ("[no]: https://no.no 'no no'\none", 1),
    ],
)
def test_words_of_markup_do_not_count(markdown: str, words: int) -> None:
    assert count_words(markdown) == words


ANYTHING = st.text(st.characters()) | st.lists(
    st.sampled_from(["[a](b", "**", "_", "`", "```\n", "<b", "<!--", "|", "\n", "# ", "- ", "[3]"])
).map("".join)


@given(st.lists(st.text(st.sampled_from("ab é漢字かなガ한。、.,'—&😀1\u0301")), min_size=2))
def test_paragraphs_add_up(paragraphs: list[str]) -> None:
    text = "\n\n".join(paragraphs)
    assert count_words(text) == sum(map(count_words, paragraphs))
    for language in ("en", "ja", "zh", "ko"):
        whole = count_characters(text, language)
        assert whole == sum(count_characters(part, language) for part in paragraphs)


@given(st.text("abcé漢字かな한 ", min_size=1).map(str.strip).filter(bool))
def test_emphasis_headings_and_citations_change_nothing(text: str) -> None:
    for marked in (f"**{text}**", f"_{text}_", f"## {text}", f"> - {text} [3]", f"`{text}`"):
        assert count_words(marked) == count_words(text)
        assert count_characters(marked, "ja") == count_characters(text, "ja")
        assert count_characters(marked, "zh") == count_characters(text, "zh")


@given(ANYTHING, st.sampled_from(["en", "ja", "zh", "ko", "th", None]))
def test_any_text_has_a_length(text: str, language: str | None) -> None:
    seen = sum(not character.isspace() for character in unicodedata.normalize("NFKD", text))
    assert 0 <= count_words(text) <= len(text)
    assert 0 <= count_characters(text, language) <= seen


def reference(text: str) -> int:
    """Count by hand: Han characters, and ASCII runs that touch no other letter, digit or `_`."""
    runs = re.split(r"\W", text)
    ascii_runs = [run for run in runs if run.isascii() and run.isalpha()]
    return len(ascii_runs) + sum("\u4e00" <= character <= "\u9fff" for character in text)


@given(st.text() | st.text("ab1_漢é '-."))
def test_the_reference_counter_is_the_published_one(text: str) -> None:
    assert count_words_reference(text) == reference(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't stop", 3),  # Don, t, stop
        ("GPT-4 has 3.14", 2),  # GPT, has
        ("日本語とEnglishの", 3),  # English touches kana: no word boundary
        ("中文 English", 3),
        ("# **Bold**", 1),
    ],
)
def test_the_reference_counter_on_its_quirks(text: str, words: int) -> None:
    assert count_words_reference(text) == words
