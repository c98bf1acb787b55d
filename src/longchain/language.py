"""Detects the language of a text, and knows the properties of languages.

text -> language tag; language -> English name, unit of length, spacing of words

Knows scripts and some function words; does not know lengths, prompts or models.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from typing import Literal

from longchain.document import Unit

Script = Literal[
    "latin", "han", "kana", "hangul", "jamo", "th", "lo", "km", "my", "ru", "ar", "el", "he", "hi"
]

_RANGES: list[tuple[int, int, Script]] = [
    (0x41, 0x5A, "latin"),
    (0x61, 0x7A, "latin"),
    (0xC0, 0x24F, "latin"),
    (0x370, 0x3FF, "el"),
    (0x400, 0x52F, "ru"),
    (0x590, 0x5FF, "he"),
    (0x600, 0x6FF, "ar"),
    (0x750, 0x77F, "ar"),
    (0x900, 0x97F, "hi"),
    (0xE00, 0xE7F, "th"),
    (0xE80, 0xEFF, "lo"),
    (0x1000, 0x109F, "my"),
    (0x1100, 0x11FF, "jamo"),
    (0x1780, 0x17FF, "km"),
    (0x1E00, 0x1EFF, "latin"),
    (0x1F00, 0x1FFF, "el"),
    (0x3005, 0x3007, "han"),
    (0x3041, 0x3098, "kana"),
    (0x309D, 0x309F, "kana"),
    (0x30A1, 0x30FA, "kana"),
    (0x30FC, 0x30FF, "kana"),
    (0x31F0, 0x31FF, "kana"),
    (0x3400, 0x4DBF, "han"),
    (0x4E00, 0x9FFF, "han"),
    (0xAC00, 0xD7A3, "hangul"),
    (0xF900, 0xFAFF, "han"),
    (0xFB50, 0xFDFF, "ar"),
    (0xFE70, 0xFEFC, "ar"),
    (0xFF21, 0xFF3A, "latin"),
    (0xFF41, 0xFF5A, "latin"),
    (0xFF66, 0xFF9D, "kana"),
    (0x20000, 0x323AF, "han"),
]
"""First and last code point of the letters of each script, in order."""
_RANGE_STARTS = [first for first, _, _ in _RANGES]


def character_class(*scripts: Script) -> str:
    """Return the ranges of scripts for use inside the `[...]` of a pattern."""
    ranges = [(first, last) for first, last, script in _RANGES if script in scripts]
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)


_CJK_WEIGHT = 2.5
"""Number of Latin letters that carry as much text as one Han character, kana or Hangul syllable.

An English word has about 4.7 letters; its translation has about two of these characters.
"""

_NAMES_WEIGHT = 0.5
"""Weight of a Latin letter where the Latin words are names in a text of another script."""

_PROSE_SHARE = 1 / 6
"""Minimum share of function words in Latin prose; below, Latin words count as foreign names."""

_SAMPLE = 20_000
"""Characters at the beginning of a text that are read: more take time and change no result."""

_FUNCTION_WORDS = {
    "en": "the of and to in is that it for was on are with as be this by from at or an a not have"
    " has which their its about write please what how",
    "de": "der die das und ist in den von zu mit sich des auf für nicht ein eine einen dem als auch"
    " es an werden aus wird bei über wie schreibe schreiben",
    "fr": "le la les de des et en un une du que qui dans pour est sur pas au avec ce il sont par"
    " plus ne se cette aux écris écrire rédige",
    "es": "el la los las de y en que un una del por con para es se no al como más su lo sobre este"
    " esta son escribe escribir",
    "it": "il lo la i gli le di e che un una in per è con del della dei delle non si da sono al"
    " come più nel su scrivi scrivere",
    "pt": "o a os as de e que um uma do da dos das em no na para com não por se ao mais como é"
    " sobre foi são escreva escreve escrever",
    "nl": "de het een en van in is dat op te zijn met voor niet aan er om ook als bij door over"
    " uit naar maar deze schrijf schrijven",
}

_WORD_LANGUAGES: dict[str, list[str]] = {}
for _language, _words in _FUNCTION_WORDS.items():
    for _word in _words.split():
        _WORD_LANGUAGES.setdefault(_word, []).append(_language)

FENCED_CODE = r"^[ \t]*(?P<fence>```|~~~).*?(?:^[ \t]*(?P=fence)[`~]*[ \t]*$|\Z)|`[^`\n]+`"
"""Pattern of code between fence lines or backticks; needs `DOTALL` and `MULTILINE`.

Like Markdown, a fence needs its own line, and code without a closing fence ends with the text.
"""

BACKTICK_CODE = r"```.*?(?:```|\Z)|`[^`\n]+`"
"""Pattern of code between backticks anywhere in a line; needs `DOTALL`.

