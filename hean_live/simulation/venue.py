"""The simulated venue: the exchange, what it has shown at each instant, and what it tells its private stream.

It never fails; failing is the network's. What is old can still be asked for, so that a lagging replica can be played.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TypeVar

from hean_live.simulation.clock import VirtualClock
from hean_live.simulation.market import SimulatedMarket
from hean_live.simulation.records import execution_record, order_record, position_record, wallet_record
from hean_live.venues.protocol import NewOrder
from models.market.trading_records import Execution, Order, Position, Wallet
from models.simulation.exchange.engine import Exchange
from models.simulation.exchange.orders import OrderRequest

Record = TypeVar("Record", Order, Position)
Told = Order | Execution | Position | Wallet
STOP_TRIGGER = "MarkPrice"


class SimulatedVenue:
    """One exchange with a memory of what it has shown.

    Parameters
    ----------
    market : SimulatedMarket
    clock : VirtualClock
    equity_usd : Decimal

    Attributes
    ----------
    told : list of (int, record)
        Every change, with its instant, in its order: what a private stream would carry.

    """

    def __init__(self, market: SimulatedMarket, clock: VirtualClock, equity_usd: Decimal) -> None:
        self.market = market
        self.clock = clock
        self.exchange = Exchange(market, equity_usd, clock.now_ns)
        self.start_usd = equity_usd
        self.told: list[tuple[int, Told]] = []
        self._orders: dict[str, list[tuple[int, Order]]] = {}
        self._live: set[str] = set()
        self._known = 0
        self._executions = 0
        self._positions: dict[str, list[tuple[int, Position]]] = {}

    def catch_up(self) -> None:
        """Let happen what is due by now, and note what changed."""
        self.exchange.advance(self.clock.now_ns)
        self.note()

    def note(self) -> None:
        """Note every change since the last call."""
        now_ns = self.clock.now_ns
        orders = self.exchange.orders
        if len(orders) > self._known:
            self._live |= set(list(orders)[self._known :])
            self._known = len(orders)
        for order_id in [key for key in orders if key in self._live]:
            self._note_order(order_id, now_ns)
        fresh = self.exchange.executions[self._executions :]
        self._executions = len(self.exchange.executions)
        for execution in fresh:
            self.told.append((now_ns, execution_record(execution)))
        for symbol in dict.fromkeys(execution.symbol for execution in fresh):
            position = position_record(self.exchange.position(symbol), self.exchange.mark(symbol))
            self._positions.setdefault(symbol, []).append((now_ns, position))
            self.told.append((now_ns, position))
        if fresh:
            self.told.append((now_ns, wallet_record(self.exchange)))

    # --- answers; `as_of_ns` may lie in the past

    def open_orders(self, as_of_ns: int) -> list[Order]:
        """Return the open orders of that instant."""
        if as_of_ns >= self.clock.now_ns:
            return [self._orders[key][-1][1] for key in self._orders if key in self._live]
        shown = (_latest(states, as_of_ns) for states in self._orders.values())
        return [order for order in shown if order is not None and order.status.is_open]

    def find(self, symbol: str, client_id: str, as_of_ns: int) -> Order | None:
        """Return the order with this client id as it was at that instant."""
        for states in self._orders.values():
            first = states[0][1]
            if first.client_id == client_id and first.symbol == symbol:
                return _latest(states, as_of_ns)
        return None

    def executions(self, as_of_ns: int) -> list[Execution]:
        """Return every execution up to that instant, oldest first."""
        return [execution_record(row) for row in self.exchange.executions if row.at_ns <= as_of_ns]

    def positions(self, as_of_ns: int) -> list[Position]:
        """Return the positions of that instant that were not flat."""
        shown = (_latest(states, as_of_ns) for states in self._positions.values())
        return [position for position in shown if position is not None and position.size]

    def every_order(self) -> list[Order]:
        """Return every order ever accepted, in its last state."""
        return [states[-1][1] for states in self._orders.values()]

    def wallet(self) -> Wallet:
        """Return the account's totals now."""
        return wallet_record(self.exchange)

    # --- commands

    def create(self, order: NewOrder) -> str:
        """Accept an order now; returns its id, raises the exchange's `Rejection`."""
        request = OrderRequest(
            symbol=order.symbol,
            side=order.side,
            order_type="Market" if order.price is None else "Limit",
            qty=order.qty,
            price=order.price,
            time_in_force=order.time_in_force,
            link_id=order.client_id,
            reduce_only=order.reduce_only,
            stop_loss=order.stop_price,
            stop_loss_by=STOP_TRIGGER,
        )
        try:
            return self.exchange.create(request).order_id
        finally:
            self.note()

    def cancel(self, symbol: str, client_id: str) -> None:
        """Cancel an order now; raises the exchange's `Rejection`."""
        try:
            self.exchange.cancel(symbol, link_id=client_id)
        finally:
            self.note()

    def _note_order(self, order_id: str, now_ns: int) -> None:
        order = self.exchange.orders[order_id]
        states = self._orders.setdefault(order_id, [])
        if not order.status.is_open:
            self._live.discard(order_id)
        last = states[-1][1] if states else None
        if last is not None and (last.status.value, last.filled_qty, last.qty) == (
            order.status.value,
            order.filled_qty,
            order.qty,
        ):
            return
        record = order_record(order)
        states.append((now_ns, record))
        self.told.append((now_ns, record))


def _latest(states: list[tuple[int, Record]], as_of_ns: int) -> Record | None:
    """Return the last record of that instant."""
    return next((record for at_ns, record in reversed(states) if at_ns <= as_of_ns), None)
