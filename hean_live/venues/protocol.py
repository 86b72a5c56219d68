"""What the executor asks of a venue, as a protocol; Bybit implements it, a simulated venue may.

Records of orders, positions and executions are those of `models.market.trading_records`. No implementation
here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from models.market.trading_records import ApiKeyInfo, Execution, FeeRate, Order, OrderAck, Position, Wallet

POST_ONLY = "PostOnly"
IMMEDIATE = "IOC"


@dataclass(frozen=True)
class NewOrder:
    """An order to be placed.

    Attributes
    ----------
    client_id, symbol : str
    side : int
        +1 buy, -1 sell.
    qty : Decimal
        Base units, a multiple of the instrument's step.
    price : Decimal or None
        Limit price; None for a market order.
    time_in_force : str
        `POST_ONLY` or `IMMEDIATE`.
    reduce_only : bool
        True for an order that may only shrink a position.
    stop_price : Decimal or None
        Protective stop attached to an entry, kept by the venue.

    """

    client_id: str
    symbol: str
    side: int
    qty: Decimal
    price: Decimal | None
    time_in_force: str
    reduce_only: bool
    stop_price: Decimal | None = None


class Venue(Protocol):
    """The private side of a venue. Errors are those of `hean_live.venues.errors`."""

    def key_info(self) -> ApiKeyInfo:
        """Return what the key may do."""

    def is_hedge_mode(self, symbol: str) -> bool:
        """Return whether the account holds both sides of this symbol apart."""

    def wallet(self) -> Wallet:
        """Return the account's totals."""

    def positions(self) -> list[Position]:
        """Return every position that is not flat."""

    def open_orders(self) -> list[Order]:
        """Return every open order of the account, foreign ones included."""

    def find_order(self, symbol: str, client_id: str) -> Order | None:
        """Look an order up among recent and past ones; None if the venue does not know it."""

    def new_executions(self, is_known: Callable[[str], bool]) -> list[Execution]:
        """Return executions, oldest first, back to the first page whose ids `is_known` accepts throughout."""

    def fee_rates(self) -> dict[str, FeeRate]:
        """Return the account's fees by symbol."""

    def set_leverage(self, symbol: str, leverage: Decimal) -> None:
        """Set the leverage of a symbol; setting it to what it is succeeds."""

    def place(self, order: NewOrder) -> OrderAck:
        """Send an order once; raises `OrderUnresolved` when its fate is not known."""

    def cancel(self, symbol: str, client_id: str) -> None:
        """Ask to cancel an order; succeeds if there is nothing left to cancel."""
