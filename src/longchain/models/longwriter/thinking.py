"""A reply in `<think> </think><answer> </answer>` -> what was thought, and what is the answer.

For LongWriter-Zero, arXiv 2506.18841. Text that never opens a tag is an answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

_OPEN, _CLOSE, _ANSWER, _END = "<think>", "</think>", "<answer>", "</answer>"


@dataclass
class Thinking:
    """Tells the two apart while the reply comes in."""

    place: Literal["before", "thinking", "between", "answer"] = "before"
    _held: str = ""

    def feed(self, piece: str) -> tuple[str, str]:
        """Take in a piece; return what it adds to the thoughts and to the answer."""
        self._held += piece
        thought, answer = "", ""
        while True:
            if self.place in ("before", "between"):
                start = self._held.lstrip()
                mark = _OPEN if self.place == "before" else _ANSWER
                if start.startswith(mark):
                    self._held = start[len(mark) :]
                    self.place = "thinking" if self.place == "before" else "answer"
                    continue
                if mark.startswith(start):
                    return thought, answer
                if self.place == "before" and _ANSWER.startswith(start[: len(_ANSWER)]):
                    self.place = "between"
                    continue
                self.place, self._held = "answer", start
                continue
            mark = _CLOSE if self.place == "thinking" else _END
            text, found, rest = self._held.partition(mark)
            safe = len(text) if found else len(text) - _overlap(text, mark)
            if self.place == "thinking":
                thought += text[:safe]
            else:
                answer += text[:safe]
            self._held = rest if found else text[safe:]
            if not found or self.place == "answer":
                return thought, answer
            self.place = "between"

    def rest(self) -> tuple[str, str]:
        """Return what was held back, once the reply is over."""
        held, self._held = self._held, ""
        return (held, "") if self.place == "thinking" else ("", held)


def _overlap(text: str, mark: str) -> int:
    """Return how much of a text's end may be the beginning of a mark."""
    sizes = range(min(len(mark) - 1, len(text)), 0, -1)
    return next((size for size in sizes if text.endswith(mark[:size])), 0)
