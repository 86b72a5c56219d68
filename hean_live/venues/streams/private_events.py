"""What the private stream tells the account side, as typed records.

One message of the venue may become several events; their order is the order of arrival, which is *not* a promise
of the venue's: every consumer has to be idempotent. Reading the socket is `private.py`'s business, booking the
account side's.
"""

from __future__ import annotations

from dataclasses import dataclass

from models.market.trading_records import Execution, Order, Position, Wallet


@dataclass(frozen=True)
class OrderEvent:
    """An order has changed; `received_ns` is our clock, ns UTC."""

    order: Order
    received_ns: int


@dataclass(frozen=True)
class ExecutionEvent:
    """A fill or a funding payment; key it by `execution.exec_id`, for it may come twice."""

    execution: Execution
    received_ns: int


@dataclass(frozen=True)
class PositionEvent:
    """A position has changed."""

    position: Position
    received_ns: int


@dataclass(frozen=True)
class WalletEvent:
    """The account's totals have changed."""

    wallet: Wallet
    received_ns: int


@dataclass(frozen=True)
class Connected:
    """Signed in and subscribed, for the first time or again: reconcile before any new order.

    The venue sends no snapshot on subscribing, so what happened before `received_ns` is known from REST alone.
    """

    received_ns: int


@dataclass(frozen=True)
class Disconnected:
    """The stream is gone, or mute beyond its limit: what happens now is not seen until the next `Connected`."""

    reason: str
    received_ns: int


@dataclass(frozen=True)
class Unreadable:
    """A message or row could not be read: something may have happened that was not seen, so reconcile soon."""

    reason: str
    received_ns: int


PrivateEvent = (
    OrderEvent | ExecutionEvent | PositionEvent | WalletEvent | Connected | Disconnected | Unreadable
)
