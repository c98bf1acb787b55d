"""Runs are started, found, listed, read, gone on with and deleted."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
from tides import HEADINGS, BrokenError, given, plan, writer

from longchain import AgentWriteChain, Budget, Prices, Runs
from longchain.errors import BudgetError, InputError, ModelNameError, RunError
from longchain.runs import spec
from longchain.testing import FakeWriter, LengthBehavior


def stop_after(runs: Runs, calls: int, name: str = "tides", **options: Any) -> None:
    """Start a run whose model breaks after so many calls."""
    run = runs.start(given(), model=writer(left=calls), run=name, **options)
    with pytest.raises(BrokenError):
        run.write()


# Started ---------------------------------------------------------------------------------------


def test_a_run_writes_a_document(runs: Runs) -> None:
    run = runs.start(given(), model=writer())
    document = run.write()
    assert [section.heading for section in document.sections] == list(HEADINGS)
    record = runs.record(run.id)
    assert (record.status, record.finished, record.sections) == ("done", 4, 4)
    assert (record.length, record.title, record.usage) == (
        document.length,
        "Tides",
        document.usage,
    )


def test_it_is_registered_before_the_first_call(runs: Runs) -> None:
    model = writer()
    run = runs.start("Write 300 words about tides.", model=model)
    assert model.calls == 0
    assert [record.id for record in runs.list()] == [run.id]
    assert (run.record.status, run.record.required) == ("new", 300)


@pytest.mark.parametrize(
    "bad",
    [
        {"input": ""},
        {"input": "Tides", "memory": "elephant"},
        {"input": {"instruction": "Tides", "length": 0}},
        {"input": {"instruction": "Tides", "sources": ["no such file"]}},
        {"input": "Tides", "run": "../tides"},
        {"input": "Tides", "run": "last"},
        {"input": "Tides", "run": ""},
        {"input": "Tides", "model": "nobody:knows"},
        {"input": {"instruction": "Tides", "plan": {"sections": []}}},
    ],
)
def test_bad_input_registers_nothing(bad: dict[str, Any], runs: Runs) -> None:
    with pytest.raises(InputError):
        runs.start(**{"model": writer(), **bad})
    assert runs.list() == []


def test_a_name_is_taken_once(runs: Runs) -> None:
    stop_after(runs, 2)
    with pytest.raises(RunError, match="there is a run 'tides' already"):
        runs.start(given(), model=writer(), run="tides")
    assert runs.record("tides").finished == 2
    assert len(runs.get("tides").document().sections) == 2


def test_a_name_taken_in_the_last_moment_is_refused(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes look whether a name is free, and the other one registers it first."""
    load, looked = runs._store.load, []

    def late(run: str) -> Any:
        looked.append(run)
        return None if len(looked) == 1 else load(run)

    stop_after(runs, 2)
    monkeypatch.setattr(runs._store, "load", late)
    with pytest.raises(RunError, match="already"):
        runs.start(given(), model=writer(), run="tides")
    monkeypatch.undo()
    assert len(runs.get("tides").document().sections) == 2


