"""A plan as a file that a person reads and edits, and that reads back exactly.

`WritingPlan` -> YAML, JSON or Markdown -> `WritingPlan`, or `PlanFileError` with line and field

Knows the three forms and what people mistype in them. Does not read models' replies: that is
`longchain.agent.parse`, which forgives what this module names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from longchain.document import ChapterPlan, SectionPlan, Unit, WritingPlan
from longchain.errors import PlanFileError

Format = Literal["yaml", "json", "md"]
"""How a plan is written down."""

_SUFFIXES: dict[str, Format] = {".yaml": "yaml", ".yml": "yaml", ".json": "json", ".md": "md"}
_REMARK = "A plan for longchain. Edit headings, main points and lengths; move, add or remove parts."
_PLAN_KEYS = ("title", "unit", "language", "chapters", "sections")
_CHAPTER_KEYS = ("heading", "main_point", "length", "sections")
_SECTION_KEYS = ("heading", "main_point", "length")
_PRINTABLE = re.compile(r"[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd]")
_REQUIRED = object()


def save(plan: WritingPlan, path: str | Path) -> None:
    """Write a plan to a file, in the form that its suffix names.

    Raises:
        PlanFileError: The suffix is none of .yaml, .yml, .json, .md, or the file cannot be written.
    """
    text = dumps(plan, _format_of(Path(path)))
    try:
        Path(path).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise PlanFileError(f"{path}: the plan cannot be written: {error.strerror}") from error


def load(path: str | Path) -> WritingPlan:
    """Return the plan in a file.

    Raises:
        PlanFileError: The file cannot be read, or holds a mistake; the message names its line.
    """
    path = Path(path)
    format_ = _format_of(path)
    if path.is_dir():
        raise PlanFileError(f"{path}: a directory, not a plan file")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise PlanFileError(f"{path}: no such plan file") from error
    except OSError as error:
        raise PlanFileError(f"{path}: the plan cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise PlanFileError(f"{path}, line {line}: not UTF-8; save the file as UTF-8") from error
    return loads(text, format_, name=str(path))


def dumps(plan: WritingPlan, format: Format) -> str:
    """Return a plan as text."""
    if format == "md":
        return _markdown(plan)
    data = _data(plan)
    if format == "json":
        return json.dumps(data, ensure_ascii=False, indent=2) + "\n"
    if format != "yaml":
        raise PlanFileError(f"a plan is written as yaml, json or md, not {format!r}")
    return f"# {_REMARK}\n" + _yaml(data)


def loads(text: str, format: Format, *, name: str = "plan") -> WritingPlan:
    """Return the plan in a text.

    Args:
        text: What `dumps` wrote, perhaps edited by a person.
        format: Its form.
        name: What messages call it: a path.

    Raises:
        PlanFileError: The text holds a mistake; the message names line and field.
    """
    if format == "md":
        return _read_markdown(text, name)
    if format == "json":
        return _plan(_json_source(text, name))
    if format != "yaml":
        raise PlanFileError(f"a plan is read from yaml, json or md, not {format!r}")
    return _plan(_yaml_source(text, name))


def _format_of(path: Path) -> Format:
    if format_ := _SUFFIXES.get(path.suffix.lower()):
        return format_
    raise PlanFileError(f"{path}: a plan file ends in .yaml, .json or .md, not {path.suffix!r}")


# --- YAML and JSON, written ---


class _Dumper(yaml.SafeDumper):
    """Indents lists beneath their key, and shares nothing by anchors."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_str(self, data: str) -> yaml.ScalarNode:
        # A title may hold line breaks, also those beyond ASCII, which only quotes keep exactly.
        style = None if data == " ".join(data.split()) else '"'
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)


_Dumper.add_representer(str, _Dumper.represent_str)


def _yaml(data: dict[str, Any]) -> str:
    return yaml.dump(
        data,
        Dumper=_Dumper,
        allow_unicode=True,
        sort_keys=False,
        default_flow_style=False,
        width=88,
    )


def _data(plan: WritingPlan) -> dict[str, Any]:
    """Return the plan as it stands in a file: chapters hold their sections where that is exact."""
    top: dict[str, Any] = {"title": plan.title, "unit": plan.unit}
    if plan.language is not None:
        top["language"] = plan.language
    grouped = [section for c in plan.chapters for section in plan.of_chapter(c.heading)]
    if plan.chapters and grouped == plan.sections:
        return top | {"chapters": [_nested(chapter, plan) for chapter in plan.chapters]}
    if plan.chapters:
        top["chapters"] = [chapter.model_dump() for chapter in plan.chapters]
    return top | {"sections": [_flat(section) for section in plan.sections]}


