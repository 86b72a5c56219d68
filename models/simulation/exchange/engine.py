"""The exchange: takes orders, matches them against a market, moves through time, settles funding.

Here belongs how requests and events change the state. It is deterministic: the same market, requests and instants give the same
ids, fills and balances. It has no clock; `Exchange.advance` moves it. Not simulated: liquidation, hedge mode, other accounts.
"""

from __future__ import annotations

from decimal import Decimal

from models.simulation.bars import DAY_MS
from models.simulation.exchange import checks, stops
from models.simulation.exchange.account import to_cents
from models.simulation.exchange.matching import first_reached, market_limit, takeable, total, would_take
from models.simulation.exchange.orders import ZERO, Execution, Order, OrderRequest, OrderStatus, Rejection
from models.simulation.exchange.state import NS_PER_MS, ExchangeState
from models.simulation.quotes import Book, Level, Settlement

MAKER_FEE = Decimal("0.0002")
TAKER_FEE = Decimal("0.00055")


class Exchange(ExchangeState):
    """One account trading one market; see `ExchangeState` for its parameters and attributes."""

    def advance(self, to_ns: int) -> None:
        """Move to a later instant, doing what happens on the way in its order: settlements, triggers, fills.

        Parameters
        ----------
        to_ns : int
            Instants before the present are ignored.

        """
        to_ms = to_ns // NS_PER_MS
        while self.now_ms < to_ms:
            horizon = min(to_ms, self.now_ms + DAY_MS)
            settlements, reached = self._next_events(horizon)
            if not settlements and not reached:
                self.now_ns = horizon * NS_PER_MS
                continue
            self.now_ns = (settlements[0][1].ts_ms if settlements else reached[0][0]) * NS_PER_MS
            if reached:
                self.now_ns = min(self.now_ns, reached[0][0] * NS_PER_MS)
            for symbol, settlement in settlements:
                if settlement.ts_ms == self.now_ms:
                    self._pay_funding(symbol, settlement)
            for at_ms, order in reached:
                if at_ms == self.now_ms and order.status.is_open:
                    self._reach(order)
        self.now_ns = max(self.now_ns, to_ns)

    def _next_events(self, until_ms: int) -> tuple[list[tuple[str, Settlement]], list[tuple[int, Order]]]:
        """First settlement of each open position and first touch of each waiting order, each list sorted by time."""
        settlements = []
        for position in self.account.positions.values():
            if position.qty:
                found = self.market.next_settlement(position.symbol, self.now_ms, until_ms)
                if found is not None:
                    settlements.append((position.symbol, found))
        reached: list[tuple[int, Order]] = []
        for symbol in dict.fromkeys(order.request.symbol for order in self._open.values()):
            path = self.market.path(symbol, self.now_ms, until_ms)
            tick = self._listing(symbol).tick_size
            for order in self.open_orders(symbol):
                at = first_reached(path, order, tick)
                if at is not None:
                    reached.append((int(path.ts_ms[at]), order))
        settlements.sort(key=lambda item: (item[1].ts_ms, item[0]))
        reached.sort(key=lambda item: (item[0], item[1].sequence))
        return settlements, reached

    def _pay_funding(self, symbol: str, settlement: Settlement) -> None:
        position = self.account.position(symbol)
        mark = self.mark(symbol)
        paid = to_cents(position.qty * mark * settlement.rate)
        self.account.book_funding(symbol, -paid, self.now_ns)
        sequence = self._next()
        self.executions.append(
            Execution(
                exec_id=self._id("funding", sequence), kind="Funding", order_id=self._id("settlement", sequence), link_id="",
                symbol=symbol, side=position.side, order_type="UNKNOWN", order_price=ZERO, order_qty=ZERO, price=mark,
                qty=abs(position.qty), fee_usd=paid, fee_rate=settlement.rate, is_maker=False, closed_qty=ZERO, leaves_qty=ZERO,
                mark_price=mark, at_ns=self.now_ns, sequence=sequence, create_type="", stop_order_type="UNKNOWN",
            )
        )  # fmt: skip

    def _reach(self, order: Order) -> None:
        if order.status is OrderStatus.UNTRIGGERED:
            self._trigger(order)
            return
        price = order.request.price
        qty = self._reducible(order)
        if price is None or qty <= 0:
            self.close(order, OrderStatus.CANCELLED, "CancelByReduceOnly")
            return
        self._fill(order, price, qty, maker=True)

    def _trigger(self, order: Order) -> None:
        order.status = OrderStatus.NEW
        order.updated_ns = self.now_ns
        qty = self._reducible(order)
        if qty <= 0:
            self.close(order, OrderStatus.CANCELLED, "CancelByReduceOnly")
            return
        order.qty = qty
        book = self.market.book(order.request.symbol, self.now_ms)
        if book is None:
            self.close(order, OrderStatus.CANCELLED, "UNKNOWN", "EC_NoImmediateQtyToFill")
            return
        try:
            if not order.request.reduce_only:
                self._check_margin(order.request, qty, book)
        except Rejection:
            # The venue holds no margin for a conditional order and cancels it when there is none left.
            self.close(order, OrderStatus.CANCELLED, "UNKNOWN", "EC_NoEnoughBalance")
            return
        self._execute(order, book)

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
        listing = self._listing(request.symbol)
        position = self.account.position(request.symbol)
        checks.check_words(request)
        if request.link_id and request.link_id in self._by_link:
            raise Rejection(110072, "OrderLinkedID is duplicate")
        checks.check_price(request, listing)
        conditional = request.trigger_price is not None
        qty = (
            checks.reducible_qty(request, position)
            if request.reduce_only and not conditional
            else request.qty
        )
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
            self._check_margin(request, qty, book)
        order = self._new_order(request, qty, last)
        if conditional:
            order.status = OrderStatus.UNTRIGGERED
            order.stop_order_type = "Stop"
        else:
            self._execute(order, book)
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
        waiting = order.status is OrderStatus.UNTRIGGERED
        self.close(order, OrderStatus.DEACTIVATED if waiting else OrderStatus.CANCELLED, "CancelByUser")

    def set_leverage(self, symbol: str, leverage: Decimal) -> None:
        """Set the leverage of a symbol; 110043 where it already is that."""
        listing = self._listing(symbol)
        if not 1 <= leverage <= listing.max_leverage:
            raise Rejection(
                110013,
                f"cannot set leverage [{leverage}] gt maxLeverage [{listing.max_leverage}] by risk limit",
            )
        position = self.account.position(symbol)
        if position.leverage == leverage:
            raise Rejection(110043, "leverage not modified")
        position.leverage = leverage

    def set_stops(self, symbol: str, request: OrderRequest) -> None:
        """Replace stop loss and take profit of an open position; zero removes, None leaves."""
        position = self.account.position(symbol)
        if not position.qty:
            raise Rejection(10001, "can not set tp/sl/ts for zero position")
        self._listing(symbol)
        stops.replace(self, position, request)

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
        fills: list[Level] = takeable(book, request.side, order.remaining, limit)
        if request.time_in_force == "FOK" and total(fills)[0] < order.remaining:
            fills = []
        for price, qty in fills:
            self._fill(order, price, qty, maker=False)
        rests = request.order_type == "Limit" and request.time_in_force in ("GTC", "PostOnly")
        if order.status.is_open and not rests:
            self.close(order, OrderStatus.CANCELLED, "UNKNOWN", "EC_NoImmediateQtyToFill")

    def _fill(self, order: Order, price: Decimal, qty: Decimal, *, maker: bool) -> None:
        request = order.request
        rate = MAKER_FEE if maker else TAKER_FEE
        fee = to_cents(price * qty * rate)
        closed = self.account.book_fill(request.symbol, request.side, qty, price, fee, self.now_ns)
        order.filled_qty += qty
        order.filled_value += price * qty
        order.fee_usd += fee
        order.updated_ns = self.now_ns
        done = order.filled_qty >= order.qty
        order.status = OrderStatus.FILLED if done else OrderStatus.PARTIALLY_FILLED
        if done:
            self._open.pop(order.order_id, None)
        sequence = self._next()
        self.executions.append(
            Execution(
                exec_id=self._id("fill", sequence), kind="Trade", order_id=order.order_id, link_id=request.link_id,
                symbol=request.symbol, side=request.side, order_type=request.order_type, order_price=request.price or ZERO,
                order_qty=order.qty, price=price, qty=qty, fee_usd=fee, fee_rate=rate, is_maker=maker, closed_qty=closed,
                leaves_qty=order.qty - order.filled_qty, mark_price=self.mark(request.symbol), at_ns=self.now_ns,
                sequence=sequence, create_type=order.create_type, stop_order_type=order.stop_order_type,
            )
        )  # fmt: skip
        stops.after_fill(self, order)

    def _reducible(self, order: Order) -> Decimal:
        """Return what an order may still trade; a reduce-only order never more than the position against it."""
        if not order.request.reduce_only:
            return order.remaining
        position = self.account.position(order.request.symbol)
        if position.side * order.request.side >= 0:
            return ZERO
        return min(order.remaining, abs(position.qty)) if order.qty else abs(position.qty)

    def _check_margin(self, request: OrderRequest, qty: Decimal, book: Book) -> None:
        marks = (self.mark(request.symbol), TAKER_FEE)
        checks.check_margin(request, qty, self.account, self.available_usd(), book, marks)

    def _check_counts(self, request: OrderRequest) -> None:
        waiting = [order.status is OrderStatus.UNTRIGGERED for order in self.open_orders(request.symbol)]
        if request.trigger_price is not None and sum(waiting) >= checks.MAX_CONDITIONAL_ORDERS:
            raise Rejection(110009, "the number of stop orders exceeds the maximum allowable limit")
        if request.trigger_price is None and len(waiting) - sum(waiting) >= checks.MAX_ACTIVE_ORDERS:
            raise Rejection(110020, "not allowed to have more than 500 active orders")
