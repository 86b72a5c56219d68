"""Carrying out a signal: maker first, bounded requotes, crossing, exits, and never acting in doubt."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D

import pytest

from hean_live.app.campaigns.phases import Situation, advance
from hean_live.app.snapshot import Cancel, Note, Place, Quote
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
from models.execution.exit_state import ExitState
from models.execution.exits import LADDER
from models.execution.quotes import LAYERED, QuoteParams
from models.execution.rate_budget import Room
from models.execution.sight import MarketSight
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
    fields = {"quote": quote(at_ns=now_ns), "instrument": INSTRUMENT, "no_entries": "", "flatten": ""}
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


# --- layers

LAYERS = replace(QUOTING, quotes=QuoteParams(LAYERED))


def legs(commands):
    return [(c.decision.leg, c.decision.qty, c.decision.price) for c in commands if isinstance(c, Place)]


def test_layers_are_placed_together_each_with_its_stop():
    commands = advance(campaign(), situation(), LAYERS)
    assert legs(commands) == [
        ("e0", D("0.50"), D("99.9")),
        ("e1", D("0.30"), D("99.8")),
        ("e2", D("0.20"), D("99.6")),
    ]
    assert {c.decision.time_in_force for c in commands} == {POST_ONLY}
    assert {c.decision.stop_price for c in commands} == {D("98.0")}


def resting_layers(**changes):
    wanted = [("0.50", "99.9"), ("0.30", "99.8"), ("0.20", "99.6")]
    return [order(qty=qty, price=price, number=n, **changes) for n, (qty, price) in enumerate(wanted)]


def test_layers_that_stand_are_left_alone_and_a_filled_one_is_not_replaced():
    assert advance(campaign(), situation(orders=resting_layers()), LAYERS) == []
    first, *others = resting_layers()
    filled = [replace(first, state=FILLED, filled_qty=D("0.50")), *others]
    assert advance(campaign(), situation(net="0.50", orders=filled), LAYERS) == []


def test_layers_open_together_never_exceed_the_limits():
    commands = advance(campaign(), situation(room_usd=D(50)), LAYERS)
    assert sum(qty for _, qty, _ in legs(commands)) == D("0.50")


def test_all_layers_go_before_it_crosses():
    late = START + 180 * NS
    commands = advance(campaign(), situation(late, orders=resting_layers()), LAYERS)
    assert [c.client_id for c in commands] == [id_of("entry", n) for n in range(3)]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"sight": MarketSight(START, True, START, vpin_rank=0.99)}, "TOXIC"),
        ({"sight": MarketSight(START, False, START)}, "BOOK_INVALID"),
        ({"quote": quote(at_ns=START - 20 * NS)}, "STALE_BOOK"),
    ],
)
def test_pulled_quotes_are_cancelled_with_a_word_and_nothing_crosses(change, reason):
    note, *cancels = advance(campaign(), situation(orders=resting_layers(), **change), LAYERS)
    assert isinstance(note, Note)
    assert (note.kind, note.body["reason"], len(cancels)) == ("pull", reason, 3)
    (alone,) = advance(campaign(opened_ns=START - 200 * NS), situation(**change), LAYERS)
    assert (alone.kind, alone.body["reason"]) == ("pull", reason)


def test_a_pull_is_said_once_until_its_reason_changes():
    toxic = {"sight": MarketSight(START, True, START, vpin_rank=0.99)}
    broken = {"sight": MarketSight(START, False, START)}
    going = campaign()

    def said(change):
        notes = [c for c in advance(going, situation(**change), LAYERS) if isinstance(c, Note)]
        return [note.body["reason"] for note in notes]

    changes = [toxic, toxic, broken, broken, toxic, {}, toxic]
    found = [said(change) for change in changes]
    assert found == [["TOXIC"], [], ["BOOK_INVALID"], [], ["TOXIC"], [], ["TOXIC"]]


def test_merged_layers_are_journalled_once_with_their_arithmetic():
    small = replace(INSTRUMENT, min_notional_usd=D(25))
    going = campaign()
    note, *places = advance(going, situation(instrument=small), LAYERS)
    assert isinstance(note, Note)
    assert note.kind == "merge"
    (words,) = note.body["arithmetic"]
    assert "less than" in words
    assert words.endswith("merged into layer 1")
    assert len(places) == 2
    assert not any(isinstance(c, Note) for c in advance(going, situation(instrument=small), LAYERS))


def test_no_more_requests_than_there_is_room_for():
    assert len(advance(campaign(), situation(room=Room(1, 0)), LAYERS)) == 1
    moved = situation(orders=resting_layers(), quote=quote("101.9", "102.1"), room=Room(0, 2))
    assert len(advance(campaign(), moved, LAYERS)) == 2


# --- exit plans

LADDERED = replace(QUOTING, exits=LADDER)
ENTERED = ExitState(1, D("100.0"), D("1.00"), START, is_trend=False, sigma=0.004)


def holding(now_ns=START, net="1.00", orders=(), state=ENTERED, **changes):
    entry = order(state=FILLED, filled="1.00", price="100.0")
    return situation(now_ns, net, [entry, *orders], exit_state=state, **changes)


def tier(number, state=OPEN, qty="0.25", price="100.5", filled="0"):
    return order("exit", state, side=-1, qty=qty, price=price, filled=filled, number=number)


def test_the_ladder_rests_reduce_only_and_its_numbers_name_the_tiers():
    commands = advance(campaign(phase=HOLDING), holding(), LADDERED)
    assert [leg for leg, *_ in legs(commands)] == ["x1", "x2", "x3", "x4"]
    assert all(c.decision.reduce_only and c.decision.time_in_force == POST_ONLY for c in commands)


def test_a_tier_sold_is_known_from_its_orders_alone():
    sold = tier(1, FILLED, filled="0.25")
    gone = tier(12, CANCELLED, price="101.0")
    commands = advance(campaign(phase=HOLDING), holding(net="0.75", orders=[sold, gone]), LADDERED)
    assert [leg for leg, *_ in legs(commands)] == ["x22", "x23", "x24"]


def test_a_stop_crosses_at_once_after_the_tiers_are_gone():
    attempt = campaign(phase=HOLDING)
    fallen = {"quote": Quote(D("97.9"), D("98.1"), D("98.0"), START)}
    note, cancel = advance(attempt, holding(orders=[tier(4, price="102.0")], **fallen), LADDERED)
    assert (note.body["reason"], attempt.phase, cancel) == (
        "price stop",
        EXITING,
        Cancel(SYMBOL, id_of("exit", 4)),
    )
    assert "0.02000 >= 0.02" in note.body["arithmetic"]
    after = holding(orders=[tier(4, CANCELLED, price="102.0")], **fallen)
    decision = placed(advance(attempt, after, LADDERED))
    assert (decision.leg, decision.price, decision.qty, decision.reduce_only) == (
        "x10",
        None,
        D("1.00"),
        True,
    )


def test_a_trend_is_held_beyond_the_exit_time_but_not_against_the_kill_switch():
    trend = replace(ENTERED, is_trend=True, entered_ns=EXIT - 60 * NS)
    attempt = campaign(phase=HOLDING)
    assert [leg for leg, *_ in legs(advance(attempt, holding(EXIT, state=trend), LADDERED))] == ["x4"]
    assert attempt.phase == HOLDING
    advance(attempt, holding(EXIT, state=trend, flatten="KILL_SWITCH"), LADDERED)
    assert (attempt.phase, attempt.exit_reason) == (EXITING, "KILL_SWITCH")


def test_tiers_left_over_are_cancelled_before_it_closes():
    attempt = campaign(phase=HOLDING)
    assert only(advance(attempt, holding(net="0", orders=[tier(1)]), LADDERED)) == Cancel(
        SYMBOL, id_of("exit", 1)
    )
    assert attempt.phase == HOLDING
    assert advance(attempt, holding(net="0", orders=[tier(1, CANCELLED)]), LADDERED) == []
    assert (attempt.phase, attempt.exit_reason) == (CLOSED, "closed by its tiers or its stop")


def test_only_what_venue_and_orders_agree_on_is_sold():
    commands = advance(campaign(phase=HOLDING), holding(net="0.30", own="1.00"), LADDERED)
    assert sum(qty for _, qty, _ in legs(commands)) == D("0.30")
    assert advance(campaign(phase=HOLDING), holding(net="0", own="1.00"), LADDERED) == []
