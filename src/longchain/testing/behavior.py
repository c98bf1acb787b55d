"""How a simulated model answers: at the length it is asked for, with the bias of a real one.

messages -> text of a reply

Knows how requests name what they ask for; does not know who sends them or how replies travel.
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
from longchain.testing.chance import Chance

Message = BaseMessage | Mapping[str, Any]
"""A LangChain message, or its OpenAI form with `role` and `content`."""

_WORDS = ("word", "words", "語", "词", "단어")
_LENGTH = re.compile(
    r"(\d[\d,，]*)[\s-]*(words?\b|characters?\b|文字|字|자|語|词|단어)", re.IGNORECASE
)
_LANGUAGE = re.compile(r"\bin (english|chinese|japanese|korean)\b", re.IGNORECASE)
_PLAN = re.compile(r"<(plan|chapter)_format>")
_PLAN_AGAIN = re.compile(r"\bplan\b|構成|计划|계획", re.IGNORECASE)
_LANGUAGES = {"english": "en", "chinese": "zh", "japanese": "ja", "korean": "ko"}
_TAIL = 2_000
"""How many characters at a message's end tell its language: before them may stand prior text."""


def text_of(message: Message) -> str:
    """Return the text of a message, its text blocks joined."""
    content = message.content if isinstance(message, BaseMessage) else message.get("content")
    if isinstance(content, str):
        return content
    texts = (block if isinstance(block, str) else block.get("text") for block in content or ())
    return "".join(text for text in texts if isinstance(text, str))


def role_of(message: Message) -> str:
    """Return the OpenAI name of a message's role."""
    role = message.type if isinstance(message, BaseMessage) else str(message.get("role", "user"))
    return {"human": "user", "ai": "assistant"}.get(role, role)


class Request(NamedTuple):
    """What a list of messages asks for, as far as a simulated model understands it."""

    text: str
    """The last message that is not the assistant's own."""

    written: str
    """What the assistant has written of its reply already, where it is told to go on."""

    length: int | None
    """The last length that `text` names, if it names one."""

    unit: Unit
    language: str

    plan: Literal["section", "chapter"] | None
    """What kind of plan is asked for, if any."""

    @classmethod
    def read(cls, messages: Sequence[Message]) -> Request:
        """Read the last message; an assistant's turn after it is the beginning of the reply."""
        asking = list(messages)
        written = ""
        while len(asking) > 1 and role_of(asking[-1]) == "assistant":
            written = text_of(asking.pop()) + written
        text = text_of(asking[-1]) if asking else ""
        length, unit = None, ""
        for named in _LENGTH.finditer(text):
            length, unit = int(re.sub("[,，]", "", named[1])), named[2].lower()
        return cls(
            text,
            written,
            length,
            "words" if not unit or unit in _WORDS else "characters",
            _language(text, unit) or _language_named(asking, unit),
            _plan_asked(asking),
        )


def _plan_asked(asking: Sequence[Message]) -> Literal["section", "chapter"] | None:
    """Tell what plan is asked for: now, or one turn ago if this turn asks for it once more."""
    texts = [text_of(one) for one in asking if role_of(one) != "assistant"][-2:]
    tags = [match[1] for text in texts[-1:] for match in _PLAN.finditer(text)]
    if not tags and len(texts) == 2 and _PLAN_AGAIN.search(texts[1]):
        tags = [match[1] for match in _PLAN.finditer(texts[0])]
    return ("chapter" if "chapter" in tags else "section") if tags else None


def _language(text: str, unit: str) -> str | None:
    """Tell the language to write in by the unit and by the script of the last lines."""
    tail = text[-_TAIL:]
    kana = len(re.findall(r"[\u3041-\u30ff]", tail))
    han = len(re.findall(r"[\u4e00-\u9fff]", tail))
    if unit in ("자", "단어"):
        return "ko"
    if unit in ("字", "文字", "語", "词") or (kana + han) * 4 > len(tail):
        return "ja" if unit in ("文字", "語") or kana * 10 > han else "zh"
    return "ko" if len(re.findall(r"[\uac00-\ud7af]", tail)) * 4 > len(tail) else None


def _language_named(asking: Sequence[Message], unit: str) -> str:
    """Tell the language by its name, as in `in Korean`, where characters of it are asked for."""
    if unit.startswith("char"):
        for message in (asking[-1], asking[0]):
            if named := _LANGUAGE.findall(text_of(message)):
                return _LANGUAGES[named[-1].lower()]
    return "en"


