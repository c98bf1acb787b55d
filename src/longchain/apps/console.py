"""What the commands share: their options, what they read, and what becomes of a mistake.

Knows the terminal; knows nothing of documents beyond their names. Imports the library only when a
command runs, so that `longchain --help` is quick.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from longchain.agent.estimate import Estimate
    from longchain.agent.options import ChainOptions
    from longchain.agent.request import Input
    from longchain.calls.budget import Budget
    from longchain.document import LongDocument, WritingPlan
    from longchain.runs import Run, Runs

Instruction = Annotated[
    str, typer.Argument(help="What to write; - reads it from standard input.", show_default=False)
]
Length = Annotated[
    int | None, typer.Option(help="Required length; else read from the instruction, else planned.")
]
Units = Annotated[
    Literal["words", "characters"] | None,
    typer.Option(help="What --length counts; else as the language counts."),
]
Model = Annotated[
    str | None,
    typer.Option(help="provider:name, longwriter:NAME@URL or offline; else $LONGCHAIN_MODEL …"),
]
BaseUrl = Annotated[
    str | None, typer.Option(help="An OpenAI-compatible server; else $LONGCHAIN_BASE_URL.")
]
Planner = Annotated[str | None, typer.Option(help="The model that plans, if another.")]
Sources = Annotated[
    list[str] | None,
    typer.Option("--source", help="A text or Markdown file, or a folder of them; repeatable."),
]
Language = Annotated[str | None, typer.Option(help="Language tag such as ja; else detected.")]
Style = Annotated[Path | None, typer.Option(help="A file that says how to write.")]
OutputFile = Annotated[Path | None, typer.Option("--output", "-o", help="The file to write.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")]
State = Annotated[
    str | None,
    typer.Option(help="Where runs are kept: a folder or postgresql://…; else $LONGCHAIN_STATE …"),
]
MaxCalls = Annotated[int | None, typer.Option(help="Stop before so many calls are passed.")]
MaxTokens = Annotated[int | None, typer.Option(help="Stop before so many tokens are passed.")]
MaxCost = Annotated[
    float | None, typer.Option(help="Stop before so much money is passed; needs the prices.")
]
PriceIn = Annotated[float | None, typer.Option(help="Of a million prompt tokens.")]
PriceOut = Annotated[float | None, typer.Option(help="Of a million generated tokens.")]
PriceCached = Annotated[
    float | None, typer.Option(help="Of a million cached prompt tokens; else as the others.")
]
Concurrency = Annotated[int, typer.Option(min=1, help="Calls at once, in parallel mode.")]
RequestsPerMinute = Annotated[float | None, typer.Option(help="Calls in a minute, at most.")]
TokensPerMinute = Annotated[float | None, typer.Option(help="Tokens in a minute, at most.")]
Timeout = Annotated[float, typer.Option(help="Seconds that a call may give no sign of life.")]
BadReplies = Annotated[
    Literal["accept", "stop"],
    typer.Option(help="What becomes of a reply that stays in the wrong language or repeats."),
]

EXIT_MISTAKE, EXIT_FAILED, EXIT_STOPPED = 2, 1, 3


@dataclass
class Course:
    """What a command is about, for what is said when it stops."""

    run: Run | None = None


def read(path: Path) -> str:
    """Return a text file's text.

    Raises:
        InputError: It cannot be read, or is no text.
    """
    from longchain.errors import InputError

    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be read: {error.strerror}") from None
    return _decoded(data, repr(str(path)))


def stdin() -> str:
    """Return what comes from standard input."""
    # As bytes: how Python would decode them depends on the system's locale.
    return _decoded(sys.stdin.buffer.read(), "standard input")


def _decoded(data: bytes, name: str) -> str:
    from longchain.errors import InputError

    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{name} cannot be read: it is no UTF-8 text") from None
    if "\0" in text:
        raise InputError(f"{name} cannot be read: it is binary")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def plan_file(path: Path) -> WritingPlan:
    """Return the plan in a file."""
    from longchain.agent.planning.planfile import load
    from longchain.errors import InputError

    try:
        return load(path)
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be read: {error.strerror}") from None


def deliver(document: LongDocument, output: Path | None, as_json: bool) -> None:
    """Write the document to its file or print it; print it also where the file fails."""
    from longchain.apps import export
    from longchain.errors import InputError

    failure: InputError | None = None
    if output is not None:
        try:
            export.write(document, output)
        except InputError as error:
            failure = error
    if as_json or output is None or failure:
        suffix = ".json" if as_json else output.suffix.lower() if output else ".md"
        typer.echo(export.render(document, suffix), nl=False)
    if failure:
        raise InputError(f"{failure}; the document is on standard output instead")


def budget(
    calls: int | None,
    tokens: int | None,
    cost: float | None,
    price_in: float | None,
    price_out: float | None,
    price_cached: float | None,
) -> Budget | None:
    """Return the budget that options name; None for none."""
    from longchain.calls.budget import Budget, Prices

    named = [price_in, price_out, price_cached]
    prices = None
    if any(price is not None for price in named):
        prices = Prices(input=price_in or 0.0, output=price_out or 0.0, cached=price_cached)
    if all(given is None for given in (calls, tokens, cost, prices)):
        return None
    return Budget(calls=calls, tokens=tokens, cost=cost, prices=prices)


def estimate(
    request: Input,
    model: str | None,
    base_url: str | None,
    options: ChainOptions,
    as_json: bool,
    quiet: bool,
) -> None:
    """Print what a document will take, as `AgentWriteChain.estimate` says."""
    from longchain.agent.chain import AgentWriteChain
    from longchain.models.resolve import chat_model, describe

    writer = chat_model(model, base_url=base_url)
    if isinstance(planner := options.get("planner_model"), str):
        options = {**options, "planner_model": chat_model(planner, base_url=base_url)}
    if not quiet:
        typer.echo(f"model: {describe(writer)}", err=True)
    estimate = AgentWriteChain(writer, **options).estimate(request)
    typer.echo(estimate.model_dump_json(indent=2) if as_json else _format_estimate(estimate))


def _format_estimate(estimate: Estimate) -> str:
    """Return an estimate in lines for people, rounded to its precision."""

    def about(number: int) -> str:
        return f"{round(number, min(3 - len(str(number)), 0)):,}"

    cost = (
        f"{estimate.cost:.2g}" if estimate.cost is not None else "give --price-in and --price-out"
    )
    cached = f"{about(estimate.cached_tokens)} of them cached, where the server has a prefix cache"
    lines = [
        f"sections: {estimate.sections}, {estimate.length:,} {estimate.unit}",
        f"calls: about {estimate.calls}, at most {estimate.calls_most}",
        f"prompt tokens: about {about(estimate.input_tokens)}, {cached}",
        f"output tokens: about {about(estimate.output_tokens)}",
        f"cost: {cost}",
    ]
    return "\n".join([*lines, *(f"assumed: {line}" for line in estimate.assumed)])


@contextmanager
def runs(state: str | None) -> Iterator[Runs]:
    """Open the runs, for as long as a command lasts."""
    from longchain.runs import Runs

    with Runs(state) as opened:
        yield opened


@contextmanager
def mistakes() -> Iterator[Course]:
    """Turn what went wrong into one sentence and an exit code; a bug keeps its traceback."""
    from langchain_core.exceptions import ModelError

    from longchain.errors import InputError, LongchainError, MissingExtraError, StoreError
    from longchain.models.error_hints import explain

    course = Course()
    try:
        yield course
    except (InputError, MissingExtraError) as error:
        typer.echo(f"longchain: {error}", err=True)
        raise typer.Exit(EXIT_MISTAKE) from None
    except BrokenPipeError:  # who read the output has gone, which click knows how to end
        raise
    except (LongchainError, ModelError, OSError) as error:
        typer.echo(f"longchain: {explain(error)}", err=True)
        early = EXIT_MISTAKE if isinstance(error, StoreError) else EXIT_FAILED
        planned = course.run is not None and course.run.record.sections > 0
        raise typer.Exit(_stopped(course) if planned else early) from None
    except KeyboardInterrupt:
        typer.echo("longchain: interrupted", err=True)
        raise typer.Exit(_stopped(course) or 130) from None


def _stopped(course: Course) -> int:
    """Say how to go on, where there is a run to go on with."""
    if course.run is None:
        return 0
    record = course.run.record
    kept = f"{record.finished} of {record.sections} sections are finished and kept"
    typer.echo(
        f"longchain: {kept if record.sections else 'nothing is planned yet'}; "
        f"go on with: longchain resume {record.id}",
        err=True,
    )
    return EXIT_STOPPED
