"""A benchmark's file, from the cache or from its authors' repository: `File` -> its bytes.

What comes is checked by its hash before it is kept, and again whenever it is read. Knows HTTP and
folders; knows nothing of what is in the files.
"""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import httpx
import platformdirs
from filelock import FileLock, Timeout

from longchain.bench.tasks.catalog import File, Task
from longchain.errors import InputError

RAW = "https://raw.githubusercontent.com"
"""Where GitHub serves a file of a commit: `/OWNER/REPOSITORY/COMMIT/PATH`."""

_ATTEMPTS = 3
_PAUSE = 0.5
"""Seconds before the second attempt; twice as many before the third."""
_TIMEOUT = 30.0
_PATIENCE = 600.0
"""Seconds to wait for another process that fetches the same file."""
_MOST = 64 * 2**20
"""Bytes that a file may have at most; the largest published one has about 5 MB."""


def cache() -> Path:
    """Return the folder of fetched files: below `LONGCHAIN_CACHE`, or the user's cache folder."""
    given = os.environ.get("LONGCHAIN_CACHE", "").strip()
    root = given or platformdirs.user_cache_dir("longchain", appauthor=False)
    return Path(root).expanduser().absolute() / "bench"


def address(task: Task, file: File, base: str = RAW) -> str:
    """Return where a file is published."""
    return f"{base.rstrip('/')}/{task.repository}/{task.commit}/{file.path}"


def fits(data: bytes, file: File) -> bool:
    """Return whether these bytes are the file's at the pinned commit."""
    if file.sha256:
        return hashlib.sha256(data).hexdigest() == file.sha256
    # How git names a blob: the SHA-1 of a header with its size, and its content.
    header = b"blob %d\0" % len(data)
    return hashlib.sha1(header + data, usedforsecurity=False).hexdigest() == file.blob


def fetch(task: Task, file: File, *, offline: bool = False, base: str = RAW) -> bytes:
    """Return a file's bytes; what is not in the cache is downloaded into it.

    A download that breaks off is gone on with where it ended, also by the next call.

    Args:
        task: Whose file it is.
        file: Which one.
        offline: Take it from the cache or not at all.
        base: Where to fetch from instead of GitHub: a mirror with the same paths.

    Raises:
        InputError: It can neither be found nor fetched, or what came has another hash.
    """
    owner, _, repository = task.repository.partition("/")
    kept = cache() / f"{owner}+{repository}" / task.commit[:12] / file.path
    where = address(task, file, base)
    try:
        if (data := _kept(kept, file)) is not None:
            return data
        if offline:
            raise _absent(task, file, where, f"it is not in {str(cache())!r}, and this is offline")
        kept.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{kept}.lock", timeout=_PATIENCE):
            # Another process may have fetched it meanwhile.
            if (data := _kept(kept, file)) is not None:
                return data
            part = kept.with_name(f"{kept.name}.part")
            _complete(part, task, file, where)
            return _accept(part, kept, file, where)
    except Timeout:
        raise _absent(task, file, where, "another process has been at it for too long") from None
    except OSError as error:
        raise InputError(
            f"the cache {str(cache())!r} cannot be used ({error.strerror or error}): set "
            "LONGCHAIN_CACHE to a folder of yours"
        ) from None


def _kept(kept: Path, file: File) -> bytes | None:
    """Return the cached bytes; damaged ones are put aside."""
    try:
        data = kept.read_bytes()
    except FileNotFoundError:
        return None
    if fits(data, file):
        return data
    kept.replace(_aside(kept))
    return None


def _aside(kept: Path) -> Path:
    return kept.with_name(f"{kept.name}.wrong")


def _accept(part: Path, kept: Path, file: File, where: str) -> bytes:
    """Move a complete download to its place, if it is what it should be."""
    data = part.read_bytes()
    if not fits(data, file):
        aside = _aside(kept)
        part.replace(aside)
        expected = file.sha256 or file.blob
        raise InputError(
            f"what came from {where} is not the file of the pinned commit (its hash should be "
            f"{expected}) and was put aside as {str(aside)!r}: try again, or give the path of a "
            "copy that you trust"
        )
    part.replace(kept)
    return data


def _complete(part: Path, task: Task, file: File, where: str) -> None:
    """Download what is missing of a file.

    Raises:
        InputError: The server cannot be reached, or has no such file.
    """
    why = ""
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_PAUSE * 2 ** (attempt - 1))
        if part.exists() and fits(part.read_bytes(), file):
            return
        try:
            if not (why := _append(part, where)):
                return
        except httpx.HTTPStatusError as error:
            why = f"the server answered {error.response.status_code}"
            if error.response.status_code < 500 and error.response.status_code != 429:
                break
        except httpx.ConnectError as error:
            why = f"no connection: {error}"
            break
        except httpx.HTTPError as error:
            why = str(error) or type(error).__name__
        except (httpx.InvalidURL, ImportError, ValueError) as error:
            # Of an address, or of a proxy in the environment, that httpx cannot use.
            why = str(error)
            break
    raise _absent(task, file, where, why)


def _append(part: Path, where: str) -> str:
    """Ask for the rest of a file, or all of it; return why that must be done again, or nothing."""
    start = part.stat().st_size if part.exists() else 0
    # Not compressed: a range is one of the file's own bytes.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    with httpx.stream(
        "GET", where, headers=headers, timeout=_TIMEOUT, follow_redirects=True
    ) as response:
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            part.unlink()
            return "what was there of it does not belong to it"
        response.raise_for_status()
        ours = response.headers.get("Content-Range", "").startswith(f"bytes {start}-")
        rest = response.status_code == httpx.codes.PARTIAL_CONTENT and ours
        size = start if rest else 0
        with part.open("ab" if rest else "wb") as out:
            for chunk in response.iter_bytes():
                size += len(chunk)
                if size > _MOST:
                    raise httpx.DecodingError(f"more than {_MOST:,} bytes came")
                out.write(chunk)
    return ""


def _absent(task: Task, file: File, where: str, why: str) -> InputError:
    return InputError(
        f"{file.name!r} of {task.name} could not be had from {where} ({why}): fetch it by other "
        "means and give its path, or that of its folder"
    )
