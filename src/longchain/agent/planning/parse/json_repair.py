"""Reads damaged JSON: comments, single quotes, stray commas, bare words, an end cut off.

text, position -> `RepairedJson`: the value that begins there, and where it ends

Does not know the meaning of the value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_MAX_DEPTH = 50

_NOT_CLOSING = r"(?!\s*(?:[,:}\]]|\n|\Z))"  # a quote inside a string is one that nothing follows
_TOKEN = re.compile(
    r"(?P<comment>//[^\n]*|/\*.*?(?:\*/|\Z)|\#[^\n]*)"
    rf'|(?P<text>"(?:[^"\\]++|\\.|"{_NOT_CLOSING})*+(?:"|\Z)|\'(?:[^\'\\]++|\\.|\'{_NOT_CLOSING})*+(?:\'|\Z)'
    r"|“[^”]*+(?:”|\Z))"
    r"|(?P<open>[{\[])|(?P<close>[}\]])|(?P<comma>[,，])|(?P<bare>[^\s{}\[\]:：,，\"'“]++)",
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)


@dataclass(slots=True)
class RepairedJson:
    """A value read from damaged JSON."""

    value: Any
    end: int
    """Position in the text where the value ends."""

    open_record: dict[str, Any] | None = None
    """Innermost object, if it is not closed."""

    ends_within_string: bool = False
    """Whether the last string has no closing quote."""


def load(text: str, start: int) -> RepairedJson:
    """Read the value that begins at an opening bracket, as far as it goes."""
    builder = _ValueBuilder()
    ends_within_string = False
    for token in _TOKEN.finditer(text, start):
        if builder.depth >= _MAX_DEPTH:
            break
        match token.lastgroup:
            case "open":
                builder.open({} if token[0] == "{" else [])
            case "close":
                builder.close()
                if builder.depth == 0:
                    return RepairedJson(builder.value, token.end())
            case "comma":
                builder.end_item()
            case "bare":
                ends_within_string = False
                builder.add(token[0])
            case "text":
                ends_within_string = not _is_closed(token[0])
                builder.add(_unescape(token[0]))
    return RepairedJson(builder.value, len(text), builder.open_record, ends_within_string)


class _ValueBuilder:
    """Builds a value out of tokens."""

    def __init__(self) -> None:
        self._root: list[Any] = []
        """List whose only item is the value."""
        self._containers: list[Any] = [self._root]
        """The lists and objects around the next token, from the outside in."""
        self._keys: list[str | None] = [None]
        """Key of each container that has no value yet."""

    @property
    def value(self) -> Any:
        """Value built so far."""
        return self._root[0]

    @property
    def depth(self) -> int:
        """Number of lists and objects that are open."""
        return len(self._containers) - 1

    @property
    def open_record(self) -> dict[str, Any] | None:
        """Innermost open object; None if that is a list."""
        innermost = self._containers[-1]
        return innermost if isinstance(innermost, dict) else None

    def open(self, container: Any) -> None:
        """Add an empty list or object, to which the next values belong."""
        self.add(container)
        self._containers.append(container)
        self._keys.append(None)

    def close(self) -> None:
        """End the innermost list or object."""
        self._containers.pop()
        self._keys.pop()

    def end_item(self) -> None:
        """Drop a key without a value."""
        self._keys[-1] = None

    def add(self, value: Any) -> None:
        """Add an item to a list; to an object a key, or the value of the key before it."""
        container, key = self._containers[-1], self._keys[-1]
        if isinstance(container, list):
            container.append(value)
        elif key is None:
            self._keys[-1] = value if isinstance(value, str) else ""
        else:
            container[key] = value
            self._keys[-1] = None


def _is_closed(string: str) -> bool:
    """Return whether a string has its closing quote."""
    return len(string) > 1 and string[-1] in "\"'”"


def _unescape(string: str) -> str:
    """Return the text of a string in quotes, its escapes replaced."""
    inner = string[1:-1] if _is_closed(string) else string[1:]
    return _ESCAPE.sub(_unescape_character, inner)


def _unescape_character(escape: re.Match[str]) -> str:
    code, character = escape.groups()
    if code:
        return chr(int(code, 16))
    return " " if character in "nt" else character
