"""Quotes on both sides that follow a shadow's: when they begin, where they rest, how what they hold is left."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D

import pytest

from hean_live.app.bank.quotes import NOT_QUOTED
from hean_live.app.campaigns.quoting import HELD_ALONE, NO_WAY_OUT, SHADOW_OUT
from hean_live.app.snapshot import BookCampaign, Cancel, Place
from hean_live.app.state import CLOSED, EXITING, QUOTING, dump_states, load_states
from hean_live.execution.client_id import client_order_id
from hean_live.execution.records import CANCELLED, FILLED, OPEN, OrderRow
from hean_live.replay.codec import build, plain
from hean_live.replay.inputs import PollInputs, decide
from hean_live.shadow.records import BankNews, RestingQuote, ShadowQuotes
from hean_live.venues.protocol import POST_ONLY
from models.portfolio.policy import Policy, Reason, StrategyPolicy
from models.regimes.rules import RANGE
from tests.live.bank_polls import (
    ALT,
    NOON,
    PAYS,
    asked,
    ended,
    engine,
    news,
    notes,
    of,
    poll,
    sights,
    told,
    view,
)
from tests.live.factories import INSTRUMENT, NS, RULES, SYMBOL, books, quote

MAKER, GRID = "rebate_farmer", "enhanced_grid"
SYSTEM = "S13"
LIVE = StrategyPolicy("live", (Reason("PROMOTED"),), 0.10)
POLICY = Policy(NOON - 3600 * NS, NOON + 23 * 3600 * NS, strategies=dict.fromkeys((MAKER, GRID), LIVE))
BOTH = (RestingQuote(1, 0.999, 5.0, False), RestingQuote(-1, 1.001, 5.0, False))


def quotes(at_s=1.0, resting=BOTH, held=0, name=MAKER, side=0, **changes):
    at_ns = NOON + int(at_s * NS)
    signal = None
    if resting and not held:
        signal = asked(
            name, at_ns=at_ns, side=side, regime=RANGE, edge_bps=20.0, reason="BID", to_quote=True, **changes
        )
    return ShadowQuotes(name, SYMBOL, at_ns, held, resting, signal)


def bank(*told_quotes, signals=(), trips=(), running=True):
    holding = tuple((row.strategy, row.symbol) for row in told_quotes)
    return BankNews(tuple(signals), tuple(trips), holding, running, quotes=told_quotes)


def at(at_s=1.0, *told_quotes, signals=(), trips=(), **changes):
    pays = {(f"S{number}", RANGE): PAYS for number in range(1, 20)}
    fields = {"policy": view(POLICY), "matrix": pays, **changes}
    return poll(bank(*told_quotes, signals=signals, trips=trips), at_s, **fields)


def row(leg, number, side, qty, price, state=OPEN, filled="0", at_s=1.0):
    key = client_order_id(SYSTEM, SYMBOL, NOON + NS, f"{leg[0]}{number}")
    at_ns = NOON + int(at_s * NS)
    return OrderRow(
        key, SYSTEM, SYMBOL, side, "Limit/PostOnly", D(qty), D(price), leg == "exit", leg, NOON + NS, state,
        filled_qty=D(filled), created_ns=at_ns, updated_ns=at_ns,
    )  # fmt: skip


def begun():
    """An engine that has begun to quote both sides, and its commands."""
    subject = engine()
    return subject, subject.on_poll(at(1, quotes(1)), sights())


def orders(commands):
    return [(c.decision.leg, c.decision.side, c.decision.price, c.decision.qty) for c in of(commands, Place)]


BID, ASK = row("entry", 0, 1, "1.20", "99.9"), row("entry", 1, -1, "1.20", "100.1")


def holding(side=1, entries=(BID, ASK), exits=(), own="1.20"):
    """What is known after one side has filled."""
    done = [replace(o, state=FILLED, filled_qty=o.qty) if o.side == side else o for o in entries]
    return {"orders": {SYMBOL: [*done, *exits]}, "books": books(own if side > 0 else f"-{own}")}


def campaign(subject):
    return subject._states[SYMBOL].campaign


# --- beginning


def test_both_sides_are_quoted_as_far_from_the_mid_as_the_shadows():
    subject, commands = begun()
    seen = quote(at_ns=NOON + NS)
    mid = (seen.bid + seen.ask) / 2
    (bid, ask) = of(commands, Place)
    tick = INSTRUMENT.tick_size
    assert bid.decision.price == (mid * D("0.999") / tick).to_integral_value("ROUND_FLOOR") * tick
    assert ask.decision.price == (mid * D("1.001") / tick).to_integral_value("ROUND_CEILING") * tick
    assert {c.decision.time_in_force for c in (bid, ask)} == {POST_ONLY}
    assert [c.decision.leg for c in (bid, ask)] == ["e0", "e1"]
    assert bid.decision.strategy == SYSTEM
    # Each side may hold half of what the sizer allows, and each carries a stop on its own side.
    whole = D(notes(commands, "entry")[0].body["qty"])
    assert bid.decision.qty == ask.decision.qty <= whole / 2
    assert bid.decision.stop_price < bid.decision.price < ask.decision.price < ask.decision.stop_price
    assert campaign(subject).phase == QUOTING
    assert told(commands) == [(SYSTEM, "", "")]


def test_one_side_in_levels_has_the_shadows_proportions():
    rows = tuple(RestingQuote(1, 1 - 0.001 * n, 2.0, False) for n in (1, 2, 3))
    subject = engine()
    commands = subject.on_poll(at(1, quotes(1, rows, name=GRID, side=1)), sights())
    placed = of(commands, Place)
    whole = D(notes(commands, "entry")[0].body["qty"])
    sizes = [c.decision.qty for c in placed]
    prices = [c.decision.price for c in placed]
    assert len(placed) == 3
    assert prices == sorted(prices, reverse=True)
    assert sum(sizes) <= whole
    assert max(sizes) - min(sizes) <= 3 * INSTRUMENT.qty_step


def test_what_the_venue_would_not_take_alone_is_quoted_with_the_nearest():
    rows = tuple(RestingQuote(1, 1 - 0.001 * n, 2.0, False) for n in (1, 2, 3))
    coarse = replace(INSTRUMENT, min_notional_usd=D(100))
    changes = {"instruments": {s: replace(coarse, symbol=s) for s in (SYMBOL, ALT)}}
    commands = engine().on_poll(at(1, quotes(1, rows, name=GRID, side=1), **changes), sights())
    (only,) = of(commands, Place)
    assert only.decision.qty * only.decision.price >= 100


def test_half_must_be_what_the_venue_takes_where_both_sides_are_quoted():
    whole = D(notes(begun()[1], "entry")[0].body["qty"])
    coarse = replace(INSTRUMENT, min_notional_usd=whole * 60)
    changes = {"instruments": {s: replace(coarse, symbol=s) for s in (SYMBOL, ALT)}}
    commands = engine().on_poll(at(1, quotes(1), **changes), sights())
    assert of(commands, Place) == []
    ((_, why, words),) = told(commands)
    assert why == "SIZER_ZERO"
    assert f"{coarse.min_notional_usd * 2:.2f}".rstrip("0").rstrip(".") in words


def test_a_request_refused_is_told_once_and_asked_again_after_a_while():
    changes, subject = {"halts": {"KILL_SWITCH": "by hand"}}, engine()
    first = subject.on_poll(at(1, quotes(1), **changes), sights())
    assert of(first, Place) == []
    ((system, why, _),) = told(first)
    assert (system, why) == (SYSTEM, "KILL_SWITCH")
    for at_s in (2, 20, 32, 63):
        again = subject.on_poll(at(at_s, quotes(at_s), **changes), sights(at_s))
        assert told(again) == []
    allowed = subject.on_poll(at(94, quotes(94)), sights(94))
    assert len(of(allowed, Place)) == 2


def test_nobody_quotes_who_may_not_trade_or_whose_shadow_is_not_at_work():
    forbidden = view(replace(POLICY, strategies={MAKER: StrategyPolicy("shadow", (), 0.0)}))
    assert of(engine().on_poll(at(1, quotes(1), policy=forbidden), sights()), Place) == []
    asleep = poll(bank(quotes(1), running=False), 1, policy=view(POLICY))
    assert of(engine().on_poll(asleep, sights()), Place) == []


# --- while flat


def test_quotes_rest_until_the_shadow_moves_by_more_than_a_little():
    subject, commands = begun()
    resting = [
        row("entry", n, c.decision.side, c.decision.qty, c.decision.price)
        for n, c in enumerate(of(commands, Place))
    ]
    known = {"orders": {SYMBOL: resting}}
    assert orders(subject.on_poll(at(2, quotes(2), **known), sights(2))) == []
    moved = (RestingQuote(1, 0.995, 5.0, False), BOTH[1])
    commands = subject.on_poll(at(3, quotes(3, moved), **known), sights(3))
    assert [c.client_id for c in of(commands, Cancel)] == [resting[0].client_id]
    gone = {"orders": {SYMBOL: [replace(resting[0], state=CANCELLED), resting[1]]}}
    ((leg, side, price, _),) = orders(subject.on_poll(at(4, quotes(4, moved), **gone), sights(4)))
    assert (leg, side) == ("e2", 1)
    assert price < resting[0].price


def test_what_rests_far_off_is_not_moved_for_a_little():
    subject = engine()
    far = (RestingQuote(1, 0.95, 5.0, False), RestingQuote(-1, 1.05, 5.0, False))
    placed = of(subject.on_poll(at(1, quotes(1, far)), sights()), Place)
    resting = [
        row("entry", n, c.decision.side, c.decision.qty, c.decision.price) for n, c in enumerate(placed)
    ]
    known = {"orders": {SYMBOL: resting}}
    near = (RestingQuote(1, 0.952, 5.0, False), far[1])  # 20 of 500 bps
    assert of(subject.on_poll(at(2, quotes(2, near), **known), sights(2)), Cancel) == []
    moved = (RestingQuote(1, 0.96, 5.0, False), far[1])
    assert len(of(subject.on_poll(at(3, quotes(3, moved), **known), sights(3)), Cancel)) == 1


def test_quotes_are_withdrawn_with_the_shadows_and_the_campaign_ends_when_it_stays_silent():
    subject, _ = begun()
    known = {"orders": {SYMBOL: [BID, ASK]}}
    pulled = subject.on_poll(at(2, quotes(2, ()), **known), sights(2))
    assert len(of(pulled, Cancel)) == 2
    gone = {"orders": {SYMBOL: [replace(o, state=CANCELLED) for o in (BID, ASK)]}}
    for at_s in (3, 11):
        subject.on_poll(at(at_s, quotes(at_s, ()), **gone), sights(at_s))
        assert campaign(subject).phase == QUOTING
    subject.on_poll(at(13, quotes(13, ()), **gone), sights(13))
    assert campaign(subject) is None


def test_quotes_of_a_shadow_that_no_longer_looks_are_withdrawn():
    subject, _ = begun()
    known = {"orders": {SYMBOL: [BID, ASK]}}
    assert of(subject.on_poll(at(5, quotes(1), **known), sights(5)), Cancel) == []
    assert len(of(subject.on_poll(at(7, quotes(1), **known), sights(7)), Cancel)) == 2


@pytest.mark.parametrize(
    "changes",
    [{"halts": {"MARKET_STREAM": "mute"}}, {"policy": view(vetoes={MAKER: "not today"})}],
)
def test_a_halt_or_a_veto_ends_the_quoting(changes):
    subject, _ = begun()
    commands = subject.on_poll(at(2, quotes(2), orders={SYMBOL: [BID, ASK]}, **changes), sights(2))
    assert len(of(commands, Cancel)) == 2
    gone = [replace(o, state=CANCELLED) for o in (BID, ASK)]
    subject.on_poll(at(3, quotes(3), orders={SYMBOL: gone}, **changes), sights(3))
    assert campaign(subject) is None


def test_a_toxic_market_pulls_the_quotes_and_says_so_once():
    subject, _ = begun()
    known = {"orders": {SYMBOL: [BID, ASK]}}
    commands = subject.on_poll(at(2, quotes(2), **known), sights(2, vpin_rank=0.99))
    assert [n.body["reason"] for n in notes(commands, "pull")] == ["TOXIC"]
    assert len(of(commands, Cancel)) == 2
    again = subject.on_poll(at(3, quotes(3), **known), sights(3, vpin_rank=0.99))
    assert notes(again, "pull") == []


# --- holding


def test_after_a_fill_the_other_side_goes_first_and_then_the_position_is_quoted_out():
    subject, _ = begun()
    commands = subject.on_poll(at(2, quotes(2), **holding()), sights(2))
    assert [c.client_id for c in of(commands, Cancel)] == [ASK.client_id]
    assert of(commands, Place) == []
    gone = holding(entries=(BID, replace(ASK, state=CANCELLED)))
    (out,) = of(subject.on_poll(at(3, quotes(3), **gone), sights(3)), Place)
    assert (out.decision.side, out.decision.qty, out.decision.reduce_only) == (-1, D("1.20"), True)
    assert out.decision.leg == "x0"
    assert out.decision.time_in_force == POST_ONLY
    assert out.decision.price >= quote(at_ns=NOON).ask


def held(subject, at_s, told_quotes, exits=(), own="1.20"):
    known = holding(entries=(BID, replace(ASK, state=CANCELLED)), exits=exits, own=own)
    return subject.on_poll(at(at_s, *told_quotes, **known), sights(at_s))


def test_out_again_it_is_one_trade_and_the_next_round_asks_anew():
    subject, _ = begun()
    held(subject, 3, [quotes(3)])
    out = row("exit", 0, -1, "1.20", "100.1", FILLED, "1.20", at_s=3)
    filled = replace(BID, state=FILLED, filled_qty=BID.qty)
    known = {"orders": {SYMBOL: [filled, out]}, "books": books()}
    commands = subject.on_poll(at(4, quotes(4), **known), sights(4))
    (booked,) = of(commands, BookCampaign)
    assert booked.campaign.phase == CLOSED
    assert campaign(subject) is None
    assert of(subject.on_poll(at(5, quotes(5)), sights(5)), Place) == []
    assert len(of(subject.on_poll(at(32, quotes(32)), sights(32)), Place)) == 2


WAY_OUT = (RestingQuote(-1, 1.002, 5.0, True),)


def test_it_is_left_when_the_shadow_that_held_the_same_is_out():
    subject, _ = begun()
    held(subject, 3, [quotes(3, WAY_OUT, held=1)])
    resting = row("exit", 0, -1, "1.20", "100.2", at_s=3)
    commands = held(subject, 4, [quotes(4)], exits=[resting])
    (note,) = notes(commands, "exit")
    assert note.body["reason"] == SHADOW_OUT
    assert campaign(subject).phase == EXITING
    # What was quoted out before is no attempt at the exit: it is a maker's at first.
    (note,) = of(commands, Cancel)
    assert note.client_id == resting.client_id
    gone = replace(resting, state=CANCELLED)
    (out,) = of(held(subject, 5, [quotes(5)], exits=[gone]), Place)
    assert out.decision.time_in_force == POST_ONLY
    assert out.decision.price == quote(at_ns=NOON).ask


def test_it_is_left_when_the_shadow_shows_no_way_out():
    subject, _ = begun()
    assert notes(held(subject, 3, [quotes(3, ())]), "exit") == []
    assert notes(held(subject, 12, [quotes(12, ())]), "exit") == []
    (note,) = notes(held(subject, 14, [quotes(14, ())]), "exit")
    assert note.body["reason"] == NO_WAY_OUT


def test_it_is_not_quoted_out_for_ever_where_the_shadow_never_held_it():
    subject, _ = begun()
    last = RULES.quoting.mirror.most_held_s
    assert notes(held(subject, 3, [quotes(3)]), "exit") == []
    assert notes(held(subject, 3 + last, [quotes(3 + last)]), "exit") == []
    (note,) = notes(held(subject, 4 + last, [quotes(4 + last)]), "exit")
    assert note.body["reason"] == HELD_ALONE


def test_the_kill_switch_closes_what_is_held_at_the_market():
    subject, _ = begun()
    known = holding(entries=(BID, replace(ASK, state=CANCELLED)))
    killed = {"halts": {"KILL_SWITCH": "by hand"}, "flatten": True}
    (out,) = of(subject.on_poll(at(3, quotes(3), **known, **killed), sights(3)), Place)
    assert (out.decision.price, out.decision.reduce_only, out.decision.qty) == (None, True, D("1.20"))


# --- accounts of it


def test_a_fill_of_the_shadow_was_traded_where_its_strategy_quotes_live():
    subject, _ = begun()
    fill = asked(MAKER, at_ns=NOON + 3 * NS, regime=RANGE, edge_bps=20.0, reason="FILLED")
    known = {"orders": {SYMBOL: [BID, ASK]}}
    commands = subject.on_poll(at(3, quotes(3, WAY_OUT, held=1), signals=[fill], **known), sights(3))
    assert told(commands) == [(SYSTEM, "", "")]
    trip = ended(MAKER, signal_ns=NOON + 3 * NS)
    assert notes(subject.on_poll(at(4, quotes(4), trips=[trip], **known), sights(4)), "block") == []


def test_and_was_not_where_it_does_not():
    fill = asked(MAKER, at_ns=NOON + NS, regime=RANGE, edge_bps=20.0, reason="FILLED")
    subject = engine()
    ((_, why, _),) = told(subject.on_poll(at(1, signals=[fill]), sights()))
    assert why == NOT_QUOTED
    trip = ended(MAKER, signal_ns=NOON + NS)
    (block,) = notes(subject.on_poll(at(2, trips=[trip]), sights(2)), "block")
    assert block.body["reason"] == NOT_QUOTED


def test_a_restart_goes_on_quoting_and_a_session_replays():
    subject, _ = begun()
    assert load_states(dump_states(subject._states))[SYMBOL].campaign == campaign(subject)
    twin = type(subject).recall(build(type(subject.memory()), plain(subject.memory())), RULES)
    now = PollInputs(at(2, quotes(2), **holding()), (), sights(2))
    again = build(PollInputs, plain(now))
    assert decide(twin, again) == decide(subject, now)


def test_news_without_quotes_is_read_as_before():
    body = plain(news())
    del body["quotes"]
    assert build(BankNews, body) == news()
