"""A document of four sections, and a writer that can be told to fail."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from longchain import SectionPlan, WritingPlan
from longchain.testing import FakeWriter, LengthBehavior

HEADINGS = ("Causes", "Coasts", "Power", "Calendars")


def plan(*headings: str, length: int = 60) -> WritingPlan:
    """A plan with these headings; of none, the usual four."""
    parts = [
        SectionPlan(heading=heading, main_point=f"About {heading.lower()}", length=length)
        for heading in headings or HEADINGS
    ]
    return WritingPlan(title="Tides", sections=parts)


def given(**more: Any) -> dict[str, Any]:
    return {"instruction": "Write about tides.", "plan": plan().model_dump(), **more}


class BrokenError(RuntimeError):
    """What a model raises that a test has told to fail."""


class Writer(FakeWriter):
    """Writes as asked, and fails from one call on, or where a prompt says something."""

    left: int | None = None
    """Calls until it fails; None: it does not."""
    avoids: str = ""
    """It fails where the last message holds this."""
    said: list[str] = Field(default_factory=list)
    """All its replies."""

    def _next_reply(self, messages: Any, schema: Any) -> Any:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise BrokenError("the model is broken")
        if self.avoids and self.avoids in str(messages[-1].content):
            raise BrokenError(f"the model avoids {self.avoids}")
        reply = super()._next_reply(messages, schema)
        self.said.append(str(getattr(reply, "content", reply)))
        return reply


def writer(left: int | None = None, avoids: str = "", **behavior: Any) -> Writer:
    return Writer(behavior=LengthBehavior(**behavior), left=left, avoids=avoids)
