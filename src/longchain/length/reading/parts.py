"""Parts times length: `10 chapters of 2,000 words`, `各章2000字、全5章`.

a measure among the counted parts of an instruction -> how often it is to be written

Knows counted nouns and the marks of `each`; does not know whether a total stands beside them.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice

from longchain.length.reading.grammar import ALPHABETIC, CJK
from longchain.length.reading.measures import TIMES, Instruction, Measure, joined
from longchain.length.reading.numerals import Numeral

_ORDINAL = re.compile(r"(?:第|제\s?|#|no\.?\s|[a-z]{4,9}\s\d+[-,]\s?)$", re.IGNORECASE)
# Counters of whole texts: `三篇800字的作文` is three of them, `10章2万字的小说` is one.
_TEXTS = re.compile(r"[篇条條封则則首통편本]|記事|作品|エッセイ")
# What may stand between a length and its count (800字`の記事を`3本), and the other way around.
_OWN_TEXTS = re.compile(r"\s?[^,、。.\n\d\s][^,、。.\n\d]{0,14}")
_OBJECT = re.compile(r"[^()]{0,4}(?:の|짜리|의)\s?[^、。,.\n\d]{1,14}[を을를]\s?")
_WAYS = re.compile(r"[^()]{0,4}で\d{1,2}(?:パターン|案|本(?!柱)|通り?|件)(?![のに])")
_NAMED = re.compile(r"[\s-]([^\W\d_]{3,4})")
_COUNTER = re.compile(r"(?:[個件通案]|つ|パターン|개|편|건)(?![のにへで])")
_THING = re.compile(
    r"\s(?!(?:year|hour|minute|day|week|month|percent|am\b|pm\b|Jahr|Uhr|Tag|ans\b|jour|año|día))[^\W\d]"
    r"|[个個种種位名つ人]|개|가지",
    re.IGNORECASE,
)
_PLURAL = re.compile(r"[\s-]*(?:[^\W\d]+\s){0,3}?[^\W\d]+s\b", re.IGNORECASE)
_ADJECTIVE = re.compile(r"\s+(?:[^\W\d]{1,15}\s+)?")
_NEAR = 20
"""Characters between the two ends of a range."""

_WORDS_BETWEEN = r"(?:[^\W\d]+\s+){0,2}?"


@dataclass(frozen=True)
class Count:
    """Counted parts: `10 chapters`."""

    start: int
    end: int
    value: int
    """How many there are; 0 where a range leaves that open."""

    noun: str
    """What is counted, in a form that also fits `per chapter` or `每章`."""


@dataclass(frozen=True)
class Part:
    """What a measure is the length of, where it is one of several."""

    said: str
    """The words that say so, the part's noun among them where it is named."""

    value: int | None = None
    """How many there are, where that stands right beside the measure; 0 of a range."""


@cache
def _counted() -> re.Pattern[str]:
    # German and Dutch write compounds in one word: `Blogbeiträge`.
    spaced = "|".join(
        rf"[^\W\d_]{{0,15}}?(?:{wording.counted})" if name in ("de", "nl") else wording.counted
        for name, wording in ALPHABETIC.items()
    )
    joined = "|".join(wording.counted for wording in CJK.values())
    return re.compile(
        rf"(?:-|\s+{_WORDS_BETWEEN})(?P<spaced>{spaced})(?![^\W\d_])|\s?(?P<joined>{joined})",
        re.IGNORECASE,
    )


def _noun(match: re.Match[str]) -> str:
    """`stories` and `per story` share `stor`; `个章节` and `每章` share 章."""
    if match["spaced"]:
        return match["spaced"].lower()[:4]
    return match["joined"].lstrip("个個大小つか所の개의 ")[:1] or match["joined"][:1]


def find_counts(source: Instruction) -> list[Count]:
    """Find the counted parts of an instruction, single ones left out."""
    free = islice(_free(source), 500)
    return [count for numeral in free if (count := _count(source, numeral))]


def _free(source: Instruction) -> Iterator[Numeral]:
    """Yield the numerals that are of no length: neither end of `200 to 300 words` counts parts."""
    starts = [measure.start for measure in source.measures]
    ends = [0, *(measure.end for measure in source.measures)]
    for numeral in source.numerals:
        place = bisect_right(starts, numeral.start)
        within = numeral.start < ends[place]
        # `50 or 40 words` is read as 40, but 50 is a length, too.
        measure = source.measures[place] if place < len(starts) else None
        if not within and not (measure and _joined(source, numeral, measure.start)):
            yield numeral


def _joined(source: Instruction, first: Numeral, start: int) -> bool:
    """Does a range lead from a numeral to another one's start?"""
    near = start - first.end <= _NEAR
    return near and joined(source, source.measures[0].grammar, first, start)


def _counted_by(source: Instruction, numeral: Numeral) -> tuple[int, int]:
    """Return where a numeral of a count begins and its value: 0 of a range, `5 to 7 chapters`."""
    place = bisect_left(source.numerals, numeral.start, key=_start)
    for lower in source.numerals[max(0, place - 1) : place]:
        if lower.value < numeral.value and _joined(source, lower, numeral.start):
            return lower.start, 0
    return numeral.start, 0 if numeral.low < numeral.value else numeral.value


def _count(source: Instruction, numeral: Numeral) -> Count | None:
    text = source.text
    near = text[max(0, numeral.start - 14) : numeral.start]
    if not 2 <= numeral.value <= 1000 or _ORDINAL.search(near):
        return None
    match = _counted().match(text, numeral.end)
    if match is None:
        return None
    start, value = _counted_by(source, numeral)
    return Count(start, match.end(), value, _noun(match))


