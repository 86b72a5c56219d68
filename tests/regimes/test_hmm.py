"""The hidden Markov model against hmmlearn's figures, and that filtering never looks ahead."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import DataError
from models.regimes.hmm import filter_step, fit, forward
from tests.support import shared_path

FIXED = (
    np.array([0.6, 0.4]),
    np.array([[0.9, 0.1], [0.2, 0.8]]),
    np.array([0.0, 0.0]),
    np.array([0.04, 4.0]),
)


def published(name: str) -> dict:
    return json.loads(shared_path("reference_vectors/entropy_er_rv_hmm.json").read_text())[name]


def recorded_series() -> tuple[np.ndarray, np.ndarray]:
    """Draw the published series by its published recipe."""
    generator = np.random.default_rng(2024)
    states = [0]
    for _ in range(599):
        stay = generator.random() < (0.95 if states[-1] == 0 else 0.9)
        states.append(states[-1] if stay else 1 - states[-1])
    truth = np.array(states)
    return generator.standard_normal(600) * np.where(truth == 0, 0.5, 2.0), truth


def test_published_filter_and_likelihood() -> None:
    case = published("hmm_fixed")
    filtered, likelihood = forward(np.array(case["x"], dtype=float), *FIXED)
    assert likelihood == pytest.approx(case["loglik_hmmlearn"], rel=1e-12)
    assert filtered[:, 1] == pytest.approx(case["filtered_state1"], rel=1e-9)
    assert not np.allclose(filtered[:, 1], case["smoothed_state1"], atol=0.01)


def test_published_fit() -> None:
    case = published("hmm_fit")
    series, truth = recorded_series()
    assert series[:5] == pytest.approx(case["y_first5"], rel=1e-12)
    found = fit(series, 2)
    assert found.converged
    assert found.log_likelihood == pytest.approx(case["loglik"], abs=1e-4)
    assert found.model.variances == pytest.approx(case["vars"], rel=2e-3)
    assert found.model.means == pytest.approx(case["means"], abs=2e-3)
    assert found.model.transition.ravel() == pytest.approx(np.ravel(case["trans"]), abs=1e-3)
    filtered, _ = forward(series, *found.model)
    assert np.mean((filtered[:, 1] > 0.5) == (truth == 1)) > 0.9


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(-8.0, 8.0), min_size=2, max_size=40), st.data())
def test_filtering_does_not_look_ahead(values: list[float], data: st.DataObject) -> None:
    x = np.array(values)
    cut = data.draw(st.integers(1, len(x)))
    whole, _ = forward(x, *FIXED)
    part, _ = forward(x[:cut].copy(), *FIXED)
    assert np.array_equal(whole[:cut], part)
    assert whole.sum(axis=1) == pytest.approx(np.ones(len(x)))


def test_the_live_step_is_the_batch() -> None:
    series, _ = recorded_series()
    filtered, likelihood = forward(series, *FIXED)
    now, total = np.zeros(2), 0.0
    for i, x in enumerate(series):
        total += filter_step(now, x, *FIXED)
        assert np.array_equal(now, filtered[i])
    assert total == likelihood


def test_a_far_outlier_leaves_probabilities() -> None:
    now = np.zeros(2)
    filter_step(now, 1e6, *FIXED)
    assert now == pytest.approx([0.0, 1.0])


@pytest.mark.parametrize(
    ("x", "states", "message"),
    [
        (np.zeros(100), 0, "expected 1 to 4 states"),
        (np.zeros(100), 5, "expected 1 to 4 states"),
        (np.arange(39.0), 2, "at least 40 observations"),
        (np.full(100, 2.0), 2, "finite observations that vary"),
        (np.append(np.arange(99.0), np.nan), 2, "finite observations that vary"),
    ],
)
def test_unusable_observations_are_refused(x: np.ndarray, states: int, message: str) -> None:
    with pytest.raises(DataError, match=message):
        fit(x, states)


def test_states_come_out_calmest_first_and_few_rounds_do_not_settle() -> None:
    series, _ = recorded_series()
    for states in (1, 2, 3):
        variances = fit(series, states, rounds=20).model.variances
        assert np.all(np.diff(variances) >= 0.0)
    assert not fit(series, 2, rounds=2).converged