def _nested(chapter: ChapterPlan, plan: WritingPlan) -> dict[str, Any]:
    sections = [_part(section) for section in plan.of_chapter(chapter.heading)]
    return chapter.model_dump() | ({"sections": sections} if sections else {})


def _part(section: SectionPlan) -> dict[str, Any]:
    return section.model_dump(include=set(_SECTION_KEYS))


def _flat(section: SectionPlan) -> dict[str, Any]:
    return ({"chapter": section.chapter} if section.chapter else {}) | _part(section)


# --- YAML and JSON, read ---


class _Source:
    """A value of a file with the lines its keys stand on, and the name of the whole."""

    def __init__(self, value: Any, lines: dict[tuple[Any, ...], int], name: str) -> None:
        self.value, self.lines, self.name = value, lines, name

    def error(self, place: tuple[Any, ...], message: str) -> PlanFileError:
        """Return the error at a place, or at the nearest one around it whose line is known."""
        while place and place not in self.lines:
            place = place[:-1]
        where = f", line {self.lines[place]}" if place in self.lines else ""
        return PlanFileError(f"{self.name}{where}: {message}")

    def fault(self, line: int, message: str) -> PlanFileError:
        """Return the error on a line."""
        return PlanFileError(f"{self.name}, line {line}: {message}")

    def note(self, place: tuple[Any, ...], line: int) -> None:
        """Remember the line of a place."""
        self.lines[place] = line


