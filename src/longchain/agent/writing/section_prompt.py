"""Builds the prompt of a section: instruction, plan, prior text, references and the request.

`DocumentState` + section + requested length -> `WriterInput`

Two layouts show the prior text. Both grow only at their end, so that a server's prefix cache
serves what it has read before:

- `paper`: one message with instruction, plan, text so far and the request, as in arXiv 2408.07055.
- `conversation`: each request is a user turn and each piece of text the assistant's answer, so
  that also the keys and values of what the server has just written are used again.

A request names its length once, as the last number of its last message. Texts are in
`longchain.agent.prompts`.
"""

from __future__ import annotations

from typing import Literal

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from typing_extensions import TypedDict

from longchain.agent.planning.plan_view import describe_part, view_plan
from longchain.agent.prompts import prompts_for
from longchain.agent.prompts.custom import VariableRules
from longchain.agent.section import SectionState
from longchain.agent.state import DocumentState
from longchain.agent.writing.memory import Limits, tail, within
from longchain.agent.writing.reply_limit import max_reply_tokens
from longchain.agent.writing.requests import SectionRequest
from longchain.agent.writing.retry_notes import retry_note
from longchain.sources import render

Layout = Literal["conversation", "paper"]
"""Form in which a prompt shows the prior text."""


class SectionVariables(TypedDict):
    """Variables of a write prompt."""

    instruction: str

    plan: str
    """The plan: whole, by its headings, or an excerpt."""

    text: str
    """Prior text in the `paper` layout; empty in `conversation`."""

    turns: list[BaseMessage]
    """Prior requests and answers in the `conversation` layout; empty in `paper`."""

    step: str
    """The request, with references and section; before the first turn, with the preamble."""

    preamble: str
    """Text before all prior text, with instruction and plan."""

    style: str

    language: str
    """Name of the document's language."""

    heading: str
    """Heading of the section."""

    main_point: str
    """Main point of the section."""

    length: int
    """Length to ask for; 0 leaves it to the model."""

    unit: str
    """Name of the unit."""

    references: str
    """References of the section, in tags."""


class WriterInput(SectionVariables):
    """Input of the section writer: the variables of its prompt, and the limit of its reply."""

    max_tokens: int
    """Maximum tokens of the reply."""


WRITE_PROMPT_RULES = VariableRules(
    option="write_prompt",
    allowed=frozenset(SectionVariables.__annotations__),
    required=(frozenset({"step"}), frozenset({"main_point", "length"})),
    check_optional=True,
)
"""Variables of a write prompt of the user's own."""

_PAPER = "{preamble}\n<text>\n{text}\n</text>\n\n{step}"
_DIRECT_PREAMBLE = "{instruction}\n{style}{grounding}"


def write_prompt(layout: Layout = "conversation") -> ChatPromptTemplate:
    """Return the section writer's prompt in one of the two layouts."""
    if layout == "paper":
        return ChatPromptTemplate([("human", _PAPER)])
    return ChatPromptTemplate([MessagesPlaceholder("turns"), ("human", "{step}")])


