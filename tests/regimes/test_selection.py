"""The number of states is that of the truth, scores are out of sample, and nothing filtered looks ahead."""

from __future__ import annotations

import math

import numpy as np
import pytest

from models.errors import DataError
from models.regimes import hmm
from models.regimes.kernel import REGIME_NAMES
from models.regimes.selection import (
    MINUTE_NS,
    compare_with_rules,
    dwell_minutes,
    filtered,
    information_criterion,
    minute_returns,
    regimes_by_rules,
    select,
)

CALM, WILD = 2.0, 9.0
STAY = (0.99, 0.95)


def market(states: int, seed: int, n: int = 6000):
    generator = np.random.default_rng(seed)
    truth = np.zeros(n, np.int64)
    for t in range(1, n):
        stays = states == 1 or generator.random() < STAY[truth[t - 1]]
        truth[t] = truth[t - 1] if stays else 1 - truth[t - 1]
    x = generator.standard_normal(n) * np.where(truth == 0, CALM, WILD)
    closes = 100.0 * np.exp(np.cumsum(np.r_[0.0, x]) / 1e4)
    return minute_returns(np.arange(n + 1, dtype=np.int64) * MINUTE_NS, closes), truth


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_two_planted_states_are_found(seed: int) -> None:
    returns, truth = market(2, seed)
    found = select(returns)
    assert len(found.model.start) == 2
    assert np.sqrt(found.model.variances) == pytest.approx([CALM, WILD], rel=0.1)
    assert np.diag(found.model.transition) == pytest.approx(STAY, abs=0.015)
    assert min(found.scores, key=lambda s: s.bic).states == 2
    agreement = compare_with_rules(returns, found.model)
    assert agreement.table.sum() == len(truth)
    assert agreement.table.shape == (2, len(REGIME_NAMES))
    assert agreement.expected_dwell_min == pytest.approx((100.0, 20.0), rel=0.4)
    guess = filtered(returns, found.model)[0].argmax(axis=1)
    assert np.mean(guess == truth) > 0.9


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_one_state_is_enough_where_there_is_one(seed: int) -> None:
    found = select(market(1, seed)[0])
    assert len(found.model.start) == 1
    assert found.scores[1].p_no_gain > 0.05


def test_scores_are_of_returns_the_models_had_not_seen() -> None:
    returns, _ = market(2, 4, n=3000)
    found = select(returns, states=(2,), folds=2)
    assert found.tested == slice(1500, 3000)
    past = hmm.fit(returns.bps[:1500], 2, rounds=60, tolerance=0.1)
    by_hand, total = hmm.forward(returns.bps[60:2250].copy(), *past.model)
    own = found.log_density[:750]
    assert filtered(returns.part(60, 2250), past.model)[1][-750:] == pytest.approx(own, rel=1e-12)
    assert np.isfinite(total)
    assert by_hand.shape == (2190, 2)
    assert found.scores[0].out_of_sample == pytest.approx(found.log_density.mean())


def test_the_criterion_is_the_closed_form_of_one_state() -> None:
    returns, _ = market(1, 5, n=500)
    x = returns.bps
    found = hmm.fit(x, 1, variance_prior=0.0)
    likelihood = -0.5 * len(x) * (math.log(2 * math.pi * x.var()) + 1.0)
    assert found.log_likelihood == pytest.approx(likelihood, rel=1e-10)
    wanted = 2 * math.log(len(x)) - 2 * likelihood
    assert information_criterion(found.log_likelihood, 1, len(x)) == pytest.approx(wanted, rel=1e-10)


def test_hmmlearn_gives_the_same_criterion() -> None:
    reference = pytest.importorskip("hmmlearn.hmm", reason="hmmlearn is not installed")
    returns, _ = market(2, 6, n=1000)
    found = hmm.fit(returns.bps, 2)
    model = reference.GaussianHMM(2, covariance_type="diag", init_params="", params="")
    model.startprob_, model.transmat_ = found.model.start, found.model.transition
    model.means_, model.covars_ = found.model.means[:, None], found.model.variances[:, None]
    x = returns.bps[:, None]
    assert information_criterion(found.log_likelihood, 2, 1000) == pytest.approx(model.bic(x), rel=1e-6)


def test_nothing_looks_ahead_and_holes_begin_anew() -> None:
    returns, _ = market(2, 7, n=400)
    model = hmm.fit(returns.bps, 2).model
    whole, density = filtered(returns, model)
    for cut in (1, 57, 399):
        part, own = filtered(returns.part(0, cut), model)
        assert np.array_equal(part, whole[:cut])
        assert np.array_equal(own, density[:cut])
        assert np.array_equal(regimes_by_rules(returns.part(0, cut)), regimes_by_rules(returns)[:cut])
    at = np.r_[returns.at_ns[:200], returns.at_ns[200:] + 10 * MINUTE_NS]
    holed = minute_returns(at, returns.closes)
    assert np.flatnonzero(holed.begins).tolist() == [0, 199]
    again, _ = filtered(holed, model)
    assert np.array_equal(again[199:], filtered(holed.part(199, 398), model)[0])


def test_dwell_times_are_counted_in_runs() -> None:
    labels = np.array([0, 0, 0, 1, 1, 0, 0])
    begins = np.array([True, False, False, False, False, False, True])
    assert dwell_minutes(labels, begins, 3)[:2] == pytest.approx([5 / 3, 2.0])
    assert math.isnan(dwell_minutes(labels, begins, 3)[2])


def test_unusable_closes_are_refused() -> None:
    at = np.array([0, 1, 1], np.int64) * MINUTE_NS
    with pytest.raises(DataError, match="one positive price a minute"):
        minute_returns(at, np.ones(3))
    with pytest.raises(DataError, match="one positive price a minute"):
        minute_returns(at[:2], np.array([1.0, 0.0]))
    with pytest.raises(DataError, match="at least one number of states"):
        select(market(1, 1, n=200)[0], states=())
