"""The first events of a document's log, from whatever a caller passes to the chain.

string, dictionary, prompt value or messages -> request event, and plan event where a plan is given

Checks every field: input that cannot be written is refused before anything is paid for. Knows
nothing of models.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired, cast, get_args

from langchain_core.messages import BaseMessage
from langchain_core.prompt_values import PromptValue
from pydantic import BaseModel, ValidationError, WrapValidator, create_model, model_validator
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from longchain import language as languages
from longchain import length as lengths
from longchain import sources
from longchain.agent.events import Mode, Planned, Request
from longchain.agent.log import Record, to_record
from longchain.agent.planning.lengths import MAX_SECTION_LENGTH, in_unit, rescale
from longchain.document import ChapterPlan, SectionPlan, Unit, WritingPlan
from longchain.errors import InputError, LengthError

MAX_LENGTH_DEVIATION = 0.1
"""Share of the required length by which a given plan's length may differ from it; a plan that is
further off contradicts it."""

_DIRECT_LENGTH = 2000
"""Length of a document in direct mode for which none is required."""


class Input(TypedDict):
    """Input of `AgentWriteChain`; a bare string is an instruction."""

    instruction: str
    """Task of the document, in the user's words."""

    length: NotRequired[int | None]
    """Required length; None: read from the instruction, or chosen by the planner."""

    unit: NotRequired[Unit | None]
    """Unit of `length`; None: the usual one of the language."""

    language: NotRequired[str | None]
    """BCP 47 tag; None: the language of the plan, or else of the instruction."""

    style: NotRequired[str | None]
    """Style guide: tone, audience, grammatical person, house rules."""

    plan: NotRequired[Any]
    """A `WritingPlan` or its JSON-plain form; not in the mode `direct`."""

    context: NotRequired[Any]
    """Documents or texts to write from."""

    sources: NotRequired[list[str] | str | None]
    """Paths of files and folders to write from, on the machine where the chain runs."""


@lru_cache(maxsize=16)
def build_input_model(mode: Mode, local_sources: bool) -> type[BaseModel]:
    """Return a pydantic model of the input that refuses what `start_log` refuses.

    LangServe and tools validate with it, so that bad input is reported before a run begins.

    Args:
        mode: As for `start_log`.
        local_sources: As for `start_log`.
    """

    def check(user_input: Any) -> Any:
        try:
            request = start_log(user_input, mode=mode, local_sources=local_sources)[0]
        except InputError as error:
            raise _to_pydantic_error(error) from None
        if isinstance(user_input, Mapping) and "instruction" in user_input:
            return user_input
        return {"instruction": request["instruction"]}

    validators: Any = {"check": model_validator(mode="before")(check)}
    return create_model(
        "AgentWriteInput",
        __validators__=validators,
        instruction=(str, ...),
        length=(int | None, None),
        unit=(Unit | None, None),
        language=(str | None, None),
        style=(str | None, None),
        plan=(Any, None),
        context=(Any, None),
        sources=(list[str] | str | None, None),
    )


def _to_pydantic_error(error: InputError) -> PydanticCustomError:
    """Return the error as pydantic's own kind, with the same sentence."""
    return PydanticCustomError("input", "{sentence}", {"sentence": str(error)})


def _check_review_answer(answer: Any, _: Any) -> Any:
    """Return the answer to a review if it is True, None, or a plan that could also be an input."""
    if answer is True or answer is None:
        return answer
    try:
        start_log({"instruction": "-", "plan": answer}, mode="sequential")
    except InputError as error:
        raise _to_pydantic_error(error) from None
    return answer


ReviewAnswer: Any = Annotated[WritingPlan | Literal[True], WrapValidator(_check_review_answer)]
"""Answer to a review of the plan: another plan, or True to follow the plan as it is."""


def start_log(user_input: Any, *, mode: Mode, local_sources: bool = True) -> list[Record]:
    """Return the first events of a log: the request, and the plan if one is given.

    Args:
        user_input: An instruction or an `Input`.
        mode: Mode of writing; `direct` takes no plan.
        local_sources: Whether paths may be read.

    Raises:
        InputError: The instruction is empty, or a field has no usable value.
        LengthError: The length cannot be written, or contradicts the plan or the unit.
        SourceError: A source cannot be read.
    """
    fields = _to_fields(user_input)
    plan = _to_plan(fields.get("plan"), mode)
    language = _choose_language(fields, plan)
    if plan is not None and not _has_unit(fields["plan"]):
        plan.unit = _choose_unit(fields, language)
    required, unit = _choose_length(fields, plan, language)
    request = Request(
        instruction=fields["instruction"],
        required=required,
        unit=unit,
        language=language,
        style=str(fields.get("style") or ""),
        context=_to_context(fields.get("context")),
        sources=_check_sources(fields.get("sources"), local_sources),
    )
    if plan is not None:
        if required and required != plan.length:
            plan = rescale(plan, required)
        return [to_record(request), to_record(Planned(plan=plan, origin="given", note="given"))]
    if mode == "direct":
        section = SectionPlan(
            main_point=fields["instruction"][:200], length=required or _DIRECT_LENGTH
        )
        plan = WritingPlan(sections=[section], unit=unit)
        planned = Planned(plan=plan, origin="direct", note="not needed")
        return [to_record(request), to_record(planned)]
    return [to_record(request)]


