"""Scores of one or several models -> a report: Markdown, JSON, or one HTML file with plots.

`Entry`s (a name and its `Score`s) -> `Report` -> text

All figures are those of `longchain.bench.score.summarize`; here they are only laid out.
Knows tables and what the paper shows; knows no model and no formula.
"""

from __future__ import annotations

import html
import json
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from longchain.bench import svg
from longchain.bench.predictions import replace
from longchain.bench.score import summarize
from longchain.bench.shapes import Score
from longchain.errors import InputError

FORMATS = (".html", ".json", ".md")
"""What a report can be, by its file's suffix."""


@dataclass(frozen=True)
class Entry:
    """What one model made of a benchmark."""

    name: str
    scores: Sequence[Score]
    about: Mapping[str, Any] = field(default_factory=dict)
    """How it was made: model, way, settings, versions; shown as it is."""


@dataclass(frozen=True)
class Standing:
    """All that a report says of one entry."""

    name: str
    about: dict[str, Any]
    summary: dict[str, Any]
    """As `summarize` returns it."""

    curve: list[tuple[int, float]]
    """Each required length, and the mean length that was written."""

    points: list[tuple[int, int, str]]
    """Required and written length of each sample, and its id."""

    def groups(self, by: str) -> dict[str, dict[str, Any]]:
        """Return the summaries of some groups: `ranges`, `kinds`, `languages`."""
        found: dict[str, dict[str, Any]] = self.summary[by]
        return found


@dataclass(frozen=True)
class Report:
    """Several entries side by side."""

    entries: list[Standing]


def build(entries: Sequence[Entry]) -> Report:
    """Return the report on some entries.

    Args:
        entries: What is compared, in the order shown.

    Raises:
        InputError: There are none, one has no scores, or two share a name.
    """
    names = [entry.name for entry in entries]
    if not entries:
        raise InputError("there is nothing to report on")
    for entry in entries:
        if not entry.scores:
            raise InputError(f"{entry.name!r} has no scores")
        if names.count(entry.name) > 1:
            raise InputError(f"two entries are called {entry.name!r}: write NAME=FILE for each")
    return Report([_standing(entry) for entry in entries])


def _standing(entry: Entry) -> Standing:
    asked = [score for score in entry.scores if score.required]
    lengths: defaultdict[int, list[int]] = defaultdict(list)
    for score in asked:
        lengths[score.required or 0].append(score.length)
    return Standing(
        name=entry.name,
        about=dict(entry.about),
        summary=summarize(entry.scores),
        curve=[(length, statistics.fmean(lengths[length])) for length in sorted(lengths)],
        points=[(score.required or 0, score.length, score.id) for score in asked],
    )


def render(report: Report, suffix: str) -> str:
    """Return a report as a file's suffix names it: `.md`, `.json` or `.html`.

    Raises:
        InputError: It names nothing of these.
    """
    forms = {".md": markdown, ".json": as_json, ".html": page}
    return forms[check(Path(f"report{suffix}")).suffix.lower()](report)


def check(path: Path) -> Path:
    """Return a path that a report can be written to.

    Raises:
        InputError: Its suffix names no format.
    """
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"a report is {', '.join(FORMATS)}, not {path.suffix or path.name!r}")
    return path


def write(report: Report, path: Path) -> None:
    """Write a report to a file, whole.

    Raises:
        InputError: Its suffix names no format, or it cannot be written.
    """
    replace(path, render(report, path.suffix))


def as_json(report: Report) -> str:
    """Return all figures of a report."""
    said = {"entries": [asdict(entry) for entry in report.entries]}
    return json.dumps(said, ensure_ascii=False, indent=2) + "\n"


# Tables ------------------------------------------------------------------------------------------

Table = tuple[str, list[str], list[list[str]]]
"""A title, the heads, and the rows."""

_HEADS = {"s": "S̄", "s_l": "S_l", "s_q": "S_q", "s_l_published": "S_l, published count"}


def tables(report: Report) -> list[Table]:
    """Return the tables of a report, in order."""
    every = report.entries
    judged = any(entry.summary["s_q"] is not None for entry in every)
    shown = ["s", "s_l", "s_q"] if judged else ["s_l"]
    made = [_overall(every, shown)]
    for title, by in (("By type", "kinds"), ("By language", "languages")):
        names = sorted(_named(every, by))
        if len(names) > 1:
            made.append(_by(title, every, by, names, shown))
    if judged:
        made.append(_means("Quality by dimension", every, "quality", "{:.1f}"))
    made.append(_means("Other measures", every, "measures", "{:.4g}"))
    return [*(table for table in made if table[2]), _counts(every)]


def _overall(every: Sequence[Standing], shown: Sequence[str]) -> Table:
    """Return the paper's table: all samples, and each range."""
    ranges = _named(every, "ranges")
    parts = [name for name in shown if name != "s"]
    whole = [*shown, "s_l_published"]
    heads = ["", *(_HEADS[name] for name in whole)]
    heads += [f"{place} {_HEADS[name]}" for place in ranges for name in parts]
    rows = []
    for entry in every:
        row = [entry.name, *(_cell(entry.summary, name) for name in whole)]
        for place in ranges:
            found = entry.groups("ranges").get(place)
            row += [_cell(found, name, bounds=False) for name in parts]
        rows.append(row)
    return "Overall, and by required length", heads, rows


def _named(every: Sequence[Standing], by: str) -> list[str]:
    """Return the names of the groups that any entry has, the longest list's order first."""
    lists = sorted((list(entry.groups(by)) for entry in every), key=len, reverse=True)
    return list(dict.fromkeys(name for names in lists for name in names))


