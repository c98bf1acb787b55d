"""Reports: the scores of one or several models -> Markdown, JSON, or one HTML file with plots.

`ScoredRun`s (a name and its `Score`s) -> `Report` -> text

All figures are those of `longchain.bench.score.summarize`. Knows tables and what the paper shows;
knows no model and no formula.
"""

from __future__ import annotations

import html
import json
import statistics
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from longchain.bench import svg
from longchain.bench.jsonl import replace_file
from longchain.bench.schema import Score
from longchain.bench.score import summarize
from longchain.errors import InputError

FORMATS = (".html", ".json", ".md")
"""Formats of a report, by its file's suffix."""


@dataclass(frozen=True)
class ScoredRun:
    """The scores of one model on a benchmark."""

    name: str
    scores: Sequence[Score]
    about: Mapping[str, Any] = field(default_factory=dict)
    """Metadata of the texts: model, mode, settings, versions; shown as it is."""


@dataclass(frozen=True)
class ReportEntry:
    """All figures that a report shows of one scored run."""

    name: str
    about: dict[str, Any]
    summary: dict[str, Any]
    """Summary as `summarize` returns it."""

    curve: list[tuple[int, float]]
    """Each required length, and the mean output length."""

    points: list[tuple[int, int, str]]
    """Required and output length of each sample, and its id."""

    def groups(self, by: str) -> dict[str, dict[str, Any]]:
        """Return the summaries of some groups: `ranges`, `kinds`, `languages`."""
        groups: dict[str, dict[str, Any]] = self.summary[by]
        return groups


@dataclass(frozen=True)
class Report:
    """Several scored runs side by side."""

    entries: list[ReportEntry]


def build(runs: Sequence[ScoredRun]) -> Report:
    """Compute the figures of a report.

    Args:
        runs: The runs to compare, in the order shown.

    Raises:
        InputError: There are none, one has no scores, or two share a name.
    """
    if not runs:
        raise InputError("there is nothing to report on")
    names: set[str] = set()
    for run in runs:
        if not run.scores:
            raise InputError(f"{run.name!r} has no scores")
        if run.name in names:
            raise InputError(f"two entries are called {run.name!r}: write NAME=FILE for each")
        names.add(run.name)
    return Report([_build_entry(run) for run in runs])


def _build_entry(run: ScoredRun) -> ReportEntry:
    lengths: defaultdict[int, list[int]] = defaultdict(list)
    points = []
    for score in run.scores:
        if score.required:
            lengths[score.required].append(score.length)
            points.append((score.required, score.length, score.id))
    return ReportEntry(
        name=run.name,
        about=dict(run.about),
        summary=summarize(run.scores),
        curve=[(required, statistics.fmean(lengths[required])) for required in sorted(lengths)],
        points=points,
    )


def render(report: Report, suffix: str) -> str:
    """Return a report in the format of a file's suffix: `.md`, `.json` or `.html`.

    Raises:
        InputError: There is no such format.
    """
    renderers: dict[str, Callable[[Report], str]] = {
        ".md": to_markdown,
        ".json": to_json,
        ".html": to_html,
    }
    return renderers[check(Path(f"report{suffix}")).suffix.lower()](report)


def check(path: Path) -> Path:
    """Return a path that a report can be written to.

    Raises:
        InputError: Its suffix names no format.
    """
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"a report is {', '.join(FORMATS)}, not {path.suffix or path.name!r}")
    return path


def write(report: Report, path: Path) -> None:
    """Write a report to a file, whole or not at all.

    Raises:
        InputError: Its suffix names no format, or it cannot be written.
    """
    replace_file(path, render(report, path.suffix))


def to_json(report: Report) -> str:
    """Return all figures of a report as JSON."""
    return json.dumps(asdict(report), ensure_ascii=False, indent=2) + "\n"


# Tables ------------------------------------------------------------------------------------------


class Table(NamedTuple):
    """A table of text cells."""

    title: str
    heads: list[str]
    rows: list[list[str]]


_EMPTY_CELL = "–"
_HEADS = {"s": "S̄", "s_l": "S_l", "s_q": "S_q", "s_l_published": "S_l, published count"}


