"""The section writer: `WriterInput` -> `Reply` (AgentWrite, step II).

It is `ChatPromptTemplate | model | SectionParser` with a limit on each reply.
"""

from __future__ import annotations

from typing import Any

from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage
from langchain_core.prompts import BasePromptTemplate
from langchain_core.runnables import Runnable, RunnableConfig

from longchain.agent.writing.section_prompt import WriterInput
from longchain.calls.reply import Reply, read
from longchain.models.profile import limited


class SectionWriter(Runnable[WriterInput, Reply]):
    """`ChatPromptTemplate | model | SectionParser`, with `max_tokens` for each reply.

    The three are called one after another and not composed anew for each limit: a sequence's own
    runs cost as much CPU as the rest of a step, and a trace shows the model's call all the same.

    Args:
        model: The model that writes.
        prompt: A write prompt, or any Runnable that turns its variables into messages.
    """

    name = "section_writer"

    def __init__(self, model: BaseChatModel, prompt: Runnable[Any, Any]):
        self.model = model
        self.prompt = prompt

    def invoke(
        self, input: WriterInput, config: RunnableConfig | None = None, **kwargs: Any
    ) -> Reply:
        """Write one piece of a section."""
        return read(self._limited_model(input).invoke(self._messages(input), config))

    async def ainvoke(
        self, input: WriterInput, config: RunnableConfig | None = None, **kwargs: Any
    ) -> Reply:
        """Write one piece of a section asynchronously."""
        return read(await self._limited_model(input).ainvoke(self._messages(input), config))

    def _messages(self, variables: WriterInput) -> Any:
        if isinstance(self.prompt, BasePromptTemplate):
            return self.prompt.format_prompt(**variables)
        return self.prompt.invoke(variables)

    def _limited_model(self, variables: WriterInput) -> Runnable[LanguageModelInput, AIMessage]:
        return limited(self.model, variables["max_tokens"])
