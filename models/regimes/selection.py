"""How many states a regime model needs, and how its states stand to the rules: M4 judged out of sample.

A model is fitted on the past of each fold and scored by the log density it gives to returns it has not seen, filtered and never
smoothed. More states are taken only where they predict significantly better than fewer; the Bayesian information criterion is
told beside it. Here belong choosing and comparing; the model itself is `hmm`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.errors import DataError
from models.evidence.intervals import block_mean
from models.regimes import hmm, kernel
from models.regimes.hmm import GaussianHmm

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

MINUTE_NS: Final = 60_000_000_000
MEMORY_NS: Final = 60 * MINUTE_NS
"""Log densities of neighbouring minutes go together (volatility clusters): blocks are to be longer than this."""


class Returns(NamedTuple):
    """One-minute returns of a symbol; arrays of length n.

    Attributes
    ----------
    at_ns : ndarray of int64
        Close of the minute, ns UTC.
    bps : ndarray of float64
        Log return in basis points.
    begins : ndarray of bool
        First after a hole: the model's memory begins anew, as it does live.
    closes : ndarray of float64
        Price at the close.

    """

    at_ns: Ints
    bps: Floats
    begins: Bools
    closes: Floats

    def part(self, first: int, last: int) -> Returns:
        """Return rows from `first` up to and without `last`."""
        rows = slice(first, last)
        return Returns(self.at_ns[rows], self.bps[rows], self.begins[rows], self.closes[rows])


@dataclass(frozen=True)
class StateScore:
    """What a number of states is worth.

    Attributes
    ----------
    states : int
    log_likelihood, bic : float
        In sample, of the whole; a lower criterion is better.
    out_of_sample : float
        Mean log density of unseen returns, nats a minute.
    gain, p_no_gain : float
        Over the fewer states kept so far, and the one-sided p-value of none; NaN for the first.
    converged : bool
        Of the fit to the whole.

    """

    states: int
    log_likelihood: float
    bic: float
    out_of_sample: float
    gain: float
    p_no_gain: float
    converged: bool


@dataclass(frozen=True)
class Selected:
    """The chosen model with its figures and out-of-sample log densities.

    Attributes
    ----------
    model : GaussianHmm
        Fitted on everything.
    scores : tuple of StateScore
        One a number of states, ascending.
    tested : slice
        Rows scored out of sample.
    log_density : ndarray of float64
        Of the chosen number of states, a row each.

    """

    model: GaussianHmm
    scores: tuple[StateScore, ...]
    tested: slice
    log_density: Floats


@dataclass(frozen=True)
class Agreement:
    """States beside rules.

    Attributes
    ----------
    table : ndarray of int64, shape (states, regimes)
        Minutes by most probable filtered state and by regime of the rules, columns in the order of `kernel.REGIME_NAMES`.
    state_dwell_min, rule_dwell_min : tuple of float
        Mean length of a stay, minutes; NaN for what never came.
    expected_dwell_min : tuple of float
        What the transition matrix says: 1 / (1 - p).

    """

    table: Ints
    state_dwell_min: tuple[float, ...]
    rule_dwell_min: tuple[float, ...]
    expected_dwell_min: tuple[float, ...]


def minute_returns(at_ns: Ints, closes: Floats) -> Returns:
    """Return the log returns of consecutive minutes.

    Parameters
    ----------
    at_ns : ndarray of int64, shape (n,)
        Closes of the minutes, ascending.
    closes : ndarray of float64, shape (n,)
        Positive.

    Raises
    ------
    DataError
        For times out of order or prices that are not positive.

    """
    if at_ns.shape != closes.shape or (np.diff(at_ns) <= 0).any() or not (closes > 0.0).all():
        raise DataError("minute closes: expected one positive price a minute in order, was otherwise")
    follows = np.diff(at_ns) == MINUTE_NS
    bps = 1e4 * np.diff(np.log(closes))
    begins = np.r_[True, ~follows[:-1]] if len(follows) else np.empty(0, np.bool_)
    return Returns(at_ns[1:][follows], bps[follows], begins[follows], closes[1:][follows])


@njit(cache=True)
def _filtered(
    bps: Floats, begins: Bools, start: Floats, transition: Floats, means: Floats, variances: Floats
) -> tuple[Floats, Floats]:
    out, density = np.empty((len(bps), len(start))), np.empty(len(bps))
    now = np.zeros(len(start))
    for t in range(len(bps)):
        if begins[t]:
            now[:] = 0.0
        density[t] = hmm.filter_step(now, bps[t], start, transition, means, variances)
        out[t] = now
    return out, density


def filtered(returns: Returns, model: GaussianHmm) -> tuple[Floats, Floats]:
    """Return filtered probabilities, shape (n, k), and the log density of each return given those before it."""
    probabilities, density = _filtered(returns.bps, returns.begins, *model)
    return probabilities, density


def information_criterion(log_likelihood: float, states: int, n: int) -> float:
    """Bayesian information criterion (Schwarz 1978): k − 1 starts, k (k − 1) moves, k means and k variances are free."""
    free = states - 1 + states * (states - 1) + 2 * states
    return free * math.log(n) - 2.0 * log_likelihood


def select(
    returns: Returns,
    states: Sequence[int] = (1, 2, 3),
    folds: int = 3,
    rounds: int = 60,
    tolerance: float = 0.1,
    level: float = 0.05,
) -> Selected:
    """Fit models of several sizes and choose one.

    Parameters
    ----------
    returns : Returns
    states : sequence of int
        Ascending; the fewest are kept unless more predict better.
    folds : int
        Stretches of the later half, each predicted by a fit to everything before it.
    rounds, tolerance
        Of `hmm.fit`.
    level : float
        Of the one-sided test on blocks that more states predict better.

    Returns
    -------
    Selected

    Raises
    ------
    DataError
        For too few returns.

    """
    n = len(returns.bps)
    edges = np.linspace(n // 2, n, folds + 1).astype(int)
    tested = slice(int(edges[0]), n)
    scores: list[StateScore] = []
    best: tuple[GaussianHmm, Floats] | None = None
    for k in states:
        parts = []
        for a, b in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            past = hmm.fit(returns.bps[:a], k, rounds=rounds, tolerance=tolerance)
            # Filtering begins a while before the fold, so that the first minutes are not guessed at.
            lead = max(0, a - 1440)
            parts.append(filtered(returns.part(lead, b), past.model)[1][a - lead :])
        density = np.concatenate(parts)
        whole = hmm.fit(returns.bps, k, rounds=rounds, tolerance=tolerance)
        gain = p = math.nan
        if best is not None:
            found = block_mean(density - best[1], returns.at_ns[tested], MEMORY_NS)
            gain, p = (found.estimate, found.p_not_above(0.0)) if found is not None else (gain, p)
        scores.append(
            StateScore(
                k,
                whole.log_likelihood,
                information_criterion(whole.log_likelihood, k, n),
                float(density.mean()),
                gain,
                p,
                whole.converged,
            )
        )
        if best is None or p < level:
            best = (whole.model, density)
    if best is None:
        raise DataError("regime model: expected at least one number of states, was none")
    return Selected(best[0], tuple(scores), tested, best[1])


@njit(cache=True)
def _rules(closes: Floats, begins: Bools, state: np.record, params: kernel.RegimeKernelParams) -> Ints:
    out = np.zeros(len(closes), np.int64)
    volumes = np.full(params.bars, math.nan)
    seen = 0
    for t in range(len(closes)):
        if begins[t]:
            seen = 0
            state.regime = kernel.UNKNOWN
            state.dwelt = 0
        seen += 1
        if seen >= params.bars:
            evidence = kernel.evidence_of(closes[t + 1 - params.bars : t + 1], volumes, math.nan)
            out[t] = kernel.step(state, evidence, params)
    return out


def regimes_by_rules(returns: Returns, params: kernel.RegimeKernelParams | None = None) -> Ints:
    """Return the rules' regime of every minute from closes alone: volume and Hurst exponent are left undefined."""
    state = np.zeros(1, kernel.REGIME_STATE)[0]
    return np.asarray(_rules(returns.closes, returns.begins, state, params or kernel.RegimeKernelParams()))


