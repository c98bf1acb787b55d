"""Where sources run dry: what a section may still take, and when there is nothing to begin with."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from longchain import AgentWriteChain, SectionPlan, WritingPlan
from longchain.errors import SourceError
from longchain.models.offline import OfflineWriter
from longchain.models.offline.request import has_begun
from longchain.sources import References, render

PUMPS = "Pumps lift water to the tower. Valves close the pipe at night."
VALVES = "Valves are turned once a year."
DRY = "nothing left to write for 'Pumps'"


def passage(text: str, heading: str) -> Document:
    return Document(text, metadata={"source": "x", "heading": [heading]})


def step(
    text: str, length: int = 500, *, before: str = "", plan: str = "", more: str = ""
) -> HumanMessage:
    found = [passage(text, "Pumps"), *([passage(more, "Valves")] if more else [])]
    return HumanMessage(
        f"<plan>\n{plan}\n</plan>\n<text>\n{before}\n</text>\n"
        f"{render(References().add(found))}\n\n"
        f"<section>\nPumps\nHow water is lifted\n</section>\n\nWrite about {length} words"
    )


@pytest.mark.parametrize(
    "messages",
    [
        [step(PUMPS, before=f"## Towers\n\n{PUMPS}")],
        [step(PUMPS), AIMessage(PUMPS), step(PUMPS)],
        [step("```\npump --start\n```")],
        [step("- a list\n- of fragments")],
    ],
)
def test_a_section_with_nothing_to_begin_with(messages: list[BaseMessage]) -> None:
    with pytest.raises(SourceError, match=DRY) as error:
        OfflineWriter().invoke(messages)
    for way in ("more sources", "shorter", "--model"):
        assert way in str(error.value)


def test_a_section_that_has_begun_only_stays_short() -> None:
    assert OfflineWriter().invoke([step(PUMPS, before=f"## Pumps\n\n{PUMPS}")]).text == ""


def test_what_later_sections_would_have_is_taken_where_nothing_else_is() -> None:
    plan = "1. Pumps: How water is lifted\n2. Valves: Covers Valves."
    own = OfflineWriter().invoke([step(PUMPS, plan=plan, more=VALVES)])
    assert VALVES[:-1] not in own.text
    used_up = step(PUMPS, plan=plan, more=VALVES, before=f"## Towers\n\n{PUMPS}")
    assert OfflineWriter().invoke([used_up]).text == "Valves are turned once a year [2]."


def test_a_length_below_the_shortest_sentence() -> None:
    assert OfflineWriter().invoke([step(PUMPS, 2)]).text in (
        "Pumps lift water to the tower [1].",
        "Valves close the pipe at night [1].",
    )


SECTION = "Pumps\nHow water is lifted"
REFERENCES = '<reference id="1" title="x">\nPumps hum.\n</reference>\n'


@pytest.mark.parametrize(
    ("texts", "section", "expected"),
    [
        ([REFERENCES], SECTION, False),
        ([REFERENCES, "Pumps hum.", "Go on."], SECTION, True),
        (["Write."], "", False),
        ([f"<text>\n## Towers\n\nStand.\n</text>{REFERENCES}"], SECTION, False),
        ([f"<text>\n## Pumps\n\nHum.\n</text>{REFERENCES}"], SECTION, True),
        ([f"<text>\n## Pumps\n\nHum.\n\n## T\n\nS.\n</text>{REFERENCES}"], SECTION, False),
        ([f"<text>\nHum.\n</text>{REFERENCES}"], "How water is lifted", True),
        ([f"<text>\n## A list\n\nHum.\n</text>{REFERENCES}"], "", True),
    ],
)
def test_begun(texts: list[str], section: str, expected: bool) -> None:
    assert has_begun(texts, section) is expected


@pytest.mark.parametrize("layout", ["conversation", "paper"])
def test_a_document_that_the_sources_cannot_fill(layout: Any) -> None:
    parts = [SectionPlan(heading=name, main_point=name, length=90) for name in ("Water", "Pumps")]
    chain = AgentWriteChain(OfflineWriter(), layout=layout)
    given = {"instruction": "Pumps", "plan": WritingPlan(sections=parts).model_dump()}
    with pytest.raises(SourceError, match=DRY):
        chain.invoke(given | {"context": PUMPS})
    assert "Pumps lift water" in chain.invoke(given | {"context": f"{PUMPS} {MORE}"})["text"]


MORE = " ".join(
    f"The {name} {verb} every {time} before the {thing} is opened by hand."
    for name, verb, time, thing in zip(
        ["warden", "baker", "farmer", "doctor", "sailor", "judge", "tailor", "miner"],
        ["rests", "sings", "walks", "shouts", "swims", "reads", "dances", "digs"],
        ["morning", "winter", "Sunday", "evening", "summer", "month", "autumn", "noon"],
        ["gate", "oven", "barn", "clinic", "harbor", "court", "shop", "shaft"],
        strict=True,
    )
)
