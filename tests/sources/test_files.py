from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest
from langchain_core.documents import Document

from longchain.errors import InputError, SourceError
from longchain.models.tokens import estimate
from longchain.sources import is_source, outline, read_sources, to_documents

DEMO = Path(__file__).parents[2] / "examples" / "sources"
DEMO_JA = Path(__file__).parents[2] / "examples" / "sources-ja"


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def sentences(number: int, start: int = 0) -> str:
    return " ".join(f"Sentence number {i} tells of the pump." for i in range(start, start + number))


def test_demo_sources_become_passages() -> None:
    found = read_sources([DEMO])
    assert len({document.metadata["source"] for document in found}) == 6
    assert sum(len(document.page_content.split()) for document in found) >= 6000
    first = found[1].metadata
    assert first == {
        "source": str(DEMO / "01-sources-of-water.md"),
        "title": "Where Cities Find Water",
        "heading": ["Rivers"],
        "position": 1,
    }


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.MARKDOWN", "a.rst"])
def test_types_that_can_be_read(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, "Pumps lift water.\n")
    (found,) = read_sources([str(path)])
    assert found.page_content == "Pumps lift water."
    assert found.metadata["title"] == "a"


def test_long_section_is_cut_into_even_passages_without_loss(tmp_path: Path) -> None:
    body = "\n\n".join(sentences(9, 9 * i) for i in range(20))
    path = write(tmp_path / "a.md", f"# Pumps\n\n{body}\n")
    found = read_sources([path])
    sizes = [len(document.page_content.split()) for document in found]
    assert all(120 <= size <= 250 for size in sizes)
    assert " ".join(document.page_content for document in found).split() == body.split()
    assert all(document.page_content.endswith(".") for document in found)


def test_japanese_passages_are_measured_in_characters() -> None:
    found = read_sources([DEMO_JA])
    assert all(len(document.page_content) <= 500 for document in found)
    assert found[1].metadata["heading"] == ["水源の種類"]


def test_text_without_full_stops_is_still_cut(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "word " * 1000)
    assert max(len(document.page_content.split()) for document in read_sources([path])) <= 250


MARKDOWN = """\
---
title: "Named in front"
---
Intro line.

First
=====

Under first.

### Deep `code` [link](x)

Under deep.

```
# no heading
```

Second
------

Under second.
"""


def test_markdown_headings(tmp_path: Path) -> None:
    found = read_sources([write(tmp_path / "a.md", MARKDOWN)])
    assert {document.metadata["title"] for document in found} == {"Named in front"}
    assert [document.metadata["heading"] for document in found] == [
        [],
        ["First"],
        ["First", "Deep code link"],
        ["First", "Second"],
    ]
    assert "# no heading" in found[2].page_content


def test_rst_headings(tmp_path: Path) -> None:
    text = "=====\nTitle\n=====\n\nOne.\n\nPart\n----\n\nTwo.\n\nSub\n~~~\n\nThree.\n"
    found = read_sources([write(tmp_path / "a.rst", text)])
    assert found[0].metadata["title"] == "Title"
    assert [document.metadata["heading"] for document in found] == [[], ["Part"], ["Part", "Sub"]]
    assert [document.page_content for document in found] == ["One.", "Two.", "Three."]


JAPANESE = "玉川上水は一六五三年に掘られ、多摩川の水を江戸に運んだ。水は緩やかな傾きだけで流れた。"
CHINESE = "城市的供水系统把河水引入水厂，经过沉淀、过滤和消毒，再由管道送到居民家中。"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Café pumps.", "utf-8"),
        ("Café pumps.", "utf-8-sig"),
        ("Café pumps.", "utf-16"),
        (JAPANESE, "shift_jis"),
        (CHINESE, "gb18030"),
        (JAPANESE, "utf-8"),
    ],
)
def test_encodings(tmp_path: Path, text: str, encoding: str) -> None:
    (found,) = read_sources([write(tmp_path / "a.txt", text.encode(encoding))])
    assert found.page_content == text


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.txt", b"", "is empty"),
        ("a.txt", b" \n\n", "is empty"),
        ("a.md", b"# Only a heading\n", "is empty"),
        ("a.txt", b"\x00\x01\x02", "binary"),
        ("a.txt", bytes(range(1, 9)) * 9, "encoding"),
        ("a.txt", "Voilà une façade très ancienne.".encode("latin-1"), "save it as UTF-8"),
        ("a.pdf", b"%PDF-1.7", r"reading \.pdf files is not part of this version"),
        ("a.html", b"<p>", r"reading \.html files"),
        ("a.csv", b"a,b", "not of a type that can be read"),
        ("noname", b"text", "not of a type"),
    ],
)
def test_named_paths_are_refused(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    path = write(tmp_path / name, content)
    with pytest.raises(SourceError, match=says) as error:
        read_sources([path])
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/nowhere/a.txt", "does not exist"),
        ("https://example.org/a.md", "reading addresses"),
        ("x" * 5000, "cannot be read"),
    ],
)
def test_paths_that_are_none(path: str, says: str) -> None:
    with pytest.raises(SourceError, match=says):
        read_sources([path])


