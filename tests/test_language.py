from __future__ import annotations

import re

import pytest

from longchain.language import (
    Script,
    character_class,
    default_unit,
    detect,
    english_name,
    is_spaced,
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
