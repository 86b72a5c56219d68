"""Orders, executions and what a client may ask for.

Here belong records and their states, in Bybit's vocabulary. What happens to them is the engine's business.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

ZERO = Decimal(0)
ONE_WAY, LONG_SIDE, SHORT_SIDE = 0, 1, 2  # positionIdx


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
    TRIGGERED = "Triggered"
    FILLED = "Filled"
    CANCELLED = "Cancelled"
    REJECTED = "Rejected"
    DEACTIVATED = "Deactivated"

    @property
    def is_open(self) -> bool:
        """Whether the order can still trade."""
        return self in _OPEN


_OPEN = frozenset(
    {OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED, OrderStatus.UNTRIGGERED, OrderStatus.TRIGGERED}
)


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """What a client asks for; `side` is +1 to buy, -1 to sell.

    `price` is None for market orders. A `trigger_price` makes the order conditional; `trigger_direction` is 1 when the price must
    rise to it, 2 when it must fall. `stop_loss` and `take_profit` are put on the position once the order fills: with `tpsl_mode`
    ``Full`` on all of it, with ``Partial`` on what this order filled, there also as limit orders (`*_type`, `*_limit`).
    `trailing` is the distance of a trailing stop in USD, `active_price` where it starts to follow.
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
    position_idx: int = ONE_WAY
    tpsl_mode: str = "Full"
    stop_loss_type: str = "Market"
    take_profit_type: str = "Market"
    stop_loss_limit: Decimal | None = None
    take_profit_limit: Decimal | None = None
    trailing: Decimal | None = None
    active_price: Decimal | None = None

    @property
    def closes_a_side(self) -> bool:
        """Whether the order can only close its side of a hedged position."""
        return (self.position_idx == LONG_SIDE and self.side < 0) or (
            self.position_idx == SHORT_SIDE and self.side > 0
        )


@dataclass(frozen=True, slots=True)
class Amendment:
    """What a client wants changed of an open order; None leaves as it is, a zero TP/SL removes it."""

    qty: Decimal | None = None
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    trigger_by: str = ""
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    stop_loss_by: str = ""
    take_profit_by: str = ""
    stop_loss_limit: Decimal | None = None
    take_profit_limit: Decimal | None = None


@dataclass(slots=True)
class Order:
    """One order and what has become of it.

    `request` is replaced by amendments and by a trailing stop that moves; `qty` is what is asked for now. `partner_id` is the
    order that ends when this one triggers, `attached` are the partial stops its fills brought.
    """

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
    closed_pnl_usd: Decimal = ZERO
    sequence: int = field(default=0)
    partner_id: str = ""
    attached: tuple[str, ...] = ()
    peak: Decimal | None = None

    @property
    def remaining(self) -> Decimal:
        """Quantity still to trade; zero once the order is closed."""
        return self.qty - self.filled_qty if self.status.is_open else ZERO

    @property
    def average_price(self) -> Decimal | None:
        """Mean price of the fills, or None without any."""
        return self.filled_value / self.filled_qty if self.filled_qty else None

    @property
    def is_waiting(self) -> bool:
        """Whether the order waits for its trigger."""
        return self.status is OrderStatus.UNTRIGGERED

    @property
    def is_resting(self) -> bool:
        """Whether the order stands in the book."""
        return self.status in (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED)


@dataclass(frozen=True, slots=True)
class Execution:
    """One fill, or one funding payment (`kind` ``Funding``, `fee_usd` positive when paid).

    `pnl_usd` is what a closing part realised before fees; `cash_usd` and `held_qty` are wallet and signed position right after.
    """

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
    position_idx: int = ONE_WAY
    pnl_usd: Decimal = ZERO
    cash_usd: Decimal = ZERO
    held_qty: Decimal = ZERO

    @property
    def value_usd(self) -> Decimal:
        """Price times quantity."""
        return self.price * self.qty
