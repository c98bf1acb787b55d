"""The measures in a text: numbers that count words or characters.

text -> `Measure`s in order, each with its bounds and the words around it

Knows units, ranges, bounds, products and manuscript paper; does not know what a measure measures:
the document, a source or a vocabulary.
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
from longchain.length.reading.grammar import (
    NEAR,
    Grammar,
    labels,
    of_group,
    peel_after,
    peel_before,
    units,
)
from longchain.length.reading.numerals import Numeral, find_numerals

_SENTENCE = 240
"""Characters before a number that are looked at for the verb that governs it."""

_MOST = 60
"""Measures read from each end of a text; one that has more is a table of numbers."""

_SHEET = {"枚": 400, "매": 200, "장": 200}
"""Characters on a sheet of manuscript paper where the text does not say: by convention 400 in
Japan (`原稿用紙`) and 200 in Korea (`원고지`)."""

_WINDOW = 20_000
"""Characters read from each end of an instruction: what lies between is pasted material."""

_DASHES = str.maketrans(dict.fromkeys("‐‑‒−", "-") | dict.fromkeys("〜∼∽", "~"))
_HIDDEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]|\\*\\*|__|`")
_BREAK = re.compile(r"[。！？!?;\n…]|\.(?=[\"”'’)\]]?(?:\s|$))")
_SHORTHAND = re.compile(
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
# `20 characters long` are letters, `20 characters` people.
_SPELT_OUT = re.compile(r"\s*\(?(?:long|in\slength|incl|with\w*\sspaces|limit|max|or\s[lf]e)")
# What a label does not reach across.
_GAP_END = re.compile(r"[\n。;!?]|[.,](?=\s)")
# What makes a bare number after `word count` the count of something else.
_OTHER_NOUN = re.compile(r"\s*(?:%|percent|pages?|chapters?|[页頁章節节年月쪽장])")
# `and`, `but`, `ただし`: between two bounds of one length.
_SIDE_BY_SIDE = re.compile(r"[\s,;/&、()+-]*(?:[^\W\d]{1,4}[\s,]*)?")
# What may follow a bare bound: `maximum 2000.`, not `maximum 3 sources`.
_CLOSED = re.compile(
    r"\s*(?:$|(?:but|and|und|aber|et|mais|y|pero)\b|[.,;:!?)\]。、+以이]|max|min|左右|程度)"
)


@dataclass(frozen=True)
class Measure:
    """A number that counts words or characters."""

    start: int
    """Where its number begins."""

    end: int
    """Where its unit ends."""

    target: int
    minimum: int | None
    maximum: int | None
    unit: Unit
    grammar: Grammar

    before: str = ""
    """The sentence up to the number, bounds and `about` taken off."""

    after: str = ""
    """The sentence from the unit on, bounds and `about` taken off."""

    attached: bool = False
    """It stands before a noun (`500-word`), not after one."""

    labelled: bool = False
    """A label such as `word count` stands before it."""

    times: int | None = None
    """How often it is to be written, where a multiplication sign says so."""

    page: bool = False
    """It is the length of a page, given as characters times lines."""

    span: tuple[int, int] = (0, 0)
    """From the first of its bounds to the last."""

    def scaled(self, factor: int) -> Measure:
        """Return it that many times as long."""
        return replace(
            self,
            target=self.target * factor,
            minimum=None if self.minimum is None else self.minimum * factor,
            maximum=None if self.maximum is None else self.maximum * factor,
        )


class Instruction:
    """A text made plain, with its numbers, sentences and quotations found."""

    def __init__(self, text: str) -> None:
        if len(text) > 2 * _WINDOW:
            text = f"{text[:_WINDOW]}\n{text[-_WINDOW:]}"
        plain = unicodedata.normalize("NFKC", text).translate(_DASHES)
        self.text = _HIDDEN.sub("", plain)
        self.numerals = list(find_numerals(self.text))

    @cached_property
    def breaks(self) -> list[int]:
        """Where sentences begin."""
        ends = [
            match.end()
            for match in _BREAK.finditer(self.text)
            if match.group() != "."
            or not _SHORTHAND.search(self.text, max(0, match.start() - 8), match.start())
        ]
        return [0, *ends]

    @cached_property
    def quotations(self) -> list[tuple[int, int]]:
        """Where quotations begin and end, their marks included."""
        return [match.span() for match in _QUOTED.finditer(self.text)]

    def sentence(self, place: int) -> tuple[int, int]:
        """Return where the sentence at a place begins and ends."""
        index = bisect_right(self.breaks, place)
        ends = self.breaks[index] if index < len(self.breaks) else len(self.text)
        return self.breaks[index - 1], ends

    def before(self, place: int) -> str:
        """Return the sentence up to a place."""
        return self.text[max(self.sentence(place)[0], place - _SENTENCE) : place]

    def after(self, place: int) -> str:
        """Return the sentence from a place on."""
        return self.text[place : min(self.sentence(place)[1], place + NEAR)]

    @cached_property
    def measures(self) -> list[Measure]:
        """The measures in order."""
        return _find(self)


class _Hit(NamedTuple):
    """A numeral that counts words or characters."""

    place: int
    end: int
    unit: Unit
    grammar: Grammar
    written: str = ""
    middle: str = ""
    labelled: bool = False
    factor: int = 1


def _find(source: Instruction) -> list[Measure]:
    hits = _hits(source)
    if len(hits) > 2 * _MOST:
        hits = hits[:_MOST] + hits[-_MOST:]
    measures: list[Measure] = []
    for hit in hits + _bare(source, hits):
        measure = _measure(source, hit)
        if measure is not None:
            measures = [m for m in measures if m.end <= measure.start or m.start >= measure.end]
            measures.append(measure)
    return _paired(source, sorted(measures, key=lambda measure: measure.start))


def _paired(source: Instruction, measures: list[Measure]) -> list[Measure]:
    """Join bounds that stand side by side: `at least 200 words but no more than 300 words`."""
    paired: list[Measure] = []
    for measure in measures:
        last = paired.pop() if paired else measure
        if bounds := _side_by_side(source, last, measure):
            measure = replace(
                last,
                end=measure.end,
                target=sum(bounds) // 2,
                minimum=bounds[0],
                maximum=bounds[1],
                after=measure.after,
                times=measure.times or last.times,
                span=(last.span[0], measure.span[1]),
            )
        elif last is not measure:
            paired.append(last)
        paired.append(measure)
    return paired


def _side_by_side(source: Instruction, first: Measure, second: Measure) -> tuple[int, int] | None:
    """Return the lower and the upper bound where one measure is each and little is between."""
    low, high = (first, second) if first.maximum is None else (second, first)
    if low.minimum is None or high.maximum is None or first.unit != second.unit:
        return None
    gap = second.span[0]
    beside = _SIDE_BY_SIDE.fullmatch(source.text, min(first.span[1], gap), gap)
    single = low.maximum is high.minimum is None and low.minimum <= high.maximum
    return (low.minimum, high.maximum) if beside and single else None


def _hits(source: Instruction) -> list[_Hit]:
    labelled = _labelled(source)
    hits = []
    for index, numeral in enumerate(source.numerals):
        sheet = _sheet(source, index)
        match = units().match(source.text, numeral.end)
        if sheet:
            hits.append(sheet)
        elif match and match.lastgroup:
            unit, grammar = of_group(match.lastgroup)
            written, middle = match[match.lastgroup], match["middle"] or ""
            known = index in labelled
            hits.append(_Hit(index, match.end(), unit, grammar, written, middle, known))
        elif index in labelled and not _OTHER_NOUN.match(source.text, numeral.end):
            unit, grammar = of_group(labelled[index])
            hits.append(_Hit(index, numeral.end, unit, grammar, labelled=True))
        elif hits and hits[-1].labelled and hits[-1].place == index - 1:
            upper = hits[-1]._replace(place=index, end=numeral.end)
            hits += [upper] if _link(source, upper)[0] is not None else []
    return hits


def _labelled(source: Instruction) -> dict[int, str]:
    """Return the numerals that a label stands before, each with the label's group."""
    starts = [numeral.start for numeral in source.numerals]
    found: dict[int, str] = {}
    for match in islice(labels().finditer(source.text), 2 * _MOST):
        index = bisect_left(starts, match.end())
        if index < len(starts) and match.lastgroup:
            gap = source.text[match.end() : starts[index]]
            if len(gap) <= 30 and not _GAP_END.search(gap):
                found[index] = match.lastgroup
    return found


