"""Drawings that compare: bars, points, estimates, levels. Each takes plain numbers; units are in the axis titles it is given.

What does not belong here: drawings over time (`time_charts`), which numbers are shown, and words around a drawing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from hean_pipelines.report.svg import Margins, Plot, nice_ticks, padded, pixel
from hean_pipelines.report.text import number

Floats = NDArray[np.float64]
SMALL, NARROW, WIDE = 300.0, 400.0, 1120.0


def both_widths(draw: Callable[[float], Markup]) -> tuple[Markup, Markup]:
    """Draw once for a column and once for the whole width of the page."""
    return draw(NARROW), draw(WIDE)


@dataclass(frozen=True)
class Bars:
    """One bar in every group: its colour class, its name, and a value a group (NaN where there is none)."""

    colour: str
    name: str
    values: Sequence[float]
    strong: bool = False


def grouped_bars(
    label: str, groups: Sequence[str], series: Sequence[Bars], y_title: str, floor: float
) -> Markup:
    """Draw bars side by side in groups; below `floor` they are cut and say their value when pointed at.

    The bars of a `strong` series carry their value.
    """
    values = [v for bars in series for v in bars.values if math.isfinite(v)]
    low = max(min([0.0, *values]), floor)
    high = max([0.1, *values]) if max([0.1, *values]) < 0.9 else 1.0
    top = high + (high - low) * 0.04
    margins = Margins(left=36.0, right=4.0, bottom=24.0)
    plot = Plot(
        label,
        (0.0, len(groups)),
        (low, top),
        x_title="",
        y_title=y_title,
        width=SMALL,
        height=215,
        margins=margins,
    )
    plot.y_axis()
    slot = 0.86 / max(len(series), 1)
    zero = plot.y(0.0)
    for g, group in enumerate(groups):
        plot.text(plot.x(g + 0.5), plot.bottom + 17, group, "tick")
        for s, bars in enumerate(series):
            value = bars.values[g]
            if not math.isfinite(value):
                continue
            left, right = plot.x(g + 0.07 + s * slot), plot.x(g + 0.07 + (s + 0.86) * slot)
            end = plot.y(max(value, low))
            tip = f"{bars.name}, {group}: {number(value, 3)}"
            plot.add(
                "rect",
                f"fill {bars.colour}",
                tip=tip,
                x=float(left),
                y=float(min(zero, end)),
                width=float(right - left),
                height=float(max(abs(end - zero), 0.8)),
            )
            middle = (left + right) / 2
            if value < low:
                plot.path([(middle - 3, end - 5), (middle + 3, end - 5), (middle, end)], "cut", close=True)
            if bars.strong:
                plot.text(middle, min(zero, end) - 4, number(value, 2), "value")
    return plot.render()


@dataclass(frozen=True)
class Points:
    """Points of one colour."""

    colour: str
    x: Floats
    y: Floats


def scatter(label: str, many: Sequence[Points], titles: tuple[str, str]) -> Markup:
    """Draw points on equal axes with the line on which both agree."""
    ends = padded(np.concatenate([side for points in many for side in (points.x, points.y)]).tolist())
    plot = Plot(label, ends, ends, x_title=titles[0], y_title=titles[1], height=380)
    ticks = nice_ticks(*ends)
    plot.y_axis(ticks)
    plot.x_axis(ticks)
    plot.line(plot.x(ends[0]), plot.y(ends[0]), plot.x(ends[1]), plot.y(ends[1]), "agree")
    # One path of dots a colour: thousands of points stay small and quick to draw.
    for points in many:
        pairs = zip(points.x, points.y, strict=True)
        dots = "".join(f"M{pixel(plot.x(a))} {pixel(plot.y(b))}h0" for a, b in pairs)
        if dots:
            plot.add("path", f"dots {points.colour}", d=dots)
    return plot.render()


@dataclass(frozen=True)
class Estimate:
    """A value with its interval and its name."""

    name: str
    low: float
    value: float
    high: float
    is_strong: bool = False


def estimates(
    label: str,
    rows: Sequence[Estimate],
    threshold: float,
    x_title: str,
    width: float,
    x: tuple[float, float] = (0.0, 1.0),
) -> Markup:
    """Draw estimates with their intervals one below the other, and the threshold they are held against.

    What lies beyond the range `x` is drawn at its end.
    """
    margins = Margins(left=room(row.name for row in rows), right=52.0, top=12.0, bottom=40.0)
    height = margins.top + margins.bottom + 30 * len(rows)
    plot = Plot(
        label,
        x,
        (0.0, len(rows)),
        x_title=x_title,
        y_title="",
        width=width,
        height=height,
        margins=margins,
    )
    plot.x_axis()
    at = plot.x(threshold)
    plot.line(at, plot.top, at, plot.bottom, "threshold")
    for i, row in enumerate(rows):
        y = plot.top + 30 * (i + 0.5)
        plot.text(plot.left - 8, y + 4, row.name, "name strong" if row.is_strong else "name", "end")
        if not math.isfinite(row.value):
            plot.text(plot.left + 8, y + 4, "not enough data", "tick", "start")
            continue
        colour = "gain" if row.value > threshold else "loss"
        low, value, high = (min(max(edge, x[0]), x[1]) for edge in (row.low, row.value, row.high))
        if not math.isnan(row.low):
            plot.line(plot.x(low), y, plot.x(high), y, f"interval {colour}")
        tip = f"{row.name}: {number(row.value, 3)} [{number(row.low, 3)}, {number(row.high, 3)}]"
        plot.add("circle", f"fill {colour}", tip=tip, cx=float(plot.x(value)), cy=float(y), r=4.5)
        plot.text(plot.right + 8, y + 4, number(row.value, 2), "name", "start")
    return plot.render()


def room(names: Iterable[str]) -> float:
    """Pixels the longest of the names takes beside an axis."""
    return 16.0 + 7.2 * max((len(name) for name in names), default=0)


@dataclass(frozen=True)
class Levels:
    """Observed shares at nominal levels with their intervals, for one colour."""

    colour: str
    name: str
    nominal: Sequence[float]
    shares: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]


def reliability(label: str, many: Sequence[Levels]) -> Markup:
    """Draw observed shares against nominal levels; on the diagonal the quantiles are calibrated."""
    titles = ("nominal level of the quantile", "share of realised rates below it")
    margins = Margins(left=36.0, right=6.0)
    plot = Plot(
        label,
        (0.0, 1.0),
        (0.0, 1.0),
        x_title=titles[0],
        y_title=titles[1],
        width=SMALL,
        height=290,
        margins=margins,
    )
    ticks = nice_ticks(0.0, 1.0)
    plot.y_axis(ticks)
    plot.x_axis(ticks)
    plot.line(plot.x(0), plot.y(0), plot.x(1), plot.y(1), "agree")
    for s, levels in enumerate(many):
        shift = (s - (len(many) - 1) / 2) * 6.0
        points = [(plot.x(a) + shift, plot.y(b)) for a, b in zip(levels.nominal, levels.shares, strict=True)]
        for i, (x, y) in enumerate(points):
            plot.line(x, plot.y(levels.low[i]), x, plot.y(levels.high[i]), f"interval {levels.colour}")
            tip = f"{levels.name}, level {number(levels.nominal[i], 2)}: {number(levels.shares[i], 3)}"
            plot.add("circle", f"fill {levels.colour}", tip=tip, cx=float(x), cy=float(y), r=3.6)
    return plot.render()
