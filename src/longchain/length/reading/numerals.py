"""Reads numbers as people write them: digits, number words and CJK numerals.

text -> `Numeral`s in order, each with its position

Knows `1.500`, `2 500`, `5k`, `1万5千`, `两三千`, `fifteen hundred`, `zweitausend` and `2천`; does
not know what is counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

# By language; `_` is a space. Compounds need no entry: zwei+tausend+fünf+hundert, due+mila,
# twee+duizend.
_WORDS = """
zero=0 one=1 two=2 three=3 four=4 five=5 six=6 seven=7 eight=8 nine=9 ten=10 eleven=11 twelve=12
thirteen=13 fourteen=14 fifteen=15 sixteen=16 seventeen=17 eighteen=18 nineteen=19 twenty=20
thirty=30 forty=40 fifty=50 sixty=60 seventy=70 eighty=80 ninety=90
half_a=0.5 half_an=0.5 a_half=0.5 dozen=12
ein=1 eine=1 einen=1 einem=1 einer=1 zwei=2 drei=3 vier=4 fünf=5 sechs=6 sieben=7 acht=8 neun=9
zehn=10 elf=11 zwölf=12 dreizehn=13 vierzehn=14 fünfzehn=15 sechzehn=16 siebzehn=17 achtzehn=18
neunzehn=19 zwanzig=20 dreißig=30 vierzig=40 fünfzig=50 sechzig=60 siebzig=70 achtzig=80
neunzig=90 anderthalb=1.5 einhalb=0.5 eine_halbe=0.5 einer_halben=0.5
un=1 une=1 deux=2 trois=3 quatre=4 cinq=5 sept=7 huit=8 neuf=9 dix=10 onze=11 douze=12 treize=13
quatorze=14 quinze=15 seize=16 vingt=20 trente=30 quarante=40 cinquante=50 soixante=60
quatre-vingt=80 quatre-vingts=80 un_demi=0.5 dizaine=10 quinzaine=15 vingtaine=20 trentaine=30
quarantaine=40 cinquantaine=50 soixantaine=60
una=1 dos=2 tres=3 cuatro=4 cinco=5 seis=6 siete=7 ocho=8 nueve=9 diez=10 once=11 doce=12 trece=13
catorce=14 quince=15 veinte=20 treinta=30 cuarenta=40 cincuenta=50 sesenta=60 setenta=70
ochenta=80 noventa=90 doscientas=200 trescientas=300 cuatrocientas=400 quinientas=500
seiscientas=600 setecientas=700 ochocientas=800 novecientas=900 medio=0.5
due=2 tre=3 quattro=4 cinque=5 sei=6 sette=7 otto=8 nove=9 dieci=10 undici=11 dodici=12 quindici=15
venti=20 trenta=30 quaranta=40 cinquanta=50 mezzo=0.5
um=1 uma=1 dois=2 duas=2 três=3 quatro=4 sete=7 oito=8 dez=10 doze=12 vinte=20 trinta=30
quarenta=40 cinquenta=50 duzentas=200 trezentas=300 quatrocentas=400 quinhentas=500
seiscentas=600 setecentas=700 oitocentas=800 novecentas=900 meio=0.5
een=1 twee=2 drie=3 vijf=5 zes=6 zeven=7 negen=9 tien=10 twaalf=12 vijftien=15 twintig=20 dertig=30
один=1 одна=1 одну=1 два=2 две=2 двух=2 три=3 трёх=3 четыре=4 пять=5 шесть=6 семь=7 восемь=8
девять=9 десять=10 пятнадцать=15 двадцать=20 тридцать=30 сорок=40 пятьдесят=50 двести=200
триста=300 четыреста=400 пятьсот=500 шестьсот=600 семьсот=700 восемьсот=800 девятьсот=900
полторы=1.5
"""
_MULTIPLIERS = """
hundred=100 hundert=100 cent=100 cents=100 cien=100 ciento=100 cento=100 cem=100 honderd=100 сто=100
centaine=100 centaines=100 centenar=100 centenares=100 centinaio=100 centinaia=100
thousand=1000 tausend=1000 tsd=1000 mille=1000 millier=1000 milliers=1000 mil=1000 millar=1000
millares=1000 mila=1000 migliaio=1000 duizend=1000
тысяча=1000 тысячи=1000 тысячу=1000 тысяч=1000 тыс=1000 lakh=100000
million=1000000 millions=1000000 millionen=1000000 millón=1000000 millones=1000000 milione=1000000
milioni=1000000 milhão=1000000 milhões=1000000 miljoen=1000000 миллион=1000000 миллиона=1000000
"""


def _parse_table(entries: str) -> dict[str, float]:
    pairs = (entry.split("=") for entry in entries.split())
    return {word.replace("_", " "): float(value) for word, value in pairs}


def _parse_digits(digits: str) -> dict[str, int]:
    """Return the value of each digit character, from groups of variants in order of value."""
    return {
        character: value
        for value, variants in enumerate(digits.split(","))
        for character in variants
    }


_MULTIPLIER = _parse_table(_MULTIPLIERS)
_NUMBER_WORD = _parse_table(_WORDS) | _MULTIPLIER
_LETTER_SCALE = {"k": 1000, "m": 10**6, "w": 10**4}  # `w` is 万 in Chinese chats.
_KANJI = _parse_digits("〇零,一壹,二两兩贰,三叁,四肆,五伍,六陆,七柒,八捌,九玖")
_KANJI_SCALE = {
    character: 10**exponent
    for exponent, variants in enumerate(["十拾", "百佰", "千仟", "万萬"], 1)
    for character in variants
}
_KANJI_SCALE |= {"億": 10**8, "亿": 10**8}
_HANGUL = _parse_digits("영,일,이,삼,사,오,육,칠,팔,구")
_HANGUL_SCALE = {"십": 10, "백": 100, "천": 1000, "만": 10**4, "억": 10**8}
_COUNTS = {
    "두": 2,
    "세": 3,
    "네": 4,
    "다섯": 5,
    "여섯": 6,
    "일곱": 7,
    "여덟": 8,
    "아홉": 9,
    "열": 10,
}
_SIGN = _KANJI | _HANGUL
_SIGN_SCALE = _KANJI_SCALE | _HANGUL_SCALE


def _alternatives(words: dict[str, float]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_WORD_END = r"(?![^\W\d_])"
# At most 15 digits: a longer number is no length, and `int()` refuses 4,301 digits. The possessive
# quantifiers keep the search linear on a megabyte of digits and commas.
_PLAIN = r"\d{1,15}+(?:[.,]\d{1,4}+(?!\d))?(?!\d)"
_GROUPED = (
    r"\d{1,3}(?:(?:,\d{2})*(?:,\d{3})++|(?:\.\d{3})++|(?:['’]\d{3})++|(?:\x20\d{3}(?!\d))++(?!-)"
    # `3 500-word essays` are three essays, `a 1 500-word essay` is one.
    r"|(?<=\ba\s\d)\x20\d{3}(?!\d))"
    r"(?:[.,]\d{1,2}(?!\d))?(?!\d)"
)
# Only an upper-case M: `5 m` is a distance.
_SCALE = (
    rf"(?:\s?(?:[kK](?![^\W_])|[kK](?=[一-鿿가-힣])|(?-i:M)(?![^\W_])|w(?=\s?字)"
    rf"|-?(?:{_alternatives(_MULTIPLIER)}){_WORD_END}\.?))"
)
_KANJI_PIECE = (
    rf"(?:\d{{1,15}}+(?:[.,]\d{{1,4}}+)?\s?|[{''.join(_KANJI)}]{{1,9}}+)?"
    rf"[{''.join(_KANJI_SCALE)}]{{1,3}}+"
)
_HANGUL_PIECE = (
    rf"(?:\d{{1,15}}+(?:[.,]\d{{1,4}}+)?\s?|[{''.join(_HANGUL)}])?"
    rf"[{''.join(_HANGUL_SCALE)}]{{1,3}}+"
)
_ANY_NUMBER_WORD = _alternatives(_NUMBER_WORD)
_COMPOUND = rf"(?>(?:{_ANY_NUMBER_WORD})(?:(?:und)?(?:{_ANY_NUMBER_WORD})){{0,6}}){_WORD_END}"
_NUMERAL = re.compile(
    rf"(?<!\d)(?<!\d[.,])(?P<kanji>(?:{_KANJI_PIECE})(?:(?:\s(?=\d))?{_KANJI_PIECE}){{0,5}}"
    rf"(?:\d{{1,4}}+(?!\d)|[{''.join(_KANJI)}]{{1,2}}+)?|[{''.join(_KANJI)}]{{1,9}}+)"
    # A Hangul numeral needs a scale: 이, 사 and 오 alone are common syllables.
    rf"|(?<![\d가-힣])(?<!\d[.,])(?P<hangul>{_HANGUL_PIECE}(?:\s?{_HANGUL_PIECE}){{0,5}})"
    rf"|(?<![가-힣])(?P<count>{'|'.join(_COUNTS)})(?=\s?(?:개|장|편|부|가지|단락|문단|절|챕터|섹션|화))"
    rf"|(?:(?<![a-zà-ɏ\d])|(?<=[一-鿿가-힣]x))(?<!\d[.,])(?P<digits>{_GROUPED}|{_PLAIN})(?P<scale>{_SCALE})?"
    rf"|(?<![^\W_])(?P<words>{_COMPOUND}"
    rf"(?:[\s-]{{1,2}}(?:(?:and|und|et|y|e|en)\s)?{_COMPOUND}){{0,9}})",
    re.IGNORECASE,
)
_ARTICLES = re.compile(r"une?|una|uma?|een|ein(?:e[nmr]?)?", re.IGNORECASE)
# `and` and German `und` come first, since `und` contains French `un`.
_WORD_TOKEN = re.compile(rf"(?:\band\b|und(?!ici))|({_ANY_NUMBER_WORD})", re.IGNORECASE)
_CONJUNCTION = re.compile(r"\s(?:and|und|et|y|e)\s", re.IGNORECASE)
_SIGN_TOKEN = re.compile(r"\d+(?:[.,]\d+)?|[^\s\d]")
_ADJACENT = re.compile(rf"([{''.join(_KANJI)}])([{''.join(_KANJI)}])(?=[{''.join(_KANJI_SCALE)}])")


@dataclass(frozen=True)
class Numeral:
    """A number in a text."""

    start: int
    """Position where it begins."""

    end: int
    """Position where it ends, its scale (`k`, `万`, `thousand`) included."""

    value: int
    """Value; the upper end of `两三千`."""

    low: int
    """Lower end, which differs from `value` for `两三千` and `两三` only."""

    scale: int
    """Scale: 1000 for `3k`, 10000 for `三万`, 1 for none or for a number of several parts."""

    spelled: bool
    """True for number words and CJK numerals without digits."""


def find_numerals(text: str) -> Iterator[Numeral]:
    """Yield the numbers of a text in order, without articles, in linear time."""
    for match in _NUMERAL.finditer(text):
        kind = match.lastgroup if match.lastgroup != "scale" else "digits"
        if kind != "words":
            yield _read_numeral(match, kind or "", match.span())
        elif not _ARTICLES.fullmatch(match.group()):
            for span in _split_words(match):
                yield _read_numeral(match, kind, span)


def _split_words(match: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Separate numbers that a conjunction joins: `one thousand and twelve hundred`."""
    start, text = match.start(), match.string
    for conjunction in _CONJUNCTION.finditer(text, *match.span()):
        largest = _largest_multiplier(text[start : conjunction.start()])
        rest = text[conjunction.end() : match.end()]
        is_larger = largest >= 1000 and _read_words(rest)[0] >= largest
        if is_larger or largest == _largest_multiplier(rest) == 100:
            yield start, conjunction.start()
            start = conjunction.end()
    yield start, match.end()


