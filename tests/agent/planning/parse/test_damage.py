"""Property tests: what takes nothing away from a plan in lines changes nothing."""

from __future__ import annotations

import re
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from longchain.agent.planning.parse import parse
from longchain.errors import PlanError

Triple = tuple[str, str, int]


def read(text: str) -> list[Triple]:
    return [(part.heading, part.main_point, part.length) for part in parse(text).sections]


WORD = st.text("abcdefgh", min_size=1, max_size=8)
PROSE = st.lists(WORD, min_size=1, max_size=6).map(" ".join)
PLANS = st.lists(st.tuples(PROSE, PROSE, st.integers(1, 99_999)), min_size=1, max_size=6)


def rendered(plan: list[Triple]) -> str:
    return "\n".join(
        f"Section {n} - Heading: {h} - Main Point: {p} - Word Count: {c} words"
        for n, (h, p, c) in enumerate(plan, 1)
    )


HARMLESS: dict[str, Callable[[str], str]] = {
    "long dashes": lambda text: text.replace(" - ", " — "),
    "semicolons": lambda text: text.replace(" - ", "；"),
    "own lines": lambda text: text.replace(" - ", "\n"),
    "bold labels": lambda text: re.sub(r"([A-Z][A-Za-z ]+):", r"**\1:**", text),
    "bold lines": lambda text: re.sub(r"(?m)^(.+)$", r"**\1**", text),
    "bullets": lambda text: re.sub(r"(?m)^", "- ", text),
    "thinking": lambda text: f"<think>{text}</think>{text}",
    "fence": lambda text: f"Here it is:\n```\n{text}\n```\nTotal: 9 words\n\nAnything else?",
    "full width": lambda text: text.translate(
        {ord(c): chr(ord(c) + 0xFEE0) for c in "0123456789:"}
    ),
    "numbers": lambda text: re.sub(r"Section \d+", "Section 7", text),
    "blank lines": lambda text: text.replace("\n", "\n\n"),
    "blanks": lambda text: text.replace("\n", "  \r\n   "),
}


@given(PLANS, st.lists(st.sampled_from(list(HARMLESS)), max_size=2, unique=True))
@settings(max_examples=300, deadline=None)
def test_damage_that_takes_nothing_away_changes_nothing(plan: list[Triple], how: list[str]) -> None:
    text = rendered(plan)
    for name in how:
        text = HARMLESS[name](text)
    assert read(text) == plan


@given(PLANS, st.data())
@settings(deadline=None)
def test_a_truncated_plan_keeps_its_whole_sections(plan: list[Triple], data: st.DataObject) -> None:
    text = rendered(plan)
    cut = text[: data.draw(st.integers(0, len(text)))]
    whole = plan[: cut.count("words\n") + cut.endswith("words")]
    try:
        assert read(cut)[: len(whole)] == whole
    except PlanError:
        assert not whole


@given(PLANS, st.data())
@settings(deadline=None)
def test_a_line_without_its_count_gets_the_mean(plan: list[Triple], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(plan) - 1))
    rows = rendered(plan).split("\n")
    rows[at] = rows[at].partition(" - Word Count")[0]
    others = [length for n, (_, _, length) in enumerate(plan) if n != at]
    read_back = read("\n".join(rows))
    assert [part[:2] for part in read_back] == [part[:2] for part in plan]
    assert read_back[at][2] == (round(sum(others) / len(others)) if others else 400)
