"""The values of a file together with their lines.

parsed file -> `LocatedValue`; place in it -> `PlanFileError` with file and line

Does not know the format of the file, or which fields a plan has.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from longchain.errors import PlanFileError

Place = tuple[str | int, ...]
"""Keys and indexes that lead to a value, from the outside in."""


@dataclass(slots=True)
class LocatedValue:
    """The value of a file, and the lines of all values within it."""

    name: str
    """Name of the file in messages."""

    value: Any = None
    lines: dict[Place, int] = field(default_factory=dict)
    """Line of each place, counted from 1."""

    def find(self, place: Place) -> Any:
        """Return the value at a place that exists."""
        value = self.value
        for step in place:
            value = value[step]
        return value

    def error(self, place: Place, message: str) -> PlanFileError:
        """Return the error at a place, or at the nearest one around it whose line is known."""
        while place and place not in self.lines:
            place = place[:-1]
        if place in self.lines:
            return self.error_at(self.lines[place], message)
        return PlanFileError(f"{self.name}: {message}")

    def error_at(self, line: int, message: str) -> PlanFileError:
        """Return the error on a line."""
        return PlanFileError(f"{self.name}, line {line}: {message}")
