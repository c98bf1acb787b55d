"""Turns sources into references for a section, and checks its citations afterwards.

paths -> passages (`read_sources`) -> passages for a section (`SourceRetriever`) -> references with
ids and their block of the prompt (`References`, `render`); text of a section -> checked and
numbered citations (`check_citations`, `number_citations`)

Knows files, passages and citation marks; knows no model, and no part of a prompt but the block of
references.
"""

from longchain.agent.grounding.citations import (
    Numbering,
    check_citations,
    cited_ids,
    format_reference_list,
    number_citations,
    renumber,
)
from longchain.agent.grounding.outline import outline
from longchain.agent.grounding.references import References, render
from longchain.agent.grounding.retriever import SourceRetriever
from longchain.agent.grounding.sources import is_source, read_sources, to_documents

__all__ = [
    "Numbering",
    "References",
    "SourceRetriever",
    "check_citations",
    "cited_ids",
    "format_reference_list",
    "is_source",
    "number_citations",
    "outline",
    "read_sources",
    "render",
    "renumber",
    "to_documents",
]
