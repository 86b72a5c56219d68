"""Carrying out a signal: quote in layers, requote a bounded number of times, then cross; the same way out.

Decided anew at every poll from what is known (orders, own position, quote, time), so a restart needs no
memory of what was being done. While the fate of any order is open nothing is sent. Pure: changes the campaign
given, returns commands. Whether a campaign may begin is decided in `gates.py`; which quotes should rest, when they are
pulled and how a position is left is decided by `models.execution`.

Exits are numbered one after another, but under a plan with tiers: there the last digit says what the order is for, 0 the
whole position and k the k-th tier, so that what a tier has sold can be told from ids alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from hean_live.app.snapshot import Cancel, Command, Note, Place, Quote
from hean_live.app.state import CLOSED, ENTERING, EXITING, HOLDING, Campaign
from hean_live.execution.client_id import parse_client_id
from hean_live.execution.order_manager import OrderDecision
from hean_live.execution.records import REJECTED, UNSENT_STATES, OrderRow
from hean_live.venues.protocol import IMMEDIATE, POST_ONLY
from models.execution.exits import (
    EMERGENCIES,
    TIME_EXIT,
    ExitMarket,
    ExitParams,
    ExitPosition,
    ExitState,
    RestingTier,
    exits,
)
from models.execution.quotes import QuoteParams, QuoteSituation, plan_quotes
from models.execution.rate_budget import Room
from models.execution.requotes import OpenQuote, reconcile_quotes
from models.execution.rounding import affordable, crossing_price, is_tradable
from models.execution.sight import MarketSight
from models.market.instruments import Instrument

NANOSECONDS = 1_000_000_000
_LONGEST_PAUSE_S = 60
_ROOM = Room(10, 10)
_SLOTS = 10  # numbers of one round of exits under a plan with tiers


@dataclass(frozen=True)
class QuotingRules:
    """How long and how often to quote before crossing; seconds of market time.

    Attributes
    ----------
    max_requotes : int
        Rounds of maker orders per entry, and maker orders per exit.
    entry_maker_s, exit_maker_s : float
        After this long the taker order follows.
    entry_taker_fallback : bool
        Whether an entry may cross the spread at all; an exit always may.
    taker_slippage : Decimal
        How far beyond the touch a crossing entry may trade, fraction of the price.
    quotes : QuoteParams
        Layers of an entry, and when they are replaced and pulled.
    exits : ExitParams
        How a position is left besides by its time.

    """

    max_requotes: int = 4
    entry_maker_s: float = 180.0
    exit_maker_s: float = 60.0
    entry_taker_fallback: bool = True
    taker_slippage: Decimal = Decimal("0.0005")
    quotes: QuoteParams = field(default_factory=QuoteParams)
    exits: ExitParams = TIME_EXIT


@dataclass(frozen=True)
class Situation:
    """What is known about one campaign at a poll.

    `net` is the part of our signed position the venue holds, `own` what our orders add up to; they differ
    only while the venue's records lag, and then nothing is concluded from either. `room_usd` is what the limits
    leave for one more entry of this symbol; None where it does not matter. `exit_state` is what the entry knew, None
    until it is over or where the exit plan needs nothing.
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
    sight: MarketSight | None = None
    exit_state: ExitState | None = None
    room: Room = _ROOM


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
    laddered = campaign.phase == HOLDING and situation.exit_state is not None and not situation.flatten
    if campaign.phase in (ENTERING, HOLDING) and not laddered:
        reason = _exit_reason(campaign, situation)
        if reason:
            commands.append(_leave(campaign, situation, reason))
    if campaign.phase == ENTERING:
        commands += _enter(campaign, situation, rules)
    elif campaign.phase == HOLDING:
        commands += _hold(campaign, situation, rules)
    elif campaign.phase == EXITING:
        commands += _exit(campaign, situation, rules)
    return commands


def _exit_reason(campaign: Campaign, situation: Situation) -> str:
    if situation.flatten:
        return situation.flatten
    return "exit time" if situation.now_ns >= campaign.signal.exit_ns else ""


