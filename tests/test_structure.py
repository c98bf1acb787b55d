"""The source is as small, documented and plain as CONTRIBUTING.md says, and its tools agree.

Cyclomatic complexity is counted by radon: one point for a function and one more for each branch,
loop, condition, `and`, `or` and comprehension in it. Points per 1,000 statements say how dense code
is, whatever the length of its lines.
"""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from radon.complexity import cc_visit

import longchain

ROOT = Path(__file__).parents[1]
PACKAGE = Path(longchain.__file__).parent
FILES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))

MAX_FILE_LINES = 500
MAX_FUNCTION_LINES_P99 = 55
"""Lines of all functions but the longest 1 %, signature and docstring included."""
MAX_BODY_LINES = 50
"""Lines of any function without them: a command's signature lists all of its options."""
MAX_AGENT_ENTRIES = 16

MAX_COMPLEXITY = 12
COMPLEX = (
    "agent/estimate",
    "length/reading/",
    "models/offline/",
    "prose/cleanup",
    "sources/",
)
"""Where functions may be more complex: rules of natural language, each a case of its own."""

MAX_POINTS = 360
"""Cyclomatic points per 1,000 statements of a room."""

ROOMS = {
    "agent/": "agent/estimate",
    "bench/": None,
    "calls/": None,
    "models/": "models/offline/",
}
"""The rooms that are held to it, and what of each is not."""

VAGUE_NAMES = frozenset({"found", "said", "kept", "own", "made", "given"})
"""Names of locals that do not say what they hold: `matches`, `message`, `record` would."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Measured(NamedTuple):
    """A file's size and complexity."""

    lines: int
    documented: bool
    statements: int
    functions: dict[str, int]
    """Lines of each function."""
    bodies: dict[str, int]
    """Lines of each function without signature and docstring."""
    complexity: dict[str, int]
    """Cyclomatic points of each function and method."""
    vague: list[str]
    """Functions with a local of a vague name, once for each."""


@cache
def measure(name: str) -> Measured:
    source = (PACKAGE / name).read_text(encoding="utf-8")
    tree = ast.parse(source)
    nodes = list(ast.walk(tree))
    functions = [node for node in nodes if isinstance(node, Function)]
    return Measured(
        lines=source.count("\n"),
        documented=ast.get_docstring(tree) is not None,
        statements=sum(isinstance(node, ast.stmt) for node in nodes),
        functions={place(name, node): lines_of([node]) for node in functions},
        bodies={place(name, node): lines_of(body(node)) for node in functions},
        complexity={
            f"{name}:{block.lineno} {block.name}": block.complexity
            for block in cc_visit(source)
            if not hasattr(block, "methods")  # a class; its methods are counted by themselves
        },
        vague=[
            f"{place(name, node)}: {local}"
            for node in functions
            for local in sorted(assigned(node) & VAGUE_NAMES)
        ],
    )


def place(name: str, function: Function) -> str:
    return f"{name}:{function.lineno} {function.name}"


def body(function: Function) -> list[ast.stmt]:
    """A function's statements without its docstring, if there are others."""
    documented = ast.get_docstring(function) is not None and len(function.body) > 1
    return function.body[1:] if documented else function.body


def lines_of(statements: Sequence[ast.stmt]) -> int:
    end = statements[-1].end_lineno
    assert end is not None
    return end - statements[0].lineno + 1


def assigned(function: Function) -> set[str]:
    """The names that a function assigns to."""
    return {
        node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


def files_in(room: str, without: str | None) -> Iterator[Measured]:
    for name in FILES:
        if name.startswith(room) and not (without and name.startswith(without)):
            yield measure(name)


# Sizes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_documented_and_not_too_long(name: str) -> None:
    assert measure(name).documented
    assert measure(name).lines <= MAX_FILE_LINES


def test_functions_are_short() -> None:
    lengths = sorted(lines for name in FILES for lines in measure(name).functions.values())
    assert lengths[int(len(lengths) * 0.99)] <= MAX_FUNCTION_LINES_P99
    bodies = {key: lines for name in FILES for key, lines in measure(name).bodies.items()}
    assert {key: lines for key, lines in bodies.items() if lines > MAX_BODY_LINES} == {}


def test_the_agent_has_few_entries() -> None:
    entries = {name.split("/")[1] for name in FILES if name.startswith("agent/")}
    assert len(entries - {"__init__.py"}) <= MAX_AGENT_ENTRIES


# Density -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("room", "without"), ROOMS.items())
def test_a_room_is_not_dense(room: str, without: str | None) -> None:
    measured = list(files_in(room, without))
    points = sum(sum(file.complexity.values()) for file in measured)
    statements = sum(file.statements for file in measured)
    assert statements > 0
    assert round(1_000 * points / statements) <= MAX_POINTS


def test_functions_are_not_complex() -> None:
    plain = [name for name in FILES if not name.startswith(COMPLEX)]
    points = {key: count for name in plain for key, count in measure(name).complexity.items()}
    assert {key: count for key, count in points.items() if count > MAX_COMPLEXITY} == {}


def test_locals_say_what_they_hold() -> None:
    vague = [key for name in FILES for key in measure(name).vague]
    functions = sum(len(measure(name).functions) for name in FILES)
    assert len(vague) <= functions / 100, "\n".join(vague)


# The tools of CONTRIBUTING.md ----------------------------------------------------------------


def parts() -> list[str]:
    listed = subprocess.run([ROOT / ".ci" / "run", "--list"], capture_output=True, text=True)
    return listed.stdout.split()


def test_the_workflow_runs_every_part() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8"))
    assert workflow["jobs"]["part"]["strategy"]["matrix"]["part"] == parts()


def test_a_part_that_does_not_exist_is_refused() -> None:
    ran = subprocess.run([ROOT / ".ci" / "run", "lint", "x"], capture_output=True, text=True)
    assert ran.returncode == 2
    assert ran.stderr == f"no part is named 'x'; the parts are: {' '.join(parts())}\n"


def test_make_has_every_target_that_is_used() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for name in ("README.md", "CONTRIBUTING.md", "docs/architecture.md", ".ci/run"):
        text = (ROOT / name).read_text("utf-8")
        used = set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE))
        assert used <= targets, name


def test_hooks_are_local() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    assert [repository["repo"] for repository in hooks["repos"]] == ["local"]
    assert {hook["language"] for hook in hooks["repos"][0]["hooks"]} == {"system"}
