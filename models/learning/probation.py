"""L2: probation. A symbol that loses in golden hours is traded at a fifth of its size until it recovers.

Here belongs judging symbols by their profit factor in basis points, which does not see the size: a trade on probation counts as
much as any other. Live trades put a symbol on probation. It recovers by its live trades since then, or where those are too few by
its shadow trades, which always run: so there is always a way back.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from models.learning.trades import DAY_NS, HOUR_NS, TradeTable, block_sums, profit_factor, resampled_sums
from models.portfolio.policy import FREE, PROBATION, Policy


@dataclass(frozen=True)
class ProbationRules:
    """Numbers of L2.

    Attributes
    ----------
    enter_below, leave_from : float
        Profit factors; apart, so that a symbol does not flap.
    least_trades, least_back : int
        Golden-hour trades needed to enter, and to leave.
    level : float
        One-sided: a symbol enters only where a profit factor of 1 lies above the interval.
    window_ns, block_ns : int
        How far back trades count, and the length of a block of the bootstrap.
    resamples, seed : int

    """

    enter_below: float = 0.8
    leave_from: float = 1.0
    least_trades: int = 30
    least_back: int = 20
    level: float = 0.05
    window_ns: int = 14 * DAY_NS
    block_ns: int = 4 * HOUR_NS
    resamples: int = 2000
    seed: int = 11


@dataclass(frozen=True)
class Standing:
    """Where a symbol stands.

    Attributes
    ----------
    symbol : str
    trades : int
        Golden-hour trades that were counted.
    factor, high : float
        Profit factor and the upper end of its one-sided interval; NaN where there are too few trades.
    probation : float
        0.2 or 1, from now on.
    has_changed : bool
    words : str

    """

    symbol: str
    trades: int
    factor: float
    high: float
    probation: float
    has_changed: bool
    words: str


def standings(
    trades: TradeTable, previous: Policy | None, now_ns: int, rules: ProbationRules | None = None
) -> list[Standing]:
    """Judge every symbol that was traded in golden hours or is on probation.

    Parameters
    ----------
    trades : TradeTable
    previous : Policy or None
    now_ns : int
    rules : ProbationRules, optional

    Returns
    -------
    list of Standing
        Sorted by symbol.

    """
    rules = rules or ProbationRules()
    window = trades.since(now_ns - rules.window_ns)
    golden = window.take(window.in_golden_hours)
    symbols = set(golden.symbol.tolist())
    if previous:
        symbols |= {name for name, symbol in previous.symbols.items() if symbol.probation != FREE}
    out = []
    for name in sorted(symbols):
        own = golden.take(golden.symbol == name)
        before = previous.symbol(name) if previous else None
        since_ns = before.probation_since_ns if before else 0
        if before is not None and before.probation != FREE:
            out.append(_leaving(name, own.since(since_ns), rules))
        else:
            # After a probation only later trades count, or the same losses would bring it back at once.
            out.append(_entering(name, own.since(since_ns), rules))
    return out


def _entering(symbol: str, trades: TradeTable, rules: ProbationRules) -> Standing:
    live = trades.take(trades.is_live)
    if len(live) < rules.least_trades:
        words = f"{len(live)} live golden-hour trades of {rules.least_trades} needed"
        return Standing(symbol, len(live), math.nan, math.nan, FREE, False, words)
    factor, high = _factor(live, rules)
    enters = factor < rules.enter_below and high < 1.0
    words = (
        f"golden-hour profit factor {factor:.2f} (at most {high:.2f}) of {len(live)} trades,"
        f" limit {rules.enter_below:.2f}"
    )
    return Standing(symbol, len(live), factor, high, PROBATION if enters else FREE, enters, words)


def _leaving(symbol: str, trades: TradeTable, rules: ProbationRules) -> Standing:
    live = trades.take(trades.is_live)
    used, kind = (live, "live") if len(live) >= rules.least_back else (trades.take(~trades.is_live), "shadow")
    if len(used) < rules.least_back:
        words = f"on probation; {len(used)} golden-hour trades since of {rules.least_back} needed"
        return Standing(symbol, len(used), math.nan, math.nan, PROBATION, False, words)
    factor, high = _factor(used, rules)
    leaves = factor >= rules.leave_from
    words = f"on probation; profit factor {factor:.2f} of {len(used)} {kind} trades since, free from {rules.leave_from:.2f}"
    return Standing(symbol, len(used), factor, high, FREE if leaves else PROBATION, leaves, words)


def _factor(trades: TradeTable, rules: ProbationRules) -> tuple[float, float]:
    """Profit factor and the upper end of its interval."""
    prior = max(float(np.abs(trades.pnl_bps).mean()), 1e-9)
    sums = block_sums(trades, rules.block_ns)
    sums = sums[:, :2] + sums[:, 2:]
    total = sums.sum(axis=0)
    drawn = resampled_sums(sums, rules.resamples, rules.seed)
    factors = profit_factor(drawn[:, 0], drawn[:, 1], prior)
    factor = float(profit_factor(total[:1], total[1:], prior)[0])
    return factor, float(np.quantile(factors, 1.0 - rules.level))
