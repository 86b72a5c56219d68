"""L4: what each gate cost or saved, from the shadow trades it blocked.

Here belongs the mean net result of what was blocked, with an interval of contiguous blocks of time. A positive mean is money the
gate kept us from, a negative one money it saved. The shadow is a trade at touch prices with taker fees, so a strategy that quotes
would have paid less: the figure compares gates, it does not promise profit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from models.evidence.intervals import block_mean
from models.evidence.verdict import NOT_ENOUGH_DATA
from models.learning.trades import TradeTable

COSTS: Final = "costs money"
SAVES: Final = "saves money"
UNDECIDED: Final = "undecided"


@dataclass(frozen=True)
class GateCost:
    """Of one gate, over the shadow trades it blocked.

    Attributes
    ----------
    gate : str
        Reason of the block.
    trades : int
    net_bps, low_bps, high_bps : float
        Mean net result with its 95 % interval; NaN where the data do not suffice for one.
    net_usd, low_usd, high_usd : float
        The same in USD a trade, at the size of the shadows.
    total_usd : float
        Sum over all blocked trades; known always.
    verdict : str
        ``costs money`` or ``saves money`` where the interval in bps has one sign, else ``undecided``, or ``not enough data``.

    """

    gate: str
    trades: int
    net_bps: float
    low_bps: float
    high_bps: float
    net_usd: float
    low_usd: float
    high_usd: float
    total_usd: float
    verdict: str


def gate_costs(trades: TradeTable) -> list[GateCost]:
    """Measure every gate that has blocked a shadow trade, the most active first.

    Parameters
    ----------
    trades : TradeTable

    """
    blocked = trades.take(~trades.is_live & (trades.blocked_by != ""))
    costs = [_cost(gate, own) for gate, own in blocked.by("blocked_by")]
    return sorted(costs, key=lambda cost: (-cost.trades, cost.gate))


def _cost(gate: str, trades: TradeTable) -> GateCost:
    order = trades.entry_ns.argsort(kind="stable")
    entry_ns = trades.entry_ns[order]
    horizon_ns = max(int((trades.exit_ns - trades.entry_ns).max()), 1)
    total = float(trades.pnl_usd.sum())
    bps = block_mean(trades.pnl_bps[order], entry_ns, horizon_ns)
    usd = block_mean(trades.pnl_usd[order], entry_ns, horizon_ns)
    if bps is None or usd is None:
        return GateCost(gate, len(trades), *(math.nan,) * 6, total, NOT_ENOUGH_DATA)
    verdict = COSTS if bps.low > 0.0 else SAVES if bps.high < 0.0 else UNDECIDED
    figures = (bps.estimate, bps.low, bps.high, usd.estimate, usd.low, usd.high)
    return GateCost(gate, len(trades), *figures, total, verdict)
