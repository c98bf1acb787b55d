"""Whatever the documentation shows works: its Python runs, its commands and options exist.

The fences of README.md, docs/*.md and of the docstrings, a file's in one namespace. A model that a
fence names by a string is a simulated one; the network is off, but for a server that a fence starts
on this machine.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import shlex
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest
import typer
from langchain_core.language_models import BaseChatModel

from longchain.apps.cli import app
from longchain.testing import FakeWriter, LengthBehavior
from longchain.testing.__main__ import create_server as simulated_server

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SOURCES = sorted((ROOT / "src").rglob("*.py"))

_FENCE = re.compile(r"^([ \t]*)```(\w+)\n(.*?)^\1```[ \t]*$", re.MULTILINE | re.DOTALL)
_SHELL = ("console", "bash", "sh", "shell")


class Fence(NamedTuple):
    language: str
    code: str
    line: int


def fences(text: str, first: int = 1) -> Iterator[Fence]:
    """The fences of a text whose first line has the number `first`."""
    for match in _FENCE.finditer(text):
        code = textwrap.dedent(match[3])
        yield Fence(match[2], code, first + text[: match.start(3)].count("\n"))


def fences_of(path: Path) -> list[Fence]:
    """The fences of a page, or of the docstrings of a source file."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        return list(fences(text))
    strings = [
        node.value
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    ]
    found = [
        fence
        for node in strings
        if isinstance(node.value, str)
        for fence in fences(node.value, node.lineno)
    ]
    return sorted(found, key=lambda fence: fence.line)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


# Python --------------------------------------------------------------------------------------


def with_python() -> Iterator[Any]:
    """Every file with Python to run; those that start a server may talk to this machine."""
    local = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]
    for path in [*PAGES, *SOURCES]:
        code = "".join(fence.code for fence in fences_of(path) if fence.language == "python")
        if code:
            marks = local if "SimulatedServer" in code else []
            yield pytest.param(path, id=name_of(path), marks=marks)


def execute(fence: Fence, namespace: dict[str, Any], name: str) -> None:
    """Run a fence; in a traceback it has the file's name and lines."""
    code = "\n" * (fence.line - 1) + fence.code
    compiled = compile(code, name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    awaited = eval(compiled, namespace)
    if inspect.iscoroutine(awaited):
        asyncio.run(awaited)


def simulated(model: Any = None, **_: Any) -> BaseChatModel:
    """Stand in for `chat_model`: a string names no real model here."""
    if isinstance(model, BaseChatModel):
        return model
    return FakeWriter(behavior=LengthBehavior())


@pytest.fixture
def namespace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A module to run fences in, in a folder that has the examples."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LONGCHAIN_STATE", str(tmp_path / "state"))
    for room in ("models.resolve", "agent.options", "runs.spec"):
        monkeypatch.setattr(f"longchain.{room}.chat_model", simulated)
    module = ModuleType("fences")
    monkeypatch.setitem(sys.modules, "fences", module)
    return vars(module)


@pytest.mark.parametrize("path", list(with_python()))
def test_python_runs(path: Path, namespace: dict[str, Any]) -> None:
    for fence in fences_of(path):
        if fence.language == "python":
            execute(fence, namespace, str(path))


# Commands ------------------------------------------------------------------------------------


def commands(fence: Fence) -> Iterator[list[str]]:
    """The commands of a shell fence as words; with a `$` before commands, the rest is output."""
    lines = fence.code.replace("\\\n", " ").splitlines()
    if any(line.startswith("$ ") for line in lines):
        lines = [line[2:] for line in lines if line.startswith("$ ")]
    for line in lines:
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        command: list[str] = []
        for word in lexer:
            if set(word) <= set("|&;<>()"):
                yield command
                command = []
            elif command or not re.match(r"\w+=", word):  # settings may stand before a command
                command.append(word)
        yield command


def problem(command: list[str]) -> str:
    """Say what of a command of ours does not exist: its name, an option, a value of one."""
    group: Any = typer.main.get_command(app)
    try:
        match command:
            case [("python" | "python3"), "-m", "longchain.testing", *arguments]:
                simulated_server(arguments)
            case ["longchain", "--help" | "--version"]:
                pass
            case ["longchain", name, "--help"] if name in group.commands:
                pass
            case ["longchain", name, *arguments] if name in group.commands:
                group.commands[name].make_context(name, arguments)
            case ["longchain", *_]:
                return "no such command or option"
    except (Exception, SystemExit) as error:
        return str(error)
    return ""


SHELL = [
    pytest.param(command, id=f"{name_of(path)}:{fence.line}")
    for path in [*PAGES, *SOURCES]
    for fence in fences_of(path)
    if fence.language in _SHELL
    for command in commands(fence)
    if command
]


@pytest.mark.parametrize("command", SHELL)
def test_commands_exist(command: list[str]) -> None:
    assert problem(command) == ""


# The test itself -----------------------------------------------------------------------------


def test_fences_are_found_with_their_lines() -> None:
    text = "Text\n\n```python\na = 1\n```\n\n- item\n\n  ```bash\n  ls\n  ```\n```\nno\n```\n"
    assert list(fences(text)) == [Fence("python", "a = 1\n", 4), Fence("bash", "ls\n", 10)]


def test_fences_of_docstrings_are_found() -> None:
    (fence,) = fences_of(ROOT / "src" / "longchain" / "agent" / "chain.py")
    assert fence.language == "python"
    assert fence.code.startswith("from longchain import AgentWriteChain\n")


def test_a_fence_that_fails_is_told_by_its_line(namespace: dict[str, Any]) -> None:
    execute(Fence("python", "import asyncio\nawait asyncio.sleep(0)\nx = 1\n", 3), namespace, "x")
    with pytest.raises(ZeroDivisionError) as caught:
        execute(Fence("python", "x = x / 0\n", 40), namespace, "page.md")
    assert (caught.traceback[-1].path, caught.traceback[-1].lineno + 1) == ("page.md", 40)


def test_commands_are_taken_apart() -> None:
    code = (
        "$ KEY=x longchain write 'a b' \\\n  -o x.md && ls | wc # go\noutput\n$ longchain plan x\n"
    )
    assert list(commands(Fence("console", code, 1))) == [
        ["longchain", "write", "a b", "-o", "x.md"],
        ["ls"],
        ["wc"],
        ["longchain", "plan", "x"],
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("longchain compose x", "no such command"),
        ("longchain write", "Missing parameter: instruction"),
        ("longchain write x --tone dry", "No such option: --tone"),
        ("longchain write x --mode fast", "'fast' is not one of"),
        ("longchain plan x --mode direct", "No such option: --mode"),
        ("longchain --nope", "no such command or option"),
        ("python -m longchain.testing --speed 3", "2"),
        ("longchain --version", ""),
        ("longchain write --help", ""),
        ("longchain write - --length 900 -q --source a --source b --mode direct", ""),
        ("python -m longchain.testing --port 8000 --slots 4", ""),
        ("git status --short", ""),
    ],
)
def test_commands_are_looked_at(line: str, said: str) -> None:
    found = problem(line.split())
    assert said in found
    assert bool(found) is bool(said)
