"""Finds the lengths that an instruction mentions: numbers of words or characters.

text -> `LengthMention`s in order, each with its bounds and the text around it

Knows units, ranges, bounds, products and manuscript paper; does not know what has the length: the
document, a source or a vocabulary.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import NamedTuple

from longchain.document import Unit
from longchain.length.reading.numerals import Numeral, find_numerals
from longchain.length.reading.patterns import (
    NEAR,
    LanguagePatterns,
    labels,
    peel_after,
    peel_before,
    split_group,
    units,
)

_SENTENCE = 240
"""Characters before a number that are searched for the verb that governs it."""

_MAX_MENTIONS = 60
"""Lengths read from each end of an instruction; one that has more is a table of numbers."""

_SHEET = {"枚": 400, "매": 200, "장": 200}
"""Characters per sheet of manuscript paper, unless the text names another number.

By convention 400 in Japan (`原稿用紙`) and 200 in Korea (`원고지`).
"""

_WINDOW = 20_000
"""Characters read from each end of an instruction: the rest is pasted material."""

_DASHES = str.maketrans(dict.fromkeys("‐‑‒−", "-") | dict.fromkeys("〜∼∽", "~"))
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]|\\*\\*|__|`")
_SENTENCE_END = re.compile(r"[。！？!?;\n…]|\.(?=[\"”'’)\]]?(?:\s|$))")
_ABBREVIATION = re.compile(
    r"(?<!\w)(?:max|min|approx|ca|c|env|aprox|máx|mín|mind|inkl|ungef|vs|no|bzw|tsd|тыс|e\.g|i\.e"
    r"|z\.\s?b|etc|incl|dr|mr|mrs|u\.s)$",
    re.IGNORECASE,
)
_QUOTED = re.compile(
    r'"[^"\n]{1,300}+"|“[^”]{1,300}+”|「[^」]{1,300}+」|『[^』]{1,300}+』|《[^》]{1,99}+》'
    r"|〈[^〉]{1,99}+〉|«[^»]{1,300}+»|„[^“”]{1,300}+[“”]"
)
TIMES = re.compile(r"\s*[xX×*✕]\s*")
_TOLERANCE = re.compile(
    r"[\s(,]*(?:±|\+\s?/?\s?-|plus[\s/]or[\s/]minus|plus/minus)\s*(\d{1,4}+)\s*(%|percent)?",
    re.IGNORECASE,
)
_PAPER = re.compile(r"(?:原稿用紙|원고지)(?:\([^()]{1,9}\))?[^\d。.\n枚]{0,8}$")
_PAPER_AFTER = re.compile(r"枚(?:分|程度|ほど|以内)?の原稿用紙")
_PER_SHEET = re.compile(r"\s?[字자](?:詰め?|の?\s?(?:原稿用紙|원고지))")
_LINES = re.compile(r"\s?行")
# `20 characters long` are letters, `20 characters` may be people.
_LETTERS_NOT_PEOPLE = re.compile(
    r"\s*\(?(?:long|in\slength|incl|with\w*\sspaces|limit|max|or\s[lf]e)"
)
# Punctuation that separates a label from the numbers after it.
_LABEL_END = re.compile(r"[\n。;!?]|[.,](?=\s)")
# Nouns that make a number without a unit after `word count` a number of something else.
_OTHER_NOUN = re.compile(r"\s*(?:%|percent|pages?|chapters?|[页頁章節节年月쪽장])")
# `and`, `but`, `ただし`: words between two bounds of one length.
_BETWEEN_BOUNDS = re.compile(r"[\s,;/&、()+-]*(?:[^\W\d]{1,4}[\s,]*)?")
# Text that may follow a bound without a unit: `maximum 2000.`, not `maximum 3 sources`.
_BOUND_END = re.compile(
    r"\s*(?:$|(?:but|and|und|aber|et|mais|y|pero)\b|[.,;:!?)\]。、+以이]|max|min|左右|程度)"
)


@dataclass(frozen=True)
class LengthMention:
    """A number that counts words or characters."""

    start: int
    """Position where its number begins."""

    end: int
    """Position where its unit ends."""

    target: int
    """The number; of a range the middle."""

    minimum: int | None
    """Lower bound; None: no lower bound."""

    maximum: int | None
    """Upper bound; None: no upper bound."""

    unit: Unit
    """Unit that is counted."""

    patterns: LanguagePatterns
    """Patterns of the language of the unit."""

    before: str = ""
    """Text of the sentence before the number, without bounds and `about`."""

    after: str = ""
    """Text of the sentence after the unit, without bounds and `about`."""

    attached: bool = False
    """True if it precedes a noun as in `500-word essay`."""

    labelled: bool = False
    """True if a label such as `word count` precedes it."""

    times: int | None = None
    """Factor after a multiplication sign: the number of texts of this length."""

    page: bool = False
    """True for the length of a page, as characters times lines."""

    span: tuple[int, int] = (0, 0)
    """Positions where its first bound begins and its last bound ends."""

    def scaled(self, factor: int) -> LengthMention:
        """Return the length multiplied by a factor."""
        return replace(
            self,
            target=self.target * factor,
            minimum=None if self.minimum is None else self.minimum * factor,
            maximum=None if self.maximum is None else self.maximum * factor,
        )


class Instruction:
    """The normalized text of an instruction, with its numbers, sentences and quotations."""

    def __init__(self, text: str) -> None:
        if len(text) > 2 * _WINDOW:
            text = f"{text[:_WINDOW]}\n{text[-_WINDOW:]}"
        normalized = unicodedata.normalize("NFKC", text).translate(_DASHES)
        self.text = _INVISIBLE.sub("", normalized)
        self.numerals = list(find_numerals(self.text))

    @cached_property
    def sentence_starts(self) -> list[int]:
        """Positions where sentences begin."""
        ends = [
            match.end()
            for match in _SENTENCE_END.finditer(self.text)
            if match.group() != "."
            or not _ABBREVIATION.search(self.text, max(0, match.start() - 8), match.start())
        ]
        return [0, *ends]

    @cached_property
    def quotations(self) -> list[tuple[int, int]]:
        """Positions where quotations begin and end, their marks included."""
        return [match.span() for match in _QUOTED.finditer(self.text)]

    def sentence(self, position: int) -> tuple[int, int]:
        """Return where the sentence at a position begins and ends."""
        starts = self.sentence_starts
        index = bisect_right(starts, position)
        end = starts[index] if index < len(starts) else len(self.text)
        return starts[index - 1], end

    def before(self, position: int) -> str:
        """Return the text of the sentence before a position."""
        return self.text[max(self.sentence(position)[0], position - _SENTENCE) : position]

    def after(self, position: int) -> str:
        """Return the text of the sentence after a position."""
        return self.text[position : min(self.sentence(position)[1], position + NEAR)]

    @cached_property
    def mentions(self) -> list[LengthMention]:
        """The lengths that the instruction mentions, in order."""
        return _find_mentions(self)


class _CountedNumeral(NamedTuple):
    """A numeral that counts words or characters, before its context is read."""

    index: int
    """Index of the numeral."""
    end: int
    """Position where its unit ends."""
    unit: Unit
    patterns: LanguagePatterns
    unit_name: str = ""
    """Unit as written."""
    middle: str = ""
    """Words between numeral and unit."""
    labelled: bool = False
    """True if a label precedes it."""
    factor: int = 1
    """Number of units that it counts: characters per sheet of paper."""


def _find_mentions(instruction: Instruction) -> list[LengthMention]:
    candidates = _find_candidates(instruction)
    if len(candidates) > 2 * _MAX_MENTIONS:
        candidates = candidates[:_MAX_MENTIONS] + candidates[-_MAX_MENTIONS:]
    mentions: list[LengthMention] = []
    for candidate in candidates + _find_bounds_without_unit(instruction, candidates):
        mention = _read_mention(instruction, candidate)
        if mention is not None:
            mentions = [m for m in mentions if m.end <= mention.start or m.start >= mention.end]
            mentions.append(mention)
    return _join_bounds(instruction, sorted(mentions, key=lambda mention: mention.start))


def _join_bounds(instruction: Instruction, mentions: list[LengthMention]) -> list[LengthMention]:
    """Join neighboring bounds: `at least 200 words but no more than 300 words`."""
    joined: list[LengthMention] = []
    for mention in mentions:
        last = joined.pop() if joined else mention
        if bounds := _match_bounds(instruction, last, mention):
            mention = replace(
                last,
                end=mention.end,
                target=sum(bounds) // 2,
                minimum=bounds[0],
                maximum=bounds[1],
                after=mention.after,
                times=mention.times or last.times,
                span=(last.span[0], mention.span[1]),
            )
        elif last is not mention:
            joined.append(last)
        joined.append(mention)
    return joined


def _match_bounds(
    instruction: Instruction, first: LengthMention, second: LengthMention
) -> tuple[int, int] | None:
    """Return the lower and the upper bound if two neighboring lengths are one bound each."""
    low, high = (first, second) if first.maximum is None else (second, first)
    if low.minimum is None or high.maximum is None or first.unit != second.unit:
        return None
    gap_end = second.span[0]
    gap_start = min(first.span[1], gap_end)
    are_neighbors = _BETWEEN_BOUNDS.fullmatch(instruction.text, gap_start, gap_end)
    are_single = low.maximum is high.minimum is None and low.minimum <= high.maximum
    return (low.minimum, high.maximum) if are_neighbors and are_single else None


def _find_candidates(instruction: Instruction) -> list[_CountedNumeral]:
    labels_by_index = _find_labels(instruction)
    candidates: list[_CountedNumeral] = []
    for index, numeral in enumerate(instruction.numerals):
        sheets = _read_sheets(instruction, index)
        match = units().match(instruction.text, numeral.end)
        if sheets:
            candidates.append(sheets)
        elif match and match.lastgroup:
            unit, patterns = split_group(match.lastgroup)
            unit_name, middle = match[match.lastgroup], match["middle"] or ""
            labelled = index in labels_by_index
            candidates.append(
                _CountedNumeral(index, match.end(), unit, patterns, unit_name, middle, labelled)
            )
        elif index in labels_by_index and not _OTHER_NOUN.match(instruction.text, numeral.end):
            unit, patterns = split_group(labels_by_index[index])
            candidates.append(_CountedNumeral(index, numeral.end, unit, patterns, labelled=True))
        elif candidates and candidates[-1].labelled and candidates[-1].index == index - 1:
            # The upper end of a range after a label: `word count: 500 to 800`.
            upper = candidates[-1]._replace(index=index, end=numeral.end)
            if _read_range(instruction, upper)[0] is not None:
                candidates.append(upper)
    return candidates


def _find_labels(instruction: Instruction) -> dict[int, str]:
    """Return the group of the label before a numeral, by the index of the numeral."""
    starts = [numeral.start for numeral in instruction.numerals]
    groups: dict[int, str] = {}
    for match in islice(labels().finditer(instruction.text), 2 * _MAX_MENTIONS):
        index = bisect_left(starts, match.end())
        if index < len(starts) and match.lastgroup:
            gap = instruction.text[match.end() : starts[index]]
            if len(gap) <= 30 and not _LABEL_END.search(gap):
                groups[index] = match.lastgroup
    return groups


def _read_sheets(instruction: Instruction, index: int) -> _CountedNumeral | None:
    """Read sheets of manuscript paper: `400字詰め原稿用紙5枚`, `원고지 10매`."""
    numeral, text = instruction.numerals[index], instruction.text
    counter = text[numeral.end : numeral.end + 2].strip()[:1]
    if counter not in _SHEET:
        return None
    first = numeral
    if index and _is_dash_before(instruction, index):
        first = instruction.numerals[index - 1]
    before = text[max(0, first.start - 30) : first.start]
    if not (_PAPER.search(before) or _PAPER_AFTER.match(text, numeral.end)):
        return None
    per_sheet = [
        other.value
        for other in instruction.numerals[max(0, index - 3) : index]
        if other.start > numeral.start - 40 and _PER_SHEET.match(text, other.end)
    ]
    end = text.index(counter, numeral.end) + 1
    factor = per_sheet[-1] if per_sheet else _SHEET[counter]
    # `3枚半` are three sheets and a half.
    if text[end : end + 1] in {"半", "반"} and numeral.value:
        factor = factor * (2 * numeral.value + 1) // (2 * numeral.value)
        end += 1
    return _CountedNumeral(index, end, "characters", LanguagePatterns("en"), factor=factor)


def _is_dash_before(instruction: Instruction, index: int) -> bool:
    numerals = instruction.numerals
    gap = instruction.text[numerals[index - 1].end : numerals[index].start]
    return gap.strip() in {"-", "~", "–", "—", "から"}


def _find_bounds_without_unit(
    instruction: Instruction, candidates: list[_CountedNumeral]
) -> list[_CountedNumeral]:
    """Find bounds that share the unit of their neighbor: `minimum 1500 words, maximum 2000`."""
    known = {candidate.index for candidate in candidates}
    bounds = []
    for candidate in candidates:
        for index in (candidate.index - 1, candidate.index + 1):
            if 0 <= index < len(instruction.numerals) and index not in known:
                numeral = instruction.numerals[index]
                neighbor = instruction.numerals[candidate.index]
                gap = max(numeral.start - neighbor.end, neighbor.start - numeral.end)
                bound = _CountedNumeral(index, numeral.end, candidate.unit, candidate.patterns)
                if gap <= 40 and _is_bound(instruction, bound):
                    bounds.append(bound)
    return bounds


def _is_bound(instruction: Instruction, candidate: _CountedNumeral) -> bool:
    if not _BOUND_END.match(instruction.text, candidate.end):
        return False
    mention = _read_mention(instruction, candidate)
    return mention is not None and (mention.minimum is None) != (mention.maximum is None)


def _read_mention(instruction: Instruction, candidate: _CountedNumeral) -> LengthMention | None:
    """Read the bounds and the context of a candidate; None if it is an idiom."""
    numeral, patterns = instruction.numerals[candidate.index], candidate.patterns
    low, times, first = _read_range(instruction, candidate)
    before, minimum_before, maximum_before, start = peel_before(
        patterns, instruction.before(first.start), first.start
    )
    after, minimum_after, maximum_after, end = peel_after(
        patterns, candidate.middle, instruction.after(candidate.end), candidate.end
    )
    is_minimum, is_maximum = minimum_before or minimum_after, maximum_before or maximum_after
    if not (is_minimum or is_maximum) and _is_idiom(numeral, candidate, instruction.text):
        return None
    target, minimum, maximum = _combine_ends(low, numeral.value, is_minimum, is_maximum)
    if minimum is maximum is None:
        minimum, maximum = _read_tolerance(instruction, candidate, target)
    mention = LengthMention(
        start=first.start,
        end=candidate.end,
        target=target,
        minimum=minimum,
        maximum=maximum,
        unit=candidate.unit,
        patterns=patterns,
        before=before,
        after=after,
        attached=_is_attached(instruction, candidate),
        labelled=candidate.labelled,
        times=times,
        span=(start, end),
    )
    if factor := _read_factor_after(instruction, candidate):
        if _LINES.match(instruction.text, factor.end):
            return replace(mention.scaled(factor.value), page=True)
        mention = replace(mention, times=factor.value)
    return mention.scaled(candidate.factor)


def _read_tolerance(
    instruction: Instruction, candidate: _CountedNumeral, target: int
) -> tuple[int | None, int | None]:
    """Return the bounds that a tolerance after the unit sets: `500 words ± 10 %`."""
    match = _TOLERANCE.match(instruction.text, candidate.end)
    if match is None:
        return None, None
    tolerance = int(match[1])
    if match[2]:
        tolerance = tolerance * target // 100
    return max(0, target - tolerance), target + tolerance


def _is_attached(instruction: Instruction, candidate: _CountedNumeral) -> bool:
    """Return whether the length precedes a noun: `500-word essay`."""
    if candidate.unit_name.lower() in {"word", "wort", "woord"}:
        return True
    numeral = instruction.numerals[candidate.index]
    return "-" in instruction.text[numeral.end : candidate.end]


def _combine_ends(
    low: int | None, high: int, is_minimum: bool, is_maximum: bool
) -> tuple[int, int | None, int | None]:
    """Return target, minimum and maximum; the target is the middle of a range, or the bound."""
    if low is not None:
        return (low + high) // 2, low, high
    if is_minimum:
        return high, high, None
    return high, None, high if is_maximum else None


def _read_factor_after(instruction: Instruction, candidate: _CountedNumeral) -> Numeral | None:
    """Return the factor after a multiplication sign: `40字×30行`, `300字×5段落`."""
    times = TIMES.match(instruction.text, candidate.end)
    if times is None or candidate.index + 1 >= len(instruction.numerals):
        return None
    numeral = instruction.numerals[candidate.index + 1]
    return numeral if numeral.start == times.end() else None


def _is_idiom(numeral: Numeral, candidate: _CountedNumeral, text: str) -> bool:
    """Return whether it is no length: `one word`, `八字`, `5个字`, `3자` (third party)."""
    unit_name = candidate.unit_name
    if numeral.spelled:
        return numeral.value <= 1 or (unit_name == "字" and numeral.value <= 10)
    if unit_name in {"个字", "個字"}:
        return numeral.value <= 10
    if unit_name.lower().startswith("char"):
        # `3 characters` may be people.
        return numeral.value <= 40 and not _LETTERS_NOT_PEOPLE.match(text, candidate.end)
    return unit_name == "자" and numeral.value <= 10


def _read_range(
    instruction: Instruction, candidate: _CountedNumeral
) -> tuple[int | None, int | None, Numeral]:
    """Return the low end of a range, a factor in front, and the first numeral of the length."""
    numeral = instruction.numerals[candidate.index]
    low = numeral.low if numeral.low < numeral.value else None
    if candidate.index == 0:
        return low, None, numeral
    first = instruction.numerals[candidate.index - 1]
    gap = instruction.text[first.end : numeral.start]
    if len(gap) > 40 or not gap:
        return low, None, numeral
    if TIMES.fullmatch(gap):
        return low, first.value, first
    if not is_range(instruction, candidate.patterns, first, numeral.start):
        return low, None, numeral
    start = first.value
    # `2-3k`, `two to three thousand`: both ends share the scale.
    if first.scale == 1 and start * numeral.scale < numeral.value:
        start *= numeral.scale
    if start >= numeral.value or _is_resize(instruction, candidate, first):
        return None, None, numeral
    return start, None, first


def is_range(
    instruction: Instruction, patterns: LanguagePatterns, first: Numeral, start: int
) -> bool:
    """Return whether a range leads from a numeral to a position.

    By a dash, by a word such as `to`, or by `and` after `between`.
    """
    gap = instruction.text[first.end : start]
    unit = units().match(gap)
    rest = gap[unit.end() :] if unit else gap
    link = patterns.compile(
        r"[\s-]*(?:[-–—~]|(?P<link>@range_link)|(?P<pair>@pair_link))[\s-]*"
        r"(?:@approximate_before\s*)?(?:a\s)?"
    ).fullmatch(rest)
    if link is None or link["pair"] is None:
        return link is not None
    return bool(patterns.bound("range_before").search(instruction.before(first.start)))


def _is_resize(instruction: Instruction, candidate: _CountedNumeral, first: Numeral) -> bool:
    """Return whether two lengths are before and after: `expand it from 500 to 2000 words`."""
    before, after = instruction.before(first.start), instruction.after(candidate.end)
    verb = candidate.patterns.anywhere("rework_verbs").search(before)
    origin = candidate.patterns.compile(r"@from_before\s*$").search(before)
    if verb and origin:
        return True
    return candidate.patterns.after("resize_after").match(after) is not None
