"""What a plan file says, checked field by field.

values with the lines they stand on -> `WritingPlan`, or `PlanFileError` with line and field

Knows the fields of a plan and what people mistype in them; does not know how the file is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, cast, get_args

from longchain.document import ChapterPlan, SectionPlan, Unit, WritingPlan
from longchain.errors import PlanFileError

SECTION_KEYS = ("heading", "main_point", "length")
_CHAPTER_KEYS = (*SECTION_KEYS, "sections")
_PLAN_KEYS = ("title", "unit", "language", "chapters", "sections")
_REQUIRED = object()

Place = tuple[Any, ...]
"""Where a value stands: the keys and indexes that lead to it."""


class Source:
    """A value of a file with the lines its keys stand on, and the name of the whole."""

    def __init__(self, value: Any, lines: dict[Place, int], name: str) -> None:
        self.value, self.lines, self.name = value, lines, name

    def error(self, place: Place, message: str) -> PlanFileError:
        """Return the error at a place, or at the nearest one around it whose line is known."""
        while place and place not in self.lines:
            place = place[:-1]
        where = f", line {self.lines[place]}" if place in self.lines else ""
        return PlanFileError(f"{self.name}{where}: {message}")

    def fault(self, line: int, message: str) -> PlanFileError:
        """Return the error on a line."""
        return PlanFileError(f"{self.name}, line {line}: {message}")

    def note(self, place: Place, line: int) -> None:
        """Remember the line of a place."""
        self.lines[place] = line


def plan_of(source: Source) -> WritingPlan:
    """Return the plan that a file's value describes."""
    top = mapping(source, source.value, (), _PLAN_KEYS, "the plan")
    unit = _text(source, top, (), "unit", default="words")
    if unit not in get_args(Unit):
        raise source.error(("unit",), f"`unit` must be words or characters, not {unit!r}")
    chapters = list(_chapters(source, top))
    sections = _sections(source, top, (), "", (*SECTION_KEYS, "chapter"))
    _check_chapters(source, sections, [chapter.heading for chapter, _ in chapters])
    sections += [section for _, inner in chapters for section in inner]
    if not sections and not chapters:
        key = "chapters" if "chapters" in top and "sections" not in top else "sections"
        raise source.error((key,), f"`{key}` is empty: a plan has at least one section or chapter")
    plan = WritingPlan(
        title=_text(source, top, (), "title"),
        sections=sections,
        chapters=[chapter for chapter, _ in chapters],
        language=_text(source, top, (), "language", default=None),
    )
    if "unit" in top:  # a plan that does not say counts as its language does
        plan.unit = cast("Unit", unit)
    return plan


def _check_chapters(source: Source, sections: list[SectionPlan], names: list[str]) -> None:
    """Refuse a section that stands in no chapter of a plan that has chapters."""
    for index, section in enumerate(sections):
        if not names or section.chapter in names:
            continue
        if not section.chapter:
            what = _called("section", index, {"heading": section.heading})
            raise source.error(
                ("sections", index),
                f"{what} stands in no chapter, though the plan has chapters; name its `chapter`, "
                "or make it a chapter",
            )
        raise source.error(
            ("sections", index, "chapter"),
            f"`chapter` of section {index + 1} names no chapter of the plan: "
            f"{section.chapter!r}{_closest(section.chapter, names)}",
        )


def _chapters(
    source: Source, top: dict[str, Any]
) -> Iterator[tuple[ChapterPlan, list[SectionPlan]]]:
    """Yield the chapters with the sections that stand in them."""
    first: dict[str, int] = {}
    for index, item in enumerate(_list(source, top, (), "chapters")):
        place = ("chapters", index)
        what = _called("chapter", index, item)
        keys = mapping(source, item, place, _CHAPTER_KEYS, what)
        heading = " ".join(
            _text(source, keys, place, "heading", default=_REQUIRED, what=what).split()
        )
        if heading in first:
            raise source.error(
                (*place, "heading"),
                f"{what} has the heading of chapter {first[heading]}; give it one of its own",
            )
        first[heading] = index + 1
        sections = _sections(source, keys, place, heading, SECTION_KEYS)
        summed = sum(section.length for section in sections) if "length" not in keys else 0
        chapter = ChapterPlan(
            heading=heading,
            main_point=_text(source, keys, place, "main_point", what=what),
            length=summed or _length(source, keys, place, what),
        )
        yield chapter, sections


