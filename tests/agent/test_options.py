"""The options of `AgentWriteChain` are typed, documented and checked in one place."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
from mypy import api

import longchain
from longchain import AgentWriteChain
from longchain.agent.options import DEFAULTS, ChainOptions, complete
from longchain.errors import InputError
from longchain.testing import FakeWriter

PACKAGE = Path(longchain.__file__).parent
TYPED = (
    "agent/chain.py",
    "agent/options.py",
    "agent/events.py",
    "agent/writing/memory.py",
    "agent/writing/section_prompt.py",
    "calls/budget.py",
    "runs/resume.py",
    "runs/runs.py",
)
"""Files that a type checker needs to know the options; it skips all others, which takes seconds."""

SNIPPET = """\
from longchain.agent.chain import AgentWriteChain
from longchain.runs.runs import Runs

AgentWriteChain("offline", mode="parallel", max_retries=2, budget=None)
AgentWriteChain("offline", max_retires=2)
AgentWriteChain("offline", mode="paralel")
AgentWriteChain("offline", max_retries="2")
Runs().start("Tides", memory="full", length_control=False)
Runs().start("Tides", length_contrl=False)
Runs().resume("last", layout=3)
Runs().fork("last", 2, mode="direkt")
"""


def test_a_type_checker_finds_misspelt_options_and_wrong_types(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snippet = tmp_path / "snippet.py"
    snippet.write_text(SNIPPET, encoding="utf-8")
    monkeypatch.setenv("MYPYPATH", str(PACKAGE.parent))
    monkeypatch.chdir(tmp_path)
    files = [str(PACKAGE / name) for name in TYPED]
    flags = ["--strict", "--follow-imports=skip", "--no-pretty", "--config-file="]
    output, problem, _ = api.run([*flags, str(snippet), *files])
    assert not problem
    messages = [line for line in output.splitlines() if line.startswith("snippet.py:")]
    errors = {int(line.split(":")[1]): line for line in messages if " error: " in line}
    assert sorted(errors) == [5, 6, 7, 9, 10, 11], output
    assert '"max_retires"' in errors[5]
    assert '"mode"' in errors[6]
    assert '"max_retries"' in errors[7]
    assert '"length_contrl"' in errors[9]


def test_every_option_has_one_default_and_is_in_the_signature() -> None:
    assert list(DEFAULTS) == list(ChainOptions.__annotations__)
    model, *options = inspect.signature(AgentWriteChain).parameters.values()
    assert (model.name, model.default) == ("model", None)
    assert {option.name: option.default for option in options} == DEFAULTS
    assert {option.kind for option in options} == {inspect.Parameter.KEYWORD_ONLY}


def test_the_documentation_names_every_option() -> None:
    documentation = inspect.getdoc(AgentWriteChain) or ""
    assert [name for name in DEFAULTS if f"`{name}`" not in documentation] == []


def test_an_unknown_option_is_named() -> None:
    options: Any = {"max_retires": 2}
    with pytest.raises(TypeError, match="unexpected keyword argument 'max_retires'; its options"):
        AgentWriteChain(FakeWriter(), **options)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("mode", "paralel", "mode is one of sequential, parallel, direct, not 'paralel'"),
        ("bad_replies", "keep", "bad_replies is one of accept, stop, not 'keep'"),
        ("window", 0, "window is a number of tokens, at least 1, not 0"),
        ("timeout", float("inf"), "timeout is a number of seconds above 0"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused(option: Any, value: Any, message: str) -> None:
    options: Any = {option: value}
    with pytest.raises(InputError, match=message):
        complete(options)


def test_options_that_are_left_out_have_their_defaults() -> None:
    assert complete({"mode": "direct"}) == {**DEFAULTS, "mode": "direct"}
    assert DEFAULTS["mode"] == "sequential"
