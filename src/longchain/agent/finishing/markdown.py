"""Markdown of a document: title, headings, sections and reference list.

`DocumentState` -> chunks that join to the whole text, so that a growing document can be shown
"""

from __future__ import annotations

from collections.abc import Iterable

from longchain import sources
from longchain.agent.section import SectionState
from longchain.agent.state import DocumentState
from longchain.document import Reference
from longchain.language import primary

_REFERENCES = {
    "en": "References", "ja": "参考文献", "zh": "参考文献", "ko": "참고문헌", "de": "Quellen",
    "fr": "Références", "es": "Referencias", "it": "Riferimenti", "pt": "Referências",
    "nl": "Bronnen", "ru": "Источники",
}  # fmt: skip


def chunks(state: DocumentState) -> tuple[list[str], list[str], list[Reference]]:
    """Lay out all leading finished sections, and the reference list once all are finished.

    Returns:
        The chunks of Markdown, which join to the text so far; the sections' texts with their
        citations numbered in order; and the cited references.
    """
    sections = state.published_sections()
    texts = [section.text for section in sections]
    cited: list[Reference] = []
    if state.references:  # without references, a number in brackets is no citation
        texts, cited = sources.number_citations(texts, state.references)
    parts = _section_chunks(state, sections, texts)
    if sections and state.current_plan.title:
        parts.insert(0, f"# {state.current_plan.title}\n\n")
    if state.finished():
        if cited:
            parts.append(_reference_list(cited, state.language))
        if parts:
            parts[-1] = parts[-1].rstrip("\n") + "\n"
    return parts, texts, cited


def _section_chunks(
    state: DocumentState, sections: Iterable[SectionState], texts: Iterable[str]
) -> list[str]:
    """Return each section with its heading, and with its chapter's where a chapter begins."""
    has_chapters = bool(state.current_plan.chapters)
    level = "###" if has_chapters else "##"
    chapter = ""
    parts = []
    for section, text in zip(sections, texts, strict=True):
        headings = ""
        if has_chapters and section.plan.chapter != chapter:
            chapter = section.plan.chapter
            headings = f"## {chapter}\n\n"
        heading = state.heading(section)
        if heading:
            headings += f"{level} {heading}\n\n"
        parts.append(f"{headings}{text.strip()}\n\n")
    return parts


def _reference_list(cited: list[Reference], language: str) -> str:
    heading = _REFERENCES.get(primary(language), _REFERENCES["en"])
    return f"## {heading}\n\n{sources.format_reference_list(cited)}\n\n"
