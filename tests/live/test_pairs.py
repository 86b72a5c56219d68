"""A pair traded live (S15): both legs begin together, the second follows the first, and neither is left alone."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal as D

import pytest

from hean_live.app.campaigns.following import FIRST_LEG_LEFT, LEG_RISK
from hean_live.app.engine import Engine
from hean_live.app.snapshot import BookCampaign, Place, SaveState, WantSettled
from hean_live.app.state import CLOSED, EXITING, FOLLOWING, HOLDING, dump_states, load_states
from hean_live.app.working_orders import SECOND_LEG_LEFT, SHADOW_LEFT
from hean_live.execution.fills import TRADE
from hean_live.execution.reconcile import Books
from hean_live.execution.records import CANCELLED, FILLED, FillRow, OrderRow
from hean_live.execution.trades import TradeContext, both_legs, build_live_trade
from hean_live.replay.codec import build, plain
from hean_live.shadow.records import BankSignal
from hean_live.venues.protocol import IMMEDIATE
from models.execution.exits import EXIT_PLANS
from models.portfolio.policy import Reason, StrategyPolicy
from models.regimes.rules import DISTRIBUTION, IMPULSE_UP
from tests.live.bank_polls import (
    ALT,
    IMPULSE,
    NOON,
    PAYS,
    TRENDING,
    asked,
    engine,
    news,
    notes,
    of,
    policy,
    poll,
    sights,
    told,
    view,
)
from tests.live.factories import INSTRUMENT, NS, RULES, SYMBOL, quote

PAIR, REGIME = "correlation_arb", DISTRIBUTION
THIRD = "SOLUSDT"
MEASURED = {**TRENDING, "partner_share": 2.0, "partner_spread": 1e-4}
BOTH = (SYMBOL, ALT)


def pair(**changes):
    """Long BTC, short twice its base of ETH."""
    fields = {
        "side": 1,
        "regime": REGIME,
        "is_taker": True,
        "partner": ALT,
        "ratio": 2.0,
        "features": MEASURED,
        **changes,
    }
    return asked(PAIR, **fields)


def holdings(first="0", second="0", **own):
    """Books in which the venue holds this much of either leg, and our orders add up to the same unless told otherwise."""
    net = {SYMBOL: D(first), ALT: D(second)}
    return Books(net, {**net, **{k: D(v) for k, v in own.items()}}, {}, D(10_000), D(10_000), NOON)


def order(symbol, number=0, qty="1", filled="", leg="entry", side=1, state=FILLED):
    letter = "e" if leg == "entry" else "x"
    return OrderRow(
        f"hn-S15-{symbol}-sx6ps0-{letter}{number}", "S15", symbol, side, "Limit", D(qty), D(100), leg != "entry", leg,
        NOON, state, filled_qty=D(filled or qty),
    )  # fmt: skip


def at(at_s, bank=None, orders=(), held=None, **changes):
    live = StrategyPolicy("live", (Reason("PROMOTED"),), 0.10)
    rows = {symbol: [row for row in orders if row.symbol == symbol] for symbol in BOTH}
    fields = {
        "matrix": {("S15", REGIME): PAYS, ("S7", IMPULSE_UP): PAYS},
        "policy": view(policy(strategies=dict.fromkeys((PAIR, IMPULSE), live))),
        "orders": rows,
        "books": held or holdings(),
        **changes,
    }
    return poll(bank or news(holding=((PAIR, SYMBOL),)), at_s, **fields)


def step(subject, at_s, *args, **changes):
    return subject.on_poll(at(at_s, *args, **changes), sights(at_s))


def begun(symbols=BOTH, rules=RULES):
    subject = engine(symbols=symbols, rules=rules)
    return subject, step(subject, 1, news(pair()))


def campaigns(subject):
    return {symbol: subject._states[symbol].campaign for symbol in BOTH}


def decisions(commands):
    return [(c.decision.symbol, c.decision.leg, c.decision.side, c.decision.qty) for c in of(commands, Place)]


ENTERED = (order(SYMBOL, qty="0.79"),)
HEDGED = (*ENTERED, order(ALT, qty="1.58", side=-1))


def hedged():
    """Return an engine whose pair is complete."""
    subject, _ = begun()
    step(subject, 2, orders=ENTERED, held=holdings("0.79"))
    assert step(subject, 3, orders=HEDGED, held=holdings("0.79", "-1.58")) is not None
    assert {c.phase for c in campaigns(subject).values()} == {HOLDING}
    return subject


# --- the way in


@pytest.mark.parametrize(
    ("edge_bps", "changes", "reason"),
    [
        # Fees of 2 x 5.5 and a spread of 1, and for the partner, worth twice as much, twice the same: 36.
        (36.1, {}, ""),
        (36.0, {}, "EDGE_BELOW_COSTS"),
        (1e6, {"features": TRENDING}, "COSTS_UNKNOWN"),
    ],
)
def test_the_way_of_the_spread_must_pay_for_both_legs(edge_bps, changes, reason):
    commands = step(engine(symbols=BOTH), 1, news(pair(edge_bps=edge_bps, **changes)))
    assert told(commands)[0][1] == reason


def test_both_legs_begin_together_and_together_take_what_one_trade_may():
    subject, commands = begun()
    assert told(commands)[0][1] == ""
    alone = engine()
    first = step(alone, 1, news(pair(partner="", ratio=0.0)))
    assert told(first)[0][1] == "NOT_CARRIED_OUT"  # without a partner there is nothing to carry out
    own, other = campaigns(subject)[SYMBOL], campaigns(subject)[ALT]
    assert own.is_twin(other)
    assert other.is_twin(own)
    assert (own.phase, other.phase) == ("entering", FOLLOWING)
    assert (own.signal.side, other.signal.side) == (1, -1)
    assert other.qty == 2 * own.qty
    # Alone the same conviction buys 2.39 (`bank_polls.filled`); of legs that are 1 to 2 by value, the first is a third of it.
    assert (own.qty, other.qty) == (D("0.79"), D("1.58"))
    entries = notes(commands, "entry")
    assert [(note.symbol, note.strategy, note.body["partner"]) for note in entries] == [
        (SYMBOL, "S15", ALT),
        (ALT, "S15", SYMBOL),
    ]
    # Only the first leg is ordered: what it fills is what the second one follows.
    assert [row[:3] for row in decisions(commands)] == [(SYMBOL, "e0", 1)]
    assert of(commands, Place)[0].decision.time_in_force == IMMEDIATE


def test_the_second_leg_follows_the_fills_of_the_first():
    subject, _ = begun()
    partly = (order(SYMBOL, qty="2.99", filled="0.6", state="partially_filled"),)
    commands = step(subject, 2, orders=partly, held=holdings("0.6"))
    (placed,) = [row for row in decisions(commands) if row[0] == ALT]
    assert placed == (ALT, "e0", -1, D("1.20"))
    decision = next(c.decision for c in of(commands, Place) if c.decision.symbol == ALT)
    assert (decision.strategy, decision.reduce_only, decision.time_in_force) == ("S15", False, IMMEDIATE)
    assert decision.stop_price > D(100)  # of a short: its protection rests at the venue
    assert decision.price <= D("99.9")  # across the spread


def test_what_is_less_than_a_lot_is_not_behind():
    subject, _ = begun()
    first = (order(SYMBOL, qty="0.79"),)
    second = (order(ALT, qty="1.58", side=-1),)
    step(subject, 2, orders=first, held=holdings("0.79"))
    commands = step(subject, 3, orders=(*first, *second), held=holdings("0.79", "-1.58"))
    assert decisions(commands) == []
    assert campaigns(subject)[ALT].behind_ns == 0
    assert not subject.is_busy


def test_a_first_leg_nobody_fills_opens_no_second():
    subject, _ = begun()
    gone = (order(SYMBOL, qty="0.79", filled="0", state=CANCELLED),)
    after = [step(subject, at_s, orders=gone, held=holdings()) for at_s in (30, 31, 32)]
    assert [row for commands in after for row in decisions(commands) if row[0] == ALT] == []
    assert all(campaign is None for campaign in campaigns(subject).values())
    assert [note.kind for commands in after for note in notes(commands, "exit")] == []
    assert subject.is_idle


def test_records_that_differ_are_waited_for():
    subject, _ = begun()
    lagging = holdings("0.79", "0", **{ALT: "-0.5"})
    assert [row for row in decisions(step(subject, 2, orders=ENTERED, held=lagging)) if row[0] == ALT] == []
    assert campaigns(subject)[ALT].behind_ns > 0


# --- leg risk


def test_a_second_leg_that_cannot_be_had_in_time_ends_both():
    subject, _ = begun()
    halted = {"halts": {"UNRECONCILED_": "words"}}
    for at_s in (2, 8, 12):
        assert notes(step(subject, at_s, orders=ENTERED, held=holdings("0.79"), **halted), "exit") == []
    commands = step(subject, 12.1, orders=ENTERED, held=holdings("0.79"), **halted)
    assert [(n.symbol, n.body["reason"]) for n in notes(commands, "exit")] == [(ALT, LEG_RISK)]
    assert campaigns(subject)[ALT] is None  # nothing was bought of it
    commands = step(subject, 12.4, orders=ENTERED, held=holdings("0.79"), **halted)
    assert [(n.symbol, n.body["reason"]) for n in notes(commands, "exit")] == [(SYMBOL, SECOND_LEG_LEFT)]
    assert decisions(commands) == [(SYMBOL, "x0", -1, D("0.79"))]
    assert of(commands, Place)[0].decision.time_in_force == IMMEDIATE


def test_what_was_had_of_it_is_closed_with_it():
    subject, _ = begun()
    some = (*ENTERED, order(ALT, qty="1.58", filled="0.4", side=-1, state=CANCELLED))
    held = holdings("0.79", "-0.4")
    no_room = {
        "quotes": {SYMBOL: quote(at_ns=NOON + 2 * NS)}
    }  # no quote of the partner: nothing can be bought
    step(subject, 2, orders=some, held=held, **no_room)
    commands = step(subject, 12.5, orders=some, held=held)
    assert (ALT, LEG_RISK) in [(n.symbol, n.body["reason"]) for n in notes(commands, "exit")]
    assert (ALT, "x0", 1, D("0.4")) in decisions(commands)
    commands = step(subject, 13, orders=some, held=held)
    assert [(n.symbol, n.body["reason"]) for n in notes(commands, "exit")] == [(SYMBOL, LEG_RISK)]


def test_a_stop_on_either_leg_takes_the_other_with_it():
    subject = hedged()
    commands = step(subject, 60, orders=HEDGED, held=holdings("0.79", "0"))
    assert campaigns(subject)[ALT] is None
    commands += step(subject, 60.3, orders=HEDGED, held=holdings("0.79", "0"))
    assert (SYMBOL, "x0", -1, D("0.79")) in decisions(commands)

    subject = hedged()
    commands = step(subject, 60, orders=HEDGED, held=holdings("0", "-1.58"))
    commands += step(subject, 60.3, orders=HEDGED, held=holdings("0", "-1.58"))
    assert (ALT, "x0", 1, D("1.58")) in decisions(commands)
    assert (ALT, FIRST_LEG_LEFT) in [(n.symbol, n.body["reason"]) for n in notes(commands, "exit")]


# --- the way out


def test_both_leave_when_the_shadow_does_and_are_booked_as_one_trade():
    subject = hedged()
    gone = news(holding=())
    commands = step(subject, 90, gone, orders=HEDGED, held=holdings("0.79", "-1.58"))
    assert [(n.symbol, n.body["reason"]) for n in notes(commands, "exit")] == [
        (SYMBOL, SHADOW_LEFT),
        (ALT, FIRST_LEG_LEFT),
    ]
    assert decisions(commands) == [(SYMBOL, "x0", -1, D("0.79")), (ALT, "x0", 1, D("1.58"))]
    first_out = (*HEDGED, order(SYMBOL, qty="0.79", leg="exit", side=-1))
    commands = step(subject, 91, gone, orders=first_out, held=holdings("0", "-1.58"))
    assert of(commands, BookCampaign) == []  # the first leg waits for the second
    assert not subject.is_idle
    both_out = (*first_out, order(ALT, qty="1.58", leg="exit", side=1))
    commands = []
    for at_s in (92, 93, 94):
        commands += step(subject, at_s, gone, orders=both_out, held=holdings())
    (booked,) = of(commands, BookCampaign)
    assert (booked.campaign.signal.symbol, booked.second.signal.symbol) == (SYMBOL, ALT)
    assert (booked.campaign.phase, booked.second.phase) == (CLOSED, CLOSED)
    assert of(commands, WantSettled) == []
    assert subject.is_idle


def test_the_second_leg_does_not_ask_the_bank_and_a_kill_takes_both():
    subject = hedged()
    held = holdings("0.79", "-1.58")
    assert notes(step(subject, 30, orders=HEDGED, held=held), "exit") == []
    commands = step(subject, 31, orders=HEDGED, held=held, halts={"KILL_SWITCH": "by hand"}, flatten=True)
    assert {(n.symbol, n.body["reason"]) for n in notes(commands, "exit")} == {
        (SYMBOL, "KILL_SWITCH"),
        (ALT, "KILL_SWITCH"),
    }
    assert {c.phase for c in campaigns(subject).values()} == {EXITING}
    assert len(decisions(commands)) == 2


def test_no_plan_of_exits_takes_a_pair_apart():
    rules = replace(RULES, exit_plans={"S15": next(name for name, plan in EXIT_PLANS.items() if plan.tiers)})
    subject, _ = begun(rules=rules)
    step(subject, 2, orders=ENTERED, held=holdings("0.79"))
    commands = step(subject, 3, orders=HEDGED, held=holdings("0.79", "-1.58"))
    assert decisions(commands) == []
    rising = {s: quote("119.9", "120.1", at_ns=NOON + 4 * NS) for s in BOTH}
    assert decisions(step(subject, 4, orders=HEDGED, held=holdings("0.79", "-1.58"), quotes=rising)) == []


# --- why none begins


@pytest.mark.parametrize(
    ("signal", "changes", "reason"),
    [
        (pair(partner=THIRD), {"taker_fees": dict.fromkeys((SYMBOL, THIRD), D("0.00055"))}, "NOT_LISTED"),
        (pair(partner=THIRD), {}, "COSTS_UNKNOWN"),
        (pair(), {"quotes": {SYMBOL: quote(at_ns=NOON + NS)}}, "NO_QUOTE"),
        (pair(), {"held": replace(holdings(), foreign={ALT: "a position of another origin"})}, "FOREIGN"),
        (pair(ratio=0.0001), {}, "SIZER_ZERO"),
        (pair(ratio=float("nan")), {}, "SIZER_ZERO"),
    ],
)
def test_a_pair_whose_other_symbol_cannot_be_entered_does_not_begin(signal, changes, reason):
    subject = engine(symbols=BOTH)
    commands = step(subject, 1, news(signal), **changes)
    (found,) = told(commands)
    assert found[1] == reason
    assert found[2]
    assert decisions(commands) == []
    assert all(campaign is None for campaign in campaigns(subject).values())


def test_a_partner_that_is_taken_is_a_conflict_whoever_comes_first():
    subject = engine(symbols=BOTH)
    other = asked(IMPULSE, ALT, side=-1)
    commands = step(subject, 1, news(pair(), pair(symbol=ALT, side=-1, partner=SYMBOL, ratio=0.5)))
    assert [row[1] for row in told(commands)] == ["", "CONFLICT"]
    assert "partner" in told(commands)[1][2]
    subject = engine(symbols=BOTH)
    step(subject, 1, news(pair()))
    both = news(other, holding=((PAIR, SYMBOL), (IMPULSE, ALT)))
    assert told(step(subject, 2, both))[0][1] == "CONFLICT"
    assert campaigns(subject)[ALT].ratio


def test_a_small_account_is_told_what_it_lacks():
    subject = engine(symbols=BOTH)
    dear = {s: replace(INSTRUMENT, symbol=s, min_order_qty=D(1)) for s in BOTH}
    small = replace(holdings(), equity_usd=D(300), available_usd=D(300))
    commands = step(subject, 1, news(pair()), held=small, instruments=dear)
    assert told(commands)[0][1] == "SIZER_ZERO"
    assert "second_leg 0.333333" in told(commands)[0][2]


# --- memory


def test_a_pair_survives_a_restart_between_its_legs():
    subject, _ = begun()
    commands = step(subject, 2, orders=ENTERED, held=holdings("0.79"))
    saved = of(commands, SaveState)[-1].text
    again = Engine(BOTH, RULES, saved)
    assert campaigns(again) == campaigns(subject)
    commands = step(again, 4, orders=ENTERED, held=holdings("0.79"))
    assert decisions(commands) == [(ALT, "e0", -1, D("1.58"))]


def test_a_state_of_before_pairs_is_read():
    subject, _ = begun()
    body = json.loads(dump_states(subject._states))
    for own in body.values():
        for name in ("partner", "ratio", "behind_ns"):
            del own["campaign"][name]
    assert all(not state.campaign.ratio for state in load_states(json.dumps(body)).values())


def test_legs_no_campaign_explains_are_left_at_once():
    subject = engine(symbols=BOTH)
    held = holdings("0.79", "-1.58")
    for symbol in BOTH:
        subject.adopt(symbol, [row for row in HEDGED if row.symbol == symbol], NOON)
    commands = step(subject, 5, orders=HEDGED, held=held)
    assert decisions(commands) == [(SYMBOL, "x0", -1, D("0.79")), (ALT, "x0", 1, D("1.58"))]


def test_a_signal_of_a_pair_survives_the_journal_of_inputs():
    known = pair(confidence=0.5)
    assert build(BankSignal, plain(known)) == known
    old = {key: value for key, value in plain(pair()).items() if key not in ("partner", "ratio")}
    assert build(BankSignal, old).partner == ""


# --- the trade


def _leg(symbol, side, qty, bought, sold, fee):
    context = TradeContext("S15", symbol, NOON, REGIME, 0.0, None, "7")
    orders = [order(symbol, qty=qty, side=side), order(symbol, qty=qty, leg="exit", side=-side)]
    fills = [
        FillRow(
            f"{symbol}-{k}",
            row.client_id,
            "",
            symbol,
            row.side,
            D(qty),
            D(price),
            D(fee),
            False,
            TRADE,
            NOON + k,
        )
        for k, (row, price) in enumerate(zip(orders, (bought, sold), strict=True))
    ]
    return build_live_trade(context, orders, fills)


def test_the_trade_has_the_money_of_both_legs():
    first, second = _leg(SYMBOL, 1, "1", "100", "103", "0.06"), _leg(ALT, -1, "2", "50", "51", "0.05")
    trade = both_legs(first, second)
    # 3 - 0.12 of the one, -2 - 0.10 of the other; 203 and 202 traded
    assert trade.pnl_usd == pytest.approx(0.78)
    assert trade.fees_usd == pytest.approx(0.22)
    assert trade.pnl_bps == pytest.approx(1e4 * 0.78 / 202.5)
    assert (trade.symbol, trade.side, trade.qty, trade.trade_id) == (SYMBOL, 1, D(1), first.trade_id)
