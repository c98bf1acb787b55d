"""Runs of one store: starts, finds, resumes, forks and deletes them.

input + options -> `Run`

Knows the chain's input and options; knows nothing of command lines.
"""

from __future__ import annotations

import builtins
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

from typing_extensions import Unpack

from longchain.agent.options import ChainOptions
from longchain.errors import RunError
from longchain.models.resolve import pin_model
from longchain.runs.location import open_store
from longchain.runs.record import FORMAT, Record, new_record
from longchain.runs.resume import RunChanges, fork_run, open_run, resume_run
from longchain.runs.run import Run
from longchain.runs.spec import ChainSpec, Model, model_name
from longchain.runs.store import Store


class Runs:
    """Runs of one store; each writes one document, which is stored after every step.

    Args:
        where: A folder, a file that ends in `.db`, or a PostgreSQL address
            (`postgresql://…`, which takes the extra `postgres`); None: `LONGCHAIN_STATE`, else
            the user's state folder.

    Raises:
        StoreError: The store cannot be opened.

    Example:
        ```python
        from longchain import Runs

        with Runs() as runs:
            run = runs.start("Write a 5,000-word history of tea.", model="openai:gpt-5-mini")
            document = run.write()  # after a crash: runs.resume(run.id).write()
            run.revise(3, "shorter, less formal")
            document = run.write()
        ```
    """

    def __init__(self, where: str | Path | None = None) -> None:
        self._store: Store = open_store(where)

    @property
    def where(self) -> str:
        """Location of the store, without secrets."""
        return self._store.location

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
            input: Input of `AgentWriteChain`: an instruction, or a dictionary with one.
            model: Model that writes: a string, which is stored, or a model object, which must be
                passed again to resume the run. A key is never stored.
            base_url: Address of an OpenAI-compatible server.
            run: Name of the run; None: a new one is made.
            output: File that the document is for; only its path is stored.
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
        record = new_record(
            run,
            instruction=log[0]["instruction"],
            output=str(Path(output).absolute()) if output else "",
            model_name=model_name(chain),
            **spec.to_record(),
        )
        return self._register(open_run(self._store, record, spec), log)

    def _register(self, run: Run, log: builtins.list[Any]) -> Run:
        """Store the first events of a run, then its record, so that every listed run has both."""
        name_taken = f"there is a run {run.id!r} already: resume it, or name another"
        if self._store.load(run.id) is not None:
            raise RunError(name_taken)
        with self._store.lock(run.id):
            # Checked again under the lock, or the log of another run would be overwritten.
            if self._store.load(run.id) is not None:
                raise RunError(name_taken)
            run.begin(log)
            self._store.add(run.record)
        return run

    def list(self) -> list[Record]:
        """Return the records of all runs, the latest first."""
        return self._store.records()

    def held(self, run: str) -> bool:
        """Return whether a process is writing a run now."""
        return self._store.is_locked(run)

    def record(self, run: str) -> Record:
        """Return the record of a run.

        Args:
            run: Name of the run, the beginning of its name, or `last`.

        Raises:
            RunError: There is no such run, or there are several.
        """
        if run != "last" and (record := self._store.load(run)) is not None:
            return record
        matches = self._matching(run)
        if not matches:
            raise RunError(
                f"there is no run {run!r} in {self.where!r}: `longchain runs` lists them"
            )
        if len(matches) > 1:
            names = ", ".join(record.id for record in matches[:5])
            raise RunError(f"several runs begin with {run!r}: {names}; name one")
        return matches[0]

    def _matching(self, run: str) -> builtins.list[Record]:
        """Return the latest run for `last`, else those whose names begin with `run`."""
        records = self._store.records()
        if run == "last":
            return records[:1]
        if not run:
            return []
        return [record for record in records if record.id.startswith(run)]

    def get(self, run: str) -> Run:
        """Return a run, to read it or to write it with its own model and options.

        Raises:
            RunError: There is no such run, or it cannot be read.
        """
        record = self._readable_record(run)
        return open_run(self._store, record, ChainSpec.from_record(record))

    def _readable_record(self, run: str) -> Record:
        """Return the record of a run; raise a `RunError` if this version cannot read it."""
        record = self.record(run)
        if record.format > FORMAT:
            raise RunError(
                f"the run {record.id!r} was written by longchain {record.version}, and version "
                f"{version('longchain')} cannot read it: upgrade longchain"
            )
        return record

    # Resuming, forking and deleting --------------------------------------------------------

    def resume(self, run: str, **changes: Unpack[RunChanges]) -> Run:
        """Return a run to write on; `Run.messages` lists what differs from before.

        Args:
            run: Name of the run, the beginning of its name, or `last`.
            **changes: What changes: `model`, `base_url`, `instruction`, `length`, `style`, `plan`,
                and options of `AgentWriteChain`, such as a larger `budget`. A model object that
                the run was started with must be passed again.

        Raises:
            RunError: There is no such run, it cannot be read, or an object that it was started
                with is missing.
            InputError: A change cannot be used.
        """
        return resume_run(self._store, self._readable_record(run), changes)

    def fork(
        self,
        run: str,
        section: int,
        *,
        text: str | None = None,
        name: str | None = None,
        **changes: Unpack[RunChanges],
    ) -> Run:
        """Return a new run that shares the beginning of a run and continues from a section.

        The old run stays as it is. The usage of the shared part counts for both.

        Args:
            run: Name of the run.
            section: Number of the section, from 1; it and all after it are written again.
            text: Text to replace the section; then only the later ones are written again.
            name: Name of the new run; None: a new one is made.
            **changes: What changes, as for `resume`; also `mode` and `review`.

        Raises:
            RunError: There is no such run or section.
            InputError: A change cannot be used.
        """
        parent = self._readable_record(run)
        forked, log = fork_run(self._store, parent, section, changes, text=text, name=name)
        return self._register(forked, log)

    def delete(self, run: str) -> None:
        """Delete a run with all its text.

        Raises:
            RunError: There is no such run, or it is being written.
        """
        record = self.record(run)
        with self._store.lock(record.id):
            self._store.delete(record.id)
