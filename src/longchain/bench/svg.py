"""Plots as SVG: numbers -> one `<svg>` element each, to stand in an HTML page as it is.

Scatter and lines on two log axes, and bars with their intervals: all that the reports need, so that
they need no plotting library, no font and no script. Points say what they are when pointed at.
Knows coordinates and colors; knows nothing of benchmarks.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10

COLORS = ("#3367b0", "#c4513a", "#3c8d53", "#8a5ba6", "#b07d1e", "#2a8f97", "#a3467a", "#66717d")
"""Of one series after another."""

SHAPES = ("circle", "square", "triangle", "diamond")
"""Of points, which tell series apart without colors."""

WIDTH, HEIGHT = 560, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 20, 20, 50


@dataclass(frozen=True)
class Series:
    """Points of one kind."""

    name: str
    points: Sequence[tuple[float, float]]
    titles: Sequence[str] = ()
    """What each point says of itself; empty: its coordinates."""


@dataclass(frozen=True)
class Bars:
    """One bar in each group."""

    name: str
    values: Sequence[float | None]
    """None where the group has nothing to show."""

    bounds: Sequence[Sequence[float] | None] = ()
    """The interval of each, its two ends."""


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
        series: What is shown. Points at or below 0 stand on the lower edge.
        title: What a screen reader says.
        x: The label of the horizontal axis.
        y: Of the vertical one.
        lines: Join the points of a series.
        diagonal: Show where both are equal.
    """
    axis = _Log.around([value for one in series for point in one.points for value in point])
    parts = [*_frame(x, y), *axis.grid()]
    if diagonal:
        a, b = axis.at(axis.low, axis.low), axis.at(axis.high, axis.high)
        parts.append(f'<path class="equal" d="M{a[0]} {a[1]}L{b[0]} {b[1]}"/>')
    for index, one in enumerate(series):
        places = [axis.at(*point) for point in one.points]
        if lines and len(places) > 1:
            path = "L".join(f"{px} {py}" for px, py in places)
            parts.append(f'<path d="M{path}" fill="none" stroke="{color(index)}"/>')
        said = one.titles or [f"{one.name}: {px:,.0f}, {py:,.0f}" for px, py in one.points]
        parts += [_point(index, place, text) for place, text in zip(places, said, strict=True)]
    return _svg(parts, title, [one.name for one in series])


def bar_plot(groups: Sequence[str], bars: Sequence[Bars], *, title: str, y: str) -> str:
    """Return bars from 0 to 100 in groups side by side, their intervals as whiskers.

    Args:
        groups: Their labels.
        bars: One series each, with a value for each group.
        title: What a screen reader says.
        y: The label of the axis.
    """
    parts = _frame("", y)
    for value in range(0, 101, 20):
        parts += _rung(_linear(value), str(value))
    room = (WIDTH - _LEFT - _RIGHT) / max(len(groups), 1)
    width = room * 0.8 / max(len(bars), 1)
    for place, group in enumerate(groups):
        begin = _LEFT + room * (place + 0.1)
        parts.append(_label(begin + room * 0.4, HEIGHT - _BOTTOM + 16, _short(group, room)))
        for index, one in enumerate(bars):
            parts += _bar(begin + width * index, width, index, one, place, group)
    return _svg(parts, title, [one.name for one in bars])


def _bar(left: float, width: float, index: int, one: Bars, place: int, group: str) -> list[str]:
    value = one.values[place]
    if value is None:
        return []
    top, bounds = _linear(value), one.bounds[place] if one.bounds else None
    between = f" ({bounds[0]:.1f} to {bounds[1]:.1f})" if bounds else ""
    said = html.escape(f"{one.name}, {group}: {value:.1f}{between}")
    parts = [
        f'<rect x="{left:.1f}" y="{top}" width="{max(width - 1, 1):.1f}" '
        f'height="{_linear(0) - top:.1f}" fill="{color(index)}"><title>{said}</title></rect>'
    ]
    if bounds:
        middle = round(left + width / 2, 1)
        parts.append(
            f'<path class="whisker" d="M{middle} {_linear(bounds[0])}V{_linear(bounds[1])}"/>'
        )
    return parts


def _linear(value: float) -> float:
    """Return the height of a value from 0 to 100."""
    return round(HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * value / 100, 1)


@dataclass(frozen=True)
class _Log:
    """Two log axes with the same ends, whole powers of ten or half way to them."""

    low: float
    high: float

    @classmethod
    def around(cls, values: Sequence[float]) -> _Log:
        shown = [value for value in values if value > 0] or [100, 1_000]
        low = 10.0 ** floor(log10(min(shown)))
        high = 10.0 ** (floor(log10(max(shown))) + 1)
        low = low * 5 if min(shown) >= low * 5 else low
        high = high / 2 if max(shown) <= high / 2 else high
        return cls(low, high)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return where a point stands, in pixels."""
        span = log10(self.high / self.low)
        across, up = (log10(max(value, self.low) / self.low) / span for value in (x, y))
        return (
            round(_LEFT + (WIDTH - _LEFT - _RIGHT) * across, 1),
            round(HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * up, 1),
        )

    def grid(self) -> list[str]:
        """Return the lines at 1, 2 and 5 times the powers of ten, with their values."""
        parts: list[str] = []
        for power in range(floor(log10(self.low)), floor(log10(self.high)) + 1):
            for step in (1, 2, 5):
                value = step * 10.0**power
                if self.low <= value <= self.high * 1.0001:
                    x, y = self.at(value, value)
                    parts += _rung(y, f"{value:,.0f}")
                    parts.append(f'<path class="grid" d="M{x} {_TOP}V{HEIGHT - _BOTTOM}"/>')
                    parts.append(_label(x, HEIGHT - _BOTTOM + 16, f"{value:,.0f}"))
        return parts


def _rung(y: float, text: str) -> list[str]:
    return [
        f'<path class="grid" d="M{_LEFT} {y}H{WIDTH - _RIGHT}"/>',
        _label(_LEFT - 6, y + 4, text, anchor="end"),
    ]


def _frame(x: str, y: str) -> list[str]:
    middle = (HEIGHT - _BOTTOM + _TOP) / 2
    return [
        _label((WIDTH + _LEFT - _RIGHT) / 2, HEIGHT - 12, x),
        f'<g transform="rotate(-90 14 {middle})">{_label(14, middle, y)}</g>',
    ]


def _label(x: float, y: float, text: str, *, anchor: str = "middle") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html.escape(text)}</text>'


def _short(text: str, room: float) -> str:
    """Return a label that fits, at about six pixels a letter."""
    most = max(int(room / 6), 3)
    return text if len(text) <= most else text[: most - 1] + "…"


def _point(index: int, place: tuple[float, float], said: str) -> str:
    x, y = place
    tag, drawn = {
        "circle": ("circle", f'cx="{x}" cy="{y}" r="4"'),
        "square": ("rect", f'x="{x - 3.5:.1f}" y="{y - 3.5:.1f}" width="7" height="7"'),
        "triangle": ("path", f'd="M{x} {y - 4.5:.1f}l4.5 8h-9z"'),
        "diamond": ("path", f'd="M{x} {y - 5:.1f}l4.5 5l-4.5 5l-4.5 -5z"'),
    }[SHAPES[index % len(SHAPES)]]
    title = f"<title>{html.escape(said)}</title>"
    return f'<{tag} {drawn} class="point" fill="{color(index)}">{title}</{tag}>'


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
