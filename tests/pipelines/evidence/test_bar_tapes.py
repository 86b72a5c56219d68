"""Bars of the lake as tapes: nothing is known early, what is assumed is said, and gaps are gaps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hean_pipelines.studies.bank_signals import follow
from hean_pipelines.studies.bar_series import Series
from hean_pipelines.studies.bar_tapes import HALF_SPREAD, bar_tapes, closest
from hean_pipelines.studies.first_step import run
from hean_pipelines.studies.tapes import Tape
from models.evidence.verdict import NOT_ENOUGH_DATA
from models.market.tape import EVENT, GAP, SNAPSHOT, is_sorted
from tests.pipelines.evidence.made_bars import (
    BAR_NS,
    DAY_BARS,
    HOUR_NS,
    PERP,
    SPOT,
    START_NS,
    reverting,
    tape_of,
    walk,
    write_bars,
    write_mood,
    write_rates,
)

SECOND_NS = 1_000_000_000


def whole(tape: Tape) -> tuple[Any, Any]:
    """Return all events and outlooks; that each stretch is its own time is checked on the way."""
    events, outlooks, before_ns = [], [], 0
    for some, told in tape.stretches():
        first = min(int(some["local_ts"][0]), int(told["at_ns"][0]))
        assert first >= before_ns
        before_ns = max(int(some["local_ts"][-1]), int(told["at_ns"][-1]))
        events.append(some)
        outlooks.append(told)
    return np.concatenate(events), np.concatenate(outlooks)


def test_what_was_assumed_is_said(tmp_path: Path) -> None:
    write_bars(tmp_path, PERP, "BTCUSDT", walk(3, 2 * DAY_BARS))
    market = tape_of("oi_momentum", tmp_path).market
    assert market.name == "BTCUSDT, 5-minute bars"
    assert market.hours == pytest.approx(48.0, abs=0.1)
    assert any("no book" in note for note in market.notes)
    assert any("within a bar" in note for note in market.notes)


def test_settlements_and_forecasts_are_known_when_they_were(tmp_path: Path) -> None:
    write_bars(tmp_path, PERP, "BTCUSDT", walk(5, 3 * DAY_BARS))
    rates = np.array([0.001, -0.002, 0.003, -0.004, 0.005, 0.001, 0.001, 0.001, 0.001])
    settlement_ns = write_rates(tmp_path, "BTCUSDT", rates)
    _, told = whole(tape_of("funding_pressure", tmp_path))
    at_second = told[told["at_ns"] == settlement_ns[1] + 1][0]
    assert (at_second["current_rate"], at_second["settlement_ns"]) == (-0.002, settlement_ns[2])
    assert (
        at_second["forecast_settlement_ns"] == settlement_ns[1]
    )  # of the one that is over: says nothing of the next
    before = told[told["at_ns"] <= settlement_ns[2] - HOUR_NS // 2]
    assert settlement_ns[2] not in before["forecast_settlement_ns"]
    made = told[told["at_ns"] == settlement_ns[2] - HOUR_NS // 2 + 1][0]
    assert (made["predicted_rate"], made["current_rate"], made["interval_h"]) == (0.003, -0.002, 8.0)
    assert made["probability_positive"] == pytest.approx(0.99)
    assert made["probability_above"] + made["probability_below"] == pytest.approx(1.0)


def test_the_mood_is_known_from_its_day_on(tmp_path: Path) -> None:
    days = 12
    write_bars(tmp_path, PERP, "BTCUSDT", walk(5, days * DAY_BARS, step_bps=15.0))
    write_mood(tmp_path, [50, 10, 15, 85, 90, 50, 12, 88, 50, 9, 91, 50])
    tape = tape_of("sentiment", tmp_path)
    _, told = whole(tape)
    day_ns = 24 * HOUR_NS
    before = told[told["at_ns"] <= START_NS + 2 * day_ns]
    assert before["fear_greed"][-1] == 10.0
    assert before["fear_greed_at_ns"][-1] == START_NS + day_ns
    found = follow(tape, "sentiment", 12 * SECOND_NS, 60 * SECOND_NS, False)
    at_ns = found.course.start_ns + found.course.step_ns * found.signals.row
    mood = np.array([50, 10, 15, 85, 90, 50, 12, 88, 50, 9, 91, 50])[(at_ns - START_NS) // day_ns]
    assert len(mood) >= 3
    assert (found.signals.side == np.where(mood < 50, 1, -1)).all()


def test_a_pair_is_fitted_on_the_week_before(tmp_path: Path) -> None:
    bars = 9 * DAY_BARS
    partner, spread = walk(6, bars, 3000.0), reverting(7, bars, 60.0, 7200.0)
    write_bars(tmp_path, PERP, "ETHUSDT", partner)
    write_bars(tmp_path, PERP, "BTCUSDT", np.round(20.0 * partner * np.exp(spread), 1))
    write_bars(tmp_path, PERP, "NEWUSDT", walk(9, 400, 5.0, 50.0))
    tape = tape_of("correlation_arb", tmp_path)
    assert tape.market.name == "BTCUSDT, 5-minute bars, pair with ETHUSDT"
    _, told = whole(tape)
    week_ns = START_NS + 7 * 24 * HOUR_NS
    known = np.isfinite(told["pair_beta"])
    assert not known[told["at_ns"] <= week_ns].any()
    assert known[told["at_ns"] > week_ns].all()
    # A fit a day: those after seven, eight and nine days.
    assert len(np.unique(told["pair_beta"][known])) == 3
    assert told["pair_beta"][known] == pytest.approx(1.0, abs=0.2)
    alone = next(
        t for t in bar_tapes("correlation_arb", tmp_path, "recorded") if t.market.symbol == "NEWUSDT"
    )
    outcome = run("correlation_arb", alone)
    assert (outcome.verdict, outcome.reason) == (NOT_ENOUGH_DATA, "the lake holds no pair")


def test_a_partner_is_chosen_by_the_first_week() -> None:
    at_ns = START_NS + BAR_NS * np.arange(4000)
    own = walk(1, 4000)
    near = own * np.exp(np.r_[np.zeros(2016), np.full(1984, 1.0)])
    later = np.where(np.arange(4000) < 2016, walk(2, 4000), own)
    bars = {name: Series(at_ns, closes) for name, closes in (("A", own), ("B", later), ("C", near))}
    assert closest("A", bars) == "C"
    # One that was listed later is not looked at, however close it is.
    bars["D"] = Series(at_ns[10:], own[10:])
    assert closest("A", bars) == "C"
    assert closest("D", bars) == "A"


def test_a_longer_lake_changes_nothing_that_was_known(tmp_path: Path) -> None:
    bars = 12 * DAY_BARS
    streams = []
    for days in (10, 12):
        root, until = tmp_path / str(days), days * DAY_BARS
        spot, partner = walk(1, bars), walk(4, bars, 3000.0)
        write_bars(
            root, PERP, "BTCUSDT", np.round(spot * (1.0 + reverting(2, bars, 40.0, 7200.0)), 1)[:until]
        )
        write_bars(root, PERP, "ETHUSDT", partner[:until])
        write_bars(root, SPOT, "BTCUSDT", spot[:until])
        write_rates(root, "BTCUSDT", np.full(3 * days, 0.001))
        streams.append({name: whole(tape_of(name, root)) for name in ("basis_arbitrage", "correlation_arb")})
    until_ns = START_NS + 10 * 24 * HOUR_NS
    for name, (events, outlooks) in streams[0].items():
        longer_events, longer_outlooks = streams[1][name]
        kept = longer_events[longer_events["local_ts"] <= until_ns]
        assert all(np.array_equal(events[field], kept[field]) for field in EVENT.names)
        told = longer_outlooks[: len(outlooks)]
        # The venue announces the next settlement; of the one after the shorter lake nothing is in it.
        last = outlooks["at_ns"] < until_ns
        for field in outlooks.dtype.names:
            assert np.array_equal(outlooks[field][last], told[field][last], equal_nan=True), field


def test_a_bar_is_a_book_once_it_is_over_and_a_hole_is_a_gap(tmp_path: Path) -> None:
    closes = walk(3, 2 * DAY_BARS)
    missing = tuple(range(100, 140))
    write_bars(tmp_path, PERP, "BTCUSDT", closes, missing)
    tape = tape_of("correlation_arb", tmp_path)
    events, _ = whole(tape)
    assert is_sorted(events)
    levels = events[events["kind"] == SNAPSHOT]
    kept = np.delete(np.arange(len(closes)), missing)
    assert np.array_equal(levels["local_ts"][::2], START_NS + BAR_NS * (kept + 1))
    bid, ask = levels["price"][::2], levels["price"][1::2]
    assert (bid < closes[kept]).all()
    assert (closes[kept] < ask).all()
    assert (ask - bid) / closes[kept] == pytest.approx(2.0 * HALF_SPREAD, abs=2.0 * 0.1 / 50_000.0)
    gaps = events["local_ts"][events["kind"] == GAP]
    assert gaps.tolist() == [START_NS + BAR_NS * (100 + 1)]
    assert "bars are missing at 1 places" in tape.market.notes


def test_two_markets_are_seen_at_the_same_close(tmp_path: Path) -> None:
    # Both leap by a percent, together: a market seen a bar before the other would look like a gap of a hundred bps.
    closes = walk(5, 4 * DAY_BARS, step_bps=1.0) * np.where(np.arange(4 * DAY_BARS) // 50 % 2, 1.01, 1.0)
    closes = np.round(closes, 1)
    write_bars(tmp_path, PERP, "BTCUSDT", closes)
    write_bars(tmp_path, SPOT, "BTCUSDT", closes)
    found = follow(
        tape_of("basis_arbitrage", tmp_path), "basis_arbitrage", 12 * SECOND_NS, 60 * SECOND_NS, False
    )
    assert len(found.course.mid) > 5000
    assert not len(found.signals.row)
    assert found.course.mid == pytest.approx(found.course.leg_mid, rel=1e-4)


def test_prices_are_read_at_the_instant_and_not_before_a_signal(tmp_path: Path) -> None:
    closes = walk(5, DAY_BARS, step_bps=20.0)
    write_bars(tmp_path, PERP, "BTCUSDT", closes)
    write_bars(tmp_path, SPOT, "BTCUSDT", closes)
    course = follow(
        tape_of("basis_arbitrage", tmp_path), "basis_arbitrage", 12 * SECOND_NS, 60 * SECOND_NS, False
    ).course
    at_ns = course.start_ns + course.step_ns * np.arange(len(course.mid))
    # A tick at the very instant of a close comes before it.
    bar = (at_ns - 1 - START_NS) // BAR_NS - 1
    whole_bars = (bar >= 0) & (at_ns < at_ns[-1])  # the last row is of after the last message
    assert course.mid[whole_bars] == pytest.approx(closes[bar[whole_bars]], abs=0.11)
