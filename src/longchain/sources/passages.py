"""Splits long texts into passages, of which a prompt can hold several.

Markdown, reStructuredText or plain text -> title, and `Passage`s with the headings above them

Knows headings, sentences and sizes; knows no files and no documents.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from longchain.language import detect, is_spaced
from longchain.sentences import split_sentences

MIN_SIZE, MAX_SIZE = 120, 250
"""Size of a passage in words; in scripts without spaces in characters, twice as many.

Passages of a shorter section are smaller: a passage never has parts of two sections.
"""

_FENCE = re.compile(r"\s{0,3}(```|~~~)")
_ATX = re.compile(r" {0,3}(#{1,6})[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$")
_SETEXT = re.compile(r"(?:=+|-{2,})[ \t]*$")
_UNDERLINE = re.compile(r"([=\-~^\"'`#*+.:_])\1{2,}[ \t]*$")
_FRONT_MATTER = re.compile(r"---[ \t]*\n(.*?\n)(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_TITLE_FIELD = re.compile(
    r"^title[ \t]*:[ \t]*[\"']?(.+?)[\"']?[ \t]*$", re.MULTILINE | re.IGNORECASE
)
_PARAGRAPH_END = re.compile(r"\n[ \t]*\n\s*$")


@dataclass(frozen=True)
class Passage:
    """A piece of one section of a text."""

    text: str
    heading: list[str]
    """The headings above it, outermost first, without the text's title."""


@dataclass(frozen=True)
class _Heading:
    first: int
    last: int
    """Lines from `first` to before `last`."""
    level: int
    text: str


def split(text: str, *, rst: bool = False) -> tuple[str, list[Passage]]:
    """Split a text into its title (empty if it has none) and its passages in order.

    Args:
        text: The text, with line feeds as the only line ends.
        rst: Whether headings are underlined as in reStructuredText; otherwise Markdown.
    """
    title = ""
    if matter := _FRONT_MATTER.match(text):
        title_field = _TITLE_FIELD.search(matter[1])
        title, text = title_field[1] if title_field else "", text[matter.end() :]
    lines = text.split("\n")
    headings = list(_rst_headings(lines) if rst else _markdown_headings(lines))
    title = title or (headings[0].text if headings else "")
    language = detect(text[:20_000])
    passages = [
        Passage(piece, path)
        for path, body in _sections(lines, headings, title)
        for piece in cut(body, language)
    ]
    return title, passages


def cut(text: str, language: str) -> list[str]:
    """Cut the text of one section at paragraphs and sentences into passages of similar size."""
    spaced = is_spaced(language)
    max_size = MAX_SIZE if spaced else 2 * MAX_SIZE
    total = measure_size(text, spaced)
    if total <= max_size:
        return [text.strip("\n").rstrip()] if text.strip() else []
    # Equal shares leave no stub at the end; the share stays well inside the bounds.
    share = total / round(total / (max_size * 0.75))
    passages, piece, filled = [], "", 0
    for part in _parts(text, language, max_size):
        length = measure_size(part, spaced)
        if piece and filled + length > max_size:
            passages.append(piece)
            piece, filled = "", 0
        piece, filled = piece + part, filled + length
        if filled >= share * 1.15 or (filled >= share * 0.8 and _PARAGRAPH_END.search(part)):
            passages.append(piece)
            piece, filled = "", 0
    if passages and filled and filled < max_size / 8:
        passages[-1] += piece
    elif piece:
        passages.append(piece)
    return [passage.strip("\n").rstrip() for passage in passages if passage.strip()]


def measure_size(text: str, spaced: bool) -> int:
    """Return a text's size in words, or in characters if its script has no spaces."""
    parts = text.split()
    return len(parts) if spaced else sum(map(len, parts))


def _parts(text: str, language: str, max_size: int) -> Iterator[str]:
    """Yield sentences with the space after them, and parts of those too long for a passage."""
    spaced = is_spaced(language)
    for sentence in split_sentences(text, language):
        if measure_size(sentence, spaced) <= max_size:
            yield sentence
        elif spaced:
            # Code, tables, or prose without full stops: lines or words are the only edges left.
            words = re.findall(r"\S+\s*|\s+", sentence)
            for start in range(0, len(words), max_size):
                yield "".join(words[start : start + max_size])
        else:
            for start in range(0, len(sentence), max_size):
                yield sentence[start : start + max_size]


def _sections(
    lines: list[str], headings: list[_Heading], title: str
) -> Iterator[tuple[list[str], str]]:
    """Yield the text between headings, each with the headings above it."""
    path: list[_Heading] = []
    start = _Heading(0, 0, 0, "")
    end = _Heading(len(lines), len(lines), 0, "")
    for heading, following in pairwise([start, *headings, end]):
        if heading is not start:
            path = [above for above in path if above.level < heading.level] + [heading]
        names = [above.text for above in path]
        yield names[names[:1] == [title] :], "\n".join(lines[heading.last : following.first])


def _markdown_headings(lines: list[str]) -> Iterator[_Heading]:
    fence = ""
    for number, line in enumerate(lines):
        if mark := _FENCE.match(line):
            fence = "" if fence == mark[1] else fence or mark[1]
        elif fence:
            continue
        elif atx := _ATX.match(line):
            if atx[2]:
                yield _Heading(number, number + 1, len(atx[1]), _strip_markup(atx[2]))
        elif _SETEXT.match(line) and _is_heading_text(lines, number - 1):
            level = 1 if line.startswith("=") else 2
            yield _Heading(number - 1, number + 1, level, _strip_markup(lines[number - 1]))


def _rst_headings(lines: list[str]) -> Iterator[_Heading]:
    styles: list[tuple[str, bool]] = []
    for number, line in enumerate(lines):
        if not _UNDERLINE.match(line) or not _is_heading_text(lines, number - 1, rst=True):
            continue
        above = number >= 2 and lines[number - 2].rstrip() == line.rstrip()
        if len(line.rstrip()) < len(lines[number - 1].strip()):
            continue
        style = (line[0], above)
        if style not in styles:
            styles.append(style)
        first = number - 2 if above else number - 1
        yield _Heading(first, number + 1, styles.index(style) + 1, lines[number - 1].strip())


def _is_heading_text(lines: list[str], number: int, *, rst: bool = False) -> bool:
    """Whether a line can be an underlined heading: text, without text directly above it."""
    if number < 0 or not lines[number].strip() or _UNDERLINE.match(lines[number]):
        return False
    if re.match(r"\s*[-*+>|]\s", lines[number]) or _ATX.match(lines[number]):
        return False
    above = lines[number - 1] if number else ""
    return not above.strip() or (rst and bool(_UNDERLINE.match(above)))


def _strip_markup(heading: str) -> str:
    """Return a heading without emphasis, code marks and links."""
    heading = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[*`]+|(?<!\w)_+|_+(?!\w)", "", heading).strip()