def _largest_multiplier(text: str) -> float:
    tokens = _WORD_TOKEN.findall(text)
    return max((_MULTIPLIER.get(token.lower(), 1) for token in tokens), default=1)


def _read_numeral(match: re.Match[str], kind: str, span: tuple[int, int]) -> Numeral:
    text, scale = match.string[slice(*span)], 1
    low: float | None = None
    if kind == "digits":
        scale = _read_scale(match["scale"] or "")
        value = _read_digits(match["digits"], scaled=scale > 1) * scale
    elif kind == "words":
        value, scale = _read_words(text)
    elif kind == "count":
        value = _COUNTS[text]
    elif len(text) == 2 and 0 < _SIGN.get(text[0], 0) == _SIGN.get(text[1], 0) - 1:
        low, value = _SIGN[text[0]], _SIGN[text[1]]  # `两三章`
    else:
        value, scale = _read_signs(_ADJACENT.sub(r"\2", text))
        low = _read_signs(_ADJACENT.sub(r"\1", text))[0]
    whole = round(value)
    return Numeral(
        start=span[0],
        end=span[1],
        value=whole,
        low=whole if low is None else round(low),
        scale=scale,
        spelled=not any(c.isdigit() and c.isascii() for c in text),
    )


def _read_scale(text: str) -> int:
    word = text.strip(" -.").lower()
    return int(_LETTER_SCALE.get(word) or _MULTIPLIER.get(word, 1))


