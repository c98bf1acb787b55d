"""A plan in JSON.

`WritingPlan` -> text; text -> `LocatedValue`

Takes the lines of values from YAML's syntax tree; does not know which fields a plan has.
"""

from __future__ import annotations

import json
import re

from longchain.agent.planning.planfile import yaml_format
from longchain.agent.planning.planfile.located import LocatedValue, Place
from longchain.agent.planning.planfile.schema import to_data
from longchain.document import WritingPlan
from longchain.errors import PlanFileError

_NOT_IN_YAML = re.compile(r"[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd]")
"""Characters that JSON allows and PyYAML refuses."""


def write(plan: WritingPlan) -> str:
    """Return a plan as JSON."""
    return json.dumps(to_data(plan), ensure_ascii=False, indent=2) + "\n"


def read(text: str, name: str) -> LocatedValue:
    """Return the value of a JSON text.

    Raises:
        PlanFileError: It is not JSON, repeats a key, or is nested too deeply.
    """
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise PlanFileError(f"{name}, line {error.lineno}: not JSON: {error.msg}") from error
    except RecursionError as error:
        raise PlanFileError(f"{name}: not a plan: nested too deeply") from error
    except ValueError as error:  # a number of more than 4,300 digits
        raise PlanFileError(f"{name}: not JSON: {error}") from error
    return LocatedValue(name, value, _find_lines(text, name))


def _find_lines(text: str, name: str) -> dict[Place, int]:
    """Return the lines of all values; none if YAML does not read the text, or it is no plan's."""
    # JSON is YAML but for the characters replaced here, so the same tree gives the lines.
    yaml_text = _NOT_IN_YAML.sub("?", text.replace("\t", " "))
    try:
        root = yaml_format.compose(yaml_text, name)
    except PlanFileError:
        return {}
    try:
        return yaml_format.locate(root, name).lines
    except yaml_format.TooDeepError:
        return {}
