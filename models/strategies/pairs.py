"""Fit a co-integrated pair on closes: the terms S15 trades on, as known at each instant, never later.

Engle and Granger's two steps: log(own) = alpha + beta log(partner) + spread by least squares, and an augmented
Dickey-Fuller test without constant on the spread, its lags chosen by Akaike's criterion, its p-value from MacKinnon's
(1994) response surface for two variables with a constant. The half-life is that of a first-order autoregression of
the spread. Same numbers as `statsmodels.tsa.stattools.coint`. What does not belong here: what is traded on the terms.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.errors import DataError

Floats = NDArray[np.float64]

LEAST_BARS: Final = 50
_STANDS_STILL: Final = 1e-12

# MacKinnon 1994, constant, two variables, as updated in 2010: range, and the polynomials of either side of `_STAR`.
_LOWEST, _STAR, _HIGHEST = -18.86, -2.62, 0.92
_SMALL_P: Final = (2.92, 1.5012, 0.039796)
_LARGE_P: Final = (2.1945, 0.64695, -0.29198, -0.042377)

TERMS: Final = np.dtype(
    [
        ("at_ns", np.int64),  # close of the newest bar used
        ("pair_alpha", np.float64),
        ("pair_beta", np.float64),
        ("pair_sigma", np.float64),
        ("pair_half_life_s", np.float64),
        ("pair_pvalue", np.float64),
    ]
)
"""Terms of a pair from an instant on; the names are those of `OUTLOOK`."""


class PairFit(NamedTuple):
    """A fitted pair.

    Attributes
    ----------
    alpha, beta : float
        log(own) = alpha + beta log(partner) + spread.
    sigma : float
        Standard deviation of the spread, n - 2 degrees of freedom.
    half_life_bars : float
        Bars in which half of a deviation is expected back; infinite where the spread does not revert, 0 where it overshoots
        within a bar.
    statistic : float
        Augmented Dickey-Fuller t of the spread.
    lags : int
        Lagged differences in that test.
    pvalue : float
        Of no co-integration.

    """

    alpha: float
    beta: float
    sigma: float
    half_life_bars: float
    statistic: float
    lags: int
    pvalue: float


def mackinnon_pvalue(statistic: float) -> float:
    """Return the p-value of an Engle-Granger statistic of two variables with a constant."""
    if statistic > _HIGHEST:
        return 1.0
    if statistic < _LOWEST:
        return 0.0
    terms = _SMALL_P if statistic <= _STAR else _LARGE_P
    z = sum(term * statistic**power for power, term in enumerate(terms))
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


def _lagged(spread: Floats, lags: int) -> tuple[Floats, Floats]:
    """Return differences to explain, and the level before with `lags` earlier differences, oldest rows without them left out."""
    moves = np.diff(spread)
    rows = len(moves) - lags
    columns = [spread[lags:-1], *(moves[lags - k : lags - k + rows] for k in range(1, lags + 1))]
    return moves[lags:], np.column_stack(columns)


def _residual_squares(target: Floats, known: Floats) -> tuple[Floats, float]:
    solution: Floats = np.linalg.lstsq(known, target, rcond=None)[0].astype(np.float64)
    rest = target - known @ solution
    return solution, float(rest @ rest)


def dickey_fuller(spread: Floats) -> tuple[float, int]:
    """Return the augmented Dickey-Fuller t of a series without constant, and the lags Akaike's criterion chose.

    Parameters
    ----------
    spread : ndarray of float64, shape (n,)

    """
    n = len(spread)
    most = min(n // 2 - 1, math.ceil(12.0 * (n / 100.0) ** 0.25))
    target, known = _lagged(spread, most)
    rows = len(target)
    criteria = [
        rows * math.log(_residual_squares(target, known[:, :k])[1] / rows) + 2.0 * k
        for k in range(1, most + 2)
    ]
    lags = int(np.argmin(criteria))
    target, known = _lagged(spread, lags)
    solution, squares = _residual_squares(target, known)
    variance = squares / (len(target) - lags - 1) * np.linalg.inv(known.T @ known)[0, 0]
    return float(solution[0] / math.sqrt(variance)), lags


def _half_life(spread: Floats) -> float:
    before, moves = spread[:-1], np.diff(spread)
    keep = 1.0 + float(before @ moves) / float(before @ before)
    if keep >= 1.0:
        return math.inf
    return 0.0 if keep <= 0.0 else -math.log(2.0) / math.log(keep)


def fit_pair(own: Floats, partner: Floats) -> PairFit:
    """Fit a pair on closes.

    Parameters
    ----------
    own, partner : ndarray of float64, shape (n,)
        Closes of the same bars, quote, evenly spaced, oldest first.

    Returns
    -------
    PairFit

    Raises
    ------
    DataError
        When there are fewer than `LEAST_BARS`, lengths differ, a close is not positive, or the partner or the spread stands
        still.

    """
    if len(own) != len(partner) or len(own) < LEAST_BARS:
        raise DataError(
            f"pair: expected at least {LEAST_BARS} closes of each, was {len(own)} and {len(partner)}"
        )
    if not (np.all(own > 0.0) and np.all(partner > 0.0) and np.all(np.isfinite(own * partner))):
        raise DataError("pair: expected positive closes, was one that is not")
    y, x = np.log(own), np.log(partner)
    around = x - x.mean()
    squares = float(around @ around)
    if math.sqrt(squares / len(x)) < _STANDS_STILL:
        raise DataError("pair: expected closes of the partner that move, was a constant")
    beta = float(around @ (y - y.mean())) / squares
    alpha = float(y.mean() - beta * x.mean())
    spread = y - alpha - beta * x
    sigma = math.sqrt(float(spread @ spread) / (len(y) - 2))
    if sigma < _STANDS_STILL:
        raise DataError(f"pair: expected a spread that moves, was one of standard deviation {sigma:g}")
    statistic, lags = dickey_fuller(spread)
    return PairFit(alpha, beta, sigma, _half_life(spread), statistic, lags, mackinnon_pvalue(statistic))


def walk_forward(
    own: Floats, partner: Floats, close_ns: NDArray[np.int64], bar_ns: int, bars: int, every: int
) -> NDArray[np.void]:
    """Fit a pair again and again on the bars before each instant.

    Parameters
    ----------
    own, partner : ndarray of float64, shape (n,)
        Closes of the same bars, quote.
    close_ns : ndarray of int64, shape (n,)
        When each bar closed: its close was known from then on; increasing.
    bar_ns : int
        Length of a bar.
    bars : int
        Length of a fit's window.
    every : int
        Bars from one fit to the next.

    Returns
    -------
    ndarray of TERMS
        A row per fit: `at_ns` is the close of its newest bar. A window with a missing bar is left out.

    Raises
    ------
    DataError
        When lengths differ or times do not increase; for the rest see `fit_pair`.

    """
    if not len(own) == len(partner) == len(close_ns) or np.any(np.diff(close_ns) <= 0):
        raise DataError("pair: expected closes of the same bars with increasing times, was not so")
    rows = []
    for end in range(bars, len(own) + 1, every):
        start = end - bars
        if close_ns[end - 1] - close_ns[start] != (bars - 1) * bar_ns:
            continue
        fit = fit_pair(own[start:end], partner[start:end])
        half_life_s = fit.half_life_bars * 1e-9 * bar_ns
        rows.append((close_ns[end - 1], fit.alpha, fit.beta, fit.sigma, half_life_s, fit.pvalue))
    return np.array(rows, dtype=TERMS)
