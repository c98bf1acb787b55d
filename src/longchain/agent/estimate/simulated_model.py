"""Simulates a model: filler text of the requested length, with the usage of a real model.

messages + bound arguments -> filler text, with the usage that a real model would report

Knows tokens, prefix caches and the usual length of texts; does not know the meaning of prompts.
Bound arguments tell it the kind of the request, so any wording of a prompt works.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, NamedTuple

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
"""Tokens per block of a prefix cache: vLLM's default."""

TURN_TOKENS = 4
"""Tokens that a chat template adds to a message."""

SUMMARY_WORDS = 250
"""Words of a running summary, as models write it if up to 350 are allowed."""

RECENT_PROMPTS = 4
"""Number of latest prompts whose beginnings are compared.

More than one, since a summary may come between two sections.
"""

MAX_CONVERSATION_START = 20_000
"""Maximum characters of a first message whose conversation is stored.

Sections that are written in parallel continue their own conversations. The long first messages of
the `paper` layout start no conversation.
"""

_SENTENCE_WORDS = 16
_PARAGRAPH_SENTENCES = 5

# Article 1 of the Universal Declaration of Human Rights: words of usual length and spelling.
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
    """Writes meaningless text of a length in a language.

    Args:
        language: A BCP 47 tag.
        instruction: The instruction, whose words are used in languages without a word list.
        random: Random number generator.
    """

    def __init__(self, language: str, instruction: str, random: Random) -> None:
        primary_language = primary(language)
        words = _WORDS.get(primary_language)
        if not words:
            words = "".join(c if c.isalpha() else " " for c in instruction)
        self.language = language
        self.random = random
        self._separator = " " if is_spaced(language) else ""
        # Single characters in languages without spaces: whole words would often repeat in the same
        # order, and be detected as a repetition.
        self._words = words.split() if self._separator else list("".join(words.split()))
        if len(set(self._words)) < 5:
            self._words = _WORDS["en"].split()
        self._full_stop = _FULL_STOP.get(primary_language, ".")
        self._length_per_word: dict[Unit, float] = {}

    def words(self, count: int) -> str:
        """Return a number of words; twice as many characters in languages without spaces."""
        return self._separator.join(self.random.choices(self._words, k=self._size(count)))

    def prose(self, length: int, unit: Unit) -> str:
        """Return paragraphs of sentences of about this length."""
        if unit not in self._length_per_word:
            sample = self._sentences(1_000)
            self._length_per_word[unit] = count_length(sample, unit, self.language) / 1_000
        return self._sentences(max(round(length / self._length_per_word[unit]), 1))

    def _size(self, words: int) -> int:
        return words if self._separator else 2 * words

    def _sentences(self, count: int) -> str:
        words = self.random.choices(self._words, k=count)
        size = self._size(_SENTENCE_WORDS)
        text = []
        for number, start in enumerate(range(0, count, size)):
            gap = "\n\n" if number % _PARAGRAPH_SENTENCES == 0 else self._separator
            sentence = self._separator.join(words[start : start + size])
            text.append(f"{gap}{sentence[:1].upper()}{sentence[1:]}{self._full_stop}")
        return "".join(text).strip()


class CountedMessage(NamedTuple):
    """A message of a prompt."""

    role: str
    text: str
    tokens: int
    """Tokens of the text and of the chat template."""


class PromptMeter:
    """Counts the tokens of prompts, and those that a prefix cache has from earlier prompts.

    Args:
        count: Function that counts the tokens of a text.
    """

    def __init__(self, count: Callable[[str], int]) -> None:
        self._count = count
        self._paragraph_tokens: dict[str, int] = {}
        self._recent: deque[list[CountedMessage]] = deque(maxlen=RECENT_PROMPTS)
        self._conversations: dict[str, list[CountedMessage]] = {}
        """Latest prompt of each conversation, by its first message."""

    def reset(self) -> None:
        """Empty the prefix cache."""
        self._recent.clear()
        self._conversations.clear()

    def count(self, text: str) -> int:
        """Return the tokens of a text; the counts of its paragraphs are stored for reuse."""
        return sum(map(self._count_paragraph, text.split("\n\n")))

    def _count_paragraph(self, text: str) -> int:
        tokens = self._paragraph_tokens.get(text)
        if tokens is None:
            tokens = self._paragraph_tokens[text] = self._count(f"{text}\n\n")
        return tokens

    def add_prompt(self, messages: Sequence[BaseMessage]) -> tuple[int, int]:
        """Return the tokens of a prompt and the cached ones among them; add it to the cache."""
        texts = [(message.type, str(message.text)) for message in messages]
        first = texts[0][1]
        earlier_prompts = [*self._recent, self._conversations.get(first, [])]
        prefixes = [(*_common_prefix(texts, earlier), earlier) for earlier in earlier_prompts]
        same, characters, closest = max(prefixes, key=lambda prefix: prefix[:2])
        turns = list(closest[:same])
        cached = sum(turn.tokens for turn in turns)
        for role, text in texts[same:]:
            # Only the first message after the same ones has a common beginning.
            known = self.count(text[:characters]) if characters else 0
            turns.append(
                CountedMessage(role, text, TURN_TOKENS + known + self.count(text[characters:]))
            )
            cached, characters = cached + known, 0
        self._recent.append(turns)
        if len(first) <= MAX_CONVERSATION_START:
            self._conversations[first] = turns
        total = sum(turn.tokens for turn in turns)
        return total, min(cached, total - 1) // BLOCK * BLOCK

    def add_reply(self, text: str) -> int:
        """Return the tokens of the reply to the latest prompt; add it to the cache."""
        size = self.count(text)
        self._recent[-1].append(CountedMessage("ai", text, TURN_TOKENS + size))
        return size


