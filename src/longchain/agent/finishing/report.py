"""Report on a document: measures that need no judge, and figures of the run.

text + required length -> measures; `DocumentState` -> `LongDocument` with its report
"""

from __future__ import annotations

from typing import Any

import regex

from longchain import language as languages
from longchain import sources
from longchain.agent.finishing.markdown import chunks
from longchain.agent.section import SectionState
from longchain.agent.state import DocumentState
from longchain.calls.budget import Prices
from longchain.document import LongDocument, Section, Unit
from longchain.length import count_length, length_score
from longchain.prose.repetition import duplicate_sentences, find_repeats, rep_n

_HEADING = regex.compile(r"^#{1,6}[ \t]+(.+?)(?:[ \t]+#+)?[ \t]*$", regex.MULTILINE)

_REFERENCE_LIST = regex.compile(r"(?:\A|\n)#{1,6}[ \t][^\n]+\s*\n(?:\[\d+\][^\n]*\s*)++\Z")

LANGUAGE_SAMPLE = 1000
"""Number of leading characters of a section from which its language is detected."""

MIN_OVERLAP = 0.2
"""Share of a section's 5-grams that also occur in an earlier one, from which it is reported."""


def measure(
    text: str,
    *,
    required: int | None = None,
    unit: Unit = "words",
    language: str | None = None,
    length: int | None = None,
) -> dict[str, Any]:
    """Measure a text without a judge.

    Args:
        text: The text, in Markdown or plain; a reference list at its end is not measured.
        required: The required length; without it there is no score.
        unit: Unit of the lengths.
        language: The text's language; None: detected from its script and words.
        length: The text's length if it is known.

    Returns:
        `required_length`, `output_length` and `unit`; `length_score` (S_l, 0 to 100);
        `deviation` (output over required, minus 1); `language`; `repetition` with `rep_4` (share
        of repeated 4-grams) and `duplicate_sentences`; `headings`; `unfinished` (whether the
        last sentence has no end).
    """
    text = _REFERENCE_LIST.sub("", text)
    language = language or languages.detect(text)
    output = count_length(text, unit, language) if length is None else length
    score = deviation = None
    if required:
        score = round(length_score(required, output), 2)
        deviation = round(output / required - 1, 4)
    return {
        "required_length": required,
        "output_length": output,
        "unit": unit,
        "length_score": score,
        "deviation": deviation,
        "language": language,
        "repetition": {
            "rep_4": round(rep_n(text, 4), 4),
            "duplicate_sentences": len(duplicate_sentences(text)),
        },
        "headings": [match.strip() for match in _HEADING.findall(text)],
        "unfinished": bool(text.strip()) and not languages.ends_sentence(text),
    }


def build_document(state: DocumentState, prices: Prices | None = None) -> LongDocument:
    """Build the document: laid out, its citations numbered, and measured.

    Args:
        state: The document; of one that is not finished, the leading finished sections.
        prices: Prices of tokens, for a `cost` in the report.
    """
    parts, texts, cited = chunks(state)
    published = state.published_sections()
    sections = [_build_section(*pair) for pair in zip(published, texts, strict=True)]
    plan = state.current_plan.model_copy(update={"language": state.language})
    length = state.overhead() + sum(section.length for section in sections)
    body = parts
    if cited and state.finished():
        body = parts[:-1]  # without the reference list
    report = _build_report(state, published, sections, "".join(body), length)
    if prices:
        report["cost"] = round(prices.cost(state.usage), 6)
    return LongDocument(
        title=plan.title,
        text="".join(parts),
        plan=plan,
        sections=sections,
        references=[reference.model_copy(update={"text": ""}) for reference in cited],
        length=length,
        unit=state.unit,
        language=state.language,
        usage=state.usage,
        report=report,
    )


def _build_section(state: SectionState, text: str) -> Section:
    return Section(
        heading=state.plan.heading,
        main_point=state.plan.main_point,
        chapter=state.plan.chapter,
        text=text.strip(),
        budget=state.target_length,
        length=state.length,
        calls=state.total_calls,
        notes=state.notes,
    )


def _build_report(
    state: DocumentState,
    published: list[SectionState],
    sections: list[Section],
    body: str,
    length: int,
) -> dict[str, Any]:
    measures = measure(
        body, required=state.required, unit=state.unit, language=state.language, length=length
    )
    planned = [heading for heading in map(state.heading, published) if heading]
    headings = [heading for heading in measures.pop("headings") if heading in set(planned)]
    repeated = find_repeats([section.text for section in sections], MIN_OVERLAP)
    return {
        **measures,
        "finished": state.finished(),
        "planned_by": "; ".join(state.plan_notes) or "model",
        "headings_in_plan_order": headings == planned or not planned,
        "calls": _count_calls(state, published),
        "thrown_away": sum(section.discarded_length for section in published),
        "sections": [_describe_section(*pair) for pair in zip(published, repeated, strict=True)],
        "citations": _count_citations(state, published),
        "usage": state.usage.model_dump(),
    }


def _count_calls(state: DocumentState, sections: list[SectionState]) -> dict[str, int]:
    """Return the number of requests, and of those for prose beyond one per section."""
    writing = sum(section.total_calls for section in sections)
    return {
        "total": state.usage.calls,
        "writing": writing,
        "beyond_one_per_section": writing - len(sections),
        "retries": sum(section.rejected_replies for section in sections),
    }


def _describe_section(section: SectionState, repeated: list[int]) -> dict[str, Any]:
    """Return the report on one section; `repeated` has the indices of those it repeats."""
    return {
        "heading": section.plan.heading,
        "budget": section.target_length,
        "length": section.length,
        "calls": section.total_calls,
        "language": languages.detect(section.text[:LANGUAGE_SAMPLE]),
        "repeats_sections": [index + 1 for index in repeated],
        "cites": sorted(set(sources.cited_ids(section.text))),
        "notes": section.notes,
    }


def _count_citations(state: DocumentState, sections: list[SectionState]) -> dict[str, Any]:
    """Return the number of citations, and the references and sections that lack one."""
    known = {reference.id for reference in state.references}
    citations: list[int] = []
    without: list[int] = []
    for number, section in enumerate(sections, 1):
        cited = sources.cited_ids(section.text)
        citations.extend(cited)
        if section.retrieved and not cited:
            without.append(number)
    return {
        "references": len(known),
        "citations": len(citations),
        "resolved": not known or known.issuperset(citations),
        "removed": sum(section.removed_citations for section in sections),
        "sections_without": without,
    }
