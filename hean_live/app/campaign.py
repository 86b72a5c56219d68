"""Carrying out a signal: quote at the touch, requote a bounded number of times, then cross; the same way out.

Decided anew at every poll from what is known (orders, own position, quote, time), so a restart needs no
memory of what was being done. While the fate of any order is open nothing is sent. Pure: changes the campaign
given, returns commands. Whether a campaign may begin is decided in `gates.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from hean_live.app.snapshot import Cancel, Command, Note, Place, Quote
from hean_live.app.state import CLOSED, ENTERING, EXITING, HOLDING, Campaign
from hean_live.execution.client_id import parse_client_id
from hean_live.execution.order_manager import OrderDecision
from hean_live.execution.records import REJECTED, UNSENT_STATES, OrderRow
from hean_live.venues.protocol import IMMEDIATE, POST_ONLY
from models.market.instruments import Instrument

NANOSECONDS = 1_000_000_000
_LONGEST_PAUSE_S = 60


@dataclass(frozen=True)
class QuotingRules:
    """How long and how often to quote before crossing; seconds of market time.

    Attributes
    ----------
    max_requotes : int
        Maker orders per entry and per exit.
    entry_maker_s, exit_maker_s : float
        After this long the taker order follows.
    entry_taker_fallback : bool
        Whether an entry may cross the spread at all; an exit always may.
    taker_slippage : Decimal
        How far beyond the touch a crossing entry may trade, fraction of the price.

    """

    max_requotes: int = 4
    entry_maker_s: float = 180.0
    exit_maker_s: float = 60.0
    entry_taker_fallback: bool = True
    taker_slippage: Decimal = Decimal("0.0005")


@dataclass(frozen=True)
class Situation:
    """What is known about one campaign at a poll.

    `net` is the part of our signed position the venue holds, `own` what our orders add up to; they differ
    only while the venue's records lag, and then nothing is concluded from either. `room_usd` is what the limits
    leave for one more entry of this symbol; None where it does not matter.
    """

    now_ns: int
    net: Decimal
    own: Decimal
    orders: Sequence[OrderRow]
    quote: Quote | None
    instrument: Instrument
    no_entries: str
    flatten: str
    room_usd: Decimal | None = None


def advance(campaign: Campaign, situation: Situation, rules: QuotingRules) -> list[Command]:
    """Move a campaign on by one poll.

    Parameters
    ----------
    campaign : Campaign
        Changed in place.
    situation : Situation
    rules : QuotingRules

    Returns
    -------
    list of Command

    """
    if any(order.is_doubtful for order in situation.orders):
        return []
    commands: list[Command] = []
    if campaign.phase in (ENTERING, HOLDING):
        reason = _exit_reason(campaign, situation)
        if reason:
            campaign.phase = EXITING
            campaign.exit_reason = reason
            campaign.exit_started_ns = situation.now_ns
            commands.append(_note(campaign, situation, reason))
    if campaign.phase == ENTERING:
        commands += _enter(campaign, situation, rules)
    elif campaign.phase == HOLDING and situation.own == 0:
        campaign.exit_reason = "closed by its stop"
        campaign.phase = CLOSED
    elif campaign.phase == EXITING:
        commands += _exit(campaign, situation, rules)
    return commands


def _exit_reason(campaign: Campaign, situation: Situation) -> str:
    if situation.flatten:
        return situation.flatten
    return "exit time" if situation.now_ns >= campaign.signal.exit_ns else ""


def _enter(campaign: Campaign, situation: Situation, rules: QuotingRules) -> list[Command]:
    entries = [order for order in situation.orders if order.leg == "entry"]
    open_entry = next((order for order in entries if order.is_active), None)
    remaining = campaign.qty - sum((order.filled_qty for order in entries), Decimal(0))
    over = (
        bool(situation.no_entries)
        or situation.now_ns > campaign.signal.deadline_ns
        or any(order.state == REJECTED for order in entries)
        or not _tradable(remaining, situation)
    )
    if over:
        if open_entry is not None:
            return [_cancel(open_entry)]
        campaign.phase = HOLDING if any(order.filled_qty for order in entries) else CLOSED
        return []
    if situation.quote is None:
        return []
    attempts = _attempts(entries)
    elapsed_s = (situation.now_ns - campaign.opened_ns) / NANOSECONDS
    cross = attempts >= rules.max_requotes or elapsed_s >= rules.entry_maker_s
    side = campaign.signal.side
    if open_entry is not None:
        return [_cancel(open_entry)] if cross or open_entry.price != situation.quote.touch(side) else []
    if cross and not rules.entry_taker_fallback:
        campaign.phase = HOLDING if any(order.filled_qty for order in entries) else CLOSED
        return []
    price = _crossing_price(situation.quote, side, situation, rules) if cross else situation.quote.touch(side)
    tif = IMMEDIATE if cross else POST_ONLY
    qty = _within(remaining, price, situation)
    if not _tradable(qty, situation):
        return []
    leg = f"e{_next_number(entries)}"
    decision = _decision(campaign, leg, side, qty, price, tif, stop=campaign.stop_price)
    return [Place(decision)]


def _exit(campaign: Campaign, situation: Situation, rules: QuotingRules) -> list[Command]:
    open_orders = [order for order in situation.orders if order.is_active]
    open_entries = [order for order in open_orders if order.leg == "entry"]
    if open_entries:
        return [_cancel(order) for order in open_entries]
    if situation.own == 0 and not open_orders:
        campaign.phase = CLOSED
        return []
    if situation.net == 0:
        return [_cancel(order) for order in open_orders if order.leg == "exit"]
    exits = [order for order in situation.orders if order.leg == "exit"]
    attempts = _attempts(exits)
    elapsed_s = (situation.now_ns - campaign.exit_started_ns) / NANOSECONDS
    urgent = bool(situation.flatten) or situation.quote is None
    cross = urgent or attempts >= rules.max_requotes or elapsed_s >= rules.exit_maker_s
    side = 1 if situation.net < 0 else -1
    open_exit = next((order for order in open_orders if order.leg == "exit"), None)
    if open_exit is not None:
        moved = situation.quote is not None and open_exit.price != situation.quote.touch(side)
        return [_cancel(open_exit)] if cross or moved else []
    if _pausing(exits, situation.now_ns):
        return []
    leg = f"x{_next_number(exits)}"
    if cross or situation.quote is None:
        decision = _decision(campaign, leg, side, abs(situation.net), None, IMMEDIATE)
    else:
        price = situation.quote.touch(side)
        decision = _decision(campaign, leg, side, abs(situation.net), price, POST_ONLY)
    return [Place(decision)]


def _crossing_price(quote: Quote, side: int, situation: Situation, rules: QuotingRules) -> Decimal:
    """Return the worst price a crossing entry accepts, on a tick, not beyond the allowance."""
    tick = situation.instrument.tick_size
    worst = quote.across(side) * (1 + side * rules.taker_slippage)
    rounding = ROUND_FLOOR if side > 0 else ROUND_CEILING
    return (worst / tick).to_integral_value(rounding=rounding) * tick


def _within(qty: Decimal, price: Decimal, situation: Situation) -> Decimal:
    """Return as much of `qty` as the limits allow at `price`, rounded down to the step."""
    if situation.room_usd is None or qty * price <= situation.room_usd:
        return qty
    step = situation.instrument.qty_step
    steps = (situation.room_usd / price / step).to_integral_value(rounding=ROUND_FLOOR)
    return max(steps, Decimal(0)) * step


def _pausing(exits: Sequence[OrderRow], now_ns: int) -> bool:
    """Wait longer after each rejected exit: hammering a venue that refuses does not close a position."""
    rejected = [order for order in exits if order.state == REJECTED]
    if not rejected:
        return False
    pause_s = min(1 << len(rejected), _LONGEST_PAUSE_S)
    until_ns: int = max(order.updated_ns for order in rejected) + pause_s * NANOSECONDS
    return now_ns < until_ns


def _attempts(orders: Sequence[OrderRow]) -> int:
    return sum(order.state not in UNSENT_STATES for order in orders)


def _next_number(orders: Sequence[OrderRow]) -> int:
    """Return the number of the next order of a leg: one more than any that was sent.

    Not their count: after a lost journal only those that can still be found are known, and a number used before would be
    taken for a decision already carried out. A lost or denied order never reached the venue: its number is used again.
    """
    sent = [parse_client_id(order.client_id) for order in orders if order.state not in UNSENT_STATES]
    return max((parsed.number + 1 for parsed in sent if parsed is not None), default=0)


def _tradable(qty: Decimal, situation: Situation) -> bool:
    instrument = situation.instrument
    if qty < instrument.min_order_qty:
        return False
    return situation.quote is None or qty * situation.quote.mark >= instrument.min_notional_usd


def _decision(
    campaign: Campaign,
    leg: str,
    side: int,
    qty: Decimal,
    price: Decimal | None,
    time_in_force: str,
    stop: Decimal | None = None,
) -> OrderDecision:
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


def _cancel(order: OrderRow) -> Cancel:
    return Cancel(order.symbol, order.client_id)


def _note(campaign: Campaign, situation: Situation, reason: str) -> Note:
    body = {"reason": reason, "net": str(situation.net), "settlement_ns": campaign.signal.settlement_ns}
    return Note("exit", campaign.signal.symbol, body)
