"""Write from what a retriever finds, in the two ways in which retrievers compose with the chain.

    python examples/rag_retriever.py

1. `AgentWriteChain(model, retriever=...)` asks the retriever anew for every section, with the
   section's heading and main point. This is the way for long documents.
2. `{"instruction": ..., "context": retriever} | chain` asks once, with the instruction, as most
   LangChain applications do; each section then gets what fits it best out of that.

Any retriever of LangChain will do, and any Runnable from a string to documents. This one finds
passages by their words (BM25) and needs neither a network nor a model.
"""

from pathlib import Path
from typing import Any

from langchain_core.runnables import RunnablePassthrough

from longchain import AgentWriteChain, chat_model
from longchain.sources import SourceRetriever, read_sources

SOURCES = Path(__file__).parent / "sources"
INSTRUCTION = "Write a 600-word article on how leaks are found and water losses are cut."


def show(name: str, document: dict[str, Any]) -> None:
    """Print a document under the name of how it was made."""
    print(f"--- {name}: {document['length']} words\n")
    print(document["text"])


def main() -> None:
    """Write one article in each of the two ways."""
    model = chat_model()
    retriever = SourceRetriever.over(read_sources([SOURCES]), k=4)

    per_section = AgentWriteChain(model, retriever=retriever, grounded_only=True)
    show("asked for every section", per_section.invoke(INSTRUCTION))

    steps: Any = {"instruction": RunnablePassthrough(), "context": retriever}
    once = steps | AgentWriteChain(model, grounded_only=True)
    show("asked once", once.invoke(INSTRUCTION))


if __name__ == "__main__":
    main()
