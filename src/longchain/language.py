"""Languages: which one a text is in, where its sentences end, and how its length is counted.

text -> language tag; text -> sentences that join back to it; language -> name, unit, spacing

Knows scripts, a few function words and Markdown's line marks; knows nothing of lengths or models.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
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
_STARTS = [first for first, _, _ in _RANGES]


def character_class(*scripts: Script) -> str:
    """Return the ranges of scripts for use inside the `[...]` of a pattern."""
    ranges = [(first, last) for first, last, script in _RANGES if script in scripts]
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)


_CJK_WEIGHT = 2.5
"""How many Latin letters say as much as one Han character, kana or Hangul syllable.

An English word has about 4.7 letters; its translation has about two of these characters.
"""

_NAMES_WEIGHT = 0.5
"""What a Latin letter weighs where the Latin words are names among another script."""

_PROSE_SHARE = 1 / 6
"""The share of function words from which Latin words are prose; in English prose it is half."""

_SAMPLE = 20_000
"""Characters that decide the language of a text; more change nothing and cost time."""

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

    The script decides by its share of the letters, so that a name quoted in another script does
    not; among Latin scripts a small table of function words does. Code and addresses are left out.
    Undecided and empty texts are `en`; Han without kana is `zh`.
    """
    sample = text[:_SAMPLE]
    prose = _NOT_PROSE.sub(" ", sample)
    shares = _shares(prose) or _shares(sample)
    latin, known = _latin(prose) if shares["latin"] else ("en", 0.0)
    weights = _weights(shares, latin_is_prose=known >= _PROSE_SHARE)
    best = max(weights, key=lambda name: weights[name])
    if best == "ru":
        return _cyrillic(prose)
    return latin if best == "latin" or not weights[best] else best


def _shares(text: str) -> Counter[Script]:
    """Count the letters of each script."""
    shares: Counter[Script] = Counter()
    for character, number in Counter(text).items():
        place = bisect_right(_STARTS, ord(character)) - 1
        if place >= 0 and ord(character) <= _RANGES[place][1]:
            shares[_RANGES[place][2]] += number
    return shares


def _weights(shares: Counter[Script], *, latin_is_prose: bool) -> dict[str, float]:
    """Weigh scripts by how much their letters say; Han and kana stand together."""
    han, kana = shares["han"], shares["kana"]
    # Japanese prose is a third kana or more; a Chinese text may quote a word or a shop's sign.
    japanese = kana * 10 >= han + kana and kana > 0
    weights = {
        "ja" if japanese else "zh": _CJK_WEIGHT * (han + kana),
        "ko": _CJK_WEIGHT * shares["hangul"] + shares["jamo"],
    }
    weights |= {name: float(shares[name]) for name in shares if len(name) == 2}
    return weights | {"latin": shares["latin"] * (1.0 if latin_is_prose else _NAMES_WEIGHT)}


def _cyrillic(sample: str) -> str:
    letters = Counter(sample)
    ukrainian = sum(letters[letter] for letter in _UKRAINIAN)
    return "uk" if ukrainian > sum(letters[letter] for letter in _RUSSIAN) else "ru"


def _latin(sample: str) -> tuple[str, float]:
    """Return the likeliest language of the Latin words and the share of function words."""
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
    """Return a tag's language alone, such as `zh` of `zh-Hant`."""
    return re.split("[-_]", language, maxsplit=1)[0].lower()


def is_spaced(language: str) -> bool:
    """Return whether a language separates its words by spaces."""
    return primary(language) not in _UNSPACED


def default_unit(language: str) -> Unit:
    """Return what a length counts in a language when nobody says so.

    Characters where words are not separated by spaces, and in Korean, where essays and forms ask
    for characters; else words.
    """
    return "words" if is_spaced(language) and primary(language) != "ko" else "characters"


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
_MARK = "|".join(
    [_RULE.pattern, _ITEM.pattern, _HEADING.pattern, _ROW.pattern, r"[ \t]*(?:```|~~~)|[ ]{0,3}>"]
)
_BLOCK = re.compile(
    rf"""
    (?:(?P<whole>
          {_FENCE.pattern}[^\n]*+(?:\n(?![ \t]*(?P=fence))[^\n]*+)*+(?:\n[^\n]*+)?
       |  {_RULE.pattern}
       |  (?:{_HEADING.pattern}|{_ROW.pattern})[^\n]*+
       )
    |  {_ITEM.pattern}[^\n]*+(?:\n(?!{_MARK})[ \t]+\S[^\n]*+)*+
    |  [ ]{{0,3}}>[^\n]*+(?:\n[ ]{{0,3}}>[^\n]*+)*+
    |  [^\n]*+(?:\n(?!{_MARK}|[ \t\r]*$)[^\n]++)*+
    )(?:\n(?:[ \t\r]*\n)*+)?
    """,
    re.MULTILINE | re.VERBOSE,
)
"""A code block; a list item with its indented lines; a quotation; a heading, table row or rule; or
a paragraph. Each with the blank lines after it; `whole` where it holds no sentences."""

