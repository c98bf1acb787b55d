"""Detects prose in the wrong language.

text + language -> the tag of the language that it is in instead, or nothing

The benefit of the doubt is the text's: code, formulas, tables, quotations and verse do not count,
and a language that was asked for by name is right. Knows scripts and a few words.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import lru_cache

import regex

from longchain.language import detect, english_name, primary
from longchain.prose.repeats import prose

LEAST_LETTERS = 60
"""Letters from which on the language of a reply is judged."""

MOST_OWN = 0.2
"""The share of letters in the document's scripts up to which a reply is in another language."""


# --- in another language -----------------------------------------------------------------------

_LANGUAGES = {
    "LATIN": "en de fr es it pt nl no nb nn da sv fi et lv lt pl cs sk sl hr hu ro tr vi id ms ca",
    "CYRILLIC": "ru uk bg be mk",
    "ARABIC": "ar fa ur",
    "DEVANAGARI": "hi mr ne",
    "HIRAGANA KATAKANA CJK": "ja",
    "CJK BOPOMOFO": "zh",
    "HANGUL": "ko",
    "GREEK": "el",
    "HEBREW": "he",
    "THAI": "th",
    "LAO": "lo",
    "KHMER": "km",
    "MYANMAR": "my",
    "TAMIL": "ta",
    "BENGALI": "bn",
}
_OWN = {
    language: frozenset(scripts.split())
    for scripts, languages in _LANGUAGES.items()
    for language in languages.split()
}
"""The scripts of the languages that have only these; nothing is said of others."""

_WIDE_WEIGHT = {"CJK": 2.5, "HIRAGANA": 2.5, "KATAKANA": 2.5, "HANGUL": 2.5}
"""How many Latin letters say as much as one character, where the character is the document's."""

_WORDS = {
    "en": "are were been have has which this these those they he she you but because not would"
    " could their when while it and each every",
    "de": "ist sind wurde wurden haben hatte nicht auch aber dass weil wenn sich sie wir ich ein"
    " einen und oder noch schon durch",
    "fr": "est sont était étaient qui dans mais elle nous vous ils cette avec pour leur être fait"
    " aussi donc où ces",
    "es": "es está fue fueron pero porque cuando también muy ella ellos nosotros ser hay donde"
    " sus este esta había los",
    "it": "è erano perché anche molto essere questo questa loro sono che più hanno della nella"
    " dei gli",
    "pt": "não são foi eram mas também muito eles ser há mais onde seus isso essa uma dos ao",
    "nl": "zijn werd heeft hebben niet ook maar omdat wanneer zij wij het een dat deze naar"
    " wordt worden nog",
}
"""Words that make sentences. Names and titles hold few: `Le Havre et la Loire` is no French."""

_SENTENCE_WORDS = {language: frozenset(words.split()) for language, words in _WORDS.items()}
_LEAST_WORDS = 0.05
"""Their share from which on Latin words are sentences of a language; most have 0.1 or more."""

_RELATED = frozenset({"es", "pt"})
_WORD = regex.compile(r"\p{Latin}+")
_CHINESE = frozenset("的了是她你它这這们們也很那吗嗎呢吧说說为让讓把从從对對个过過")
_LEAST_CHINESE = 0.03
"""The share of these characters from which on Han is Chinese prose, if three of them or more
are there: most of it has 0.1, tables of dates and names without kana have next to none."""
_MOST_KANA, _LEAST_KANA = 0.02, 0.25
"""The share of kana up to which Han is no Japanese, and from which on it surely is."""


def wrong_language(text: str, language: str, wanted: str = "") -> str:
    """Return the tag of the language that a reply is in where that is clearly a wrong one.

    Scripts decide: at least 80 % of the letters must be in others than the document's. Chinese
    and Japanese, and the languages that `detect` knows by their words, are told apart where both
    halves of the reply are sentences of the same wrong one. Chinese has one tag.

    Args:
        text: The reply's prose.
        language: The document's BCP 47 tag.
        wanted: What was asked for: a language that it names may be written.

    Returns:
        A tag such as `en`; nothing where the language may be right.
    """
    own = primary(language)
    words = prose(text)
    letters = _letters(words)
    if own not in _OWN or _names_script(language) or letters.total() < LEAST_LETTERS:
        return ""
    found = detect(words)
    if found == own or not _is_sentences(words, found):
        return ""
    wrong = _is_foreign(letters, own) or _are_halves(words, own, found)
    return found if wrong and not _is_wanted(found, wanted) else ""


def _names_script(language: str) -> bool:
    """Whether a tag names a script that its language does not always have, as `sr-Latn`."""
    parts = regex.split("[-_]", language.lower())[1:]
    return any(len(part) == 4 and part not in ("hans", "hant") for part in parts)


def _letters(text: str) -> Counter[str]:
    """Count the letters of each script."""
    letters: Counter[str] = Counter()
    for character, number in Counter(text).items():
        if script := _script(character):
            letters[script] += number
    return letters


@lru_cache(maxsize=30_000)
def _script(character: str) -> str:
    """Return the script of a letter: the first word of its Unicode name."""
    name = unicodedata.name(character, "") if character.isalpha() else ""
    return name.replace("-", " ").partition(" ")[0]


