"""Gaussian hidden Markov model of one series, beside the rules: fitted offline, filtered live.

Filtered probabilities only: P(state at t | observations up to t). Smoothed ones (what hmmlearn's `predict` and
`predict_proba` return) use later observations and appear nowhere but inside the fit. States are sorted by variance,
the calmest first. What does not belong here: which series (F15 uses one-minute log returns in bps).
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.errors import DataError

Floats = NDArray[np.float64]

MOST_STATES: Final = 4
LEAST_OBSERVATIONS_PER_STATE: Final = 20


class GaussianHmm(NamedTuple):
    """A fitted model.

    Attributes
    ----------
    start : ndarray of float64, shape (k,)
        Probability of each state before the first observation.
    transition : ndarray of float64, shape (k, k)
        Row: from; column: to.
    means, variances : ndarray of float64, shape (k,)

    """

    start: Floats
    transition: Floats
    means: Floats
    variances: Floats


class Fit(NamedTuple):
    """Outcome of `fit`: the model, its log-likelihood, the rounds it took and whether it had settled."""

    model: GaussianHmm
    log_likelihood: float
    rounds: int
    converged: bool


@njit(cache=True)
def _weigh(prior: Floats, x: float, means: Floats, variances: Floats, out: Floats) -> float:
    """Write prior times density, normalised, and return the log of the normalisation."""
    k = len(prior)
    highest = -math.inf
    for j in range(k):
        gap = x - means[j]
        logged = -0.5 * (math.log(2.0 * math.pi * variances[j]) + gap * gap / variances[j])
        out[j] = logged + math.log(prior[j]) if prior[j] > 0.0 else -math.inf
        highest = max(highest, out[j])
    total = 0.0
    for j in range(k):
        out[j] = math.exp(out[j] - highest)
        total += out[j]
    for j in range(k):
        out[j] /= total
    return highest + math.log(total)


@njit(cache=True)
def filter_step(
    probabilities: Floats, x: float, start: Floats, transition: Floats, means: Floats, variances: Floats
) -> float:
    """Take one observation; the live step.

    Parameters
    ----------
    probabilities : ndarray of float64, shape (k,)
        Filtered probabilities before; all zero before the first observation. Changed in place.
    x : float
    start, means, variances : ndarray of float64, shape (k,)
    transition : ndarray of float64, shape (k, k)

    Returns
    -------
    float
        Log density of `x` given the observations before it.

    """
    k = len(start)
    prior = np.empty(k)
    begun = False
    for j in range(k):
        begun = begun or probabilities[j] > 0.0
    for j in range(k):
        prior[j] = start[j]
        if begun:
            prior[j] = 0.0
            for i in range(k):
                prior[j] += probabilities[i] * transition[i, j]
    return _weigh(prior, x, means, variances, probabilities)


@njit(cache=True)
def forward(
    x: Floats, start: Floats, transition: Floats, means: Floats, variances: Floats
) -> tuple[Floats, float]:
    """Return the filtered probabilities, shape (n, k), and the log-likelihood of a series."""
    out = np.empty((len(x), len(start)))
    now = np.zeros(len(start))
    total = 0.0
    for t in range(len(x)):
        total += filter_step(now, x[t], start, transition, means, variances)
        out[t] = now
    return out, total


@njit(cache=True)
def _expect(x: Floats, filtered: Floats, transition: Floats) -> tuple[Floats, Floats]:
    """Return smoothed probabilities and expected transitions, for the fit alone."""
    n, k = filtered.shape
    smoothed = np.empty((n, k))
    moves = np.zeros((k, k))
    smoothed[n - 1] = filtered[n - 1]
    for back in range(1, n):
        t = n - 1 - back
        for j in range(k):
            smoothed[t, j] = 0.0
        for j in range(k):
            ahead = 0.0
            for i in range(k):
                ahead += filtered[t, i] * transition[i, j]
            for i in range(k):
                move = filtered[t, i] * transition[i, j] * smoothed[t + 1, j] / ahead if ahead > 0.0 else 0.0
                moves[i, j] += move
                smoothed[t, i] += move
    return smoothed, moves


def _first_guess(x: Floats, states: int) -> GaussianHmm:
    """Split the observations by their distance from the median: regimes differ in spread before they differ in mean."""
    distance = np.abs(x - np.median(x))
    parts = [x[part] for part in np.array_split(np.argsort(distance, kind="stable"), states)]
    stay = np.full((states, states), 0.1 / max(states - 1, 1))
    np.fill_diagonal(stay, 0.9 if states > 1 else 1.0)
    spread = float(np.var(x))
    variances = np.array([max(float(np.mean((part - x.mean()) ** 2)), 1e-3 * spread) for part in parts])
    return GaussianHmm(np.full(states, 1.0 / states), stay, np.full(states, float(x.mean())), variances)


def fit(
    x: Floats, states: int, *, rounds: int = 500, tolerance: float = 1e-6, variance_prior: float = 0.01
) -> Fit:
    """Fit by expectation-maximisation from a deterministic start.

    Parameters
    ----------
    x : ndarray of float64, shape (n,)
    states : int
        1 to `MOST_STATES`.
    rounds : int
    tolerance : float
        Gain in log-likelihood under which it counts as settled.
    variance_prior : float
        Added to each state's sum of squares, in units of `x` squared, so that no variance collapses (hmmlearn's prior).

    Returns
    -------
    Fit
        States sorted by variance.

    Raises
    ------
    DataError
        For a wrong number of states, too few or non-finite or constant observations.

    """
    values = np.ascontiguousarray(x, dtype=np.float64)
    if not 1 <= states <= MOST_STATES:
        raise DataError(f"hmm: expected 1 to {MOST_STATES} states, was {states}")
    if len(values) < LEAST_OBSERVATIONS_PER_STATE * states:
        least = LEAST_OBSERVATIONS_PER_STATE * states
        raise DataError(f"hmm: expected at least {least} observations for {states} states, was {len(values)}")
    if not np.all(np.isfinite(values)) or np.ptp(values) == 0.0:
        raise DataError("hmm: expected finite observations that vary, was not finite or constant")
    model = _first_guess(values, states)
    filtered, likelihood = forward(values, *model)
    for done in range(1, rounds + 1):
        model = _maximise(values, *_expect(values, filtered, model.transition), variance_prior)
        filtered, now = forward(values, *model)
        gain, likelihood = now - likelihood, now
        if gain < tolerance:
            return Fit(_sorted(model), float(likelihood), done, True)
    return Fit(_sorted(model), float(likelihood), rounds, False)


def _maximise(x: Floats, smoothed: Floats, moves: Floats, variance_prior: float) -> GaussianHmm:
    weight = smoothed.sum(axis=0)
    means = (smoothed * x[:, None]).sum(axis=0) / weight
    squares = (smoothed * (x[:, None] - means) ** 2).sum(axis=0)
    transition = moves / moves.sum(axis=1, keepdims=True)
    return GaussianHmm(smoothed[0].copy(), transition, means, (variance_prior + squares) / weight)


def _sorted(model: GaussianHmm) -> GaussianHmm:
    order = np.argsort(model.variances, kind="stable")
    return GaussianHmm(
        model.start[order],
        np.ascontiguousarray(model.transition[np.ix_(order, order)]),
        model.means[order],
        model.variances[order],
    )
