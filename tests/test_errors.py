"""The exception tree is the one that is drawn, and a missing extra is named."""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path

import pytest
from langchain_core import exceptions

from longchain import errors


def classes() -> dict[str, type[Exception]]:
    return {
        name: kind
        for name, kind in vars(errors).items()
        if inspect.isclass(kind) and kind.__module__ == errors.__name__
    }


def drawn() -> dict[str, tuple[str, str]]:
    """Each class of the drawing with its parent and with what it also is."""
    found: dict[str, tuple[str, str]] = {}
    above: list[str] = []
    for line in (errors.__doc__ or "").split("```")[1].strip().splitlines():
        match = re.match(r"([│├└─ ]*)(\w+)(?:.*\(also (\w+)\))?", line)
        assert match is not None
        depth = len(match[1]) // 4
        above = [*above[:depth], match[2]]
        found[match[2]] = (above[depth - 1] if depth else "Exception", match[3] or "")
    return found


def test_the_drawing_shows_every_class() -> None:
    assert set(drawn()) == set(classes())


@pytest.mark.parametrize("name", drawn())
def test_every_class_stands_where_it_is_drawn(name: str) -> None:
    parent, also = drawn()[name]
    bases = [base.__name__ for base in classes()[name].__bases__]
    assert bases == [parent, *([also] if also else [])]


@pytest.mark.parametrize(
    ("error", "caught"),
    [
        (errors.LengthError("0"), ValueError),
        (errors.ModelNameError("x"), ValueError),
        (errors.PlanError("x"), exceptions.OutputParserException),
        (errors.ReplyError("x"), exceptions.ModelError),
        (errors.WindowError(window=10), exceptions.ContextOverflowError),
        (errors.MissingExtraError("x"), ImportError),
    ],
)
def test_callers_may_catch_what_they_already_catch(
    error: Exception, caught: type[Exception]
) -> None:
    assert isinstance(error, caught)
    assert isinstance(error, errors.LongchainError)


def test_a_plan_error_holds_the_reply() -> None:
    assert errors.PlanError("unreadable", llm_output="Sure! Here").llm_output == "Sure! Here"


def test_needs_returns_the_module() -> None:
    assert errors.import_extra("json", "serve", "This") is sys.modules["json"]


@pytest.mark.parametrize("module", ["no_such_package", "no_such_package.inner"])
def test_needs_names_the_extra(module: str) -> None:
    said = "The web page needs the package 'no_such_package': pip install \"longchain[ui]\""
    with pytest.raises(errors.MissingExtraError, match=re.escape(said)):
        errors.import_extra(module, "ui", "The web page")


def test_needs_does_not_hide_what_an_installed_package_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "present.py").write_text("import not_there")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="No module named 'not_there'") as caught:
        errors.import_extra("present", "ui", "The web page")
    assert not isinstance(caught.value, errors.MissingExtraError)
