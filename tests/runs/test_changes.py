"""What people change on the way: what is written again, what stays, and what is said of it."""

from __future__ import annotations

from typing import Any

import pytest

from longchain import LongDocument, Runs, SectionPlan, WritingPlan
from longchain.document import ChapterPlan
from longchain.errors import InputError, RunError
from longchain.runs import Run
from tests.runs.tides import HEADINGS, BrokenError, given, plan, writer


def done(runs: Runs, **more: Any) -> tuple[Run, LongDocument]:
    run = runs.start(given(), model=writer(), run="tides", **more)
    return run, run.write()


def half(runs: Runs, calls: int = 2) -> Run:
    """A run with two of four sections."""
    model = writer(left=calls)
    run = runs.start(given(), model=model, run="tides")
    with pytest.raises(BrokenError):
        run.write()
    model.left = None
    return run


def texts(document: LongDocument) -> dict[str, str]:
    return {section.heading: section.text for section in document.sections}


def same(before: LongDocument, after: LongDocument) -> list[str]:
    """The headings of the sections that are as they were."""
    old = texts(before)
    return [heading for heading, text in texts(after).items() if old.get(heading) == text]


# Another wish ----------------------------------------------------------------------------------


def test_another_instruction_is_followed_from_here_on(runs: Runs) -> None:
    run = half(runs)
    before = run.document()
    assert run.amend(instruction="Write about tides for sailors.", style="Dry.") == [
        "the instruction differs; the style differs; kept as written: sections 1-2; "
        "the rest follows; the plan stays: give another one to change it"
    ]
    assert runs.record("tides").instruction == "Write about tides for sailors."
    after = run.write()
    assert same(before, after) == list(HEADINGS[:2])
    model: Any = run.chain.stages.model
    assert "for sailors" in str(model.requests[-1])
    assert "Dry." in str(model.requests[-1])


def test_another_length_is_shared_by_what_remains(runs: Runs) -> None:
    run = half(runs)
    before = run.document()
    assert run.amend(length=480)[0].startswith("the required length differs: 480 words; kept")
    after = run.write()
    assert same(before, after) == list(HEADINGS[:2])
    assert after.length == pytest.approx(480, rel=0.05)
    assert runs.record("tides").required == 480


def test_a_length_in_another_instruction_is_read(runs: Runs) -> None:
    run = half(runs)
    run.amend(instruction="Write 400 words about tides.")
    assert run.write().length == pytest.approx(400, rel=0.1)


def test_the_same_wish_changes_nothing(runs: Runs) -> None:
    run = half(runs)
    log = run.log()
    assert run.amend(instruction=" Write about tides. ", style="") == []
    assert run.edit(plan()) == []
    assert run.log() == log


@pytest.mark.parametrize("bad", [{"instruction": " "}, {"length": 0}, {"length": 3_000_000}])
def test_a_bad_wish_is_refused(bad: dict[str, Any], runs: Runs) -> None:
    run = half(runs)
    log = run.log()
    with pytest.raises(InputError):
        run.amend(**bad)
    assert run.log() == log


# Another plan ----------------------------------------------------------------------------------


def test_sections_come_go_and_move(runs: Runs) -> None:
    run, before = done(runs)
    said = run.edit(plan("Power", "Ships", "Causes", "Calendars"))
    assert said == [
        "the plan differs; kept as written: sections 1 and 3-4; new or changed, and to be "
        "written: section 2; dropped, though finished: 'Coasts'"
    ]
    assert runs.record("tides").status == "stopped"
    after = run.write()
    assert list(texts(after)) == ["Power", "Ships", "Causes", "Calendars"]
    assert same(before, after) == ["Power", "Causes", "Calendars"]
    assert after.usage.calls - before.usage.calls == 1


def test_a_changed_point_is_written_anew_and_a_changed_length_is_not(runs: Runs) -> None:
    run, before = done(runs)
    changed = plan()
    changed.sections[1].main_point = "Bays alone"
    changed.sections[2].length = 90
    assert run.edit(changed)[0].startswith(
        "the plan differs; kept as written: sections 1 and 3-4; "
        "of these, with another length than planned now: section 3; "
        "new or changed, and to be written: section 2"
    )
    assert same(before, run.write()) == ["Causes", "Power", "Calendars"]


def test_sections_of_the_same_name_are_told_apart(runs: Runs) -> None:
    twins = plan("Ebb", "Ebb")
    run = runs.start(given(plan=twins), model=writer(), run="tides")
    before = [section.text for section in run.write().sections]
    run.edit(plan("Ebb", "Ebb", "Ebb"))
    after = [section.text for section in run.write().sections]
    assert after[:2] == before
    assert len(set(after)) == 3


