"""Probability of backtest overfitting against exact cases and two implementations."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from models.errors import DataError
from models.evidence.overfitting import backtest_overfitting
from tests.support import shared_path


def _cases() -> list[dict[str, Any]]:
    loaded = json.loads(shared_path("reference_vectors/pbo_cscv.json").read_text())["cases"]
    assert isinstance(loaded, list)
    return loaded


def _matrix(case: dict[str, Any], cases: list[dict[str, Any]]) -> np.ndarray:
    given = case["matrix_rows_are_time"]
    if not isinstance(given, list):
        given = next(
            c["matrix_rows_are_time"] for c in cases if c is not case and c["name"].startswith("24x5")
        )
    return np.array(given, dtype=float)


def test_the_hand_case() -> None:
    found = backtest_overfitting(np.array([[3, -5, -4], [-3, -4, 3], [4, 1, -5], [-4, -2, -1.0]]), 4, "mean")
    assert found.pbo == pytest.approx(1 / 3, rel=1e-12)
    omegas = 1.0 / (1.0 + np.exp(-found.logits))
    assert omegas == pytest.approx([3 / 4, 1 / 4, 3 / 4, 3 / 4, 1 / 4, 3 / 4])
    assert found.rows_used == 4


def test_every_reference_vector() -> None:
    cases = _cases()
    for case in cases:
        metric = "sharpe" if case["metric"].startswith("sharpe") else "mean"
        found = backtest_overfitting(_matrix(case, cases), case["S"], metric)
        assert len(found.logits) == case["n_combinations"], case["name"]
        exact = float(Fraction(case["pbo_exact"])) if "pbo_exact" in case else case["pbo"]
        assert found.pbo == pytest.approx(exact, rel=1e-9), case["name"]
        strict = case.get("pbo_strict_less_than_0", case["purgedcv"])
        assert (found.logits < 0).mean() == pytest.approx(strict, rel=1e-9), case["name"]
        if case.get("detail"):
            assert found.logits == pytest.approx([d["logit"] for d in case["detail"]], rel=1e-9, abs=1e-12)
        if "logits_mean" in case:
            assert found.logits.mean() == pytest.approx(case["logits_mean"], rel=1e-9)
            assert found.logits.std(ddof=1) == pytest.approx(case["logits_sd_ddof1"], rel=1e-9)
            assert found.probability_of_loss == pytest.approx(case["prob_oos_loss"], rel=1e-9)


def test_the_figures_of_the_text() -> None:
    cases = _cases()
    big = next(c for c in cases if c["name"].startswith("24x5"))
    by_mean = backtest_overfitting(_matrix(big, cases), 8, "mean")
    by_sharpe = backtest_overfitting(_matrix(big, cases), 8, "sharpe")
    assert by_mean.pbo == pytest.approx(22 / 35, rel=1e-12)
    assert by_sharpe.pbo == pytest.approx(0.6, rel=1e-12)
    assert (by_mean.logits < 0).mean() == pytest.approx(0.414286, abs=5e-7)
    assert (by_sharpe.logits < 0).mean() == pytest.approx(0.357143, abs=5e-7)


def test_ties_share_their_rank_whatever_the_rounding() -> None:
    twins = np.array([[0.1, 0.3, 0.2, 0.6]] * 4).T @ np.ones((4, 6)) / 3.0
    twins += 1e-17 * np.arange(6)
    found = backtest_overfitting(twins, 4, "mean")
    assert (found.logits == 0.0).all()
    assert found.pbo == 1.0


def test_the_oldest_rows_are_left_out() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(43, 6))
    found, trimmed = backtest_overfitting(x, 8), backtest_overfitting(x[3:], 8)
    assert found.rows_used == 40
    assert found.logits == pytest.approx(trimmed.logits)


def test_levels_and_scale_of_sharpe_ratios_do_not_matter() -> None:
    x = np.random.default_rng(4).normal(0.1, 1.0, size=(64, 6))
    assert backtest_overfitting(x * 1e-6, 8).logits == pytest.approx(backtest_overfitting(x, 8).logits)


def test_a_metric_equals_the_plain_computation() -> None:
    x = np.random.default_rng(5).normal(0.2, 1.0, size=(32, 4))
    found = backtest_overfitting(x, 4, "sharpe")
    first, second = x[:16], x[16:]
    inside, outside = (half.mean(axis=0) / half.std(axis=0, ddof=1) for half in (first, second))
    omega = (1 + (outside < outside[inside.argmax()]).sum()) / 5
    assert found.logits[0] == pytest.approx(math.log(omega / (1 - omega)))


def test_worthless_strategies_are_overfitted_and_good_ones_are_not() -> None:
    rng = np.random.default_rng(6)
    worthless = [backtest_overfitting(rng.normal(size=(240, 10)), 8).pbo for _ in range(150)]
    assert 0.4 < np.mean(worthless) < 0.6
    # One estimate says little: 17 % of worthless tables come out at 0.2 or less, so it never decides alone.
    assert 0.05 < np.mean(np.array(worthless) <= 0.2) < 0.25
    good = rng.normal(size=(60, 240, 10))
    good[:, :, 4] += 0.3
    found = [backtest_overfitting(x, 8) for x in good]
    assert np.mean([f.pbo <= 0.2 for f in found]) > 0.9
    assert np.mean([f.probability_of_loss for f in found]) < 0.1


def test_an_idle_strategy_has_ratio_zero_and_a_steady_one_is_refused() -> None:
    x = np.random.default_rng(7).normal(size=(32, 4))
    x[:, 2] = 0.0
    assert 0.0 <= backtest_overfitting(x, 4).pbo <= 1.0
    x[:, 2] = 0.01
    with pytest.raises(DataError, match="same non-zero return"):
        backtest_overfitting(x, 4)
    assert 0.0 <= backtest_overfitting(x, 4, "mean").pbo <= 1.0


@pytest.mark.parametrize(
    ("shape", "blocks", "message"),
    [((20, 1), 4, "at least 2 strategies"), ((20, 3), 5, "even"), ((20, 3), 22, "even"), ((3, 3), 4, "rows")],
)
def test_what_is_refused(shape: tuple[int, int], blocks: int, message: str) -> None:
    with pytest.raises(DataError, match=message):
        backtest_overfitting(np.random.default_rng(8).normal(size=shape), blocks)
