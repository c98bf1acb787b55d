"""Composes a section of a given length from sentences of references, with citations.

references + query + length -> prose: sentences ranked by BM25 against the query, without repeats
of the text so far, chosen so that they add up to the length, in reading order

Knows sentences and their order; knows no prompt. Never changes or invents a sentence.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import log

from longchain.document import Unit
from longchain.language import detect, is_spaced
from longchain.length.count import count_length
from longchain.prose.terms import terms
from longchain.sentences import ends_sentence, split_sentences

K1, B = 1.2, 0.75
"""Usual constants of BM25."""

SIMILAR = 0.5
"""Share of the shorter run's pairs of terms from which on two runs repeat each other."""

_PASSAGE_WEIGHT = 0.7
"""Weight of a passage's score for its sentences. It keeps sentences of one passage together, which
reads better than single sentences from everywhere."""

_NAMED_WEIGHT = 1.0
"""Score of a passage whose heading the section names."""

_LEAD_WEIGHT = 0.2
"""Score of a passage's first sentence, which often names its subject."""

_MAX_FILLERS = 60
"""Runs from which the rest of the length is filled; more change nothing and cost time."""

_MAX_RUN = 4
"""Sentences of one run."""

_FENCE = re.compile(r"^\s{0,3}(```|~~~).*?(?:^\s{0,3}\1|\Z)", re.DOTALL | re.MULTILINE)
_ITEM = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)])\s+")
_NO_PROSE_BLOCK = re.compile(r"\s*(?:>|\.\. |\|)|.*\|.*\||(?: {4}|\t)")
_NO_PROSE_LINE = re.compile(r"\s*(?:#{1,6}\s|[=\-~*_^]{3,}\s*$|<|!\[)")
_LINK = re.compile(r"(?<!!)\[([^\]\n]+)\]\([^)\n]*\)")
_MARK = re.compile(r"[ \t]*(?:\[\^[^\]\s]+\]|[\[［【][\d\s,，、;–—～〜-]+[\]］】])")
_NO_SENTENCE = re.compile(r"<[/!A-Za-z]|https?://|[|{}]|`{3}|[:：]\s*$")
_LAST_STOP = re.compile(r"[.!?。！？…]+$")

_DEPENDENT = {
    "en": re.compile(
        r"(?:However|Therefore|Thus|Hence|Moreover|Furthermore|Consequently|Nevertheless|Otherwise"
        r"|Instead|Likewise|Similarly|Also|Besides|Meanwhile|Still|Yet|But|And|Or|So|Then|Nor|It"
        r"|Its|They|Their|Them|This|That|These|Those|Such|He|His|She|Her|Both|Neither|Another"
        r"|Others?|Here|There,|Finally|Second|Third|Next|Again|Even so|As a result|By contrast"
        r"|In contrast|For (?:example|instance|this|that|these)|In other words|On the contrary"
        r"|In (?:this|that|these|addition|turn)|On the other hand|At the same time"
        r"|After (?:this|that)|Because of (?:this|that)"
        r"|The (?:latter|former|same|others?|second|third|result|reverse|opposite))\b"
        r"|(?:\S+ ){1,5}(?:therefore|thus|also|then|likewise|(?:do|does|did|done) (?:this|so|that)"
        r"|(?:of|in|from|for|with|by|to) (?:this|that|these|those|it|them)"
        r"|the (?:two|latter|former))\b"
        r"|\S+ \S+ (?:it|them)\b"
    ),
    "ja": re.compile(
        "しかし|また|そして|そのため|そのうえ|したがって|さらに|つまり|一方|だが|ただし|なお|例えば|たとえば"
        "|この|その|これ|それ|ここ|そこ|こう|そう|すると|ところが|同様|同じく|もっとも|なぜなら|次に|最後に|続いて"
        "|あの|彼|彼女|前者|後者|逆に|まず|よって|すなわち|とはいえ|けれども|でも"
    ),
    "zh": re.compile(
        "因此|但|然而|这|那|此|它|他|她|另外|所以|不过|例如|比如|其|于是|而|并且|相反|反之|前者|后者|同样"
        "|同时|由此|总之|可见|也就是说|换句话说|接着|随后|最后|其次|再次|這|彼此|否则|虽然如此|尽管如此"
    ),
}  # fmt: skip
"""Beginnings of sentences that refer to the sentence before and read badly without it."""


@dataclass(frozen=True)
class PromptReference:
    """A passage in a prompt, with the id that cites it."""

    id: int
    text: str
    is_named: bool = False
    """Whether the section names its heading."""


@dataclass(frozen=True)
class SentenceRun:
    """A sentence with the ones that depend on it: used together or not at all."""

    reference: PromptReference
    place: tuple[int, int]
    """Index of its reference, and its position there."""
    sentences: tuple[str, ...]
    length: int

    @cached_property
    def terms(self) -> list[str]:
        """The terms of all its sentences."""
        return terms(" ".join(self.sentences))

    @cached_property
    def pairs(self) -> frozenset[tuple[str, str]]:
        """Its pairs of neighboring terms, to compare it with other runs."""
        return frozenset(pairwise(self.terms))

    def repeats(self, other: SentenceRun) -> bool:
        """Whether it repeats another run in nearly the same words."""
        shorter = min(len(self.pairs), len(other.pairs))
        return shorter > 0 and len(self.pairs & other.pairs) >= SIMILAR * shorter


