"""The runs of one store: start, find, resume, fork and delete them.

input + options -> `Run`

Knows how a run is made and made again; knows nothing of command lines.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

from typing_extensions import Unpack

from longchain.agent import edits
from longchain.agent.edits import Change
from longchain.agent.options import ChainOptions
from longchain.agent.state import DocumentState
from longchain.document import WritingPlan
from longchain.errors import RunError
from longchain.models.resolve import pin_model
from longchain.runs.location import open_store
from longchain.runs.record import FORMAT, Record, check_id, new_id, now
from longchain.runs.run import Run
from longchain.runs.spec import ChainSpec, Model, model_name
from longchain.runs.store import Store


class Runs:
    """Runs kept in one store; each writes one document and loses nothing of it.

    Args:
        where: A folder, a file that ends in `.db`, or a PostgreSQL address
            (`postgresql://…`, which takes the extra `postgres`); None: `LONGCHAIN_STATE`, else
            the user's state folder.

    Raises:
        StoreError: The place cannot be used.

    Example:
        ```python
        from longchain import Runs

        with Runs() as runs:
            run = runs.start("Write a 5,000-word history of tea.", model="openai:gpt-5-mini")
            document = run.write()  # killed here, runs.resume(run.id).write() goes on
            run.revise(3, "shorter, less formal")
            document = run.write()
        ```
    """

    def __init__(self, where: str | Path | None = None) -> None:
        self._store: Store = open_store(where)

    @property
    def where(self) -> str:
        """Location of the store, without secrets."""
        return self._store.shown

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        self._store.close()

    # Starting and finding ------------------------------------------------------------------

    def start(
        self,
        input: Any,
        *,
        model: Model = None,
        base_url: str | None = None,
        run: str | None = None,
        output: str | Path | None = None,
        **options: Unpack[ChainOptions],
    ) -> Run:
        """Register a run; `write` or `follow` then writes it.

        Args:
            input: An instruction, or what else `AgentWriteChain` takes.
            model: The model that writes: a string, which the run keeps, or a model, which must
                be handed over again to resume it. A key is never kept.
            base_url: Address of an OpenAI-compatible server.
            run: Its name; None: a new one.
            output: The file that the document is for; the run keeps its name only.
            **options: Options of `AgentWriteChain`.

        Raises:
            InputError: The input or an option cannot be used, or the name is taken.
        """
        if isinstance(model, str | None):
            model, base_url = pin_model(model, base_url)
        planner = options.pop("planner_model", None)
        spec = ChainSpec(model, base_url, planner, options)
        chain = spec.chain(self._store.saver)
        log = chain.to_graph_input(input)["log"]
        log[0]["sources"] = [str(Path(path).absolute()) for path in log[0]["sources"]]
        record = Record(
            id=check_id(run) if run is not None else new_id(),
            created=now(),
            updated=now(),
            instruction=log[0]["instruction"],
            output=str(Path(output).absolute()) if output else "",
            model_name=model_name(chain),
            **spec.to_record(),
        )
        return self._register(record, log, spec)

    def _register(self, record: Record, log: list[Any], spec: ChainSpec) -> Run:
        """Store a run's first events, then its record: every run that is listed can be resumed."""
        name_taken = f"there is a run {record.id!r} already: resume it, or name another"
        if self._store.load(record.id) is not None:
            raise RunError(name_taken)
        run = self._run(record, spec)
        with self._store.lock(record.id):
            if (
                self._store.load(record.id) is not None
            ):  # again, under the lock: its log would be lost
                raise RunError(name_taken)
            run.begin(log)
            self._store.add(run.record)
        return run

    def _run(self, record: Record, spec: ChainSpec) -> Run:
        return Run(self._store, record, lambda: spec.chain(self._store.saver))

    def list(self) -> list[Record]:
        """Return the records of all runs, the latest first."""
        return self._store.records()

    def held(self, run: str) -> bool:
        """Return whether a process is writing a run right now."""
        return self._store.held(run)

    def record(self, run: str) -> Record:
        """Return the record of a run.

        Args:
            run: Its name, the beginning of it, or `last`.

        Raises:
            RunError: There is none, or there are several.
        """
        if run != "last" and (record := self._store.load(run)) is not None:
            return record
        records = self._store.records()
        if run == "last":
            matching = records[:1]
        else:
            matching = [record for record in records if run and record.id.startswith(run)]
        if len(matching) == 1:
            return matching[0]
        if matching:
            names = ", ".join(record.id for record in matching[:5])
            raise RunError(f"several runs begin with {run!r}: {names}; name one")
        raise RunError(f"there is no run {run!r} in {self.where!r}: `longchain runs` lists them")

    def get(self, run: str) -> Run:
        """Return a run as it is, to read it or to go on with it.

        Raises:
            RunError: There is no such run, or it cannot be read.
        """
        record = self._readable(run)
        return self._run(record, ChainSpec.from_record(record))

    def _readable(self, run: str) -> Record:
        """Return the record of a run that this version can read."""
        record = self.record(run)
        if record.format > FORMAT:
            raise RunError(
                f"the run {record.id!r} was written by longchain {record.version}, whose runs "
                f"{version('longchain')} cannot read: upgrade longchain"
            )
        return record

    # Going on ------------------------------------------------------------------------------

    def resume(
        self,
        run: str,
        *,
        model: Model = None,
        base_url: str | None = None,
        instruction: str | None = None,
        length: int | None = None,
        style: str | None = None,
        plan: WritingPlan | dict[str, Any] | None = None,
        **options: Unpack[ChainOptions],
    ) -> Run:
        """Return a run to go on with; `Run.messages` names what differs from before.

        Args:
            run: Its name, the beginning of it, or `last`.
            model: Another model, or the model object that it was started with.
            base_url: Another server.
            instruction: Another instruction, for what is not written yet.
            length: Another required length.
            style: Another style.
            plan: Another plan; finished sections that it still has stay as they are.
            **options: Options of `AgentWriteChain` that change, such as a larger `budget`.

        Raises:
            RunError: There is no such run, it cannot be read, or it needs something that was
                given when it was started.
            InputError: A change cannot be used.
        """
        record = self._readable(run)
        if fixed := {"mode", "review"} & options.keys():
            raise RunError(f"{', '.join(sorted(fixed))} cannot change on the way: fork the run")
        planner = options.pop("planner_model", None)
        spec = ChainSpec.from_record(record, model, base_url, planner, options)
        resumed = self._run(record, spec)
        fields = spec.to_record()
        if not spec.missing and any(getattr(record, key) != fields[key] for key in fields):
            resumed.change_options(fields, spec.differences(record))
        if instruction is not None or length is not None or style is not None:
            resumed.amend(instruction=instruction, length=length, style=style)
        if plan is not None:
            resumed.edit(plan)
        return resumed

    def fork(
        self,
        run: str,
        section: int,
        *,
        text: str | None = None,
        name: str | None = None,
        model: Model = None,
        base_url: str | None = None,
        instruction: str | None = None,
        length: int | None = None,
        style: str | None = None,
        plan: WritingPlan | dict[str, Any] | None = None,
        **options: Unpack[ChainOptions],
    ) -> Run:
        """Return a new run that shares the beginning of a run and continues from a section.

        The old run stays as it is. The usage of the shared part counts for both.

        Args:
            run: The name of the run.
            section: The section's number, from 1; it and all after it are written anew.
            text: A text to put in its place.
            name: The new run's name.
            model: Another model: this and what follows is as for `resume`.
            base_url: Another server.
            instruction: Another instruction.
            length: Another required length.
            style: Another style.
            plan: Another plan.
            **options: Options of `AgentWriteChain` that change.

        Raises:
            RunError: There is no such run or section.
        """
        before = self.get(run)
        planner = options.pop("planner_model", None)
        spec = ChainSpec.from_record(before.record, model, base_url, planner, options)
        record = Record(
            id=check_id(name) if name is not None else new_id(),
            parent=before.id,
            created=now(),
            updated=now(),
            instruction=before.record.instruction,
            model_name=model_name(spec.chain(self._store.saver)),
            **spec.to_record(),
        )
        mode = spec.options.get("mode", "sequential")
        log, messages = before.log(), spec.differences(before.record)

        def apply(edit: Callable[[DocumentState], Change]) -> None:
            change = edit(before.replay(log))
            log.extend(change.events)
            messages.extend(change.messages)

        # All edits before the new run is registered: what is refused leaves nothing behind.
        if instruction is not None or length is not None or style is not None:
            apply(
                lambda state: edits.amend(
                    state, mode, instruction=instruction, length=length, style=style
                )
            )
        if plan is not None:
            apply(lambda state: edits.replan(state, plan, mode))
        apply(lambda state: edits.rewrite(state, section, text))
        forked = self._register(record, log, spec)
        forked.messages += messages
        return forked

    def delete(self, run: str) -> None:
        """Delete a run with all its text.

        Raises:
            RunError: There is none, or it is being written.
        """
        record = self.record(run)
        with self._store.lock(record.id):
            self._store.delete(record.id)
