"""The offset filter against explicit matrices, and its moments against SciPy."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from models.funding.formula import DAMPENER, funding_rate, interest
from models.funding.inputs import HOUR_NS, SOURCE_PERP_SPOT, SOURCE_PREMIUM_INDEX
from models.funding.structural import (
    OFFSET_PARAMS,
    OffsetParams,
    OffsetState,
    Settlement,
    _posterior_premium,
    advance,
    expected_rate,
    run_filter,
    start_state,
    update,
    with_past_rates,
)

PROXY = OFFSET_PARAMS[SOURCE_PERP_SPOT]


class MatrixFilter:
    """The same two states with 2×2 matrices, and SciPy's truncated normal."""

    def __init__(self, params: OffsetParams) -> None:
        self.params = params
        fast = params.fast_sd**2 / (1 - params.fast_persistence**2)
        self.x = np.zeros(2)
        self.p = np.diag([params.prior_sd**2, fast])

    def advance(self, hours: float) -> None:
        phi = self.params.fast_persistence ** (hours / 8.0)
        fast = self.params.fast_sd**2 / (1 - self.params.fast_persistence**2)
        f = np.diag([1.0, phi])
        q = np.diag([self.params.drift_sd**2 * hours / 8.0, fast * (1 - phi**2)])
        self.x = f @ self.x
        self.p = f @ self.p @ f.T + q

    def update(self, seen: Settlement) -> None:
        h = np.array([[1.0, 1.0]])
        s = float((h @ self.p @ h.T)[0, 0]) + self.params.observation_sd**2
        mean, sd = seen.proxy_average + float((h @ self.x)[0]), math.sqrt(s)
        centre = interest(seen.interval_h)
        if abs(seen.rate - centre) > 1e-9:
            target, spread = seen.rate + math.copysign(DAMPENER, seen.rate - centre), 0.0
        else:
            a, b = (centre - DAMPENER - mean) / sd, (centre + DAMPENER - mean) / sd
            target = float(stats.truncnorm.mean(a, b, loc=mean, scale=sd))
            spread = float(stats.truncnorm.var(a, b, loc=mean, scale=sd))
        limit = self.params.clip_sd * sd
        k = self.p @ h.T / s
        self.x = self.x + k[:, 0] * float(np.clip(target - mean, -limit, limit))
        self.p = self.p - k @ k.T * (s - spread)


def _history(rng: np.random.Generator, count: int, offset: float, noise: float = 2e-5) -> list[Settlement]:
    out, at = [], 0
    for _ in range(count):
        hours = float(rng.choice([1.0, 2.0, 4.0, 8.0]))
        at += round(hours * HOUR_NS)
        truth = rng.normal(1e-4, 6e-4)
        rate = float(funding_rate(truth, hours))
        out.append(Settlement(at, hours, rate, truth - offset + rng.normal(0, noise), SOURCE_PERP_SPOT))
    return out


@pytest.mark.parametrize("seed", range(5))
def test_filter_equals_the_matrix_implementation(seed: int) -> None:
    rng = np.random.default_rng(seed)
    history = _history(rng, 120, offset=6e-5)
    state, reference = start_state(PROXY), MatrixFilter(PROXY)
    inside = 0
    for position, seen in enumerate(history):
        if position:
            hours = (seen.ts_ns - history[position - 1].ts_ns) / HOUR_NS
            advance(state, hours, PROXY)
            reference.advance(hours)
        update(state, seen, PROXY)
        reference.update(seen)
        inside += abs(seen.rate - interest(seen.interval_h)) < 1e-9
        found = [state.slow, state.fast]
        assert found == pytest.approx(reference.x, rel=1e-6, abs=1e-12)
        covariance = [[state.var_slow, state.covariance], [state.covariance, state.var_fast]]
        assert np.array(covariance) == pytest.approx(reference.p, rel=1e-6, abs=1e-17)
        assert np.linalg.eigvalsh(covariance).min() > 0
    assert 30 < inside < 100  # both kinds of settlement were compared


