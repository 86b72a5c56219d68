"""Pictures of forecast skill for Dagster and MLflow.

Here belongs drawing from scores and predictions; what is measured, to `models.funding.evaluation`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from hean_pipelines.plots import new_figure, png_bytes
from models.funding.evaluation import POOLED, Score
from models.funding.table import FeatureTable
from models.funding.walk_forward import Predictions


def skill_figure(scores: Sequence[Score], horizons: Sequence[int]) -> bytes:
    """Draw R² by candidate, one panel a horizon, one bar a symbol; PNG."""
    models = list(dict.fromkeys(s.model for s in scores))
    symbols = [s for s in dict.fromkeys(s.symbol for s in scores) if s != POOLED] + [POOLED]
    figure = new_figure(9.0, 2.6 * len(horizons))
    axes = np.atleast_1d(figure.subplots(len(horizons), 1, sharex=True))
    found = {(s.model, s.symbol, s.horizon_min): s.r2 for s in scores}
    width = 0.8 / max(len(symbols), 1)
    for axis, horizon in zip(axes, horizons, strict=True):
        for position, symbol in enumerate(symbols):
            heights = [max(found.get((m, symbol, horizon), np.nan), -0.25) for m in models]
            places = np.arange(len(models)) + (position - (len(symbols) - 1) / 2) * width
            axis.bar(places, heights, width, label=symbol if horizon == horizons[0] else None)
        axis.axhline(0.0, color="black", linewidth=0.8)
        axis.set_ylabel("R² out of sample")
        axis.set_title(f"{horizon} minutes before settlement (bars cut at −0.25)", fontsize=9)
        axis.set_xticks(np.arange(len(models)), models, rotation=20)
    figure.legend(loc="outside upper right", ncols=len(symbols), fontsize=8)
    return png_bytes(figure)


def scatter_figure(table: FeatureTable, predictions: Predictions, horizon_min: int) -> bytes:
    """Draw forecast against realised rate, one panel a symbol; PNG."""
    rows = predictions.rows
    at_horizon = table.horizon_min[rows] == horizon_min
    symbols = np.unique(table.symbol[rows])
    figure = new_figure(3.2 * max(len(symbols), 1), 3.2)
    axes = np.atleast_1d(figure.subplots(1, max(len(symbols), 1)))
    for axis, symbol in zip(axes, symbols, strict=False):
        mask = at_horizon & (table.symbol[rows] == symbol)
        x, y = predictions.predicted[mask] * 1e4, table.realised[rows[mask]] * 1e4
        axis.scatter(x, y, s=7, alpha=0.5)
        if len(x):
            ends = [min(x.min(), y.min()), max(x.max(), y.max())]
            axis.plot(ends, ends, color="black", linewidth=0.8)
        axis.set_title(f"{symbol}, {predictions.model}", fontsize=9)
        axis.set_xlabel(f"forecast at {horizon_min} min, bps")
        axis.set_ylabel("realised, bps")
    return png_bytes(figure)


def coverage_figure(table: FeatureTable, many: Mapping[str, Predictions], horizon_min: int) -> bytes:
    """Draw the share of realised rates within [q05, q95] by candidate against the nominal 90 %; PNG."""
    figure = new_figure(7.0, 3.0)
    axis = figure.subplots()
    names, shares = [], []
    for name, predictions in many.items():
        mask = table.horizon_min[predictions.rows] == horizon_min
        if not mask.any():
            continue
        realised = table.realised[predictions.rows[mask]]
        names.append(name)
        shares.append(
            float(((realised >= predictions.q05[mask]) & (realised <= predictions.q95[mask])).mean())
        )
    axis.bar(names, shares)
    axis.axhline(0.9, color="black", linestyle="--", linewidth=0.8)
    axis.set_ylim(0.0, 1.0)
    axis.set_ylabel(f"share within 5–95 %, {horizon_min} min")
    axis.tick_params(axis="x", rotation=20)
    return png_bytes(figure)
