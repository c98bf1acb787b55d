"""Simulated prose: sentences that read like a language, at exactly the length asked for.

length, unit, language, random stream -> text of that length

A sentence is a row of clauses (subject, verb, object) with places, adjectives and adverbs added.
Each of these parts has a fixed size, so the combinations that come to a given length are listed
beforehand and one of them is drawn. Words are whatever white space separates; characters are all
others than white space. Knows nothing of requests or models.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from random import Random
from typing import NamedTuple

from longchain.document import Unit
from longchain.testing.vocabulary import VOCABULARIES

_CONJUNCTIONS = {
    "en": ("and", "but", "while", "because", "so", "although", "until", "whereas", "since"),
    "zh": "而但并且故",
}
_DETERMINERS = ("the", "the", "the", "each", "every", "this", "one", "another", "that", "some")
_PREPOSITIONS = (
    *("near", "beyond", "within", "across", "after", "before", "behind", "below", "above"),
    *("around", "during", "through", "toward", "against", "alongside", "despite", "outside"),
)


class _Sizes(NamedTuple):
    """What each part adds to a sentence's length. `bare` is the first clause with its stop."""

    bare: int
    clause: int
    place: int
    adjective: int
    adverb: int
    stretch: int
    """A longer form of the last verb; 0: there is none in this unit."""
    shortest: int
    longest: int


_SIZES: dict[tuple[str, Unit], _Sizes] = {
    ("en", "words"): _Sizes(5, 6, 3, 1, 1, 0, shortest=8, longest=22),
    ("zh", "characters"): _Sizes(7, 8, 4, 3, 2, 1, shortest=15, longest=40),
    ("ja", "characters"): _Sizes(12, 10, 3, 3, 2, 1, shortest=15, longest=40),
    ("ko", "characters"): _Sizes(12, 10, 4, 3, 2, 1, shortest=15, longest=40),
    ("ko", "words"): _Sizes(3, 3, 1, 1, 1, 0, shortest=5, longest=14),
}
_STOP = {"en": ".", "zh": "。", "ja": "。", "ko": "."}


class _Shape(NamedTuple):
    """How many of each part one sentence has."""

    clauses: int
    places: int
    adjectives: int
    adverbs: int
    stretches: int


@cache
def _shapes(language: str, unit: Unit) -> dict[int, list[_Shape]]:
    """List, by length, every shape of sentence that comes to it."""
    sizes = _SIZES[language, unit]
    shapes: dict[int, list[_Shape]] = {}
    stretches = range(2 if sizes.stretch else 1)
    for clauses, places, adverbs, stretch in product(range(1, 5), range(4), range(4), stretches):
        if places > clauses or adverbs > clauses:
            continue
        for adjectives in range(clauses + 2):
            length = sizes.bare + (clauses - 1) * sizes.clause + places * sizes.place
            length += adjectives * sizes.adjective + adverbs * sizes.adverb
            length += stretch * sizes.stretch
            if length <= sizes.longest:
                shape = _Shape(clauses, places, adjectives, adverbs, stretch)
                shapes.setdefault(length, []).append(shape)
    return shapes


@dataclass(frozen=True)
class _Clause:
    """One clause with its words; an adjective, place or adverb may be empty."""

    subject: tuple[str, str]
    object: tuple[str, str]
    verb: str
    place: tuple[str, str]
    adverb: str
    stretched: bool


def _chosen(rng: Random, count: int, of: int) -> set[int]:
    return set(rng.sample(range(of), count))


def _clauses(rng: Random, language: str, shape: _Shape) -> list[_Clause]:
    """Draw the words of a sentence, all nouns different."""
    words = VOCABULARIES[language]
    count = 2 * shape.clauses + shape.places
    nouns = rng.sample(words.nouns, count)
    verbs = rng.sample(words.verbs, shape.clauses)
    described = _chosen(rng, shape.adjectives, count)
    phrases = [
        (rng.choice(words.adjectives) if index in described else "", noun)
        for index, noun in enumerate(nouns)
    ]
    placed = _chosen(rng, shape.places, shape.clauses)
    modified = _chosen(rng, shape.adverbs, shape.clauses)
    return [
        _Clause(
            subject=phrases.pop(),
            object=phrases.pop(),
            verb=verbs[index],
            place=phrases.pop() if index in placed else ("", ""),
            adverb=rng.choice(words.adverbs) if index in modified else "",
            stretched=bool(shape.stretches) and index == shape.clauses - 1,
        )
        for index in range(shape.clauses)
    ]


def _english(rng: Random, clauses: list[_Clause]) -> str:
    def phrase(words: tuple[str, str]) -> str:
        return " ".join(filter(None, (rng.choice(_DETERMINERS), *words)))

    parts = []
    for clause in clauses:
        place = f"{rng.choice(_PREPOSITIONS)} {phrase(clause.place)}" if clause.place[1] else ""
        words = (phrase(clause.subject), clause.adverb, clause.verb, phrase(clause.object), place)
        parts.append(" ".join(filter(None, words)))
    text = parts[0]
    for part in parts[1:]:
        text += f", {rng.choice(_CONJUNCTIONS['en'])} {part}"
    return text[0].upper() + text[1:] + "."


