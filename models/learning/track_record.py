"""What a strategy's own trades and backtests say of it, in the figures that promotion asks for.

Here belong the mean of closed trades with an interval, and the deflated Sharpe ratio of a backtest with its trials counted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.errors import DataError
from models.evidence.intervals import block_mean
from models.evidence.sharpe import deflated_sharpe_ratio, sharpe_moments
from models.learning.promotion import NO_RECORD, Record
from models.learning.trades import TradeTable

Floats = NDArray[np.float64]

CONFIDENCE = 0.999
"""Of the interval promotion asks for. It is looked at every four hours, so it must be wider than that of one look: of worthless
records looked at so for 90 days, some 5 % pass once."""

LIVE_CONFIDENCE = 0.95
"""Of the interval that ends trading: to stop too early costs less than to stop too late."""

_LEAST_PERIODS = 10


def record_of(trades: TradeTable, *, confidence: float = CONFIDENCE) -> Record:
    """Return the mean result of trades with an interval of contiguous blocks of time.

    Parameters
    ----------
    trades : TradeTable
        Of one strategy and one mode, over all symbols: trades of one moment lie in one block.
    confidence : float

    """
    if not len(trades):
        return NO_RECORD
    order = trades.entry_ns.argsort(kind="stable")
    horizon_ns = max(int((trades.exit_ns - trades.entry_ns).max()), 1)
    found = block_mean(trades.pnl_bps[order], trades.entry_ns[order], horizon_ns, confidence=confidence)
    mean = float(trades.pnl_bps.mean())
    if found is None:
        return Record(len(trades), mean, math.nan, math.nan)
    return Record(len(trades), mean, found.low, found.high)


def deflated_of_trials(returns: Floats, others: Sequence[float]) -> float:
    """Deflate the Sharpe ratio of a backtest by all the trials made of the strategy.

    Parameters
    ----------
    returns : ndarray of float64, shape (periods,)
        Of the judged backtest, one a period, fractions of the capital.
    others : sequence of float
        Sharpe ratios of the other trials, per period of the same length.

    Returns
    -------
    float
        Probability, or NaN for fewer than 10 periods or returns that do not vary. The trials' variance is at least that of the
        ratio of a worthless strategy, 1 / periods: trials that happen to agree are not fewer.

    """
    x = np.asarray(returns, dtype=np.float64)
    if len(x) < _LEAST_PERIODS:
        return math.nan
    try:
        moments = sharpe_moments(x)
    except DataError:  # all the same: no trade was closed, or there is no spread to speak of
        return math.nan
    ratios = np.array([moments.sharpe, *others])
    observed = float(ratios.var(ddof=1)) if len(ratios) > 1 else 0.0
    return deflated_sharpe_ratio(moments, len(ratios), max(observed, 1.0 / len(x))).probability
