"""The rotator's two ways to explore, compared in simulation: a fixed share of the windows against Thompson sampling.

A market in some regime at each step; strategies whose mean profit depends on the regime and drifts; a strategy that is
active trades once a step and, without a shadow, is seen only then. Every few steps M3's posterior is computed from the last
trades of each cell, with the matrix's own formulas, here over arrays of runs. Regret is what a rotator earns less than one
that knows every mean. What does not belong here: decisions on real trades.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.errors import DataError
from models.portfolio.regime_matrix import LAST_TRADES
from models.portfolio.rotator import RotatorRules

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GREEDY: Final = "greedy"
SHARE: Final = "share"
THOMPSON: Final = "thompson"
WAYS: Final = (GREEDY, SHARE, THOMPSON)
_LEAST_RUNS: Final = 30
_NORMAL: Final = NormalDist()


@dataclass(frozen=True)
class Setting:
    """A simulated world; money in USD a trade.

    Attributes
    ----------
    runs, steps : int
        Independent worlds (seeds), and steps of each.
    strategies, regimes : int
        At least 1 and 2.
    stay : float
        Probability that the regime of the next step is this one.
    mean_sd, trade_sd : float
        Standard deviation of the true means over cells, and of one trade about its mean.
    centre : float
        Mean of the true means.
    half_life : float
        Steps after which half of a true mean's deviation from its centre is forgotten; inf for means that stay.
    refresh : int
        Steps between two posteriors: the matrix is learnt every four hours, not after every trade.
    shadow_seen : bool
        Whether the matrix also counts what the shadow trades of silenced strategies made.
    shadow_flatters : float
        What a shadow trade makes more than the live trade would have, because fills are modelled too kindly.
    rules : RotatorRules
        Least value, share of exploration and prior.

    """

    runs: int = 200
    steps: int = 2000
    strategies: int = 8
    regimes: int = 5
    stay: float = 0.98
    mean_sd: float = 1.0
    trade_sd: float = 4.0
    centre: float = 0.0
    half_life: float = 1000.0
    refresh: int = 10
    shadow_seen: bool = False
    shadow_flatters: float = 0.0
    rules: RotatorRules = field(default_factory=RotatorRules)


@dataclass(frozen=True)
class Estimate:
    """A mean over runs with its 95 % interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Comparison:
    """Regret a step of each way, all strategies together, and the differences of pairs of ways on the same worlds.

    Attributes
    ----------
    regret : dict of str to Estimate
        By way, USD a step.
    share_minus_thompson, greedy_minus_thompson : Estimate
        Above zero: Thompson sampling loses less.
    active : dict of str to float
        Share of (strategy, step) in which a strategy was active; the one that knows has ``"oracle"``.

    """

    regret: dict[str, Estimate]
    share_minus_thompson: Estimate
    greedy_minus_thompson: Estimate
    active: dict[str, float]


def compare_exploration(setting: Setting, seed: int) -> Comparison:
    """Simulate all ways on the same worlds.

    Parameters
    ----------
    setting : Setting
    seed : int

    Returns
    -------
    Comparison
        Intervals are Student's over runs, by the normal quantile: runs are independent.

    Raises
    ------
    DataError
        For fewer than 30 runs.

    """
    if setting.runs < _LEAST_RUNS:
        raise DataError(f"at least {_LEAST_RUNS} runs were expected, was {setting.runs}")
    regimes, means = _world(setting, np.random.default_rng([seed, 0]))
    gains = means - setting.rules.least_value_usd
    best = np.maximum(gains, 0.0)
    regret, active = {}, {"oracle": float((gains > 0.0).mean())}
    for way in WAYS:
        chosen = _run(way, setting, regimes, means, np.random.default_rng([seed, 1]))
        regret[way] = (best - np.where(chosen, gains, 0.0)).sum(axis=2).mean(axis=1)
        active[way] = float(chosen.mean())
    return Comparison(
        {way: _estimate(values) for way, values in regret.items()},
        _estimate(regret[SHARE] - regret[THOMPSON]),
        _estimate(regret[GREEDY] - regret[THOMPSON]),
        active,
    )


def choose(way: str, mean: Floats, sd: Floats, chance: Floats, rules: RotatorRules) -> NDArray[np.bool_]:
    """Say which strategies a way activates; `rotator.rotate` decides one at a time by the same comparison.

    Parameters
    ----------
    way : str
        `GREEDY`, `SHARE` or `THOMPSON`.
    mean, sd : ndarray of float64
        Posterior, USD.
    chance : ndarray of float64, same shape
        Uniform draws from the open interval 0 to 1.
    rules : RotatorRules

    Returns
    -------
    ndarray of bool, same shape

    """
    pays = mean > rules.least_value_usd
    if way == GREEDY:
        return np.asarray(pays)
    if way == SHARE:
        return np.asarray(pays | (chance < rules.exploration_share))
    from scipy.special import ndtri  # here: whoever only reads the comparison must not pay for scipy

    return np.asarray(mean + sd * ndtri(chance) > rules.least_value_usd)


