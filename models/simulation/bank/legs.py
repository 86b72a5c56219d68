"""The second leg of a strategy on two markets: what it wants of the other one is bought and sold at the outlook's touch.

As a taker, whole, at the first tick at which what is wanted has been wanted for the latency and prices are fresh. Nothing is
known of the other book's depth, so size has no impact there: shares of capital must be small against that market. What a leg
cannot get, it does not get: `leg_pending_s` grows, and leg risk is the strategy's to judge. Spot pays no funding; the other
venue's is paid at its settlements by the rate last seen before each; a pair's partner is charged none (a known omission).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from models.simulation.bank.records import LEGS

_SPOT = LEGS["spot"]
_PAIR = LEGS["pair"]
_OTHER = LEGS["other"]
_DUST = 1e-12


@njit(cache=True)
def _quote(kind: int, outlook: Any) -> tuple[float, float, int]:
    if kind == _SPOT:
        return outlook.spot_bid, outlook.spot_ask, outlook.spot_at_ns
    if kind == _PAIR:
        return outlook.pair_bid, outlook.pair_ask, outlook.pair_at_ns
    return outlook.other_bid, outlook.other_ask, outlook.other_at_ns


@njit(cache=True)
def leg_profit(leg: Any) -> float:
    """Profit of the leg so far at the other market's mid, after fees and funding (quote)."""
    held = 0.0 if leg.position == 0.0 else leg.position * leg.mid
    return float(leg.cash + held - leg.fees - leg.funding)


@njit(cache=True)
def tell_leg(leg: Any, at_ns: int, state: Any) -> None:
    """Write what a strategy is told about its second leg."""
    state.leg_position = leg.position
    state.leg_price = leg.entry_value / abs(leg.position) if leg.position != 0.0 else np.nan
    state.leg_pending_s = 1e-9 * (at_ns - leg.pending_ns) if leg.pending_ns != 0 else 0.0


@njit(cache=True)
def _fill(leg: Any, quantity: float, price: float, fee: float) -> None:
    if leg.position * quantity < 0.0:
        closed = min(abs(quantity), abs(leg.position))
        leg.entry_value *= 1.0 - closed / abs(leg.position)
        leg.entry_value += (abs(quantity) - closed) * price
    else:
        leg.entry_value += abs(quantity) * price
    leg.position += quantity
    if abs(leg.position) < _DUST:
        leg.position = 0.0
        leg.entry_value = 0.0
    leg.cash -= quantity * price
    leg.fees += abs(quantity) * price * fee
    leg.turnover += abs(quantity) * price
    leg.trades += 1


@njit(cache=True)
def _settle(leg: Any, outlook: Any, at_ns: int) -> None:
    """Pay the other venue's funding for each settlement passed, by the rate seen last before it."""
    if leg.settlement_ns != 0 and at_ns >= leg.settlement_ns:
        if leg.position != 0.0 and not math.isnan(leg.rate):
            leg.funding += leg.position * leg.mid * leg.rate
        leg.settlement_ns = 0
    if outlook.other_settlement_ns > at_ns:
        leg.settlement_ns = outlook.other_settlement_ns
        leg.rate = outlook.other_rate_per_h * outlook.other_interval_h


@njit(cache=True)
def follow_leg(leg: Any, kind: int, outlook: Any, at_ns: int, wanted: float, parameters: Any) -> None:
    """Bring a leg to a tick: funding, prices, and what is wanted of it.

    Parameters
    ----------
    leg : record of LEG_ACCOUNT
        Changed in place.
    kind : int
        Of `LEGS`, not "none".
    outlook : record of OUTLOOK
    at_ns : int
    wanted : float
        Base of the other market, signed; NaN counts as what is held.
    parameters : BankParameters

    """
    if kind == _OTHER:
        _settle(leg, outlook, at_ns)
    bid, ask, seen_ns = _quote(kind, outlook)
    if bid > 0.0 and ask > 0.0:
        leg.mid = 0.5 * (bid + ask)
    difference = wanted - leg.position
    if math.isnan(difference) or abs(difference) < _DUST:
        leg.pending_ns = 0
        return
    if leg.pending_ns == 0:
        leg.pending_ns = at_ns
    fresh = seen_ns > 0 and at_ns - seen_ns <= parameters.leg_stale_ns
    price = ask if difference > 0.0 else bid
    if at_ns - leg.pending_ns >= parameters.leg_latency_ns and fresh and price > 0.0:
        _fill(leg, difference, price, parameters.leg_fee)
        leg.pending_ns = 0
