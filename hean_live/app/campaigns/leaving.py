"""The way out: the exit plan while the position is held, then quotes and a crossing order. Changes only the campaign given."""

from __future__ import annotations

from decimal import Decimal

from hean_live.app.campaigns.orders import (
    NANOSECONDS,
    SLOTS,
    attempts,
    cancel,
    decided,
    is_pausing,
    next_number,
    next_round,
    slot_of,
)
from hean_live.app.campaigns.situation import QuotingRules, Situation
from hean_live.app.snapshot import Cancel, Command, Note, Place
from hean_live.app.state import CLOSED, EXITING, Campaign
from hean_live.execution.client_id import parse_client_id
from hean_live.venues.protocol import IMMEDIATE, POST_ONLY
from models.execution.exit_state import ExitState
from models.execution.exits import EMERGENCIES, ExitMarket, ExitPosition, RestingTier, exits


def exit_reason(campaign: Campaign, situation: Situation) -> str:
    """Return why the position must be left now whatever the plan, an empty string if it need not."""
    if situation.flatten:
        return situation.flatten
    return "exit time" if situation.now_ns >= campaign.signal.exit_ns else ""


def begin_exit(campaign: Campaign, situation: Situation, reason: str, arithmetic: str = "") -> Note:
    """Begin the exit; returns the event to journal."""
    campaign.phase, campaign.exit_reason, campaign.exit_started_ns = EXITING, reason, situation.now_ns
    body = {"reason": reason, "net": str(situation.net), "settlement_ns": campaign.signal.settlement_ns}
    return Note("exit", campaign.signal.symbol, {**body, "arithmetic": arithmetic} if arithmetic else body)


def hold(campaign: Campaign, situation: Situation, rules: QuotingRules) -> list[Command]:
    """Let the exit plan work; without one the position waits for its time."""
    open_orders = [order for order in situation.orders if order.is_active]
    if situation.own == 0:
        if open_orders:
            return [cancel(order) for order in open_orders]
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
            return [begin_exit(campaign, situation, "exit time")]
        return []
    market = ExitMarket(
        situation.now_ns, quote.bid, quote.ask, quote.mark, campaign.signal.exit_ns, situation.instrument
    )
    step = exits(_exit_position(situation, state), market, rules.exits, state)
    if step.leave:
        return [
            begin_exit(campaign, situation, step.leave, step.arithmetic),
            *leave(campaign, situation, rules),
        ]
    tried = [order for order in situation.orders if order.leg == "exit"]
    number = next_round(tried)
    orders = () if is_pausing(tried, situation.now_ns) else step.orders[: situation.room.places]
    places = [
        Place(decided(campaign, f"x{number + o.tier + 1}", o.side, o.qty, o.price, POST_ONLY)) for o in orders
    ]
    return [*(Cancel(campaign.signal.symbol, key) for key in step.cancels), *places]


def leave(campaign: Campaign, situation: Situation, rules: QuotingRules) -> list[Command]:
    """Close the position: quotes first, a crossing order where that takes too long or must not wait."""
    open_orders = [order for order in situation.orders if order.is_active]
    open_entries = [order for order in open_orders if order.leg == "entry"]
    if open_entries:
        return [cancel(order) for order in open_entries]
    if situation.own == 0 and not open_orders:
        campaign.phase = CLOSED
        return []
    if situation.net == 0:
        return [cancel(order) for order in open_orders if order.leg == "exit"]
    tried = [order for order in situation.orders if order.leg == "exit"]
    whole = [order for order in tried if not rules.exits.tiers or slot_of(order) == 0]
    if campaign.held_ns:
        # What was quoted out before the exit began is no attempt at it.
        whole = [order for order in whole if order.created_ns >= campaign.exit_started_ns]
    elapsed_s = (situation.now_ns - campaign.exit_started_ns) / NANOSECONDS
    urgent = bool(situation.flatten) or situation.quote is None or campaign.exit_reason in EMERGENCIES
    cross = urgent or attempts(whole) >= rules.max_requotes or elapsed_s >= rules.exit_maker_s
    side = 1 if situation.net < 0 else -1
    open_exits = [order for order in open_orders if order.leg == "exit"]
    if open_exits:
        touch = None if situation.quote is None else situation.quote.touch(side)
        return [cancel(o) for o in open_exits if cross or (touch is not None and o.price != touch)]
    if is_pausing(tried, situation.now_ns):
        return []
    leg = f"x{next_round(tried) if rules.exits.tiers else next_number(tried)}"
    if cross or situation.quote is None:
        decision = decided(campaign, leg, side, abs(situation.net), None, IMMEDIATE)
    else:
        price = situation.quote.touch(side)
        decision = decided(campaign, leg, side, abs(situation.net), price, POST_ONLY)
    return [Place(decision)]


def _exit_position(situation: Situation, state: ExitState) -> ExitPosition:
    resting: list[RestingTier] = []
    sold: dict[int, Decimal] = {}
    for order in situation.orders:
        parsed = parse_client_id(order.client_id)
        if order.leg != "exit" or parsed is None or parsed.number % SLOTS == 0:
            continue
        tier = parsed.number % SLOTS - 1
        sold[tier] = sold.get(tier, Decimal(0)) + order.filled_qty
        if order.is_active:
            left = order.qty - order.filled_qty
            resting.append(RestingTier(order.client_id, tier, order.price or Decimal(0), left))
    # The venue's records may lag behind our orders, or ours behind them: only what both say is held is sold.
    held = min(state.side * situation.net, state.side * situation.own)
    return ExitPosition(max(held, Decimal(0)), resting, sold)
