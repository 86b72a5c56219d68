"""Prices and quantities on the venue's grid: ticks, steps, minima. Arithmetic in `Decimal` alone."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from models.market.instruments import Instrument
from models.portfolio.sizing import round_toward_zero


def passive_price(price: Decimal, side: int, tick: Decimal) -> Decimal:
    """Round a price to a tick away from the other side of the book: down for a buyer, up for a seller."""
    rounding = ROUND_FLOOR if side > 0 else ROUND_CEILING
    return (price / tick).to_integral_value(rounding=rounding) * tick


def crossing_price(across: Decimal, side: int, slippage: Decimal, tick: Decimal) -> Decimal:
    """Return the worst price a crossing order accepts, on a tick and not beyond the allowance.

    Parameters
    ----------
    across : Decimal
        Price a taker of `side` trades at.
    side : int
        +1 buys, -1 sells.
    slippage : Decimal
        Allowance beyond it, fraction of the price.
    tick : Decimal

    """
    return passive_price(across * (1 + side * slippage), side, tick)


def affordable(qty: Decimal, price: Decimal, room_usd: Decimal | None, step: Decimal) -> Decimal:
    """Return as much of `qty` as `room_usd` allows at `price`, rounded down to the step; all of it without a room."""
    if room_usd is None or qty * price <= room_usd:
        return qty
    return round_toward_zero(max(room_usd, Decimal(0)) / price, step)


def is_tradable(qty: Decimal, price: Decimal | None, instrument: Instrument) -> bool:
    """Return whether the venue takes an order of `qty`; without a price its value is not judged."""
    if qty < instrument.min_order_qty or qty <= 0:
        return False
    return price is None or qty * price >= instrument.min_notional_usd