def _is_foreign(letters: Counter[str], own: str) -> bool:
    scripts = _OWN[own]
    right = sum(_WIDE_WEIGHT.get(name, 1.0) * letters[name] for name in scripts)
    wrong = sum(number for name, number in letters.items() if name not in scripts)
    return right <= MOST_OWN * (right + wrong)


def _are_halves(prose: str, own: str, found: str) -> bool:
    """Whether both halves are sentences of one wrong language that shares a script."""
    if {own, found} != {"ja", "zh"} and not {own, found} <= _WORDS.keys():
        return False
    if {own, found} == _RELATED:
        return False
    middle = len(prose) // 2
    halves = prose[:middle], prose[middle:]
    return all(
        detect(half) == found and _is_sentences(half, found) and not _has_words(half, own, found)
        for half in halves
    )


def _is_sentences(text: str, language: str) -> bool:
    """Whether a text is prose of a language rather than its names, titles or numbers."""
    if language in _WORDS:
        return _share(text, language) >= _LEAST_WORDS
    letters = _letters(text)
    kana = letters["HIRAGANA"] + letters["KATAKANA"]
    east = kana + letters["CJK"]
    found = [text.count(character) for character in _CHINESE]
    chinese = sum(found) >= _LEAST_CHINESE * east and sum(map(bool, found)) >= 3
    if language == "ja":
        return kana >= _LEAST_KANA * east and not chinese
    if language == "zh":
        return kana <= _MOST_KANA * east and chinese
    return True


def _has_words(text: str, own: str, found: str) -> bool:
    """Whether a text has sentences of the document's own language among others."""
    return own in _WORDS and 5 * _share(text, own) > _share(text, found)


def _share(text: str, language: str) -> float:
    """Return the share of a language's sentence words, from 0 to 1."""
    words = _WORD.findall(text.lower())
    return sum(word in _SENTENCE_WORDS[language] for word in words) / max(1, len(words))


_SEVERAL = regex.compile(
    r"translat|bilingual|multilingual|phrase ?book|original text|in the original"
    r"|翻訳|対訳|和訳|英訳|バイリンガル|原文|原語|翻译|翻譯|双语|雙語|번역|원문"
    r"|übersetz|zweisprachig|tradu[cç]|traduz|tradui|bilingü|bilingue|vertaal|vertal|tweetalig"
    r"|перев[оё]д|двуязычн",
    regex.IGNORECASE,
)
"""What a request says that wants several languages."""

_CALLED = {
    "en": r"英語|英文|英语|영어|englisch|anglais|ingl[eéê]s|engels|английск",
    "de": r"ドイツ語|德语|德文|독일어|deutsch|allemand|alem[aáã]|tedesc|duits|немецк",
    "fr": r"フランス語|法语|法文|프랑스어|franz[oö]sisch|français|franc[eéê]s|frans\b|французск",
    "es": r"スペイン語|西班牙语|스페인어|spanisch|espagnol|español|espanhol|spagnol|spaans|испанск",
    "it": r"イタリア語|意大利语|이탈리아어|italien|italian[oa]|italiaans|итальянск",
    "pt": r"ポルトガル語|葡萄牙语|포르투갈어|portugiesisch|portugais|portugu[eéê]s|portoghese"
    r"|португальск",
    "nl": r"オランダ語|荷兰语|네덜란드어|niederländisch|néerlandais|holand[eéê]s|olandese"
    r"|nederlands|голландск",
    "zh": r"中国語|漢文|漢詩|中文|汉语|漢語|华语|普通话|중국어"
    r"|chinesisch|chinois|\bchino\b|chinês|cinese|китайск",
    "ja": r"日本語|和文|日语|日文|日語|일본어|japanisch|japonais|japon[eéê]s|giapponese|японск",
    "ko": r"韓国語|朝鮮語|韩语|韩文|韓文|한국어|koreanisch|coréen|corean[oa]|корейск",
    "ru": r"ロシア語|俄语|俄文|러시아어|russisch|\brusse\b|\bruss?o\b|русск",
}
_AS_LANGUAGE = (
    r"(?=\W*$|\s*[^\w\s]|\s+(?:and|or|with|then|as|for|to|but|at|on|so|text|word|phrase|language"
    r"|version|original|poem|sentence|script|character|letter|title|quot|term|vocabular|grammar"
    r"|lesson|course|lyric|prose|verse|dialogue|essay|article|story|blog|mail|report|speech|novel"
    r"|only|throughout|please))"
)
"""What follows the English name of a language, rather than of a people: `in Chinese, please`."""


def _is_wanted(language: str, wanted: str) -> bool:
    """Whether a request names a language, or speaks of several."""
    if _SEVERAL.search(wanted):
        return True
    pattern = rf"\b{regex.escape(english_name(language))}\b{_AS_LANGUAGE}"
    if other := _CALLED.get(language):
        pattern += f"|{other}"
    return bool(regex.search(pattern, wanted, regex.IGNORECASE | regex.MULTILINE))
