"""Rows of the journal as typed records, and the states an order can be in. No storage here."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

SUBMITTING = "submitting"  # durable, perhaps on the wire
UNRESOLVED = "unresolved"  # sent, and the reply was lost or unreadable
OPEN = "open"
PARTIALLY_FILLED = "partially_filled"
FILLED = "filled"
CANCELLED = "cancelled"
REJECTED = "rejected"  # refused by the venue
DENIED = "denied"  # refused here, never sent
LOST = "lost"  # never reached the venue's book: may be decided again under the same id

# Not at the venue under this id: the same decision may be carried out under it.
UNSENT_STATES = (LOST, DENIED)
ACTIVE_STATES = (SUBMITTING, UNRESOLVED, OPEN, PARTIALLY_FILLED)
DOUBTFUL_STATES = (SUBMITTING, UNRESOLVED)

OUTCOMES = {
    OPEN: "confirmed",
    PARTIALLY_FILLED: "confirmed",
    FILLED: "confirmed",
    CANCELLED: "confirmed",
    REJECTED: "rejected",
    DENIED: "denied",
    UNRESOLVED: "unresolved",
    LOST: "rejected",
}


@dataclass(frozen=True)
class OrderRow:
    """One order of ours; quantities in base units, `price` None for a market order, times in market time."""

    client_id: str
    strategy: str
    symbol: str
    side: int
    order_type: str
    qty: Decimal
    price: Decimal | None
    reduce_only: bool
    leg: str
    decision_ns: int
    state: str
    venue_id: str = ""
    filled_qty: Decimal = Decimal(0)
    avg_price: Decimal | None = None
    reason: str = ""
    mode: str = "live"
    created_ns: int = 0
    updated_ns: int = 0

    @property
    def is_active(self) -> bool:
        """True while the order may still fill."""
        return self.state in ACTIVE_STATES

    @property
    def is_doubtful(self) -> bool:
        """True while it is not known whether the venue has the order."""
        return self.state in DOUBTFUL_STATES


@dataclass(frozen=True)
class FillRow:
    """One execution or funding payment; `fee_usd` is positive when paid (for funding: the payment)."""

    exec_id: str
    client_id: str
    venue_id: str
    symbol: str
    side: int
    qty: Decimal
    price: Decimal
    fee_usd: Decimal
    is_maker: bool
    kind: str
    at_ns: int


@dataclass(frozen=True)
class RetryRow:
    """A word of the venue that could not be booked, kept until it can be; `body` is the record as text."""

    key: str
    kind: str
    symbol: str
    body: str
    attempts: int
    error: str
    first_ns: int
    last_ns: int


@dataclass(frozen=True)
class TradeRow:
    """One round trip, `mode` live or shadow; `pnl_usd` is net, `funding_usd` positive when received."""

    trade_id: str
    strategy: str
    symbol: str
    regime: str
    mode: str
    side: int
    qty: Decimal
    entry_ns: int
    entry_price: Decimal
    exit_ns: int
    exit_price: Decimal
    fees_usd: float
    funding_usd: float
    pnl_usd: float
    pnl_bps: float
    predicted: float
    realised_rate: float | None
    model_version: str
