"""Counts the parts of which each has a length: `10 chapters of 2,000 words`, `各章2000字、全5章`.

a length and the numbers of parts in an instruction -> how often the length is to be written

Knows nouns of parts and phrases such as `each`; does not know whether the instruction also has a
total length.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice

from longchain.length.reading.mentions import TIMES, Instruction, LengthMention, is_range
from longchain.length.reading.numerals import Numeral
from longchain.length.reading.patterns import ALPHABETIC, CJK

_ORDINAL = re.compile(r"(?:第|제\s?|#|no\.?\s|[a-z]{4,9}\s\d+[-,]\s?)$", re.IGNORECASE)
# Counters of whole texts: `三篇800字的作文` are three texts, `10章2万字的小说` is one.
_TEXT_COUNTER = re.compile(r"[篇条條封则則首통편本]|記事|作品|エッセイ")
# Text between a length and the number of texts after it: 800字`の記事を`3本.
_BEFORE_TEXT_COUNT = re.compile(r"\s?[^,、。.\n\d\s][^,、。.\n\d]{0,14}")
_OBJECT_BEFORE_COUNT = re.compile(r"[^()]{0,4}(?:の|짜리|의)\s?[^、。,.\n\d]{1,14}[を을를]\s?")
_VARIANT_COUNT = re.compile(r"[^()]{0,4}で\d{1,2}(?:パターン|案|本(?!柱)|通り?|件)(?![のに])")
_NOUN = re.compile(r"[\s-]([^\W\d_]{3,4})")
_ITEM_COUNTER = re.compile(r"(?:[個件通案]|つ|パターン|개|편|건)(?![のにへで])")
_THING = re.compile(
    r"\s(?!(?:year|hour|minute|day|week|month|percent|am\b|pm\b|Jahr|Uhr|Tag|ans\b|jour|año|día))[^\W\d]"
    r"|[个個种種位名つ人]|개|가지",
    re.IGNORECASE,
)
_PLURAL = re.compile(r"[\s-]*(?:[^\W\d]+\s){0,3}?[^\W\d]+s\b", re.IGNORECASE)
_ADJECTIVE = re.compile(r"\s+(?:[^\W\d]{1,15}\s+)?")
_MAX_RANGE_GAP = 20
"""Characters between the two ends of a range of parts."""

_WORDS_BETWEEN = r"(?:[^\W\d]+\s+){0,2}?"


@dataclass(frozen=True)
class PartCount:
    """A number of parts: `10 chapters`."""

    start: int
    """Position where the number begins."""

    end: int
    """Position where the noun ends."""

    value: int
    """Number of parts; 0 for a range."""

    noun: str
    """Key of the counted noun, which also occurs in `per chapter` or `每章`."""


@dataclass(frozen=True)
class PartPhrase:
    """The phrase that makes a length the length of each part."""

    words: str
    """Words of the phrase, with the noun of the part if there is one."""

    count: int | None = None
    """Number of parts directly beside the length; 0 for a range, None: another phrase has it."""


@cache
def _part_noun() -> re.Pattern[str]:
    """Return the pattern of a counted noun after its number."""
    # German and Dutch compounds are one word: `Blogbeiträge`.
    spaced = "|".join(
        rf"[^\W\d_]{{0,15}}?(?:{phrases.part_nouns})"
        if language in ("de", "nl")
        else phrases.part_nouns
        for language, phrases in ALPHABETIC.items()
    )
    unspaced = "|".join(phrases.part_nouns for phrases in CJK.values())
    return re.compile(
        rf"(?:-|\s+{_WORDS_BETWEEN})(?P<spaced>{spaced})(?![^\W\d_])|\s?(?P<unspaced>{unspaced})",
        re.IGNORECASE,
    )


def _noun_key(match: re.Match[str]) -> str:
    """Return the key of a noun: `stor` for `stories` and `story`, 章 for `个章节` and `每章`."""
    if match["spaced"]:
        return match["spaced"].lower()[:4]
    return match["unspaced"].lstrip("个個大小つか所の개의 ")[:1] or match["unspaced"][:1]


def find_part_counts(instruction: Instruction) -> list[PartCount]:
    """Find the numbers of parts in an instruction, from 2 to 1,000."""
    numerals = islice(_numerals_outside_lengths(instruction), 500)
    return [count for numeral in numerals if (count := _read_count(instruction, numeral))]


def _numerals_outside_lengths(instruction: Instruction) -> Iterator[Numeral]:
    """Yield the numerals that belong to no length, at neither end of `200 to 300 words`."""
    starts = [mention.start for mention in instruction.mentions]
    ends = [0, *(mention.end for mention in instruction.mentions)]
    for numeral in instruction.numerals:
        index = bisect_right(starts, numeral.start)
        if numeral.start < ends[index]:
            continue
        # `50 or 40 words` is read as 40, but 50 is a length, too.
        following = instruction.mentions[index] if index < len(starts) else None
        if following is None or not _is_range_to(instruction, numeral, following.start):
            yield numeral


def _is_range_to(instruction: Instruction, first: Numeral, start: int) -> bool:
    """Return whether a range leads from a numeral to the start of another one."""
    if start - first.end > _MAX_RANGE_GAP:
        return False
    return is_range(instruction, instruction.mentions[0].patterns, first, start)


def _read_count_value(instruction: Instruction, numeral: Numeral) -> tuple[int, int]:
    """Return where the number of a count begins and its value; 0 of a range: `5 to 7 chapters`."""
    index = bisect_left(instruction.numerals, numeral.start, key=_start)
    for lower in instruction.numerals[max(0, index - 1) : index]:
        if lower.value < numeral.value and _is_range_to(instruction, lower, numeral.start):
            return lower.start, 0
    return numeral.start, 0 if numeral.low < numeral.value else numeral.value


def _read_count(instruction: Instruction, numeral: Numeral) -> PartCount | None:
    text = instruction.text
    before = text[max(0, numeral.start - 14) : numeral.start]
    if not 2 <= numeral.value <= 1000 or _ORDINAL.search(before):
        return None
    match = _part_noun().match(text, numeral.end)
    if match is None:
        return None
    start, value = _read_count_value(instruction, numeral)
    return PartCount(start, match.end(), value, _noun_key(match))


def find_part_phrase(
    instruction: Instruction, mention: LengthMention, counts: list[PartCount]
) -> PartPhrase | None:
    """Return the phrase that makes a length the length of each part; None if there is none."""
    patterns = mention.patterns
    if mention.page:
        return PartPhrase("枚ページ頁页頁매쪽")
    if mention.times is not None:
        return PartPhrase("", mention.times)
    after = patterns.after("each_after").match(mention.after)
    before = patterns.before("each_before").search(mention.before)
    if before or after:
        words_before = before.group() if before else ""
        words_after = mention.after[: after.end() + 12] if after else ""
        return PartPhrase(words_before + words_after)
    if phrase := _read_count_before(instruction, mention, counts):
        return phrase
    return _read_several(instruction, mention, counts)


def _read_count_before(
    instruction: Instruction, mention: LengthMention, counts: list[PartCount]
) -> PartPhrase | None:
    """Read `6 sections of 500 words` and `三篇约800字的作文`."""
    link = mention.patterns.compile(
        r"\s*,?\s*(?:@part_link)\s*(?:(?:@approximate_before|@filler)\s*){0,3}"
    )
    for count in counts:
        gap = instruction.text[count.end : mention.span[0]]
        if TIMES.fullmatch(gap):
            return PartPhrase(count.noun, count.value)
        if not 0 <= mention.span[0] - count.end <= 30:
            continue
        is_text_count = _TEXT_COUNTER.match(count.noun)
        if link.fullmatch(gap) if gap.strip() else is_text_count:
            is_alphabetic = max(gap, default="") < "⺀"
            return PartPhrase(count.noun, count.value) if is_alphabetic or is_text_count else None
    return None


def _read_several(
    instruction: Instruction, mention: LengthMention, counts: list[PartCount]
) -> PartPhrase | None:
    """Read `three 500-word essays`, `500-word sections` and `800字の記事を3本`."""
    if mention.attached and (phrase := _read_plural_after(instruction, mention)):
        return phrase
    link = mention.patterns.compile(r"(?<=s)\s+(?:@part_link)\s*$").search(mention.before)
    if link:
        noun = _part_noun().search(mention.before, max(0, link.start() - 16))
        if noun and noun.end() == link.start():
            return PartPhrase(_noun_key(noun))
    count_after = _read_count_after(instruction, mention)
    if count_after is not None:
        return PartPhrase("", count_after)
    for count in counts:
        gap = instruction.text[mention.end : count.start]
        if _TEXT_COUNTER.match(count.noun) and _BEFORE_TEXT_COUNT.fullmatch(gap):
            return PartPhrase(count.noun, count.value)
    return None


def _read_plural_after(instruction: Instruction, mention: LengthMention) -> PartPhrase | None:
    """Read `three 500-word essays` and `500-word sections`."""
    match = _part_noun().match(" " + mention.after.lstrip(" -"))
    noun = _noun_key(match) if match and match["spaced"] else ""
    count = _read_number_before(instruction, mention)
    if count is not None and (noun or _PLURAL.match(mention.after)):
        return PartPhrase(noun, count)
    if noun and match and match["spaced"][-1] in "sS":
        return PartPhrase(noun)
    return None


def _read_count_after(instruction: Instruction, mention: LengthMention) -> int | None:
    """Return the number of texts after their length: `140字以内のツイートを10個`."""
    index = bisect_left(instruction.numerals, mention.end, key=_start)
    for numeral in instruction.numerals[index : index + 2]:
        start, value = _read_count_value(instruction, numeral)
        gap = instruction.text[mention.end : start]
        is_counted = _OBJECT_BEFORE_COUNT.fullmatch(gap) and _ITEM_COUNTER.match(
            instruction.text, numeral.end
        )
        if is_counted or _VARIANT_COUNT.match(instruction.text, mention.end):
            return value
    return None


def _start(numeral: Numeral) -> int:
    return numeral.start


def _read_number_before(instruction: Instruction, mention: LengthMention) -> int | None:
    """Return the number of texts before their length: `three 500-word essays`."""
    for numeral in instruction.numerals:
        gap = instruction.text[numeral.end : mention.span[0]]
        if 2 <= numeral.value <= 100 and _ADJECTIVE.fullmatch(gap):
            return _read_count_value(instruction, numeral)[1]
    return None


def count_parts(
    instruction: Instruction, mention: LengthMention, phrase: PartPhrase, counts: list[PartCount]
) -> int | None:
    """Return the number of parts that have a length; None or 0 if it is uncertain."""
    named = [count for count in counts if count.noun in phrase.words.lower()]
    if phrase.count is not None:
        inner = next((count for count in named if count.value == phrase.count), None)
        return phrase.count * (_count_outer(instruction, mention, inner, counts) if inner else 1)
    named = named or _find_named_things(instruction, phrase)
    if not named:
        counts = _find_unnamed_counts(instruction, mention, phrase, counts)
    count = _choose_count(instruction, mention, named or counts, by_noun=bool(named))
    if count is None:
        return None
    return count.value * _count_outer(instruction, mention, count, counts)


def _find_unnamed_counts(
    instruction: Instruction, mention: LengthMention, phrase: PartPhrase, counts: list[PartCount]
) -> list[PartCount]:
    """Return the counts that a phrase may refer to that names none of them."""
    if any(match["spaced"] for match in _part_noun().finditer(phrase.words)):
        return []
    return counts or _find_things(instruction, mention)


def _choose_count(
    instruction: Instruction, mention: LengthMention, counts: list[PartCount], *, by_noun: bool
) -> PartCount | None:
    """Return the only count of an instruction, else the only one of the sentence.

    Several counts are one if they agree in their number, and `by_noun` in their noun.
    """
    begin, end = instruction.sentence(mention.start)
    in_sentence = [count for count in counts if begin <= count.start < end]
    for choice in (counts, in_sentence):
        if len({(count.value, count.noun if by_noun else "") for count in choice}) == 1:
            return choice[0]
    return None


def _find_things(instruction: Instruction, mention: LengthMention) -> list[PartCount]:
    """Find other counted things in the same sentence: `Describe 8 planets, 200 words each`."""
    begin, _ = instruction.sentence(mention.start)
    return [
        PartCount(numeral.start, numeral.end, _read_count_value(instruction, numeral)[1], "")
        for numeral in _numerals_outside_lengths(instruction)
        if begin <= numeral.start < mention.start
        and 2 <= numeral.value <= 100
        and _THING.match(instruction.text, numeral.end)
    ]


def _find_named_things(instruction: Instruction, phrase: PartPhrase) -> list[PartCount]:
    """Find other counted things that the phrase names: `52 weeks. Each week ...`."""
    stems = {word[:4] for word in re.findall(r"[^\W\d_]{3,}", phrase.words.lower())}
    things = []
    for numeral in islice(_numerals_outside_lengths(instruction), 500):
        match = _NOUN.match(instruction.text, numeral.end)
        if match and 2 <= numeral.value <= 1000 and match[1].lower() in stems:
            value = _read_count_value(instruction, numeral)[1]
            things.append(PartCount(numeral.start, match.end(), value, match[1].lower()))
    return things


def _count_outer(
    instruction: Instruction, mention: LengthMention, inner: PartCount, counts: list[PartCount]
) -> int:
    """Return how often counted parts occur in outer parts: `10 chapters, each with 3 sections`."""
    before = instruction.before(inner.start)
    each = mention.patterns.compile(r"@each_before\s*$").search(before)
    if each is None:
        return 1
    others = [count for count in counts if count.noun != inner.noun and count.start < inner.start]
    named = [count for count in others if count.noun in each.group().lower()] or others[-1:]
    return named[-1].value if named else 1