class PromptBuilder:
    """Builds the prompts of a document's sections.

    Args:
        state: The document.
        layout: Form in which prompts show the prior text.
        limits: Shares of the context window.
        grounded: Whether sections have references.
        grounded_only: Whether to write from the references alone.
    """

    def __init__(
        self,
        state: DocumentState,
        layout: Layout,
        limits: Limits,
        *,
        grounded: bool = False,
        grounded_only: bool = False,
    ):
        self.state = state
        self.layout = layout
        self.limits = limits
        self.grounded = grounded
        self.grounded_only = grounded_only
        self.plan = state.current_plan
        self.prompts = prompts_for(state.language)
        self.unit_name = self.prompts.unit_names[state.unit]
        self.language_name = self.prompts.language_name(state.language)

    def variables(self, request: SectionRequest) -> WriterInput:
        """Return the variables of the prompt for one request.

        Raises:
            ContextOverflowError: The prompt leaves too little room for a reply.
        """
        state, index = self.state, request.index
        section = state.sections[index]
        step = self._step(request, alone=self.layout == "paper")
        first_shown = state.summarized if state.mode == "sequential" else index
        plan = view_plan(
            self.plan, first_shown, max_tokens=self.limits.plan, count=self.limits.count
        )
        preamble = self._preamble(plan)
        turns, text = self._turns(index, preamble), self._text(index)
        if self.layout == "conversation" and not turns:
            step = f"{preamble}\n{step}"
        max_tokens = max_reply_tokens(
            request.length,
            [text, preamble, step, *(turn.text for turn in turns)],
            self.limits,
            unit=state.unit,
            language=state.language,
            section=index + 1,
        )
        return {
            "instruction": state.request.instruction,
            "plan": plan,
            "preamble": preamble,
            "text": text,
            "turns": turns,
            "step": step,
            "style": state.request.style,
            "language": self.language_name,
            "heading": section.plan.heading,
            "main_point": section.plan.main_point,
            "length": request.length,
            "unit": self.unit_name,
            "references": self._references(section),
            "max_tokens": max_tokens,
        }

    # What precedes the prior text ----------------------------------------------------------

    def _preamble(self, plan: str) -> str:
        """Return the text before all prior text, the same from request to request."""
        state, writing = self.state, self.prompts.writing
        style = state.request.style
        template = _DIRECT_PREAMBLE if state.mode == "direct" else writing.preamble
        text = template.format(
            instruction=state.request.instruction,
            style=f"\n<style>\n{style}\n</style>\n" if style else "",
            plan=plan,
            language=self.language_name,
            grounding=self._grounding(),
        )
        if state.summary and state.mode == "sequential":
            text += f"\n<summary>\n{state.summary}\n</summary>\n"
        return text

    def _grounding(self) -> str:
        """Return the rules for citing references."""
        if not self.grounded:
            return ""
        rules = self.prompts.writing.grounding
        if self.grounded_only:
            rules += self.prompts.writing.grounded_only
        return rules

    # The request ---------------------------------------------------------------------------

    def _step(self, request: SectionRequest, *, alone: bool = False) -> str:
        """Return one request for prose: its references, its section and its length.

        Args:
            request: The request.
            alone: Whether no earlier turn shows anything of the section.
        """
        section = self.state.sections[request.index]
        blocks: list[str] = []
        # In a conversation an extension follows the turn that has shown all this already.
        if alone or request.kind != "extend":
            blocks += [self._chapter(request.index, alone), self._references(section)]
            if self.state.mode != "direct":
                blocks.append(_section_block(section))
        if request.kind == "revise" and section.revision:
            blocks.append(f"<text>\n{section.revision.before.text}\n</text>")
        order = self._order(request)
        if request.problem:
            order = retry_note(request.problem, self.state.language) + order
        return "\n\n".join(filter(None, [*blocks, order]))

    def _order(self, request: SectionRequest) -> str:
        """Return the sentence that asks for prose of a length."""
        writing = self.prompts.writing
        revision = self.state.sections[request.index].revision
        return self._order_template(request).format(
            which=writing.part.format(number=request.index + 1),
            end=writing.last_part if self._ends_document(request.index) else "",
            length=request.length,
            unit=self.unit_name,
            note=revision.note if revision else "",
        )

    def _order_template(self, request: SectionRequest) -> str:
        writing = self.prompts.writing
        if request.kind == "extend":
            return writing.extend
        if self.state.mode == "direct":
            return writing.direct if request.length else writing.direct_any_length
        return writing.revise if request.kind == "revise" else writing.write

    def _ends_document(self, index: int) -> bool:
        """Whether the section is the last of several, in the last chapter."""
        sections, chapters = self.state.sections, self.plan.chapters
        if len(sections) == 1 or index < len(sections) - 1:
            return False
        return not chapters or sections[-1].plan.chapter == chapters[-1].heading

    def _chapter(self, index: int, alone: bool) -> str:
        """Return the plan of the section's chapter, unless an earlier turn shows it."""
        if not self.plan.chapters:
            return ""
        sections = self.state.sections
        chapter = sections[index].plan.chapter
        begins = index == 0 or sections[index - 1].plan.chapter != chapter
        if not (alone or begins or index == self.state.summarized):
            return ""
        lines = [f"- {describe_part(section)}" for section in self.plan.of_chapter(chapter)]
        return f"<chapter>\n{chapter}\n" + "\n".join(lines) + "\n</chapter>"

    def _references(self, section: SectionState) -> str:
        """Return the references of a section that fit into their share of the window."""
        if not section.references:
            return ""
        by_id = {reference.id: reference for reference in self.state.references}
        references = [by_id[number] for number in section.references]
        fitting = within(self.limits, [reference.text for reference in references])
        return render(references[: len(fitting)])

    # The prior text ------------------------------------------------------------------------

    def _text(self, index: int) -> str:
        """Return the prior text with its headings, the current section last (`paper`)."""
        state = self.state
        if self.layout != "paper" or state.mode == "parallel":
            return ""
        if state.mode == "direct":
            return tail(self.limits, state.sections[0].text)
        parts = []
        for section in state.sections[state.summarized : index + 1]:
            if not section.text:
                continue
            if section.plan.heading:
                parts.append(f"## {section.plan.heading}")
            parts.append(section.text)
        return "\n\n".join(parts)

    def _turns(self, index: int, preamble: str) -> list[BaseMessage]:
        """Return the turns before the request (`conversation`), the first with the preamble."""
        if self.layout == "paper":
            return []
        direct = self.state.mode == "direct"
        turns = self._direct_turns() if direct else self._section_turns(index)
        if turns:
            turns[0] = HumanMessage(f"{preamble}\n{turns[0].content}")
        return turns

    def _section_turns(self, index: int) -> list[BaseMessage]:
        """Return the turns of earlier sections, those summarized aside, and of this one."""
        first = index if self.state.mode == "parallel" else self.state.summarized
        turns: list[BaseMessage] = []
        for number in range(first, index + 1):
            if number == first:  # it may have to show its chapter's plan as well: not cached
                turns += self._messages_of(number)
            else:
                turns += self._cached_messages(number)
        return turns

    def _cached_messages(self, index: int) -> list[BaseMessage]:
        """Return the turns of one section, made only once when it is done."""
        section = self.state.sections[index]
        messages = section.message_cache or self._messages_of(index)
        if section.done:
            section.message_cache = messages
        return messages

    def _direct_turns(self) -> list[BaseMessage]:
        """Return the turns of a direct pass; of a text beyond the window, its end as one turn."""
        section = self.state.sections[0]
        shown_text = tail(self.limits, section.text)
        if shown_text == section.text:
            return self._messages_of(0)
        step = self._step(SectionRequest(0, "write", section.turns[0].asked))
        return [HumanMessage(step), AIMessage(shown_text)]

    def _messages_of(self, index: int) -> list[BaseMessage]:
        """Return the turns of one section as messages."""
        messages: list[BaseMessage] = []
        for turn in self.state.sections[index].turns:
            step = self._step(SectionRequest(index, turn.kind, turn.asked))
            # The answer as the server wrote it, or its cached keys and values would not be found:
            # without the white space that joins it to the text before.
            messages += [HumanMessage(step), AIMessage((turn.lead + turn.text).strip())]
        return messages


def _section_block(section: SectionState) -> str:
    return f"<section>\n{section.plan.heading}\n{section.plan.main_point}\n</section>"
