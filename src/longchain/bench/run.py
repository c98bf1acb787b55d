"""A benchmark is run: samples + a model or a chain -> a file of predictions.

`Sample`s -> `Prediction`s, a line each as they are finished

What stands in the file is never written again, so a run that was killed goes on where it was.
Knows order, failure and time; knows nothing of scores.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from langchain_core import exceptions
from langchain_core.language_models import BaseChatModel

from longchain.agent.chain import AgentWriteChain
from longchain.bench import writers
from longchain.bench.loop import finish
from longchain.bench.predictions import About, Results
from longchain.bench.shapes import Prediction, Sample
from longchain.bench.writers import Chained, Direct, Writer
from longchain.errors import InputError, LongchainError, StoreError
from longchain.models.error_hints import explain

_NOBODYS = (
    exceptions.ModelAuthenticationError,
    exceptions.ModelPermissionDeniedError,
    exceptions.ModelNotFoundError,
    exceptions.ModelConnectionError,
    exceptions.ModelRateLimitError,
    ConnectionError,
    StoreError,
)
"""Errors that the next sample would meet as well: they stop the run, which can be gone on with."""


@dataclass(frozen=True)
class Standing:
    """How far a run is, after one more sample."""

    latest: Prediction
    done: int
    total: int
    failed: int
    """Of those that are done."""

    seconds_left: float


@dataclass(frozen=True)
class Outcome:
    """What a run came to."""

    total: int
    written: int
    """Samples of this run, those that failed included."""

    failed: int
    """Samples in the file that have no text."""


def run(
    samples: Sequence[Sample],
    writer: Writer | BaseChatModel | AgentWriteChain,
    path: Path,
    *,
    concurrency: int = 8,
    source: str = "",
    sha256: str = "",
    force: bool = False,
    again: bool = False,
    tell: Callable[[Standing], None] | None = None,
) -> Outcome:
    """Write all samples that the file does not hold yet.

    Args:
        samples: What is to be written.
        writer: What writes: a chat model, a chain, or one of them with options (`Direct`,
            `Chained`).
        path: The file of predictions; beside it, `FILE.meta.json` says how they were made.
        concurrency: Samples at once.
        source: Where the samples come from, for the record.
        sha256: Of the samples' file, for the record: another one is refused later.
        force: Go on with a file that was begun with other settings.
        again: Write samples once more that failed.
        tell: Called after every sample.

    Raises:
        RunError: Another process writes the file, or other settings began it.
        InputError: There is nothing to write, or the file cannot be written.
        ModelError: The model refuses everybody, or is out of reach; what is finished is kept.
    """
    return finish(
        arun(
            samples,
            writer,
            path,
            concurrency=concurrency,
            source=source,
            sha256=sha256,
            force=force,
            again=again,
            tell=tell,
        )
    )


async def arun(
    samples: Sequence[Sample],
    writer: Writer | BaseChatModel | AgentWriteChain,
    path: Path,
    *,
    concurrency: int = 8,
    source: str = "",
    sha256: str = "",
    force: bool = False,
    again: bool = False,
    tell: Callable[[Standing], None] | None = None,
) -> Outcome:
    """Do the same asynchronously."""
    if not samples:
        raise InputError("there are no samples to write")
    if concurrency < 1:
        raise InputError(f"concurrency is {concurrency!r}: at least 1 sample is written at once")
    chosen = _writer(writer)
    about = About(
        task=samples[0].task,
        source=source,
        sha256=sha256,
        model=writers.label(chosen.model),
        way=chosen.way,
        settings=chosen.settings,
        versions=writers.versions(chosen.model),
    )
    with Results(path, about, samples, force=force, again=again) as results:
        work = _Work(chosen, about, results, samples, tell)
        await work.all(concurrency)
        failed = sum(bool(error) for error in results.done.values())
        return Outcome(total=len(samples), written=work.written, failed=failed)


def _writer(given: Writer | BaseChatModel | AgentWriteChain) -> Writer:
    if isinstance(given, AgentWriteChain):
        return Chained(given)
    return Direct(given) if isinstance(given, BaseChatModel) else given


class _Work:
    """What is under way."""

    def __init__(
        self,
        writer: Writer,
        about: About,
        results: Results,
        samples: Sequence[Sample],
        tell: Callable[[Standing], None] | None,
    ) -> None:
        self.written = 0
        self._writer, self._about, self._results = writer, about, results
        self._tell = tell
        lengths = [sample.length for sample in samples if sample.length]
        self._usual = sum(lengths) / len(lengths) if lengths else 1.0
        self._total = len(samples)
        self._ahead = sum(map(self._weight, results.left))
        self._behind = 0.0
        self._began = time.monotonic()
        self._stopped: Exception | None = None

    async def all(self, concurrency: int) -> None:
        """Write what is left; after an error that all would meet, only finish what is begun."""
        waiting = iter(self._results.left)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(concurrency, len(self._results.left))):
                    group.create_task(self._some(waiting))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        if self._stopped is not None:
            raise self._stopped

    async def _some(self, waiting: Iterator[Sample]) -> None:
        for sample in waiting:
            made = await self._one(sample)
            if made is not None:
                self._results.append(made)
                self.written += 1
                self._report(sample, made)
            if self._stopped is not None:
                return

    async def _one(self, sample: Sample) -> Prediction | None:
        began = time.monotonic()
        made = Prediction(
            **sample.model_dump(),
            model=self._about.model,
            way=self._writer.way,
            settings=self._about.settings,
            versions=self._about.versions,
            prompt_hash=writers.prompt_hash(_whole(sample.prompt)),
        )
        try:
            text, made.usage, made.report = await self._writer.write(sample)
            made.response = _whole(text)
        except Exception as error:
            if isinstance(error, _NOBODYS):
                self._stopped = self._stopped or error
                return None
            if not _of_the_sample(error):
                raise
            made.error = explain(error)
        made.seconds = round(time.monotonic() - began, 3)
        return made

    def _weight(self, sample: Sample) -> float:
        """Return about how long a sample takes, compared with others: as its text is long."""
        return sample.length or self._usual

    def _report(self, sample: Sample, made: Prediction) -> None:
        self._behind += self._weight(sample)
        if self._tell is None:
            return
        done = self._results.done
        pace = (time.monotonic() - self._began) / self._behind
        self._tell(
            Standing(
                latest=made,
                done=self._total - len(self._results.left) + self.written,
                total=self._total,
                failed=sum(bool(error) for error in done.values()),
                seconds_left=pace * max(self._ahead - self._behind, 0.0),
            )
        )


def _of_the_sample(error: Exception) -> bool:
    """Say whether a model or longchain refused this sample; anything else is a bug."""
    known = isinstance(error, LongchainError | exceptions.ModelError | TimeoutError)
    return known or getattr(error, "status_code", None) is not None


def _whole(text: str) -> str:
    """Return a text that can be written down: halves of characters are replaced."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
