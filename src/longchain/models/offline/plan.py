"""Plans a document over an outline of sources, in the line format of planners.

outline lines + instruction -> sections: the headings that match the instruction, merged to a
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

SECTION_LENGTH, MAX_SECTION_LENGTH = 400, 600
"""Words of a usual section, and of the longest one that is not split; characters twice as many."""

CHAPTER_LENGTH = 5000
"""Words of a usual chapter; characters twice as many."""

_MAX_MATERIAL, _MATCHING_MATERIAL, _OTHER_MATERIAL = 3, 2, 1.25
"""Multiples of the length: beyond the first, only the best headings are used. Those that match the
instruction are used up to the second multiple, the others up to the third."""

_MIN_OWN_WORDS = 40
"""Words directly under a title, before its first heading, from which on they are a topic."""

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
"""Patterns of the text around a heading in `_POINTS`."""

_SUBJECT = {
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
    """One heading of a source, and the amount of text under it."""

    source: str
    heading: str
    amount: int


def read_topics(outline: str) -> list[Topic]:
    """Return the deepest headings of an outline, and titles with text of their own, in order."""
    entries = [match for line in outline.split("\n") if (match := _ENTRY.fullmatch(line.rstrip()))]
    topics: list[Topic] = []
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
        direct = amount - below
        if not below or direct >= _MIN_OWN_WORDS * (1 if entry[4] == "words" else 2):
            topics.append(Topic(source, heading, direct))
    return topics


def write_plan(
    topics: Sequence[Topic],
    instruction: str,
    *,
    total: int | None,
    unit: Unit,
    unit_name: str,
    language: str,
    chapters: bool = False,
    chapter: str = "",
) -> str:
    """Write the lines of a plan over topics.

    Args:
        topics: The available topics, at least one.
        instruction: The instruction for the document.
        total: The sum of the lengths; None: half of the available text, within limits.
        unit: The unit of lengths.
        unit_name: The unit's name in the request.
        language: The language of the labels: `en`, `ja` or `zh`.
        chapters: Whether to plan chapters, to be broken down later, instead of sections.
        chapter: The chapter to break down, if any.
    """
    factor = 1 if unit == "words" else 2
    if total is None:
        half = sum(topic.amount for topic in topics) // 2
        total = max(300 * factor, min(3000 * factor, half // 100 * 100))
    named = [t for t in topics if t.source in chapter and mentions(chapter, t.heading)]
    chosen = _split(named or _choose(topics, chapter or instruction, total), total, factor)
    groups = _group(chosen, _count_parts(len(chosen), total, factor, chapters=chapters))
    lengths = _divide(total, [sum(topic.amount for topic in group) for group in groups])
    lines = [_TITLES[language] + choose_title(instruction, language, topics)]
    part = _PARTS[language][chapters]
    for number, (group, heading, length) in enumerate(
        zip(groups, _name_groups(groups, language), lengths, strict=True), 1
    ):
        lines.append(
            _LINES[language].format(
                part=part.format(number=number),
                heading=_one_field(heading),
                point=_one_field(_write_point(group, language)),
                length=length,
                unit=unit_name,
            )
        )
    return "\n".join(lines)


def mentions(line: str, heading: str) -> bool:
    """Whether a line of a plan (`heading: main point`) names a source's heading."""
    heading = _one_field(heading)
    if line == heading or line.startswith(f"{heading}: "):
        return True
    start = line.find("Covers ")
    point = line[start:] if start >= 0 else line.rsplit(": ", 1)[-1]
    form = rf"(?:^|{_BEFORE}){re.escape(heading)}(?={_BEHIND}|$)"
    return re.search(form, _SOURCE.sub("", point)) is not None


def choose_title(instruction: str, language: str, topics: Sequence[Topic]) -> str:
    """Return the subject that an instruction names, else the title of the best matching source."""
    if match := _SUBJECT[language].search(" ".join(instruction.split())):
        subject = match[1] if language != "en" else _CLAUSE.split(match[1])[0]
        subject = subject.strip(" \"'“”「」《》")
        if 2 <= len(subject) <= 80:
            return subject[0].upper() + subject[1:]
    return max(topics, key=lambda topic: _score([topic], instruction)[0]).source


