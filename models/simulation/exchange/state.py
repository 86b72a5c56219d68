"""State of the exchange and what can be read from it: orders, executions, positions, margins, messages.

Here belong the records, their ids and the sums over them. What changes them is `desk`; what changes them in time is `engine`.
"""

from __future__ import annotations

import copy
import hashlib
from decimal import Decimal
from uuid import UUID

from models.simulation.exchange import checks, margins
from models.simulation.exchange.account import Account, ClosedPnl, Position
from models.simulation.exchange.event_log import EventLog
from models.simulation.exchange.market import MatchingMarket
from models.simulation.exchange.orders import (
    LONG_SIDE,
    ONE_WAY,
    SHORT_SIDE,
    ZERO,
    Execution,
    Order,
    OrderRequest,
    OrderStatus,
    Rejection,
)
from models.simulation.exchange.stops import STOP_LOSS, TAKE_PROFIT, TRAILING_STOP, stop_of
from models.simulation.exchange.views import PositionView, WalletView
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
    closed : dict of str to ClosedPnl
        What each order closed of a position, by order id.
    hedged : set of str
        Symbols in hedge mode; the others are in one-way mode.
    log : EventLog
        What the account was told, for the private streams.
    now_ns : int
        Instant the state is at.

    """

    def __init__(self, market: MatchingMarket, equity_usd: Decimal, start_ns: int) -> None:
        self.market = market
        self.account = Account(equity_usd)
        self.orders: dict[str, Order] = {}
        self.executions: list[Execution] = []
        self.closed: dict[str, ClosedPnl] = {}
        self.hedged: set[str] = set()
        self.log = EventLog()
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

    def position(self, symbol: str, index: int = ONE_WAY) -> Position:
        """Position of a symbol, flat where there was none."""
        return self.account.position(symbol, index)

    def positions_of(self, symbol: str) -> list[Position]:
        """Rows the venue shows of a symbol: one, or in hedge mode one of each side."""
        indices = (LONG_SIDE, SHORT_SIDE) if symbol in self.hedged else (ONE_WAY,)
        return [self.account.position(symbol, index) for index in indices]

    def mark(self, symbol: str) -> Decimal:
        """Mark price at the present instant; 110074 where the symbol has none yet."""
        mark = self.market.mark_price(symbol, self.now_ms)
        if mark is None:
            raise Rejection(110074, "This contract is not live")
        return mark

    def unrealised_usd(self) -> Decimal:
        """Unrealised profit of all positions at their mark prices."""
        return sum((p.unrealised_usd(self.mark(p.symbol)) for p in self.account.held()), ZERO)

    def position_margin_usd(self) -> Decimal:
        """Return initial margin of all positions."""
        return sum((p.initial_margin_usd(self.mark(p.symbol)) for p in self.account.held()), ZERO)

    def order_margin_usd(self) -> Decimal:
        """Return initial margin of all resting orders."""
        return sum((checks.order_margin(o, self._position_of(o.request)) for o in self._open.values()), ZERO)

    def maintenance_usd(self) -> Decimal:
        """Return maintenance margin of all positions."""
        return sum((self._maintenance_of(position) for position in self.account.held()), ZERO)

    def available_usd(self) -> Decimal:
        """Return what new orders may use: wallet plus unrealised profit less all initial margins."""
        equity = self.account.wallet_usd + self.unrealised_usd()
        return equity - self.position_margin_usd() - self.order_margin_usd()

    def position_view(self, symbol: str, index: int = ONE_WAY, status: str = "Normal") -> PositionView:
        """Position as the venue shows it now."""
        listing, mark = self.listing(symbol), self.mark(symbol)
        position = self.account.position(symbol, index)
        cushion = self.account.wallet_usd + self.unrealised_usd() - self.maintenance_usd()
        quantities = [p.qty for p in self.account.of_symbol(symbol) if p.qty]
        stops = [stop_of(self, symbol, kind, index) for kind in (TAKE_PROFIT, STOP_LOSS, TRAILING_STOP)]
        prices = [order.request.trigger_price if order is not None else None for order in stops[:2]]
        trailing = stops[2].request.trailing if stops[2] is not None else None
        return PositionView(
            position=copy.copy(position),
            mark=mark,
            tier=margins.tier_of(listing, abs(position.qty) * mark),
            initial_margin_usd=position.initial_margin_usd(mark),
            maintenance_usd=self._maintenance_of(position),
            liquidation_price=margins.liquidation_price(listing, quantities, mark, cushion)
            if position.qty
            else None,
            take_profit=prices[0],
            stop_loss=prices[1],
            trailing=trailing or ZERO,
            status=status,
        )

    def wallet_view(self) -> WalletView:
        """Wallet as the venue shows it now."""
        return WalletView(
            self.account.equity_at_start_usd,
            self.account.wallet_usd,
            self.unrealised_usd(),
            self.position_margin_usd(),
            self.order_margin_usd(),
            self.maintenance_usd(),
        )

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
        self.tell(order)

    def tell(self, order: Order) -> None:
        """Note for the streams that an order has changed, and with it its position's margins."""
        self.log.order(order)
        self.log.position(order.request.symbol, order.request.position_idx)
        if not order.is_waiting and order.request.price is not None:
            self.log.wallet()

    def publish(self) -> None:
        """Tell what has changed since the last time."""
        self.log.publish(self.now_ns, self.position_view, self.wallet_view)

    def add_stop(
        self, request: OrderRequest, qty: Decimal, stop_order_type: str, create_type: str, price: Decimal
    ) -> Order:
        """Put a waiting stop of a position on the book of conditional orders; `price` is the last trade's."""
        order = self._new_order(request, qty, price)
        order.status = OrderStatus.UNTRIGGERED
        order.stop_order_type = stop_order_type
        order.create_type = create_type
        self.tell(order)
        return order

    def last_price(self, symbol: str) -> Decimal:
        """Price of the last trade; 110074 before the first."""
        last = self.market.last_price(symbol, self.now_ms)
        if last is None:
            raise Rejection(110074, "This contract is not live")
        return last

    def listing(self, symbol: str) -> Listing:
        """Return the listing of a symbol; 10001 where there is none."""
        listing = self.market.listing(symbol)
        if listing is None:
            raise Rejection(10001, "params error: symbol invalid")
        return listing

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
        if book is None:
            raise Rejection(110074, "This contract is not live")
        return book, self.last_price(symbol)

    def _position_of(self, request: OrderRequest) -> Position:
        return self.account.position(request.symbol, request.position_idx)

    def _maintenance_of(self, position: Position) -> Decimal:
        if not position.qty:
            return ZERO
        value = abs(position.qty) * self.mark(position.symbol)
        return margins.maintenance_usd(self.listing(position.symbol), value)

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence

    @staticmethod
    def _id(kind: str, sequence: int) -> str:
        return str(UUID(bytes=hashlib.sha256(f"{kind} {sequence}".encode()).digest()[:16]))
