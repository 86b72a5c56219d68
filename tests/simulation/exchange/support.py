"""Short names for the tests of the exchange: a market by hand, and requests."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from models.simulation.exchange.engine import Exchange
from models.simulation.exchange.orders import Order, OrderRequest, Rejection
from tests.simulation.scripted import ScriptedMarket

D = Decimal
NS = 1_000_000


def exchange(prices: dict[int, str] | None = None, equity: str = "100000", **market: object) -> Exchange:
    return Exchange(ScriptedMarket(prices or {0: "100.00"}, **market), D(equity), 0)  # type: ignore[arg-type]


def at_market(side: int, qty: str, **more: object) -> OrderRequest:
    return OrderRequest("BTCUSDT", side, "Market", D(qty), time_in_force="IOC", **more)  # type: ignore[arg-type]


def at_limit(side: int, qty: str, price: str, **more: object) -> OrderRequest:
    return OrderRequest("BTCUSDT", side, "Limit", D(qty), D(price), **more)  # type: ignore[arg-type]


def code_of(act: Callable[[], object]) -> int:
    with pytest.raises(Rejection) as caught:
        act()
    assert caught.value.message
    return caught.value.code


def stops_of(venue: Exchange) -> list[Order]:
    return [order for order in venue.open_orders() if order.stop_order_type]
