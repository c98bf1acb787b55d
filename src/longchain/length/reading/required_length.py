"""Reads the required length of a document from an instruction.

instruction -> `RequiredLength`, or None

Classifies every length in the instruction by the words around it (length of the document, of each
part, of a small piece, of an existing text, no length) and combines those of the document. If two
lengths remain and no rule decides between them, the result is None instead of a guess.

Knows the roles of lengths; `mentions` finds numbers, units and bounds, `phrases_*` have the phrases
of each language.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from longchain.document import Unit
from longchain.length.reading.mentions import Instruction, LengthMention
from longchain.length.reading.parts import (
    PartCount,
    PartPhrase,
    count_parts,
    find_part_counts,
    find_part_phrase,
)

Role = Literal["total", "requested", "mentioned", "piece", "part"]
"""Role of a length.

Length of the document, called the total, requested by a verb or label, or just mentioned; length of
a small piece of the document; length of each of its parts.
"""

# Between `this` and `500-word essay`: `this long, dull`, but not `this topic in a`.
_ADJECTIVES = r"(?:,?\s+(?!(?:is|are|be|should|must|in|to|into|as|for|with|of)\b)[a-zà-ɏа-я]+){0,2}"
_WORDS = r"(?:[^\W\d]+\s){0,2}?"
# Between an existing text and its length: `this article of`, `この論文は`.
_OF = (
    r"(?:of|is|has|with|at|contains|hat|umfasst|fait|compte|tiene|de|d['’]|von|mit|di|da|van|из|на|共?有|共|是|长达|長達"
    r"|は|が|은|는|이|가)"
)
_ARTICLE = r"(?:an?|the|one|its|ein\w*|une?|una?|um|uma|een|一[篇份个段])"
_OBJECT_PARTICLES = ("を", "을", "를")


@dataclass(frozen=True)
class RequiredLength:
    """The required length of a document, as an instruction names it."""

    target: int
    """Length to aim for, in `unit`: the middle of a range, or the value of a single bound."""

    minimum: int | None
    """Minimum length, if the instruction has one."""

    maximum: int | None
    """Maximum length, if the instruction has one."""

    unit: Unit
    """Unit that the instruction names: words or characters."""

    evidence: str
    """Text of the instruction that was read, without full-width forms and markup."""


def read_required_length(instruction: str) -> RequiredLength | None:
    """Read the required length of a document from an instruction.

    Reads English, Chinese, Japanese, Korean, German, French, Spanish, Italian, Portuguese, Dutch
    and Russian. Distinguishes lengths of a source, of a piece such as an abstract, and of something
    else. A length of each part is multiplied by the number of parts, unless there is a total. A
    sheet of manuscript paper has 400 characters (`原稿用紙`) or 200 (`원고지`). Of an instruction
    longer than 40,000 characters, the first and the last 20,000 are read.

    Returns:
        The length as written (it may be 0, or absurd); None if there is no length, or none that is
        certain.
    """
    normalized = Instruction(instruction)
    if not normalized.mentions:
        return None
    counts = find_part_counts(normalized)
    return _decide(normalized, _classify_all(normalized, counts), counts)


@dataclass(frozen=True)
class _Candidate:
    """A length with its role."""

    mention: LengthMention
    role: Role
    phrase: PartPhrase | None = None
    """Phrase that makes it the length of each part."""


def _decide(
    instruction: Instruction, candidates: list[_Candidate], counts: list[PartCount]
) -> RequiredLength | None:
    """Return the required length by the roles of the lengths in the instruction."""
    is_outline = _has_piece(candidates, "opening") and _has_piece(candidates, "closing")
    parts = [candidate for candidate in candidates if candidate.role == "part"]
    pieces = [
        candidate
        for candidate in candidates
        if candidate.role == "piece" or (is_outline and _is_outline_piece(candidate, "body"))
    ]
    whole = [candidate for candidate in candidates if candidate not in parts + pieces]
    if whole:
        return _combine_whole(instruction, whole)
    if parts:
        return _multiply_parts(instruction, parts, counts)
    piece_mentions = [piece.mention for piece in pieces]
    if is_outline and len(pieces) > 2:
        return _sum_pieces(instruction, piece_mentions)
    if all(_is_whole_request(instruction, piece) for piece in pieces):
        return _combine(instruction, piece_mentions)
    return None


def _classify_all(instruction: Instruction, counts: list[PartCount]) -> list[_Candidate]:
    """Return the lengths that may be required, with their roles."""
    candidates = []
    for mention in instruction.mentions:
        if candidate := _classify(instruction, mention, counts):
            candidates.append(candidate)
    # `They ask "write 500 words". Write 2,000 words.`: a length outside quotations has priority.
    unquoted = [
        candidate for candidate in candidates if not _find_quotation(instruction, candidate.mention)
    ]
    return unquoted or candidates


def _classify(
    instruction: Instruction, mention: LengthMention, counts: list[PartCount]
) -> _Candidate | None:
    """Return the role of a length; None if it is not required."""
    if (
        _is_citation(instruction, mention)
        or _is_unrelated(instruction, mention)
        or _is_of_existing_text(instruction, mention)
    ):
        return None
    if phrase := find_part_phrase(instruction, mention, counts):
        return _Candidate(mention, "part", phrase)
    if _is_piece(mention):
        return _Candidate(mention, "piece")
    return _Candidate(mention, _classify_whole(mention))


def _classify_whole(mention: LengthMention) -> Role:
    """Return the role of a length of the whole document."""
    patterns, before, after = mention.patterns, mention.before, mention.after
    if patterns.before("total_before").search(before) or patterns.after("total_after").match(after):
        return "total"
    is_requested = (
        mention.labelled
        or _is_result(mention)
        or patterns.anywhere("write_verbs").search(before)
        or patterns.after("write_verbs_after").match(after)
    )
    return "requested" if is_requested else "mentioned"


def _is_result(mention: LengthMention) -> bool:
    """Return whether it is the length of a result: `in 300 words`, `500字に`."""
    patterns = mention.patterns
    if patterns.before("result_before").search(mention.before):
        return True
    return patterns.after("result_after").match(mention.after) is not None


def _find_quotation(instruction: Instruction, mention: LengthMention) -> str | None:
    """Return the quotation around a length, with its opening mark.

    None if there is none, or if its marks only emphasize the length.
    """
    for start, end in instruction.quotations:
        if start < mention.start and mention.end < end:
            is_emphasis = end - start <= mention.end - mention.start + 10
            if is_emphasis and instruction.text[start] not in "《〈":
                return None
            return instruction.text[start:end]
    return None


def _is_citation(instruction: Instruction, mention: LengthMention) -> bool:
    """Return whether a length is in a quotation that is no request: a title, a saying."""
    quotation = _find_quotation(instruction, mention)
    if quotation is None:
        return False
    if quotation[0] in "《〈":
        return True
    # `"Explain it (at most 500 words)"`: a bound is a requirement, also in a quoted task.
    if mention.minimum is not None or mention.maximum is not None:
        return False
    patterns = mention.patterns
    if patterns.anywhere("write_verbs").search(quotation):
        return False
    # `"In 500 words, discuss the causes."` is a task, `"A Life in 500 Words"` a title.
    if _is_result(mention) and quotation[-2] in ".?!。":
        return False
    return patterns.after("write_verbs_after").match(mention.after) is None


def _is_unrelated(instruction: Instruction, mention: LengthMention) -> bool:
    """Return whether it is no length of a text: a vocabulary, a pace, an unwanted length."""
    patterns, before, after = mention.patterns, mention.before, mention.after
    if any(patterns.after(name).match(after) for name in ("unrelated_after", "negated_after")):
        return True
    names = ("unrelated", "unrelated_before", "negated_before")
    if any(patterns.before(name).search(before) for name in names):
        return True
    if _is_result(mention) or mention.labelled:
        return False
    return _is_question(instruction, mention) or _follows_unrelated_word(mention)


def _is_question(instruction: Instruction, mention: LengthMention) -> bool:
    """Return whether it is in a question about a length: `How hard are 500 words?`."""
    # `What caused it (500 words)?` is a request.
    is_aside = instruction.text[: mention.span[0]].rstrip()[-1:] in set("(:,-–—")
    sentence_end = instruction.sentence(mention.start)[1]
    if is_aside or instruction.text[sentence_end - 1] != "?":
        return False
    question = mention.patterns.compile(r"^\W*@question\b[^,(:;]{0,60}$")
    return question.search(mention.before) is not None


def _follows_unrelated_word(mention: LengthMention) -> bool:
    """Return whether a word such as `vocabulary` precedes in the clause, and no text before it."""
    clause = _text_after_verb(mention)
    word = mention.patterns.compile(r"@unrelated[^,;:.()、。]{0,25}$").search(clause)
    if word is None:
        return False
    return mention.patterns.anywhere("text_nouns").search(clause, 0, word.start()) is None


def _text_after_verb(mention: LengthMention) -> str:
    """Return the text between the last verb of writing and the number."""
    end = 0
    for verb in mention.patterns.anywhere("write_verbs").finditer(mention.before):
        end = verb.end()
    return mention.before[end:]


def _is_of_existing_text(instruction: Instruction, mention: LengthMention) -> bool:
    """Return whether it is the length of an existing text."""
    patterns, clause = mention.patterns, _text_after_verb(mention)
    has_verb = clause != mention.before
    if _refers_to_existing(instruction, mention, clause, has_verb):
        return True
    if patterns.before("source_before").search(mention.before):
        return True
    if _is_result(mention) or has_verb:
        return False
    if patterns.after("source_after").match(mention.after):
        return True
    return _is_reworked(mention, re.split(r"[,:(]", clause)[-1])


def _refers_to_existing(
    instruction: Instruction, mention: LengthMention, clause: str, has_verb: bool
) -> bool:
    """Return whether `this`, `the following` or a possessive refers to a text of this length."""
    patterns = mention.patterns
    reference = "@existing" if has_verb else "(?:@existing|@possessive)"
    has_noun = mention.attached or patterns.after("text_nouns").match(mention.after)
    adjectives = _ADJECTIVES if has_noun else ""
    # Not `Requirements as follows: 500 words`, `summarize this, at most 500 words`.
    after_colon = instruction.text[: mention.span[0]].rstrip().endswith(":")
    has_no_bound_before = mention.span[0] == mention.start
    directly_before = patterns.compile(rf"{reference}{adjectives}\s*$")
    if has_no_bound_before and not after_colon and directly_before.search(clause):
        return True
    of = patterns.compile(rf"{reference}\s?{_WORDS}(?:@text_nouns)\s?{_OF}\s*$").search(clause)
    return of is not None and patterns.after("result_after").match(mention.after) is None


def _is_reworked(mention: LengthMention, clause: str) -> bool:
    """Return whether it is the object of a verb such as summarize, translate or extend."""
    patterns = mention.patterns
    verb = patterns.anywhere("rework_verbs").search(clause)
    if verb:
        is_attribute = (
            mention.attached
            or patterns.after("text_nouns").match(mention.after)
            or re.match(r"[的の짜의]", mention.after)
            or patterns.compile(rf"@text_nouns\s{_OF}\s*$").search(clause, verb.end())
        )
        if is_attribute:
            return True
    later_verb = patterns.after("rework_verbs_after").match(mention.after)
    return bool(later_verb and (mention.attached or not later_verb.group().isascii()))


def _is_piece(mention: LengthMention) -> bool:
    """Return whether it is the length of a small piece: an abstract, a title, one chapter."""
    return _has_piece_after(mention) or _match_piece_before(mention) is not None


def _has_piece_after(mention: LengthMention) -> bool:
    """Return whether a piece follows: `a 300-word abstract`, `300字摘要`."""
    adjective = r"(?:(?!@text_nouns|@addition|@existing|of|on|about|for)[^\W\d]+\s)?"
    spaced = mention.patterns.compile(rf"[\s-]*{adjective}@piece_nouns(?![^\W\d_])")
    if spaced.match(mention.after):
        return True
    unspaced = mention.patterns.compile(r"\s*(?:的|の|의|짜리)?\s?@piece_nouns")
    match = unspaced.match(mention.after)
    return match is not None and not match.group().strip().isascii()


def _match_piece_before(mention: LengthMention) -> re.Match[str] | None:
    """Match a piece before the length: `the abstract should be 300 words`.

    The last one in a list of pieces may be the whole document.
    """
    piece = mention.patterns.compile(r"@piece_nouns\s*(?:@piece_link)?\s*$").search(mention.before)
    if piece is None:
        return None
    in_list = mention.patterns.compile(r"@piece_nouns[^.\d]{0,40}(?:@addition|、|和)\s*(?:an?\s)?$")
    return None if in_list.search(mention.before[: piece.start()]) else piece


def _combine_whole(instruction: Instruction, candidates: list[_Candidate]) -> RequiredLength | None:
    """Combine the lengths of the document: all if they agree, else those of the surest roles."""
    for roles in (("total", "requested", "mentioned"), ("total", "requested"), ("total",)):
        mentions = [candidate.mention for candidate in candidates if candidate.role in roles]
        if length := _combine(instruction, mentions):
            return length
    return None


def _has_piece(
    candidates: Iterable[_Candidate], name: Literal["opening", "body", "closing"]
) -> bool:
    return any(_is_outline_piece(candidate, name) for candidate in candidates)


def _is_outline_piece(candidate: _Candidate, name: Literal["opening", "body", "closing"]) -> bool:
    """Return whether it is the length of the first, middle or last piece of an outline."""
    mention = candidate.mention
    before = mention.patterns.compile(rf"@{name}\s*(?:@piece_link)?\s*$")
    if before.search(mention.before):
        return True
    return mention.patterns.compile(rf"[\s-]*[的の]?@{name}").match(mention.after) is not None


def _sum_pieces(instruction: Instruction, pieces: list[LengthMention]) -> RequiredLength | None:
    """Add the lengths of an outline, from the introduction to the conclusion."""
    if len({piece.unit for piece in pieces}) > 1:
        return None
    minimums = [piece.minimum for piece in pieces if piece.minimum is not None]
    maximums = [piece.maximum for piece in pieces if piece.maximum is not None]
    return RequiredLength(
        target=sum(piece.target for piece in pieces),
        minimum=sum(minimums) if len(minimums) == len(pieces) else None,
        maximum=sum(maximums) if len(maximums) == len(pieces) else None,
        unit=pieces[0].unit,
        evidence=_quote(instruction, pieces),
    )


def _multiply_parts(
    instruction: Instruction, candidates: list[_Candidate], counts: list[PartCount]
) -> RequiredLength | None:
    """Multiply the length of each part by the number of parts, if both are certain."""
    products = []
    for candidate in candidates:
        if candidate.phrase is None:
            return None
        number = count_parts(instruction, candidate.mention, candidate.phrase, counts)
        if not number:
            return None
        products.append(candidate.mention.scaled(number))
    return _combine(instruction, products)


def _is_whole_request(instruction: Instruction, piece: _Candidate) -> bool:
    """Return whether a piece is the only text that is requested."""
    return _is_only_object(piece.mention) or _is_requested_before(instruction, piece.mention)


def _is_only_object(mention: LengthMention) -> bool:
    """Return whether a piece is the object of the request: `write a 300-word abstract`."""
    patterns = mention.patterns
    piece = _match_piece_before(mention)
    head = mention.before[: piece.start()] if piece else mention.before
    if patterns.compile(rf"@addition(?:\s+{_ARTICLE})?(?:\s[^\W\d]+)?\s*$").search(head):
        return False
    verb_before = patterns.compile(
        r"@write_verbs(?:(?!@text_nouns)[^,:(]){0,30}(?:@text_nouns)?\s*$"
    )
    if piece is None or verb_before.search(head):
        return True
    verb_after = patterns.after("write_verbs_after").match(mention.after)
    return bool(verb_after and piece.group().rstrip()[-1:] in _OBJECT_PARTICLES)


def _is_requested_before(instruction: Instruction, mention: LengthMention) -> bool:
    """Return whether an earlier sentence requests the piece.

    `Summarize it. The summary should be 300 words.`
    """
    piece = _match_piece_before(mention)
    if piece is None:
        return False
    start = instruction.sentence(mention.start)[0]
    if not instruction.text[:start].strip() and not piece.start():
        return piece.group().rstrip()[-1:] not in {":", "("}
    stem = piece.group()[: 5 if piece.group()[0].isascii() else 2]
    head = instruction.text[max(0, start - 2000) : start]
    rework_verbs = mention.patterns.anywhere("rework_verbs")
    verb_before = mention.patterns.compile(r"@write_verbs(?:(?!@text_nouns)[^,:(.]){0,30}$")
    return any(
        rework_verbs.match(head, earlier.start())
        or verb_before.search(head, max(0, earlier.start() - 60), earlier.start())
        for earlier in islice(re.finditer(re.escape(stem), head, re.IGNORECASE), 9)
    )


def _combine(instruction: Instruction, mentions: list[LengthMention]) -> RequiredLength | None:
    """Combine lengths of the same text; None if they contradict each other."""
    mentions = _drop_conversions(mentions)
    minimums = _distinct(mention.minimum for mention in mentions)
    maximums = _distinct(mention.maximum for mention in mentions)
    exact = _distinct(_exact_length(mention) for mention in mentions)
    units = {mention.unit for mention in mentions}
    if not mentions or max(len(exact), len(minimums), len(maximums), len(units)) > 1:
        return None
    minimum, maximum = min(minimums, default=None), min(maximums, default=None)
    target = _choose_target(mentions, minimum, maximum)
    if minimum is not None and target < minimum:
        return None
    if maximum is not None and target > maximum:
        return None
    evidence = _quote(instruction, mentions)
    return RequiredLength(target, minimum, maximum, mentions[0].unit, evidence)


def _distinct(lengths: Iterable[int | None]) -> set[int]:
    return {length for length in lengths if length is not None}


def _exact_length(mention: LengthMention) -> int | None:
    """Return the length without bounds; None if it has bounds."""
    return mention.target if mention.minimum is mention.maximum is None else None


def _choose_target(mentions: list[LengthMention], minimum: int | None, maximum: int | None) -> int:
    """Return an exact length, else the middle of a range, else the middle of the bounds."""
    exact = _distinct(_exact_length(mention) for mention in mentions)
    ranges = [m.target for m in mentions if m.minimum is not None and m.maximum is not None]
    if exact or ranges:
        return min(exact or ranges)
    bounds = [bound for bound in (minimum, maximum) if bound is not None]
    return sum(bounds) // len(bounds)


def _drop_conversions(mentions: list[LengthMention]) -> list[LengthMention]:
    """Drop lengths that repeat another one in the other unit: `1000 words (6,000 characters)`."""
    remaining: list[LengthMention] = []
    for mention in mentions:
        last = remaining[-1] if remaining else mention
        if mention.unit != last.unit and mention.span[0] - last.span[1] <= 12:
            continue
        remaining.append(mention)
    return remaining


def _quote(instruction: Instruction, mentions: list[LengthMention]) -> str:
    """Return the text of the lengths in the instruction."""
    texts = dict.fromkeys(instruction.text[slice(*mention.span)].strip() for mention in mentions)
    return " … ".join(texts)
