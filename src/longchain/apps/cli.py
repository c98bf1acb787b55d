"""The command line: `longchain write`, `plan`, `check`, `vllm`.

The result goes to stdout or a file, progress to stderr. Exit codes: 0 done, 1 the model failed,
2 the user's mistake, 130 interrupted. Holds no logic: it calls the library as a user would, and
imports it only when a command runs, so that `longchain --help` is quick.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from longchain.document import LongDocument, WritingPlan

app = typer.Typer(
    name="longchain",
    help="Write long documents with any LangChain chat model, at the length asked for.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

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


def _version(value: bool) -> None:
    if value:
        typer.echo(installed("longchain"))
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


@app.command()
def write(
    instruction: Instruction,
    length: Length = None,
    unit: Units = None,
    model: Model = None,
    base_url: BaseUrl = None,
    planner_model: Planner = None,
    source: Sources = None,
    plan: Annotated[Path | None, typer.Option(help="A plan file: .yaml, .json or .md.")] = None,
    mode: Annotated[Literal["sequential", "parallel", "direct"], typer.Option()] = "sequential",
    memory: Annotated[Literal["auto", "full", "summary"], typer.Option()] = "auto",
    layout: Annotated[Literal["conversation", "paper"], typer.Option()] = "conversation",
    language: Language = None,
    style: Style = None,
    output: OutputFile = None,
    length_control: Annotated[
        bool, typer.Option(help="Measure and correct on the way; the paper does not.")
    ] = True,
    grounded_only: Annotated[bool, typer.Option(help="Write from the sources alone.")] = False,
    window: Annotated[
        int | None,
        typer.Option(min=1, help="The model's context window in tokens, if it does not say."),
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write a document: plan it, then write it section by section."""
    with _mistakes():
        from longchain.agent.chain import AgentWriteChain
        from longchain.apps import export, follow

        if output is not None:
            export.check(output)
        given = _given(instruction, length, unit, language, style, source)
        if plan is not None:
            given["plan"] = _plan(plan)
        chain = AgentWriteChain(
            _model(model, base_url, quiet),
            planner_model=_model(planner_model, base_url, True) if planner_model else None,
            mode=mode,
            memory=memory,
            layout=layout,
            length_control=length_control,
            grounded_only=grounded_only,
            window=window,
        )
        document = follow.write(chain, given, quiet=quiet, rescue=output)
        _deliver(document, output, as_json)
        if not quiet:
            follow.conclude(document, output)