def _sheet(source: Instruction, index: int) -> _Hit | None:
    """Read sheets of manuscript paper: `400字詰め原稿用紙5枚`, `원고지 10매`."""
    numeral, text = source.numerals[index], source.text
    sign = text[numeral.end : numeral.end + 2].strip()[:1]
    if sign not in _SHEET:
        return None
    first = source.numerals[index - 1] if index and _dash(source, index) else numeral
    before = text[max(0, first.start - 30) : first.start]
    if not (_PAPER.search(before) or _PAPER_AFTER.match(text, numeral.end)):
        return None
    per = [
        other.value
        for other in source.numerals[max(0, index - 3) : index]
        if other.start > numeral.start - 40 and _PER_SHEET.match(text, other.end)
    ]
    end = text.index(sign, numeral.end) + 1
    factor = per[-1] if per else _SHEET[sign]
    if text[end : end + 1] in {"半", "반"} and numeral.value:
        factor = factor * (2 * numeral.value + 1) // (2 * numeral.value)
        end += 1
    return _Hit(index, end, "characters", Grammar("en"), factor=factor)


def _dash(source: Instruction, index: int) -> bool:
    gap = source.text[source.numerals[index - 1].end : source.numerals[index].start]
    return gap.strip() in {"-", "~", "–", "—", "から"}


