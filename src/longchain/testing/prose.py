"""Writes simulated prose: grammatical sentences of exactly the requested length.

length, unit, language, random stream -> text of that length

A sentence is a sequence of clauses (subject, verb, object) with places, adjectives and adverbs.
Each of these parts has a fixed length, so all combinations with a requested length are listed in
advance and one of them is drawn. Words are separated by white space; characters exclude white
space.

Knows grammar; does not know requests or models.
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
    """Lengths that the parts add to a sentence, by language and unit."""

    bare: int
    """Length of the first clause with the full stop."""
    clause: int
    """Length of another clause."""
    place: int
    adjective: int
    adverb: int
    long_verb: int
    """Length added by a longer form of the last verb; 0: it has none in this unit."""
    min_sentence: int
    max_sentence: int


_SIZES: dict[tuple[str, Unit], _Sizes] = {
    ("en", "words"): _Sizes(5, 6, 3, 1, 1, 0, min_sentence=8, max_sentence=22),
    ("zh", "characters"): _Sizes(7, 8, 4, 3, 2, 1, min_sentence=15, max_sentence=40),
    ("ja", "characters"): _Sizes(12, 10, 3, 3, 2, 1, min_sentence=15, max_sentence=40),
    ("ko", "characters"): _Sizes(12, 10, 4, 3, 2, 1, min_sentence=15, max_sentence=40),
    ("ko", "words"): _Sizes(3, 3, 1, 1, 1, 0, min_sentence=5, max_sentence=14),
}
_STOP = {"en": ".", "zh": "。", "ja": "。", "ko": "."}


class _Shape(NamedTuple):
    """Number of parts of each kind in one sentence."""

    clauses: int
    places: int
    adjectives: int
    adverbs: int
    long_verbs: int

    def length(self, sizes: _Sizes) -> int:
        """Return the length of such a sentence."""
        return (
            sizes.bare
            + (self.clauses - 1) * sizes.clause
            + self.places * sizes.place
            + self.adjectives * sizes.adjective
            + self.adverbs * sizes.adverb
            + self.long_verbs * sizes.long_verb
        )


@cache
def _shapes(language: str, unit: Unit) -> dict[int, list[_Shape]]:
    """Return all shapes of sentences by their length."""
    sizes = _SIZES[language, unit]
    shapes: dict[int, list[_Shape]] = {}
    long_verbs = range(2 if sizes.long_verb else 1)
    for clauses, places, adverbs, long_verb in product(range(1, 5), range(4), range(4), long_verbs):
        if places > clauses or adverbs > clauses:
            continue
        for adjectives in range(clauses + 2):
            shape = _Shape(clauses, places, adjectives, adverbs, long_verb)
            length = shape.length(sizes)
            if length <= sizes.max_sentence:
                shapes.setdefault(length, []).append(shape)
    return shapes


@dataclass(frozen=True)
class _Clause:
    """The words of one clause; an adjective, place or adverb may be empty."""

    subject: tuple[str, str]
    object: tuple[str, str]
    verb: str
    place: tuple[str, str]
    adverb: str
    long_verb: bool


def _choose_indices(rng: Random, count: int, total: int) -> set[int]:
    return set(rng.sample(range(total), count))


def _draw_clauses(rng: Random, language: str, shape: _Shape) -> list[_Clause]:
    """Draw the words of a sentence, with different nouns."""
    words = VOCABULARIES[language]
    count = 2 * shape.clauses + shape.places
    nouns = rng.sample(words.nouns, count)
    verbs = rng.sample(words.verbs, shape.clauses)
    described = _choose_indices(rng, shape.adjectives, count)
    phrases = [
        (rng.choice(words.adjectives) if index in described else "", noun)
        for index, noun in enumerate(nouns)
    ]
    placed = _choose_indices(rng, shape.places, shape.clauses)
    modified = _choose_indices(rng, shape.adverbs, shape.clauses)
    return [
        _Clause(
            subject=phrases.pop(),
            object=phrases.pop(),
            verb=verbs[index],
            place=phrases.pop() if index in placed else ("", ""),
            adverb=rng.choice(words.adverbs) if index in modified else "",
            long_verb=bool(shape.long_verbs) and index == shape.clauses - 1,
        )
        for index in range(shape.clauses)
    ]


def _render_english(rng: Random, clauses: list[_Clause]) -> str:
    def phrase(words: tuple[str, str]) -> str:
        return " ".join(filter(None, (rng.choice(_DETERMINERS), *words)))

    parts = []
    for clause in clauses:
        place = ""
        if clause.place[1]:
            place = f"{rng.choice(_PREPOSITIONS)} {phrase(clause.place)}"
        words = (phrase(clause.subject), clause.adverb, clause.verb, phrase(clause.object), place)
        parts.append(" ".join(filter(None, words)))
    text = parts[0]
    for part in parts[1:]:
        text += f", {rng.choice(_CONJUNCTIONS['en'])} {part}"
    return text[0].upper() + text[1:] + "."


def _render_chinese(rng: Random, clauses: list[_Clause]) -> str:
    def phrase(words: tuple[str, str]) -> str:
        adjective, noun = words
        return f"{adjective}的{noun}" if adjective else noun

    text = ""
    for index, clause in enumerate(clauses):
        link = "，" + rng.choice(_CONJUNCTIONS["zh"]) if index else ""
        particle = rng.choice("也都正将") if clause.long_verb else ""
        place = f"在{phrase(clause.place)}{rng.choice('中里上下')}" if clause.place[1] else ""
        text += f"{link}{phrase(clause.subject)}{particle}{clause.adverb}{place}"
        text += f"{clause.verb}{phrase(clause.object)}"
    return text + "。"


def _render_japanese(_: Random, clauses: list[_Clause]) -> str:
    text = ""
    for index, clause in enumerate(clauses):
        place = "".join(clause.place) + "で" if clause.place[1] else ""
        text += f"{''.join(clause.subject)}は{place}{''.join(clause.object)}を"
        ending = "し、"
        if index == len(clauses) - 1:
            ending = "しました。" if clause.long_verb else "します。"
        text += clause.adverb + clause.verb + ending
    return text


def _with_particle(word: str, after_consonant: str, after_vowel: str) -> str:
    """Append the form of a Korean particle that fits the last syllable of a word."""
    ends_with_consonant = (ord(word[-1]) - 0xAC00) % 28
    return word + (after_consonant if ends_with_consonant else after_vowel)


def _render_korean(_: Random, clauses: list[_Clause]) -> str:
    parts: list[str] = []
    for index, clause in enumerate(clauses):
        parts += clause.subject[0], _with_particle(clause.subject[1], "이", "가")
        parts += clause.place[0], clause.place[1] and clause.place[1] + "에서"
        parts += clause.object[0], _with_particle(clause.object[1], "을", "를"), clause.adverb
        ending = "하고"
        if index == len(clauses) - 1:
            ending = "했습니다." if clause.long_verb else "합니다."
        parts.append(clause.verb + ending)
    return " ".join(filter(None, parts))


_RENDER: dict[str, Callable[[Random, list[_Clause]], str]] = {
    "en": _render_english,
    "zh": _render_chinese,
    "ja": _render_japanese,
    "ko": _render_korean,
}


def make_sentence(rng: Random, language: str, length: int, unit: Unit) -> str:
    """Return one sentence of exactly this length; below the length of a clause, single words."""
    shapes = _shapes(language, unit).get(length)
    if shapes:
        return _RENDER[language](rng, _draw_clauses(rng, language, rng.choice(shapes)))
    nouns = rng.sample(VOCABULARIES[language].nouns, max(1, length))
    if unit == "words":
        return " ".join(nouns[:length]).capitalize() + _STOP[language]
    return "".join(nouns)[: max(1, length - 1)] + _STOP[language]


def make_heading(rng: Random, language: str) -> str:
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


def _divide(rng: Random, total: int, sizes: _Sizes) -> Iterator[int]:
    """Divide a length into sentences, none of them too short unless the total is."""
    while total > sizes.max_sentence:
        maximum = min(sizes.max_sentence, total - sizes.min_sentence)
        length = rng.randint(sizes.min_sentence, maximum)
        yield length
        total -= length
    yield total


def _join_paragraphs(rng: Random, sentences: list[str], gap: str) -> str:
    """Join sentences to paragraphs of four to seven."""
    paragraphs = []
    while sentences:
        count = rng.randint(4, 7)
        paragraphs.append(gap.join(sentences[:count]))
        sentences = sentences[count:]
    return "\n\n".join(paragraphs)


def _write_english_characters(rng: Random, length: int) -> str:
    """Return English cut after the word in which it reaches a number of characters."""
    text = write(rng, "en", length // 3 + 8, "words")
    written = 0
    for word in re.finditer(r"\S+", text):
        written += len(word[0])
        if written >= length:
            break
    return text[: word.end()].rstrip(".,") + "."


def write(rng: Random, language: str, length: int, unit: Unit) -> str:
    """Return paragraphs of complete sentences, `length` units long.

    Chinese and Japanese have no words to count: a length in words gives English there.

    Args:
        rng: Random stream, which determines the text.
        language: `en`, `zh`, `ja` or `ko`.
        length: At least 1, in `unit`.
        unit: `words` or `characters`.
    """
    if language == "en" and unit == "characters":
        return _write_english_characters(rng, length)
    if (language, unit) not in _SIZES:
        return write(rng, "en", length, unit)
    lengths = _divide(rng, length, _SIZES[language, unit])
    sentences = [make_sentence(rng, language, size, unit) for size in lengths]
    return _join_paragraphs(rng, sentences, "" if language in ("zh", "ja") else " ")