def test_another_unit_counts_what_is_kept_anew(runs: Runs) -> None:
    run = half(runs)
    other = plan(length=300)
    other.unit = "characters"
    run.edit(other)
    progress = run.progress()
    for draft in progress.sections[:2]:
        assert draft.length == progress.count(draft.plan.heading) + progress.count(draft.text)
    document = run.write()
    assert document.unit == "characters"
    assert document.length == pytest.approx(1200, rel=0.1)


@pytest.mark.parametrize(
    "bad", [{"sections": []}, {"sections": [{"length": 0}]}, {"sections": 7}, plan(length=600_000)]
)
def test_a_bad_plan_is_refused(bad: Any, runs: Runs) -> None:
    run = half(runs)
    log = run.log()
    with pytest.raises(InputError):
        run.edit(bad)
    assert run.log() == log


def test_chapters_are_planned_on(runs: Runs) -> None:
    chapters = [ChapterPlan(heading=name, main_point=name, length=200) for name in ("Sea", "Shore")]
    book = WritingPlan(title="Tides", chapters=chapters)
    model = writer(sections=2, left=3)
    run = runs.start(given(plan=book), model=model, run="tides")
    with pytest.raises(BrokenError):
        run.write()
    model.left = None
    before = run.document()
    assert len(before.sections) == 2
    now = run.plan
    assert now is not None
    longer = now.model_copy(deep=True)
    longer.chapters.append(ChapterPlan(heading="Sky", main_point="The moon", length=200))
    said = run.edit(longer)
    assert said == ["the plan differs; kept as written: sections 1-2"]
    after = run.write()
    assert [section.chapter for section in after.sections] == ["Sea"] * 2 + ["Shore"] * 2 + [
        "Sky"
    ] * 2
    assert [s.text for s in after.sections[:2]] == [s.text for s in before.sections]
    assert run.revise(3, "shorter")
    assert len(run.write().sections) == 6


# One section -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("note", "length", "target"),
    [
        ("shorter, less formal", None, 40),
        ("expand it", None, 90),
        ("in 30 words", None, 30),
        ("less formal", None, 60),
        ("less formal", 45, 45),
    ],
)
def test_a_revision_has_its_length(note: str, length: int | None, target: int, runs: Runs) -> None:
    run, before = done(runs)
    was = before.sections[1].length
    (said,) = run.revise(2, note, length)
    expected = {40: round(was * 2 / 3), 90: round(was * 1.5), 60: was}.get(target, target)
    assert said == f"section 2 will be revised to about {expected:,} words: {note}"
    after = run.write()
    assert same(before, after) == ["Causes", "Power", "Calendars"]
    assert after.sections[1].length == pytest.approx(expected, abs=12)
    assert f"revised: {note}" in after.sections[1].notes
    assert after.report["finished"]


def test_the_model_sees_what_it_is_to_revise(runs: Runs) -> None:
    run, before = done(runs)
    run.revise(2, "shorter, less formal")
    run.write()
    model: Any = run.chain.stages.model
    assert before.sections[1].text in str(model.requests[-1])
    assert "less formal" in str(model.requests[-1][-1].content)


def test_a_section_stands_until_its_revision_does(runs: Runs) -> None:
    run, before = done(runs)
    model: Any = run.chain.stages.model
    run.revise(2, "shorter")
    model.left = 0
    with pytest.raises(BrokenError):
        run.write()
    assert texts(run.document()) == texts(before)
    model.left = None
    assert same(before, run.write()) == ["Causes", "Power", "Calendars"]


def test_the_last_of_two_notes_holds(runs: Runs) -> None:
    run, before = done(runs)
    run.revise(2, "longer")
    run.revise(2, "in 30 words")
    after = run.write()
    assert after.sections[1].length == pytest.approx(30, abs=6)
    assert same(before, after) == ["Causes", "Power", "Calendars"]


def test_a_shorter_section_makes_the_whole_shorter(runs: Runs) -> None:
    run, before = done(runs)
    run.revise(2, "in 30 words")
    after = run.write()
    assert after.report["required_length"] < before.report["required_length"]
    assert after.report["length_score"] > 85


def test_sections_are_written_again_from_one_on(runs: Runs) -> None:
    run, before = done(runs)
    assert run.rewrite(3) == ["to be written again: sections 3-4"]
    assert len(run.document().sections) == 2
    assert same(before, run.write()) == ["Causes", "Coasts"]
    assert run.rewrite(4) == ["to be written again: section 4"]


def test_a_persons_text_takes_a_sections_place(runs: Runs) -> None:
    run, before = done(runs)
    said = run.rewrite(2, "## Coasts\n\nBays are narrow, and waves are high.\n")
    assert said == ["section 2 is the given text: 8 words", "to be written again: sections 3-4"]
    after = run.write()
    assert after.sections[1].text == "Bays are narrow, and waves are high."
    assert after.sections[1].notes == ["written by hand"]
    assert same(before, after) == ["Causes"]
    model: Any = run.chain.stages.model
    assert "Bays are narrow" in str(model.requests[-1])


