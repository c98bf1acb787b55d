"""What is said of a finished text."""

from __future__ import annotations

from typing import Any

from langchain_core.documents import Document

from longchain import AgentWriteChain, LongDocument, SectionPlan, WritingPlan
from longchain.agent.finishing.report import measure
from longchain.testing import FakeWriter


def prose(words: int, name: str) -> str:
    return " ".join(f"{name}{n}" + "." * (n % 10 == 9) for n in range(words))


def document(replies: list[str], **options: Any) -> dict[str, Any]:
    sections = [
        SectionPlan(heading=heading, main_point=f"On {heading}", length=102)
        for heading in ("Tides", "Coasts")
    ]
    given = {"instruction": "Write.", "plan": WritingPlan(title="Sea", sections=sections)}
    chain = AgentWriteChain(FakeWriter(replies=replies), length_control=False, **options)
    return chain.invoke(given)


def test_a_document_is_its_title_its_headings_and_its_prose() -> None:
    made = document([prose(100, "a"), prose(100, "b")])
    assert made["text"] == (
        f"# Sea\n\n## Tides\n\n{prose(100, 'a')}\n\n## Coasts\n\n{prose(100, 'b')}\n"
    )
    assert made["length"] == 203
    assert LongDocument.model_validate(made).text == made["text"]


def test_the_report_says_what_was_asked_and_what_came() -> None:
    report = document([prose(100, "a"), prose(100, "b")])["report"]
    assert report["required_length"] == 204
    assert report["output_length"] == 203
    assert report["length_score"] > 99
    assert report["headings_in_plan_order"] is True
    assert report["unfinished"] is False
    assert report["repetition"] == {"rep_4": 0.0, "duplicate_sentences": 0}
    assert [line["length"] for line in report["sections"]] == [101, 101]
    assert report["calls"] == {
        "total": 2, "writing": 2, "beyond_one_per_section": 0, "retries": 0
    }  # fmt: skip


def test_a_section_that_repeats_an_earlier_one_is_named() -> None:
    report = document([prose(100, "a")] * 4)["report"]  # asked for again twice, then accepted
    assert report["sections"][1]["repeats_sections"] == [1]
    assert report["repetition"]["duplicate_sentences"] == 10


def test_citations_are_numbered_listed_and_unknown_ones_removed() -> None:
    def find(query: str) -> list[Document]:
        name = "Moon" if "Tides" in query else "Sand"
        return [Document(page_content=f"About the {name}.", metadata={"source": f"{name}.md"})]

    from langchain_core.runnables import RunnableLambda

    replies = [prose(50, "a") + " Pulled [1]. Odd [9].", prose(50, "b") + " Worn [2]."]
    made = document(replies, retriever=RunnableLambda(find))
    assert "Pulled [1]. Odd." in made["text"]
    assert made["text"].rstrip().splitlines()[-3].startswith("[1] ")
    assert "Sand.md" in made["text"].rstrip().splitlines()[-1]
    citations = made["report"]["citations"]
    assert citations["citations"] == 2
    assert citations["removed"] == 1
    assert citations["resolved"] is True
    assert citations["sections_without"] == []
    assert [reference["source"] for reference in made["references"]] == ["Moon.md", "Sand.md"]


def test_the_reference_list_does_not_count() -> None:
    from langchain_core.runnables import RunnableLambda

    fact = Document(page_content="Fact.", metadata={"source": "f"})
    source = RunnableLambda[str, list[Document]](lambda _: [fact])
    plain = document([prose(100, "a"), prose(100, "b")])
    cited = document([prose(100, "a") + " [1]", prose(100, "b")], retriever=source)
    assert cited["length"] == plain["length"]
    assert len(cited["text"]) > len(plain["text"])


def test_any_text_can_be_measured() -> None:
    found = measure("# Title\n\nOne two three. One two", required=10)
    assert found["output_length"] == 6
    assert found["deviation"] == -0.4
    assert found["headings"] == ["Title"]
    assert found["unfinished"] is True


def test_japanese_is_counted_in_characters_where_asked() -> None:
    found = measure("吾輩は猫である。", required=8, unit="characters")
    assert (found["output_length"], found["length_score"], found["language"]) == (8, 100.0, "ja")


def test_a_reference_list_is_not_measured() -> None:
    text = "# Tea\n\nTea is a plant [1]. It is drunk."
    listed = text + "\n\n## References\n\n[1] On tea. tea.md\n\n[2] More. more.md\n"
    assert measure(listed) == measure(text)
    assert measure("# Tea\n\n[1] stands here.\n\nAnd more.")["output_length"] == 5
