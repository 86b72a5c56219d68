"""Figures of merit and calibration against closed forms and scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss

from models.cascade.candidates import logit, sigmoid
from models.cascade.labels import CascadeTable
from models.cascade.observe import WIDTH
from models.cascade.scores import (
    BETTER,
    NO_BETTER,
    average_precision,
    brier_score,
    calibration_bins,
    choose,
    log_losses,
    score,
)
from models.cascade.training import fit_platt
from models.cascade.walk_forward import Predictions
from models.evidence.verdict import NOT_ENOUGH_DATA

MINUTE_NS = 60_000_000_000


def drawn(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    said = np.round(generator.beta(1.0, 4.0, n), 2)
    return (generator.random(n) < said).astype(float), said


def table(label: np.ndarray) -> CascadeTable:
    at = np.arange(len(label), dtype=np.int64) * 10 * MINUTE_NS + MINUTE_NS
    onset = np.where(label > 0.5, at + MINUTE_NS, 0)
    return CascadeTable(
        at, at + 5 * MINUTE_NS, onset, np.zeros((len(label), WIDTH)), 5 * MINUTE_NS, ("test",)
    )


def of(name: str, said: np.ndarray) -> Predictions:
    return Predictions(name, np.arange(len(said)), said)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_scores_are_scikit_learns(seed: int) -> None:
    label, said = drawn(700, seed)
    assert average_precision(label, said) == pytest.approx(average_precision_score(label, said), rel=1e-12)
    assert brier_score(label, said) == pytest.approx(brier_score_loss(label, said), rel=1e-12)
    inside = np.clip(said, 0.01, 0.99)
    assert log_losses(label, inside).mean() == pytest.approx(log_loss(label, inside), rel=1e-12)


def test_the_brier_score_of_a_constant_is_its_closed_form() -> None:
    label = np.r_[np.ones(30), np.zeros(70)]
    for p in (0.0, 0.3, 0.8):
        assert brier_score(label, np.full(100, p)) == pytest.approx(0.3 * 0.7 + (p - 0.3) ** 2, abs=1e-15)
    assert average_precision(label, np.full(100, 0.4)) == pytest.approx(0.3)
    assert math.isnan(average_precision(np.zeros(5), np.ones(5)))


def test_platt_is_the_weighted_logistic_regression() -> None:
    label, said = drawn(900, 4)
    found = fit_platt(said, label)
    ones = label.sum()
    target = np.where(label > 0.5, (ones + 1) / (ones + 2), 1 / (len(label) - ones + 2))
    x = np.tile(logit(said), 2)[:, None]
    model = LogisticRegression(C=1e10, tol=1e-10, max_iter=1000).fit(
        x, np.r_[np.ones(900), np.zeros(900)], sample_weight=np.r_[target, 1.0 - target]
    )
    assert found.slope == pytest.approx(model.coef_[0, 0], rel=1e-4)
    assert found.intercept == pytest.approx(model.intercept_[0], abs=1e-4)


def test_platt_stays_finite_where_samples_separate_and_where_nothing_is_told() -> None:
    label = np.r_[np.ones(20), np.zeros(60)]
    apart = fit_platt(np.where(label > 0.5, 0.9, 0.1), label)
    assert np.isfinite([apart.slope, apart.intercept]).all()
    assert apart.slope > 0.0
    flat = fit_platt(np.full(80, 0.5), label)
    assert flat.slope == 0.0
    assert sigmoid(np.array([flat.intercept]))[0] == pytest.approx(0.25, abs=0.02)


def test_calibration_bins_hold_every_sample_and_lie_on_the_diagonal() -> None:
    label, said = drawn(20_000, 5)
    bins = calibration_bins(label, said)
    assert sum(b.n for b in bins) == len(label)
    for own in bins:
        sd = math.sqrt(max(own.said * (1 - own.said), 1e-4) / own.n)
        assert abs(own.seen - own.said) < 4 * sd + 1e-3
    assert calibration_bins(np.empty(0), np.empty(0)) == []


def test_verdicts() -> None:
    label, said = drawn(1000, 6)
    base = of("base_rate", np.full(1000, label.mean()))
    good = score(table(label), of("forest", np.clip(said, 0.01, 0.99)), base)
    assert good.verdict == BETTER
    assert good.gain_low > 0.0
    assert good.brier_skill == pytest.approx(1 - good.brier / (label.mean() * (1 - label.mean())), rel=1e-9)
    shuffled = np.random.default_rng(1).permutation(np.clip(said, 0.01, 0.99))
    assert score(table(label), of("forest", shuffled), base).verdict == NO_BETTER
    few = table(label[:20])
    assert score(few, of("forest", said[:20]), of("base_rate", said[:20])).verdict == NOT_ENOUGH_DATA
    none = of("base_rate", np.empty(0))
    assert score(table(label), none, none).verdict == NOT_ENOUGH_DATA
    many = {
        "base_rate": base,
        "logistic": of("logistic", shuffled),
        "forest": of("forest", np.clip(said, 0.01, 0.99)),
    }
    assert choose(table(label), many) == "forest"
    assert choose(table(label), {k: many[k] for k in ("base_rate", "logistic")}) == "base_rate"
