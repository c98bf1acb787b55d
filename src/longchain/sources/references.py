"""Passages under short ids, as prompts show them.

documents -> `Reference`s with ids that stay the same through a document -> a block of a prompt

A reference is data: nothing in a passage can close its tag, open another or pass for a citation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from langchain_core.documents import Document

from longchain.document import Reference
from longchain.sources.citations import without_marks
from longchain.sources.outline import title

_BLANK_LINES = re.compile(r"\n{3,}")


class References:
    """Gives each passage of a document an id: 1, 2, 3, … in order of first use.

    A passage is the same where source and text are the same. `issued` read from a log builds the
    same numbering again.

    Args:
        issued: References issued before, with ids from 1 on, as they are or JSON-plain.
    """

    def __init__(self, issued: Iterable[Reference | dict[str, Any]] = ()):
        self.issued = [Reference.model_validate(reference) for reference in issued]
        """All references so far, by id."""
        self._ids = {(one.source, one.text): one.id for one in self.issued}

    def add(self, documents: Sequence[Document]) -> list[Reference]:
        """Return what a section may cite, in reading order; new passages get the next ids.

        Passages of one source stand together in the source's order, and sources in the order of
        the first document of each, which is the best where the documents come from a retriever.
        Each passage stands once, and empty ones are left out.
        """
        found = (self._reference(document) for document in _in_reading_order(documents))
        return list({one.id: one for one in found if one is not None}.values())

    def known(self) -> set[int]:
        """Return all ids issued so far."""
        return {reference.id for reference in self.issued}

    def _reference(self, document: Document) -> Reference | None:
        text = _text(document)
        if not text:
            return None
        source = str(document.metadata.get("source") or "")
        if number := self._ids.get((source, text)):
            return self.issued[number - 1]
        number = len(self.issued) + 1
        name = title(document.metadata, text)
        reference = Reference(id=number, title=name, source=source, text=text)
        self._ids[source, text] = number
        self.issued.append(reference)
        return reference


def render(references: Iterable[Reference]) -> str:
    """Return references as a prompt shows them: a `<reference id= title=>` block each.

    Angle brackets and ampersands are escaped, and a passage's own citation marks are left out:
    they point into a list that the reader of this document does not have.
    """
    return "\n".join(_block(reference) for reference in references)


def _block(reference: Reference) -> str:
    name = escape(" ".join(reference.title.split()), quote=True)
    text = _BLANK_LINES.sub("\n\n", without_marks(reference.text).strip())
    return (
        f'<reference id="{reference.id}" title="{name}">\n{escape(text, quote=False)}\n</reference>'
    )


def _text(document: Document) -> str:
    """Return a passage under its headings, which often say what it speaks of."""
    text = document.page_content.strip()
    heading = document.metadata.get("heading") or []
    above = [heading] if isinstance(heading, str) else heading
    return f"## {' / '.join(map(str, above))}\n\n{text}" if above and text else text


def _in_reading_order(documents: Sequence[Document]) -> list[Document]:
    best: dict[str, int] = {}
    for rank, document in enumerate(documents):
        best.setdefault(_key(document, rank), rank)

    def order(ranked: tuple[int, Document]) -> tuple[int, float, int]:
        rank, document = ranked
        return best[_key(document, rank)], _place(document), rank

    return [document for _, document in sorted(enumerate(documents), key=order)]


def _key(document: Document, rank: int) -> str:
    return str(document.metadata.get("source") or f"\0{rank}")


def _place(document: Document) -> float:
    """Return where a passage stands in its source; the end where nothing says so."""
    try:
        return float(document.metadata["position"])
    except (KeyError, TypeError, ValueError):
        return float("inf")
