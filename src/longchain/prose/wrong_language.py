"""Detects prose in the wrong language.

text + expected language -> the tag of the language that it is in instead, or nothing

In doubt a text passes: code, formulas, tables, quotations and verse are not checked, and a
language that the request names is right. Knows scripts and a few words.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import lru_cache

import regex

from longchain.language import detect, english_name, primary
from longchain.prose.repetition import strip_non_prose

MIN_LETTERS = 60
"""Letters from which on the language of a reply is judged."""

MAX_RIGHT_SHARE = 0.2
"""Share of letters in the document's scripts up to which a reply is in another language."""

_SCRIPT_LANGUAGES = {
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
_SCRIPTS = {
    language: frozenset(scripts.split())
    for scripts, languages in _SCRIPT_LANGUAGES.items()
    for language in languages.split()
}
"""Scripts of the languages that are written in no others; other languages are not checked."""

_CJK_WEIGHT = {"CJK": 2.5, "HIRAGANA": 2.5, "KATAKANA": 2.5, "HANGUL": 2.5}
"""Latin letters that carry as much as one character of the document's script (see `language`)."""

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
"""Words that make sentences. Names and titles have few: `Le Havre et la Loire` is no French."""

_SENTENCE_WORDS = {language: frozenset(words.split()) for language, words in _WORDS.items()}
_MIN_WORDS = 0.05
"""Share of these words from which on Latin text is sentences: most prose has 0.1 or more."""
_MIN_DOMINANCE = 5
"""Ratio of the wrong language's share of such words to the expected one's: less is a mixture."""

_RELATED = frozenset({"es", "pt"})
"""Languages with too many words in common to be told apart."""

_LATIN_WORD = regex.compile(r"\p{Latin}+")
_CHINESE = frozenset("的了是她你它这這们們也很那吗嗎呢吧说說为让讓把从從对對个过過")
_MIN_CHINESE, _MIN_DISTINCT_CHINESE = 0.03, 3
"""Share of these characters, and number of different ones, from which on Han is Chinese prose.

Most of it has 0.1; tables of dates and names without kana have next to none.
"""
_MAX_KANA_ZH, _MIN_KANA_JA = 0.02, 0.25
"""Share of kana up to which Han is not Japanese, and from which on it surely is."""


def wrong_language(text: str, language: str, wanted: str = "") -> str:
    """Return the tag of the language that a reply is in if it is clearly a wrong one.

    Scripts decide: at least 80 % of the letters must be in others than the document's. Chinese
    and Japanese, and the languages that `detect` knows by their words, are told apart if both
    halves of the reply are sentences of the same wrong one. Chinese has one tag.

    Args:
        text: The reply's prose.
        language: The document's BCP 47 tag.
        wanted: The request: a language that it names is right.

    Returns:
        A tag such as `en`; nothing if the language may be right.
    """
    if _names_script(language):
        return ""
    prose = strip_non_prose(text)
    letters = _count_letters(prose)
    expected = primary(language)
    if expected not in _SCRIPTS or letters.total() < MIN_LETTERS:
        return ""
    detected = detect(prose)
    if detected == expected or not _is_sentences(prose, detected):
        return ""
    if not _is_foreign(letters, expected) and not _are_halves_foreign(prose, expected, detected):
        return ""
    return "" if _is_wanted(detected, wanted) else detected


def _names_script(language: str) -> bool:
    """Whether a tag names a script that its language does not always have, as `sr-Latn`."""
    subtags = regex.split("[-_]", language.lower())[1:]
    return any(len(subtag) == 4 and subtag not in ("hans", "hant") for subtag in subtags)


def _count_letters(text: str) -> Counter[str]:
    """Count the letters of each script."""
    letters: Counter[str] = Counter()
    for character, number in Counter(text).items():
        if script := _script(character):
            letters[script] += number
    return letters


@lru_cache(maxsize=30_000)
def _script(character: str) -> str:
    """Return the script of a letter: the first word of its Unicode name."""
    if not character.isalpha():
        return ""
    name = unicodedata.name(character, "")
    return name.replace("-", " ").partition(" ")[0]


def _is_foreign(letters: Counter[str], expected: str) -> bool:
    """Whether nearly all letters are in other scripts than the document's."""
    right = wrong = 0.0
    for script, number in letters.items():
        if script in _SCRIPTS[expected]:
            right += _CJK_WEIGHT.get(script, 1.0) * number
        else:
            wrong += number
    return right <= MAX_RIGHT_SHARE * (right + wrong)


def _are_halves_foreign(prose: str, expected: str, detected: str) -> bool:
    """Whether both halves are sentences of the same wrong language, which shares a script."""
    pair = {expected, detected}
    if pair == _RELATED:
        return False
    if pair != {"ja", "zh"} and not pair <= _WORDS.keys():
        return False
    middle = len(prose) // 2
    return _is_only(prose[:middle], expected, detected) and _is_only(
        prose[middle:], expected, detected
    )


def _is_only(text: str, expected: str, detected: str) -> bool:
    """Whether a text has sentences of the detected language and none of the expected one."""
    if detect(text) != detected or not _is_sentences(text, detected):
        return False
    if expected not in _WORDS:
        return True
    return _MIN_DOMINANCE * _word_share(text, expected) <= _word_share(text, detected)


def _is_sentences(text: str, language: str) -> bool:
    """Whether a text is prose of a language rather than its names, titles or numbers."""
    if language in _WORDS:
        return _word_share(text, language) >= _MIN_WORDS
    if language not in ("ja", "zh"):
        return True
    letters = _count_letters(text)
    kana = letters["HIRAGANA"] + letters["KATAKANA"]
    total = kana + letters["CJK"]
    is_chinese = _is_chinese(text, total)
    if language == "ja":
        return kana >= _MIN_KANA_JA * total and not is_chinese
    return kana <= _MAX_KANA_ZH * total and is_chinese


def _is_chinese(text: str, total: int) -> bool:
    """Whether a text of so many Han characters and kana has the words of Chinese prose."""
    counts = [text.count(character) for character in _CHINESE]
    distinct = sum(count > 0 for count in counts)
    return sum(counts) >= _MIN_CHINESE * total and distinct >= _MIN_DISTINCT_CHINESE


def _word_share(text: str, language: str) -> float:
    """Return the share of a language's sentence words, from 0 to 1."""
    words = _LATIN_WORD.findall(text.lower())
    return sum(word in _SENTENCE_WORDS[language] for word in words) / max(1, len(words))


_SEVERAL_LANGUAGES = regex.compile(
    r"translat|bilingual|multilingual|phrase ?book|original text|in the original"
    r"|翻訳|対訳|和訳|英訳|バイリンガル|原文|原語|翻译|翻譯|双语|雙語|번역|원문"
    r"|übersetz|zweisprachig|tradu[cç]|traduz|tradui|bilingü|bilingue|vertaal|vertal|tweetalig"
    r"|перев[оё]д|двуязычн",
    regex.IGNORECASE,
)
"""Words of a request for several languages."""

_NAMES = {
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
_LANGUAGE_CONTEXT = (
    r"(?=\W*$|\s*[^\w\s]|\s+(?:and|or|with|then|as|for|to|but|at|on|so|text|word|phrase|language"
    r"|version|original|poem|sentence|script|character|letter|title|quot|term|vocabular|grammar"
    r"|lesson|course|lyric|prose|verse|dialogue|essay|article|story|blog|mail|report|speech|novel"
    r"|only|throughout|please))"
)
"""Text after the English name of a language, rather than of a people: `in Chinese, please`."""


def _is_wanted(language: str, wanted: str) -> bool:
    """Whether a request names a language, or asks for several."""
    if _SEVERAL_LANGUAGES.search(wanted):
        return True
    pattern = rf"\b{regex.escape(english_name(language))}\b{_LANGUAGE_CONTEXT}"
    if language in _NAMES:
        pattern += f"|{_NAMES[language]}"
    return bool(regex.search(pattern, wanted, regex.IGNORECASE | regex.MULTILINE))
