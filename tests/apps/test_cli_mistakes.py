"""What the command line refuses, and how it ends where a model is missing or fails."""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from longchain.models import resolve
from longchain.runs import spec
from longchain.testing import FakeWriter, Faults, SimulatedServer
from tests.apps.commands import PLAN, at, run

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.allow_hosts(["127.0.0.1"]),
    pytest.mark.usefixtures("here"),
]

TIDES = "Write a 600-word essay on tides."
KEY = "sk-very-secret-0123456789"
NO_LENGTH = "a length of 0 cannot be written: give one from 1 to 2,000,000"


# What is refused, before the first call ------------------------------------------------------


def prepare(folder: Path) -> None:
    """The files that the refused commands name."""
    (folder / "plan.yaml").write_text(PLAN)
    (folder / "words.yaml").write_text(f"unit: words\n{PLAN}")
    (folder / "broken.yaml").write_text(PLAN.replace("length: 60}", "length: many}", 1))
    (folder / "binary.txt").write_bytes(bytes(range(256)) * 4)
    (folder / "empty.txt").touch()
    with (folder / "large.txt").open("wb") as file:
        file.truncate(2_000_000_000)
    (folder / "folder").mkdir()
    (folder / "folder.md").mkdir()
    (folder / "fixed.md").write_text("as it was")
    (folder / "fixed.md").chmod(0o400)
    (folder / "shut").mkdir(mode=0o500)


def access(path: str | Path, mode: int) -> bool:
    """What a path's mode allows: to root, as in most containers, everything is writable."""
    return mode != os.W_OK or bool(Path(path).stat().st_mode & 0o200)


REFUSED = {
    "": "the instruction is empty: say what to write",
    " \n": "the instruction is empty: say what to write",
    "x --length 0": NO_LENGTH,
    "x --length -5": "a length of -5 cannot be written: give one from 1 to 2,000,000",
    "x --length 2000001": "a length of 2,000,001 cannot be written: give one from 1 to 2,000,000",
    "x --plan broken.yaml": (
        "broken.yaml, line 3: `length` of section 1 ('Causes') must be a whole number of at "
        "least 1, not 'many'"
    ),
    "x --plan no.yaml": "no.yaml: no such plan file",
    "x --plan plan.txt": "plan.txt: a plan file ends in .yaml, .json or .md, not '.txt'",
    "x --plan plan.yaml --length 210": (
        "the plan adds up to 180 words, the length asked for is 210: change one of them"
    ),
    "x --plan words.yaml --unit characters": (
        "the plan counts words, the length asked for counts characters"
    ),
    "x --source no.txt": "source 'no.txt' does not exist",
    "x --source binary.txt": "source 'binary.txt' is binary, not text; save it as UTF-8",
    "x --source empty.txt": "source 'empty.txt' is empty",
    "x --source large.txt": (
        "source 'large.txt' is too large: 2,000,000,000 bytes of at most 20,000,000; "
        "split it into several files"
    ),
    "x --style no.txt": "'no.txt' cannot be read: No such file or directory",
    "x --style binary.txt": "'binary.txt' cannot be read: it is no UTF-8 text",
    "x -o no/x.md": "'no/x.md' cannot be written: there is no folder 'no'",
    "x -o folder": "'folder' is a folder: name a file",
    "x -o folder.md": "'folder.md' is a folder: name a file",
    "x -o fixed.md": "'fixed.md' cannot be written: permission denied",
    "x -o shut/x.md": "'shut/x.md' cannot be written: permission denied",
    f"x -o {'a' * 300}.md": f"'{'a' * 300}.md' cannot be written: File name too long",
    f"x -o {'a' * 250}.md": f"'{'a' * 250}.md' cannot be written: File name too long",
    f"x --plan {'a' * 300}.yaml": f"'{'a' * 300}.yaml' cannot be read: File name too long",
    "x -o x.rtf": "'x.rtf': use one of .md, .txt, .json, not '.rtf'",
    "x -o x.docx": (
        ".docx files will come with the extra 'export', which is not part of this version: "
        "use one of .md, .txt, .json"
    ),
}


