"""First step of a strategy, before any backtest: whether what its signals announce follows them at all.

Here belongs the verdict: each signal is compared with other times of the same market, and the mean of the differences has a
jackknife over ten stretches of time, each left out with its signals and its controls: many signals share a control, so that
means of stretches alone would seem too sure. What a signal was worth, and the times like it, are ``signal_worth``; which
comparison a strategy's brief asks for is the business of those who call.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.errors import DataError
from models.evidence.intervals import (
    BlockMean,
    block_edges,
    block_jackknife,
    block_mean,
    effective_observations,
)
from models.evidence.signal_worth import Controls, Course, Signals
from models.evidence.verdict import NOT_ENOUGH_DATA, judge

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

POWER = 0.8
_LEVEL = 0.025  # one-sided: the lower end of a 95 % interval decides


@dataclass(frozen=True)
class FirstStep:
    """What came of the signals, in basis points.

    Attributes
    ----------
    signals, measured : int
        Given, and with a known worth and controls.
    gain : BlockMean or None
        Mean worth of a signal.
    control_bps : float
        Mean of the times it is held against; NaN where it is held against nothing but costs.
    beyond : BlockMean or None
        Mean difference, less costs: what the verdict rests on. None says "not enough data". Its block means are the
        jackknife's pseudo-values, which are the means of the stretches where there is no control.
    least_found_bps : float
        Smallest true difference this sample would have found in four of five cases; NaN without an interval.
    verdict : str

    """

    signals: int
    measured: int
    gain: BlockMean | None
    control_bps: float
    beyond: BlockMean | None
    least_found_bps: float
    verdict: str


def first_step(
    course: Course,
    signals: Signals,
    gain_bps: Floats,
    controls: Controls | None,
    steps: int,
    *,
    cost_bps: float = 0.0,
    threshold_bps: float = 0.0,
) -> FirstStep:
    """Judge what signals were worth.

    Parameters
    ----------
    course : Course
    signals : Signals
        At least `steps` rows apart, see `apart`.
    gain_bps : ndarray of float64, shape (n,)
        NaN where not known.
    controls : Controls or None
        None holds the signals against nothing but costs.
    steps : int
    cost_bps, threshold_bps : float
        Taken off the gain; what the rest must exceed.

    Returns
    -------
    FirstStep

    Raises
    ------
    DataError
        If shapes differ.

    """
    n = len(signals.row)
    if gain_bps.shape != (n,) or (controls is not None and len(controls.row) != n):
        raise DataError(f"expected a gain and controls for each of {n} signals, was {gain_bps.shape}")
    against = _mean_known(controls.worth_bps) if controls is not None else np.zeros(n)
    known = np.isfinite(gain_bps) & np.isfinite(against)
    times, horizon_ns = course.start_ns + course.step_ns * signals.row[known], steps * course.step_ns
    gain = block_mean(gain_bps[known], times, horizon_ns)
    control = float(against[known].mean()) if controls is not None and known.any() else math.nan
    edges = block_edges(times, horizon_ns)
    if edges is None:
        return FirstStep(n, int(known.sum()), gain, control, None, math.nan, NOT_ENOUGH_DATA)
    own = controls and Controls(controls.row[known], controls.worth_bps[known])
    beyond = _beyond(signals.row[known], gain_bps[known] - cost_bps, own, edges)
    verdict = judge(beyond.estimate, beyond.low, threshold_bps)
    return FirstStep(n, int(known.sum()), gain, control, beyond, least_found(beyond), verdict)


def _beyond(rows: Ints, worth: Floats, controls: Controls | None, edges: Ints) -> BlockMean:
    """Mean difference with its jackknife over stretches of time."""
    blocks, n = len(edges) - 1, len(rows)
    difference = worth - (_mean_known(controls.worth_bps) if controls is not None else 0.0)
    whole, without = float(difference.mean()), []
    for i in range(blocks):
        kept = np.r_[0 : edges[i], edges[i + 1] : n]
        left = worth[kept]
        if controls is not None:
            first, after = rows[edges[i]], rows[edges[i + 1]] if i + 1 < blocks else np.inf
            inside = (controls.row[kept] >= (first if i else -np.inf)) & (controls.row[kept] < after)
            left = left - _mean_known(np.where(inside, math.nan, controls.worth_bps[kept]))
        # A signal whose controls all lie in the stretch goes with it.
        without.append(float(left[np.isfinite(left)].mean()))
    half, error = block_jackknife(whole, without)
    pseudo = tuple(blocks * whole - (blocks - 1) * mean for mean in without)
    centre = float(np.mean(pseudo))
    effective = effective_observations(float(difference.var(ddof=1)), error, n)
    return BlockMean(whole, centre - half, centre + half, n, effective, block_means=pseudo)


def least_found(mean: BlockMean, power: float = POWER) -> float:
    """Return the smallest true mean whose interval would lie above zero with that probability.

    Parameters
    ----------
    mean : BlockMean
        Its standard error is taken for the true one's estimate.
    power : float

    Returns
    -------
    float
        In the unit of the mean: the non-centrality of Student's t that gives the power, times the standard error.

    """
    from scipy.special import nctdtrinc, stdtrit  # here: whoever only reads a study must not pay for scipy

    means = np.array(mean.block_means)
    error = float(means.std(ddof=1)) / math.sqrt(len(means))
    critical = stdtrit(len(means) - 1, 1.0 - _LEVEL)
    return float(nctdtrinc(len(means) - 1, 1.0 - power, critical)) * error


def _mean_known(controls: Floats) -> Floats:
    known = np.isfinite(controls)
    count = known.sum(axis=1)
    total = np.where(known, controls, 0.0).sum(axis=1)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), math.nan))
