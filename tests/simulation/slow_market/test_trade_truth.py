"""Trades against planted courses of a slow market, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from models.simulation.backtest.results import TRADE
from models.simulation.backtest.truth import NOTHING
from models.simulation.slow_market.scenarios import basis, null, spikes, trends
from models.simulation.slow_market.state import CASCADE, EPISODE, FORCED, NEXT_SPIKE, SLIDE, TREND
from models.simulation.slow_market.truth import THROUGHOUT, planted_numbers, slow_truth_rows

S = 1_000_000_000


def trades(*rows):
    """Trades of one unit at 100, as (opened in s, side, profit)."""
    found = np.zeros(len(rows), TRADE)
    for row, (opened_s, side, profit) in zip(found, rows, strict=True):
        row["opened_ns"], row["closed_ns"] = opened_s * S, (opened_s + 1) * S
        row["side"], row["profit"], row["quantity"], row["entry_price"] = side, profit, 1.0, 100.0
    return found


def episodes(*rows):
    found = np.zeros(len(rows), EPISODE)
    for row, (effect, stage, start_s, end_s, side) in zip(found, rows, strict=True):
        row["effect"], row["stage"], row["side"] = effect, stage, side
        row["start_ns"], row["end_ns"] = start_s * S, end_s * S
    return found


def test_a_trade_answers_the_course_it_was_opened_in():
    planted = episodes((TREND, 1, 100, 200, 1), (TREND, 1, 300, 400, -1))
    done = trades((50, 1, 1.0), (100, 1, 2.0), (200, -1, 3.0), (201, 1, 4.0), (350, -1, 5.0))
    trend, rest = slow_truth_rows(done, planted, trends())
    assert (trend.cause, trend.episodes, trend.trades) == ("trend", 2, 3)
    assert (trend.traded_with, trend.traded_against) == (2, 1)
    assert trend.net_bps.value == pytest.approx(1e4 * (2.0 + 3.0 + 5.0) / 3 / 100.0)
    assert (rest.cause, rest.trades) == (NOTHING, 2)


def test_a_spike_is_felt_until_a_twentieth_of_it_is_left():
    # Half-life 20 s: 20 log2(20) = 86.4 s.
    spike, rest = slow_truth_rows(
        trades((186, 1, 1.0), (187, 1, 1.0)), episodes((NEXT_SPIKE, 1, 100, 100, -1)), spikes()
    )
    assert (spike.cause, spike.trades, spike.traded_against) == ("spike", 1, 1)
    assert rest.trades == 1


def test_stages_of_a_cascade_are_told_apart():
    planted = episodes((CASCADE, SLIDE, 100, 200, -1), (CASCADE, FORCED, 200, 260, -1))
    rows = slow_truth_rows(trades((150, -1, 1.0), (250, -1, 1.0)), planted, null())
    assert [(row.cause, row.trades) for row in rows] == [
        ("cascade, slide", 1),
        ("cascade, liquidations", 1),
        (NOTHING, 0),
    ]


def test_what_stands_throughout_has_numbers_and_no_episodes():
    [row] = slow_truth_rows(trades((1, 1, 1.0)), episodes(), basis())
    assert (row.cause, row.trades) == (THROUGHOUT, 1)
    assert {number.name for number in planted_numbers(basis())} == {
        "premium_mean_bps",
        "premium_sd_bps",
        "premium_half_life_s",
        "carry_share",
    }
    assert planted_numbers(null()) == []
    [row] = slow_truth_rows(trades(), episodes(), null())
    assert (row.cause, row.trades, row.net_bps) == (NOTHING, 0, None)
