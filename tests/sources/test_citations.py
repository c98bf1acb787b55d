from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longchain.document import Reference
from longchain.sources import (
    Numbering,
    check_citations,
    cited_ids,
    format_reference_list,
    number_citations,
    renumber,
)


def reference(id: int, source: str) -> Reference:
    return Reference(id=id, title=source.upper(), source=source, text=f"Passage {id}.")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Water flows [3].", [3]),
        ("Both [3, 7] and [7,9].", [3, 7, 9]),
        ("Two [1][2] marks.", [1, 2]),
        ("A range [2-4] or [6–7].", [2, 3, 4, 6, 7]),
        ("水が流れる［３］。池【4】。湖［５、６］。", [3, 4, 5, 6]),
        ("Water[12]", [12]),
        ("Turned round [9-2].", [9, 2]),
        ("No link [3](https://x.org), no ![4](y.png).", []),
        ("No footnote [^3], no `a[3]`, no [ ] and no [x].", []),
        ("```\na[3]\n```\nbut [4]", [4]),
        ("[3]: https://x.org\n", []),
        ("[12345]", []),
        ("", []),
    ],
)
def test_cited(text: str, expected: list[int]) -> None:
    assert cited_ids(text) == expected


@pytest.mark.parametrize(
    ("text", "expected", "unknown"),
    [
        ("Water [3].", "Water [3].", []),
        ("Water [4].", "Water.", [4]),
        ("Water [3, 4] and [5][3].", "Water [3] and [3].", [4, 5]),
        ("水［９］。", "水。", [9]),
        ("[8] begins.", "begins.", [8]),
        ("Line.\n[8] begins.", "Line.\nbegins.", [8]),
        ("Range [2-4].", "Range [2, 3].", [4]),
        ("In [1994] it was `a[9]`.", "In [1994] it was `a[9]`.", []),
        ("See [9](x).", "See [9](x).", []),
    ],
)
def test_check(text: str, expected: str, unknown: list[int]) -> None:
    assert check_citations(text, {2, 3}) == (expected, unknown)


@given(st.text(alphabet="ab [](){}`123２,-［］【】^:\n", max_size=60))
def test_check_changes_nothing_where_all_is_known(text: str) -> None:
    assert check_citations(text, set(range(10_000))) == (text, [])


@given(st.text(alphabet="ab []()`12,-［］\n", max_size=60))
def test_nothing_is_cited_any_more_where_nothing_is_known(text: str) -> None:
    text = text.replace("`", "'")  # taking a mark out may pair code marks anew
    assert set(check_citations(text, set())[1]) == {one for one in cited_ids(text) if one < 1000}


def test_check_takes_four_digits_for_an_id_where_ids_have_them() -> None:
    assert check_citations("A [1994].", {1200}) == ("A.", [1994])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A [5]. B [7].", "A [1]. B [2]."),
        ("A [5][6].", "A [1]."),
        ("A [5] [6] [7].", "A [1] [2]."),
        ("A [5, 6, 7].", "A [1, 2]."),
        ("A [5]. B [6].", "A [1]. B [1]."),
        ("A［５］と`x[5]`。", "A[1]と`x[5]`。"),
        ("A [1994].", "A [1994]."),
    ],
)
def test_renumber(text: str, expected: str) -> None:
    assert renumber(text, {5: 1, 6: 1, 7: 2}) == expected


def test_number_goes_by_source_in_order_of_first_citation() -> None:
    references = [reference(1, "a"), reference(2, "b"), reference(3, "a"), reference(4, "c")]
    texts, listed = number_citations(["X [2]. Y [3][1].", "Z [1, 2]. W [9]."], references)
    assert texts == ["X [1]. Y [2].", "Z [2, 1]. W."]
    assert [(one.id, one.source, one.text) for one in listed] == [(1, "b", ""), (2, "a", "")]


def test_numbering_never_changes_what_came_before() -> None:
    references = [reference(i, f"s{i}") for i in range(1, 9)]
    sections = ["A [7].", "B [2] [7].", "C [5]."]
    numbering = Numbering(references)
    one_by_one = [numbering.number_section(text) for text in sections]
    assert (
        one_by_one
        == number_citations(sections, references)[0]
        == ["A [1].", "B [2] [1].", "C [3]."]
    )
    assert [one.id for one in numbering.references] == [1, 2, 3]


def test_passages_without_a_source_are_told_apart_by_title_or_text() -> None:
    references = [Reference(id=1, text="One."), Reference(id=2, text="Two.")]
    assert number_citations(["A [1]. B [2]."], references)[0] == ["A [1]. B [2]."]


def test_reference_list() -> None:
    listed = [
        Reference(id=1, title="Water Loss", source="loss.md"),
        Reference(id=2, title="Why leak?", source="why.md"),
        Reference(id=3, source="plain.txt"),
        Reference(id=4, title="都市の水", source="ja.md"),
        Reference(id=5, title="Context 1"),
    ]
    assert format_reference_list(listed).split("\n\n") == [
        "[1] Water Loss. loss.md",
        "[2] Why leak? why.md",
        "[3] plain.txt",
        "[4] 都市の水。 ja.md",
        "[5] Context 1.",
    ]
