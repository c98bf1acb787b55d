"""Reads sources from files, folders and a program's context as LangChain documents.

paths of text files and folders, or texts and documents of a program -> `list[Document]`, one
passage each

Knows files, encodings and unusable input; knows no retriever and no model.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from langchain_core.documents import Document

from longchain.errors import InputError, SourceError
from longchain.language import detect, is_spaced
from longchain.sources.passages import MAX_SIZE, cut, measure_size, split

SUFFIXES = (".txt", ".md", ".markdown", ".rst")
"""Supported file types."""

MAX_BYTES = 20_000_000
"""Bytes of one file: about six times the longest novel."""

_UNSUPPORTED = (".pdf", ".docx", ".doc", ".odt", ".epub", ".html", ".htm", ".xhtml", ".rtf")

_log = logging.getLogger("longchain")


def read_sources(paths: Iterable[str | Path]) -> list[Document]:
    """Read text files and folders as passages of about 120 to 250 words.

    A folder is read with all its subfolders, in order of name, without hidden files. Inside a
    folder, files that cannot be read are skipped with a warning in the log.

    Args:
        paths: Files ending in `.txt`, `.md`, `.markdown` or `.rst`, and folders.

    Returns:
        One document per passage, with `source` (its path), `title` (of the text, else the file's
        name), `heading` (the headings above it, outermost first) and `position` (from 0) in
        `metadata`.

    Raises:
        SourceError: A path is missing, empty, binary, larger than 20 MB or of another type, or a
            folder has no file that can be read.
    """
    result: list[Document] = []
    seen: set[Path] = set()
    for name in [paths] if isinstance(paths, str | Path) else paths:
        if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", str(name)):
            raise SourceError(
                f"reading addresses such as {str(name)!r} is not part of this version; "
                "save the page as a text or Markdown file and name that"
            )
        path = Path(name)
        try:
            result += _read_folder(path, seen) if path.is_dir() else _read_file(path, seen)
        except OSError as error:
            raise SourceError(f"source {str(name)!r} cannot be read: {error.strerror}") from error
    return result


def is_source(file: str | Path, paths: Iterable[str | Path], *, folders: bool = True) -> bool:
    """Whether `read_sources` would read a file, by any of its names.

    Args:
        file: The file, which may be a link to one, or missing.
        paths: The sources.
        folders: Whether to search folders, too.
    """
    with suppress(OSError):
        status = os.stat(file)
        return any(os.path.samestat(status, other) for other in _source_stats(paths, folders))
    return False


def _source_stats(paths: Iterable[str | Path], folders: bool) -> Iterator[os.stat_result]:
    """Yield the status of each file that would be read, without those a folder skips."""
    for path in map(Path, [paths] if isinstance(paths, str | Path) else paths):
        if not path.is_dir():
            with suppress(OSError):
                yield path.stat()
            continue
        for file in _walk(path) if folders else ():
            with suppress(OSError, SourceError):
                _check(file)
                yield file.stat()


def to_documents(context: Any) -> list[Document]:
    """Convert a program's context to documents.

    Texts and documents of more than twice a passage's size are cut into passages; shorter ones
    stay as they are. `None` and an empty list give no documents.

    Args:
        context: A text, a document, a `{"page_content", "metadata"}` mapping, or a list of these.

    Raises:
        InputError: The context has another type.
    """
    if context is None:
        return []
    if isinstance(context, str | Document | Mapping):
        context = [context]
    if not isinstance(context, list | tuple):
        raise _context_error(context)
    result: list[Document] = []
    for number, item in enumerate(context, 1):
        result += _cut_document(_to_document(item, number))
    return result


def _to_document(item: Any, number: int) -> Document:
    if isinstance(item, Document):
        return item
    if isinstance(item, str):
        title = split(item[:2000])[0] or f"Context {number}"
        return Document(item, metadata={"source": f"context:{number}", "title": title})
    if isinstance(item, Mapping):
        text, metadata = item.get("page_content"), item.get("metadata") or {}
        if isinstance(text, str) and isinstance(metadata, Mapping):
            return Document(text, metadata=dict(metadata))
    raise _context_error(item)


def _context_error(value: Any) -> InputError:
    shown = repr(value)
    shown = shown if len(shown) <= 80 else shown[:80] + "…"
    return InputError(
        f"context must be a text, a list of texts or of documents, or mappings with "
        f"'page_content' and 'metadata', not {shown}"
    )


def _cut_document(document: Document) -> list[Document]:
    """Cut a long document; each passage keeps the metadata and gets a position."""
    text, metadata = document.page_content, document.metadata
    if not text.strip():
        return []
    language = detect(text[:20_000])
    spaced = is_spaced(language)
    if measure_size(text, spaced) <= 2 * MAX_SIZE * (1 if spaced else 2):
        return [document]
    if metadata.get("heading"):
        cuts = [Document(piece, metadata=dict(metadata)) for piece in cut(text, language)]
    else:
        passages = split(text.replace("\r\n", "\n"))[1]
        cuts = [
            Document(passage.text, metadata={**metadata, "heading": passage.heading})
            for passage in passages
        ]
    first = metadata.get("position", 0)
    for offset, piece in enumerate(cuts):
        # Fractions order the passages of one page before the next page.
        piece.metadata["position"] = first + offset / len(cuts) if first else offset
    return cuts


def _read_file(path: Path, seen: set[Path]) -> list[Document]:
    if path.resolve() in seen:
        return []
    _check(path)
    title, passages = split(_read_text(path), rst=path.suffix.lower() == ".rst")
    if not passages:
        raise SourceError(f"source {str(path)!r} is empty: it has no text")
    seen.add(path.resolve())
    return [
        Document(
            passage.text,
            metadata={
                "source": str(path),
                "title": title or path.stem,
                "heading": passage.heading,
                "position": position,
            },
        )
        for position, passage in enumerate(passages)
    ]


def _read_folder(path: Path, seen: set[Path]) -> list[Document]:
    result: list[Document] = []
    skipped: list[str] = []
    has_seen = False
    for file in _walk(path):
        try:
            has_seen |= file.resolve() in seen
            result += _read_file(file, seen)
        except SourceError as error:
            skipped.append(str(error))
        except OSError as error:
            skipped.append(f"source {str(file)!r} cannot be read: {error.strerror}")
    if not result and not has_seen:
        why = f" ({skipped[0]})" if skipped else ""
        raise SourceError(
            f"folder {str(path)!r} has no file that can be read{why}; "
            f"longchain reads {', '.join(SUFFIXES)}"
        )
    if skipped:
        more = f"; and {len(skipped) - 3} more" if len(skipped) > 3 else ""
        _log.warning(
            "skipped %d in folder %s: %s%s", len(skipped), path, "; ".join(skipped[:3]), more
        )
    return result


def _walk(path: Path) -> Iterator[Path]:
    """Yield the files below a folder in order of name, without hidden ones and links to folders."""
    for parent, folders, files in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith("."):
                yield Path(parent, name)


def _check(path: Path) -> None:
    """Check a path without reading it.

    Raises:
        SourceError: The path is missing, no file, of another type, empty or too large.
    """
    name, suffix = str(path), path.suffix.lower()
    if not path.exists():
        raise SourceError(f"source {name!r} does not exist")
    if not path.is_file():
        raise SourceError(f"source {name!r} is neither a file nor a folder")
    if suffix in _UNSUPPORTED:
        raise SourceError(
            f"source {name!r}: reading {suffix} files is not part of this version; "
            "convert it to text or Markdown first"
        )
    if suffix not in SUFFIXES:
        raise SourceError(
            f"source {name!r} is not of a type that can be read: {', '.join(SUFFIXES)}"
        )
    length = path.stat().st_size
    if length == 0:
        raise SourceError(f"source {name!r} is empty")
    if length > MAX_BYTES:
        raise SourceError(
            f"source {name!r} is too large: {length:,} bytes of at most {MAX_BYTES:,}; "
            "split it into several files"
        )


def _read_text(path: Path) -> str:
    """Read a file's text in any supported encoding.

    Raises:
        SourceError: The file is binary, has no text, or is in an unknown encoding.
    """
    data = path.read_bytes()
    text = _decode(data)
    if text is None:
        kind = "binary, not text" if b"\0" in data else "in an unknown encoding"
        raise SourceError(f"source {str(path)!r} is {kind}; save it as UTF-8")
    if not text.strip("\ufeff \t\r\n\f"):
        raise SourceError(f"source {str(path)!r} is empty: it has no text")
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n\n")


def _decode(data: bytes) -> str | None:
    """Decode UTF-8, UTF-16 with a byte order mark, Shift_JIS or GB18030; None for others."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _try_decode(data, "utf-16")
    if b"\0" in data:
        return None
    text = _try_decode(data, "utf-8-sig")
    if text is None:
        text = _decode_east_asian(data)
    if text is not None and len(re.findall(r"[\x01-\x08\x0e-\x1a\x1c-\x1f]", text)) * 100 > len(
        text
    ):
        return None
    return text


def _try_decode(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _decode_east_asian(data: bytes) -> str | None:
    """Decode Shift_JIS or GB18030 if the result is plausible: Latin-1 also decodes, to noise."""
    japanese = _try_decode(data, "cp932")
    if japanese is not None:
        letters = len(japanese.translate(_NO_SPACE))
        kana = len(re.findall(r"[\u3041-\u30fe]", japanese))
        if kana * 10 >= letters and not re.search(r"[\uff61-\uff9f]{3}", japanese):
            return japanese
    chinese = _try_decode(data, "gb18030")
    if chinese is not None:
        letters = len(chinese.translate(_NO_SPACE))
        han = len(re.findall(r"[\u4e00-\u9fff]", chinese))
        if han * 10 >= letters * 3 and not re.search(r"[\ue000-\uf8ff]", chinese):
            return chinese
    return None


_NO_SPACE = dict.fromkeys(map(ord, " \t\r\n"))
