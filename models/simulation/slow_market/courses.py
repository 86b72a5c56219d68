"""Effects as courses: while one runs, it adds to drift, one-sidedness, volume, volatility and open interest.

Nothing here is done every second: a course sets rates when it begins and takes them back when it ends, and the sums are
what the price and the crowd see. One effect is under way at a time, sentiment apart, so that what happens has one
cause. What each effect is, is in `effects.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from models.simulation.order_flow.draws import uniform, waiting_ns
from models.simulation.slow_market.state import COURSES, NEVER, SENTIMENT

_DAY_S = 86_400.0


@njit(cache=True)
def sum_courses(s: Any) -> None:
    """Bring the sums up to what runs."""
    s.drift, s.flow, s.interest_rate = s.carry_bps_per_s, 0.0, 0.0
    s.activity, s.volatility = 1.0, 1.0
    for e in range(COURSES):
        s.drift += s.course_drift[e]
        s.flow += s.course_flow[e]
        s.interest_rate += s.course_interest[e]
        s.activity *= s.course_activity[e]
        s.volatility *= s.course_volatility[e]
    s.flow = min(max(s.flow, -1.0), 1.0)


@njit(cache=True)
def is_busy(s: Any) -> bool:
    """Say whether an effect is under way, sentiment apart."""
    return bool(s.stage[:SENTIMENT].any())


@njit(cache=True)
def schedule(s: Any, effect: int, per_day: float) -> None:
    """Draw when an effect comes up next; never at rate 0."""
    s.timers[effect] = s.now + waiting_ns(s, per_day / _DAY_S) if per_day > 0.0 else NEVER


@njit(cache=True)
def wake_up(s: Any) -> None:
    """Note when the next timer goes off."""
    s.wake = s.timers.min()


@njit(cache=True)
def run_course(
    s: Any,
    effect: int,
    stage: int,
    seconds: float,
    drift: float,
    flow: float,
    activity: float,
    volatility: float,
    interest: float,
) -> None:
    """Let a stage of an effect run for a time.

    Parameters
    ----------
    s : record of STATE
        ``s.side`` of the effect is set already.
    effect, stage : int
    seconds : float
    drift, flow : float
        bps per second and one-sidedness, in the direction of the side.
    activity, volatility : float
        Factors.
    interest : float
        Change of open interest over the course, fraction.

    """
    side = s.side[effect]
    s.stage[effect] = stage
    s.began[effect] = s.now
    s.timers[effect] = s.now + max(np.int64(1e9 * seconds), 1)
    s.course_drift[effect] = side * drift
    s.course_flow[effect] = side * flow
    s.course_activity[effect] = activity
    s.course_volatility[effect] = volatility
    s.course_interest[effect] = interest / seconds
    s.size[effect] = drift * seconds
    sum_courses(s)


@njit(cache=True)
def rest(s: Any, effect: int, per_day: float) -> None:
    """End an effect and draw when it comes up next."""
    s.stage[effect] = 0
    s.course_drift[effect] = 0.0
    s.course_flow[effect] = 0.0
    s.course_activity[effect] = 1.0
    s.course_volatility[effect] = 1.0
    s.course_interest[effect] = 0.0
    sum_courses(s)
    schedule(s, effect, per_day)


@njit(cache=True)
def note(s: Any, episodes: Any, effect: int, stage: int, began: int, side: int, size_bps: float) -> None:
    """Write down a stretch of an effect that has ended."""
    x = episodes[s.k]
    x.start_ns = began
    x.end_ns = s.now
    x.effect = effect
    x.stage = stage
    x.side = side
    x.size_bps = size_bps
    s.k += 1


@njit(cache=True)
def either_side(s: Any) -> int:
    """Draw +1 or -1."""
    return 1 if uniform(s) > 0.5 else -1


@njit(cache=True)
def leaning_side(s: Any, p: Any) -> int:
    """Draw the side of a course: the farther the price has gone from its start, the likelier back (9 to 1 from 40 %).

    Months of planted moves would else carry a price anywhere. Over the days of an episode it is a fair coin.
    """
    up = min(max(0.5 - np.log(s.fair / p.start_tick), 0.1), 0.9)
    return 1 if uniform(s) <= up else -1


@njit(cache=True)
def about(s: Any, mean: float) -> float:
    """Draw between half and one and a half of a mean."""
    return float(mean * (0.5 + uniform(s)))