def _leave(campaign: Campaign, situation: Situation, reason: str, arithmetic: str = "") -> Note:
    campaign.phase, campaign.exit_reason, campaign.exit_started_ns = EXITING, reason, situation.now_ns
    body = {"reason": reason, "net": str(situation.net), "settlement_ns": campaign.signal.settlement_ns}
    return Note("exit", campaign.signal.symbol, {**body, "arithmetic": arithmetic} if arithmetic else body)


def _enter(campaign: Campaign, situation: Situation, rules: QuotingRules) -> list[Command]:
    entries = [order for order in situation.orders if order.leg == "entry"]
    open_entries = [order for order in entries if order.is_active]
    remaining = campaign.qty - sum((order.filled_qty for order in entries), Decimal(0))
    over = (
        bool(situation.no_entries)
        or situation.now_ns > campaign.signal.deadline_ns
        or any(order.state == REJECTED for order in entries)
        or not _tradable(remaining, situation)
    )
    quote = situation.quote
    if over or quote is None:
        if over and not open_entries:
            campaign.phase = HOLDING if any(order.filled_qty for order in entries) else CLOSED
        return [_cancel(order) for order in open_entries] if over else []
    wanted = _quoting(campaign, situation, remaining, quote, open_entries)
    plan = plan_quotes(wanted, rules.quotes)
    elapsed_s = (situation.now_ns - campaign.opened_ns) / NANOSECONDS
    rounds = _attempts(entries) / len(rules.quotes.layers)
    cross = rounds >= rules.max_requotes or elapsed_s >= rules.entry_maker_s
    if not cross or (plan.pulled is not None and plan.pulled.reason != "TOO_SMALL"):
        resting = [
            OpenQuote(o.client_id, o.price or Decimal(0), o.qty - o.filled_qty, o.created_ns)
            for o in open_entries
        ]
        requests = reconcile_quotes(plan, resting, situation.room, rules.quotes, wanted)
        first = _next_number(entries)
        commands: list[Command] = [Cancel(campaign.signal.symbol, key) for key in requests.cancels]
        if commands and plan.pulled is not None:
            body = {"reason": plan.pulled.reason, "arithmetic": plan.pulled.arithmetic}
            commands.insert(0, Note("pull", campaign.signal.symbol, body))
        return commands + [
            Place(_entry(campaign, first + i, place.qty, place.price, POST_ONLY))
            for i, place in enumerate(requests.places)
        ]
    if open_entries:
        return [_cancel(order) for order in open_entries]
    if not rules.entry_taker_fallback:
        campaign.phase = HOLDING if any(order.filled_qty for order in entries) else CLOSED
        return []
    side, tick = campaign.signal.side, situation.instrument.tick_size
    price = crossing_price(quote.across(side), side, rules.taker_slippage, tick)
    qty = affordable(remaining, price, situation.room_usd, situation.instrument.qty_step)
    if not _tradable(qty, situation):
        return []
    return [Place(_entry(campaign, _next_number(entries), qty, price, IMMEDIATE))]


def _quoting(
    campaign: Campaign,
    situation: Situation,
    remaining: Decimal,
    quote: Quote,
    open_entries: Sequence[OrderRow],
) -> QuoteSituation:
    """Return what to quote: what is open already, and beyond it no more than the limits leave."""
    side, instrument = campaign.signal.side, situation.instrument
    resting = sum((order.qty - order.filled_qty for order in open_entries), Decimal(0))
    more = affordable(remaining - resting, quote.touch(side), situation.room_usd, instrument.qty_step)
    return QuoteSituation(
        now_ns=situation.now_ns,
        side=side,
        qty=resting + max(more, Decimal(0)),
        bid=quote.bid,
        ask=quote.ask,
        book_at_ns=quote.at_ns,
        instrument=instrument,
        sight=situation.sight,
    )