def _to_fields(user_input: Any) -> dict[str, Any]:
    """Return the input as a dictionary whose instruction is a string that is not empty."""
    if not isinstance(user_input, Mapping) or "instruction" not in user_input:
        user_input = {"instruction": user_input}
    fields = {key: value for key, value in user_input.items() if key in Input.__annotations__}
    fields["instruction"] = _to_text(fields["instruction"]).strip()
    if not fields["instruction"]:
        raise InputError("the instruction is empty: say what to write")
    return fields


def _to_text(value: Any) -> str:
    """Return the text of a string, a prompt value, a message or several messages."""
    if isinstance(value, str):
        return value
    if isinstance(value, PromptValue):
        value = value.to_messages()
    if isinstance(value, BaseMessage):
        return value.text
    if isinstance(value, Sequence) and value and all(isinstance(v, BaseMessage) for v in value):
        return "\n\n".join(message.text for message in value)
    raise InputError(
        f"an instruction is a string, a prompt value or messages, or a dictionary with "
        f"'instruction'; not {type(value).__name__}"
    )


# Plan ------------------------------------------------------------------------------------------


def _to_plan(value: Any, mode: Mode) -> WritingPlan | None:
    """Return a copy of the given plan, if it can be followed; None if there is none."""
    if value is None:
        return None
    if mode == "direct":
        raise InputError(
            "direct mode writes the whole text in one pass and takes no plan: leave the plan out, "
            "or use sequential or parallel mode"
        )
    if isinstance(value, WritingPlan):
        value = value.model_dump()
    try:
        plan = WritingPlan.model_validate(value)
    except ValidationError as error:
        raise InputError(_describe_plan_error(error)) from None
    if not (plan.sections or plan.chapters):
        raise InputError("the plan cannot be used: it has no sections")
    _sort_by_chapter(plan)
    return plan


def _describe_plan_error(error: ValidationError) -> str:
    """Return the first mistake that pydantic found in a plan, in one sentence."""
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"])
    parts = ["the plan cannot be used", field, first["msg"].removeprefix("Value error, ")]
    return ": ".join(filter(None, parts))


def _sort_by_chapter(plan: WritingPlan) -> None:
    """Put the sections of a plan in the order of its chapters, as they are written.

    If only sections name the chapters, the list of chapters is made from them. Nothing moves in a
    plan without chapters.
    """
    if not plan.chapters:
        names = dict.fromkeys(section.chapter for section in plan.sections if section.chapter)
        plan.chapters = [_chapter_of_sections(plan, name) for name in names]
    if not plan.chapters:
        return
    _check_chapters(plan)
    sections: list[SectionPlan] = []
    for chapter in plan.chapters[: _count_started_chapters(plan)]:
        sections += plan.of_chapter(chapter.heading) or [_chapter_as_section(chapter, plan.unit)]
    plan.sections = sections


def _chapter_of_sections(plan: WritingPlan, name: str) -> ChapterPlan:
    length = sum(section.length for section in plan.of_chapter(name))
    return ChapterPlan(heading=name, length=length)


def _check_chapters(plan: WritingPlan) -> None:
    """Refuse a plan in which a section belongs to none of the chapters."""
    known = {chapter.heading for chapter in plan.chapters}
    for number, section in enumerate(plan.sections, 1):
        if section.chapter not in known:
            raise InputError(
                f"the plan cannot be used: section {number} ({section.heading!r}) is in no "
                f"chapter, though the plan has chapters: name its chapter, or make it one"
            )


def _count_started_chapters(plan: WritingPlan) -> int:
    """Return the number of chapters up to the last one that has sections."""
    started = 0
    for number, chapter in enumerate(plan.chapters, 1):
        if plan.of_chapter(chapter.heading):
            started = number
    return started


