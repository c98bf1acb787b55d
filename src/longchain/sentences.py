"""Splits a text into sentences, and tells whether it ends with a complete one.

Markdown text -> sentences that join back to it

Knows Markdown's blocks and the punctuation of all scripts; does not know lengths or models.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import takewhile

import sentencex

from longchain.language import detect, primary

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


def split_sentences(text: str, language: str | None = None) -> list[str]:
    r"""Split a Markdown text into sentences that join back to it exactly.

    Each piece includes the white space after it. Closing quotes, brackets and emphasis marks belong
    to the sentence that they close. Headings, table rows, rules and code blocks are one piece each;
    a list item begins a piece, its mark included. An empty text has no sentences.

    Args:
        text: Any text, Markdown or not.
        language: Its BCP 47 tag; None: detected from its beginning.

    Example:
        >>> split_sentences("# Ships\nDr. Ng sailed. She won.")
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
    blocks = _find_blocks(text)
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


def _find_blocks(text: str) -> list[re.Match[str]]:
    """Return the blocks of a text, without the rules at its end."""
    blocks = [block for block in _BLOCK.finditer(text.rstrip()) if block[0].strip()]
    while blocks and _RULE.fullmatch(blocks[-1][0].rstrip()):
        blocks.pop()
    return blocks


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
