"""Plots as SVG: numbers -> one `<svg>` element each, for an HTML page.

Scatter and line plots on two log axes, and bars with their intervals: all that the reports need, so
that they need no plotting library, no font and no script. Points have tooltips. Knows coordinates
and colors; knows nothing of benchmarks.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10

COLORS = ("#3367b0", "#c4513a", "#3c8d53", "#8a5ba6", "#b07d1e", "#2a8f97", "#a3467a", "#66717d")
"""Colors of the series, one after another."""

SHAPES = ("circle", "square", "triangle", "diamond")
"""Shapes of points, which distinguish series without colors."""

WIDTH, HEIGHT = 560, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 20, 20, 50
"""Margins in pixels."""

_PLOT_WIDTH = WIDTH - _LEFT - _RIGHT
_PLOT_HEIGHT = HEIGHT - _TOP - _BOTTOM
_FLOOR = HEIGHT - _BOTTOM
"""Height of the horizontal axis."""


@dataclass(frozen=True)
class Series:
    """A series of points."""

    name: str
    points: Sequence[tuple[float, float]]
    titles: Sequence[str] = ()
    """Tooltip of each point; empty: its coordinates."""


@dataclass(frozen=True)
class Bars:
    """A series of bars, one in each group."""

    name: str
    values: Sequence[float | None]
    """Heights; None for a group without a value."""

    bounds: Sequence[Sequence[float] | None] = ()
    """Interval of each value, its two ends."""


def color(index: int) -> str:
    """Return the color of a series."""
    return COLORS[index % len(COLORS)]


def log_plot(
    series: Sequence[Series],
    *,
    title: str,
    x: str,
    y: str,
    lines: bool = False,
    diagonal: bool = True,
) -> str:
    """Return a plot of points on two log axes.

    Args:
        series: The series. Points at or below 0 are drawn on the lower edge.
        title: Title for screen readers.
        x: Label of the horizontal axis.
        y: Label of the vertical axis.
        lines: Join the points of a series.
        diagonal: Draw the line on which both are equal.
    """
    axes = _LogAxes.around(series)
    parts = [*_axis_labels(x, y), *axes.grid()]
    if diagonal:
        parts.append(axes.diagonal())
    for index, one in enumerate(series):
        places = [axes.place(*point) for point in one.points]
        if lines and len(places) > 1:
            parts.append(_line(index, places))
        titles = one.titles or _coordinates(one)
        for place, text in zip(places, titles, strict=True):
            parts.append(_point(index, place, text))
    return _svg(parts, title, [one.name for one in series])


def _coordinates(series: Series) -> list[str]:
    return [f"{series.name}: {x:,.0f}, {y:,.0f}" for x, y in series.points]


def _line(index: int, places: Sequence[tuple[float, float]]) -> str:
    path = "L".join(f"{x} {y}" for x, y in places)
    return f'<path d="M{path}" fill="none" stroke="{color(index)}"/>'


def bar_plot(groups: Sequence[str], bars: Sequence[Bars], *, title: str, y: str) -> str:
    """Return bars from 0 to 100 in groups side by side, their intervals as whiskers.

    Args:
        groups: Labels of the groups.
        bars: The series, each with a value for each group.
        title: Title for screen readers.
        y: Label of the vertical axis.
    """
    parts = _axis_labels("", y)
    for percent in range(0, 101, 20):
        parts += _grid_line(_bar_top(percent), str(percent))
    group_width = _PLOT_WIDTH / max(len(groups), 1)
    bar_width = group_width * 0.8 / max(len(bars), 1)
    for number, group in enumerate(groups):
        left = _LEFT + group_width * (number + 0.1)
        middle = left + group_width * 0.4
        parts.append(_label(middle, _FLOOR + 16, _shorten(group, group_width)))
        for index, one in enumerate(bars):
            value = one.values[number]
            if value is None:
                continue
            bounds = one.bounds[number] if one.bounds else None
            place = left + bar_width * index
            tooltip = _bar_title(one, group, value, bounds)
            parts.append(_bar(place, bar_width, index, value, tooltip))
            if bounds:
                parts.append(_whisker(place + bar_width / 2, bounds))
    return _svg(parts, title, [one.name for one in bars])


def _bar(left: float, width: float, index: int, value: float, title: str) -> str:
    top = _bar_top(value)
    return (
        f'<rect x="{left:.1f}" y="{top}" width="{max(width - 1, 1):.1f}" '
        f'height="{_bar_top(0) - top:.1f}" fill="{color(index)}">'
        f"<title>{html.escape(title)}</title></rect>"
    )


def _bar_title(bars: Bars, group: str, value: float, bounds: Sequence[float] | None) -> str:
    title = f"{bars.name}, {group}: {value:.1f}"
    if bounds:
        title += f" ({bounds[0]:.1f} to {bounds[1]:.1f})"
    return title


def _whisker(middle: float, bounds: Sequence[float]) -> str:
    low, high = _bar_top(bounds[0]), _bar_top(bounds[1])
    return f'<path class="whisker" d="M{round(middle, 1)} {low}V{high}"/>'


def _bar_top(value: float) -> float:
    """Return the vertical place of a value from 0 to 100, in pixels."""
    return round(_FLOOR - _PLOT_HEIGHT * value / 100, 1)


@dataclass(frozen=True)
class _LogAxes:
    """Two log axes with the same ends, whole powers of ten or half way to them."""

    low: float
    high: float

    @classmethod
    def around(cls, series: Sequence[Series]) -> _LogAxes:
        """Return the axes on which all points above 0 are."""
        values: list[float] = []
        for one in series:
            for point in one.points:
                values += [value for value in point if value > 0]
        smallest, largest = min(values, default=100), max(values, default=1_000)
        low = 10.0 ** floor(log10(smallest))
        if smallest >= low * 5:
            low *= 5
        high = 10.0 ** (floor(log10(largest)) + 1)
        if largest <= high / 2:
            high /= 2
        return cls(low, high)

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Return the place of a point, in pixels."""
        return (
            round(_LEFT + _PLOT_WIDTH * self._fraction(x), 1),
            round(_FLOOR - _PLOT_HEIGHT * self._fraction(y), 1),
        )

    def _fraction(self, value: float) -> float:
        """Return how far along an axis a value is, 0 to 1."""
        return log10(max(value, self.low) / self.low) / log10(self.high / self.low)

    def grid(self) -> list[str]:
        """Return the lines at 1, 2 and 5 times the powers of ten, with their values."""
        parts: list[str] = []
        for value in self._ticks():
            x, y = self.place(value, value)
            parts += _grid_line(y, f"{value:,.0f}")
            parts.append(f'<path class="grid" d="M{x} {_TOP}V{_FLOOR}"/>')
            parts.append(_label(x, _FLOOR + 16, f"{value:,.0f}"))
        return parts

    def _ticks(self) -> list[float]:
        powers = range(floor(log10(self.low)), floor(log10(self.high)) + 1)
        values = [step * 10.0**power for power in powers for step in (1, 2, 5)]
        return [value for value in values if self.low <= value <= self.high * 1.0001]

    def diagonal(self) -> str:
        """Return the line on which x and y are equal."""
        start, end = self.place(self.low, self.low), self.place(self.high, self.high)
        return f'<path class="equal" d="M{start[0]} {start[1]}L{end[0]} {end[1]}"/>'


