"""An outline of sources -> a plan in the lines that planners are asked for.

outline lines and an instruction -> sections: the headings that match the instruction, merged to a
usual size, in the order of the sources, with lengths that add up

Knows the outline's lines (`- Title (900 words)`) and the plan's; knows no passages.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import unescape
from itertools import groupby, pairwise
from math import ceil, log

from longchain.document import Unit
from longchain.prose.terms import terms

SECTION, LONGEST_SECTION = 400, 600
"""A section in words: what is aimed at, and beyond what it is split; characters twice as many."""

CHAPTER = 5000
"""A chapter in words; characters twice as many."""

_MOST_MATERIAL, _ENOUGH_MATERIAL, _LEAST_MATERIAL = 3, 2, 1.25
"""Beyond `_MOST` times the length, only the best headings are kept, up to `_ENOUGH` times; those
that match nothing are taken only up to `_LEAST` times."""

_OWN = 40
"""Words right under a title, before its first heading, from which they are a topic."""

_ENTRY = re.compile(r"( *)- (.*) \((\d+) ?(words|characters|字)\)")

_LINES = {
    "en": "{part} - Heading: {heading} - Main Point: {point} - Word Count: {length} {unit}",
    "ja": "{part} - 見出し：{heading} - 要点：{point} - 文字数：{length}{unit}",
    "zh": "{part} - 标题：{heading} - 要点：{point} - 字数：{length}{unit}",
}
_PARTS = {
    "en": ("Section {number}", "Chapter {number}"),
    "ja": ("セクション{number}", "第{number}章"),
    "zh": ("第{number}节", "第{number}章"),
}
_TITLES = {"en": "Title: ", "ja": "タイトル：", "zh": "题目："}
_AND = {"en": (", ", " and "), "ja": ("、", "、"), "zh": ("、", "和")}
_POINTS = {
    "en": ("Covers {topics}, from “{source}”.", "Covers {topics}."),
    "ja": ("「{source}」から、{topics}について述べる。", "{topics}について述べる。"),
    "zh": ("根据《{source}》，说明{topics}。", "说明{topics}。"),
}
_SOURCE = re.compile("“[^”]*”|「[^」]*」|《[^》]*》")
_BEFORE = ", | and |Covers |[、，]|说明|和"
_BEHIND = "[,.、。]| and |和|について"
"""What stands around a heading in `_POINTS`."""

_ABOUT = {
    "en": re.compile(
        r"\b(?:on|about|of|explaining|describing)\s+(?!about\b|around\b|\d)(.+)", re.I
    ),
    "ja": re.compile(r"(?:[、。：]|^)([^、。：]{2,40}?)(?:について|に関する|に関して|をテーマ)"),
    "zh": re.compile(
        r"(?:关于|介绍|论述|讨论|以)([^，。：、]{2,40}?)(?:的(?:报告|文章|论文|综述|文)|为题|，|。|$)"
    ),
}
_CLAUSE = re.compile(r"\s*(?:[,;:.!?\n]|\b(?:for|in (?:about|around|plain)|with|using)\b)")


@dataclass(frozen=True)
class Topic:
    """One heading of a source, and how much stands under it."""

    source: str
    heading: str
    amount: int


def topics(outline: str) -> list[Topic]:
    """Return the deepest headings of an outline, and titles with text of their own, in order."""
    entries = [match for line in outline.split("\n") if (match := _ENTRY.fullmatch(line.rstrip()))]
    found: list[Topic] = []
    source = ""
    for index, entry in enumerate(entries):
        level, amount = len(entry[1]), int(entry[3])
        heading = unescape(entry[2]).removesuffix(" …").strip()
        source = heading if level == 0 else source
        below = 0
        for other in entries[index + 1 :]:
            if len(other[1]) <= level:
                break
            below += int(other[3]) if len(other[1]) == level + 2 else 0
        own = amount - below
        if not below or own >= _OWN * (1 if entry[4] == "words" else 2):
            found.append(Topic(source, heading, own))
    return found


def write(
    found: Sequence[Topic],
    instruction: str,
    *,
    total: int | None,
    unit: Unit,
    unit_name: str,
    language: str,
    chapters: bool = False,
    chapter: str = "",
) -> str:
    """Return a plan's lines over topics.

    Args:
        found: What there is to write about, at least one.
        instruction: What the document is about.
        total: What the lengths add up to; None: half of what there is, within reason.
        unit: What lengths count.
        unit_name: What the request calls it.
        language: Of the labels: `en`, `ja` or `zh`.
        chapters: Plan chapters, to be broken down later; else sections.
        chapter: The chapter that is broken down, if one is.
    """
    factor = 1 if unit == "words" else 2
    if total is None:
        half = sum(topic.amount for topic in found) // 2
        total = max(300 * factor, min(3000 * factor, half // 100 * 100))
    named = [t for t in found if t.source in chapter and names(chapter, t.heading)]
    chosen = _split(named or _choose(found, chapter or instruction, total), total, factor)
    groups = _grouped(chosen, _count(len(chosen), total, factor, chapters=chapters))
    lengths = _shares([sum(topic.amount for topic in group) for group in groups], total)
    lines = [_TITLES[language] + title(instruction, language, found)]
    part = _PARTS[language][chapters]
    for number, (group, heading, length) in enumerate(
        zip(groups, _headings(groups, language), lengths, strict=True), 1
    ):
        lines.append(
            _LINES[language].format(
                part=part.format(number=number),
                heading=_one_field(heading),
                point=_one_field(_point(group, language)),
                length=length,
                unit=unit_name,
            )
        )
    return "\n".join(lines)


def names(line: str, heading: str) -> bool:
    """Return whether a line of a plan (`heading: main point`) is about a source's heading."""
    heading = _one_field(heading)
    if line == heading or line.startswith(f"{heading}: "):
        return True
    start = line.find("Covers ")
    point = line[start:] if start >= 0 else line.rsplit(": ", 1)[-1]
    form = rf"(?:^|{_BEFORE}){re.escape(heading)}(?={_BEHIND}|$)"
    return re.search(form, _SOURCE.sub("", point)) is not None


