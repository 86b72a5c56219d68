"""The second leg of a pair: it holds its ratio of what the first one has bought, on the other side, and leaves with it.

The first leg is any other campaign of an urgent signal (`entering.py`, `leaving.py`). The second follows its fills, at the
market: a first leg that is not filled opens no second one. Where the second cannot be had in time, or is gone, both are left
(leg risk). Changes only the campaign given; whether a pair may begin is decided in `bank/second_leg.py`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from hean_live.app.campaigns.leaving import begin_exit, leave
from hean_live.app.campaigns.orders import NANOSECONDS, entry_order, next_number, tradable_now
from hean_live.app.campaigns.situation import QuotingRules, Situation
from hean_live.app.snapshot import Command, Place
from hean_live.app.state import CLOSED, FOLLOWING, HOLDING, Campaign
from hean_live.execution.records import OrderRow
from hean_live.venues.protocol import IMMEDIATE
from models.execution.rounding import affordable, crossing_price
from models.portfolio.sizing import round_toward_zero

LEG_RISK: Final = "the second leg could not be had in time"
FIRST_LEG_LEFT: Final = "the first leg has left"
ZERO: Final = Decimal(0)


def follow(campaign: Campaign, situation: Situation, rules: QuotingRules) -> list[Command]:
    """Bring the second leg nearer to what the first has bought, or leave with it.

    Parameters
    ----------
    campaign : Campaign
        Of the second leg; changed in place.
    situation : Situation
        Its `first_leg` is what the first has bought, None once that is on its way out or gone.
    rules : QuotingRules

    Returns
    -------
    list of Command

    """
    entries = [order for order in situation.orders if order.leg == "entry"]
    open_orders = [order for order in situation.orders if order.is_active]
    is_flat = situation.own == 0 and situation.net == 0 and not open_orders
    bought = sum((order.filled_qty for order in entries), ZERO)
    if is_flat and (situation.first_leg is None or bought):
        campaign.exit_reason = "closed by its stop" if bought else FIRST_LEG_LEFT
        campaign.phase = CLOSED
        return []
    if situation.first_leg is None:
        return _leave(campaign, situation, rules, FIRST_LEG_LEFT)
    wanted = round_toward_zero(campaign.ratio * situation.first_leg, situation.instrument.qty_step)
    missing = wanted - bought
    if not open_orders and not tradable_now(missing, situation):
        campaign.phase, campaign.behind_ns = HOLDING if bought else FOLLOWING, 0
        return []
    campaign.phase, campaign.behind_ns = FOLLOWING, campaign.behind_ns or situation.now_ns
    if situation.now_ns - campaign.behind_ns > rules.leg_s * NANOSECONDS:
        return _leave(campaign, situation, rules, LEG_RISK)
    # Own orders and the venue's records differ only while these lag: nothing is bought on the word of one of them.
    if open_orders or situation.no_entries or situation.own != situation.net:
        return []
    return _buy(campaign, situation, rules, missing, entries)


def _buy(
    campaign: Campaign, situation: Situation, rules: QuotingRules, missing: Decimal, entries: list[OrderRow]
) -> list[Command]:
    quote, instrument, side = situation.quote, situation.instrument, campaign.signal.side
    if quote is None or situation.room.places < 1:
        return []
    price = crossing_price(quote.across(side), side, rules.taker_slippage, instrument.tick_size)
    qty = affordable(missing, price, situation.room_usd, instrument.qty_step)
    if not tradable_now(qty, situation):
        return []
    return [Place(entry_order(campaign, next_number(entries), qty, price, IMMEDIATE))]


def _leave(campaign: Campaign, situation: Situation, rules: QuotingRules, reason: str) -> list[Command]:
    return [begin_exit(campaign, situation, reason), *leave(campaign, situation, rules)]
