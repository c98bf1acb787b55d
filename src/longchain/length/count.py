r"""Counting: how long a text is, as a reader's word processor counts it.

Markdown text -> number of words or characters

Knows scripts and Markdown; knows nothing of budgets or of what length was asked for.

Words (Microsoft Word's *Words*, LibreOffice's *Words*): what stands between white space and holds
a letter or a digit, so `well-known`, `don't`, `l'homme`, `3.14`, `1,000`, `U.S.` and `and/or` are
one each, and a dash, `&` or emoji that stands alone is none. An em dash and `--` part two words
(LibreOffice; Word does not), hyphens and en dashes do not. Every Han character and kana is one
(Word's *Asian characters*), punctuation is none; Korean is counted by its spaces (eojeol).
Thai, Lao, Khmer and Burmese have no spaces between words: their words are estimated from the
number of letters and the mean word length, see `_LETTERS_PER_WORD`.

Characters, never white space:

- Chinese (字数, Word's *字数*): every Han character and every full-width mark is one; what else
  stands together, a Latin word, a number, half-width marks, is one.
- Japanese (文字数), Korean (글자수) and the rest (Word's *Characters (no spaces)*): every kana,
  kanji, syllable, letter, digit and mark is one.
- Thai, Lao, Khmer, Burmese and the scripts of India: vowel signs and tone marks are one each, as
  word processors count them. Elsewhere what is seen as one is one, however it is encoded: `é`
  composed or not, `ガ` in full or half width (`ｶﾞ`), an emoji of many parts, a flag.
- Full-width `ＡＢＣ１２３` count as `ABC123`. Invisible characters (soft hyphens, zero-width
  spaces, direction marks) are none.

What Markdown does not show does not count: front matter; the marks of headings, emphasis, lists
(their typed numbers, up to three digits, too, as word processors number by themselves), tasks,
quotations, tables, rules, footnotes, code and its info string (the code itself counts); link and
image targets (their texts count); HTML tags and comments. Nor do citation marks: brackets with
only numbers, `[3]`, `[3, 7]`, `[2-4]`.
"""

from __future__ import annotations

import html
import re
import unicodedata

import regex

from longchain.document import Unit
from longchain.language import character_class, detect

_HAN_KANA = character_class("han") + (
    "\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9d"
    "\U00016ff0-\U0001b16f"
)
_VOICING = "\u3099-\u309c\uff9e\uff9f"
"""Marks that make one kana with the kana before them."""
_WIDE_MARKS = (
    "\u2e80-\u3004\u3008-\u3020\u3030-\u303f\u30a0\u30fb\u3200-\u33ff\ufe10-\ufe4f"
    "\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\uffe0-\uffe6"
)
"""Full-width marks; also radicals, enclosed and squared forms, which are one character each."""

_LETTERS_PER_WORD = {
    "\u0e01-\u0e5b": 3.9,  # Thai
    "\u0e81-\u0edf": 4.3,  # Lao
    "\u1780-\u17e9": 5.1,  # Khmer
    "\u1000-\u109f": 4.8,  # Burmese
}
"""Mean code points per word, vowel signs and tone marks included.

Measured on the Universal Declaration of Human Rights with the dictionaries of ICU 78: 2,301 words
in Thai (3.86), 2,281 in Lao (4.29), 1,962 in Khmer (5.11), 2,819 in Burmese (4.83).
"""
_UNSPACED = "".join(_LETTERS_PER_WORD)

_NOT_ASCII_LIKE = re.compile(rf"[{_UNSPACED}{_HAN_KANA}{_WIDE_MARKS}]")
_WORD = re.compile(r"[^\W_][^\s—―]*")
_ENDS_WORD = rf"\s—―{_HAN_KANA}{_WIDE_MARKS}{_UNSPACED}"
_WORD_AMONG_OTHERS = re.compile(
    rf"[{_HAN_KANA}]|[^\W_{_HAN_KANA}{_UNSPACED}{_VOICING}][^{_ENDS_WORD}]*"
)
_ESTIMATED = [
    (re.compile(rf"[{letters}]"), per_word) for letters, per_word in _LETTERS_PER_WORD.items()
]
_ASCII_MARKS = {ordinal: None for ordinal in range(33, 127) if not chr(ordinal).isalnum()}


