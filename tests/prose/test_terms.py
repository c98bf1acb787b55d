from __future__ import annotations

import pytest

from longchain.prose.terms import terms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The pumps lift water.", ["pump", "lift", "water"]),
        ("cities, Classes; boxes glass", ["city", "class", "box", "glass"]),
        ("玉川上水", ["玉川", "川上", "上水"]),
        ("上水について", ["上水", "水に"]),
        ("東京のABC水道", ["東京", "京の", "abc", "水道"]),
        ("ＡＢＣ １２", ["abc", "12"]),
        ("Qualität der Röhren", ["qualität", "röhren"]),
        ("물이 온다", ["물이", "온다"]),
        ("水", ["水"]),
        ("", []),
    ],
)
def test_terms(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


def test_ascii_and_other_texts_agree() -> None:
    text = "Leaks in 40 cities; the pump's classes."
    assert terms(text) == terms(text + " …")
