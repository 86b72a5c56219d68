"""What should rest live of what a shadow quotes: its distances from the mid, its proportions, the size the limits allow. Pure.

Here belongs one side at a time. When quotes begin and end is in `quoting.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from hean_live.app.campaigns.situation import QuotingRules, Situation
from hean_live.app.snapshot import Quote
from hean_live.execution.records import OrderRow
from hean_live.shadow.records import RestingQuote, ShadowQuotes
from models.execution.quotes import Quote as Wanted
from models.execution.quotes import QuotePlan, QuoteSituation
from models.execution.rate_budget import Room
from models.execution.requotes import OpenQuote, Requests, reconcile_quotes
from models.execution.rounding import affordable, is_tradable, passive_price
from models.portfolio.sizing import round_toward_zero

ZERO: Final = Decimal(0)
_DAY_S: Final = 86_400.0


def resting_on(shadow: ShadowQuotes | None, side: int) -> list[RestingQuote]:
    """Return what the shadow quotes on a side, on both for 0; the nearest to the mid first."""
    found = [row for row in (() if shadow is None else shadow.resting) if side in (0, row.side)]
    return sorted(found, key=lambda row: abs(row.price_ratio - 1.0))


def mirror_entries(
    most: Decimal,
    situation: Situation,
    quote: Quote,
    rules: QuotingRules,
    entries: Sequence[OrderRow],
    side: int,
    room: Room,
) -> Requests:
    """Return requests that bring the entries of one side nearer to the shadow's.

    Parameters
    ----------
    most : Decimal
        That the side may hold, base.
    situation : Situation
    quote : Quote
        Of the order venue.
    rules : QuotingRules
    entries : sequence of OrderRow
        All of that side, of this campaign.
    side : int
    room : Room

    Returns
    -------
    Requests
        Filled, resting and placed together never exceed `most`, nor the rest what the limits leave.

    """
    step = situation.instrument.qty_step
    filled = sum((order.filled_qty for order in entries), ZERO)
    resting = sum((order.qty - order.filled_qty for order in entries if order.is_active), ZERO)
    wanted = round_toward_zero(most, step) - filled - resting
    more = affordable(wanted, quote.touch(side), situation.room_usd, step)
    rows = [row for row in resting_on(situation.shadow, side) if not row.reduce_only]
    return _requests(rows, resting + max(more, ZERO), situation, quote, rules, entries, side, room)


def mirror_exit(
    situation: Situation,
    quote: Quote,
    rules: QuotingRules,
    exits: Sequence[OrderRow],
    room: Room,
) -> Requests:
    """Return requests that bring the order by which a position is left nearer to the shadow's nearest on that side.

    What the venue and our orders do not both say is held is not quoted.
    """
    side = -1 if situation.own > 0 else 1
    held = min(abs(situation.net), abs(situation.own)) if situation.net * situation.own > 0 else ZERO
    return _requests(resting_on(situation.shadow, side)[:1], held, situation, quote, rules, exits, side, room)


def _requests(
    rows: Sequence[RestingQuote],
    qty: Decimal,
    situation: Situation,
    quote: Quote,
    rules: QuotingRules,
    orders: Sequence[OrderRow],
    side: int,
    room: Room,
) -> Requests:
    instrument = situation.instrument
    distance = abs(rows[0].price_ratio - 1.0) if rows else 0.0
    allowed = max(1e-4 * rules.mirror.requote_bps, rules.mirror.requote_share * distance)
    off = Decimal(repr(allowed)) * quote.bid / instrument.tick_size
    params = replace(rules.quotes, requote_ticks=max(1, int(off)), max_age_s=_DAY_S)
    active = [
        OpenQuote(o.client_id, o.price or ZERO, o.qty - o.filled_qty, o.created_ns)
        for o in orders
        if o.is_active
    ]
    wanted = QuoteSituation(
        situation.now_ns, side, qty, quote.bid, quote.ask, quote.at_ns, instrument, situation.sight
    )
    return reconcile_quotes(_plan(rows, qty, side, quote, situation), active, room, params, wanted)


def _plan(
    rows: Sequence[RestingQuote], qty: Decimal, side: int, quote: Quote, situation: Situation
) -> QuotePlan:
    """Return the quotes wanted; what the venue would not take alone is added to the nearest."""
    instrument = situation.instrument
    left, whole = round_toward_zero(qty, instrument.qty_step), sum(row.quantity for row in rows)
    wanted: list[Wanted] = []
    for row in rows[1:]:
        share = round_toward_zero(qty * Decimal(repr(row.quantity / whole)), instrument.qty_step)
        price = _price(row, side, quote, instrument.tick_size)
        if is_tradable(share, price, instrument):
            wanted.append(Wanted(price, share))
            left -= share
    if rows and left:
        wanted.insert(0, Wanted(_price(rows[0], side, quote, instrument.tick_size), left))
    return QuotePlan(tuple(wanted))


def _price(row: RestingQuote, side: int, quote: Quote, tick: Decimal) -> Decimal:
    """Return the price on a tick that is as far from the mid as the shadow's, never across the book."""
    mid = (quote.bid + quote.ask) / 2
    price = passive_price(mid * Decimal(repr(row.price_ratio)), side, tick)
    inside = quote.across(side) - side * tick
    return min(price, inside) if side > 0 else max(price, inside)
