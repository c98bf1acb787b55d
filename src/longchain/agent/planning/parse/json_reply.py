"""Reads a plan from JSON in a reply, whole or damaged.

text -> the first value with a plan in it -> `PlanDraft`

Knows where JSON begins; `json_repair` reads it if it is damaged, `records` knows its meaning.
"""

from __future__ import annotations

import json
import re
from typing import Any

from longchain.agent.planning.parse import json_repair, records
from longchain.agent.planning.parse.plan_draft import PlanDraft

_MAX_VALUES = 20
"""JSON values of a reply that are searched for a plan."""

_VALUE_START = re.compile(r"[\[{](?=\s*(?:[\"'“{\[}]|//|/\*|[A-Za-z_]\w*\s*:))")
_DECODER = json.JSONDecoder(strict=False)


def read(text: str) -> PlanDraft:
    """Read a plan from the first JSON value that contains one."""
    end = 0
    values = 0
    for opening in _VALUE_START.finditer(text):
        if opening.start() < end:
            continue
        data, end = _load(text, opening.start())
        draft = records.read(data)
        values += 1
        if draft.parts or values == _MAX_VALUES:
            return draft
    return PlanDraft()


def _load(text: str, start: int) -> tuple[Any, int]:
    """Return the value that begins at a position, and the position where it ends."""
    try:
        return _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        repaired = json_repair.load(text, start)
    if repaired.open_record is not None:
        is_complete = bool(records.read_part(repaired.open_record).length)
        if repaired.ends_within_string or not is_complete:
            repaired.open_record.clear()
    return repaired.value, repaired.end
