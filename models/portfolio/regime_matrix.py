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
VERSION = 2
"""Of ``matrix.json``: 1 had no shrunk wins and losses."""


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
    win_rate_shrunk, mean_win_shrunk_usd, mean_loss_shrunk_usd : float
        The same shrinkage of the share of wins (means and variances of the Beta posteriors) and of the mean win and loss, for
        Kelly's fraction; see `_wins_of`. NaN in a matrix of version 1.

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
    win_rate_shrunk: float = math.nan
    mean_win_shrunk_usd: float = math.nan
    mean_loss_shrunk_usd: float = math.nan


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
    errors = np.array([_error(by_regime[r], spread) for r in regimes])
    shrunk, sds = _shrunk(means, errors)
    wins = _wins_of([by_regime[r] for r in regimes], spread)
    return [
        _cell(strategy, regime, by_regime[regime], mean, sd, shares)
        for regime, mean, sd, shares in zip(regimes, shrunk, sds, wins, strict=True)
    ]


def _error(values: np.ndarray, spread: float) -> float:
    # Two imagined trades of the overall spread keep a cell of one or two lucky trades from looking certain.
    squares = float(((values - values.mean()) ** 2).sum()) + 2.0 * spread**2
    return max(math.sqrt(squares / (len(values) + 1.0) / len(values)), 1e-9)


def _shrunk(means: np.ndarray, errors: np.ndarray) -> tuple[list[float], list[float]]:
    """Return means shrunk toward their common centre, and their standard errors."""
    between = dersimonian_laird(means, errors**2)
    weights = 1.0 / (between + errors**2)
    centre = float((weights * means).sum() / weights.sum())
    own = between / (between + errors**2)
    sds = np.sqrt(own * errors**2 + (1.0 - own) ** 2 / float(weights.sum()))
    return (own * means + (1.0 - own) * centre).tolist(), sds.tolist()


def _wins_of(profits: Sequence[np.ndarray], spread: float) -> list[tuple[float, float, float]]:
    """Return share of wins, mean win and mean loss of each cell, shrunk toward the strategy's.

    A cell without a win or a loss takes the strategy's mean one. A strategy that never won has a mean win of 0; one that never
    lost has a mean loss of the overall spread, because what has not happened yet is not nothing.
    """
    wins = np.array([float((p > 0.0).sum()) for p in profits])
    counts = np.array([float(len(p)) for p in profits])
    rates = (1.0 + wins) / (2.0 + counts)
    shares, _ = _shrunk(rates, np.sqrt(rates * (1.0 - rates) / (3.0 + counts)))
    won = _sizes_of([p[p > 0.0] for p in profits], spread, 0.0)
    lost = _sizes_of([-p[p <= 0.0] for p in profits], spread, spread)
    return list(zip(shares, won, lost, strict=True))


def _sizes_of(sizes: Sequence[np.ndarray], spread: float, without: float) -> list[float]:
    known = [one for one in sizes if len(one)]
    if not known:
        return [without] * len(sizes)
    means = np.array([one.mean() for one in known])
    errors = np.array([_error(one, spread) for one in known])
    weights = 1.0 / (dersimonian_laird(means, errors**2) + errors**2)
    centre = float((weights * means).sum() / weights.sum())
    shrunk = iter(_shrunk(means, errors)[0])
    return [next(shrunk) if len(one) else centre for one in sizes]


def _cell(
    strategy: str,
    regime: str,
    profits: np.ndarray,
    shrunk: float,
    sd: float,
    distribution: tuple[float, float, float],
) -> Cell:
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
        *distribution,
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


def check_version(body: Mapping[str, Any]) -> None:
    """Check that a reader of this version understands a ``matrix.json``.

    Raises
    ------
    BundleError
        If it is of a newer version.

    """
    version = body.get("version", 1)
    if version not in range(1, VERSION + 1):
        raise BundleError(
            f"version of matrix.json should be 1 to {VERSION}, was {version!r}",
            remedy="run the release that made the matrix, or run the learning job again with this one",
        )


def to_files(cells: Sequence[Cell]) -> dict[str, bytes]:
    """Return the matrix as bundle files, without the manifest."""
    return {
        "matrix.json": json.dumps(
            {"version": VERSION, "cells": [asdict(c) for c in cells]}, indent=1
        ).encode()
    }


def from_files(files: Mapping[str, bytes]) -> dict[tuple[str, str], Cell]:
    """Read a matrix from bundle files, by (strategy, regime); one of an older version lacks what came later.

    Raises
    ------
    BundleError
        If ``matrix.json`` is missing, unreadable or of a newer version.

    """
    try:
        body: dict[str, Any] = json.loads(files["matrix.json"])
        check_version(body)
        rows: list[dict[str, Any]] = body["cells"]
        cells = [Cell(**row) for row in rows]
    except (AttributeError, KeyError, ValueError, TypeError) as error:
        raise BundleError(
            f"matrix.json is missing or unreadable: {error}", remedy="run the learning job again"
        ) from error
    return {(c.strategy, c.regime): c for c in cells}
