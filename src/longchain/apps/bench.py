"""The commands about benchmarks: `bench run`, `score`, `judge`, `report`, `list`.

Holds no logic: `longchain.bench` has it, and a user's program calls it the same way.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
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
    from longchain.bench.judge import Judgement
    from longchain.bench.run import Standing
    from longchain.bench.writers import Writer

PredictionsFile = Annotated[
    Path, typer.Argument(help="Predictions: of bench run, or a published pred.jsonl.")
]
Strict = Annotated[bool, typer.Option("--strict", help="Refuse lines that cannot be read.")]
Concurrency = Annotated[int, typer.Option(min=1, help="Calls at once.")]

bench = typer.Typer(help="Measure how well a model writes, with AgentWrite and without.")


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.add_typer(bench, name="bench", no_args_is_help=True)


@bench.command("list")
def listed(as_json: AsJson = False) -> None:
    """List the benchmarks."""
    with console.mistakes():
        from longchain.bench import tasks

        found = [tasks.find(name) for name in tasks.names()]
        if as_json:
            said = [
                {
                    "name": task.name,
                    "title": task.title,
                    "samples": task.count,
                    "source": task.source,
                    "license": task.license,
                    "citation": task.citation,
                }
                for task in found
            ]
            typer.echo(json.dumps(said, ensure_ascii=False, indent=2))
            return
        for task in found:
            typer.echo(f"{task.name:<20}  {task.count:>5,}  {task.title}")


@bench.command("run")
def run(
    task: Annotated[
        str, typer.Argument(help="A benchmark, or a file of JSON lines with prompt and length.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file of predictions.")],
    model: Model = None,
    base_url: BaseUrl = None,
    way: Annotated[
        Literal["direct", "sequential", "parallel"],
        typer.Option(help="The model alone, or AgentWrite in one of its modes."),
    ] = "direct",
    path: Annotated[Path | None, typer.Option(help="Where the benchmark's data lie.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="So many samples, the first.")] = None,
    max_tokens: Annotated[
        int | None, typer.Option(min=1, help="Of a reply; the paper takes 32768.")
    ] = None,
    temperature: Annotated[float | None, typer.Option(help="The paper takes 0.5.")] = None,
    planner_model: Planner = None,
    length_control: Annotated[
        bool, typer.Option(help="Measure and correct on the way; the paper does not.")
    ] = True,
    hand_length: Annotated[
        bool, typer.Option("--hand-length", help="Name the length to AgentWrite beside the prompt.")
    ] = False,
    window: Annotated[int | None, typer.Option(min=1, help="The model's window in tokens.")] = None,
    max_concurrency: Concurrency = 8,
    requests_per_minute: RequestsPerMinute = None,
    tokens_per_minute: TokensPerMinute = None,
    timeout: Timeout = 600.0,
    strict: Strict = False,
    force: Annotated[
        bool, typer.Option("--force", help="Go on with a file that other settings began.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Write once more the samples that failed.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Have a model write a benchmark's samples; the same command goes on where it stopped."""
    with console.mistakes():
        from longchain.bench import tasks
        from longchain.bench.run import run as written
        from longchain.models.resolve import chat_model, describe

        loaded = tasks.load(task, path=path, strict=strict, limit=limit)
        sampling = {"max_tokens": max_tokens} if max_tokens and way != "direct" else {}
        chosen = chat_model(model, base_url=base_url, temperature=temperature, **sampling)
        options: dict[str, Any] = {
            "max_concurrency": max_concurrency,
            "requests_per_minute": requests_per_minute,
            "tokens_per_minute": tokens_per_minute,
            "timeout": timeout,
        }
        writer: Writer
        if way == "direct":
            _of_agentwrite(planner_model, window, hand_length or None, not length_control or None)
            writer = _direct(chosen, max_tokens, options)
        else:
            planner = chat_model(planner_model, base_url=base_url) if planner_model else None
            options |= {"length_control": length_control, "window": window}
            writer = _chain(chosen, way, hand_length, {**options, "planner_model": planner})
        if not quiet:
            _say(f"model: {describe(chosen)}")
            _say(f"task: {len(loaded.samples):,} samples of {loaded.source}")
        _skipped(loaded.skipped)
        for note in loaded.notes:
            _say(f"note: {note}")
        with _resumable(output):
            outcome = written(
                loaded.samples,
                writer,
                output,
                concurrency=max_concurrency,
                source=loaded.source,
                sha256=loaded.sha256,
                force=force,
                again=again,
                tell=None if quiet else _tell,
            )
        if not quiet:
            _say(f"done: {outcome.total:,} samples, {outcome.failed:,} without a text -> {output}")
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
        Path | None, typer.Option(help="Also write the texts as LongWriter's scripts take them.")
    ] = None,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """Score texts without a judge: length, repetition, structure."""
    with console.mistakes():
        from longchain.bench import entries
        from longchain.bench.judge import apply
        from longchain.bench.judged import read_judgements
        from longchain.bench.predictions import export_published, read_predictions
        from longchain.bench.score import score as scored
        from longchain.bench.score import summarize

        read = read_predictions(predictions, strict=strict)
        _skipped(read.skipped)
        scores = [scored(one, light=light) for one in read.predictions]
        if judged is not None:
            scores = apply(scores, read_judgements(judged))
        if output is not None:
            entries.write_scores(scores, output, entries.about(read.predictions, predictions))
        if export is not None:
            count = export_published(read.predictions, export)
            _say(f"exported: {count:,} of {len(read.predictions):,} -> {export}")
        if as_json:
            typer.echo(json.dumps(summarize(scores), ensure_ascii=False, indent=2))
        else:
            _table(str(predictions), scores)


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
    repeats: Annotated[int, typer.Option(min=1, help="How often each text is judged.")] = 1,
    temperature: Annotated[float | None, typer.Option(help="The paper takes 0.5.")] = 0.0,
    max_concurrency: Concurrency = 8,
    timeout: Timeout = 300.0,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Have a model judge the quality of texts; the same command goes on where it stopped."""
    with console.mistakes():
        from longchain.bench import entries
        from longchain.bench.judge import describe
        from longchain.bench.judged import judged
        from longchain.models.resolve import chat_model
        from longchain.models.resolve import describe as described

        chosen = chat_model(judge, base_url=base_url)
        if not quiet:
            _say(f"judge: {described(chosen)}")
        with _resumable(output):
            made = judged(
                predictions,
                chosen,
                output,
                prompt=prompt,
                temperature=temperature,
                repeats=repeats,
                concurrency=max_concurrency,
                timeout=timeout,
                tell=None if quiet else _tell_judged,
            )
        entry = entries.entry(str(output))
        if as_json:
            found = describe(made, entry.scores)
            typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        else:
            _table(entry.name, entry.scores)
        if all(one.s_q is None for one in made):
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
    with console.mistakes():
        from longchain.bench import entries
        from longchain.bench import report as reports

        if output is not None:
            reports.check(output)
        made = reports.build([entries.entry(named) for named in files])
        if output is not None:
            reports.write(made, output)
            _say(f"report: {output}")
        if as_json or output is None:
            typer.echo(reports.render(made, ".json" if as_json else ".md"), nl=False)


def _of_agentwrite(*given: Any) -> None:
    """Refuse options that a model by itself has no use for."""
    from longchain.errors import InputError

    if any(option is not None for option in given):
        raise InputError(
            "--planner-model, --window, --hand-length and --no-length-control are for AgentWrite: "
            "add --way sequential or --way parallel"
        )


def _direct(chosen: Any, max_tokens: int | None, options: dict[str, Any]) -> Writer:
    from longchain.bench.writers import Direct
    from longchain.calls.limits import CallLimits

    traffic = CallLimits(
        options["max_concurrency"], options["requests_per_minute"], options["tokens_per_minute"]
    )
    return Direct(chosen, max_tokens=max_tokens, timeout=options["timeout"], traffic=traffic)


def _chain(chosen: Any, way: Any, hand_length: bool, options: dict[str, Any]) -> Writer:
    from longchain.agent.chain import AgentWriteChain
    from longchain.bench.writers import Chained

    chain = AgentWriteChain(chosen, mode=way, streaming=True, **options)
    return Chained(chain, hand_length=hand_length)


def _tell(standing: Standing) -> None:
    """Say on stderr how far a run is."""
    made = standing.latest
    if made.error:
        what = made.error
    else:
        from longchain.length import count_length

        required = f" of {made.length:,}" if made.length else ""
        length = count_length(made.response, made.unit, made.language)
        what = f"{length:,}{required} {made.unit}"
    left = timedelta(seconds=round(standing.seconds_left))
    failed = f", {standing.failed:,} failed" if standing.failed else ""
    _say(f"[{standing.done:,}/{standing.total:,}] {made.id}: {what} ({left} left{failed})")


def _tell_judged(made: Judgement, done: int, total: int) -> None:
    """Say on stderr what a judge said."""
    what = made.unscored[0] if made.s_q is None else f"S_q {made.s_q:.1f}"
    _say(f"[{done:,}/{total:,}] {made.id}: {what}")


def _table(name: str, scores: Any) -> None:
    """Print the tables of one entry."""
    from longchain.bench import report as reports

    made = reports.build([reports.Entry(name, scores)])
    typer.echo(reports.render(made, ".md"), nl=False)


def _skipped(reasons: list[str]) -> None:
    """Say what was left out: the first of it, and how much there is."""
    for reason in reasons[:5]:
        typer.echo(f"longchain: skipped: {reason}", err=True)
    if len(reasons) > 5:
        typer.echo(f"longchain: skipped: {len(reasons):,} in all", err=True)


@contextmanager
def _resumable(output: Path) -> Iterator[None]:
    """Say how to go on where a run stops that has finished something."""
    from langchain_core.exceptions import ModelError

    from longchain.errors import InputError, LongchainError
    from longchain.models.resolve import explain

    try:
        yield
    except InputError:
        raise
    except (LongchainError, ModelError, OSError, KeyboardInterrupt) as error:
        finished = _count(output)
        if not finished:
            raise
        stopped = isinstance(error, KeyboardInterrupt)
        _say(f"longchain: {'interrupted' if stopped else explain(error)}")  # type: ignore[arg-type]
        _say(f"longchain: {finished:,} samples are kept in {output}; the same command goes on")
        raise typer.Exit(console.EXIT_STOPPED) from None


def _count(output: Path) -> int:
    from longchain.bench.predictions import lines

    return sum(1 for _ in lines(output)) if output.exists() else 0


def _say(line: str) -> None:
    typer.echo(line, err=True)
