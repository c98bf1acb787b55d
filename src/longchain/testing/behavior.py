"""Answers requests at the requested length, with the length errors of a real model.

messages -> text of a reply

Knows how a prompt names the length, unit, language and form of its answer; does not know who sends
it or how the reply is transmitted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from math import ceil, exp
from random import Random
from typing import Any, Literal, NamedTuple

from langchain_core.messages import BaseMessage

from longchain.document import Unit
from longchain.errors import InputError
from longchain.testing import plan, prose
from longchain.testing.random_streams import RandomStreams

Message = BaseMessage | Mapping[str, Any]
"""A LangChain message, or its OpenAI form with `role` and `content`."""

_WORD_UNITS = ("word", "words", "語", "词", "단어")
_LENGTH = re.compile(
    r"(\d[\d,，]*)[\s-]*(words?\b|characters?\b|文字|字|자|語|词|단어)", re.IGNORECASE
)
_LANGUAGE = re.compile(r"\bin (english|chinese|japanese|korean)\b", re.IGNORECASE)
_PLAN_TAG = re.compile(r"<(plan|chapter)_format>")
_PLAN_NAMED = re.compile(r"\bplan\b|構成|计划|계획", re.IGNORECASE)
_LANGUAGES = {"english": "en", "chinese": "zh", "japanese": "ja", "korean": "ko"}
_TAIL = 2_000
"""Characters at the end of a message that decide its language: earlier text may be quoted."""


def text_of(message: Message) -> str:
    """Return the text of a message; several text blocks are joined."""
    content = message.content if isinstance(message, BaseMessage) else message.get("content")
    if isinstance(content, str):
        return content
    texts = (block if isinstance(block, str) else block.get("text") for block in content or ())
    return "".join(text for text in texts if isinstance(text, str))


def role_of(message: Message) -> str:
    """Return the OpenAI name of a message's role."""
    role = message.type if isinstance(message, BaseMessage) else str(message.get("role", "user"))
    return {"human": "user", "ai": "assistant"}.get(role, role)


class WritingRequest(NamedTuple):
    """The task in a list of messages, as far as a simulated model understands it."""

    text: str
    """Last message of the user or the system."""

    written: str
    """Beginning of the reply, where the messages end with a turn of the assistant."""

    length: int | None
    """Last length that `text` names; None: it names none."""

    unit: Unit
    """Unit of `length`; `words` without a length."""

    language: str
    """Language of the reply."""

    plan: Literal["section", "chapter"] | None
    """Kind of the requested plan; None: the request is for no plan."""

    @classmethod
    def read(cls, messages: Sequence[Message]) -> WritingRequest:
        """Read the task in the last message; an assistant's turn after it begins the reply."""
        turns = list(messages)
        written = ""
        while len(turns) > 1 and role_of(turns[-1]) == "assistant":
            written = text_of(turns.pop()) + written
        text = text_of(turns[-1]) if turns else ""
        length, unit_name = _find_length(text)
        is_words = not unit_name or unit_name in _WORD_UNITS
        return cls(
            text=text,
            written=written,
            length=length,
            unit="words" if is_words else "characters",
            language=_detect_language(text, unit_name) or _find_language_name(turns, unit_name),
            plan=_find_plan_kind(turns),
        )


def _find_length(text: str) -> tuple[int | None, str]:
    """Return the last length that a text names and the name of its unit."""
    length, unit_name = None, ""
    for match in _LENGTH.finditer(text):
        length, unit_name = int(re.sub("[,，]", "", match[1])), match[2].lower()
    return length, unit_name


def _find_plan_kind(turns: Sequence[Message]) -> Literal["section", "chapter"] | None:
    """Return the kind of the requested plan.

    A request for a plan has a tag, or follows a request with a tag and mentions the plan.
    """
    texts = [text_of(turn) for turn in turns if role_of(turn) != "assistant"][-2:]
    tags = _PLAN_TAG.findall(texts[-1]) if texts else []
    if not tags and len(texts) == 2 and _PLAN_NAMED.search(texts[1]):
        tags = _PLAN_TAG.findall(texts[0])
    if not tags:
        return None
    return "chapter" if "chapter" in tags else "section"


def _detect_language(text: str, unit_name: str) -> str | None:
    """Return the language of the reply by the unit and the script of the last lines, if certain."""
    tail = text[-_TAIL:]
    kana = len(re.findall(r"[\u3041-\u30ff]", tail))
    han = len(re.findall(r"[\u4e00-\u9fff]", tail))
    if unit_name in ("자", "단어"):
        return "ko"
    if unit_name in ("字", "文字", "語", "词") or (kana + han) * 4 > len(tail):
        return "ja" if unit_name in ("文字", "語") or kana * 10 > han else "zh"
    hangul = len(re.findall(r"[\uac00-\ud7af]", tail))
    return "ko" if hangul * 4 > len(tail) else None


def _find_language_name(turns: Sequence[Message], unit_name: str) -> str:
    """Return the language that a request for characters names, as in `in Korean`; else English."""
    if unit_name.startswith("char"):
        for message in (turns[-1], turns[0]):
            if names := _LANGUAGE.findall(text_of(message)):
                return _LANGUAGES[names[-1].lower()]
    return "en"


