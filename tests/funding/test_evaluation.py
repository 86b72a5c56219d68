"""Scores, the paired comparison and the choice, on tables where the answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from models.errors import DataError
from models.funding.evaluation import choose, compare, score, score_all, unbeaten_baselines
from models.funding.features import FEATURE_NAMES, INDEX
from models.funding.inputs import HOUR_NS, MINUTE_NS
from models.funding.table import FeatureTable
from models.funding.walk_forward import Predictions


def _table(realised: np.ndarray, symbols: tuple[str, ...] = ("AAAUSDT",), horizon: int = 90) -> FeatureTable:
    """`realised` has one column a symbol; the last rate is the one before."""
    count, width = realised.shape
    settlement = np.repeat(np.arange(1, count + 1, dtype=np.int64) * 8 * HOUR_NS, width)
    features = np.full((count * width, len(FEATURE_NAMES)), np.nan)
    features[:, INDEX["rate_last"]] = np.vstack([np.full(width, 1e-4), realised[:-1]]).ravel()
    return FeatureTable(
        np.array(symbols * count),
        settlement,
        settlement - horizon * MINUTE_NS,
        np.full(count * width, horizon, dtype=np.int64),
        features,
        np.full(count * width, -np.inf),
        np.full(count * width, np.inf),
        realised.ravel(),
    )


def _predictions(name: str, predicted: np.ndarray, rows: np.ndarray | None = None) -> Predictions:
    rows = np.arange(len(predicted)) if rows is None else rows
    return Predictions(
        name, rows, predicted, predicted - 1e-5, predicted, predicted + 1e-5, np.full(len(rows), 2e-6)
    )


def test_score_by_hand() -> None:
    realised = np.array([1.0, 1.0, 3.0, 2.0, 5.0, 4.0, 4.0, 6.0, 7.0, 7.0]) * 1e-4
    table = _table(realised[:, None])
    error = np.array([1, -1, 0, 0, 1, 0, 0, -2, 0, 0]) * 1e-5
    found = score(table, _predictions("ewma", realised - error), "AAAUSDT", 90)
    assert found is not None
    assert found.n == 10
    assert found.r2 == pytest.approx(
        1 - (error**2).sum() / ((realised - realised.mean()) ** 2).sum(), rel=1e-12
    )
    assert found.mae == pytest.approx(5e-5 / 10)
    # Six changes against the last rate, all forecast in their direction.
    assert found.sign_accuracy == 1.0
    assert found.coverage_90 == pytest.approx(0.9)
    assert found.pinball == pytest.approx(2e-6)


def test_direction_counts_only_where_the_rate_changed() -> None:
    realised = np.array([1.0, 2, 2, 3, 3, 2, 2, 1, 1, 2]) * 1e-4
    table = _table(realised[:, None])
    last = table.features[:, INDEX["rate_last"]]
    changed = np.abs(realised - last) > 0
    half = np.where(np.cumsum(changed) % 2 == 0, 1.0, -1.0) * np.sign(realised - last) * 1e-5
    found = score(table, _predictions("ewma", last + half), "AAAUSDT", 90)
    assert found is not None
    right = (np.sign(half) == np.sign(realised - last))[changed].mean()
    assert found.sign_accuracy == pytest.approx(right)
    assert score(table, _predictions("last_rate", last), "AAAUSDT", 90).sign_accuracy == 0.0  # type: ignore[union-attr]


def test_pooled_r2_is_about_each_symbols_own_mean() -> None:
    rng = np.random.default_rng(1)
    realised = rng.normal([1e-3, -1e-3], 1e-4, (50, 2))
    table = _table(realised, ("AAAUSDT", "BBBUSDT"))
    means = np.tile(realised.mean(axis=0), 50)
    found = score(table, _predictions("ewma", means), "ALL", 90)
    assert found is not None
    assert found.r2 == pytest.approx(0.0, abs=1e-12)


def test_a_constant_rate_has_no_r2() -> None:
    table = _table(np.full((30, 1), 1e-4))
    found = score(table, _predictions("ewma", np.full(30, 2e-4)), "AAAUSDT", 90)
    assert found is not None
    assert np.isnan(found.r2)
    assert np.isnan(found.sign_accuracy)


def test_few_predictions_have_no_score() -> None:
    table = _table(np.random.default_rng(1).normal(0, 1e-4, (30, 1)))
    few = _predictions("ewma", table.realised[:9], np.arange(9))
    assert score(table, few, "AAAUSDT", 90) is None
    assert score(table, few, "AAAUSDT", 30) is None
    assert score_all(table, {"ewma": few}) == []
    enough = _predictions("ewma", table.realised[:10], np.arange(10))
    assert [s.symbol for s in score_all(table, {"ewma": enough})] == ["AAAUSDT", "ALL"]


def _noisy(seed: int, count: int = 300) -> tuple[FeatureTable, dict[str, np.ndarray]]:
    rng = np.random.default_rng(seed)
    realised = rng.normal(0, [1e-4, 1e-3], (count, 2))
    table = _table(realised, ("AAAUSDT", "BBBUSDT"))
    scale = np.tile([1e-4, 1e-3], count)
    noise = {name: rng.normal(0, 1, 2 * count) * scale for name in ("a", "b")}
    return table, noise


def test_comparison_finds_the_better_and_is_antisymmetric() -> None:
    table, noise = _noisy(1)
    good = _predictions("ridge", table.realised + 0.3 * noise["a"])
    bad = _predictions("ewma", table.realised + 0.5 * noise["b"])
    found, turned = compare(table, good, bad, 90), compare(table, bad, good, 90)
    assert found.p_first_better < 1e-6
    assert found.observations == 300  # settlements, not rows: two symbols share each instant
    assert turned.statistic == pytest.approx(-found.statistic, rel=1e-12)
    assert turned.p_first_better == pytest.approx(1 - found.p_first_better)


def test_comparison_uses_shared_rows_only() -> None:
    table, noise = _noisy(2)
    good, bad = table.realised + 0.3 * noise["a"], table.realised + 0.5 * noise["b"]
    rows = np.arange(200, 600)
    spoiled = bad.copy()
    spoiled[:200] = 1.0  # the first forecast has no rows there
    whole = compare(table, _predictions("x", good[rows], rows), _predictions("y", spoiled), 90)
    part = compare(table, _predictions("x", good[rows], rows), _predictions("y", bad[rows], rows), 90)
    assert whole == part
    with pytest.raises(DataError, match="share 5 forecasts, need 6"):
        compare(table, _predictions("x", good[:5], np.arange(5)), _predictions("y", bad), 90)


def test_the_lively_symbol_does_not_decide_alone() -> None:
    table, noise = _noisy(3)
    quiet = table.symbol == "AAAUSDT"
    # Better by far on the quiet symbol, a little worse on the lively one.
    first = table.realised + np.where(quiet, 0.1, 0.55) * noise["a"]
    second = table.realised + np.where(quiet, 0.9, 0.5) * noise["a"]
    assert compare(table, _predictions("x", first), _predictions("y", second), 90).p_first_better < 1e-6
    assert ((table.realised - first) ** 2).sum() > ((table.realised - second) ** 2).sum()


def test_choice_is_the_favourite_unless_another_beats_it() -> None:
    table, noise = _noisy(4)
    bad = _predictions("last_rate", table.realised + 0.9 * noise["a"])
    good = _predictions("structural", table.realised + 0.3 * noise["b"])
    twin = _predictions("structural_offset", table.realised + 0.3 * np.roll(noise["b"], 2))
    same = _predictions("ridge", good.predicted)
    empty = _predictions("lightgbm", np.empty(0), np.empty(0, dtype=np.int64))
    many = {"ridge": same, "structural_offset": twin, "lightgbm": empty, "structural": good, "last_rate": bad}
    assert choose(table, many, 90) == "structural_offset"
    without = {name: p for name, p in many.items() if name != "structural_offset"}
    assert choose(table, without, 90) == "structural"  # then the simplest that none beats
    better = _predictions("lightgbm_residual", table.realised + 0.1 * noise["b"])
    assert choose(table, {**many, "lightgbm_residual": better}, 90) == "lightgbm_residual"
    assert choose(table, {"ridge": same}, 90) == "ridge"


def test_choice_without_predictions_says_so() -> None:
    table, _ = _noisy(5)
    with pytest.raises(DataError, match="no candidate has out-of-sample predictions"):
        choose(table, {}, 90)


def test_chance_alone_seldom_moves_the_choice() -> None:
    moved = 0
    for seed in range(200):
        table, noise = _noisy(seed, count=60)
        many = {
            "structural": _predictions("structural", table.realised + noise["a"]),
            "ridge": _predictions("ridge", table.realised + noise["b"]),
        }
        moved += choose(table, many, 90) == "ridge"
    assert moved / 200 < 0.10  # one-sided level 5 %


def test_baselines_left_standing_are_named() -> None:
    table, noise = _noisy(6)
    many = {
        "last_rate": _predictions("last_rate", table.realised + 0.2 * noise["a"]),
        "ewma": _predictions("ewma", table.realised + 0.9 * noise["a"]),
        "ridge": _predictions("ridge", table.realised + 0.5 * noise["a"]),
    }
    assert unbeaten_baselines(table, many, "ridge", 90) == ["last_rate"]
    assert unbeaten_baselines(table, many, "last_rate", 90) == []
