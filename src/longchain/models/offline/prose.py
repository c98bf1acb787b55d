"""Sentences of references -> a section of a given length, cited.

references, query and length -> prose: sentences ranked by BM25 against the query, without those
that repeat what stands already, chosen so that they come to the length, in reading order

Knows sentences and their order; knows no prompt. Never changes a sentence and never makes one up.
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
from longchain.language import detect, ends_sentence, is_spaced, sentences
from longchain.length.count import count_length
from longchain.prose.terms import terms

K1, B = 1.2, 0.75
"""BM25's usual constants."""

SIMILAR = 0.5
"""Two runs that share this part of the shorter one's pairs of terms say the same."""

_PASSAGE_WEIGHT = 0.7
"""How much a sentence gains from its passage's score. Sentences then come in stretches, which
reads better than single sentences from everywhere."""

_NAMED_WEIGHT = 1.0
"""What a passage gains whose heading the section is about."""

_LEAD_WEIGHT = 0.2
"""What a passage's first sentence gains: it often says what the passage is about."""

_LAST_ONES = 60
"""From how many runs the last ones are chosen; more change nothing and cost time."""

_LONGEST_RUN = 4

_FENCE = re.compile(r"^\s{0,3}(```|~~~).*?(?:^\s{0,3}\1|\Z)", re.DOTALL | re.MULTILINE)
_ITEM = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)])\s+")
_NO_PROSE_BLOCK = re.compile(r"\s*(?:>|\.\. |\|)|.*\|.*\||(?: {4}|\t)")
_NO_PROSE_LINE = re.compile(r"\s*(?:#{1,6}\s|[=\-~*_^]{3,}\s*$|<|!\[)")
_LINK = re.compile(r"(?<!!)\[([^\]\n]+)\]\([^)\n]*\)")
_MARK = re.compile(r"[ \t]*(?:\[\^[^\]\s]+\]|[\[［【][\d\s,，、;–—～〜-]+[\]］】])")
_NO_SENTENCE = re.compile(r"<[/!A-Za-z]|https?://|[|{}]|`{3}|[:：]\s*$")
_LAST_STOP = re.compile(r"[.!?。！？…]+$")

