"""Finds the depths at which the chapters and sections of a plan start.

`PlanLine`s -> depth of sections -> depth of chapters

Knows what lines of one depth have in common; does not read their text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from longchain.agent.planning.parse.plan_line import (
    BARE_DEPTH,
    CHAPTER_DEPTH,
    SECTION_DEPTH,
    Depth,
    PlanLine,
)
from longchain.agent.planning.parse.stated_lengths import read_length


@dataclass(slots=True)
class _DepthCounts:
    """How often lines that start at one depth look like sections."""

    lengths: int = 0
    """Lines that state a length."""

    points: int = 0
    """Lines that state a main point."""

    numbers: int = 0
    """Lines that are numbered."""

    def may_be_sections(self, depth: Depth) -> bool:
        """Return whether there are enough; one bare line with a length can be prose."""
        needed = 2 if depth == BARE_DEPTH else 1
        return self.lengths + self.points >= needed or self.numbers > 1

    def rank(self, depth: Depth) -> tuple[int, int, int, list[int]]:
        """Return the key by which depths compare; of equal ones the higher wins."""
        return self.lengths, self.points, self.numbers, [-step for step in depth]


def find_section_depth(lines: Iterable[PlanLine]) -> Depth | None:
    """Return the depth at which sections start: where lengths, main points or numbers are."""
    counts = _count_by_depth(lines)
    openers = counts.get(SECTION_DEPTH, _DepthCounts())
    if openers.numbers:
        return SECTION_DEPTH
    depths = [depth for depth in counts if counts[depth].may_be_sections(depth)]
    return max(depths, key=lambda depth: counts[depth].rank(depth), default=None)


def _count_by_depth(lines: Iterable[PlanLine]) -> dict[Depth, _DepthCounts]:
    """Count lengths, main points and numbers at each depth, or beneath it."""
    counts: dict[Depth, _DepthCounts] = {}
    open_depths: list[Depth] = []
    for line in lines:
        _close_depths(open_depths, line.depth)
        if line.is_total:
            continue
        if line.start_depth is not None:
            open_depths.append(line.start_depth)
            counts.setdefault(line.start_depth, _DepthCounts())
            counts[line.start_depth].numbers += line.numbered
        if open_depths:
            innermost = counts[open_depths[-1]]
            innermost.lengths += _states_length(line)
            innermost.points += "point" in line.fields
    return counts


def _close_depths(open_depths: list[Depth], depth: Depth | None) -> None:
    """Remove the depths that end where a line of a depth begins."""
    if depth is None:
        return
    while open_depths and open_depths[-1] >= depth:
        open_depths.pop()


def _states_length(line: PlanLine) -> bool:
    """Return whether a line states a length, with a label or without."""
    return bool(line.length or read_length(line.fields.get("length")))


def find_chapter_depth(lines: Iterable[PlanLine], section_depth: Depth | None) -> Depth | None:
    """Return the depth at which chapters start: the one right above that of the sections."""
    if section_depth is None or section_depth == CHAPTER_DEPTH:
        return None
    groups = _count_groups(lines, section_depth)
    if CHAPTER_DEPTH in groups:
        return CHAPTER_DEPTH
    return max((depth for depth in groups if groups[depth] > 1), default=None)


def _count_groups(lines: Iterable[PlanLine], section_depth: Depth) -> Counter[Depth]:
    """Count how often sections begin right below a line of each depth."""
    groups = Counter[Depth]()
    above: Depth | None = None
    for line in lines:
        depth = line.start_depth
        if depth is None or depth > section_depth:
            continue
        if depth < section_depth:
            above = depth
        elif above is not None:
            groups[above] += 1
            above = None
    return groups
