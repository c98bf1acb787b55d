"""topic + aspect + length -> toy prose of that many words.

Sentences come from patterns whose slots are dealt like cards: none comes back before the others
have been used, so that a text hardly repeats itself and a model learns not to.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from .lexicon import (
    ADJECTIVES,
    ADVERBS,
    AMOUNTS,
    CLAIMS,
    ENDINGS,
    OPENERS,
    REASONS,
    SPEAKERS,
    TIMES,
    Aspect,
    Topic,
)

LEAST = 6
"""Words of the shortest text."""

PATTERNS = tuple(
    """\
The {P} {D} {V} the {A} {T} {W}.
{O}, the {P} {V} {Q} {T} near the {L}.
{Q} {P} {V} the {T} {R}.
Near the {L}, the {P} {V} their {A} {N}.
The {N} of the {P} were {A}, {R}.
{W}, the {A} {P} {V} the {T} and the {T}.
Nobody {V} the {N} as {D} as the {P}.
There were {Q} {A} {T} by the {L}.
{S} says that {C}.
The {P} knew that {C}.
{O}, {C}.
Both the {P} and the {P} {V} the {N}.
With the {T}, the {P} {V} {Q} {N} {W}.
Where the {A} {T} once stood, the {P} {V} {A} {N}.
It was the {P} who first {V} the {T}.
The {T} by the {L} looked {A} and {A}.
Some {V} the {N}, others {V} the {T}.
What the {P} {V}, the {P} soon {V}.
After the {N}, the {P} {V} every one of the {T}.
The {L} was {A}, and the {T} were {A}.
Without the {T}, the {N} would have been {A}.
From the {L}, the {P} {D} {V} the {N}.
Only the {A} {P} {V} the {N} {R}.
The {X} owes much to its {A} {N}.
In the {X}, {N} and {T} belong together.
Between the {L} and the {L}, the {P} {V} {Q} {A} {T}.
Each of the {P} {V} the {A} {T} {W}.
The {P} never {V} their {N}, {R}.
No {A} {N} lasted as long as the {T} of the {X}.
{Q} {N} came and went, but the {T} stayed {A}.
Guests of the {X} {D} {V} the {A} {T}.
They {V} the {T}, {V} the {N} and then rested.
Although the {N} were {A}, the {P} {V} the {T}.
If the {T} were {A}, the {P} {V} them {D}.
The oldest of the {P} {V} {Q} {N} by the {L}.
Those who {V} the {N} {D} earned the respect of the {P}.
The {A} {T} reminded the {P} of {A} {N}.
For the {P}, the {N} were more {A} than the {T}.
Around the {L}, {Q} {A} {N} were kept {W}.
Even the {P} {V} the {A} {N} of the {X} {R}.
{P} and {P} met at the {L} {W}.
{T} and {N} filled the {L} {W}.""".splitlines()
)


class Deck:
    """Deals cards in random order; none comes back before all others were dealt."""

    def __init__(self, cards: Sequence[str], rng: random.Random):
        self.cards, self.rng = cards, rng
        self.left: list[str] = []

    def deal(self) -> str:
        """Return the next card."""
        if not self.left:
            self.left = list(self.cards)
            self.rng.shuffle(self.left)
        return self.left.pop()


class Writer:
    """Writes about one topic from one side."""

    def __init__(self, topic: Topic, aspect: Aspect, rng: random.Random):
        self.topic, self.rng = topic, rng
        slots = {
            "P": topic.people, "T": topic.things, "L": topic.places, "N": aspect.nouns,
            "V": aspect.verbs, "A": ADJECTIVES, "D": ADVERBS, "W": TIMES, "R": REASONS,
            "O": OPENERS, "Q": AMOUNTS, "C": CLAIMS, "S": SPEAKERS, "X": (topic.name,),
        }  # fmt: skip
        self.patterns = Deck(PATTERNS, rng)
        self.slots = {name: Deck(cards, rng) for name, cards in slots.items()}

    def sentence(self) -> str:
        """Return one sentence of 6 to 17 words."""
        pattern = self.patterns.deal()
        text = re.sub(r"\{(\w)\}", lambda slot: self.slots[slot[1]].deal(), pattern)
        return text[0].upper() + text[1:]

    def fitting(self, least: int, most: int) -> str:
        """Return a sentence of so many words, or the closest of many tries."""
        best = ""
        for _ in range(80):
            found = self.sentence()
            count = len(found.split())
            if least <= count <= most:
                return found
            if not best or abs(count - most) < abs(len(best.split()) - most):
                best = found
        return best

    def sentences(self, length: int, *, end: bool = False) -> list[str]:
        """Return sentences of `length` words together, give or take one.

        Args:
            length: Words of all sentences.
            end: Whether the last sentence closes a whole document, where there is room for that.
        """
        last = ""
        if end and length >= 30:
            last = self.rng.choice(ENDINGS).format(topic=self.topic.name)
            length -= len(last.split())
        texts: list[str] = []
        left = max(length, LEAST)
        while left > 0:
            if left > 27:
                text = self.sentence()
            elif left > 14:
                text = self.fitting(max(LEAST + 1, left - 14), left - LEAST - 1)
            else:
                text = self.fitting(left, left)
                left = 0
            if text in texts:
                continue
            texts.append(text)
            left -= len(text.split())
        return [*texts, last] if last else texts


def write(
    topic: Topic, aspect: Aspect, length: int, rng: random.Random, *, end: bool = False
) -> str:
    """Return prose of `length` words in paragraphs of three to five sentences."""
    return paragraphs(Writer(topic, aspect, rng).sentences(length, end=end), rng)


def paragraphs(sentences: list[str], rng: random.Random) -> str:
    """Return sentences as paragraphs; a single last sentence joins the paragraph before it."""
    groups: list[str] = []
    at = 0
    while at < len(sentences):
        size = rng.randint(3, 5)
        size += len(sentences) - at - size == 1
        groups.append(" ".join(sentences[at : at + size]))
        at += size
    return "\n\n".join(groups)
