"""Gives passages short ids, and renders them as references for a prompt.

documents -> `Reference`s, whose ids stay the same through a document -> block of a prompt

A reference is data: nothing in a passage can close its tag, open another or look like a citation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from langchain_core.documents import Document

from longchain.document import Reference
from longchain.sources.citations import strip_marks
from longchain.sources.outline import document_title

_BLANK_LINES = re.compile(r"\n{3,}")


class References:
    """Gives each passage of a document an id: 1, 2, 3, … in order of first use.

    Passages with the same source and text are the same. `issued` from a log restores the same
    numbering.

    Args:
        issued: References issued before, with ids from 1 on, as objects or as plain JSON.
    """

    def __init__(self, issued: Iterable[Reference | dict[str, Any]] = ()):
        self.issued = [Reference.model_validate(reference) for reference in issued]
        """All references so far, in order of their ids."""
        self._ids = {(reference.source, reference.text): reference.id for reference in self.issued}

    def add(self, documents: Sequence[Document]) -> list[Reference]:
        """Return the references that a section may cite; new passages get the next ids.

        Passages of one source are together in the source's order, and sources in the order of
        the first document of each, which is the best one if the documents come from a retriever.
        Each passage occurs once, and empty ones are left out.
        """
        references: dict[int, Reference] = {}
        for document in _in_reading_order(documents):
            reference = self._reference(document)
            if reference is not None:
                references[reference.id] = reference
        return list(references.values())

    def ids(self) -> set[int]:
        """Return all ids issued so far."""
        return {reference.id for reference in self.issued}

    def _reference(self, document: Document) -> Reference | None:
        text = _headed_text(document)
        if not text:
            return None
        source = str(document.metadata.get("source") or "")
        if number := self._ids.get((source, text)):
            return self.issued[number - 1]
        number = len(self.issued) + 1
        name = document_title(document.metadata, text)
        reference = Reference(id=number, title=name, source=source, text=text)
        self._ids[source, text] = number
        self.issued.append(reference)
        return reference


def render(references: Iterable[Reference]) -> str:
    """Render references for a prompt: a `<reference id= title=>` block each.

    Angle brackets and ampersands are escaped, and a passage's own citation marks are left out:
    they point into a list that the reader of this document does not have.
    """
    return "\n".join(_render_block(reference) for reference in references)


def _render_block(reference: Reference) -> str:
    name = escape(" ".join(reference.title.split()), quote=True)
    text = _BLANK_LINES.sub("\n\n", strip_marks(reference.text).strip())
    return (
        f'<reference id="{reference.id}" title="{name}">\n{escape(text, quote=False)}\n</reference>'
    )


def _headed_text(document: Document) -> str:
    """Return a passage under its headings, which often name its subject."""
    text = document.page_content.strip()
    heading = document.metadata.get("heading") or []
    above = [heading] if isinstance(heading, str) else heading
    return f"## {' / '.join(map(str, above))}\n\n{text}" if above and text else text


def _in_reading_order(documents: Sequence[Document]) -> list[Document]:
    best: dict[str, int] = {}
    for rank, document in enumerate(documents):
        best.setdefault(_source_key(document, rank), rank)

    def order(ranked: tuple[int, Document]) -> tuple[int, float, int]:
        rank, document = ranked
        return best[_source_key(document, rank)], _position(document), rank

    return [document for _, document in sorted(enumerate(documents), key=order)]


def _source_key(document: Document, rank: int) -> str:
    return str(document.metadata.get("source") or f"\0{rank}")


def _position(document: Document) -> float:
    """Return the position of a passage in its source; infinity, the end, if it has none."""
    try:
        return float(document.metadata["position"])
    except (KeyError, TypeError, ValueError):
        return float("inf")
