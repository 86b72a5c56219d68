"""Outlooks as they could have been known: every number from what has been published or seen by the row's time.

Rates and forecasts are the structural expectation given the premium seen (`funding.py`); the probability of a cascade is
the known hazard of the stage that open interest, premium and momentum show; terms of the pair are fitted on the past.
Nothing is read from the future, and a row is stamped with the time its message was received.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from models.simulation.slow_market.funding import implied_rate
from models.simulation.slow_market.other_markets import move_other_markets
from models.simulation.slow_market.reports import premium_now
from models.simulation.slow_market.state import CASCADE

_SECOND = 1_000_000_000
_HOUR_S = 3600.0
_SPOT_HALF_SPREAD = 0.5e-4
_PAIR_HALF_SPREAD = 0.5e-4
_OTHER_HALF_SPREAD = 0.5e-4


@njit(cache=True)
def _write_funding(s: Any, p: Any, row: Any) -> None:
    row.settlement_ns = s.settlement
    row.interval_h = p.funding_interval_h
    row.upper_cap = p.funding_cap
    row.lower_cap = -p.funding_cap
    average = s.premium_sum / s.premium_weight if s.premium_weight > 0.0 else premium_now(s)
    row.indicative_rate = implied_rate(average, p.funding_interval_h, p.funding_cap)
    row.current_rate = s.current_rate
    row.forecast_settlement_ns = s.settlement
    row.forecast_at_ns = s.local
    row.predicted_rate = s.predicted[0]
    row.predicted_sd = s.predicted[1]
    row.probability_above = s.predicted[2]
    row.probability_below = s.predicted[3]
    row.probability_positive = s.predicted[4]
    row.cascade_probability = p.cascade_probability[s.stage[CASCADE]]


@njit(cache=True)
def _write_markets(s: Any, p: Any, row: Any) -> None:
    mid = s.quoted * p.tick_size
    partner = move_other_markets(s, p, mid)
    spot = mid / (1.0 + premium_now(s))
    row.spot_bid = spot * (1.0 - _SPOT_HALF_SPREAD)
    row.spot_ask = spot * (1.0 + _SPOT_HALF_SPREAD)
    row.spot_at_ns = s.local
    row.pair_bid = partner * (1.0 - _PAIR_HALF_SPREAD)
    row.pair_ask = partner * (1.0 + _PAIR_HALF_SPREAD)
    row.pair_at_ns = s.local
    row.pair_alpha = s.pair_terms[0]
    row.pair_beta = s.pair_terms[1]
    row.pair_sigma = s.pair_terms[2]
    row.pair_half_life_s = s.pair_terms[3]
    row.pair_pvalue = s.pair_terms[4]
    other = mid * (1.0 + 1e-4 * s.other_gap_bps)
    row.other_bid = other * (1.0 - _OTHER_HALF_SPREAD)
    row.other_ask = other * (1.0 + _OTHER_HALF_SPREAD)
    row.other_at_ns = s.local
    row.own_rate_per_h = row.indicative_rate / p.funding_interval_h
    row.other_rate_per_h = row.own_rate_per_h + s.other_difference
    row.other_interval_h = p.other_interval_h
    interval = np.int64(p.other_interval_h * _HOUR_S) * _SECOND
    row.other_settlement_ns = (s.now // interval + 1) * interval


@njit(cache=True)
def write_outlook(s: Any, p: Any, outlooks: Any) -> None:
    """Append the outlook of the message just written."""
    s.next_outlook = s.now + np.int64(p.outlook_s) * _SECOND
    row = outlooks[s.m]
    row.at_ns = s.local
    _write_funding(s, p, row)
    _write_markets(s, p, row)
    row.fear_greed = s.fear_greed
    row.fear_greed_at_ns = s.fear_greed_at
    row.text_score = np.nan
    row.text_score_at_ns = 0
    row.implied_volatility = p.implied
    s.m += 1
