"""Parts that the commands share: options, reading of files, output, and reports of errors.

values of the command line -> inputs of the library; errors -> one sentence and an exit code

Knows the terminal. Imports the library only when a command runs, so that `longchain --help` is
quick.
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
    int | None, typer.Option(help="Required length; default: as in the instruction.")
]
Units = Annotated[
    Literal["words", "characters"] | None,
    typer.Option(help="Unit of --length; default: the usual one of the language."),
]
Model = Annotated[
    str | None,
    typer.Option(help="provider:name, longwriter:NAME@URL or offline; default: $LONGCHAIN_MODEL …"),
]
BaseUrl = Annotated[
    str | None, typer.Option(help="OpenAI-compatible server; default: $LONGCHAIN_BASE_URL.")
]
Planner = Annotated[
    str | None, typer.Option(help="Model that plans; default: the model that writes.")
]
Sources = Annotated[
    list[str] | None,
    typer.Option("--source", help="Text or Markdown file, or a folder of them; repeatable."),
]
Language = Annotated[str | None, typer.Option(help="Language tag such as ja; default: detected.")]
Style = Annotated[Path | None, typer.Option(help="File with a style guide.")]
OutputFile = Annotated[Path | None, typer.Option("--output", "-o", help="File to write.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print no progress.")]
State = Annotated[
    str | None,
    typer.Option(help="Store of runs: folder or postgresql://…; default: $LONGCHAIN_STATE …"),
]
MaxCalls = Annotated[int | None, typer.Option(help="Stop before this number of calls is exceeded.")]
MaxTokens = Annotated[
    int | None, typer.Option(help="Stop before this number of tokens is exceeded.")
]
MaxCost = Annotated[
    float | None, typer.Option(help="Stop before this cost is exceeded; needs the prices.")
]
PriceIn = Annotated[float | None, typer.Option(help="Price of a million prompt tokens.")]
PriceOut = Annotated[float | None, typer.Option(help="Price of a million output tokens.")]
PriceCached = Annotated[
    float | None, typer.Option(help="Price of a million cached prompt tokens; default: --price-in.")
]
Concurrency = Annotated[
    int, typer.Option(min=1, help="Maximum number of calls at once, in parallel mode.")
]
RequestsPerMinute = Annotated[
    float | None, typer.Option(help="Maximum number of calls per minute.")
]
TokensPerMinute = Annotated[float | None, typer.Option(help="Maximum number of tokens per minute.")]
Timeout = Annotated[
    float, typer.Option(help="Seconds without any output after which a call fails.")
]
BadReplies = Annotated[
    Literal["accept", "stop"],
    typer.Option(help="Replies that remain in the wrong language or repetitive."),
]

EXIT_FAILED = 1
"""Exit code if the model failed before anything was written."""

EXIT_USER_ERROR = 2
"""Exit code if the user must correct something."""

EXIT_STOPPED = 3
"""Exit code of a run that stopped and can be resumed."""


@dataclass
class ErrorContext:
    """Context of an error: what a message about it must name."""

    run: Run | None = None
    """Run that the command writes."""


def read_text(path: Path) -> str:
    """Return the content of a text file.

    Raises:
        InputError: It cannot be read, or is no text.
    """
    from longchain.errors import InputError

    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be read: {error.strerror}") from None
    return _decode(data, repr(str(path)))


def read_stdin() -> str:
    """Return the text of standard input."""
    # Read as bytes: Python would decode them according to the locale of the system.
    return _decode(sys.stdin.buffer.read(), "standard input")


def _decode(data: bytes, name: str) -> str:
    from longchain.errors import InputError

    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{name} cannot be read: it is no UTF-8 text") from None
    if "\0" in text:
        raise InputError(f"{name} cannot be read: it is binary")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def load_plan(path: Path) -> WritingPlan:
    """Return the plan in a file.

    Raises:
        InputError: The file cannot be read, or has no usable plan.
    """
    from longchain.agent.planning.planfile import load
    from longchain.errors import InputError

    try:
        return load(path)
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be read: {error.strerror}") from None


def deliver(document: LongDocument, output: Path | None, as_json: bool) -> None:
    """Write the document to its file, or print it; print it also if the file cannot be written.

    Raises:
        InputError: The file could not be written.
    """
    from longchain.apps import export
    from longchain.errors import InputError

    failure: InputError | None = None
    if output is not None:
        try:
            export.write(document, output)
        except InputError as error:
            failure = error
    if as_json:
        typer.echo(export.render(document, ".json"), nl=False)
    elif output is None:
        typer.echo(export.render(document, ".md"), nl=False)
    elif failure:
        typer.echo(export.render(document, output.suffix.lower()), nl=False)
    if failure:
        raise InputError(f"{failure}; the document is on standard output instead")


def build_budget(
    calls: int | None,
    tokens: int | None,
    cost: float | None,
    price_in: float | None,
    price_out: float | None,
    price_cached: float | None,
) -> Budget | None:
    """Return the budget with the given limits and prices; None if none is given."""
    from longchain.calls.budget import Budget, Prices

    prices = None
    if any(price is not None for price in (price_in, price_out, price_cached)):
        prices = Prices(input=price_in or 0.0, output=price_out or 0.0, cached=price_cached)
    if all(value is None for value in (calls, tokens, cost, prices)):
        return None
    return Budget(calls=calls, tokens=tokens, cost=cost, prices=prices)


def print_estimate(
    request: Input,
    model: str | None,
    base_url: str | None,
    options: ChainOptions,
    as_json: bool,
    quiet: bool,
) -> None:
    """Print the estimate of the calls, tokens and cost of a document."""
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
    """Return an estimate as lines, rounded to its precision."""

    def about(number: int) -> str:
        """Return a number rounded to three digits."""
        return f"{round(number, min(3 - len(str(number)), 0)):,}"

    cost = "give --price-in and --price-out"
    if estimate.cost is not None:
        cost = f"{estimate.cost:.2g}"
    cached = f"{about(estimate.cached_tokens)} of them cached, if the server has a prefix cache"
    lines = [
        f"sections: {estimate.sections}, {estimate.length:,} {estimate.unit}",
        f"calls: about {estimate.calls}, at most {estimate.calls_most}",
        f"prompt tokens: about {about(estimate.input_tokens)}, {cached}",
        f"output tokens: about {about(estimate.output_tokens)}",
        f"cost: {cost}",
    ]
    return "\n".join([*lines, *(f"assumed: {line}" for line in estimate.assumed)])


@contextmanager
def open_runs(state: str | None) -> Iterator[Runs]:
    """Open the store of runs while a command runs."""
    from longchain.runs import Runs

    with Runs(state) as store:
        yield store


@contextmanager
def report_errors() -> Iterator[ErrorContext]:
    """Turn an expected error into one sentence and an exit code; a bug keeps its traceback."""
    from langchain_core.exceptions import ModelError

    from longchain.errors import InputError, LongchainError, MissingExtraError, StoreError
    from longchain.models.error_hints import explain

    context = ErrorContext()
    try:
        yield context
    except (InputError, MissingExtraError) as error:
        typer.echo(f"longchain: {error}", err=True)
        raise typer.Exit(EXIT_USER_ERROR) from None
    except BrokenPipeError:  # nobody reads the output any more: click ends the command quietly
        raise
    except (LongchainError, ModelError, OSError) as error:
        typer.echo(f"longchain: {explain(error)}", err=True)
        if context.run is not None and context.run.record.sections > 0:
            code = _describe_stop(context)
        elif isinstance(error, StoreError):
            code = EXIT_USER_ERROR
        else:
            code = EXIT_FAILED
        raise typer.Exit(code) from None
    except KeyboardInterrupt:
        typer.echo("longchain: interrupted", err=True)
        raise typer.Exit(_describe_stop(context) or 130) from None


def _describe_stop(context: ErrorContext) -> int:
    """Print how to resume the run; return the exit code, 0 if there is no run."""
    if context.run is None:
        return 0
    record = context.run.record
    state = "nothing is planned yet"
    if record.sections:
        state = f"{record.finished} of {record.sections} sections are finished and kept"
    typer.echo(f"longchain: {state}; go on with: longchain resume {record.id}", err=True)
    return EXIT_STOPPED
