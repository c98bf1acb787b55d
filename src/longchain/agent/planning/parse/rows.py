"""One line of a reply, taken apart.

line -> `Row`: how deep it stands, the fields it names, heading, length and main point

Knows marks, numbers and labels within a line; knows nothing of the lines around it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import islice

from longchain.agent.planning.parse import amounts
from longchain.agent.planning.parse.draft import plain, plain_heading
from longchain.agent.planning.parse.labels import (
    CHAPTER,
    HEADING,
    NO_TITLE,
    POINT,
    SECTION,
    TITLE,
    Field,
    either,
    label_before,
    names,
)

MOST_LINES = 12_000
"""Lines of a reply that are read: 2,000 sections with each field and a blank on its own."""

LONGEST_LINE = 5000
"""Characters; a longer line is prose."""

_MOST_COLONS = 40  # in a line
_LONGEST_HEADING = 80  # characters; a longer unlabelled text is a main point
_NO_TITLES = frozenset(names(NO_TITLE))

Depth = tuple[int, ...]
"""How deep a line stands: the greater, the deeper."""

CHAPTER_DEPTH, SECTION_DEPTH, BARE_DEPTH = (-1,), (1,), (9,)
_BOLD_DEPTH = (2,)
# Between them stand headings (0, hashes, dots) and list items (3, indent, is a bullet, dots).

_ORDINAL = (
    r"\d{1,4}(?:[.-]\d{1,3})*|[ivxlc]{1,7}\b|[〇零一二三四五六七八九十百]{1,5}"
    r"|(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\b"
)
_OPENER = re.compile(
    rf"(?:(?:[第제]\s?(?:{_ORDINAL})|\d{{1,3}}(?=\s?[章장절节節]))"
    rf"\s?(?:(?P<chapter>{either(CHAPTER)})|(?:{either(SECTION)}))"
    rf"|(?:(?P<chapter_1>{either(CHAPTER)})|(?:{either(SECTION)}))"
    rf"\s*(?:n[o°º]\.?|nr\.?|\#)?\s*(?:{_ORDINAL}))"
    r"(?P<end>\s*[-–—:：.．、)）|｜,，;；]+\s*|\s*(?=[(（\[【])|\s*$|\s+|(?=[\u3040-\u9fff]))",
    re.IGNORECASE,
)
_MARK = re.compile(
    r"(?:(?P<hash>\#{1,6})\s*|(?P<bullet>[-*+•·‣◦▪●○■□–—])\s+(?:\[[ xX]\]\s+)?"
    r"|(?P<number>\(?\d{1,3}(?:\.\d{1,3})*(?:[.)](?!\d)|[、．）])|\d{1,3}(?:\.\d{1,3})+(?=\s)"
    r"|（\d{1,3}）|[①-⑳]|[（(]?[一二三四五六七八九十]{1,3}[、）)]|[IVX]{1,5}[.)](?=\s))\s*)(?=\S)"
)
_SEPARATOR = re.compile(r"(?:\s[-–—]+|[–—|｜;；／])\s*$")
_RUN_ON = re.compile(  # a section that begins in the middle of a line
    rf"(?<=\S)[ \t]+(?=[*_]{{0,2}}(?:{either(SECTION)}|{either(CHAPTER)})\s?\d{{1,3}}[*_]{{0,2}}"
    rf"\s?[-–—:：]\s?[*_]{{0,2}}(?:{either(POINT)}|{either(HEADING)}|{either(TITLE)})"
    r"[*_]{0,2}\s?[:：])",
    re.IGNORECASE,
)
_COLON = re.compile(r"\s{0,3}(?:[(（][^()（）]{0,20}[)）])?\s{0,2}[:：=]+\s*")
_TAG = re.compile(r"</?[a-zA-Z_]+>|```\w*|~~~\w*|[-=_*]{3,}")


@dataclass(slots=True)
class Row:
    """One line of a reply."""

    depth: Depth | None = None
    """How deep it stands by its mark; None for prose."""

    numbered: bool = False
    fields: dict[Field, str] = field(default_factory=dict)
    heading: str = ""
    point: str = ""
    length: int | None = None
    text: str = ""
    """What it says without its mark; empty for a blank line."""

    is_total: bool = False

    @property
    def starts(self) -> bool:
        """Whether it may start a part: it is more than a field of one."""
        return self.depth is not None and (
            self.numbered or bool(self.heading or self.point) or not self.fields
        )

    @property
    def title(self) -> str:
        """The document's title, where the line is its heading or names it."""
        if "title" in self.fields:
            return plain_heading(self.fields["title"])
        if self.depth is None or self.depth[0] != 0:
            return ""
        kind, _, title = self.heading.replace("：", ":").partition(":")
        heading = title.strip() if kind.lower() in _NO_TITLES else self.heading
        return "" if heading.lower() in _NO_TITLES else heading


def read_rows(text: str) -> list[Row]:
    """Take a reply's lines apart; a section that begins within a line gets a line of its own."""
    if text.count("\\n") > text.count("\n"):
        text = text.replace("\\n", "\n")
    if len(text) < LONGEST_LINE * 20:
        text = _RUN_ON.sub("\n", text)
    lines = re.sub(r"\n\s+\n|\n{3,}", "\n\n", text).splitlines()
    return [read_row(line) for line in lines[:MOST_LINES]]


