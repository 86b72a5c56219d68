"""Capacity: what a trade earns as capital grows, from runs over the same tape that differ in capital only.

The fill model lets a larger order walk further into the book and wait longer in the queue, but nobody reacts to it and what it
took is there again for the next one: the figures are an upper bound. Here belongs the comparison; running does not.
"""

from __future__ import annotations

from dataclasses import dataclass

from models.simulation.backtest.figures import Estimate, net_bps_of, net_of, trade_mean
from models.simulation.backtest.results import Results


@dataclass(frozen=True)
class CapacityRow:
    """One capital.

    Attributes
    ----------
    multiple, capital_usd : float
    trades : int
    net_bps : Estimate or None
        A trade, after fees.
    net_usd : float
        Of the trades, after fees.
    filled_share : float or None
        Quantity filled over quantity sent; None where nothing was sent.
    mean_entry_usd : float or None
        Mean value of a trade's entry.

    """

    multiple: float
    capital_usd: float
    trades: int
    net_bps: Estimate | None
    net_usd: float
    filled_share: float | None
    mean_entry_usd: float | None


def capacity_row(
    results: Results, multiple: float, capital_usd: float, until_ns: int | None = None
) -> CapacityRow:
    """Return what a run with this capital did.

    Parameters
    ----------
    results : Results
    multiple, capital_usd : float
    until_ns : int, optional
        Leaves out what was sent or closed from then on, so that a longer run can stand beside shorter ones.

    """
    trades, orders = results.trades, results.orders
    if until_ns is not None:
        trades, orders = trades[trades["closed_ns"] < until_ns], orders[orders["at_ns"] < until_ns]
    sent = float(orders["quantity"].sum())
    return CapacityRow(
        multiple=multiple,
        capital_usd=capital_usd,
        trades=len(trades),
        net_bps=trade_mean(net_bps_of(trades), trades),
        net_usd=float(net_of(trades).sum()),
        filled_share=float(orders["filled"].sum()) / sent if sent > 0.0 else None,
        mean_entry_usd=float((trades["quantity"] * trades["entry_price"]).mean()) if len(trades) else None,
    )