@pytest.mark.parametrize("typed", REFUSED)
def test_bad_input_is_refused_before_the_first_call(
    typed: str, server: SimulatedServer, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(here)
    monkeypatch.setattr(os, "access", access)
    before = sorted(here.rglob("*"))
    instruction, *options = typed.split(" ") if typed.strip() else [typed]
    result = run("write", instruction, *options, *at(server))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1] == f"longchain: {REFUSED[typed]}"
    assert server.requests == []
    assert sorted(here.rglob("*")) == before
    assert Path("fixed.md").read_text() == "as it was"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("plan x -o plan.docx", "'plan.docx': use one of .yaml, .yml, .json, .md, not '.docx'"),
        ("plan x -o no/plan.md", "'no/plan.md' cannot be written: there is no folder 'no'"),
        ("plan x --length 0", NO_LENGTH),
    ],
)
def test_a_plan_is_refused_before_the_first_call(
    typed: str, said: str, server: SimulatedServer
) -> None:
    result = run(*typed.split(" "), *at(server))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1] == f"longchain: {said}"
    assert server.requests == []


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("check no.md", "'no.md' cannot be read: No such file or directory"),
        ("check folder", "'folder' cannot be read: Is a directory"),
        ("check binary.txt", "'binary.txt' cannot be read: it is no UTF-8 text"),
        ("check zeros.txt", "'zeros.txt' cannot be read: it is binary"),
        (
            "check plan.yaml --length 0",
            NO_LENGTH,
        ),
    ],
)
def test_check_refuses(typed: str, said: str, here: Path) -> None:
    prepare(here)
    Path("zeros.txt").write_bytes(bytes(100))
    result = run(*typed.split(" "))
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", f"longchain: {said}\n")


@pytest.mark.parametrize("typed", ["write -", "plan -", "check -"])
@pytest.mark.parametrize(
    ("given", "said"), [(b"caf\xe9", "it is no UTF-8 text"), (b"tide\0", "it is binary")]
)
def test_standard_input_that_is_no_text(typed: str, given: bytes, said: str) -> None:
    result = run(*typed.split(" "), input=given)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"longchain: standard input cannot be read: {said}\n"


@pytest.mark.parametrize(
    "typed",
    [
        *("--mode fast", "--unit pages", "--length many", "--nope"),
        *("--window 0", "--window -1"),
    ],
)
def test_a_wrong_option_is_a_usage_error(typed: str) -> None:
    result = run("write", "x", *typed.split(" "))
    assert result.exit_code == 2
    assert typed.split(" ")[0] in result.stderr
    assert "--help" in result.stderr


# Models that are not there, or fail ----------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--model nowhere:x", "the model 'nowhere:x' is not known; write one as openai:gpt-5"),
        ("--model openai:gpt-5", "the model 'openai:gpt-5' needs a key: set OPENAI_API_KEY"),
        (
            "--model mistralai:x",
            "needs a package: Initializing ChatMistralAI requires",
        ),
        ("--base-url nonsense", "the base URL 'nonsense' is not a web address"),
        ("--base-url http://127.0.0.1:9/v1", "does not say which model it serves (no connection)"),
        ("", "the offline writer only rearranges sources, and this request has none"),
        ("--model offline", "the offline writer only rearranges sources, and this request has"),
    ],
)
@pytest.mark.parametrize("command", ["write", "plan"])
def test_no_model_to_write_with(command: str, options: str, said: str) -> None:
    result = run(command, TIDES, *options.split())
    assert (result.exit_code, result.stdout) == (2, "")
    last = result.stderr.splitlines()[-1]
    assert last.startswith("longchain: ")
    assert said in last


def test_an_unreachable_server() -> None:
    result = run("write", TIDES, "--model", "openai:x", "--base-url", "http://127.0.0.1:9/v1")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines()[-1] == (
        "longchain: the model failed: Connection error.; "
        "check the base URL and that the server runs"
    )


