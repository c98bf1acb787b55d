"""Grounding: sources -> references for a section, and citations checked afterwards.

paths -> passages (`read_sources`) -> those that match a section (`SourceRetriever`) -> ids and a
block of the prompt (`References`, `render`); the section's text -> checked and numbered citations
(`check`, `number`)

Knows files, passages and citation marks; knows no model, and lays out no prompt but the
references' block.
"""

from longchain.agent.grounding.citations import (
    Numbering,
    check,
    cited,
    number,
    reference_list,
    renumber,
)
from longchain.agent.grounding.outline import outline
from longchain.agent.grounding.references import References, render
from longchain.agent.grounding.retriever import SourceRetriever
from longchain.agent.grounding.sources import documents, is_source, read_sources

__all__ = [
    "Numbering",
    "References",
    "SourceRetriever",
    "check",
    "cited",
    "documents",
    "is_source",
    "number",
    "outline",
    "read_sources",
    "reference_list",
    "render",
    "renumber",
]