def posterior(sums: Floats, squares: Floats, counts: Ints, spread: Floats) -> tuple[Floats, Floats]:
    """Shrunk mean and standard error of cells, as `regime_matrix.build_matrix` has them, over any leading axes.

    Parameters
    ----------
    sums, squares : ndarray of float64, shape (..., regimes)
        Of the profits of each cell, and of their squares.
    counts : ndarray of int64, same shape
    spread : ndarray of float64, shape (..., 1)
        Standard deviation of one trade's profit about zero, weighed as two imagined trades.

    Returns
    -------
    means, sds : ndarray of float64, same shape
        NaN where nothing was traded.

    """
    traded = counts > 0
    n = np.maximum(counts, 1)
    mean = sums / n
    within = np.maximum(squares - n * mean**2, 0.0)
    variance = np.maximum(np.sqrt((within + 2.0 * spread**2) / (n + 1.0) / n), 1e-9) ** 2
    between = _between(mean, variance, traded)
    weight = np.where(traded, 1.0 / (between + variance), 0.0)
    whole = np.maximum(weight.sum(axis=-1, keepdims=True), 1e-300)
    centre = (weight * mean).sum(axis=-1, keepdims=True) / whole
    own = between / (between + variance)
    shrunk = own * mean + (1.0 - own) * centre
    sd = np.sqrt(own * variance + (1.0 - own) ** 2 / whole)
    return np.where(traded, shrunk, math.nan), np.where(traded, sd, math.nan)


def _between(mean: Floats, variance: Floats, traded: NDArray[np.bool_]) -> Floats:
    weight = np.where(traded, 1.0 / variance, 0.0)
    whole = np.maximum(weight.sum(axis=-1, keepdims=True), 1e-300)
    centre = (weight * mean).sum(axis=-1, keepdims=True) / whole
    heterogeneity = (weight * (mean - centre) ** 2).sum(axis=-1, keepdims=True)
    cells = traded.sum(axis=-1, keepdims=True)
    scale = whole - (weight**2).sum(axis=-1, keepdims=True) / whole
    found = (heterogeneity - (cells - 1)) / np.where(cells > 1, scale, 1.0)
    return np.asarray(np.where(cells > 1, np.maximum(found, 0.0), 0.0), dtype=np.float64)


def _world(setting: Setting, rng: np.random.Generator) -> tuple[Ints, Floats]:
    """Return regimes (runs, steps) and each strategy's true mean in the regime of the step (runs, steps, strategies)."""
    s = setting
    keep = 0.5 ** (1.0 / s.half_life)
    fresh = s.mean_sd * math.sqrt(max(1.0 - keep**2, 0.0))
    shape = (s.runs, s.strategies, s.regimes)
    regimes = np.zeros((s.runs, s.steps), dtype=np.int64)
    means = np.empty((s.runs, s.steps, s.strategies))
    regime = rng.integers(s.regimes, size=s.runs)
    away = s.mean_sd * rng.standard_normal(shape)
    for step in range(s.steps):
        regimes[:, step] = regime
        means[:, step] = s.centre + np.take_along_axis(away, regime[:, None, None], axis=2)[..., 0]
        away = keep * away + fresh * rng.standard_normal(shape)
        leaves = rng.random(s.runs) >= s.stay
        regime = (regime + leaves * rng.integers(1, s.regimes, size=s.runs)) % s.regimes
    return regimes, means


def _run(
    way: str, setting: Setting, regimes: Ints, true: Floats, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Return which strategies were active, (runs, steps, strategies); `true` are their means in the regime of the step."""
    s = setting
    rings = np.zeros((s.runs, s.strategies, s.regimes, LAST_TRADES))
    counts = np.zeros((s.runs, s.strategies, s.regimes), dtype=np.int64)
    chosen = np.zeros((s.runs, s.steps, s.strategies), dtype=bool)
    runs, names = np.arange(s.runs)[:, None], np.arange(s.strategies)[None, :]
    mean = sd = np.empty(0)
    for step in range(s.steps):
        if step % s.refresh == 0:
            mean, sd = _posterior_now(rings, counts, setting)
        regime = regimes[:, step][:, None]
        # The same chance and the same profits for every way: worlds are paired.
        chance = rng.random((s.runs, s.strategies))
        profit = true[:, step] + s.trade_sd * rng.standard_normal((s.runs, s.strategies))
        active = choose(way, mean[runs, names, regime], sd[runs, names, regime], chance, setting.rules)
        chosen[:, step] = active
        run, name = np.nonzero(active | s.shadow_seen)
        cell = regimes[run, step]
        shown = profit + np.where(active, 0.0, s.shadow_flatters)
        rings[run, name, cell, counts[run, name, cell] % LAST_TRADES] = shown[run, name]
        counts[run, name, cell] += 1
    return chosen


def _posterior_now(rings: Floats, counts: Ints, setting: Setting) -> tuple[Floats, Floats]:
    held = np.minimum(counts, LAST_TRADES)
    squares = (rings**2).sum(axis=-1)
    everything = np.maximum(held.sum(axis=(1, 2), keepdims=True), 1)
    spread = np.sqrt(squares.sum(axis=(1, 2), keepdims=True) / everything)
    mean, sd = posterior(rings.sum(axis=-1), squares, held, spread)
    prior_sd = setting.rules.prior_sds * setting.rules.least_value_usd
    return np.where(held > 0, mean, 0.0), np.where(held > 0, sd, prior_sd)


def _estimate(values: Floats) -> Estimate:
    mean = float(values.mean())
    half = _NORMAL.inv_cdf(0.975) * float(values.std(ddof=1)) / math.sqrt(len(values))
    return Estimate(mean, mean - half, mean + half)
