"""Positions of the bank: when they are left and booked; its memory, restarts, and a session replayed."""

from __future__ import annotations

import json
from decimal import Decimal as D
from types import MappingProxyType

import pytest

from hean_live.app.engine import Engine
from hean_live.app.snapshot import BookCampaign, KeepTrade, Place, SaveState, WantSettled
from hean_live.app.state import BANK, Campaign, Signal
from hean_live.app.working_orders import SHADOW_LEFT
from hean_live.replay.codec import build, plain
from hean_live.replay.inputs import PollInputs, decide
from hean_live.venues.protocol import IMMEDIATE
from models.errors import DataError
from models.gates.blame import SEVERAL
from models.gates.memory import BankMemory, Waiting, dump_bank, load_bank
from models.gates.records import Entries
from tests.live.bank_polls import (
    ALT,
    HELD,
    IMPULSE,
    MOMENTUM,
    NOON,
    TRENDING,
    asked,
    begin,
    ended,
    engine,
    filled,
    news,
    notes,
    of,
    poll,
    sights,
    told,
)
from tests.live.factories import (
    EXIT,
    NS,
    RULES,
    SETTLEMENT,
    SYMBOL,
    books,
    forecasted,
    snapshot,
)

# --- on the way out


def test_a_position_is_left_when_its_shadow_holds_nothing_any_more():
    subject = engine()
    begin(subject)
    still = news(holding=((IMPULSE, SYMBOL),))
    assert notes(subject.on_poll(poll(still, 5, **HELD), sights(5)), "exit") == []
    other = news(holding=((MOMENTUM, SYMBOL), (IMPULSE, ALT)))
    commands = subject.on_poll(poll(other, 6, **HELD), sights(6))
    (note,) = notes(commands, "exit")
    assert (note.body["reason"], note.strategy) == (SHADOW_LEFT, "S7")
    (decision,) = [c.decision for c in of(commands, Place)]
    assert (decision.strategy, decision.side, decision.qty, decision.reduce_only) == (
        "S7",
        -1,
        D("2.39"),
        True,
    )
    assert decision.time_in_force == IMMEDIATE


def test_not_while_the_bank_is_not_at_work_but_at_its_longest():
    subject = engine()
    begin(subject)
    asleep = news(holding=(), running=False)
    for at_s in (5, 3600):
        commands = subject.on_poll(poll(asleep, at_s, **HELD), sights(at_s))
        assert notes(commands, "exit") == []
    commands = subject.on_poll(poll(asleep, 6 * 3600 + 2, **HELD), sights(6 * 3600 + 2))
    assert notes(commands, "exit")[0].body["reason"] == "exit time"


def test_the_trade_is_booked_without_a_settled_rate():
    subject = engine()
    begin(subject)
    gone = news(holding=())
    subject.on_poll(poll(news(holding=((IMPULSE, SYMBOL),)), 5, **HELD), sights(5))
    subject.on_poll(poll(gone, 6, **HELD), sights(6))
    out = filled("exit", "hn-S7-BTCUSDT-sx6ps0-x0", side=-1, reduce_only=True)
    flat = {"orders": {SYMBOL: [filled(), out]}, "books": books("0")}
    commands = []
    for at_s in (7, 8):
        commands += subject.on_poll(poll(gone, at_s, **flat), sights(at_s))
    (booked,) = of(commands, BookCampaign)
    assert (booked.campaign.signal.strategy, booked.realised_rate) == ("S7", None)
    assert booked.campaign.signal.origin == BANK
    assert of(commands, WantSettled) == []
    assert subject.is_idle


def test_the_campaigns_of_s1_do_not_ask_the_bank():
    subject = engine()
    start = SETTLEMENT - 5400 * NS
    subject.on_poll(snapshot(start, forecasts=(forecasted(),), bank=news(holding=())))
    row = filled(client_id="hn-S1-BTCUSDT-sx6ps0-e0", strategy="S1", side=-1, decision_ns=SETTLEMENT)
    held = {"orders": {SYMBOL: [row]}, "books": books("-2.39"), "bank": news(holding=())}
    assert notes(subject.on_poll(snapshot(start + NS, **held)), "exit") == []
    assert notes(subject.on_poll(snapshot(EXIT, **held)), "exit")[0].body["reason"] == "exit time"


# --- memory and replay


def test_memory_survives_its_json():
    memory = BankMemory(
        {SYMBOL: ("RANGE", 5)},
        {(IMPULSE, SYMBOL): Entries(7, 20_000, 3)},
        {(MOMENTUM, ALT): Waiting(9, SEVERAL)},
    )
    assert load_bank(json.loads(json.dumps(dump_bank(memory)))) == memory
    assert dump_bank(BankMemory()) == {}
    assert load_bank({}) == BankMemory()
    for broken in ({"regimes": {SYMBOL: 5}}, {"entries": [[1]]}, {"waiting": 7}):
        with pytest.raises(DataError, match="memory of the shadows is unreadable"):
            load_bank(broken)


def session():
    """A blocked signal, a live one, its shadow's end, the way out, and another strategy's trip."""
    blocked = asked(MOMENTUM, edge_bps=3.0, features=MappingProxyType({**TRENDING, "vpin": 0.1}))
    out = filled("exit", "hn-S7-BTCUSDT-sx6ps0-x0", side=-1, reduce_only=True)
    flat = {"orders": {SYMBOL: [filled(), out]}, "books": books("0")}
    both = ((IMPULSE, SYMBOL), (MOMENTUM, SYMBOL))
    steps = [
        (1, news(blocked, asked(), holding=both), {}),
        (5, news(holding=both), HELD),
        (31, news(trips=[ended(), ended(MOMENTUM)], holding=()), HELD),
        (32, news(holding=()), HELD),
        (33, news(holding=()), flat),
        (34, news(holding=()), flat),
        (130, news(asked(at_ns=NOON + 129 * NS)), {}),
    ]
    return [PollInputs(poll(bank, at_s, **changes), (), sights(at_s)) for at_s, bank, changes in steps]


def test_a_session_replayed_is_identical():
    live = engine()
    expected = [decide(live, inputs) for inputs in session()]
    assert [len(of(commands, KeepTrade)) for commands in expected] == [0, 0, 2, 0, 0, 0, 0]
    assert told(expected[-1]) == [("S7", "", "")]
    again = engine()
    for inputs, commands in zip(session(), expected, strict=True):
        tree = json.loads(json.dumps(plain(inputs), allow_nan=False))
        assert decide(again, build(PollInputs, tree)) == commands


def test_an_engine_recalled_or_restarted_goes_on_the_same():
    live = engine()
    saved = ""
    for inputs in session():
        recalled, restarted = Engine.recall(live.memory(), RULES), engine(saved)
        commands = decide(live, inputs)
        assert decide(recalled, inputs) == commands
        assert decide(restarted, inputs) == commands
        saved = next((c.text for c in of(commands, SaveState)), saved)


def test_a_campaign_of_the_bank_survives_the_disk():
    subject = engine()
    commands = begin(subject, is_taker=True)
    again = engine(of(commands, SaveState)[-1].text)
    campaign = again._states[SYMBOL].campaign
    assert isinstance(campaign, Campaign)
    assert isinstance(campaign.signal, Signal)
    assert (campaign.signal.origin, campaign.signal.is_urgent) == (BANK, True)
    assert campaign == subject._states[SYMBOL].campaign
