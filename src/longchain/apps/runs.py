"""Commands of runs: `resume`, `revise`, `fork`, `export`, `runs`.

arguments -> calls of `longchain.runs`, which a user's program calls in the same way
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from longchain.apps import console
from longchain.apps.console import (
    AsJson,
    BaseUrl,
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
    State,
    Style,
)

if TYPE_CHECKING:
    from longchain.agent.options import ChainOptions
    from longchain.runs import Record, Run, Runs

Name = Annotated[
    str, typer.Argument(help="Name of the run, the beginning of it, or: last.", show_default=False)
]
PlanFile = Annotated[Path | None, typer.Option(help="File with another plan: .yaml, .json or .md.")]
NewInstruction = Annotated[
    str | None, typer.Option(help="Another instruction, for sections not yet written.")
]

_SHOWN_FIELDS = (
    "id", "status", "instruction", "title", "model", "base_url", "created", "updated", "parent",
    "output", "error", "version",
)  # fmt: skip
"""Fields of a record that `longchain runs show` prints."""

_MAX_TITLE = 60
"""Characters of a title in the list of runs."""

runs_app = typer.Typer(help="List, show and delete runs.", no_args_is_help=False)


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (resume, revise, fork, export):
        app.command()(command)
    app.add_typer(runs_app, name="runs")


def resume(
    run: Name = "last",
    model: Model = None,
    base_url: BaseUrl = None,
    planner_model: Planner = None,
    instruction: NewInstruction = None,
    length: Length = None,
    style: Style = None,
    plan: PlanFile = None,
    edit_plan: Annotated[
        bool, typer.Option("--edit-plan", help="Open the plan in $EDITOR before writing.")
    ] = False,
    output: OutputFile = None,
    max_calls: MaxCalls = None,
    max_tokens: MaxTokens = None,
    max_cost: MaxCost = None,
    price_in: PriceIn = None,
    price_out: PriceOut = None,
    price_cached: PriceCached = None,
    state: State = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Resume a run; if it is finished, write its document again, without a call."""
    budget = console.build_budget(
        max_calls, max_tokens, max_cost, price_in, price_out, price_cached
    )
    with console.report_errors() as context, console.open_runs(state) as store:
        file = _check_output(output, store, run)
        options: ChainOptions = {}
        if planner_model:
            options["planner_model"] = planner_model
        if budget:
            options["budget"] = budget
        context.run = resumed = store.resume(
            run,
            model=model,
            base_url=base_url,
            instruction=instruction,
            length=length,
            style=console.read_text(style) if style else None,
            plan=console.load_plan(plan) if plan else None,
            **options,
        )
        if edit_plan and not resumed.reviewing():
            _edit_plan(resumed)
        finish(resumed, file, as_json=as_json, quiet=quiet)


