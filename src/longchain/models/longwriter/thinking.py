"""Thoughts and answer of a reply in `<think> </think><answer> </answer>`, told apart as it streams.

pieces of a reply -> what each adds to the thoughts and to the answer

The format of LongWriter-Zero, arXiv 2506.18841. Text that opens no tag is an answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from longchain.models.longwriter.reply import overlap

_THINK, _END_THINK, _ANSWER, _END_ANSWER = "<think>", "</think>", "<answer>", "</answer>"

State = Literal["before", "thinking", "between", "answer"]

_OPENING_TAGS: dict[State, tuple[str, State]] = {
    "before": (_THINK, "thinking"),
    "between": (_ANSWER, "answer"),
}
"""Tag that is awaited in a state, and the state that follows it."""


@dataclass
class ThinkingParser:
    """Separates the thoughts of a streamed reply from its answer."""

    state: State = "before"
    """Position in the reply: before, in or after its thoughts, or in its answer."""

    _pending: str = ""
    """Text that is held back, since it may be the beginning of a tag."""

    def feed(self, piece: str) -> tuple[str, str]:
        """Add a piece of the reply; return what it adds to the thoughts and to the answer."""
        self._pending += piece
        thought = ""
        while self.state != "answer":
            if self.state == "thinking":
                text, closed = self._take_until(_END_THINK)
                thought += text
                if not closed:
                    return thought, ""
                self.state = "between"
            elif not self._open():
                return thought, ""
        answer, _ = self._take_until(_END_ANSWER)
        return thought, answer

    def flush(self) -> tuple[str, str]:
        """Return the text that was held back, as thoughts and answer, at the end of the reply."""
        pending, self._pending = self._pending, ""
        return (pending, "") if self.state == "thinking" else ("", pending)

    def _open(self) -> bool:
        """Move on to the next state; return False if the text may be the beginning of a tag."""
        tag, next_state = _OPENING_TAGS[self.state]
        text = self._pending.lstrip()
        if text.startswith(tag):
            self.state, self._pending = next_state, text[len(tag) :]
        elif tag.startswith(text):
            return False
        elif self.state == "before" and _ANSWER.startswith(text[: len(_ANSWER)]):
            self.state = "between"
        else:
            self.state, self._pending = "answer", text
        return True

    def _take_until(self, tag: str) -> tuple[str, bool]:
        """Take the pending text up to a closing tag; return it and whether the tag was there."""
        text, found_tag, rest = self._pending.partition(tag)
        if found_tag:
            self._pending = rest
            return text, True
        end = len(text) - overlap(text, tag)
        self._pending = text[end:]
        return text[:end], False
