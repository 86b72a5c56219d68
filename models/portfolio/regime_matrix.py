"""Regime–performance matrix: what each strategy earned in each regime, with how sure that is.

Here belongs M3: the posterior of win rate and expected value of each cell, shrunk toward the strategy's other regimes so that
few trades do not look sure. Reading trades and registering the result is the business of the pipelines, using it in a gate
that of the executor.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from models.errors import BundleError

LAST_TRADES = 50


@dataclass(frozen=True)
class Trade:
    """One closed trade: strategy, regime at entry, and its profit after fees and funding in USD."""

    strategy: str
    regime: str
    exit_ns: int
    pnl_usd: float


@dataclass(frozen=True)
class Cell:
    """What one strategy earned in one regime.

    Attributes
    ----------
    strategy, regime : str
    n : int
        Trades counted: at most the last `LAST_TRADES`.
    win_rate, mean_win_usd, mean_loss_usd : float
        As observed; the loss is positive. Zero where there was none.
    win_rate_low, win_rate_high : float
        5 % and 95 % quantiles of the Beta(1 + wins, 1 + losses) posterior.
    ev_usd : float
        Win rate × mean win − (1 − win rate) × mean loss: the mean profit a trade.
    ev_shrunk_usd, ev_sd_usd : float
        Mean profit shrunk toward the strategy's mean over regimes (DerSimonian–Laird), and its standard error.
    p_ev_positive : float
        Probability that the true mean profit is positive, from `ev_shrunk_usd` and `ev_sd_usd`.

    """

    strategy: str
    regime: str
    n: int
    win_rate: float
    mean_win_usd: float
    mean_loss_usd: float
    win_rate_low: float
    win_rate_high: float
    ev_usd: float
    ev_shrunk_usd: float
    ev_sd_usd: float
    p_ev_positive: float


def build_matrix(trades: Sequence[Trade], prior_sd_usd: float | None = None) -> list[Cell]:
    """Compute the matrix.

    Parameters
    ----------
    trades : sequence of Trade
        Closed trades in any order.
    prior_sd_usd : float, optional
        Standard deviation of one trade's profit assumed before any was seen, weighed as two trades; by default that of all
        trades together about zero.

    Returns
    -------
    list of Cell
        Sorted by strategy and regime; only cells with a trade.

    """
    groups: dict[tuple[str, str], list[Trade]] = {}
    for trade in sorted(trades, key=lambda t: t.exit_ns):
        groups.setdefault((trade.strategy, trade.regime), []).append(trade)
    profits = np.array([t.pnl_usd for t in trades], dtype=np.float64)
    # About zero, not about their mean: one trade, or a few alike, have no spread of their own and would look certain.
    observed_sd = math.sqrt(float((profits**2).mean())) if len(profits) else 0.0
    spread = prior_sd_usd if prior_sd_usd is not None else observed_sd
    observed = {
        key: np.array([t.pnl_usd for t in rows[-LAST_TRADES:]], dtype=np.float64)
        for key, rows in groups.items()
    }
    cells = []
    for strategy in sorted({key[0] for key in observed}):
        own = {regime: observed[key] for key in observed if key[0] == strategy for regime in (key[1],)}
        cells += _cells_of(strategy, own, spread)
    return cells


def _cells_of(strategy: str, by_regime: Mapping[str, np.ndarray], spread: float) -> list[Cell]:
    regimes = sorted(by_regime)
    means = np.array([by_regime[r].mean() for r in regimes])
    # Two imagined trades of the overall spread keep a cell of one or two lucky trades from looking certain.
    errors = np.array(
        [
            math.sqrt((float(((p - p.mean()) ** 2).sum()) + 2.0 * spread**2) / (len(p) + 1.0) / len(p))
            for p in (by_regime[r] for r in regimes)
        ]
    )
    errors = np.maximum(errors, 1e-9)
    between = dersimonian_laird(means, errors**2)
    weights = 1.0 / (between + errors**2)
    centre = float((weights * means).sum() / weights.sum())
    centre_variance = 1.0 / float(weights.sum())
    out = []
    for regime, mean, error in zip(regimes, means, errors, strict=True):
        own = between / (between + error**2)
        shrunk = own * mean + (1.0 - own) * centre
        sd = math.sqrt(own * error**2 + (1.0 - own) ** 2 * centre_variance)
        out.append(_cell(strategy, regime, by_regime[regime], float(shrunk), sd))
    return out


def _cell(strategy: str, regime: str, profits: np.ndarray, shrunk: float, sd: float) -> Cell:
    wins, losses = profits[profits > 0.0], profits[profits <= 0.0]
    from scipy.stats import beta  # here, because the executor reads matrices and must not pay for scipy.stats

    posterior = beta(1 + len(wins), 1 + len(losses))
    win_rate = len(wins) / len(profits)
    mean_win = float(wins.mean()) if len(wins) else 0.0
    mean_loss = float(-losses.mean()) if len(losses) else 0.0
    return Cell(
        strategy,
        regime,
        len(profits),
        win_rate,
        mean_win,
        mean_loss,
        float(posterior.ppf(0.05)),
        float(posterior.ppf(0.95)),
        win_rate * mean_win - (1.0 - win_rate) * mean_loss,
        shrunk,
        sd,
        0.5 * math.erfc(-shrunk / sd / math.sqrt(2.0)) if sd > 0.0 else 0.5,
    )


def dersimonian_laird(means: np.ndarray, variances: np.ndarray) -> float:
    """Between-cell variance of the means (DerSimonian and Laird 1986), truncated at zero.

    Parameters
    ----------
    means, variances : ndarray of float64, shape (k,)
        Cell means and the squared standard errors of those means.

    Returns
    -------
    float
        Zero with fewer than two cells.

    """
    if len(means) < 2:
        return 0.0
    weights = 1.0 / variances
    centre = float((weights * means).sum() / weights.sum())
    heterogeneity = float((weights * (means - centre) ** 2).sum())
    scale = float(weights.sum() - (weights**2).sum() / weights.sum())
    return max((heterogeneity - (len(means) - 1)) / scale, 0.0)


def to_files(cells: Sequence[Cell]) -> dict[str, bytes]:
    """Return the matrix as bundle files, without the manifest."""
    return {"matrix.json": json.dumps({"cells": [asdict(c) for c in cells]}, indent=1).encode()}


def from_files(files: Mapping[str, bytes]) -> dict[tuple[str, str], Cell]:
    """Read a matrix from bundle files, by (strategy, regime).

    Raises
    ------
    BundleError
        If ``matrix.json`` is missing or unreadable.

    """
    try:
        rows: list[dict[str, Any]] = json.loads(files["matrix.json"])["cells"]
        cells = [Cell(**row) for row in rows]
    except (KeyError, ValueError, TypeError) as error:
        raise BundleError(
            f"matrix.json is missing or unreadable: {error}", remedy="run the learning job again"
        ) from error
    return {(c.strategy, c.regime): c for c in cells}