def _bare(source: Instruction, hits: list[_Hit]) -> list[_Hit]:
    """Find bounds that share their neighbor's unit: `minimum 1500 words, maximum 2000`."""
    known = {hit.place for hit in hits}
    found = []
    for hit in hits:
        for index in (hit.place - 1, hit.place + 1):
            if 0 <= index < len(source.numerals) and index not in known:
                numeral, near = source.numerals[index], source.numerals[hit.place]
                gap = max(numeral.start - near.end, near.start - numeral.end)
                shared = _Hit(index, numeral.end, hit.unit, hit.grammar)
                if gap <= 40 and _is_bound(source, shared):
                    found.append(shared)
    return found


def _is_bound(source: Instruction, hit: _Hit) -> bool:
    measure = _CLOSED.match(source.text, hit.end) and _measure(source, hit)
    return bool(measure and (measure.minimum is None) != (measure.maximum is None))


def _measure(source: Instruction, hit: _Hit) -> Measure | None:
    numeral, grammar = source.numerals[hit.place], hit.grammar
    low, times, first = _link(source, hit)
    before, floor, ceiling, start = peel_before(grammar, source.before(first.start), first.start)
    after, least, most, end = peel_after(grammar, hit.middle, source.after(hit.end), hit.end)
    if _idiom(numeral, hit, source.text) and not (floor or ceiling or least or most):
        return None
    target, minimum, maximum = _ends(low, numeral.value, floor or least, ceiling or most)
    if minimum is maximum is None and (slack := _TOLERANCE.match(source.text, hit.end)):
        by = int(slack[1]) * target // 100 if slack[2] else int(slack[1])
        minimum, maximum = max(0, target - by), target + by
    attached = (
        hit.written.lower() in {"word", "wort", "woord"}
        or "-" in source.text[numeral.end : hit.end]
    )
    measure = Measure(
        start=first.start,
        end=hit.end,
        target=target,
        minimum=minimum,
        maximum=maximum,
        unit=hit.unit,
        grammar=grammar,
        before=before,
        after=after,
        attached=attached,
        labelled=hit.labelled,
        times=times,
        span=(start, end),
    )
    if written := _times_after(source, hit):
        if _LINES.match(source.text, written.end):
            return replace(measure.scaled(written.value), page=True)
        measure = replace(measure, times=written.value)
    return measure.scaled(hit.factor)


