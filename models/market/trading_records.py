"""What a trading account consists of, as typed records: orders, executions, positions, wallet, fees, key.

Immutable data and what follows from it alone. Parsing venue replies into them is `bybit_v5_trading.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum


class OrderStatus(Enum):
    """Where an order stands; `UNKNOWN` is a value this code does not know."""

    NEW = "New"
    PARTIALLY_FILLED = "PartiallyFilled"
    UNTRIGGERED = "Untriggered"
    REJECTED = "Rejected"
    PARTIALLY_FILLED_CANCELED = "PartiallyFilledCanceled"
    FILLED = "Filled"
    CANCELLED = "Cancelled"
    TRIGGERED = "Triggered"
    DEACTIVATED = "Deactivated"
    UNKNOWN = "UNKNOWN"

    @property
    def is_open(self) -> bool:
        """True while the order can still fill (a Triggered one is becoming New)."""
        return self in _OPEN

    @property
    def is_closed(self) -> bool:
        """True when nothing more can happen to it; an UNKNOWN status is neither open nor closed."""
        return self not in _OPEN and self is not OrderStatus.UNKNOWN


_OPEN = frozenset(
    {OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED, OrderStatus.UNTRIGGERED, OrderStatus.TRIGGERED}
)


@dataclass(frozen=True)
class OrderAck:
    """The venue has *received* an order or a cancel; what became of it comes from the order's own record."""

    order_id: str
    client_id: str


@dataclass(frozen=True)
class Order:
    """One order as the venue records it.

    `side` is +1 buy, -1 sell; `price` is None for a market order; `avg_price` is None before the first fill;
    quantities in base units; `fees` maps coin to fee paid (positive = paid); times in nanoseconds UTC.
    """

    symbol: str
    order_id: str
    client_id: str
    side: int
    order_type: str
    time_in_force: str
    status: OrderStatus
    qty: Decimal
    price: Decimal | None
    filled_qty: Decimal
    leaves_qty: Decimal
    avg_price: Decimal | None
    trigger_price: Decimal | None
    stop_order_type: str
    reduce_only: bool
    position_idx: int
    reject_reason: str
    cancel_type: str
    fees: dict[str, Decimal]
    created_ns: int
    updated_ns: int


@dataclass(frozen=True)
class Execution:
    """One fill or funding payment, keyed by `exec_id`.

    `kind` is the venue's execType in lower case: trade, funding, adltrade, busttrade, …
    `fee` is positive when paid, in `fee_currency` (`""` = the settle coin); for funding it is the payment.
    """

    exec_id: str
    order_id: str
    client_id: str
    symbol: str
    side: int
    price: Decimal
    qty: Decimal
    fee: Decimal
    fee_currency: str
    is_maker: bool
    kind: str
    closed_qty: Decimal
    at_ns: int


@dataclass(frozen=True)
class Position:
    """One position row; in one-way mode a flat symbol is a row with size 0.

    `side` is +1 long, -1 short, 0 flat; `size` ≥ 0 in base units; `position_idx` 0 is one-way mode, 1 and 2
    are the sides of hedge mode; values the venue leaves empty are None.
    """

    symbol: str
    side: int
    size: Decimal
    avg_price: Decimal | None
    mark_price: Decimal | None
    liq_price: Decimal | None
    leverage: Decimal | None
    unrealised_pnl: Decimal | None
    cum_realised_pnl: Decimal | None
    take_profit: Decimal | None
    stop_loss: Decimal | None
    position_idx: int
    status: str
    updated_ns: int | None

    @property
    def signed_size(self) -> Decimal:
        """Return size with the side's sign."""
        return self.size * self.side


@dataclass(frozen=True)
class CoinBalance:
    """One coin of the unified account, in coin units."""

    coin: str
    equity: Decimal
    wallet_balance: Decimal
    unrealised_pnl: Decimal


@dataclass(frozen=True)
class Wallet:
    """Totals of the unified account in USD; `available_usd` is what new orders may use."""

    equity_usd: Decimal
    wallet_usd: Decimal
    available_usd: Decimal
    initial_margin_usd: Decimal
    maintenance_margin_usd: Decimal
    coins: dict[str, CoinBalance]


@dataclass(frozen=True)
class FeeRate:
    """Fees of one symbol as fractions of the order value; a negative maker fee is a rebate."""

    symbol: str
    taker: Decimal
    maker: Decimal


@dataclass(frozen=True)
class ApiKeyInfo:
    """What a key may do; `expires_ns` is None for a key that does not expire."""

    read_only: bool
    permissions: dict[str, tuple[str, ...]]
    ips: tuple[str, ...]
    expires_ns: int | None
    is_unified: bool

    @property
    def can_withdraw(self) -> bool:
        """True if the key may move money out of the venue: such a key is refused."""
        return any("withdraw" in name.lower() for name in self.permissions.get("Wallet", ()))

    @property
    def can_trade_contracts(self) -> bool:
        """True if the key may place orders on linear contracts."""
        return not self.read_only and "Order" in self.permissions.get("ContractTrade", ())
