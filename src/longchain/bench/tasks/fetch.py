"""The download of a benchmark's file, through a cache: `File` -> its bytes.

A download is checked by its hash before it enters the cache, and again whenever it is read. Knows
HTTP and folders; knows nothing of what is in the files.
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
"""Address at which GitHub serves a file of a commit: `/OWNER/REPOSITORY/COMMIT/PATH`."""

_ATTEMPTS = 3
_PAUSE = 0.5
"""Seconds before the second attempt; twice as many before the third."""

_TIMEOUT = 30.0
_LOCK_SECONDS = 600.0
"""Seconds to wait for another process that downloads the same file."""

_MAX_BYTES = 64 * 2**20
"""Size limit of a file; the largest published one has about 5 MB."""


def cache_folder() -> Path:
    """Return the folder of downloads: below `LONGCHAIN_CACHE`, or in the user's cache folder."""
    root = os.environ.get("LONGCHAIN_CACHE", "").strip()
    if not root:
        root = platformdirs.user_cache_dir("longchain", appauthor=False)
    return Path(root).expanduser().absolute() / "bench"


def file_url(task: Task, file: File, base: str = RAW) -> str:
    """Return the address at which a file is published."""
    return f"{base.rstrip('/')}/{task.repository}/{task.commit}/{file.path}"


def matches_hash(data: bytes, file: File) -> bool:
    """Return whether these bytes are the file's at the pinned commit."""
    if file.sha256:
        return hashlib.sha256(data).hexdigest() == file.sha256
    # How git names a blob: the SHA-1 of a header with its size, and its content.
    header = b"blob %d\0" % len(data)
    return hashlib.sha1(header + data, usedforsecurity=False).hexdigest() == file.blob


def fetch(task: Task, file: File, *, offline: bool = False, base: str = RAW) -> bytes:
    """Return a file's bytes; a file that is not in the cache is downloaded into it.

    A download that breaks off is resumed, also by the next call.

    Args:
        task: The benchmark.
        file: One of its files.
        offline: Read it from the cache only.
        base: Another server than GitHub's: a mirror with the same paths.

    Raises:
        InputError: The file is not in the cache and cannot be downloaded, or the download has
            another hash.
    """
    owner, _, repository = task.repository.partition("/")
    cached = cache_folder() / f"{owner}+{repository}" / task.commit[:12] / file.path
    url = file_url(task, file, base)
    try:
        data = _read_cached(cached, file)
        if data is not None:
            return data
        if offline:
            reason = f"it is not in {str(cache_folder())!r}, and this is offline"
            raise _unavailable(task, file, url, reason)
        cached.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{cached}.lock", timeout=_LOCK_SECONDS):
            # Another process may have downloaded it meanwhile.
            data = _read_cached(cached, file)
            if data is not None:
                return data
            part = cached.with_name(f"{cached.name}.part")
            _download(part, task, file, url)
            return _move_to_cache(part, cached, file, url)
    except Timeout:
        reason = "another process has been downloading it for too long"
        raise _unavailable(task, file, url, reason) from None
    except OSError as error:
        raise InputError(
            f"the cache {str(cache_folder())!r} cannot be used ({error.strerror or error}): set "
            "LONGCHAIN_CACHE to a folder of yours"
        ) from None


def _read_cached(cached: Path, file: File) -> bytes | None:
    """Return the cached bytes; None if there are none, or damaged ones, which are put aside."""
    try:
        data = cached.read_bytes()
    except FileNotFoundError:
        return None
    if matches_hash(data, file):
        return data
    cached.replace(_rejected_path(cached))
    return None


def _rejected_path(cached: Path) -> Path:
    """Return the path to which bytes with another hash are moved."""
    return cached.with_name(f"{cached.name}.wrong")


def _move_to_cache(part: Path, cached: Path, file: File, url: str) -> bytes:
    """Move a complete download into the cache, if it has the right hash."""
    data = part.read_bytes()
    if not matches_hash(data, file):
        rejected = _rejected_path(cached)
        part.replace(rejected)
        expected = file.sha256 or file.blob
        raise InputError(
            f"what came from {url} is not the file of the pinned commit (its hash should be "
            f"{expected}) and was put aside as {str(rejected)!r}: try again, or give the path of "
            "a copy that you trust"
        )
    part.replace(cached)
    return data


def _download(part: Path, task: Task, file: File, url: str) -> None:
    """Download what is missing of a file.

    Raises:
        InputError: The server cannot be reached, or has no such file.
    """
    reason = ""
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_PAUSE * 2 ** (attempt - 1))
        if part.exists() and matches_hash(part.read_bytes(), file):
            return
        try:
            reason = _download_rest(part, url)
        # `InvalidURL`, `ImportError`, `ValueError`: of an address, or of a proxy in the
        # environment, that httpx cannot use.
        except (httpx.HTTPError, httpx.InvalidURL, ImportError, ValueError) as error:
            reason = _explain(error)
            if not _may_pass(error):
                break
        if not reason:
            return
    raise _unavailable(task, file, url, reason)


def _explain(error: Exception) -> str:
    """Return in a few words why a download failed."""
    if isinstance(error, httpx.HTTPStatusError):
        return f"the server answered {error.response.status_code}"
    if isinstance(error, httpx.ConnectError):
        return f"no connection: {error}"
    return str(error) or type(error).__name__


def _may_pass(error: Exception) -> bool:
    """Return whether another attempt may succeed."""
    if isinstance(error, httpx.HTTPStatusError):
        status = error.response.status_code
        return status >= 500 or status == httpx.codes.TOO_MANY_REQUESTS
    return isinstance(error, httpx.HTTPError) and not isinstance(error, httpx.ConnectError)


def _download_rest(part: Path, url: str) -> str:
    """Request the rest of a file, or all of it; return why it must be requested again, or nothing.

    Raises:
        httpx.HTTPError: The request failed; what has arrived is in `part`.
    """
    start = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity"}  # a range is one of the file's own bytes
    if start:
        headers["Range"] = f"bytes={start}-"
    with httpx.stream(
        "GET", url, headers=headers, timeout=_TIMEOUT, follow_redirects=True
    ) as response:
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            part.unlink()
            return "what was there of it does not belong to it"
        response.raise_for_status()
        range_matches = response.headers.get("Content-Range", "").startswith(f"bytes {start}-")
        resumed = response.status_code == httpx.codes.PARTIAL_CONTENT and range_matches
        size = start if resumed else 0
        with part.open("ab" if resumed else "wb") as out:
            for chunk in response.iter_bytes():
                size += len(chunk)
                if size > _MAX_BYTES:
                    raise httpx.DecodingError(f"more than {_MAX_BYTES:,} bytes came")
                out.write(chunk)
    return ""


def _unavailable(task: Task, file: File, url: str, reason: str) -> InputError:
    return InputError(
        f"{file.name!r} of {task.name} could not be downloaded from {url} ({reason}): get it by "
        "other means and give its path, or that of its folder"
    )