def test_run_filter_is_advance_and_update_in_turn() -> None:
    history = _history(np.random.default_rng(1), 40, offset=6e-5)
    target = history[-1].ts_ns + 8 * HOUR_NS
    state, source = run_filter(history, target)
    reference = MatrixFilter(PROXY)
    for before, seen in zip([None, *history], history, strict=False):
        if before is not None:
            reference.advance((seen.ts_ns - before.ts_ns) / HOUR_NS)
        reference.update(seen)
    reference.advance(8.0)
    assert source == SOURCE_PERP_SPOT
    assert state.mean == pytest.approx(float(reference.x.sum()), rel=1e-6)
    assert state.variance == pytest.approx(float(reference.p.sum()), rel=1e-6)


def test_filter_starts_anew_where_the_source_changes() -> None:
    history = _history(np.random.default_rng(2), 40, offset=2e-4)
    index = Settlement(history[-1].ts_ns + 8 * HOUR_NS, 8.0, 1e-4, 1e-4, SOURCE_PREMIUM_INDEX)
    state, source = run_filter([*history, index], index.ts_ns + 8 * HOUR_NS)
    alone, _ = run_filter([index], index.ts_ns + 8 * HOUR_NS)
    assert source == SOURCE_PREMIUM_INDEX
    assert state == alone
    assert run_filter(history, index.ts_ns)[0].mean > 1e-4


def test_without_settlements_there_is_no_source() -> None:
    state, source = run_filter([], 0)
    assert source is None
    assert state.mean == 0.0


@pytest.mark.parametrize("offset", [-8e-5, 8e-5])
def test_offset_is_learned_from_settlements_outside_and_inside_the_band(offset: float) -> None:
    rng = np.random.default_rng(4)
    errors = []
    for _ in range(20):
        history = _history(rng, 180, offset)
        errors.append(run_filter(history, history[-1].ts_ns)[0].slow - offset)
    assert abs(float(np.mean(errors))) < 1e-5
    assert float(np.std(errors)) < 1.5e-5


@pytest.mark.parametrize("offset", [-8e-5, 8e-5])
def test_offset_is_learned_from_the_dead_band_alone(offset: float) -> None:
    # Every rate is the interest: all that is known is that the venue's average lay within the band.
    rng = np.random.default_rng(5)
    centre = interest(8.0)
    learned = []
    for _ in range(10):
        truth = rng.uniform(centre - DAMPENER, centre + DAMPENER, 180)
        history = [
            Settlement(i * 8 * HOUR_NS, 8.0, centre, p - offset + rng.normal(0, 1e-5), SOURCE_PERP_SPOT)
            for i, p in enumerate(truth)
        ]
        learned.append(run_filter(history, history[-1].ts_ns)[0].slow)
    assert float(np.mean(learned)) == pytest.approx(offset, abs=3e-5)


def test_one_extraordinary_settlement_hardly_moves_the_offset() -> None:
    history = _history(np.random.default_rng(6), 150, offset=5e-5)
    last = history[-1]
    crash = Settlement(last.ts_ns + 8 * HOUR_NS, 8.0, -0.02, 0.0, SOURCE_PERP_SPOT)
    before, _ = run_filter(history, crash.ts_ns)
    after, _ = run_filter([*history, crash], crash.ts_ns)
    assert abs(after.slow - before.slow) < 2e-5
    sd = math.sqrt(before.variance + PROXY.observation_sd**2)
    assert after.last_innovation == pytest.approx(-PROXY.clip_sd * sd, rel=1e-9)


@settings(max_examples=200, deadline=None)
@given(mean=st.floats(-9e-4, 1.1e-3), sd=st.floats(1e-5, 5e-4), interval_h=st.sampled_from([1.0, 4.0, 8.0]))
def test_moments_inside_the_band_are_the_truncated_normals(mean: float, sd: float, interval_h: float) -> None:
    centre = interest(interval_h)
    a, b = (centre - DAMPENER - mean) / sd, (centre + DAMPENER - mean) / sd
    if stats.norm.cdf(b) - stats.norm.cdf(a) < 1e-6:
        return  # there the tail approximation takes over, tested below
    target, variance = _posterior_premium(centre, interval_h, mean, sd)
    assert target == pytest.approx(float(stats.truncnorm.mean(a, b, loc=mean, scale=sd)), rel=1e-5, abs=1e-9)
    assert variance == pytest.approx(
        float(stats.truncnorm.var(a, b, loc=mean, scale=sd)), rel=1e-3, abs=sd**2 * 1e-4
    )


