"""Pair fits: held against statsmodels 0.15.0, and nothing of the future in a walk-forward row."""

from __future__ import annotations

import numpy as np
import pytest

from models.errors import DataError
from models.market.outlook import OUTLOOK
from models.strategies.pairs import TERMS, fit_pair, mackinnon_pvalue, walk_forward

BAR = 300_000_000_000

# OLS(log own, [1, log partner]).fit(): params, sqrt(mse_resid); coint(log own, log partner, trend="c", autolag="aic"): statistic
# and p-value; OLS(diff(resid), resid[:-1]): slope. Series by `pair_of(seed, n, keep)`.
STATSMODELS = [
    (1, 300, 0.8, 0.0695961694898557, 0.8460192342977544, 0.0054022044925296315,
     -5.442861180822547, 2.3317888940725687e-05, -0.18344319607241805),
    (2, 500, 0.97, 0.46310041586565, 0.765655779937056, 0.008823232677980733,
     -3.2312838531500185, 0.0648500580246105, -0.05608163685978764),
    (3, 250, 1.0, -1.361431338833448, 1.131275303216615, 0.014260644781194388,
     -1.5689008093130057, 0.7338358462660275, -0.022349877413889413),
    (4, 120, 0.5, 0.2030919865816685, 0.8194045899916098, 0.003632984686934303,
     -5.96593135049262, 1.9221849532300287e-06, -0.4640827810942394),
]  # fmt: skip

# statsmodels.tsa.adfvalues.mackinnonp(t, "c", N=2), ends of its range and both sides of where its polynomials meet.
MACKINNON = [
    (-20.0, 0.0),
    (-10.0, 2.481480577083057e-16),
    (-5.0, 0.00016464262671930766),
    (-3.5, 0.03239538836017372),
    (-2.62, 0.2296596033101832),
    (-2.6199, 0.2288900248285234),
    (-1.0, 0.902847226038779),
    (0.92, 0.9939559788585376),
    (0.93, 1.0),
]


def pair_of(seed, n, keep):
    """A pair whose spread keeps `keep` of itself a bar; the stream of RandomState is frozen by NumPy's promise."""
    rng = np.random.RandomState(seed)
    x = np.cumsum(rng.standard_normal(n)) * 0.002
    noise = rng.standard_normal(n)
    spread = np.zeros(n)
    for i in range(1, n):
        spread[i] = keep * spread[i - 1] + 0.003 * noise[i]
    return np.exp(4.0 + 0.8 * x + 0.3 + spread), np.exp(5.0 + x)


@pytest.mark.parametrize("expected", STATSMODELS)
def test_a_fit_equals_statsmodels(expected):
    seed, n, keep, alpha, beta, sigma, statistic, pvalue, slope = expected
    fit = fit_pair(*pair_of(seed, n, keep))
    # Its pseudo-inverse of columns that are not centred costs it the last digits of the first two.
    assert (fit.alpha, fit.beta) == pytest.approx((alpha, beta), rel=1e-7)
    assert fit.sigma == pytest.approx(sigma, rel=1e-9)
    assert (fit.statistic, fit.pvalue) == pytest.approx((statistic, pvalue), rel=1e-6)
    assert fit.half_life_bars == pytest.approx(-np.log(2.0) / np.log(1.0 + slope), rel=1e-7)


@pytest.mark.parametrize(("statistic", "pvalue"), MACKINNON)
def test_pvalues_equal_statsmodels(statistic, pvalue):
    assert mackinnon_pvalue(statistic) == pytest.approx(pvalue, rel=1e-9, abs=1e-18)


def test_five_per_cent_of_unrelated_walks_look_like_a_pair():
    rng = np.random.default_rng(7)
    found = 0
    for _ in range(400):
        own, partner = np.exp(0.01 * np.cumsum(rng.standard_normal((2, 150)), axis=1))
        found += fit_pair(own, partner).pvalue < 0.05
    # Three standard errors of 400 throws at 5 %, widened by what choosing lags does to the size at 150 bars.
    assert 4 <= found <= 40


def test_half_life_of_a_known_spread():
    fit = fit_pair(*pair_of(11, 4000, 0.9))
    assert fit.half_life_bars == pytest.approx(np.log(2.0) / -np.log(0.9), rel=0.15)


def test_walk_forward_sees_no_later_close():
    own, partner = pair_of(5, 400, 0.9)
    close_ns = np.arange(1, 401, dtype=np.int64) * BAR
    whole = walk_forward(own, partner, close_ns, BAR, 100, 25)
    assert list(whole["at_ns"]) == [k * BAR for k in range(100, 401, 25)]
    changed, cut = own.copy(), 250
    changed[cut:] *= 1.5
    again = walk_forward(changed, partner, close_ns, BAR, 100, 25)
    before = whole["at_ns"] <= cut * BAR
    assert np.array_equal(whole[before], again[before])
    assert not np.any(whole[~before] == again[~before])
    fit = fit_pair(own[:100], partner[:100])
    assert whole["pair_beta"][0] == fit.beta
    assert whole["pair_half_life_s"][0] == pytest.approx(fit.half_life_bars * 300.0)


def test_windows_with_a_missing_bar_are_left_out():
    own, partner = pair_of(5, 300, 0.9)
    kept = np.arange(300) != 150
    close_ns = np.arange(1, 301, dtype=np.int64)[kept] * BAR
    rows = walk_forward(own[kept], partner[kept], close_ns, BAR, 60, 1)
    last = rows["at_ns"] // BAR
    assert set(last) == {*range(60, 151), *range(211, 301)}


def test_terms_carry_the_names_of_the_outlook():
    assert all(OUTLOOK[name] == TERMS[name] for name in TERMS.names)


@pytest.mark.parametrize(
    ("own", "partner"),
    [
        (np.full(49, 2.0), np.full(49, 2.0)),
        (np.full(60, 2.0), np.full(59, 2.0)),
        (np.full(60, -1.0), np.arange(1.0, 61.0)),
        (np.r_[np.nan, np.arange(1.0, 60.0)], np.arange(1.0, 61.0)),
        (np.arange(1.0, 61.0), np.full(60, 2.0)),
        (np.arange(1.0, 61.0), np.arange(1.0, 61.0)),
    ],
)
def test_what_cannot_be_fitted_is_refused(own, partner):
    with pytest.raises(DataError, match="pair: expected"):
        fit_pair(own, partner)


def test_closes_out_of_order_are_refused():
    own, partner = pair_of(5, 100, 0.9)
    with pytest.raises(DataError, match="increasing times"):
        walk_forward(own, partner, np.zeros(100, np.int64), BAR, 60, 1)
