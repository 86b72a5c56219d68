"""The expected average premium of a funding interval from the part of it that has been seen.

Here belongs the linear estimate: a kernel over the last twelve hours of minutes that (a) weighs minutes as the venue does,
(b) smooths a noisy proxy, (c) carries the recent level over the minutes still to come. The venue's clamp, the proxy's offset
and the uncertainty are the business of `models.funding.structural`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from models.funding.formula import minute_weights
from models.funding.inputs import HOUR_NS, MINUTE_NS, SOURCE_PERP_SPOT, SOURCE_PREMIUM_INDEX, FundingInputs

Floats = NDArray[np.float64]

WARM_UP_MINUTES = 240

STALEST_MIN = 30
"""The newest bar of a window may be this old; an older one says nothing of the level now."""


@dataclass(frozen=True)
class PathParams:
    """How the premium is smoothed and continued.

    Attributes
    ----------
    smoothing_min : float
        Time constant of the exponential smoothing of the bars, minutes; 0 takes them as they are. The venue's own premium
        index needs none. For the perp/spot proxy 45 min was best on recorded BTC, ETH and SOL of 2025: the proxy differs from
        the venue's by the basis between one spot market and a many-venue index, which dies out within the hour.
    tail_min : float
        Time constant of the recent level that stands for the minutes still to come, minutes.

    """

    smoothing_min: float
    tail_min: float


PATH_PARAMS: dict[int, PathParams] = {
    SOURCE_PREMIUM_INDEX: PathParams(smoothing_min=0.0, tail_min=30.0),
    SOURCE_PERP_SPOT: PathParams(smoothing_min=45.0, tail_min=40.0),
}


@dataclass(frozen=True)
class PremiumWindow:
    """Minutes of premium from `WARM_UP_MINUTES` before an interval to some instant in it.

    Attributes
    ----------
    premium : ndarray of float64, shape (WARM_UP_MINUTES + minutes seen,)
        One value a minute; gaps carry the last value before them.
    coverage : float
        Share of the interval's minutes so far that a real bar stands for; 1 where none has passed yet.
    source : int
        Where most of the bars come from.

    """

    premium: Floats
    coverage: float
    source: int


def premium_window(inputs: FundingInputs, start_ns: int, at_ns: int) -> PremiumWindow | None:
    """Lay the bars known at `at_ns` on a grid of minutes.

    Parameters
    ----------
    inputs : FundingInputs
        Premium bars of any mix of lengths.
    start_ns, at_ns : int
        Start of the funding interval and the instant of the forecast, ns UTC.

    Returns
    -------
    PremiumWindow or None
        None where no bar is known in the window, or none of its last `STALEST_MIN` minutes.

    """
    grid_start = start_ns - WARM_UP_MINUTES * MINUTE_NS
    minutes = int((at_ns - grid_start) // MINUTE_NS)
    first = int(np.searchsorted(inputs.premium_available_at, grid_start, side="right"))
    last = int(np.searchsorted(inputs.premium_available_at, at_ns, side="right"))
    if last <= first or minutes <= 0:
        return None
    offset = (inputs.premium_ts[first:last] - grid_start) // MINUTE_NS
    length = inputs.premium_bar_s[first:last] // 60
    value = inputs.premium[first:last]
    grid = np.full(minutes, np.nan)
    for bar in np.unique(length):
        rows = length == bar
        slots = offset[rows][:, None] + np.arange(bar)
        inside = (slots >= 0) & (slots < minutes)
        grid[slots[inside]] = np.broadcast_to(value[rows][:, None], slots.shape)[inside]
    known = np.isfinite(grid)
    if not known[-STALEST_MIN:].any():
        return None
    # The last value before a gap stands for it; what precedes the first bar takes the first bar's value.
    index = np.maximum.accumulate(np.where(known, np.arange(minutes), 0))
    filled = grid[index]
    filled[: int(np.argmax(known))] = grid[int(np.argmax(known))]
    seen = known[WARM_UP_MINUTES:]
    source = int(np.round(np.mean(inputs.premium_source[first:last])))
    return PremiumWindow(filled, float(seen.mean()) if len(seen) else 1.0, source)


@lru_cache(maxsize=256)
def path_kernel(interval_min: int, seen_min: int, params: PathParams) -> Floats:
    """Weights that turn minutes of premium into the expected average of the whole interval.

    Parameters
    ----------
    interval_min, seen_min : int
        Length of the interval and the minutes of it that have passed.
    params : PathParams

    Returns
    -------
    ndarray of float64, shape (WARM_UP_MINUTES + seen_min,)
        Sums to 1.

    """
    total = WARM_UP_MINUTES + seen_min
    target = np.zeros(total)
    weights = minute_weights(interval_min)
    target[WARM_UP_MINUTES:] = weights[: max(seen_min, 0)]
    kernel = _through_smoothing(target, params.smoothing_min)
    remaining = float(weights[max(seen_min, 0) :].sum())
    if remaining > 0.0:
        level = np.zeros(total)
        level[-1] = 1.0
        kernel = kernel + remaining * _through_smoothing(level, params.tail_min)
    return np.asarray(kernel / kernel.sum())


def _through_smoothing(target: Floats, time_constant_min: float) -> Floats:
    """Weights on raw minutes that equal `target` weights on exponentially smoothed minutes."""
    if time_constant_min <= 0.0:
        return target.copy()
    decay = float(np.exp(-1.0 / time_constant_min))
    out = np.empty_like(target)
    carried = 0.0
    for minute in range(len(target) - 1, 0, -1):
        carried = carried * decay + target[minute] * (1.0 - decay)
        out[minute] = carried
    # The filter starts at the first minute's own value, which therefore carries all that decays beyond it.
    out[0] = carried * decay / (1.0 - decay) + target[0]
    return out


def expected_average(
    window: PremiumWindow, interval_h: float, start_ns: int, at_ns: int, params: PathParams | None = None
) -> float:
    """Return the expected average premium of the interval, fraction.

    Parameters
    ----------
    window : PremiumWindow
        From `premium_window` with the same `start_ns` and `at_ns`.
    interval_h : float
        Length of the interval, hours.
    start_ns, at_ns : int
        Start of the interval and instant of the forecast; where `at_ns` precedes the start, the whole interval is to come.
    params : PathParams, optional
        By default those of the window's source.

    """
    seen = int((at_ns - start_ns) // MINUTE_NS)
    kernel = path_kernel(round(interval_h * 60), seen, params or PATH_PARAMS[window.source])
    return float(kernel @ window.premium)


def interval_start(settlement_ns: int, interval_h: float) -> int:
    """Start of the interval that ends at `settlement_ns`, ns UTC."""
    return settlement_ns - round(interval_h * HOUR_NS)
