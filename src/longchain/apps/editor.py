"""Editing of a plan in the user's text editor.

plan -> file in the editor -> edited plan

Knows files, `$VISUAL` and `$EDITOR`; `agent.planning.planfile` knows the form of a plan file.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from longchain.agent.planning.planfile import load, save
from longchain.agent.request import start_log
from longchain.document import WritingPlan
from longchain.errors import InputError, PlanFileError

_DEFAULT_EDITOR = "notepad" if sys.platform == "win32" else "vi"


def edit_plan(plan: WritingPlan, path: Path) -> WritingPlan:
    """Let the user edit a plan in a file, and return it; remove the file if the plan is usable.

    Args:
        plan: Plan to edit.
        path: File for the plan, in one of the formats of plan files; if it exists already, it is
            edited as it is.

    Raises:
        InputError: The plan has a mistake and nobody can be asked, or there is no editor. The
            file is not removed.
    """
    if not path.exists():
        save(plan, path)
    while True:
        _open_editor(path)
        try:
            edited = load(path)
            start_log({"instruction": "-", "plan": edited}, mode="sequential")  # checks the plan
        except InputError as error:
            prefix = "" if isinstance(error, PlanFileError) else f"{path}: "
            print(f"longchain: {prefix}{error}", file=sys.stderr)  # noqa: T201
            if not _ask_to_edit_again():
                raise InputError(f"the plan is kept in {str(path)!r} as you left it") from None
            continue
        with suppress(OSError):
            path.unlink()
        return edited


def _open_editor(path: Path) -> None:
    """Open a file in the editor and wait until it is closed.

    Raises:
        InputError: The editor cannot be started, or ends with an error.
    """
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or _DEFAULT_EDITOR
    try:
        code = subprocess.run([*shlex.split(editor), str(path)], check=False).returncode
    except (OSError, ValueError) as error:
        raise InputError(
            f"the editor {editor!r} cannot be started ({error}): set EDITOR; "
            f"the plan is kept in {str(path)!r}"
        ) from None
    if code:
        raise InputError(
            f"the editor {editor!r} ended with code {code}; the plan is kept in {str(path)!r}"
        )


def _ask_to_edit_again() -> bool:
    """Ask whether to edit the plan again; no, if nobody can answer."""
    if not sys.stdin.isatty():
        return False
    print("edit it again? [Y/n] ", end="", file=sys.stderr, flush=True)  # noqa: T201
    return sys.stdin.readline().strip().lower() in ("", "y", "yes")
