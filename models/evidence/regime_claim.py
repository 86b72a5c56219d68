"""Study E4: the claim that some strategy wins often in one regime and seldom in another.

Here belongs the posterior probability of that claim. The regime–performance matrix itself, which sizes and gates, belongs to
``models.portfolio.regime_matrix``.

With a uniform prior on every cell the claim looks almost certain as soon as there are many cells, whatever the data. So cells
share a prior that is learned from all of them together: with probability 1 − s a cell's win rate is Beta(m·κ, (1−m)·κ), like
the others'; with probability s it is an exception and may be anything (uniform). Mean m, strength κ and share s are integrated
on a grid. Cells that differ by no more than chance pull each other together, yet a real exception is not hidden by many dull
cells. A fixed prior can be had.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.errors import DataError
from models.evidence.verdict import FAILED, NOT_ENOUGH_DATA, PASSED

Floats = NDArray[np.float64]

OFTEN = 0.6
SELDOM = 0.4
SURE = 0.95
DECISIVE_TRADES = 100  # a cell of fewer cannot show that a win rate of 70 % is not there
_STRENGTHS = np.geomspace(2.0, 2000.0, 14)
_EXCEPTIONS = np.array([0.0, 0.05, 0.1, 0.2, 0.4])
_MEAN_POINTS = 41


@dataclass(frozen=True)
class CellRecord:
    """Trades of one strategy in one regime; trades that overlap in time count as one.

    Attributes
    ----------
    strategy, regime : str
    wins, trades : int

    """

    strategy: str
    regime: str
    wins: int
    trades: int


@dataclass(frozen=True)
class RegimeClaim:
    """Posterior probability of the claim.

    Attributes
    ----------
    probability : float
        That some strategy wins more than 60 % in one regime and less than 40 % in another; NaN where no strategy has traded
        in two regimes.
    by_strategy : dict of str to float
        The same for each strategy that has traded in two regimes.
    trades : int
    verdict : str
        ``passed`` from 0.95 on; ``failed`` up to 0.05 where the median cell has at least 100 trades; else ``not enough data``.

    """

    probability: float
    by_strategy: dict[str, float]
    trades: int
    verdict: str


def probability_above(
    wins: int, trades: int, threshold: float, prior: tuple[float, float] = (1.0, 1.0)
) -> float:
    """Posterior probability that a win rate exceeds a threshold.

    Parameters
    ----------
    wins, trades : int
    threshold : float
        In (0, 1).
    prior : (float, float)
        Of the Beta distribution.

    Returns
    -------
    float

    """
    from scipy.special import betaincc  # here: whoever only reads a study must not pay for scipy

    _check(wins, trades)
    return float(betaincc(prior[0] + wins, prior[1] + trades - wins, threshold))


def regime_claim(
    cells: Sequence[CellRecord],
    *,
    prior: tuple[float, float] | None = None,
    often: float = OFTEN,
    seldom: float = SELDOM,
    sure: float = SURE,
) -> RegimeClaim:
    """Compute the probability of the claim.

    Parameters
    ----------
    cells : sequence of CellRecord
        At most one per strategy and regime; cells without trades are ignored.
    prior : (float, float), optional
        One Beta prior for every cell; by default learned from the cells.
    often, seldom, sure : float

    Returns
    -------
    RegimeClaim

    """
    names = [(cell.strategy, cell.regime) for cell in cells]
    if len(set(names)) != len(names):
        raise DataError("expected at most one cell per strategy and regime")
    for cell in cells:
        _check(cell.wins, cell.trades)
    used = [cell for cell in cells if cell.trades > 0]
    trades = sum(cell.trades for cell in used)
    by_name: dict[str, list[int]] = {}
    for row, cell in enumerate(used):
        by_name.setdefault(cell.strategy, []).append(row)
    testable = {name: rows for name, rows in sorted(by_name.items()) if len(rows) >= 2}
    if not testable:
        return RegimeClaim(math.nan, {}, trades, NOT_ENOUGH_DATA)
    wins = np.array([cell.wins for cell in used], dtype=np.float64)
    losses = np.array([cell.trades - cell.wins for cell in used], dtype=np.float64)
    high, low, weight = (
        _fixed(wins, losses, prior, often, seldom) if prior else _learned(wins, losses, often, seldom)
    )
    claims = _claims(high, low, list(testable.values()))
    # Strategies are independent given the prior's parameters, so the product comes before the average over those.
    probability = float(weight @ (1.0 - np.prod(1.0 - claims, axis=1)))
    by_strategy = {name: float(p) for name, p in zip(testable, weight @ claims, strict=True)}
    decisive = float(np.median(wins + losses)) >= DECISIVE_TRADES
    failed = probability <= 1.0 - sure and decisive
    verdict = PASSED if probability >= sure else FAILED if failed else NOT_ENOUGH_DATA
    return RegimeClaim(probability, by_strategy, trades, verdict)


def _claims(high: Floats, low: Floats, strategies: list[list[int]]) -> Floats:
    """Probability of each strategy's claim at each point of the grid, shape (grid, strategies)."""
    out = np.empty((len(high), len(strategies)))
    for column, rows in enumerate(strategies):
        none_high = np.prod(1.0 - high[:, rows], axis=1)
        none_low = np.prod(1.0 - low[:, rows], axis=1)
        neither = np.prod(np.maximum(1.0 - high[:, rows] - low[:, rows], 0.0), axis=1)
        out[:, column] = 1.0 - none_high - none_low + neither
    return np.clip(out, 0.0, 1.0)


