from __future__ import annotations

import pytest

from longchain.length.reading.numerals import find_numerals


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,500", 1500),
        ("1.500", 1500),
        ("2 500", 2500),
        ("1'000", 1000),
        ("1,00,000", 100_000),
        ("1.5k", 1500),
        ("10K", 10_000),
        ("1.25万", 12_500),
        ("2 Tsd.", 2000),
        ("1,5 Millionen", 1_500_000),
        ("3 mil", 3000),
        ("5 тыс.", 5000),
        ("3w字", 30_000),
        ("1万5千", 15_000),
        ("2万5000", 25_000),
        ("两千", 2000),
        ("三千五百", 3500),
        ("三千五", 3500),
        ("三千零五", 3005),
        ("一万二", 12_000),
        ("二〇〇〇", 2000),
        ("十五万", 150_000),
        ("壹仟", 1000),
        ("2천", 2000),
        ("만", 10_000),
        ("이천오백", 2500),
        ("1만 2천", 12_000),
        ("만 이천", 12_000),
        ("fifteen hundred", 1500),
        ("twenty-five hundred", 2500),
        ("two thousand five hundred", 2500),
        ("two hundred and fifty thousand", 250_000),
        ("one and a half thousand", 1500),
        ("half a million", 500_000),
        ("zweitausendfünfhundert", 2500),
        ("einundzwanzig", 21),
        ("anderthalbtausend", 1500),
        ("zweieinhalbtausend", 2500),
        ("eine halbe Million", 500_000),
        ("deux mille cinq cents", 2500),
        ("quatre-vingt-dix", 90),
        ("centaine", 100),
        ("deux centaines", 200),
        ("dos mil quinientas", 2500),
        ("medio millón", 500_000),
        ("duemilacinquecento", 2500),
        ("duas mil", 2000),
        ("tweeduizend", 2000),
        ("две тысячи пятьсот", 2500),
    ],
)
def test_one_number(text: str, value: int) -> None:
    (numeral,) = find_numerals(text)
    assert numeral.value == value


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("two thousand and three thousand", [2000, 3000]),
        ("800-1,000", [800, 1000]),
        ("2024 500", [2024, 500]),
        ("one thousand and twelve hundred", [1000, 1200]),
        ("3 500-word essays", [3, 500]),
        ("a 3 500-word essay", [3500]),
        ("six miles", [6]),
        ("5 m", [5]),
        ("mp3 a2 x1", []),
        ("300字x3段", [300, 3]),
        ("a car, une voiture", []),
        ("9" * 16, []),
        ("하지만 이 사람", []),
    ],
)
def test_where_a_number_ends(text: str, values: list[int]) -> None:
    assert [numeral.value for numeral in find_numerals(text)] == values


@pytest.mark.parametrize(
    ("text", "low", "value"),
    [("两三千", 2000, 3000), ("两三章", 2, 3), ("五六章", 5, 6), ("二五章", 25, 25)],
)
def test_adjacent_digits_are_a_range(text: str, low: int, value: int) -> None:
    (numeral,) = find_numerals(text)
    assert (numeral.low, numeral.value) == (low, value)
