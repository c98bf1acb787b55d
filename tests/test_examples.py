"""Every example and notebook runs as a newcomer runs it: no keys, no server, nothing configured."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from socket import socket

import httpx
import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
KEPT = {"PATH", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "SYSTEMROOT"}
"""What an example may see of the environment: nothing that names a model or holds a key."""


def environment(home: Path, **more: str) -> dict[str, str]:
    return {name: os.environ[name] for name in KEPT & os.environ.keys()} | {
        "HOME": str(home),
        **more,
    }


def run(name: str, folder: Path) -> str:
    """Run an example somewhere else than where it lies, and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / name)],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout


def test_quickstart(tmp_path: Path) -> None:
    printed = run("quickstart.py", tmp_path)
    assert printed.startswith("Model: offline (")
    assert "\n# Water for Cities\n" in printed
    found = re.search(r"^Length: ([\d,]+) of 1,200 words$", printed, re.MULTILINE)
    assert found
    assert int(found[1].replace(",", "")) == pytest.approx(1200, rel=0.05)


def test_rag_retriever(tmp_path: Path) -> None:
    printed = run("rag_retriever.py", tmp_path)
    first, second = printed.split("--- asked once: ")
    assert first.startswith("--- asked for every section: ")
    for document in (first, second):
        assert re.search(r"^\[1\] .+\.md$", document, re.MULTILINE)


def test_human_review(tmp_path: Path) -> None:
    printed = run("human_review.py", tmp_path)
    proposed, document = printed.split("\n\n# Clean Water\n\n")
    assert proposed.startswith("The planner proposes:\n")
    assert document.endswith("planned by: edited in review\n")
    assert not list(tmp_path.rglob("*.db"))


def free_port() -> int:
    with socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """Run the LangServe example on a free port, and end it after the test."""
    pytest.importorskip("langserve")
    port = free_port()
    command = [sys.executable, str(EXAMPLES / "langserve_app.py")]
    log = tmp_path / "log"
    with log.open("w") as told:
        server = subprocess.Popen(
            command, cwd=tmp_path, env=environment(tmp_path, PORT=str(port)), stderr=told
        )
        try:
            while "running on" not in log.read_text():
                assert server.poll() is None, log.read_text()
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}/agent-write"
        finally:
            server.terminate()
            server.wait(20)


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_langserve_app(served: str) -> None:
    task = {"instruction": "Write about leaks and water losses.", "length": 300}
    document = httpx.post(f"{served}/invoke", json={"input": task}, timeout=60).json()["output"]
    assert document["length"] == pytest.approx(300, rel=0.1)
    assert document["references"]
    assert httpx.get(f"{served}/playground/").status_code == 200
    for body in ({"inputs": [{"instruction": ""}]}, {"inputs": [{**task, "sources": ["/etc"]}]}):
        assert httpx.post(f"{served}/batch", json=body).status_code == 422


def notebooks() -> list[Path]:
    return sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.allow_hosts(["127.0.0.1"])
@pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)
def test_notebook(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    for name in os.environ.keys() - environment(tmp_path).keys():
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    notebook = nbformat.read(path, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "strip the outputs"
    where = {"metadata": {"path": str(path.parent)}}
    nbclient.NotebookClient(notebook, timeout=100, resources=where).execute()
    printed = [
        output.text
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if "text" in output
    ]
    assert printed[0].startswith("# Water for Cities")


@pytest.mark.vllm
@pytest.mark.timeout(600)
@pytest.mark.skipif("LONGCHAIN_VLLM_PYTHON" not in os.environ, reason="make test-vllm sets it")
def test_longwriter_vllm(tmp_path: Path) -> None:
    example = str(EXAMPLES / "longwriter_vllm.py")
    env = environment(tmp_path, LONGCHAIN_VLLM_PYTHON=os.environ["LONGCHAIN_VLLM_PYTHON"])
    done = subprocess.run(
        [sys.executable, "-W", "error", example], cwd=tmp_path, env=env, capture_output=True,
        text=True, timeout=500,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    scores = re.findall(r"^(direct|sequential): .* length score ([\d.]+)$", done.stdout, re.M)
    assert [mode for mode, _ in scores] == ["direct", "sequential"]
    assert all(float(score) > 85 for _, score in scores)


def test_every_example_is_run_here() -> None:
    tests = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    assert {path.stem for path in EXAMPLES.glob("*.py")} <= tests