Looser than `FENCED_CODE`: models also write fences in the middle of a line.
"""

_NOT_PROSE = re.compile(rf"{BACKTICK_CODE}|https?://[^\s、。）」]+|<[^<>\n]+>", re.DOTALL)
_LATIN_WORD = re.compile(r"[A-Za-zÀ-ɏ]+")
_UKRAINIAN, _RUSSIAN = frozenset("іїєґІЇЄҐ"), frozenset("ыэъёЫЭЪЁ")

_NAMES = {
    "ar": "Arabic",
    "bg": "Bulgarian",
    "bn": "Bengali",
    "ca": "Catalan",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "et": "Estonian",
    "fa": "Persian",
    "fi": "Finnish",
    "fr": "French",
    "he": "Hebrew",
    "hi": "Hindi",
    "hr": "Croatian",
    "hu": "Hungarian",
    "id": "Indonesian",
    "it": "Italian",
    "ja": "Japanese",
    "km": "Khmer",
    "ko": "Korean",
    "lo": "Lao",
    "lt": "Lithuanian",
    "lv": "Latvian",
    "ms": "Malay",
    "my": "Burmese",
    "nb": "Norwegian Bokmål",
    "nl": "Dutch",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "pt-br": "Brazilian Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sk": "Slovak",
    "sl": "Slovenian",
    "sr": "Serbian",
    "sv": "Swedish",
    "sw": "Swahili",
    "ta": "Tamil",
    "th": "Thai",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "ur": "Urdu",
    "vi": "Vietnamese",
    "zh": "Chinese",
    "zh-cn": "Simplified Chinese",
    "zh-hans": "Simplified Chinese",
    "zh-hant": "Traditional Chinese",
    "zh-tw": "Traditional Chinese",
}
_UNSPACED = frozenset({"zh", "ja", "th", "lo", "km", "my"})


def detect(text: str) -> str:
    """Return the BCP 47 tag of the language that a text is written in.

    The script with the largest share of the letters decides, so a name quoted in another script
    does not; languages in Latin script are told apart by a small table of function words. Code and
    URLs are ignored. Undecided and empty texts are `en`; Han without kana is `zh`.
    """
    sample = text[:_SAMPLE]
    prose = _NOT_PROSE.sub(" ", sample)
    counts = _count_letters(prose) or _count_letters(sample)
    latin_language, function_word_share = "en", 0.0
    if counts["latin"]:
        latin_language, function_word_share = _detect_latin(prose)
    weights = _weigh(counts, latin_is_prose=function_word_share >= _PROSE_SHARE)
    heaviest = max(weights, key=lambda name: weights[name])
    if heaviest == "ru":
        return _detect_cyrillic(prose)
    if heaviest == "latin" or not weights[heaviest]:
        return latin_language
    return heaviest


def _count_letters(text: str) -> Counter[Script]:
    """Count the letters of each script."""
    counts: Counter[Script] = Counter()
    for character, number in Counter(text).items():
        index = bisect_right(_RANGE_STARTS, ord(character)) - 1
        if index >= 0 and ord(character) <= _RANGES[index][1]:
            counts[_RANGES[index][2]] += number
    return counts


def _weigh(counts: Counter[Script], *, latin_is_prose: bool) -> dict[str, float]:
    """Weigh each script's letters by the amount of text they carry; Han and kana count together."""
    han, kana = counts["han"], counts["kana"]
    # Japanese prose is a third kana or more; a Chinese text may quote a word or a shop's sign.
    japanese = kana * 10 >= han + kana and kana > 0
    weights = {
        "ja" if japanese else "zh": _CJK_WEIGHT * (han + kana),
        "ko": _CJK_WEIGHT * counts["hangul"] + counts["jamo"],
    }
    weights |= {script: float(counts[script]) for script in counts if len(script) == 2}
    weights["latin"] = counts["latin"] * (1.0 if latin_is_prose else _NAMES_WEIGHT)
    return weights


def _detect_cyrillic(sample: str) -> str:
    letters = Counter(sample)
    ukrainian = sum(letters[letter] for letter in _UKRAINIAN)
    russian = sum(letters[letter] for letter in _RUSSIAN)
    return "uk" if ukrainian > russian else "ru"


def _detect_latin(sample: str) -> tuple[str, float]:
    """Return the most likely language of the Latin words and the share of function words."""
    words = [word.lower() for word in _LATIN_WORD.findall(sample)]
    scores = dict.fromkeys(_FUNCTION_WORDS, 0.0)
    known = 0
    for word in words:
        languages = _WORD_LANGUAGES.get(word, ())
        known += bool(languages)
        for language in languages:
            scores[language] += 1 / len(languages)
    best = max(scores, key=lambda language: scores[language])
    return best, known / max(1, len(words))


def primary(language: str) -> str:
    """Return the primary language subtag of a BCP 47 tag, such as `zh` of `zh-Hant`."""
    return re.split("[-_]", language, maxsplit=1)[0].lower()


def is_spaced(language: str) -> bool:
    """Return whether a language separates its words by spaces."""
    return primary(language) not in _UNSPACED


def default_unit(language: str) -> Unit:
    """Return the unit of lengths in a language, where a request names none.

    Characters in languages that do not separate words by spaces, and in Korean, where forms and
    essay tasks ask for characters; words in all others.
    """
    if primary(language) == "ko" or not is_spaced(language):
        return "characters"
    return "words"


def english_name(language: str) -> str:
    """Return a language's English name, such as `German` for `de-AT`; else the tag itself."""
    tag = language.replace("_", "-").lower()
    return _NAMES.get(tag) or _NAMES.get(primary(tag)) or language
