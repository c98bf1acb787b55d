"""Throughput on a real vLLM: `AgentWriteChain.abatch` against a bare loop of the same requests.

The chain writes 32 documents at once. The bare loop then sends the requests that it sent, in each
document's order and as many at once, by OpenAI's own client, each for as many tokens as the chain
was given; so both have the same work. The published way goes beside them: eight processes with a
fixed share of the documents each, one request at a time. Sides alternate, each with a salt of its
own, so that none finds in the prefix cache what another has left.

    python -m benchmarks.throughput [--documents 32] [--sections 10] [--rounds 3] [--check]
"""

from __future__ import annotations

import asyncio
import gc
import json
import multiprocessing
import re
import statistics
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.request import Request, urlopen

from langchain_core.runnables import RunnableConfig
from openai import AsyncOpenAI

from benchmarks.engine import arguments, counters, serving
from benchmarks.overhead import given
from longchain import AgentWriteChain, LongWriterLLM
from longchain.models.longwriter.http import httpx

WORDS = 200
"""Of each section: the least that AgentWrite plans for a long document."""

PROCESSES = 8
"""How many the published scripts run."""

LEAST = 0.95
"""The least of the bare loop's throughput that the chain must reach."""

_NUMBER = re.compile(r"guide to port (\d+) ")
_TIMEOUT = 600.0


@dataclass
class Script:
    """The requests of one document, in order, and the tokens that each was answered with."""

    bodies: list[dict[str, Any]] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)

    def replay(self, salt: str) -> list[dict[str, Any]]:
        """Return the requests once more, for as many tokens whatever they are."""
        return [
            {
                **body,
                "cache_salt": salt,
                "max_tokens": tokens,
                "min_tokens": tokens,
                "ignore_eos": True,
            }
            for body, tokens in zip(self.bodies, self.tokens, strict=True)
        ]


Scripts = dict[int, Script]
"""A script for each document, by its number."""


def recording(model: LongWriterLLM, into: Scripts, salt: str) -> LongWriterLLM:
    """Return the same model, whose requests and answers are noted."""

    async def note(response: Any) -> None:
        if not response.request.url.path.endswith("/chat/completions"):
            return
        await response.aread()
        body = json.loads(response.request.content)
        found = _NUMBER.search(body["messages"][0]["content"])
        assert found is not None
        script = into[int(found[1])]
        script.bodies.append(body)
        script.tokens.append(json.loads(response.content)["usage"]["completion_tokens"])

    client = httpx.AsyncClient(
        event_hooks={"response": [note]}, timeout=_TIMEOUT, limits=httpx.Limits()
    )
    return LongWriterLLM(
        model=model.model_name,
        base_url=model.openai_api_base,
        http_async_client=client,
        extra_body={"cache_salt": salt},
    )


async def chain(model: LongWriterLLM, documents: int, sections: int, salt: str) -> Scripts:
    """Write all documents with the chain; return what it asked."""
    scripts: Scripts = defaultdict(Script)
    writer = AgentWriteChain(recording(model, scripts, salt), memory="full")
    config: RunnableConfig = {"max_concurrency": documents}
    await writer.abatch([given(number, sections, WORDS) for number in range(documents)], config)
    return scripts


async def bare(url: str, scripts: Scripts, salt: str) -> None:
    """Send the same requests: a document's one after another, all documents at once."""
    async with AsyncOpenAI(base_url=url, api_key="none", timeout=_TIMEOUT) as client:

        async def document(script: Script) -> None:
            for body in script.replay(salt):
                await client.post("/chat/completions", cast_to=object, body=body)

        await asyncio.gather(*map(document, scripts.values()))


def shard(url: str, salt: str, scripts: list[Script]) -> None:
    """Send the requests of some documents, one after another."""
    for script in scripts:
        for body in script.replay(salt):
            data = json.dumps(body).encode()
            request = Request(f"{url}/chat/completions", data, {"content-type": "application/json"})
            with urlopen(request, timeout=_TIMEOUT) as answer:
                answer.read()


def published(url: str, scripts: Scripts, salt: str) -> None:
    """Send the same requests from eight processes, each with its fixed share of documents."""
    everything = list(scripts.values())
    shares = [everything[number::PROCESSES] for number in range(PROCESSES)]
    with multiprocessing.get_context("fork").Pool(PROCESSES) as pool:
        pool.map(partial(shard, url, salt), shares, chunksize=1)


@dataclass
class Speeds:
    """Output tokens per second of each side, a measurement for each round."""

    chain: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    published: list[float] = field(default_factory=list)
    requests: int = 0
    tokens: int = 0

    def ratio(self, side: str) -> float:
        """Return the chain's speed over another side's: the median over the rounds."""
        others: list[float] = getattr(self, side)
        return statistics.median(a / b for a, b in zip(self.chain, others, strict=True))


def measure(model: LongWriterLLM, documents: int, sections: int, rounds: int) -> Speeds:
    """Let all sides do the same work, in turn."""
    speeds, url = Speeds(), str(model.openai_api_base)

    def timed(into: list[float], work: Any) -> Any:
        gc.collect()
        before, began = counters(model), time.perf_counter()
        done = work()
        taken = time.perf_counter() - began
        into.append(counters(model).since(before).output / taken)
        return done

    asyncio.run(chain(model, 4, 2, "warm"))
    for turn in range(rounds):
        run = partial(chain, model, documents, sections, f"chain-{turn}")
        scripts = timed(speeds.chain, lambda run=run: asyncio.run(run()))
        again = partial(bare, url, scripts, f"bare-{turn}")
        timed(speeds.bare, lambda again=again: asyncio.run(again()))
        timed(speeds.published, partial(published, url, scripts, f"published-{turn}"))
        speeds.requests = sum(len(script.bodies) for script in scripts.values())
        speeds.tokens = sum(sum(script.tokens) for script in scripts.values())
    return speeds


def main() -> int:
    """Print the table; with `--check`, fail where a promise does not hold."""
    parser = arguments(__doc__)
    parser.add_argument("--documents", type=int, default=32)
    parser.add_argument("--sections", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with serving(options.model, "--block-size", "32") as model:
        speeds = measure(model, options.documents, options.sections, options.rounds)
    print(f"{speeds.requests:,} requests, {speeds.tokens:,} tokens written in the last round\n")
    print("| side | tokens per second, median | each round | the chain's multiple |")
    print("|---|---|---|---|")
    for side in ("chain", "bare", "published"):
        each: list[float] = getattr(speeds, side)
        middle, multiple = statistics.median(each), speeds.ratio(side)
        print(
            f"| {side} | {middle:,.0f} | {', '.join(f'{s:,.0f}' for s in each)} | {multiple:.2f} |"
        )
    ratio = speeds.ratio("bare")
    wrong = [f"the chain reaches {ratio:.2f} of the bare loop < {LEAST}"] if ratio < LEAST else []
    print("\n".join(wrong) or "Every promise holds.")
    return int(options.check and bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
