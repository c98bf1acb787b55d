"""The fields of a plan file, validated by pydantic.

`LocatedValue` -> `WritingPlan`, or `PlanFileError` with line and field; `WritingPlan` -> data

Knows the fields and the usual mistakes in them; does not know the format of the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from itertools import chain
from typing import Annotated, Any, Self, TypeVar, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from longchain.agent.planning.planfile.located import LocatedValue, Place
from longchain.document import ChapterPlan, SectionPlan, Unit, WritingPlan
from longchain.errors import PlanFileError

# --- the fields ---


def _clean_characters(value: Any) -> Any:
    """Return a text without lone surrogates: escapes can encode them, no document may have them."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return value


def _read_length(value: Any) -> int:
    """Read a whole number of at least 1 such as `1200`, `1,200` or `1_200`."""
    text = str(value).strip()
    length = 0
    if re.fullmatch(r"\d{1,15}|\d{1,3}(?:[,_]\d{3}){1,4}", text):
        length = int(re.sub("[,_]", "", text))
    if length < 1:
        raise PydanticCustomError("length", "no whole number of at least 1")
    return length


def _replace_none(default: Any) -> BeforeValidator:
    """Return the validator that takes a field left empty for one that is not there."""
    return BeforeValidator(lambda value: default if value is None else value)


_CLEAN = BeforeValidator(_clean_characters)
_Text = Annotated[str, _CLEAN, _replace_none("")]
_Length = Annotated[int, BeforeValidator(_read_length)]


class _Fields(BaseModel):
    """A mapping of a plan file; messages list its fields in the order below."""

    model_config = ConfigDict(extra="forbid")


class DocumentFields(_Fields):
    """Fields of the whole document."""

    title: _Text = ""
    unit: Annotated[Unit, _CLEAN, _replace_none("words")] = "words"
    language: Annotated[str | None, _CLEAN] = None


class _InnerSectionFields(_Fields):
    """Fields of a section within a chapter."""

    heading: _Text = ""
    main_point: _Text = ""
    length: _Length


class _SectionFields(_InnerSectionFields):
    """Fields of a section listed beside the chapters."""

    chapter: _Text = ""


class _ChapterFields(_Fields):
    """Fields of a chapter."""

    heading: _Text
    main_point: _Text = ""
    length: Annotated[int | None, BeforeValidator(_read_length)] = None
    """Length of the chapter; None: the sum of its sections."""

    sections: Annotated[list[_InnerSectionFields], _replace_none([])] = Field(default_factory=list)

    @model_validator(mode="after")
    def _need_length(self) -> Self:
        """Refuse a chapter with neither a length nor sections to sum up."""
        if self.length is None and not self.sections:
            raise PydanticCustomError("length_missing", "neither a length nor sections")
        return self

    def to_plan(self) -> ChapterPlan:
        """Return the chapter."""
        length = self.length or sum(section.length for section in self.sections)
        return ChapterPlan(heading=self.heading, main_point=self.main_point, length=length)


class _PlanFields(DocumentFields):
    """Fields of a plan."""

    chapters: Annotated[list[_ChapterFields], _replace_none([])] = Field(default_factory=list)
    sections: Annotated[list[_SectionFields], _replace_none([])] = Field(default_factory=list)


_SECTION_KEYS = tuple(_InnerSectionFields.model_fields)


# --- read ---


def build_plan(located: LocatedValue) -> WritingPlan:
    """Return the plan that a file's value describes.

    Raises:
        PlanFileError: It has a mistake; the message names line and field.
    """
    fields = validate(located, _PlanFields)
    chapters = [chapter.to_plan() for chapter in fields.chapters]
    headings = [chapter.heading for chapter in chapters]
    _check_headings(located, headings)
    sections = [_build_section(section, section.chapter) for section in fields.sections]
    if chapters:
        _check_chapters(located, sections, headings)
    for heading, chapter in zip(headings, fields.chapters, strict=True):
        sections += [_build_section(section, heading) for section in chapter.sections]
    if not sections and not chapters:
        raise _describe_empty(located, fields.model_fields_set)
    plan = WritingPlan(
        title=fields.title, sections=sections, chapters=chapters, language=fields.language
    )
    if "unit" in fields.model_fields_set:  # otherwise the document's language decides it
        plan.unit = fields.unit
    return plan


def _build_section(fields: _InnerSectionFields, chapter: str) -> SectionPlan:
    return SectionPlan(
        heading=fields.heading,
        main_point=fields.main_point,
        length=fields.length,
        chapter=chapter,
    )


def _check_headings(located: LocatedValue, headings: Sequence[str]) -> None:
    """Refuse two chapters with one heading."""
    numbers: dict[str, int] = {}
    for number, heading in enumerate(headings, 1):
        first = numbers.setdefault(heading, number)
        if first != number:
            place = ("chapters", number - 1)
            raise located.error(
                (*place, "heading"),
                f"{_describe_part(located, place)} has the heading of chapter {first}; "
                "give it one of its own",
            )


def _check_chapters(
    located: LocatedValue, sections: Sequence[SectionPlan], headings: Sequence[str]
) -> None:
    """Refuse a section of no chapter, or of one that the plan does not have."""
    for index, section in enumerate(sections):
        place = ("sections", index)
        if not section.chapter:
            raise located.error(
                place,
                f"{_describe_part(located, place)} is in no chapter, though the plan has "
                "chapters; name its `chapter`, or make it a chapter",
            )
        if section.chapter not in headings:
            suggestion = _suggest(section.chapter, headings, mark="'")
            raise located.error(
                (*place, "chapter"),
                f"`chapter` of section {index + 1} names no chapter of the plan: "
                f"{section.chapter!r}{suggestion}",
            )