def _ends(
    low: int | None, high: int, least: bool, most: bool
) -> tuple[int, int | None, int | None]:
    """Return target, minimum and maximum: of a range its middle, of a bound the bound."""
    if low is not None:
        return (low + high) // 2, low, high
    return high, high if least else None, high if most and not least else None


def _times_after(source: Instruction, hit: _Hit) -> Numeral | None:
    """Return the factor behind a multiplication sign: `40字×30行`, `300字×5段落`."""
    times = TIMES.match(source.text, hit.end)
    if times is None or hit.place + 1 >= len(source.numerals):
        return None
    numeral = source.numerals[hit.place + 1]
    return numeral if numeral.start == times.end() else None


def _idiom(numeral: Numeral, hit: _Hit, text: str) -> bool:
    """`one word`, `八字`, `5个字`, `3자` (a third party) and `3 characters` are no lengths."""
    if numeral.spelled:
        return numeral.value <= 1 or (hit.written == "字" and numeral.value <= 10)
    if hit.written in {"个字", "個字"}:
        return numeral.value <= 10
    if hit.written.lower().startswith("char"):
        return numeral.value <= 40 and not _SPELT_OUT.match(text, hit.end)
    return hit.written == "자" and numeral.value <= 10


def _link(source: Instruction, hit: _Hit) -> tuple[int | None, int | None, Numeral]:
    """Return the low end of a range, a factor in front, and the numeral that comes first."""
    numeral = source.numerals[hit.place]
    low = numeral.low if numeral.low < numeral.value else None
    if hit.place == 0:
        return low, None, numeral
    first = source.numerals[hit.place - 1]
    gap = source.text[first.end : numeral.start]
    if len(gap) > 40 or not gap:
        return low, None, numeral
    if TIMES.fullmatch(gap):
        return low, first.value, first
    if not joined(source, hit.grammar, first, numeral.start):
        return low, None, numeral
    start = first.value
    # `2-3k`, `two to three thousand`: both ends share the scale.
    if first.scale == 1 and start * numeral.scale < numeral.value:
        start *= numeral.scale
    if start >= numeral.value or _rework(source, hit, first):
        return None, None, numeral
    return start, None, first


def joined(source: Instruction, grammar: Grammar, first: Numeral, start: int) -> bool:
    """Does a range lead from a numeral to a place: a dash, `to`, or `and` after `between`?"""
    gap = source.text[first.end : start]
    unit = units().match(gap)
    rest = gap[unit.end() :] if unit else gap
    link = grammar.compile(
        r"[\s-]*(?:[-–—~]|(?P<link>@range_link)|(?P<pair>@pair_link))[\s-]*(?:@about_before\s*)?(?:a\s)?"
    ).fullmatch(rest)
    if link is None or link["pair"] is None:
        return link is not None
    return bool(grammar.bound("range_before").search(source.before(first.start)))


def _rework(source: Instruction, hit: _Hit, first: Numeral) -> bool:
    """Is this from a source's length to a result's: `expand it from 500 to 2000 words`?"""
    before, after = source.before(first.start), source.after(hit.end)
    verb = hit.grammar.anywhere("rework").search(before)
    came = hit.grammar.compile(r"@from_before\s*$").search(before)
    return bool(verb and came) or bool(hit.grammar.after("stretch_after").match(after))
