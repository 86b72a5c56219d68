"""Drawings only a backtest needs: estimates along steps, and trades on the price.

What does not belong here: which numbers are shown, and words around a drawing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from hean_pipelines.report.svg import Margins, Plot, padded, pixel
from hean_pipelines.report.text import moment, number


@dataclass(frozen=True)
class Steps:
    """Estimates of one colour, one a step: (low, value, high), None where there is none; low and high may be NaN."""

    colour: str
    name: str
    values: Sequence[tuple[float, float, float] | None]


def ladder(
    label: str, names: Sequence[str], many: Sequence[Steps], titles: tuple[str, str], width: float
) -> Markup:
    """Draw estimates with their intervals along named steps, joined by lines, against zero."""
    seen = [v for steps in many for point in steps.values if point for v in point]
    plot = Plot(
        label,
        (-0.5, len(names) - 0.5),
        padded([0.0, *seen], 0.1),
        x_title=titles[0],
        y_title=titles[1],
        width=width,
        height=270,
    )
    plot.y_axis()
    for k, name in enumerate(names):
        plot.text(plot.x(k), plot.bottom + 16, name, "tick")
    for s, steps in enumerate(many):
        shift = (s - (len(many) - 1) / 2) * 9.0
        there = [(k, point) for k, point in enumerate(steps.values) if point is not None]
        plot.path([(plot.x(k) + shift, plot.y(point[1])) for k, point in there], f"line {steps.colour}")
        for k, (low, value, high) in there:
            x = plot.x(k) + shift
            interval = "no interval: too few"
            if math.isfinite(low) and math.isfinite(high):
                plot.line(x, plot.y(low), x, plot.y(high), f"interval {steps.colour}")
                interval = f"[{number(low, 2)}, {number(high, 2)}]"
            tip = f"{steps.name}, {names[k]}: {number(value, 2, sign=True)} {interval}"
            plot.add("circle", f"fill {steps.colour}", tip=tip, cx=x, cy=plot.y(value), r=3.6)
    return plot.render()


def price_panel(label: str, panel: dict[str, Any], width: float, digits: int) -> Markup:
    """Draw the mid of a stretch, its fills (up bought, down sold, hollow maker), and each trade from entry to exit."""
    prices = [*panel["mid"], *(fill["price"] for fill in panel["fills"])]
    ends = float(panel["start_ns"]), float(panel["end_ns"])
    plot = Plot(
        label,
        ends,
        padded(prices, 0.08),
        x_title="",
        y_title="mid, USD",
        width=width,
        height=280,
        margins=Margins(left=66.0),
    )
    plot.y_axis()
    plot.time_axis()
    points = zip(panel["at_ns"], panel["mid"], strict=True)
    plot.path([(plot.x(float(at)), plot.y(mid)) for at, mid in points], "line price")
    for trade in panel["trades"]:
        _holding(plot, trade, ends)
    for fill in panel["fills"]:
        _fill(plot, fill, digits)
    return plot.render()


def _holding(plot: Plot, trade: dict[str, Any], ends: tuple[float, float]) -> None:
    start, end = float(trade["opened_ns"]), float(trade["closed_ns"])
    slope = (trade["exit_price"] - trade["entry_price"]) / max(end - start, 1.0)
    # A trade that leaves the stretch is drawn to its border.
    left, right = max(start, ends[0]), min(end, ends[1])
    low, high = (trade["entry_price"] + slope * (at - start) for at in (left, right))
    tone = "gain" if trade["net_usd"] > 0.0 else "loss"
    plot.line(plot.x(left), plot.y(low), plot.x(right), plot.y(high), f"held {tone}")


def _fill(plot: Plot, fill: dict[str, Any], digits: int) -> None:
    x, y, up = plot.x(float(fill["exch_ns"])), plot.y(fill["price"]), 1.0 if fill["side"] > 0 else -1.0
    side, how = ("buy", "bought") if fill["side"] > 0 else ("sell", "sold")
    kind = f"hollow {side}" if fill["maker"] else f"mark {side}"
    tip = (
        f"{how} {number(fill['quantity'], 4).rstrip('0').rstrip('.')} at {number(fill['price'], digits)} as "
        f"{'maker' if fill['maker'] else 'taker'}, {moment(fill['exch_ns'])}"
    )
    shape = f"M{pixel(x - 4.5)} {pixel(y + 4 * up)}h9L{pixel(x)} {pixel(y - 5 * up)}Z"
    plot.add("path", kind, tip=tip, d=shape)
