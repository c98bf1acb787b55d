"""Reads a plan from Markdown tables.

text -> records, one for each row, named by the header -> `PlanDraft`

Knows bars and header rows; `field_names` knows the meaning of a column, `records` that of a row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from longchain.agent.planning.parse import records
from longchain.agent.planning.parse.field_names import find_field
from longchain.agent.planning.parse.markup import strip_markup
from longchain.agent.planning.parse.plan_draft import PlanDraft
from longchain.agent.planning.parse.plan_line import MAX_LINE_CHARS, MAX_LINES, read_line

_BAR = re.compile(r"(?<!\\)[|｜]")
_RULE_CHARS = frozenset("-: ")


def read(text: str) -> PlanDraft:
    """Read a plan from tables whose header rows name the fields of a plan."""
    rows, lines_above = _read_tables(text.splitlines()[:MAX_LINES])
    parts = records.read_parts(rows)
    if not parts:
        return PlanDraft()
    return PlanDraft(_find_title(lines_above), parts)


def _read_tables(lines: Iterable[str]) -> tuple[list[dict[str, str]], list[str]]:
    """Return the rows of all tables by their headers, and the lines above the first row."""
    rows: list[dict[str, str]] = []
    lines_above: list[str] = []
    header: list[str] = []
    for line in lines:
        cells = _split_cells(line)
        if not cells:
            header = []
            if not rows:
                lines_above.append(line)
        elif not header:
            header = cells if _is_header(cells) else []
        elif not _is_rule(cells):
            rows.append(dict(zip(header, cells, strict=False)))
    return rows, lines_above


def _split_cells(line: str) -> list[str]:
    """Return the cells of a table row; none for another line."""
    if len(line) > MAX_LINE_CHARS:
        return []
    cells = _BAR.split(line.strip())
    if len(cells) < 3:
        return []
    return [strip_markup(cell.replace(r"\|", "|")) for cell in cells]


def _is_header(cells: Iterable[str]) -> bool:
    """Return whether cells name at least two fields of a plan."""
    fields = {find_field(cell) for cell in cells}
    return len(fields - {None}) > 1


def _is_rule(cells: Iterable[str]) -> bool:
    """Return whether cells are the rule below a header: `---`, `:--`."""
    return all(_RULE_CHARS.issuperset(cell) for cell in cells)


def _find_title(lines: Iterable[str]) -> str:
    """Return the first title in some lines."""
    for line in lines:
        title = read_line(line).title
        if title:
            return title
    return ""
