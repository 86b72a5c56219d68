"""Orders, executions and what a client may ask for.

Here belong records and their states, in Bybit's vocabulary. What happens to them is the engine's business.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

ZERO = Decimal(0)


class Rejection(Exception):
    """Request the exchange refuses at once; no order comes to be.

    Parameters
    ----------
    code : int
        Bybit's numeric return code.
    message : str
        Bybit's text.

    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message


class OrderStatus(StrEnum):
    """Life of an order; the last four are final."""

    NEW = "New"
    PARTIALLY_FILLED = "PartiallyFilled"
    UNTRIGGERED = "Untriggered"
    FILLED = "Filled"
    CANCELLED = "Cancelled"
    REJECTED = "Rejected"
    DEACTIVATED = "Deactivated"

    @property
    def is_open(self) -> bool:
        """Whether the order can still trade."""
        return self in (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED, OrderStatus.UNTRIGGERED)


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """What a client asks for; `side` is +1 to buy, -1 to sell.

    `price` is None for market orders. A `trigger_price` makes the order conditional; `trigger_direction` is 1 when the price must
    rise to it, 2 when it must fall. `stop_loss` and `take_profit` are put on the position once the order fills.
    """

    symbol: str
    side: int
    order_type: str
    qty: Decimal
    price: Decimal | None = None
    time_in_force: str = "GTC"
    link_id: str = ""
    reduce_only: bool = False
    close_on_trigger: bool = False
    trigger_price: Decimal | None = None
    trigger_direction: int = 0
    trigger_by: str = "LastPrice"
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    stop_loss_by: str = "LastPrice"
    take_profit_by: str = "LastPrice"


@dataclass(slots=True)
class Order:
    """One order and what has become of it; `request` never changes."""

    order_id: str
    request: OrderRequest
    qty: Decimal
    created_ns: int
    updated_ns: int
    last_price_on_created: Decimal
    status: OrderStatus = OrderStatus.NEW
    stop_order_type: str = ""
    create_type: str = "CreateByUser"
    cancel_type: str = "UNKNOWN"
    reject_reason: str = "EC_NoError"
    filled_qty: Decimal = ZERO
    filled_value: Decimal = ZERO
    fee_usd: Decimal = ZERO
    sequence: int = field(default=0)

    @property
    def remaining(self) -> Decimal:
        """Quantity still to trade; zero once the order is closed."""
        return self.qty - self.filled_qty if self.status.is_open else ZERO

    @property
    def average_price(self) -> Decimal | None:
        """Mean price of the fills, or None without any."""
        return self.filled_value / self.filled_qty if self.filled_qty else None


@dataclass(frozen=True, slots=True)
class Execution:
    """One fill, or one funding payment (`kind` ``Funding``, `fee_usd` positive when paid)."""

    exec_id: str
    kind: str
    order_id: str
    link_id: str
    symbol: str
    side: int
    order_type: str
    order_price: Decimal
    order_qty: Decimal
    price: Decimal
    qty: Decimal
    fee_usd: Decimal
    fee_rate: Decimal
    is_maker: bool
    closed_qty: Decimal
    leaves_qty: Decimal
    mark_price: Decimal
    at_ns: int
    sequence: int
    create_type: str = "CreateByUser"
    stop_order_type: str = ""

    @property
    def value_usd(self) -> Decimal:
        """Price times quantity."""
        return self.price * self.qty