def _chinese(rng: Random, clauses: list[_Clause]) -> str:
    def phrase(words: tuple[str, str]) -> str:
        adjective, noun = words
        return f"{adjective}的{noun}" if adjective else noun

    text = ""
    for index, clause in enumerate(clauses):
        link = "，" + rng.choice(_CONJUNCTIONS["zh"]) if index else ""
        stretch = rng.choice("也都正将") if clause.stretched else ""
        place = f"在{phrase(clause.place)}{rng.choice('中里上下')}" if clause.place[1] else ""
        text += f"{link}{phrase(clause.subject)}{stretch}{clause.adverb}{place}"
        text += f"{clause.verb}{phrase(clause.object)}"
    return text + "。"


def _japanese(_: Random, clauses: list[_Clause]) -> str:
    text = ""
    for index, clause in enumerate(clauses):
        place = "".join(clause.place) + "で" if clause.place[1] else ""
        text += f"{''.join(clause.subject)}は{place}{''.join(clause.object)}を"
        last = "しました。" if clause.stretched else "します。"
        text += clause.adverb + clause.verb + (last if index == len(clauses) - 1 else "し、")
    return text


def _particle(word: str, after_consonant: str, after_vowel: str) -> str:
    """Return the form of a Korean particle that `word` takes, by its last syllable."""
    return word + (after_consonant if (ord(word[-1]) - 0xAC00) % 28 else after_vowel)


def _korean(_: Random, clauses: list[_Clause]) -> str:
    parts: list[str] = []
    for index, clause in enumerate(clauses):
        parts += clause.subject[0], _particle(clause.subject[1], "이", "가")
        parts += clause.place[0], clause.place[1] and clause.place[1] + "에서"
        parts += clause.object[0], _particle(clause.object[1], "을", "를"), clause.adverb
        last = "했습니다." if clause.stretched else "합니다."
        parts.append(clause.verb + (last if index == len(clauses) - 1 else "하고"))
    return " ".join(filter(None, parts))


_RENDER: dict[str, Callable[[Random, list[_Clause]], str]] = {
    "en": _english,
    "zh": _chinese,
    "ja": _japanese,
    "ko": _korean,
}


def sentence(rng: Random, language: str, length: int, unit: Unit) -> str:
    """Return one sentence of exactly `length`, or of a few bare words below the shortest clause."""
    shapes = _shapes(language, unit).get(length)
    if shapes:
        return _RENDER[language](rng, _clauses(rng, language, rng.choice(shapes)))
    nouns = rng.sample(VOCABULARIES[language].nouns, max(1, length))
    if unit == "words":
        return " ".join(nouns[:length]).capitalize() + _STOP[language]
    return "".join(nouns)[: max(1, length - 1)] + _STOP[language]


def heading(rng: Random, language: str) -> str:
    """Return a short heading: an adjective and one or two nouns, without punctuation."""
    words = VOCABULARIES[language]
    adjective, nouns = rng.choice(words.adjectives), rng.sample(words.nouns, rng.randint(1, 2))
    match language:
        case "zh":
            return f"{adjective}的{'与'.join(nouns)}"
        case "ja":
            return adjective + "と".join(nouns)
        case "ko":
            return " ".join([adjective, *nouns])
        case _:
            return " and ".join([f"{adjective} {nouns[0]}".title(), *map(str.title, nouns[1:])])


def _lengths(rng: Random, total: int, sizes: _Sizes) -> Iterator[int]:
    """Divide `total` into sentences, none of them too short unless all of it is."""
    while total > sizes.longest:
        length = rng.randint(sizes.shortest, min(sizes.longest, total - sizes.shortest))
        yield length
        total -= length
    yield total


def _paragraphs(rng: Random, sentences: list[str], gap: str) -> str:
    paragraphs = []
    while sentences:
        count = rng.randint(4, 7)
        paragraphs.append(gap.join(sentences[:count]))
        sentences = sentences[count:]
    return "\n\n".join(paragraphs)


def _english_by_characters(rng: Random, length: int) -> str:
    """Return English cut after the word in which it reaches `length` characters."""
    text = write(rng, "en", length // 3 + 8, "words")
    written = 0
    for word in re.finditer(r"\S+", text):
        written += len(word[0])
        if written >= length:
            break
    return text[: word.end()].rstrip(".,") + "."


def write(rng: Random, language: str, length: int, unit: Unit) -> str:
    """Return paragraphs of whole sentences in `language`, `length` units long.

    Chinese and Japanese have no words to count, so there words are written in English.

    Args:
        rng: The random stream; the same stream gives the same text.
        language: `en`, `zh`, `ja` or `ko`.
        length: At least 1, in `unit`.
        unit: `words` or `characters`.
    """
    if language == "en" and unit == "characters":
        return _english_by_characters(rng, length)
    if (language, unit) not in _SIZES:
        return write(rng, "en", length, unit)
    lengths = _lengths(rng, length, _SIZES[language, unit])
    sentences = [sentence(rng, language, size, unit) for size in lengths]
    return _paragraphs(rng, sentences, "" if language in ("zh", "ja") else " ")