def _hold(campaign: Campaign, situation: Situation, rules: QuotingRules) -> list[Command]:
    """Let the exit plan work; without one the position waits for its time."""
    open_orders = [order for order in situation.orders if order.is_active]
    if situation.own == 0:
        if open_orders:
            return [_cancel(order) for order in open_orders]
        campaign.exit_reason = (
            "closed by its tiers or its stop" if rules.exits.tiers else "closed by its stop"
        )
        campaign.phase = CLOSED
        return []
    state, quote = situation.exit_state, situation.quote
    if state is None or situation.net == 0:
        return []
    if quote is None:
        if situation.now_ns >= campaign.signal.exit_ns:
            return [_leave(campaign, situation, "exit time")]
        return []
    market = ExitMarket(
        situation.now_ns, quote.bid, quote.ask, quote.mark, campaign.signal.exit_ns, situation.instrument
    )
    step = exits(_exit_position(situation, state), market, rules.exits, state)
    if step.leave:
        return [
            _leave(campaign, situation, step.leave, step.arithmetic),
            *_exit(campaign, situation, rules),
        ]
    tried = [order for order in situation.orders if order.leg == "exit"]
    number = _next_round(tried)
    orders = () if _pausing(tried, situation.now_ns) else step.orders[: situation.room.places]
    places = [
        Place(_decision(campaign, f"x{number + o.tier + 1}", o.side, o.qty, o.price, POST_ONLY))
        for o in orders
    ]
    return [*(Cancel(campaign.signal.symbol, key) for key in step.cancels), *places]


def _exit_position(situation: Situation, state: ExitState) -> ExitPosition:
    resting: list[RestingTier] = []
    sold: dict[int, Decimal] = {}
    for order in situation.orders:
        parsed = parse_client_id(order.client_id)
        if order.leg != "exit" or parsed is None or parsed.number % _SLOTS == 0:
            continue
        tier = parsed.number % _SLOTS - 1
        sold[tier] = sold.get(tier, Decimal(0)) + order.filled_qty
        if order.is_active:
            left = order.qty - order.filled_qty
            resting.append(RestingTier(order.client_id, tier, order.price or Decimal(0), left))
    # The venue's records may lag behind our orders, or ours behind them: only what both say is held is sold.
    held = min(state.side * situation.net, state.side * situation.own)
    return ExitPosition(max(held, Decimal(0)), resting, sold)


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
    tried = [order for order in situation.orders if order.leg == "exit"]
    whole = [order for order in tried if not rules.exits.tiers or _slot(order) == 0]
    elapsed_s = (situation.now_ns - campaign.exit_started_ns) / NANOSECONDS
    urgent = bool(situation.flatten) or situation.quote is None or campaign.exit_reason in EMERGENCIES
    cross = urgent or _attempts(whole) >= rules.max_requotes or elapsed_s >= rules.exit_maker_s
    side = 1 if situation.net < 0 else -1
    open_exits = [order for order in open_orders if order.leg == "exit"]
    if open_exits:
        touch = None if situation.quote is None else situation.quote.touch(side)
        return [_cancel(o) for o in open_exits if cross or (touch is not None and o.price != touch)]
    if _pausing(tried, situation.now_ns):
        return []
    leg = f"x{_next_round(tried) if rules.exits.tiers else _next_number(tried)}"
    if cross or situation.quote is None:
        decision = _decision(campaign, leg, side, abs(situation.net), None, IMMEDIATE)
    else:
        price = situation.quote.touch(side)
        decision = _decision(campaign, leg, side, abs(situation.net), price, POST_ONLY)
    return [Place(decision)]


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


def _next_round(exits: Sequence[OrderRow]) -> int:
    """Return the first number of the next round of exits under a plan with tiers; numbers as in `_next_number`."""
    return -(-_next_number(exits) // _SLOTS) * _SLOTS


def _slot(order: OrderRow) -> int | None:
    parsed = parse_client_id(order.client_id)
    return None if parsed is None else parsed.number % _SLOTS


def _tradable(qty: Decimal, situation: Situation) -> bool:
    mark = None if situation.quote is None else situation.quote.mark
    return is_tradable(qty, mark, situation.instrument)


def _entry(
    campaign: Campaign, number: int, qty: Decimal, price: Decimal, time_in_force: str
) -> OrderDecision:
    stop = campaign.stop_price
    return _decision(campaign, f"e{number}", campaign.signal.side, qty, price, time_in_force, stop=stop)


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