def compose(
    references: Sequence[PromptReference],
    query: str,
    length: int | None,
    unit: Unit,
    *,
    prior: str = "",
    at_least_one: bool = False,
) -> str:
    """Compose prose of a length from sentences of references, each stretch cited.

    Args:
        references: The available references, in reading order.
        query: The subject of the section.
        length: The target length; None: half of the available text.
        unit: The unit of the length.
        prior: The text so far: its sentences are not used again.
        at_least_one: Whether to return the shortest run left if none is as short as the length.

    Returns:
        Paragraphs; shorter than the length if the references have no more; empty if nothing of
        them is left.
    """
    language = detect("\n".join(reference.text for reference in references)[:20_000])
    runs = list(_unused(_read_runs(references, language, unit), flatten(prior)))
    ranked = _drop_repeats(_rank(runs, terms(query)))
    if length is None:
        length = sum(run.length for run in ranked) // 2
    fitting = _fit(ranked, length)
    if at_least_one and not fitting:
        fitting = sorted(ranked, key=lambda run: run.length)[:1]
    chosen = sorted(fitting, key=lambda run: run.place)
    return "\n\n".join(_cite(paragraph, language) for paragraph in _group_paragraphs(chosen))


def flatten(text: str) -> str:
    """Return a text without citation marks on one line, in which to search for sentences."""
    return " ".join(_MARK.sub("", text).split())


# Reading ----------------------------------------------------------------------------------------


def _read_runs(
    references: Sequence[PromptReference], language: str, unit: Unit
) -> Iterator[SentenceRun]:
    """Yield the runs of readable prose of all references."""
    for index, reference in enumerate(references):
        position = 0
        for paragraph in split_paragraphs(reference.text, language):
            for run in _group_sentences(paragraph, language):
                length = count_length(" ".join(run), unit, language)
                yield SentenceRun(reference, (index, position), tuple(run), length)
                position += 1


def _group_sentences(paragraph: str, language: str) -> Iterator[list[str]]:
    """Yield a paragraph's sentences with their dependent ones, without those left alone."""
    dependent, run = _DEPENDENT.get(language), list[str]()
    for sentence in split_sentences(paragraph, language):
        sentence = sentence.strip()
        is_dependent = dependent is not None and dependent.match(sentence) is not None
        is_readable = _is_readable(sentence, language)
        if run and (not is_dependent or not is_readable or len(run) == _MAX_RUN):
            yield run
            run = []
        if is_readable and (run or not is_dependent):
            run.append(sentence)
    if run:
        yield run


def split_paragraphs(text: str, language: str) -> Iterator[str]:
    """Yield the paragraphs of a Markdown text, one line each, and list items that are sentences."""
    for block in re.split(r"\n[ \t]*\n", _FENCE.sub("\n\n", text)):
        lines = [line for line in block.split("\n") if line.strip()]
        if any(_NO_PROSE_BLOCK.match(line) for line in lines if not _ITEM.match(line)):
            continue
        part: list[str] = []
        for line in lines:
            item = _ITEM.match(line)
            if (item or _NO_PROSE_LINE.match(line)) and part:
                yield _join_lines(part, language)
                part = []
            if item:
                part = [line[item.end() :]]
            elif not _NO_PROSE_LINE.match(line):
                part.append(line)
        if part:
            yield _join_lines(part, language)


def _join_lines(lines: list[str], language: str) -> str:
    joined = (" " if is_spaced(language) else "").join(line.strip() for line in lines)
    return _MARK.sub("", _LINK.sub(r"\1", joined)).strip()


def _is_readable(sentence: str, language: str) -> bool:
    """Whether a sentence is complete and fits into prose."""
    if not ends_sentence(sentence) or _NO_SENTENCE.search(sentence):
        return False
    if sentence[0].islower() or sentence.count("(") != sentence.count(")"):
        return False
    if is_spaced(language):
        return 4 <= len(sentence.split()) <= 80
    return 8 <= len(sentence) <= 300


def _unused(runs: Iterable[SentenceRun], prior: str) -> Iterator[SentenceRun]:
    """Yield the runs without a sentence of the text so far or of an earlier run."""
    seen: set[str] = set()
    for run in runs:
        new = {flatten(sentence) for sentence in run.sentences}
        if not new & seen and not any(sentence in prior for sentence in new):
            yield run
        seen |= new


# Choosing ---------------------------------------------------------------------------------------


