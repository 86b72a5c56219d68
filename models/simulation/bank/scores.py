"""What a strategy of a bank earned a trip, with an interval: the figures of a tournament.

Here belongs arithmetic over round trips. What is allowed to trade for it is decided elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.evidence.intervals import block_mean


@dataclass(frozen=True)
class Score:
    """Round trips of one strategy over one market.

    Attributes
    ----------
    trades : int
    net_bps : float or None
        Mean profit a trip after fees and funding, bps of the value entered; None without trips.
    low_bps, high_bps : float or None
        Its 95 % interval by contiguous blocks; None with too few trips for one.
    profit_usd, fees_usd, funding_usd : float
        Sums; funding is what was paid.
    win_rate : float or None
    profit_factor : float or None
        None where nothing was lost.
    mean_hold_s : float or None

    """

    trades: int
    net_bps: float | None
    low_bps: float | None
    high_bps: float | None
    profit_usd: float
    fees_usd: float
    funding_usd: float
    win_rate: float | None
    profit_factor: float | None
    mean_hold_s: float | None


def score_of(trips: NDArray[np.void]) -> Score:
    """Return the score of round trips of several symbols together.

    Parameters
    ----------
    trips : array of TRIP
        In any order; trips without value entered are left out.

    """
    kept = np.sort(trips[trips["notional"] > 0.0], order="entry_ns")
    if not len(kept):
        return Score(0, None, None, None, 0.0, 0.0, 0.0, None, None, None)
    bps = 1e4 * kept["profit"] / kept["notional"]
    hold_ns = kept["exit_ns"] - kept["entry_ns"]
    interval = block_mean(bps, kept["entry_ns"], int(max(hold_ns.max(), 1)))
    lost = float(-kept["profit"][kept["profit"] < 0.0].sum())
    return Score(
        trades=len(kept),
        net_bps=float(bps.mean()),
        low_bps=None if interval is None else interval.low,
        high_bps=None if interval is None else interval.high,
        profit_usd=float(kept["profit"].sum()),
        fees_usd=float(kept["fees"].sum()),
        funding_usd=float(kept["funding"].sum()),
        win_rate=float(np.mean(kept["profit"] > 0.0)),
        profit_factor=float(kept["profit"][kept["profit"] > 0.0].sum()) / lost if lost > 0.0 else None,
        mean_hold_s=float(hold_ns.mean()) * 1e-9,
    )
