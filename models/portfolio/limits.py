"""Risk limits (R1) as pure checks, made in one place before every order that opens a position.

Here belong the comparisons and their words. Measuring equity, ages and the clock is the business of the
executor, and so is acting on a breach. An order that only reduces a position is never stopped by a limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Limits:
    """What an entry may not exceed.

    Attributes
    ----------
    capital_fraction : Decimal
        Initial margin of one trade over equity.
    leverage : Decimal
        Notional over margin.
    symbol_exposure, total_exposure : Decimal
        Absolute notional over equity, of one symbol and of all together, the new order included.
    ticker_age_s, forecast_age_s : float
        Oldest quote and forecast a decision may rest on, seconds of market time.
    clock_offset_ms : float
        Largest distance of the local clock from the venue's; beyond it signed requests fail.

    """

    capital_fraction: Decimal = Decimal("0.03")
    leverage: Decimal = Decimal(3)
    symbol_exposure: Decimal = Decimal("0.15")
    total_exposure: Decimal = Decimal("0.60")
    ticker_age_s: float = 60.0
    forecast_age_s: float = 900.0
    clock_offset_ms: float = 500.0


@dataclass(frozen=True)
class Entry:
    """One order that would open a position, with the state it would meet.

    Attributes
    ----------
    notional, stop_price : Decimal
        USD of the order, and its protective price (0 means none).
    equity : Decimal
        Account equity, USD.
    leverage : Decimal
        Leverage the symbol is set to.
    symbol_notional, total_notional : Decimal
        Absolute notional already open or ordered, USD, without this order.
    ticker_age_s, forecast_age_s : float
        Seconds of market time since the quote and since the forecast's instant.
    clock_offset_ms : float or None
        Measured offset; None if it could not be measured.

    """

    notional: Decimal
    stop_price: Decimal
    equity: Decimal
    leverage: Decimal
    symbol_notional: Decimal
    total_notional: Decimal
    ticker_age_s: float
    forecast_age_s: float
    clock_offset_ms: float | None


@dataclass(frozen=True)
class Breach:
    """A limit that forbids an entry: its `reason` code and the `arithmetic` in words."""

    reason: str
    arithmetic: str


def check_entry(entry: Entry, limits: Limits) -> tuple[Breach, ...]:
    """Compare an entry with every limit.

    Parameters
    ----------
    entry : Entry
    limits : Limits

    Returns
    -------
    tuple of Breach
        Empty if the entry may be placed; otherwise every limit it breaks, in a fixed order.

    """
    found = [*_data_breaches(entry, limits), *_money_breaches(entry, limits)]
    return tuple(found)


def _data_breaches(entry: Entry, limits: Limits) -> list[Breach]:
    found = []
    if entry.clock_offset_ms is None:
        found.append(
            Breach("CLOCK_UNKNOWN", "the clock's offset to the venue should be known, was not measured")
        )
    elif abs(entry.clock_offset_ms) > limits.clock_offset_ms:
        found.append(
            Breach(
                "CLOCK_OFFSET",
                f"clock offset should be within ±{limits.clock_offset_ms:.0f} ms,"
                f" was {entry.clock_offset_ms:+.0f} ms",
            )
        )
    if entry.ticker_age_s > limits.ticker_age_s:
        found.append(_old("STALE_TICKER", "quote", entry.ticker_age_s, limits.ticker_age_s))
    if entry.forecast_age_s > limits.forecast_age_s:
        found.append(_old("STALE_FORECAST", "forecast", entry.forecast_age_s, limits.forecast_age_s))
    return found


def _money_breaches(entry: Entry, limits: Limits) -> list[Breach]:
    if entry.equity <= 0:
        return [Breach("NO_EQUITY", f"equity should be positive, was {entry.equity} USD")]
    found = []
    if entry.stop_price <= 0:
        found.append(Breach("NO_STOP", "an entry should carry a stop price, had none"))
    if entry.leverage > limits.leverage:
        found.append(Breach("LEVERAGE", f"leverage should be <= {limits.leverage}, was {entry.leverage}"))
    margin = entry.notional / entry.leverage
    found += _over("CAPITAL", "margin of the trade", margin, entry.equity, limits.capital_fraction)
    found += _over(
        "SYMBOL_EXPOSURE",
        "exposure of the symbol",
        entry.symbol_notional + entry.notional,
        entry.equity,
        limits.symbol_exposure,
    )
    found += _over(
        "TOTAL_EXPOSURE",
        "exposure of all symbols",
        entry.total_notional + entry.notional,
        entry.equity,
        limits.total_exposure,
    )
    return found


def _over(reason: str, what: str, used: Decimal, equity: Decimal, share: Decimal) -> list[Breach]:
    allowed = share * equity
    if used <= allowed:
        return []
    words = f"{what} should be <= {share} × {equity:.2f} = {allowed:.2f} USD, was {used:.2f} USD"
    return [Breach(reason, words)]


def _old(reason: str, what: str, age_s: float, limit_s: float) -> Breach:
    return Breach(reason, f"{what} should be at most {limit_s:.0f} s old, was {age_s:.0f} s")
