"""The bank of shadows in the simulation: what it tells, and planted faults of the executor that some seed must find."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from hean_live.app import booking, working_orders
from hean_live.app import engine as engine_module
from hean_live.app.engine import Engine
from hean_live.app.snapshot import BookCampaign
from hean_live.simulation import faults
from hean_live.simulation.bank import SimulatedBank
from hean_live.simulation.clock import NANOSECONDS, VirtualClock
from hean_live.simulation.faults import Window
from hean_live.simulation.market import SimulatedMarket
from hean_live.simulation.run import run_seed
from hean_live.simulation.script import BankScript, Episode, draw_script
from hean_live.simulation.sights import SimulatedSights

SYMBOLS = ("AAAUSDT", "BBBUSDT")
START_NS = 1_748_793_600 * NANOSECONDS
MOST_SEEDS = 120


def at(seconds):
    return START_NS + int(seconds * NANOSECONDS)


def episode(signal_s, end_s, **changes):
    row = Episode(
        "sentiment", "AAAUSDT", "RANGE", 1, at(signal_s), at(end_s), True, True, 40.0, 0.9
    )  # fmt: skip
    return replace(row, **changes)


def bank_of(script, seed=0):
    clock = VirtualClock(START_NS)
    generator = np.random.default_rng(seed)
    market = SimulatedMarket(SYMBOLS, generator, START_NS // 1_000_000, START_NS // 1_000_000 + 60_000, 100)
    return clock, SimulatedBank(script, 0, clock, market, generator)


def heard(clock, bank, seconds, step_s=0.5):
    """Everything told within a time: news of each poll."""
    rows = []
    for _ in range(int(seconds / step_s)):
        clock.pass_time(step_s)
        rows.append(bank.news())
    return rows


def test_everything_is_told_once_and_trips_not_before_their_signals():
    script = BankScript((episode(1, 4), episode(6, 6), episode(8, 20, is_filled=False)))
    for seed in range(20):
        clock, bank = bank_of(script, seed)
        rows = heard(clock, bank, 30)
        assert [s.at_ns for row in rows for s in row.signals] == [at(1), at(6), at(8)]
        assert [t.signal_ns for row in rows for t in row.trips] == [at(1), at(6)]
        first = [n for n, row in enumerate(rows) for _ in row.signals]
        last = [n for n, row in enumerate(rows) for _ in row.trips]
        assert all(begun <= ended for begun, ended in zip(first, last, strict=False))
        assert all(row.running for row in rows)


def test_what_is_held_is_a_moment_newer_than_what_is_told():
    script = BankScript((episode(1, 3),))
    ahead = 0
    for seed in range(40):
        clock, bank = bank_of(script, seed)
        rows = heard(clock, bank, 6, step_s=0.25)
        told = next(n for n, row in enumerate(rows) if row.signals)
        held = next(n for n, row in enumerate(rows) if row.holding)
        assert held <= told
        ahead += held < told
    assert 0 < ahead < 40


def test_a_life_begins_flat_once_it_has_warmed_up():
    script = BankScript((episode(1, 30), episode(40, 50)), warm_up_s=(10.0,))
    clock, bank = bank_of(script)
    rows = heard(clock, bank, 60)
    assert [row.running for row in rows[:19]] == [False] * 19
    assert rows[-1].running
    assert [s.at_ns for row in rows for s in row.signals] == [at(40)]
    assert all(not row.holding for row in rows[:79])


def test_a_bank_that_stands_still_tells_afterwards_and_one_that_ended_nothing_more():
    stalled = BankScript((episode(5, 6),), stalls=(Window(faults.BANK_STALLS, 4.0, 20.0),))
    clock, bank = bank_of(stalled)
    rows = heard(clock, bank, 19)
    assert not any(row.signals or row.holding for row in rows)
    assert rows[-1].running
    assert rows[-1].lagging_s == pytest.approx(15.0, abs=0.3)
    later = heard(clock, bank, 5)
    assert (sum(len(row.signals) for row in later), sum(len(row.trips) for row in later)) == (1, 1)
    clock, bank = bank_of(BankScript((episode(1, 30), episode(10, 12, symbol="BBBUSDT")), ends_s=5.0))
    rows = heard(clock, bank, 20)
    assert [row.running for row in rows] == [True] * 9 + [False] * 31
    assert bank.problem == "the shadows ended"
    assert rows[-1].holding == (("sentiment", "AAAUSDT"),)  # as it stood when it ended
    assert sum(len(row.signals) for row in rows) == 1


def test_episodes_of_one_strategy_and_symbol_follow_each_other():
    scripts = [
        draw_script(np.random.default_rng(seed), faults.ALL, SYMBOLS, START_NS, 200.0) for seed in range(30)
    ]
    assert sum(len(script.episodes) for script in scripts) > 100
    for script in scripts:
        last: dict[tuple[str, str], int] = {}
        for row in script.episodes:
            assert row.signal_ns > last.get((row.strategy, row.symbol), 0)
            last[row.strategy, row.symbol] = row.end_ns
    assert any(script.stalls for script in scripts)
    assert any(script.ends_s is not None and script.restarts_s for script in scripts)
    calm = draw_script(np.random.default_rng(3), ("calm",), SYMBOLS, START_NS, 200.0)
    assert (calm.stalls, calm.ends_s, calm.restarts_s) == ((), None, ())


def test_sights_of_every_kind_are_drawn():
    sights = SimulatedSights(SYMBOLS, np.random.default_rng(1), START_NS, 2000)
    seen = [sights.at(at(seconds))["AAAUSDT"] for seconds in range(0, 2000, 5)]
    assert {row.book_valid for row in seen} == {True, False}
    assert {row.is_trend for row in seen} == {True, False}
    assert any(math.isnan(row.sigma_minute) for row in seen)
    assert any(row.spread_bps > 3.0 * row.median_spread_bps for row in seen)
    ages = [(at(5 * n) - row.book_at_ns) / NANOSECONDS for n, row in enumerate(seen)]
    assert min(ages) < 1.0 < 15.0 < max(ages)


# --- in whole simulations


def first_broken(allowed):
    """Numbers of the first seed that breaks anything."""
    for seed in range(MOST_SEEDS):
        broken = {violation.number for violation in run_seed(seed, allowed).violations}
        if broken:
            return broken
    return set()


def test_the_bank_trades_dies_and_is_restarted():
    outcomes = [run_seed(seed, (faults.CRASH, *faults.OF_THE_BANK)) for seed in range(40)]
    assert [(row.seed, row.violations) for row in outcomes if row.violations] == []
    assert sum(row.bank_orders for row in outcomes) > 25
    assert sum(row.crashes for row in outcomes) > 5


def test_pairs_are_traded_in_both_legs_and_neither_stays():
    scripts = [
        draw_script(np.random.default_rng((seed, 1)), faults.ALL, SYMBOLS, START_NS, 200.0)
        for seed in range(40)
    ]
    paired = [row for script in scripts for row in script.episodes if row.partner]
    assert {(row.strategy, row.symbol, row.partner) for row in paired} == {
        ("correlation_arb", "AAAUSDT", "BBBUSDT"),
        ("correlation_arb", "BBBUSDT", "AAAUSDT"),
    }
    outcomes = [run_seed(seed, (faults.CRASH,), trace=True) for seed in range(40)]
    assert [(row.seed, row.violations) for row in outcomes if row.violations] == []
    for symbol in SYMBOLS:
        assert any(f"hn-S15-{symbol}" in line for row in outcomes for line in row.trace)


def test_a_second_leg_that_does_not_leave_with_the_first(monkeypatch):
    real = working_orders._first_leg
    monkeypatch.setattr(working_orders, "_first_leg", lambda *known: real(*known) or Decimal(0))
    assert "I13" in first_broken(("calm",))


def test_legs_that_are_not_booked_together(monkeypatch):
    def forget(campaign, state, _states):
        state.unbooked.remove(campaign)
        return []

    monkeypatch.setattr(booking, "_book_bank", forget)
    assert "I14" in first_broken(("calm",))


def test_a_position_kept_although_its_shadow_has_left(monkeypatch):
    monkeypatch.setattr(working_orders, "left_by_its_shadow", lambda _campaign, _snapshot: "")
    assert "I13" in first_broken(("calm",))


def test_a_position_of_the_bank_adopted_as_if_it_were_s1s(monkeypatch):
    """It then waits for the rate of a settlement that never was, and is never booked."""
    monkeypatch.setattr(engine_module, "STRATEGY", None)
    real = Engine.adopt

    def adopt(self, symbol, orders, now_ns):
        rows = [replace(row, strategy=None) for row in orders]
        commands = real(self, symbol, rows, now_ns)
        campaign = self._states[symbol].campaign
        if campaign is not None:
            assert campaign.signal.origin == "forecast"
        return commands

    monkeypatch.setattr(Engine, "adopt", adopt)
    assert "I13" in first_broken((faults.CRASH, faults.LOST_JOURNAL))


def test_a_closed_campaign_that_is_not_booked(monkeypatch):
    from hean_live.app import runner

    real = runner.keep

    def keep(journal, command):
        if not isinstance(command, BookCampaign):
            real(journal, command)

    monkeypatch.setattr(runner, "keep", keep)
    assert "I14" in first_broken(("calm",))
