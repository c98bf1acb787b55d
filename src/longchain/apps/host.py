"""`longchain vllm`: a server that is started, announced, and kept until it is told to end.

Holds what the command says and how it waits; `longchain.models.server` does the serving.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from longchain.errors import InputError, ServerError

if TYPE_CHECKING:
    from longchain.models.server import Server, Serving

_POLL = 0.5


def adapters(given: Sequence[str]) -> dict[str, str]:
    """Read `NAME=FOLDER` for each LoRA adapter.

    Raises:
        InputError: One is written otherwise, or two have one name.
    """
    found: dict[str, str] = {}
    for text in given:
        name, _, folder = text.partition("=")
        if not (name and folder) or name in found:
            raise InputError(f"the adapter {text!r} cannot be used: write NAME=FOLDER, once each")
        found[name] = folder
    return found


def progress(line: str) -> None:
    """Show a line about the start."""
    typer.echo(line, err=True)


def stay(serving: Serving, *, quiet: bool) -> None:
    """Serve until Ctrl-C or SIGTERM; print the address when there is one to ask.

    Raises:
        ServerError: The server has ended by itself.
    """
    with _terminable(), serving as server:
        try:
            if not quiet:
                typer.echo(_usage(server), err=True)
            typer.echo(server.base_url)
            while server.alive():
                time.sleep(_POLL)
        except KeyboardInterrupt:
            return
        raise ServerError(f"{server.diagnose()}\n{server.tail()}")


def _usage(server: Server) -> str:
    key = "set OPENAI_API_KEY to the server's key, " if server.api_key else ""
    model = f"longwriter:{server.model}@{server.base_url}"
    return f"{key}longchain write INSTRUCTION --model {model}\nCtrl-C ends the server."


@contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM end a command as Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
