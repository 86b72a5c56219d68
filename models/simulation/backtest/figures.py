"""Headline figures of a finished run, each with as much certainty as the run gives.

Means of trades carry the interval of contiguous blocks (`models.evidence.intervals`): None means "not enough data". Here
belongs arithmetic over results; markouts, capacity and planted truth have files of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.evidence.intervals import block_mean
from models.evidence.sharpe import (
    deflated_sharpe_ratio,
    minimum_track_record_length,
    probabilistic_sharpe_ratio,
    sharpe_moments,
)
from models.simulation.backtest.results import Results

HOUR_NS: Final = 3_600_000_000_000
DAY_NS: Final = 24 * HOUR_NS
_YEAR_NS: Final = 365 * DAY_NS
LEAST_PERIODS: Final = 10
TRIALS: Final = (1, 10, 100)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A mean over trades; `low` and `high` are its 95 % interval, None where there are too few trades for one."""

    value: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class Drawdown:
    """The deepest fall of equity below its peak.

    Attributes
    ----------
    usd, share : float
        Depth, and as a share of the peak.
    peak_ns, trough_ns : int
    length_ns : int
        From the peak to its recovery, or to the end where it never came.
    is_recovered : bool
    longest_ns : int
        Longest time below any peak.

    """

    usd: float
    share: float
    peak_ns: int
    trough_ns: int
    length_ns: int
    is_recovered: bool
    longest_ns: int


@dataclass(frozen=True)
class Sharpe:
    """A Sharpe ratio of returns on the capital, and how sure it is.

    Attributes
    ----------
    per_period, annual : float
    period_ns, periods : int
        Whole days where there are ten of them, hours otherwise.
    probabilities : tuple of (int, float)
        Trials, and the probability that the true ratio exceeds the best expected of that many worthless trials of this length;
        for one trial that is the probability that it is above zero.
    track_record : float
        Periods needed to tell it from zero with 95 % confidence; infinite where it is not positive.

    """

    per_period: float
    annual: float
    period_ns: int
    periods: int
    probabilities: tuple[tuple[int, float], ...]
    track_record: float


@dataclass(frozen=True)
class Exposure:
    """How much was at risk: share of the time with a position, mean and largest position over capital."""

    time_share: float
    mean: float
    largest: float


@dataclass(frozen=True)
class Figures:
    """The headline figures; money in quote units (USD), `net` after fees.

    `net_usd` also holds a position still open at the end; the figures of trades do not. Where there was funding, or a second leg,
    trades are round trips with funding in their profit (`models.simulation.bank.run.Record`); profit, fees, funding and turnover
    are of both markets, fills, orders and exposure of the first. `profit_factor` is None without a losing trade.
    """

    net_usd: float
    gross_usd: float
    fees_usd: float
    funding_usd: float
    trades: int
    fills: int
    orders: int
    dropped: int
    liquidations: int
    turnover: float
    net_trades_usd: Estimate | None
    net_bps: Estimate | None
    gross_bps: Estimate | None
    hit_rate: Estimate | None
    profit_factor: float | None
    mean_holding_s: float | None
    drawdown: Drawdown | None
    sharpe: Sharpe | None
    exposure: Exposure


def net_of(trades: NDArray[np.void]) -> Floats:
    """Return each trade's profit after fees (quote)."""
    return np.asarray(trades["profit"] - trades["fees"], dtype=np.float64)


def net_bps_of(trades: NDArray[np.void]) -> Floats:
    """Return each trade's profit after fees in bps of the value entered."""
    return np.asarray(1e4 * net_of(trades) / (trades["quantity"] * trades["entry_price"]), dtype=np.float64)


def mean_of(values: Floats, times_ns: NDArray[np.int64], horizon_ns: int) -> Estimate | None:
    """Return the mean of values whose windows open at ascending times and last `horizon_ns`; None without values."""
    if not len(values):
        return None
    found = block_mean(values, times_ns, horizon_ns)
    low, high = (None, None) if found is None else (found.low, found.high)
    return Estimate(float(values.mean()), low, high, len(values))


def trade_mean(values: Floats, trades: NDArray[np.void]) -> Estimate | None:
    """Return the mean of one value a trade; its window is that of the longest trade.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
    trades : array of TRADE, shape (n,)

    Returns
    -------
    Estimate or None
        None without trades.

    """
    longest = int((trades["closed_ns"] - trades["opened_ns"]).max()) if len(trades) else 0
    return mean_of(values, trades["opened_ns"], max(longest, 1))


