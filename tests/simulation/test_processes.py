from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from models.simulation.processes import (
    bursts,
    decay,
    discounted_sum,
    ornstein_uhlenbeck,
    regime_levels,
    stream,
)


def test_streams_depend_on_their_names_only() -> None:
    first = stream(1, "a", "b").random(3)
    stream(1, "other").random(100)
    assert (stream(1, "a", "b").random(3) == first).all()
    assert (stream(1, "a", "c").random(3) != first).all()
    assert (stream(2, "a", "b").random(3) != first).all()


def test_discounted_sum_is_its_recursion() -> None:
    shocks = stream(1, "x").standard_normal(50)
    expected, value = [], 0.0
    for shock in shocks:
        value = 0.5 ** (1 / 7) * value + shock
        expected.append(value)
    np.testing.assert_allclose(discounted_sum(shocks, 7.0), expected)


@pytest.mark.parametrize("half_life", [0.5, 20.0, 900.0, 86_400.0])
def test_discounted_sum_agrees_with_scipy(half_life: float) -> None:
    shocks = stream(1, "x").standard_normal(20_000)
    reference = lfilter([1.0], [1.0, -decay(half_life)], shocks)
    np.testing.assert_allclose(discounted_sum(shocks, half_life), reference, rtol=1e-9, atol=1e-9)


def test_ornstein_uhlenbeck_has_the_stationary_deviation_and_half_life() -> None:
    path = ornstein_uhlenbeck(stream(1, "x").standard_normal(400_000), 20.0, 3.0)[1_000:]
    assert path.std() == pytest.approx(3.0, rel=0.05)
    assert np.corrcoef(path[:-20], path[20:])[0, 1] == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(
    "make",
    [
        lambda n: regime_levels(stream(1, "x"), n, 50.0, (1.0, 2.0)),
        lambda n: bursts(stream(1, "x"), n, 0.02, 1.0, 10.0),
        lambda n: ornstein_uhlenbeck(stream(1, "x").standard_normal(n), 10.0, 1.0),
    ],
)
def test_longer_series_begin_with_the_shorter(make) -> None:
    np.testing.assert_array_equal(make(3_000)[:1_000], make(1_000))


def test_regimes_have_the_given_levels_and_length() -> None:
    levels = regime_levels(stream(1, "x"), 200_000, 100.0, (1.0, 2.0, 5.0))
    assert set(levels) == {1.0, 2.0, 5.0}
    changes = (np.diff(levels) != 0).sum()
    # A regime may be followed by one of the same level, which does not show.
    assert 200_000 / changes == pytest.approx(150, rel=0.15)


def test_bursts_arrive_at_their_rate_with_their_median_size_and_both_signs() -> None:
    path = bursts(stream(1, "x"), 500_000, 0.002, 4.0, 1.0)
    shocks = path - 0.5 * np.concatenate(([0.0], path[:-1]))
    sizes = shocks[np.abs(shocks) > 1e-9]
    assert len(sizes) == pytest.approx(1_000, rel=0.15)
    assert np.median(np.abs(sizes)) == pytest.approx(4.0, rel=0.1)
    assert 0.25 < (sizes < 0).mean() < 0.45