def _rank(runs: list[SentenceRun], query: list[str]) -> list[tuple[float, SentenceRun]]:
    """Rank runs by how well they and their passages match, the best first; stable."""
    passages: dict[int, list[str]] = {}
    for run in runs:
        passages.setdefault(run.place[0], []).extend(run.terms)
    run_scores = _score([run.terms for run in runs], query)
    passage_scores = _score(list(passages.values()), query)
    by_passage = dict(zip(passages, passage_scores, strict=True))
    scored = [
        (
            score
            + _PASSAGE_WEIGHT * by_passage[run.place[0]]
            + (_LEAD_WEIGHT if run.place[1] == 0 else 0.0)
            + _NAMED_WEIGHT * run.reference.is_named,
            run,
        )
        for score, run in zip(run_scores, runs, strict=True)
    ]
    return sorted(scored, key=lambda pair: (-pair[0], pair[1].place))


def _score(texts: list[list[str]], query: list[str]) -> list[float]:
    """Return the BM25 score of each text, 1 for the best."""
    counts = [Counter(text) for text in texts]
    average = sum(map(len, texts)) / max(1, len(texts)) or 1.0
    weights = {}
    for term in set(query):
        frequency = sum(term in count for count in counts)
        weights[term] = log(1 + (len(texts) - frequency + 0.5) / (frequency + 0.5))
    scores = []
    for count, text in zip(counts, texts, strict=True):
        damping = K1 * (1 - B + B * len(text) / average)
        # In the order of the query: the order of a set, and so the sum, differs per process.
        shared = (term for term in dict.fromkeys(query) if term in count)
        scores.append(sum(weights[t] * count[t] * (K1 + 1) / (count[t] + damping) for t in shared))
    best = max(scores, default=0.0) or 1.0
    return [score / best for score in scores]


def _drop_repeats(ranked: list[tuple[float, SentenceRun]]) -> list[SentenceRun]:
    """Return the runs without those that repeat a better one."""
    distinct: list[SentenceRun] = []
    for _, run in ranked:
        if not any(run.repeats(other) for other in distinct):
            distinct.append(run)
    return distinct


def _fit(ranked: list[SentenceRun], length: int) -> list[SentenceRun]:
    """Return runs, the best first, whose total is as close to a length as possible.

    The best are chosen until little room is left; the best way to fill it is found exactly.
    """
    if sum(run.length for run in ranked) <= length:
        return ranked
    average = sum(run.length for run in ranked) / len(ranked)
    chosen: list[SentenceRun] = []
    rest: list[SentenceRun] = []
    filled = 0
    for run in ranked:
        if filled + run.length <= length - 2.5 * average:
            chosen.append(run)
            filled += run.length
        else:
            rest.append(run)
    return chosen + _fill(rest[:_MAX_FILLERS], length - filled, slack=length // 100)


def _fill(runs: list[SentenceRun], room: int, slack: int) -> list[SentenceRun]:
    """Return the runs whose total length is closest to the room (subset sum).

    Of totals within the slack, the one with the best runs wins.
    """
    values = [1 / (rank + 1) for rank in range(len(runs))]
    best: dict[int, tuple[float, tuple[int, ...]]] = {0: (0.0, ())}
    for index, run in enumerate(runs):
        for total, (value, members) in list(best.items()):
            new_total = total + run.length
            if new_total > room + max(slack, run.length // 2):
                continue
            current = best.get(new_total)
            if current is None or current[0] < value + values[index]:
                best[new_total] = (value + values[index], (*members, index))

    def order(total: int) -> tuple[int, float]:
        return max(0, abs(total - room) - slack), -best[total][0]

    return [runs[index] for index in best[min(best, key=order)][1]]


# Formatting -------------------------------------------------------------------------------------


def _group_paragraphs(runs: list[SentenceRun]) -> Iterator[list[SentenceRun]]:
    """Group runs into paragraphs of 3 to 6 sentences, at a change of reference if possible."""
    left = sum(len(run.sentences) for run in runs)
    paragraph: list[SentenceRun] = []
    filled = 0
    for run, following in _with_next(runs):
        paragraph.append(run)
        filled += len(run.sentences)
        left -= len(run.sentences)
        if following is None or left < 3:
            continue
        changes = following.reference is not run.reference
        full = filled + len(following.sentences) > 6 or (filled >= 5 and left >= 3)
        if (changes and filled >= 3) or full:
            yield paragraph
            paragraph, filled = [], 0
    if paragraph:
        yield paragraph


def _with_next(runs: list[SentenceRun]) -> Iterator[tuple[SentenceRun, SentenceRun | None]]:
    return zip(runs, [*runs[1:], None], strict=False)


def _cite(paragraph: list[SentenceRun], language: str) -> str:
    """Join a paragraph; each stretch from one reference ends with its citation mark."""
    space = " " if is_spaced(language) else ""
    parts: list[str] = []
    for run, following in _with_next(paragraph):
        *before, last = run.sentences
        if following is None or following.reference is not run.reference:
            last = _insert_mark(last, run.reference.id, space)
        parts += [*before, last]
    return space.join(parts)


def _insert_mark(sentence: str, number: int, space: str) -> str:
    """Insert a citation mark before the full stop; at the end if a quotation mark closes it."""
    stop = _LAST_STOP.search(sentence)
    end = stop.start() if stop else len(sentence)
    return f"{sentence[:end]}{space}[{number}]{sentence[end:]}"
