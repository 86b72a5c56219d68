"""Pictures of the learning assets, as PNG bytes. Here belongs drawing only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from models.portfolio.policy import FREE, LIVE, MOST_BUFFER_BPS

if TYPE_CHECKING:
    from models.learning.drift import Drift
    from models.learning.gate_cost import GateCost
    from models.learning.probation import Standing
    from models.learning.slippage import Gap
    from models.portfolio.policy import Policy

_ROW_IN = 0.28
_LEAST_IN = 1.6
_GOOD, _BAD, _QUIET = "#3f7f4f", "#b3423a", "#8a8a8a"


def gaps_figure(gaps: Sequence[Gap], limit: float) -> bytes:
    """Draw shadow over live profit factor with its lower end, a row each; empty rows have too few trades."""
    names = [f"{gap.strategy} {gap.symbol}" for gap in gaps]
    rows = [(gap.ratio, gap.low, gap.ratio) for gap in gaps]
    colours = [_BAD if gap.verdict == "raise" else _QUIET for gap in gaps]
    return _rows_figure(names, rows, colours, limit, "profit factor, shadow over live (bar to the lower end)")


def standings_figure(standings: Sequence[Standing], limit: float) -> bytes:
    """Draw golden-hour profit factors with their upper end."""
    names = [each.symbol for each in standings]
    rows = [(each.factor, each.factor, each.high) for each in standings]
    colours = [_GOOD if each.probation == FREE else _BAD for each in standings]
    return _rows_figure(names, rows, colours, limit, "golden-hour profit factor (bar to the upper end)")


def costs_figure(costs: Sequence[GateCost]) -> bytes:
    """Draw the mean net result of what each gate blocked, with its interval."""
    names = [f"{cost.gate} ({cost.trades})" for cost in costs]
    rows = [(cost.net_bps, cost.low_bps, cost.high_bps) for cost in costs]
    colours = [_BAD if cost.low_bps > 0.0 else _GOOD if cost.high_bps < 0.0 else _QUIET for cost in costs]
    return _rows_figure(names, rows, colours, 0.0, "mean net result of blocked shadow trades, bps")


def drift_figure(drifts: Mapping[str, Drift]) -> bytes:
    """Draw the CUSUM of each model's losses against its limit."""
    from hean_pipelines.plots import new_figure, png_bytes

    figure = new_figure(7.0, 3.0)
    axis = figure.subplots()
    for name, drift in drifts.items():
        if drift.path:
            [line] = axis.plot(range(1, len(drift.path) + 1), drift.path, label=f"{name}: {drift.verdict}")
            axis.axhline(drift.limit, color=line.get_color(), linestyle=":", linewidth=1.0)
    axis.set_xlabel("settlements or horizons, newest last")
    axis.set_ylabel("CUSUM, standard deviations")
    if any(drift.path for drift in drifts.values()):
        axis.legend(fontsize=8)
    else:
        axis.set_title("not enough data", fontsize=9)
    return png_bytes(figure)


def markouts_figure(horizons_s: Sequence[float], groups: Sequence[Mapping[str, Any]]) -> bytes:
    """Draw the mean markout of each group of fills by horizon, bps, with intervals where there are any."""
    from hean_pipelines.plots import new_figure, png_bytes

    figure = new_figure(7.0, 3.0)
    axis = figure.subplots()
    for group in groups:
        known = [(s, mean) for s, mean in zip(horizons_s, group["means"], strict=True) if mean is not None]
        if not known:
            continue
        label = f"{group['group']} ({group['fills']})"
        [line] = axis.plot(
            [s for s, _ in known], [mean["value"] for _, mean in known], marker="o", label=label
        )
        for horizon, mean in known:
            if mean["low"] is not None:
                axis.plot(
                    [horizon, horizon], [mean["low"], mean["high"]], color=line.get_color(), linewidth=1.0
                )
    axis.axhline(0.0, color=_QUIET, linewidth=1.0)
    axis.set_xlabel("seconds after the fill")
    axis.set_ylabel("mid in the fill's direction, bps")
    if len(axis.lines) > 1:
        axis.set_xscale("log")
        axis.legend(fontsize=8)
    else:
        axis.set_title("not enough data", fontsize=9)
    return png_bytes(figure)


def policy_figure(policy: Policy) -> bytes:
    """Draw shares by strategy and buffers by symbol."""
    from hean_pipelines.plots import new_figure, png_bytes

    names, symbols = sorted(policy.strategies), sorted(policy.symbols)
    figure = new_figure(9.0, max(_LEAST_IN, _ROW_IN * max(len(names), len(symbols)) + 0.8))
    left, right = figure.subplots(1, 2)
    found = [policy.strategies[name] for name in names]
    left.barh(names, [each.base_share for each in found], color="#dddddd", label="base")
    left.barh(names, [each.share for each in found], color=_GOOD, height=0.5, label="in force")
    left.set_xlabel("share of the equity")
    left.tick_params(labelsize=7)
    left.legend(fontsize=7)
    left.set_title(f"{sum(each.state == LIVE for each in found)} of {len(found)} live", fontsize=9)
    colours = [_QUIET if policy.symbols[name].probation == FREE else _BAD for name in symbols]
    right.barh(symbols, [policy.symbols[name].slippage_buffer_bps for name in symbols], color=colours)
    right.set_xlim(0.0, MOST_BUFFER_BPS)
    right.set_xlabel("slippage buffer, bps (red: probation)")
    right.tick_params(labelsize=7)
    return png_bytes(figure)


def _rows_figure(
    names: Sequence[str],
    rows: Sequence[tuple[float, float, float]],
    colours: Sequence[str],
    limit: float,
    words: str,
) -> bytes:
    from hean_pipelines.plots import new_figure, png_bytes

    figure = new_figure(7.0, max(_LEAST_IN, _ROW_IN * len(names) + 0.9))
    axis = figure.subplots()
    for place, ((centre, low, high), colour) in enumerate(zip(rows, colours, strict=True)):
        if centre == centre:
            axis.plot([low, high], [place, place], color=colour, linewidth=2.0)
            axis.plot([centre], [place], "o", color=colour, markersize=4)
    axis.axvline(limit, color="black", linestyle=":", linewidth=1.0)
    axis.set_yticks(range(len(names)), names, fontsize=7)
    axis.set_ylim(-0.7, max(len(names), 1) - 0.3)
    axis.invert_yaxis()
    axis.set_xlabel(words, fontsize=8)
    if not any(centre == centre for centre, _, _ in rows):
        axis.set_title("not enough data", fontsize=9)
    return png_bytes(figure)
