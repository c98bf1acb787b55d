"""Sections -> the document's Markdown, piece by piece.

`DocumentState` -> pieces that join to the whole text: a document can be shown while it grows.
"""

from __future__ import annotations

from longchain import sources
from longchain.agent.state import DocumentState
from longchain.document import Reference
from longchain.language import primary

_REFERENCES = {
    "en": "References", "ja": "参考文献", "zh": "参考文献", "ko": "참고문헌", "de": "Quellen",
    "fr": "Références", "es": "Referencias", "it": "Riferimenti", "pt": "Referências",
    "nl": "Bronnen", "ru": "Источники",
}  # fmt: skip


def pieces(progress: DocumentState) -> tuple[list[str], list[str], list[Reference]]:
    """Lay out all leading finished sections, and the reference list once all are finished.

    Returns:
        The pieces of Markdown, which join to the text so far; the sections' texts with their
        citations numbered in order; and what they cite.
    """
    assert progress.plan is not None
    sections = progress.published_sections()
    known = [Reference(**reference) for reference in progress.references]
    texts = [draft.text for draft in sections]
    cited: list[Reference] = []
    if known:  # without references, a number in brackets is no citation
        texts, cited = sources.number_citations(texts, known)
    parts = [f"# {progress.plan.title}\n\n"] if progress.plan.title and sections else []
    deep = "###" if progress.plan.chapters else "##"
    chapter = ""
    for draft, text in zip(sections, texts, strict=True):
        head = ""
        if draft.plan.chapter != chapter and progress.plan.chapters:
            chapter = draft.plan.chapter
            head = f"## {chapter}\n\n"
        if heading := progress.heading(draft):
            head += f"{deep} {heading}\n\n"
        parts.append(f"{head}{text.strip()}\n\n")
    finished = progress.finished()
    if finished and cited:
        heading = _REFERENCES.get(primary(progress.language), _REFERENCES["en"])
        parts.append(f"## {heading}\n\n{sources.format_reference_list(cited)}\n\n")
    if finished and parts:
        parts[-1] = parts[-1].rstrip("\n") + "\n"
    return parts, texts, cited
