"""Outlooks say what could have been known: recomputed from the tape before them, held against closed forms and chance."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from models.funding.formula import funding_rate
from models.market.features.records import new_record
from models.market.outlook import OUTLOOK
from models.market.tape import EVENT, FUNDING, INDEX, PREMIUM
from models.simulation.slow_market.funding import (
    expected_average,
    implied_rate,
    probability_above,
    probability_below,
    rate_moments,
)
from models.simulation.slow_market.kernel import run
from models.simulation.slow_market.numbers import cascade_probabilities, implied_volatility, market_numbers
from models.simulation.slow_market.other_markets import fit_pair, mackinnon_pvalue
from models.simulation.slow_market.parameters import SlowMarketParameters
from models.simulation.slow_market.scenarios import SCENARIOS
from models.simulation.slow_market.state import EPISODE, STATE, new_state
from models.simulation.slow_market.symbols import SYMBOLS
from tests.simulation.slow_market.markets import whole

MINUTE_NS = 60_000_000_000
CAP = 0.00375


@pytest.fixture(scope="module")
def swings():
    return whole(SCENARIOS["funding_swings"](), days=3.0)


def test_rates_are_those_of_the_tape_received_before(swings):
    rows, events = swings.outlooks, swings.events
    for kind, name in ((FUNDING, "current_rate"), (INDEX, "spot")):
        seen = events[events["kind"] == kind]
        at = np.searchsorted(seen["local_ts"], rows["at_ns"], side="right") - 1
        known = at >= 0
        if kind == FUNDING:
            assert np.all(np.isnan(rows[name][~known]))
            assert np.array_equal(rows[name][known], seen["price"][at[known]])
        else:
            mid = np.sqrt(rows["spot_bid"] * rows["spot_ask"])
            assert mid == pytest.approx(seen["price"][at], rel=1e-8)


def test_the_indicative_rate_is_the_formula_over_the_premium_so_far(swings):
    premium = swings.events[swings.events["kind"] == PREMIUM]
    for row in swings.outlooks[5000:20_000:977]:
        start = row["settlement_ns"] - 480 * MINUTE_NS
        inside = (premium["exch_ts"] > start) & (premium["local_ts"] <= row["at_ns"])
        weights = (premium["exch_ts"][inside] - start) / MINUTE_NS
        average = (weights @ premium["price"][inside]) / weights.sum()
        assert row["indicative_rate"] == pytest.approx(
            float(funding_rate(average, 8.0, -CAP, CAP)), abs=1e-12
        )


def test_settlements_lie_ahead_and_everything_else_behind(swings):
    rows = swings.outlooks
    assert np.all(rows["settlement_ns"] > rows["at_ns"] - 20_000_000)
    assert np.all(rows["forecast_settlement_ns"] == rows["settlement_ns"])
    assert np.all(rows["other_settlement_ns"] > rows["at_ns"] - 20_000_000)
    for name in ("forecast_at_ns", "spot_at_ns", "pair_at_ns", "other_at_ns", "fear_greed_at_ns"):
        assert np.all(rows[name] <= rows["at_ns"])
    assert np.all((rows["fear_greed"] >= 1) & (rows["fear_greed"] <= 99))


def test_forecasts_are_calibrated():
    market = whole(
        SCENARIOS["funding_swings"]()._replace(premium_half_life_s=7200.0, premium_sd_bps=30.0), days=60.0
    )
    rows = market.outlooks
    ahead = rows[np.flatnonzero(np.diff(rows["settlement_ns"]) > 0) - 540]  # 90 minutes before
    rates = market.events["price"][market.events["kind"] == FUNDING]
    settled = rates[: len(ahead)]
    n = len(settled)
    assert n > 170
    z = (settled - ahead["predicted_rate"]) / ahead["predicted_sd"]
    assert abs(z.mean()) < 4.0 / np.sqrt(n)
    assert abs((z**2).mean() - 1.0) < 4.0 * np.sqrt(2.0 / n) + 0.1
    assert np.corrcoef(settled, ahead["predicted_rate"])[0, 1] > 0.9
    for name, happened in (
        ("probability_above", settled > ahead["current_rate"]),
        ("probability_below", settled < ahead["current_rate"]),
        ("probability_positive", settled > 0.0),
    ):
        known = ~np.isnan(ahead[name])
        said = ahead[name][known]
        error = happened[known] - said
        assert abs(error.sum()) < 4.0 * np.sqrt((said * (1 - said)).sum()) + 1e-9


@pytest.mark.parametrize("mean", [-0.0042, -0.0006, 0.0001, 0.0007, 0.0042])
@pytest.mark.parametrize("sd", [0.0001, 0.0008])
def test_moments_of_the_rate_are_those_of_many_draws(mean, sd):
    draws = mean + sd * np.random.default_rng(7).standard_normal(400_000)
    rates = funding_rate(draws, 8.0, -CAP, CAP)
    first, deviation = rate_moments(mean, sd, 8.0, CAP)
    n = math.sqrt(len(draws))
    assert abs(first - rates.mean()) < 5.0 * rates.std() / n + 1e-9
    assert deviation == pytest.approx(rates.std(), rel=0.02, abs=5e-8)
    for limit in (-0.004, -0.001, 0.0, 0.0001, 0.0005, 0.00375):
        for said, counted in (
            (probability_above(mean, sd, limit, 8.0, CAP), np.mean(rates > limit + 1e-12)),
            (probability_below(mean, sd, limit, 8.0, CAP), np.mean(rates < limit - 1e-12)),
        ):
            assert abs(said - counted) < 5.0 * 0.5 / n


def test_without_uncertainty_the_rate_is_the_formulas():
    for average in (-0.01, -0.0004, 0.0, 0.0006, 0.002, 0.01):
        expected = float(funding_rate(average, 8.0, -CAP, CAP))
        assert implied_rate(average, 8.0, CAP) == expected
        assert rate_moments(average, 0.0, 8.0, CAP) == (expected, 0.0)
    assert math.isnan(probability_above(0.0, 0.1, math.nan, 8.0, CAP))
    assert math.isnan(probability_below(0.0, 0.1, math.nan, 8.0, CAP))


def test_the_expected_average_is_that_of_many_paths():
    p = SCENARIOS["funding_swings"]()._replace(premium_mean_bps=5.0)
    numbers: Any = market_numbers(p, SYMBOLS["BTCUSDT"], 1)
    state: Any = new_record(STATE)
    state.premium, state.premium_minutes, state.premium_sum, state.premium_weight = 0.004, 300, 45.0, 45_150.0
    mean, sd = expected_average(state, numbers)
    draw = np.random.default_rng(3)
    premium, total = np.full(20_000, 0.004), np.full(20_000, 45.0)
    for minute in range(301, 481):
        noise = numbers.premium_minute_noise * draw.standard_normal(len(premium))
        premium = 5e-4 + numbers.premium_minute_keep * (premium - 5e-4) + noise
        total += minute * premium
    averages = total / (480 * 481 / 2)
    assert abs(mean - averages.mean()) < 5.0 * averages.std() / math.sqrt(len(averages))
    assert sd == pytest.approx(averages.std(), rel=0.03)


def test_probabilities_of_cascades_are_those_of_the_chain():
    p = SCENARIOS["permanent_cascades"]()
    none, build, slide, under_way = cascade_probabilities(p)
    forced, fizzle = 1.0 / p.cascade_slide_s, 1.0 / p.cascade_fizzle_s
    alone = forced / (forced + fizzle) * (1.0 - math.exp(-(forced + fizzle) * p.cascade_horizon_s))
    # Beyond the slide itself it could fizzle and come again, which within a quarter of an hour is next to nothing.
    assert slide == pytest.approx(alone, abs=2e-3)
    assert slide > 0.7
    assert none < build < slide < under_way == 1.0
    assert cascade_probabilities(SCENARIOS["null"]())[0] == 0.0


def test_the_fit_of_a_pair_is_least_squares_on_closes_of_the_past():
    p = SCENARIOS["pairs"]()
    rows = whole(p, days=9.0).outlooks
    own = np.log(np.sqrt(rows["spot_bid"] * rows["spot_ask"]) * (1 + 1e-4 * p.premium_mean_bps))
    partner = np.log(np.sqrt(rows["pair_bid"] * rows["pair_ask"]))
    assert np.all(np.isnan(rows["pair_pvalue"][:60_000]))
    first = int(np.flatnonzero(~np.isnan(rows["pair_beta"]))[0])
    window = np.arange(first - 60 * 1007, first + 1, 60)
    beta, alpha = np.polyfit(partner[window], own[window], 1)
    # Own closes here are spot's: they differ from the contract's by the noise of the premium.
    assert rows["pair_beta"][first] == pytest.approx(beta, abs=0.02)
    spread = own[window] - alpha - beta * partner[window]
    assert rows["pair_sigma"][first] == pytest.approx(spread.std(), rel=0.1)
    assert rows["pair_pvalue"][first] < 0.01
    assert rows["pair_beta"][-1] == pytest.approx(p.pair_beta, abs=0.15)
    assert rows["pair_half_life_s"][-1] == pytest.approx(p.pair_half_life_s, rel=0.5)


def test_pairs_of_the_null_are_seldom_called_pairs():
    """Under no co-integration a p-value below 0.05 comes in one of twenty fits; windows of separate markets are independent."""
    draw = np.random.default_rng(11)
    low = 0
    for _ in range(400):
        x = np.cumsum(draw.standard_normal(1008))
        y = np.cumsum(draw.standard_normal(1008))
        low += fit_pair(y, x, 600.0)[4] < 0.05
    assert 4 <= low <= 40


def test_mackinnons_critical_values():
    """MacKinnon (2010), two variables with constant: -3.33613 at 5 %, -3.89644 at 1 %."""
    assert mackinnon_pvalue(-3.33613) == pytest.approx(0.05, abs=2e-3)
    assert mackinnon_pvalue(-3.89644) == pytest.approx(0.01, abs=1e-3)
    assert mackinnon_pvalue(2.0) == 1.0
    assert mackinnon_pvalue(-30.0) == 0.0


def test_implied_volatility_is_that_of_the_regimes_times_the_ratio():
    p = SlowMarketParameters(regime_volatility_bps=(1.0, 1.0, 1.0), implied_ratio=0.5)
    assert implied_volatility(p) == pytest.approx(0.5e-4 * math.sqrt(365 * 86_400))


def _run_until(state, numbers, until_ns):
    events, outlooks, episodes = np.zeros(1 << 17, EVENT), np.zeros(1 << 13, OUTLOOK), np.zeros(4096, EPISODE)
    rows, finished = [], False
    while not finished:
        finished = run(state, numbers, events, outlooks, episodes, until_ns)
        rows.append(outlooks[: int(state.n and state.m)].tobytes())
    return b"".join(rows)


@pytest.mark.parametrize("hours", [1.0, 7.9, 26.0])
def test_what_comes_later_changes_no_outlook_before(hours):
    """Two markets with one past: whatever the second becomes, up to the fork their outlooks are the same bytes."""
    contract, p = SYMBOLS["SOLUSDT"], SCENARIOS["everything"]()
    other = p._replace(premium_mean_bps=-80.0, cascades_per_day=90.0, regime_volatility_bps=(3.0, 3.0, 3.0))
    fork = p.start_ns + int(hours * 3600e9)
    end = fork + 6 * 3_600_000_000_000
    tables = []
    for later in (p, other):
        state = new_state(p, contract, 4)
        before = _run_until(state, market_numbers(p, contract, 4), fork)
        after = _run_until(state, market_numbers(later, contract, 4), end)
        tables.append((before, before + after))
    assert tables[0][0] == tables[1][0]
    assert tables[0][1] != tables[1][1]
    straight = whole(p, symbol="SOLUSDT", seed=4, days=(end - p.start_ns) / 86_400e9).outlooks
    assert straight.tobytes() == tables[0][1]