def build_tables(report: Report) -> list[Table]:
    """Return the tables of a report, in order."""
    entries = report.entries
    judged = any(entry.summary["s_q"] is not None for entry in entries)
    measures = ["s", "s_l", "s_q"] if judged else ["s_l"]
    tables = [_overall_table(entries, measures)]
    for title, by in (("By type", "kinds"), ("By language", "languages")):
        groups = sorted(_group_names(entries, by))
        if len(groups) > 1:
            tables.append(_group_table(title, entries, by, groups, measures))
    if judged:
        tables.append(_means_table("Quality by dimension", entries, "quality", "{:.1f}"))
    tables.append(_means_table("Other measures", entries, "measures", "{:.4g}"))
    return [*(table for table in tables if table.rows), _counts_table(entries)]


def _overall_table(entries: Sequence[ReportEntry], measures: Sequence[str]) -> Table:
    """Return the paper's table: all samples, and each range of required length."""
    overall = [*measures, "s_l_published"]
    # The mean S̄ is shown of all samples only, as in the paper.
    by_range = [measure for measure in measures if measure != "s"]
    ranges = _group_names(entries, "ranges")
    heads = ["", *(_HEADS[measure] for measure in overall)]
    for name in ranges:
        heads += [f"{name} {_HEADS[measure]}" for measure in by_range]
    rows = []
    for entry in entries:
        row = [entry.name, *(_mean_with_bounds(entry.summary, measure) for measure in overall)]
        for name in ranges:
            group = entry.groups("ranges").get(name)
            row += [_mean(group, measure) for measure in by_range]
        rows.append(row)
    return Table("Overall, and by required length", heads, rows)


def _group_names(entries: Sequence[ReportEntry], by: str) -> list[str]:
    """Return the names of the groups that any entry has, in the order of the longest list."""
    lists = sorted((list(entry.groups(by)) for entry in entries), key=len, reverse=True)
    return list(dict.fromkeys(name for names in lists for name in names))


def _group_table(
    title: str,
    entries: Sequence[ReportEntry],
    by: str,
    names: Sequence[str],
    measures: Sequence[str],
) -> Table:
    """Return a table with a row for each group, and columns for each entry."""
    heads = ["", "samples"]
    for entry in entries:
        prefix = f"{entry.name}, " if len(entries) > 1 else ""
        heads += [prefix + _HEADS[measure] for measure in measures]
    rows = []
    for name in names:
        groups = [entry.groups(by).get(name) for entry in entries]
        samples = max(group["n"] for group in groups if group)
        row = [name, str(samples)]
        for group in groups:
            row += [_mean_with_bounds(group, measure) for measure in measures]
        rows.append(row)
    return Table(title, heads, rows)


def _means_table(title: str, entries: Sequence[ReportEntry], key: str, form: str) -> Table:
    """Return a table with a row for each measure, and a column for each entry."""
    names = dict.fromkeys(name for entry in entries for name in entry.summary[key])
    rows = []
    for name in names:
        row = [name]
        for entry in entries:
            value = entry.summary[key].get(name)
            row.append(_EMPTY_CELL if value is None else form.format(value))
        rows.append(row)
    return Table(title, ["", *(entry.name for entry in entries)], rows)


def _counts_table(entries: Sequence[ReportEntry]) -> Table:
    """Return the numbers of samples and of all that is counted of them."""
    heads = {"n": "samples"}
    for entry in entries:
        for name, value in entry.summary.items():
            if isinstance(value, int):
                heads.setdefault(name, name.replace("_", " "))
    rows = []
    for entry in entries:
        rows.append([entry.name, *(f"{entry.summary.get(name, 0):,}" for name in heads)])
    return Table("Counted", ["", *heads.values()], rows)


def _mean(group: Mapping[str, Any] | None, measure: str) -> str:
    """Return a cell with a mean, such as `62.5`."""
    value = group[measure] if group else None
    return _EMPTY_CELL if value is None else f"{value:.1f}"


def _mean_with_bounds(group: Mapping[str, Any] | None, measure: str) -> str:
    """Return a cell with a mean and its interval, such as `62.5 (40.1–80.3)`."""
    mean = _mean(group, measure)
    bounds = group["intervals"].get(measure) if group else None
    if mean == _EMPTY_CELL or bounds is None:
        return mean
    low, high = bounds
    return f"{mean} ({low:.1f}–{high:.1f})"


_NOTE = (
    "S_l is the length score, S_q the judge's, S̄ their mean, all from 0 to 100; in brackets what "
    "holds 95 % of the means of bootstrap samples. An empty reply scores 0 and is counted; what "
    "the judge left unscored is counted and has no part in S_q. The published counter takes "
    "`don't` for two words, numbers and kana for none."
)