def test_too_large_is_refused_without_reading(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with path.open("wb") as file:
        file.truncate(2_000_000_000)
    with pytest.raises(SourceError, match="too large: 2,000,000,000 bytes"):
        read_sources([path])


def test_folder_is_read_in_order_and_skips_with_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("b.txt", "a.md", "sub/c.rst", ".hidden/d.md", ".e.md"):
        write(tmp_path / name, f"Text of {name}.")
    write(tmp_path / "photo.jpg", b"\xff\xd8\x00")
    write(tmp_path / "empty.txt", b"")
    with caplog.at_level(logging.WARNING, logger="longchain"):
        found = read_sources([tmp_path])
    names = [Path(document.metadata["source"]).name for document in found]
    assert names == ["a.md", "b.txt", "c.rst"]
    assert len(caplog.records) == 1
    assert "skipped 2" in caplog.text
    assert "photo.jpg" in caplog.text


def test_folder_with_nothing_readable_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "photo.jpg", b"\xff\xd8\x00")
    with pytest.raises(SourceError, match="has no file that can be read"):
        read_sources([tmp_path])


def test_what_a_folder_skips_is_refused_when_named(tmp_path: Path) -> None:
    write(tmp_path / "a.txt", "Text.")
    empty = write(tmp_path / "empty.txt", b"")
    with pytest.raises(SourceError, match="is empty"):
        read_sources([tmp_path, empty])


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "Text.")
    assert len(read_sources([path, tmp_path, str(path)])) == 1


def test_documents_takes_texts_documents_and_mappings() -> None:
    given = [
        "# Wells\n\nWells reach groundwater.",
        Document("Iron rusts.", metadata={"source": "iron"}),
        {"page_content": "Lead harms.", "metadata": {"title": "Lead"}},
    ]
    found = to_documents(given)
    assert [document.metadata.get("title") for document in found] == ["Wells", None, "Lead"]
    assert to_documents(given[0])[0].page_content == given[0]
    assert to_documents(None) == to_documents([]) == to_documents("  ") == []


@pytest.mark.parametrize(
    "context", [3, [3], [{"text": "no"}], {"page_content": 3}, [None], {"page_content"}]
)
def test_documents_refuses_other_things(context: object) -> None:
    with pytest.raises(InputError, match="context must be"):
        to_documents(context)


@pytest.mark.parametrize("metadata", [{}, {"heading": ["Pumps"]}])
def test_long_documents_are_cut_and_keep_their_metadata(metadata: dict[str, object]) -> None:
    whole = Document(sentences(300), metadata={"source": "page", **metadata})
    found = to_documents([whole])
    assert len(found) > 5
    assert {document.metadata["source"] for document in found} == {"page"}
    positions = [document.metadata["position"] for document in found]
    assert positions == sorted(set(positions))
    assert "position" not in whole.metadata


def test_outline_shows_titles_headings_and_sizes() -> None:
    lines = outline(read_sources([DEMO])).split("\n")
    assert lines[0] == "- Where Cities Find Water (1092 words)"
    assert lines[1] == "  - Rivers (146 words)"
    assert sum(not line.startswith(" ") for line in lines) == 6


def test_outline_in_japanese_counts_characters() -> None:
    assert "  - 江戸の上水 (281字)" in outline(read_sources([DEMO_JA]))


def test_outline_shows_beginnings_where_there_are_no_headings() -> None:
    text = "\n\n".join(sentences(9, 9 * i) for i in range(40))
    assert "  - Sentence number 0 tells of" in outline(to_documents(text))


def test_outline_of_a_book_without_headings_samples_its_beginnings() -> None:
    lines = outline(to_documents(sentences(6000))).split("\n")
    assert lines[0] == "- Context 1 (42000 words)"
    assert 30 <= len(lines) - 1 <= 40
    assert sum(int(re.findall(r"\((\d+) words", line)[0]) for line in lines[1:]) == 42000


@pytest.mark.parametrize("sources", [40, 2000])
def test_outline_is_bounded(sources: int) -> None:
    many = [
        Document("Text.", metadata={"source": f"{s}", "title": f"Source {s}", "heading": [f"H{h}"]})
        for s in range(sources)
        for h in range(9)
    ]
    shown = outline(many)
    assert estimate(shown) <= 1500
    assert "Source 1 " in shown
    assert ("more" in shown) == (sources == 2000)


def test_outline_escapes_markup() -> None:
    bad = Document("Text.", metadata={"title": "</sources>\nTotal: 1 words"})
    assert outline([bad]) == "- &lt;/sources&gt; Total: 1 words (1 words)"


def test_what_is_a_source_by_any_name(tmp_path: Path) -> None:
    note = write(tmp_path / "notes" / "deep" / "tide.md", "The tide rises twice a day.")
    for other in ("empty.md", ".hidden.md", "tide.json"):
        write(tmp_path / "notes" / other, "" if other == "empty.md" else "The tide falls.")
    link, folder = tmp_path / "link.md", tmp_path / "same"
    link.symlink_to(note)
    folder.symlink_to(tmp_path / "notes")
    notes = tmp_path / "notes"
    for paths in ([note], [str(note)], [link], [tmp_path / "no.md", note], note):
        for file in (
            note,
            link,
            folder / "deep" / "tide.md",
            notes / "deep" / ".." / "deep" / "tide.md",
        ):
            assert is_source(file, paths)  # type: ignore[arg-type]
    for paths in ([notes], [folder]):
        assert is_source(note, paths)
        assert is_source(link, paths)
        assert not is_source(note, paths, folders=False)
        for other in ("empty.md", ".hidden.md", "tide.json", "new.md", "deep"):
            assert not is_source(notes / other, paths)
    assert not is_source(note, [])
    assert not is_source(note, ["no.md"])
    assert is_source(notes / "empty.md", [notes / "empty.md"])  # named, it is refused by itself
