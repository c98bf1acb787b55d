"""JSON and YAML in a reply, whole or damaged.

text -> data -> `Draft`

Knows the two notations and how models damage them: comments, single quotes, stray commas, an end
cut off. What the data means is known to `records`.
"""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from longchain.agent.planning.parse import records
from longchain.agent.planning.parse.draft import Draft

_MOST_YAML = 200_000  # characters; the pure loader reads some 400,000 a second, the C one crashes
_MOST_VALUES = 20  # of JSON that are looked into
_DEEPEST = 50

_VALUE = re.compile(r"[\[{](?=\s*(?:[\"'“{\[}]|//|/\*|[A-Za-z_]\w*\s*:))")
_ENDS = r"(?!\s*(?:[,:}\]]|\n|\Z))"  # a quote inside a string is one that nothing follows
_TOKEN = re.compile(
    r"(?P<remark>//[^\n]*|/\*.*?(?:\*/|\Z)|\#[^\n]*)"
    rf'|(?P<text>"(?:[^"\\]++|\\.|"{_ENDS})*+(?:"|\Z)|\'(?:[^\'\\]++|\\.|\'{_ENDS})*+(?:\'|\Z)'
    r"|“[^”]*+(?:”|\Z))"
    r"|(?P<open>[{\[])|(?P<close>[}\]])|(?P<comma>[,，])|(?P<bare>[^\s{}\[\]:：,，\"'“]++)",
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_YAML_KEY = re.compile(r"^[ \t]*(?:-[ \t]+)?[\w \"']{1,40}:(?:[ \t]|$)", re.MULTILINE)
_FENCED = re.compile(r"```\w*\n(.*?)(?:```|\Z)", re.DOTALL)


def read_json(text: str) -> Draft | None:
    """Read a plan from the first JSON value that holds one."""
    end = tries = 0
    for opening in _VALUE.finditer(text):
        if opening.start() < end:
            continue
        try:
            data, end = json.JSONDecoder(strict=False).raw_decode(text, opening.start())
        except (ValueError, RecursionError):
            data, end = _loose(text, opening.start())
        draft = records.read(data)
        tries += 1
        if draft or tries == _MOST_VALUES:
            return draft
    return None


def _loose(text: str, start: int) -> tuple[Any, int]:
    """Read JSON with comments, single quotes, stray commas or a cut-off end; and where it ends.

    Of a value cut off, a record that lacks its length or breaks off within a text is left out.
    """
    stack: list[Any] = [[]]
    keys: list[str | None] = [None]
    whole = True
    for token in _TOKEN.finditer(text, start):
        kind = token.lastgroup
        if len(stack) > _DEEPEST:
            break
        if kind == "open":
            value: Any = {} if token[0] == "{" else []
            _put(stack[-1], keys, value)
            stack.append(value)
            keys.append(None)
        elif kind == "close":
            stack.pop()
            keys.pop()
            if len(stack) == 1:
                return stack[0][0], token.end()
        elif kind == "comma":
            keys[-1] = None
        elif kind != "remark":
            whole = kind == "bare" or (len(token[0]) > 1 and token[0][-1] in "\"'”")
            _put(stack[-1], keys, _unescaped(token[0]) if kind == "text" else token[0])
    if isinstance(stack[-1], dict) and not (whole and records.part(stack[-1]).length):
        stack[-1].clear()
    return stack[0][0], len(text)


def _put(container: Any, keys: list[str | None], value: Any) -> None:
    """Add a value where it was read: an item, a key that waits for its value, or the value."""
    if isinstance(container, list):
        container.append(value)
    elif keys[-1] is None:
        keys[-1] = value if isinstance(value, str) else ""
    else:
        container[keys[-1]] = value
        keys[-1] = None


def _unescaped(token: str) -> str:
    inner = token[1:-1] if len(token) > 1 and token[-1] in "\"'”" else token[1:]
    return _ESCAPE.sub(_character, inner)


def _character(escape: re.Match[str]) -> str:
    if escape[1]:
        return chr(int(escape[1], 16))
    return " " if escape[2] in "nt" else escape[2]


def read_yaml(text: str) -> Draft | None:
    """Read a plan from a YAML document, fenced or alone."""
    fence = _FENCED.search(text)
    document = fence[1] if fence else text
    if len(document) > _MOST_YAML or not _YAML_KEY.search(document):
        return None
    try:
        data = yaml.load(document, Loader=yaml.BaseLoader)  # safe; leaves every scalar a text
    except (yaml.YAMLError, RecursionError):
        return None
    draft = records.read(data)
    # Labels on lines of their own are YAML, too, but one whose repeated keys would be lost, or
    # where each label is an item: those are for `lines`.
    whole = draft and len(draft.parts) > 1 and any(part.length for part in draft.parts)
    return draft if whole else None
