from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from longchain.bench import tasks
from longchain.bench.tasks import File, Task, catalog
from longchain.bench.tasks import fetch as fetching
from longchain.errors import InputError

CONTENT = b"".join(
    json.dumps({"prompt": f"Ports {i}. " + "x" * 500, "length": 300}).encode() + b"\n"
    for i in range(400)
)


class Host:
    """A server of one file, with what it is to do next, and what it was asked."""

    def __init__(self) -> None:
        self.content = CONTENT
        self.script: list[str] = []
        """For each request `ok`, `cut`, `whole` (no ranges) or a status."""
        self.asked: list[tuple[str, str | None]] = []
        """Paths and ranges."""
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                host.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def answer(self, to: BaseHTTPRequestHandler) -> None:
        given = to.headers.get("Range")
        self.asked.append((to.path, given))
        mode = self.script.pop(0) if self.script else "ok"
        start = int(given.removeprefix("bytes=").rstrip("-")) if given and mode != "whole" else 0
        if mode.isdigit() or start >= len(self.content):
            to.send_error(int(mode) if mode.isdigit() else 416)
            return
        body = self.content[start:]
        to.send_response(206 if start else 200)
        if start:
            to.send_header(
                "Content-Range", f"bytes {start}-{len(self.content) - 1}/{len(self.content)}"
            )
        to.send_header("Content-Length", str(len(body)))
        to.end_headers()
        to.wfile.write(body[: len(body) // 2] if mode == "cut" else body)

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def host() -> Iterator[Host]:
    running = Host()
    yield running
    running.close()


@pytest.fixture(autouse=True)
def cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test sees the user's cache or proxies."""
    monkeypatch.setenv("LONGCHAIN_CACHE", str(tmp_path / "cache"))
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(fetching, "_PAUSE", 0.0)
    return tmp_path / "cache" / "bench"


FILE = File("data/ports.jsonl", hashlib.sha256(CONTENT).hexdigest())
KNOWN = ("me/ports", "0123456789abcdef0123456789abcdef01234567", "MIT", "Me 2026, Ports")
PORTS = Task("ports", "Ports", 400, "plain", (FILE,), *KNOWN)
PUBLISHED = f"/me/ports/{PORTS.commit}/data/ports.jsonl"
KEPT = Path("me+ports", PORTS.commit[:12], "data", "ports.jsonl")


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """List a benchmark whose hash is that of the server's file."""
    monkeypatch.setattr(catalog, "TASKS", (PORTS,))


local = pytest.mark.usefixtures("listed")


def online(test: Any) -> Any:
    return pytest.mark.enable_socket(pytest.mark.allow_hosts(["127.0.0.1"])(test))


@online
@local
def test_a_benchmark_is_fetched_once(host: Host, cached: Path) -> None:
    loaded = tasks.load("ports", base=host.base, limit=5)
    assert len(loaded.samples) == 5
    assert loaded.source == host.base + PUBLISHED
    assert loaded.sha256 == FILE.sha256
    assert (cached / KEPT).read_bytes() == CONTENT
    again = tasks.load("ports", base=host.base, offline=True)
    assert len(again.samples) == 400
    assert again.notes == []
    assert host.asked == [(PUBLISHED, None)]


@online
def test_a_download_that_breaks_off_is_gone_on_with(host: Host, cached: Path) -> None:
    host.script = ["cut", "503", "ok"]
    assert fetching.fetch(PORTS, FILE, base=host.base) == CONTENT
    ranges = [given for _, given in host.asked]
    assert ranges == [None, f"bytes={len(CONTENT) // 2}-", f"bytes={len(CONTENT) // 2}-"]
    assert sorted(path.name for path in (cached / KEPT).parent.iterdir()) in (
        ["ports.jsonl"],
        ["ports.jsonl", "ports.jsonl.lock"],
    )


@online
def test_the_next_call_goes_on(host: Host) -> None:
    host.script = ["cut", "429", "503", "ok"]
    with pytest.raises(InputError, match="the server answered 503"):
        fetching.fetch(PORTS, FILE, base=host.base)
    assert fetching.fetch(PORTS, FILE, base=host.base) == CONTENT
    assert host.asked[-1] == (PUBLISHED, f"bytes={len(CONTENT) // 2}-")


@online
def test_a_server_without_ranges(host: Host) -> None:
    host.script = ["cut", "whole"]
    assert fetching.fetch(PORTS, FILE, base=host.base) == CONTENT


@online
def test_a_whole_download_that_was_not_moved_yet(host: Host, cached: Path) -> None:
    part = cached / KEPT.with_name("ports.jsonl.part")
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT)
    assert fetching.fetch(PORTS, FILE, base=host.base) == CONTENT
    assert host.asked == []


@online
def test_the_rest_of_something_else(host: Host, cached: Path) -> None:
    part = cached / KEPT.with_name("ports.jsonl.part")
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT + b"more")
    assert fetching.fetch(PORTS, FILE, base=host.base) == CONTENT
    assert [given for _, given in host.asked] == [f"bytes={len(CONTENT) + 4}-", None]


