"""Runs a simulated server in its own process: `python -m longchain.testing --port 8000`.

command-line arguments -> a running server, whose base URL is the first line of the output
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


def _create_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m longchain.testing",
        description="Serve a simulated model with OpenAI's interface on 127.0.0.1.",
    )
    option = parser.add_argument
    option("--port", type=int, default=0, help="port to listen on; 0 (default): a free one")
    option("--model", default="simulated-writer", help="name of the model")
    option("--window", type=int, default=32_768, help="tokens of prompt and reply together")
    option("--tokens-per-second", type=float, help="decoding speed per request")
    option("--prefill-tokens-per-second", type=float, help="speed for uncached prompt tokens")
    option("--latency", type=float, default=0.0, help="seconds before each request")
    option("--slots", type=int, help="maximum number of requests decoded at once")
    option("--no-prefix-cache", action="store_true", help="compute every prompt completely")
    option("--no-json-schema", action="store_true", help="refuse response_format json_schema")
    option("--bias", type=float, default=1.0, help="output length / requested length")
    option(
        "--spread",
        type=float,
        default=0.0,
        help="sigma of a log-normal factor on the output length",
    )
    option("--cap", type=int, help="maximum length of a reply, in words or characters")
    option("--sections", type=int, help="number of sections of every plan")
    option("--seed", type=int, default=0, help="seed of lengths, words and faults")
    option(
        "--fault",
        action="append",
        default=[],
        metavar="NAME=SHARE",
        help="probability of a fault, such as rate_limit=0.1; may be repeated",
    )
    option(
        "--retry-after",
        type=float,
        default=1.0,
        help="seconds in the Retry-After header of status 429",
    )
    return parser


def create_server(arguments: Sequence[str] | None = None) -> SimulatedServer:
    """Return the server that command-line arguments describe, not yet started."""
    parser = _create_parser()
    options = parser.parse_args(arguments)
    try:
        faults = Faults(
            **_probabilities(options.fault), retry_after=options.retry_after, seed=options.seed
        )
        behavior = LengthBehavior(
            bias=options.bias,
            spread=options.spread,
            cap=options.cap,
            sections=options.sections,
            seed=options.seed,
        )
    except (InputError, TypeError, ValueError) as error:
        parser.error(str(error))
    return SimulatedServer(
        behavior=behavior,
        faults=faults,
        model=options.model,
        window=options.window,
        tokens_per_second=options.tokens_per_second,
        prefill_tokens_per_second=options.prefill_tokens_per_second,
        latency=options.latency,
        slots=options.slots,
        prefix_cache=not options.no_prefix_cache,
        json_schema=not options.no_json_schema,
        port=options.port,
    )


def _probabilities(texts: Sequence[str]) -> dict[str, Any]:
    """Read `rate_limit=0.1` as the name of a fault and its probability."""
    probabilities = {}
    for text in texts:
        name, _, probability = text.partition("=")
        probabilities[name] = float(probability)
    return probabilities


def main() -> None:
    """Serve until SIGTERM or Ctrl-C."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with create_server() as server:
        sys.stdout.write(server.base_url + "\n")
        sys.stdout.flush()
        stop.wait()


if __name__ == "__main__":
    main()
