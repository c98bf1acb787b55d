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

from longchain.agent import budget, grounding, memory, plan, write
from longchain.agent.events import Mode
from longchain.agent.memory import Limits
from longchain.agent.parse import WritingPlanParser
from longchain.agent.progress import Progress
from longchain.agent.reply import SectionParser
from longchain.agent.report import document
from longchain.agent.request import Reviewed
from longchain.agent.request import events as request_events
from longchain.agent.settle import next_request, settle
from longchain.agent.spending import Prices
from longchain.agent.step import Policy, Step, View
from longchain.document import Reference, WritingPlan
from longchain.errors import InputError, PlanError
from longchain.models.traits import half_answers, limited, structured

PLAN_TOKENS = 1_500
"""About what a plan takes: 40 sections of a heading and a sentence or two."""

REMEMBERED = 256
"""Documents under way whose progress is kept between two steps."""

Update = dict[str, Any]


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
    layout: write.Layout = "conversation"
    length_control: bool = True
    grounded_only: bool = False
    review: bool = False
    local_sources: bool = True
    strict: bool = False
    policy: Policy = field(default_factory=Policy)

    def __post_init__(self) -> None:
        prompt = self.write_prompt or write.write_prompt(self.layout)
        self.writer = write.section_writer(self.model, prompt)
        self.structured: bool | None = None
        step = partial(Step, policy=self.policy)
        self.plan = step("plan", self._plan_view, self._plan_update)
        self.write = step("write", self._write_view, self._write_update, prose=True)
        self.write_alone = step(
            "write_alone",
            self._alone_view,
            self._write_update,
            prose=True,
            reads=("log",),
            deferred=True,
        )
        self.survey = step("survey", self._survey_view, self._survey_update)
        self.retrieve = step("retrieve", self._retrieve_view, self._retrieve_update)
        self.summarize = step("summarize", self._summary_view, self._summary_update)
        self._lock = Lock()
        self._known: dict[int, Progress] = {}

    @cached_property
    def limit(self) -> Limits:
        """What fits into a prompt."""
        return self.limits()

    @property
    def prices(self) -> Prices | None:
        """What tokens cost, where the caller has said so."""
        return self.policy.budget.prices if self.policy.budget else None

    def progress(self, state: Any) -> Progress:
        """Return where the document stands.

        The log of a document grows by its end, so what was computed from it a step ago only has
        to take in the latest events. A log that does not continue what is remembered (a resumed
        run, a fork, another document) is read from its beginning.
        """
        log = state["log"]
        with self._lock:
            known = self._known.pop(id(log[0]), None)
            if known is None or known.seen > len(log) or log[known.seen - 1] is not known.latest:
                known = Progress(log, closed=self.length_control, mode=self.mode)
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
            return "retrieve" if grounded and not progress.drafts[index].referred else "write"
        if grounded and any(not draft.referred for draft in progress.drafts):
            return "retrieve"
        waiting = [i for i, draft in enumerate(progress.drafts) if not draft.done]
        return [Send("write_alone", {"index": index}) for index in waiting]

    # Planning ------------------------------------------------------------------------------

    def _plan_view(self, state: Any) -> View:
        progress = self.progress(state)
        chapter = progress.chapter_reached()
        request = progress.request
        required = request["required"] if chapter is None else _share(progress, chapter)
        level = budget.level_of(required, progress.unit) if chapter is None else "section"
        variables = plan.variables(
            request["instruction"],
            required=required,
            unit=progress.unit,
            language=progress.language,
            language_name=write.language_name(
                progress.language, plan.prompt_language(progress.language)
            ),
            level=level,
            sources=progress.outline,
            style=request["style"],
        )
        parser = WritingPlanParser(
            unit=progress.unit, language=progress.language, required=required, level=level
        )
        about = {"chapter": chapter, "level": level, "required": required}
        prompt = self._prompt(progress, chapter, variables)
        if progress.failures:
            asked = prompt.invoke(variables)
            messages = plan.repair_messages(asked, progress.failures, variables)
            if len(progress.failures) > 1:
                return View(progress, None, RunnableLambda(_unplanned), about, (PlanError,))
            again = self.planner_model | parser
            return View(progress, messages, again, about, (PlanError,), reply=PLAN_TOKENS)
        planner = self._planner(prompt, parser)
        return View(progress, variables, planner, about, (PlanError,), reply=PLAN_TOKENS)

    def _prompt(
        self, progress: Progress, chapter: str | None, variables: dict[str, Any]
    ) -> ChatPromptTemplate:
        if chapter is None:
            return self.plan_prompt or plan.plan_prompt(progress.language)
        assert progress.plan is not None
        chapters = progress.plan.chapters
        lines = [f"{number}. {write.outline(part)}" for number, part in enumerate(chapters, 1)]
        reached = next(part for part in chapters if part.heading == chapter)
        variables |= {"chapters": "\n".join(lines), "chapter": write.outline(reached)}
        return plan.plan_prompt(progress.language, chapter=True)

    def _planner(
        self, prompt: ChatPromptTemplate, parser: WritingPlanParser
    ) -> Runnable[dict[str, Any], WritingPlan]:
        """Return the planner: by JSON schema unless the model has shown that it cannot."""
        plain = plan.planner(self.planner_model, prompt, parser)
        if self.structured is None:
            self.structured = structured(self.planner_model) is not False
        if not self.structured:
            return plain
        try:
            first = plan.planner(self.planner_model, prompt, parser, structured=True)
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

    def _plan_update(self, seen: View, answer: Any, usage: dict[str, int]) -> Update:
        progress, about = seen.progress, seen.about
        if isinstance(answer, PlanError) and len(progress.failures) < 2:
            failed = {"failed": answer.llm_output or "", "error": str(answer)}
            return {"log": [{"type": "plan", **failed, "usage": usage}]}
        notes = [*seen.notes(), *(["repaired"] if len(progress.failures) == 1 else [])]
        required, level = about["required"], about["level"]
        if isinstance(answer, PlanError):
            notes = [*seen.notes(), "even: no plan could be read from the model's replies"]
            answer = budget.even(
                progress.request["instruction"],
                required=required,
                unit=progress.unit,
                language=progress.language,
                level=level,
            )
        if about["chapter"] is not None:
            answer = answer.model_copy(update={"chapters": []})
        answer = budget.fit(answer, required or answer.length)
        if not required and about["chapter"] is None:
            notes.append(f"length chosen by the planner: {answer.length:,} {answer.unit}")
        event = {"type": "plan", "note": "; ".join(notes), "usage": usage}
        if about["chapter"] is None:
            return {"log": [{**event, "plan": answer.model_dump()}]}
        sections = [
            {**section.model_dump(), "chapter": about["chapter"]} for section in answer.sections
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

    def source(self, progress: Progress) -> Runnable[str, list[Document]] | None:
        """Return the retriever for a request: over its own material, else the chain's."""
        request = progress.request
        if not (request["context"] or request["sources"]):
            return self.retriever
        if progress.retriever is None:
            read = grounding.read_sources(request["sources"]) if request["sources"] else []
            found = [*grounding.documents(request["context"]), *read]
            progress.retriever = grounding.SourceRetriever.over(found)
        return cast("Runnable[str, list[Document]]", progress.retriever)

    def _survey_view(self, state: Any) -> View:
        progress = self.progress(state)
        source = self.source(progress)
        assert source is not None
        if isinstance(source, grounding.SourceRetriever):
            held = source.documents
            return View(progress, None, RunnableLambda(lambda _: held))
        return View(progress, progress.request["instruction"], source)

    def _survey_update(self, seen: View, answer: Any, usage: dict[str, int]) -> Update:
        return {
            "log": [{"type": "survey", "outline": grounding.outline(grounding.documents(answer))}]
        }

    def _retrieve_view(self, state: Any) -> View:
        progress = self.progress(state)
        index = next(i for i, draft in enumerate(progress.drafts) if not draft.referred)
        source, section = self.source(progress), progress.drafts[index].plan
        assert source is not None
        query = " ".join(filter(None, [section.chapter, section.heading, section.main_point]))
        return View(progress, query, source, {"index": index})

    def _retrieve_update(self, seen: View, answer: Any, usage: dict[str, int]) -> Update:
        known = [Reference(**reference) for reference in seen.progress.references]
        numbering = grounding.References(known)
        found = numbering.add(_shown(seen.runnable, grounding.documents(answer)))
        seen_ids = {reference.id for reference in known}
        event = {
            "type": "references",
            "section": seen.about["index"],
            "ids": [reference.id for reference in found],
            "new": [ref.model_dump() for ref in found if ref.id not in seen_ids],
        }
        return {"log": [event]}

    # Writing -------------------------------------------------------------------------------

    def _prompter(self, progress: Progress) -> write.Prompter:
        grounded = self.source(progress) is not None or bool(progress.references)
        return write.Prompter(
            self.layout, self.limit, grounded=grounded, grounded_only=self.grounded_only
        )

    def _write_view(self, state: Any) -> View:
        progress = self.progress(state)
        index = progress.current()
        assert index is not None
        return self._section_view(progress, index)

    def _section_view(self, progress: Progress, index: int) -> View:
        kind, asked, problem = next_request(progress, index)
        variables = self._prompter(progress).variables(
            progress, index, kind, asked, problem=problem
        )
        about = {
            "index": index,
            "kind": kind,
            "asked": asked,
            "metadata": {"section": index + 1, "request": kind},
        }
        # The limit is twice what the asked length needs.
        return View(progress, variables, self.writer, about, reply=variables["max_tokens"] // 2)

    def _write_update(self, seen: View, answer: Any, usage: dict[str, int]) -> Update:
        about = seen.about
        event = settle(
            seen.progress,
            about["index"],
            about["kind"],
            about["asked"],
            answer,
            usage,
            strict=self.strict,
        )
        event["notes"] = [*seen.notes(), *event["notes"]]
        return {"log": [event]}

    def _alone_view(self, state: Any) -> View:
        return self._section_view(self.progress(state), state["index"])

    def gather(self, state: Any) -> Update:
        """Go on when all sections sent out are back; raise what one of them met."""
        progress = self.progress(state)
        if progress.errors:
            error, *_ = progress.errors
            progress.errors.clear()
            raise error
        return {"log": []}

    def _fold_until(self, progress: Progress) -> int | None:
        return memory.fold_until(progress, self.limit, requests=self.layout == "conversation")

    # Memory and the end --------------------------------------------------------------------

    def _summary_view(self, state: Any) -> View:
        progress = self.progress(state)
        upto = self._fold_until(progress)
        assert upto is not None
        own = plan.prompt_language(progress.language)
        name = write.language_name(progress.language, own)
        variables = memory.summary_variables(progress, upto, name)
        model = limited(self.model, memory.SUMMARY_TOKENS)
        chain = memory.summary_prompt(progress.language) | model | SectionParser()
        return View(progress, variables, chain, {"upto": upto}, reply=memory.SUMMARY_TOKENS)

    def _summary_update(self, seen: View, answer: Any, usage: dict[str, int]) -> Update:
        text, upto = memory.settle(seen.progress, seen.about["upto"], answer.text, self.limit)
        return {"log": [{"type": "summary", "text": text, "upto": upto, "usage": usage}]}

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
    if not isinstance(source, grounding.SourceRetriever):
        return found
    whole = source.documents
    return whole if len(whole) <= source.k else found or whole[: source.k]


def _unplanned(_: Any) -> WritingPlan:
    raise PlanError("no plan could be read")


def _share(progress: Progress, chapter: str) -> int:
    """Return what remains for a chapter whose sections are about to be planned."""
    assert progress.plan is not None
    assert progress.controller is not None
    planned = {section.chapter for section in progress.plan.sections}
    waiting = {c.heading: c.length for c in progress.plan.chapters if c.heading not in planned}
    return progress.controller.remaining(waiting[chapter], sum(waiting.values()))