@dataclass(frozen=True)
class LengthBehavior:
    """How long a simulated model's replies are, compared with what it is asked for.

    It answers by what the last message says: a writing request, which names its length once, as
    its last number with a unit (`400 words`, `800字`, `800文字`, `800자`, `800 characters`), gets
    prose of `bias * length * exp(spread * z)` units with z from the normal distribution; a message
    with `<plan_format>` or `<chapter_format>` gets a plan for the length it names (also where the
    turn after it asks for the plan again); one with
    `<summary_format>` a summary; any other one sentence. A JSON schema is filled.

    The answer depends on the seed, on the request and on how often that request came: never on
    the order of different requests.

    ```python
    from longchain.testing import LengthBehavior

    behavior = LengthBehavior(bias=0.5)
    reply = behavior.reply([{"role": "user", "content": "Describe a harbor in 200 words."}])
    assert len(reply.split()) == 100
    ```

    Raises:
        InputError: A field is out of its range.
    """

    _: KW_ONLY
    bias: float = 1.0
    """What it writes divided by what it is asked for, in the middle of the distribution."""

    spread: float = 0.0
    """Sigma of the log-normal factor on each length; 0.25 resembles a model of 9B parameters."""

    cap: int | None = None
    """The most that it writes in one reply, in the unit of the request; None: no limit."""

    seed: int = 0

    sections: int | None = None
    """Sections of every plan; None: about one for 450 words or 900 characters."""

    chapters: int | None = None
    """Chapters of every plan of chapters; None: about one for 5,000 words or 10,000 characters."""

    vary: bool = True
    """Whether the same request gets another answer each time it comes."""

    _chance: Chance = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.bias <= 0 or self.spread < 0:
            raise InputError(f"bias must be above 0 and spread not below: {self!r}")
        if any(
            value is not None and value < 1 for value in (self.cap, self.sections, self.chapters)
        ):
            raise InputError(f"cap, sections and chapters must be at least 1: {self!r}")
        object.__setattr__(self, "_chance", Chance(self.seed, self.vary))

    def reply(self, messages: Sequence[Message], schema: Mapping[str, Any] | None = None) -> str:
        """Return the answer to `messages`.

        Args:
            messages: LangChain messages, or mappings with `role` and `content`.
            schema: A JSON schema that the answer must satisfy.
        """
        request = Request.read(messages)
        rng = self._chance.stream(_parts(messages, schema))
        if schema is not None:
            return plan.fill(schema, rng, request.language, self._plan(request, rng, schema))
        if request.plan:
            title = prose.heading(rng, request.language)
            parts = self._plan(request, rng, None)
            return plan.lines(title, request.plan, parts, request.unit, request.language)
        if "<summary_format>" in request.text:
            return _summary(request, rng)
        if request.length is None:
            return plan.point(rng, request.language)
        return self._write(request, rng)

    def _write(self, request: Request, rng: Random) -> str:
        """Write at the length drawn, less what stands there already."""
        assert request.length is not None
        drawn = self.bias * request.length * exp(self.spread * rng.gauss(0, 1))
        length = round(min(drawn, self.cap or drawn))
        left = max(1, length - measure(request.written, request.unit))
        return prose.write(rng, request.language, left, request.unit)

    def _plan(
        self, request: Request, rng: Random, schema: Mapping[str, Any] | None
    ) -> list[plan.Part]:
        length = request.length or 1_000
        per = 1 if request.unit == "words" else 2
        most = max(1, length // (60 * per))
        if request.plan == "chapter" or "chapters" in (schema or {}).get("properties", {}):
            count = self.chapters or min(most, max(2, round(length / (5_000 * per))))
        else:
            least = ceil(length / (1_000 * per))
            count = self.sections or min(most, max(least, round(length / (450 * per))))
        return plan.parts(rng, count, length, request.unit, request.language)


def _summary(request: Request, rng: Random) -> str:
    if request.language in ("zh", "ja"):
        return prose.write(rng, request.language, 240, "characters")
    return prose.write(rng, request.language, 120, "words")


def measure(text: str, unit: Unit) -> int:
    """Return the length of simulated prose: its words, or its characters but white space."""
    words = text.split()
    return len(words) if unit == "words" else sum(map(len, words))


def _parts(messages: Sequence[Message], schema: Mapping[str, Any] | None) -> Iterator[str]:
    for message in messages:
        yield role_of(message)
        yield text_of(message)
    yield json.dumps(schema, sort_keys=True, default=str)