def test_sources_are_made_absolute(
    runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notes.md").write_text("The moon pulls the sea.")
    monkeypatch.chdir(tmp_path)
    runs.start({"instruction": "Tides", "sources": ["notes.md"]}, model=writer(), run="tides")
    monkeypatch.chdir("/")
    document = runs.resume("tides", model=writer()).write()
    assert document.sections


def test_an_output_is_made_absolute(
    runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = runs.start(given(), model=writer(), output="tides.md")
    assert runs.record(run.id).output == str(tmp_path / "tides.md")


def test_the_model_of_the_environment_is_pinned(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LONGCHAIN_MODEL", "openai:tide-writer")
    monkeypatch.setenv("LONGCHAIN_BASE_URL", "http://127.0.0.1:9/v1")
    run = runs.start(given(), run="tides")
    assert (run.record.model, run.record.base_url) == (
        "openai:tide-writer",
        "http://127.0.0.1:9/v1",
    )
    assert run.record.model_name == "tide-writer"
    monkeypatch.setenv("LONGCHAIN_MODEL", "openai:other")
    monkeypatch.delenv("LONGCHAIN_BASE_URL")
    again = runs.resume("tides")
    assert again.messages == []
    model: Any = again.chain.stages.model
    assert (model.model_name, model.openai_api_base) == ("tide-writer", "http://127.0.0.1:9/v1")


def test_without_a_model_the_offline_writer_is_pinned(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runs.start({"instruction": "Tides", "context": ["The moon pulls."]})
    monkeypatch.setenv("OPENAI_API_KEY", "sk-tides")
    assert runs.resume(run.id).record.model == "offline"


# Found -----------------------------------------------------------------------------------------


def test_runs_are_found_by_their_beginning_and_as_last(runs: Runs) -> None:
    for name in ("ebb-1", "ebb-2", "flood"):
        runs.start(given(), model=writer(), run=name)
    assert runs.record("ebb-1").id == "ebb-1"
    assert runs.record("fl").id == "flood"
    assert runs.record("last").id == "flood"
    assert [record.id for record in runs.list()] == ["flood", "ebb-2", "ebb-1"]
    with pytest.raises(RunError, match="several runs begin with 'ebb': ebb-2, ebb-1; name one"):
        runs.record("ebb")
    for unknown in ("tide", ""):
        with pytest.raises(RunError, match=f"there is no run '{unknown}'"):
            runs.record(unknown)


def test_a_whole_name_wins_over_beginnings(runs: Runs) -> None:
    for name in ("ebb", "ebb-2"):
        runs.start(given(), model=writer(), run=name)
    assert runs.record("ebb").id == "ebb"


def test_nothing_is_last_where_there_is_nothing(runs: Runs) -> None:
    with pytest.raises(RunError, match="there is no run 'last'"):
        runs.resume("last")


def test_a_made_name_says_the_day(runs: Runs) -> None:
    assert re.fullmatch(r"\d{8}-[a-z2-9]{5}", runs.start(given(), model=writer()).id)


def test_a_deleted_run_is_gone(runs: Runs) -> None:
    stop_after(runs, 2)
    stop_after(runs, 3, "other")
    run = runs.get("tides")
    runs.delete("tides")
    assert [record.id for record in runs.list()] == ["other"]
    with pytest.raises(RunError, match="holds nothing"):
        run.document()
    assert runs.get("other").record.finished == 3
    # Its name is free again, and nothing of it comes back.
    assert runs.start(given(), model=writer(), run="tides").progress().sections[0].text == ""


# Read ------------------------------------------------------------------------------------------


def test_an_unfinished_run_can_be_read_without_a_model(runs: Runs, state: Path) -> None:
    stop_after(runs, 2)
    with Runs(state) as others:
        document = others.get("tides").document()
    assert [section.heading for section in document.sections] == list(HEADINGS[:2])
    assert document.report["finished"] is False
    assert "## Coasts" in document.text


def test_a_run_without_a_plan_cannot_be_read(runs: Runs) -> None:
    run = runs.start("Write 300 words about tides.", model=writer(left=0))
    with pytest.raises(BrokenError):
        run.write()
    assert run.record.status == "failed"
    with pytest.raises(RunError, match="has no plan yet"):
        run.document()


def test_looking_at_a_run_changes_nothing(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where another version of the library looks, and where the model is not at hand."""
    stop_after(runs, 2)
    before, log = runs.record("tides"), runs.get("tides").log()
    monkeypatch.setattr(spec, "version", lambda _: "99.0")
    run = runs.get("tides")
    assert len(run.document().sections) == 2
    assert (runs.record("tides"), run.log()) == (before, log)


def test_the_report_of_a_run_that_is_read_says_what_it_cost(runs: Runs) -> None:
    prices = Prices(input=1.0, output=2.0)
    run = runs.start(given(), model=writer(), budget=Budget(prices=prices), run="tides")
    cost = run.write().report["cost"]
    assert cost > 0
    assert runs.get("tides").document().report["cost"] == cost


# Gone on with ----------------------------------------------------------------------------------


@pytest.mark.parametrize("calls", [0, 1, 2, 3])
def test_a_resumed_run_is_as_one_that_was_never_stopped(calls: int, runs: Runs) -> None:
    model = writer(left=calls)
    with pytest.raises(BrokenError):
        runs.start(given(), model=model, run="tides").write()
    model.left = None
    document = runs.resume("tides", model=model).write()
    once = runs.start(given(), model=writer()).write()
    assert document.text == once.text
    # The call that broke is sent again, and no other.
    assert model.calls == len(HEADINGS) + 1
    assert runs.record("tides").error == ""


async def test_an_asynchronous_run_is_resumed(runs: Runs) -> None:
    run = runs.start(given(), model=writer(left=2), run="tides")
    with pytest.raises(BrokenError):
        await run.awrite()
    model = writer()
    document = await runs.resume("tides", model=model).awrite()
    assert (len(document.sections), model.calls) == (4, 2)


def test_why_it_stopped_is_noted(runs: Runs) -> None:
    stop_after(runs, 2)
    record = runs.record("tides")
    assert (record.status, record.finished) == ("stopped", 2)
    assert "the model is broken" in record.error


def test_a_finished_run_is_read_again_without_a_call(runs: Runs) -> None:
    document = runs.start(given(), model=writer(), run="tides").write()
    # Not even its model is needed.
    assert runs.resume("tides").write() == document
    assert runs.record("tides").status == "done"


def test_a_finished_run_needs_no_model_that_can_be_had(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-tides")
    run = runs.start(given(), model="openai:gone", run="tides")
    run._make_chain = lambda: AgentWriteChain(writer(), checkpointer=runs._store.saver)
    run._chain = None
    document = run.write()
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(ModelNameError):
        _ = runs.resume("tides").chain
    assert runs.resume("tides").write() == document


def test_options_are_kept(runs: Runs) -> None:
    options = {"memory": "summary", "layout": "paper", "window": 9000, "length_control": False}
    stop_after(runs, 2, budget=Budget(calls=50), **options)
    stages = runs.resume("tides", model=writer()).chain.stages
    assert (stages.layout, stages.length_control) == ("paper", False)
    assert stages.limit.window == 9000
    assert stages.policy.budget == Budget(calls=50)


def test_what_was_handed_over_is_handed_over_again(runs: Runs) -> None:
    run = runs.start(given(), model=writer(left=2), retriever=lambda _: [], run="tides")
    assert run.record.external == ["model", "retriever"]
    with pytest.raises(BrokenError):
        run.write()
    sentence = (
        "the run 'tides' was started with a model and a retriever of your own: "
        "hand it over again, as resume('tides', model=…)"
    )
    with pytest.raises(RunError, match=re.escape(sentence)):
        runs.resume("tides").write()
    assert runs.resume("tides", model=writer(), retriever=lambda _: []).write().report["finished"]


def test_a_string_in_the_place_of_a_model_is_kept(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_after(runs, 2)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-tides")
    runs.resume("tides", model="openai:gpt-5-mini")
    record = runs.record("tides")
    assert (record.model, record.external) == ("openai:gpt-5-mini", [])
    assert record.model_name == "gpt-5-mini"
    assert runs.resume("tides").messages == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"model": "openai:new"},
            "the model differs: openai:new goes on for openai:old; what is written stays",
        ),
        ({"budget": Budget(calls=9)}, "budget differs: {'calls': 9,"),
        (
            {"base_url": "http://127.0.0.1:8/v1"},
            "the base URL differs: http://127.0.0.1:8/v1 goes on for what the environment named",
        ),
        ({"length": 900}, "the required length differs: 900 words; nothing is written yet"),
        ({"instruction": "Write about ebbs."}, "the instruction differs; nothing is written yet"),
        ({"style": "Dry."}, "the style differs"),
        ({"plan": plan("Causes", "Ships")}, "the plan differs; new or changed, and to be written"),
    ],
)
def test_what_differs_is_said(
    change: dict[str, Any], said: str, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-tides")
    runs.start(given(), model="openai:old", run="tides")
    run = runs.resume("tides", **change)
    assert run.messages[0].startswith(said)
    assert len(run.messages) == 1
    # And it is kept.
    assert runs.resume("tides").messages == []


def test_another_version_is_said(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    stop_after(runs, 2)
    before = runs.record("tides").version
    monkeypatch.setattr(spec, "version", lambda _: "99.0")
    run = runs.resume("tides", model=writer())
    assert run.messages == [f"longchain differs: 99.0 goes on for {before}; what is written stays"]
    assert run.write().report["finished"]
    assert runs.record("tides").version == "99.0"


def test_a_run_of_a_later_format_is_refused(runs: Runs) -> None:
    run = runs.start(given(), model=writer(), run="tides")
    runs._store.save(run.record.model_copy(update={"format": 2, "version": "7.0"}))
    for method in (runs.get, runs.resume):
        with pytest.raises(RunError, match=r"written by longchain 7\.0.*upgrade longchain"):
            method("tides")
    assert runs.list()[0].id == "tides"  # it can be seen, and deleted
    runs.delete("tides")


def test_how_sections_are_written_cannot_change(runs: Runs) -> None:
    stop_after(runs, 2)
    with pytest.raises(RunError, match="mode cannot change on the way: fork the run"):
        runs.resume("tides", model=writer(), mode="parallel")


def test_a_budget_stops_and_a_larger_one_goes_on(runs: Runs) -> None:
    run = runs.start(given(), model=writer(), budget=Budget(calls=2), run="tides")
    with pytest.raises(BudgetError):
        run.write()
    assert (runs.record("tides").finished, runs.record("tides").status) == (2, "stopped")
    with pytest.raises(BudgetError):
        runs.resume("tides", model=writer()).write()
    model = writer()
    runs.resume("tides", model=model, budget=Budget(calls=4)).write()
    assert model.calls == 2


def test_a_caller_that_stops_following_leaves_it_whole(runs: Runs) -> None:
    model = writer()
    run = runs.start(given(), model=model, run="tides")
    steps = run.follow()
    next(steps)
    next(steps)
    steps.close()  # type: ignore[attr-defined]
    assert runs.record("tides").status == "stopped"
    assert not runs.held("tides")
    assert run.write().report["finished"]
    assert model.calls == 4


# Side by side ----------------------------------------------------------------------------------


def test_sections_beside_one_that_fails_are_kept(runs: Runs) -> None:
    run = runs.start(given(), model=writer(avoids="part 3 "), mode="parallel", run="tides")
    with pytest.raises(BrokenError):
        run.write()
    assert [draft.done for draft in run.progress().sections] == [True, True, False, True]
    assert (runs.record("tides").finished, len(run.document().sections)) == (2, 2)
    texts = [draft.text for draft in run.progress().sections]
    model = writer()
    document = runs.resume("tides", model=model).write()
    assert model.calls == 1
    assert [s.text for s in document.sections if s.heading != "Power"] == [
        text for text in texts if text
    ]


def test_sections_that_were_stored_before_a_stop_are_kept(runs: Runs) -> None:
    """The caller stops after the first of them is back; what then comes back is stored, too."""
    run = runs.start(given(), model=writer(), mode="parallel", run="tides")
    steps = run.follow()
    next(steps)
    steps.close()  # type: ignore[attr-defined]
    done = sum(draft.done for draft in run.progress().sections)
    assert done > 0
    model = writer()
    document = runs.resume("tides", model=model).write()
    assert (len(document.sections), model.calls) == (4, 4 - done)
    assert runs.record("tides").usage.calls == 4


class KilledError(BaseException):
    """Ends a step as if its process had ended: nothing handles it."""


@pytest.mark.parametrize("change", [False, True])
def test_sections_that_were_not_yet_taken_in_are_kept(change: bool, runs: Runs) -> None:
    """Of four at once, one kills the step when the others are stored."""

    def kill(messages: Any) -> str:
        if "part 3 " not in str(messages[-1].content):
            return f"{messages[-1].content[-80:]} The tide comes, and the tide goes again."
        while sum(bool(draft.text) for draft in run.progress().sections) < 3:
            time.sleep(0.01)
        raise KilledError

    killer = FakeWriter(replies=[kill] * 4)
    run = runs.start(given(), model=killer, mode="parallel", length_control=False, run="tides")
    with pytest.raises(KilledError):
        run.write()
    before = run.progress()
    assert [draft.done for draft in before.sections] == [True, True, False, True]
    assert [draft.calls for draft in before.sections] == [1, 1, 0, 1]
    record = runs.record("tides")
    assert (record.usage, record.status, record.finished) == (before.usage, "stopped", 2)
    model = writer()
    again = runs.resume("tides", model=model, **({"style": "Dry."} if change else {}))
    document = again.write()
    assert (model.calls, len(document.sections), document.usage.calls) == (1, 4, 4)
    texts = [draft.text for draft in before.sections]
    assert [s.text for s in document.sections if s.heading != "Power"] == list(filter(None, texts))
    assert document.usage == again.progress().usage == runs.record("tides").usage
    assert document == runs.get("tides").document()


def test_a_change_takes_in_what_was_finished_side_by_side(runs: Runs) -> None:
    run = runs.start(given(), model=writer(), mode="parallel", run="tides")
    steps = run.follow()
    next(steps)
    steps.close()  # type: ignore[attr-defined]
    before = [draft.text for draft in run.progress().sections]
    run.amend(style="Dry.")
    assert [draft.text for draft in run.progress().sections] == before
    assert len(run.write().sections) == 4


# A plan that is reviewed -----------------------------------------------------------------------


def reviewed(runs: Runs, **options: Any) -> Any:
    run = runs.start(
        "Write 300 words about tides.",
        model=FakeWriter(behavior=LengthBehavior(sections=3)),
        review=True,
        run="tides",
        **options,
    )
    with pytest.raises(RunError, match="waits for a review"):
        run.write()
    assert run.record.status == "review"
    return run


def test_a_plan_is_approved(runs: Runs) -> None:
    run = reviewed(runs)
    assert len(run.plan.sections) == 3
    run.review()
    assert len(run.write().sections) == 3


def test_a_plan_is_changed_in_review(runs: Runs) -> None:
    reviewed(runs)
    run = runs.resume("tides", model=writer(), plan=plan("Causes", "Ships"))
    assert [section.heading for section in run.write().sections] == ["Causes", "Ships"]


@pytest.mark.parametrize(
    "change", [{"style": "Dry."}, {"length": 400}, {"budget": Budget(calls=99)}]
)
def test_a_change_does_not_pass_the_review_by(change: dict[str, Any], runs: Runs) -> None:
    reviewed(runs)
    run = runs.resume("tides", model=writer(), **change)
    with pytest.raises(RunError, match="waits for a review"):
        run.write()
    run.review()
    assert len(run.write().sections) == 3


def test_a_bad_plan_is_refused_in_review(runs: Runs) -> None:
    run = reviewed(runs)
    with pytest.raises(InputError, match="no sections"):
        run.edit({"sections": []})
    assert run.reviewing()


def test_a_change_before_the_plan_keeps_the_sources_in_view(runs: Runs, tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("# Barrages\n\nThe barrage at La Rance turns with the sea.")
    sources = [str(tmp_path / "notes.md")]
    asked = {"instruction": "Write 200 words about tides.", "sources": sources}
    runs.start(asked, model=writer(), run="tides")
    model = writer()
    runs.resume("tides", model=model, style="Dry.").write()
    assert "Barrages" in str(model.requests[0])


def test_a_length_changes_before_there_is_a_plan(runs: Runs) -> None:
    with pytest.raises(BrokenError):
        runs.start("Write 300 words about tides.", model=writer(left=0), run="tides").write()
    run = runs.resume("tides", model=writer(), length=500)
    assert run.messages == ["the required length differs: 500 words; nothing is written yet, "
                        "so all of it follows"]  # fmt: skip
    assert run.write().length == pytest.approx(500, rel=0.1)


@pytest.mark.enable_socket
@pytest.mark.allow_hosts(["127.0.0.1"])
@pytest.mark.xfail(
    strict=True,
    reason="with a plan, `Nodes.advance` asks a LongWriter server for its window as the first "
    "events are stored, so a run (or a change) needs its server before it is registered",
)
def test_a_run_with_a_plan_is_registered_while_its_server_is_down(runs: Runs) -> None:
    runs.start(given(), model="longwriter:tides@http://127.0.0.1:9/v1", run="tides")
    assert runs.record("tides").status == "new"
