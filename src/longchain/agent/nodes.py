"""Nodes of the graph: each reads the log, runs one Runnable, and adds records to the log.

log -> records; `Nodes.advance` chooses the next node from the log alone

Knows which step comes when; prompts, plans and prose are made in `planning`, `writing` and
`finishing`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
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
from longchain.agent.events import Event, Mode, PlanFailed, PlanReviewed, Summarized, Surveyed
from longchain.agent.finishing.report import build_document
from longchain.agent.log import Record, to_record
from longchain.agent.node import ModelNode, Prepared
from longchain.agent.planning import planner
from longchain.agent.planning import requests as plan_requests
from longchain.agent.planning.parse import WritingPlanParser
from longchain.agent.planning.requests import PlanRequest
from longchain.agent.request import ReviewAnswer
from longchain.agent.state import DocumentState
from longchain.agent.writing import memory, retrieval
from longchain.agent.writing.accept import accept_reply
from longchain.agent.writing.memory import Limits
from longchain.agent.writing.requests import SectionRequest, next_request
from longchain.agent.writing.section_prompt import Layout, PromptBuilder, write_prompt
from longchain.agent.writing.section_writer import SectionWriter
from longchain.calls.ask import CallPolicy
from longchain.calls.budget import Prices
from longchain.calls.reply import Reply, SectionParser
from longchain.document import Usage, WritingPlan
from longchain.errors import InputError, PlanError
from longchain.models.profile import limited, supports_json_schema, truncation_errors

PLAN_TOKENS = 1_500
"""Tokens expected of a plan: 40 sections of a heading and a sentence or two."""

MAX_FAILED_PLANS = 2
"""Unreadable replies to one plan request, after which an even plan takes its place."""

MAX_CACHED_STATES = 256
"""Documents in progress whose state is kept between two steps."""

Values = Any
"""Values of the graph's channels: `log`, and the section's `index` in parallel mode.

LangGraph would take a more precise type for a state schema of the node's own.
"""

Update = dict[str, Any]
"""Update of the graph's channels by a node."""


def _log_update(*events: Event) -> Update:
    return {"log": [to_record(event) for event in events]}


