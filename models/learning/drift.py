"""L5: whether forecasts have become worse live than they were out of sample when the model was trained.

Here belongs a CUSUM over losses, one observation an instant. Its limit is not taken from a table for independent normal values,
which losses are not: it is the 95 % quantile of the highest point that stationary-bootstrap resamples of the reference reach over
the same number of observations. So the stated rate holds for one run of `LOOK` observations: 5 % false alarms where nothing
has changed. Which losses are compared is the business of the pipelines.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.errors import DataError
from models.evidence.bootstrap import optimal_block_length, resampled_rows
from models.evidence.verdict import NOT_ENOUGH_DATA

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DRIFTED: Final = "drifted"
STEADY: Final = "steady"


@dataclass(frozen=True)
class DriftRules:
    """Numbers of L5.

    Attributes
    ----------
    look : int
        Newest live observations that count; the false alarm rate is for a run of this length.
    least_live, least_reference : int
        Below which nothing is said.
    allowance : float
        Worsening the CUSUM forgives at each step, in standard deviations of the reference.
    false_alarms : float
        Share of runs without any change that raise an alarm.
    resamples, seed : int

    """

    look: int = 90
    least_live: int = 20
    least_reference: int = 100
    allowance: float = 0.5
    false_alarms: float = 0.05
    resamples: int = 2000
    seed: int = 13


@dataclass(frozen=True)
class Drift:
    """What was found.

    Attributes
    ----------
    verdict : str
        ``steady``, ``drifted`` or ``not enough data``.
    live, reference : int
        Observations.
    live_loss, reference_loss : float
        Means; NaN where there are too few.
    highest, limit : float
        Of the CUSUM, in standard deviations of the reference.
    path : tuple of float
        The CUSUM after each live observation.

    """

    verdict: str
    live: int
    reference: int
    live_loss: float = math.nan
    reference_loss: float = math.nan
    highest: float = math.nan
    limit: float = math.nan
    path: tuple[float, ...] = ()


def cusum(values: Floats, allowance: float) -> Floats:
    """One-sided CUSUM for a rise: S ← max(0, S + z − k), from zero.

    Parameters
    ----------
    values : ndarray of float64, shape (..., n)
        Standardised, in time order along the last axis.
    allowance : float
        k.

    Returns
    -------
    ndarray of float64, shape (..., n)

    """
    walk = np.cumsum(np.asarray(values, dtype=np.float64) - allowance, axis=-1)
    lowest = np.minimum(np.minimum.accumulate(walk, axis=-1), 0.0)
    return np.asarray(walk - lowest)


def mean_by_instant(times_ns: Ints, losses: Floats) -> tuple[Ints, Floats]:
    """Average losses that share an instant: symbols settle together and err together.

    Parameters
    ----------
    times_ns : ndarray of int64, shape (n,)
    losses : ndarray of float64, shape (n,)

    Returns
    -------
    instants, means : ndarray, shape (m,)
        Ascending.

    """
    instants, place = np.unique(times_ns, return_inverse=True)
    counts = np.bincount(place, minlength=len(instants))
    sums = np.bincount(place, weights=losses, minlength=len(instants))
    return instants, np.asarray(sums / np.maximum(counts, 1), dtype=np.float64)


def prediction_drift(reference: Floats, live: Floats, rules: DriftRules | None = None) -> Drift:
    """Compare live losses with those out of sample.

    Parameters
    ----------
    reference, live : ndarray of float64, shape (n,), (m,)
        Finite losses in time order, one an instant; larger is worse. Absolute errors of a rate, or log losses of a probability.
    rules : DriftRules, optional

    Returns
    -------
    Drift

    Raises
    ------
    DataError
        If a loss is not finite.

    """
    rules = rules or DriftRules()
    before, now = np.asarray(reference, dtype=np.float64), np.asarray(live, dtype=np.float64)[-rules.look :]
    if not (np.isfinite(before).all() and np.isfinite(now).all()):
        raise DataError("losses should be finite numbers, some were not")
    if len(before) < rules.least_reference or len(now) < rules.least_live:
        return Drift(NOT_ENOUGH_DATA, len(now), len(before))
    centre, spread = float(before.mean()), float(before.std(ddof=1))
    if spread <= 1e-12 * max(abs(centre), 1e-300):
        return Drift(NOT_ENOUGH_DATA, len(now), len(before))
    known = (before - centre) / spread
    path = cusum((now - centre) / spread, rules.allowance)
    limit = _limit(known, rules)
    highest = float(path.max())
    return Drift(
        DRIFTED if highest > limit else STEADY,
        len(now),
        len(before),
        float(now.mean()),
        centre,
        highest,
        limit,
        tuple(float(value) for value in path),
    )


def calibration_drift(reference: Floats, live: Floats, rules: DriftRules | None = None) -> Drift:
    """Compare what happened less what was said, live and out of sample, to both sides.

    Where less happens than was said the losses of a rare event fall, and do not tell. Half of the false alarms go to each side.
    Nothing is forgiven: one instant without a rare event is less than half a standard deviation, so that an allowance would
    forgive any number of them.

    Parameters
    ----------
    reference, live : ndarray of float64, shape (n,), (m,)
        Label less probability, in time order, one an instant.
    rules : DriftRules, optional

    Returns
    -------
    Drift
        Of the side whose CUSUM is further above its limit, or nearer to it; its means are those of that side: minus the gap
        where less happened than was said.

    Raises
    ------
    DataError
        If a gap is not finite.

    """
    whole = rules or DriftRules()
    half = replace(whole, false_alarms=0.5 * whole.false_alarms, allowance=0.0)
    more = prediction_drift(reference, live, half)
    less = prediction_drift(-np.asarray(reference), -np.asarray(live), half)
    return less if less.highest - less.limit > more.highest - more.limit else more


def _limit(known: Floats, rules: DriftRules) -> float:
    """Level that the CUSUM of an unchanged run of `look` observations exceeds in `false_alarms` of all cases."""
    block = max(optimal_block_length(known), 1.0)
    rows = np.concatenate(list(resampled_rows(len(known), block, rules.resamples, rules.seed)))
    return float(
        np.quantile(
            cusum(known[rows[:, : rules.look]], rules.allowance).max(axis=-1), 1.0 - rules.false_alarms
        )
    )
