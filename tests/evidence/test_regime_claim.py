"""Study E4: exact posteriors, the claim by brute force, and what many dull cells must not do."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy import stats

from models.errors import DataError
from models.evidence.regime_claim import CellRecord, RegimeClaim, probability_above, regime_claim
from tests.evidence.planted import verdicts
from tests.support import shared_path


def _cells(wins: list[list[int]], trades: int) -> list[CellRecord]:
    return [
        CellRecord(f"s{i}", f"r{j}", won, trades) for i, row in enumerate(wins) for j, won in enumerate(row)
    ]


def test_thirty_wins_in_fifty_do_not_show_sixty_per_cent() -> None:
    assert probability_above(30, 50, 0.6) == pytest.approx(0.484788, abs=5e-7)
    assert probability_above(30, 50, 0.5) == pytest.approx(0.919610, abs=5e-7)
    posterior = stats.beta(31, 21)
    assert posterior.mean() == pytest.approx(0.596154, abs=5e-7)
    assert posterior.std() == pytest.approx(0.067398, abs=5e-7)
    for quantile, value in ((0.95, 0.483072), (0.05, 0.704989)):
        assert probability_above(30, 50, value) == pytest.approx(quantile, abs=1e-5)


def test_every_reference_posterior() -> None:
    cases = json.loads(shared_path("reference_vectors/kelly_beta_shrinkage.json").read_text())["beta"]
    for case in cases:
        prior = (case["prior"][0], case["prior"][1])
        wins, n = case["wins"], case["n"]
        assert probability_above(wins, n, 0.5, prior) == pytest.approx(case["p_gt_half"], rel=1e-9)
        assert probability_above(wins, n, 0.6, prior) == pytest.approx(case["p_gt_060"], rel=1e-9)
        assert 1.0 - probability_above(wins, n, 0.4, prior) == pytest.approx(case["p_lt_040"], rel=1e-6)
        assert probability_above(wins, n, case["q05"], prior) == pytest.approx(0.95, rel=1e-9)


def test_two_cells_with_a_fixed_prior_by_hand() -> None:
    found = regime_claim(_cells([[35, 15]], 50), prior=(1.0, 1.0))
    high, low = 0.9211169616352833, 0.9211169616352833
    other = 9.593372811590072e-06
    assert found.probability == pytest.approx(high * low + other * other, rel=1e-6)
    assert found.by_strategy == {"s0": pytest.approx(found.probability)}
    assert found.trades == 100


def test_the_claim_against_brute_force() -> None:
    wins = [[33, 22, 28], [20, 27, 25]]
    found = regime_claim(_cells(wins, 50), prior=(2.0, 3.0))
    rng = np.random.default_rng(1)
    rates = rng.beta(2 + np.array(wins), 3 + 50 - np.array(wins), (200_000, 2, 3))
    claims = (rates > 0.6).any(axis=2) & (rates < 0.4).any(axis=2)
    assert found.probability == pytest.approx(claims.any(axis=1).mean(), abs=0.004)
    assert list(found.by_strategy.values()) == pytest.approx(claims.mean(axis=0), abs=0.004)


def _claim(seed: int, high: float, low: float, *, strategies: int = 6, trades: int = 200) -> RegimeClaim:
    rng = np.random.default_rng(seed)
    rates = np.full((strategies, 4), 0.5)
    rates[0, :2] = high, low
    return regime_claim(_cells(rng.binomial(trades, rates).tolist(), trades))


def test_many_dull_cells_make_no_claim() -> None:
    """A uniform prior is nearly sure of it where nothing is there; the learned one is not."""
    dull = [_claim(seed, 0.5, 0.5, trades=100) for seed in range(20)]
    assert {claim.verdict for claim in dull} == {"failed"}
    rng = np.random.default_rng(1)
    wins = rng.binomial(30, np.full((15, 5), 0.5)).tolist()
    assert regime_claim(_cells(wins, 30), prior=(1.0, 1.0)).probability > 0.95
    learned = regime_claim(_cells(wins, 30))
    assert learned.probability < 0.2
    assert learned.verdict == "not enough data"  # thirty trades a cell cannot exclude it either


def test_power_grows_with_trades() -> None:
    assert verdicts(lambda seed: _claim(seed, 0.7, 0.3, trades=500), range(20))["passed"] == 1.0
    assert verdicts(lambda seed: _claim(seed, 0.7, 0.3, trades=200), range(40))["passed"] >= 0.5
    assert verdicts(lambda seed: _claim(seed, 0.7, 0.3, trades=50), range(20)) == {
        "passed": 0.0,
        "failed": 0.0,
        "not enough data": 1.0,
    }


def test_rates_on_the_thresholds_do_not_pass() -> None:
    assert verdicts(lambda seed: _claim(seed, 0.6, 0.4), range(40))["passed"] <= 0.05


def test_the_posterior_is_calibrated() -> None:
    """Truths drawn from the model itself: among claims of probability p, a share p is true."""
    rng = np.random.default_rng(9)
    said, true = [], []
    for _ in range(200):
        mean, strength = rng.uniform(0.3, 0.7), np.exp(rng.uniform(np.log(2.0), np.log(200.0)))
        exception = rng.random((3, 3)) < rng.choice([0.0, 0.05, 0.1, 0.2, 0.4])
        usual = rng.beta(mean * strength, (1 - mean) * strength, (3, 3))
        rates = np.where(exception, rng.random((3, 3)), usual)
        said.append(regime_claim(_cells(rng.binomial(80, rates).tolist(), 80)).probability)
        true.append(bool(((rates > 0.6).any(axis=1) & (rates < 0.4).any(axis=1)).any()))
    chance, truth = np.array(said), np.array(true)
    assert chance.mean() == pytest.approx(truth.mean(), abs=0.06)
    assert truth[chance > 0.9].mean() > 0.85
    assert truth[chance < 0.1].mean() < 0.1
    assert np.mean((chance - truth) ** 2) < 0.1


def test_nothing_to_compare_is_not_enough() -> None:
    for cells in ([], _cells([[300]], 400), [CellRecord("s", "a", 3, 4), CellRecord("s", "b", 0, 0)]):
        found = regime_claim(cells)
        assert found.verdict == "not enough data"
        assert math.isnan(found.probability)
        assert found.by_strategy == {}


def test_what_is_refused() -> None:
    with pytest.raises(DataError, match="at most one cell"):
        regime_claim([CellRecord("s", "a", 1, 2), CellRecord("s", "a", 1, 2)])
    with pytest.raises(DataError, match="0 ≤ wins ≤ trades"):
        probability_above(3, 2, 0.5)