def _describe_empty(located: LocatedValue, keys: set[str]) -> PlanFileError:
    """Return the error for a plan without parts, given the keys that it has."""
    key = "sections"
    if "sections" not in keys and "chapters" in keys:
        key = "chapters"
    message = f"`{key}` is empty: a plan has at least one section or chapter"
    return located.error((key,), message)


# --- mistakes ---

_Model = TypeVar("_Model", bound=_Fields)

_MODELS: dict[Place, type[_Fields]] = {
    ("chapters",): _ChapterFields,
    ("chapters", "sections"): _InnerSectionFields,
    ("sections",): _SectionFields,
}
"""Models of the mappings within a plan, by the keys that lead to them."""

_SENTENCES = {
    "extra_forbidden": "{part} has no field `{key}`{suggestion}",
    "string_unicode": "{part} has no field `{key}`{suggestion}",
    "missing": "{part} lacks its `{key}`",
    "length_missing": "{part} lacks its `length`",
    "model_type": "{part} must be a mapping with the keys {keys}",
    "list_type": "`{key}` must be a list, not {value}",
    "string_type": "`{key}` of {part} must be a text, not {value}",
    "literal_error": "`{key}` must be words or characters, not {value}",
    "length": "`{key}` of {part} must be a whole number of at least 1, not {value}",
}
"""Sentence for each type of pydantic's errors that these models raise.

`string_unicode` is that for the name of a field with a lone surrogate.
"""

_OF_MAPPING = ("model_type", "length_missing", "string_unicode")
"""Errors whose place is that of a mapping, not of a field in it."""


def validate(located: LocatedValue, model: type[_Model]) -> _Model:
    """Return a file's fields.

    Raises:
        PlanFileError: A field is unknown, missing, or has a wrong value.
    """
    try:
        return model.model_validate(located.value)
    except ValidationError as error:
        mistakes = error.errors(include_url=False)
    raise _explain(min(mistakes, key=_rank), located, model)


def _rank(mistake: ErrorDetails) -> tuple[bool, bool]:
    """Return the key by which mistakes compare: the least is named.

    A mistyped name comes first, for it explains why another field is missing; the fields of the
    document come after those of its parts.
    """
    is_unknown_field = mistake["type"] in ("extra_forbidden", "string_unicode")
    is_of_document = len(mistake["loc"]) < 2
    return not is_unknown_field, is_of_document


def _explain(mistake: ErrorDetails, located: LocatedValue, model: type[_Fields]) -> PlanFileError:
    """Return the error for a mistake that pydantic found."""
    kind, place, value = mistake["type"], mistake["loc"], mistake["input"]
    if kind in _OF_MAPPING:
        place = (*place, value if kind == "string_unicode" else "")
    owner, key = place[:-1], str(place[-1])
    keys = _list_keys(owner, model)
    shown = repr(value)
    if value is None:
        shown = "nothing"
    message = _SENTENCES[kind].format(
        part=_describe_part(located, owner),
        key=key,
        keys=", ".join(keys),
        suggestion=_suggest(key, keys, mark="`"),
        value=shown,
    )
    return located.error(place, message)


def _list_keys(place: Place, model: type[_Fields]) -> list[str]:
    """Return the fields of the mapping at a place."""
    steps = tuple(step for step in place if isinstance(step, str))
    return list(_MODELS.get(steps, model).model_fields)


def _describe_part(located: LocatedValue, place: Place) -> str:
    """Return the name of a part in messages: "section 3 ('The Principate')"."""
    if not place:
        return "the plan"
    name, index = cast("tuple[str, int]", place[-2:])
    description = f"{name.removesuffix('s')} {index + 1}"
    heading = _find_heading(located, place)
    chapter = _find_heading(located, place[:-2])
    if heading:
        description += f" ({heading!r})"
    if chapter:
        description += f" of chapter {chapter!r}"
    return description


def _find_heading(located: LocatedValue, place: Place) -> Any:
    """Return the heading of the part at a place; None if it has none."""
    part = located.find(place)
    if not place or not isinstance(part, dict):
        return None
    return part.get("heading")


def _suggest(word: str, known: Iterable[str], *, mark: str) -> str:
    """Return the name that a mistyped one may mean, as the end of a sentence."""
    by_case = {name.lower(): name for name in known}
    near = get_close_matches(word.lower(), by_case, n=1, cutoff=0.5)
    if near:
        return f"; did you mean {mark}{by_case[near[0]]}{mark}?"
    return f"; known are {', '.join(known)}"


# --- written ---


def to_data(plan: WritingPlan) -> dict[str, Any]:
    """Return a plan's fields; sections are within their chapters if that keeps the order."""
    data: dict[str, Any] = {"title": plan.title, "unit": plan.unit}
    if plan.language is not None:
        data["language"] = plan.language
    if plan.chapters:
        by_chapter = [plan.of_chapter(chapter.heading) for chapter in plan.chapters]
        if list(chain(*by_chapter)) == plan.sections:
            data["chapters"] = list(map(_nest, plan.chapters, by_chapter))
            return data
        data["chapters"] = [chapter.model_dump() for chapter in plan.chapters]
    data["sections"] = [_to_section_data(section) for section in plan.sections]
    return data


def _nest(chapter: ChapterPlan, sections: Sequence[SectionPlan]) -> dict[str, Any]:
    """Return a chapter's fields, its sections among them."""
    data = chapter.model_dump()
    if sections:
        data["sections"] = [section.model_dump(include=set(_SECTION_KEYS)) for section in sections]
    return data


def _to_section_data(section: SectionPlan) -> dict[str, Any]:
    """Return the fields of a section that is listed beside the chapters."""
    data = section.model_dump(include=set(_SECTION_KEYS))
    if section.chapter:
        return {"chapter": section.chapter, **data}
    return data