_CLOSERS = "」』”’）】〉》〕］｣)"
_STRAY = re.compile(rf"[{_CLOSERS}]*(?P<mark>[*_~]*)(?P<after>[{_CLOSERS}]*\s*)")
_EMPHASIS = re.compile(r"(?<![*_~])(?:(?<![A-Za-z0-9])[*_~]++|[*_~]++(?![A-Za-z0-9]))")
"""What opens or closes emphasis: not what stands within a word, as in `2**3` and `my_name`."""

_CJK_END = re.compile(rf"(?<=[。！？][」』”’）】])(?=[^{_CLOSERS}。！？、，…\s])")
_QUOTED_ON = re.compile(
    r"と(?!ころ|ても|にかく|もかく|はいえ|うとう|りあえず|もに|き|なり|く|も|うてい|たん)|って|など"
)
"""What goes on with a Japanese sentence after a quotation that ended in a full stop."""

_MOST = 4000
"""Characters that `sentencex` is given at once: unclosed quotation marks make it quadratic.

A paragraph of 600,000 characters full of them took it 88 s in one piece.
"""
_PORTION = re.compile(rf".{{1,{_MOST - 2}}}(?:[.!?…]\s|[。！？])|.{{1,{_MOST}}}", re.DOTALL)

_SURROGATE = re.compile("[\ud800-\udfff]")


def sentences(text: str, language: str | None = None) -> list[str]:
    r"""Cut a Markdown text into sentences that join back to it exactly.

    Each piece keeps the white space after it. Closing quotes, brackets and emphasis marks stay
    with the sentence that they close. Headings, table rows, rules and code blocks are one piece
    each; a list item begins a piece, its mark included. An empty text has no sentences.

    Args:
        text: Any text, Markdown or not.
        language: Its BCP 47 tag; None: found out from its beginning.

    Example:
        >>> sentences("# Ships\nDr. Ng sailed. She won.")
        ['# Ships\n', 'Dr. Ng sailed. ', 'She won.']
    """
    language = primary(language or detect(text[:2000]))
    pieces: list[str] = []
    for block in _BLOCK.finditer(text):
        found = [block[0]] if block["whole"] else _prose_sentences(block[0], language)
        for piece in found:
            # White space is no sentence of its own.
            if pieces and not (piece.strip() and pieces[-1].strip()):
                pieces[-1] += piece
            elif piece:
                pieces.append(piece)
    return pieces


def _prose_sentences(block: str, language: str) -> list[str]:
    # The mark of an item waits, as `1.` would be taken for a sentence.
    mark = item[0] if (item := _ITEM.match(block)) else ""
    prose = block[len(mark) :]
    pieces: list[str] = []
    emphasis: set[str] = set()
    for portion in [prose] if len(prose) <= _MOST else _PORTION.findall(prose):
        for found in _with_ordinals(_segment(language, portion), language):
            for piece in _CJK_END.split(found):
                _append(pieces, piece, emphasis)
                for opened_or_closed in _EMPHASIS.findall(piece):
                    emphasis.symmetric_difference_update([opened_or_closed])
    return [mark + pieces[0], *pieces[1:]] if pieces else [block]


_ORDINALS = frozenset(
    {"de", "da", "nb", "nn", "no", "fi", "et", "cs", "sk", "pl", "hu", "sl", "hr"}
)
"""Languages that write an ordinal number with a full stop: `im 19. Jahrhundert`."""

_ORDINAL_END = re.compile(r"(?<![\d.,])\d{1,2}\.[ \t]+\Z")


