"""A plan in YAML.

`WritingPlan` -> text; text -> `LocatedValue`

Leaves every scalar a text, as the person who wrote it means it; does not know which fields a plan
has.
"""

from __future__ import annotations

from typing import Any

import yaml

from longchain.agent.planning.planfile.located import LocatedValue, Place
from longchain.agent.planning.planfile.schema import to_data
from longchain.document import WritingPlan
from longchain.errors import PlanFileError

HEADER = "A plan for longchain. Edit headings, main points and lengths; move, add or remove parts."
"""Comment at the top of a plan, in the formats that have comments."""

_MAX_DEPTH = 6
"""Levels of a plan and one more; YAML's aliases can nest a value in itself."""


# --- written ---


class _Dumper(yaml.SafeDumper):
    """Indents lists beneath their key, and shares nothing by anchors."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Indent also the items of a list within a mapping."""
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        """Write every value in full."""
        return True

    def represent_str(self, data: str) -> yaml.ScalarNode:
        """Quote a text with line breaks, also those beyond ASCII: only quotes keep them exactly."""
        is_one_line = data == " ".join(data.split())
        style = None if is_one_line else '"'
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)


_Dumper.add_representer(str, _Dumper.represent_str)


def dump(data: dict[str, Any]) -> str:
    """Return data as YAML, in its order."""
    return yaml.dump(
        data,
        Dumper=_Dumper,
        allow_unicode=True,
        sort_keys=False,
        default_flow_style=False,
        width=88,
    )


def write(plan: WritingPlan) -> str:
    """Return a plan as YAML."""
    return f"# {HEADER}\n" + dump(to_data(plan))


# --- read ---


def read(text: str, name: str) -> LocatedValue:
    """Return the value of a YAML text.

    Raises:
        PlanFileError: It is not YAML, repeats a key, or is nested too deeply.
    """
    root = compose(text, name)
    try:
        return locate(root, name)
    except TooDeepError as error:
        message = "not a plan: nested too deeply"
        raise LocatedValue(name).error_at(error.line, message) from None


def compose(text: str, name: str) -> yaml.Node | None:
    """Return the syntax tree of a YAML text; None if it is empty.

    Raises:
        PlanFileError: It is not YAML.
    """
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}" if mark else ""
        raise PlanFileError(f"{name}{where}: not YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise PlanFileError(f"{name}: not YAML: {' '.join(str(error).split())}") from error
    except RecursionError as error:
        raise PlanFileError(f"{name}: not a plan: nested too deeply") from error


class TooDeepError(Exception):
    """A value is nested more deeply than those of a plan."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line
        """Line of the value, counted from 1."""


def locate(root: yaml.Node | None, name: str) -> LocatedValue:
    """Return the value of a syntax tree, with the lines of all values within it.

    Raises:
        PlanFileError: A key is repeated.
        TooDeepError: A value is nested too deeply.
    """
    located = LocatedValue(name)
    if root is not None:
        located.value = _read_node(root, (), located)
    return located


def _read_node(node: yaml.Node, place: Place, located: LocatedValue) -> Any:
    """Return a node's value with scalars as texts (`1984`, `yes`), and note its lines.

    Only a bare `null`, `~` or nothing at all is None: a person who writes a heading that YAML takes
    for a number, a date or a truth value means the text.
    """
    line = located.lines.setdefault(place, _line_of(node))
    if len(place) > _MAX_DEPTH:
        raise TooDeepError(line)
    if isinstance(node, yaml.SequenceNode):
        items = enumerate(node.value)
        return [_read_node(item, (*place, index), located) for index, item in items]
    if isinstance(node, yaml.MappingNode):
        return _read_mapping(node, place, located)
    if node.tag == "tag:yaml.org,2002:null":
        return None
    return node.value


def _read_mapping(node: yaml.MappingNode, place: Place, located: LocatedValue) -> dict[str, Any]:
    """Return a mapping's values by their keys, no key twice."""
    values: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = str(key_node.value)
        line = _line_of(key_node)
        if key in values:
            raise located.error_at(line, f"`{key}` appears here a second time")
        located.lines[(*place, key)] = line
        values[key] = _read_node(value_node, (*place, key), located)
    return values


def _line_of(node: yaml.Node) -> int:
    return node.start_mark.line + 1
