"""One run: an instruction on its way to a document, kept so that nothing of it is lost.

`Run` -> `DocumentState`, `LongDocument`; it can be stopped, continued, edited and forked

Knows the chain, its log and the store; knows nothing of command lines or servers.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, closing, contextmanager, suppress
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.graph import START
from langgraph.types import Command, StateSnapshot

from longchain.agent import edits
from longchain.agent.chain import AgentWriteChain
from longchain.agent.edits import Change
from longchain.agent.finishing.report import build_document
from longchain.agent.request import start_log
from longchain.agent.state import DocumentState
from longchain.calls import tracing
from longchain.document import LongDocument, Usage, WritingPlan
from longchain.errors import LongchainError, RunError, StoreError
from longchain.models.error_hints import explain
from longchain.runs.record import Record, Status, now
from longchain.runs.spec import model_name, prices
from longchain.runs.store import Store

logger = logging.getLogger(__name__)

_EDIT_NODE = "retrieve"
"""`as_node` for user edits: this node's outgoing edges reach every node."""

_BEFORE_REVIEW = "plan"
"""`as_node` for user edits while the plan still waits for its review."""


class Run:
    """A run of a store. `Runs.start` and `Runs.get` make one.

    Args:
        store: Where it is kept.
        record: What is known of it.
        make: Makes its chain; asked when something is to be written, since that needs a model.
    """

    def __init__(self, store: Store, record: Record, make: Callable[[], AgentWriteChain]) -> None:
        self.record = record
        self.messages: list[str] = []
        """Differences found when it was resumed, and their effects, in words."""
        self._store = store
        self._make = make
        self._chain: AgentWriteChain | None = None
        self._reads: AgentWriteChain | None = None
        self._answer: Any = None

    @property
    def said(self) -> list[str]:
        """The former name of `messages`."""
        return self.messages

    @property
    def id(self) -> str:
        """Id of the run."""
        return self.record.id

    @property
    def chain(self) -> AgentWriteChain:
        """The chain that writes it.

        Raises:
            InputError: Its model cannot be had.
        """
        if self._chain is None:
            self._chain = self._make()
        return self._chain

    @property
    def config(self) -> RunnableConfig:
        """What names the run to its chain."""
        return {"configurable": {"thread_id": self.id}}

    # Reading -------------------------------------------------------------------------------

    def progress(self) -> DocumentState:
        """Return where it stands, from the store, without a model.

        Sections that were finished side by side count as soon as they are stored, also before
        the last of them is back.
        """
        return self._load()[0]

    def _load(self) -> tuple[DocumentState, bool]:
        """Return where it stands, and whether its plan waits for a person; one look at both."""
        state = self._state()
        return self.replay(self._log_of(state)), bool(state.interrupts)

    def replay(self, log: list[Any]) -> DocumentState:
        """Return where a log of this run stands.

        Raises:
            StoreError: It is none that longchain has written.
        """
        with self._sound():
            return DocumentState(log, closed=self.closed, mode=self.mode)

    def _state(self) -> StateSnapshot:
        with self._sound(), self._store.reading():
            return self._reader().get_state(self.config)

    @contextmanager
    def _sound(self) -> Iterator[None]:
        """Turn what data that is not ours makes of LangGraph, or of a log, into a sentence."""
        try:
            yield
        except LongchainError:
            raise
        except Exception as error:
            raise StoreError(
                f"the run {self.id!r} cannot be read: what is stored of it is damaged "
                f"({type(error).__name__}); bring it back from a copy, or delete it"
            ) from error

    @property
    def mode(self) -> Any:
        """How its sections are written."""
        return self.record.options.get("mode", "sequential")

    @property
    def closed(self) -> bool:
        """Whether its length is controlled."""
        return bool(self.record.options.get("length_control", True))

    def _reader(self) -> AgentWriteChain:
        """Return a chain that can read the log; it needs no model."""
        if self._chain is not None:
            return self._chain
        if self._reads is None:
            review = bool(self.record.options.get("review"))
            saver = self._store.saver
            self._reads = AgentWriteChain(
                "offline", mode=self.mode, review=review, checkpointer=saver
            )
        return self._reads

    def log(self) -> list[Any]:
        """Return all its events; LangGraph counts in those that are stored but not yet taken in.

        Raises:
            RunError: It holds none.
        """
        return self._log_of(self._state())

    def _log_of(self, state: StateSnapshot) -> list[Any]:
        with self._sound():
            log = list(state.values.get("log", []))
        if not log:
            raise RunError(f"the run {self.id!r} holds nothing: start it again")
        return log

    def reviewing(self) -> bool:
        """Say whether its plan waits for a person."""
        return bool(self._state().interrupts)

    def document(self) -> LongDocument:
        """Return what is finished, without a call: `report["finished"]` says whether it is all.

        Raises:
            RunError: Nothing is planned yet.
        """
        progress = self.progress()
        if progress.plan is None:
            raise RunError(f"the run {self.id!r} has no plan yet: resume it")
        with self._sound():
            return build_document(progress, prices(self.record))

    @property
    def plan(self) -> WritingPlan | None:
        """Its plan as it is followed; None before there is one."""
        return self.progress().plan

    @property
    def sources(self) -> list[str]:
        """The files and folders that it is written from."""
        return self.progress().request.sources

    # Writing -------------------------------------------------------------------------------

    def write(self, config: RunnableConfig | None = None) -> LongDocument:
        """Write it to its end; of a finished run, return the document without a call.

        Args:
            config: Callbacks, tags and metadata for what is called.

        Raises:
            RunError: Somebody else writes it, or its plan waits for a review.
            BudgetError: A limit is reached; the run can be resumed.
            StoreError: What is written can no longer be kept.
        """
        progress: DocumentState | None = None
        with tracing.span("run", {"run": self.id}):
            for progress in self.follow(config):  # noqa: B007
                pass
        return self._written(progress)

    async def awrite(self, config: RunnableConfig | None = None) -> LongDocument:
        """Write it to its end, asynchronously."""
        progress: DocumentState | None = None
        with tracing.span("run", {"run": self.id}):
            async for progress in self.afollow(config):  # noqa: B007
                pass
        return self._written(progress)

    def stop(self) -> None:
        """End `write` or `follow` at once, from another thread or a signal's handler."""
        if self._chain is not None:
            self._chain.stages.policy.stop.set()

    def _written(self, progress: DocumentState | None) -> LongDocument:
        if self.record.status == "review":
            raise RunError(
                f"the plan of the run {self.id!r} waits for a review: approve it, or give another"
            )
        return build_document(progress or self.progress(), prices(self.record))

    def follow(self, config: RunnableConfig | None = None) -> Iterator[DocumentState]:
        """Write it, and yield where it stands after every step."""
        with self._writing() as given:
            if given is None:
                return
            steps: Any = self.chain.follow(given[0], {**(config or {}), **self.config})
            with closing(steps):  # where the caller stops: before another may hold the run
                for progress in steps:
                    self._update_record(progress)
                    yield progress

    async def afollow(self, config: RunnableConfig | None = None) -> AsyncIterator[DocumentState]:
        """Write it asynchronously, and yield where it stands after every step."""
        with self._writing() as given:
            if given is None:
                return
            steps: Any = self.chain.afollow(given[0], {**(config or {}), **self.config})
            async with aclosing(steps):
                async for progress in steps:
                    self._update_record(progress)
                    yield progress

    @contextmanager
    def _writing(self) -> Iterator[tuple[Any] | None]:
        """Hold the run, and keep account of how it goes.

        Yields:
            What the chain is to be given, in a tuple; None where nothing remains to be done.
        """
        if self._chain is not None:
            self._chain.stages.policy.stop.clear()
            self._chain.stages.policy.cancelled.clear()
        with self._holding():
            before, waits = self._load()
            if before.finished() and not waits:
                self._save(status="done", error="", **_progress_fields(before))
                yield None
                return
            if waits and self._answer is None:
                self._save(status="review", **_progress_fields(before))
                yield None
                return
            answer, self._answer = self._answer, None
            self._save(status="writing", error="", **_progress_fields(before))
            logger.info("run %s: writing", self.id, extra={"run": self.id})
            try:
                yield (Command(resume=answer) if waits else None,)
            except BaseException as error:
                self._record_failure(error)
                if named := self._store.translated(error):
                    raise named from error
                raise
            after, waits = self._load()
            status = "review" if waits else self._status_of(after)
            self._save(status=status, **_progress_fields(after))

    @contextmanager
    def _holding(self) -> Iterator[None]:
        """Hold the run, and know it as it is by now: another may have written it since."""
        with self._store.lock(self.id):
            self.record = self._store.load(self.id) or self.record
            yield

    def _update_record(self, progress: DocumentState) -> None:
        """Bring the record up to date where something worth telling has happened."""
        self._store.still_held(self.id)
        finished = len(progress.published_sections())
        if (finished, len(progress.sections)) == (self.record.finished, self.record.sections):
            return
        self._save(**_progress_fields(progress))

    def _record_failure(self, error: BaseException) -> None:
        """Note why it stopped; that it cannot be noted must not hide the reason."""
        told = explain(error) if isinstance(error, Exception) else "stopped"
        with suppress(LongchainError):
            # What was paid for counts, also where it came to nothing.
            self._record_cancelled()
            progress = self.progress()
            if progress.finished():
                status: Status = "done"
            elif isinstance(error, Exception) and progress.plan is None:
                status = "failed"
            else:
                status = "stopped"
            self._save(
                status=status, error="" if status == "done" else told, **_progress_fields(progress)
            )
        logger.info("run %s: %s", self.id, told, extra={"run": self.id})

    def _record_cancelled(self) -> None:
        """Add to the log what calls took that were cut off in the middle: they were sent."""
        cut = self._chain.stages.policy.cancelled if self._chain is not None else []
        taken = sum(cut, Usage())
        cut.clear()
        if taken.calls:
            event = {"type": "amend", "request": {}, "usage": taken.model_dump()}
            self._append(self.log(), [event])

    def _save(self, **changes: Any) -> None:
        self.record = self.record.model_copy(update={**changes, "updated": now()})
        self._store.save(self.record)

    # Changing ------------------------------------------------------------------------------

    def review(self, plan: WritingPlan | bool = True) -> None:
        """Answer the review of the plan: True follows it as it is; then `write` goes on."""
        self._answer = plan.model_dump() if isinstance(plan, WritingPlan) else plan

    def change(self, make: Callable[[DocumentState], Change]) -> list[str]:
        """Add what a person wants changed to the log; then `write` brings the document there.

        Args:
            make: One of `longchain.agent.edits`, from where the run stands.

        Returns:
            In words, what differs and what becomes of it.
        """
        with self._holding():
            log = self.log()
            change = make(self.replay(log))
            if change.events:
                self._append(log, change.events)
        self.messages += change.messages
        return change.messages

    def change_options(self, fields: dict[str, Any], messages: list[str]) -> None:
        """Record how the run's chain is made from now on.

        Args:
            fields: Fields of the record: see `ChainSpec.to_record`.
            messages: The differences, in words.
        """
        with self._holding():
            log = self.log()
            if self.replay(log).finished():
                self._save(**fields)  # which needs no model
            else:
                name = model_name(self.chain)
                self.record = self.record.model_copy(update={**fields, "model_name": name})
                # Another window, other prompts: the next step is decided anew.
                self._append(log, [{"type": "amend", "request": {}}])
        self.messages += messages

    def _append(self, log: list[Any], new: list[Any]) -> None:
        chain = self.chain
        with self._store.reading():
            progress = DocumentState([*log, *new], closed=self.closed, mode=self.mode)
            node = self._node(progress)
            # What was finished side by side and not yet taken in would be lost with its tasks.
            tasks = chain.get_state(self.config).tasks
            waiting = [event for task in tasks for event in (task.result or {}).get("log", [])]
            chain.update_state(self.config, {"log": [*waiting, *new]}, as_node=node)
        self._save(status=self._status_of(progress), **_progress_fields(progress))

    def _node(self, progress: DocumentState) -> str:
        """Return the node in whose name a change enters the log: one that what is due may follow.

        Before there is a plan, that may be a look at the sources; then it may be a review.
        """
        if progress.plan is None:
            return START
        asked = self.record.options.get("review") and progress.plan_origin != "given"
        return _BEFORE_REVIEW if asked and not progress.reviewed else _EDIT_NODE

    @staticmethod
    def _status_of(progress: DocumentState) -> Status:
        return "done" if progress.finished() else "stopped"

    def edit(self, plan: WritingPlan | dict[str, Any]) -> list[str]:
        """Go on with another plan; finished sections that it still has stay as they are."""
        if self.reviewing():
            start_log({"instruction": "-", "plan": plan}, mode="sequential")  # refuses a bad one
            self.review(plan if isinstance(plan, WritingPlan) else WritingPlan(**plan))
            return []
        return self.change(lambda progress: edits.replan(progress, plan, self.mode))

    def revise(self, section: int, note: str, length: int | None = None) -> list[str]:
        """Have a finished section changed by a note such as `shorter`; the rest stays.

        Args:
            section: Its number, from 1.
            note: What to change.
            length: What it should come to; None: what the note says, else as it is.
        """
        return self.change(lambda progress: edits.revise(progress, section, note, length))

    def rewrite(self, section: int, text: str | None = None) -> list[str]:
        """Write on from a section: it and all after it are written again.

        Args:
            section: Its number, from 1.
            text: A text to put in its place; then only what comes after is written again.
        """
        return self.change(lambda progress: edits.rewrite(progress, section, text))

    def amend(
        self, *, instruction: str | None = None, length: int | None = None, style: str | None = None
    ) -> list[str]:
        """Change what is asked for; sections that are written stay."""
        return self.change(
            lambda progress: edits.amend(
                progress, self.mode, instruction=instruction, length=length, style=style
            )
        )

    def begin(self, log: list[Any]) -> None:
        """Store the first events: from here on, the run can be resumed."""
        with self._store.reading():
            self.chain.update_state(self.config, {"log": log}, as_node=START)
        progress = DocumentState(log, closed=self.closed, mode=self.mode)
        status: Status = "done" if progress.finished() else "new"
        self.record = self.record.model_copy(
            update={"status": status, **_progress_fields(progress)}
        )


def _progress_fields(progress: DocumentState) -> dict[str, Any]:
    """Return what a record says of how far a document is."""
    shown = progress.published_sections()
    planned = progress.plan is not None
    return {
        "instruction": progress.request.instruction,
        "title": progress.plan.title if progress.plan else "",
        "sections": len(progress.sections),
        "finished": len(shown),
        "required": progress.required if planned else progress.request.required,
        "length": sum(draft.length for draft in shown) + (progress.overhead() if shown else 0),
        "unit": progress.unit,
        "usage": progress.usage,
    }
