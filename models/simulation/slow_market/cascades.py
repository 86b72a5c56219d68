"""Liquidation cascades: crowding builds up, the price slides against the crowd, then positions are closed by force.

A chain of stages with exponential stays (but for the forced flow itself): build-up, in which open interest and premium
grow on one side; from there either it dissolves or the price slides; from the slide either it fizzles out or the cascade
begins. So the hazard of a cascade is known at every instant from what can be seen, and `numbers.cascade_probabilities` says
it. Forced orders come every quarter of a second with lognormal sizes, each with its share of the planted impact; the
last of them fade.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from models.simulation.order_flow.campaigns import weight_of
from models.simulation.order_flow.draws import exponential, normal, uniform
from models.simulation.slow_market.courses import leaning_side, note, rest, run_course
from models.simulation.slow_market.state import BUILD, CASCADE, FORCED, OF_CASCADE, SLIDE

_STEPS_PER_S = 4.0
_STRAIN_PER_BPS = 0.15
_MOST_STRAIN = 4.0


@njit(cache=True)
def _build(s: Any, p: Any) -> None:
    s.side[CASCADE] = leaning_side(s, p)
    seconds = exponential(s, p.cascade_build_s)
    interest = p.cascade_build_interest * seconds / p.cascade_build_s
    run_course(s, CASCADE, BUILD, seconds, 0.0, 0.0, 1.1, 1.0, interest)


@njit(cache=True)
def _slide(s: Any, p: Any) -> None:
    rate = 1.0 / p.cascade_slide_s + 1.0 / p.cascade_fizzle_s
    seconds = exponential(s, 1.0 / rate)
    run_course(s, CASCADE, SLIDE, seconds, p.cascade_slide_bps_per_min / 60.0, 0.3, 1.5, 1.2, 0.0)


@njit(cache=True)
def _force(s: Any, p: Any) -> None:
    run_course(s, CASCADE, FORCED, p.cascade_s, 0.0, 0.8, 2.0, 1.5, -p.cascade_interest_fall)
    s.size[CASCADE] = p.cascade_permanent_bps + p.cascade_overshoot_bps
    s.forced_orders = 0
    s.forced_planned = max(np.int64(_STEPS_PER_S * p.cascade_s), 1)
    s.forced_left = 1.0
    s.forced_weight = 0.0
    for k in range(s.forced_planned):
        s.forced_weight += weight_of(k, s.forced_planned, p.cascade_fade)


@njit(cache=True)
def next_cascade_stage(s: Any, p: Any, episodes: Any) -> None:
    """Leave the stage that has ended for the next."""
    stage = s.stage[CASCADE]
    if stage == 0:
        _build(s, p)
        return
    note(s, episodes, CASCADE, stage, s.began[CASCADE], s.side[CASCADE], s.size[CASCADE])
    forced, fizzle = 1.0 / p.cascade_slide_s, 1.0 / p.cascade_fizzle_s
    if stage == BUILD and uniform(s) <= p.cascade_share:
        _slide(s, p)
    elif stage == SLIDE and uniform(s) <= forced / (forced + fizzle):
        _force(s, p)
    else:
        rest(s, CASCADE, p.cascades_per_day)


@njit(cache=True)
def forced_order(s: Any, p: Any) -> None:
    """Give the step its forced order and the price that order's share of what is planted."""
    s.fast = 1
    if s.forced_orders >= s.forced_planned:
        return
    weight = weight_of(s.forced_orders, s.forced_planned, p.cascade_fade)
    own = weight * np.exp(p.cascade_order_sigma * (normal(s) - 0.5 * p.cascade_order_sigma))
    s.forced_orders += 1
    s.forced_weight -= weight
    # Of what is left, this order's part against the mean of those to come: the total is the planted one, whatever was drawn.
    last = s.forced_orders >= s.forced_planned
    share = s.forced_left if last else s.forced_left * own / (own + s.forced_weight)
    s.forced_left -= share
    side = s.side[CASCADE]
    s.fair *= 1.0 + side * 1e-4 * share * p.cascade_permanent_bps
    s.displaced[OF_CASCADE] += side * share * p.cascade_overshoot_bps
    impact = share * (p.cascade_permanent_bps + p.cascade_overshoot_bps)
    s.strain = min(s.strain + _STRAIN_PER_BPS * impact, _MOST_STRAIN)
    s.order_side, s.order_lots, s.order_forced = side, own * p.cascade_order * p.trade_lots, 1


@njit(cache=True)
def crowding(s: Any) -> float:
    """Side of the crowd while it builds up or still stands: +1 longs, -1 shorts, 0 none."""
    stage = s.stage[CASCADE]
    return float(-s.side[CASCADE]) if stage in (BUILD, SLIDE) else 0.0
