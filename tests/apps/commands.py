"""The command line as the tests type it, and the plan that they give it."""

from __future__ import annotations

import sys
from pathlib import Path

from typer.testing import CliRunner, Result

from longchain.apps.cli import app
from longchain.testing import SimulatedServer

COMMAND = str(Path(sys.executable).with_name("longchain"))
"""The installed command, for tests that need a process of its own."""

HEADINGS = ["Causes", "Coasts", "Power"]
PLAN = """\
title: Tides
sections:
- {heading: Causes, main_point: The moon and the sun, length: 60}
- {heading: Coasts, main_point: Bays and estuaries, length: 60}
- {heading: Power, main_point: Mills and turbines, length: 60}
"""


def run(*arguments: str, input: str | bytes | None = None) -> Result:
    """Run a command in this process; an error that it does not expect is raised."""
    result = CliRunner().invoke(app, arguments, input=input)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def at(server: SimulatedServer) -> tuple[str, ...]:
    """The options that name a server."""
    return "--model", "openai:simulated", "--base-url", server.base_url
