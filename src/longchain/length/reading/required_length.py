"""The required length that an instruction asks for.

instruction -> `RequiredLength`, or None

Gives every measure of the instruction its role by the words around it (the whole document, one of
several parts, a small piece, a source, no length at all) and combines what is left. Knows the
roles; numbers, units and bounds are found in `measures`, the phrases of each language stand in
`wording_*`. Does not guess: where two lengths remain and nothing decides, there is none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from longchain.document import Unit
from longchain.length.reading.measures import Instruction, Measure
from longchain.length.reading.parts import Count, Part, find_counts, how_many, part_of

Role = Literal["total", "asked", "plain", "piece", "part"]
"""What a measure measures: the document, said to be the total, asked for by a verb or label, or
merely named; a small piece of it; each of its parts."""

# Between `this` and `500-word essay`: `this long, dull`, but not `this topic in a`.
_ADJECTIVES = r"(?:,?\s+(?!(?:is|are|be|should|must|in|to|into|as|for|with|of)\b)[a-zà-ɏа-я]+){0,2}"
_WORDS = r"(?:[^\W\d]+\s){0,2}?"
# Joins a text that is there already to its length: `this article of`, `この論文は`.
_OF = (
    r"(?:of|is|has|with|at|contains|hat|umfasst|fait|compte|tiene|de|d['’]|von|mit|di|da|van|из|на|共?有|共|是|长达|長達"
    r"|は|が|은|는|이|가)"
)
_ARTICLE = r"(?:an?|the|one|its|ein\w*|une?|una?|um|uma|een|一[篇份个段])"
_OBJECT = ("を", "을", "를")


@dataclass(frozen=True)
class RequiredLength:
    """What an instruction says about the length of the document."""

    target: int
    """The length to aim for, in `unit`: of a range its middle, of a single bound the bound."""

    minimum: int | None
    """The least that is allowed, where the instruction says so."""

    maximum: int | None
    """The most that is allowed, where the instruction says so."""

    unit: Unit
    """Words or characters, as the instruction says."""

    evidence: str
    """The words that were read, full-width forms and markup made plain."""


def read_required_length(instruction: str) -> RequiredLength | None:
    """Read the required length of a document out of an instruction.

    Reads English, Chinese, Japanese, Korean, German, French, Spanish, Italian, Portuguese, Dutch
    and Russian. Lengths of a source, of a piece such as an abstract and of something else are told
    apart; parts times length is their product unless a total stands beside it. A sheet of
    manuscript paper counts 400 characters (`原稿用紙`) or 200 (`원고지`). Of an instruction longer
    than 40,000 characters the first and the last 20,000 are read.

    Returns:
        The length as it was read (it may be 0, or absurd), or None where there is none, or none
        that is certain.
    """
    source = Instruction(instruction)
    if not source.measures:
        return None
    counts = find_counts(source)
    claims = [claim for m in source.measures if (claim := _claim(source, m, counts))]
    # `They ask "write 500 words". Write 2,000 words.`: a quoted request gives way.
    claims = [claim for claim in claims if not _quoted(source, claim.measure)] or claims
    outlined = all(any(_heads(claim, name) for claim in claims) for name in ("opening", "closing"))
    parts = [claim for claim in claims if claim.role == "part"]
    pieces = [c for c in claims if c.role == "piece" or (outlined and _heads(c, "body"))]
    if whole := [claim for claim in claims if claim not in parts + pieces]:
        return _settled(source, whole)
    if parts:
        return _product(source, parts, counts)
    if outlined and len(pieces) > 2:
        return _sum(source, [claim.measure for claim in pieces])
    alone = all(_alone(claim) or _resumed(source, claim.measure) for claim in pieces)
    return _agree(source, [claim.measure for claim in pieces]) if alone else None


@dataclass(frozen=True)
class _Claim:
    """A measure and what it measures."""

    measure: Measure
    role: Role
    part: Part | None = None


def _claim(source: Instruction, measure: Measure, counts: list[Count]) -> _Claim | None:
    if _cited(source, measure) or _other(source, measure) or _given(source, measure):
        return None
    if part := part_of(source, measure, counts):
        return _Claim(measure, "part", part)
    return _Claim(measure, "piece" if _small(measure) else _rank(measure))


def _rank(measure: Measure) -> Role:
    grammar, before, after = measure.grammar, measure.before, measure.after
    if grammar.before("total_before").search(before) or grammar.after("total_after").match(after):
        return "total"
    asked = (
        measure.labelled
        or _result(measure)
        or grammar.anywhere("write").search(before)
        or grammar.after("write_after").match(after)
    )
    return "asked" if asked else "plain"


def _result(measure: Measure) -> bool:
    """Is it what a text is to become: `in 300 words`, `500字に`?"""
    grammar = measure.grammar
    before = grammar.before("into_before").search(measure.before)
    return bool(before or grammar.after("into_after").match(measure.after))


def _quoted(source: Instruction, measure: Measure) -> str | None:
    """Return the quotation that it stands in, mark in front; none where that only stresses it."""
    for start, end in source.quotations:
        if start < measure.start and measure.end < end:
            stressed = end - start <= measure.end - measure.start + 10
            return None if stressed and source.text[start] not in "《〈" else source.text[start:end]
    return None


def _cited(source: Instruction, measure: Measure) -> bool:
    """Does it stand in a quotation that asks for nothing: a title, a saying?"""
    quotation = _quoted(source, measure)
    if quotation is None or quotation[0] in "《〈":
        return quotation is not None
    # `"Explain it (at most 500 words)"`: a bound is a requirement, also in a task that is quoted.
    if (measure.minimum, measure.maximum) != (None, None):
        return False
    asks = measure.grammar.anywhere("write").search(quotation)
    # `"In 500 words, discuss the causes."` is a task, `"A Life in 500 Words"` a title.
    task = _result(measure) and quotation[-2] in ".?!。"
    return not (asks or task or measure.grammar.after("write_after").match(measure.after))


def _other(source: Instruction, measure: Measure) -> bool:
    """Is it no length of a text: a vocabulary, a pace, a negated or exemplary length?"""
    grammar, before, after = measure.grammar, measure.before, measure.after
    if any(grammar.after(name).match(after) for name in ("other_after", "denied_after")):
        return True
    names = ("other", "other_before", "denied_before")
    if any(grammar.before(name).search(before) for name in names):
        return True
    if _result(measure) or measure.labelled:
        return False
    # `What caused it (500 words)?` asks for a text, `How hard are 500 words?` does not.
    aside = source.text[: measure.span[0]].rstrip()[-1:] in set("(:,-–—")
    question = source.text[source.sentence(measure.start)[1] - 1] == "?"
    if question and not aside and grammar.compile(r"^\W*@asking\b[^,(:;]{0,60}$").search(before):
        return True
    since = _since_verb(measure)
    near = grammar.compile(r"@other[^,;:.()、。]{0,25}$").search(since)
    return near is not None and not grammar.anywhere("texts").search(since, 0, near.start())


def _since_verb(measure: Measure) -> str:
    """Return what stands between the last verb of writing and the number."""
    end = 0
    for verb in measure.grammar.anywhere("write").finditer(measure.before):
        end = verb.end()
    return measure.before[end:]


def _given(source: Instruction, measure: Measure) -> bool:
    """Is it the length of a text that is there already?"""
    grammar, since = measure.grammar, _since_verb(measure)
    named = measure.attached or grammar.after("texts").match(measure.after)
    written = since != measure.before
    marks = "@given" if written else "(?:@given|@own)"
    between = _ADJECTIVES if named else ""
    # Not `Requirements as follows: 500 words`, `summarize this, at most 500 words`.
    colon = source.text[: measure.span[0]].rstrip().endswith(":")
    adjacent = measure.span[0] == measure.start and not colon
    if adjacent and grammar.compile(rf"{marks}{between}\s*$").search(since):
        return True
    of = grammar.compile(rf"{marks}\s?{_WORDS}(?:@texts)\s?{_OF}\s*$").search(since)
    if of and not grammar.after("into_after").match(measure.after):
        return True
    if grammar.before("source_before").search(measure.before):
        return True
    if _result(measure):
        return False
    if grammar.after("source_after").match(measure.after) and not written:
        return True
    return not written and _reworked(measure, re.split(r"[,:(]", since)[-1])


def _reworked(measure: Measure, clause: str) -> bool:
    """Is it the object of a verb such as summarize, translate or extend?"""
    grammar = measure.grammar
    verb = grammar.anywhere("rework").search(clause)
    attributive = (
        measure.attached
        or grammar.after("texts").match(measure.after)
        or re.match(r"[的の짜의]", measure.after)
        or (verb and grammar.compile(rf"@texts\s{_OF}\s*$").search(clause, verb.end()))
    )
    if verb and attributive:
        return True
    later = grammar.after("rework_after").match(measure.after)
    return bool(later and (measure.attached or not later.group().isascii()))


def _small(measure: Measure) -> bool:
    """Is it the length of a small piece of the document: an abstract, a title, one chapter?"""
    return _small_after(measure) or bool(_small_before(measure))


def _small_after(measure: Measure) -> bool:
    """Read `a 300-word abstract`, `300字摘要`."""
    adjective = r"(?:(?!@texts|@beside|@given|of|on|about|for)[^\W\d]+\s)?"
    spaced = measure.grammar.compile(rf"[\s-]*{adjective}@inner(?![^\W\d_])")
    joined = measure.grammar.compile(r"\s*(?:的|の|의|짜리)?\s?@inner").match(measure.after)
    if spaced.match(measure.after):
        return True
    return bool(joined and not joined.group().strip().isascii())


def _small_before(measure: Measure) -> re.Match[str] | None:
    """Read `the abstract should be 300 words`; the last of a list may be the whole document."""
    found = measure.grammar.compile(r"@inner\s*(?:@inner_link)?\s*$").search(measure.before)
    if found is None:
        return None
    listed = measure.grammar.compile(r"@inner[^.\d]{0,40}(?:@beside|、|和)\s*(?:an?\s)?$")
    return None if listed.search(measure.before[: found.start()]) else found


def _settled(source: Instruction, claims: list[_Claim]) -> RequiredLength | None:
    """Combine the lengths of the whole document: all that agree, else the surest."""
    for roles in (("total", "asked", "plain"), ("total", "asked"), ("total",)):
        chosen = [claim.measure for claim in claims if claim.role in roles]
        if found := _agree(source, chosen):
            return found
    return None


def _heads(claim: _Claim, name: Literal["opening", "body", "closing"]) -> bool:
    """Is it the length of the first, middle or last piece of an outline?"""
    grammar, before, after = claim.measure.grammar, claim.measure.before, claim.measure.after
    said = grammar.compile(rf"@{name}\s*(?:@inner_link)?\s*$").search(before)
    return bool(said or grammar.compile(rf"[\s-]*[的の]?@{name}").match(after))


def _sum(source: Instruction, pieces: list[Measure]) -> RequiredLength | None:
    """Add up an outline from the introduction to the conclusion."""
    if len({piece.unit for piece in pieces}) > 1:
        return None
    least = [piece.minimum for piece in pieces if piece.minimum is not None]
    most = [piece.maximum for piece in pieces if piece.maximum is not None]
    return RequiredLength(
        target=sum(piece.target for piece in pieces),
        minimum=sum(least) if len(least) == len(pieces) else None,
        maximum=sum(most) if len(most) == len(pieces) else None,
        unit=pieces[0].unit,
        evidence=_evidence(source, pieces),
    )


def _product(
    source: Instruction, claims: list[_Claim], counts: list[Count]
) -> RequiredLength | None:
    """Multiply the length of each part by their number, where both are certain."""
    products = []
    for claim in claims:
        number = claim.part and how_many(source, claim.measure, claim.part, counts)
        if not number:
            return None
        products.append(claim.measure.scaled(number))
    return _agree(source, products)


def _alone(claim: _Claim) -> bool:
    """Is a piece all that is asked for: `write a 300-word abstract`?"""
    measure, grammar = claim.measure, claim.measure.grammar
    added = grammar.compile(rf"@beside(?:\s+{_ARTICLE})?(?:\s[^\W\d]+)?\s*$")
    where = _small_before(measure)
    head = measure.before[: where.start()] if where else measure.before
    if added.search(head):
        return False
    object_of = grammar.compile(r"@write(?:(?!@texts)[^,:(]){0,30}(?:@texts)?\s*$")
    if where is None or object_of.search(head):
        return True
    verb = grammar.after("write_after").match(measure.after)
    return bool(verb and where.group().rstrip()[-1:] in _OBJECT)


def _resumed(source: Instruction, measure: Measure) -> bool:
    """Has that piece been asked for before: `Summarize it. The summary should be 300 words`?"""
    where = _small_before(measure)
    if where is None:
        return False
    start = source.sentence(measure.start)[0]
    if not source.text[:start].strip() and not where.start():
        return where.group().rstrip()[-1:] not in {":", "("}
    stem = where.group()[: 5 if where.group()[0].isascii() else 2]
    head = source.text[max(0, start - 2000) : start]
    object_of = measure.grammar.compile(r"@write(?:(?!@texts)[^,:(.]){0,30}$")
    return any(
        measure.grammar.anywhere("rework").match(head, found.start())
        or object_of.search(head, max(0, found.start() - 60), found.start())
        for found in islice(re.finditer(re.escape(stem), head, re.IGNORECASE), 9)
    )


def _agree(source: Instruction, measures: list[Measure]) -> RequiredLength | None:
    """Combine what is said about one length; None where two things contradict each other."""
    measures = _of_one_unit(measures)
    exact = {m.target for m in measures if m.minimum is m.maximum is None}
    ranges = {m.target for m in measures if m.minimum is not None and m.maximum is not None}
    least = {m.minimum for m in measures if m.minimum is not None}
    most = {m.maximum for m in measures if m.maximum is not None}
    units = {m.unit for m in measures}
    if not measures or max(len(exact), len(least), len(most), len(units)) > 1:
        return None
    minimum, maximum = min(least, default=None), min(most, default=None)
    target = min(exact or ranges or {_middle(minimum, maximum)})
    if not (minimum or 0) <= target <= (target if maximum is None else maximum):
        return None
    return RequiredLength(target, minimum, maximum, measures[0].unit, _evidence(source, measures))


def _middle(minimum: int | None, maximum: int | None) -> int:
    ends = [end for end in (minimum, maximum) if end is not None]
    return sum(ends) // len(ends)


def _of_one_unit(measures: list[Measure]) -> list[Measure]:
    """Leave out a length said again in the other unit: `1000 words (about 6,000 characters)`."""
    kept: list[Measure] = []
    for measure in measures:
        if kept and measure.unit != kept[-1].unit and measure.span[0] - kept[-1].span[1] <= 12:
            continue
        kept.append(measure)
    return kept


def _evidence(source: Instruction, measures: list[Measure]) -> str:
    said = dict.fromkeys(source.text[slice(*measure.span)].strip() for measure in measures)
    return " … ".join(said)