def to_markdown(report: Report) -> str:
    """Return the tables in Markdown."""
    parts = ["# Benchmark report", _NOTE]
    for table in build_tables(report):
        lines = [_markdown_row(table.heads), "|" + "---|" * len(table.heads)]
        lines += map(_markdown_row, table.rows)
        parts += [f"## {table.title}", "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


def _markdown_row(cells: Sequence[str]) -> str:
    escaped = (" ".join(cell.replace("|", "\\|").split()) for cell in cells)
    return "| " + " | ".join(escaped) + " |"


# The HTML page -----------------------------------------------------------------------------------

_STYLE = """
:root { color-scheme: light dark; --ink: #1d232a; --faint: #cfd5db; --paper: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e3e7eb; --faint: #414a53; --paper: #14181c; }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: .5rem 0 1.5rem; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--faint); text-align: right;
  white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(22rem, 1fr)); gap: 1.5rem; }
figure { margin: 0; }
svg { width: 100%; height: auto; font: 11px system-ui, sans-serif; }
svg text { fill: var(--ink); }
svg path { stroke-width: 1.5; }
.grid { stroke: var(--faint); stroke-width: .5; }
.equal { stroke: var(--ink); stroke-dasharray: 4 4; fill: none; }
.whisker { stroke: var(--ink); }
.point { fill-opacity: .6; }
pre { overflow-x: auto; font-size: 12px; }
"""


def to_html(report: Report) -> str:
    """Return one HTML file that needs no other file and no network."""
    overall, *others = build_tables(report)
    parts = ["<h1>Benchmark report</h1>", f"<p>{html.escape(_NOTE)}</p>"]
    parts.append(_html_table(overall))
    parts.append(f'<div class="plots">{"".join(_plots(report))}</div>')
    parts += map(_html_table, others)
    parts.append("<h2>How it was made</h2>")
    for entry in report.entries:
        about = json.dumps(entry.about, ensure_ascii=False, indent=2)
        parts.append(
            f"<details><summary>{html.escape(entry.name)}</summary>"
            f"<pre>{html.escape(about)}</pre></details>"
        )
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Benchmark report</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def _html_table(table: Table) -> str:
    head = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in table.heads)
    rows = "\n".join(map(_html_row, table.rows))
    return (
        f'<h2>{html.escape(table.title)}</h2>\n<div class="wide"><table>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table></div>"
    )


def _html_row(cells: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>"


def _plots(report: Report) -> list[str]:
    """Return the plots: lengths, if any were required, and bars by range and by type."""
    entries = report.entries
    figures = []
    if any(entry.points for entry in entries):
        figures += [_scatter_plot(entries), _curve_plot(entries)]
    for by, label in (("ranges", "required length"), ("kinds", "type")):
        names = _group_names(entries, by)
        for measure in ("s_l", "s_q"):
            bars = [_bars(entry, by, names, measure) for entry in entries]
            if any(value is not None for one in bars for value in one.values):
                title = f"{_HEADS[measure]} by {label}"
                plot = svg.bar_plot(names, bars, title=title, y=_HEADS[measure])
                figures.append(_figure(title, plot))
    return figures


def _figure(title: str, plot: str) -> str:
    return f"<figure><figcaption>{html.escape(title)}</figcaption>{plot}</figure>\n"


def _scatter_plot(entries: Sequence[ReportEntry]) -> str:
    """Return a point for each sample, with the sample's id in its tooltip."""
    series = []
    for entry in entries:
        points: list[tuple[float, float]] = []
        titles = []
        for required, output, name in entry.points:
            points.append((required, output))
            titles.append(f"{entry.name}, {name}: {output:,} of {required:,}")
        series.append(svg.Series(entry.name, points, titles))
    return _length_plot("Required and output length", series)


def _curve_plot(entries: Sequence[ReportEntry]) -> str:
    series = [svg.Series(entry.name, entry.curve) for entry in entries]
    return _length_plot("Mean output length by required length", series, lines=True)


def _length_plot(title: str, series: Sequence[svg.Series], *, lines: bool = False) -> str:
    plot = svg.log_plot(series, title=title, x="required length", y="output length", lines=lines)
    return _figure(title, plot)


def _bars(entry: ReportEntry, by: str, names: Sequence[str], measure: str) -> svg.Bars:
    groups = entry.groups(by)
    values: list[float | None] = []
    bounds: list[Sequence[float] | None] = []
    for name in names:
        group = groups.get(name)
        values.append(group[measure] if group else None)
        bounds.append(group["intervals"].get(measure) if group else None)
    return svg.Bars(entry.name, values, bounds)
