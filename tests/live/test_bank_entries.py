"""The engine and the bank's signals: gates' words, shadow results by their block, live entries, what stays in shadow."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from decimal import Decimal as D

import pytest

from hean_live.app.bank.entries import NOT_CARRIED_OUT
from hean_live.app.snapshot import KeepTrade, Place, SaveState
from hean_live.venues.protocol import IMMEDIATE, POST_ONLY
from models.gates.blame import SEVERAL
from models.portfolio.policy import Reason, StrategyPolicy, SymbolPolicy
from models.regimes.rules import IMPULSE_UP
from tests.live.bank_polls import (
    ALT,
    HELD,
    IMPULSE,
    MOMENTUM,
    NOON,
    PAYS,
    TRENDING,
    asked,
    begin,
    ended,
    engine,
    filled,
    news,
    notes,
    of,
    policy,
    poll,
    sights,
    told,
    view,
)
from tests.live.factories import (
    INSTRUMENT,
    NS,
    SYMBOL,
    books,
)

# --- blocks, and what they cost


def test_a_blocked_signal_is_journalled_with_the_words_of_every_gate():
    commands = begin(engine(), edge_bps=3.0)
    (note,) = notes(commands, "bank_signal")
    assert (note.strategy, note.symbol, note.body["not_traded"]) == ("S7", SYMBOL, "EDGE_BELOW_COSTS")
    gates = note.body["gates"]
    assert list(gates)[:3] == ["stale_data", "btc_crash", "standing"]
    assert len(gates) == 13
    assert [g["row"] for g in gates.values() if g["reason"] != "PASS"] == ["G5"]
    assert all(gate["words"] for gate in gates.values())
    # Two takers' fees and a spread of one basis point: 5.5 + 5.5 + 1 with a maker's entry: 2 + 5.5 + 0.5.
    assert "costs 2 + 5.5 + 1 × 1.00 / 2 + buffer 0 = 8.00 bps" in note.body["words"]
    assert json.loads(json.dumps(dict(note.body), allow_nan=False))
    assert of(commands, Place) == []
    assert notes(commands, "entry") == []


def test_the_trip_of_a_blocked_signal_carries_its_reason():
    subject = engine()
    begin(subject, edge_bps=3.0)
    commands = subject.on_poll(poll(news(trips=[ended()]), 31), sights(31))
    (note,) = notes(commands, "block")
    (kept,) = of(commands, KeepTrade)
    assert note.body == {"reason": "EDGE_BELOW_COSTS", "trade_id": kept.trade.trade_id}
    assert note.strategy == kept.trade.strategy == "S7"
    trade = kept.trade
    assert (trade.mode, trade.qty, trade.entry_price, trade.exit_price) == (
        "shadow",
        D("2.0"),
        D(100),
        D(101),
    )
    # Of 200 USD 1.75 were earned: 2 of the price, less 0.2 of fees and 0.05 of funding.
    assert trade.pnl_usd == pytest.approx(2.0 * (101.0 - 100.0) - 0.2 - 0.05)
    assert trade.pnl_bps == pytest.approx(87.5)
    assert (trade.fees_usd, trade.funding_usd, trade.realised_rate) == (0.2, -0.05, None)
    # It answered for one signal: the next trip has a reason of its own or none.
    later = ended(signal_ns=NOON + 40 * NS, entry_ns=NOON + 41 * NS, exit_ns=NOON + 50 * NS)
    assert notes(subject.on_poll(poll(news(trips=[later]), 51), sights(51)), "block") == []


def test_a_trip_of_an_earlier_signal_is_not_counted_for_a_later_block():
    subject = engine()
    begin(subject, edge_bps=3.0)
    early = ended(signal_ns=NOON - 60 * NS, entry_ns=NOON - 59 * NS)
    assert notes(subject.on_poll(poll(news(trips=[early]), 2), sights(2)), "block") == []
    assert len(notes(subject.on_poll(poll(news(trips=[ended()]), 31), sights(31)), "block")) == 1


def test_a_trip_that_comes_with_its_own_signal_has_the_signals_block():
    """A round trip shorter than a poll, and beside it the trip of the signal before."""
    subject = engine()
    begin(subject, edge_bps=3.0)
    second = asked(at_ns=NOON + 10 * NS, edge_bps=40.0, regime="RANGE")
    trips = [ended(), ended(signal_ns=NOON + 10 * NS, entry_ns=NOON + 11 * NS)]
    commands = subject.on_poll(poll(news(second, trips=trips), 12), sights(12))
    blocked = {n.body["trade_id"]: n.body["reason"] for n in notes(commands, "block")}
    first_id, second_id = (k.trade.trade_id for k in of(commands, KeepTrade))
    assert blocked.get(first_id) == "EDGE_BELOW_COSTS"
    assert blocked.get(second_id, "") == told(commands)[0][1]
    assert "waiting" not in json.loads(of(commands, SaveState)[-1].text)["*"]["bank"]


def test_two_gates_that_block_share_the_outcome_and_a_missing_permission_counts_for_neither():
    both = {"edge_bps": 3.0, "features": {**TRENDING, "whale_cvd": -5e5, "whale_intensity": 60.0}}
    assert told(begin(engine(), **both))[0][1] == SEVERAL
    subject = engine()
    nobody = view(policy(strategies={}))
    found = subject.on_poll(poll(news(asked(edge_bps=3.0)), policy=nobody), sights())
    (note,) = notes(found, "bank_signal")
    assert note.body["reason"] == "SHADOW_ONLY"  # the first in order, for a reader
    assert note.body["not_traded"] == "EDGE_BELOW_COSTS"  # the one to be judged by the outcome
    only = engine().on_poll(poll(news(asked()), policy=nobody), sights())
    assert told(only)[0][1] == "SHADOW_ONLY"
    assert "impulse_engine is unknown" in told(only)[0][2] or "is shadow" in told(only)[0][2]


def test_s1_is_not_told_twice():
    """The engine shadows funding pressure itself."""
    own = [asked("funding_pressure")], [ended("funding_pressure")]
    commands = engine().on_poll(poll(news(*own[0], trips=own[1])), sights())
    assert notes(commands, "bank_signal") == []
    assert of(commands, KeepTrade) == []


# --- live entries


def test_a_promoted_strategys_signal_begins_a_campaign_of_the_convictions_size():
    commands = begin(engine())
    assert told(commands) == [("S7", "", "")]
    (entry,) = notes(commands, "entry")
    # 0.8 % of 10 000 USD, no factor away from 1, at 3 times: 240 USD at 100.1 are 2.397 lots, 2.39 by steps of 0.01.
    sigma_day = 0.0005 * math.sqrt(1440.0)
    assert sigma_day < 0.04
    assert entry.body["qty"] == "2.39"
    assert entry.strategy == "S7"
    # 2 % below the ask, to the tick with the smaller loss.
    assert entry.body["stop_price"] == "98.1"
    assert entry.body["settlement_ns"] == NOON  # the whole second of the tick
    (placed,) = of(commands, Place)
    decision = placed.decision
    assert (decision.strategy, decision.leg, decision.side, decision.qty) == ("S7", "e0", 1, D("2.39"))
    assert (decision.price, decision.time_in_force, decision.stop_price) == (D("99.9"), POST_ONLY, D("98.1"))
    assert not decision.reduce_only


def test_volatility_probation_and_the_share_left_make_it_smaller():
    def qty(sight=None, **changes):
        (entry,) = notes(engine().on_poll(poll(news(asked()), **changes), sights(**(sight or {}))), "entry")
        return D(entry.body["qty"])

    # Twice the calm volatility of a day is half the size: 120 USD at 100.1.
    assert qty({"sigma_minute": 0.08 / math.sqrt(1440.0)}) == D("1.19")
    careful = policy(symbols={SYMBOL: SymbolPolicy(0.0, probation=0.2)})
    assert qty(policy=view(careful)) == D("0.47")  # 48 USD
    live = StrategyPolicy("live", (Reason("PROMOTED"),), 0.004)
    assert qty(policy=view(policy(strategies={IMPULSE: live}))) == D("1.19")  # 0.4 % × 3


def test_what_a_strategy_holds_elsewhere_is_taken_off_its_share():
    live = StrategyPolicy("live", (Reason("PROMOTED"),), 0.012)
    own = view(policy(strategies={IMPULSE: live}))
    subject = engine(symbols=(SYMBOL, ALT))
    commands = subject.on_poll(poll(news(asked(), asked(symbol=ALT, side=-1)), policy=own), sights())
    first, second = (D(note.body["qty"]) for note in notes(commands, "entry"))
    assert first == D("2.39")
    # 1.2 % less 2.39 × 100 / 3 / 10 000 = 0.797 %: 0.403 % × 3 of 10 000 USD at 99.9.
    assert second == D("1.21")


def test_an_urgent_order_crosses_at_once():
    (placed,) = of(begin(engine(), is_taker=True), Place)
    assert placed.decision.time_in_force == IMMEDIATE
    assert placed.decision.price >= D("100.1")
    assert placed.decision.stop_price == D("98.1")


def test_a_forecast_that_is_sure_enough_lets_its_strategy_trade():
    assert told(begin(engine(), strategy="liquidation_hunter", confidence=0.8))[0][1] == ""
    assert told(begin(engine(), strategy="liquidation_hunter", confidence=0.6))[0][1] == "LOW_CONFIDENCE"
    assert told(begin(engine(), strategy="liquidation_hunter"))[0][1] == "LOW_CONFIDENCE"


def test_one_strategy_a_symbol_the_more_valuable_one():
    better = {**poll().matrix, ("S9", IMPULSE_UP): replace(PAYS, ev_shrunk_usd=60.0)}
    commands = engine().on_poll(poll(news(asked(), asked(MOMENTUM, side=-1)), matrix=better), sights())
    assert [(strategy, why) for strategy, why, _ in told(commands)] == [("S7", "CONFLICT"), ("S9", "")]
    assert "< momentum_trader (short) at 60.000 on BTCUSDT" in told(commands)[0][2]
    assert [c.decision.side for c in of(commands, Place)] == [-1]


def test_who_holds_a_symbol_keeps_it_and_s1_too():
    subject = engine()
    begin(subject)
    again = subject.on_poll(poll(news(asked(MOMENTUM, at_ns=NOON + 2 * NS)), 3), sights(3))
    assert told(again) == [("S9", "CONFLICT", "impulse_engine (long) holds BTCUSDT")]
    # Same strategy, same side: nothing is added while a campaign is under way.
    paced = subject.on_poll(poll(news(asked(at_ns=NOON + 2 * NS)), 3), sights(3))
    assert told(paced)[0][1] == "COOLDOWN"


def test_a_strategy_is_not_entered_again_before_its_position_is_left():
    """The new campaign would sell the old position under its own decision, and neither could be booked."""
    subject = engine()
    begin(subject)
    again = asked(at_ns=NOON + 140 * NS)
    commands = subject.on_poll(poll(news(again), 141, **HELD), sights(141))
    assert told(commands) == [("S7", "CONFLICT", "impulse_engine is entering BTCUSDT already")]
    assert notes(commands, "entry") == []


def test_orders_of_another_strategy_of_the_same_second_are_not_the_campaigns():
    subject = engine()
    begin(subject)
    other = filled(client_id="hn-S1-BTCUSDT-sx6ps0-e0", strategy="S1")
    commands = subject.on_poll(poll(news(asked()), 2, orders={SYMBOL: [other]}), sights(2))
    placed = of(commands, Place)
    assert [(c.decision.strategy, c.decision.leg, c.decision.qty) for c in placed] == [
        ("S7", "e0", D("2.39"))
    ]


def test_two_markets_at_once_stay_in_shadow():
    regime = "RANGE"
    pays = {("S14", regime): PAYS}
    signal = asked("basis_arbitrage", regime=regime)
    commands = engine().on_poll(poll(news(signal), matrix=pays), sights())
    (found,) = told(commands)
    assert found[1] == NOT_CARRIED_OUT
    assert "stays in shadow" in found[2]
    assert of(commands, Place) == []


def test_vetoes_halts_and_foreign_positions_keep_signals_out():
    def why(**changes):
        commands = engine().on_poll(poll(news(asked()), **changes), sights())
        assert of(commands, Place) == []
        return told(commands)[0][1:]

    reason, words = why(policy=view(vetoes={IMPULSE: "too wild"}))
    assert reason == "VETOED"
    assert "too wild" in words
    assert why(halts={"KILL_SWITCH": "pulled"}) == ("KILL_SWITCH", "pulled")
    assert why(books=books(foreign={SYMBOL: "2 lots by hand"})) == ("FOREIGN", "BTCUSDT: 2 lots by hand")
    assert why(books=books(equity="0"))[0] == "NO_EQUITY"
    assert why(books=None)[0] == "NO_QUOTE"
    assert why(clock_offset_ms=None)[0] == "CLOCK_UNKNOWN"


def test_a_small_account_says_why_it_cannot_trade():
    dear = {SYMBOL: replace(INSTRUMENT, qty_step=D("0.1"), min_order_qty=D("0.1"))}
    commands = engine().on_poll(poll(news(asked()), books=books(equity="300"), instruments=dear), sights())
    ((_, reason, words),) = told(commands)
    assert reason == "SIZER_ZERO"
    # 0.8 % of 300 USD is 2.40 USD of margin, 7.20 USD at 3 times: 0.0719 lots at 100.1.
    assert "equity 300.00 USD" in words
    assert "capital 7.20 USD" in words
    assert "0.07192807 at 100.1" in words
    assert "< minimum quantity 0.1" in words
    assert "the smallest tradable lot 0.1 binds 10.01 USD" in words
    assert of(commands, Place) == []
