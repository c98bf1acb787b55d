"""A plan in Markdown tables.

text -> records, one for each row, named by the header -> `Draft`

Knows bars and header rows; what a column means is known to `labels`, what a record holds to
`records`.
"""

from __future__ import annotations

import re
from typing import Any

from longchain.agent.planning.parse import records
from longchain.agent.planning.parse.draft import Draft, plain
from longchain.agent.planning.parse.labels import meaning_of
from longchain.agent.planning.parse.rows import LONGEST_LINE, MOST_LINES, read_row

_BAR = re.compile(r"(?<!\\)[|｜]")


def read(text: str) -> Draft | None:
    """Read a plan from tables whose header rows name a plan's fields."""
    found: list[Any] = []
    header: list[str] = []
    above: list[str] = []
    for line in text.splitlines()[:MOST_LINES]:
        if len(line) > LONGEST_LINE or len(cells := _BAR.split(line.strip())) < 3:
            header = []
            above += [] if found else [line]
            continue
        cells = [plain(cell.replace(r"\|", "|")) for cell in cells]
        if not header:
            header = cells if len({meaning_of(cell) for cell in cells} - {None}) > 1 else []
        elif not all(set(cell) <= set("-: ") for cell in cells):
            found.append(dict(zip(header, cells, strict=False)))
    parts = records.parts(found)
    titles = (read_row(line).title for line in above)
    return Draft(next(filter(None, titles), ""), parts) if parts else None
