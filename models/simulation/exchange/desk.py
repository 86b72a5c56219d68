"""The order desk: takes, amends and cancels orders, and matches them at once where they are aggressive.

Here belongs what a request does at its instant. What happens as time passes is `engine`'s business.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from models.simulation.exchange import amendments, checks, margins, stops
from models.simulation.exchange.account import Booking, ClosedPnl, Position, to_cents
from models.simulation.exchange.matching import market_limit, takeable, total, would_take
from models.simulation.exchange.orders import (
    ZERO,
    Amendment,
    Execution,
    Order,
    OrderRequest,
    OrderStatus,
    Rejection,
)
from models.simulation.exchange.settings import AccountSettings
from models.simulation.quotes import Book, Level

MAKER_FEE = Decimal("0.0002")
TAKER_FEE = Decimal("0.00055")


class OrderDesk(AccountSettings):
    """An account that can trade; see `ExchangeState` for its parameters and attributes."""

    def create(self, request: OrderRequest) -> Order:
        """Accept an order at the present instant, and match it at once where it is aggressive.

        Parameters
        ----------
        request : OrderRequest

        Returns
        -------
        Order
            Live record; a PostOnly order that would trade comes back cancelled.

        Raises
        ------
        Rejection
            With the venue's code and text; nothing has changed.

        """
        listing = self.listing(request.symbol)
        if request.closes_a_side:
            request = replace(request, reduce_only=True)
        checks.check_words(request)
        checks.check_mode(request, hedged=request.symbol in self.hedged)
        checks.check_stop_terms(request)
        if request.link_id and request.link_id in self._by_link:
            raise Rejection(110072, "OrderLinkedID is duplicate")
        checks.check_price(request, listing)
        conditional = request.trigger_price is not None
        qty = request.qty
        if request.reduce_only and not conditional:
            qty = checks.reducible_qty(request, self._position_of(request))
        if not (conditional and request.reduce_only and qty == 0):
            checks.check_qty(request, qty, listing)
        book, last = self._present(request.symbol)
        reference = request.price if request.price is not None else last
        if qty:
            checks.check_notional(request, qty, reference, listing)
        checks.check_stops(request, reference)
        checks.check_trigger(
            request, self.mark(request.symbol) if request.trigger_by == "MarkPrice" else last
        )
        self._check_counts(request)
        if not conditional and not request.reduce_only:
            self._check_opening(request, qty, book, ZERO, ZERO)
        order = self._new_order(request, qty, last)
        if conditional:
            order.status = OrderStatus.UNTRIGGERED
            order.stop_order_type = "Stop"
        else:
            self._execute(order, book)
        self.tell(order)
        self.publish()
        return order

    def amend(self, symbol: str, changes: Amendment, order_id: str = "", link_id: str = "") -> Order:
        """Change an open order; its place in the queue is lost unless only its quantity becomes smaller.

        Parameters
        ----------
        symbol : str
        changes : Amendment
        order_id, link_id : str
            `order_id` wins where both are given.

        Returns
        -------
        Order
            Live record; a PostOnly order amended to a price at which it would trade comes back cancelled.

        Raises
        ------
        Rejection
            110001 where there is no such open order, 10001 where nothing would change or a value is wrong, 110064 where the new
            quantity is filled already; nothing has changed.

        """
        order = self.find(symbol, order_id, link_id)
        if order is None or not order.status.is_open:
            raise Rejection(110001, "order not exists or too late to replace")
        listing, before = self.listing(symbol), order.request
        book, last = self._present(symbol)
        request, qty = amendments.amended(order, changes)
        marked = self.mark(symbol) if request.trigger_by == "MarkPrice" else last
        amendments.check(order, request, qty, listing, last, marked)
        if order.is_resting and not request.reduce_only:
            held = checks.order_margin(order, self._position_of(request))
            present = order.remaining * (before.price or ZERO)
            self._check_opening(request, qty - order.filled_qty, book, held, present)
        order.request, order.qty, order.updated_ns = request, qty, self.now_ns
        if order.is_resting and request.price != before.price:
            self._execute(order, book)
        self.tell(order)
        self.publish()
        return order

    def cancel(self, symbol: str, order_id: str = "", link_id: str = "") -> Order:
        """Cancel one open order.

        Raises
        ------
        Rejection
            110001 where there is no such open order.

        """
        order = self.find(symbol, order_id, link_id)
        if order is None or not order.status.is_open:
            raise Rejection(110001, "order not exists or too late to cancel")
        self.cancel_order(order)
        return order

    def cancel_order(self, order: Order) -> None:
        """Cancel an open order on the user's behalf; a waiting conditional order becomes Deactivated."""
        status = OrderStatus.DEACTIVATED if order.is_waiting else OrderStatus.CANCELLED
        self.close(order, status, "CancelByUser")
        self.publish()

    def take_over(self, position: Position, price: Decimal, kind: str, create_type: str) -> None:
        """Close a whole position at a price the venue sets, as `liquidation` asks for it."""
        symbol, index = position.symbol, position.index
        self.log.position_view(self.now_ns, self.position_view(symbol, index, status="Liq"))
        qty = abs(position.qty)
        request = OrderRequest(
            symbol, -position.side, "Market", qty, price, "IOC", reduce_only=True, position_idx=index
        )
        order = self._new_order(request, qty, self.last_price(symbol))
        order.create_type = create_type
        self._fill(order, price, qty, maker=False, kind=kind)
        self.publish()

    def _execute(self, order: Order, book: Book) -> None:
        """Match a live order at once as far as its terms allow, then let it rest or end it."""
        request = order.request
        if (
            request.time_in_force == "PostOnly"
            and request.price is not None
            and would_take(book, request.side, request.price)
        ):
            self.close(order, OrderStatus.CANCELLED, "UNKNOWN", "EC_PostOnlyWillTakeLiquidity")
            return
        limit = (
            request.price
            if request.price is not None
            else market_limit(self.mark(request.symbol), request.side)
        )
        wanted = self._reducible(order)
        fills: list[Level] = takeable(book, request.side, wanted, limit)
        if request.time_in_force == "FOK" and total(fills)[0] < wanted:
            fills = []
        for price, qty in fills:
            self._fill(order, price, qty, maker=False)
        rests = request.order_type == "Limit" and request.time_in_force in ("GTC", "PostOnly")
        if order.status.is_open and not rests:
            self.close(order, OrderStatus.CANCELLED, "UNKNOWN", "EC_NoImmediateQtyToFill")

    def _trigger(self, order: Order) -> None:
        order.status = OrderStatus.TRIGGERED
        order.updated_ns = self.now_ns
        self.log.order_passing(order, self.now_ns)
        order.status = OrderStatus.NEW
        self.tell(order)
        stops.after_trigger(self, order)
        qty = self._reducible(order)
        if qty <= 0:
            self.close(order, OrderStatus.CANCELLED, "CancelByReduceOnly")
            return
        order.qty = qty
        book = self.market.book(order.request.symbol, self.now_ms)
        if book is None:
            self.close(order, OrderStatus.CANCELLED, "UNKNOWN", "EC_NoImmediateQtyToFill")
            return
        if not order.request.reduce_only:
            held = checks.order_margin(order, self._position_of(order.request))
            present = order.remaining * (order.request.price or ZERO)
            try:
                self._check_opening(order.request, qty, book, held, present)
            except Rejection:
                # The venue holds no margin for a conditional order and cancels it when there is none left.
                self.close(order, OrderStatus.CANCELLED, "UNKNOWN", "EC_NoEnoughBalance")
                return
        self._execute(order, book)

    def _fill(self, order: Order, price: Decimal, qty: Decimal, *, maker: bool, kind: str = "Trade") -> None:
        request = order.request
        rate = MAKER_FEE if maker else TAKER_FEE
        fee = to_cents(price * qty * rate)
        position = self._position_of(request)
        created_ns = position.created_ns
        booking = self.account.book_fill(position, request.side, qty, price, fee, self.now_ns)
        order.filled_qty += qty
        order.filled_value += price * qty
        order.fee_usd += fee
        order.updated_ns = self.now_ns
        done = order.filled_qty >= order.qty
        order.status = OrderStatus.FILLED if done else OrderStatus.PARTIALLY_FILLED
        if done:
            self._open.pop(order.order_id, None)
        sequence = self._next()
        position.sequence = sequence
        if booking.closed_qty:
            self._book_closing(order, booking, price, kind, created_ns, sequence)
        execution = Execution(
            exec_id=self._id("fill", sequence), kind=kind, order_id=order.order_id, link_id=request.link_id,
            symbol=request.symbol, side=request.side, order_type=request.order_type, order_price=request.price or ZERO,
            order_qty=order.qty, price=price, qty=qty, fee_usd=fee, fee_rate=rate, is_maker=maker,
            closed_qty=booking.closed_qty, leaves_qty=order.qty - order.filled_qty, mark_price=self.mark(request.symbol),
            at_ns=self.now_ns, sequence=sequence, create_type=order.create_type, stop_order_type=order.stop_order_type,
            position_idx=request.position_idx, pnl_usd=booking.realised_usd, cash_usd=self.account.wallet_usd,
            held_qty=position.qty,
        )  # fmt: skip
        self.executions.append(execution)
        self.log.execution(execution)
        self.tell(order)
        stops.after_fill(self, order, qty)

    def _book_closing(
        self, order: Order, booking: Booking, price: Decimal, kind: str, created_ns: int, sequence: int
    ) -> None:
        request = order.request
        record = self.closed.setdefault(
            order.order_id,
            ClosedPnl(order, request.side, self._position_of(request).leverage, created_ns, sequence, kind),
        )
        record.add(booking, price, self.now_ns)
        order.closed_pnl_usd = record.pnl_usd

    def _reducible(self, order: Order) -> Decimal:
        """Return what an order may still trade; a reduce-only order never more than the position against it."""
        if not order.request.reduce_only:
            return order.remaining
        position = self._position_of(order.request)
        if position.side * order.request.side >= 0:
            return ZERO
        return min(order.remaining, abs(position.qty)) if order.qty else abs(position.qty)

    def _check_opening(
        self, request: OrderRequest, qty: Decimal, book: Book, held_usd: Decimal, present_usd: Decimal
    ) -> None:
        """Check margin and risk limit of an order; `held_usd` and `present_usd` are its margin and value so far."""
        position = self._position_of(request)
        opened = checks.opening_qty(request.side, qty, position)
        if not opened:
            return
        mark = self.mark(request.symbol)
        value = checks.opening_value(request, opened, book, mark)
        checks.check_margin(value, position, self.available_usd() + held_usd, TAKER_FEE)
        same_side = [
            o.remaining * o.request.price
            for o in self.open_orders(request.symbol)
            if o.is_resting
            and o.request.price is not None
            and not o.request.reduce_only
            and (o.request.side, o.request.position_idx) == (request.side, request.position_idx)
        ]
        growing = abs(position.qty) * mark if position.side * request.side > 0 else ZERO
        limit = margins.largest_value_usd(self.listing(request.symbol), position.leverage)
        checks.check_risk_limit(growing + sum(same_side, ZERO) - present_usd + value, limit)

    def _check_counts(self, request: OrderRequest) -> None:
        orders = self.open_orders(request.symbol)
        if request.trigger_price is not None:
            if len([o for o in orders if o.stop_order_type == "Stop" and o.is_waiting]) >= (
                checks.MAX_CONDITIONAL_ORDERS
            ):
                raise Rejection(110009, "the number of stop orders exceeds the maximum allowable limit")
        elif len([o for o in orders if not o.is_waiting]) >= checks.MAX_ACTIVE_ORDERS:
            raise Rejection(110020, "not allowed to have more than 500 active orders")
        if request.tpsl_mode == "Partial" and (request.stop_loss or request.take_profit):
            stops.check_room(self, request.symbol, request.position_idx)
