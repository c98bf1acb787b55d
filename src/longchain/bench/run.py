"""The run of a benchmark: samples + a model or a chain -> a file of predictions.

`Sample`s -> `Prediction`s, a line each as soon as it is finished

A sample that is in the file is never written again, so a run that was killed is resumed by the
same call. Knows order, failure and time; knows nothing of scores.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, Unpack

from langchain_core.language_models import BaseChatModel

from longchain.agent.chain import AgentWriteChain
from longchain.bench import writers
from longchain.bench.event_loop import run_sync
from longchain.bench.failures import FATAL_ERRORS, is_call_error
from longchain.bench.metadata import RunMetadata
from longchain.bench.predictions import PredictionFile
from longchain.bench.schema import Prediction, Sample
from longchain.bench.workers import StopJobs, run_jobs
from longchain.bench.writers import ChainWriter, ModelWriter, Writer
from longchain.errors import InputError
from longchain.models.error_hints import explain


@dataclass(frozen=True)
class Progress:
    """Progress of a run after one more sample."""

    latest: Prediction
    done: int
    """Number of finished samples, those that failed included."""

    total: int
    failed: int
    """Number of finished samples that have no text."""

    seconds_left: float


@dataclass(frozen=True)
class Outcome:
    """Counts of a finished run."""

    total: int
    written: int
    """Samples written by this run, those that failed included."""

    failed: int
    """Samples in the file that have no text."""


class RunOptions(TypedDict, total=False):
    """Options of `run`; `arun` describes them."""

    concurrency: int
    source: str
    sha256: str
    force: bool
    retry_failed: bool
    on_progress: Callable[[Progress], None] | None


def run(
    samples: Sequence[Sample],
    writer: Writer | BaseChatModel | AgentWriteChain,
    path: Path,
    **options: Unpack[RunOptions],
) -> Outcome:
    """Write all samples that the file does not have yet.

    Arguments, errors and results are those of `arun`.
    """
    return run_sync(arun(samples, writer, path, **options))


async def arun(
    samples: Sequence[Sample],
    writer: Writer | BaseChatModel | AgentWriteChain,
    path: Path,
    *,
    concurrency: int = 8,
    source: str = "",
    sha256: str = "",
    force: bool = False,
    retry_failed: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
) -> Outcome:
    """Write all samples that the file does not have yet.

    Args:
        samples: The samples to write.
        writer: A chat model, a chain, or one of them with options (`ModelWriter`,
            `ChainWriter`).
        path: The file of predictions; `FILE.meta.json` beside it records the settings.
        concurrency: Number of samples at a time.
        source: Path or address of the samples, for the metadata.
        sha256: Hash of the samples' file, for the metadata: a later run with another one is
            refused.
        force: Continue a file that was begun with other settings.
        retry_failed: Write samples that failed once more.
        on_progress: Called after every sample.

    Raises:
        RunError: Another process writes the file, or it was begun with other settings.
        InputError: There is nothing to write, or the file cannot be written.
        ModelError: The model refuses every call or cannot be reached; finished samples are in
            the file.
    """
    if not samples:
        raise InputError("there are no samples to write")
    if concurrency < 1:
        raise InputError(f"concurrency is {concurrency!r}: at least 1 sample is written at once")
    writer = _as_writer(writer)
    metadata = RunMetadata(
        task=samples[0].task,
        source=source,
        sha256=sha256,
        model=writers.label(writer.model),
        mode=writer.mode,
        settings=writer.settings,
        versions=writers.package_versions(writer.model),
    )
    with PredictionFile(path, metadata, samples, force=force, retry_failed=retry_failed) as file:
        job = _Run(writer, metadata, file, samples, on_progress)
        await run_jobs(file.pending, job.write, concurrency)
        return Outcome(total=len(samples), written=job.written, failed=file.failed)


def _as_writer(writer: Writer | BaseChatModel | AgentWriteChain) -> Writer:
    if isinstance(writer, AgentWriteChain):
        return ChainWriter(writer)
    if isinstance(writer, BaseChatModel):
        return ModelWriter(writer)
    return writer


class _Run:
    """One run: writes samples to a file and reports its progress."""

    def __init__(
        self,
        writer: Writer,
        metadata: RunMetadata,
        file: PredictionFile,
        samples: Sequence[Sample],
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        self.written = 0
        self._writer, self._metadata, self._file = writer, metadata, file
        self._total = len(samples)
        self._done_before = len(samples) - len(file.pending)
        self._clock = _Clock(samples, file.pending)
        self._on_progress = on_progress

    async def write(self, sample: Sample) -> None:
        """Write a sample to the file.

        Raises:
            StopJobs: The next sample would meet the same error.
        """
        prediction = await self._predict(sample)
        self._file.append(prediction)
        self.written += 1
        self._clock.finish(sample)
        if self._on_progress is not None:
            self._on_progress(self._progress(prediction))

    async def _predict(self, sample: Sample) -> Prediction:
        """Return the prediction for a sample, with the reason if it has no text."""
        began = time.monotonic()
        prediction = Prediction(
            **sample.model_dump(),
            model=self._metadata.model,
            mode=self._writer.mode,
            settings=self._metadata.settings,
            versions=self._metadata.versions,
            prompt_hash=writers.hash_prompt(_replace_lone_surrogates(sample.prompt)),
        )
        try:
            output = await self._writer.write(sample)
        except FATAL_ERRORS as error:
            raise StopJobs(error) from error
        except Exception as error:
            if not is_call_error(error):
                raise
            prediction.error = explain(error)
        else:
            prediction.response = _replace_lone_surrogates(output.text)
            prediction.usage, prediction.report = output.usage, output.report
        prediction.seconds = round(time.monotonic() - began, 3)
        return prediction

    def _progress(self, latest: Prediction) -> Progress:
        return Progress(
            latest=latest,
            done=self._done_before + self.written,
            total=self._total,
            failed=self._file.failed,
            seconds_left=self._clock.seconds_left(),
        )


class _Clock:
    """Estimates how long a run still takes, from the required lengths of its samples."""

    def __init__(self, samples: Sequence[Sample], pending: Sequence[Sample]) -> None:
        lengths = [sample.length for sample in samples if sample.length]
        self._mean_length = sum(lengths) / len(lengths) if lengths else 1.0
        self._total = sum(map(self._weight, pending))
        self._finished = 0.0
        self._began = time.monotonic()

    def finish(self, sample: Sample) -> None:
        """Count a sample as finished."""
        self._finished += self._weight(sample)

    def seconds_left(self) -> float:
        """Return the seconds that the other samples take at the pace until now."""
        pace = (time.monotonic() - self._began) / self._finished
        return pace * max(self._total - self._finished, 0.0)

    def _weight(self, sample: Sample) -> float:
        """Return the share of a sample in the work: a text takes as long as it is long."""
        return sample.length or self._mean_length


def _replace_lone_surrogates(text: str) -> str:
    """Return a text that UTF-8 can encode: halves of characters are replaced."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
