"""Probability of backtest overfitting by combinatorially symmetric cross-validation.

Here belongs the method of Bailey, Borwein, López de Prado and Zhu (2017, Journal of Computational Finance 20(4)): how often
the strategy that looks best in one half of history is below the median in the other half. Deflating a Sharpe ratio and
splitting rows for model fitting belong to their own files.

Three rules that implementations differ on are fixed here. A logit of exactly zero counts as overfitted (λ ≤ 0). Equal
strategies share the mean of their ranks out of sample, and in sample the first of them wins; values that differ by rounding
only are equal. Where rows do not divide into the blocks, the oldest are left out.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.errors import DataError

Floats = NDArray[np.float64]
Metric = Literal["mean", "sharpe"]

_CHUNK = 2048
_ROUNDING = 1e-11


@dataclass(frozen=True)
class BacktestOverfitting:
    """Outcome over all halves of history.

    Attributes
    ----------
    pbo : float
        Share of halves whose winner is at or below the median of the other half.
    logits : ndarray of float64, shape (combinations,)
        λ = ln(ω/(1−ω)), ω = rank out of sample / (strategies + 1).
    probability_of_loss : float
        Share of halves whose winner loses in the other half.
    degradation : float
        Slope of the winner's metric out of sample on that in sample; NaN where the latter never changes.
    rows_used : int

    """

    pbo: float
    logits: Floats
    probability_of_loss: float
    degradation: float
    rows_used: int


def backtest_overfitting(returns: Floats, blocks: int = 16, metric: Metric = "sharpe") -> BacktestOverfitting:
    """Estimate the probability of backtest overfitting.

    Parameters
    ----------
    returns : ndarray of float64, shape (t, n)
        Rows are time, columns every strategy or configuration that was tried. An even n keeps ω off the median.
    blocks : int
        Even; 16 give 12 870 halves.
    metric : {"mean", "sharpe"}
        Sharpe ratio per observation with ddof 1; a strategy that does nothing at all in a half has ratio zero there.

    Returns
    -------
    BacktestOverfitting

    Raises
    ------
    DataError
        If the table is too small, not finite, or `blocks` is odd.

    """
    x = np.asarray(returns, dtype=np.float64)
    if x.ndim != 2 or x.shape[1] < 2 or not np.isfinite(x).all():
        raise DataError(f"expected a finite table of at least 2 strategies, was shape {x.shape}")
    if blocks < 2 or blocks % 2 or blocks > 20:
        raise DataError(f"the number of blocks should be even, from 2 to 20, was {blocks}")
    length = len(x) // blocks
    if length < 1 or (metric == "sharpe" and length * blocks < 4):
        raise DataError(f"{blocks} blocks need at least as many rows, was {len(x)}")
    used = x[len(x) - length * blocks :].reshape(blocks, length, x.shape[1])
    # About the whole's mean: sums of squares of the raw values would lose digits.
    centre = used.mean(axis=(0, 1))
    sums = (used - centre).sum(axis=1)
    squares = ((used - centre) ** 2).sum(axis=1)
    scale = float(np.abs(x).max()) or 1.0
    rows = length * blocks // 2
    logits, winners_in, winners_out = [], [], []
    halves = itertools.combinations(range(blocks), blocks // 2)
    while chunk := list(itertools.islice(halves, _CHUNK)):
        chosen = np.zeros((len(chunk), blocks))
        chosen[np.arange(len(chunk))[:, None], np.array(chunk)] = 1.0
        inside, outside = (
            _metric(half @ sums, half @ squares, centre, rows, metric, scale)
            for half in (chosen, 1.0 - chosen)
        )
        unit = scale if metric == "mean" else 1.0
        winner = _first_best(inside, unit)
        at = np.arange(len(chunk))
        winners_in.append(inside[at, winner])
        winners_out.append(outside[at, winner])
        logits.append(_logits(outside, winners_out[-1], unit))
    found, best_in, best_out = np.concatenate(logits), np.concatenate(winners_in), np.concatenate(winners_out)
    return BacktestOverfitting(
        pbo=float((found <= 0.0).mean()),
        logits=found,
        probability_of_loss=float((best_out < 0.0).mean()),
        degradation=_slope(best_in, best_out),
        rows_used=length * blocks,
    )


def _metric(sums: Floats, squares: Floats, centre: Floats, rows: int, metric: Metric, scale: float) -> Floats:
    mean = centre + sums / rows
    if metric == "mean":
        return np.asarray(mean)
    variance = np.maximum(squares - sums**2 / rows, 0.0) / (rows - 1.0)
    idle = np.sqrt(variance) <= _ROUNDING * scale
    if (idle & (np.abs(mean) > _ROUNDING * scale)).any():
        raise DataError(
            "a strategy earns the same non-zero return in every row of a half: its Sharpe ratio is undefined",
            remedy="use the mean as metric, or leave the strategy out",
        )
    return np.asarray(np.where(idle, 0.0, mean / np.sqrt(np.where(idle, 1.0, variance))))


def _first_best(values: Floats, unit: float) -> NDArray[np.int64]:
    return np.asarray((values >= values.max(axis=1, keepdims=True) - _ROUNDING * unit).argmax(axis=1))


def _logits(outside: Floats, winners: Floats, unit: float) -> Floats:
    away = outside - winners[:, None]
    below = (away < -_ROUNDING * unit).sum(axis=1)
    alike = (np.abs(away) <= _ROUNDING * unit).sum(axis=1)
    rank = below + (alike + 1.0) / 2.0
    omega = rank / (outside.shape[1] + 1.0)
    return np.asarray(np.log(omega / (1.0 - omega)))


def _slope(x: Floats, y: Floats) -> float:
    centred = x - x.mean()
    spread = float(centred @ centred)
    return float(centred @ y) / spread if spread > 0.0 else math.nan
