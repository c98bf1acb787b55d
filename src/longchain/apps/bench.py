"""The commands about benchmarks: `bench list`, `run`, `score`, `judge`, `report`.

options -> calls of `longchain.bench`, which has the logic: a user's program calls it the same way.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from longchain.apps import console
from longchain.apps.console import (
    AsJson,
    BaseUrl,
    Model,
    Planner,
    Quiet,
    RequestsPerMinute,
    Timeout,
    TokensPerMinute,
)

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from longchain.agent.options import ChainOptions
    from longchain.bench.run import Progress
    from longchain.bench.schema import Judgement, Score
    from longchain.bench.tasks.loader import LoadedTask
    from longchain.bench.writers import Writer

PredictionsFile = Annotated[
    Path, typer.Argument(help="Predictions: of bench run, or a published pred.jsonl.")
]
Strict = Annotated[bool, typer.Option("--strict", help="Refuse lines that cannot be read.")]
Concurrency = Annotated[int, typer.Option(min=1, help="Calls at a time.")]

_RENAMED = {"way": "mode", "hand-length": "pass-length", "again": "retry-failed"}
"""Earlier names of options: they still work, but `--help` does not show them."""

_MAX_REASONS = 5
"""Number of skipped lines that are listed with their reasons."""

bench = typer.Typer(help="Measure how well a model writes, with AgentWrite and without.")


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.add_typer(bench, name="bench", no_args_is_help=True)


def _current_name(option: str) -> str:
    """Return the name of an option that was given by an earlier one."""
    return _RENAMED.get(option, option)


@bench.command("list")
def list_tasks(as_json: AsJson = False) -> None:
    """List the benchmarks."""
    with console.report_errors():
        from longchain.bench import tasks

        if not as_json:
            for task in tasks.TASKS:
                typer.echo(f"{task.name:<20}  {task.count:>5,}  {task.title}")
            return
        listed = [
            {
                "name": task.name,
                "title": task.title,
                "samples": task.count,
                "source": task.source,
                "license": task.license,
                "citation": task.citation,
            }
            for task in tasks.TASKS
        ]
        _echo_json(listed)


@bench.command("run", context_settings={"token_normalize_func": _current_name})
def run(
    task: Annotated[
        str, typer.Argument(help="A benchmark, or a file of JSON lines with prompt and length.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file of predictions.")],
    model: Model = None,
    base_url: BaseUrl = None,
    mode: Annotated[
        Literal["direct", "sequential", "parallel"],
        typer.Option(help="The model alone, or AgentWrite in one of its modes."),
    ] = "direct",
    path: Annotated[
        Path | None, typer.Option(help="A copy of the benchmark's data; else downloaded.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Write the first samples only.")] = None,
    max_tokens: Annotated[
        int | None, typer.Option(min=1, help="Token limit of a reply; 32768 in the paper.")
    ] = None,
    temperature: Annotated[
        float | None, typer.Option(help="Temperature of the model; 0.5 in the paper.")
    ] = None,
    planner_model: Planner = None,
    length_control: Annotated[
        bool, typer.Option(help="Measure and correct section by section; the paper does not.")
    ] = True,
    pass_length: Annotated[
        bool, typer.Option("--pass-length", help="Pass the length beside the prompt to AgentWrite.")
    ] = False,
    window: Annotated[
        int | None, typer.Option(min=1, help="Context window of the model in tokens.")
    ] = None,
    max_concurrency: Concurrency = 8,
    requests_per_minute: RequestsPerMinute = None,
    tokens_per_minute: TokensPerMinute = None,
    timeout: Timeout = 600.0,
    strict: Strict = False,
    force: Annotated[
        bool, typer.Option("--force", help="Continue a file that other settings began.")
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Write the samples that failed once more.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Have a model write a benchmark's samples; the same command resumes a run."""
    with console.report_errors():
        from longchain.bench import tasks
        from longchain.bench.run import run as run_benchmark
        from longchain.models.resolve import chat_model

        loaded = tasks.load(task, path=path, strict=strict, limit=limit)
        sampling = {"max_tokens": max_tokens} if max_tokens and mode != "direct" else {}
        chosen = chat_model(model, base_url=base_url, temperature=temperature, **sampling)
        limits: ChainOptions = {
            "max_concurrency": max_concurrency,
            "requests_per_minute": requests_per_minute,
            "tokens_per_minute": tokens_per_minute,
            "timeout": timeout,
        }
        writer: Writer
        if mode == "direct":
            _refuse_agentwrite_options(planner_model, window, pass_length, length_control)
            writer = _model_writer(chosen, max_tokens, limits)
        else:
            options: ChainOptions = {
                "mode": mode,
                "window": window,
                "length_control": length_control,
                "streaming": True,
                **limits,
            }
            if planner_model:
                options["planner_model"] = chat_model(planner_model, base_url=base_url)
            writer = _chain_writer(chosen, pass_length, options)
        _echo_start(chosen, loaded, quiet)
        with _resumable(output):
            outcome = run_benchmark(
                loaded.samples,
                writer,
                output,
                concurrency=max_concurrency,
                source=loaded.source,
                sha256=loaded.sha256,
                force=force,
                retry_failed=retry_failed,
                on_progress=None if quiet else _echo_progress,
            )
        if not quiet:
            counts = f"{outcome.total:,} samples, {outcome.failed:,} without a text"
            _echo(f"done: {counts} -> {output}")
        if outcome.failed == outcome.total:
            raise typer.Exit(console.EXIT_FAILED)


