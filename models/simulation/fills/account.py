"""Position, fees, funding, margin and liquidation of our own account at the simulated venue.

One-way position of a linear perpetual with one leverage. Margin is checked against equity when an order arrives; a position
is liquidated when the mark price reaches the price at which its own margin is down to maintenance (isolated margin), and is
then closed at its bankruptcy price: the whole margin is lost. Here belongs bookkeeping; matching does not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from models.simulation.fills.records import (
    CANCELLED,
    FILLED,
    FORCED_OUT,
    FUNDING_PAID,
    LIQUIDATED,
    NO_REASON,
)
from models.simulation.fills.reports import report

_DUST = 1e-9  # share of a lot below which a position is flat: float noise of sums of lots


@njit(cache=True)
def book_fill(a: Any, p: Any, side: int, quantity: float, price: float, fee: float) -> None:
    """Change position and wallet by a fill; what closes realises its profit against the mean entry value."""
    held = abs(a.position)
    if a.position * side < 0.0:
        closed = min(quantity, held)
        entered = a.entry_value * closed / held
        profit = (closed * price - entered) * (1.0 if a.position > 0.0 else -1.0)
        a.entry_value -= entered
        a.realised += profit
        a.wallet += profit
        opened = quantity - closed
    else:
        opened = quantity
    a.position += side * quantity
    a.entry_value += opened * price
    if abs(a.position) < _DUST * p.lot_size:
        a.position = 0.0
        a.entry_value = 0.0
    a.fees += fee
    a.wallet -= fee
    a.volume += quantity * price


@njit(cache=True)
def fill(sim: Any, p: Any, order: Any, tick: int, quantity: float, maker: int) -> None:
    """Fill a part of an order at a price: position, fee and report."""
    a = sim.account[0]
    price = tick * p.tick_size
    fee = quantity * price * (p.maker_fee if maker else p.taker_fee)
    order.leaves -= quantity
    if order.leaves < 0.5 * p.lot_size:
        order.leaves = 0.0
    book_fill(a, p, order.side, quantity, price, fee)
    a.fills += 1
    slot = report(sim, p, FILLED, NO_REASON, order.id, order.side, tick, quantity, order.leaves)
    sim.reports[slot].fee = fee
    sim.reports[slot].maker = maker


@njit(cache=True)
def unrealised(a: Any) -> float:
    """Profit of the open position at the mark price; 0 while there is no mark."""
    if a.position == 0.0 or a.mark <= 0.0:
        return 0.0
    return float(a.position * a.mark - (1.0 if a.position > 0.0 else -1.0) * a.entry_value)


@njit(cache=True)
def equity(a: Any) -> float:
    """Wallet and unrealised profit (quote)."""
    return float(a.wallet + unrealised(a))


@njit(cache=True)
def enough_margin(sim: Any, p: Any, side: int, quantity: float, price: float) -> bool:
    """Whether equity covers the initial margin and taker fee if every resting order of the side and this one filled."""
    if p.leverage <= 0.0:
        return True
    a = sim.account[0]
    size = side * a.position + quantity
    for i in range(a.n_orders):
        if sim.orders[i].side == side and sim.orders[i].reduce_only == 0:
            size += sim.orders[i].leaves
    # A position that only shrinks needs nothing.
    return bool(size <= abs(a.position) or size * price * (1.0 / p.leverage + p.taker_fee) <= equity(a))


@njit(cache=True)
def liquidation_price(a: Any, p: Any) -> float:
    """Mark price at which the position is liquidated; NaN when flat or without leverage."""
    if a.position == 0.0 or p.leverage <= 0.0:
        return np.nan
    direction = 1.0 if a.position > 0.0 else -1.0
    entry = a.entry_value / abs(a.position)
    return float(entry * (1.0 - direction * (1.0 / p.leverage - p.maintenance_margin)))


@njit(cache=True)
def pay_funding(sim: Any, p: Any, rate: float) -> None:
    """Pay or receive funding on the position's value at the mark price; longs pay a positive rate."""
    a = sim.account[0]
    if a.position == 0.0:
        return
    paid = a.position * a.mark * rate
    a.funding += paid
    a.wallet -= paid
    side = 1 if a.position > 0.0 else -1
    slot = report(sim, p, FUNDING_PAID, NO_REASON, 0, side, 0, abs(a.position), 0.0)
    sim.reports[slot].price = a.mark
    sim.reports[slot].fee = paid


@njit(cache=True)
def on_mark(sim: Any, p: Any, mark: float) -> None:
    """Take a new mark price: liquidate the position where it has come to that."""
    a = sim.account[0]
    a.mark = mark
    if a.position == 0.0 or p.leverage <= 0.0:
        return
    direction = 1 if a.position > 0.0 else -1
    if (mark - liquidation_price(a, p)) * direction > 0.0:
        return
    quantity = abs(a.position)
    price = a.entry_value / quantity * (1.0 - direction / p.leverage)
    fee = quantity * price * p.taker_fee
    book_fill(a, p, -direction, quantity, price, fee)
    a.liquidations += 1
    slot = report(sim, p, LIQUIDATED, NO_REASON, 0, -direction, 0, quantity, 0.0)
    sim.reports[slot].price = price
    sim.reports[slot].fee = fee
    for i in range(a.n_orders):
        order = sim.orders[i]
        report(sim, p, CANCELLED, FORCED_OUT, order.id, order.side, order.tick, order.leaves, 0.0)
    a.n_orders = 0