@online
@local
def test_a_wrong_hash(host: Host, cached: Path) -> None:
    host.content = CONTENT.replace(b"Ports", b"Ships")
    with pytest.raises(InputError) as met:
        tasks.load("ports", base=host.base)
    aside = cached / KEPT.with_name("ports.jsonl.wrong")
    assert aside.read_bytes() == host.content
    assert not (cached / KEPT).exists()
    for said in (host.base + PUBLISHED, FILE.sha256, str(aside), "give the path"):
        assert said in str(met.value)
    host.content = CONTENT
    assert len(tasks.load("ports", base=host.base).samples) == 400


@online
def test_a_damaged_cache_is_put_aside(host: Host, cached: Path) -> None:
    kept = cached / KEPT
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"damaged")
    assert fetching.fetch(PORTS, FILE, base=host.base) == CONTENT
    assert kept.with_name("ports.jsonl.wrong").read_bytes() == b"damaged"


@online
def test_a_file_that_is_gone(host: Host) -> None:
    host.script = ["404"]
    with pytest.raises(InputError, match="the server answered 404"):
        fetching.fetch(PORTS, FILE, base=host.base)
    assert len(host.asked) == 1


@online
def test_too_much(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "_MAX_BYTES", 1000)
    with pytest.raises(InputError, match="more than 1,000 bytes came"):
        fetching.fetch(PORTS, FILE, base=host.base)


@online
def test_many_at_once(host: Host) -> None:
    found: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: found.append(fetching.fetch(PORTS, FILE, base=host.base)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [CONTENT] * 8
    assert len(host.asked) == 1


@online
def test_nobody_there(host: Host) -> None:
    base = host.base
    host.close()
    with pytest.raises(InputError) as met:
        fetching.fetch(PORTS, FILE, base=base)
    for said in ("'ports.jsonl' of ports", base + PUBLISHED, "no connection", "give its path"):
        assert said in str(met.value)


def test_offline(cached: Path) -> None:
    with pytest.raises(InputError) as met:
        tasks.load("lifebench", offline=True)
    for said in ("'data.jsonl' of lifebench", fetching.RAW, str(cached), "give its path"):
        assert said in str(met.value)
    assert str(met.value).count(". ") == 0
    assert not cached.exists()


def test_a_cache_that_cannot_be_written(cached: Path) -> None:
    cached.parent.write_text("a file where the folder should be")
    with pytest.raises(InputError, match="set LONGCHAIN_CACHE"):
        fetching.fetch(PORTS, FILE)


def test_a_file_known_by_its_blob_alone() -> None:
    # What `printf hello | git hash-object --stdin` says.
    blob = File("a.txt", blob="b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0")
    assert fetching.matches_hash(b"hello", blob)
    assert not fetching.matches_hash(b"hello\n", blob)


@pytest.mark.parametrize("base", ["ftp://127.0.0.1", "no address"])
def test_an_address_that_is_none(base: str) -> None:
    with pytest.raises(InputError, match=r"'ports\.jsonl' of ports could not be downloaded from"):
        fetching.fetch(PORTS, FILE, base=base)


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "nonsense://127.0.0.1:1"])
def test_a_proxy_that_cannot_be_used(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(
        InputError, match=r"could not be downloaded .* \(\S.*\): get it by other means"
    ):
        fetching.fetch(PORTS, FILE)