@dataclass(frozen=True)
class LengthBehavior:
    """The lengths of a simulated model's replies, relative to the requested lengths.

    The last message decides on the answer. A writing request names its length as its last number
    with a unit (`400 words`, `800字`, `800文字`, `800자`, `800 characters`) and gets prose of
    `bias * length * exp(spread * z)` units, with z from the standard normal distribution. A message
    with `<plan_format>` or `<chapter_format>` gets a plan for the length that it names (so does the
    next turn if it asks for the plan again), one with `<summary_format>` a summary, any other one
    sentence. A JSON schema is filled.

    The answer depends on the seed, the request and the number of its occurrence, never on the order
    of different requests.

    ```python
    from longchain.testing import LengthBehavior

    behavior = LengthBehavior(bias=0.5)
    reply = behavior.reply([{"role": "user", "content": "Describe a harbor in 200 words."}])
    assert len(reply.split()) == 100
    ```

    Raises:
        InputError: A field is out of range.
    """

    _: KW_ONLY
    bias: float = 1.0
    """Median of output length / requested length."""

    spread: float = 0.0
    """Sigma of the log-normal factor on each length; 0.25 resembles a model of 9B parameters."""

    cap: int | None = None
    """Maximum length of one reply, in the unit of the request; None: no limit."""

    seed: int = 0
    """Seed of lengths and words."""

    sections: int | None = None
    """Sections of every plan; None: about one for 450 words or 900 characters."""

    chapters: int | None = None
    """Chapters of every plan of chapters; None: about one for 5,000 words or 10,000 characters."""

    vary: bool = True
    """Whether a repeated request gets another answer."""

    _streams: RandomStreams = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.bias <= 0 or self.spread < 0:
            raise InputError(f"bias must be above 0 and spread not below: {self!r}")
        limits = (self.cap, self.sections, self.chapters)
        if any(limit is not None and limit < 1 for limit in limits):
            raise InputError(f"cap, sections and chapters must be at least 1: {self!r}")
        object.__setattr__(self, "_streams", RandomStreams(self.seed, self.vary))

    def reply(self, messages: Sequence[Message], schema: Mapping[str, Any] | None = None) -> str:
        """Return the answer to messages.

        Args:
            messages: LangChain messages, or mappings with `role` and `content`.
            schema: A JSON schema that the answer must satisfy.
        """
        request = WritingRequest.read(messages)
        rng = self._streams.stream(_identify(messages, schema))
        if schema is not None:
            parts = self._plan(request, rng, schema)
            return plan.fill_schema(schema, rng, request.language, parts)
        if request.plan:
            title = prose.make_heading(rng, request.language)
            parts = self._plan(request, rng, None)
            return plan.format_lines(title, request.plan, parts, request.unit, request.language)
        if "<summary_format>" in request.text:
            return _summarize(request, rng)
        if request.length is None:
            return plan.make_point(rng, request.language)
        return self._write(request, rng)

    def _write(self, request: WritingRequest, rng: Random) -> str:
        """Write a reply of random length, without the part that is already written."""
        assert request.length is not None
        drawn = self.bias * request.length * exp(self.spread * rng.gauss(0, 1))
        length = round(min(drawn, self.cap or drawn))
        missing = max(1, length - measure(request.written, request.unit))
        return prose.write(rng, request.language, missing, request.unit)

    def _plan(
        self, request: WritingRequest, rng: Random, schema: Mapping[str, Any] | None
    ) -> list[plan.PlannedPart]:
        length = request.length or 1_000
        if request.plan == "chapter" or "chapters" in (schema or {}).get("properties", {}):
            count = self.chapters or _count_chapters(length, request.unit)
        else:
            count = self.sections or _count_sections(length, request.unit)
        return plan.make_parts(rng, count, length, request.language)


def _count_sections(length: int, unit: Unit) -> int:
    """Return the number of sections: one for 450 words, none below 60 or above 1,000 words."""
    scale = 1 if unit == "words" else 2
    minimum, maximum = ceil(length / (1_000 * scale)), max(1, length // (60 * scale))
    return min(maximum, max(minimum, round(length / (450 * scale))))


def _count_chapters(length: int, unit: Unit) -> int:
    """Return the number of chapters: one for 5,000 words, at least two of 60 words or more."""
    scale = 1 if unit == "words" else 2
    return min(max(1, length // (60 * scale)), max(2, round(length / (5_000 * scale))))


def _summarize(request: WritingRequest, rng: Random) -> str:
    if request.language in ("zh", "ja"):
        return prose.write(rng, request.language, 240, "characters")
    return prose.write(rng, request.language, 120, "words")


def measure(text: str, unit: Unit) -> int:
    """Return the length of simulated prose in words, or in characters without white space."""
    words = text.split()
    return len(words) if unit == "words" else sum(map(len, words))


def _identify(messages: Sequence[Message], schema: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield the texts that identify a request."""
    for message in messages:
        yield role_of(message)
        yield text_of(message)
    yield json.dumps(schema, sort_keys=True, default=str)
