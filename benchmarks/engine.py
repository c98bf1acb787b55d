"""A real vLLM for benchmarks: how it is started, and what its own counters say.

a model's folder and flags -> a running server; its address -> `Counters`
"""

from __future__ import annotations

import os
import re
import sys
from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from longchain import LongWriterLLM
from longchain.models.longwriter.model_server import ModelServer

ROOT = Path(__file__).parents[1]
CHECKPOINT = ROOT / "examples" / "tiny_longwriter" / "checkpoint"
_VENV = ROOT / ".venv-vllm" / "bin" / "python"
_COUNTER = re.compile(r"^vllm:(\w+)(?:\{(.*)\})? ([\d.e+]+)$", re.MULTILINE)


@dataclass(frozen=True)
class Counters:
    """Tokens that a server has seen since it started."""

    prompt: int
    """Of prompts, those from its prefix cache included."""

    computed: int
    """Of prompts, those that it computed."""

    output: int

    def since(self, before: Counters) -> Counters:
        """Return what has come since."""
        return Counters(
            self.prompt - before.prompt,
            self.computed - before.computed,
            self.output - before.output,
        )


def counters(model: LongWriterLLM) -> Counters:
    """Read the counters of a model's server."""
    url = str(model.openai_api_base).removesuffix("/v1")
    with urlopen(f"{url}/metrics") as answer:
        text = answer.read().decode()
    found: dict[str, float] = {}
    for name, labels, value in _COUNTER.findall(text):
        source = re.search(r'source="(\w+)"', labels)
        key = f"{name} {source[1]}" if source else name
        found[key] = found.get(key, 0.0) + float(value)
    return Counters(
        prompt=round(found["prompt_tokens_total"]),
        computed=round(found["prompt_tokens_by_source_total local_compute"]),
        output=round(found["generation_tokens_total"]),
    )


def serving(model: Path, *flags: str) -> ModelServer[LongWriterLLM]:
    """Serve a model, as `tiny`, by the vLLM that `LONGCHAIN_VLLM_PYTHON` or the tests have."""
    python = os.environ.get("LONGCHAIN_VLLM_PYTHON") or (_VENV if _VENV.exists() else None)

    def tell(line: str) -> None:
        print(line, file=sys.stderr)

    return LongWriterLLM.serve(
        model, python=python, served_model_name="tiny", flags=flags, progress=tell, max_retries=0
    )


def arguments(about: str | None) -> ArgumentParser:
    """Return what all benchmarks on a real engine take."""
    parser = ArgumentParser(description=(about or "").splitlines()[0])
    parser.add_argument("--model", type=Path, default=CHECKPOINT, help="a folder, to be served")
    parser.add_argument("--check", action="store_true", help="fail where a promise does not hold")
    return parser
