"""Drawings over time: forecasts in their interval, curves with marks, coverage. Times are ns UTC.

What does not belong here: which numbers are shown, and words around a drawing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from hean_pipelines.report.charts import Floats, room
from hean_pipelines.report.svg import Margins, Plot, padded, pixel
from hean_pipelines.report.text import moment, number

Stamps = NDArray[np.int64]


@dataclass(frozen=True)
class Band:
    """Forecasts with their interval and what came true; arrays of one length, values in the axis unit."""

    times: Stamps
    low: Floats
    middle: Floats
    high: Floats
    realised: Floats


def band(label: str, data: Band, colour: str, y_title: str, width: float) -> Markup:
    """Draw forecasts as a line in their interval and the realised values as dots, red where they fell outside."""
    seen = [data.low, data.middle, data.high, data.realised]
    x = float(data.times[0]), float(data.times[-1])
    plot = Plot(
        label, x, padded(np.concatenate(seen).tolist()), x_title="", y_title=y_title, width=width, height=230
    )
    plot.y_axis()
    plot.time_axis()
    xs = [plot.x(float(t)) for t in data.times]
    upper = [(a, plot.y(v)) for a, v in zip(xs, data.high, strict=True) if math.isfinite(v)]
    lower = [(a, plot.y(v)) for a, v in zip(xs, data.low, strict=True) if math.isfinite(v)]
    plot.path([*upper, *reversed(lower)], f"area {colour}", close=True)
    plot.path([(a, plot.y(v)) for a, v in zip(xs, data.middle, strict=True)], f"line {colour}")
    for i, at in enumerate(xs):
        if not math.isfinite(data.realised[i]):
            continue
        outside = data.realised[i] < data.low[i] - 1e-8 or data.realised[i] > data.high[i] + 1e-8
        tip = (
            f"{moment(int(data.times[i]))}: realised {number(float(data.realised[i]), 2)}, forecast "
            f"{number(float(data.middle[i]), 2)} [{number(float(data.low[i]), 2)}, {number(float(data.high[i]), 2)}] bps"
        )
        kind, radius = ("point missed", 3.2) if outside else ("point", 2.4)
        plot.add("circle", kind, tip=tip, cx=at, cy=plot.y(float(data.realised[i])), r=radius)
    return plot.render()


@dataclass(frozen=True)
class Curve:
    """A line over time; `steps` keeps the value until the next instant."""

    colour: str
    name: str
    times: Stamps
    values: Floats
    steps: bool = False


@dataclass(frozen=True)
class Mark:
    """A triangle on a drawing over time: up for a profit, down for a loss."""

    at_ns: int
    value: float
    is_up: bool
    tip: str


def curves(
    label: str,
    many: Sequence[Curve],
    y_title: str,
    width: float,
    marks: Sequence[Mark] = (),
    height: float = 250,
) -> Markup:
    """Draw lines over one time axis, with marks on them."""
    times = [float(t) for curve in many for t in (curve.times[0], curve.times[-1])]
    values = np.concatenate([curve.values for curve in many]).tolist() + [mark.value for mark in marks]
    margins = Margins(left=62.0)
    plot = Plot(
        label,
        (min(times), max(times)),
        padded(values, 0.08),
        x_title="",
        y_title=y_title,
        width=width,
        height=height,
        margins=margins,
    )
    plot.y_axis()
    plot.time_axis()
    for curve in many:
        kept = thinned(curve.values, round(width))
        points = [(plot.x(float(curve.times[i])), plot.y(float(curve.values[i]))) for i in kept]
        if curve.steps:
            points = [points[0], *(p for a, b in pairwise(points) for p in ((b[0], a[1]), b))]
        plot.path(points, f"line {curve.colour}")
        plot.add("circle", f"fill {curve.colour}", cx=float(points[-1][0]), cy=float(points[-1][1]), r=2.6)
    for mark in marks:
        x, y, side = plot.x(float(mark.at_ns)), plot.y(mark.value), 1.0 if mark.is_up else -1.0
        shape = f"M{pixel(x - 4.5)} {pixel(y + 4 * side)}h9L{pixel(x)} {pixel(y - 5 * side)}Z"
        plot.add("path", "mark gain" if mark.is_up else "mark loss", tip=mark.tip, d=shape)
    return plot.render()


def thinned(values: Floats, buckets: int) -> list[int]:
    """Return positions that draw the same line: first, last and the extremes of each bucket."""
    count = len(values)
    if count <= 2 * buckets:
        return list(range(count))
    kept = {0, count - 1}
    for part in np.array_split(np.arange(count), buckets):
        kept |= {int(part[values[part].argmin()]), int(part[values[part].argmax()])}
    return sorted(kept)


@dataclass(frozen=True)
class Strip:
    """One row of a coverage drawing: stretches of equal share as (start ns, end ns, share, words)."""

    name: str
    stretches: Sequence[tuple[int, int, float, str]]


def strips(label: str, rows: Sequence[Strip], ends: tuple[int, int], width: float) -> Markup:
    """Draw how complete each row is over time: full, partly (paler as less is there) or hatched where nothing is."""
    margins = Margins(left=room(row.name for row in rows), right=8.0, top=6.0, bottom=24.0)
    height = margins.top + margins.bottom + 19 * len(rows)
    plot = Plot(
        label,
        (float(ends[0]), float(ends[1])),
        (0.0, 1.0),
        x_title="",
        y_title="",
        width=width,
        height=height,
        margins=margins,
    )
    for i, row in enumerate(rows):
        y = plot.top + 19 * i
        plot.text(plot.left - 6, y + 12.5, row.name, "tick", "end")
        plot.add("rect", "void", x=plot.left, y=y + 1.5, width=plot.right - plot.left, height=16.0)
        for start, end, share, words in row.stretches:
            left, right = plot.x(float(start)), plot.x(float(end))
            kind = "nothing" if share <= 0.0 else "full" if share >= 1.0 else "partly"
            plot.add(
                "rect",
                kind,
                tip=words,
                x=left,
                y=y + 1.5,
                width=max(right - left, 0.6),
                height=16.0,
                fill_opacity=f"{0.15 + 0.75 * share:.2f}" if kind == "partly" else None,
            )
    plot.time_axis()
    return plot.render()
