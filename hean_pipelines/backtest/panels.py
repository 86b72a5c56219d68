"""Stretches of a run to look at closely: the whole of it, its busiest hour, its worst and its best trade.

Here belongs choosing them and cutting out their mids, fills and trades as plain data. Drawing does not.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hean_pipelines.report.time_charts import thinned
from models.simulation.backtest.figures import HOUR_NS, net_bps_of, net_of
from models.simulation.backtest.results import Results

POINTS: Final = 600
"""Pairs of extremes kept of a line."""
MOST_MARKS: Final = 400
"""With more fills than this a stretch is drawn without them."""
_LEAST_MARGIN_NS: Final = 30_000_000_000


def panels_of(results: Results) -> list[dict[str, Any]]:
    """Return the stretches, the whole run first; no others without trades."""
    equity, fills, trades = results.equity, results.fills, results.trades
    if len(equity) < 2:
        return []
    whole = (int(equity["at_ns"][0]), int(equity["at_ns"][-1]))
    found = [_panel(results, "whole", *whole)]
    if len(trades):
        hours, counts = np.unique(fills["exch_ns"] // HOUR_NS, return_counts=True)
        busiest = int(hours[counts.argmax()]) * HOUR_NS
        found.append(_panel(results, "busiest hour", busiest, busiest + HOUR_NS))
        net = net_of(trades)
        found.append(_panel(results, "worst trade", *_around(trades[int(net.argmin())])))
        found.append(_panel(results, "best trade", *_around(trades[int(net.argmax())])))
    return found


def _around(trade: np.void) -> tuple[int, int]:
    opened, closed = int(trade["opened_ns"]), int(trade["closed_ns"])
    margin = max(_LEAST_MARGIN_NS, (closed - opened) // 2)
    return opened - margin, closed + margin


def _panel(results: Results, name: str, start: int, end: int) -> dict[str, Any]:
    equity, fills, trades = results.equity, results.fills, results.trades
    rows = equity[(equity["at_ns"] >= start) & (equity["at_ns"] <= end) & ~np.isnan(equity["mid"])]
    kept = thinned(rows["mid"], POINTS) if len(rows) else []
    inside = fills[(fills["exch_ns"] >= start) & (fills["exch_ns"] <= end)]
    touching = trades[(trades["closed_ns"] >= start) & (trades["opened_ns"] <= end)]
    is_drawn = len(inside) <= MOST_MARKS
    return {
        "name": name,
        "start_ns": start,
        "end_ns": end,
        "at_ns": rows["at_ns"][kept].tolist(),
        "mid": rows["mid"][kept].tolist(),
        "fill_count": len(inside),
        "trade_count": len(touching),
        "fills": fill_rows(inside) if is_drawn else [],
        "trades": trade_rows(touching) if is_drawn else [],
    }


def fill_rows(fills: NDArray[np.void]) -> list[dict[str, Any]]:
    """Return fills as plain rows."""
    names = ("exch_ns", "side", "price", "quantity", "maker")
    return [
        dict(zip(names, row, strict=True)) for row in zip(*(fills[n].tolist() for n in names), strict=True)
    ]


def trade_rows(trades: NDArray[np.void]) -> list[dict[str, Any]]:
    """Return trades as plain rows, with what they earned after fees."""
    names = (
        "opened_ns",
        "closed_ns",
        "side",
        "quantity",
        "entry_price",
        "exit_price",
        "profit_usd",
        "fees_usd",
    )
    columns = [
        *(trades[n.removesuffix("_usd")].tolist() for n in names),
        net_of(trades).tolist(),
        net_bps_of(trades).tolist(),
    ]
    return [dict(zip((*names, "net_usd", "net_bps"), row, strict=True)) for row in zip(*columns, strict=True)]
