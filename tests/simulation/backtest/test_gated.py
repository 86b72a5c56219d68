"""Gates asked about a backtest's signals, and what they cost: at edges and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t

from models.errors import DataError
from models.execution.market_gates import PriceHistory
from models.gates.order import ORDER, GateRules, pass_gates
from models.gates.records import Fees
from models.market.record import new_market
from models.regimes.kernel import MARKUP, RANGE
from models.simulation.backtest.figures import Estimate
from models.simulation.backtest.gated import gated_figures
from models.simulation.backtest.judging import Judge, Signal
from models.simulation.bank.records import TRIP
from models.strategies.catalogue import CATALOGUE
from tests.gates.facts import NOON, facts, fine

SECOND = 1_000_000_000
HOUR = 3_600 * SECOND
MIDNIGHT = NOON - 12 * HOUR
RULES = GateRules()


def verdict(market=None, **own):
    return pass_gates(fine(), facts(market or {}, **own), RULES)


PASSED = verdict(
    {"hurst_finer": "RANDOM", "whale_cvd_usd": 1.0, "whale_intensity": 50.0, "retail_imbalance": 0.5}
)
WHALES = verdict({"whale_cvd_usd": -1.0, "whale_intensity": 50.0})
EVENING = NOON + 8 * HOUR
SEEN_THEN = {"book_at_ns": EVENING, "open_interest_at_ns": EVENING}
LATE = pass_gates(fine(at_ns=EVENING), facts({"btc": PriceHistory()}, now_ns=EVENING, sight=SEEN_THEN), RULES)
ROTATED = verdict(rotation=None)
ROTATED_WHALES = verdict({"whale_cvd_usd": -1.0, "whale_intensity": 50.0}, rotation=None)
BOTH = verdict({"whale_cvd_usd": -1.0, "whale_intensity": 50.0}, sight={"book_valid": False})


def trips_of(profits, notional=100.0):
    rows = np.zeros(len(profits), TRIP)
    rows["entry_ns"] = NOON + 600 * SECOND * np.arange(len(profits))
    rows["exit_ns"] = rows["entry_ns"] + 10 * SECOND
    rows["profit"], rows["notional"] = profits, notional
    return rows


def test_every_trip_is_passed_blocked_alone_or_shared_and_the_sums_add_up():
    verdicts = [PASSED, WHALES, WHALES, ROTATED, ROTATED_WHALES, BOTH, PASSED]
    profits = np.array([1.0, -2.0, 0.5, 3.0, 0.25, -0.125, 4.0])
    found = gated_figures(trips_of(profits), verdicts, 9, 3)
    gates = {gate.name: gate for gate in found.gates}
    assert [gate.row for gate in found.gates] == [gate.row for gate in ORDER]
    assert (found.signals, found.signals_passed) == (9, 3)
    assert (found.every.trips, found.every.net_usd) == (7, profits.sum())
    assert (found.passed.trips, found.passed.net_usd) == (2, 5.0)
    assert found.passed.net_bps == Estimate(250.0, None, None, 2)  # 1 and 4 USD of 100
    # Permissions apart, as live: what rotator and whales blocked together is the whales'.
    assert (gates["whale_cvd"].blocked, gates["whale_cvd"].alone.trips) == (4, 3)
    assert gates["whale_cvd"].alone.net_usd == -1.25
    assert gates["whale_cvd"].reasons == (("WHALE_CONFLICT", 4),)
    assert (gates["rotator"].blocked, gates["rotator"].alone.trips) == (2, 1)
    assert (gates["stale_data"].blocked, gates["stale_data"].alone.trips) == (1, 0)
    assert gates["stale_data"].verdict == ""
    assert (found.shared.trips, found.shared.net_usd) == (1, -0.125)
    parts = [found.passed, found.shared, *(gate.alone for gate in found.gates)]
    assert sum(part.trips for part in parts) == found.every.trips
    assert sum(part.net_usd for part in parts) == pytest.approx(found.every.net_usd)


def test_multipliers_are_means_of_what_passed():
    found = gated_figures(trips_of([1.0, 1.0, 1.0]), [PASSED, verdict(), WHALES], 3, 2)
    gates = {gate.name: gate.multiplier for gate in found.gates}
    assert (gates["hurst"], gates["whale_cvd"], gates["pace"]) == (0.75, 1.75, 1.0)
    none = gated_figures(trips_of([1.0]), [WHALES], 1, 0)
    assert {gate.multiplier for gate in none.gates} == {None}
    assert none.passed.net_bps is None


@pytest.mark.parametrize(
    ("mean", "expected"), [(5.0, "costs money"), (-5.0, "saves money"), (0.0, "undecided")]
)
def test_the_verdict_is_that_of_ten_blocks(mean, expected):
    profits = np.random.default_rng(1).normal(0.0, 4.0, 100)
    profits += mean - profits.mean()
    found = gated_figures(trips_of(profits, 1e4), [LATE] * 100, 100, 0)
    [gate] = [gate for gate in found.gates if gate.blocked]
    means = profits.reshape(10, 10).mean(axis=1)
    half = t.ppf(0.975, 9) * means.std(ddof=1) / np.sqrt(10)
    assert (gate.name, gate.verdict) == ("golden_hour", expected)
    assert gate.alone.net_bps.value == pytest.approx(mean, abs=1e-12)
    assert (gate.alone.net_bps.low, gate.alone.net_bps.high) == pytest.approx((mean - half, mean + half))


def test_without_fifty_trips_there_is_a_mean_and_no_verdict():
    found = gated_figures(trips_of([1.0] * 49), [LATE] * 49, 49, 0)
    [gate] = [gate for gate in found.gates if gate.blocked]
    assert gate.verdict == "not enough data"
    assert gate.alone.net_bps == Estimate(100.0, None, None, 49)


def test_one_verdict_a_trip_is_needed():
    with pytest.raises(DataError, match="was 1 for 2 trips"):
        gated_figures(trips_of([1.0, 2.0]), [PASSED], 1, 1)


def market(at_ns, **changes):
    record = new_market()
    values = {"valid": 1, "book_at_ns": at_ns, "open_interest_at_ns": at_ns, "spread_bps": 1.0}
    values |= {"vpin_rank": 0.2, "regime": RANGE, **changes}
    for name, value in values.items():
        record[name] = value
    return record


def judge_of(name="hf_scalping", **changes):
    entry = CATALOGUE[name]
    return Judge(name, "XRPUSDT", entry.params(), Fees(2.0, 5.5), 500.0, **changes)


def judged(at_ns, judge=None, side=1, name="hf_scalping", **changes):
    signal = Signal(at_ns, side, False)
    return (judge or judge_of(name)).judge(signal, market(at_ns, **changes), CATALOGUE[name].new_state())


def reasons(found):
    return [outcome.reason for outcome in found.blocks]


@pytest.mark.parametrize(
    ("at_ns", "expected"),
    [
        (MIDNIGHT + 3 * HOUR, ["GOLDEN_HOUR"]),  # Asian hours
        (MIDNIGHT + 9 * HOUR - 1, ["GOLDEN_HOUR"]),
        (MIDNIGHT + 9 * HOUR, []),
        (MIDNIGHT + 16 * HOUR - 1, []),
        (MIDNIGHT + 16 * HOUR, ["GOLDEN_HOUR"]),
    ],
)
def test_the_golden_hour_is_that_of_the_signal(at_ns, expected):
    assert reasons(judged(at_ns)) == expected


def test_a_cooldown_follows_what_passed_and_nothing_else():
    judge = judge_of()
    assert reasons(judged(NOON, judge, vpin_rank=0.99, kyle_lambda_z=9.0)) == ["INFORMED_FLOW"]
    assert judged(NOON + SECOND, judge).passed
    assert reasons(judged(NOON + 31 * SECOND - 1, judge)) == ["COOLDOWN"]
    assert judged(NOON + 31 * SECOND, judge).passed


def test_the_rotator_asks_its_table_and_draws_no_lots():
    # One signal in each of 200 windows of 15 minutes: a draw would block about half of them.
    judge = judge_of()
    found = [reasons(judged(MIDNIGHT + k * 900 * SECOND, judge)) for k in range(200)]
    assert not any("ROTATED_OUT" in each for each in found)
    assert reasons(judged(NOON, regime=MARKUP)) == ["ROTATED_OUT"]
    assert reasons(judged(NOON, regime=np.nan)) == ["ROTATED_OUT"]
    # A regime in force is kept for 15 minutes, as live.
    held = judge_of()
    assert judged(NOON, held).passed
    assert judged(NOON + 900 * SECOND - 1, held, regime=MARKUP).passed
    assert "ROTATED_OUT" in reasons(judged(NOON + 900 * SECOND, held, regime=MARKUP))


def test_ages_are_those_of_the_record_and_a_tape_without_open_interest_is_not_blamed():
    assert reasons(judged(NOON, book_at_ns=NOON - 10 * SECOND)) == []
    assert reasons(judged(NOON, book_at_ns=NOON - 10 * SECOND - 1)) == ["STALE_BOOK"]
    assert reasons(judged(NOON, valid=0)) == ["BOOK_INVALID"]
    assert reasons(judged(NOON, open_interest_at_ns=0)) == ["STALE_OPEN_INTEREST"]
    assert reasons(judged(NOON, judge_of(hears_open_interest=False), open_interest_at_ns=0)) == []


def test_the_fees_of_the_run_are_held_against_the_edge_the_strategy_states():
    entry = CATALOGUE["hf_scalping"]
    edge = entry.params().target_bps
    # A maker's entry, a taker's exit, half the spread of 1 bps once.
    for maker_bps, expected in ((edge - 6.01, []), (edge - 6.0, ["EDGE_BELOW_COSTS"])):
        judge = Judge("hf_scalping", "XRPUSDT", entry.params(), Fees(maker_bps, 5.5), 500.0)
        assert reasons(judged(NOON, judge)) == expected


def test_a_model_that_is_not_there_blocks_what_rests_on_it():
    found = judged(NOON, name="liquidation_hunter", open_interest=1.0)
    assert "LOW_CONFIDENCE" in reasons(found)