def figures_of(results: Results, capital: float) -> Figures:
    """Return the headline figures of a run.

    Parameters
    ----------
    results : Results
    capital : float
        Quote; what the run began with.

    """
    trades = results.trades
    net = net_of(trades)
    lost = float(-net[net < 0.0].sum())
    return Figures(
        net_usd=results.profit,
        gross_usd=results.profit + results.fees + results.funding,
        fees_usd=results.fees,
        funding_usd=results.funding,
        trades=len(trades),
        fills=len(results.fills),
        orders=len(results.orders),
        dropped=results.dropped,
        liquidations=results.liquidations,
        turnover=results.turnover,
        net_trades_usd=_total(trade_mean(net, trades)),
        net_bps=trade_mean(net_bps_of(trades), trades),
        gross_bps=trade_mean(
            1e4 * trades["profit"] / (trades["quantity"] * trades["entry_price"]) if len(trades) else net,
            trades,
        ),
        hit_rate=trade_mean((net > 0.0).astype(np.float64), trades),
        profit_factor=float(net[net > 0.0].sum()) / lost if lost > 0.0 else None,
        mean_holding_s=float((trades["closed_ns"] - trades["opened_ns"]).mean()) * 1e-9
        if len(trades)
        else None,
        drawdown=drawdown_of(results.equity, capital),
        sharpe=sharpe_of(results.equity, capital),
        exposure=exposure_of(results, capital),
    )


def _total(mean: Estimate | None) -> Estimate | None:
    if mean is None:
        return None
    low = None if mean.low is None else mean.low * mean.n
    high = None if mean.high is None else mean.high * mean.n
    return Estimate(mean.value * mean.n, low, high, mean.n)


def drawdown_of(equity: NDArray[np.void], capital: float) -> Drawdown | None:
    """Return the deepest drawdown of the equity as recorded, None where equity never fell below its peak."""
    values, times = equity["equity"], equity["at_ns"]
    peaks = np.maximum.accumulate(np.maximum(values, capital)) if len(values) else values
    below = peaks - values
    if not len(values) or not below.max() > 0.0:
        return None
    worst = int(below.argmax())
    at_peak = np.flatnonzero(below[:worst] <= 0.0)
    first = int(at_peak[-1]) if len(at_peak) else 0
    after = np.flatnonzero(below[worst:] <= 0.0)
    last = worst + int(after[0]) if len(after) else len(values) - 1
    tops = np.r_[0, np.flatnonzero(below <= 0.0), len(values) - 1]
    return Drawdown(
        usd=float(below[worst]),
        share=float(below[worst] / peaks[worst]),
        peak_ns=int(times[first]),
        trough_ns=int(times[worst]),
        length_ns=int(times[last] - times[first]),
        is_recovered=len(after) > 0,
        longest_ns=int(np.diff(times[tops]).max()),
    )


def period_returns(equity: NDArray[np.void], capital: float, period_ns: int) -> Floats:
    """Return the change of equity over capital in each whole period from the first row on."""
    if not len(equity):
        return np.zeros(0)
    since = equity["at_ns"] - equity["at_ns"][0]
    # The last tick of a day may fall just short of it.
    whole = int((since[-1] + period_ns // 100) // period_ns)
    ends = np.searchsorted(since, period_ns * np.arange(1, whole + 1), side="right") - 1
    return np.asarray(np.diff(np.r_[capital, equity["equity"][ends]]) / capital, dtype=np.float64)


def sharpe_of(equity: NDArray[np.void], capital: float) -> Sharpe | None:
    """Return the Sharpe ratio of daily returns, of hourly ones where there are under ten days; None where undefined."""
    for period_ns in (DAY_NS, HOUR_NS):
        returns = period_returns(equity, capital, period_ns)
        if len(returns) >= LEAST_PERIODS:
            break
    else:
        return None
    if not returns.any():
        return None
    moments = sharpe_moments(returns)
    # Of worthless trials of this length: the variance of an estimated ratio whose true value is zero.
    variance = 1.0 / (len(returns) - 1)
    probabilities = [(1, probabilistic_sharpe_ratio(moments))] + [
        (n, deflated_sharpe_ratio(moments, n, variance).probability) for n in TRIALS[1:]
    ]
    return Sharpe(
        per_period=moments.sharpe,
        annual=moments.sharpe * float(np.sqrt(_YEAR_NS / period_ns)),
        period_ns=period_ns,
        periods=len(returns),
        probabilities=tuple(probabilities),
        track_record=minimum_track_record_length(moments),
    )


def exposure_of(results: Results, capital: float) -> Exposure:
    """Return how long and how large positions were, from the fills; a position is valued at the fill that made it."""
    fills, equity = results.fills, results.equity
    if not len(fills) or len(equity) < 2:
        return Exposure(0.0, 0.0, 0.0)
    span = float(equity["at_ns"][-1] - equity["at_ns"][0])
    times = fills["exch_ns"]
    lasting = np.diff(np.r_[times, max(int(equity["at_ns"][-1]), int(times[-1]))]).astype(np.float64)
    sizes = np.abs(fills["position"]) * fills["price"] / capital
    return Exposure(
        time_share=float(lasting[sizes > 0.0].sum()) / span,
        mean=float((lasting * sizes).sum()) / span,
        largest=float(sizes.max()),
    )
