"""One line of a reply, taken apart.

line -> `PlanLine`: its depth, named fields, heading, length and main point

Knows marks, numbers and labels within a line; does not know the lines around it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import islice

from longchain.agent.planning.parse.field_names import (
    CHAPTER,
    GENERIC_TITLE,
    HEADING,
    POINT,
    SECTION,
    TITLE,
    Field,
    alternation,
    find_label_before,
    list_names,
)
from longchain.agent.planning.parse.markup import strip_heading_markup, strip_markup
from longchain.agent.planning.parse.stated_lengths import (
    has_number_at,
    is_total_line,
    split_at_length,
)

MAX_LINES = 12_000
"""Lines of a reply that are read: 2,000 sections with each field and a blank on its own."""

MAX_LINE_CHARS = 5000
"""Characters of a line that is read; a longer line is prose."""

_MAX_COLONS = 40  # in a line
_MAX_HEADING_CHARS = 80  # a longer text without a label is a main point
_GENERIC_TITLES = frozenset(list_names(GENERIC_TITLE))

Depth = tuple[int, ...]
"""Depth of a line by its marks, ordered: the greater, the deeper.

Openers (`Chapter 1`, `Section 1`), bold and bare lines have the constants below. In between are
headings `(0, hashes, dots)` and list items `(3, indent, is a bullet, dots)`, where `dots` are those
of a number such as `2.1`.
"""

CHAPTER_DEPTH = (-1,)
SECTION_DEPTH = (1,)
BARE_DEPTH = (9,)
_BOLD_DEPTH = (2,)
_HEADING_KIND, _LIST_KIND = 0, 3

_CHAPTER_NAMES = alternation(CHAPTER)
_SECTION_NAMES = alternation(SECTION)
_FIELD_NAMES = "|".join([alternation(POINT), alternation(HEADING), alternation(TITLE)])
_ORDINAL = (
    r"\d{1,4}(?:[.-]\d{1,3})*|[ivxlc]{1,7}\b|[〇零一二三四五六七八九十百]{1,5}"
    r"|(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\b"
)
_OPENER = re.compile(
    rf"(?:(?:[第제]\s?(?:{_ORDINAL})|\d{{1,3}}(?=\s?[章장절节節]))"
    rf"\s?(?:(?P<chapter>{_CHAPTER_NAMES})|(?:{_SECTION_NAMES}))"
    rf"|(?:(?P<chapter_1>{_CHAPTER_NAMES})|(?:{_SECTION_NAMES}))"
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
    rf"(?<=\S)[ \t]+(?=[*_]{{0,2}}(?:{_SECTION_NAMES}|{_CHAPTER_NAMES})\s?\d{{1,3}}[*_]{{0,2}}"
    rf"\s?[-–—:：]\s?[*_]{{0,2}}(?:{_FIELD_NAMES})"
    r"[*_]{0,2}\s?[:：])",
    re.IGNORECASE,
)
_COLON = re.compile(r"\s{0,3}(?:[(（][^()（）]{0,20}[)）])?\s{0,2}[:：=]+\s*")
_TAG = re.compile(r"</?[a-zA-Z_]+>|```\w*|~~~\w*|[-=_*]{3,}")


@dataclass(slots=True)
class PlanLine:
    """One line of a reply."""

    depth: Depth | None = None
    """Depth by its marks; None for prose."""

    numbered: bool = False
    """Whether it begins with a number, or with a label with a number."""

    fields: dict[Field, str] = field(default_factory=dict)
    """Values that it states after labels."""

    heading: str = ""
    """Heading that it states without a label."""

    point: str = ""
    """Main point that it states without a label."""

    length: int | None = None
    """Length that it states without a label."""

    text: str = ""
    """Text without the marks; empty for a blank line."""

    is_total: bool = False
    """Whether it gives the length of the whole plan."""

    @property
    def start_depth(self) -> Depth | None:
        """Depth of the part that the line may start; None if it is prose or only a field."""
        if self.numbered or self.heading or self.point or not self.fields:
            return self.depth
        return None

    @property
    def is_markdown_heading(self) -> bool:
        """Whether it begins with hashes."""
        return self.depth is not None and self.depth[0] == _HEADING_KIND

    @property
    def title(self) -> str:
        """The document's title, if the line names it or is a heading that does."""
        if "title" in self.fields:
            return strip_heading_markup(self.fields["title"])
        if not self.is_markdown_heading:
            return ""
        heading = self.heading
        kind, _, title = heading.replace("：", ":").partition(":")
        if kind.lower() in _GENERIC_TITLES:  # "Outline: Rome"
            heading = title.strip()
        if heading.lower() in _GENERIC_TITLES:
            return ""
        return heading


