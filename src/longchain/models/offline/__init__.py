"""The embedded default: a chat model that rearranges sources, without network and weights.

a plan request -> a plan over the sources' headings; a writing request -> sentences of the
references, cited; a summary request -> first sentences

Knows the tags of longchain's prompts and nothing else of the chain. Everything it writes stands in
the request word for word: a baseline, and a document of honest quotations where no model is named.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, ModelProfile
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from longchain.errors import ModelNameError, SourceError
from longchain.language import default_unit, detect, is_spaced, sentences
from longchain.length.count import count_length
from longchain.models.offline import plan
from longchain.models.offline.prose import compose, paragraphs
from longchain.models.offline.request import (
    asked,
    begun,
    in_script,
    inside,
    latest,
    references,
    usable,
    without_references,
)

_LABEL = re.compile(r"^[^:：\n]{1,30}[:：]", re.MULTILINE)
_TASKS = ("<plan_format>", "<chapter_format>", "<summary_format>")
_PIECE = re.compile(r"\S{1,12}\s*|\s+")

_NO_SOURCES = (
    "the offline writer only rearranges sources, and this request holds none. Name sources "
    "(--source PATH, or a retriever) or a model: --model provider:name (such as openai:gpt-5), "
    "the environment variable LONGCHAIN_MODEL, or OPENAI_API_KEY"
)

_USED_UP = (
    "the offline writer has nothing left to write for {name!r}: what the sources hold about it is "
    "already in the text, or is no prose. Give more sources, ask for a shorter text, or name a "
    "model: --model provider:name (such as openai:gpt-5)"
)


class OfflineWriter(BaseChatModel):
    """A chat model that plans and writes from the sources in its prompt, and from nothing else.

    It answers longchain's plan, writing and summary requests. Sentences are ranked by BM25 and
    come in reading order, each stretch cited; their number is chosen so that the length is met.
    Where sources run out it writes less, down to nothing where a section is to go on. The same
    request has the same answer.

    Usage is counted in words; characters of Chinese, Japanese and Thai count one each.
    `max_tokens` and sampling parameters change nothing.

    Raises:
        ModelNameError: (when asked) The request holds no sources.
        SourceError: (when asked) They hold nothing at all for a section that is to begin.
    """

    model_name: str = "offline"
    """What it is called in metadata."""

    @property
    def _llm_type(self) -> str:
        return "longchain-offline"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model_name": self.model_name}

    def _resolve_model_profile(self) -> ModelProfile:
        return ModelProfile(structured_output=False, max_input_tokens=10_000_000)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        text = _answer([message.text for message in messages], stop)
        message = AIMessage(
            text, response_metadata=self._metadata(), usage_metadata=_usage(messages, text)
        )
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        text = _answer([message.text for message in messages], stop)
        for piece in _PIECE.findall(text):
            chunk = ChatGenerationChunk(message=AIMessageChunk(content=piece))
            if run_manager:
                run_manager.on_llm_new_token(piece, chunk=chunk)
            yield chunk
        yield ChatGenerationChunk(
            message=AIMessageChunk(
                content="",
                response_metadata=self._metadata(),
                usage_metadata=_usage(messages, text),
                chunk_position="last",
            )
        )

    def _metadata(self) -> dict[str, Any]:
        return {"model_name": self.model_name, "finish_reason": "stop"}


def _usage(messages: Sequence[BaseMessage], text: str) -> UsageMetadata:
    read, written = sum(_words(message.text) for message in messages), _words(text)
    return UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=read + written)


def _words(text: str) -> int:
    """Count words, and characters of scripts without spaces one each."""
    if text.isascii():
        return len(text.split())
    return len(
        re.findall(
            r"[\u0e00-\u0eff\u1780-\u17ff\u3041-\u9fff]|[^\s\u0e00-\u0eff\u1780-\u17ff\u3041-\u9fff]+",
            text,
        )
    )


def _answer(texts: list[str], stop: list[str] | None) -> str:
    """Answer the last request that says what it wants; a later one may only repeat it."""
    request = next((text for text in reversed(texts) if any(tag in text for tag in _TASKS)), "")
    # A prompt of prose may follow a plan in one conversation: the references tell them apart.
    if request and not references(texts[texts.index(request) + 1 :]):
        answer = _summary(request) if "<summary_format>" in request else _plan(request)
    else:
        answer = _section(texts)
    for end in stop or []:
        answer = answer.split(end)[0]
    return answer


def _plan(request: str) -> str:
    found = plan.topics(inside(request, "sources"))
    if not found:
        raise ModelNameError(_NO_SOURCES)
    chapters = "<chapter_format>" in request
    form = inside(request, "chapter_format" if chapters else "plan_format")
    language = detect(form) if form else "en"
    total, unit, name = asked(request)
    instruction = inside(request, "instruction")
    unit = unit or default_unit(detect(instruction))
    default = "words" if unit == "words" else "字" if language != "en" else "characters"
    _, _, after = request.partition("</chapters>")
    return plan.write(
        found,
        instruction,
        total=total,
        unit=unit,
        unit_name=name or default,
        language=language if language in ("ja", "zh") else "en",
        chapters=chapters,
        chapter=next(filter(None, after.strip().split("\n")), ""),
    )


def _section(texts: list[str]) -> str:
    """Write from the latest references; everything else that was said is prior text."""
    sources = references(texts)
    if not sources:
        raise ModelNameError(_NO_SOURCES)
    section = latest(texts, "section")
    query = section or latest(texts, "instruction") or texts[-1]
    length, unit, _ = asked(texts[-1])
    unit = unit or default_unit(detect(query))
    prior = "\n".join(map(without_references, texts))
    if begun(texts, section):
        return compose(usable(sources, texts, query), query, length, unit, prior=prior)
    # What later sections would have is better used here than not: without it all ends here.
    for found in (usable(sources, texts, query), in_script(sources, query)):
        if text := compose(found, query, length, unit, prior=prior, some=True):
            return text
    raise SourceError(_USED_UP.format(name=query.strip().split("\n")[0][:80]))


def _summary(request: str) -> str:
    """Return the first sentence of each paragraph, the latest that fit, under the first label."""
    text = inside(request, "text")
    language = detect(text)
    before = _LABEL.split(inside(request, "summary"))
    firsts = sentences(before[1].strip(), language) if len(before) > 1 else []
    for paragraph in paragraphs(text, language):
        firsts += sentences(paragraph, language)[:1]
    limit, unit, _ = asked(request)
    unit = unit or default_unit(language)
    kept: list[str] = []
    room = limit or 300
    for sentence in reversed(firsts):
        room -= count_length(sentence, unit, language)
        if room < 0:
            break
        kept.insert(0, sentence.strip())
    joined = (" " if is_spaced(language) else "").join(kept)
    labels = _LABEL.findall(inside(request, "summary_format")) or [""]
    return "\n".join([f"{labels[0]} {joined}".strip(), *(f"{label} -" for label in labels[1:])])
