"""`longchain vllm`: starts a vLLM server, prints its address, and keeps it until Ctrl-C.

the command's arguments -> a server that runs until it is told to end

Knows the terminal; `longchain.models.server` does the serving.
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
    from longchain.models.server import Server, ServerContext

_POLL_SECONDS = 0.5


def parse_adapters(values: Sequence[str]) -> dict[str, str]:
    """Read `NAME=FOLDER` for each LoRA adapter.

    Raises:
        InputError: One has another form, or two have the same name.
    """
    adapters: dict[str, str] = {}
    for text in values:
        name, _, folder = text.partition("=")
        if not (name and folder) or name in adapters:
            raise InputError(f"the adapter {text!r} cannot be used: write NAME=FOLDER, once each")
        adapters[name] = folder
    return adapters


def show_progress(line: str) -> None:
    """Print a line about the start."""
    typer.echo(line, err=True)


def run(serving: ServerContext, *, quiet: bool) -> None:
    """Serve until Ctrl-C or SIGTERM; print the address when the server is ready.

    Raises:
        ServerError: The server has ended by itself.
    """
    with _sigterm_as_interrupt(), serving as server:
        try:
            if not quiet:
                typer.echo(_usage(server), err=True)
            typer.echo(server.base_url)
            while server.alive():
                time.sleep(_POLL_SECONDS)
        except KeyboardInterrupt:
            return
        raise ServerError(f"{server.diagnose()}\n{server.tail()}")


def _usage(server: Server) -> str:
    """Return how to use the server, and how to end it."""
    key = "set OPENAI_API_KEY to the server's key, " if server.api_key else ""
    model = f"longwriter:{server.model}@{server.base_url}"
    return f"{key}longchain write INSTRUCTION --model {model}\nCtrl-C ends the server."


@contextmanager
def _sigterm_as_interrupt() -> Iterator[None]:
    """Let SIGTERM end a command as Ctrl-C does."""
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