def _tails(a: Floats, b: Floats, often: float, seldom: float) -> tuple[Floats, Floats]:
    from scipy.special import betainc, betaincc

    return betaincc(a, b, often), betainc(a, b, seldom)


def _fixed(
    wins: Floats, losses: Floats, prior: tuple[float, float], often: float, seldom: float
) -> tuple[Floats, Floats, Floats]:
    high, low = _tails((prior[0] + wins)[None], (prior[1] + losses)[None], often, seldom)
    return high, low, np.ones(1)


def _learned(wins: Floats, losses: Floats, often: float, seldom: float) -> tuple[Floats, Floats, Floats]:
    """Probabilities of each cell beyond the thresholds at each point of the grid, and the points' posterior weights."""
    from scipy.special import betaln

    mean, mean_weight = _mean_grid(float(wins.sum()), float(losses.sum()))
    m, strength = (grid.ravel() for grid in np.meshgrid(mean, _STRENGTHS))
    a, b = (m * strength)[:, None], ((1.0 - m) * strength)[:, None]
    common = betaln(a + wins, b + losses) - betaln(a, b)
    exception = betaln(1.0 + wins, 1.0 + losses)
    high, low = _tails(a + wins, b + losses, often, seldom)
    high_alone, low_alone = _tails(1.0 + wins, 1.0 + losses, often, seldom)
    highs, lows, logs = [], [], []
    for share in _EXCEPTIONS:
        with np.errstate(divide="ignore"):
            log_exception = np.log(share) + exception
        both = np.logaddexp(np.log1p(-share) + common, log_exception)
        is_exception = np.exp(log_exception - both)
        highs.append(high + is_exception * (high_alone - high))
        lows.append(low + is_exception * (low_alone - low))
        logs.append(both.sum(axis=1) + np.log(np.tile(mean_weight, len(_STRENGTHS))))
    log = np.concatenate(logs)
    weight = np.exp(log - log.max())
    return np.concatenate(highs), np.concatenate(lows), weight / weight.sum()


def _mean_grid(wins: float, losses: float) -> tuple[Floats, Floats]:
    """Points from 0.01 to 0.99, dense around the pooled win rate where the posterior is narrow, and their widths."""
    centre = min(max((wins + 1.0) / (wins + losses + 2.0), 0.02), 0.98)
    u = np.linspace(-1.0, 1.0, _MEAN_POINTS)
    reach = np.where(u < 0.0, centre - 0.01, 0.99 - centre)
    points = centre + reach * np.sinh(4.0 * u) / math.sinh(4.0)
    return points, np.gradient(points)


def _check(wins: int, trades: int) -> None:
    if not 0 <= wins <= trades:
        raise DataError(f"expected 0 ≤ wins ≤ trades, was {wins} of {trades}")
