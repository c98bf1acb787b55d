"""A text -> what can be said about it without a judge.

`measure` takes any Markdown against a required length; `document` builds the finished
`LongDocument` from the log, with the same measures and what happened on the way.
"""

from __future__ import annotations

from typing import Any

import regex

from longchain import language as languages
from longchain import sources
from longchain.agent.finishing.markdown import pieces
from longchain.agent.state import DocumentState, SectionState
from longchain.calls.budget import Prices
from longchain.document import LongDocument, Section, Unit
from longchain.length import count_length, length_score
from longchain.prose.repetition import duplicate_sentences, find_repeats, rep_n

_HEADING = regex.compile(r"^#{1,6}[ \t]+(.+?)(?:[ \t]+#+)?[ \t]*$", regex.MULTILINE)

_REFERENCE_LIST = regex.compile(r"(?:\A|\n)#{1,6}[ \t][^\n]+\s*\n(?:\[\d+\][^\n]*\s*)++\Z")

SAMPLE = 1000
"""Characters of a section that tell its language."""

OVERLAP = 0.2
"""The share of a section's 5-grams that stand in an earlier one, from which it is reported."""


def measure(
    text: str,
    *,
    required: int | None = None,
    unit: Unit = "words",
    language: str | None = None,
    length: int | None = None,
) -> dict[str, Any]:
    """Return the judge-free measures of a text.

    Args:
        text: The text, in Markdown or plain; a reference list at its end is not measured.
        required: The required length; without it there is no score.
        unit: What lengths count.
        language: The text's language; None: from its script and words.
        length: The text's length where it is already known.

    Returns:
        `required_length`, `output_length` and `unit`; `length_score` (S_l, 0 to 100);
        `deviation` (output over required, minus 1); `language`; `repetition` with `rep_4` (share
        of repeated 4-grams) and `duplicate_sentences`; `headings`; `unfinished` (whether the
        last sentence has no end).
    """
    text = _REFERENCE_LIST.sub("", text)
    language = language or languages.detect(text)
    output = count_length(text, unit, language) if length is None else length
    return {
        "required_length": required,
        "output_length": output,
        "unit": unit,
        "length_score": round(length_score(required, output), 2) if required else None,
        "deviation": round(output / required - 1, 4) if required else None,
        "language": language,
        "repetition": {
            "rep_4": round(rep_n(text, 4), 4),
            "duplicate_sentences": len(duplicate_sentences(text)),
        },
        "headings": [match.strip() for match in _HEADING.findall(text)],
        "unfinished": bool(text.strip()) and not languages.ends_sentence(text),
    }


def document(progress: DocumentState, prices: Prices | None = None) -> LongDocument:
    """Return the document, laid out, numbered and measured.

    Args:
        progress: Where it stands; of one that is not finished, the leading finished sections.
        prices: What tokens cost, for a `cost` in the report.
    """
    assert progress.plan is not None
    parts, texts, cited = pieces(progress)
    shown = progress.published_sections()
    sections = [_section(draft, text) for draft, text in zip(shown, texts, strict=True)]
    plan = progress.plan.model_copy(update={"language": progress.language})
    length = progress.overhead() + sum(section.length for section in sections)
    return LongDocument(
        title=plan.title,
        text="".join(parts),
        plan=plan,
        sections=sections,
        references=[reference.model_copy(update={"text": ""}) for reference in cited],
        length=length,
        unit=progress.unit,
        language=progress.language,
        usage=progress.usage,
        report={
            **_report(progress, sections, "".join(parts[: _body(progress, parts, cited)]), length),
            **({"cost": round(prices.cost(progress.usage), 6)} if prices else {}),
        },
    )


def _body(progress: DocumentState, parts: list[str], cited: list[Any]) -> int:
    """Return how many leading pieces are the document without its reference list."""
    return len(parts) - 1 if cited and progress.finished() else len(parts)


def _section(draft: SectionState, text: str) -> Section:
    return Section(
        heading=draft.plan.heading,
        main_point=draft.plan.main_point,
        chapter=draft.plan.chapter,
        text=text.strip(),
        budget=draft.budget,
        length=draft.length,
        calls=draft.discarded_calls + draft.calls,
        notes=draft.notes,
    )


def _report(
    progress: DocumentState, sections: list[Section], body: str, length: int
) -> dict[str, Any]:
    measured = measure(
        body,
        required=progress.required,
        unit=progress.unit,
        language=progress.language,
        length=length,
    )
    states = progress.published_sections()
    planned = [heading for draft in states if (heading := progress.heading(draft))]
    found = [heading for heading in measured.pop("headings") if heading in set(planned)]
    return {
        **measured,
        "finished": progress.finished(),
        "planned_by": "; ".join(progress.plan_notes) or "model",
        "headings_in_plan_order": found == planned or not planned,
        "calls": _calls(progress, states),
        "thrown_away": sum(draft.discarded_length for draft in states),
        "sections": [
            _line(draft, repeated)
            for draft, repeated in zip(
                states, find_repeats([s.text for s in sections], OVERLAP), strict=True
            )
        ],
        "citations": _citations(progress, states),
        "usage": progress.usage.model_dump(),
    }


def _calls(progress: DocumentState, sections: list[SectionState]) -> dict[str, int]:
    """Return the requests for prose: how many, and how many beyond one a section."""
    written = sum(draft.discarded_calls + draft.calls for draft in sections)
    return {
        "total": progress.usage.calls,
        "writing": written,
        "beyond_one_per_section": written - len(sections),
        "retries": sum(
            note.startswith("reply not used") for draft in sections for note in draft.notes
        ),
    }


def _line(draft: SectionState, repeated: list[int]) -> dict[str, Any]:
    """Return what is said of one section; `repeated` are the earlier ones that it repeats."""
    cited = sources.cited_ids(draft.text)
    return {
        "heading": draft.plan.heading,
        "budget": draft.budget,
        "length": draft.length,
        "calls": draft.discarded_calls + draft.calls,
        "language": languages.detect(draft.text[:SAMPLE]),
        "repeats_sections": [index + 1 for index in repeated],
        "cites": sorted(set(cited)),
        "notes": draft.notes,
    }


def _citations(progress: DocumentState, sections: list[SectionState]) -> dict[str, Any]:
    """Return how many citations there are, and which references and sections lack one."""
    known = {reference["id"] for reference in progress.references}
    found = [mark for draft in sections for mark in sources.cited_ids(draft.text)]
    return {
        "references": len(known),
        "citations": len(found),
        "resolved": all(mark in known for mark in found) if known else True,
        "removed": sum(
            note.startswith("unknown citations") for draft in sections for note in draft.notes
        ),
        "sections_without": [
            index
            for index, draft in enumerate(sections, 1)
            if draft.retrieved and not sources.cited_ids(draft.text)
        ],
    }
