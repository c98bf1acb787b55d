"""A plan -> a person's editor -> the plan as they left it.

Knows files, `$VISUAL` and `$EDITOR`; `agent.planning.planfile` knows the fields of a plan file.
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

_DEFAULT = "notepad" if sys.platform == "win32" else "vi"


def edited(plan: WritingPlan, path: Path) -> WritingPlan:
    """Have a plan edited in a file, which is removed when the plan can be followed.

    Args:
        plan: The plan.
        path: The file, in one of the forms of a plan; one that is there already is edited on.

    Raises:
        InputError: The plan has a mistake and nobody can be asked, or there is no editor. The
            file is kept.
    """
    if not path.exists():
        save(plan, path)
    while True:
        _open(path)
        try:
            changed = load(path)
            start_log({"instruction": "-", "plan": changed}, mode="sequential")  # refuses a bad one
        except InputError as error:
            where = "" if isinstance(error, PlanFileError) else f"{path}: "
            print(f"longchain: {where}{error}", file=sys.stderr)  # noqa: T201
            if not _again():
                raise InputError(f"the plan is kept in {str(path)!r} as you left it") from None
            continue
        with suppress(OSError):
            path.unlink()
        return changed


def _open(path: Path) -> None:
    chosen = os.environ.get("VISUAL") or os.environ.get("EDITOR") or _DEFAULT
    try:
        code = subprocess.run([*shlex.split(chosen), str(path)], check=False).returncode
    except (OSError, ValueError) as error:
        raise InputError(
            f"the editor {chosen!r} cannot be started ({error}): set EDITOR; "
            f"the plan is kept in {str(path)!r}"
        ) from None
    if code:
        raise InputError(
            f"the editor {chosen!r} ended with code {code}; the plan is kept in {str(path)!r}"
        )


def _again() -> bool:
    """Ask whether to edit again; where nobody can answer, no."""
    if not sys.stdin.isatty():
        return False
    print("edit it again? [Y/n] ", end="", file=sys.stderr, flush=True)  # noqa: T201
    return sys.stdin.readline().strip().lower() in ("", "y", "yes")
