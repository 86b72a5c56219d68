"""The result of a backtest as plain data: what the JSON file holds, and all that the page shows.

The same arguments give the same bytes: no clock, no paths. Here belongs the layout; figures come from
`models.simulation.backtest`.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from hean_pipelines.backtest.assumed import assumptions_of
from hean_pipelines.backtest.markets import MINIMUM_ORDER_USD
from hean_pipelines.backtest.panels import POINTS, panels_of, trade_rows
from hean_pipelines.backtest.run import Outcome
from hean_pipelines.report.time_charts import thinned
from models.simulation.backtest.activity import below_minimum, intents_of, orders_of
from models.simulation.backtest.figures import DAY_NS, HOUR_NS, figures_of, net_of
from models.simulation.backtest.markouts import markouts_of, quoting_verdict
from models.simulation.backtest.records import MARKOUTS_S
from models.simulation.backtest.truth import truth_rows
from models.simulation.slow_market.truth import planted_numbers, slow_truth_rows
from models.strategies import catalogue

FORMAT: Final = 1
"""Raised when a key changes its meaning."""
LISTED: Final = 15
"""Trades listed from either end."""
_HOURLY_DAYS: Final = 3.0
_KINDS: Final = {
    catalogue.TRADES: ("trade",),
    catalogue.BOOK: ("depth", "snapshot", "bbo"),
    catalogue.OPEN_INTEREST: ("open_interest",),
    catalogue.LIQUIDATIONS: ("liquidation",),
    catalogue.FUNDING: ("funding",),
}


def document_of(outcome: Outcome) -> dict[str, Any]:
    """Return everything there is to say about a run, ready for JSON: numbers, texts, lists, null where unknown."""
    plan, results, tape = outcome.plan, outcome.results, outcome.tape
    figures = figures_of(results, plan.capital_usd)
    marks = markouts_of(results.fills)
    truth, planted = None, None
    if tape.episodes is not None and plan.order_flow is not None:
        truth = truth_rows(results.trades, tape.episodes, plan.order_flow)
    elif tape.episodes is not None and plan.slow_market is not None:
        truth = slow_truth_rows(results.trades, tape.episodes, plan.slow_market)
        planted = [number._asdict() for number in planted_numbers(plan.slow_market)]
    return {
        "format": FORMAT,
        "plan": plan.facts(),
        "tape": {
            "days": tape.days,
            "problems": tape.problems,
            "missing": missing_needs(outcome),
            **_plain(tape.report),
        },
        "figures": _plain(figures),
        "markouts": {"horizons_s": MARKOUTS_S, "quoting": quoting_verdict(marks["maker"]), **_plain(marks)},
        "equity": _equity(outcome),
        "periods": _periods(outcome),
        "panels": panels_of(results),
        "trades": _listed(outcome),
        "capacity": {"days": outcome.capacity_days, "rows": _plain(outcome.capacity)},
        "gates": _gates(outcome),
        "truth": _plain(truth),
        "planted": _plain(planted),
        "activity": {
            "ticks": results.ticks,
            "intents": _plain(intents_of(results, plan.entry.reasons)),
            "orders": _plain(orders_of(results)),
            "held_back": _plain(outcome.held_back),
            "below_minimum_order": below_minimum(results, MINIMUM_ORDER_USD, plan.venue.tick_size),
            "minimum_order_usd": MINIMUM_ORDER_USD,
            "lot_usd": _lot_usd(outcome),
        },
    }


def to_bytes(document: dict[str, Any]) -> bytes:
    """Return a document as JSON text; equal documents give equal bytes."""
    return (json.dumps(_plain(document), indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def missing_needs(outcome: Outcome) -> list[str]:
    """Return what the strategy needs and neither tape nor outlooks hold; only the slow market comes with outlooks."""
    counts, market = outcome.tape.report.counts, outcome.plan.market
    return missing_of(outcome.plan.entry, counts, knows_outlooks=market == "slow")


def missing_of(entry: catalogue.Entry, counts: Mapping[str, int], *, knows_outlooks: bool) -> list[str]:
    """Return what a strategy needs and a tape does not hold.

    Parameters
    ----------
    entry : Entry
    counts : mapping of str to int
        Events by kind, of a tape's report.
    knows_outlooks : bool
        Whether forecasts and other markets come with the tape.

    """
    held = {need: any(counts.get(kind, 0) for kind in kinds) for need, kinds in _KINDS.items()}
    return [need for need in entry.needs if not held.get(need, knows_outlooks)]


def _plain(value: Any) -> Any:
    """Turn dataclasses, tuples and numbers of NumPy into what JSON knows; what is not finite becomes null."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _gates(outcome: Outcome) -> dict[str, Any] | None:
    """Return what the gates said; None where they were not asked, without a result where no round trip was ended."""
    if not outcome.plan.gates:
        return None
    return {"result": _plain(outcome.gated), "assumptions": assumptions_of(outcome.plan, outcome.tape)}