def title(instruction: str, language: str, found: Sequence[Topic]) -> str:
    """Return what an instruction says the document is about, else what its sources are called."""
    if match := _ABOUT[language].search(" ".join(instruction.split())):
        about = match[1] if language != "en" else _CLAUSE.split(match[1])[0]
        about = about.strip(" \"'“”「」《》")
        if 2 <= len(about) <= 80:
            return about[0].upper() + about[1:]
    return max(found, key=lambda topic: _overlap([topic], instruction)[0]).source


def _choose(found: Sequence[Topic], query: str, total: int) -> list[Topic]:
    """Return the topics that match best, enough of them for the length, in order."""
    if sum(topic.amount for topic in found) <= _MOST_MATERIAL * total:
        return list(found)
    scores = _overlap(found, query)
    # Where nothing tells topics apart, the first of every source comes before the second of any.
    turns, seen = [], Counter[str]()
    for topic in found:
        turns.append(seen[topic.source])
        seen[topic.source] += 1
    kept, amount = set[int](), 0
    for index in sorted(range(len(found)), key=lambda i: (-scores[i], turns[i], i)):
        if amount >= (_ENOUGH_MATERIAL if scores[index] > 0 else _LEAST_MATERIAL) * total:
            break
        kept.add(index)
        amount += found[index].amount
    return [topic for index, topic in enumerate(found) if index in kept]


def _overlap(found: Sequence[Topic], query: str) -> list[float]:
    """Return how much of a query each topic's heading and title hold, rare terms first."""
    wanted = list(dict.fromkeys(terms(query)))
    held = [(set(terms(topic.heading)), set(terms(topic.source))) for topic in found]
    having = Counter(term for heading, source in held for term in heading | source)
    weight = {term: log(1 + len(found) / having[term]) for term in wanted if having[term]}
    return [
        sum(w * ((term in heading) + 0.5 * (term in source)) for term, w in weight.items())
        for heading, source in held
    ]