def _read_digits(text: str, *, scaled: bool) -> float:
    """Read `1,500`, `1.500`, `2 500`, `1'500` and `2.5`; with a scale `1.250` is a decimal."""
    groups = re.split(r"[,.'’ ]", text)
    separators = {c for c in text if not c.isdigit()}
    if len(groups) == 1:
        return int(text)
    if len(groups[-1]) != 3 or (scaled and separators == {"."} and len(groups) == 2):
        return float(f"{''.join(groups[:-1])}.{groups[-1]}")
    return int("".join(groups))


def _read_words(text: str) -> tuple[float, int]:
    """Read number words as value and scale: `two thousand` is (2000, 1000)."""
    total, current, scale = 0.0, 0.0, 1
    for token in _WORD_TOKEN.findall(text):
        word = token.lower()
        if not word:
            continue
        if word not in _MULTIPLIER:
            current, scale = current + _NUMBER_WORD[word], 1
        elif _MULTIPLIER[word] == 100:
            current, scale = (current or 1) * 100, scale * 100
        else:
            scale = scale * int(_MULTIPLIER[word])
            total, current = total + (current or 1) * _MULTIPLIER[word], 0.0
    value = total + current
    return value, scale if value != scale else 1


def _read_signs(text: str) -> tuple[float, int]:
    """Read CJK numerals, with or without digits: `1万5千`, `三千五`, `二〇〇〇`, `1만 2천`.

    `section` is the number below 10,000 that the next 万 or 億 multiplies.
    """
    total, section, digits, last_scale, scale = 0.0, 0.0, "", 1, 1
    for token in _SIGN_TOKEN.findall(text):
        if token not in _SIGN_SCALE:
            digits += _to_digits(token)
            continue
        last_scale = _SIGN_SCALE[token]
        scale = scale * last_scale if not total + section else 1
        if last_scale < 10**4:
            section, digits = section + (float(digits) if digits else 1) * last_scale, ""
        else:
            total = (total + section + float(digits or 0) or 1) * last_scale
            section, digits = 0, ""
            scale = scale if scale > 1 else last_scale
    remainder = _read_remainder(digits, last_scale)
    if remainder or last_scale <= 1:
        scale = 1
    return total + section + remainder, scale


def _to_digits(token: str) -> str:
    return str(_SIGN[token]) if token in _SIGN else token.replace(",", ".")


def _read_remainder(digits: str, last_scale: int) -> float:
    """Read the digits after the last scale: `三千五` is 3,500, `三千零五` 3,005."""
    is_colloquial = last_scale > 10 and len(digits) == 1
    return float(digits or 0) * (last_scale // 10 if is_colloquial else 1)