def _with_ordinals(pieces: list[str], language: str) -> list[str]:
    """Return the pieces with those joined again that were cut after an ordinal number.

    A sentence that does end in such a number stays one with the next: a lesser evil.
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
    """Call `sentencex`, which takes no lone surrogates."""
    try:
        return list(sentencex.segment(language, portion))
    except UnicodeEncodeError:
        end, pieces = 0, []
        for piece in sentencex.segment(language, _SURROGATE.sub("\ufffd", portion)):
            pieces.append(portion[end : end + len(piece)])
            end += len(piece)
        return pieces


def _append(pieces: list[str], piece: str, emphasis: set[str]) -> None:
    """Add a piece; what belongs to the sentence before goes there.

    Args:
        pieces: The pieces so far.
        piece: The next one.
        emphasis: The marks whose emphasis is open where the piece begins.
    """
    if pieces and (stray := _STRAY.match(piece)):
        end = stray.end() if _closes(stray, pieces[-1], emphasis) else stray.start("mark")
        pieces[-1] += piece[:end]
        piece = piece[end:]
    if pieces and pieces[-1].rstrip("*_~")[-1:] in ("」", "』") and _QUOTED_ON.match(piece):
        pieces[-1] += piece
    elif piece:
        pieces.append(piece)


def _closes(stray: re.Match[str], before: str, emphasis: set[str]) -> bool:
    """Whether an emphasis mark, if there is one, closes rather than opens."""
    if not stray["mark"]:
        return True
    if before[-1].isspace():
        return False
    # As in Markdown: what white space follows opens nothing.
    return bool(stray["after"]) or stray.end() == len(stray.string) or stray["mark"] in emphasis


# --- where a text ends -------------------------------------------------------------------------

_MARKS = re.compile(
    r"(?:\s*\[\^?[\w,;\s–-]{1,40}\](?:\([^()\s]*\))?|[⁰¹²³⁴-⁹]|\s*<[^<>]*>"  # citations, tags
    r"|(?<=\S)[*_~`\\]|\s*[☀-➿🀀-🫿][\ufe0f\u200d]*)+\Z"  # emphasis, emoji
)
_CLOSED = re.compile(rf"(?:(?<=\S)[“‘\]}}\"'{_CLOSERS}]|\s?[«»‹›])+\Z")
_END = re.compile(r"(?:[.!?…⋯‼⁇⁈⁉‽\u037e։؟۔।॥။።፧។៕܀᠃᠉꓿。！？．｡]|[\u0e00-\u0eff]|(?<=[Ͱ-Ͽἀ-῿]);)\Z")
_CJK_QUOTED = re.compile(r"(?:[」』]|[぀-ヿ㐀-鿿][”’])\Z")
_WHOLE_LINE = re.compile(
    r"[ \t]*+(?:\|.*\||.*\$\$|\\\]|!\[[^\]\n]*\]\([^()\n]*\)|</?[A-Za-z!][^<>\n]*>)\Z"
)
"""A table row, the end of a formula, an image or a tag: whole without punctuation."""
_TABLE_RULE = re.compile(r"[^\n|]*+\|[^\n]*+\n[ \t:|-]*-[ \t:|-]*\n")
_TAIL = 500


def ends_sentence(text: str) -> bool:
    """Return whether a text ends where a sentence, or a structure whole in itself, ends.

    A sentence ends in the closing punctuation of any script, and what may stand after it: quotes,
    brackets, emphasis, citation marks, emoji. A quotation in `」` or `』` ends one, as dialogue in
    Japanese has no full stop before it. Thai and Lao have no full stop: always True.

    Whole without punctuation are a closed code block, a table row up to its last bar, a formula,
    an image, and a list item where at least half of the list's other items lack punctuation, too.
    A heading is not, since nothing stands below it; a rule is passed over. A title, a signature or
    a verse looks the same as a cut sentence and gives False.
    """
    blocks = [block for block in _BLOCK.finditer(text.rstrip()) if block[0].strip()]
    while blocks and _RULE.fullmatch(blocks[-1][0].rstrip()):
        blocks.pop()
    if not blocks:
        return False
    last = blocks[-1][0].rstrip()
    if fence := blocks[-1]["fence"]:
        return "\n" in last and last.rpartition("\n")[2].lstrip().startswith(fence)
    if _HEADING.match(last):
        return False
    line = last.rpartition("\n")[2]
    if _ends(last) or _WHOLE_LINE.match(line):
        return True
    if _TABLE_RULE.match(last):
        return line.count("|") == last.partition("\n")[0].count("|")
    return bool(_ITEM.match(last)) and _is_loose_item(last, [block[0] for block in blocks[:-1]])


def _is_loose_item(item: str, before: list[str]) -> bool:
    """Return whether an item without closing punctuation stands among others without."""
    others = list(takewhile(_ITEM.match, reversed(before)))
    punctuated = sum(_ends(other.rstrip()) for other in others)
    cut = item[-1] in ",;:，、；：([（「『—–-"
    return bool(others) and not cut and 2 * punctuated <= len(others)


def _ends(text: str) -> bool:
    tail = _MARKS.sub("", text[-_TAIL:])
    return bool(_CJK_QUOTED.search(tail) or _END.search(_CLOSED.sub("", tail)))