def _chapter_as_section(chapter: ChapterPlan, unit: Unit) -> SectionPlan:
    """Return a chapter without sections as one section, if a later chapter has some.

    The planner breaks chapters down in order, as they are reached, so an early chapter cannot be
    left to it once a later one is broken down.
    """
    max_length = in_unit(MAX_SECTION_LENGTH, unit)
    if chapter.length > max_length:
        raise InputError(
            f"the plan cannot be used: chapter {chapter.heading!r} has no sections, but a later "
            f"chapter has; at {chapter.length:,} {unit} it is too long to be one section: give "
            "it sections, or take them from the later chapters"
        )
    return SectionPlan(
        main_point=chapter.main_point or chapter.heading,
        length=chapter.length,
        chapter=chapter.heading,
    )


# Length, unit and language ---------------------------------------------------------------------


def _choose_length(
    fields: dict[str, Any], plan: WritingPlan | None, language: str
) -> tuple[int | None, Unit]:
    """Return the required length with its unit; None leaves the length to the planner.

    The length of the input comes first, then that of the plan, then that of the instruction.
    """
    unit = fields.get("unit")
    if unit is not None and unit not in get_args(Unit):
        raise InputError(f"unit is 'words' or 'characters', not {unit!r}")
    length = fields.get("length")
    if isinstance(length, float) and length.is_integer():
        length = int(length)  # JSON clients may send 5000.0
    if plan is not None:
        return _choose_plan_length(plan, length, unit)
    if length is not None:
        return lengths.check(length), unit or languages.default_unit(language)
    return _read_length(fields["instruction"], unit, language)


def _choose_plan_length(plan: WritingPlan, length: Any, unit: Unit | None) -> tuple[int, Unit]:
    """Return the required length of a document whose plan is given."""
    if unit is not None and unit != plan.unit:
        raise LengthError(f"the plan counts {plan.unit}, the length asked for counts {unit}")
    required = plan.length if length is None else lengths.check(length)
    if abs(required - plan.length) > MAX_LENGTH_DEVIATION * required:
        raise LengthError(
            f"the plan adds up to {plan.length:,} {plan.unit}, the length asked for is "
            f"{required:,}: change one of them"
        )
    return lengths.check(required), plan.unit


def _read_length(instruction: str, unit: Unit | None, language: str) -> tuple[int | None, Unit]:
    """Return the required length that the instruction names, if it names one."""
    required = lengths.read_required_length(instruction)
    if required is None:
        return None, unit or languages.default_unit(language)
    if unit is not None and unit != required.unit:
        raise LengthError(
            f"the instruction asks for {required.target:,} {required.unit}, and unit says {unit}: "
            f"leave the unit out, or give a length in {unit}"
        )
    return lengths.check(required.target), required.unit


def _has_unit(plan: Any) -> bool:
    """Return whether a given plan names its unit, rather than leaving it to the default."""
    if isinstance(plan, WritingPlan):
        return "unit" in plan.model_fields_set
    return isinstance(plan, Mapping) and plan.get("unit") is not None


def _choose_unit(fields: dict[str, Any], language: str) -> Unit:
    """Return the unit of a plan that names none: from the input, the instruction, the language."""
    if fields.get("unit") in get_args(Unit):
        return cast("Unit", fields["unit"])
    required = lengths.read_required_length(fields["instruction"])
    if required is not None:
        return required.unit
    return languages.default_unit(language)


def _choose_language(fields: dict[str, Any], plan: WritingPlan | None) -> str:
    """Return the language to write in, and set that of the plan if the input names another."""
    language = _check_language(fields.get("language"))
    if plan is not None:
        language = plan.language = language or _check_language(plan.language)
    return language or languages.detect(fields["instruction"])


def _check_language(tag: Any) -> str | None:
    """Return a language tag if it is one; None for none."""
    if not tag:
        return None
    if not re.fullmatch(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*", str(tag)):
        raise InputError(f"language is a tag such as en, ja or pt-BR, not {tag!r}")
    return str(tag)


# Context and sources ---------------------------------------------------------------------------


def _to_context(context: Any) -> list[dict[str, Any]]:
    """Return the given documents or texts in their JSON-plain form."""
    if context is None:
        return []
    return [
        {"page_content": document.page_content, "metadata": dict(document.metadata)}
        for document in sources.to_documents(context)
    ]


def _check_sources(value: Any, allowed: bool) -> list[str]:
    """Return the paths of the sources, after checking that they can be read."""
    if not value:
        return []
    if not allowed:
        raise InputError("this chain reads no local sources: send the texts as 'context'")
    if isinstance(value, str | Path):
        value = [value]
    paths = [str(path) for path in value]
    for path in paths:
        if os.path.isfile(path):
            stat = os.stat(path)
            _check_file(path, stat.st_mtime_ns, stat.st_size)
        else:
            sources.read_sources([path])
    return paths


@lru_cache(maxsize=256)
def _check_file(path: str, changed: int, size: int) -> None:
    """Read a file to check that it can be read; cached, as servers check an input twice."""
    sources.read_sources([path])
