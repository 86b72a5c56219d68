"""Section: the shown model's forecasts against what was paid, and when its skill was earned."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from hean_pipelines.report.blocks import Block, Figure, Figures, Key, Note, Section
from hean_pipelines.report.charts import NARROW, Points, both_widths, scatter
from hean_pipelines.report.subject import Forecasts, Subject, forecasts_of
from hean_pipelines.report.text import BPS, number, plural, span
from hean_pipelines.report.time_charts import Band, Curve, band, curves

if TYPE_CHECKING:
    import polars as pl

    from hean_pipelines.report.inputs import Inputs

RECENT = 60
_AGAINST = ("last_rate", "ewma", "structural")


def build(inputs: Inputs, subject: Subject) -> Section:
    """Return the section."""
    frame = inputs.frame("forecasts")
    blocks: list[Block] = [*inputs.missing("forecasts")]
    if frame is not None and subject.model:
        own = {s: forecasts_of(frame, subject.model, s, subject.horizon_min) for s in subject.symbols}
        own = {symbol: part for symbol, part in own.items() if len(part) > 1}
        if own:
            blocks += [_scatters(own, subject), _lines(own, subject), *_skill_over_time(frame, own, subject)]
        else:
            blocks.append(
                Note(f"No symbol has two settled forecasts of {subject.model} at {subject.horizon_min} min.")
            )
    return Section(
        "realised",
        "Forecast against realised",
        f"Out-of-sample forecasts of {subject.title() if subject.model else 'the champion'}, made {subject.horizon_min} minutes "
        "before each settlement, and the rate that was then paid. 1 bps = 0.01 % of notional per settlement.",
        blocks,
        "Realised",
    )


def _scatters(own: dict[str, Forecasts], subject: Subject) -> Figures:
    figures = []
    for symbol, part in own.items():
        x, y = part.predicted * BPS, part.realised * BPS
        label = f"{symbol}: realised rate against the forecast of {subject.model} for {plural(len(part), 'settlement')}"
        svg = scatter(
            label, [Points(subject.colour(subject.model), x, y)], ("forecast, bps", "realised, bps")
        )
        bias = float((y - x).mean())
        words = (
            f"{plural(len(part), 'settlement')}, {span(int(part.settlement_ns[0]), int(part.settlement_ns[-1]))}. "
            f"Mean error (realised − forecast) {number(bias, 3, sign=True)} bps; correlation {_correlation(x, y)}."
        )
        figures.append(Figure(symbol, svg, caption=words))
    return Figures(figures, [Key("agree", "forecast = realised", "dash")], "All settlements")


def _correlation(x: np.ndarray, y: np.ndarray) -> str:
    return number(float(np.corrcoef(x, y)[0, 1]) if x.std() > 0 and y.std() > 0 else None, 3)


def _lines(own: dict[str, Forecasts], subject: Subject) -> Figures:
    colour = subject.colour(subject.model)
    figures = []
    for symbol, part in own.items():
        last = slice(-RECENT, None)
        data = Band(
            part.settlement_ns[last],
            part.q05[last] * BPS,
            part.predicted[last] * BPS,
            part.q95[last] * BPS,
            part.realised[last] * BPS,
        )
        outside = int(((data.realised < data.low - 1e-8) | (data.realised > data.high + 1e-8)).sum())
        label = (
            f"{symbol}: the last {len(data.times)} settlements; forecast with its 5–95 % interval and the realised rate; "
            f"{outside} fell outside"
        )
        drawn = both_widths(partial(band, label, data, colour, f"{symbol} rate, bps"))
        figures.append(
            Figure(
                symbol, *drawn, caption=f"{outside} of {len(data.times)} outside the interval (nominal 10 %)."
            )
        )
    keys = [
        Key(colour, f"forecast, {subject.model}", "line"),
        Key(colour, "5–95 % interval", "area"),
        Key("point", "realised, inside", "dot"),
        Key("missed", "realised, outside", "dot"),
    ]
    return Figures(figures, keys, f"The most recent {RECENT} settlements")


def _skill_over_time(frame: pl.DataFrame, own: dict[str, Forecasts], subject: Subject) -> list[Block]:
    against = [name for name in _AGAINST if name in subject.models and name != subject.model]
    figures = []
    for symbol, part in own.items():
        lines = []
        for name in against:
            other = forecasts_of(frame, name, symbol, subject.horizon_min)
            times, gained = cumulative_gain(part, other)
            if len(times) > 1:
                lines.append(Curve(subject.colour(name), name, times, gained * BPS**2))
        if lines:
            label = f"{symbol}: squared error of {', '.join(against)} less that of {subject.model}, summed over time"
            figures.append(Figure(symbol, curves(label, lines, "error saved, bps² summed", NARROW)))
    if not figures:
        return []
    keys = [Key(subject.colour(name), f"against {name}", "line") for name in against]
    caption = (
        f"Sum of the baseline's squared error less that of {subject.model}. It rises while the model forecasts better; a jump "
        "means that few settlements decide, a flat or falling stretch that the advantage has gone (Goyal and Welch 2008)."
    )
    return [Figures(figures, keys, "When the skill was earned", caption)]


def cumulative_gain(part: Forecasts, other: Forecasts) -> tuple[np.ndarray, np.ndarray]:
    """Return settlements both forecast and the other's squared error less the own, summed, squared fractions."""
    times, at_own, at_other = np.intersect1d(part.settlement_ns, other.settlement_ns, return_indices=True)
    own = (part.realised[at_own] - part.predicted[at_own]) ** 2
    theirs = (other.realised[at_other] - other.predicted[at_other]) ** 2
    return times, np.cumsum(theirs - own)