def _split(chosen: Sequence[Topic], total: int, factor: int) -> list[Topic]:
    """Split topics whose share of the length is more than one section should have."""
    whole = sum(topic.amount for topic in chosen) or 1
    most, parts = LONGEST_SECTION * factor, list[Topic]()
    for topic in chosen:
        share = min(topic.amount, total * topic.amount / whole)
        # More parts than three of one heading would ask a retriever for the same in vain.
        count = min(3, ceil(share / most)) if share > 1.5 * most else 1
        amount = topic.amount // count
        parts += [Topic(topic.source, topic.heading, amount)] * count
    return parts


def _count(available: int, total: int, factor: int, *, chapters: bool) -> int:
    """Return how many parts to make: of the usual size, and no more than there are topics."""
    usual = (CHAPTER if chapters else SECTION) * factor
    least = 3 if chapters else 2 if total >= 200 * factor else 1
    return max(1, min(available, max(least, round(total / usual))))


def _grouped(chosen: Sequence[Topic], count: int) -> list[list[Topic]]:
    """Cut topics into groups of about one size, if possible where one source ends (exact)."""
    sums = [0]
    for topic in chosen:
        sums.append(sums[-1] + topic.amount)
    ideal = sums[-1] / count or 1.0
    changes = [0] + [int(a.source != b.source) for a, b in pairwise(chosen)]
    mixed = [0]
    for change in changes:
        mixed.append(mixed[-1] + change)

    def cost(start: int, end: int) -> float:
        uneven = (sums[end] - sums[start]) / ideal - 1
        return uneven * uneven + 0.5 * (mixed[end] - mixed[start + 1])

    best: list[tuple[float, list[int]]] = [(cost(0, end), [0]) for end in range(1, len(chosen) + 1)]
    for parts in range(2, count + 1):
        best = [
            min(
                (
                    (best[start - 1][0] + cost(start, end), [*best[start - 1][1], start])
                    for start in range(parts - 1, end)
                ),
                default=(float("inf"), []),
            )
            for end in range(1, len(chosen) + 1)
        ]
    edges = [*best[-1][1], len(chosen)]
    return [list(chosen[a:b]) for a, b in pairwise(edges)]


def _shares(amounts: list[int], total: int) -> list[int]:
    """Divide a length in the proportion of amounts, so that the parts add up to it exactly."""
    whole = sum(amounts) or 1
    edges, done = [0], 0
    for amount in amounts:
        done += amount
        edges.append(round(total * done / whole))
    return [max(1, b - a) for a, b in pairwise(edges)]


def _headings(groups: list[list[Topic]], language: str) -> Iterator[str]:
    """Yield a heading for each group, no two the same."""
    sources = [dict.fromkeys(topic.source for topic in group) for group in groups]
    used = Counter[str]()
    for group, own in zip(groups, sources, strict=True):
        whole = len(group) > 1 and len(own) == 1 and sources.count(own) == 1
        shown = list(own) if len(own) > 1 else _names(group)
        heading = group[0].source if whole else _joined(shown[:3], language)
        if len(heading) > 80:
            heading = max(group, key=lambda topic: topic.amount).heading
        used[heading] += 1
        yield heading if used[heading] == 1 else f"{heading} ({used[heading]})"


def _point(group: list[Topic], language: str) -> str:
    with_source, alone = _POINTS[language]
    points = []
    for source, members in groupby(group, key=lambda topic: topic.source):
        headings = _names(list(members))
        form = alone if headings == [source] else with_source
        points.append(form.format(topics=_joined(headings, language), source=source))
    return (" " if language == "en" else "").join(points)


def _names(group: list[Topic]) -> list[str]:
    """Return the headings of one source's topics; its title only where there is nothing else."""
    headings = dict.fromkeys(topic.heading for topic in group)
    return [name for name in headings if name != group[0].source] or list(headings)


def _joined(headings: Sequence[str], language: str) -> str:
    comma, last = _AND[language]
    return last.join(filter(None, [comma.join(headings[:-1]), headings[-1]]))


def _one_field(text: str) -> str:
    """Return a text that cannot be taken for several fields of a plan's line."""
    return re.sub(r"\s+[-–—]+\s+", ", ", " ".join(text.split()))