@bench.command("score")
def score(
    predictions: PredictionsFile,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file for the scores, a line each.")
    ] = None,
    judged: Annotated[
        Path | None, typer.Option(help="Judgements of these texts, of bench judge.")
    ] = None,
    light: Annotated[bool, typer.Option("--light", help="The length score alone.")] = False,
    export: Annotated[
        Path | None,
        typer.Option(help="Also write the texts in the format of LongWriter's scripts."),
    ] = None,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """Score texts without a judge: length, repetition, structure."""
    with console.report_errors():
        from longchain.bench import report_files
        from longchain.bench.judge import apply
        from longchain.bench.judgements import read_judgements
        from longchain.bench.predictions import export_published, read_predictions
        from longchain.bench.score import score as score_prediction
        from longchain.bench.score import summarize

        loaded = read_predictions(predictions, strict=strict)
        _echo_skipped(loaded.skipped)
        scores = [score_prediction(each, light=light) for each in loaded.predictions]
        if judged is not None:
            scores = apply(scores, read_judgements(judged))
        if output is not None:
            metadata = report_files.collect_metadata(loaded.predictions, predictions)
            report_files.write_scores(scores, output, metadata)
        if export is not None:
            count = export_published(loaded.predictions, export)
            _echo(f"exported: {count:,} of {len(loaded.predictions):,} -> {export}")
        if as_json:
            _echo_json(summarize(scores))
        else:
            _echo_tables(str(predictions), scores)