def _grid_line(y: float, text: str) -> list[str]:
    """Return a horizontal line with its value at the left."""
    return [
        f'<path class="grid" d="M{_LEFT} {y}H{WIDTH - _RIGHT}"/>',
        _label(_LEFT - 6, y + 4, text, anchor="end"),
    ]


def _axis_labels(x: str, y: str) -> list[str]:
    middle = (_FLOOR + _TOP) / 2
    return [
        _label((WIDTH + _LEFT - _RIGHT) / 2, HEIGHT - 12, x),
        f'<g transform="rotate(-90 14 {middle})">{_label(14, middle, y)}</g>',
    ]


def _label(x: float, y: float, text: str, *, anchor: str = "middle") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html.escape(text)}</text>'


def _shorten(text: str, width: float) -> str:
    """Return a label that fits, at about six pixels a letter."""
    limit = max(int(width / 6), 3)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _point(index: int, place: tuple[float, float], title: str) -> str:
    x, y = place
    tag, attributes = {
        "circle": ("circle", f'cx="{x}" cy="{y}" r="4"'),
        "square": ("rect", f'x="{x - 3.5:.1f}" y="{y - 3.5:.1f}" width="7" height="7"'),
        "triangle": ("path", f'd="M{x} {y - 4.5:.1f}l4.5 8h-9z"'),
        "diamond": ("path", f'd="M{x} {y - 5:.1f}l4.5 5l-4.5 5l-4.5 -5z"'),
    }[SHAPES[index % len(SHAPES)]]
    tooltip = f"<title>{html.escape(title)}</title>"
    return f'<{tag} {attributes} class="point" fill="{color(index)}">{tooltip}</{tag}>'


def _svg(parts: Sequence[str], title: str, names: Sequence[str]) -> str:
    """Return the whole plot with its legend below."""
    height = HEIGHT + 20 * len(names)
    legend = []
    for index, name in enumerate(names):
        y = HEIGHT + 20 * index + 6
        legend.append(_point(index, (_LEFT + 6, y), name))
        legend.append(_label(_LEFT + 18, y + 4, name, anchor="start"))
    body = "\n".join([*parts, *legend])
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{html.escape(title)}" '
        f'xmlns="http://www.w3.org/2000/svg">\n<title>{html.escape(title)}</title>\n{body}\n</svg>'
    )
