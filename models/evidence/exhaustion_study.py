"""Study E6: what fading an exhausted forced flow earns, and whether that hangs on one lucky threshold.

Here belongs the study over neighbouring thresholds θ of impact-selling; the events are F8's, the markouts and their figures
those of the event study.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.errors import DataError
from models.evidence.bootstrap import RESAMPLES
from models.evidence.event_study import HORIZONS_S, EventStudy, event_study, markouts_bps
from models.evidence.verdict import FAILED, NOT_ENOUGH_DATA, PASSED

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

THETA_STEP_BPS = 2.0


@dataclass(frozen=True)
class Events:
    """Exhaustion events found with one threshold.

    Attributes
    ----------
    at_ns : ndarray of int64, shape (n,)
        Ascending.
    side : ndarray of int8, shape (n,)
        +1 where one would buy (forced selling is exhausted).
    regime : sequence of str, length n
        Funding regime at the event.

    """

    at_ns: Ints
    side: NDArray[np.int8]
    regime: Sequence[str]


@dataclass(frozen=True)
class ExhaustionStudy:
    """Outcome of the study.

    Attributes
    ----------
    theta_bps : float
        The threshold that is traded.
    by_theta : dict of float to EventStudy
        The studies at θ − 2, θ and θ + 2 bps.
    horizon_s : float
        The horizon that decided; NaN where θ itself did not pass.
    stable : bool
        Mean and median after costs are positive there at both neighbours too.
    verdict : str

    """

    theta_bps: float
    by_theta: dict[float, EventStudy]
    horizon_s: float
    stable: bool
    verdict: str


def exhaustion_study(
    events: Mapping[float, Events],
    theta_bps: float,
    quote_ns: Ints,
    mid: Floats,
    *,
    cost_bps: float,
    seed: int,
    horizons_s: Sequence[float] = HORIZONS_S,
    resamples: int = RESAMPLES,
) -> ExhaustionStudy:
    """Run the study.

    Parameters
    ----------
    events : mapping of float to Events
        By threshold in basis points; must hold θ − 2, θ and θ + 2.
    theta_bps : float
    quote_ns, mid : ndarray, shape (m,)
        Mids in force from each receive time on; NaN marks gaps.
    cost_bps : float
        Of entering and leaving.
    seed : int
    horizons_s : sequence of float
    resamples : int

    Returns
    -------
    ExhaustionStudy
        ``passed`` where θ passes and is stable; ``not enough data`` where θ passes but a neighbour has too few events, or θ
        itself has.

    """
    thetas = (theta_bps - THETA_STEP_BPS, theta_bps, theta_bps + THETA_STEP_BPS)
    missing = [theta for theta in thetas if theta not in events]
    if missing:
        raise DataError(f"expected events at θ of {thetas} bps, had none at {missing}")
    studies = {
        theta: _study(events[theta], quote_ns, mid, cost_bps, seed, horizons_s, resamples) for theta in thetas
    }
    main = studies[theta_bps]
    if main.verdict != PASSED:
        return ExhaustionStudy(theta_bps, studies, math.nan, False, main.verdict)
    beside = [studies[theta].at(main.horizon_s) for theta in (thetas[0], thetas[2])]
    signs = [
        m.mean_bps.estimate > 0.0 and m.median_bps.estimate > 0.0
        for m in beside
        if m.mean_bps is not None and m.median_bps is not None
    ]
    if not all(signs):
        return ExhaustionStudy(theta_bps, studies, main.horizon_s, False, FAILED)
    stable = len(signs) == len(beside)
    return ExhaustionStudy(theta_bps, studies, main.horizon_s, stable, PASSED if stable else NOT_ENOUGH_DATA)


def _study(
    events: Events,
    quote_ns: Ints,
    mid: Floats,
    cost_bps: float,
    seed: int,
    horizons_s: Sequence[float],
    resamples: int,
) -> EventStudy:
    gross = markouts_bps(events.at_ns, events.side, quote_ns, mid, horizons_s)
    return event_study(
        events.at_ns,
        gross,
        cost_bps=cost_bps,
        seed=seed,
        horizons_s=horizons_s,
        groups=events.regime,
        resamples=resamples,
    )
