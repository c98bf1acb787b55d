"""A plan in YAML and JSON.

`WritingPlan` -> text; text -> values with the lines they stand on

Knows the two notations and leaves every scalar a text, as a person means it; which fields a plan
has is known to `source`.
"""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from longchain.agent.planning.planfile.source import SECTION_KEYS, Place, Source
from longchain.document import ChapterPlan, SectionPlan, WritingPlan
from longchain.errors import PlanFileError

REMARK = "A plan for longchain. Edit headings, main points and lengths; move, add or remove parts."
"""What stands at the top of a plan that may hold remarks."""

_PRINTABLE = re.compile(r"[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd]")


# --- written ---


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


def as_yaml(data: dict[str, Any]) -> str:
    """Return data as YAML, in the order it stands in."""
    return yaml.dump(
        data,
        Dumper=_Dumper,
        allow_unicode=True,
        sort_keys=False,
        default_flow_style=False,
        width=88,
    )


def write_yaml(plan: WritingPlan) -> str:
    """Return a plan as YAML."""
    return f"# {REMARK}\n" + as_yaml(_data(plan))


def write_json(plan: WritingPlan) -> str:
    """Return a plan as JSON."""
    return json.dumps(_data(plan), ensure_ascii=False, indent=2) + "\n"


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
    return section.model_dump(include=set(SECTION_KEYS))


def _flat(section: SectionPlan) -> dict[str, Any]:
    return ({"chapter": section.chapter} if section.chapter else {}) | _part(section)


# --- read ---


def read_yaml(text: str, name: str) -> Source:
    """Return the value that a YAML text holds."""
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
    source = Source(None, {}, name)
    if node is not None:
        source.value = _value(node, (), source, 0)
    return source


def _value(node: yaml.Node, place: Place, source: Source, depth: int) -> Any:
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


def read_json(text: str, name: str) -> Source:
    """Return the value that a JSON text holds."""
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
        lines = read_yaml(_PRINTABLE.sub("?", text.replace("\t", " ")), name).lines
    except PlanFileError as error:
        if "second time" in str(error):
            raise
        lines = {}
    return Source(value, lines, name)
