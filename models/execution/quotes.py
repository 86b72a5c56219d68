"""Layered post-only quotes (X1): which orders should rest now.

The wanted quantity is split over layers at and behind the touch. A layer the venue would not take alone is merged into the
next one nearer to the touch. What must happen to orders that rest already is `requotes.py`'s.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import Final

from models.errors import ConfigError
from models.execution.pulls import PullRules, pull_reason
from models.execution.rounding import is_tradable, passive_price
from models.execution.sight import MarketSight
from models.market.instruments import Instrument
from models.portfolio.limits import Breach
from models.portfolio.sizing import round_toward_zero

ZERO: Final = Decimal(0)


@dataclass(frozen=True)
class Layer:
    """One quote: ticks behind the touch, and its share of the whole."""

    ticks_behind: int
    share: Decimal


AT_TOUCH: Final = (Layer(0, Decimal(1)),)
LAYERED: Final = (Layer(0, Decimal("0.5")), Layer(1, Decimal("0.3")), Layer(3, Decimal("0.2")))


@dataclass(frozen=True)
class QuoteParams:
    """How to quote.

    Attributes
    ----------
    layers : tuple of Layer
        Nearest to the touch first; shares add up to 1.
    requote_ticks : int
        A quote is replaced when its price is off by so many ticks.
    max_age_s : float
        After this long it is replaced when it is off by less; one at its price keeps its place in the queue.
    pulls : PullRules

    Raises
    ------
    ConfigError
        For layers that are not in order or do not add up.

    """

    layers: tuple[Layer, ...] = AT_TOUCH
    requote_ticks: int = 1
    max_age_s: float = 30.0
    pulls: PullRules = field(default_factory=PullRules)

    def __post_init__(self) -> None:
        """Check."""
        depths = [layer.ticks_behind for layer in self.layers]
        shares = [layer.share for layer in self.layers]
        if not depths or depths[0] < 0 or any(a >= b for a, b in pairwise(depths)):
            raise ConfigError(f"layers: expected ticks behind the touch that grow from 0 on, was {depths}")
        if sum(shares) != 1 or min(shares) <= 0:
            raise ConfigError(f"layers: expected positive shares adding up to 1, was {shares}")
        if self.requote_ticks < 1:
            raise ConfigError(f"requote_ticks: expected at least 1, was {self.requote_ticks}")


@dataclass(frozen=True)
class QuoteSituation:
    """What a quote depends on: side +1 or -1, quantity still wanted (base units), touch and when it was seen."""

    now_ns: int
    side: int
    qty: Decimal
    bid: Decimal
    ask: Decimal
    book_at_ns: int
    instrument: Instrument
    sight: MarketSight | None = None


@dataclass(frozen=True)
class Quote:
    """A post-only order that should rest."""

    price: Decimal
    qty: Decimal


@dataclass(frozen=True)
class QuotePlan:
    """The quotes wanted, nearest to the touch first; why there are none, if so; and the arithmetic of merges."""

    quotes: tuple[Quote, ...]
    pulled: Breach | None = None
    merges: tuple[str, ...] = ()


def plan_quotes(situation: QuoteSituation, params: QuoteParams) -> QuotePlan:
    """Return the quotes that should rest now.

    Parameters
    ----------
    situation : QuoteSituation
    params : QuoteParams

    Returns
    -------
    QuotePlan
        Prices on ticks, none of which crosses the book; quantities on steps, each one the venue takes; together
        at most the quantity wanted, and all of it but what is smaller than a step, unless it is too small to trade.

    """
    s = situation
    pulled = pull_reason(s.bid, s.ask, s.book_at_ns, s.now_ns, s.sight, params.pulls)
    if pulled is not None:
        return QuotePlan((), pulled)
    touch = passive_price(s.bid if s.side > 0 else s.ask, s.side, s.instrument.tick_size)
    prices = [touch - s.side * layer.ticks_behind * s.instrument.tick_size for layer in params.layers]
    total = round_toward_zero(max(s.qty, ZERO), s.instrument.qty_step)
    sizes = [round_toward_zero(total * layer.share, s.instrument.qty_step) for layer in params.layers]
    sizes[0] += total - sum(sizes, ZERO)
    merges = _merge(prices, sizes, s.instrument)
    quotes = tuple(Quote(price, qty) for price, qty in zip(prices, sizes, strict=True) if qty)
    if total and not quotes:
        words = f"{total} × {touch} = {total * touch} USD should be what the venue takes"
        needs = f"{s.instrument.min_order_qty} units and {s.instrument.min_notional_usd} USD"
        return QuotePlan((), Breach("TOO_SMALL", f"{words}, at least {needs}"))
    return QuotePlan(quotes, None, merges)


def _merge(prices: list[Decimal], sizes: list[Decimal], instrument: Instrument) -> tuple[str, ...]:
    """Move what is too small alone into the next layer nearer to the touch, and what is left into the nearest kept."""
    notes = []
    for i in range(len(sizes) - 1, -1, -1):
        if not sizes[i] or (prices[i] > 0 and is_tradable(sizes[i], prices[i], instrument)):
            continue
        into = i - 1 if i else next((j for j in range(1, len(sizes)) if sizes[j]), None)
        if into is not None:
            notes.append(
                f"layer {i}: {sizes[i]} × {prices[i]} = {sizes[i] * prices[i]} USD, less than"
                f" {instrument.min_order_qty} units or {instrument.min_notional_usd} USD, merged into layer {into}"
            )
            sizes[into] += sizes[i]
        sizes[i] = ZERO
    return tuple(notes)