def _choose(topics: Sequence[Topic], query: str, total: int) -> list[Topic]:
    """Return the topics that match best, enough of them for the length, in order."""
    if sum(topic.amount for topic in topics) <= _MAX_MATERIAL * total:
        return list(topics)
    scores = _score(topics, query)
    # With equal scores, the first topic of every source comes before the second of any.
    turns, seen = [], Counter[str]()
    for topic in topics:
        turns.append(seen[topic.source])
        seen[topic.source] += 1
    chosen, amount = set[int](), 0
    for index in sorted(range(len(topics)), key=lambda i: (-scores[i], turns[i], i)):
        if amount >= (_MATCHING_MATERIAL if scores[index] > 0 else _OTHER_MATERIAL) * total:
            break
        chosen.add(index)
        amount += topics[index].amount
    return [topic for index, topic in enumerate(topics) if index in chosen]


def _score(topics: Sequence[Topic], query: str) -> list[float]:
    """Score each topic by the terms of a query in its heading and title, weighted by rarity."""
    query_terms = list(dict.fromkeys(terms(query)))
    names = [(set(terms(topic.heading)), set(terms(topic.source))) for topic in topics]
    frequency = Counter(term for heading, source in names for term in heading | source)
    weights = {
        term: log(1 + len(topics) / frequency[term]) for term in query_terms if frequency[term]
    }
    return [
        sum(
            weight * ((term in heading) + 0.5 * (term in source))
            for term, weight in weights.items()
        )
        for heading, source in names
    ]


def _split(chosen: Sequence[Topic], total: int, factor: int) -> list[Topic]:
    """Split topics whose share of the length is more than one section should have."""
    whole = sum(topic.amount for topic in chosen) or 1
    max_length, parts = MAX_SECTION_LENGTH * factor, list[Topic]()
    for topic in chosen:
        share = min(topic.amount, total * topic.amount / whole)
        # More than three parts of one heading would only retrieve the same passages again.
        count = min(3, ceil(share / max_length)) if share > 1.5 * max_length else 1
        amount = topic.amount // count
        parts += [Topic(topic.source, topic.heading, amount)] * count
    return parts


def _count_parts(available: int, total: int, factor: int, *, chapters: bool) -> int:
    """Return the number of parts of the usual size, at most the number of topics."""
    usual = (CHAPTER_LENGTH if chapters else SECTION_LENGTH) * factor
    min_parts = 3 if chapters else 2 if total >= 200 * factor else 1
    return max(1, min(available, max(min_parts, round(total / usual))))


def _group(chosen: Sequence[Topic], count: int) -> list[list[Topic]]:
    """Group topics into parts of similar size, if possible at the end of a source (exact)."""
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


def _divide(total: int, amounts: list[int]) -> list[int]:
    """Divide a length in the proportion of amounts, so that the parts add up to it exactly."""
    whole = sum(amounts) or 1
    edges, cumulative = [0], 0
    for amount in amounts:
        cumulative += amount
        edges.append(round(total * cumulative / whole))
    return [max(1, b - a) for a, b in pairwise(edges)]


def _name_groups(groups: list[list[Topic]], language: str) -> Iterator[str]:
    """Yield a heading for each group, no two the same."""
    sources = [dict.fromkeys(topic.source for topic in group) for group in groups]
    used = Counter[str]()
    for group, titles in zip(groups, sources, strict=True):
        is_whole_source = len(group) > 1 and len(titles) == 1 and sources.count(titles) == 1
        names = list(titles) if len(titles) > 1 else _distinct_headings(group)
        heading = group[0].source if is_whole_source else _join(names[:3], language)
        if len(heading) > 80:
            heading = max(group, key=lambda topic: topic.amount).heading
        used[heading] += 1
        yield heading if used[heading] == 1 else f"{heading} ({used[heading]})"


def _write_point(group: list[Topic], language: str) -> str:
    with_source, alone = _POINTS[language]
    points = []
    for source, members in groupby(group, key=lambda topic: topic.source):
        headings = _distinct_headings(list(members))
        form = alone if headings == [source] else with_source
        points.append(form.format(topics=_join(headings, language), source=source))
    return (" " if language == "en" else "").join(points)


def _distinct_headings(group: list[Topic]) -> list[str]:
    """Return the headings of one source's topics; its title only if there is no other."""
    headings = dict.fromkeys(topic.heading for topic in group)
    return [name for name in headings if name != group[0].source] or list(headings)


def _join(headings: Sequence[str], language: str) -> str:
    comma, last = _AND[language]
    return last.join(filter(None, [comma.join(headings[:-1]), headings[-1]]))


def _one_field(text: str) -> str:
    """Return a text that cannot be read as several fields of a plan's line."""
    return re.sub(r"\s+[-–—]+\s+", ", ", " ".join(text.split()))
