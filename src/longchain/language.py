"""Detects the language of a text and splits it into sentences.

text -> language tag; text -> sentences that join back to it; language -> name, unit, spacing

Knows scripts, some function words and Markdown's line marks; does not know lengths or models.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from itertools import takewhile
from typing import Literal

import sentencex

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


# --- sentences ---------------------------------------------------------------------------------

_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d{1,3}[.)])[ \t]+(?=\S)")
_HEADING = re.compile(r"[ ]{0,3}\#{1,6}[ \t]")
_RULE = re.compile(r"[ \t]*(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,}|={3,})\r?$", re.M)
_ROW = re.compile(r"[ \t]*\|")
_FENCE = re.compile(r"[ \t]*(?P<fence>`{3,}+(?![^\n]*`)|~{3,})")
_BLOCK_START = "|".join(
    [_RULE.pattern, _ITEM.pattern, _HEADING.pattern, _ROW.pattern, r"[ \t]*(?:```|~~~)|[ ]{0,3}>"]
)
_BLOCK = re.compile(
    rf"""
    (?:(?P<whole>
          {_FENCE.pattern}[^\n]*+(?:\n(?![ \t]*(?P=fence))[^\n]*+)*+(?:\n[^\n]*+)?
       |  {_RULE.pattern}
       |  (?:{_HEADING.pattern}|{_ROW.pattern})[^\n]*+
       )
    |  {_ITEM.pattern}[^\n]*+(?:\n(?!{_BLOCK_START})[ \t]+\S[^\n]*+)*+
    |  [ ]{{0,3}}>[^\n]*+(?:\n[ ]{{0,3}}>[^\n]*+)*+
    |  [^\n]*+(?:\n(?!{_BLOCK_START}|[ \t\r]*$)[^\n]++)*+
    )(?:\n(?:[ \t\r]*\n)*+)?
    """,
    re.MULTILINE | re.VERBOSE,
)
"""One Markdown block with the blank lines after it.

A code block; a list item with its indented lines; a quotation; a heading, table row or rule; or a
paragraph. The group `whole` matches blocks that are not split into sentences.
"""

_CLOSERS = "」』”’）】〉》〕］｣)"
_LEADING_MARKS = re.compile(rf"[{_CLOSERS}]*(?P<mark>[*_~]*)(?P<after>[{_CLOSERS}]*\s*)")
_EMPHASIS = re.compile(r"(?<![*_~])(?:(?<![A-Za-z0-9])[*_~]++|[*_~]++(?![A-Za-z0-9]))")
"""Marks that open or close emphasis; not those within a word, as in `2**3` and `my_name`."""

_CJK_END = re.compile(rf"(?<=[。！？][」』”’）】])(?=[^{_CLOSERS}。！？、，…\s])")
_AFTER_QUOTATION = re.compile(
    r"と(?!ころ|ても|にかく|もかく|はいえ|うとう|りあえず|もに|き|なり|く|も|うてい|たん)|って|など"
)
"""Particles that continue a Japanese sentence after a quotation with a full stop."""

_MAX_PORTION = 4000
"""Characters passed to `sentencex` at once, which takes quadratic time on unclosed quotation marks.

