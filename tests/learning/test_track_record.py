"""Records and deflated backtests, against the modules they rest on and the normal distribution."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from models.evidence.sharpe import expected_maximum_sharpe
from models.learning.track_record import deflated_of_trials, record_of
from models.learning.trades import DAY_NS
from tests.learning.made import NOW_NS, trades


def test_a_record_needs_fifty_trades_for_an_interval() -> None:
    few = record_of(trades([2.0, 4.0] * 24))
    assert (few.trades, few.net_bps) == (48, pytest.approx(3.0))
    assert math.isnan(few.low_bps)
    enough = record_of(trades(np.random.default_rng(1).normal(3.0, 1.0, 100)))
    assert 2.0 < enough.low_bps < enough.net_bps < enough.high_bps
    assert record_of(trades([])).trades == 0


def test_a_worthless_record_seldom_passes_although_it_is_looked_at_every_four_hours() -> None:
    passed = 0
    for seed in range(20):
        table = trades(np.random.default_rng(seed).normal(0.0, 20.0, 24 * 90), days=90.0)
        looks = [NOW_NS - DAY_NS * back // 6 for back in range(85 * 6)]
        windows = (table.take((table.exit_ns > at - 30 * DAY_NS) & (table.exit_ns <= at)) for at in looks)
        passed += any(record_of(window).low_bps > 0.0 for window in windows)
    assert passed <= 4  # some 5 % of 20; an interval of 98 % would let 8 of them pass


def test_one_trial_is_the_probabilistic_sharpe_ratio() -> None:
    # Two-point returns: skewness 0, kurtosis 1, so the ratio's spread is 1 and z is SR·sqrt(T - 1).
    returns = np.array([0.02, -0.01] * 20)
    ratio = returns.mean() / returns.std(ddof=1)
    assert deflated_of_trials(returns, []) == pytest.approx(NormalDist().cdf(ratio * math.sqrt(39)), abs=1e-9)


def test_every_trial_counts() -> None:
    returns = np.array([0.02, -0.01] * 20)
    ratio = returns.mean() / returns.std(ddof=1)
    ratios = [0.3, -0.2, 0.1]
    variance = max(float(np.var([ratio, *ratios], ddof=1)), 1 / 40)
    expected = NormalDist().cdf((ratio - expected_maximum_sharpe(4, variance)) * math.sqrt(39))
    assert deflated_of_trials(returns, ratios) == pytest.approx(expected, abs=1e-9)
    assert deflated_of_trials(returns, [ratio] * 3) < deflated_of_trials(
        returns, []
    )  # that agree are not fewer


@pytest.mark.parametrize("returns", [[0.01] * 9, [0.0] * 40, []])
def test_too_little_is_not_known(returns: list[float]) -> None:
    assert math.isnan(deflated_of_trials(np.array(returns), []))
