"""What a request says: its references, its section, its length, and what is left to others.

messages' texts -> what `compose` needs

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
from longchain.models.offline.plan import names
from longchain.models.offline.prose import Source

_REFERENCE = re.compile(r'<reference id="(\d+)" title="[^"]*">\n?(.*?)\n?</reference>', re.DOTALL)
_HEADING = re.compile(r"\s*#{1,6} (.+)")
_ENTRY = re.compile(r"(?:\d+\.|-) (.+)")
_LENGTH = re.compile(
    r"(\d[\d,，]*)\s*(words?|characters?|文字|個字|个字|字|語|词|詞)", re.IGNORECASE
)
_WORDS = {"word", "words", "語", "词", "詞"}


def inside(text: str, tag: str) -> str:
    """Return what the last pair of a tag holds; empty where there is none."""
    start = text.rfind(f"<{tag}>")
    end = text.find(f"</{tag}>", start)
    return text[start + len(tag) + 2 : end].strip("\n") if 0 <= start < end else ""


def latest(texts: Sequence[str], tag: str) -> str:
    """Return what the last message with a tag has in it."""
    return next(filter(None, (inside(text, tag) for text in reversed(texts))), "")


def asked(text: str) -> tuple[int | None, Unit | None, str]:
    """Return the length that a request ends with, its unit, and what the request calls that."""
    found = _LENGTH.findall(re.split(r"</\w+>", text)[-1])
    if not found:
        return None, None, ""
    number, name = found[-1]
    unit: Unit = "words" if name.lower() in _WORDS else "characters"
    return int(re.sub(r"\D", "", number)), unit, name


def references(texts: Sequence[str]) -> list[Source]:
    """Return the references of the last message that has any: an extension repeats none."""
    for text in reversed(texts):
        if found := _REFERENCE.findall(text):
            return [Source(int(number), unescape(passage)) for number, passage in found]
    return []


def without_references(text: str) -> str:
    """Return what a message says beside its references."""
    return _REFERENCE.sub("", text)


def usable(sources: list[Source], texts: Sequence[str], section: str) -> list[Source]:
    """Return the references that a section may use up; all where that would leave none.

    Left out are those in another script than the section's, and those whose heading stands in
    the plan of another section that is still to be written: it would have nothing to say.
    """
    own = in_script(sources, section)
    reserved = _reserved(texts, section)
    ours = section.replace("\n", ": ")
    kept = []
    for source in own:
        named = _about(ours, source)
        if named or not any(_about(line, source) for line in reserved):
            kept.append(replace(source, named=named))
    return kept or own


def in_script(sources: list[Source], section: str) -> list[Source]:
    """Return the references in a script like the section's; all where none is."""
    spaced = is_spaced(detect(section))
    return [source for source in sources if is_spaced(detect(source.text)) == spaced] or sources


def begun(texts: Sequence[str], section: str) -> bool:
    """Return whether the section that is asked for has prose already.

    In a conversation a request to go on repeats no references. In one message the text so far
    ends with the section, under its heading; without headings nobody can tell, and a section is
    taken to have begun.
    """
    if not _REFERENCE.search(texts[-1]):
        return len(texts) > 1
    text = latest(texts, "text")
    heading, _, point = section.partition("\n")
    shown: list[str] = re.findall(r"^#{1,6} (.+)$", text, re.MULTILINE)
    if not (shown and point):
        return bool(text)
    return shown[-1].strip() == heading.strip()


def _about(line: str, source: Source) -> bool:
    """Return whether a line of the plan names a heading that a passage stands under."""
    above = _HEADING.match(source.text)
    return above is not None and any(names(line, name) for name in above[1].strip().split(" / "))


def _reserved(texts: Sequence[str], section: str) -> list[str]:
    """Return the lines of the plan that belong to sections after this one.

    Where no text is shown yet, sections may be written at the same time: then also those before.
    """
    ours = section.replace("\n", ": ")
    chapter, *members = latest(texts, "chapter").split("\n")
    lines = _entries(latest(texts, "plan").split("\n"))
    siblings = _entries(members)
    parts = [(lines, {ours, *_of(lines, chapter)}), (siblings, {ours})]
    if len(texts) == 1 and not latest(texts, "text"):
        return [line for group, own in parts for line in group if line not in own]
    return [line for group, own in parts for line in _after(group, own)]


def _entries(lines: Sequence[str]) -> list[str]:
    return [match[1] for line in lines if (match := _ENTRY.fullmatch(line))]


def _of(lines: Sequence[str], chapter: str) -> list[str]:
    return [line for line in lines if chapter and line.startswith(f"{chapter}: ")]


def _after(lines: list[str], own: set[str]) -> list[str]:
    """Return the lines behind the last of one's own; all where none is."""
    place = max((index for index, line in enumerate(lines) if line in own), default=-1)
    return lines[place + 1 :]