def read_row(line: str) -> Row:
    """Take one line apart: mark, label with number, named fields, heading and main point."""
    body = line.strip().lstrip(">").strip()
    if not body or len(body) > LONGEST_LINE or _TAG.fullmatch(body):
        return Row()
    indent = (len(line.expandtabs(4)) - len(line.expandtabs(4).lstrip())) // 2
    row = Row()
    body = _unmarked(body, indent, row)
    lead = ""
    if body.startswith("**") and (end := body.find("**", 2)) > 2:
        lead = body[2:end]
        row.depth = row.depth or (_BOLD_DEPTH if len(lead) <= _LONGEST_HEADING else None)
    body = unbold = body.replace("**", "")
    body = _unmarked(body, indent, row)
    row.text, row.is_total = body, amounts.is_total(body)
    if (opener := _OPENER.match(body)) and _opens(opener, row):
        is_chapter = opener["chapter"] or opener["chapter_1"]
        row.depth, row.numbered = CHAPTER_DEPTH if is_chapter else SECTION_DEPTH, True
        body = body[opener.end() :]
    rest, row.fields = _split(body, opened=row.depth is not None)
    lead = "" if row.fields else lead[len(unbold) - len(body) :]
    row.heading, row.length, row.point = _named(rest, lead, row)
    if row.depth is None and row.length and row.heading:
        row.depth = BARE_DEPTH
    return row


def _unmarked(body: str, indent: int, row: Row) -> str:
    """Return a line without its marks, which say how deep it stands."""
    while mark := _MARK.match(body):
        body = body[mark.end() :]
        dots = (mark["number"] or "").strip(" .)").count(".")
        if mark["hash"]:
            row.depth = (0, len(mark["hash"]), 0)
        elif row.depth is None:
            row.depth = (3, indent, int(bool(mark["bullet"])), dots)
        elif row.depth[0] == 0:
            row.depth = (0, row.depth[1], dots)
        row.numbered = row.numbered or bool(mark["number"])
    return body


def is_opener(text: str) -> bool:
    """Whether a text is nothing but a label with a number: `Section 3`, `第二章`."""
    match = _OPENER.match(text)
    return match is not None and match.end() == len(text)


def begins_with_opener(text: str) -> bool:
    """Whether a text begins with a label with a number: `Section 3: Crisis`."""
    return _OPENER.match(text) is not None


def _opens(opener: re.Match[str], row: Row) -> bool:
    """Whether a label with a number starts a part, rather than a sentence ("Part 2 of the...")."""
    rest = opener.string[opener.end() :]
    if opener["end"].strip() or not rest or rest[0] in "(（[【":
        return True
    return opener[0][0] in "第제" or row.depth is not None or not _split(rest)[0]


def _split(body: str, *, opened: bool = False) -> tuple[str, dict[Field, str]]:
    """Split a line at its named fields: what stands before them, and each field's value.

    A label counts at the line's start and after a dash, bar or semicolon; that of a length also
    after any other break where a part has begun and a number follows. A second label of the same
    kind is part of the text: a main point may say "summary:".
    """
    cuts: dict[Field, tuple[int, int, bool]] = {}
    for colon in islice(_COLON.finditer(body), _MOST_COLONS):
        meaning, begin = label_before(body, colon.start())
        if meaning is None:
            continue
        before = body[max(0, begin - 8) : begin].rstrip("*_ ")
        apart = not before or bool(_SEPARATOR.search(before + " "))
        counts = meaning == "length" and (cuts or opened)
        counts = counts and amounts.begins_with_count(body, colon.end())
        if (apart or counts) and (meaning not in cuts or (apart and not cuts[meaning][2])):
            cuts.pop(meaning, None)
            cuts[meaning] = begin, colon.end(), apart
    ends = [begin for begin, _, _ in cuts.values()] + [len(body)]
    fields = {
        meaning: _trimmed(body[begin:end])
        for (meaning, (_, begin, _)), end in zip(cuts.items(), ends[1:], strict=False)
    }
    return _trimmed(body[: ends[0]]) if cuts else body, fields


def _trimmed(value: str) -> str:
    return re.sub(r"(?:\s[-–—]+|[|｜;；,，]|\s[-–—]*)$", "", value.strip()).strip()


def _named(rest: str, lead: str, row: Row) -> tuple[str, int | None, str]:
    """Tell heading, length and main point in the text of a part that names none of them."""
    before, length, after = amounts.split(rest)
    after = after.lstrip(" :：-–—*")
    heading, point = before, after
    if lead.strip():
        heading, point = lead, after or before[len(lead) :]
    elif not after and not (row.depth and row.depth[0] == 0) and not row.fields:
        pieces = re.split(r"\s+[-–—]+\s+|：|:\s+|——", before, maxsplit=1)
        heading, point = pieces if len(pieces) == 2 else (before, "")
    if lead.strip():
        heading = amounts.split(heading)[0]
    heading, point = plain_heading(heading), plain(point.lstrip(" :：-–—"))
    if not point and not lead and len(heading) > _LONGEST_HEADING:
        heading, point = "", heading
    return heading, length, point