def _yaml_source(text: str, name: str) -> _Source:
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}" if mark else ""
        raise PlanFileError(f"{name}{where}: not YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise PlanFileError(f"{name}: not YAML: {' '.join(str(error).split())}") from error
    except RecursionError as error:
        raise PlanFileError(f"{name}: not a plan: nested too deeply") from error
    source = _Source(None, {}, name)
    if node is not None:
        source.value = _value(node, (), source, 0)
    return source


def _value(node: yaml.Node, place: tuple[Any, ...], source: _Source, depth: int) -> Any:
    """Return a node's value, texts as they stand (`1984`, `yes`), and note the lines.

    Only a bare `null`, `~` or nothing at all is None: what else YAML would turn into numbers,
    dates and truth values, a person who writes a heading means as it is written.
    """
    source.lines.setdefault(place, node.start_mark.line + 1)
    if depth > 6:
        raise source.error(place, "not a plan: nested too deeply")
    if isinstance(node, yaml.SequenceNode):
        return [_value(n, (*place, i), source, depth + 1) for i, n in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key, child in node.value:
            key_text = str(key.value)
            if key_text in found:
                source.lines[(*place, "again")] = key.start_mark.line + 1
                raise source.error((*place, "again"), f"`{key_text}` stands here a second time")
            source.lines[(*place, key_text)] = key.start_mark.line + 1
            found[key_text] = _value(child, (*place, key_text), source, depth + 1)
        return found
    return None if node.tag == "tag:yaml.org,2002:null" else node.value


def _json_source(text: str, name: str) -> _Source:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise PlanFileError(f"{name}, line {error.lineno}: not JSON: {error.msg}") from error
    except RecursionError as error:
        raise PlanFileError(f"{name}: not a plan: nested too deeply") from error
    except ValueError as error:  # a number of more than 4,300 digits
        raise PlanFileError(f"{name}: not JSON: {error}") from error
    # JSON is YAML but for the characters replaced here, so the same tree tells the lines.
    try:
        lines = _yaml_source(_PRINTABLE.sub("?", text.replace("\t", " ")), name).lines
    except PlanFileError as error:
        if "second time" in str(error):
            raise
        lines = {}
    return _Source(value, lines, name)


def _plan(source: _Source) -> WritingPlan:
    """Return the plan that a file's value describes."""
    top = _mapping(source, source.value, (), _PLAN_KEYS, "the plan")
    unit = _text(source, top, (), "unit", default="words")
    if unit not in get_args(Unit):
        raise source.error(("unit",), f"`unit` must be words or characters, not {unit!r}")
    chapters = list(_chapters(source, top))
    sections = _sections(source, top, (), "", (*_SECTION_KEYS, "chapter"))
    _check_chapters(source, sections, [chapter.heading for chapter, _ in chapters])
    sections += [section for _, inner in chapters for section in inner]
    if not sections and not chapters:
        key = "chapters" if "chapters" in top and "sections" not in top else "sections"
        raise source.error((key,), f"`{key}` is empty: a plan has at least one section or chapter")
    return WritingPlan(
        title=_text(source, top, (), "title"),
        sections=sections,
        chapters=[chapter for chapter, _ in chapters],
        unit=unit,
        language=_text(source, top, (), "language", default=None),
    )


def _check_chapters(source: _Source, sections: list[SectionPlan], names: list[str]) -> None:
    """Refuse a section that names a chapter which the plan does not have."""
    for index, section in enumerate(sections):
        if names and section.chapter and section.chapter not in names:
            raise source.error(
                ("sections", index, "chapter"),
                f"`chapter` of section {index + 1} names no chapter of the plan: "
                f"{section.chapter!r}{_closest(section.chapter, names)}",
            )


def _chapters(
    source: _Source, top: dict[str, Any]
) -> Iterator[tuple[ChapterPlan, list[SectionPlan]]]:
    """Yield the chapters with the sections that stand in them."""
    first: dict[str, int] = {}
    for index, item in enumerate(_list(source, top, (), "chapters")):
        place = ("chapters", index)
        what = _called("chapter", index, item)
        keys = _mapping(source, item, place, _CHAPTER_KEYS, what)
        heading = " ".join(
            _text(source, keys, place, "heading", default=_REQUIRED, what=what).split()
        )
        if heading in first:
            raise source.error(
                (*place, "heading"),
                f"{what} has the heading of chapter {first[heading]}; give it one of its own",
            )
        first[heading] = index + 1
        sections = _sections(source, keys, place, heading, _SECTION_KEYS)
        summed = sum(section.length for section in sections) if "length" not in keys else 0
        chapter = ChapterPlan(
            heading=heading,
            main_point=_text(source, keys, place, "main_point", what=what),
            length=summed or _length(source, keys, place, what),
        )
        yield chapter, sections


def _sections(
    source: _Source,
    keys: dict[str, Any],
    place: tuple[Any, ...],
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
        own = _mapping(source, item, inner, known, what)
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


def _mapping(
    source: _Source, value: Any, place: tuple[Any, ...], known: tuple[str, ...], what: str
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


def _list(source: _Source, keys: dict[str, Any], place: tuple[Any, ...], key: str) -> list[Any]:
    value = keys.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise source.error((*place, key), f"`{key}` must be a list, not {value!r}")
    return value


def _text(
    source: _Source,
    keys: dict[str, Any],
    place: tuple[Any, ...],
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


def _length(source: _Source, keys: dict[str, Any], place: tuple[Any, ...], what: str) -> int:
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


# --- Markdown ---

_FRONT_KEYS = ("title", "unit", "language")
_UNITS: dict[str, Unit | None] = {
    "words": "words", "word": "words", "characters": "characters", "character": "characters",
    "字": "characters", "文字": "characters", "자": "characters", "": None,
}  # fmt: skip
_NUMBERED = re.compile(r"(?P<chapter>Chapter )?\d+(?:\.\d+)*\.(?: |$)")
_AGAIN = "Chapter, continued: "


def _markdown(plan: WritingPlan) -> str:
    """Return the plan as an outline: chapters `##`, their sections `###`, others `##`."""
    front: dict[str, Any] = {"unit": plan.unit}
    if plan.language is not None:
        front["language"] = plan.language
    on_line = plan.title == " ".join(plan.title.split())
    if not on_line:  # a title of several lines stands in no heading
        front["title"] = plan.title
    blocks = [f"---\n# {_REMARK}\n{_yaml(front)}---"]
    blocks += [f"# {plan.title}"] if plan.title and on_line else []
    return "\n\n".join([*blocks, *_blocks(plan)]) + "\n"


def _blocks(plan: WritingPlan) -> Iterator[str]:
    """Yield headings and main points in reading order."""
    waiting = list(enumerate(plan.chapters, 1))
    names = [chapter.heading for chapter in plan.chapters]
    current, inner = "", 0
    for number, section in enumerate(plan.sections, 1):
        name = section.chapter
        if name and name != current:
            due = name in (chapter.heading for _, chapter in waiting)
            while due and waiting and current != name:
                at, chapter = waiting.pop(0)
                yield from _block(f"## Chapter {at}.", chapter, plan.unit)
                current, inner = chapter.heading, 0
            if not due:
                yield f"## {_AGAIN}{name}"
                inner = sum(s.chapter == name for s in plan.sections[: number - 1])
        current, inner = name, inner + 1
        at = names.index(name) + 1 if name in names else 0
        mark = f"### {at}.{inner}." if at else f"### {number}." if name else f"## {number}."
        yield from _block(mark, section, plan.unit)
    for at, left in waiting:
        yield from _block(f"## Chapter {at}.", left, plan.unit)


def _block(mark: str, part: SectionPlan | ChapterPlan, unit: Unit) -> Iterator[str]:
    heading = f"{part.heading} " if part.heading else ""
    yield f"{mark} {heading}({part.length} {unit})"
    if part.main_point:
        yield re.sub(r"^(?=[\\#<])", r"\\", part.main_point)


def _read_markdown(text: str, name: str) -> WritingPlan:
    """Read an outline that `_markdown` wrote, perhaps edited by a person."""
    lines = re.split(r"\r\n|\r|\n", text)
    source, begin = _front(lines, name)
    parts: dict[str, list[dict[str, Any]]] = {"chapters": [], "sections": []}
    chapter, last = "", None
    headings = [line.strip().partition(" ")[0] for line in lines]
    for number, line in enumerate((line.strip() for line in lines[begin:]), begin + 1):
        level = headings[number - 1]
        if level == "#" and "title" not in source.value:
            source.value["title"] = line[2:].strip()
        elif line.startswith(f"## {_AGAIN}"):
            chapter, last = line.removeprefix(f"## {_AGAIN}"), None
        elif level in ("##", "###"):
            below = next((mark for mark in headings[number:] if mark in ("##", "###")), "")
            last, kind = _part_at(line, level, below == "###")
            if level == "##":
                chapter = last["heading"] if kind == "chapters" else ""
            elif not chapter:
                raise source.fault(number, "`###` stands in no chapter; a chapter is `##`")
            if kind == "sections" and chapter:
                last["chapter"] = chapter
            source.note((kind, len(parts[kind])), number)
            parts[kind].append(last)
        elif line and (last is None or level.strip("#") == ""):
            raise source.fault(number, f"this belongs to no section: {line[:40]!r}")
        elif line and last is not None:
            plain = re.sub(r"^\\(?=[\\#<])", "", line)
            last["main_point"] = f"{last.get('main_point', '')} {plain}".strip()
    source.value |= parts
    _settle_unit(source)
    return _plan(source)


def _front(lines: list[str], name: str) -> tuple[_Source, int]:
    """Read what stands between two `---` at the top, and return the line after it."""
    if lines[0].strip() != "---":
        return _Source({}, {}, name), 0
    end = next((at for at, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
    if end is None:
        raise PlanFileError(f"{name}, line 1: the `---` at the top has no second one that ends it")
    source = _yaml_source("\n".join(["", *lines[1:end]]), name)
    source.value = _mapping(source, source.value or {}, (), _FRONT_KEYS, "the plan")
    return source, end + 1


def _part_at(line: str, level: str, has_sections: bool) -> tuple[dict[str, Any], str]:
    """Return the part that a heading names, and whether it is a chapter or a section."""
    body = line.removeprefix(level).strip()
    mark = _NUMBERED.match(body)
    body = body[mark.end() :] if mark else body
    chapter = level == "##" and (has_sections or bool(mark and mark["chapter"]))
    part: dict[str, Any] = {"heading": body}
    begin = max(body.rfind("("), body.rfind("（"))
    if body.endswith((")", "）")) and begin >= 0:
        part = {"heading": body[:begin].strip(), "length": body[begin + 1 : -1].strip()}
    return part, "chapters" if chapter else "sections"


def _settle_unit(source: _Source) -> None:
    """Take the units from the lengths: all the same, and the one named at the top."""
    for kind in ("chapters", "sections"):
        for index, part in enumerate(source.value[kind]):
            match = re.fullmatch(r"(.*\d)\s*([^\W\d]*)", part.get("length", ""))
            if not match or match[2].lower() not in _UNITS:
                continue
            part["length"], unit = match[1], _UNITS[match[2].lower()]
            if unit and source.value.setdefault("unit", unit) != unit:
                raise source.error(
                    (kind, index), f"this length counts {unit}, the plan {source.value['unit']}"
                )
