"""A stand-in for a model: it writes filler of the asked length, and counts what that would take.

messages + what is asked -> filler, with the usage that a real model would report

Knows tokens, prefixes and how many words things have; knows nothing of the prompts' meaning. It is
told what a call is for by bound arguments, so that a prompt of any wording will do.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.ai import InputTokenDetails, UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import PrivateAttr

from longchain.document import Unit, Usage
from longchain.language import is_spaced, primary
from longchain.length import count_length

BLOCK = 16
"""Tokens that a prefix cache holds or drops together: vLLM's default."""

TURN = 4
"""Tokens that a chat template puts around a message."""

SUMMARY = 250
"""Words of a running summary, as models write it where they may take 350."""

LATEST = 4
"""Prompts whose beginnings are compared: a summary may stand between two sections."""

SHORT = 20_000
"""Characters of a first message up to which its conversation is kept: sections that are written
side by side go on with their own. The `paper` layout's long ones begin no conversation."""

_SENTENCE, _PARAGRAPH = 16, 5
"""Words of a sentence, sentences of a paragraph."""

# Article 1 of the Universal Declaration of Human Rights: words of usual length, spelled as usual.
_WORDS = {
    "en": "all human beings are born free and equal in dignity and rights they are endowed with"
    " reason and conscience and should act towards one another in a spirit of brotherhood",
    "de": "alle Menschen sind frei und gleich an Würde und Rechten geboren sie sind mit Vernunft"
    " und Gewissen begabt und sollen einander im Geist der Brüderlichkeit begegnen",
    "fr": "tous les êtres humains naissent libres et égaux en dignité et en droits ils sont doués"
    " de raison et de conscience et doivent agir les uns envers les autres dans un esprit de"
    " fraternité",
    "es": "todos los seres humanos nacen libres e iguales en dignidad y derechos y dotados como"
    " están de razón y conciencia deben comportarse fraternalmente los unos con los otros",
    "it": "tutti gli esseri umani nascono liberi ed eguali in dignità e diritti essi sono dotati"
    " di ragione e di coscienza e devono agire gli uni verso gli altri in spirito di fratellanza",
    "pt": "todos os seres humanos nascem livres e iguais em dignidade e em direitos dotados de"
    " razão e de consciência devem agir uns para com os outros em espírito de fraternidade",
    "nl": "alle mensen worden vrij en gelijk in waardigheid en rechten geboren zij zijn begiftigd"
    " met verstand en geweten en behoren zich jegens elkander in een geest van broederschap te"
    " gedragen",
    "ru": "все люди рождаются свободными и равными в своем достоинстве и правах они наделены"
    " разумом и совестью и должны поступать в отношении друг друга в духе братства",
    "ko": "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다 인간은 천부적으로"
    " 이성과 양심을 부여받았으며 서로 형제애의 정신으로 행동하여야 한다",
    "ja": "すべての人間は生まれながらにして自由でありかつ尊厳と権利とについて平等である人間は理性と"
    "良心とを授けられており互いに同胞の精神をもって行動しなければならない",
    "zh": "人人生而自由在尊严和权利上一律平等他们赋有理性和良心并应以兄弟关系的精神相对待这是对的",
}

_FULL_STOP = {"ja": "。", "zh": "。"}


class Filler:
    """Writes text without meaning in a language, at a length.

    Args:
        language: A BCP 47 tag.
        instruction: What the document is about; of other languages, its words are used.
        random: Where chance comes from.
    """

    def __init__(self, language: str, instruction: str, random: Random) -> None:
        own = primary(language)
        words = _WORDS.get(own) or "".join(c if c.isalpha() else " " for c in instruction)
        self.language = language
        self.random = random
        self._glue = " " if is_spaced(language) else ""
        # Where nothing parts words, single characters: whole words would come again and again in
        # the same order, and be taken for a repetition.
        self._words = words.split() if self._glue else list("".join(words.split()))
        if len(set(self._words)) < 5:
            self._words = _WORDS["en"].split()
        self._stop = _FULL_STOP.get(own, ".")
        self._rates: dict[Unit, float] = {}

    def words(self, count: int) -> str:
        """Return so many words in a row; twice as many characters where words are not spaced."""
        return self._glue.join(self.random.choices(self._words, k=self._many(count)))

    def prose(self, length: int, unit: Unit) -> str:
        """Return sentences in paragraphs, about so long."""
        if unit not in self._rates:
            sample = self._sentences(1_000)
            self._rates[unit] = count_length(sample, unit, self.language) / 1_000
        return self._sentences(max(round(length / self._rates[unit]), 1))

    def _many(self, words: int) -> int:
        return words if self._glue else 2 * words

    def _sentences(self, count: int) -> str:
        words = self.random.choices(self._words, k=count)
        size = self._many(_SENTENCE)
        text = []
        for number, start in enumerate(range(0, count, size)):
            before = "\n\n" if number % _PARAGRAPH == 0 else self._glue
            sentence = self._glue.join(words[start : start + size])
            text.append(f"{before}{sentence[:1].upper()}{sentence[1:]}{self._stop}")
        return "".join(text).strip()


