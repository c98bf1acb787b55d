"""The nodes of the graph: each looks at the log, runs one Runnable, and adds to the log.

log -> events; which node comes next is decided by `Nodes.advance`, from the log alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from threading import Lock
from typing import Any, cast

from langchain_core.documents import Document
from langchain_core.exceptions import ModelInvalidRequestError
from langchain_core.language_models import BaseChatModel
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable, RunnableLambda
from langgraph.types import Send, interrupt
from pydantic import ValidationError

from longchain import sources
from longchain.agent.events import Kind, Mode
from longchain.agent.finishing.report import document
from longchain.agent.node import ModelNode, Prepared
from longchain.agent.planning import lengths, planner
from longchain.agent.planning.parse import WritingPlanParser
from longchain.agent.request import Reviewed
from longchain.agent.request import events as request_events
from longchain.agent.state import DocumentState
from longchain.agent.writing import memory, prompter
from longchain.agent.writing.accept import next_request, settle
from longchain.agent.writing.memory import Limits
from longchain.calls.ask import CallPolicy
from longchain.calls.budget import Prices
from longchain.calls.reply import SectionParser
from longchain.document import Reference, WritingPlan
from longchain.errors import InputError, PlanError
from longchain.models.profile import half_answers, limited, structured

PLAN_TOKENS = 1_500
"""About what a plan takes: 40 sections of a heading and a sentence or two."""

REMEMBERED = 256
"""Documents under way whose progress is kept between two steps."""

Update = dict[str, Any]


@dataclass(frozen=True)
class PlanTask:
    """What the planner is asked for: a whole plan, or the sections of one chapter."""

    chapter: str | None
    """Heading of the chapter; None for the whole plan."""

    level: lengths.Level
    required: int | None
    """Required length of what is planned; None leaves it to the planner."""


@dataclass(frozen=True)
class RetrievalTask:
    """The section that references are looked up for."""

    index: int


@dataclass(frozen=True)
class SectionTask:
    """One request for prose."""

    index: int
    kind: Kind
    asked: int
    """Length asked for, in the document's unit; 0 for none."""


@dataclass(frozen=True)
class SummaryTask:
    """A running summary of all sections before `end`."""

    end: int


