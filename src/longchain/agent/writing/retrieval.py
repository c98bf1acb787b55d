"""References of a section: the query, and the documents that the section is shown.

section plan -> query; retrieved documents -> `Retrieved` event
"""

from __future__ import annotations

from typing import Any

from langchain_core.documents import Document
from langchain_core.runnables import Runnable

from longchain import sources
from longchain.agent.events import Request, Retrieved
from longchain.agent.state import DocumentState
from longchain.document import SectionPlan


def query(section: SectionPlan) -> str:
    """Return the query for a section's references."""
    parts = [section.chapter, section.heading, section.main_point]
    return " ".join(part for part in parts if part)


def request_retriever(request: Request) -> sources.SourceRetriever:
    """Return a retriever over the material that came with a request."""
    documents = list(sources.to_documents(request.context))
    if request.sources:
        documents.extend(sources.read_sources(request.sources))
    return sources.SourceRetriever.over(documents)


def retrieved_event(
    state: DocumentState, section: int, retriever: Runnable[Any, Any], documents: list[Document]
) -> Retrieved:
    """Return the event of retrieved documents, numbered as references of the document."""
    known_ids = {reference.id for reference in state.references}
    numbering = sources.References(state.references)
    references = numbering.add(_select(retriever, documents))
    return Retrieved(
        section=section,
        references=[reference.id for reference in references],
        new_references=[ref for ref in references if ref.id not in known_ids],
    )


def _select(retriever: Runnable[Any, Any], documents: list[Document]) -> list[Document]:
    """Return the documents to show.

    The request's own material is shown whole if it fits. If the query matches nothing in it, as
    when the plan is in another language, its beginning is shown, or the section would be made up.
    """
    if not isinstance(retriever, sources.SourceRetriever):
        return documents
    material = retriever.documents
    if len(material) <= retriever.k:
        return material
    return documents or material[: retriever.k]