def part_of(source: Instruction, measure: Measure, counts: list[Count]) -> Part | None:
    """Return the part that a measure is the length of, or None where it is not of a part."""
    grammar = measure.grammar
    if measure.page:
        return Part("枚ページ頁页頁매쪽")
    if measure.times is not None:
        return Part("", measure.times)
    after = grammar.after("each_after").match(measure.after)
    before = grammar.before("each_before").search(measure.before)
    if before or after:
        tail = measure.after[: after.end() + 12] if after else ""
        return Part((before.group() if before else "") + tail)
    return _counted_before(source, measure, counts) or _several(source, measure, counts)


def _counted_before(source: Instruction, measure: Measure, counts: list[Count]) -> Part | None:
    """Read `6 sections of 500 words` and `三篇约800字的作文`."""
    linked = measure.grammar.compile(
        r"\s*,?\s*(?:@of_before)\s*(?:(?:@about_before|@filler)\s*){0,3}"
    )
    for count in counts:
        gap = source.text[count.end : measure.span[0]]
        if TIMES.fullmatch(gap):
            return Part(count.noun, count.value)
        if 0 <= measure.span[0] - count.end <= 30 and (
            linked.fullmatch(gap) if gap.strip() else _TEXTS.match(count.noun)
        ):
            direct = max(gap, default="") < "⺀" or _TEXTS.match(count.noun)
            return Part(count.noun, count.value) if direct else None
    return None


def _several(source: Instruction, measure: Measure, counts: list[Count]) -> Part | None:
    """Read `three 500-word essays`, `500-word sections` and `800字の記事を3本`."""
    plural = _counted().match(" " + measure.after.lstrip(" -"))
    number = _number_before(source, measure) if measure.attached else None
    noun = _noun(plural) if plural and plural["spaced"] else ""
    if number is not None and (noun or _PLURAL.match(measure.after)):
        return Part(noun, number)
    if measure.attached and noun and plural and plural["spaced"][-1] in "sS":
        return Part(noun)
    if loose := measure.grammar.compile(r"(?<=s)\s+(?:@of_before)\s*$").search(measure.before):
        named = _counted().search(measure.before, max(0, loose.start() - 16))
        if named and named.end() == loose.start():
            return Part(_noun(named))
    if (behind := _counted_behind(source, measure)) is not None:
        return Part("", behind)
    for count in counts:
        gap = source.text[measure.end : count.start]
        if _TEXTS.match(count.noun) and _OWN_TEXTS.fullmatch(gap):
            return Part(count.noun, count.value)
    return None


def _counted_behind(source: Instruction, measure: Measure) -> int | None:
    """Read how many texts of this length are asked for: `140字以内のツイートを10個`."""
    place = bisect_left(source.numerals, measure.end, key=_start)
    for numeral in source.numerals[place : place + 2]:
        start, value = _counted_by(source, numeral)
        gap = source.text[measure.end : start]
        listed = _OBJECT.fullmatch(gap) and _COUNTER.match(source.text, numeral.end)
        if listed or _WAYS.match(source.text, measure.end):
            return value
    return None


def _start(numeral: Numeral) -> int:
    return numeral.start


def _number_before(source: Instruction, measure: Measure) -> int | None:
    for numeral in source.numerals:
        gap = source.text[numeral.end : measure.span[0]]
        if 2 <= numeral.value <= 100 and _ADJECTIVE.fullmatch(gap):
            return _counted_by(source, numeral)[1]
    return None


def how_many(source: Instruction, measure: Measure, part: Part, counts: list[Count]) -> int | None:
    """Return how often a part's length is to be written; None or 0 where that is not certain."""
    same = [count for count in counts if count.noun in part.said.lower()]
    if not same and part.value is None:
        same = _named_things(source, part)
    if not same and part.value is None:
        named = any(found["spaced"] for found in _counted().finditer(part.said))
        counts = [] if named else counts or _things(source, measure)
    if part.value is not None:
        around = next((count for count in same if count.value == part.value), None)
        return part.value * (_outer(source, measure, around, counts) if around else 1)
    pool = same or counts
    begin, end = source.sentence(measure.start)
    near = [count for count in pool if begin <= count.start < end]
    for choice in (pool, near):
        if len({(count.value, count.noun if same else "") for count in choice}) == 1:
            return choice[0].value * _outer(source, measure, choice[0], counts)
    return None


def _things(source: Instruction, measure: Measure) -> list[Count]:
    """Read other counted things in the same sentence: `Describe 8 planets, 200 words each`."""
    begin, _ = source.sentence(measure.start)
    return [
        Count(numeral.start, numeral.end, _counted_by(source, numeral)[1], "")
        for numeral in _free(source)
        if begin <= numeral.start < measure.start
        and 2 <= numeral.value <= 100
        and _THING.match(source.text, numeral.end)
    ]


def _named_things(source: Instruction, part: Part) -> list[Count]:
    """Read other counted things that the length names: `52 weeks. Each week ...`."""
    said = {word[:4] for word in re.findall(r"[^\W\d_]{3,}", part.said.lower())}
    return [
        Count(numeral.start, found.end(), _counted_by(source, numeral)[1], found[1].lower())
        for numeral in islice(_free(source), 500)
        if 2 <= numeral.value <= 1000
        and (found := _NAMED.match(source.text, numeral.end))
        and found[1].lower() in said
    ]


def _outer(source: Instruction, measure: Measure, inner: Count, counts: list[Count]) -> int:
    """Return how often the counted parts themselves occur: `10 chapters, each with 3 sections`."""
    each = measure.grammar.compile(r"@each_before\s*$").search(source.before(inner.start))
    if each is None:
        return 1
    others = [count for count in counts if count.noun != inner.noun and count.start < inner.start]
    named = [count for count in others if count.noun in each.group().lower()] or others[-1:]
    return named[-1].value if named else 1