@app.command()
def plan(
    instruction: Instruction,
    length: Length = None,
    unit: Units = None,
    model: Model = None,
    base_url: BaseUrl = None,
    source: Sources = None,
    language: Language = None,
    style: Style = None,
    output: OutputFile = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Plan a document, as a file to edit and hand to `longchain write --plan`."""
    with _mistakes():
        from longchain.agent.chain import AgentWriteChain
        from longchain.agent.planfile import dumps, save
        from longchain.apps import export, follow

        if output is not None:
            export.check(output, export.PLAN_FORMATS)
        given = _given(instruction, length, unit, language, style, source)
        made = AgentWriteChain(_model(model, base_url, quiet)).plan(given)
        if output is not None:
            save(made, output)
            if not quiet:
                typer.echo(f"plan: {follow.parts(made)} -> {output}", err=True)
        else:
            typer.echo(dumps(made, "json" if as_json else "yaml"), nl=False)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="A text or Markdown file; - for standard input.")],
    length: Length = None,
    unit: Units = None,
    language: Language = None,
    as_json: AsJson = False,
) -> None:
    """Measure any text: its length against the required one, repetition, structure."""
    with _mistakes():
        from longchain import language as languages
        from longchain import length as lengths
        from longchain.agent.report import measure
        from longchain.apps import follow

        text = _stdin() if str(file) == "-" else _read(file)
        language = language or languages.detect(text)
        measured = measure(
            text,
            required=None if length is None else lengths.check(length),
            unit=unit or languages.default_unit(language),
            language=language,
        )
        if as_json:
            typer.echo(json.dumps(measured, ensure_ascii=False, indent=2))
        else:
            typer.echo(follow.describe(measured))


@app.command()
def vllm(
    model: Annotated[str, typer.Argument(help="A model's folder, or its name on a hub.")],
    flags: Annotated[
        list[str] | None, typer.Argument(help="After --, more flags as vllm serve takes them.")
    ] = None,
    python: Annotated[
        str | None, typer.Option(help="The Python that has vLLM; else $LONGCHAIN_VLLM_PYTHON.")
    ] = None,
    port: Annotated[int | None, typer.Option(help="Where to listen; else a free port.")] = None,
    served_model_name: Annotated[str | None, typer.Option(help="The name to ask for.")] = None,
    tensor_parallel_size: Annotated[
        int | None, typer.Option(help="GPUs to share the model out over.")
    ] = None,
    max_model_len: Annotated[
        int | None, typer.Option(help="Tokens of prompt and reply together.")
    ] = None,
    dtype: Annotated[str | None, typer.Option(help="Of the weights, such as bfloat16.")] = None,
    quantization: Annotated[str | None, typer.Option(help="Such as awq or fp8.")] = None,
    lora: Annotated[
        list[str] | None, typer.Option(help="A LoRA adapter as NAME=FOLDER; repeatable.")
    ] = None,
    chat_template: Annotated[Path | None, typer.Option(help="A file, for models without.")] = None,
    startup_timeout: Annotated[float, typer.Option(help="Seconds to be ready in.")] = 1800.0,
    quiet: Quiet = False,
) -> None:
    """Serve a model by vLLM on this machine until Ctrl-C; a key comes from $VLLM_API_KEY."""
    with _mistakes():
        from longchain.apps import host
        from longchain.models.longwriter.serving import options
        from longchain.models.server import serve

        given = {
            "python": python,
            "port": port,
            "served_model_name": served_model_name,
            "tensor_parallel_size": tensor_parallel_size,
            "max_model_len": max_model_len,
            "dtype": dtype,
            "quantization": quantization,
            "lora": host.adapters(lora or []),
            "chat_template": chat_template,
            "flags": flags,
            "startup_timeout": startup_timeout,
            "progress": None if quiet else host.progress,
        }
        host.stay(serve(model, **options(model, given)), quiet=quiet)


def _given(
    instruction: str,
    length: int | None,
    unit: str | None,
    language: str | None,
    style: Path | None,
    source: list[str] | None,
) -> dict[str, Any]:
    return {
        "instruction": _stdin() if instruction == "-" else instruction,
        "length": length,
        "unit": unit,
        "language": language,
        "style": _read(style) if style is not None else None,
        "sources": source or None,
    }


def _read(path: Path) -> str:
    from longchain.errors import InputError

    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be read: {error.strerror}") from None
    return _decoded(data, repr(str(path)))


def _stdin() -> str:
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


def _plan(path: Path) -> WritingPlan:
    from longchain.agent.planfile import load
    from longchain.errors import InputError

    try:
        return load(path)
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be read: {error.strerror}") from None


def _deliver(document: LongDocument, output: Path | None, as_json: bool) -> None:
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


def _model(name: str | None, base_url: str | None, quiet: bool) -> Any:
    from longchain.models.resolve import chat_model, describe

    model = chat_model(name, base_url=base_url)
    if not quiet:
        typer.echo(f"model: {describe(model)}", err=True)
    return model


@contextmanager
def _mistakes() -> Iterator[None]:
    """Turn what went wrong into one sentence and an exit code; a bug keeps its traceback."""
    from langchain_core.exceptions import ModelError

    from longchain.errors import InputError, LongchainError, MissingExtraError
    from longchain.models.resolve import explain

    try:
        yield
    except (InputError, MissingExtraError) as error:
        typer.echo(f"longchain: {error}", err=True)
        raise typer.Exit(2) from None
    except BrokenPipeError:  # who read the output has gone, which click knows how to end
        raise
    except (LongchainError, ModelError, OSError) as error:
        typer.echo(f"longchain: {explain(error)}", err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        typer.echo("longchain: interrupted", err=True)
        raise typer.Exit(130) from None


def main() -> None:
    """Run the command line."""
    app()