class Meter:
    """Counts prompts in tokens, and how much of each a prefix cache has from the latest ones.

    Args:
        count: Counts the tokens of a text.
    """

    def __init__(self, count: Callable[[str], int]) -> None:
        self._count = count
        self._known: dict[str, int] = {}
        self._latest: deque[list[tuple[str, str, int]]] = deque(maxlen=LATEST)
        self._begun: dict[str, list[tuple[str, str, int]]] = {}

    def begin(self) -> None:
        """Forget what is cached."""
        self._latest.clear()
        self._begun.clear()

    def count(self, text: str) -> int:
        """Return the tokens of a text, by its paragraphs: most of them are known already."""
        return sum(map(self._paragraph, text.split("\n\n")))

    def _paragraph(self, text: str) -> int:
        known = self._known.get(text)
        if known is None:
            known = self._known[text] = self._count(f"{text}\n\n")
        return known

    def prompt(self, messages: Sequence[BaseMessage]) -> tuple[int, int]:
        """Return the tokens of a prompt, and those of them that are cached."""
        texts = [(message.type, str(message.text)) for message in messages]
        first = texts[0][1]
        cache = [*self._latest, self._begun.get(first, [])]
        alike = [(*_alike(texts, before), before) for before in cache]
        same, characters, before = max(alike, key=lambda found: found[:2])
        turns = list(before[:same])
        cached = sum(tokens for *_, tokens in turns)
        for kind, text in texts[same:]:
            known = self.count(text[:characters]) if characters else 0
            turns.append((kind, text, TURN + known + self.count(text[characters:])))
            cached, characters = cached + known, 0
        self._latest.append(turns)
        if len(first) <= SHORT:
            self._begun[first] = turns
        total = sum(tokens for *_, tokens in turns)
        return total, min(cached, total - 1) // BLOCK * BLOCK

    def reply(self, text: str) -> int:
        """Return the tokens of the answer to the latest prompt, which is then cached, too."""
        size = self.count(text)
        self._latest[-1].append(("ai", text, TURN + size))
        return size


def _alike(texts: list[tuple[str, str]], before: list[tuple[str, str, int]]) -> tuple[int, int]:
    """Return how many messages two prompts begin with alike, and characters of the next one."""
    same = 0
    for (kind, text), (other, earlier, _) in zip(texts, before, strict=False):
        if kind != other:
            return same, 0
        if text != earlier:
            return same, _common(text, earlier)
        same += 1
    return same, 0


def _common(one: str, other: str) -> int:
    """Return how many characters two texts begin with alike, by halving what is in doubt."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


class StandIn(BaseChatModel):
    """A chat model that answers with filler, and adds up what that would take.

    A call is told what to answer by bound arguments: `reply` (the answer itself) or `length` (of
    prose, in the document's unit); without either, a running summary is meant.
    """

    window: int | None = None
    """The context window of the model that it stands for."""

    most: int | None = None
    """The most tokens of a reply, likewise."""

    unit: Unit = "words"

    _filler: Filler = PrivateAttr()
    _meter: Meter = PrivateAttr()
    _random: Random = PrivateAttr(default_factory=lambda: Random(0))
    _bias: float = PrivateAttr(default=1.0)
    _spread: float = PrivateAttr(default=0.0)
    _taken: Usage = PrivateAttr(default_factory=Usage)

    def __init__(
        self,
        *,
        count: Callable[[str], int],
        language: str,
        instruction: str,
        **fields: Any,
    ) -> None:
        super().__init__(cache=False, **fields)
        self._meter = Meter(count)
        self._filler = Filler(language, instruction, self._random)
        # What the chain asks of a model's profile: its window, and how long replies may be.
        self.profile = {"structured_output": False}
        if self.window is not None:
            self.profile["max_input_tokens"] = self.window
        if self.most is not None:
            self.profile["max_output_tokens"] = self.most

    @property
    def _llm_type(self) -> str:
        return "stand-in"

    @property
    def filler(self) -> Filler:
        """What it writes with."""
        return self._filler

    def begin(self, seed: int, bias: float, spread: float) -> None:
        """Begin another document.

        Args:
            seed: Of chance.
            bias: What is written over what is asked, on average.
            spread: Log-normal scatter of a reply's length around that; below 0, what another run
                with this seed writes longer comes shorter.
        """
        self._random.seed(seed)
        self._bias, self._spread = bias, spread
        self._meter.begin()

    def taken(self) -> Usage:
        """Return what the calls took since this was last asked."""
        taken, self._taken = self._taken, Usage()
        return taken

    def count_tokens(self, text: str) -> int:
        """Return how many tokens a text has for the model that it stands for."""
        return self._meter.count(text)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        *,
        reply: str = "",
        length: int = 0,
        max_tokens: int | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        prompt, cached = self._meter.prompt(messages)
        text, finish = reply or self._written(length), "stop"
        size = self._meter.count(text)
        if max_tokens is not None and size > max_tokens:
            text, finish = text[: len(text) * max_tokens // size], "length"
        output = self._meter.reply(text)
        self._taken = self._taken + Usage(
            calls=1, input_tokens=prompt, output_tokens=output, cached_tokens=cached
        )
        usage = UsageMetadata(
            input_tokens=prompt,
            output_tokens=output,
            total_tokens=prompt + output,
            input_token_details=InputTokenDetails(cache_read=cached),
        )
        message = AIMessage(text, usage_metadata=usage, response_metadata={"finish_reason": finish})
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _written(self, length: int) -> str:
        if not length:
            return (
                self._filler.prose(SUMMARY, "words")
                if is_spaced(self._filler.language)
                else self._filler.prose(2 * SUMMARY, "characters")
            )
        drawn = self._bias * length * math.exp(self._spread * self._random.gauss(0, 1))
        return self._filler.prose(max(round(drawn), 1), self.unit)