def compare_with_rules(returns: Returns, model: GaussianHmm) -> Agreement:
    """Set the model's most probable filtered states beside the rules' regimes."""
    own = filtered(returns, model)[0].argmax(axis=1).astype(np.int64)
    ruled = regimes_by_rules(returns)
    k, regimes = len(model.start), len(kernel.REGIME_NAMES)
    table = np.zeros((k, regimes), np.int64)
    np.add.at(table, (own, ruled), 1)
    stay = np.minimum(np.diag(model.transition), 1.0 - 1e-12)
    return Agreement(
        table,
        tuple(dwell_minutes(own, returns.begins, k)),
        tuple(dwell_minutes(ruled, returns.begins, regimes)),
        tuple((1.0 / (1.0 - stay)).tolist()),
    )


def dwell_minutes(labels: Ints, begins: Bools, kinds: int) -> list[float]:
    """Mean number of minutes in a row of each label; NaN for one that never came."""
    if not len(labels):
        return [math.nan] * kinds
    starts = np.flatnonzero(np.r_[True, np.diff(labels) != 0] | begins)
    lengths = np.diff(np.r_[starts, len(labels)])
    kept = [lengths[labels[starts] == kind] for kind in range(kinds)]
    return [float(own.mean()) if len(own) else math.nan for own in kept]