def test_the_last_sections_text_finishes_the_run(runs: Runs) -> None:
    run, _ = done(runs)
    run.rewrite(4, "The moon is full.")
    assert runs.record("tides").status == "done"
    assert run.document().sections[3].text == "The moon is full."


@pytest.mark.parametrize("section", [0, 5, -1])
def test_a_section_that_is_not_there(section: int, runs: Runs) -> None:
    run, _ = done(runs)
    for change in (
        lambda: run.revise(section, "shorter"),
        lambda: run.rewrite(section),
        lambda: run.rewrite(section, "A text."),
        lambda: runs.fork("tides", section, model=writer()),
    ):
        with pytest.raises(RunError, match=f"there is no section {section}: the document has 4"):
            change()
    assert len(runs.list()) == 1


def test_nothing_can_be_changed_before_there_is_a_plan(runs: Runs) -> None:
    run = runs.start("Write 300 words about tides.", model=writer(), run="tides")
    for change in (lambda: run.revise(1, "shorter"), lambda: runs.fork("tides", 1, model=writer())):
        with pytest.raises(RunError, match="nothing is planned yet"):
            change()


# Forks -----------------------------------------------------------------------------------------


def test_a_fork_shares_the_beginning(runs: Runs) -> None:
    run, before = done(runs)
    log = run.log()
    forked = runs.fork("tides", 3, model=writer(seed=7), instruction="Write about ebbs.")
    assert forked.record.parent == "tides"
    assert forked.record.instruction == "Write about ebbs."
    after = forked.write()
    assert same(before, after) == ["Causes", "Coasts"]
    assert (run.log(), runs.get("tides").document()) == (log, before)


def test_a_fork_may_be_written_otherwise(runs: Runs) -> None:
    done(runs)
    other = plan("Causes", "Ships", "Mills")
    forked = runs.fork("tides", 2, name="other", model=writer(), plan=other, mode="parallel")
    assert list(texts(forked.write())) == ["Causes", "Ships", "Mills"]
    assert forked.mode == "parallel"


@pytest.mark.parametrize(
    "bad",
    [
        {"text": " "},
        {"plan": {"sections": []}},
        {"instruction": ""},
        {"length": -1},
        {"name": "tides"},
        {"name": "no/name"},
        {"model": "nobody:knows"},
        {"memory": "elephant"},
    ],
)
def test_a_fork_that_is_refused_leaves_nothing(bad: dict[str, Any], runs: Runs) -> None:
    done(runs)
    with pytest.raises(InputError):
        runs.fork("tides", 2, **{"model": writer(), **bad})
    assert [record.id for record in runs.list()] == ["tides"]


# Languages and memories ------------------------------------------------------------------------


def test_japanese(runs: Runs) -> None:
    parts = [
        SectionPlan(heading=name, main_point=f"{name}について", length=120)
        for name in ("原因", "海岸", "暦")
    ]
    book = WritingPlan(title="潮", sections=parts, unit="characters", language="ja")
    asked = {"instruction": "潮の満ち引きについて書いてください。", "plan": book.model_dump()}
    run = runs.start(asked, model=writer(), run="shio")
    before = run.write()
    was = before.sections[1].length
    assert run.revise(2, "短く") == [
        f"section 2 will be revised to about {round(was * 2 / 3)} characters: 短く"
    ]
    after = run.write()
    assert same(before, after) == ["原因", "暦"]
    assert after.sections[1].length == pytest.approx(was * 2 / 3, rel=0.2)
    assert run.revise(2, "60字で")[0].startswith("section 2 will be revised to about 60 ")
    assert run.rewrite(2, "## 海岸\n\n湾は狭い。")[0] == "section 2 is the given text: 7 characters"


@pytest.mark.parametrize("change", ["revise", "rewrite", "replace", "edit"])
def test_a_summary_of_what_is_gone_is_made_again(change: str, runs: Runs) -> None:
    names = [f"Tide {number}" for number in range(12)]
    book = plan(*names, length=120)
    model = writer()
    run = runs.start(
        given(plan=book), model=model, run="tides", memory="summary", memory_tokens=400
    )
    run.write()
    before = run.progress()
    assert before.summaries
    if change == "revise":
        run.revise(1, "shorter")
    elif change == "rewrite":
        run.rewrite(1)
    elif change == "replace":
        run.rewrite(1, "The first tide was low.")
    else:
        run.edit(plan("Ebb", *names[1:], length=120))
    assert run.progress().summaries == []
    document = run.write()
    assert len(document.sections) == 12
    assert document.report["finished"]


def test_a_direct_text_is_revised(runs: Runs) -> None:
    run = runs.start("Write 300 words about tides.", model=writer(), mode="direct", run="tides")
    run.write()
    run.revise(1, "in 200 words")
    assert run.write().length == pytest.approx(200, rel=0.1)
    with pytest.raises(InputError, match="takes no plan"):
        run.edit(plan())