@bench.command("judge")
def judge(
    predictions: PredictionsFile,
    output: Annotated[Path, typer.Option("--output", "-o", help="The file of judgements.")],
    judge: Annotated[
        str | None, typer.Option(help="The model that judges: provider:name …; else as --model.")
    ] = None,
    base_url: BaseUrl = None,
    prompt: Annotated[
        Path | None, typer.Option(help="Another prompt, such as the published judge.txt.")
    ] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Times that each text is judged.")] = 1,
    temperature: Annotated[
        float | None, typer.Option(help="Temperature of the judge; 0.5 in the paper.")
    ] = 0.0,
    max_concurrency: Concurrency = 8,
    timeout: Timeout = 300.0,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Have a model judge the quality of texts; the same command resumes it."""
    with console.report_errors():
        from longchain.bench import report_files
        from longchain.bench.judge_stats import describe as describe_judge
        from longchain.bench.judgements import judge_file
        from longchain.models.resolve import chat_model
        from longchain.models.resolve import describe as describe_model

        chosen = chat_model(judge, base_url=base_url)
        if not quiet:
            _echo(f"judge: {describe_model(chosen)}")
        with _resumable(output):
            judgements = judge_file(
                predictions,
                chosen,
                output,
                prompt=prompt,
                temperature=temperature,
                repeats=repeats,
                concurrency=max_concurrency,
                timeout=timeout,
                on_progress=None if quiet else _echo_judgement,
            )
        judged = report_files.load(str(output))
        if as_json:
            _echo_json(describe_judge(judgements, judged.scores))
        else:
            _echo_tables(judged.name, judged.scores)
        if all(judgement.s_q is None for judgement in judgements):
            raise typer.Exit(console.EXIT_FAILED)


@bench.command("report")
def report(
    files: Annotated[
        list[str], typer.Argument(help="Predictions, judgements or scores, as PATH or NAME=PATH.")
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A .html, .md or .json file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show several models side by side: tables, plots, bootstrap intervals."""
    with console.report_errors():
        from longchain.bench import report as reports
        from longchain.bench import report_files

        if output is not None:
            reports.check(output)
        built = reports.build([report_files.load(file) for file in files])
        if output is not None:
            reports.write(built, output)
            _echo(f"report: {output}")
        if as_json or output is None:
            typer.echo(reports.render(built, ".json" if as_json else ".md"), nl=False)


def _refuse_agentwrite_options(
    planner_model: str | None, window: int | None, pass_length: bool, length_control: bool
) -> None:
    """Refuse options that a model alone has no use for."""
    from longchain.errors import InputError

    if planner_model is not None or window is not None or pass_length or not length_control:
        raise InputError(
            "--planner-model, --window, --pass-length and --no-length-control are for AgentWrite: "
            "add --mode sequential or --mode parallel"
        )


def _model_writer(model: BaseChatModel, max_tokens: int | None, limits: ChainOptions) -> Writer:
    from longchain.bench.writers import ModelWriter
    from longchain.calls.limits import CallLimits

    traffic = CallLimits(
        limits["max_concurrency"], limits["requests_per_minute"], limits["tokens_per_minute"]
    )
    return ModelWriter(model, max_tokens=max_tokens, timeout=limits["timeout"], traffic=traffic)


def _chain_writer(model: BaseChatModel, pass_length: bool, options: ChainOptions) -> Writer:
    from longchain.agent.chain import AgentWriteChain
    from longchain.bench.writers import ChainWriter

    return ChainWriter(AgentWriteChain(model, **options), pass_length=pass_length)


def _echo_start(model: BaseChatModel, task: LoadedTask, quiet: bool) -> None:
    """Print the model and the task to stderr, and what was skipped or differs even if quiet."""
    from longchain.models.resolve import describe

    if not quiet:
        _echo(f"model: {describe(model)}")
        _echo(f"task: {len(task.samples):,} samples of {task.source}")
    _echo_skipped(task.skipped)
    for note in task.notes:
        _echo(f"note: {note}")


def _echo_progress(progress: Progress) -> None:
    """Print the latest sample and the time left to stderr."""
    sample = progress.latest
    left = timedelta(seconds=round(progress.seconds_left))
    failed = f", {progress.failed:,} failed" if progress.failed else ""
    place = f"[{progress.done:,}/{progress.total:,}]"
    _echo(f"{place} {sample.id}: {sample.error or _lengths(sample)} ({left} left{failed})")


def _lengths(prediction: Any) -> str:
    """Return the output length and the required one, such as `512 of 500 words`."""
    from longchain.length import count_length

    length = count_length(prediction.response, prediction.unit, prediction.language)
    required = f" of {prediction.length:,}" if prediction.length else ""
    return f"{length:,}{required} {prediction.unit}"


def _echo_judgement(judgement: Judgement, done: int, total: int) -> None:
    """Print S_q of the latest text to stderr, or why there is none."""
    result = judgement.unscored[0] if judgement.s_q is None else f"S_q {judgement.s_q:.1f}"
    _echo(f"[{done:,}/{total:,}] {judgement.id}: {result}")


def _echo_tables(name: str, scores: Sequence[Score]) -> None:
    """Print the tables of one run."""
    from longchain.bench import report as reports

    built = reports.build([reports.ScoredRun(name, scores)])
    typer.echo(reports.render(built, ".md"), nl=False)


def _echo_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def _echo_skipped(reasons: Sequence[str]) -> None:
    """Print the first reasons for skipped lines to stderr, and the number of all."""
    for reason in reasons[:_MAX_REASONS]:
        _echo(f"longchain: skipped: {reason}")
    if len(reasons) > _MAX_REASONS:
        _echo(f"longchain: skipped: {len(reasons):,} in all")


@contextmanager
def _resumable(output: Path) -> Iterator[None]:
    """Print how to resume a run that stops after it has finished something."""
    from langchain_core.exceptions import ModelError

    from longchain.errors import InputError, LongchainError
    from longchain.models.error_hints import explain

    try:
        yield
    except InputError:
        raise
    except (LongchainError, ModelError, OSError, KeyboardInterrupt) as error:
        finished = _count_lines(output)
        if not finished:
            raise
        reason = "interrupted" if isinstance(error, KeyboardInterrupt) else explain(error)
        _echo(f"longchain: {reason}")
        _echo(f"longchain: {finished:,} samples are kept in {output}; the same command resumes")
        raise typer.Exit(console.EXIT_STOPPED) from None


def _count_lines(path: Path) -> int:
    from longchain.bench.jsonl import read_lines

    return sum(1 for _ in read_lines(path)) if path.exists() else 0


def _echo(line: str) -> None:
    typer.echo(line, err=True)
