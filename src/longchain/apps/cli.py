"""Command line: `longchain write`, `plan`, `check`, `vllm`; commands of runs and benchmarks.

arguments -> calls of the library -> result on stdout or in a file, progress on stderr

Exit codes: 0 done, 1 the model failed before anything was written, 2 the user must correct
something, 3 stopped and resumable. Has no logic of its own: it calls the library as a user would,
and imports it only when a command runs, so that `longchain --help` is quick.
"""

from __future__ import annotations

import json
import os
import sys
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from longchain.apps import bench, console, runs
from longchain.apps.console import (
    AsJson,
    BadReplies,
    BaseUrl,
    Concurrency,
    Instruction,
    Language,
    Length,
    MaxCalls,
    MaxCost,
    MaxTokens,
    Model,
    OutputFile,
    Planner,
    PriceCached,
    PriceIn,
    PriceOut,
    Quiet,
    RequestsPerMinute,
    Sources,
    State,
    Style,
    Timeout,
    TokensPerMinute,
    Units,
)

if TYPE_CHECKING:
    from longchain.agent.options import ChainOptions
    from longchain.agent.request import Input
    from longchain.document import Unit

app = typer.Typer(
    name="longchain",
    help="Write long documents with any LangChain chat model, at the length asked for.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


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
    plan: Annotated[Path | None, typer.Option(help="Plan file: .yaml, .json or .md.")] = None,
    edit_plan: Annotated[
        bool, typer.Option("--edit-plan", help="Open the plan in $EDITOR before writing.")
    ] = False,
    mode: Annotated[Literal["sequential", "parallel", "direct"], typer.Option()] = "sequential",
    memory: Annotated[Literal["auto", "full", "summary"], typer.Option()] = "auto",
    layout: Annotated[Literal["conversation", "paper"], typer.Option()] = "conversation",
    language: Language = None,
    style: Style = None,
    output: OutputFile = None,
    run: Annotated[str | None, typer.Option(help="Name of the run; default: a new one.")] = None,
    length_control: Annotated[
        bool, typer.Option(help="Measure and correct lengths; the paper does not.")
    ] = True,
    grounded_only: Annotated[bool, typer.Option(help="Write from the sources only.")] = False,
    window: Annotated[
        int | None,
        typer.Option(min=1, help="Context window of the model in tokens, if not known."),
    ] = None,
    max_calls: MaxCalls = None,
    max_tokens: MaxTokens = None,
    max_cost: MaxCost = None,
    price_in: PriceIn = None,
    price_out: PriceOut = None,
    price_cached: PriceCached = None,
    max_concurrency: Concurrency = 128,
    requests_per_minute: RequestsPerMinute = None,
    tokens_per_minute: TokensPerMinute = None,
    timeout: Timeout = 600.0,
    bad_replies: BadReplies = "accept",
    state: State = None,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Print calls, tokens and cost, and write nothing.")
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write a document: plan it, then write it section by section."""
    with console.report_errors() as context:
        from longchain.apps import editor, export

        if output is not None:
            export.check(output, sources=source or ())
        document_input = _build_input(instruction, length, unit, language, style, source)
        if plan is not None:
            document_input["plan"] = console.load_plan(plan)
        options: ChainOptions = {
            "mode": mode,
            "memory": memory,
            "layout": layout,
            "length_control": length_control,
            "grounded_only": grounded_only,
            "window": window,
            "review": edit_plan and plan is None,
            "max_concurrency": max_concurrency,
            "requests_per_minute": requests_per_minute,
            "tokens_per_minute": tokens_per_minute,
            "timeout": timeout,
            "bad_replies": bad_replies,
            "budget": console.build_budget(
                max_calls, max_tokens, max_cost, price_in, price_out, price_cached
            ),
            "streaming": True,
        }
        if planner_model:
            options["planner_model"] = planner_model
        if estimate:
            console.print_estimate(document_input, model, base_url, options, as_json, quiet)
            return
        if edit_plan and plan is not None:
            edited_file = plan.with_suffix(".edited.yaml")
            document_input["plan"] = editor.edit_plan(document_input["plan"], edited_file)
        with console.open_runs(state) as store:
            context.run = store.start(
                document_input,
                model=model,
                base_url=base_url,
                run=run,
                output=output,
                **options,
            )
            runs.finish(context.run, output, as_json=as_json, quiet=quiet)


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
    """Plan a document; edit the plan, and pass it to `longchain write --plan`."""
    with console.report_errors():
        from longchain.agent.chain import AgentWriteChain
        from longchain.agent.planning.planfile import dumps, save
        from longchain.apps import export, progress
        from longchain.models.resolve import chat_model, describe

        if output is not None:
            export.check(output, export.PLAN_FORMATS, sources=source or ())
        document_input = _build_input(instruction, length, unit, language, style, source)
        planner = chat_model(model, base_url=base_url)
        if not quiet:
            typer.echo(f"model: {describe(planner)}", err=True)
        result = AgentWriteChain(planner).plan(document_input)
        if output is None:
            typer.echo(dumps(result, "json" if as_json else "yaml"), nl=False)
            return
        save(result, output)
        if not quiet:
            typer.echo(f"plan: {progress.describe_plan(result)} -> {output}", err=True)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="Text or Markdown file; - for standard input.")],
    length: Length = None,
    unit: Units = None,
    language: Language = None,
    as_json: AsJson = False,
) -> None:
    """Measure a text: length against the required one, repetition, structure."""
    with console.report_errors():
        from longchain import language as languages
        from longchain import length as lengths
        from longchain.agent.finishing.report import measure
        from longchain.apps import progress

        text = console.read_stdin() if str(file) == "-" else console.read_text(file)
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
            typer.echo(progress.describe_measures(measured))


@app.command()
def vllm(
    model: Annotated[str, typer.Argument(help="Folder of a model, or its name on a hub.")],
    flags: Annotated[
        list[str] | None, typer.Argument(help="After --, more flags of vllm serve.")
    ] = None,
    python: Annotated[
        str | None, typer.Option(help="Python with vLLM; default: $LONGCHAIN_VLLM_PYTHON.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Port of the server; default: a free one.")
    ] = None,
    served_model_name: Annotated[
        str | None, typer.Option(help="Name of the model in requests.")
    ] = None,
    tensor_parallel_size: Annotated[
        int | None, typer.Option(help="Number of GPUs to split the model over.")
    ] = None,
    max_model_len: Annotated[
        int | None, typer.Option(help="Maximum tokens of prompt and reply together.")
    ] = None,
    dtype: Annotated[
        str | None, typer.Option(help="Type of the weights, such as bfloat16.")
    ] = None,
    quantization: Annotated[
        str | None, typer.Option(help="Quantization, such as awq or fp8.")
    ] = None,
    lora: Annotated[
        list[str] | None, typer.Option(help="LoRA adapter as NAME=FOLDER; repeatable.")
    ] = None,
    chat_template: Annotated[
        Path | None, typer.Option(help="Chat template file, for models without one.")
    ] = None,
    startup_timeout: Annotated[
        float, typer.Option(help="Maximum seconds until the server is ready.")
    ] = 1800.0,
    quiet: Quiet = False,
) -> None:
    """Serve a model by vLLM on this machine until Ctrl-C; the key is read from $VLLM_API_KEY."""
    with console.report_errors():
        from longchain.apps import vllm as vllm_server
        from longchain.models.longwriter.model_server import server_options
        from longchain.models.server import serve

        options = {
            "python": python,
            "port": port,
            "served_model_name": served_model_name,
            "tensor_parallel_size": tensor_parallel_size,
            "max_model_len": max_model_len,
            "dtype": dtype,
            "quantization": quantization,
            "lora": vllm_server.parse_adapters(lora or []),
            "chat_template": chat_template,
            "flags": flags,
            "startup_timeout": startup_timeout,
            "progress": None if quiet else vllm_server.show_progress,
        }
        vllm_server.run(serve(model, **server_options(model, options)), quiet=quiet)


def _build_input(
    instruction: str,
    length: int | None,
    unit: Unit | None,
    language: str | None,
    style: Path | None,
    source: list[str] | None,
) -> Input:
    """Return the input of the chain that the arguments describe."""
    return {
        "instruction": console.read_stdin() if instruction == "-" else instruction,
        "length": length,
        "unit": unit,
        "language": language,
        "style": console.read_text(style) if style is not None else None,
        "sources": source or None,
    }


runs.register(app)
bench.register(app)


def main() -> None:
    """Run the command line."""
    try:
        app()
    except SystemExit as end:
        if end.code == console.EXIT_STOPPED:
            # End at once: a process that ends normally waits for threads whose calls nobody
            # needs any more.
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(console.EXIT_STOPPED)
        raise
