"""A simulated server in a process of its own: `python -m longchain.testing --port 8000`.

arguments -> a running server; its base URL is the first line of the output
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from typing import Any

from longchain.errors import InputError
from longchain.testing.behavior import LengthBehavior
from longchain.testing.faults import Faults
from longchain.testing.server import SimulatedServer


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m longchain.testing",
        description="Serve a simulated model with OpenAI's interface on 127.0.0.1.",
    )
    option = parser.add_argument
    option("--port", type=int, default=0, help="the port; 0 (default): a free one")
    option("--model", default="simulated-writer", help="the model's name")
    option("--window", type=int, default=32_768, help="tokens of prompt and reply together")
    option("--tokens-per-second", type=float, help="decoding speed of each request")
    option("--prefill-tokens-per-second", type=float, help="speed for uncached prompt tokens")
    option("--latency", type=float, default=0.0, help="seconds before each request")
    option("--slots", type=int, help="the most requests decoded at once")
    option("--no-prefix-cache", action="store_true", help="compute every prompt in full")
    option("--no-json-schema", action="store_true", help="refuse response_format json_schema")
    option("--bias", type=float, default=1.0, help="output length / length asked for")
    option("--spread", type=float, default=0.0, help="sigma of the log-normal factor on it")
    option("--cap", type=int, help="the most words or characters of a reply")
    option("--sections", type=int, help="sections of every plan")
    option("--seed", type=int, default=0, help="for lengths, words and faults")
    option(
        "--fault",
        action="append",
        default=[],
        metavar="NAME=SHARE",
        help="how often what goes wrong, such as rate_limit=0.1; may be repeated",
    )
    option("--retry-after", type=float, default=1.0, help="seconds that status 429 names")
    return parser


def server(arguments: Sequence[str] | None = None) -> SimulatedServer:
    """Return the server that command-line arguments describe, not yet started."""
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        pairs = (text.partition("=") for text in given.fault)
        shares: dict[str, Any] = {name: float(share) for name, _, share in pairs}
        faults = Faults(**shares, retry_after=given.retry_after, seed=given.seed)
        behavior = LengthBehavior(
            bias=given.bias,
            spread=given.spread,
            cap=given.cap,
            sections=given.sections,
            seed=given.seed,
        )
    except (InputError, TypeError, ValueError) as error:
        parser.error(str(error))
    return SimulatedServer(
        behavior=behavior,
        faults=faults,
        model=given.model,
        window=given.window,
        tokens_per_second=given.tokens_per_second,
        prefill_tokens_per_second=given.prefill_tokens_per_second,
        latency=given.latency,
        slots=given.slots,
        prefix_cache=not given.no_prefix_cache,
        json_schema=not given.no_json_schema,
        port=given.port,
    )


def main() -> None:
    """Serve until SIGTERM or Ctrl-C."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with server() as running:
        sys.stdout.write(running.base_url + "\n")
        sys.stdout.flush()
        stop.wait()


if __name__ == "__main__":
    main()
