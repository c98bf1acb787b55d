"""The commands about runs: `resume`, `revise`, `fork`, `export`, `runs`.

Holds no logic: `longchain.runs` has it, and a user's program calls it the same way.
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
    str, typer.Argument(help="The run's name, the beginning of it, or: last.", show_default=False)
]
PlanFile = Annotated[Path | None, typer.Option(help="Another plan: .yaml, .json or .md.")]
NewInstruction = Annotated[
    str | None, typer.Option(help="Another instruction, for what is not written yet.")
]

several = typer.Typer(help="List, show and delete runs.", no_args_is_help=False)


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (resume, revise, fork, export):
        app.command()(command)
    app.add_typer(several, name="runs")


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
        bool, typer.Option("--edit-plan", help="Open the plan in $EDITOR first.")
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
    """Go on with a run; of a finished one, write the document out again without a call."""
    limits = console.budget(max_calls, max_tokens, max_cost, price_in, price_out, price_cached)
    with console.mistakes() as course, console.runs(state) as kept:
        file = _output(output, kept, run)
        options: ChainOptions = {}
        if planner_model:
            options["planner_model"] = planner_model
        if limits:
            options["budget"] = limits
        course.run = found = kept.resume(
            run,
            model=model,
            base_url=base_url,
            instruction=instruction,
            length=length,
            style=console.read(style) if style else None,
            plan=console.plan_file(plan) if plan else None,
            **options,
        )
        if edit_plan and not found.reviewing():
            _edit(found)
        finish(found, file, as_json=as_json, quiet=quiet)


def revise(
    run: Name,
    section: Annotated[int, typer.Argument(help="The section's number, from 1.")],
    note: Annotated[str, typer.Argument(help="What to change, such as: shorter, less formal.")],
    length: Length = None,
    model: Model = None,
    base_url: BaseUrl = None,
    output: OutputFile = None,
    state: State = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Have one finished section changed, and keep the rest."""
    with console.mistakes() as course, console.runs(state) as kept:
        file = _output(output, kept, run)
        course.run = found = kept.resume(run, model=model, base_url=base_url)
        found.revise(section, note, length)
        finish(found, file, as_json=as_json, quiet=quiet)