def revise(
    run: Name,
    section: Annotated[int, typer.Argument(help="Number of the section, from 1.")],
    note: Annotated[str, typer.Argument(help="What to change, such as: shorter, less formal.")],
    length: Length = None,
    model: Model = None,
    base_url: BaseUrl = None,
    output: OutputFile = None,
    state: State = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Revise one finished section; the others stay as they are."""
    with console.report_errors() as context, console.open_runs(state) as store:
        file = _check_output(output, store, run)
        context.run = resumed = store.resume(run, model=model, base_url=base_url)
        resumed.revise(section, note, length)
        finish(resumed, file, as_json=as_json, quiet=quiet)


def fork(
    run: Name,
    section: Annotated[int, typer.Option(help="Number of the first section to write again.")],
    text: Annotated[
        Path | None, typer.Option(help="File with a text that replaces the section.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the new run.")] = None,
    model: Model = None,
    base_url: BaseUrl = None,
    instruction: NewInstruction = None,
    plan: PlanFile = None,
    output: OutputFile = None,
    state: State = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write again from a section on, in a new run; the old run stays as it is."""
    with console.report_errors() as context, console.open_runs(state) as store:
        if output is not None:
            _check_output(output, store, run)
        context.run = store.fork(
            run,
            section,
            text=console.read_text(text) if text else None,
            name=name,
            model=model,
            base_url=base_url,
            instruction=instruction,
            plan=console.load_plan(plan) if plan else None,
        )
        finish(context.run, output, as_json=as_json, quiet=quiet)


def export(
    run: Name,
    output: OutputFile = None,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Write the finished sections of a run as a document, without a call."""
    with console.report_errors(), console.open_runs(state) as store:
        if output is not None:
            _check_output(output, store, run)
        stored_run = store.get(run)
        document = stored_run.document()
        console.deliver(document, output, as_json)
        if not document.report["finished"]:
            record = stored_run.record
            typer.echo(
                f"longchain: not finished: {len(document.sections)} of {record.sections} sections; "
                f"go on with: longchain resume {record.id}",
                err=True,
            )


@runs_app.callback(invoke_without_command=True)
def list_runs(context: typer.Context, state: State = None, as_json: AsJson = False) -> None:
    """List the runs, the latest first."""
    if context.invoked_subcommand is not None:
        return
    with console.report_errors(), console.open_runs(state) as store:
        records = store.list()
        if as_json:
            rows = [{**record.model_dump(), "status": _status(store, record)} for record in records]
            typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
            return
        if not records:
            typer.echo(f"no runs in {store.where}", err=True)
        for record in records:
            typer.echo(_format_row(record, _status(store, record)))


def _format_row(record: Record, status: str) -> str:
    """Return a run as a line of the list."""
    length = f"{record.length:,}"
    if record.required:
        length += f"/{record.required:,}"
    return (
        f"{record.id:<16}  {status:<11}  {record.finished}/{record.sections}  "
        f"{length} {record.unit}  {_shorten(record.title or record.instruction)}"
    )


@runs_app.command("show")
def show(run: Name, state: State = None, as_json: AsJson = False) -> None:
    """Show a run: its record and its sections."""
    with console.report_errors(), console.open_runs(state) as store:
        record = store.record(run)
        sections = [
            {
                "heading": section.plan.heading,
                "planned": section.plan.length,
                "length": section.length,
                "done": section.done,
            }
            for section in store.get(record.id).progress().sections
        ]
        fields = {**record.model_dump(), "status": _status(store, record), "plan": sections}
        if as_json:
            typer.echo(json.dumps(fields, ensure_ascii=False, indent=2))
            return
        for key in _SHOWN_FIELDS:
            if fields[key]:
                typer.echo(f"{key.replace('_', ' ')}: {fields[key]}")
        usage = record.usage
        typer.echo(f"length: {record.length:,} of {record.required or 0:,} {record.unit}")
        typer.echo(
            f"usage: {usage.calls:,} calls, {usage.input_tokens:,} prompt tokens "
            f"({usage.cached_tokens:,} cached), {usage.output_tokens:,} output tokens"
        )
        for number, section in enumerate(sections, 1):
            length = f"{section['length']:,}" if section["done"] else "-"
            typer.echo(f"{number:>4}. {section['heading']}: {length} of {section['planned']:,}")


@runs_app.command("delete")
def delete(
    run: Annotated[list[str], typer.Argument(help="Names of the runs.")], state: State = None
) -> None:
    """Delete runs with all their text."""
    with console.report_errors(), console.open_runs(state) as store:
        names = [store.record(name).id for name in run]  # an unknown name deletes none of them
        for name in names:
            store.delete(name)
            typer.echo(f"deleted: {name}", err=True)


def finish(run: Run, output: Path | None, *, as_json: bool, quiet: bool) -> None:
    """Write a run to its end, with a review of its plan if it waits for one, and output it."""
    from longchain.apps import progress

    if not quiet:
        progress.announce(run)
    document = progress.write(run, quiet=quiet, rescue=output)
    if document is None:
        _edit_plan(run)
        document = progress.write(run, quiet=quiet, rescue=output)
    assert document is not None
    console.deliver(document, output, as_json)
    progress.remove_partial(output)
    if not quiet:
        progress.summarize(document, output)


def _edit_plan(run: Run) -> None:
    """Let the user edit the plan of a run, and pass it to the run."""
    from longchain.apps import editor

    plan = run.plan
    if plan is None:
        return
    folder = Path(run.record.output).parent if run.record.output else Path()
    path = folder / f"{run.id}.plan.yaml"
    try:
        edited = editor.edit_plan(plan, path)
    except Exception:
        if path.exists():
            typer.echo(
                f"longchain: when it is right: longchain resume {run.id} --plan {path}", err=True
            )
        raise
    if run.reviewing():
        run.review(edited if edited != plan else True)
        return
    for message in run.edit(edited):
        typer.echo(f"resumed: {message}", err=True)


def _check_output(output: Path | None, store: Runs, run: str) -> Path | None:
    """Return the output file: the one given now, or else the one given before; None for none."""
    from longchain.apps import export

    previous = store.record(run).output
    if output is None:
        if not previous:
            return None
        output = Path(previous)
    same = str(output.absolute()) == previous
    return export.check(output, sources=store.get(run).sources, in_sources=same)


def _status(store: Runs, record: Record) -> str:
    """Return the status of a run; `interrupted` if the process that wrote it is gone."""
    if record.status == "writing" and not store.held(record.id):
        return "interrupted"
    return record.status


def _shorten(text: str) -> str:
    """Return a text on one line, with an ellipsis if it is too long."""
    line = " ".join(text.split())
    if len(line) <= _MAX_TITLE:
        return line
    return line[: _MAX_TITLE - 1] + "…"
