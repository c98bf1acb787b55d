"""One run: a document that is stored while it is written, so that a crash loses nothing.

`Run` -> `DocumentState` after each step -> `LongDocument`

Knows the chain, its log and the store; knows nothing of command lines or servers.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.graph import START
from langgraph.types import Command, StateSnapshot

from longchain.agent import edits
from longchain.agent.chain import AgentWriteChain
from longchain.agent.edits import Change
from longchain.agent.events import Amended
from longchain.agent.finishing.report import build_document
from longchain.agent.log import to_record
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


@dataclass(frozen=True)
class _Session:
    """A run that is locked and about to be written."""

    chain_input: Command[Any] | None
    """Input of the chain: the answer to the review, or None to go on from the checkpoint."""


class Run:
    """A run of a store. `Runs.start` and `Runs.get` make one.

    Args:
        store: Store of the run.
        record: Record of the run.
        make_chain: Function that makes its chain; called once something is to be written, since
            that needs a model.
    """

    def __init__(
        self, store: Store, record: Record, make_chain: Callable[[], AgentWriteChain]
    ) -> None:
        self.record = record
        self.messages: list[str] = []
        """Differences noticed when it was resumed, and their effects, in words."""

        self._store = store
        self._make_chain = make_chain
        self._chain: AgentWriteChain | None = None
        self._reading_chain: AgentWriteChain | None = None
        self._review_answer: Any = None

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
        """Chain that writes it.

        Raises:
            InputError: Its model is not available.
        """
        if self._chain is None:
            self._chain = self._make_chain()
        return self._chain

    @property
    def config(self) -> RunnableConfig:
        """Config that names the run to its chain."""
        return {"configurable": {"thread_id": self.id}}

    # Reading -------------------------------------------------------------------------------

    def progress(self) -> DocumentState:
        """Return the state of the document, from the store, without a model.

        Sections written in parallel count as soon as they are stored, also before the last of
        them is finished.
        """
        return self._load_state()[0]

    def _load_state(self) -> tuple[DocumentState, bool]:
        """Return the state, and whether the plan waits for its review, from one snapshot."""
        snapshot = self._load_snapshot()
        return self.replay(self._log_of(snapshot)), bool(snapshot.interrupts)

    def replay(self, log: list[Any]) -> DocumentState:
        """Return the state of the document after the events of a log of this run.

        Raises:
            StoreError: The log was not written by longchain.
        """
        with self._damage_reported():
            return DocumentState(log, closed=self.closed, mode=self.mode)

    def _load_snapshot(self) -> StateSnapshot:
        with self._damage_reported(), self._store.translated_errors():
            return self._get_reading_chain().get_state(self.config)

    @contextmanager
    def _damage_reported(self) -> Iterator[None]:
        """Raise errors of reading as `StoreError`: damaged data may raise any error."""
        try:
            yield
        except LongchainError:
            raise
        except Exception as error:
            raise StoreError(
                f"the run {self.id!r} cannot be read: its stored data is damaged "
                f"({type(error).__name__}); restore it from a backup, or delete it"
            ) from error

    @property
    def mode(self) -> Any:
        """Mode in which its sections are written."""
        return self.record.options.get("mode", "sequential")

    @property
    def closed(self) -> bool:
        """Whether its length is controlled."""
        return bool(self.record.options.get("length_control", True))

    def _get_reading_chain(self) -> AgentWriteChain:
        """Return a chain that can read the log; it needs no model."""
        if self._chain is not None:
            return self._chain
        if self._reading_chain is None:
            review = bool(self.record.options.get("review"))
            saver = self._store.saver
            self._reading_chain = AgentWriteChain(
                "offline", mode=self.mode, review=review, checkpointer=saver
            )
        return self._reading_chain

    def log(self) -> list[Any]:
        """Return all its events, also those that are stored but not yet in a checkpoint.

        Raises:
            RunError: There are none.
        """
        return self._log_of(self._load_snapshot())

    def _log_of(self, snapshot: StateSnapshot) -> list[Any]:
        with self._damage_reported():
            log = list(snapshot.values.get("log", []))
        if not log:
            raise RunError(f"the run {self.id!r} holds nothing: start it again")
        return log

    def reviewing(self) -> bool:
        """Return whether its plan waits for a review."""
        return bool(self._load_snapshot().interrupts)

    def document(self) -> LongDocument:
        """Return the finished sections as a document, without a call.

        `report["finished"]` is true if they are all.

        Raises:
            RunError: The document has no plan yet.
        """
        progress = self.progress()
        if progress.plan is None:
            raise RunError(f"the run {self.id!r} has no plan yet: resume it")
        with self._damage_reported():
            return build_document(progress, prices(self.record))

    @property
    def plan(self) -> WritingPlan | None:
        """Plan that is followed; None before there is one."""
        return self.progress().plan

    @property
    def sources(self) -> list[str]:
        """Files and folders that it is written from."""
        return self.progress().request.sources

    # Writing -------------------------------------------------------------------------------

    def write(self, config: RunnableConfig | None = None) -> LongDocument:
        """Write it to its end; if it is finished, return the document without a call.

        Args:
            config: Callbacks, tags and metadata for the calls.

        Raises:
            RunError: Another process writes it, or its plan waits for a review.
            BudgetError: A limit is reached; the run can be resumed.
            StoreError: The text can no longer be stored.
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
        """Stop `write` or `follow` at once, from another thread or a signal handler."""
        if self._chain is not None:
            self._chain.stages.policy.stop.set()

    def _written(self, progress: DocumentState | None) -> LongDocument:
        if self.record.status == "review":
            raise RunError(
                f"the plan of the run {self.id!r} waits for a review: approve it, or give another"
            )
        return build_document(progress or self.progress(), prices(self.record))

    def follow(self, config: RunnableConfig | None = None) -> Iterator[DocumentState]:
        """Write it, and yield the state of the document after every step."""
        with self._writing() as session:
            if session is None:
                return
            steps: Any = self.chain.follow(session.chain_input, {**(config or {}), **self.config})
            with closing(steps):  # if the caller stops early: before the run is unlocked
                for progress in steps:
                    self._update_record(progress)
                    yield progress

    async def afollow(self, config: RunnableConfig | None = None) -> AsyncIterator[DocumentState]:
        """Write it asynchronously, and yield the state of the document after every step."""
        with self._writing() as session:
            if session is None:
                return
            steps: Any = self.chain.afollow(session.chain_input, {**(config or {}), **self.config})
            async with aclosing(steps):
                async for progress in steps:
                    self._update_record(progress)
                    yield progress

    @contextmanager
    def _writing(self) -> Iterator[_Session | None]:
        """Lock the run, and update its record at the beginning and at the end.

        Yields:
            The session; None if nothing can be written: it is finished, or waits for a review.
        """
        if self._chain is not None:
            self._chain.stages.policy.stop.clear()
            self._chain.stages.policy.cancelled.clear()
        with self._locked():
            session = self._begin_session()
            if session is None:
                yield None
                return
            logger.info("run %s: writing", self.id, extra={"run": self.id})
            try:
                yield session
            except BaseException as error:
                self._record_failure(error)
                if store_error := self._store.translate(error):
                    raise store_error from error
                raise
            state, in_review = self._load_state()
            status = "review" if in_review else self._status_of(state)
            self._save(status=status, **_progress_fields(state))

    def _begin_session(self) -> _Session | None:
        """Return the session to write, if there is something to write; save the status."""
        state, in_review = self._load_state()
        if state.finished() and not in_review:
            self._save(status="done", error="", **_progress_fields(state))
            return None
        if in_review and self._review_answer is None:
            self._save(status="review", **_progress_fields(state))
            return None
        answer, self._review_answer = self._review_answer, None
        self._save(status="writing", error="", **_progress_fields(state))
        return _Session(Command(resume=answer) if in_review else None)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Lock the run and reload its record: another process may have changed it."""
        with self._store.lock(self.id):
            self.record = self._store.load(self.id) or self.record
            yield

    def _update_record(self, progress: DocumentState) -> None:
        """Update the record if the number of sections or of finished sections has changed."""
        self._store.check_lock(self.id)
        finished = len(progress.published_sections())
        if (finished, len(progress.sections)) == (self.record.finished, self.record.sections):
            return
        self._save(**_progress_fields(progress))

    def _record_failure(self, error: BaseException) -> None:
        """Record why it stopped; if that fails, too, the first error is the one to raise."""
        reason = explain(error) if isinstance(error, Exception) else "stopped"
        with suppress(LongchainError):
            self._record_cancelled_calls()
            progress = self.progress()
            if progress.finished():
                status: Status = "done"
            elif isinstance(error, Exception) and progress.plan is None:
                status = "failed"
            else:
                status = "stopped"
            self._save(
                status=status,
                error="" if status == "done" else reason,
                **_progress_fields(progress),
            )
        logger.info("run %s: %s", self.id, reason, extra={"run": self.id})

    def _record_cancelled_calls(self) -> None:
        """Add the usage of cancelled calls to the log: they were sent, so they are paid for."""
        if self._chain is None:
            return
        cancelled = self._chain.stages.policy.cancelled
        usage = sum(cancelled, Usage())
        cancelled.clear()
        if usage.calls:
            record = to_record(Amended(changes={}))
            record["usage"] = usage.model_dump()  # last, as in the logs that are stored already
            self._append(self.log(), [record])

    def _save(self, **changes: Any) -> None:
        self.record = self.record.model_copy(update={**changes, "updated": now()})
        self._store.save(self.record)

    # Changing ------------------------------------------------------------------------------

    def review(self, plan: WritingPlan | bool = True) -> None:
        """Answer the review of the plan, True to follow it as it is; then `write` goes on."""
        self._review_answer = plan.model_dump() if isinstance(plan, WritingPlan) else plan

    def change(self, edit: Callable[[DocumentState], Change]) -> list[str]:
        """Add a user's edit to the log; then `write` carries it out.

        Args:
            edit: A function of `longchain.agent.edits`, with all its arguments but the state.

        Returns:
            Messages that describe the changes and their effects.
        """
        with self._locked():
            log = self.log()
            change = edit(self.replay(log))
            if change.events:
                self._append(log, change.events)
        self.messages += change.messages
        return change.messages

    def change_options(self, fields: dict[str, Any], messages: list[str]) -> None:
        """Store other options of the chain in the record.

        Args:
            fields: Fields of the record: see `ChainSpec.to_record`.
            messages: Sentences that describe the differences.
        """
        with self._locked():
            log = self.log()
            if self.replay(log).finished():
                self._save(**fields)  # needs no model
            else:
                name = model_name(self.chain)
                self.record = self.record.model_copy(update={**fields, "model_name": name})
                # Another window may mean other prompts: the next step is decided anew.
                self._append(log, [to_record(Amended(changes={}))])
        self.messages += messages

    def _append(self, log: list[Any], new: list[Any]) -> None:
        """Append events to the log, in the name of the node that they may follow."""
        chain = self.chain
        with self._store.translated_errors():
            progress = DocumentState([*log, *new], closed=self.closed, mode=self.mode)
            node = self._edit_node(progress)
            # Results of parallel tasks that are not yet in a checkpoint would be lost.
            tasks = chain.get_state(self.config).tasks
            waiting = [event for task in tasks for event in (task.result or {}).get("log", [])]
            chain.update_state(self.config, {"log": [*waiting, *new]}, as_node=node)
        self._save(status=self._status_of(progress), **_progress_fields(progress))

    def _edit_node(self, progress: DocumentState) -> str:
        """Return the node as which an edit enters the log: its edges lead to the next step.

        Without a plan, the next step may be to survey the sources; with one, to review the plan.
        """
        if progress.plan is None:
            return START
        needs_review = self.record.options.get("review") and progress.plan_origin != "given"
        return _BEFORE_REVIEW if needs_review and not progress.reviewed else _EDIT_NODE

    @staticmethod
    def _status_of(progress: DocumentState) -> Status:
        return "done" if progress.finished() else "stopped"

    def edit(self, plan: WritingPlan | dict[str, Any]) -> list[str]:
        """Replace the plan; finished sections that the new one still has stay as they are."""
        if self.reviewing():
            start_log({"instruction": "-", "plan": plan}, mode="sequential")  # checks the plan
            self.review(plan if isinstance(plan, WritingPlan) else WritingPlan(**plan))
            return []
        return self.change(lambda progress: edits.replan(progress, plan, self.mode))

    def revise(self, section: int, note: str, length: int | None = None) -> list[str]:
        """Have a finished section changed according to a note such as `shorter`; the rest stays.

        Args:
            section: Number of the section, from 1.
            note: What to change.
            length: Length that it should have; None: as the note says, or else as it is.
        """
        return self.change(lambda progress: edits.revise(progress, section, note, length))

    def rewrite(self, section: int, text: str | None = None) -> list[str]:
        """Have a section and all after it written again.

        Args:
            section: Number of the section, from 1.
            text: Text to replace the section; then only the later ones are written again.
        """
        return self.change(lambda progress: edits.rewrite(progress, section, text))

    def amend(
        self, *, instruction: str | None = None, length: int | None = None, style: str | None = None
    ) -> list[str]:
        """Change the instruction, the length or the style; finished sections stay."""
        return self.change(
            lambda progress: edits.amend(
                progress, self.mode, instruction=instruction, length=length, style=style
            )
        )

    def begin(self, log: list[Any]) -> None:
        """Store the first events, so that the run can be resumed."""
        with self._store.translated_errors():
            self.chain.update_state(self.config, {"log": log}, as_node=START)
        progress = DocumentState(log, closed=self.closed, mode=self.mode)
        status: Status = "done" if progress.finished() else "new"
        self.record = self.record.model_copy(
            update={"status": status, **_progress_fields(progress)}
        )


def _progress_fields(progress: DocumentState) -> dict[str, Any]:
    """Return the fields of a record that depend on the state of the document."""
    finished = progress.published_sections()
    planned = progress.plan is not None
    length = sum(section.length for section in finished)
    if finished:
        length += progress.overhead()
    return {
        "instruction": progress.request.instruction,
        "title": progress.plan.title if progress.plan else "",
        "sections": len(progress.sections),
        "finished": len(finished),
        "required": progress.required if planned else progress.request.required,
        "length": length,
        "unit": progress.unit,
        "usage": progress.usage,
    }