def _by(
    title: str, every: Sequence[Standing], by: str, names: Sequence[str], shown: Sequence[str]
) -> Table:
    """Return a table with a row for each group."""
    heads = ["", "samples"]
    for entry in every:
        heads += [_beside(every, entry, _HEADS[name]) for name in shown]
    rows = []
    for name in names:
        found = [entry.groups(by).get(name) for entry in every]
        most = max(group["n"] for group in found if group)
        rows.append([name, str(most), *(_cell(group, one) for group in found for one in shown)])
    return title, heads, rows


def _beside(every: Sequence[Standing], entry: Standing, head: str) -> str:
    return f"{entry.name}, {head}" if len(every) > 1 else head


def _means(title: str, every: Sequence[Standing], key: str, form: str) -> Table:
    """Return a table with a row for each measure."""
    names = list(dict.fromkeys(name for entry in every for name in entry.summary[key]))
    rows = []
    for name in names:
        found = [entry.summary[key].get(name) for entry in every]
        rows.append([name, *("–" if value is None else form.format(value) for value in found)])
    return title, ["", *(entry.name for entry in every)], rows


def _counts(every: Sequence[Standing]) -> Table:
    """Return how many samples there are, and all that is counted of them."""
    summaries = [entry.summary for entry in every]
    names = [name for summary in summaries for name in summary if isinstance(summary[name], int)]
    names = sorted(set(names), key=lambda name: (name != "n", names.index(name)))
    rows = [[entry.name, *(f"{entry.summary.get(name, 0):,}" for name in names)] for entry in every]
    heads = ["samples" if name == "n" else name.replace("_", " ") for name in names]
    return "Counted", ["", *heads], rows


def _cell(group: Mapping[str, Any] | None, measure: str, *, bounds: bool = True) -> str:
    value = group[measure] if group else None
    if group is None or value is None:
        return "–"
    low, high = group["intervals"].get(measure, (None, None))
    return f"{value:.1f}" + (f" ({low:.1f}–{high:.1f})" if bounds and low is not None else "")


_NOTE = (
    "S_l is the length score, S_q the judge's, S̄ their mean, all from 0 to 100; in brackets what "
    "holds 95 % of the means of bootstrap samples. An empty reply scores 0 and is counted; what "
    "the judge left unscored is counted and has no part in S_q. The published counter takes "
    "`don't` for two words, numbers and kana for none."
)


def markdown(report: Report) -> str:
    """Return the tables in Markdown."""
    parts = ["# Benchmark report", _NOTE]
    for title, heads, rows in tables(report):
        lines = [_line(heads), "|" + "---|" * len(heads), *map(_line, rows)]
        parts += [f"## {title}", "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |"


# The page ----------------------------------------------------------------------------------------

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


def page(report: Report) -> str:
    """Return one HTML file that needs no other, nor the network."""
    parts = ["<h1>Benchmark report</h1>", f"<p>{html.escape(_NOTE)}</p>"]
    made = tables(report)
    parts += [_html_table(made[0]), f'<div class="plots">{"".join(_plots(report))}</div>']
    parts += map(_html_table, made[1:])
    parts.append("<h2>How it was made</h2>")
    for entry in report.entries:
        said = json.dumps(entry.about, ensure_ascii=False, indent=2)
        parts.append(
            f"<details><summary>{html.escape(entry.name)}</summary>"
            f"<pre>{html.escape(said)}</pre></details>"
        )
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Benchmark report</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def _html_table(table: Table) -> str:
    title, heads, rows = table
    head = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in heads)
    lines = [
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    ]
    return (
        f'<h2>{html.escape(title)}</h2>\n<div class="wide"><table>\n<thead><tr>{head}</tr></thead>'
        f"\n<tbody>\n{chr(10).join(lines)}\n</tbody>\n</table></div>"
    )


def _plots(report: Report) -> list[str]:
    every = report.entries
    figures: list[tuple[str, str]] = []
    if any(entry.points for entry in every):
        scatter = [
            svg.Series(
                entry.name,
                [(asked, made) for asked, made, _ in entry.points],
                [
                    f"{entry.name}, {name}: {made:,} of {asked:,}"
                    for asked, made, name in entry.points
                ],
            )
            for entry in every
        ]
        curves = [svg.Series(entry.name, entry.curve) for entry in every]
        for title, series, lines in (
            ("Required and output length", scatter, False),
            ("Mean output length by required length", curves, True),
        ):
            drawn = svg.log_plot(
                series, title=title, x="required length", y="output length", lines=lines
            )
            figures.append((title, drawn))
    for said, by in (("required length", "ranges"), ("type", "kinds")):
        names = _named(every, by)
        for measure in ("s_l", "s_q"):
            bars = [_bars(entry, by, names, measure) for entry in every]
            if any(value is not None for one in bars for value in one.values):
                title = f"{_HEADS[measure]} by {said}"
                figures.append((title, svg.bar_plot(names, bars, title=title, y=_HEADS[measure])))
    return [
        f"<figure><figcaption>{html.escape(title)}</figcaption>{drawn}</figure>\n"
        for title, drawn in figures
    ]


def _bars(entry: Standing, by: str, names: Sequence[str], measure: str) -> svg.Bars:
    found = [entry.groups(by).get(name) for name in names]
    return svg.Bars(
        entry.name,
        [group[measure] if group else None for group in found],
        [group["intervals"].get(measure) if group else None for group in found],
    )