def _sections(
    source: Source,
    keys: dict[str, Any],
    place: Place,
    chapter: str,
    known: tuple[str, ...],
) -> list[SectionPlan]:
    """Return the sections listed in the plan or in one of its chapters."""
    found = []
    for index, item in enumerate(_list(source, keys, place, "sections")):
        inner = (*place, "sections", index)
        what = _called("section", index, item)
        if chapter:
            what += f" of chapter {chapter!r}"
        own = mapping(source, item, inner, known, what)
        found.append(
            SectionPlan(
                heading=_text(source, own, inner, "heading", what=what),
                main_point=_text(source, own, inner, "main_point", what=what),
                length=_length(source, own, inner, what),
                chapter=chapter or _text(source, own, inner, "chapter", what=what),
            )
        )
    return found


def _called(kind: str, index: int, item: Any) -> str:
    """Return what a message calls a part: "section 3 ('The Principate')"."""
    heading = item.get("heading") if isinstance(item, dict) else None
    return f"{kind} {index + 1} ({heading!r})" if heading else f"{kind} {index + 1}"


def mapping(
    source: Source, value: Any, place: Place, known: tuple[str, ...], what: str
) -> dict[str, Any]:
    """Return a mapping all of whose keys are known."""
    if not isinstance(value, dict):
        keys = ", ".join(known)
        raise source.error(place, f"{what} must be a mapping with the keys {keys}")
    for key in value:
        if key not in known:
            raise source.error(
                (*place, key), f"{what} has no field `{key}`{_closest(key, known, mark='`')}"
            )
    return value


def _closest(word: str, known: tuple[str, ...] | list[str], mark: str = "'") -> str:
    by_case = {name.lower(): name for name in known}
    near = get_close_matches(word.lower(), by_case, n=1, cutoff=0.5)
    if not near:
        return f"; known are {', '.join(known)}"
    return f"; did you mean {mark}{by_case[near[0]]}{mark}?"


def _list(source: Source, keys: dict[str, Any], place: Place, key: str) -> list[Any]:
    value = keys.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise source.error((*place, key), f"`{key}` must be a list, not {value!r}")
    return value


def _text(
    source: Source,
    keys: dict[str, Any],
    place: Place,
    key: str,
    *,
    default: Any = "",
    what: str = "the plan",
) -> Any:
    """Return a text field; numbers and truth values of JSON are no texts."""
    value = keys.get(key)
    if key not in keys and default is _REQUIRED:
        raise source.error(place, f"{what} lacks its `{key}`")
    if value is None:
        return "" if default is _REQUIRED else default
    if not isinstance(value, str):
        raise source.error((*place, key), f"`{key}` of {what} must be a text, not {value!r}")
    # JSON's escapes can hold half a character, which no document can.
    return value.encode("utf-8", "replace").decode()


def _length(source: Source, keys: dict[str, Any], place: Place, what: str) -> int:
    """Return a length: a whole number of at least 1, also with thousands separated."""
    if "length" not in keys:
        raise source.error(place, f"{what} lacks its `length`")
    value = keys["length"]
    plain = value if isinstance(value, int) and not isinstance(value, bool) else str(value)
    length = _whole(str(plain))
    if length is None:
        shown = "nothing" if value is None else repr(value)
        raise source.error(
            (*place, "length"),
            f"`length` of {what} must be a whole number of at least 1, not {shown}",
        )
    return length


def _whole(text: str) -> int | None:
    """Read a whole number of at least 1 such as `1200`, `1,200` or `1_200`."""
    text = text.strip()
    if not re.fullmatch(r"\d{1,15}|\d{1,3}(?:[,_]\d{3}){1,4}", text):
        return None
    return int(re.sub("[,_]", "", text)) or None
