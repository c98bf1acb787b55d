"""Whatever a caller hands to the chain -> the first events of a document's log.

Strings, dictionaries, prompt values and messages become one `Request`; what cannot be written is
refused here, before anything is paid for.
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
from longchain.agent.events import Mode
from longchain.agent.planning.lengths import LONG, rescale
from longchain.document import ChapterPlan, SectionPlan, Unit, WritingPlan
from longchain.errors import InputError, LengthError

TOLERATED = 0.1
"""How far an explicit length may differ from a given plan's before the two contradict."""


class Input(TypedDict):
    """What `AgentWriteChain` takes; a bare string is an instruction."""

    instruction: str
    """What to write."""
    length: NotRequired[int | None]
    """The required length; without it, it is read from the instruction, else planned."""
    unit: NotRequired[Unit | None]
    """What `length` counts; without it, as the language counts."""
    language: NotRequired[str | None]
    """A BCP 47 tag; without it, the plan's or else the instruction's language."""
    style: NotRequired[str | None]
    """How to write: tone, audience, person, rules of the house."""
    plan: NotRequired[Any]
    """A `WritingPlan` or its JSON-plain form; the mode `direct` takes none."""
    context: NotRequired[Any]
    """Documents, or texts, to write from."""
    sources: NotRequired[list[str] | str | None]
    """Paths of files and folders to write from, on the machine that writes."""


@lru_cache(maxsize=16)
def schema(mode: Mode, local_sources: bool) -> type[BaseModel]:
    """Return the input as a pydantic model that refuses what the chain would refuse.

    LangServe and tools validate by it: bad input is theirs to answer, before a run begins.

    Args:
        mode: As for `events`.
        local_sources: As for `events`.
    """

    def check(given: Any) -> Any:
        try:
            request = events(given, mode=mode, local_sources=local_sources)[0]
        except InputError as error:
            raise _refusal(error) from None
        named = isinstance(given, Mapping) and "instruction" in given
        return given if named else {"instruction": request["instruction"]}

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


def _refusal(error: InputError) -> PydanticCustomError:
    """Return what pydantic is told: a kind of error that keeps the sentence as it is."""
    return PydanticCustomError("input", "{sentence}", {"sentence": str(error)})


def _reviewed(answer: Any, _: Any) -> Any:
    """Return a review's answer if it is one: True, or a plan that could also be given."""
    try:
        if answer is not True and answer is not None:
            events({"instruction": "-", "plan": answer}, mode="sequential")
    except InputError as error:
        raise _refusal(error) from None
    return answer


Reviewed: Any = Annotated[WritingPlan | Literal[True], WrapValidator(_reviewed)]
"""What a review of the plan may be answered with; True follows the plan as it is."""


def events(given: Any, *, mode: Mode, local_sources: bool = True) -> list[Any]:
    """Return the first events for an input: the request, and the plan where one is given.

    Args:
        given: An instruction or an `Input`.
        mode: How sections will be written; `direct` takes no plan.
        local_sources: Whether paths may be read.

    Raises:
        InputError: The instruction is empty, or a field has no usable value.
        LengthError: The length cannot be written, or contradicts the plan or the unit.
        SourceError: A source cannot be read.
    """
    fields = _fields(given)
    instruction = fields["instruction"]
    plan = _plan(fields.get("plan"), mode)
    explicit = _language(fields.get("language"))
    if plan is not None:
        plan.language = explicit or _language(plan.language)
    language = explicit or (plan and plan.language) or languages.detect(instruction)
    if plan is not None and not _names_unit(fields["plan"]):
        plan.unit = _unit_of(fields, instruction, language)
    required, unit = _length(fields, instruction, plan, language)
    request = {
        "type": "request",
        "instruction": instruction,
        "required": required,
        "unit": unit,
        "language": language,
        "style": str(fields.get("style") or ""),
        "context": _context(fields.get("context")),
        "sources": _sources(fields.get("sources"), local_sources),
    }
    first = [request]
    if plan is not None:
        plan = rescale(plan, required) if required != plan.length and required else plan
        first.append(_planned(plan, "given"))
    elif mode == "direct":
        section = SectionPlan(main_point=instruction[:200], length=required or 2000)
        first.append(_planned(WritingPlan(sections=[section], unit=unit), "not needed"))
    return first


def _planned(plan: WritingPlan, note: str) -> dict[str, Any]:
    return {"type": "plan", "plan": plan.model_dump(), "note": note, "usage": {}}


def _fields(given: Any) -> dict[str, Any]:
    """Return the input as a dictionary with an instruction that says something."""
    if not isinstance(given, Mapping) or "instruction" not in given:
        given = {"instruction": given}
    fields = {key: value for key, value in given.items() if key in Input.__annotations__}
    fields["instruction"] = _text(fields["instruction"]).strip()
    if not fields["instruction"]:
        raise InputError("the instruction is empty: say what to write")
    return fields


def _text(value: Any) -> str:
    """Return the instruction in a string, a prompt value, a message or several of them."""
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


def _plan(given: Any, mode: Mode) -> WritingPlan | None:
    """Return the plan that is given, if it can be followed."""
    if given is None:
        return None
    if mode == "direct":
        raise InputError(
            "direct mode writes the whole text in one go and takes no plan: leave the plan out, "
            "or give it to sequential or parallel mode"
        )
    try:
        plan = WritingPlan.model_validate(
            given.model_dump() if isinstance(given, WritingPlan) else given
        )
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        said = ["the plan cannot be used", where, first["msg"].removeprefix("Value error, ")]
        raise InputError(": ".join(filter(None, said))) from None
    if not (plan.sections or plan.chapters):
        raise InputError("the plan cannot be used: it has no sections")
    return _in_chapters(plan)