def fork(
    run: Name,
    section: Annotated[int, typer.Option(help="Write on from this section, from 1.")],
    text: Annotated[
        Path | None, typer.Option(help="A file whose text takes the section's place.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="The new run's name.")] = None,
    model: Model = None,
    base_url: BaseUrl = None,
    instruction: NewInstruction = None,
    plan: PlanFile = None,
    output: OutputFile = None,
    state: State = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write on from a section in a new run, and leave the old one as it is."""
    with console.mistakes() as course, console.runs(state) as kept:
        if output is not None:
            _output(output, kept, run)
        course.run = kept.fork(
            run,
            section,
            text=console.read(text) if text else None,
            name=name,
            model=model,
            base_url=base_url,
            instruction=instruction,
            plan=console.plan_file(plan) if plan else None,
        )
        finish(course.run, output, as_json=as_json, quiet=quiet)


def export(
    run: Name,
    output: OutputFile = None,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Write out what is finished of a run, without a call."""
    with console.mistakes(), console.runs(state) as kept:
        if output is not None:
            _output(output, kept, run)
        found = kept.get(run)
        document = found.document()
        console.deliver(document, output, as_json)
        if not document.report["finished"]:
            record = found.record
            typer.echo(
                f"longchain: not finished: {len(document.sections)} of {record.sections} sections; "
                f"go on with: longchain resume {record.id}",
                err=True,
            )


@several.callback(invoke_without_command=True)
def listed(context: typer.Context, state: State = None, as_json: AsJson = False) -> None:
    """List the runs, the latest first."""
    if context.invoked_subcommand is not None:
        return
    with console.mistakes(), console.runs(state) as kept:
        records = kept.list()
        if as_json:
            shown = [{**r.model_dump(), "status": _status(kept, r)} for r in records]
            typer.echo(json.dumps(shown, ensure_ascii=False, indent=2))
            return
        if not records:
            typer.echo(f"no runs in {kept.where}", err=True)
        for record in records:
            length = f"{record.length:,}"
            if record.required:
                length += f"/{record.required:,}"
            typer.echo(
                f"{record.id:<16}  {_status(kept, record):<11}  "
                f"{record.finished}/{record.sections}  {length} {record.unit}  "
                f"{_line(record.title or record.instruction)}"
            )


@several.command("show")
def show(run: Name, state: State = None, as_json: AsJson = False) -> None:
    """Say all that is known of a run."""
    with console.mistakes(), console.runs(state) as kept:
        record = kept.record(run)
        found = kept.get(record.id)
        state_now = found.progress()
        sections = [
            {
                "heading": d.plan.heading,
                "planned": d.plan.length,
                "length": d.length,
                "done": d.done,
            }
            for d in state_now.sections
        ]
        known = {**record.model_dump(), "status": _status(kept, record), "plan": sections}
        if as_json:
            typer.echo(json.dumps(known, ensure_ascii=False, indent=2))
            return
        for key in ("id", "status", "instruction", "title", "model", "base_url", "created"):
            if known[key]:
                typer.echo(f"{key.replace('_', ' ')}: {known[key]}")
        for key in ("updated", "parent", "output", "error", "version"):
            if known[key]:
                typer.echo(f"{key}: {known[key]}")
        usage = record.usage
        typer.echo(f"length: {record.length:,} of {record.required or 0:,} {record.unit}")
        typer.echo(
            f"usage: {usage.calls:,} calls, {usage.input_tokens:,} prompt tokens "
            f"({usage.cached_tokens:,} cached), {usage.output_tokens:,} output tokens"
        )
        for number, section in enumerate(sections, 1):
            state_of = f"{section['length']:,}" if section["done"] else "-"
            typer.echo(f"{number:>4}. {section['heading']}: {state_of} of {section['planned']:,}")


@several.command("delete")
def delete(
    run: Annotated[list[str], typer.Argument(help="Runs, by name.")], state: State = None
) -> None:
    """Delete runs with all their text."""
    with console.mistakes(), console.runs(state) as kept:
        names = [kept.record(name).id for name in run]  # all of them, or none
        for name in names:
            kept.delete(name)
            typer.echo(f"deleted: {name}", err=True)


def finish(run: Run, output: Path | None, *, as_json: bool, quiet: bool) -> None:
    """Write a run to its end, with its plan reviewed where that was asked for, and deliver it."""
    from longchain.apps import progress

    if not quiet:
        progress.announce(run)
    document = progress.write(run, quiet=quiet, rescue=output)
    if document is None:
        _edit(run)
        document = progress.write(run, quiet=quiet, rescue=output)
    assert document is not None
    console.deliver(document, output, as_json)
    progress.remove_partial(output)
    if not quiet:
        progress.summarize(document, output)


def _edit(run: Run) -> None:
    """Have a run's plan edited, and let the run know."""
    from longchain.apps.editor import edited

    plan = run.plan
    if plan is None:
        return
    where = Path(run.record.output).parent if run.record.output else Path()
    path = where / f"{run.id}.plan.yaml"
    try:
        changed = edited(plan, path)
    except Exception:
        if path.exists():
            typer.echo(
                f"longchain: when it is right: longchain resume {run.id} --plan {path}", err=True
            )
        raise
    if run.reviewing():
        run.review(changed if changed != plan else True)
    else:
        for line in run.edit(changed):
            typer.echo(f"resumed: {line}", err=True)


def _output(output: Path | None, kept: Runs, run: str) -> Path | None:
    """Return the file that a document goes to: as named now, or as it was named before."""
    from longchain.apps import export

    before = kept.record(run).output
    named = output or (Path(before) if before else None)
    if named is None:
        return None
    return export.check(named, sources=kept.get(run).sources, ours=str(named.absolute()) == before)


def _status(kept: Runs, record: Record) -> str:
    """Return a run's state, as a person should see it."""
    if record.status != "writing":
        return record.status
    return "writing" if kept.held(record.id) else "interrupted"


def _line(text: str, most: int = 60) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"