def read_lines(text: str) -> list[PlanLine]:
    """Take a reply's lines apart; a section that begins within a line gets a line of its own."""
    if text.count("\\n") > text.count("\n"):  # a model that escapes its line breaks
        text = text.replace("\\n", "\n")
    if len(text) < MAX_LINE_CHARS * 20:
        text = _RUN_ON.sub("\n", text)
    lines = re.sub(r"\n\s+\n|\n{3,}", "\n\n", text).splitlines()
    return [read_line(line) for line in lines[:MAX_LINES]]


def read_line(line: str) -> PlanLine:
    """Take one line apart: marks, opener, named fields, heading, length and main point."""
    result = PlanLine()
    body = line.strip().lstrip(">").strip()
    if not body or len(body) > MAX_LINE_CHARS or _TAG.fullmatch(body):
        return result
    indent = _count_indents(line)
    body = _take_marks(body, indent, result)
    bold = _find_bold_start(body)
    if bold and result.depth is None and len(bold) <= _MAX_HEADING_CHARS:
        result.depth = _BOLD_DEPTH
    without_bold = body.replace("**", "")
    body = _take_marks(without_bold, indent, result)
    result.text = body
    result.is_total = is_total_line(body)
    body = _take_opener(body, result)
    rest, result.fields = _split_at_labels(body, in_part=result.depth is not None)
    bold = bold[len(without_bold) - len(body) :]  # without marks and opener
    if result.fields:
        bold = ""  # labels outweigh bold print
    _read_unnamed(rest, bold, result)
    return result


def _count_indents(line: str) -> int:
    """Return the indent of a line in steps of two spaces."""
    expanded = line.expandtabs(4)
    return (len(expanded) - len(expanded.lstrip())) // 2


def _take_marks(body: str, indent: int, line: PlanLine) -> str:
    """Return a line's text without its marks (hashes, bullet, number), which give its depth."""
    while mark := _MARK.match(body):
        body = body[mark.end() :]
        line.depth = _find_depth(mark, indent, line.depth)
        line.numbered |= mark["number"] is not None
    return body


def _find_depth(mark: re.Match[str], indent: int, depth: Depth | None) -> Depth:
    """Return the depth of a line at one of its marks, given that of the marks before it."""
    parts = mark.groupdict("")
    dots = parts["number"].strip(" .)").count(".")
    if parts["hash"]:
        return (_HEADING_KIND, len(parts["hash"]), 0)
    if depth is None:
        return (_LIST_KIND, indent, int(bool(parts["bullet"])), dots)
    if depth[0] == _HEADING_KIND:
        return (_HEADING_KIND, depth[1], dots)
    return depth


def _find_bold_start(body: str) -> str:
    """Return the bold text that a line begins with."""
    if not body.startswith("**"):
        return ""
    end = body.find("**", 2)
    if end < 0:
        return ""
    return body[2:end]


def _take_opener(body: str, line: PlanLine) -> str:
    """Return a line's text without a label with a number that starts a part: `Section 3:`."""
    opener = _OPENER.match(body)
    if opener is None or not _starts_part(opener, line):
        return body
    line.numbered = True
    line.depth = SECTION_DEPTH
    if opener["chapter"] or opener["chapter_1"]:
        line.depth = CHAPTER_DEPTH
    return body[opener.end() :]


def _starts_part(opener: re.Match[str], line: PlanLine) -> bool:
    """Return whether an opener starts a part, rather than a sentence ("Part 2 of the...")."""
    rest = opener.string[opener.end() :]
    is_set_off = bool(opener["end"].strip()) or rest[:1] in ("", *"(（[【")
    if is_set_off or line.depth is not None or opener[0][0] in "第제":
        return True
    before_labels, _ = _split_at_labels(rest)
    return not before_labels


