"""Liquidation of an account in cross margin: when its equity no longer covers the maintenance margin of its positions.

Here belongs when that is, and what the venue then does: all open orders are cancelled; then positions are taken over one after
another, the one with the largest maintenance margin first, each at its bankruptcy price, the price at which its share of the
equity is used up, until what is left is covered. A loss beyond the equity is the venue's. The real venue reduces large
positions step by step and sells what it takes over in the market; neither is simulated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from models.simulation.exchange import margins
from models.simulation.exchange.account import Position
from models.simulation.exchange.desk import TAKER_FEE, OrderDesk
from models.simulation.exchange.orders import ZERO, OrderStatus
from models.simulation.quotes import Path

CANCEL_TYPE = "CancelAllBeforeLiq"
CREATE_TYPE = "CreateByTakeOver_PassThrough"
KIND = "BustTrade"


def first_ms(desk: OrderDesk, held: Sequence[Position], paths: Mapping[str, Path]) -> int | None:
    """Return the first point of the paths at which the account may have to be liquidated; None where it has not.

    Parameters
    ----------
    desk : OrderDesk
    held : sequence of Position
        Every open position.
    paths : mapping of str to Path
        What happens to their symbols next.

    """
    times = np.unique(np.concatenate([paths[position.symbol].ts_ms for position in held]))
    if not times.size:
        return None
    cushion = np.full(times.size, float(desk.account.wallet_usd))
    for position in held:
        marks = _marks_at(paths[position.symbol], times, float(desk.mark(position.symbol)))
        quantity = float(position.qty)
        cushion += quantity * marks - position.side * float(position.cost_usd)
        ladder = margins.tiers(desk.listing(position.symbol).max_leverage)
        values = abs(quantity) * marks
        cushion -= np.max(
            [values * float(tier.maintenance) - float(tier.deduction_usd) for tier in ladder], axis=0
        )
    short = cushion <= 0.0
    return int(times[int(np.argmax(short))]) if short.any() else None


def liquidate(desk: OrderDesk) -> None:
    """Cancel orders and take positions over until the account covers its maintenance margin."""
    while _cushion_usd(desk) <= 0:
        held = list(desk.account.held())
        if not held:
            return
        if desk.open_orders():
            for order in desk.open_orders():
                status = OrderStatus.DEACTIVATED if order.is_waiting else OrderStatus.CANCELLED
                desk.close(order, status, CANCEL_TYPE)
            desk.publish()
        required = {(p.symbol, p.index): _maintenance_usd(desk, p) for p in held}
        position = max(held, key=lambda p: (required[p.symbol, p.index], p.symbol, -p.index))
        equity = desk.account.wallet_usd + desk.unrealised_usd()
        share = equity * required[position.symbol, position.index] / sum(required.values(), ZERO)
        listing, mark = desk.listing(position.symbol), desk.mark(position.symbol)
        price = margins.bankruptcy_price(listing, position.qty, mark, share, TAKER_FEE)
        desk.take_over(position, price, KIND, CREATE_TYPE)


def _cushion_usd(desk: OrderDesk) -> Decimal:
    return desk.account.wallet_usd + desk.unrealised_usd() - desk.maintenance_usd()


def _maintenance_usd(desk: OrderDesk, position: Position) -> Decimal:
    value = abs(position.qty) * desk.mark(position.symbol)
    return margins.maintenance_usd(desk.listing(position.symbol), value)


def _marks_at(path: Path, times: NDArray[np.int64], before: float) -> NDArray[np.float64]:
    """Mark price at each of the times: that of the last point, `before` ahead of the first."""
    if not path.ts_ms.size:
        return np.full(times.size, before)
    at = np.searchsorted(path.ts_ms, times, side="right") - 1
    return np.where(at < 0, before, path.mark[np.maximum(at, 0)])
