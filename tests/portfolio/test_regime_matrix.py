"""The matrix against published values, its shrinkage, and how little few trades may prove."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import BundleError
from models.portfolio.regime_matrix import (
    LAST_TRADES,
    Cell,
    Trade,
    build_matrix,
    dersimonian_laird,
    from_files,
    to_files,
)
from tests.support import shared_path

MEANS = np.array([9.0, -6.0, 1.0, 12.0, -3.0])
COUNTS = np.array([8, 20, 50, 4, 35])
SDS = np.array([11.4, 9.0, 10.0, 12.0, 8.0])
TAU2 = 18.23787638381813


def _trades(profits: list[float], regime: str = "RANGE", strategy: str = "funding_pressure") -> list[Trade]:
    return [Trade(strategy, regime, i, p) for i, p in enumerate(profits)]


def _one(trades: list[Trade], prior_sd_usd: float | None = None) -> Cell:
    (cell,) = build_matrix(trades, prior_sd_usd)
    return cell


def test_win_rate_posterior_of_thirty_in_fifty() -> None:
    cell = _one(_trades([10.0, 10.0, 10.0, -8.0, -8.0] * 10))
    assert (cell.n, cell.win_rate) == (50, 0.6)
    assert cell.win_rate_low == pytest.approx(0.4830716512438429, rel=1e-9)
    assert cell.win_rate_high == pytest.approx(0.7049888508764157, rel=1e-9)


def test_expected_value_by_its_parts() -> None:
    profits = [12.5, -8, 20, -5, -5, 7.5, -10, 15]
    cell = _one(_trades(profits))
    assert (cell.win_rate, cell.mean_win_usd, cell.mean_loss_usd, cell.ev_usd) == (0.5, 13.75, 7.0, 3.375)
    assert cell.ev_usd == pytest.approx(np.mean(profits))
    # One cell has nothing to be shrunk toward.
    assert cell.ev_shrunk_usd == pytest.approx(3.375)


@settings(deadline=None)
@given(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=49))
def test_expected_value_is_the_mean_profit(profits: list[float]) -> None:
    cell = _one(_trades(profits))
    assert cell.ev_usd == pytest.approx(float(np.mean(profits)), rel=1e-9, abs=1e-8)
    assert 0.0 <= cell.win_rate_low <= cell.win_rate_high <= 1.0
    assert 0.0 <= cell.p_ev_positive <= 1.0
    assert cell.mean_loss_usd >= 0.0


def test_dersimonian_laird_of_five_cells() -> None:
    variances = SDS**2 / COUNTS
    tau2 = dersimonian_laird(MEANS, variances)
    assert tau2 == pytest.approx(TAU2, rel=1e-12)
    expected = [
        0.528896608879666,
        0.8182868600733779,
        0.9011754019013988,
        0.3362571988393594,
        0.9088741841272764,
    ]
    assert tau2 / (tau2 + variances) == pytest.approx(expected, rel=1e-9)
    weights = 1 / (tau2 + variances)
    assert (weights * MEANS).sum() / weights.sum() == pytest.approx(0.5896646062817706, rel=1e-9)


def test_dersimonian_laird_of_like_cells_is_zero() -> None:
    assert dersimonian_laird(np.array([3.375, -2.0, 0.8, 6.5, -0.5]), SDS**2 / COUNTS) == 0.0
    assert dersimonian_laird(np.array([3.0]), np.array([1.0])) == 0.0


def test_every_shrinkage_vector() -> None:
    case = json.loads(shared_path("reference_vectors/kelly_beta_shrinkage.json").read_text())[
        "empirical_bayes"
    ]
    means, variances = np.array(case["cell_mean"]), np.array(case["var_of_mean"])
    assert dersimonian_laird(means, variances) == pytest.approx(case["tau2_DL"], rel=1e-12)
    like = case["homogeneous_case"]
    assert dersimonian_laird(np.array(like["cell_mean"]), variances) == like["tau2_DL"]


def _with_moments(mean: float, sd: float, count: int) -> list[float]:
    """Profits of exactly this mean and this standard deviation about it (n in the denominator)."""
    raw = (
        np.resize([1.0, -1.0], count) if count % 2 == 0 else np.append(np.resize([1.0, -1.0], count - 1), 0.0)
    )
    return list(mean + (raw - raw.mean()) / raw.std() * sd)


def test_shrinkage_follows_the_reference() -> None:
    # Without a prior spread the squared error of a cell's mean is SS / (n + 1) / n: chosen to be the reference's.
    profits = {
        f"R{i}": _with_moments(m, s * math.sqrt((n + 1) / n), int(n))
        for i, (m, s, n) in enumerate(zip(MEANS, SDS, COUNTS, strict=True))
    }
    trades = [t for regime, p in profits.items() for t in _trades(p, regime)]
    cells = build_matrix(trades, prior_sd_usd=0.0)
    expected = [
        5.037862475559973,
        -4.802571353329212,
        0.9594487696301647,
        4.426472023591062,
        -2.6728888840431346,
    ]
    assert [c.ev_shrunk_usd for c in cells] == pytest.approx(expected, rel=1e-6)
    ignoring_centre = [
        2.931198630466754,
        1.8204564766280957,
        1.3425165934925338,
        3.4792612949039827,
        1.289163048361729,
    ]
    for cell, least in zip(cells, ignoring_centre, strict=True):
        assert least < cell.ev_sd_usd < 1.5 * least  # the centre's own uncertainty comes on top


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.lists(st.floats(-100, 100), min_size=1, max_size=12), min_size=2, max_size=5),
    st.floats(1.0, 50.0),
)
def test_shrunk_means_lie_between_own_and_centre(many: list[list[float]], spread: float) -> None:
    trades = [t for i, profits in enumerate(many) for t in _trades(profits, f"R{i}")]
    cells = build_matrix(trades, spread)
    low, high = min(c.ev_usd for c in cells), max(c.ev_usd for c in cells)
    for cell in cells:
        assert low - 1e-9 <= cell.ev_shrunk_usd <= high + 1e-9
        assert cell.ev_sd_usd > 0.0


def test_strategies_do_not_mix() -> None:
    first = _trades([5.0, -3.0, 4.0], "RANGE", "a") + _trades([1.0, 2.0], "UNKNOWN", "a")
    alone = build_matrix(first, 10.0)
    both = build_matrix(first + _trades([-100.0] * 30, "RANGE", "b"), 10.0)
    assert [c for c in both if c.strategy == "a"] == alone
    assert [(c.strategy, c.regime) for c in both] == [("a", "RANGE"), ("a", "UNKNOWN"), ("b", "RANGE")]


def test_only_the_last_trades_count_in_any_order() -> None:
    profits = [-50.0] * 30 + [1.0, 2.0] * (LAST_TRADES // 2)
    trades = _trades(profits)
    cell = _one(trades)
    assert (cell.n, cell.win_rate, cell.ev_usd) == (LAST_TRADES, 1.0, 1.5)
    assert _one(trades[::-1]) == cell


@pytest.mark.parametrize("profits", [[10.0], [10.0, 10.0], [0.01], [9.9, 10.0]])
def test_one_or_two_wins_do_not_look_sure(profits: list[float]) -> None:
    cell = _one(_trades(profits))
    assert 0.5 < cell.p_ev_positive < 0.97
    assert cell.ev_sd_usd >= 0.5 * np.mean(profits)
    assert cell.win_rate_low < 0.5
    loss = _one(_trades([-p for p in profits]))
    assert loss.p_ev_positive == pytest.approx(1 - cell.p_ev_positive)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 10])
@pytest.mark.parametrize("regimes", [1, 4])
def test_luck_seldom_looks_sure(count: int, regimes: int) -> None:
    rng = np.random.default_rng(100 * count + regimes)
    sure = []
    for _ in range(120):
        trades = [t for r in range(regimes) for t in _trades(list(rng.normal(0, 10, count)), f"R{r}")]
        sure += [cell.p_ev_positive > 0.99 for cell in build_matrix(trades)]
    assert np.mean(sure) < 0.06


def test_many_good_trades_do_look_sure() -> None:
    rng = np.random.default_rng(1)
    assert _one(_trades(list(rng.normal(6, 10, 50)))).p_ev_positive > 0.99


def test_a_few_trades_lean_on_the_other_regimes() -> None:
    rng = np.random.default_rng(2)
    many = [t for r in range(4) for t in _trades(list(rng.normal(-5, 10, 40)), f"R{r}")]
    lucky = _trades([12.0, 8.0], "NEW")
    cell = next(c for c in build_matrix(many + lucky) if c.regime == "NEW")
    assert cell.ev_usd == 10.0
    assert cell.ev_shrunk_usd < 0.0
    assert cell.p_ev_positive < 0.5


def test_nothing_earned_is_undecided() -> None:
    cell = _one(_trades([0.0, 0.0]))
    assert (cell.ev_usd, cell.p_ev_positive, cell.win_rate) == (0.0, 0.5, 0.0)


def test_without_trades_there_are_no_cells() -> None:
    assert build_matrix([]) == []
    assert from_files(to_files([])) == {}


def test_round_trip() -> None:
    cells = build_matrix(_trades([1.0, -2.0, 3.3]) + _trades([0.1], "UNKNOWN"))
    assert from_files(to_files(cells)) == {(c.strategy, c.regime): c for c in cells}


@pytest.mark.parametrize(
    "data",
    [
        None,
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"cells": null}',
        b'{"cells": [3]}',
        b'{"cells": [{"strategy": "a"}]}',
        b"\xff\xfe",
    ],
)
def test_a_damaged_matrix_is_refused(data: bytes | None) -> None:
    with pytest.raises(BundleError, match="missing or unreadable"):
        from_files({} if data is None else {"matrix.json": data})
