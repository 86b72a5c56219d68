"""The straddle's closed form: against a textbook, against integration of the payoff, against differences, against Bachelier."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate
from scipy.stats import norm

from models.strategies.option_greeks import straddle

CASES = [
    (20.0, 20.0, 0.25, 4.0 / 12.0),
    (100.0, 100.0, 0.6, 1.0 / 365.0),
    (100.0, 101.0, 0.6, 1.0 / 365.0),
    (60_000.0, 55_000.0, 0.8, 7.0 / 365.0),
]


def integrated(forward, strike, volatility, years):
    """Mean of |S - K| over the lognormal S, by quadrature on either side of the strike."""
    sd = volatility * math.sqrt(years)
    kink = math.log(strike / forward) / sd + 0.5 * sd

    def payoff(z):
        return abs(forward * math.exp(sd * z - 0.5 * sd * sd) - strike) * norm.pdf(z)

    return sum(integrate.quad(payoff, *ends, epsabs=1e-12)[0] for ends in ((-12, kink), (kink, 12)))


@pytest.mark.parametrize("case", CASES)
def test_the_price_is_the_mean_of_the_payoff(case):
    assert straddle(*case).price == pytest.approx(integrated(*case), rel=1e-9)


def test_the_price_of_hulls_example():
    # Hull, Options, Futures and Other Derivatives, Black's model: F 20, K 20, r 9 %, 4 months, sigma 25 %: put 1.12, as the call.
    discounted = math.exp(-0.09 * 4.0 / 12.0) * straddle(*CASES[0]).price
    assert round(discounted / 2.0, 2) == 1.12


@pytest.mark.parametrize("case", CASES)
def test_greeks_are_the_differences_of_the_price(case):
    forward, strike, volatility, years = case
    found = straddle(*case)
    h = 1e-4 * forward
    up, down = (
        straddle(forward + h, strike, volatility, years),
        straddle(forward - h, strike, volatility, years),
    )
    assert found.delta == pytest.approx((up.price - down.price) / (2 * h), rel=1e-4, abs=1e-5)
    assert found.gamma == pytest.approx((up.delta - down.delta) / (2 * h), rel=1e-4)
    more = straddle(forward, strike, volatility + 1e-5, years).price
    less = straddle(forward, strike, volatility - 1e-5, years).price
    assert found.vega == pytest.approx((more - less) / 2e-5, rel=1e-5)
    soon, late = (straddle(forward, strike, volatility, years * k).price for k in (1 - 1e-5, 1 + 1e-5))
    assert found.theta == pytest.approx((soon - late) / (2e-5 * years), rel=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_theta_pays_for_gamma(case):
    # Without interest: theta = -1/2 gamma F^2 sigma^2.
    found = straddle(*case)
    assert found.theta == pytest.approx(-0.5 * found.gamma * (case[0] * case[2]) ** 2, rel=1e-12)


def test_a_short_straddle_at_the_money_is_bacheliers():
    # Bachelier at the money: F sigma sqrt(2 T / pi), delta 0.
    found = straddle(100.0, 100.0, 0.5, 1.0 / 365.0)
    assert found.price == pytest.approx(100.0 * 0.5 * math.sqrt(2.0 / 365.0 / math.pi), rel=1e-4)
    assert abs(found.delta) < 0.015


def test_far_from_the_strike_it_is_a_position():
    assert straddle(200.0, 100.0, 0.5, 1.0 / 365.0)[:3] == pytest.approx((100.0, 1.0, 0.0), abs=1e-12)
    assert straddle(50.0, 100.0, 0.5, 1.0 / 365.0)[:3] == pytest.approx((50.0, -1.0, 0.0), abs=1e-12)


@pytest.mark.parametrize(
    ("volatility", "years"), [(0.0, 1.0), (0.5, 0.0), (np.nan, 1.0), (0.5, np.nan), (-0.5, 1.0)]
)
def test_without_volatility_or_time_there_is_no_number(volatility, years):
    assert np.all(np.isnan(straddle(100.0, 100.0, volatility, years)))