@pytest.mark.parametrize(("mean", "edge"), [(0.01, 0.0006), (-0.01, -0.0004)])
def test_far_from_the_band_its_nearest_edge_is_taken(mean: float, edge: float) -> None:
    target, variance = _posterior_premium(interest(8.0), 8.0, mean, 1e-5)
    assert target == pytest.approx(edge, rel=1e-12)
    assert 0.0 < variance <= 0.1 * 1e-10 * 1.0001


@pytest.mark.parametrize(("rate", "premium"), [(0.0007, 0.0012), (-0.0009, -0.0014)])
def test_outside_the_band_the_rate_tells_the_premium(rate: float, premium: float) -> None:
    target, variance = _posterior_premium(rate, 8.0, 0.0, 1e-4)
    assert target == pytest.approx(premium, rel=1e-12)
    assert variance == 0.0
    assert float(funding_rate(target, 8.0)) == pytest.approx(rate, rel=1e-12)


def _quadrature(mean: float, sd: float, interval_h: float, lower: float, upper: float) -> float:
    centre = interest(interval_h)
    kinks = [centre - DAMPENER, centre + DAMPENER, lower - DAMPENER, upper + DAMPENER]
    a, b = mean - 10 * sd, mean + 10 * sd
    points = sorted({a, b, *(k for k in kinks if a < k < b)})
    total = 0.0
    for left, right in itertools.pairwise(points):
        total += integrate.quad(
            lambda p: float(funding_rate(p, interval_h, lower, upper)) * stats.norm.pdf(p, mean, sd),
            left,
            right,
            epsabs=1e-14,
            epsrel=1e-10,
        )[0]
    return total


@pytest.mark.parametrize("mean", [-0.0012, -0.0004, 0.0001, 0.0006, 0.00075, 0.0049, 0.0056])
@pytest.mark.parametrize("sd", [2e-6, 5e-5, 4e-4])
@pytest.mark.parametrize(
    ("interval_h", "lower", "upper"),
    [(8.0, -math.inf, math.inf), (8.0, -0.005, 0.005), (1.0, -0.0003, 0.0002)],
)
def test_expected_rate_is_the_mean_over_the_premium(
    mean: float, sd: float, interval_h: float, lower: float, upper: float
) -> None:
    assert expected_rate(mean, sd, interval_h, lower, upper) == pytest.approx(
        _quadrature(mean, sd, interval_h, lower, upper), rel=1e-7, abs=1e-12
    )


@given(
    mean=st.floats(-0.01, 0.01),
    interval_h=st.sampled_from([1.0, 2.0, 4.0, 8.0]),
    cap=st.sampled_from([0.002, 0.005, math.inf]),
)
def test_without_uncertainty_the_expected_rate_is_the_formula(
    mean: float, interval_h: float, cap: float
) -> None:
    exact = float(funding_rate(mean, interval_h, -cap, cap))
    assert expected_rate(mean, 0.0, interval_h, -cap, cap) == pytest.approx(exact, rel=1e-9, abs=1e-15)
    assert expected_rate(mean, 1e-12, interval_h, -cap, cap) == pytest.approx(exact, abs=2e-12)


def test_state_variance_never_turns_negative() -> None:
    assert OffsetState(0.0, 0.0, 1.0, 1.0, -1.0000001).variance == 0.0


def test_past_rates_are_weighed_by_precision_and_left_out_where_infinite() -> None:
    mean, sd = with_past_rates(-6e-4, 2e-4, -2e-4, 8.0, 2e-4)
    assert mean == pytest.approx(-6.5e-4)  # half way to the -7e-4 that a rate of -2 bp implies
    assert sd == pytest.approx(2e-4 / math.sqrt(2.0))
    assert with_past_rates(-6e-4, 2e-4, -2e-4, 8.0, math.inf) == (-6e-4, 2e-4)
    precise, _ = with_past_rates(-6e-4, 1e-6, -2e-4, 8.0, 2e-4)
    assert precise == pytest.approx(-6e-4, abs=1e-8)


def test_a_past_rate_at_the_interest_implies_only_the_band() -> None:
    inside, _ = with_past_rates(-3e-4, 2e-4, 1e-4, 8.0, 2e-4)
    assert inside == pytest.approx(-3e-4)
    below, _ = with_past_rates(-8e-4, 2e-4, 1e-4, 8.0, 2e-4)
    assert below == pytest.approx(-6e-4)  # half way to the band's edge at -4e-4
