"""Retrievers and loaders of langchain-community still compose, though our code imports none."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
from langchain_core.embeddings import DeterministicFakeEmbedding

from longchain import AgentWriteChain
from longchain.testing import FakeWriter, LengthBehavior

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def community(module: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it announces its end at import
        return pytest.importorskip(f"langchain_community.{module}")


def shown(writer: FakeWriter) -> str:
    return "".join(message.text for request in writer.requests for message in request)


def test_a_community_retriever_finds_the_references() -> None:
    knn = community("retrievers.knn").KNNRetriever
    retriever = knn.from_texts(
        ["Iron rusts in damp air.", "Copper turns green."], DeterministicFakeEmbedding(size=8)
    )
    writer = FakeWriter(behavior=LengthBehavior())
    AgentWriteChain(writer, retriever=retriever).invoke("Write 300 words on metal.")
    assert "Copper turns green." in shown(writer)


def test_a_community_loader_brings_the_context(tmp_path: Path) -> None:
    file = tmp_path / "metal.txt"
    file.write_text("Tin cries when it is bent.")
    loaded = community("document_loaders.text").TextLoader(str(file)).load()
    writer = FakeWriter(behavior=LengthBehavior())
    AgentWriteChain(writer).invoke({"instruction": "Write 300 words on tin.", "context": loaded})
    assert "Tin cries" in shown(writer)