def count_words(text: str) -> int:
    """Return the number of words of a Markdown text, by the conventions above.

    Example:
        >>> count_words("## It's *well-known*: 3.14 is π [2]")
        5
    """
    text = _without_markup(text, for_words=True)
    if "--" in text:
        text = text.replace("--", " ")
    if text.isascii():
        # Without its marks a word stays and a lone dash goes: three times faster than `_WORD`.
        return len(text.translate(_ASCII_MARKS).split())
    if not _NOT_ASCII_LIKE.search(text):
        return len(_WORD.findall(text))
    return len(_WORD_AMONG_OTHERS.findall(text)) + _estimated_words(text)


def _estimated_words(text: str) -> int:
    words = 0
    for letters, per_word in _ESTIMATED:
        if number := len(letters.findall(text)):
            words += max(1, round(number / per_word))
    return words


_INVISIBLE = re.compile(r"[\xad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_JOINING = regex.compile(r"[\p{M}\p{RI}\p{Emoji_Modifier}\u200c\u200d\uff9e\uff9f\u1100-\u11ff]")
_MARKED_SCRIPTS = "\u0900-\u0dff" + character_class("th", "lo", "my", "km")
_CHARACTER = regex.compile(rf"[{_MARKED_SCRIPTS}]|(?=\S)\X")
_CHINESE_CHARACTER = regex.compile(
    rf"""
    [{_HAN_KANA}{_WIDE_MARKS}“”…—·×][\p{{M}}{_VOICING}]*+
    | (?=[\p{{Extended_Pictographic}}\p{{RI}}])\X
    | (?:(?<=[a-zA-Z])[‘’](?=[a-zA-Z])
      | [^\s{_HAN_KANA}{_WIDE_MARKS}“”‘’…—·×\p{{Extended_Pictographic}}\p{{RI}}]\p{{M}}*+)++
    | [‘’]
    """,
    regex.VERBOSE,
)

_ALONE = re.compile(rf"[{_HAN_KANA}{_WIDE_MARKS}“”‘’…—·×]")
_APOSTROPHE = re.compile(r"(?<=[a-zA-Z])[‘’](?=[a-zA-Z])")
_OF_PARTS = regex.compile(rf"[\p{{M}}{_VOICING}\p{{Extended_Pictographic}}\p{{RI}}]")


def count_characters(text: str, language: str | None = None) -> int:
    """Return the number of characters of a Markdown text, by the conventions of its language.

    Args:
        text: Markdown or plain text.
        language: Its BCP 47 tag; None: found out from the script.

    Example:
        >>> count_characters("日本語とEnglish", "ja"), count_characters("中文和English", "zh")
        (11, 4)
    """
    text = _without_markup(text)
    is_chinese = (language or detect(text)).lower().startswith("zh")
    return _count_chinese(text) if is_chinese else _count_seen(text)


def _count_chinese(text: str) -> int:
    text = _INVISIBLE.sub("", unicodedata.normalize("NFC", text))
    # Split and joined: `str` knows more kinds of white space than a pattern does.
    text = " ".join(text.split())
    if _OF_PARTS.search("".join(set(text))):
        return len(_CHINESE_CHARACTER.findall(text))
    # Where each character stands for itself, this is some five times quicker.
    spaced, alone = _ALONE.subn(" ", _APOSTROPHE.sub("'", text))
    return alone + len(spaced.split())


def _count_seen(text: str) -> int:
    if text.isascii():
        return len("".join(text.split()))
    text = _INVISIBLE.sub("", unicodedata.normalize("NFC", text))
    # A look at the distinct characters is six times cheaper than cutting into what is seen as one.
    if _JOINING.search("".join(set(text))):
        return len(_CHARACTER.findall(" ".join(text.split())))
    return len("".join(text.split()))


def count_length(text: str, unit: Unit, language: str | None = None) -> int:
    """Return the length of a Markdown text in a unit; `language` matters for characters only."""
    return count_words(text) if unit == "words" else count_characters(text, language)


_REFERENCE_HAN = re.compile(r"[\u4e00-\u9fff]+")
_REFERENCE_WORD = re.compile(r"\b[a-zA-Z]+\b")


def count_words_reference(text: str) -> int:
    """Return the length as LongWriter's published evaluation counts it, for comparison only.

    Han characters plus runs of ASCII letters; kana, Hangul and numbers count nothing, `don't`
    counts two, markup counts. Source: `count_words` in `evaluation/pred.py` of THUDM/LongWriter.
    """
    return sum(map(len, _REFERENCE_HAN.findall(text))) + len(_REFERENCE_WORD.findall(text))


# --- Markdown ----------------------------------------------------------------------------------

_FRONT_MATTER = re.compile(
    r"\A---[ \t]*\r?\n(?=[A-Za-z_][\w-]*:|#).*?\n(?:---|\.\.\.)[ \t\r]*(?:\n|\Z)", re.DOTALL
)
_FENCED = re.compile(
    r"""
    ^[ \t]*(?P<fence>`{3,}+(?![^\n]*`)|~{3,})[^\n]*+(?:\n|\Z)
    (?P<code>(?:(?![ \t]*(?P=fence))[^\n]*+(?:\n|(?<=.)\Z))*+)
    (?:[ \t]*(?P=fence)[`~]*+[ \t\r]*(?:\n|\Z))?
    """,
    re.MULTILINE | re.VERBOSE,
)
_TABLE = re.compile(
    r"""
    ^(?P<head>[^\n|]*+\|[^\n]*+\n)
    (?=[^\n|]*+\|)[ \t]*\|?(?:[ \t]*:?-++:?[ \t]*\|?)+[ \t\r]*(?:\n|\Z)
    (?P<rows>(?:[^\n|]*+\|[^\n]*+(?:\n|\Z))*+)
    """,
    re.MULTILINE | re.VERBOSE,
)
_ROW = re.compile(r"^[ \t]*\|[^\n]*\|[ \t\r]*$", re.MULTILINE)
_BAR = re.compile(r"(?<!\\)\|")
_LINE_MARKS = re.compile(
    r"""
    ^(?=[ \t]*[>\#*+=_\d-])
    (?:[ ]{0,3}>[ \t]?)*+
    (?: [ \t]*(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,}|={2,}|--)[ \t\r]*$
      | [ ]{0,3}\#{1,6}(?:[ \t]+|\r?$)
      | (?:[ \t]*(?:[-*+]|\d{1,3}[.)])(?:[ \t]+|\r?$))+(?:\[[ xX]\][ \t]+)?
    )?
    """,
    re.MULTILINE | re.VERBOSE,
)
_CLOSING_HASHES = re.compile(r"^(\#{1,6}[ \t][^\n]*?)(?<![ \t])[ \t]++\#++[ \t\r]*+$", re.MULTILINE)
_DEFINITION = re.compile(
    r"""^[ ]{0,3}\[(?!\^)[^\[\]\n]++\]:[ \t]*(?:<[^<>\n]*>|[^\s]*[/\#:@][^\s]*)
    (?:[ \t]+(?:"[^"\n]*"|'[^'\n]*'|\([^()\n]*\)))?[ \t\r]*$""",
    re.MULTILINE | re.VERBOSE,
)
_NUMBERED = re.compile(r"^[ \t>]*\d{1,3}[.)][ \t]", re.MULTILINE)

_INLINE_TAGS = "abbr|a|bdi|b|cite|code|del|dfn|em|font|ins|i|kbd|mark|q|rp|rt|ruby|samp|small|span"
_INLINE_TAGS += "|strong|sub|sup|s|u|var"
_BLOCK_TAGS = "article|aside|audio|blockquote|br|center|dd|details|div|dl|dt|figcaption|figure"
_BLOCK_TAGS += "|footer|h[1-6]|header|hr|iframe|img|input|li|nav|ol|pre|p|section|source|summary"
_BLOCK_TAGS += "|table|tbody|td|tfoot|thead|th|tr|ul|video|wbr"
# Code and comments end within 1,000 characters, or unclosed ones would cost quadratic time.
_INLINE = re.compile(
    rf"""
    \\(?P<escaped>[!-/:-@\[-`{{-~]|\r?\n)
    | (?<!`)(?P<ticks>`++)
      (?P<code>(?:[^`\n]|\n(?![ \t]*\n)|(?!(?P=ticks)(?!`))`++){{0,1000}}+)(?P=ticks)
    | <!--.{{0,1000}}?-->
    | </?(?:(?P<inline>{_INLINE_TAGS})|{_BLOCK_TAGS})
      (?:\s+(?:[a-z][\w:-]*+\s*=\s*(?:"[^"<>]*+"|'[^'<>]*+'|[^\s"'<>=]++)
            |open|controls|hidden|checked|disabled)){{0,20}}+\s*/?>
    | <(?P<address>[a-z][a-z+.-]*+:[^\s<>]++|[^\s<>@]++@[^\s<>@]++)>
    | \[\^[^\]\s]++\]:?
    | \[\s*\d[\d,;\s–—-]*+\](?!\()
    | !?\[(?P<text>(?:[^\[\]\\\n]|\\.|\n(?![ \t]*\n)|\[[^\[\]\n]*+\](?:\([^()\s]*+\))?)*+)\]
      (?: \([ \t]*(?:<[^<>\n]*+>|[^\s()<>]*+(?:\([^\s()]*+\)[^\s()]*+)*+)
          (?:\s+(?:"[^"\n]*+"|'[^'\n]*+'|\([^()\n]*+\)))?[ \t]*\)
        | \[(?!\s*\d[\d,;\s–—-]*\])[^\[\]\n^]*+\] )
    | (?P<entity>&(?:\#\d{{1,7}}|\#[xX][0-9a-fA-F]{{1,6}}|[a-zA-Z][a-zA-Z0-9]{{1,31}});)
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_NEXT_LINE = r"\n(?![ \t]*\n)"
_CLOSES = r"(?:(?<=\w)\1|(?<!\s)\1(?![A-Za-z0-9]))"
_EMPHASIS = {
    "*": re.compile(
        rf"(?<![A-Za-z0-9*])(\*{{1,3}})(?![\s*])((?:[^*\n]|{_NEXT_LINE})++){_CLOSES}(?!\*)"
    ),
    "_": re.compile(
        rf"(?<!\w)(_{{1,3}})(?![\s_])((?:[^_\n]|{_NEXT_LINE}|(?<=[^\W_])_+(?=[^\W_]))++)"
        r"(?<!\s)\1(?!\w)"
    ),
    "~~": re.compile(rf"(~~)(?![\s~])((?:[^~\n]|{_NEXT_LINE})++)(?<!\s)~~(?!~)"),
}
_DEEPEST = 3
"""How deep emphasis of one kind may be nested; a loop to the end would cost quadratic time."""
_KEPT = str.maketrans("*_~", "\ue000\ue001\ue002")
_KEPT_BACK = str.maketrans("\ue000\ue001\ue002", "*_~")


def plain(text: str) -> str:
    """Return a Markdown text as its reader sees it: without markup, targets and citation marks.

    What only looks like markup stays: `3 < 5`, `2 * 3`, `snake_case`, `#tag`, an unclosed `**`.
    """
    return _without_markup(text)


def _without_markup(text: str, *, for_words: bool = False) -> str:
    # Emphasis, hashes and bullets hold no letter or digit, so words need not care.
    if for_words and not (any(mark in text for mark in "[<`|&~") or _NUMBERED.search(text)):
        return _FRONT_MATTER.sub("", text) if text.startswith("---") else text
    text = _FRONT_MATTER.sub("", text)
    if "```" not in text and "~~~" not in text:
        return _prose(text)
    parts, end = [], 0
    for code in _FENCED.finditer(text):
        parts += [_prose(text[end : code.start()]), code["code"]]
        end = code.end()
    return "".join([*parts, _prose(text[end:])])


def _prose(text: str) -> str:
    """Take the markup out of a text without code blocks."""
    if "|" in text:
        text = _TABLE.sub(lambda table: _BAR.sub(" ", table["head"] + table["rows"]), text)
        text = _ROW.sub(lambda row: _BAR.sub(" ", row[0]), text)
    if "]:" in text:
        text = _DEFINITION.sub("", text)
    if "#" in text:
        text = _CLOSING_HASHES.sub(r"\1", text)
    text = _LINE_MARKS.sub("", text)
    if any(mark in text for mark in "\\`<[&"):
        text = _INLINE.sub(_shown, text)
    for mark, pattern in _EMPHASIS.items():
        for _ in range(_DEEPEST if mark in text else 0):  # from the innermost outwards
            text = pattern.sub(r"\2", text)
    return (
        text.translate(_KEPT_BACK) if any(mark in text for mark in "\ue000\ue001\ue002") else text
    )


def _shown(markup: re.Match[str]) -> str:
    """Return what a reader sees of an inline mark."""
    if (kept := markup["escaped"] or markup["code"] or markup["address"]) is not None:
        return kept.translate(_KEPT)
    if (text := markup["text"]) is not None:
        return _INLINE.sub(_shown, text)
    if entity := markup["entity"]:
        return html.unescape(entity)
    return " " if markup[0].startswith("<") and not markup["inline"] else ""
