"""Resumes and forks a run, with whatever changes on the way: model, options, request or plan.

record + `RunChanges` -> `Run`

Knows runs, their specification and their edits; does not register or list runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from typing_extensions import TypedDict

from longchain.agent import edits
from longchain.agent.edits import Change
from longchain.agent.options import ChainOptions
from longchain.agent.state import DocumentState
from longchain.document import WritingPlan
from longchain.errors import RunError
from longchain.runs.record import Record, new_record
from longchain.runs.run import Run
from longchain.runs.spec import ChainSpec, Model, model_name
from longchain.runs.store import Store


class DocumentChanges(TypedDict, total=False):
    """What is asked for differently from now on; what is finished stays as it is."""

    instruction: str | None
    """Another instruction, for the sections that are not written yet."""

    length: int | None
    """Another required length."""

    style: str | None
    """Another style."""

    plan: WritingPlan | dict[str, Any] | None
    """Another plan; finished sections that it still has stay as they are."""


class RunChanges(ChainOptions, DocumentChanges, total=False):
    """What may change when a run is resumed or forked: also any option of `AgentWriteChain`."""

    model: Model
    """Another model, or the model object that the run was started with."""

    base_url: str | None
    """Address of another server."""


def open_run(store: Store, record: Record, spec: ChainSpec) -> Run:
    """Return the run of a record; its chain is made when it is needed."""
    return Run(store, record, lambda: spec.chain(store.saver))


def resume_run(store: Store, record: Record, changes: RunChanges) -> Run:
    """Return a run to write on; `Run.messages` lists what differs from before.

    Raises:
        RunError: What changes is fixed, or an object that the run was started with is missing.
        InputError: A change cannot be used.
    """
    if fixed := {"mode", "review"} & changes.keys():
        raise RunError(f"{', '.join(sorted(fixed))} cannot change on the way: fork the run")
    wanted, spec = _split_changes(record, changes)
    run = open_run(store, record, spec)
    fields = spec.to_record()
    if not spec.missing and any(getattr(record, key) != fields[key] for key in fields):
        run.change_options(fields, spec.differences(record))
    plan = wanted.pop("plan", None)
    if wanted:
        run.amend(**wanted)
    if plan is not None:
        run.edit(plan)
    return run


def fork_run(
    store: Store,
    parent: Record,
    section: int,
    changes: RunChanges,
    *,
    text: str | None = None,
    name: str | None = None,
) -> tuple[Run, list[Any]]:
    """Return a new run that shares the beginning of another one, and its log, to be registered.

    All edits are made here, before the run is registered: one that fails leaves no run behind.

    Raises:
        RunError: There is no such section.
        InputError: A change cannot be used.
    """
    wanted, spec = _split_changes(parent, changes)
    mode = spec.options.get("mode", "sequential")
    before = open_run(store, parent, ChainSpec.from_record(parent))
    record = new_record(
        name,
        parent=parent.id,
        instruction=parent.instruction,
        model_name=model_name(spec.chain(store.saver)),
        **spec.to_record(),
    )
    log, messages = before.log(), spec.differences(parent)

    def apply(edit: Callable[[DocumentState], Change]) -> None:
        change = edit(before.replay(log))
        log.extend(change.events)
        messages.extend(change.messages)

    plan = wanted.pop("plan", None)
    if wanted:
        apply(lambda state: edits.amend(state, mode, **wanted))
    if plan is not None:
        apply(lambda state: edits.replan(state, plan, mode))
    apply(lambda state: edits.rewrite(state, section, text))
    forked = open_run(store, record, spec)
    forked.messages += messages
    return forked, log


def _split_changes(record: Record, changes: RunChanges) -> tuple[dict[str, Any], ChainSpec]:
    """Return the changes of the document, and the specification of the chain with all others."""
    options: dict[str, Any] = dict(changes)
    names = DocumentChanges.__annotations__
    wanted = {name: options.pop(name) for name in names if name in options}
    model, base_url = options.pop("model", None), options.pop("base_url", None)
    planner = options.pop("planner_model", None)
    spec = ChainSpec.from_record(record, model, base_url, planner, cast("ChainOptions", options))
    return {name: value for name, value in wanted.items() if value is not None}, spec
