from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from models.errors import DataError
from models.portfolio.chance import uniform
from models.portfolio.exploration import (
    GREEDY,
    SHARE,
    THOMPSON,
    Setting,
    choose,
    compare_exploration,
    posterior,
)
from models.portfolio.regime_matrix import Trade, build_matrix
from models.portfolio.rotator import Exploration, RotatorRules, Value, rotate

RULES = RotatorRules()
SMALL = Setting(runs=60, steps=600)


def test_the_posterior_is_the_matrix() -> None:
    rng = np.random.default_rng(3)
    regimes = ("DISTRIBUTION", "HIGH_ENTROPY", "RANGE")
    counts = np.array([[3, 1, 20], [1, 40, 2], [1, 1, 1]])
    profits = [[rng.normal(rng.normal(), 4.0, n) for n in row] for row in counts]
    trades = [
        Trade(str(k), regimes[r], i, float(p))
        for k, row in enumerate(profits)
        for r, cell in enumerate(row)
        for i, p in enumerate(cell)
    ]
    sums = np.array([[cell.sum() for cell in row] for row in profits])
    squares = np.array([[(cell**2).sum() for cell in row] for row in profits])
    spread = np.full((3, 1), math.sqrt(squares.sum() / counts.sum()))
    means, sds = posterior(sums, squares, counts, spread)
    cells = build_matrix(trades)
    assert [c.ev_shrunk_usd for c in cells] == pytest.approx(list(means.ravel()))
    assert [c.ev_sd_usd for c in cells] == pytest.approx(list(sds.ravel()))


def test_a_cell_without_a_trade_is_unknown_and_moves_nothing() -> None:
    sums, squares, counts = np.array([[3.0, 0.0, -2.0]]), np.array([[9.0, 0.0, 4.0]]), np.array([[2, 0, 1]])
    means, sds = posterior(sums, squares, counts, np.array([[2.0]]))
    assert np.isnan(means[0, 1])
    assert np.isnan(sds[0, 1])
    without, _ = posterior(sums[:, [0, 2]], squares[:, [0, 2]], counts[:, [0, 2]], np.array([[2.0]]))
    assert means[0, [0, 2]] == pytest.approx(without[0])


@pytest.mark.parametrize(
    ("way", "exploration"), [(SHARE, Exploration.SHARE), (THOMPSON, Exploration.THOMPSON)]
)
def test_the_simulation_decides_as_the_rotator_does(way: str, exploration: Exploration) -> None:
    rules = replace(RULES, exploration=exploration)
    rng = np.random.default_rng(1)
    at_ns = [i * 900 * 1_000_000_000 for i in range(500)]
    mean, sd = rng.normal(0.0, 1.0, 500), rng.uniform(0.1, 1.0, 500)
    chance = np.array([uniform(rules.seed, t, "rebate_farmer", "X") for t in at_ns])
    one_by_one = []
    for t, m, s in zip(at_ns, mean, sd, strict=True):
        values = {("rebate_farmer", "RANGE"): Value(float(m), float(s), 9)}
        found = rotate("X", "RANGE", ["rebate_farmer"], values, 10_000.0, None, t, rules)
        one_by_one.append(bool(found.activations["rebate_farmer"].sides))
    assert one_by_one == list(choose(way, mean, sd, chance, rules))


def test_never_exploring_from_nothing_never_trades_and_its_regret_is_known() -> None:
    found = compare_exploration(replace(SMALL, runs=100, half_life=50.0), 5)
    assert found.active[GREEDY] == 0.0
    # Per strategy the mean of the positive part of N(0, 1) - 0.5.
    known = 8 * (stats.norm.pdf(0.5) - 0.5 * stats.norm.sf(0.5))
    assert found.regret[GREEDY].low < known < found.regret[GREEDY].high
    assert found.active["oracle"] == pytest.approx(stats.norm.sf(0.5), abs=0.02)


def test_thompson_loses_less_than_a_share_where_only_trades_teach() -> None:
    found = compare_exploration(Setting(), 1)
    assert found.share_minus_thompson.low > 0.0
    assert found.greedy_minus_thompson.low > 0.0


def test_with_a_faithful_shadow_exploring_costs() -> None:
    found = compare_exploration(replace(SMALL, runs=200, shadow_seen=True), 1)
    assert found.greedy_minus_thompson.high < 0.0
    assert found.share_minus_thompson.low > 0.0


def test_a_seed_is_a_world() -> None:
    assert compare_exploration(SMALL, 1) == compare_exploration(SMALL, 1)
    assert compare_exploration(SMALL, 1) != compare_exploration(SMALL, 2)


def test_too_few_runs_are_an_error() -> None:
    with pytest.raises(DataError, match="at least 30 runs"):
        compare_exploration(replace(SMALL, runs=29), 1)
