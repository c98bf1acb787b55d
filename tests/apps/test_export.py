"""Files of every format, and the paths that are refused before anything is paid for."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from longchain import LongDocument, Section, WritingPlan
from longchain.apps import export
from longchain.errors import InputError

DOCUMENT = LongDocument(
    title="潮",
    text="# 潮\n\n## The *moon*\n\nIt **pulls** the sea.\n",
    plan=WritingPlan(title="潮"),
    sections=[Section(heading="The moon", text="It pulls the sea.")],
)


@pytest.mark.parametrize(
    ("suffix", "rendered"),
    [
        (".md", DOCUMENT.text),
        (".txt", "潮\n\nThe moon\n\nIt pulls the sea.\n"),
        (".json", json.dumps(DOCUMENT.model_dump(), ensure_ascii=False, indent=2) + "\n"),
    ],
)
def test_every_format(suffix: str, rendered: str, tmp_path: Path) -> None:
    path = tmp_path / f"tide{suffix.upper()}"
    export.write(DOCUMENT, export.check(path))
    assert path.read_bytes() == rendered.encode()
    assert export.render(DOCUMENT, suffix) == rendered


def test_json_reads_back(tmp_path: Path) -> None:
    export.write(DOCUMENT, tmp_path / "tide.json")
    text = (tmp_path / "tide.json").read_text(encoding="utf-8")
    assert LongDocument.model_validate_json(text) == DOCUMENT


def test_an_existing_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "tide.md"
    path.write_text("long " * 1000)
    export.write(DOCUMENT, export.check(path))
    assert path.read_text(encoding="utf-8") == DOCUMENT.text
    assert os.listdir(tmp_path) == ["tide.md"]


def test_a_failure_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "tide.md"
    path.write_text("as it was")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(InputError, match=r"'.*tide.md' could not be written: No space left"):
        export.write(DOCUMENT, path)
    assert path.read_text() == "as it was"
    assert os.listdir(tmp_path) == ["tide.md"]


def test_a_failure_that_leaves_no_clean_way_out_is_still_told(tmp_path: Path) -> None:
    """Where the name is too long to be written, it is too long to be removed, too."""
    with pytest.raises(InputError, match="could not be written: File name too long"):
        export.write(DOCUMENT, tmp_path / f"{'a' * 250}.md")


@pytest.mark.parametrize("length", [250, 300])
def test_a_name_that_is_too_long(length: int, tmp_path: Path) -> None:
    """Also one that only the name beside it, ending in `.part`, makes too long."""
    with pytest.raises(InputError, match=r"cannot be written: File name too long$"):
        export.check(tmp_path / f"{'a' * length}.md")


def test_the_path_is_tried_and_nothing_stays(tmp_path: Path) -> None:
    export.check(tmp_path / "tide.md")
    assert os.listdir(tmp_path) == []
    (tmp_path / ".tide.md.part").write_text("of another run")
    export.check(tmp_path / "tide.md")
    assert (tmp_path / ".tide.md.part").read_text() == "of another run"


@pytest.mark.parametrize("suffix", export.COMING)
def test_a_format_to_come_names_what_brings_it(suffix: str) -> None:
    with pytest.raises(InputError, match=rf"^\{suffix} files will come with the extra 'export'"):
        export.check(Path(f"tide{suffix}"))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("tide.rtf", r"'.*tide.rtf': use one of .md, .txt, .json, not '.rtf'"),
        ("tide", r"'.*tide': use one of .md, .txt, .json, not ''"),
        (".md", r"'.*\.md': use one of .md, .txt, .json, not ''"),
        ("folder", r"'.*folder' is a folder: name a file"),
        ("folder.md", r"'.*folder.md' is a folder: name a file"),
        ("nowhere/tide.md", r"'.*tide.md' cannot be written: there is no folder '.*nowhere'"),
    ],
)
def test_a_path_that_cannot_be_written(name: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder.md").mkdir()
    with pytest.raises(InputError, match=f"^{said}$"):
        export.check(tmp_path / name)


@pytest.mark.parametrize("shut", ["tide.md", "."])
def test_permissions_are_looked_at(
    shut: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the file where there is one, else of its folder."""
    if shut == "tide.md":
        (tmp_path / shut).touch()
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path / shut)
    with pytest.raises(InputError, match="cannot be written: permission denied"):
        export.check(tmp_path / "tide.md")
    assert export.check(tmp_path.parent / "tide.md")


def test_plans_have_formats_of_their_own(tmp_path: Path) -> None:
    assert export.check(tmp_path / "plan.yml", export.PLAN_FORMATS)
    with pytest.raises(InputError, match=r"use one of \.yaml, \.yml, \.json, \.md, not '\.docx'"):
        export.check(tmp_path / "plan.docx", export.PLAN_FORMATS)
