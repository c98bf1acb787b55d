"""Compiles the phrases of each language to regular expressions.

name of a phrase -> pattern that ends at the number, or begins after its unit

A length is read in the language of its unit, so that Spanish `a` (to) is not confused with English
`a`. Chinese, Japanese and Korean phrases are unambiguous and match in every language.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from longchain.document import Unit
from longchain.length.reading import phrases_european as european
from longchain.length.reading.phrases import Phrases
from longchain.length.reading.phrases_cjk import CHINESE, JAPANESE, KOREAN
from longchain.length.reading.phrases_english import ENGLISH

CJK: dict[str, Phrases] = {"zh": CHINESE, "ja": JAPANESE, "ko": KOREAN}
ALPHABETIC: dict[str, Phrases] = {
    "en": ENGLISH,
    "de": european.GERMAN,
    "fr": european.FRENCH,
    "es": european.SPANISH,
    "it": european.ITALIAN,
    "pt": european.PORTUGUESE,
    "nl": european.DUTCH,
    "ru": european.RUSSIAN,
}
"""Languages in alphabetic scripts; the first one with a unit wins, so `caracteres` is Spanish."""

NEAR = 90
"""Characters before a number, or after its unit, that are searched for a phrase."""

_OPENING_MARKS = " \t([:=~≈\"'“「『（_-–—"
# `500 words, maximum 3 sources`: the bound belongs to another number.
_ANOTHER_NUMBER = re.compile(r"\s*(?:of\s|de\s)?\s*\d")
NOT_A_LETTER = r"(?<![^\W\d_])"
_NO_MATCH = r"(?!)"
# Words between a number and its unit that do not change the role of the length, or are read as if
# they followed the unit: `2000+ words`, `3000余字`, `500 English words`.
_MIDDLE = (
    r"(?P<middle>[多余餘来來+]|ish\b|左右|以上|以内|plus|or\s(?:so|more|less|fewer)|odd|more|additional"
    r"|extra|further|(?:max|min)(?:imum)?|total|english|french|german|spanish|written|typed)[\s-]*"
)


@dataclass(frozen=True)
class LanguagePatterns:
    """The patterns of the phrases around a length, in the language of its unit."""

    language: str
    """Language of an alphabetic script; `en` for a Chinese, Japanese or Korean unit."""

    def phrase(self, name: str) -> str:
        """Return an alternation of all phrases of a name, without a capturing group."""
        alternatives = []
        if alphabetic := getattr(ALPHABETIC[self.language], name):
            alternatives.append(f"{NOT_A_LETTER}(?:{alphabetic})")
        for phrases in CJK.values():
            if phrase := getattr(phrases, name):
                alternatives.append(phrase)
        return f"(?:{'|'.join(alternatives)})" if alternatives else _NO_MATCH

    def before(self, name: str) -> re.Pattern[str]:
        """Return the pattern of a phrase at the end of a text."""
        return _compile_phrase(self, name, "{}\\s*$")

    def after(self, name: str) -> re.Pattern[str]:
        """Return the pattern of a phrase at the beginning of a text, for `match`."""
        return _compile_phrase(self, name, "[\\s)(\\]\"'」』”,-]*{}")

    def anywhere(self, name: str) -> re.Pattern[str]:
        """Return the pattern of a phrase anywhere in a text."""
        return _compile_phrase(self, name, "{}")

    def bound(self, name: str) -> re.Pattern[str]:
        """Return the pattern of a phrase at the end of a text, before filler such as `of`."""
        filler = f"(?:[\\s:=(]*{self.phrase('filler')}){{0,4}}"
        return _compile_phrase(self, name, "{}" + filler + "[\\s:=(]*$")

    def compile(self, template: str) -> re.Pattern[str]:
        """Compile a template in which `@name` is replaced by the phrases of this name."""
        return _compile_template(self, template)


@cache
def _compile_phrase(patterns: LanguagePatterns, name: str, template: str) -> re.Pattern[str]:
    return re.compile(template.replace("{}", patterns.phrase(name)), re.IGNORECASE)


@cache
def _compile_template(patterns: LanguagePatterns, template: str) -> re.Pattern[str]:
    pattern = re.sub(r"@([a-z_]+)", lambda name: patterns.phrase(name[1]), template)
    return re.compile(pattern, re.IGNORECASE)


@cache
def units() -> re.Pattern[str]:
    """Return the pattern of a unit after a number, with groups `words_de`, `characters_zh`, …."""
    return re.compile(
        rf"(?P<gap>[\s-]{{0,3}})(?:{_MIDDLE})?(?:{_name_groups('words', 'characters')})",
        re.IGNORECASE,
    )


@cache
def labels() -> re.Pattern[str]:
    """Return the pattern of a label such as `word count`, with groups named as in `units`."""
    return re.compile(_name_groups("label_words", "label_characters"), re.IGNORECASE)


def _name_groups(words: str, characters: str) -> str:
    """Return the phrases of two names in all languages, each in a group of unit and language."""
    groups = []
    for language, phrases in (ALPHABETIC | CJK).items():
        for unit, name in (("words", words), ("characters", characters)):
            if phrase := getattr(phrases, name):
                groups.append(f"(?P<{unit}_{language}>{phrase})")
    return "|".join(groups)


def split_group(group: str) -> tuple[Unit, LanguagePatterns]:
    """Return unit and patterns of the name of a group in `units` or `labels`."""
    unit, language = group.split("_")
    language = language if language in ALPHABETIC else "en"
    return ("words" if unit == "words" else "characters"), LanguagePatterns(language)


def peel_before(patterns: LanguagePatterns, text: str, start: int) -> tuple[str, bool, bool, int]:
    """Remove bounds and words such as `about` from the end of a text before a number.

    Args:
        patterns: The patterns of the length's language.
        text: The text before the number.
        start: Position of the number in the instruction.

    Returns:
        The rest of the text, whether it had a lower and an upper bound, and where the bound begins
        in the instruction.
    """
    is_minimum = is_maximum = False
    full_length = end = len(text)
    for _ in range(4):
        text = text.rstrip(_OPENING_MARKS)
        bound = None if is_minimum or is_maximum else _match_bound(patterns, text[-NEAR:])
        if bound:
            size, is_minimum = bound
            is_maximum = not is_minimum
            end = len(text) - size
            text = text[:end]
        elif word := patterns.before("approximate_before").search(text[-NEAR:]):
            text = text[: len(text) - len(word.group())]
        else:
            break
    return text, is_minimum, is_maximum, start - (full_length - end)


def _match_bound(patterns: LanguagePatterns, text: str) -> tuple[int, bool] | None:
    """Return the size of the bound at the end of a text, and whether it is a lower bound."""
    minimum = patterns.bound("minimum_before").search(text)
    maximum = patterns.bound("maximum_before").search(text)
    matches = [match for match in (minimum, maximum) if match]
    if not matches:
        return None
    bound = min(matches, key=lambda match: match.start())
    head = text[: bound.start()]
    negation = patterns.compile(r"@negation(?:\s+[^\W\d]{1,9}){0,2}\s*$").search(head)
    if negation:
        return len(text) - negation.start(), bound is maximum
    return len(text) - bound.start(), bound is minimum


def _belongs_to_next(text: str, position: int) -> bool:
    """Return whether the bound that ends here belongs to the next number.

    In `1500字以上2000字以内` it does not: each number has its bound after it.
    """
    return text[position - 1].isascii() and bool(_ANOTHER_NUMBER.match(text, position))


def peel_after(
    patterns: LanguagePatterns, middle: str, text: str, end: int
) -> tuple[str, bool, bool, int]:
    """Remove bounds and words such as `or so` from the beginning of a text after a unit.

    Args:
        patterns: The patterns of the length's language.
        middle: The words between number and unit.
        text: The text after the unit.
        end: Position of the end of the unit in the instruction.

    Returns:
        The rest of the text, whether there was a lower and an upper bound, and where the bound ends
        in the instruction.
    """
    is_minimum = bool(middle and patterns.after("minimum_after").match(middle))
    is_maximum = bool(middle and patterns.after("maximum_after").match(middle))
    full_length = rest = len(text)
    for _ in range(4):
        if word := patterns.after("approximate_after").match(text):
            text = text[word.end() :]
            continue
        maximum = patterns.after("maximum_after").match(text)
        minimum = patterns.after("minimum_after").match(text)
        matches = [match for match in (maximum, minimum) if match]
        if not matches or is_minimum or is_maximum:
            break
        bound = max(matches, key=lambda match: match.end())
        if _belongs_to_next(text, bound.end()):
            break
        is_minimum, is_maximum = bound is minimum, bound is maximum
        text = text[bound.end() :]
        rest = len(text)
    return text, is_minimum, is_maximum, end + (full_length - rest)
