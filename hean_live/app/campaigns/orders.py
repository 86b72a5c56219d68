"""The orders of a campaign: their numbers, and the commands that send and cancel them. Pure.

Exits are numbered one after another, but under a plan with tiers: there the last digit says what the order is for, 0 the
whole position and k the k-th tier, so that what a tier has sold can be told from ids alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from hean_live.app.campaigns.situation import Situation
from hean_live.app.snapshot import Cancel, Note
from hean_live.app.state import Campaign
from hean_live.execution.client_id import parse_client_id
from hean_live.execution.order_manager import OrderDecision
from hean_live.execution.records import REJECTED, UNSENT_STATES, OrderRow
from models.execution.rounding import is_tradable

NANOSECONDS = 1_000_000_000
SLOTS = 10  # numbers of one round of exits under a plan with tiers
_LONGEST_PAUSE_S = 60


def entry_note(campaign: Campaign) -> Note:
    """Return the event that a campaign has begun."""
    signal = campaign.signal
    body: dict[str, object] = {
        "qty": str(campaign.qty),
        "stop_price": str(campaign.stop_price),
        "side": signal.side,
        "settlement_ns": signal.settlement_ns,
    }
    if campaign.partner:
        body["partner"] = campaign.partner
    return Note("entry", signal.symbol, body, signal.strategy)


def entry_order(
    campaign: Campaign, number: int, qty: Decimal, price: Decimal, time_in_force: str
) -> OrderDecision:
    """Return the decision on the entry order of this number."""
    stop = campaign.stop_price
    return decided(campaign, f"e{number}", campaign.signal.side, qty, price, time_in_force, stop=stop)


def decided(
    campaign: Campaign,
    leg: str,
    side: int,
    qty: Decimal,
    price: Decimal | None,
    time_in_force: str,
    stop: Decimal | None = None,
) -> OrderDecision:
    """Return the decision on one order of a campaign; legs that begin with x are exits."""
    signal = campaign.signal
    return OrderDecision(
        strategy=signal.strategy,
        symbol=signal.symbol,
        decision_ns=signal.settlement_ns,
        leg=leg,
        side=side,
        qty=qty,
        price=price,
        time_in_force=time_in_force,
        reduce_only=leg.startswith("x"),
        stop_price=stop,
    )


def cancel(order: OrderRow) -> Cancel:
    """Return the command that cancels an order."""
    return Cancel(order.symbol, order.client_id)


def tradable_now(qty: Decimal, situation: Situation) -> bool:
    """Whether the venue would take an order of this quantity now."""
    mark = None if situation.quote is None else situation.quote.mark
    return is_tradable(qty, mark, situation.instrument)


def is_pausing(exits: Sequence[OrderRow], now_ns: int) -> bool:
    """Wait longer after each rejected exit: hammering a venue that refuses does not close a position."""
    rejected = [order for order in exits if order.state == REJECTED]
    if not rejected:
        return False
    pause_s = min(1 << len(rejected), _LONGEST_PAUSE_S)
    until_ns: int = max(order.updated_ns for order in rejected) + pause_s * NANOSECONDS
    return now_ns < until_ns


def attempts(orders: Sequence[OrderRow]) -> int:
    """Return how many of these orders may have reached the venue."""
    return sum(order.state not in UNSENT_STATES for order in orders)


def next_number(orders: Sequence[OrderRow]) -> int:
    """Return the number of the next order of a leg: one more than any that was sent.

    Not their count: after a lost journal only those that can still be found are known, and a number used before would be
    taken for a decision already carried out. A lost or denied order never reached the venue: its number is used again.
    """
    sent = [parse_client_id(order.client_id) for order in orders if order.state not in UNSENT_STATES]
    return max((parsed.number + 1 for parsed in sent if parsed is not None), default=0)


def next_round(exits: Sequence[OrderRow]) -> int:
    """Return the first number of the next round of exits under a plan with tiers; numbers as in `_next_number`."""
    return -(-next_number(exits) // SLOTS) * SLOTS


def slot_of(order: OrderRow) -> int | None:
    """Return what an exit is for under a plan with tiers: 0 the whole position, k the k-th tier."""
    parsed = parse_client_id(order.client_id)
    return None if parsed is None else parsed.number % SLOTS
