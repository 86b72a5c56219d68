"""The queues of all symbols with resting orders, played together in the order of time.

Here belongs which symbol comes first; what happens within one is `queues`' business.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from models.simulation.exchange.market import EventMarket
from models.simulation.exchange.orders import Order
from models.simulation.exchange.queues import SymbolQueues


class QueueKeeper:
    """Places in the queue of every resting order.

    Parameters
    ----------
    market : EventMarket

    """

    def __init__(self, market: EventMarket) -> None:
        self._market = market
        self._symbols: dict[str, SymbolQueues] = {}

    def play(
        self, resting: Sequence[Order], now_ns: int, until_ns: int
    ) -> tuple[int, list[tuple[Order, Decimal]]] | None:
        """Play all symbols up to an instant, or to the first that fills orders.

        Parameters
        ----------
        resting : sequence of Order
            Every resting limit order, oldest first.
        now_ns, until_ns : int
            Present instant, and the one to stop at.

        Returns
        -------
        (int, list of (Order, Decimal)) or None
            Instant, and orders with the quantities they are filled by; None where nothing was filled.

        """
        self._match_orders(resting, now_ns)
        by_number = {order.sequence: order for order in resting}
        saved = {name: queues.saved() for name, queues in self._symbols.items() if len(self._symbols) > 1}
        found = {name: queues.play(until_ns) for name, queues in self._symbols.items()}
        instants = [result[0] for result in found.values() if result is not None]
        if not instants:
            return None
        first_ns = min(instants)
        fills: list[tuple[Order, Decimal]] = []
        for name, queues in self._symbols.items():
            result = found[name]
            if result is None or result[0] > first_ns:
                # What this symbol does after that instant may depend on it: go back and stop there.
                queues.restore(saved[name])
                queues.play(first_ns)
            else:
                fills += [(by_number[number], qty) for number, qty in result[1]]
        return first_ns, fills

    def forget(self) -> None:
        """Forget every queue: nothing rests, and the next order must not meet what the market did before it came."""
        self._symbols.clear()

    def _match_orders(self, resting: Sequence[Order], now_ns: int) -> None:
        by_symbol: dict[str, list[Order]] = {}
        for order in resting:
            by_symbol.setdefault(order.request.symbol, []).append(order)
        for symbol in [symbol for symbol in self._symbols if symbol not in by_symbol]:
            del self._symbols[symbol]
        for symbol, orders in by_symbol.items():
            queues = self._symbols.get(symbol)
            if queues is None:
                listing = self._market.listing(symbol)
                if listing is None:
                    continue
                queues = self._symbols[symbol] = SymbolQueues(self._market, listing, now_ns)
            queues.match_orders(orders)
