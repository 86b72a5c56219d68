"""Quantiles and probabilities of a forecast agree with each other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.funding.distribution import (
    LEAST_ERRORS,
    LEVELS,
    NORMAL_QUANTILES,
    Distribution,
    distribution,
    standardised_quantiles,
)

SHAPES = [
    NORMAL_QUANTILES,
    standardised_quantiles(np.random.default_rng(1).standard_t(3, 500), np.ones(500)),
    np.zeros(len(LEVELS)),
]


@given(
    predicted=st.floats(-0.004, 0.004),
    scale=st.floats(1e-6, 1e-3),
    shape=st.sampled_from([0, 1, 2]),
    cap=st.sampled_from([0.0005, 0.005, float("inf")]),
    rates=st.lists(st.floats(-0.006, 0.006), min_size=2, max_size=6),
)
def test_quantiles_ascend_within_caps_and_probabilities_descend(
    predicted: float, scale: float, shape: int, cap: float, rates: list[float]
) -> None:
    spread = distribution(predicted, scale, SHAPES[shape], -cap, cap)
    assert (np.diff(spread.quantiles) >= 0).all()
    assert spread.quantiles.min() >= -cap
    assert spread.quantiles.max() <= cap
    above = [spread.probability_above(rate) for rate in sorted(rates)]
    assert above == sorted(above, reverse=True)
    assert all(0.01 <= p <= 0.99 for p in above)
    assert spread.quantiles[0] <= spread.mean() + 1e-15
    assert spread.mean() <= spread.quantiles[-1] + 1e-15


@pytest.mark.parametrize("level", [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99])
def test_probability_above_a_quantile_is_the_rest(level: float) -> None:
    spread = distribution(2e-4, 1e-4, NORMAL_QUANTILES, -0.005, 0.005)
    assert spread.probability_above(spread.at(level)) == pytest.approx(1.0 - level, abs=0.0101)


def test_normal_errors_give_normal_quantiles() -> None:
    spread = distribution(1e-4, 5e-5, NORMAL_QUANTILES, -np.inf, np.inf)
    assert spread.at(0.5) == pytest.approx(1e-4, abs=1e-18)
    assert spread.at(0.05) == pytest.approx(1e-4 - 1.6448536269514722 * 5e-5, rel=1e-9)
    assert spread.mean() == pytest.approx(1e-4, rel=1e-9)


def test_half_of_a_point_mass_counts_on_each_side() -> None:
    point = Distribution(np.full(len(LEVELS), 1e-4))
    assert point.probability_above(1e-4) == 0.5
    assert point.probability_above(0.99e-4) == 0.99
    assert point.probability_above(1.01e-4) == 0.01


def test_errors_are_measured_in_their_own_scale() -> None:
    rng = np.random.default_rng(3)
    scale = rng.uniform(1e-5, 1e-3, 20_000)
    found = standardised_quantiles(scale * rng.normal(size=20_000), scale)
    assert found[49] == pytest.approx(0.0, abs=0.03)
    assert found[94] == pytest.approx(1.645, abs=0.06)


def test_few_errors_leave_the_standard_normal() -> None:
    few = np.full(LEAST_ERRORS - 1, 5.0)
    assert np.array_equal(standardised_quantiles(few, np.ones_like(few)), NORMAL_QUANTILES)
    enough = np.full(LEAST_ERRORS, 5.0)
    assert np.array_equal(standardised_quantiles(enough, np.ones_like(enough)), np.full(99, 5.0))
    # The default is a copy: a caller may change it.
    standardised_quantiles(few, np.ones_like(few))[:] = 0.0
    assert NORMAL_QUANTILES[94] == pytest.approx(1.6448536269514722)
