"""Quotes on both sides: what a market maker's shadow quotes rests live too, until something is held and out again.

The shadow decides; here its quotes are followed (`mirror.py`). With the first fill the other side is withdrawn, and the position
is quoted out, reduce-only, where the shadow quotes that side. It is left as any other position when the shadow that held the same
is out, when the shadow shows no way out, and at its time; its stop rests at the venue all along. One round trip is one campaign.
Changes only the campaign given; whether one may begin is decided in `bank/entries.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from hean_live.app.campaigns.leaving import begin_exit
from hean_live.app.campaigns.mirror import mirror_entries, mirror_exit, resting_on
from hean_live.app.campaigns.orders import NANOSECONDS, cancel, decided, is_pausing, next_number, next_round
from hean_live.app.campaigns.situation import QuotingRules, Situation
from hean_live.app.gates import stop_price
from hean_live.app.snapshot import Cancel, Command, Note, Place, Quote
from hean_live.app.state import CLOSED, Campaign
from hean_live.execution.records import REJECTED
from hean_live.shadow.records import RestingQuote
from hean_live.venues.protocol import POST_ONLY
from models.execution.pulls import pull_reason
from models.execution.rate_budget import Room

SHADOW_OUT: Final = "its shadow is out"
NO_WAY_OUT: Final = "its shadow quotes no way out"
HELD_ALONE: Final = "its shadow never held it"


def quote(campaign: Campaign, situation: Situation, rules: QuotingRules) -> list[Command]:
    """Bring the resting quotes nearer to the shadow's, or end the quoting.

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
    if situation.own or situation.net:
        return _held(campaign, situation, rules)
    return _flat(campaign, situation, rules)


def _flat(campaign: Campaign, situation: Situation, rules: QuotingRules) -> list[Command]:
    """Quote what the shadow quotes; a round trip, a halt, the time or a shadow long silent ends it."""
    open_orders = [order for order in situation.orders if order.is_active]
    silent_s = _silent_s(campaign, situation, resting_on(situation.shadow, 0))
    if (
        situation.no_entries
        or situation.now_ns > campaign.signal.deadline_ns
        or any(order.filled_qty or order.state == REJECTED for order in situation.orders)
        or silent_s > rules.mirror.silent_s
    ):
        if not open_orders:
            campaign.phase = CLOSED
        return [cancel(order) for order in open_orders]
    return [
        *_look(campaign, situation, rules),
        *_entries(campaign, situation, rules, (1, -1), situation.room),
    ]


def _held(campaign: Campaign, situation: Situation, rules: QuotingRules) -> list[Command]:
    """Quote what is held out; what would turn it round is withdrawn first."""
    side = 1 if (situation.own or situation.net) > 0 else -1
    campaign.held_ns = campaign.held_ns or situation.now_ns
    if reason := _reason_to_leave(campaign, situation, rules, side):
        # Whatever is open is cancelled on that way, before anything is sent.
        return [begin_exit(campaign, situation, reason)]
    notes = _look(campaign, situation, rules)
    across = [
        cancel(order)
        for order in situation.orders
        if order.is_active and order.leg == "entry" and order.side != side
    ]
    if across:
        return [*notes, *across]
    entries = _entries(campaign, situation, rules, (side,), situation.room)
    return [*notes, *entries, *_exits(campaign, situation, rules, _left(situation.room, entries))]


def _reason_to_leave(campaign: Campaign, situation: Situation, rules: QuotingRules, side: int) -> str:
    """Return why a position is no longer quoted out, but left; ``""`` while it is not."""
    silent_s = _silent_s(campaign, situation, resting_on(situation.shadow, -side))
    if situation.shadow is not None and situation.shadow.position_side == side:
        campaign.followed = True
    elif campaign.followed:
        return SHADOW_OUT
    elif situation.now_ns - campaign.held_ns > rules.mirror.most_held_s * NANOSECONDS:
        return HELD_ALONE
    return NO_WAY_OUT if silent_s > rules.mirror.silent_s else ""


def _silent_s(campaign: Campaign, situation: Situation, resting: Sequence[RestingQuote]) -> float:
    """Return for how long the shadow has not shown what is asked for, and remember since when."""
    campaign.silent_ns = 0 if resting else campaign.silent_ns or situation.now_ns
    return 0.0 if resting else (situation.now_ns - campaign.silent_ns) / NANOSECONDS


def _look(campaign: Campaign, situation: Situation, rules: QuotingRules) -> list[Note]:
    """Find out whether entries may rest now (`campaign.pulled` says why not); what is new of it is journalled."""
    seen = situation.quote
    reason, words = "NO_QUOTE", "a quote of the order venue was expected, was absent"
    if seen is not None:
        pulled = pull_reason(
            seen.bid, seen.ask, seen.at_ns, situation.now_ns, situation.sight, rules.quotes.pulls
        )
        reason, words = ("", "") if pulled is None else (pulled.reason, pulled.arithmetic)
    is_news, campaign.pulled = bool(reason) and reason != campaign.pulled, reason
    return [Note("pull", campaign.signal.symbol, {"reason": reason, "arithmetic": words})] if is_news else []


def _entries(
    campaign: Campaign, situation: Situation, rules: QuotingRules, sides: Sequence[int], room: Room
) -> list[Command]:
    """Return requests that bring entries nearer to the shadow's, numbered one after another."""
    entries = [order for order in situation.orders if order.leg == "entry"]
    seen = situation.quote
    if seen is None or campaign.pulled or situation.no_entries:
        return [cancel(order) for order in entries if order.is_active]
    # Where both sides are quoted, each may hold half.
    most = campaign.qty if campaign.signal.side else campaign.qty / 2
    number = next_number(entries)
    commands: list[Command] = []
    for side in sides:
        own = [order for order in entries if order.side == side]
        told = mirror_entries(most, situation, seen, rules, own, side, _left(room, commands))
        commands += [Cancel(campaign.signal.symbol, key) for key in told.cancels]
        for wanted in told.places:
            tick = situation.instrument.tick_size
            stop = stop_price(wanted.price, side, situation.stop_fraction, tick)
            commands.append(_place(campaign, f"e{number}", side, wanted.qty, wanted.price, stop))
            number += 1
    return commands


def _exits(campaign: Campaign, situation: Situation, rules: QuotingRules, room: Room) -> list[Command]:
    """Return requests that bring the order on the way out nearer to the shadow's."""
    exits = [order for order in situation.orders if order.leg == "exit"]
    seen: Quote | None = situation.quote
    if seen is None or is_pausing(exits, situation.now_ns):
        return []
    told = mirror_exit(situation, seen, rules, exits, room)
    number = next_round(exits) if rules.exits.tiers else next_number(exits)
    side = -1 if situation.own > 0 else 1
    cancels: list[Command] = [Cancel(campaign.signal.symbol, key) for key in told.cancels]
    return cancels + [
        _place(campaign, f"x{number}", side, wanted.qty, wanted.price) for wanted in told.places[:1]
    ]


def _place(
    campaign: Campaign, leg: str, side: int, qty: Decimal, price: Decimal, stop: Decimal | None = None
) -> Place:
    return Place(decided(campaign, leg, side, qty, price, POST_ONLY, stop=stop))


def _left(room: Room, commands: Sequence[Command]) -> Room:
    places = sum(isinstance(command, Place) for command in commands)
    cancels = sum(isinstance(command, Cancel) for command in commands)
    return Room(room.places - places, room.cancels - cancels)