_LEANS = {
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
"""How sentences begin that point back to the one before and read badly without it."""


@dataclass(frozen=True)
class Source:
    """A passage that may be taken from, under the id that cites it."""

    id: int
    text: str
    named: bool = False
    """The section is about its heading."""


@dataclass(frozen=True)
class Run:
    """A sentence with those that lean on it: taken together or not at all."""

    source: Source
    place: tuple[int, int]
    """Which reference it comes from, and where it stands there."""
    sentences: tuple[str, ...]
    length: int

    @cached_property
    def terms(self) -> list[str]:
        """The terms of all its sentences."""
        return terms(" ".join(self.sentences))

    @cached_property
    def pairs(self) -> frozenset[tuple[str, str]]:
        """Its neighboring terms, by which it is compared with others."""
        return frozenset(pairwise(self.terms))

    def repeats(self, other: Run) -> bool:
        """Return whether it says what another run says, nearly in the same words."""
        shorter = min(len(self.pairs), len(other.pairs))
        return shorter > 0 and len(self.pairs & other.pairs) >= SIMILAR * shorter


def compose(
    sources: Sequence[Source],
    query: str,
    length: int | None,
    unit: Unit,
    *,
    prior: str = "",
    some: bool = False,
) -> str:
    """Return prose of a length from sentences of references, each stretch cited.

    Args:
        sources: What may be taken from, in reading order.
        query: What the section is about.
        length: How long it should be; None: half of what there is.
        unit: What the length counts.
        prior: What is written already: sentences that stand there are not taken again.
        some: Return the shortest that is left where nothing is as short as the length.

    Returns:
        Paragraphs; less than asked for where the references hold no more; empty where nothing
        of them is left.
    """
    language = detect("\n".join(source.text for source in sources)[:20_000])
    runs = list(_fresh(_runs(sources, language, unit), flat(prior)))
    ranked = _distinct(_ranked(runs, terms(query)))
    if length is None:
        length = sum(run.length for run in ranked) // 2
    fitting = _fit(ranked, length)
    if some and not fitting:
        fitting = sorted(ranked, key=lambda run: run.length)[:1]
    chosen = sorted(fitting, key=lambda run: run.place)
    return "\n\n".join(_cited(paragraph, language) for paragraph in _paragraphs(chosen))


def flat(text: str) -> str:
    """Return a text without citation marks and on one line, so that sentences can be found."""
    return " ".join(_MARK.sub("", text).split())


# Reading ----------------------------------------------------------------------------------------


def _runs(sources: Sequence[Source], language: str, unit: Unit) -> Iterator[Run]:
    """Yield the runs of all references that are readable prose."""
    for index, source in enumerate(sources):
        place = 0
        for paragraph in paragraphs(source.text, language):
            for run in _together(paragraph, language):
                length = count_length(" ".join(run), unit, language)
                yield Run(source, (index, place), tuple(run), length)
                place += 1


def _together(paragraph: str, language: str) -> Iterator[list[str]]:
    """Yield a paragraph's sentences with those that lean on them; drop what leans on nothing."""
    leans, run = _LEANS.get(language), list[str]()
    for sentence in sentences(paragraph, language):
        sentence = sentence.strip()
        leaning = leans is not None and leans.match(sentence) is not None
        readable = _readable(sentence, language)
        if run and (not leaning or not readable or len(run) == _LONGEST_RUN):
            yield run
            run = []
        if readable and (run or not leaning):
            run.append(sentence)
    if run:
        yield run


def paragraphs(text: str, language: str) -> Iterator[str]:
    """Yield the paragraphs of a Markdown text, one line each, and list items that are sentences."""
    for block in re.split(r"\n[ \t]*\n", _FENCE.sub("\n\n", text)):
        lines = [line for line in block.split("\n") if line.strip()]
        if any(_NO_PROSE_BLOCK.match(line) for line in lines if not _ITEM.match(line)):
            continue
        part: list[str] = []
        for line in lines:
            item = _ITEM.match(line)
            if (item or _NO_PROSE_LINE.match(line)) and part:
                yield _line(part, language)
                part = []
            if item:
                part = [line[item.end() :]]
            elif not _NO_PROSE_LINE.match(line):
                part.append(line)
        if part:
            yield _line(part, language)


def _line(lines: list[str], language: str) -> str:
    joined = (" " if is_spaced(language) else "").join(line.strip() for line in lines)
    return _MARK.sub("", _LINK.sub(r"\1", joined)).strip()


def _readable(sentence: str, language: str) -> bool:
    """Return whether a sentence is whole and can stand in prose."""
    if not ends_sentence(sentence) or _NO_SENTENCE.search(sentence):
        return False
    if sentence[0].islower() or sentence.count("(") != sentence.count(")"):
        return False
    if is_spaced(language):
        return 4 <= len(sentence.split()) <= 80
    return 8 <= len(sentence) <= 300


def _fresh(runs: Iterable[Run], prior: str) -> Iterator[Run]:
    """Yield the runs of which no sentence stands in the text so far, nor in a run before."""
    seen: set[str] = set()
    for run in runs:
        new = {flat(sentence) for sentence in run.sentences}
        if not new & seen and not any(sentence in prior for sentence in new):
            yield run
        seen |= new


# Choosing ---------------------------------------------------------------------------------------


def _ranked(runs: list[Run], query: list[str]) -> list[tuple[float, Run]]:
    """Return runs by how well they and their passages match, the best first; stable."""
    passages: dict[int, list[str]] = {}
    for run in runs:
        passages.setdefault(run.place[0], []).extend(run.terms)
    own = _scores([run.terms for run in runs], query)
    around = dict(zip(passages, _scores(list(passages.values()), query), strict=True))
    scored = [
        (
            score
            + _PASSAGE_WEIGHT * around[run.place[0]]
            + (_LEAD_WEIGHT if run.place[1] == 0 else 0.0)
            + _NAMED_WEIGHT * run.source.named,
            run,
        )
        for score, run in zip(own, runs, strict=True)
    ]
    return sorted(scored, key=lambda pair: (-pair[0], pair[1].place))


def _scores(texts: list[list[str]], query: list[str]) -> list[float]:
    """Return each text's BM25 score, 1 for the best."""
    counts = [Counter(text) for text in texts]
    average = sum(map(len, texts)) / max(1, len(texts)) or 1.0
    weights = {}
    for term in set(query):
        having = sum(term in count for count in counts)
        weights[term] = log(1 + (len(texts) - having + 0.5) / (having + 0.5))
    scores = []
    for count, text in zip(counts, texts, strict=True):
        damping = K1 * (1 - B + B * len(text) / average)
        # In the order of the query: that of a set, and sums with it, vary between processes.
        found = (term for term in dict.fromkeys(query) if term in count)
        scores.append(sum(weights[t] * count[t] * (K1 + 1) / (count[t] + damping) for t in found))
    best = max(scores, default=0.0) or 1.0
    return [score / best for score in scores]


def _distinct(ranked: list[tuple[float, Run]]) -> list[Run]:
    """Return the runs without those that repeat a better one."""
    kept: list[Run] = []
    for _, run in ranked:
        if not any(run.repeats(other) for other in kept):
            kept.append(run)
    return kept


def _fit(ranked: list[Run], length: int) -> list[Run]:
    """Return runs, the best first, that together come as close to a length as they can.

    The best are taken until little room is left; what fills it best is found exactly.
    """
    if sum(run.length for run in ranked) <= length:
        return ranked
    usual = sum(run.length for run in ranked) / len(ranked)
    chosen: list[Run] = []
    rest: list[Run] = []
    taken = 0
    for run in ranked:
        if taken + run.length <= length - 2.5 * usual:
            chosen.append(run)
            taken += run.length
        else:
            rest.append(run)
    return chosen + _fill(rest[:_LAST_ONES], length - taken, slack=length // 100)


def _fill(runs: list[Run], room: int, slack: int) -> list[Run]:
    """Return the runs whose lengths add up closest to the room (subset sum).

    Among sums within the slack of it, the one of the best runs wins.
    """
    values = [1 / (rank + 1) for rank in range(len(runs))]
    best: dict[int, tuple[float, tuple[int, ...]]] = {0: (0.0, ())}
    for index, run in enumerate(runs):
        for total, (value, members) in list(best.items()):
            reached = total + run.length
            if reached > room + max(slack, run.length // 2):
                continue
            known = best.get(reached)
            if known is None or known[0] < value + values[index]:
                best[reached] = (value + values[index], (*members, index))

    def order(total: int) -> tuple[int, float]:
        return max(0, abs(total - room) - slack), -best[total][0]

    return [runs[index] for index in best[min(best, key=order)][1]]


# Laying out -------------------------------------------------------------------------------------


def _paragraphs(runs: list[Run]) -> Iterator[list[Run]]:
    """Cut runs into paragraphs of three to six sentences, at a change of reference if possible."""
    left = sum(len(run.sentences) for run in runs)
    paragraph: list[Run] = []
    filled = 0
    for run, following in _with_next(runs):
        paragraph.append(run)
        filled += len(run.sentences)
        left -= len(run.sentences)
        if following is None or left < 3:
            continue
        changes = following.source is not run.source
        full = filled + len(following.sentences) > 6 or (filled >= 5 and left >= 3)
        if (changes and filled >= 3) or full:
            yield paragraph
            paragraph, filled = [], 0
    if paragraph:
        yield paragraph


def _with_next(runs: list[Run]) -> Iterator[tuple[Run, Run | None]]:
    return zip(runs, [*runs[1:], None], strict=False)


def _cited(paragraph: list[Run], language: str) -> str:
    """Join a paragraph; each stretch from one reference ends with its mark."""
    space = " " if is_spaced(language) else ""
    parts: list[str] = []
    for run, following in _with_next(paragraph):
        *before, last = run.sentences
        if following is None or following.source is not run.source:
            last = _marked(last, run.source.id, space)
        parts += [*before, last]
    return space.join(parts)


def _marked(sentence: str, number: int, space: str) -> str:
    """Put a mark before the full stop; behind a closing quotation mark where one follows it."""
    stop = _LAST_STOP.search(sentence)
    end = stop.start() if stop else len(sentence)
    return f"{sentence[:end]}{space}[{number}]{sentence[end:]}"
