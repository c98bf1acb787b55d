"""Reads a request: its references, section and length, and the references of other sections.

texts of messages -> input of `compose`

Knows the tags of longchain's prompts: `<reference id= title=>`, `<section>`, `<plan>`, `<chapter>`,
`<text>`, `<instruction>`; and that a request ends with its length (`400 words`, `900字`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from html import unescape

from longchain.document import Unit
from longchain.language import detect, is_spaced
from longchain.models.offline.plan import mentions
from longchain.models.offline.prose import PromptReference

_REFERENCE = re.compile(r'<reference id="(\d+)" title="[^"]*">\n?(.*?)\n?</reference>', re.DOTALL)
_HEADING = re.compile(r"\s*#{1,6} (.+)")
_ENTRY = re.compile(r"(?:\d+\.|-) (.+)")
_LENGTH = re.compile(
    r"(\d[\d,，]*)\s*(words?|characters?|文字|個字|个字|字|語|词|詞)", re.IGNORECASE
)
_WORDS = {"word", "words", "語", "词", "詞"}


def tag_content(text: str, tag: str) -> str:
    """Return the text in the last pair of a tag; empty if there is none."""
    start = text.rfind(f"<{tag}>")
    end = text.find(f"</{tag}>", start)
    return text[start + len(tag) + 2 : end].strip("\n") if 0 <= start < end else ""


def latest_content(texts: Sequence[str], tag: str) -> str:
    """Return the text in a tag of the last message that has one."""
    return next(filter(None, (tag_content(text, tag) for text in reversed(texts))), "")


def read_length(text: str) -> tuple[int | None, Unit | None, str]:
    """Return the length at the end of a request, its unit, and the request's word for that."""
    lengths = _LENGTH.findall(re.split(r"</\w+>", text)[-1])
    if not lengths:
        return None, None, ""
    number, name = lengths[-1]
    unit: Unit = "words" if name.lower() in _WORDS else "characters"
    return int(re.sub(r"\D", "", number)), unit, name


def read_references(texts: Sequence[str]) -> list[PromptReference]:
    """Return the references of the last message that has any: an extension repeats none."""
    for text in reversed(texts):
        if matches := _REFERENCE.findall(text):
            return [PromptReference(int(number), unescape(passage)) for number, passage in matches]
    return []


def strip_references(text: str) -> str:
    """Return a message without its references."""
    return _REFERENCE.sub("", text)


def select_references(
    references: list[PromptReference], texts: Sequence[str], section: str
) -> list[PromptReference]:
    """Return the references that a section may use up; all if that would leave none.

    Left out are those in another script than the section's, and those whose heading is in the
    plan of another section that is still to be written, which would have no material left.
    """
    candidates = same_script(references, section)
    reserved = _reserved_lines(texts, section)
    line_of_section = section.replace("\n", ": ")
    selected = []
    for reference in candidates:
        is_named = _names_heading(line_of_section, reference)
        if is_named or not any(_names_heading(line, reference) for line in reserved):
            selected.append(replace(reference, is_named=is_named))
    return selected or candidates


def same_script(references: list[PromptReference], section: str) -> list[PromptReference]:
    """Return the references in a script like the section's; all if none is."""
    spaced = is_spaced(detect(section))
    matching = [
        reference for reference in references if is_spaced(detect(reference.text)) == spaced
    ]
    return matching or references


def has_begun(texts: Sequence[str], section: str) -> bool:
    """Whether the requested section already has prose.

    In a conversation, a request to continue repeats no references. In one message, the text so
    far ends with the section, under its heading; without headings this is unknown, and the
    section is taken to have begun.
    """
    if not _REFERENCE.search(texts[-1]):
        return len(texts) > 1
    text = latest_content(texts, "text")
    heading, _, point = section.partition("\n")
    shown: list[str] = re.findall(r"^#{1,6} (.+)$", text, re.MULTILINE)
    if not (shown and point):
        return bool(text)
    return shown[-1].strip() == heading.strip()


def _names_heading(line: str, reference: PromptReference) -> bool:
    """Whether a line of the plan names one of the headings above a passage."""
    above = _HEADING.match(reference.text)
    if above is None:
        return False
    return any(mentions(line, heading) for heading in above[1].strip().split(" / "))


def _reserved_lines(texts: Sequence[str], section: str) -> list[str]:
    """Return the lines of the plan that belong to sections after this one.

    Without text so far, sections may be written at the same time: then also those before.
    """
    line_of_section = section.replace("\n", ": ")
    chapter, *members = latest_content(texts, "chapter").split("\n")
    lines = _read_entries(latest_content(texts, "plan").split("\n"))
    siblings = _read_entries(members)
    parts = [
        (lines, {line_of_section, *_chapter_lines(lines, chapter)}),
        (siblings, {line_of_section}),
    ]
    if len(texts) == 1 and not latest_content(texts, "text"):
        return [line for group, current in parts for line in group if line not in current]
    return [line for group, current in parts for line in _lines_after(group, current)]


def _read_entries(lines: Sequence[str]) -> list[str]:
    return [match[1] for line in lines if (match := _ENTRY.fullmatch(line))]


def _chapter_lines(lines: Sequence[str], chapter: str) -> list[str]:
    return [line for line in lines if chapter and line.startswith(f"{chapter}: ")]


def _lines_after(lines: list[str], current: set[str]) -> list[str]:
    """Return the lines after the last current one; all if none is current."""
    last = max((index for index, line in enumerate(lines) if line in current), default=-1)
    return lines[last + 1 :]
