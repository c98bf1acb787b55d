"""What users may rely on: the public names, quick imports, and who imports whom."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from graphlib import TopologicalSorter
from importlib.metadata import version
from pathlib import Path

import pytest
from langgraph.types import interrupt
from packaging.requirements import Requirement

import longchain

ROOT = Path(__file__).parents[1]
PACKAGE = Path(longchain.__file__).parent
MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
HEAVY = ("langgraph", "openai", "langchain_openai", "langchain")


# Names ---------------------------------------------------------------------------------------


def test_public_names_are_sorted() -> None:
    assert longchain.__all__ == sorted(longchain.__all__)


def test_dir_shows_the_public_names() -> None:
    assert dir(longchain) == sorted([*longchain.__all__, "__version__"])


@pytest.mark.parametrize("name", longchain.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    found = getattr(longchain, name)
    assert found.__name__ == name
    assert inspect.getdoc(found)


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {
        alias.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == longchain._HOMES
    assert sorted(seen) == longchain.__all__


def test_other_names_are_refused() -> None:
    with pytest.raises(AttributeError, match="module 'longchain' has no attribute 'Chain'"):
        longchain.Chain  # noqa: B018


def test_star_import_brings_the_public_names() -> None:
    names: dict[str, object] = {}
    exec("from longchain import *", names)
    assert set(names) - {"__builtins__"} == set(longchain.__all__)


def test_the_walk_names_every_room() -> None:
    lines = re.findall(r"^- (.+?):", longchain.__doc__ or "", re.MULTILINE)
    walked = [name for line in lines for name in re.findall(r"`(\w+)`", line)]
    rooms = {name.split(".")[1] for name in MODULES if "." in name}
    assert sorted(walked) == sorted(rooms)


# Version and package -------------------------------------------------------------------------


def test_version_is_the_latest_of_the_changelog() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", changelog, re.MULTILINE)[0] == longchain.__version__


def test_types_are_shipped() -> None:
    assert (PACKAGE / "py.typed").is_file()


# Quick imports -------------------------------------------------------------------------------

COUNT = f"import sys; print(*[name for name in {HEAVY} if name in sys.modules])"
HELP = """
import sys
from longchain.apps.cli import main
sys.argv = ["longchain", "--help"]
try:
    main()
except SystemExit as end:
    assert not end.code
"""


@pytest.mark.parametrize(
    ("code", "first"),
    [
        ("import longchain", ""),
        ("import longchain.errors, longchain.document", ""),
        ("import longchain.testing", ""),
        (HELP, "Usage: longchain"),
        (HELP.replace('"--help"', '"write", "--help"'), "Usage: longchain write"),
        (HELP.replace("--help", "--version"), longchain.__version__),
    ],
    ids=["longchain", "nouns", "testing", "help", "write help", "version"],
)
def test_nothing_heavy_is_loaded(code: str, first: str) -> None:
    command = [sys.executable, "-W", "error", "-c", f"{code}\n{COUNT}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(first)
    assert done.stdout.splitlines()[-1] == ""


def test_the_count_of_heavy_packages_counts() -> None:
    command = [sys.executable, "-c", f"import longchain; longchain.AgentWriteChain\n{COUNT}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert "langgraph" in done.stdout.split()


# Who imports whom ----------------------------------------------------------------------------


def imported(path: Path, *, for_type_checkers: bool = True) -> Iterator[str]:
    """Every module that a file imports, also inside of functions."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped: set[ast.AST] = set()
    if not for_type_checkers:
        blocks = [node for node in ast.walk(tree) if isinstance(node, ast.If)]
        guarded = [block for block in blocks if ast.unparse(block.test) == "TYPE_CHECKING"]
        skipped = {node for block in guarded for node in ast.walk(block)}
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: write imports in full"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


ORDER = re.findall(r"`(\w+)`", "\n".join(re.findall(r"^- (.+?):", longchain.__doc__ or "", re.M)))


@pytest.mark.parametrize("room", [name for name in MODULES if "." in name])
def test_imports_go_one_way(room: str) -> None:
    """A module imports only from the rooms before its own in the walk."""
    own = ORDER.index(room.split(".")[1])
    later = {f"longchain.{name}" for name in ORDER[own + 1 :]}
    wrong = [
        name
        for name in imported(MODULES[room])
        if ".".join(name.split(".")[:2]) in later or name.startswith("langchain_community")
    ]
    assert wrong == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Imports inside of functions count, those for type checkers alone do not."""
    graph: dict[str, set[str]] = {}
    for name, path in MODULES.items():
        targets = {
            target if target in MODULES else target.rpartition(".")[0]
            for target in imported(path, for_type_checkers=False)
        }
        graph[name] = targets & set(MODULES) - {name, "longchain"}
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


# Requirements --------------------------------------------------------------------------------


def test_langgraph_is_new_enough_for_a_question_with_the_shape_of_its_answer() -> None:
    # `interrupt(response_schema=...)` came with LangGraph 1.2.12.
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    (required,) = [r for r in map(Requirement, project["dependencies"]) if r.name == "langgraph"]
    assert not list(required.specifier.filter(["1.2.0", "1.2.11"]))
    assert required.specifier.contains("1.2.12")
    assert required.specifier.contains(version("langgraph"))
    assert "response_schema" in inspect.signature(interrupt).parameters
