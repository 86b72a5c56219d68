"""Carrying out a signal: maker first, bounded requotes, crossing, exits, and never acting in doubt."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D

import pytest

from hean_live.app.campaign import Situation, advance
from hean_live.app.snapshot import Cancel, Place
from hean_live.app.state import CLOSED, ENTERING, EXITING, HOLDING, Campaign
from hean_live.execution.client_id import client_order_id
from hean_live.execution.records import (
    CANCELLED,
    FILLED,
    LOST,
    OPEN,
    REJECTED,
    SUBMITTING,
    UNRESOLVED,
    OrderRow,
)
from hean_live.venues.protocol import IMMEDIATE, POST_ONLY
from tests.live.factories import EXIT, INSTRUMENT, NS, RULES, SETTLEMENT, START, SYMBOL, quote, signal

QUOTING = RULES.quoting


def campaign(side=1, **changes):
    return replace(Campaign(signal(side), D("1.00"), D("98.0"), START), **changes)


def id_of(leg, number):
    return client_order_id("S1", SYMBOL, SETTLEMENT, f"{'e' if leg == 'entry' else 'x'}{number}")


def order(leg="entry", state=OPEN, side=1, qty="1.00", filled="0", price="99.9", number=0, updated_ns=START):
    return OrderRow(
        id_of(leg, number), "S1", SYMBOL, side, "Limit", D(qty), D(price) if price else None, leg != "entry", leg,
        SETTLEMENT, state, filled_qty=D(filled), updated_ns=updated_ns,
    )  # fmt: skip


def situation(now_ns=START, net="0", orders=(), own=None, **changes):
    fields = {"quote": quote(), "instrument": INSTRUMENT, "no_entries": "", "flatten": ""}
    return Situation(now_ns, D(net), D(own if own is not None else net), orders, **{**fields, **changes})


def only(commands):
    assert len(commands) == 1
    return commands[0]


def placed(commands):
    command = only(commands)
    assert isinstance(command, Place)
    return command.decision


def test_an_entry_starts_as_maker_at_the_touch_with_its_stop():
    decision = placed(advance(campaign(), situation(), QUOTING))
    assert (decision.leg, decision.side, decision.qty, decision.price) == ("e0", 1, D("1.00"), D("99.9"))
    assert (decision.time_in_force, decision.reduce_only, decision.stop_price) == (
        POST_ONLY,
        False,
        D("98.0"),
    )
    assert decision.client_id == "hn-S1-BTCUSDT-sx6ps0-e0"


def test_a_short_quotes_at_the_ask():
    assert placed(advance(campaign(-1), situation(), QUOTING)).price == D("100.1")


def test_it_waits_while_its_quote_is_at_the_touch():
    assert advance(campaign(), situation(orders=[order()]), QUOTING) == []


def test_it_requotes_when_the_touch_moves():
    moved = situation(orders=[order()], quote=quote("100.0", "100.2"))
    assert only(advance(campaign(), moved, QUOTING)) == Cancel(SYMBOL, id_of("entry", 0))
    again = situation(orders=[order(state=CANCELLED)], quote=quote("100.0", "100.2"))
    decision = placed(advance(campaign(), again, QUOTING))
    assert (decision.leg, decision.price) == ("e1", D("100.0"))


def test_after_the_allowed_requotes_it_crosses():
    tried = [order(state=CANCELLED, number=n) for n in range(2)]
    decision = placed(advance(campaign(), situation(orders=tried), QUOTING))
    assert (decision.leg, decision.time_in_force) == ("e2", IMMEDIATE)
    assert decision.price == D("100.1")  # 100.1 × 1.0005 = 100.15, on a tick


def test_after_the_maker_time_it_crosses_too():
    late = START + 180 * NS
    assert only(advance(campaign(), situation(late, orders=[order()]), QUOTING)) == Cancel(
        SYMBOL, id_of("entry", 0)
    )
    decision = placed(advance(campaign(), situation(late, orders=[order(state=CANCELLED)]), QUOTING))
    assert decision.time_in_force == IMMEDIATE


def test_without_fallback_it_gives_up():
    attempt = campaign()
    tried = [order(state=CANCELLED, number=n) for n in range(2)]
    assert advance(attempt, situation(orders=tried), replace(QUOTING, entry_taker_fallback=False)) == []
    assert attempt.phase == CLOSED


def test_a_partial_fill_asks_for_the_rest_only():
    part = [order(state=CANCELLED, filled="0.40")]
    assert placed(advance(campaign(), situation(net="0.40", orders=part), QUOTING)).qty == D("0.60")


def test_a_rest_too_small_to_trade_is_left():
    attempt = campaign()
    part = [order(state=CANCELLED, filled="0.96")]
    assert advance(attempt, situation(net="0.96", orders=part), QUOTING) == []  # 0.04 × 100 USD < 5 USD
    assert attempt.phase == HOLDING


@pytest.mark.parametrize("state", [SUBMITTING, UNRESOLVED])
@pytest.mark.parametrize("phase", [ENTERING, EXITING])
def test_in_doubt_nothing_is_sent(state, phase):
    attempt = campaign(phase=phase)
    assert advance(attempt, situation(EXIT, net="1", orders=[order(state=state)]), QUOTING) == []
    assert attempt.phase == phase


def test_a_lost_order_is_sent_again_under_its_id():
    assert placed(advance(campaign(), situation(orders=[order(state=LOST)]), QUOTING)).leg == "e0"


def test_a_rejection_ends_the_entry():
    attempt = campaign()
    assert advance(attempt, situation(orders=[order(state=REJECTED)]), QUOTING) == []
    assert attempt.phase == CLOSED


@pytest.mark.parametrize("change", [{"no_entries": "STOPPING"}, {"now_ns": START + 601 * NS}])
def test_no_entry_when_halted_or_late(change):
    attempt = campaign()
    assert only(advance(attempt, situation(orders=[order()], **change), QUOTING)) == Cancel(
        SYMBOL, id_of("entry", 0)
    )
    assert (
        advance(
            attempt, situation(orders=[order(state=CANCELLED, filled="0.5")], net="0.5", **change), QUOTING
        )
        == []
    )
    assert attempt.phase == HOLDING


def test_the_exit_begins_at_its_time_reduce_only():
    attempt = campaign(phase=HOLDING)
    done = [order(state=FILLED, filled="1.00")]
    assert advance(attempt, situation(EXIT - 1, net="1", orders=done), QUOTING) == []
    note, place = advance(attempt, situation(EXIT, net="1", orders=done), QUOTING)[0], None
    assert (attempt.phase, attempt.exit_reason, note.body["reason"]) == (EXITING, "exit time", "exit time")
    place = placed(advance(attempt, situation(EXIT, net="1", orders=done), QUOTING))
    assert (place.leg, place.side, place.qty, place.price, place.reduce_only) == (
        "x0",
        -1,
        D(1),
        D("100.1"),
        True,
    )
    assert place.stop_price is None


def test_entries_still_open_are_cancelled_before_leaving():
    attempt = campaign(phase=EXITING)
    commands = advance(attempt, situation(EXIT, net="0.4", orders=[order(filled="0.4")]), QUOTING)
    assert only(commands) == Cancel(SYMBOL, id_of("entry", 0))


def test_after_its_deadline_the_exit_is_a_market_order():
    attempt = campaign(phase=EXITING, exit_started_ns=EXIT)
    waiting = order("exit", side=-1, price="100.1")
    late = EXIT + 60 * NS
    assert only(advance(attempt, situation(late, net="1", orders=[waiting]), QUOTING)) == Cancel(
        SYMBOL, id_of("exit", 0)
    )
    decision = placed(
        advance(attempt, situation(late, net="1", orders=[replace(waiting, state=CANCELLED)]), QUOTING)
    )
    assert (decision.leg, decision.price, decision.time_in_force) == ("x1", None, IMMEDIATE)


def test_flattening_crosses_at_once():
    attempt = campaign(phase=HOLDING)
    advance(attempt, situation(net="1", flatten="KILL_SWITCH"), QUOTING)
    decision = placed(advance(attempt, situation(net="1", flatten="KILL_SWITCH"), QUOTING))
    assert (decision.price, decision.reduce_only) == (None, True)


def test_rejected_exits_pause_longer_and_longer():
    attempt = campaign(phase=EXITING, exit_started_ns=EXIT)
    refused = [order("exit", REJECTED, side=-1, number=n, updated_ns=EXIT) for n in range(3)]
    assert advance(attempt, situation(EXIT + 7 * NS, net="1", orders=refused), QUOTING) == []
    assert placed(advance(attempt, situation(EXIT + 8 * NS, net="1", orders=refused), QUOTING)).leg == "x3"


def test_it_closes_when_flat_and_not_while_records_lag():
    done = [order(state=FILLED, filled="1.00"), order("exit", FILLED, side=-1, filled="1.00")]
    attempt = campaign(phase=EXITING)
    assert advance(attempt, situation(EXIT, net="0", own="1", orders=done), QUOTING) == []
    assert attempt.phase == EXITING
    advance(attempt, situation(EXIT, net="0", own="0", orders=done), QUOTING)
    assert attempt.phase == CLOSED


def test_a_stop_hit_closes_the_campaign():
    attempt = campaign(phase=HOLDING)
    advance(attempt, situation(net="0", own="0", orders=[order(state=FILLED, filled="1.00")]), QUOTING)
    assert (attempt.phase, attempt.exit_reason) == (CLOSED, "closed by its stop")


def test_a_number_used_before_is_not_used_again_after_a_lost_journal():
    """Of five exits only the last two can still be found: the next is the sixth, not the third."""
    found = [order("exit", CANCELLED, -1, number=3), order("exit", FILLED, -1, filled="0.5", number=4)]
    exiting = campaign(phase=EXITING, exit_started_ns=EXIT)
    decision = placed(advance(exiting, situation(EXIT, net="0.5", orders=found), QUOTING))
    assert decision.leg == "x5"
