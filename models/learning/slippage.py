"""L1: shadow against live. Where the paper twins of live trades do better by more than 15 %, fills cost more than was assumed.

Here belongs the comparison of profit factors for each strategy and symbol and what follows for the symbol's slippage buffer.
Only shadow trades that no gate blocked are compared: the others have no live twin. Applying the bounds belongs to ``bounds``.

Noise must not act: the ratio must surely exceed the limit. It has an interval by a bootstrap over blocks of time, in which shadow
and live trades of one block stay together (they share the market's moves); its level is divided by the number of strategies
compared on the symbol; and trades older than the last raise do not raise again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from models.learning.trades import DAY_NS, HOUR_NS, TradeTable, block_sums, profit_factor, resampled_sums
from models.portfolio.policy import Policy

RAISE: Final = "raise"
HOLD: Final = "hold"
LOWER: Final = "lower"
UNKNOWN: Final = "not enough data"


@dataclass(frozen=True)
class SlippageRules:
    """Numbers of L1.

    Attributes
    ----------
    gap : float
        Shadow over live profit factor, minus 1, above which a raise is considered.
    least_trades, least_blocks : int
        Of each mode, and blocks of time with a trade, below which nothing is said.
    window_ns, block_ns : int
        How far back trades count, and the length of a block.
    level : float
        One-sided, over all strategies of a symbol together.
    resamples, seed : int
        Of the bootstrap.
    raise_bps, lower_bps, idle_bps : float
        Change of the buffer on a raise, when the gap has closed, and where there are too few trades to say.
    patience_ns : int
        After a raise a buffer stays for so long while new trades gather; without them it then decays by `idle_bps`. So a buffer
        that keeps every trade away cannot keep itself.

    """

    gap: float = 0.15
    least_trades: int = 30
    least_blocks: int = 10
    window_ns: int = 14 * DAY_NS
    block_ns: int = 4 * HOUR_NS
    level: float = 0.01
    resamples: int = 2000
    seed: int = 7
    raise_bps: float = 2.0
    lower_bps: float = 1.0
    idle_bps: float = 0.25
    patience_ns: int = 7 * DAY_NS


@dataclass(frozen=True)
class Gap:
    """Shadow against live of one strategy on one symbol; figures are NaN where there are too few trades.

    Attributes
    ----------
    strategy, symbol : str
    shadow_trades, live_trades : int
    shadow_factor, live_factor : float
        Profit factors.
    ratio, low : float
        Shadow over live, and the lower end of its one-sided interval.
    verdict : str
        ``raise``, ``hold`` (apart, but not surely), ``lower`` (not apart) or ``not enough data``.

    """

    strategy: str
    symbol: str
    shadow_trades: int
    live_trades: int
    shadow_factor: float
    live_factor: float
    ratio: float
    low: float
    verdict: str


@dataclass(frozen=True)
class BufferChange:
    """What L1 proposes for a symbol: a change in bps, the verdict it follows from, and the arithmetic."""

    symbol: str
    change_bps: float
    verdict: str
    words: str


def shadow_against_live(
    trades: TradeTable, previous: Policy | None, now_ns: int, rules: SlippageRules | None = None
) -> list[Gap]:
    """Compare shadow with live for every strategy and symbol that has both.

    Parameters
    ----------
    trades : TradeTable
    previous : Policy or None
        Says when each symbol's buffer was last raised.
    now_ns : int
    rules : SlippageRules, optional

    Returns
    -------
    list of Gap
        Sorted by symbol and strategy.

    """
    rules = rules or SlippageRules()
    twins = trades.since(now_ns - rules.window_ns)
    twins = twins.take(twins.is_live | (twins.blocked_by == ""))
    found: list[Gap] = []
    for symbol, own in twins.by("symbol"):
        raised_ns = previous.symbol(symbol).buffer_raised_ns if previous else 0
        groups = list(own.since(raised_ns).by("strategy"))
        compared = sum(_suffices(group, rules) for _, group in groups)
        found += [_gap(name, symbol, group, max(compared, 1), rules) for name, group in groups]
    return found


def buffer_changes(
    gaps: Sequence[Gap], previous: Policy | None, now_ns: int, rules: SlippageRules | None = None
) -> dict[str, BufferChange]:
    """Say what follows for each symbol: the most careful of what its strategies say.

    Parameters
    ----------
    gaps : sequence of Gap
    previous : Policy or None
    now_ns : int
    rules : SlippageRules, optional

    Returns
    -------
    dict of str to BufferChange
        Of every symbol with trades or in the policy.

    """
    rules = rules or SlippageRules()
    changes = {RAISE: rules.raise_bps, HOLD: 0.0, LOWER: -rules.lower_bps, UNKNOWN: -rules.idle_bps}
    out = {}
    for symbol in sorted({gap.symbol for gap in gaps} | set(previous.symbols if previous else ())):
        raised_ns = previous.symbol(symbol).buffer_raised_ns if previous else 0
        waits = raised_ns > 0 and now_ns - raised_ns < rules.patience_ns
        own = [gap for gap in gaps if gap.symbol == symbol]
        if not own:
            out[symbol] = BufferChange(
                symbol, 0.0 if waits else -rules.idle_bps, UNKNOWN, "no trades since the last raise"
            )
            continue
        speaks = min(
            own, key=lambda gap: (list(changes).index(gap.verdict), -_known(gap.ratio), gap.strategy)
        )
        words = (
            f"{speaks.strategy}: shadow {speaks.shadow_factor:.2f} / live {speaks.live_factor:.2f} = {speaks.ratio:.2f}"
            f" (at least {speaks.low:.2f}), limit {1.0 + rules.gap:.2f}"
            if speaks.verdict != UNKNOWN
            else f"{speaks.shadow_trades} shadow and {speaks.live_trades} live trades of {rules.least_trades} needed"
        )
        change = 0.0 if speaks.verdict == UNKNOWN and waits else changes[speaks.verdict]
        out[symbol] = BufferChange(symbol, change, speaks.verdict, words)
    return out


def _suffices(trades: TradeTable, rules: SlippageRules) -> bool:
    live = int(trades.is_live.sum())
    blocks = len(np.unique(trades.exit_ns // rules.block_ns))
    return min(live, len(trades) - live) >= rules.least_trades and blocks >= rules.least_blocks


def _gap(strategy: str, symbol: str, trades: TradeTable, compared: int, rules: SlippageRules) -> Gap:
    live = int(trades.is_live.sum())
    counts = (len(trades) - live, live)
    if not _suffices(trades, rules):
        return Gap(strategy, symbol, *counts, math.nan, math.nan, math.nan, math.nan, UNKNOWN)
    prior = max(float(np.abs(trades.pnl_bps).mean()), 1e-9)
    sums = block_sums(trades, rules.block_ns)
    total = sums.sum(axis=0)[None]
    shadow, own = (float(profit_factor(total[:, c], total[:, c + 1], prior)[0]) for c in (0, 2))
    drawn = resampled_sums(sums, rules.resamples, rules.seed)
    ratios = profit_factor(drawn[:, 0], drawn[:, 1], prior) / profit_factor(drawn[:, 2], drawn[:, 3], prior)
    low = float(np.quantile(ratios, rules.level / compared))
    ratio = shadow / own
    is_apart = ratio > 1.0 + rules.gap
    verdict = LOWER if not is_apart else RAISE if low > 1.0 + rules.gap else HOLD
    return Gap(strategy, symbol, *counts, shadow, own, ratio, low, verdict)


def _known(value: float) -> float:
    return value if math.isfinite(value) else -math.inf
