"""Positions without a campaign, after a lost journal: one of the bank is left and booked as the bank's, S1's as S1's."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from hean_live.app.snapshot import BookCampaign, Place, WantSettled
from hean_live.app.state import BANK, FORECAST
from tests.live.bank_polls import HELD, IMPULSE, NOON, engine, filled, news, notes, of, poll, sights
from tests.live.factories import NS, SYMBOL, books


def adopted():
    subject = engine()
    subject.adopt(SYMBOL, [filled()], NOON + NS)
    return subject


def test_it_is_left_once_the_bank_runs_and_does_not_hold_it():
    subject = adopted()
    signal = subject._states[SYMBOL].campaign.signal
    assert (signal.strategy, signal.origin, signal.settlement_ns) == ("S7", BANK, NOON)
    asleep = news(holding=(), running=False)
    assert notes(subject.on_poll(poll(asleep, 1, **HELD), sights(1)), "exit") == []
    commands = subject.on_poll(poll(news(holding=()), 2, **HELD), sights(2))
    (decision,) = [command.decision for command in of(commands, Place)]
    assert (decision.strategy, decision.side, decision.qty, decision.reduce_only) == (
        "S7",
        -1,
        D("2.39"),
        True,
    )


@pytest.mark.parametrize("running", [True, False])
def test_it_is_booked_without_a_settlement(running):
    subject = adopted()
    told = news(holding=(), running=running)
    late_s = 4 * 3600.0  # beyond the time it has where no bank runs
    subject.on_poll(poll(told, late_s, **HELD), sights(late_s))
    out = filled("exit", "hn-S7-BTCUSDT-sx6ps0-x0", side=-1, reduce_only=True)
    flat = {"orders": {SYMBOL: [filled(), out]}, "books": books("0")}
    commands = [
        command
        for s in (1, 2)
        for command in subject.on_poll(poll(told, late_s + s, **flat), sights(late_s + s))
    ]
    (booked,) = of(commands, BookCampaign)
    assert (booked.campaign.signal.strategy, booked.realised_rate) == ("S7", None)
    assert of(commands, WantSettled) == []
    assert subject.is_idle


def test_one_its_strategy_holds_in_shadow_waits_for_it():
    subject = adopted()
    held = news(holding=((IMPULSE, SYMBOL),))
    assert notes(subject.on_poll(poll(held, 1, **HELD), sights(1)), "exit") == []


def test_one_of_s1_keeps_its_settlement():
    subject = engine()
    subject.adopt(SYMBOL, [filled(client_id="hn-S1-BTCUSDT-sx6ps0-e0", strategy="S1")], NOON)
    assert subject._states[SYMBOL].campaign.signal.origin == FORECAST
