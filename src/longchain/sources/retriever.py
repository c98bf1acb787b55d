"""Retrieves passages by BM25, without a model and without a server.

documents -> `SourceRetriever`; query -> the `k` documents that match it best

Knows terms and scores; knows no files, no ids and no prompts.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import Field, PrivateAttr

from longchain.prose.terms import terms


class SourceRetriever(BaseRetriever):
    """Finds passages by their words (BM25), in any language; the same answer every time.

    Example:
        >>> passages = [Document("Iron rusts."), Document("Pumps lift water.")]
        >>> SourceRetriever(documents=passages, k=1).invoke("pump")[0].page_content
        'Pumps lift water.'
    """

    documents: list[Document]
    """Documents to search, one passage each."""

    k: int = Field(default=6, ge=1)
    """Maximum number of documents for one query. Documents without a term of it never match."""

    _index: Any = PrivateAttr(default=None)

    @classmethod
    def over(cls, documents: Iterable[Document], *, k: int = 6) -> SourceRetriever:
        """Build a retriever over documents that finds at most `k` of them."""
        return cls(documents=list(documents), k=k)

    def model_post_init(self, context: Any, /) -> None:
        """Build the index before the first query: sections may search at the same time."""
        super().model_post_init(context)
        passages = [_document_terms(document) for document in self.documents]
        if any(passages):
            self._index = _build_index(passages)

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        if self._index is None:
            return []
        known_terms = [term for term in terms(query) if term in self._index.vocab_dict]
        if not known_terms:
            return []
        scores = self._index.get_scores(known_terms)
        # Stable: of passages with equal scores, the earlier one is first.
        best = (-scores).argsort(kind="stable")[: self.k]
        return [self.documents[number] for number in best if scores[number] > 0]


def _document_terms(document: Document) -> list[str]:
    """Return the terms of a passage, its title and the headings above it."""
    heading = document.metadata.get("heading") or []
    above = [heading] if isinstance(heading, str) else heading
    names: Iterable[Any] = [document.metadata.get("title") or "", *above]
    return terms(" \n".join(map(str, names))) + terms(document.page_content)


def _build_index(passages: list[list[str]]) -> Any:
    import bm25s

    # The package sets its own logger to DEBUG and then reports every step.
    logging.getLogger("bm25s").setLevel(logging.WARNING)
    index = bm25s.BM25(method="lucene")
    index.index(passages, show_progress=False)
    return index