def _in_chapters(plan: WritingPlan) -> WritingPlan:
    """Return a given plan with its sections chapter by chapter, as they are written.

    Chapters that only sections name are made from them; sections move to where their chapter
    stands. Nothing moves in a plan without chapters.
    """
    if not plan.chapters:
        names = dict.fromkeys(section.chapter for section in plan.sections if section.chapter)
        plan.chapters = [
            ChapterPlan(heading=name, length=sum(s.length for s in plan.of_chapter(name)))
            for name in names
        ]
    if not plan.chapters:
        return plan
    known = {chapter.heading for chapter in plan.chapters}
    for number, section in enumerate(plan.sections, 1):
        if section.chapter not in known:
            raise InputError(
                f"the plan cannot be used: section {number} ({section.heading!r}) stands in no "
                f"chapter, though the plan has chapters: name its chapter, or make it one"
            )
    last = max((i for i, c in enumerate(plan.chapters) if plan.of_chapter(c.heading)), default=-1)
    plan.sections = [
        section
        for chapter in plan.chapters[: last + 1]
        for section in plan.of_chapter(chapter.heading) or [_alone(chapter, plan.unit)]
    ]
    return plan


def _alone(chapter: ChapterPlan, unit: Unit) -> SectionPlan:
    """Return the one section of a chapter that has none, while a chapter after it has some.

    Chapters are broken down in order, as they are reached, so this one cannot wait for that.
    """
    most = LONG * (1 if unit == "words" else 2)
    if chapter.length > most:
        raise InputError(
            f"the plan cannot be used: chapter {chapter.heading!r} has no sections, but a chapter "
            f"after it has; at {chapter.length:,} {unit} it is too long to be one section: give "
            "it sections, or take them from the chapters after it"
        )
    return SectionPlan(
        main_point=chapter.main_point or chapter.heading,
        length=chapter.length,
        chapter=chapter.heading,
    )


def _length(
    fields: dict[str, Any], instruction: str, plan: WritingPlan | None, language: str
) -> tuple[int | None, Unit]:
    """Return the required length and its unit: explicit, planned, read, or left open."""
    unit = fields.get("unit")
    if unit is not None and unit not in get_args(Unit):
        raise InputError(f"unit is 'words' or 'characters', not {unit!r}")
    explicit = _whole(fields.get("length"))
    if plan is not None:
        if unit is not None and unit != plan.unit:
            raise LengthError(f"the plan counts {plan.unit}, the length asked for counts {unit}")
        required = plan.length if explicit is None else lengths.check(explicit)
        if abs(required - plan.length) > TOLERATED * required:
            raise LengthError(
                f"the plan adds up to {plan.length:,} {plan.unit}, the length asked for is "
                f"{required:,}: change one of them"
            )
        return lengths.check(required), plan.unit
    if explicit is not None:
        return lengths.check(explicit), unit or languages.default_unit(language)
    read = lengths.read_required_length(instruction)
    if read is None:
        return None, unit or languages.default_unit(language)
    if unit is not None and unit != read.unit:
        raise LengthError(
            f"the instruction asks for {read.target:,} {read.unit}, and unit says {unit}: leave "
            f"the unit out, or give a length in {unit}"
        )
    return lengths.check(read.target), read.unit


def _names_unit(plan: Any) -> bool:
    """Whether a given plan says what its lengths count, rather than leaving it to the default."""
    if isinstance(plan, WritingPlan):
        return "unit" in plan.model_fields_set
    return isinstance(plan, Mapping) and plan.get("unit") is not None


def _unit_of(fields: dict[str, Any], instruction: str, language: str) -> Unit:
    """Return what a plan counts that does not say: as the caller, the instruction, the language."""
    if fields.get("unit") in get_args(Unit):
        return cast("Unit", fields["unit"])
    read = lengths.read_required_length(instruction)
    return read.unit if read else languages.default_unit(language)


def _whole(length: Any) -> Any:
    """Return a whole number that came as a float, as JSON clients send it, as an integer."""
    return int(length) if isinstance(length, float) and length.is_integer() else length


def _language(given: Any) -> str | None:
    """Return a language tag as it is, if it is one."""
    if given and not re.fullmatch(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*", str(given)):
        raise InputError(f"language is a tag such as en, ja or pt-BR, not {given!r}")
    return str(given) if given else None


def _context(given: Any) -> list[dict[str, Any]]:
    if given is None:
        return []
    return [
        {"page_content": document.page_content, "metadata": dict(document.metadata)}
        for document in sources.to_documents(given)
    ]


def _sources(given: Any, allowed: bool) -> list[str]:
    """Return the paths, after a look at whether they can be read."""
    if not given:
        return []
    if not allowed:
        raise InputError("this chain reads no local sources: send the texts as 'context'")
    paths = [str(given)] if isinstance(given, str | Path) else [str(path) for path in given]
    for path in paths:
        if os.path.isfile(path):
            seen = os.stat(path)
            _readable(path, seen.st_mtime_ns, seen.st_size)
        else:
            sources.read_sources([path])
    return paths


@lru_cache(maxsize=256)
def _readable(path: str, changed: int, size: int) -> None:
    """Read a file to see that it can be; once, as servers check a request before they run it."""
    sources.read_sources([path])
