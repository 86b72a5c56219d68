"""From the quotes wanted to requests: what to cancel and what to place, with as little churn as possible (X1).

A replacement is placed only once what it replaces is gone: until then an order being cancelled may still fill. So a requote
takes two rounds, and the quantity at risk is never more than wanted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from models.execution.quotes import Quote, QuoteParams, QuotePlan, QuoteSituation
from models.execution.rate_budget import Room
from models.execution.rounding import is_tradable

_NANOSECONDS: Final = 1_000_000_000


@dataclass(frozen=True)
class OpenQuote:
    """An order that rests: an id, its price, what is left of it, and when it was placed (ns UTC)."""

    key: str
    price: Decimal
    remaining: Decimal
    placed_ns: int


@dataclass(frozen=True)
class Requests:
    """What to send: orders to place, and keys of orders to cancel."""

    places: tuple[Quote, ...]
    cancels: tuple[str, ...]


def reconcile_quotes(
    plan: QuotePlan,
    open_quotes: Sequence[OpenQuote],
    room: Room,
    params: QuoteParams,
    situation: QuoteSituation,
) -> Requests:
    """Return the requests that bring the open quotes nearer to the plan.

    Parameters
    ----------
    plan : QuotePlan
        Of this situation.
    open_quotes : sequence of OpenQuote
        All that rest on the situation's side.
    room : Room
        How many requests may be sent now.
    params : QuoteParams
    situation : QuoteSituation

    Returns
    -------
    Requests
        At most what there is room for. Open, placed and still to be cancelled together never exceed the wanted
        quantity, unless the open ones alone do. Sent and confirmed, the next call returns nothing new.

    """
    kept, unmatched = _match(plan.quotes, open_quotes, params, situation)
    side, wanted = situation.side, max(situation.qty, Decimal(0))
    # Nearest to the touch last: those behind it go first when there is too much.
    kept.sort(key=lambda order: side * order.price)
    excess = sum((order.remaining for order in kept), Decimal(0)) - wanted
    while kept and excess > 0:
        excess -= kept.pop(0).remaining
    keys = {order.key for order in kept}
    leaving = sorted(
        (order for order in open_quotes if order.key not in keys), key=lambda order: -side * order.price
    )
    left = wanted - sum((order.remaining for order in open_quotes), Decimal(0))
    places: list[Quote] = []
    for quote in unmatched:
        qty = min(quote.qty, left)
        if len(places) < room.places and is_tradable(qty, quote.price, situation.instrument):
            places.append(Quote(quote.price, qty))
            left -= qty
    return Requests(tuple(places), tuple(order.key for order in leaving[: room.cancels]))


def _match(
    wanted: Sequence[Quote], open_quotes: Sequence[OpenQuote], params: QuoteParams, situation: QuoteSituation
) -> tuple[list[OpenQuote], list[Quote]]:
    """Return the open quotes that may stay, and the wanted ones that none of them stands for.

    As many as possible stay (a largest matching by augmenting paths), the nearest in price first.
    """
    allowed = params.requote_ticks * situation.instrument.tick_size
    oldest_ns = situation.now_ns - int(params.max_age_s * _NANOSECONDS)
    fits = []
    for quote in wanted:
        near = [
            (abs(order.price - quote.price), i)
            for i, order in enumerate(open_quotes)
            if order.price == quote.price
            or (abs(order.price - quote.price) < allowed and order.placed_ns >= oldest_ns)
        ]
        fits.append([i for _, i in sorted(near)])
    stands_for: dict[int, int] = {}

    def settle(number: int, tried: set[int]) -> bool:
        for i in fits[number]:
            if i in tried:
                continue
            tried.add(i)
            if i not in stands_for or settle(stands_for[i], tried):
                stands_for[i] = number
                return True
        return False

    missing = [quote for number, quote in enumerate(wanted) if not settle(number, set())]
    return [open_quotes[i] for i in sorted(stands_for)], missing
