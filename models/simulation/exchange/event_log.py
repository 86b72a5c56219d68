"""What the venue tells an account about: changed orders, executions, positions and the wallet, numbered, in its order.

Here belongs collecting the changes of one happening (a request, a fill, a settlement) and keeping them as they were then. How
they are written on a wire does not.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from models.simulation.exchange.orders import Execution, Order
from models.simulation.exchange.views import PositionView, WalletView

KEPT = 20_000
"""Messages kept for readers that lag; older ones are gone, as on a stream."""

ORDER, EXECUTION, POSITION, WALLET = "order", "execution", "position", "wallet"


@dataclass(frozen=True, slots=True)
class Message:
    """One message: its number from 1 on, instant, topic, and records as they were at that instant."""

    sequence: int
    at_ns: int
    topic: str
    records: tuple[Order, ...] | tuple[Execution, ...] | tuple[PositionView, ...] | tuple[WalletView, ...]


class EventLog:
    """Messages in order, and the changes not yet told."""

    def __init__(self) -> None:
        self.sequence = 0
        self._messages: deque[Message] = deque(maxlen=KEPT)
        self._orders: dict[str, Order] = {}
        self._executions: list[Execution] = []
        self._positions: dict[tuple[str, int], None] = {}
        self._wallet = False

    def order(self, order: Order) -> None:
        """Note that an order has changed."""
        self._orders[order.order_id] = order

    def order_passing(self, order: Order, at_ns: int) -> None:
        """Tell a state of an order that lasts no time."""
        self._add(at_ns, ORDER, (copy.copy(order),))

    def position_view(self, at_ns: int, view: PositionView) -> None:
        """Tell a state of a position that lasts no time."""
        self._add(at_ns, POSITION, (view,))

    def execution(self, execution: Execution) -> None:
        """Note a fill or payment."""
        self._executions.append(execution)
        self._wallet = True

    def position(self, symbol: str, index: int) -> None:
        """Note that a position is to be told of, changed or not."""
        self._positions[symbol, index] = None

    def wallet(self) -> None:
        """Note that balance or margins have changed."""
        self._wallet = True

    def publish(
        self,
        at_ns: int,
        position_view: Callable[[str, int], PositionView],
        wallet_view: Callable[[], WalletView],
    ) -> None:
        """Turn all noted changes into messages: orders, executions, positions, wallet."""
        if self._orders:
            self._add(at_ns, ORDER, tuple(copy.copy(order) for order in self._orders.values()))
        if self._executions:
            self._add(at_ns, EXECUTION, tuple(self._executions))
        if self._positions:
            self._add(at_ns, POSITION, tuple(position_view(*key) for key in self._positions))
        if self._wallet:
            self._add(at_ns, WALLET, (wallet_view(),))
        self._orders, self._executions, self._positions, self._wallet = {}, [], {}, False

    def after(self, sequence: int) -> list[Message]:
        """Messages with a higher number, of those still kept."""
        newer = min(self.sequence - sequence, len(self._messages))
        return list(islice(reversed(self._messages), max(newer, 0)))[::-1]

    def _add(
        self,
        at_ns: int,
        topic: str,
        records: tuple[Order, ...]
        | tuple[Execution, ...]
        | tuple[PositionView, ...]
        | tuple[WalletView, ...],
    ) -> None:
        self.sequence += 1
        self._messages.append(Message(self.sequence, at_ns, topic, records))
