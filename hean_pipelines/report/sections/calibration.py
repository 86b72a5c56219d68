"""Section: whether the quantiles hold what they promise."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import numpy as np

from hean_pipelines.report.blocks import Block, Cell, Column, Figure, Figures, Key, Row, Section, Table
from hean_pipelines.report.charts import Levels, reliability
from hean_pipelines.report.subject import POOLED, TIE, Forecasts, Subject, forecasts_of
from hean_pipelines.report.text import ABSENT, bps, percent

if TYPE_CHECKING:
    import polars as pl

    from hean_pipelines.report.inputs import Inputs

_LEVEL = re.compile(r"q(\d{2})")
_Z = 1.96


def build(inputs: Inputs, subject: Subject) -> Section:
    """Return the section."""
    frame = inputs.frame("forecasts")
    blocks: list[Block] = [*inputs.missing("forecasts")]
    if frame is not None and subject.model:
        horizons = sorted((int(h) for h in frame["horizon_min"].unique()), reverse=True)
        blocks += [_diagrams(frame, subject, horizons), _table(frame, subject, horizons)]
    return Section(
        "calibration",
        "Calibration",
        f"Quantiles of {subject.title() if subject.model else 'the champion'}, learned from its own earlier errors. "
        "A calibrated q95 has 95 % of the realised rates below it. Rates pile up on the interest rate, so a rate equal to the "
        "quantile counts half.",
        blocks,
    )


def _diagrams(frame: pl.DataFrame, subject: Subject, horizons: list[int]) -> Figures:
    names = sorted(name for name in frame.columns if _LEVEL.fullmatch(name))
    figures = []
    for symbol in (*subject.symbols, POOLED):
        many = []
        for i, horizon in enumerate(horizons):
            levels = levels_of(frame, names, subject.model, symbol, horizon, f"h{i % 4}")
            if levels is not None:
                many.append(levels)
        if many:
            label = (
                f"{symbol}: share of realised rates below each quantile against its nominal level, by horizon"
            )
            figures.append(
                Figure("ALL symbols pooled" if symbol == POOLED else symbol, reliability(label, many))
            )
    keys = [Key(f"h{i % 4}", f"{h} min ahead", "dot") for i, h in enumerate(horizons)]
    caption = (
        "Dots on the dashed line are calibrated; the bars are 95 % intervals as if settlements were independent, so they are, if "
        "anything, too short. The horizons stand side by side at each level."
    )
    return Figures(
        figures,
        [*keys, Key("agree", "calibrated", "dash")],
        "Observed against nominal",
        caption,
        is_small=True,
    )


def levels_of(
    frame: pl.DataFrame, names: list[str], model: str, symbol: str, horizon_min: int, colour: str
) -> Levels | None:
    """Compute observed shares at every quantile column the file has; None with fewer than ten forecasts."""
    import polars as pl

    mask = (
        (pl.col("model") == model) & (pl.col("horizon_min") == horizon_min) & pl.col("realised").is_finite()
    )
    rows = frame.filter(mask if symbol == POOLED else mask & (pl.col("symbol") == symbol))
    if rows.height < 10:
        return None
    realised = rows["realised"].to_numpy()
    nominal, shares, low, high = [], [], [], []
    for name in names:
        quantile = rows[name].cast(pl.Float64).fill_null(math.nan).to_numpy()
        known = np.isfinite(quantile)
        if not known.any():
            continue
        share = share_below(realised[known], quantile[known])
        bottom, top = wilson(share, int(known.sum()))
        nominal.append(int(name[1:]) / 100)
        shares.append(share)
        low.append(bottom)
        high.append(top)
    return Levels(colour, f"{symbol}, {horizon_min} min", nominal, shares, low, high)


def share_below(realised: np.ndarray, quantile: np.ndarray) -> float:
    """Return the share of rates below their quantile, those equal to it counted half."""
    below = realised < quantile - TIE
    equal = np.abs(realised - quantile) <= TIE
    return float(below.mean() + 0.5 * equal.mean())


def wilson(share: float, count: int) -> tuple[float, float]:
    """Return the 95 % score interval of a share (Wilson 1927)."""
    centre = (share + _Z**2 / (2 * count)) / (1 + _Z**2 / count)
    half = _Z / (1 + _Z**2 / count) * math.sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2))
    return max(centre - half, 0.0), min(centre + half, 1.0)


def _table(frame: pl.DataFrame, subject: Subject, horizons: list[int]) -> Table:
    rows = []
    for horizon in horizons:
        for symbol in (*subject.symbols, POOLED):
            part = forecasts_of(frame, subject.model, symbol, horizon)
            if len(part):
                rows.append(_row(part, symbol, horizon))
    columns = [
        Column("symbol", is_number=False),
        Column("n"),
        Column("below q05", "nominal 5 %"),
        Column("in [q05, q95]", "nominal 90 %"),
        Column("above q95", "nominal 5 %"),
        Column("below q50", "nominal 50 %"),
        Column("median width of [q05, q95]", "bps"),
    ]
    return Table(
        "Hit shares",
        columns,
        rows,
        "The narrower the interval at the same coverage, the sharper the forecast.",
    )


def _row(part: Forecasts, symbol: str, horizon: int) -> Row:
    known = np.isfinite(part.q05) & np.isfinite(part.q50) & np.isfinite(part.q95)
    if not known.any():
        return Row([Cell(symbol), Cell("0"), *(Cell(ABSENT) for _ in range(5))], _group(horizon))
    realised = part.realised[known]
    below = float((realised < part.q05[known] - TIE).mean())
    above = float((realised > part.q95[known] + TIE).mean())
    width = float(np.median((part.q95 - part.q05)[known]))
    cells = [
        Cell(symbol),
        Cell(f"{len(realised):,}"),
        Cell(percent(below)),
        Cell(percent(1.0 - below - above)),
        Cell(percent(above)),
        Cell(percent(share_below(realised, part.q50[known]))),
        Cell(bps(width)),
    ]
    return Row(cells, _group(horizon), strong=symbol == POOLED)


def _group(horizon_min: int) -> str:
    return f"{horizon_min} minutes before settlement"
