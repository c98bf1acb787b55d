"""A chat model's message as a `Reply`: its text and its finish reason, for any provider.

`AIMessage` -> `Reply`

Knows the names that providers give to finish reasons; does not judge the text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from langchain_core.messages import AIMessage
from langchain_core.output_parsers import BaseOutputParser
from langchain_core.outputs import Generation

Finish = Literal["stop", "length", "filter", "loop"]
"""Finish reason: ended by itself, cut at a limit, stopped by a filter, or repeating itself."""


@dataclass(frozen=True)
class Reply:
    """A model's reply: its text and its finish reason.

    A dataclass, because events carry it and LangServe sends them as JSON.
    """

    text: str
    finish: Finish


class SectionParser(BaseOutputParser[Reply]):
    """Parses a chat model's message into a `Reply`, for any provider."""

    def parse_result(self, result: list[Any], *, partial: bool = False) -> Reply:
        """Return the text and the finish reason of the first generation."""
        message = getattr(result[0], "message", None)
        return read(message) if isinstance(message, AIMessage) else Reply(result[0].text, "stop")

    def parse(self, text: str) -> Reply:
        """Return a plain text as a complete reply."""
        return self.parse_result([Generation(text=text)])


def read(message: AIMessage) -> Reply:
    """Return a chat model's message as a `Reply`."""
    return Reply(message.text, _finish(message))


_LENGTH = frozenset(
    {"length", "max_tokens", "max_output_tokens", "model_length", "model_context_window_exceeded"}
)
_FILTER = frozenset(
    {"content_filter", "content_filtered", "refusal", "safety", "recitation", "blocklist",
     "prohibited_content", "guardrail_intervened"}
)  # fmt: skip


_LOOP = frozenset({"repetition"})  # vLLM's `repetition_detection`


def _finish(message: AIMessage) -> Finish:
    """Return the finish reason of a message, in one set of names for all providers."""
    metadata = message.response_metadata
    for key in ("finish_reason", "stop_reason", "stopReason", "done_reason"):
        reason = str(metadata.get(key) or "").lower()
        if reason in _LENGTH:
            return "length"
        if reason in _FILTER:
            return "filter"
        if reason in _LOOP:
            return "loop"
    details = metadata.get("incomplete_details") or {}
    return "length" if details.get("reason") in _LENGTH else "stop"
