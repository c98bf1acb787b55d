"""longchain writes long documents with any LangChain chat model.

The walk, from the nouns to the front doors; each room imports only from those before it:

- `errors`, `document`, `language`, `sentences`: the nouns
- `length`: counting, reading a required length, controlling it
- `prose`: what a text is: talk, repetition, wrong language
- `testing`: models and servers for your tests
- `models`: what can write
- `calls`: how a model is called
- `sources`: files and retrievers, passages, references and citations
- `agent`: instruction -> `LongDocument`
- `runs`: documents under way, kept, resumed, changed
- `bench`: how well it writes
- `apps`: front doors without logic
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from longchain.agent.chain import AgentWriteChain
    from longchain.agent.planning.parse import WritingPlanParser
    from longchain.calls.budget import Budget, Prices
    from longchain.document import LongDocument, Section, SectionPlan, Usage, WritingPlan
    from longchain.errors import LongchainError
    from longchain.length import LengthController, read_required_length
    from longchain.models.longwriter import LongWriterLLM
    from longchain.models.offline import OfflineWriter
    from longchain.models.resolve import chat_model
    from longchain.runs import Run, Runs
    from longchain.sources import SourceRetriever, read_sources

__version__ = version("longchain")

_HOMES = {
    "AgentWriteChain": "longchain.agent.chain",
    "Budget": "longchain.calls.budget",
    "LengthController": "longchain.length",
    "LongDocument": "longchain.document",
    "LongchainError": "longchain.errors",
    "LongWriterLLM": "longchain.models.longwriter",
    "OfflineWriter": "longchain.models.offline",
    "Prices": "longchain.calls.budget",
    "Run": "longchain.runs",
    "Runs": "longchain.runs",
    "Section": "longchain.document",
    "SourceRetriever": "longchain.sources",
    "read_sources": "longchain.sources",
    "SectionPlan": "longchain.document",
    "Usage": "longchain.document",
    "WritingPlan": "longchain.document",
    "WritingPlanParser": "longchain.agent.planning.parse",
    "chat_model": "longchain.models.resolve",
    "read_required_length": "longchain.length",
}

__all__ = [
    "AgentWriteChain",
    "Budget",
    "LengthController",
    "LongDocument",
    "LongWriterLLM",
    "LongchainError",
    "OfflineWriter",
    "Prices",
    "Run",
    "Runs",
    "Section",
    "SectionPlan",
    "SourceRetriever",
    "Usage",
    "WritingPlan",
    "WritingPlanParser",
    "chat_model",
    "read_required_length",
    "read_sources",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used (PEP 562): the import itself stays quick."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return [*__all__, "__version__"]
