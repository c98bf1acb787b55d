"""BM25 over passages, without a model and without a server.

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
    """What is searched, one passage each."""

    k: int = Field(default=6, ge=1)
    """The most documents that one query finds. Documents without a term of it are not found."""

    _index: Any = PrivateAttr(default=None)

    @classmethod
    def over(cls, documents: Iterable[Document], *, k: int = 6) -> SourceRetriever:
        """Return a retriever over documents that finds `k` of them at most."""
        return cls(documents=list(documents), k=k)

    def model_post_init(self, context: Any, /) -> None:
        """Build the index, here and not at the first query: sections may ask at the same time."""
        super().model_post_init(context)
        searched = [_searched(document) for document in self.documents]
        if any(searched):
            self._index = _index(searched)

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        if self._index is None:
            return []
        asked = [term for term in terms(query) if term in self._index.vocab_dict]
        if not asked:
            return []
        scores = self._index.get_scores(asked)
        # A stable sort: of equals, the earlier passage comes first.
        best = (-scores).argsort(kind="stable")[: self.k]
        return [self.documents[number] for number in best if scores[number] > 0]


def _searched(document: Document) -> list[str]:
    """Return the terms of a passage and of what it stands under."""
    heading = document.metadata.get("heading") or []
    above = [heading] if isinstance(heading, str) else heading
    names: Iterable[Any] = [document.metadata.get("title") or "", *above]
    return terms(" \n".join(map(str, names))) + terms(document.page_content)


def _index(searched: list[list[str]]) -> Any:
    import bm25s

    # It sets its own logger to DEBUG and then reports every step.
    logging.getLogger("bm25s").setLevel(logging.WARNING)
    index = bm25s.BM25(method="lucene")
    index.index(searched, show_progress=False)
    return index
