"""A venue whose orders go over the trade socket while it is signed in, and by REST otherwise.

The choice is made before anything is sent; after that, an order that is not answered is unresolved, on either way, and
is never tried on the other. Called from the executor's loop; the socket lives in the streams' thread, and only the
request and its result cross.
"""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from hean_live.venues.codes import NOTHING_TO_CANCEL
from hean_live.venues.errors import OrderRejected, OrderUnresolved
from hean_live.venues.order_fields import cancel_fields, create_fields
from hean_live.venues.protocol import NewOrder, Venue
from hean_live.venues.streams.thread import StreamThread
from hean_live.venues.streams.trade import CANCEL, CREATE, NotReady, TradeSocket
from models.errors import DataError
from models.market.bybit_v5 import Payload
from models.market.bybit_v5_trading import parse_order_ack
from models.market.trading_records import ApiKeyInfo, Execution, FeeRate, Order, OrderAck, Position, Wallet

_MARGIN_S: Final = 2.0


class SocketOrders:
    """The venue `rest`, with `place` and `cancel` over a socket.

    Parameters
    ----------
    rest : Venue
    socket : TradeSocket
    thread : StreamThread
        In which the socket lives.
    timeout_s : float
        The socket's own; a little more is waited for its word.

    """

    def __init__(self, rest: Venue, socket: TradeSocket, thread: StreamThread, *, timeout_s: float) -> None:
        self._rest = rest
        self._socket = socket
        self._thread = thread
        self._timeout_s = timeout_s

    def place(self, order: NewOrder) -> OrderAck:
        """Send an order once; raises `OrderUnresolved` when its fate is not known."""
        try:
            data = self._request(CREATE, create_fields(order))
        except NotReady:
            return self._rest.place(order)
        try:
            return parse_order_ack(data)
        except DataError as error:
            raise OrderUnresolved(f"an order acknowledgement was unreadable: {error}") from error

    def cancel(self, symbol: str, client_id: str) -> None:
        """Ask to cancel an order; succeeds if there is nothing left to cancel."""
        try:
            self._request(CANCEL, cancel_fields(symbol, client_id))
        except NotReady:
            self._rest.cancel(symbol, client_id)
        except OrderRejected as error:
            if error.code not in NOTHING_TO_CANCEL:
                raise

    def _request(self, op: str, fields: Mapping[str, object]) -> Payload:
        if not self._socket.is_ready:
            raise NotReady("the trade socket is not signed in")
        answer = self._thread.run(self._socket.request(op, fields))
        try:
            return answer.result(self._timeout_s + _MARGIN_S)
        except (concurrent.futures.TimeoutError, concurrent.futures.CancelledError) as error:
            answer.cancel()
            raise OrderUnresolved("the streams' thread did not say what became of an order") from error

    # --- everything else by REST

    def key_info(self) -> ApiKeyInfo:
        """Return what the key may do."""
        return self._rest.key_info()

    def is_hedge_mode(self, symbol: str) -> bool:
        """Return whether the account holds both sides of this symbol apart."""
        return self._rest.is_hedge_mode(symbol)

    def wallet(self) -> Wallet:
        """Return the account's totals."""
        return self._rest.wallet()

    def positions(self) -> list[Position]:
        """Return every position that is not flat."""
        return self._rest.positions()

    def open_orders(self) -> list[Order]:
        """Return every open order of the account, foreign ones included."""
        return self._rest.open_orders()

    def find_order(self, symbol: str, client_id: str) -> Order | None:
        """Look an order up among recent and past ones; None if the venue does not know it."""
        return self._rest.find_order(symbol, client_id)

    def new_executions(self, is_known: Callable[[str], bool]) -> list[Execution]:
        """Return executions, oldest first, back to the first page whose ids `is_known` accepts throughout."""
        return self._rest.new_executions(is_known)

    def fee_rates(self) -> dict[str, FeeRate]:
        """Return the account's fees by symbol."""
        return self._rest.fee_rates()

    def set_leverage(self, symbol: str, leverage: Decimal) -> None:
        """Set the leverage of a symbol; setting it to what it is succeeds."""
        self._rest.set_leverage(symbol, leverage)
