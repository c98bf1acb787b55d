"""Strips the markup from a Markdown text.

Markdown text -> text as a reader sees it rendered

Knows Markdown only; does not know languages or how lengths are counted.
"""

from __future__ import annotations

import html
import re

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
_MAX_EMPHASIS_DEPTH = 3
"""Nesting depth of emphasis of one kind; a loop until nothing changes would take quadratic time."""

# Literal `*`, `_` and `~` (escaped, in code or in an address) are private-use characters while
# emphasis is removed.
_PROTECTED = "\ue000\ue001\ue002"
_PROTECT = str.maketrans("*_~", _PROTECTED)
_RESTORE = str.maketrans(_PROTECTED, "*_~")


def strip_markdown(text: str) -> str:
    """Return a Markdown text without markup, link targets and citation marks.

    Text that only looks like markup stays: `3 < 5`, `2 * 3`, `snake_case`, `#tag`, an unclosed
    `**`.
    """
    text = _FRONT_MATTER.sub("", text)
    if "```" not in text and "~~~" not in text:
        return _strip_prose(text)
    parts, end = [], 0
    for code in _FENCED.finditer(text):
        parts += [_strip_prose(text[end : code.start()]), code["code"]]
        end = code.end()
    return "".join([*parts, _strip_prose(text[end:])])


def strip_for_words(text: str) -> str:
    """Return a Markdown text without the markup that could count as words.

    Emphasis, the hashes of headings and bullets have no letter or digit: a text with nothing but
    these is returned as it is, which is faster.
    """
    if _contains_any(text, "[<`|&~") or _NUMBERED.search(text):
        return strip_markdown(text)
    return _FRONT_MATTER.sub("", text) if text.startswith("---") else text


def _strip_prose(text: str) -> str:
    """Return a text without code blocks, and without its markup."""
    if "|" in text:
        text = _TABLE.sub(lambda table: _BAR.sub(" ", table["head"] + table["rows"]), text)
        text = _ROW.sub(lambda row: _BAR.sub(" ", row[0]), text)
    if "]:" in text:
        text = _DEFINITION.sub("", text)
    if "#" in text:
        text = _CLOSING_HASHES.sub(r"\1", text)
    text = _LINE_MARKS.sub("", text)
    if _contains_any(text, "\\`<[&"):
        text = _INLINE.sub(_visible_text, text)
    for mark, pattern in _EMPHASIS.items():
        if mark in text:
            # From the innermost emphasis outwards.
            for _ in range(_MAX_EMPHASIS_DEPTH):
                text = pattern.sub(r"\2", text)
    return text.translate(_RESTORE) if _contains_any(text, _PROTECTED) else text


def _contains_any(text: str, characters: str) -> bool:
    # `in` is some 30 times faster than a pattern with a character class.
    return any(character in text for character in characters)


def _visible_text(markup: re.Match[str]) -> str:
    """Return the visible text of an inline mark."""
    literal = markup["escaped"] or markup["code"] or markup["address"]
    if literal is not None:
        return literal.translate(_PROTECT)
    if (text := markup["text"]) is not None:
        return _INLINE.sub(_visible_text, text)
    if entity := markup["entity"]:
        return html.unescape(entity)
    is_block_tag = markup[0].startswith("<") and not markup["inline"]
    return " " if is_block_tag else ""
