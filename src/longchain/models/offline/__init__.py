"""The built-in default: a chat model that rearranges sources, without network and weights.

plan request -> plan over the sources' headings; writing request -> sentences of the references,
cited; summary request -> first sentences

Knows the tags of longchain's prompts and nothing else of the chain. Every sentence that it writes
is in the request word for word: a baseline, and a document of true quotations without any model.
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
from longchain.language import character_class, default_unit, detect, is_spaced
from longchain.length.count import count_length
from longchain.models.offline import plan
from longchain.models.offline.prose import compose, split_paragraphs
from longchain.models.offline.request import (
    has_begun,
    latest_content,
    read_length,
    read_references,
    same_script,
    select_references,
    strip_references,
    tag_content,
)
from longchain.sentences import split_sentences

_LABEL = re.compile(r"^[^:：\n]{1,30}[:：]", re.MULTILINE)
_TASKS = ("<plan_format>", "<chapter_format>", "<summary_format>")
_PIECE = re.compile(r"\S{1,12}\s*|\s+")

_NO_SOURCES = (
    "the offline writer only rearranges sources, and this request has none. Name sources "
    "(--source PATH, or a retriever) or a model: --model provider:name (such as openai:gpt-5), "
    "the environment variable LONGCHAIN_MODEL, or OPENAI_API_KEY"
)

_USED_UP = (
    "the offline writer has nothing left to write for {name!r}: all prose about it in the sources "
    "is already in the text. Give more sources, ask for a shorter text, or name a model: --model "
    "provider:name (such as openai:gpt-5)"
)


class OfflineWriter(BaseChatModel):
    """Chat model that plans and writes from the sources in its prompt, and from nothing else.

    It answers longchain's plan, writing and summary requests. Sentences are ranked by BM25 and
    kept in reading order, each stretch cited; as many are chosen as meet the length. Without
    enough sources it writes less; a request to extend a section may get an empty answer. The same
    request has the same answer.

    Usage is counted in words; characters of Chinese, Japanese and Thai count one each.
    `max_tokens` and sampling parameters change nothing.

    Raises:
        ModelNameError: (when asked) The request has no sources.
        SourceError: (when asked) The sources have no prose left for a new section.
    """

    model_name: str = "offline"
    """Model name in metadata."""

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
    read = sum(_count_words(message.text) for message in messages)
    written = _count_words(text)
    return UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=read + written)


_UNSPACED = character_class("th", "lo", "km") + "\u3041-\u9fff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\s{_UNSPACED}]+")


def _count_words(text: str) -> int:
    """Count words, and characters of scripts without spaces as one each."""
    if text.isascii():
        return len(text.split())
    return len(_WORD.findall(text))


def _answer(texts: list[str], stop: list[str] | None) -> str:
    """Answer the last request that names its task; a later one may only repeat it."""
    request = next((text for text in reversed(texts) if any(tag in text for tag in _TASKS)), "")
    # A writing request may follow a plan in one conversation: it has references.
    if request and not read_references(texts[texts.index(request) + 1 :]):
        answer = _summarize(request) if "<summary_format>" in request else _write_plan(request)
    else:
        answer = _write_section(texts)
    for end in stop or []:
        answer = answer.split(end)[0]
    return answer


def _write_plan(request: str) -> str:
    topics = plan.read_topics(tag_content(request, "sources"))
    if not topics:
        raise ModelNameError(_NO_SOURCES)
    chapters = "<chapter_format>" in request
    form = tag_content(request, "chapter_format" if chapters else "plan_format")
    language = detect(form) if form else "en"
    total, unit, name = read_length(request)
    instruction = tag_content(request, "instruction")
    unit = unit or default_unit(detect(instruction))
    default = "words" if unit == "words" else "字" if language != "en" else "characters"
    _, _, after = request.partition("</chapters>")
    return plan.write_plan(
        topics,
        instruction,
        total=total,
        unit=unit,
        unit_name=name or default,
        language=language if language in ("ja", "zh") else "en",
        chapters=chapters,
        chapter=next(filter(None, after.strip().split("\n")), ""),
    )


def _write_section(texts: list[str]) -> str:
    """Write from the latest references; all other text of the conversation is prior text."""
    sources = read_references(texts)
    if not sources:
        raise ModelNameError(_NO_SOURCES)
    section = latest_content(texts, "section")
    query = section or latest_content(texts, "instruction") or texts[-1]
    length, unit, _ = read_length(texts[-1])
    unit = unit or default_unit(detect(query))
    prior = "\n".join(map(strip_references, texts))
    if has_begun(texts, section):
        selected = select_references(sources, texts, query)
        return compose(selected, query, length, unit, prior=prior)
    # References of later sections are better used here than not at all: the run would end here.
    for selected in (select_references(sources, texts, query), same_script(sources, query)):
        if text := compose(selected, query, length, unit, prior=prior, at_least_one=True):
            return text
    raise SourceError(_USED_UP.format(name=query.strip().split("\n")[0][:80]))


def _summarize(request: str) -> str:
    """Return the first sentence of each paragraph, the latest that fit, under the first label."""
    text = tag_content(request, "text")
    language = detect(text)
    before = _LABEL.split(tag_content(request, "summary"))
    firsts = split_sentences(before[1].strip(), language) if len(before) > 1 else []
    for paragraph in split_paragraphs(text, language):
        firsts += split_sentences(paragraph, language)[:1]
    limit, unit, _ = read_length(request)
    unit = unit or default_unit(language)
    summary: list[str] = []
    room = limit or 300
    for sentence in reversed(firsts):
        room -= count_length(sentence, unit, language)
        if room < 0:
            break
        summary.insert(0, sentence.strip())
    joined = (" " if is_spaced(language) else "").join(summary)
    labels = _LABEL.findall(tag_content(request, "summary_format")) or [""]
    return "\n".join([f"{labels[0]} {joined}".strip(), *(f"{label} -" for label in labels[1:])])