def _common_prefix(texts: list[tuple[str, str]], earlier: list[CountedMessage]) -> tuple[int, int]:
    """Return the number of equal leading messages, and of equal characters of the next one."""
    same = 0
    for (role, text), turn in zip(texts, earlier, strict=False):
        if role != turn.role:
            return same, 0
        if text != turn.text:
            return same, _common_length(text, turn.text)
        same += 1
    return same, 0


def _common_length(one: str, other: str) -> int:
    """Return the number of equal leading characters of two texts, by bisection."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


class SimulatedModel(BaseChatModel):
    """A chat model that answers with filler text and adds up the usage.

    Bound arguments determine the reply: `reply` is the reply itself, `length` the length of prose
    in the document's unit; without either, the reply is a running summary.
    """

    window: int | None = None
    """Context window of the real model; None: unknown."""

    max_output: int | None = None
    """Maximum number of tokens of a reply of the real model; None: unknown."""

    unit: Unit = "words"
    """Unit of the bound `length`."""

    _filler: Filler = PrivateAttr()
    _meter: PromptMeter = PrivateAttr()
    _random: Random = PrivateAttr(default_factory=lambda: Random(0))
    _bias: float = PrivateAttr(default=1.0)
    _spread: float = PrivateAttr(default=0.0)
    _usage: Usage = PrivateAttr(default_factory=Usage)

    def __init__(
        self,
        *,
        count: Callable[[str], int],
        language: str,
        instruction: str,
        **fields: Any,
    ) -> None:
        super().__init__(cache=False, **fields)
        self._meter = PromptMeter(count)
        self._filler = Filler(language, instruction, self._random)
        # The chain reads the context window and the maximum length of replies from the profile.
        self.profile = {"structured_output": False}
        if self.window is not None:
            self.profile["max_input_tokens"] = self.window
        if self.max_output is not None:
            self.profile["max_output_tokens"] = self.max_output

    @property
    def _llm_type(self) -> str:
        return "simulated"

    @property
    def filler(self) -> Filler:
        """The writer of its filler text."""
        return self._filler

    def begin(self, seed: int, bias: float, spread: float) -> None:
        """Start another document.

        Args:
            seed: Seed of the random draws.
            bias: Mean of written / requested length.
            spread: Sigma of the log-normal factor on the length of replies; a negative value
                mirrors the deviations of a run with the same seed and the positive value.
        """
        self._random.seed(seed)
        self._bias, self._spread = bias, spread
        self._meter.reset()

    def pop_usage(self) -> Usage:
        """Return the usage since the last call of this method, and reset it."""
        usage, self._usage = self._usage, Usage()
        return usage

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens of a text for the real model."""
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
        prompt, cached = self._meter.add_prompt(messages)
        text, finish_reason = reply or self._write(length), "stop"
        size = self._meter.count(text)
        if max_tokens is not None and size > max_tokens:
            text, finish_reason = text[: len(text) * max_tokens // size], "length"
        output = self._meter.add_reply(text)
        self._usage = self._usage + Usage(
            calls=1, input_tokens=prompt, output_tokens=output, cached_tokens=cached
        )
        usage = UsageMetadata(
            input_tokens=prompt,
            output_tokens=output,
            total_tokens=prompt + output,
            input_token_details=InputTokenDetails(cache_read=cached),
        )
        message = AIMessage(
            text, usage_metadata=usage, response_metadata={"finish_reason": finish_reason}
        )
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _write(self, length: int) -> str:
        """Return prose of a random length around the requested one; a summary for length 0."""
        if not length and is_spaced(self._filler.language):
            return self._filler.prose(SUMMARY_WORDS, "words")
        if not length:
            return self._filler.prose(2 * SUMMARY_WORDS, "characters")
        drawn = self._bias * length * math.exp(self._spread * self._random.gauss(0, 1))
        return self._filler.prose(max(round(drawn), 1), self.unit)
