"""The engine: what it asks for, signals, blocks, shadow trades, persistence, and determinism."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal as D

import pytest

from hean_live.app.engine import Engine
from hean_live.app.snapshot import (
    BookCampaign,
    KeepForecast,
    KeepTrade,
    Note,
    Place,
    SaveState,
    Settled,
    WantForecast,
    WantSettled,
)
from hean_live.execution.records import FILLED, OrderRow
from models.errors import DataError
from models.execution.quotes import LAYERED, QuoteParams
from models.execution.sharing import SharingRules
from models.execution.sight import MarketSight
from tests.live.factories import (
    EXIT,
    INSTRUMENT,
    MODEL,
    NS,
    RULES,
    SETTLEMENT,
    START,
    SYMBOL,
    books,
    forecasted,
    quote,
    snapshot,
    ticker,
)


def engine(saved=""):
    return Engine([SYMBOL], RULES, saved)


def of(commands, kind):
    return [command for command in commands if isinstance(command, kind)]


def notes(commands, kind):
    return [command for command in of(commands, Note) if command.kind == kind]


@pytest.mark.parametrize("horizon_min", [90, 60, 30])
def test_a_forecast_is_wanted_at_each_horizon_until_it_is_there(horizon_min):
    due = SETTLEMENT - horizon_min * 60 * NS
    subject = engine()
    assert of(subject.on_poll(snapshot(due - 1)), WantForecast) == []
    want = WantForecast(SYMBOL, SETTLEMENT, horizon_min, 8)
    assert of(subject.on_poll(snapshot(due)), WantForecast) == [want]
    assert of(subject.on_poll(snapshot(due + NS)), WantForecast) == [want]
    made = forecasted(horizon_min=horizon_min, predicted=0.0001)
    commands = subject.on_poll(snapshot(due + 2 * NS, forecasts=(made,)))
    assert of(commands, KeepForecast) == [KeepForecast(made)]
    assert of(commands, WantForecast) == []


def test_no_forecast_across_the_previous_settlement():
    hourly = {SYMBOL: ticker(funding_interval_h=1)}
    assert of(engine().on_poll(snapshot(SETTLEMENT - 3600 * NS, tickers=hourly)), WantForecast) == []
    assert len(of(engine().on_poll(snapshot(SETTLEMENT - 1800 * NS, tickers=hourly)), WantForecast)) == 1


def test_a_signal_opens_shadow_and_live_entry_in_one_durable_step():
    commands = engine().on_poll(snapshot(forecasts=(forecasted(),)))
    kinds = [command.kind for command in of(commands, Note)]
    assert kinds == ["signal", "shadow_open", "entry"]
    body = notes(commands, "signal")[0].body
    assert (body["side"], body["regime"], body["confidence"], body["cell"]) == (-1, "RANGE", 0.95, None)
    decision = of(commands, Place)[0].decision
    # Sized at the bid; at the ask, where it is quoted, the limit of 900 USD leaves 8.99.
    assert (decision.side, decision.qty, decision.price, decision.leg) == (-1, D("8.99"), D("100.1"), "e0")
    saved = json.loads(of(commands, SaveState)[0].text)
    assert saved[SYMBOL]["campaign"]["phase"] == "entering"


def test_a_blocked_signal_is_shadowed_and_each_reason_noted_once():
    subject = engine()
    refused = replace(MODEL, evidence_passed=False, evidence_words="E1 failed")
    commands = subject.on_poll(snapshot(forecasts=(forecasted(),), model=refused))
    assert [command.kind for command in of(commands, Note)] == ["signal", "shadow_open", "block"]
    assert notes(commands, "block")[0].body["reason"] == "EVIDENCE"
    assert of(commands, Place) == []
    assert notes(subject.on_poll(snapshot(START + NS, model=refused)), "block") == []


def test_a_block_that_clears_inside_the_window_lets_the_entry_through():
    subject = engine()
    subject.on_poll(snapshot(forecasts=(forecasted(),), clock_offset_ms=9999.0))
    commands = subject.on_poll(snapshot(START + 60 * NS))
    assert len(of(commands, Place)) == 1


def test_a_block_that_clears_after_the_window_does_not():
    subject = engine()
    subject.on_poll(snapshot(forecasts=(forecasted(),), clock_offset_ms=9999.0))
    assert of(subject.on_poll(snapshot(START + 601 * NS)), Place) == []


def test_a_refusal_by_the_strategy_says_why_once():
    subject = engine()
    weak = forecasted(above=0.55)
    body = notes(subject.on_poll(snapshot(forecasts=(weak,))), "no_signal")[0].body
    assert (body["reason"], body["confidence"]) == ("LOW_CONFIDENCE", 0.55)
    assert notes(subject.on_poll(snapshot(START + NS)), "no_signal") == []


def test_a_small_account_still_shadows():
    subject = engine()
    commands = subject.on_poll(snapshot(forecasts=(forecasted(),), books=books(equity="5")))
    assert notes(commands, "block")[0].body["reason"] == "SIZER_ZERO"
    assert D(notes(commands, "shadow_open")[0].body["qty"]) == D("5") * D("0.09") / D("99.9")


def run_shadow(subject, rate=0.0004):
    """Through settlement and exit; returns the commands of the booking."""
    subject.on_poll(snapshot(forecasts=(forecasted(),), halts={"DRY_RUN": "off"}))
    subject.on_poll(snapshot(SETTLEMENT, halts={"DRY_RUN": "off"}))
    commands = subject.on_poll(snapshot(EXIT, halts={"DRY_RUN": "off"}))
    assert of(commands, WantSettled) == [WantSettled(SYMBOL, SETTLEMENT)]
    assert not subject.is_idle
    return subject.on_poll(
        snapshot(EXIT + NS, settled=(Settled(SYMBOL, SETTLEMENT, rate),), halts={"DRY_RUN": "off"})
    )


def test_a_shadow_trade_adds_up():
    subject = engine()
    trade = of(run_shadow(subject), KeepTrade)[0].trade
    qty, entry, exit_ = D("9.00"), D("99.9"), D("100.1")  # sold at the bid, bought back at the ask
    fees = qty * (entry + exit_) * D("0.00055")
    funding = qty * 100 * D("0.0004")  # a short receives a positive rate on the mark price
    assert (trade.mode, trade.side, trade.qty, trade.entry_price, trade.exit_price) == (
        "shadow",
        -1,
        qty,
        entry,
        exit_,
    )
    assert trade.fees_usd == pytest.approx(float(fees))
    assert trade.funding_usd == pytest.approx(float(funding))
    assert trade.pnl_usd == pytest.approx(float(qty * (entry - exit_) - fees + funding))
    assert trade.pnl_bps == pytest.approx(trade.pnl_usd / float(qty * entry) * 1e4)
    assert (trade.entry_ns, trade.exit_ns, trade.realised_rate) == (START, EXIT, 0.0004)
    assert subject.is_idle


def test_state_survives_a_restart_at_every_poll():
    """Each poll by a fresh engine that knows only what the last one saved."""
    polls = [
        snapshot(forecasts=(forecasted(),)),
        snapshot(START + 60 * NS),
        snapshot(SETTLEMENT),
        snapshot(EXIT),
        snapshot(EXIT + NS, settled=(Settled(SYMBOL, SETTLEMENT, 0.0004),)),
    ]
    straight = engine()
    expected = [straight.on_poll(poll) for poll in polls]
    saved, found = "", []
    for poll in polls:
        commands = engine(saved).on_poll(poll)
        saved = next((c.text for c in of(commands, SaveState)), saved)
        found.append([c for c in commands if not isinstance(c, WantForecast)])
    assert found == [[c for c in commands if not isinstance(c, WantForecast)] for commands in expected]


def test_the_same_snapshots_give_the_same_commands():
    polls = [snapshot(forecasts=(forecasted(),)), snapshot(START + NS), snapshot(SETTLEMENT), snapshot(EXIT)]
    first, second = engine(), engine()
    assert [first.on_poll(poll) for poll in polls] == [second.on_poll(poll) for poll in polls]


def filled_entry():
    return OrderRow(
        "hn-S1-BTCUSDT-sx6ps0-e0", "S1", SYMBOL, -1, "Limit", D("9.00"), D("100.1"), False, "entry", SETTLEMENT,
        FILLED, filled_qty=D("9.00"),
    )  # fmt: skip


def test_a_live_campaign_is_booked_when_closed():
    subject = engine()
    subject.on_poll(snapshot(forecasts=(forecasted(),)))
    held = {"orders": {SYMBOL: [filled_entry()]}, "books": books("-9.00")}
    subject.on_poll(snapshot(START + NS, **held))
    commands = subject.on_poll(snapshot(EXIT, **held))
    assert notes(commands, "exit")[0].body["reason"] == "exit time"
    out = replace(filled_entry(), client_id="x", leg="exit", side=1, reduce_only=True)
    flat = {"orders": {SYMBOL: [filled_entry(), out]}, "books": books("0")}
    subject.on_poll(snapshot(EXIT + NS, **flat))
    commands = subject.on_poll(
        snapshot(EXIT + 2 * NS, settled=(Settled(SYMBOL, SETTLEMENT, 0.0002),), **flat)
    )
    assert [(c.campaign.signal.settlement_ns, c.realised_rate) for c in of(commands, BookCampaign)] == [
        (SETTLEMENT, 0.0002)
    ]


def test_unreconciled_books_decide_nothing():
    subject = engine()
    subject.on_poll(snapshot(forecasts=(forecasted(),)))
    blind = {
        "halts": {"UNRECONCILED": "no answer"},
        "orders": {SYMBOL: [filled_entry()]},
        "books": books("0"),
    }
    assert of(subject.on_poll(snapshot(START + NS, **blind)), Place) == []
    assert subject.decision_ns(SYMBOL) == SETTLEMENT


def test_a_position_without_a_campaign_is_adopted_and_left_at_its_time():
    subject = engine()
    subject.adopt(SYMBOL, [filled_entry()], START)
    held = {"orders": {SYMBOL: [filled_entry()]}, "books": books("-9.00")}
    assert of(subject.on_poll(snapshot(EXIT - 1, **held)), Place) == []
    late = EXIT + 3600 * NS
    subject.on_poll(snapshot(late, **held))
    decision = of(subject.on_poll(snapshot(late, **held)), Place)[0].decision
    assert (decision.side, decision.qty, decision.reduce_only) == (1, D("9.00"), True)


def test_a_symbol_no_longer_asked_for_is_still_looked_after():
    subject = engine()
    commands = subject.on_poll(snapshot(forecasts=(forecasted(),)))
    other = Engine(["ETHUSDT"], RULES, of(commands, SaveState)[0].text)
    assert set(other.symbols) == {SYMBOL, "ETHUSDT"}
    assert other.decision_ns(SYMBOL) == SETTLEMENT


@pytest.mark.parametrize("text", ["[]", "{", '{"BTCUSDT": {}}'])
def test_unreadable_state_is_an_error_with_a_remedy(text):
    with pytest.raises(DataError, match="unreadable") as caught:
        engine(text)
    assert "engine_state" in caught.value.remedy


# --- working orders

ALT = "ETHUSDT"


def alt_poll(now_ns, btc, **changes):
    """A poll that knows ETHUSDT and the price of BTC, with a forecast that wants to be long."""
    next_ns = SETTLEMENT if now_ns < SETTLEMENT else SETTLEMENT + 8 * 3600 * NS
    own = replace(INSTRUMENT, symbol=ALT)
    fields = {
        "tickers": {ALT: ticker(next_ns, symbol=ALT), SYMBOL: ticker(next_ns, mark_price=btc)},
        "quotes": {ALT: quote(at_ns=now_ns)},
        "instruments": {ALT: own},
        **changes,
    }
    return snapshot(now_ns, **fields)


def long_forecast():
    return forecasted(symbol=ALT, predicted=-0.0004, above=0.05)


def alt_engine(saved="", rules=RULES):
    return Engine([ALT], rules, saved)


def warm(subject, *, minutes=16, btc=100_000.0):
    for minute in range(-minutes, 0):
        subject.on_poll(alt_poll(START + minute * 60 * NS, btc))
    return subject


def test_the_engine_says_whose_tickers_it_needs():
    assert alt_engine().watched == (ALT, SYMBOL)
    assert engine().watched == (SYMBOL,)


def test_a_crash_of_btc_blocks_a_long_alt_with_reason_and_arithmetic():
    commands = warm(alt_engine()).on_poll(alt_poll(START, 97_000.0, forecasts=(long_forecast(),)))
    body = notes(commands, "block")[0].body
    assert body["reason"] == "BTC_CRASH"
    assert "97000 / 100000 - 1 = -3.00%" in body["arithmetic"]
    assert of(commands, Place) == []


def test_the_prices_of_btc_survive_a_restart():
    saved = ""
    for minute in range(-16, 0):
        commands = alt_engine(saved).on_poll(alt_poll(START + minute * 60 * NS, 100_000.0))
        saved = next((c.text for c in of(commands, SaveState)), saved)
    again = alt_engine(saved).on_poll(alt_poll(START, 97_000.0, forecasts=(long_forecast(),)))
    assert notes(again, "block")[0].body["reason"] == "BTC_CRASH"
    calm = alt_engine(saved).on_poll(alt_poll(START, 99_900.0, forecasts=(long_forecast(),)))
    assert len(of(calm, Place)) == 1


def test_a_stale_book_blocks_an_entry():
    sights = {SYMBOL: MarketSight(START - 30 * NS, True, START)}
    commands = engine().on_poll(snapshot(forecasts=(forecasted(),)), sights)
    assert notes(commands, "block")[0].body["reason"] == "STALE_BOOK"


def test_what_a_decision_has_bought_already_is_not_bought_again():
    """After a lost journal: the venue tells of entries before the signal is carried out anew."""
    known = {SYMBOL: [replace(filled_entry(), qty=D("5.00"), filled_qty=D("5.00"))]}
    commands = engine().on_poll(snapshot(forecasts=(forecasted(),), orders=known, books=books("-5.00")))
    (entry,) = notes(commands, "entry")
    placed = sum(c.decision.qty for c in of(commands, Place))
    assert 0 < placed <= D(entry.body["qty"]) - 5


def ladder_poll(now_ns=START + 60 * NS, orders=None, **changes):
    held = [filled_entry()] if orders is None else orders
    return snapshot(now_ns, orders={SYMBOL: held}, books=books("-9.00"), **changes)


def test_a_strategy_chooses_its_exit_plan_by_name_and_its_state_survives():
    rules = replace(RULES, exit_plans={"S1": "ladder"})
    subject = Engine([SYMBOL], rules)
    subject.on_poll(snapshot(forecasts=(forecasted(),)))
    trend = {SYMBOL: MarketSight(START + 60 * NS, True, START, is_trend=True, sigma_minute=0.001)}
    subject.on_poll(ladder_poll(), trend)
    commands = subject.on_poll(ladder_poll(START + 61 * NS), trend)
    saved = subject._saved
    assert [c.decision.leg for c in of(commands, Place)] == ["x4"]
    # Known from the entry alone, whatever the market is now.
    again = Engine([SYMBOL], rules, saved).on_poll(ladder_poll(START + 62 * NS))
    assert [c.decision.leg for c in of(again, Place)] == ["x4"]
    later = Engine([SYMBOL], rules, saved).on_poll(ladder_poll(START + 61 * NS + 2700 * NS))
    assert [c.decision.leg for c in of(later, Place)] == ["x1", "x2", "x3", "x4"]


def test_by_default_s1_has_no_ladder():
    subject = engine()
    subject.on_poll(snapshot(forecasts=(forecasted(),)))
    for at_s in (60, 61, 62):
        assert of(subject.on_poll(ladder_poll(START + at_s * NS)), Place) == []
    assert "exits" not in json.loads(subject._saved)["*"]


def test_entries_beyond_the_rate_wait_for_the_next_second():
    rules = replace(
        RULES,
        quoting=replace(RULES.quoting, quotes=QuoteParams(LAYERED)),
        sharing=SharingRules(places_per_s=2),
    )
    subject = Engine([SYMBOL], rules)
    first = of(subject.on_poll(snapshot(forecasts=(forecasted(),))), Place)
    assert len(first) == 2
    assert of(subject.on_poll(snapshot(START + NS // 2)), Place) == []
    assert len(of(subject.on_poll(snapshot(START + NS)), Place)) == 2


def test_an_engine_recalled_goes_on_like_the_one_it_was_taken_from():
    rules = replace(RULES, sharing=SharingRules(places_per_s=1))
    subject = warm(alt_engine(rules=rules))
    subject.on_poll(alt_poll(START, 99_900.0, forecasts=(long_forecast(),)))
    other = Engine.recall(subject.memory(), rules)
    for wait_ns in (NS // 2, NS, 30 * NS):
        poll = alt_poll(START + wait_ns, 99_900.0)
        assert other.on_poll(poll) == subject.on_poll(poll)


def test_memory_that_cannot_be_read_is_an_error():
    with pytest.raises(DataError, match="unreadable"):
        engine('{"*": {"exits": {"BTCUSDT": {}}}}')
