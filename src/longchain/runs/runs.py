"""All runs of one place: started, found, resumed, forked, deleted.

Knows what a run is made of and how it is made again; knows nothing of command lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

from longchain.agent import edits
from longchain.agent.edits import Change
from longchain.agent.events import Mode
from longchain.agent.state import DocumentState
from longchain.document import WritingPlan
from longchain.errors import RunError
from longchain.models.resolve import pinned
from longchain.runs.location import open_store
from longchain.runs.record import FORMAT, Record, check_id, new_id, now
from longchain.runs.run import Run
from longchain.runs.spec import Making, Model, model_name
from longchain.runs.store import Store


class Runs:
    """The runs that are kept in one place; each writes one document and loses nothing.

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
        """The place, without secrets."""
        return self._store.shown

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self._store.close()

    # Starting and finding ------------------------------------------------------------------

    def start(
        self,
        input: Any,
        *,
        model: Model = None,
        base_url: str | None = None,
        planner_model: Model = None,
        run: str | None = None,
        output: str | Path | None = None,
        **options: Any,
    ) -> Run:
        """Register a run; `write` or `follow` then writes it.

        Args:
            input: An instruction, or what else `AgentWriteChain` takes.
            model: The model that writes: a string, which the run keeps, or a model, which must
                be handed over again to resume it. A key is never kept.
            base_url: Address of an OpenAI-compatible server.
            planner_model: The model that plans; None: the same.
            run: Its name; None: a new one.
            output: The file that the document is for; the run only keeps its name.
            **options: As `AgentWriteChain` takes them.

        Raises:
            InputError: The input or an option cannot be used, or the name is taken.
        """
        if isinstance(model, str | None):
            model, base_url = pinned(model, base_url)
        made = Making(model, base_url, planner_model, options)
        chain = made.chain(self._store.saver)
        log = chain._enter(input)["log"]
        log[0]["sources"] = [str(Path(path).absolute()) for path in log[0]["sources"]]
        record = Record(
            id=check_id(run) if run is not None else new_id(),
            created=now(),
            updated=now(),
            instruction=log[0]["instruction"],
            output=str(Path(output).absolute()) if output else "",
            model_name=model_name(chain),
            **made.kept(),
        )
        return self._register(record, log, made)

    def _register(self, record: Record, log: list[Any], made: Making) -> Run:
        """Store a run's first events, then its record: what is listed can be resumed."""
        taken = f"there is a run {record.id!r} already: resume it, or name another"
        if self._store.load(record.id) is not None:
            raise RunError(taken)
        run = self._run(record, made)
        with self._store.lock(record.id):
            if self._store.load(record.id) is not None:  # by now: a log begun anew would be lost
                raise RunError(taken)
            run.begin(log)
            self._store.add(run.record)
        return run

    def _run(self, record: Record, made: Making) -> Run:
        return Run(self._store, record, lambda: made.chain(self._store.saver))

    def list(self) -> list[Record]:
        """Return what is known of all runs, the latest first."""
        return self._store.records()

    def held(self, run: str) -> bool:
        """Say whether somebody is writing a run right now."""
        return self._store.held(run)

    def record(self, run: str) -> Record:
        """Return what is known of a run.

        Args:
            run: Its name, the beginning of it, or `last`.

        Raises:
            RunError: There is none, or there are several.
        """
        if run != "last" and (found := self._store.load(run)) is not None:
            return found
        known = self._store.records()
        matching = (
            known[:1] if run == "last" else [r for r in known if r.id.startswith(run) and run]
        )
        if len(matching) == 1:
            return matching[0]
        if matching:
            names = ", ".join(record.id for record in matching[:5])
            raise RunError(f"several runs begin with {run!r}: {names}; name one")
        raise RunError(f"there is no run {run!r} in {self.where!r}: `longchain runs` lists them")

    def get(self, run: str) -> Run:
        """Return a run to look at, or to go on with as it was; nothing of it is changed.

        Raises:
            RunError: There is no such run, or it cannot be read.
        """
        record = self._readable(run)
        return self._run(record, Making.again(record))

    def _readable(self, run: str) -> Record:
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
        planner_model: Model = None,
        instruction: str | None = None,
        length: int | None = None,
        style: str | None = None,
        plan: WritingPlan | dict[str, Any] | None = None,
        **options: Any,
    ) -> Run:
        """Return a run to go on with; what differs from before is said in `Run.said`.

        Args:
            run: Its name, the beginning of it, or `last`.
            model: Another model, or one that was handed over when it was started.
            base_url: Another server.
            planner_model: Another model that plans.
            instruction: Another instruction, for what is not written yet.
            length: Another required length.
            style: Another style.
            plan: Another plan; finished sections that it still has stay as they are.
            **options: Options of `AgentWriteChain` that change, such as a larger `budget`.

        Raises:
            RunError: There is no such run, it cannot be read, or it needs something that was
                handed over when it was started.
            InputError: What is to change cannot be used.
        """
        record = self._readable(run)
        if fixed := {"mode", "review"} & options.keys():
            raise RunError(f"{', '.join(sorted(fixed))} cannot change on the way: fork the run")
        made = Making.again(record, model, base_url, planner_model, options)
        found = self._run(record, made)
        kept = made.kept()
        if not made.lacking and any(getattr(record, key) != kept[key] for key in kept):
            found.remake(kept, made.differences(record))
        if instruction is not None or length is not None or style is not None:
            found.amend(instruction=instruction, length=length, style=style)
        if plan is not None:
            found.edit(plan)
        return found

    def fork(
        self,
        run: str,
        section: int,
        *,
        text: str | None = None,
        name: str | None = None,
        **changes: Any,
    ) -> Run:
        """Return a new run that shares a run's beginning and is written on from a section.

        The old run stays as it is. What the shared part took counts for both.

        Args:
            run: The name of the run.
            section: The section's number, from 1; it and all after it are written anew.
            text: A text to put in its place.
            name: The new run's name.
            **changes: As for `resume`.

        Raises:
            RunError: There is no such run or section.
        """
        before = self.get(run)
        own = {"model", "base_url", "planner_model", "instruction", "length", "style", "plan"}
        options = {key: value for key, value in changes.items() if key not in own}
        made = Making.again(
            before.record,
            changes.get("model"),
            changes.get("base_url"),
            changes.get("planner_model"),
            options,
        )
        record = Record(
            id=check_id(name) if name is not None else new_id(),
            parent=before.id,
            created=now(),
            updated=now(),
            instruction=before.record.instruction,
            model_name=model_name(made.chain(self._store.saver)),
            **made.kept(),
        )
        # All of it before the new run is registered: what is refused leaves nothing behind.
        log, said = before.log(), made.differences(before.record)
        for wish in self._wishes(section, text, made.options.get("mode", "sequential"), changes):
            change = wish(before.replay(log))
            log, said = [*log, *change.events], [*said, *change.said]
        forked = self._register(record, log, made)
        forked.said += said
        return forked

    @staticmethod
    def _wishes(
        section: int, text: str | None, mode: Mode, changes: dict[str, Any]
    ) -> Iterator[Callable[[DocumentState], Change]]:
        """Yield what is to be changed in a fork, in order."""
        asked = {key: changes[key] for key in ("instruction", "length", "style") if key in changes}
        if asked:
            yield lambda progress: edits.amended(progress, mode, **asked)
        if changes.get("plan") is not None:
            yield lambda progress: edits.replanned(progress, changes["plan"], mode)
        yield lambda progress: edits.rewritten(progress, section, text)

    def delete(self, run: str) -> None:
        """Delete a run with all its text.

        Raises:
            RunError: There is none, or it is being written.
        """
        record = self.record(run)
        with self._store.lock(record.id):
            self._store.delete(record.id)
