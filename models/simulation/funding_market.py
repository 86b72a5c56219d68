"""The synthetic market: index, premium, perpetual, spot, open interest and account ratio, minute by minute.

Here belongs how a symbol's history is generated; what is planted in it are the numbers of `funding_universe`. Serving it, and
anything with a clock, does not belong here.

How the pieces hang together (per minute, all causal):

* the index follows a mean-reverting log price with volatility regimes, fat tails and a factor common to all symbols;
* the premium is ``mean + slow regime + fast wobble + bursts``; fast shocks lean on the minute's return;
* the perpetual is ``index × (1 + premium + noise)``, spot is ``index × (1 + slowly drifting bias + noise)``;
* funding is settled from the premium by the venue's formula, so the served premium klines and rates agree exactly;
* open interest follows recent trend and premium and drops on violent minutes; the long ratio leans against past returns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.errors import ConfigError
from models.simulation.bars import DAY_MS
from models.simulation.funding_universe import UNIVERSE, SyntheticSymbol
from models.simulation.processes import (
    bursts,
    decay,
    discounted_sum,
    ornstein_uhlenbeck,
    regime_levels,
    stream,
)
from models.simulation.settlements import Settlements, settle

Floats = NDArray[np.float64]
Ticks = NDArray[np.int32]

DAY_MINUTES = 1440
STATE_MINUTES = 5  # spacing of open interest and account ratio
PREMIUM_UNIT = 1e-6  # the venue publishes the premium index with six decimals
NOISE = 0.15e-4  # of perp and spot prices around what premium and bias say


@dataclass(frozen=True, slots=True)
class Prices:
    """Close, high and low of each minute in whole price units; a minute opens at the close before it."""

    unit: float
    close: Ticks
    high: Ticks
    low: Ticks

    def values(self) -> Floats:
        """Return the closes in USD."""
        return self.close.astype(np.float64) * self.unit


@dataclass(frozen=True, slots=True)
class SymbolHistory:
    """One generated symbol.

    Minute arrays have one row per minute from `start_ms`; `open_interest` (base coin, both sides) and `long_ratio` are states at
    ``start_ms + 5 min · i``; `premium` is in units of 1e-6.
    """

    symbol: SyntheticSymbol
    start_ms: int
    index: Prices
    perp: Prices
    spot: Prices
    premium: Ticks
    volume: NDArray[np.float32]
    open_interest: Floats
    long_ratio: Floats
    settlements: Settlements

    @property
    def minutes(self) -> int:
        """Number of generated minutes."""
        return len(self.premium)


def generate(symbol: str, seed: int, start_ms: int, days: int) -> SymbolHistory:
    """Generate the history of one symbol.

    The result depends on the arguments only; more `days` extend a history without changing its beginning, and no symbol
    depends on which others are asked for.

    Parameters
    ----------
    symbol : str
        One of `UNIVERSE`.
    seed : int
        Not negative.
    start_ms : int
        Midnight UTC, ms.
    days : int
        At least 1.

    Raises
    ------
    ConfigError
        Unknown symbol, or a start that is not midnight.

    Examples
    --------
    >>> history = generate("BTCUSDT", seed=7, start_ms=1_735_689_600_000, days=2)
    >>> history.minutes
    2880

    """
    if symbol not in UNIVERSE:
        known = ", ".join(UNIVERSE)
        raise ConfigError(
            f"symbols of the synthetic market must be among {known}, was {symbol}",
            remedy="Choose listed ones.",
        )
    if start_ms % DAY_MS or days < 1:
        raise ConfigError(
            f"a synthetic history must start at midnight UTC and last a day, was {start_ms} ms, {days} days"
        )
    item = UNIVERSE[symbol]
    n = days * DAY_MINUTES
    volatility, returns = _returns(item, seed, n)
    reach = stream(seed, symbol, "reach").random((n, 4)).astype(np.float32)
    premium = _premium(item, seed, returns / volatility)
    index_path = item.start_price * np.exp(discounted_sum(returns, 60.0 * DAY_MINUTES))
    index = _prices(index_path, item.start_price, 10.0**-item.listing.index_decimals, volatility, reach)
    level = index.values()
    tick = float(item.listing.tick_size)
    shake = stream(seed, symbol, "noise").standard_normal((n, 2)) * NOISE
    served = premium.astype(np.float64) * PREMIUM_UNIT
    perp = _prices(level * (1.0 + served + shake[:, 0]), item.start_price, tick, volatility, reach)
    spot = _prices(
        level * (1.0 + _spot_bias(item, seed, n) + shake[:, 1]), item.start_price, tick, volatility, reach
    )
    volume = _volume(item, seed, returns / volatility, volatility, level)
    open_interest, long_ratio = _positioning(item, seed, returns, served, level)
    cap = float(item.listing.funding_cap)
    paid = settle(served, start_ms, item.listing.interval_h, cap, dynamic=item.dynamic_interval)
    return SymbolHistory(item, start_ms, index, perp, spot, premium, volume, open_interest, long_ratio, paid)


def _returns(item: SyntheticSymbol, seed: int, n: int) -> tuple[Floats, Floats]:
    """Minute volatility and log returns of the index."""
    name = item.listing.symbol
    base = item.daily_volatility / np.sqrt(DAY_MINUTES)
    regime = regime_levels(stream(seed, "market", "regime"), n, 2.0 * DAY_MINUTES, (0.6, 0.9, 1.0, 1.9))
    wobble = ornstein_uhlenbeck(stream(seed, name, "volatility").standard_normal(n), 360.0, 0.35)
    volatility = base * regime * np.exp(wobble - 0.06)
    common = stream(seed, "market", "returns").standard_normal(n)
    own_stream = stream(seed, name, "returns").standard_normal((n, 2))
    # A normal mixture instead of Student's t: the same fat tail, four times as fast to draw.
    tail = np.where(np.abs(own_stream[:, 1]) > 2.0, 2.6, 0.85)
    share = item.market_share
    returns = volatility * tail * (share * common + np.sqrt(1.0 - share * share) * own_stream[:, 0])
    return volatility, returns


def _premium(item: SyntheticSymbol, seed: int, surprise: Floats) -> Ticks:
    """Minute premium index in units of 1e-6."""
    truth, name, n = item.premium, item.listing.symbol, len(surprise)
    slow_own = stream(seed, name, "premium slow").standard_normal(n)
    slow_common = stream(seed, "market", "premium slow").standard_normal(n)
    slow = ornstein_uhlenbeck(0.8 * slow_own + 0.6 * slow_common, truth.slow_half_life, truth.slow_std)
    fast_own = stream(seed, name, "premium fast").standard_normal(n)
    fast = ornstein_uhlenbeck(0.85 * fast_own + 0.5 * surprise, truth.fast_half_life, truth.fast_std)
    jumps = bursts(
        stream(seed, name, "bursts"),
        n,
        truth.bursts_per_day / DAY_MINUTES,
        truth.burst_size,
        truth.burst_half_life,
    )
    premium = truth.mean + slow + fast + jumps
    return np.rint(premium / PREMIUM_UNIT).astype(np.int32)


def _spot_bias(item: SyntheticSymbol, seed: int, n: int) -> Floats:
    shocks = stream(seed, item.listing.symbol, "spot bias").standard_normal(n)
    return item.premium.spot_bias + ornstein_uhlenbeck(shocks, 3.0 * DAY_MINUTES, item.premium.spot_bias_std)


def _prices(
    path: Floats, first_open: float, unit: float, volatility: Floats, reach: NDArray[np.float32]
) -> Prices:
    """Round a close path to price units and give every minute a range around its body."""
    close = np.maximum(np.rint(path / unit), 1.0)
    opens = np.empty_like(close)
    opens[0] = np.rint(first_open / unit)
    opens[1:] = close[:-1]
    # Exponential wicks of about half the minute's volatility; the same draws for perp, spot and index keep their highs together.
    up = -0.45 * np.log(1.0 - reach[:, 0]) * volatility
    down = -0.45 * np.log(1.0 - reach[:, 1]) * volatility
    high = np.floor(np.maximum(opens, close) * (1.0 + up))
    low = np.maximum(np.ceil(np.minimum(opens, close) * (1.0 - down)), 1.0)
    return Prices(unit, close.astype(np.int32), high.astype(np.int32), low.astype(np.int32))


def _volume(
    item: SyntheticSymbol, seed: int, surprise: Floats, volatility: Floats, level: Floats
) -> NDArray[np.float32]:
    """Base-coin volume per minute: louder in the European and American day, on large moves and in wild regimes."""
    n = len(surprise)
    hour = (np.arange(n) % DAY_MINUTES) / 60.0
    day = 1.0 + 0.45 * np.sin((hour - 8.0) / 24.0 * 2.0 * np.pi)
    base = volatility * (np.sqrt(DAY_MINUTES) / item.daily_volatility)
    noise = np.exp(0.5 * stream(seed, item.listing.symbol, "volume").standard_normal(n) - 0.125)
    usd = item.minute_volume_usd * day * base * (0.5 + 0.6 * np.abs(surprise)) * noise
    return np.asarray(usd / level, dtype=np.float32)


def _positioning(
    item: SyntheticSymbol, seed: int, returns: Floats, premium: Floats, level: Floats
) -> tuple[Floats, Floats]:
    """Open interest (base coin, both sides) and share of long accounts, at the start of every fifth minute."""
    name = item.listing.symbol
    rows = len(returns) // STATE_MINUTES
    grid_return = returns.reshape(rows, STATE_MINUTES).sum(axis=1)
    grid_premium = premium.reshape(rows, STATE_MINUTES).mean(axis=1)
    scale = item.daily_volatility * np.sqrt(STATE_MINUTES / DAY_MINUTES)
    surprise = grid_return / scale
    trend = discounted_sum(surprise, 48.0) / np.sqrt(70.0)
    lean = discounted_sum(grid_premium - item.premium.mean, 96.0) * (1.0 - decay(96.0)) / 3e-4
    flush = np.maximum(np.minimum(0.0, 3.0 - np.abs(surprise)) * 0.002, -0.02)
    noise = stream(seed, name, "open interest").standard_normal(rows) * 0.0015
    growth = 0.0006 + noise + 0.0008 * np.tanh(trend) + 0.0008 * np.tanh(lean) + flush
    base = item.open_interest_usd / item.start_price
    open_interest = base * np.exp(discounted_sum(growth, 600.0))
    past = discounted_sum(surprise, 144.0) / np.sqrt(208.0)
    mood = ornstein_uhlenbeck(stream(seed, name, "accounts").standard_normal(rows), 300.0, 0.12)
    long_ratio = 1.0 / (1.0 + np.exp(-(0.35 - 0.25 * np.tanh(past) + mood)))
    # A state at an instant may use what happened before it only: shift the grid by one row.
    rounded = np.round(_shifted(open_interest, base), item.listing.qty_decimals)
    return rounded, _shifted(long_ratio, 1.0 / (1.0 + np.exp(-0.35)))


def _shifted(values: Floats, first: float) -> Floats:
    return np.concatenate(([first], values[:-1]))
