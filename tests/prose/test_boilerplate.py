import pytest

from longchain.prose.boilerplate import is_error, is_refusal, strip_closing, strip_opening


@pytest.mark.parametrize(
    ("text", "rest", "notes"),
    [
        ("It rained.", "It rained.", []),
        ("Section 3: It rained.", "It rained.", ["label removed"]),
        (
            "---\nHere is the section:\nIt rained.",
            "It rained.",
            ["rule removed", "announcement removed"],
        ),
        ("Section 3: Rain\n\nIt rained.", "It rained.", ["label removed"]),
        ("## Section 3: It rained.", "## It rained.", ["label removed"]),
        ("**Section 3: It rained.** So.", "**It rained.** So.", ["label removed"]),
        ("Step 1: Cut.\nStep 2: Cook.", "Step 1: Cut.\nStep 2: Cook.", []),
    ],
)
def test_strip_opening(text: str, rest: str, notes: list[str]) -> None:
    assert strip_opening(text) == (rest, notes)


def test_labels_of_a_whole_document_stay() -> None:
    assert strip_opening("Sure! Here it is:\n\nPart 1: Rain", labels=False) == (
        "Part 1: Rain",
        ["announcement removed"],
    )


@pytest.mark.parametrize(
    ("text", "rest", "notes"),
    [
        ("It rained.", "It rained.", []),
        ("It rained.\n\n(2 words)\n\n---", "It rained.", ["rule removed", "word count removed"]),
        ("It rained.\n\nTo be continued…", "It rained.", ["farewell removed"]),
        ("It rained.\n\nIt continued.", "It rained.\n\nIt continued.", []),
    ],
)
def test_strip_closing(text: str, rest: str, notes: list[str]) -> None:
    assert strip_closing(text) == (rest, notes)


def test_what_stands_instead_of_prose() -> None:
    assert is_refusal("I cannot assist with that.")
    assert not is_refusal("He said: I cannot assist with that.")
    assert is_error("Error: 429 Too many requests")
    assert not is_error("The error: 429 people came.")