def _lot_usd(outcome: Outcome) -> float | None:
    mids = outcome.results.equity["mid"]
    known = mids[~np.isnan(mids)]
    return float(known[-1]) * outcome.plan.venue.lot_size if len(known) else None


def _equity(outcome: Outcome) -> dict[str, Any]:
    """Return equity, drawdown and where the money went, at the same thinned instants."""
    equity, fills = outcome.results.equity, outcome.results.fills
    values = equity["equity"]
    if not len(values):
        return {"at_ns": [], "equity_usd": [], "drawdown_usd": [], "fees_usd": [], "position_usd": []}
    peaks = np.maximum.accumulate(np.maximum(values, outcome.plan.capital_usd))
    kept = sorted({*thinned(values, POINTS), *thinned(values - peaks, POINTS)})
    paid = np.r_[0.0, np.cumsum(fills["fee"])][
        np.searchsorted(fills["exch_ns"], equity["at_ns"], side="right")
    ]
    return {
        "at_ns": equity["at_ns"][kept].tolist(),
        "equity_usd": values[kept].tolist(),
        "drawdown_usd": (values - peaks)[kept].tolist(),
        "fees_usd": paid[kept].tolist(),
        "position_usd": (equity["position"] * equity["mid"])[kept].tolist(),
    }


def _periods(outcome: Outcome) -> dict[str, Any]:
    """Return turnover, fees, trades and profit by hour, or by day for longer runs."""
    results, capital = outcome.results, outcome.plan.capital_usd
    period_ns = HOUR_NS if outcome.tape.days <= _HOURLY_DAYS else DAY_NS
    if not len(results.equity):
        return {"period_ns": period_ns, "rows": []}
    first = int(results.equity["at_ns"][0]) // period_ns
    # The last tick may stand a little beyond the last whole period.
    number = max(1, round((int(results.equity["at_ns"][-1]) - first * period_ns) / period_ns + 0.49))

    def by_period(times: Any, weights: Any) -> list[float]:
        bins = np.clip(times // period_ns - first, 0, number - 1)
        return np.bincount(bins, weights=weights, minlength=number).tolist()

    fills, trades = results.fills, results.trades
    columns = {
        "start_ns": [(first + k) * period_ns for k in range(number)],
        "turnover": by_period(fills["exch_ns"], fills["price"] * fills["quantity"] / capital),
        "fees_usd": by_period(fills["exch_ns"], fills["fee"]),
        "trades": by_period(trades["closed_ns"], np.ones(len(trades))),
        "net_usd": by_period(trades["closed_ns"], net_of(trades)),
    }
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return {"period_ns": period_ns, "rows": rows}


def _listed(outcome: Outcome) -> dict[str, Any]:
    trades = outcome.results.trades
    order = np.argsort(net_of(trades), kind="stable")
    worst = order[:LISTED]
    best = order[max(len(worst), len(order) - LISTED) :][::-1]
    return {"count": len(trades), "worst": trade_rows(trades[worst]), "best": trade_rows(trades[best])}
