"""Turns sources into references for a section, and checks its citations afterwards.

paths -> passages (`read_sources`) -> passages for a section (`SourceRetriever`) -> references with
ids and their block of the prompt (`References`, `render`); text of a section -> checked and
numbered citations (`check_citations`, `number_citations`)

Knows files, passages and citation marks; knows no model, and no part of a prompt but the block of
references.
"""

from longchain.sources.citations import (
    Numbering,
    check_citations,
    cited_ids,
    format_reference_list,
    number_citations,
    renumber,
)
from longchain.sources.files import is_source, read_sources, to_documents
from longchain.sources.outline import outline
from longchain.sources.references import References, render
from longchain.sources.retriever import SourceRetriever

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
