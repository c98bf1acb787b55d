"""The command line: `longchain write`, `plan`, `check`, `vllm`, about runs, about benchmarks.

The result goes to stdout or a file, progress to stderr. Exit codes: 0 done, 1 the model failed
before anything was written, 2 the user's mistake, 3 stopped and resumable. Holds no logic: it
calls the library as a user would, and imports it only when a command runs, so that
`longchain --help` is quick.
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
    plan: Annotated[Path | None, typer.Option(help="A plan file: .yaml, .json or .md.")] = None,
    edit_plan: Annotated[
        bool, typer.Option("--edit-plan", help="Open the plan in $EDITOR before it is followed.")
    ] = False,
    mode: Annotated[Literal["sequential", "parallel", "direct"], typer.Option()] = "sequential",
    memory: Annotated[Literal["auto", "full", "summary"], typer.Option()] = "auto",
    layout: Annotated[Literal["conversation", "paper"], typer.Option()] = "conversation",
    language: Language = None,
    style: Style = None,
    output: OutputFile = None,
    run: Annotated[str | None, typer.Option(help="The run's name; else one is made.")] = None,
    length_control: Annotated[
        bool, typer.Option(help="Measure and correct on the way; the paper does not.")
    ] = True,
    grounded_only: Annotated[bool, typer.Option(help="Write from the sources alone.")] = False,
    window: Annotated[
        int | None,
        typer.Option(min=1, help="The model's context window in tokens, if it does not say."),
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
        bool, typer.Option("--estimate", help="Say what it will take, and write nothing.")
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write a document: plan it, then write it section by section."""
    with console.mistakes() as course:
        from longchain.apps import editor, export

        if output is not None:
            export.check(output, sources=source or ())
        given = _given(instruction, length, unit, language, style, source)
        if plan is not None:
            given["plan"] = console.plan_file(plan)
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
            "budget": console.budget(
                max_calls, max_tokens, max_cost, price_in, price_out, price_cached
            ),
            "streaming": True,
        }
        if planner_model:
            options["planner_model"] = planner_model
        if estimate:
            console.estimate(given, model, base_url, options, as_json, quiet)
            return
        if edit_plan and plan is not None:
            given["plan"] = editor.edited(given["plan"], plan.with_suffix(".edited.yaml"))
        with console.runs(state) as kept:
            course.run = kept.start(
                given,
                model=model,
                base_url=base_url,
                run=run,
                output=output,
                **options,
            )
            runs.finish(course.run, output, as_json=as_json, quiet=quiet)


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
    with console.mistakes():
        from longchain.agent.chain import AgentWriteChain
        from longchain.agent.planning.planfile import dumps, save
        from longchain.apps import export, progress
        from longchain.models.resolve import chat_model, describe

        if output is not None:
            export.check(output, export.PLAN_FORMATS, sources=source or ())
        given = _given(instruction, length, unit, language, style, source)
        chosen = chat_model(model, base_url=base_url)
        if not quiet:
            typer.echo(f"model: {describe(chosen)}", err=True)
        made = AgentWriteChain(chosen).plan(given)
        if output is not None:
            save(made, output)
            if not quiet:
                typer.echo(f"plan: {progress.describe_plan(made)} -> {output}", err=True)
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
    with console.mistakes():
        from longchain import language as languages
        from longchain import length as lengths
        from longchain.agent.finishing.report import measure
        from longchain.apps import progress

        text = console.stdin() if str(file) == "-" else console.read(file)
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
    with console.mistakes():
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


def _given(
    instruction: str,
    length: int | None,
    unit: Unit | None,
    language: str | None,
    style: Path | None,
    source: list[str] | None,
) -> Input:
    """Return the chain's input as the command line names it."""
    return {
        "instruction": console.stdin() if instruction == "-" else instruction,
        "length": length,
        "unit": unit,
        "language": language,
        "style": console.read(style) if style is not None else None,
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
            # Who stops a run wants it stopped: calls that nobody waits for any more, and all
            # else that a process does when it ends, would hold it up.
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(console.EXIT_STOPPED)
        raise
