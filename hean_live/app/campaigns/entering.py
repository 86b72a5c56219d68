"""The way in: quote in layers, requote a bounded number of times, then cross. Changes only the campaign given."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from hean_live.app.campaigns.orders import (
    NANOSECONDS,
    attempts,
    cancel,
    entry_order,
    next_number,
    tradable_now,
)
from hean_live.app.campaigns.situation import QuotingRules, Situation
from hean_live.app.snapshot import Cancel, Command, Note, Place, Quote
from hean_live.app.state import CLOSED, HOLDING, Campaign
from hean_live.execution.records import REJECTED, OrderRow
from hean_live.venues.protocol import IMMEDIATE, POST_ONLY
from models.execution.quotes import QuotePlan, QuoteSituation, plan_quotes
from models.execution.requotes import OpenQuote, reconcile_quotes
from models.execution.rounding import affordable, crossing_price


def enter(campaign: Campaign, situation: Situation, rules: QuotingRules) -> list[Command]:
    """Bring the entry orders nearer to what should rest now, or end the entry."""
    entries = [order for order in situation.orders if order.leg == "entry"]
    open_entries = [order for order in entries if order.is_active]
    remaining = campaign.qty - sum((order.filled_qty for order in entries), Decimal(0))
    over = (
        bool(situation.no_entries)
        or situation.now_ns > campaign.signal.deadline_ns
        or any(order.state == REJECTED for order in entries)
        or not tradable_now(remaining, situation)
    )
    quote = situation.quote
    if over or quote is None:
        if over and not open_entries:
            campaign.phase = HOLDING if any(order.filled_qty for order in entries) else CLOSED
        return [cancel(order) for order in open_entries] if over else []
    wanted = _quoting(campaign, situation, remaining, quote, open_entries)
    plan = plan_quotes(wanted, rules.quotes)
    elapsed_s = (situation.now_ns - campaign.opened_ns) / NANOSECONDS
    rounds = attempts(entries) / len(rules.quotes.layers)
    cross = rounds >= rules.max_requotes or elapsed_s >= rules.entry_maker_s
    if not cross or (plan.pulled is not None and plan.pulled.reason != "TOO_SMALL"):
        notes: list[Command] = [*_news(campaign, plan)]
        return notes + _requote(campaign, situation, rules, wanted, plan)
    if open_entries:
        return [cancel(order) for order in open_entries]
    if not rules.entry_taker_fallback:
        campaign.phase = HOLDING if any(order.filled_qty for order in entries) else CLOSED
        return []
    side, tick = campaign.signal.side, situation.instrument.tick_size
    price = crossing_price(quote.across(side), side, rules.taker_slippage, tick)
    qty = affordable(remaining, price, situation.room_usd, situation.instrument.qty_step)
    if not tradable_now(qty, situation):
        return []
    return [Place(entry_order(campaign, next_number(entries), qty, price, IMMEDIATE))]


def _news(campaign: Campaign, plan: QuotePlan) -> list[Note]:
    """Return what is new about the quotes wanted: why they are pulled, which layers are merged; once per change."""
    notes = []
    pulled = "" if plan.pulled is None else plan.pulled.reason
    if plan.pulled is not None and pulled != campaign.pulled:
        body = {"reason": pulled, "arithmetic": plan.pulled.arithmetic}
        notes.append(Note("pull", campaign.signal.symbol, body))
    campaign.pulled = pulled
    # Quantities and prices change with every poll; that other layers are merged is news.
    merged = len(plan.merges) if plan.pulled is None else campaign.merged
    if merged and merged != campaign.merged:
        notes.append(Note("merge", campaign.signal.symbol, {"arithmetic": list(plan.merges)}))
    campaign.merged = merged
    return notes


def _requote(
    campaign: Campaign,
    situation: Situation,
    rules: QuotingRules,
    wanted: QuoteSituation,
    plan: QuotePlan,
) -> list[Command]:
    """Return the requests that bring the resting entries nearer to the plan."""
    entries = [order for order in situation.orders if order.leg == "entry"]
    resting = [
        OpenQuote(o.client_id, o.price or Decimal(0), o.qty - o.filled_qty, o.created_ns)
        for o in entries
        if o.is_active
    ]
    requests = reconcile_quotes(plan, resting, situation.room, rules.quotes, wanted)
    first = next_number(entries)
    cancels: list[Command] = [Cancel(campaign.signal.symbol, key) for key in requests.cancels]
    return cancels + [
        Place(entry_order(campaign, first + i, place.qty, place.price, POST_ONLY))
        for i, place in enumerate(requests.places)
    ]


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
