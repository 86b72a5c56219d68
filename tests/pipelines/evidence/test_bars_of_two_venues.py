"""S17's first step on the lake's bars: two venues' closes and settled rates, each known when it was, and what they paid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hean_pipelines.studies.bank_signals import follow
from hean_pipelines.studies.first_step import run
from models.evidence.signal_worth import received_bps
from models.evidence.verdict import FAILED, NOT_ENOUGH_DATA, PASSED
from tests.pipelines.evidence.made_bars import (
    BAR_NS,
    DAY_BARS,
    HOUR_NS,
    OTHER_PERP,
    PERP,
    START_NS,
    tape_of,
    walk,
    write_bars,
    write_other_rates,
    write_rates,
)

NAME = "cross_exchange_funding"
DAYS = 75
HIGH = 0.004  # of eight hours: five basis points an hour


def two_venues(root: Path, rates: Any, other_rates: Any, days: int = DAYS, symbol: str = "BTCUSDT") -> None:
    """Write the same price on both venues, and rates settled every eight hours."""
    closes = walk(3, days * DAY_BARS)
    write_bars(root, PERP, symbol, closes)
    write_bars(root, OTHER_PERP, symbol, closes)
    write_rates(root, symbol, rates)
    write_other_rates(root, symbol, other_rates)


def test_rates_prices_and_settlements_are_known_when_they_were(tmp_path: Path) -> None:
    rates, other = np.arange(1, 10) * 1e-4, np.arange(1, 19) * 1e-5
    write_bars(tmp_path, PERP, "BTCUSDT", walk(3, 3 * DAY_BARS))
    closes = walk(4, 3 * DAY_BARS)
    write_bars(tmp_path, OTHER_PERP, "BTCUSDT", closes)
    settlement_ns = write_rates(tmp_path, "BTCUSDT", rates)
    others_ns = write_other_rates(tmp_path, "BTCUSDT", other, hours=4)
    tape = tape_of(NAME, tmp_path)
    assert tape.market.name == "BTCUSDT, 5-minute bars, beside BTCUSDT of Binance"
    assert any("settled last" in note for note in tape.market.notes)
    told = np.concatenate([rows for _, rows in tape.stretches()])
    row = told[told["at_ns"] == settlement_ns[1] + 1][0]
    assert row["own_rate_per_h"] == pytest.approx(rates[1] / 8.0)
    assert row["other_rate_per_h"] == pytest.approx(other[3] / 4.0)
    assert (row["other_settlement_ns"], row["other_interval_h"]) == (others_ns[4], 4.0)
    bar = (int(settlement_ns[1]) - START_NS) // BAR_NS - 1
    assert 0.5 * (row["other_bid"] + row["other_ask"]) == pytest.approx(closes[bar])
    assert row["other_at_ns"] == settlement_ns[1]
    before = told[told["at_ns"] <= settlement_ns[1]]
    assert not np.isclose(before["other_rate_per_h"], other[3] / 4.0).any()


def test_a_price_for_a_thousand_is_held_against_a_thousand_prices(tmp_path: Path) -> None:
    closes = walk(3, 2 * DAY_BARS, 60.0)
    write_bars(tmp_path, PERP, "1000PEPEUSDT", closes)
    write_bars(tmp_path, OTHER_PERP, "PEPEUSDT", closes / 1000.0)
    write_rates(tmp_path, "1000PEPEUSDT", np.zeros(6))
    write_other_rates(tmp_path, "PEPEUSDT", np.zeros(6))
    tape = tape_of(NAME, tmp_path, "1000PEPEUSDT")
    told = np.concatenate([rows for _, rows in tape.stretches()])
    assert 0.5 * (told["other_bid"] + told["other_ask"])[-1] == pytest.approx(closes[-1])


def test_what_both_positions_receive_is_what_was_settled(tmp_path: Path) -> None:
    rates = np.where(np.arange(60) % 3 == 0, HIGH, 0.001)
    other = np.linspace(-1e-4, 1e-4, 60)
    two_venues(tmp_path, rates, other, days=20)
    found = follow(tape_of(NAME, tmp_path), NAME, 12_000_000_000, 300_000_000_000, fills=False)
    course, signals = found.course, found.signals
    assert len(signals.row) > 100
    assert set(signals.side) == {-1.0}
    steps = 144  # twelve hours
    received = received_bps(course, signals, steps)
    at_ns = course.start_ns + course.step_ns * signals.row
    known = signals.row + steps < len(course.mid)
    settled_ns = START_NS + 8 * HOUR_NS * np.arange(1, 61)
    for at, bps in zip(at_ns[known], received[known], strict=True):
        within = (settled_ns > at) & (settled_ns <= at + 12 * HOUR_NS)
        assert bps == pytest.approx(1e4 * (rates[within] - other[within]).sum(), abs=1e-6)


def test_a_difference_that_stays_is_found_and_one_that_does_not_is_not(tmp_path: Path) -> None:
    count, nothing = 3 * DAYS, np.zeros(3 * DAYS)
    two_venues(tmp_path / "stays", np.full(count, HIGH), nothing)
    outcome = run(NAME, tape_of(NAME, tmp_path / "stays"))
    assert outcome.verdict == PASSED
    chance = np.random.default_rng(5).choice((-HIGH, HIGH), count)
    two_venues(tmp_path / "chance", chance, nothing)
    outcome = run(NAME, tape_of(NAME, tmp_path / "chance"))
    assert outcome.verdict == FAILED


def test_without_the_other_venue_nothing_is_asked(tmp_path: Path) -> None:
    write_bars(tmp_path, PERP, "BTCUSDT", walk(3, 3 * DAY_BARS))
    write_rates(tmp_path, "BTCUSDT", np.full(9, HIGH))
    outcome = run(NAME, tape_of(NAME, tmp_path))
    assert (outcome.verdict, outcome.reason) == (NOT_ENOUGH_DATA, "the lake holds no other venue")