def is_opener(text: str) -> bool:
    """Return whether a text is nothing but a label with a number: `Section 3`, `第二章`."""
    match = _OPENER.match(text)
    return match is not None and match.end() == len(text)


def begins_with_opener(text: str) -> bool:
    """Return whether a text begins with a label with a number: `Section 3: Crisis`."""
    return _OPENER.match(text) is not None


@dataclass(slots=True)
class _Label:
    """The label of a field, and the colon after it."""

    begin: int
    """Position where it begins."""

    end: int
    """Position after the colon."""

    is_set_apart: bool
    """Whether it is at the line's start or after a dash, bar or semicolon."""


def _split_at_labels(body: str, *, in_part: bool = False) -> tuple[str, dict[Field, str]]:
    """Return the text before a line's labels, and the value after each label."""
    labels = _find_labels(body, in_part)
    if not labels:
        return body, {}
    begins = [label.begin for label in labels.values()]
    ends = [*begins[1:], len(body)]
    fields: dict[Field, str] = {}
    for (name, label), end in zip(labels.items(), ends, strict=True):
        fields[name] = _strip_separator(body[label.end : end])
    return _strip_separator(body[: begins[0]]), fields


def _find_labels(body: str, in_part: bool) -> dict[Field, _Label]:
    """Find the labels of fields, in order.

    A label counts at the line's start and after a dash, bar or semicolon; that of a length also
    after any other break, if a part has begun and a number follows. A second label of one field
    belongs to the text: a main point may say "summary:".
    """
    labels: dict[Field, _Label] = {}
    for colon in islice(_COLON.finditer(body), _MAX_COLONS):
        name, begin = find_label_before(body, colon.start())
        if name is None:
            continue
        label = _Label(begin, colon.end(), _is_set_apart(body, begin))
        if not label.is_set_apart:
            may_count = name == "length" and (in_part or bool(labels))
            if not may_count or not has_number_at(body, label.end):
                continue
        if _comes_first(label, labels.get(name)):
            labels.pop(name, None)  # so that labels stay in the order of the line
            labels[name] = label
    return labels


def _is_set_apart(body: str, begin: int) -> bool:
    """Return whether a label is at the line's start or after a separator, emphasis aside."""
    before = body[max(0, begin - 8) : begin].rstrip("*_ ")
    return not before or _SEPARATOR.search(before + " ") is not None


def _comes_first(label: _Label, earlier: _Label | None) -> bool:
    """Return whether a label counts although its field may have an earlier one."""
    if earlier is None:
        return True
    return label.is_set_apart and not earlier.is_set_apart


def _strip_separator(value: str) -> str:
    """Return a value without the separator at its end."""
    return re.sub(r"(?:\s[-–—]+|[|｜;；,，]|\s[-–—]*)$", "", value.strip()).strip()


def _read_unnamed(text: str, bold: str, line: PlanLine) -> None:
    """Tell heading, length and main point of a part in a text without labels."""
    before, line.length, after = split_at_length(text)
    after = after.lstrip(" :：-–—*")
    if bold.strip():
        heading, _, _ = split_at_length(bold)
        point = after or before[len(bold) :]
    elif after or line.is_markdown_heading or line.fields:
        heading, point = before, after
    else:
        heading, point = _split_at_colon(before)
    heading = strip_heading_markup(heading)
    point = strip_markup(point.lstrip(" :：-–—"))
    if not point and not bold and len(heading) > _MAX_HEADING_CHARS:
        heading, point = "", heading
    line.heading, line.point = heading, point
    if line.depth is None and line.length and heading:
        line.depth = BARE_DEPTH


def _split_at_colon(text: str) -> tuple[str, str]:
    """Split a text at its first colon or dash."""
    pieces = re.split(r"\s+[-–—]+\s+|：|:\s+|——", text, maxsplit=1)
    if len(pieces) == 1:
        return text, ""
    return pieces[0], pieces[1]
