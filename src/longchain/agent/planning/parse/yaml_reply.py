"""Reads a plan from YAML in a reply.

text -> data -> `PlanDraft`

Knows where YAML begins; `records` knows its meaning.
"""

from __future__ import annotations

import re

import yaml

from longchain.agent.planning.parse import records
from longchain.agent.planning.parse.plan_draft import PlanDraft

_MAX_CHARS = 200_000
"""Characters of a document that is read.

PyYAML's pure loader reads some 400,000 a second; its C loader crashes on some damaged texts.
"""

_KEY = re.compile(r"^[ \t]*(?:-[ \t]+)?[\w \"']{1,40}:(?:[ \t]|$)", re.MULTILINE)
_FENCED = re.compile(r"```\w*\n(.*?)(?:```|\Z)", re.DOTALL)


def read(text: str) -> PlanDraft:
    """Read a plan from a YAML document, fenced or alone."""
    fence = _FENCED.search(text)
    document = fence[1] if fence else text
    if len(document) > _MAX_CHARS or not _KEY.search(document):
        return PlanDraft()
    try:
        data = yaml.load(document, Loader=yaml.BaseLoader)  # safe; leaves every scalar a text
    except (yaml.YAMLError, RecursionError):
        return PlanDraft()
    draft = records.read(data)
    return draft if _is_whole(draft) else PlanDraft()


def _is_whole(draft: PlanDraft) -> bool:
    """Return whether a draft has several parts and a length.

    Labels on lines of their own are YAML, too, but YAML whose repeated keys are lost, or in which
    each label is an item: those are for `text_reply`.
    """
    return len(draft.parts) > 1 and any(part.length for part in draft.parts)
