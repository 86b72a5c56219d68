"""State of the exchange and what can be read from it: orders, executions, positions, margins.

Here belong the records, their ids and the sums over them. What changes them in time is `engine`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from decimal import Decimal
from uuid import UUID

from models.simulation.exchange import checks
from models.simulation.exchange.account import Account, Position
from models.simulation.exchange.market import MatchingMarket
from models.simulation.exchange.orders import ZERO, Execution, Order, OrderRequest, OrderStatus, Rejection
from models.simulation.listing import Listing
from models.simulation.quotes import Book

NS_PER_MS = 1_000_000


class ExchangeState:
    """Orders, executions and account at one instant.

    Parameters
    ----------
    market : MatchingMarket
    equity_usd : Decimal
        USDT in the wallet at the start.
    start_ns : int
        Instant the account starts to exist, ns UTC.

    Attributes
    ----------
    account : Account
    orders : dict of str to Order
        Every order ever accepted, in order of creation.
    executions : list of Execution
        Every fill and funding payment, in time order.
    now_ns : int
        Instant the state is at.

    """

    def __init__(self, market: MatchingMarket, equity_usd: Decimal, start_ns: int) -> None:
        self.market = market
        self.account = Account(equity_usd)
        self.orders: dict[str, Order] = {}
        self.executions: list[Execution] = []
        self.now_ns = start_ns
        self._open: dict[str, Order] = {}
        self._by_link: dict[str, Order] = {}
        self._sequence = 0

    @property
    def now_ms(self) -> int:
        """Instant of the state, ms UTC."""
        return self.now_ns // NS_PER_MS

    def open_orders(self, symbol: str = "") -> list[Order]:
        """Open orders in order of creation, of one symbol or of all."""
        return [order for order in self._open.values() if not symbol or order.request.symbol == symbol]

    def position(self, symbol: str) -> Position:
        """Position of a symbol, flat where there was none."""
        return self.account.position(symbol)

    def mark(self, symbol: str) -> Decimal:
        """Mark price at the present instant; 110074 where the symbol has none yet."""
        mark = self.market.mark_price(symbol, self.now_ms)
        if mark is None:
            raise Rejection(110074, "This contract is not live")
        return mark

    def unrealised_usd(self) -> Decimal:
        """Unrealised profit of all positions at their mark prices."""
        return sum((p.unrealised_usd(self.mark(p.symbol)) for p in self._held()), ZERO)

    def position_margin_usd(self) -> Decimal:
        """Return initial margin of all positions."""
        return sum((p.initial_margin_usd(self.mark(p.symbol)) for p in self._held()), ZERO)

    def order_margin_usd(self) -> Decimal:
        """Return initial margin of all resting orders."""
        return sum(
            (checks.order_margin(o, self.account.position(o.request.symbol)) for o in self._open.values()),
            ZERO,
        )

    def available_usd(self) -> Decimal:
        """Return what new orders may use: wallet plus unrealised profit less all initial margins."""
        equity = self.account.wallet_usd + self.unrealised_usd()
        return equity - self.position_margin_usd() - self.order_margin_usd()

    def _held(self) -> Iterable[Position]:
        return (position for position in self.account.positions.values() if position.qty)

    def find(self, symbol: str, order_id: str, link_id: str) -> Order | None:
        """Order by venue id, or by client id where no venue id is given."""
        order = self.orders.get(order_id) if order_id else self._by_link.get(link_id)
        return order if order is not None and order.request.symbol == symbol else None

    def close(self, order: Order, status: OrderStatus, cancel_type: str, reason: str = "EC_NoError") -> None:
        """End an order without a fill."""
        order.status = status
        order.cancel_type = cancel_type
        order.reject_reason = reason
        order.updated_ns = self.now_ns
        self._open.pop(order.order_id, None)

    def add_stop(self, request: OrderRequest, qty: Decimal, stop_order_type: str, create_type: str) -> Order:
        """Put a waiting stop of a position on the book of conditional orders."""
        order = self._new_order(request, qty, self._present(request.symbol)[1])
        order.status = OrderStatus.UNTRIGGERED
        order.stop_order_type = stop_order_type
        order.create_type = create_type
        return order

    def _new_order(self, request: OrderRequest, qty: Decimal, last: Decimal) -> Order:
        sequence = self._next()
        order = Order(
            self._id("order", sequence), request, qty, self.now_ns, self.now_ns, last, sequence=sequence
        )
        self.orders[order.order_id] = order
        self._open[order.order_id] = order
        if request.link_id:
            self._by_link[request.link_id] = order
        return order

    def _present(self, symbol: str) -> tuple[Book, Decimal]:
        book = self.market.book(symbol, self.now_ms)
        last = self.market.last_price(symbol, self.now_ms)
        if book is None or last is None:
            raise Rejection(110074, "This contract is not live")
        return book, last

    def _listing(self, symbol: str) -> Listing:
        listing = self.market.listing(symbol)
        if listing is None:
            raise Rejection(10001, "params error: symbol invalid")
        return listing

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence

    @staticmethod
    def _id(kind: str, sequence: int) -> str:
        return str(UUID(bytes=hashlib.sha256(f"{kind} {sequence}".encode()).digest()[:16]))
