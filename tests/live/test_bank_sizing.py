"""The engine and the bank's signals: Kelly's bound, requests, entries beside each other, and what models said."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal as D

import pytest

from hean_live.execution.records import UNRESOLVED
from hean_live.shadow.records import CascadeForecast
from models.execution.memory import WorkMemory, join_memory
from models.regimes.rules import IMPULSE_UP
from tests.live.bank_polls import (
    ALT,
    IMPULSE,
    MOMENTUM,
    NOON,
    PAYS,
    TRENDING,
    asked,
    begin,
    engine,
    filled,
    news,
    notes,
    poll,
    sights,
    told,
)
from tests.live.factories import NS, RULES, SYMBOL, books


def test_kellys_bound_rests_on_the_record_in_the_regime_in_force():
    def entered(**distribution):
        cell = replace(PAYS, **distribution)
        matrix = {**poll().matrix, ("S7", IMPULSE_UP): cell}
        commands = engine().on_poll(poll(news(asked()), matrix=matrix), sights())
        return told(commands)[0], [D(note.body["qty"]) for note in notes(commands, "entry")]

    # 0.8 % of margin at 3 times lose 0.048 % at a stop of 2 %: a quarter of Kelly's fraction binds below 0.192 %.
    good = {"win_rate": 0.6, "mean_win_usd": 2.0, "mean_loss_usd": 1.0}
    assert entered(**good) == (("S7", "", ""), [D("2.39")])
    # 0.5 − 0.5 × 0.9984 = 0.0008, a quarter of it 0.0002: 2 USD at risk, 100 USD of notional at 100.1.
    thin = {"win_rate": 0.5, "mean_win_usd": 1.0, "mean_loss_usd": 0.9984}
    assert entered(**thin) == (("S7", "", ""), [D("0.99")])
    (_, reason, words), made = entered(win_rate=0.4, mean_win_usd=1.0, mean_loss_usd=1.0)
    assert (reason, made) == ("SIZER_ZERO", [])
    assert "Kelly min(0.25 × 0.0000, 0.01) = 0" in words
    # A matrix without a distribution, or with too few trades: no bound of Kelly's.
    assert entered()[1] == [D("2.39")]
    assert entered(trades=29, win_rate=0.4, mean_win_usd=1.0, mean_loss_usd=1.0)[1] == [D("2.39")]


@pytest.mark.parametrize(("unanswered", "blocks"), [(9, False), (10, True)])
def test_a_strategy_with_too_many_unanswered_orders_waits(unanswered, blocks):
    doubtful = [
        filled(client_id=f"hn-S7-ETHUSDT-sx6ps0-e{i}", symbol=ALT, state=UNRESOLVED, filled_qty=D(0))
        for i in range(unanswered)
    ]
    subject = engine(symbols=(SYMBOL, ALT))
    commands = subject.on_poll(
        poll(news(asked(), asked(MOMENTUM, ALT, side=-1)), orders={ALT: doubtful}), sights()
    )
    (first, why, words), (second, other, _) = told(commands)
    assert (first, why) == ("S7", "NO_SLOT" if blocks else "")
    assert ("10 unanswered of at most 10, 8 requests free" in words) is blocks
    assert (second, other) == ("S9", "")


def test_without_a_free_request_nobody_enters():
    memory = WorkMemory(placed_ns=(NOON + NS,) * 8)
    subject = engine(saved=join_memory(engine().memory().states, memory, whole=True))
    (found,) = told(subject.on_poll(poll(news(asked())), sights()))
    assert found[1] == "NO_SLOT"
    assert "0 unanswered of at most 10, 0 requests free" in found[2]
    later = subject.on_poll(poll(news(asked(at_ns=NOON + 2 * NS)), 2.1), sights(2.1))
    assert told(later)[0][1] == ""


@pytest.mark.parametrize(("share", "fits"), [("0.048", True), ("0.0475", False)])
def test_entries_of_one_poll_count_against_the_total_together(share, fits):
    """Each of 2.39 lots at 100 USD, 2.4 % of the equity: two of them need 4.8 % (of prices, a little less or more)."""
    limits = replace(RULES.gates.limits, total_exposure=D(share))
    rules = replace(RULES, gates=replace(RULES.gates, limits=limits))
    subject = engine(symbols=(SYMBOL, ALT), rules=rules)
    both = subject.on_poll(poll(news(asked(), asked(MOMENTUM, ALT, side=-1))), sights())
    assert told(both)[0][1] == ""
    assert told(both)[1][1] == ("" if fits else "TOTAL_EXPOSURE")
    alone = engine(symbols=(SYMBOL, ALT), rules=rules)
    assert told(alone.on_poll(poll(news(asked(MOMENTUM, ALT, side=-1))), sights()))[0][1] == ""


def test_what_a_campaign_has_not_ordered_yet_is_reserved():
    """Polls without an order of it yet: the target counts, and what was ordered of it does not count twice."""
    limits = replace(RULES.gates.limits, total_exposure=D("0.0475"))
    subject = engine(symbols=(SYMBOL, ALT), rules=replace(RULES, gates=replace(RULES.gates, limits=limits)))
    begin(subject)
    second = asked(MOMENTUM, ALT, side=-1, at_ns=NOON + 2 * NS)
    (found,) = told(subject.on_poll(poll(news(second, holding=[(IMPULSE, SYMBOL)]), 3), sights(3)))
    assert found[1] == "TOTAL_EXPOSURE"
    wide = replace(limits, total_exposure=D("0.048"))
    subject = engine(symbols=(SYMBOL, ALT), rules=replace(RULES, gates=replace(RULES.gates, limits=wide)))
    begin(subject)
    held = {"orders": {SYMBOL: [filled()]}, "books": books("2.39")}
    (found,) = told(subject.on_poll(poll(news(second, holding=[(IMPULSE, SYMBOL)]), 3, **held), sights(3)))
    assert found[1] == ""


def test_ultra_reaches_the_size():
    whales = {**TRENDING, "whale_cvd": 5e5, "whale_intensity": 60.0}

    def qty(retail):
        (entry,) = notes(begin(engine(), features={**whales, **retail}), "entry")
        return D(entry.body["qty"])

    assert qty({}) == qty({"retail_imbalance": 0.19}) == D("2.39")
    # 2.5 times 0.8 %: 2 %, R1's limit, 600 USD at 100.1.
    assert qty({"retail_imbalance": 0.2}) == D("5.99")


def test_forecasts_of_m2_are_journalled_as_they_were_said():
    said = CascadeForecast(ALT, NOON, 0.07, 300.0, "4", "0123456789abcdef", "spec")
    commands = engine().on_poll(poll(replace(news(), forecasts=(said,))), sights())
    (note,) = notes(commands, "cascade_forecast")
    assert (note.symbol, note.strategy) == (ALT, "S4")
    assert json.loads(json.dumps(dict(note.body))) == {
        "symbol": ALT,
        "at_ns": NOON,
        "probability": 0.07,
        "horizon_s": 300.0,
        "version": "4",
        "features_hash": "0123456789abcdef",
        "spec_hash": "spec",
    }


def test_m4_is_journalled_beside_the_regime_of_the_rules():
    (note,) = notes(begin(engine(), features={**TRENDING, "hmm_turbulent": 0.8}), "bank_signal")
    assert (note.body["regime"], note.body["turbulent"]) == (IMPULSE_UP, 0.8)
    (note,) = notes(begin(engine()), "bank_signal")
    assert note.body["turbulent"] is None
