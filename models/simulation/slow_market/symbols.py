"""Presets of five contracts: price level, steps and typical trade. Plausible numbers, not a venue's."""

from __future__ import annotations

from typing import Final, NamedTuple

from models.errors import ConfigError


class SlowSymbol(NamedTuple):
    """A contract of the slow market.

    Attributes
    ----------
    name : str
    number : int
        Told apart by it: the same seed gives every symbol a market of its own.
    price : float
        Quote per base at the start.
    tick_size, lot_size : float
        Quote per tick, base per lot.
    trade_usd : float
        Median notional of a trade.
    open_interest_usd : float
        At the start.
    partner_price : float
        Of its partner in a pair, at the start.

    """

    name: str
    number: int
    price: float
    tick_size: float
    lot_size: float
    trade_usd: float
    open_interest_usd: float
    partner_price: float


SYMBOLS: Final[dict[str, SlowSymbol]] = {
    symbol.name: symbol
    for symbol in (
        SlowSymbol("BTCUSDT", 1, 60_000.0, 0.1, 0.001, 2000.0, 3e9, 3000.0),
        SlowSymbol("ETHUSDT", 2, 3000.0, 0.01, 0.01, 1500.0, 1.5e9, 60_000.0),
        SlowSymbol("SOLUSDT", 3, 150.0, 0.01, 0.1, 1000.0, 5e8, 3000.0),
        SlowSymbol("XRPUSDT", 4, 0.6, 0.0001, 0.1, 800.0, 3e8, 0.15),
        SlowSymbol("DOGEUSDT", 5, 0.15, 0.00001, 1.0, 600.0, 2e8, 0.6),
    )
}
"""Every preset by its name."""


def symbol_named(name: str) -> SlowSymbol:
    """Return a preset.

    Raises
    ------
    ConfigError
        When there is none of that name.

    """
    if name not in SYMBOLS:
        raise ConfigError(f"slow market: expected a symbol of {', '.join(SYMBOLS)}, was {name}")
    return SYMBOLS[name]
