"""Round trips, from flat to flat in both markets, written down as ticks go by.

A trip begins at the first tick at which the strategy knows of a position, and is over at the first at which it knows of
none in either market; profit is that of wallet and leg between, so fees and funding are in it to the cent.
"""

from __future__ import annotations

import math
from typing import Any

from numba import njit

from models.simulation.bank.legs import leg_profit


@njit(cache=True)
def _begin(trip: Any, known: Any, leg: Any, market: Any) -> None:
    first = known.position if known.position != 0.0 else -leg.position
    trip.entry_ns = market.tick_at_ns
    trip.side = 1 if first > 0.0 else -1
    trip.quantity = 0.0
    trip.entry_price = market.mid
    trip.reason = trip.newest_reason
    # Codes of what is undefined yet are -1.
    trip.regime = -1 if math.isnan(market.regime) else int(market.regime)
    trip.hurst_label = -1 if math.isnan(market.hurst_label) else int(market.hurst_label)
    trip.spread_bps = market.spread_bps
    trip.vpin_rank = market.vpin_rank


@njit(cache=True)
def _end(trip: Any, known: Any, leg: Any, market: Any, capital: float, row: Any) -> None:
    """Write a trip that is over into `row`, and what is known at this flat moment into `trip`."""
    profit = known.wallet - capital + leg_profit(leg)
    volume = known.volume + leg.turnover
    fees, funding = known.fees + leg.fees, known.funding + leg.funding
    row.entry_ns = trip.entry_ns
    row.exit_ns = market.tick_at_ns
    row.side = trip.side
    row.fills = known.fills - trip.fills
    row.quantity = trip.quantity
    row.entry_price = trip.entry_price
    row.exit_price = market.mid
    row.notional = 0.5 * (volume - trip.volume)
    row.before = trip.before
    row.volume = trip.volume
    row.fees = fees - trip.fees
    row.funding = funding - trip.funding
    row.profit = profit - trip.before
    row.reason = trip.reason
    row.reason_out = trip.newest_reason
    row.regime = trip.regime
    row.hurst_label = trip.hurst_label
    row.spread_bps = trip.spread_bps
    row.vpin_rank = trip.vpin_rank
    trip.entry_ns = 0
    trip.fills = known.fills
    trip.before = profit
    trip.volume = volume
    trip.fees = fees
    trip.funding = funding


@njit(cache=True)
def follow_trip(trip: Any, known: Any, leg: Any, market: Any, capital: float, rows: Any, count: int) -> int:
    """Bring the open trip of a strategy to a tick.

    Parameters
    ----------
    trip : record of TRIP
        The one under way, or what was known at the last flat moment; changed in place.
    known : record of ACCOUNT
        As the reports read so far say.
    leg : record of LEG_ACCOUNT
    market : record of MARKET
    capital : float
        What the strategy began with.
    rows : array of TRIP
        Where trips that are over go.
    count : int
        Rows written.

    Returns
    -------
    int
        Rows written now.

    """
    holds = known.position != 0.0 or leg.position != 0.0
    if trip.entry_ns == 0:
        # A position opened and closed between two ticks is a trip as well.
        if not holds and known.fills == trip.fills:
            return count
        _begin(trip, known, leg, market)
    if known.position != 0.0:
        trip.entry_price = known.entry_value / abs(known.position)
        trip.quantity = max(trip.quantity, abs(known.position))
    if holds:
        return count
    _end(trip, known, leg, market, capital, rows[count])
    return count + 1