@dataclass
class Nodes:
    """The nodes of one chain, and what they work with."""

    model: BaseChatModel
    planner_model: BaseChatModel
    limits: Callable[..., Limits]
    """What fits; asked when the first prompt is made, since a server may have to be asked."""

    retriever: Runnable[str, list[Document]] | None = None
    plan_prompt: ChatPromptTemplate | None = None
    write_prompt: ChatPromptTemplate | None = None
    mode: Mode = "sequential"
    layout: prompter.Layout = "conversation"
    length_control: bool = True
    grounded_only: bool = False
    review: bool = False
    local_sources: bool = True
    strict: bool = False
    policy: CallPolicy = field(default_factory=CallPolicy)

    def __post_init__(self) -> None:
        prompt = self.write_prompt or prompter.write_prompt(self.layout)
        self.writer = prompter.section_writer(self.model, prompt)
        self.structured: bool | None = None
        node = partial(ModelNode, policy=self.policy)
        self.plan = node("plan", self._prepare_plan, self._update_plan)
        self.write = node("write", self._prepare_write, self._update_write, prose=True)
        self.write_alone = node(
            "write_alone",
            self._prepare_alone,
            self._update_write,
            prose=True,
            reads=("log",),
            keeps_errors=True,
        )
        self.survey = node("survey", self._prepare_survey, self._update_survey)
        self.retrieve = node("retrieve", self._prepare_retrieve, self._update_retrieve)
        self.summarize = node("summarize", self._prepare_summary, self._update_summary)
        self._lock = Lock()
        self._known: dict[int, DocumentState] = {}

    @cached_property
    def limit(self) -> Limits:
        """What fits into a prompt."""
        return self.limits()

    @property
    def prices(self) -> Prices | None:
        """What tokens cost, where the caller has said so."""
        return self.policy.budget.prices if self.policy.budget else None

    def progress(self, state: Any) -> DocumentState:
        """Return where the document stands.

        The log of a document grows by its end, so what was computed from it a step ago only has
        to take in the latest events. A log that does not continue what is remembered (a resumed
        run, a fork, another document) is read from its beginning.
        """
        log = state["log"]
        with self._lock:
            known = self._known.pop(id(log[0]), None)
            if known is None or known.seen > len(log) or log[known.seen - 1] is not known.latest:
                known = DocumentState(log, closed=self.length_control, mode=self.mode)
            known.add(log[known.seen :])
            self._known[id(log[0])] = known
            if len(self._known) > REMEMBERED:
                del self._known[next(iter(self._known))]
        return known

    # Which node is next --------------------------------------------------------------------

    def start(self, state: Any) -> str | list[Send]:
        """Return the first node: the plan, unless one was given."""
        progress = self.progress(state)
        if self.source(progress) is not None and not progress.surveyed:
            return "survey"
        return "plan" if progress.plan is None else self.advance(state)

    def planned(self, state: Any) -> str | list[Send]:
        """Return what follows an attempt to plan."""
        progress = self.progress(state)
        if progress.failures:
            return "repair"
        if self.review and not progress.reviewed:
            return "review"
        return self.advance(state)

    def advance(self, state: Any) -> str | list[Send]:
        """Return the node that brings the document one step on."""
        progress = self.progress(state)
        if progress.plan is None or progress.chapter_reached() is not None:
            return "plan"
        index = progress.current()
        if index is None:
            return "finish"
        if self._fold_until(progress) is not None:
            return "summarize"
        grounded = self.source(progress) is not None
        if self.mode != "parallel":
            return "retrieve" if grounded and not progress.sections[index].retrieved else "write"
        if grounded and any(not draft.retrieved for draft in progress.sections):
            return "retrieve"
        waiting = [i for i, draft in enumerate(progress.sections) if not draft.done]
        return [Send("write_alone", {"index": index}) for index in waiting]

    # Planning ------------------------------------------------------------------------------

    def _prepare_plan(self, state: Any) -> Prepared[Any]:
        progress = self.progress(state)
        chapter = progress.chapter_reached()
        request = progress.request
        required = request["required"] if chapter is None else _share(progress, chapter)
        level = lengths.level_of(required, progress.unit) if chapter is None else "section"
        variables = planner.variables(
            request["instruction"],
            required=required,
            unit=progress.unit,
            language=progress.language,
            language_name=prompter.language_name(
                progress.language, planner.prompt_language(progress.language)
            ),
            level=level,
            sources=progress.outline,
            style=request["style"],
        )
        parser = WritingPlanParser(
            unit=progress.unit, language=progress.language, required=required, level=level
        )
        task = PlanTask(chapter, level, required)
        prompt = self._prompt(progress, chapter, variables)
        if progress.failures:
            asked = prompt.invoke(variables)
            messages = planner.repair_messages(asked, progress.failures, variables)
            if len(progress.failures) > 1:
                give_up = RunnableLambda(_unplanned)
                return Prepared(progress, None, give_up, task, expected_errors=(PlanError,))
            again = self.planner_model | parser
            return Prepared(
                progress,
                messages,
                again,
                task,
                expected_errors=(PlanError,),
                reply_tokens=PLAN_TOKENS,
            )
        runnable = self._planner(prompt, parser)
        return Prepared(
            progress,
            variables,
            runnable,
            task,
            expected_errors=(PlanError,),
            reply_tokens=PLAN_TOKENS,
        )

    def _prompt(
        self, progress: DocumentState, chapter: str | None, variables: dict[str, Any]
    ) -> ChatPromptTemplate:
        if chapter is None:
            return self.plan_prompt or planner.plan_prompt(progress.language)
        assert progress.plan is not None
        chapters = progress.plan.chapters
        lines = [f"{number}. {prompter.outline(part)}" for number, part in enumerate(chapters, 1)]
        reached = next(part for part in chapters if part.heading == chapter)
        variables |= {"chapters": "\n".join(lines), "chapter": prompter.outline(reached)}
        return planner.plan_prompt(progress.language, chapter=True)

    def _planner(
        self, prompt: ChatPromptTemplate, parser: WritingPlanParser
    ) -> Runnable[dict[str, Any], WritingPlan]:
        """Return the planner: by JSON schema unless the model has shown that it cannot."""
        plain = planner.planner(self.planner_model, prompt, parser)
        if self.structured is None:
            self.structured = structured(self.planner_model) is not False
        if not self.structured:
            return plain
        try:
            first = planner.planner(self.planner_model, prompt, parser, structured=True)
        except (AttributeError, NotImplementedError, TypeError, ValueError):
            self.structured = False
            return plain

        def give_up(variables: dict[str, Any]) -> Runnable[dict[str, Any], WritingPlan]:
            self.structured = False
            return plain

        if cut := half_answers():
            first = first.with_fallbacks([plain], exceptions_to_handle=cut)
        refused = (ModelInvalidRequestError, PlanError, NotImplementedError)
        return first.with_fallbacks([RunnableLambda(give_up)], exceptions_to_handle=refused)

    def _update_plan(
        self, prepared: Prepared[PlanTask], answer: Any, usage: dict[str, int]
    ) -> Update:
        progress, task = prepared.document, prepared.context
        if isinstance(answer, PlanError) and len(progress.failures) < 2:
            failed = {"failed": answer.llm_output or "", "error": str(answer)}
            return {"log": [{"type": "plan", **failed, "usage": usage}]}
        notes = [*prepared.notes(), *(["repaired"] if len(progress.failures) == 1 else [])]
        required, level = task.required, task.level
        if isinstance(answer, PlanError):
            notes = [*prepared.notes(), "even: no plan could be read from the model's replies"]
            answer = lengths.even(
                progress.request["instruction"],
                required=required,
                unit=progress.unit,
                language=progress.language,
                level=level,
            )
        if task.chapter is not None:
            answer = answer.model_copy(update={"chapters": []})
        answer = lengths.fit(answer, required or answer.length)
        if not required and task.chapter is None:
            notes.append(f"length chosen by the planner: {answer.length:,} {answer.unit}")
        event = {"type": "plan", "note": "; ".join(notes), "usage": usage}
        if task.chapter is None:
            return {"log": [{**event, "plan": answer.model_dump()}]}
        sections = [
            {**section.model_dump(), "chapter": task.chapter} for section in answer.sections
        ]
        return {"log": [{**event, "sections": sections}]}

    def review_plan(self, state: Any) -> Update:
        """Pause until a person has seen the plan; go on with what they hand back."""
        progress = self.progress(state)
        assert progress.plan is not None
        current = progress.plan.model_dump()
        try:
            answer = interrupt({"plan": current}, response_schema=Reviewed)
        except ValidationError as error:
            # LangGraph raises it before it saves the answer: the review stays pending.
            raise InputError(error.errors()[0]["msg"]) from None
        if answer is None or answer is True or answer == current:
            return {"log": [{"type": "review"}]}
        open_to = {"length": None, "unit": None, "language": None}
        given = {**progress.request, "plan": answer, **open_to}
        request, edited = request_events(given, mode=self.mode, local_sources=self.local_sources)
        # Whoever edits a plan decides on the whole length, too.
        changed = {"note": "edited in review", "required": request["required"]}
        return {"log": [{**edited, **changed}, {"type": "review"}]}

    # References ----------------------------------------------------------------------------

    def source(self, progress: DocumentState) -> Runnable[str, list[Document]] | None:
        """Return the retriever for a request: over its own material, else the chain's."""
        request = progress.request
        if not (request["context"] or request["sources"]):
            return self.retriever
        if progress.retriever is None:
            read = sources.read_sources(request["sources"]) if request["sources"] else []
            found = [*sources.to_documents(request["context"]), *read]
            progress.retriever = sources.SourceRetriever.over(found)
        return cast("Runnable[str, list[Document]]", progress.retriever)

    def _prepare_survey(self, state: Any) -> Prepared[Any]:
        progress = self.progress(state)
        source = self.source(progress)
        assert source is not None
        if isinstance(source, sources.SourceRetriever):
            documents = source.documents
            return Prepared(progress, None, RunnableLambda(lambda _: documents), None)
        return Prepared(progress, progress.request["instruction"], source, None)

    def _update_survey(self, prepared: Prepared[Any], answer: Any, usage: dict[str, int]) -> Update:
        return {
            "log": [{"type": "survey", "outline": sources.outline(sources.to_documents(answer))}]
        }

    def _prepare_retrieve(self, state: Any) -> Prepared[Any]:
        progress = self.progress(state)
        index = next(i for i, draft in enumerate(progress.sections) if not draft.retrieved)
        source, section = self.source(progress), progress.sections[index].plan
        assert source is not None
        query = " ".join(filter(None, [section.chapter, section.heading, section.main_point]))
        return Prepared(progress, query, source, RetrievalTask(index))

    def _update_retrieve(
        self, prepared: Prepared[Any], answer: Any, usage: dict[str, int]
    ) -> Update:
        known = [Reference(**reference) for reference in prepared.document.references]
        numbering = sources.References(known)
        found = numbering.add(_shown(prepared.runnable, sources.to_documents(answer)))
        seen_ids = {reference.id for reference in known}
        event = {
            "type": "references",
            "section": prepared.context.index,
            "ids": [reference.id for reference in found],
            "new": [ref.model_dump() for ref in found if ref.id not in seen_ids],
        }
        return {"log": [event]}

    # Writing -------------------------------------------------------------------------------

    def _prompter(self, progress: DocumentState) -> prompter.Prompter:
        grounded = self.source(progress) is not None or bool(progress.references)
        return prompter.Prompter(
            self.layout, self.limit, grounded=grounded, grounded_only=self.grounded_only
        )

    def _prepare_write(self, state: Any) -> Prepared[Any]:
        progress = self.progress(state)
        index = progress.current()
        assert index is not None
        return self._prepare_section(progress, index)

    def _prepare_section(self, progress: DocumentState, index: int) -> Prepared[Any]:
        kind, asked, problem = next_request(progress, index)
        variables = self._prompter(progress).variables(
            progress, index, kind, asked, problem=problem
        )
        return Prepared(
            progress,
            variables,
            self.writer,
            SectionTask(index, kind, asked),
            reply_tokens=variables["max_tokens"] // 2,  # the limit is twice what is needed
            section=index + 1,
            request=kind,
        )

    def _update_write(self, prepared: Prepared[Any], answer: Any, usage: dict[str, int]) -> Update:
        task = prepared.context
        event = settle(
            prepared.document,
            task.index,
            task.kind,
            task.asked,
            answer,
            usage,
            strict=self.strict,
        )
        event["notes"] = [*prepared.notes(), *event["notes"]]
        return {"log": [event]}

    def _prepare_alone(self, state: Any) -> Prepared[Any]:
        return self._prepare_section(self.progress(state), state["index"])

    def gather(self, state: Any) -> Update:
        """Go on when all sections sent out are back; raise what one of them met."""
        progress = self.progress(state)
        if progress.errors:
            error, *_ = progress.errors
            progress.errors.clear()
            raise error
        return {"log": []}

    def _fold_until(self, progress: DocumentState) -> int | None:
        return memory.fold_until(progress, self.limit, requests=self.layout == "conversation")

    # Memory and the end --------------------------------------------------------------------

    def _prepare_summary(self, state: Any) -> Prepared[Any]:
        progress = self.progress(state)
        end = self._fold_until(progress)
        assert end is not None
        own = planner.prompt_language(progress.language)
        name = prompter.language_name(progress.language, own)
        variables = memory.summary_variables(progress, end, name)
        model = limited(self.model, memory.SUMMARY_TOKENS)
        chain = memory.summary_prompt(progress.language) | model | SectionParser()
        return Prepared(
            progress, variables, chain, SummaryTask(end), reply_tokens=memory.SUMMARY_TOKENS
        )

    def _update_summary(
        self, prepared: Prepared[Any], answer: Any, usage: dict[str, int]
    ) -> Update:
        text, end = memory.settle(prepared.document, prepared.context.end, answer.text, self.limit)
        return {"log": [{"type": "summary", "text": text, "upto": end, "usage": usage}]}

    def finish(self, state: Any) -> Update:
        """Lay out, number and measure the document."""
        progress = self.progress(state)
        with self._lock:
            self._known.pop(id(state["log"][0]), None)
        return document(progress, self.prices).model_dump()


def _shown(source: Runnable[Any, Any], found: list[Document]) -> list[Document]:
    """Return what a section is shown of the material that came with the request.

    Material that fits is shown whole. Words may also fail to find any of it, as where the plan is
    in another language: then its beginning is shown, or the section would be made up.
    """
    if not isinstance(source, sources.SourceRetriever):
        return found
    whole = source.documents
    return whole if len(whole) <= source.k else found or whole[: source.k]


def _unplanned(_: Any) -> WritingPlan:
    raise PlanError("no plan could be read")


def _share(progress: DocumentState, chapter: str) -> int:
    """Return what remains for a chapter whose sections are about to be planned."""
    assert progress.plan is not None
    assert progress.controller is not None
    planned = {section.chapter for section in progress.plan.sections}
    waiting = {c.heading: c.length for c in progress.plan.chapters if c.heading not in planned}
    return progress.controller.remaining(waiting[chapter], sum(waiting.values()))
