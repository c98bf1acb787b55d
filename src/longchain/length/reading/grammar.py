"""The tables of `wording` as compiled patterns.

name of a phrase -> pattern that ends where a number begins, or begins where its unit ends

A measure is read in the language of its unit, so that Spanish `a` (to) never meets English `a`.
Chinese, Japanese and Korean phrases cannot be mistaken for another script's and always count.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from longchain.document import Unit
from longchain.length.reading import wording_european as european
from longchain.length.reading.wording import Wording
from longchain.length.reading.wording_cjk import CHINESE, JAPANESE, KOREAN
from longchain.length.reading.wording_english import ENGLISH

CJK: dict[str, Wording] = {"zh": CHINESE, "ja": JAPANESE, "ko": KOREAN}
ALPHABETIC: dict[str, Wording] = {
    "en": ENGLISH,
    "de": european.GERMAN,
    "fr": european.FRENCH,
    "es": european.SPANISH,
    "it": european.ITALIAN,
    "pt": european.PORTUGUESE,
    "nl": european.DUTCH,
    "ru": european.RUSSIAN,
}
"""In this order a unit is looked up: `caracteres` is Spanish."""

NEAR = 90
"""Characters before a number that are looked at for a phrase that stands right before it."""

_OPENING = " \t([:=~≈\"'“「『（_-–—"
# `500 words, maximum 3 sources`: the bound is another number's.
_FOR_ANOTHER = re.compile(r"\s*(?:of\s|de\s)?\s*\d")
NOT_A_LETTER = r"(?<![^\W\d_])"
_NEVER = r"(?!)"
# What is between a number and its unit and says nothing about its role, or is read with what
# follows the unit: `2000+ words`, `3000余字`, `500 English words`.
_MIDDLE = (
    r"(?P<middle>[多余餘来來+]|ish\b|左右|以上|以内|plus|or\s(?:so|more|less|fewer)|odd|more|additional"
    r"|extra|further|(?:max|min)(?:imum)?|total|english|french|german|spanish|written|typed)[\s-]*"
)


@dataclass(frozen=True)
class Grammar:
    """The phrases around a measure, in the language of its unit."""

    language: str

    def phrase(self, name: str) -> str:
        """One alternation of all phrases of that name, without a capturing group."""
        own = getattr(ALPHABETIC[self.language], name)
        others = "|".join(phrase for w in CJK.values() if (phrase := getattr(w, name)))
        both = [f"{NOT_A_LETTER}(?:{own})"] * bool(own) + [others] * bool(others)
        return f"(?:{'|'.join(both)})" if both else _NEVER

    def before(self, name: str) -> re.Pattern[str]:
        """The phrase where it ends with the text."""
        return _compiled(self, name, "{}\\s*$")

    def after(self, name: str) -> re.Pattern[str]:
        """The phrase for a match at the beginning of the text."""
        return _compiled(self, name, "[\\s)(\\]\"'」』”,-]*{}")

    def anywhere(self, name: str) -> re.Pattern[str]:
        """The phrase wherever it stands."""
        return _compiled(self, name, "{}")

    def bound(self, name: str) -> re.Pattern[str]:
        """The phrase at the end of the text, words such as `of` or `about` after it or not."""
        filler = f"(?:[\\s:=(]*{self.phrase('filler')}){{0,4}}"
        return _compiled(self, name, "{}" + filler + "[\\s:=(]*$")

    def compile(self, template: str) -> re.Pattern[str]:
        """A pattern in which `@name` stands for the phrases of that name."""
        return _filled(self, template)


@cache
def _compiled(grammar: Grammar, name: str, template: str) -> re.Pattern[str]:
    return re.compile(template.replace("{}", grammar.phrase(name)), re.IGNORECASE)


@cache
def _filled(grammar: Grammar, template: str) -> re.Pattern[str]:
    filled = re.sub(r"@([a-z_]+)", lambda name: grammar.phrase(name[1]), template)
    return re.compile(filled, re.IGNORECASE)


@cache
def units() -> re.Pattern[str]:
    """A unit right after a number; the group's name is `words_de`, `characters_zh` and so on."""
    return re.compile(
        rf"(?P<gap>[\s-]{{0,3}})(?:{_MIDDLE})?(?:{_named('words', 'characters')})", re.IGNORECASE
    )


@cache
def labels() -> re.Pattern[str]:
    """A label such as `word count`; its groups are named as in `units`."""
    return re.compile(_named("label_words", "label_characters"), re.IGNORECASE)


def _named(words: str, characters: str) -> str:
    """Both phrases of every language, each in a group that says unit and language."""
    found = {
        f"{unit}_{language}": getattr(wording, name)
        for language, wording in (ALPHABETIC | CJK).items()
        for unit, name in (("words", words), ("characters", characters))
    }
    return "|".join(f"(?P<{group}>{phrase})" for group, phrase in found.items() if phrase)


def of_group(group: str) -> tuple[Unit, Grammar]:
    """Unit and grammar of a group of `units` or `labels`."""
    unit, language = group.split("_")
    language = language if language in ALPHABETIC else "en"
    return ("words" if unit == "words" else "characters"), Grammar(language)


def peel_before(grammar: Grammar, text: str, start: int) -> tuple[str, bool, bool, int]:
    """Take bounds and `about` off the end; return the rest, whether they bound, and their start."""
    floor = ceiling = False
    whole = kept = len(text)
    for _ in range(4):
        text = text.rstrip(_OPENING)
        bound = None if floor or ceiling else _bound(grammar, text[-NEAR:])
        if bound:
            size, floor = bound
            ceiling = not floor
            kept = len(text) - size
            text = text[:kept]
        elif about := grammar.before("about_before").search(text[-NEAR:]):
            text = text[: len(text) - len(about.group())]
        else:
            break
    return text, floor, ceiling, start - (whole - kept)


def _bound(grammar: Grammar, text: str) -> tuple[int, bool] | None:
    """Return how many characters the bound at the end takes, and whether it is a lower one."""
    more = grammar.bound("more_before").search(text)
    less = grammar.bound("less_before").search(text)
    found = min((m for m in (more, less) if m), key=lambda m: m.start(), default=None)
    if found is None:
        return None
    head = text[: found.start()]
    negated = grammar.compile(r"@negation(?:\s+[^\W\d]{1,9}){0,2}\s*$").search(head)
    size = len(text) - (negated.start() if negated else found.start())
    return size, (found is more) != bool(negated)


def _borrowed(text: str, place: int) -> bool:
    """Is the bound that ends here another number's? `1500字以上2000字以内` has two of its own."""
    return text[place - 1].isascii() and bool(_FOR_ANOTHER.match(text, place))


def peel_after(grammar: Grammar, middle: str, text: str, end: int) -> tuple[str, bool, bool, int]:
    """Take bounds and `about` off the beginning; return the rest, the bounds, and their end."""
    least = bool(middle and grammar.after("more_after").match(middle))
    most = bool(middle and grammar.after("less_after").match(middle))
    whole = kept = len(text)
    for _ in range(4):
        if about := grammar.after("about_after").match(text):
            text = text[about.end() :]
            continue
        found = {name: grammar.after(name).match(text) for name in ("less_after", "more_after")}
        bound = max((m for m in found.values() if m), key=lambda m: m.end(), default=None)
        if bound is None or least or most or _borrowed(text, bound.end()):
            break
        least, most = bound is found["more_after"], bound is found["less_after"]
        text = text[bound.end() :]
        kept = len(text)
    return text, least, most, end + (whole - kept)