@dataclass
class Nodes:
    """The nodes of one chain, and what they work with."""

    model: BaseChatModel

    planner_model: BaseChatModel

    limits: Callable[..., Limits]
    """Returns the limits of prompts; called for the first prompt, as it may ask a server."""

    retriever: Runnable[str, list[Document]] | None = None

    plan_prompt: ChatPromptTemplate | None = None

    write_prompt: ChatPromptTemplate | None = None

    mode: Mode = "sequential"

    layout: Layout = "conversation"

    length_control: bool = True

    grounded_only: bool = False

    review: bool = False

    local_sources: bool = True

    strict: bool = False

    policy: CallPolicy = field(default_factory=CallPolicy)

    def __post_init__(self) -> None:
        prompt = self.write_prompt or write_prompt(self.layout)
        self.writer: Runnable[Any, Reply] = SectionWriter(self.model, prompt)
        self.structured: bool | None = None
        """Whether the planner answers by JSON schema; None if that is not known yet."""
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
        self._states: dict[int, DocumentState] = {}

    @cached_property
    def limit(self) -> Limits:
        """Limits of prompts, in tokens."""
        return self.limits()

    @property
    def prices(self) -> Prices | None:
        """Prices of tokens, if the caller has given them."""
        return self.policy.budget.prices if self.policy.budget else None

    def document_state(self, values: Values) -> DocumentState:
        """Return the state of the document.

        A log grows at its end, so the state of a step ago only has to take in the latest records.
        A log that does not continue a cached one (a resumed run, a fork, another document) is
        read from its beginning.
        """
        log: list[Record] = values["log"]
        with self._lock:
            state = self._states.pop(id(log[0]), None)
            if state is None or not _continues(log, state):
                state = DocumentState(log, closed=self.length_control, mode=self.mode)
            state.add(log[state.seen :])
            self._states[id(log[0])] = state
            if len(self._states) > MAX_CACHED_STATES:
                del self._states[next(iter(self._states))]
        return state

    # Choice of the next node ---------------------------------------------------------------

    def start(self, values: Values) -> str | list[Send]:
        """Return the first node: the plan, unless one was given."""
        state = self.document_state(values)
        if self.source(state) is not None and not state.surveyed:
            return "survey"
        return "plan" if state.plan is None else self.advance(values)

    def planned(self, values: Values) -> str | list[Send]:
        """Return the node after an attempt to plan."""
        state = self.document_state(values)
        if state.failures:
            return "repair"
        if self.review and not state.reviewed:
            return "review"
        return self.advance(values)

    def advance(self, values: Values) -> str | list[Send]:
        """Return the node for the document's next step."""
        state = self.document_state(values)
        if state.plan is None or state.chapter_reached() is not None:
            return "plan"
        index = state.current()
        if index is None:
            return "finish"
        if self._summary_end(state, index) is not None:
            return "summarize"
        if self._needs_references(state, index):
            return "retrieve"
        if self.mode != "parallel":
            return "write"
        pending = [i for i, section in enumerate(state.sections) if not section.done]
        return [Send("write_alone", {"index": i}) for i in pending]

    def _needs_references(self, state: DocumentState, index: int) -> bool:
        """Whether the current section, in parallel mode any section, lacks its references."""
        if self.source(state) is None:
            return False
        if self.mode == "parallel":
            return not all(section.retrieved for section in state.sections)
        return not state.sections[index].retrieved

    # Planning ------------------------------------------------------------------------------

    def _prepare_plan(self, values: Values) -> Prepared[PlanRequest]:
        state = self.document_state(values)
        request = plan_requests.next_plan_request(state)
        variables = plan_requests.plan_variables(state, request)
        parser = WritingPlanParser(
            unit=state.unit,
            language=state.language,
            required=request.required,
            level=request.level,
        )
        prepared = partial(Prepared, state, context=request, expected_errors=(PlanError,))
        if len(state.failures) >= MAX_FAILED_PLANS:
            return prepared(input=None, runnable=RunnableLambda(_raise_plan_error))
        prompt = self._plan_prompt(state, request)
        if not state.failures:
            return prepared(
                input=variables,
                runnable=self._planner(prompt, parser),
                reply_tokens=PLAN_TOKENS,
            )
        messages = planner.repair_messages(
            prompt.invoke(variables).to_messages(),
            *state.failures[-1],
            required=request.required,
            unit=state.unit,
            language=state.language,
        )
        return prepared(
            input=messages, runnable=self.planner_model | parser, reply_tokens=PLAN_TOKENS
        )

    def _plan_prompt(self, state: DocumentState, request: PlanRequest) -> ChatPromptTemplate:
        if request.chapter is not None:
            return planner.plan_prompt(state.language, chapter=True)
        return self.plan_prompt or planner.plan_prompt(state.language)

    def _planner(
        self, prompt: ChatPromptTemplate, parser: WritingPlanParser
    ) -> Runnable[dict[str, Any], WritingPlan]:
        """Return the planner: by JSON schema unless the model has shown that it cannot."""
        by_text = planner.build_planner(self.planner_model, prompt, parser)
        if self.structured is None:
            self.structured = supports_json_schema(self.planner_model) is not False
        if not self.structured:
            return by_text
        try:
            by_schema = planner.build_planner(self.planner_model, prompt, parser, structured=True)
        except (AttributeError, NotImplementedError, TypeError, ValueError):
            self.structured = False
            return by_text

        def give_up(variables: dict[str, Any]) -> Runnable[dict[str, Any], WritingPlan]:
            self.structured = False
            return by_text

        if truncated := truncation_errors():
            by_schema = by_schema.with_fallbacks([by_text], exceptions_to_handle=truncated)
        refused = (ModelInvalidRequestError, PlanError, NotImplementedError)
        return by_schema.with_fallbacks([RunnableLambda(give_up)], exceptions_to_handle=refused)

    def _update_plan(
        self,
        prepared: Prepared[PlanRequest],
        answer: WritingPlan | PlanError,
        usage: Usage,
    ) -> Update:
        state, request = prepared.document, prepared.context
        notes = prepared.notes()
        if isinstance(answer, PlanError):
            if len(state.failures) < MAX_FAILED_PLANS:
                reply = answer.llm_output or ""
                return _log_update(PlanFailed(reply=reply, error=str(answer), usage=usage))
            notes.append("even: no plan could be read from the model's replies")
            plan = plan_requests.even_plan(state, request)
        else:
            plan = answer
            if state.failures:
                notes.append("repaired")
        return _log_update(plan_requests.plan_event(request, plan, notes, usage))

    def review_plan(self, state: Values) -> Update:
        """Pause until the user has reviewed the plan; go on with the plan they return."""
        document = self.document_state(state)
        current = document.current_plan.model_dump()
        try:
            answer = interrupt({"plan": current}, response_schema=ReviewAnswer)
        except ValidationError as error:
            # LangGraph raises it before it saves the answer: the review stays pending.
            raise InputError(error.errors()[0]["msg"]) from None
        if answer is None or answer is True or answer == current:
            return _log_update(PlanReviewed())
        edited = plan_requests.read_edited_plan(
            document, answer, self.mode, note="edited in review", local_sources=self.local_sources
        )
        return _log_update(edited, PlanReviewed())

    # References ----------------------------------------------------------------------------

    def source(self, state: DocumentState) -> Runnable[str, list[Document]] | None:
        """Return the retriever for a request: over its own material, else the chain's."""
        request = state.request
        if not (request.context or request.sources):
            return self.retriever
        if state.retriever is None:
            state.retriever = retrieval.request_retriever(request)
        return cast("Runnable[str, list[Document]]", state.retriever)

    def _prepare_survey(self, values: Values) -> Prepared[None]:
        state = self.document_state(values)
        source = self.source(state)
        assert source is not None
        if isinstance(source, sources.SourceRetriever):
            documents = source.documents
            return Prepared(state, None, RunnableLambda(lambda _: documents), None)
        return Prepared(state, state.request.instruction, source, None)

    def _update_survey(self, prepared: Prepared[None], answer: Any, usage: Usage) -> Update:
        return _log_update(Surveyed(outline=sources.outline(sources.to_documents(answer))))

    def _prepare_retrieve(self, values: Values) -> Prepared[int]:
        """Prepare the retrieval for the first section without references, by its index."""
        state = self.document_state(values)
        index = next(i for i, section in enumerate(state.sections) if not section.retrieved)
        source = self.source(state)
        assert source is not None
        return Prepared(state, retrieval.query(state.sections[index].plan), source, index)

    def _update_retrieve(self, prepared: Prepared[int], answer: Any, usage: Usage) -> Update:
        documents = sources.to_documents(answer)
        return _log_update(
            retrieval.retrieved_event(
                prepared.document, prepared.context, prepared.runnable, documents
            )
        )

    # Writing -------------------------------------------------------------------------------

    def _prepare_write(self, values: Values) -> Prepared[SectionRequest]:
        state = self.document_state(values)
        index = state.current()
        assert index is not None
        return self._prepare_section(state, index)

    def _prepare_alone(self, values: Values) -> Prepared[SectionRequest]:
        return self._prepare_section(self.document_state(values), values["index"])

    def _prepare_section(self, state: DocumentState, index: int) -> Prepared[SectionRequest]:
        request = next_request(state, index)
        variables = self._prompt_builder(state).variables(request)
        return Prepared(
            state,
            variables,
            self.writer,
            request,
            reply_tokens=variables["max_tokens"] // 2,  # the limit is twice what is needed
            section=index + 1,
            request=request.kind,
        )

    def _prompt_builder(self, state: DocumentState) -> PromptBuilder:
        grounded = self.source(state) is not None or bool(state.references)
        return PromptBuilder(
            state, self.layout, self.limit, grounded=grounded, grounded_only=self.grounded_only
        )

    def _update_write(
        self, prepared: Prepared[SectionRequest], answer: Reply, usage: Usage
    ) -> Update:
        event = accept_reply(prepared.document, prepared.context, answer, usage, strict=self.strict)
        if prepared.retried:
            event = replace(event, notes=[*prepared.notes(), *event.notes])
        return _log_update(event)

    def gather(self, state: Values) -> Update:
        """Go on when all parallel sections are back; raise the first error of any."""
        document = self.document_state(state)
        if document.errors:
            error, *_ = document.errors
            document.errors.clear()
            raise error
        return {"log": []}

    # Memory and the end --------------------------------------------------------------------

    def _summary_end(self, state: DocumentState, current: int | None) -> int | None:
        shows_requests = self.layout == "conversation"
        return memory.summary_end(state, current, self.limit, shows_requests=shows_requests)

    def _prepare_summary(self, values: Values) -> Prepared[int]:
        """Prepare a running summary of all sections before the index in its context."""
        state = self.document_state(values)
        end = self._summary_end(state, state.current())
        assert end is not None
        variables = memory.summary_variables(state, end)
        model = limited(self.model, memory.SUMMARY_TOKENS)
        chain = memory.summary_prompt(state.language) | model | SectionParser()
        return Prepared(state, variables, chain, end, reply_tokens=memory.SUMMARY_TOKENS)

    def _update_summary(self, prepared: Prepared[int], answer: Reply, usage: Usage) -> Update:
        end = prepared.context
        text = memory.updated_summary(prepared.document, end, answer.text, self.limit)
        return _log_update(Summarized(text=text, end=end, usage=usage))

    def finish(self, state: Values) -> Update:
        """Build the finished document."""
        document = self.document_state(state)
        with self._lock:
            self._states.pop(id(state["log"][0]), None)
        return build_document(document, self.prices).model_dump()


def _continues(log: list[Record], state: DocumentState) -> bool:
    """Whether a log continues the one that a state was read from."""
    return state.seen <= len(log) and log[state.seen - 1] is state.latest


def _raise_plan_error(_: Any) -> WritingPlan:
    raise PlanError("no plan could be read")
