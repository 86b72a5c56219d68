"""The exchange: takes orders, matches them against a market, moves through time, settles funding, liquidates.

Here belongs what happens as time passes, in its order. It is deterministic: the same market, requests and instants give the
same ids, fills and balances. It has no clock; `Exchange.advance` moves it. Not simulated: other accounts,
and our effect on the market.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from models.simulation.bars import DAY_MS
from models.simulation.exchange import liquidation
from models.simulation.exchange.account import Position, to_cents
from models.simulation.exchange.desk import MAKER_FEE, TAKER_FEE, OrderDesk
from models.simulation.exchange.market import EventMarket, MatchingMarket
from models.simulation.exchange.matching import first_reached, trail
from models.simulation.exchange.orders import ZERO, Execution, Order, OrderStatus
from models.simulation.exchange.state import NS_PER_MS
from models.simulation.quotes import Path, Settlement

if TYPE_CHECKING:
    from models.simulation.exchange.queue_keeper import QueueKeeper

__all__ = ["MAKER_FEE", "TAKER_FEE", "Exchange"]


EVENT_STEP_MS = 10_000
"""A market of events is asked about stretches of this: it need not remember more than that."""


@dataclass
class _Due:
    """What happens next at one instant: settlements, orders reached, a look at the margins; in this order."""

    at_ms: int
    settlements: list[tuple[Position, Settlement]] = field(default_factory=list)
    reached: list[Order] = field(default_factory=list)
    margins: bool = False


class Exchange(OrderDesk):
    """One account trading one market; see `ExchangeState` for its parameters and attributes."""

    def __init__(self, market: MatchingMarket, equity_usd: Decimal, start_ns: int) -> None:
        super().__init__(market, equity_usd, start_ns)
        self._queues: QueueKeeper | None = None
        if isinstance(market, EventMarket):
            # Compiled code: an exchange over bars runs without it.
            from models.simulation.exchange.queue_keeper import QueueKeeper

            self._queues = QueueKeeper(market)

    def advance(self, to_ns: int) -> None:
        """Move to a later instant, doing what happens on the way in its order: settlements, triggers, fills, liquidation.

        Parameters
        ----------
        to_ns : int
            Instants before the present are ignored.

        """
        stretch_ms = DAY_MS if self._queues is None else EVENT_STEP_MS
        while self.now_ns < to_ns:
            if not self._open and not any(self.account.held()):
                if self._queues is not None:
                    self._queues.forget()
                self.now_ns = to_ns
                return
            horizon_ms = min(to_ns // NS_PER_MS, self.now_ms + stretch_ms)
            horizon_ns = to_ns if horizon_ms == to_ns // NS_PER_MS else horizon_ms * NS_PER_MS
            paths: dict[str, Path] = {}
            due = self._next_due(horizon_ms, paths)
            limit_ns = horizon_ns if due is None else due.at_ms * NS_PER_MS
            queued = self._play_queues(limit_ns)
            until_ns = limit_ns if queued is None else queued[0]
            self._follow_trails(paths, until_ns // NS_PER_MS)
            self.now_ns = until_ns
            if queued is not None:
                self._fill_queued(queued[1])
            elif due is not None:
                self._let_happen(due)
            self.publish()

    def _next_due(self, until_ms: int, paths: dict[str, Path]) -> _Due | None:
        """First instant at which something happens; `paths` is filled with the paths that were looked at."""
        found = (
            self._settlements(until_ms) + self._touches(until_ms, paths) + self._margin_calls(until_ms, paths)
        )
        if not found:
            return None
        due = _Due(min(item.at_ms for item in found))
        for item in found:
            if item.at_ms == due.at_ms:
                due.settlements += item.settlements
                due.reached += item.reached
                due.margins |= item.margins
        due.settlements.sort(key=lambda pair: (pair[0].symbol, pair[0].index))
        due.reached.sort(key=lambda order: order.sequence)
        return due

    def _settlements(self, until_ms: int) -> list[_Due]:
        found = []
        for position in self.account.held():
            settlement = self.market.next_settlement(position.symbol, self.now_ms, until_ms)
            if settlement is not None:
                found.append(_Due(settlement.ts_ms, settlements=[(position, settlement)]))
        return found

    def _touches(self, until_ms: int, paths: dict[str, Path]) -> list[_Due]:
        found = []
        for order in self._open.values():
            if self._queues is not None and not order.is_waiting:
                continue
            path = self._path(order.request.symbol, until_ms, paths)
            at = self._first_touch(order, path)
            if at is not None:
                found.append(_Due(int(path.ts_ms[at]), reached=[order]))
        return found

    def _margin_calls(self, until_ms: int, paths: dict[str, Path]) -> list[_Due]:
        held = list(self.account.held())
        for position in held:
            self._path(position.symbol, until_ms, paths)
        at_ms = liquidation.first_ms(self, held, paths) if held else None
        return [] if at_ms is None else [_Due(at_ms, margins=True)]

    def _path(self, symbol: str, until_ms: int, paths: dict[str, Path]) -> Path:
        if symbol not in paths:
            paths[symbol] = self.market.path(symbol, self.now_ms, until_ms)
        return paths[symbol]

    def _first_touch(self, order: Order, path: Path) -> int | None:
        tick = self.listing(order.request.symbol).tick_size
        if order.is_waiting and order.request.trailing is not None:
            return trail(path, order, tick)[0]
        return first_reached(path, order, tick)

    def _follow_trails(self, paths: dict[str, Path], until_ms: int) -> None:
        """Let the trailing stops follow the market up to an instant."""
        for order in self._open.values():
            request = order.request
            if request.trailing is None or not order.is_waiting or request.symbol not in paths:
                continue
            path, tick = paths[request.symbol], self.listing(request.symbol).tick_size
            passed = int(path.ts_ms.searchsorted(until_ms, side="right"))
            peak = trail(path, order, tick)[1][passed]
            if abs(peak) == float("inf"):
                continue
            order.peak = (Decimal(float(peak)) / tick).quantize(Decimal(1)) * tick
            trigger = order.peak + request.side * request.trailing
            if trigger != request.trigger_price:
                order.request = replace(request, trigger_price=trigger)

    def _play_queues(self, until_ns: int) -> tuple[int, list[tuple[Order, Decimal]]] | None:
        """Play the market's events up to an instant, or to the first that fills resting orders."""
        if self._queues is None:
            return None
        resting = [order for order in self._open.values() if order.is_resting]
        return self._queues.play(resting, self.now_ns, until_ns)

    def _fill_queued(self, fills: list[tuple[Order, Decimal]]) -> None:
        for order, qty in fills:
            filled = min(qty, self._reducible(order))
            if order.status.is_open and order.request.price is not None and filled > 0:
                self._fill(order, order.request.price, filled, maker=True)

    def _let_happen(self, due: _Due) -> None:
        for position, settlement in due.settlements:
            self._pay_funding(position, settlement)
        for order in due.reached:
            if order.status.is_open:
                self._reach(order)
        if due.margins:
            liquidation.liquidate(self)

    def _pay_funding(self, position: Position, settlement: Settlement) -> None:
        symbol, mark = position.symbol, self.mark(position.symbol)
        paid = to_cents(position.qty * mark * settlement.rate)
        self.account.book_funding(position, -paid, self.now_ns)
        sequence = self._next()
        position.sequence = sequence
        execution = Execution(
            exec_id=self._id("funding", sequence), kind="Funding", order_id=self._id("settlement", sequence), link_id="",
            symbol=symbol, side=position.side, order_type="UNKNOWN", order_price=ZERO, order_qty=ZERO, price=mark,
            qty=abs(position.qty), fee_usd=paid, fee_rate=settlement.rate, is_maker=False, closed_qty=ZERO, leaves_qty=ZERO,
            mark_price=mark, at_ns=self.now_ns, sequence=sequence, create_type="", stop_order_type="UNKNOWN",
            position_idx=position.index, cash_usd=self.account.wallet_usd, held_qty=position.qty,
        )  # fmt: skip
        self.executions.append(execution)
        self.log.execution(execution)
        self.log.position(symbol, position.index)

    def _reach(self, order: Order) -> None:
        if order.is_waiting:
            self._trigger(order)
            return
        price = order.request.price
        qty = self._reducible(order)
        if price is None or qty <= 0:
            self.close(order, OrderStatus.CANCELLED, "CancelByReduceOnly")
            return
        self._fill(order, price, qty, maker=True)
