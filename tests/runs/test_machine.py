"""Any sequence of crashes, resumes and changes keeps plan, sections and record consistent."""

from __future__ import annotations

import re
import shutil
import tempfile
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from tides import HEADINGS, BrokenError, Writer, given, plan, writer

from longchain import Runs
from longchain.agent.state import DocumentState
from longchain.errors import InputError
from longchain.runs.run import Run, _progress_fields

NAMES = (*HEADINGS, "Ships", "Mills", "Fish")
HAND = "A person wrote number {number} of these texts by hand, and every word of it stays."


class Model:
    """What is known of a run beside what it keeps of itself."""

    def __init__(self, model: Writer) -> None:
        self.model = model
        self.by_hand: set[str] = set()
        self.kept: dict[str, str] = {}
        """Texts that must stand, by their section's heading."""


class Machine(RuleBasedStateMachine):
    """Runs of one place, each written, stopped, changed and forked in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.mkdtemp(prefix="longchain-machine-")
        self.runs = Runs(self.folder)
        self.models: dict[str, Model] = {}
        self.count = 0

    def teardown(self) -> None:
        self.runs.close()
        shutil.rmtree(self.folder)

    # What the rules work with ------------------------------------------------------------------

    def _start(self, mode: str, memory: str) -> None:
        name = self._name()
        self.models[name] = Model(writer(seed=self.count))
        self.runs.start(
            given(),
            model=self.models[name].model,
            run=name,
            mode=mode,
            memory=memory,
            memory_tokens=300 if memory == "summary" else None,
        )

    def _name(self) -> str:
        self.count += 1
        return f"run-{self.count}"

    def _pick(self, data: st.DataObject) -> tuple[Run, Model]:
        name = data.draw(st.sampled_from(sorted(self.models)), label="run")
        model = self.models[name]
        model.model.left = None
        return self.runs.resume(name, model=model.model), model

    def _section(self, data: st.DataObject, run: Run) -> int:
        return data.draw(st.integers(1, len(run.progress().sections)), label="section")

    @staticmethod
    def _remember(model: Model, progress: DocumentState, but: set[int] = frozenset()) -> None:  # type: ignore[assignment]
        """Note which texts stand, and must stand after the next change."""
        model.kept = {
            draft.plan.heading: draft.text
            for index, draft in enumerate(progress.sections)
            if draft.done and index not in but
        }

    # Rules -------------------------------------------------------------------------------------

    @initialize(
        mode=st.sampled_from(["sequential", "parallel"]),
        memory=st.sampled_from(["full", "summary"]),
    )
    def begin(self, mode: str, memory: str) -> None:
        self._start(mode, memory)

    @precondition(lambda self: len(self.models) < 3)
    @rule(mode=st.sampled_from(["sequential", "parallel"]))
    def start(self, mode: str) -> None:
        self._start(mode, "auto")

    @precondition(lambda self: self.models)
    @rule(data=st.data(), steps=st.integers(0, 4))
    def leave(self, data: st.DataObject, steps: int) -> None:
        """The caller goes away after some steps."""
        run, model = self._pick(data)
        self._remember(model, run.progress())
        following: Any = run.follow()
        for _, _ in zip(range(steps), following, strict=False):
            pass
        following.close()

    @precondition(lambda self: self.models)
    @rule(data=st.data(), calls=st.integers(0, 4))
    def crash(self, data: st.DataObject, calls: int) -> None:
        """The model breaks after some calls."""
        run, model = self._pick(data)
        self._remember(model, run.progress())
        model.model.left = calls
        try:
            run.write()
        except BrokenError:
            assert run.record.status == "stopped"
        model.model.left = None

    @precondition(lambda self: self.models)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        run, model = self._pick(data)
        before = run.progress()
        self._remember(model, before)
        revised = {i for i, draft in enumerate(before.sections) if draft.revision}
        calls = model.model.calls
        document = run.write()
        assert run.record.status == "done"
        assert [s.heading for s in document.sections] == [s.heading for s in document.plan.sections]
        assert not any(draft.revision for draft in run.progress().sections)
        if before.finished():
            assert model.model.calls == calls
        for section in document.sections:
            assert document.text.count(section.text) == 1
        assert not revised or model.model.calls > calls
        # And again, without a call.
        calls = model.model.calls
        assert self.runs.resume(run.id, model=model.model).write() == document
        assert model.model.calls == calls

    @precondition(lambda self: self.models)
    @rule(
        data=st.data(),
        names=st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True),
        length=st.sampled_from([40, 60]),
    )
    def edit(self, data: st.DataObject, names: list[str], length: int) -> None:
        """Another plan: sections come, go, move and get another length."""
        run, model = self._pick(data)
        before = run.progress()
        run.edit(plan(*names, length=length))
        assert [s.heading for s in run.progress().plan.sections] == names  # type: ignore[union-attr]
        changed = {
            index
            for index, draft in enumerate(before.sections)
            if draft.plan.heading not in names
            or draft.plan.main_point != f"About {draft.plan.heading.lower()}"
        }
        self._remember(model, before, changed)

    @precondition(lambda self: self.models)
    @rule(data=st.data(), main_point=st.sampled_from(["About something else", "About the rest"]))
    def change_one(self, data: st.DataObject, main_point: str) -> None:
        """One section is to say something else: it is written anew, and all others stay."""
        run, model = self._pick(data)
        before = run.progress()
        section = self._section(data, run)
        assert before.plan is not None
        changed = before.plan.model_copy(deep=True)
        changed.sections[section - 1].main_point = main_point
        run.edit(changed)
        same = changed.sections[section - 1] == before.plan.sections[section - 1]
        self._remember(model, before, set() if same else {section - 1})
        assert same or not run.progress().sections[section - 1].done

    @precondition(lambda self: self.models)
    @rule(data=st.data())
    def replace(self, data: st.DataObject) -> None:
        run, model = self._pick(data)
        section = self._section(data, run)
        before = run.progress()
        self.count += 1
        text = HAND.format(number=self.count)
        model.by_hand.add(text)
        run.rewrite(section, text)
        self._remember(model, before, set(range(section - 1, len(before.sections))))
        model.kept[before.sections[section - 1].plan.heading] = text

    @precondition(lambda self: self.models)
    @rule(data=st.data(), note=st.sampled_from(["shorter", "less formal", "in 50 words"]))
    def revise(self, data: st.DataObject, note: str) -> None:
        run, model = self._pick(data)
        section = self._section(data, run)
        before = run.progress()
        published = before.sections[section - 1].published
        if not published.done:
            with pytest.raises(InputError, match="is not finished"):
                run.revise(section, note)
            return
        run.revise(section, note)
        self._remember(model, before, {section - 1})
        assert run.progress().sections[section - 1].published.text == published.text

    @precondition(lambda self: self.models)
    @rule(data=st.data(), length=st.integers(100, 400), style=st.sampled_from(["", "Dry."]))
    def amend(self, data: st.DataObject, length: int, style: str) -> None:
        run, model = self._pick(data)
        self._remember(model, run.progress())
        run.amend(length=length, style=style)
        assert run.progress().required == length

    @precondition(lambda self: 0 < len(self.models) < 4)
    @rule(data=st.data(), by_hand=st.booleans())
    def fork(self, data: st.DataObject, by_hand: bool) -> None:
        run, model = self._pick(data)
        section = self._section(data, run)
        before, log = run.progress(), run.log()
        name = self._name()
        text = HAND.format(number=self.count) if by_hand else None
        forked = self.runs.fork(run.id, section, text=text, name=name, model=model.model)
        assert run.log() == log
        assert forked.record.parent == run.id
        other = self.models[name] = Model(model.model)
        other.by_hand = model.by_hand | ({text} if text else set())
        self._remember(other, before, set(range(section - 1, len(before.sections))))
        later = forked.progress().sections[section - 1 + by_hand :]
        assert not any(draft.done for draft in later)

    @precondition(lambda self: len(self.models) > 1)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        run, _ = self._pick(data)
        self.runs.delete(run.id)
        del self.models[run.id]
        assert run.id not in [record.id for record in self.runs.list()]

    @rule()
    def open_again(self) -> None:
        """As another process would."""
        self.runs.close()
        self.runs = Runs(self.folder)

    # What always holds -------------------------------------------------------------------------

    @invariant()
    def all_is_consistent(self) -> None:
        assert {record.id for record in self.runs.list()} == set(self.models)
        for name, model in self.models.items():
            run = self.runs.get(name)
            progress = run.progress()
            self._check_sections(progress, model)
            facts = _progress_fields(progress)
            assert {key: getattr(run.record, key) for key in facts} == facts
            assert (run.record.status == "done") == progress.finished()
            assert not self.runs.held(name)
            document = run.document()
            shown = [draft.plan.heading for draft in progress.published_sections()]
            assert [section.heading for section in document.sections] == shown
            assert document.length == run.record.length or not shown

    def _check_sections(self, progress: DocumentState, model: Model) -> None:
        assert progress.plan is not None
        assert [draft.plan for draft in progress.sections] == progress.plan.sections
        replies = "\n\n".join(model.model.said)
        for draft in (draft.published for draft in progress.sections):
            assert not draft.done or draft.text
            if not draft.done:
                continue
            heading = progress.count(draft.plan.heading)
            assert draft.length == heading + progress.count(draft.text)
            assert draft.text in model.by_hand or all(
                sentence in replies for sentence in re.split(r"(?<=\.)\s+", draft.text)
            )
        published = {draft.plan.heading: draft.published.text for draft in progress.sections}
        for name, text in model.kept.items():
            assert published[name] == text


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    max_examples=25,
    stateful_step_count=12,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