@pytest.mark.parametrize("command", ["write", "plan"])
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ConnectionError("refused"), "the model failed: refused; check the base URL and"),
        (TimeoutError("slow"), "the model failed: slow; try again when the server answers"),
        (OSError(5, "Input/output error"), "the run stopped: [Errno 5] Input/output error"),
    ],
)
def test_a_model_that_raises_what_its_package_did_not_translate(
    command: str, error: OSError, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = FakeWriter(replies=[error] * 9)
    monkeypatch.setattr(resolve, "chat_model", lambda *_, **__: writer)
    monkeypatch.setattr(spec, "chat_model", lambda *_, **__: writer)
    result = run(command, TIDES)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines()[-1].startswith(f"longchain: {said}")


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ("--base-url http://u:hun@ter@127.0.0.1:9/v1", "the server at http://127.0.0.1:9/v1 does"),
        ("--model https://u:hunter@h/v1", "the model 'https://h/v1' is not known"),
        ("--model openai:x --base-url http://u:hunter@127.0.0.1:9/v1", "Connection error."),
    ],
)
def test_a_password_in_an_address_is_not_shown(options: str, shown: str) -> None:
    result = run("write", TIDES, *options.split())
    assert shown in result.stderr
    assert not [part for part in ("hunter", "ter@", "hun@") if part in result.output]


class Denying(BaseHTTPRequestHandler):
    """Refuses every key, and repeats it, as some servers do."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        said = f"Incorrect API key provided: {self.headers['Authorization']}"
        body = json.dumps({"error": {"message": said, "code": "invalid_api_key"}}).encode()
        self.send_response(401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST  # noqa: N815

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def denying() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Denying) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("model", "code"), [(["--model", "openai:x"], 1), ([], 2)])
@pytest.mark.parametrize("command", ["write", "plan"])
def test_a_wrong_key_is_not_shown(
    command: str, model: list[str], code: int, denying: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    result = run(command, TIDES, *model, "--base-url", denying)
    assert result.exit_code == code
    assert KEY not in result.output
    assert "401" in result.stderr or "key" in result.stderr.splitlines()[-1]


def test_finished_sections_are_kept_where_the_model_fails(here: Path) -> None:
    Path("plan.yaml").write_text(PLAN)
    faults = Faults(script=["ok", *["refusal"] * 9])
    with SimulatedServer(faults=faults) as server:
        result = run("write", "Tides", "--plan", "plan.yaml", "-o", "tides.md", *at(server))
    assert (result.exit_code, result.stdout) == (3, "")
    assert "longchain: the finished sections are in 'tides.md.partial.md'" in result.stderr
    failed, how = result.stderr.splitlines()[-2:]
    assert "section 2 ('Coasts') could not be written" in failed
    assert "1 of 3 sections are finished and kept; go on with: longchain resume" in how
    kept = Path("tides.md.partial.md").read_text(encoding="utf-8")
    assert kept.startswith("# Tides\n\n## Causes\n\n")
    assert "Coasts" not in kept
    assert not Path("tides.md").exists()


def full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    ("name", "begins"), [("tides.md", "# "), ("tides.txt", "Tides"), ("tides.json", "{")]
)
def test_a_document_that_cannot_be_saved_is_printed(
    name: str, begins: str, server: SimulatedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("plan.yaml").write_text(PLAN)
    monkeypatch.setattr(Path, "replace", full)
    options = ("--plan", "plan.yaml", "-o", name, "--quiet")
    result = run("write", "Tides", *options, *at(server))
    assert result.exit_code == 2
    assert result.stderr == (
        f"longchain: {name!r} could not be written: No space left on device; "
        "the document is on standard output instead\n"
    )
    assert result.stdout.startswith(begins)
    assert len(result.stdout.split()) > 150
    assert os.listdir() == ["plan.yaml"]


def test_sources_that_hold_too_little(here: Path) -> None:
    Path("pumps.md").write_text("# Pumps\n\nThe pumps lift water to the tower.\n")
    Path("plan.yaml").write_text(PLAN)
    result = run(
        *("write", "Tides", "--plan", "plan.yaml", "--source", "pumps.md"),
        *("--model", "offline", "-o", "tides.md"),
    )
    assert (result.exit_code, result.stdout) == (2, "")
    last = result.stderr.splitlines()[-1]
    assert last.startswith("longchain: the offline writer has nothing left to write for 'Coasts'")


@pytest.mark.parametrize("fault", ["empty", "refusal"])
def test_a_model_without_a_usable_reply_writes_nothing(fault: str, here: Path) -> None:
    chances: dict[str, Any] = {fault: 1.0}
    with SimulatedServer(faults=Faults(**chances)) as server:
        result = run("write", TIDES, "-o", "tides.md", *at(server))
    assert (result.exit_code, result.stdout) == (3, "")  # the plan is there
    assert "Traceback" not in result.stderr
    assert os.listdir(here) == []
