"""AgentWrite writes every entry of a text that must have many: LongGenBench's question."""

from __future__ import annotations

from longchain import AgentWriteChain
from longchain.bench.schema import Prediction, Sample
from longchain.bench.score import score
from longchain.testing import FakeWriter

WEEKS, EACH = 52, 4
SAMPLE = Sample(
    id="1",
    task="longgenbench",
    prompt=(
        "Write the diary of a lighthouse keeper for the year 1904, an entry of 53 words for each "
        "of its 52 weeks, in order. Begin each entry with #*# and the week, such as #*# Week 1."
    ),
    extra={"entry": "Week", "number": WEEKS, "separator": "#*#", "prefix": ""},
)


def entry(week: int) -> str:
    """A week of 53 words, like no other one."""
    said = [f"On day {day} of it the lamp took {week * day} pints of oil." for day in range(1, 5)]
    return f"#*# Week {week}: {' '.join(said)} Fog came late."


def replies() -> list[str]:
    """The plan in the paper's lines, then the sections: four weeks each."""
    starts = range(1, WEEKS + 1, EACH)
    line = "Paragraph {} - Main Point: Weeks {} to {} - Word Count: 212 words"
    plan = [line.format(n, start, start + EACH - 1) for n, start in enumerate(starts, 1)]
    return [
        "\n".join(plan),
        *("\n\n".join(entry(week) for week in range(start, start + EACH)) for start in starts),
    ]


def test_every_week_is_there() -> None:
    document = AgentWriteChain(FakeWriter(replies=replies())).invoke(SAMPLE.prompt)
    found = score(
        Prediction(**SAMPLE.model_dump(), response=document["text"], mode="sequential")
    ).measures
    assert (found["completion"], found["completion_published"]) == (100.0, 100.0)


def test_a_missing_week_is_seen() -> None:
    document = AgentWriteChain(FakeWriter(replies=replies())).invoke(SAMPLE.prompt)
    text = document["text"].replace(entry(7), "")
    found = score(Prediction(**SAMPLE.model_dump(), response=text, mode="sequential")).measures
    assert found["completion"] == 100 * 51 / 52