A paragraph of 600,000 characters full of them took it 88 s in one piece.
"""
_PORTION = re.compile(
    rf".{{1,{_MAX_PORTION - 2}}}(?:[.!?…]\s|[。！？])|.{{1,{_MAX_PORTION}}}", re.DOTALL
)
_SURROGATE = re.compile("[\ud800-\udfff]")


def sentences(text: str, language: str | None = None) -> list[str]:
    r"""Split a Markdown text into sentences that join back to it exactly.

    Each piece includes the white space after it. Closing quotes, brackets and emphasis marks belong
    to the sentence that they close. Headings, table rows, rules and code blocks are one piece each;
    a list item begins a piece, its mark included. An empty text has no sentences.

    Args:
        text: Any text, Markdown or not.
        language: Its BCP 47 tag; None: detected from its beginning.

    Example:
        >>> sentences("# Ships\nDr. Ng sailed. She won.")
        ['# Ships\n', 'Dr. Ng sailed. ', 'She won.']
    """
    language = primary(language or detect(text[:2000]))
    pieces: list[str] = []
    for block in _BLOCK.finditer(text):
        block_pieces = [block[0]]
        if not block["whole"]:
            block_pieces = _prose_sentences(block[0], language)
        for piece in block_pieces:
            # White space alone is no sentence.
            if pieces and not (piece.strip() and pieces[-1].strip()):
                pieces[-1] += piece
            elif piece:
                pieces.append(piece)
    return pieces


def _prose_sentences(block: str, language: str) -> list[str]:
    """Split a list item, quotation or paragraph."""
    # The list mark is set aside: `1.` would be taken for a sentence.
    item = _ITEM.match(block)
    mark = item[0] if item else ""
    pieces: list[str] = []
    open_emphasis: set[str] = set()
    for segment in _segments(block[len(mark) :], language):
        for piece in _CJK_END.split(segment):
            _append(pieces, piece, open_emphasis)
            for opened_or_closed in _EMPHASIS.findall(piece):
                open_emphasis.symmetric_difference_update([opened_or_closed])
    if not pieces:
        return [block]
    return [mark + pieces[0], *pieces[1:]]


def _segments(prose: str, language: str) -> Iterator[str]:
    """Yield the sentences of prose as `sentencex` splits it, portion by portion."""
    portions = [prose] if len(prose) <= _MAX_PORTION else _PORTION.findall(prose)
    for portion in portions:
        yield from _join_ordinals(_segment(language, portion), language)


_ORDINALS = {"de", "da", "nb", "nn", "no", "fi", "et", "cs", "sk", "pl", "hu", "sl", "hr"}
"""Languages that write ordinal numbers with a full stop: `im 19. Jahrhundert`."""

_ORDINAL_END = re.compile(r"(?<![\d.,])\d{1,2}\.[ \t]+\Z")


def _join_ordinals(pieces: list[str], language: str) -> list[str]:
    """Join pieces that were split after an ordinal number.

    A sentence that ends in such a number is joined with the next one, which matters less.
    """
    if language not in _ORDINALS:
        return pieces
    joined: list[str] = []
    for piece in pieces:
        if joined and _ORDINAL_END.search(joined[-1]):
            joined[-1] += piece
        else:
            joined.append(piece)
    return joined


def _segment(language: str, portion: str) -> list[str]:
    """Split a portion with `sentencex`, which refuses lone surrogates."""
    try:
        return list(sentencex.segment(language, portion))
    except UnicodeEncodeError:
        end, pieces = 0, []
        # A replacement of the same length shows where to split the original.
        for piece in sentencex.segment(language, _SURROGATE.sub("\ufffd", portion)):
            pieces.append(portion[end : end + len(piece)])
            end += len(piece)
        return pieces


def _append(pieces: list[str], piece: str, open_emphasis: set[str]) -> None:
    """Append a piece, after moving its leading closing marks to the sentence before.

    Args:
        pieces: The pieces so far.
        piece: The next piece.
        open_emphasis: Emphasis marks that are open where the piece begins.
    """
    if pieces and (leading := _LEADING_MARKS.match(piece)):
        end = leading.start("mark")
        if _closes(leading, pieces[-1], open_emphasis):
            end = leading.end()
        pieces[-1] += piece[:end]
        piece = piece[end:]
    if pieces and _continues_quotation(pieces[-1], piece):
        pieces[-1] += piece
    elif piece:
        pieces.append(piece)


def _continues_quotation(before: str, piece: str) -> bool:
    """Return whether a piece continues the Japanese sentence whose quotation ends before it."""
    quoted = before.rstrip("*_~")[-1:] in ("」", "』")
    return quoted and _AFTER_QUOTATION.match(piece) is not None


def _closes(leading: re.Match[str], before: str, open_emphasis: set[str]) -> bool:
    """Return whether leading marks close emphasis, rather than open it; True without emphasis."""
    mark = leading["mark"]
    if not mark:
        return True
    if before[-1].isspace():
        return False
    # In Markdown, a mark before white space opens no emphasis.
    at_end = leading.end() == len(leading.string)
    return at_end or bool(leading["after"]) or mark in open_emphasis


# --- end of a text -----------------------------------------------------------------------------

_TRAILING_MARKS = re.compile(
    r"(?:\s*\[\^?[\w,;\s–-]{1,40}\](?:\([^()\s]*\))?|[⁰¹²³⁴-⁹]|\s*<[^<>]*>"  # citations, tags
    r"|(?<=\S)[*_~`\\]|\s*[☀-➿🀀-🫿][\ufe0f\u200d]*)+\Z"  # emphasis, emoji
)
_CLOSING_QUOTES = re.compile(rf"(?:(?<=\S)[“‘\]}}\"'{_CLOSERS}]|\s?[«»‹›])+\Z")
_END = re.compile(r"(?:[.!?…⋯‼⁇⁈⁉‽\u037e։؟۔।॥။።፧។៕܀᠃᠉꓿。！？．｡]|[\u0e00-\u0eff]|(?<=[Ͱ-Ͽἀ-῿]);)\Z")
_CJK_QUOTED = re.compile(r"(?:[」』]|[぀-ヿ㐀-鿿][”’])\Z")
_COMPLETE_LINE = re.compile(
    r"[ \t]*+(?:\|.*\||.*\$\$|\\\]|!\[[^\]\n]*\]\([^()\n]*\)|</?[A-Za-z!][^<>\n]*>)\Z"
)
"""A table row, the end of a formula, an image or a tag: complete without punctuation."""
_TABLE_RULE = re.compile(r"[^\n|]*+\|[^\n]*+\n[ \t:|-]*-[ \t:|-]*\n")
_TAIL = 500
"""Characters at the end of a text that are searched for its closing punctuation."""


def ends_sentence(text: str) -> bool:
    """Return whether a text ends with a complete sentence or a complete structure.

    A sentence ends with the closing punctuation of any script, after which quotes, brackets,
    emphasis, citation marks and emoji may follow. A quotation in `」` or `』` ends one, as dialogue
    in Japanese has no full stop before it. Thai and Lao have no full stop: always True.

    Complete without punctuation are a closed code block, a table row up to its last bar, a formula,
    an image, and a list item where at least half of the other items of the list lack punctuation,
    too. A heading is incomplete, as no text follows it; a rule is skipped. A title, a signature or
    a verse cannot be told from a cut sentence and gives False.
    """
    blocks = [block for block in _BLOCK.finditer(text.rstrip()) if block[0].strip()]
    while blocks and _RULE.fullmatch(blocks[-1][0].rstrip()):
        blocks.pop()
    if not blocks:
        return False
    last = blocks[-1][0].rstrip()
    if fence := blocks[-1]["fence"]:
        return _closes_code(last, fence)
    if _HEADING.match(last):
        return False
    last_line = last.rpartition("\n")[2]
    if _ends_with_punctuation(last) or _COMPLETE_LINE.match(last_line):
        return True
    if _TABLE_RULE.match(last):
        return last_line.count("|") == last.partition("\n")[0].count("|")
    if _ITEM.match(last):
        return _is_unpunctuated_item(last, [block[0] for block in blocks[:-1]])
    return False


def _closes_code(block: str, fence: str) -> bool:
    """Return whether the last line of a code block is its closing fence."""
    return "\n" in block and block.rpartition("\n")[2].lstrip().startswith(fence)


def _is_unpunctuated_item(item: str, before: list[str]) -> bool:
    """Return whether a list item may lack punctuation, as at least half of the others do."""
    if item[-1] in ",;:，、；：([（「『—–-":
        return False
    others = list(takewhile(_ITEM.match, reversed(before)))
    punctuated = sum(_ends_with_punctuation(other.rstrip()) for other in others)
    return bool(others) and 2 * punctuated <= len(others)


def _ends_with_punctuation(text: str) -> bool:
    tail = _TRAILING_MARKS.sub("", text[-_TAIL:])
    return bool(_CJK_QUOTED.search(tail) or _END.search(_CLOSING_QUOTES.sub("", tail)))
