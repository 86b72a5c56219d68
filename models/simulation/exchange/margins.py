"""Risk tiers, maintenance margin, and the prices at which an account is liquidated.

Here belong pure functions of listings and numbers. The ladder is the recorded one of BTCUSDT in its shape, scaled by a listing's
largest leverage: the first tier's limit is 20 000 USD per unit of leverage (BTCUSDT: 2 000 000 at 100), each further tier adds
as much, initial margin rises in proportion, maintenance is half of it. The maintenance deduction makes the amount continuous, as
the venue's does, so that it is the largest of all tiers' lines.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import cache

from models.simulation.exchange.orders import ZERO
from models.simulation.listing import Listing

TIERS = 25
LIMIT_PER_LEVERAGE_USD = Decimal(20_000)


@dataclass(frozen=True, slots=True)
class RiskTier:
    """One tier of a symbol's risk limits.

    Attributes
    ----------
    number : int
        1 is the lowest.
    limit_usd : Decimal
        Largest position value of the tier.
    maintenance, initial : Decimal
        Margin rates, fractions of the value.
    deduction_usd : Decimal
        Taken off ``value × maintenance``.
    max_leverage : Decimal

    """

    number: int
    limit_usd: Decimal
    maintenance: Decimal
    initial: Decimal
    deduction_usd: Decimal
    max_leverage: Decimal


@cache
def tiers(max_leverage: Decimal) -> tuple[RiskTier, ...]:
    """Return the ladder of a listing with this largest leverage, lowest tier first."""
    ladder: list[RiskTier] = []
    step, deduction, previous = LIMIT_PER_LEVERAGE_USD * max_leverage, ZERO, ZERO
    for number in range(1, TIERS + 1):
        leverage = max_leverage / number
        if leverage < 1:
            break
        maintenance = Decimal(number) / (2 * max_leverage)
        deduction += step * (number - 1) * (maintenance - previous)
        previous = maintenance
        ladder.append(
            RiskTier(number, step * number, maintenance, 2 * maintenance, deduction, round(leverage, 2))
        )
    return tuple(ladder)


def tier_of(listing: Listing, value_usd: Decimal) -> RiskTier:
    """Return the lowest tier that holds a position of this value; the last where none does."""
    ladder = tiers(listing.max_leverage)
    return next((tier for tier in ladder if value_usd <= tier.limit_usd), ladder[-1])


def largest_value_usd(listing: Listing, leverage: Decimal) -> Decimal:
    """Return the largest position value allowed at a leverage."""
    ladder = tiers(listing.max_leverage)
    return max((tier.limit_usd for tier in ladder if tier.max_leverage >= leverage), default=ZERO)


def maintenance_usd(listing: Listing, value_usd: Decimal) -> Decimal:
    """Return the maintenance margin of a position of this value."""
    tier = tier_of(listing, value_usd)
    return value_usd * tier.maintenance - tier.deduction_usd


def liquidation_price(
    listing: Listing, quantities: Iterable[Decimal], mark: Decimal, cushion_usd: Decimal
) -> Decimal | None:
    """Return the first mark price at which the account's equity no longer exceeds its maintenance margin.

    Parameters
    ----------
    listing : Listing
    quantities : iterable of Decimal
        Signed quantities of the symbol's positions.
    mark : Decimal
        Present mark price of the symbol; all other marks stay as they are.
    cushion_usd : Decimal
        Equity less the maintenance margin of all positions, at present.

    Returns
    -------
    Decimal or None
        None where no price would do it.

    """
    slope = ZERO
    for qty in quantities:
        slope += qty - abs(qty) * tier_of(listing, abs(qty) * mark).maintenance
    if not slope:
        return None
    price = to_tick(mark - cushion_usd / slope, listing, up=slope < 0)
    return price if price > 0 else None


def bankruptcy_price(
    listing: Listing, qty: Decimal, mark: Decimal, share_usd: Decimal, fee_rate: Decimal
) -> Decimal:
    """Return the price at which closing a position, fee included, uses up its share of the equity.

    Parameters
    ----------
    listing : Listing
    qty : Decimal
        Signed quantity.
    mark : Decimal
    share_usd : Decimal
        Equity that stands behind the position; negative where the mark has gone beyond: the venue's insurance pays.
    fee_rate : Decimal
        Fraction.

    Returns
    -------
    Decimal
        Rounded to the tick in the account's favour, at least one tick.

    """
    side = 1 if qty > 0 else -1
    price = (qty * mark - share_usd) / (qty - abs(qty) * fee_rate)
    return max(to_tick(price, listing, up=side > 0), listing.tick_size)


def to_tick(price: Decimal, listing: Listing, *, up: bool) -> Decimal:
    """Return a price rounded to the tick."""
    steps = (price / listing.tick_size).to_integral_value(ROUND_CEILING if up else ROUND_FLOOR)
    return steps * listing.tick_size
