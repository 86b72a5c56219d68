"""The compiled loop where things go wrong: gaps, crossings, liquidation, funding, full rings, a book not to be traded on."""

from __future__ import annotations

import numpy as np
import pytest

from models.errors import DataError
from models.market.book import apply_all, new_book
from models.market.feature_params import params_record
from models.market.record import new_symbols
from models.market.step import features_of
from models.market.tape import EVENT, FUNDING, GAP, MARK
from models.simulation.backtest import run as driver
from models.simulation.backtest.loops import run_two_sided_quotes
from models.simulation.backtest.records import MOST_OPEN, BacktestParameters, new_session
from models.simulation.backtest.run import Strategy, run_compiled, run_events, two_sided_quotes_strategy
from models.simulation.fills.account import liquidation_price
from models.simulation.fills.records import BOOK_INVALID, CANCELLED, FORCED_OUT, new_simulator
from models.strategies import two_sided_quotes as quotes
from models.strategies.intent import EXIT, LIMIT, Intent, nothing
from tests.simulation.backtest.markets import VENUE, interrupted, near_funding, planted, shaken

CLOSE = quotes.Params(distance_bps=0.3, requote_bps=0.3, capital_share=0.01)
RULES = BacktestParameters(capital=200_000.0, equity_period_ns=1_000_000_000)
MARGINED = VENUE._replace(leverage=25.0)
SLOW = VENUE._replace(response_min_ms=2000.0, response_median_ms=3000.0, response_max_ms=4000.0)


@pytest.fixture(scope="module")
def tape():
    return planted(400.0)


@pytest.fixture(scope="module")
def broken(tape):
    return interrupted(tape)


def loop(session, own, events, venue=VENUE):
    strategy = two_sided_quotes_strategy(CLOSE)
    states = np.array([strategy.state], dtype=strategy.state.dtype)
    return run_two_sided_quotes(own, session, venue, RULES, CLOSE, states, events, 0)


def test_the_book_counts_each_gap_and_each_crossing_once(broken):
    wanted = new_book(VENUE.tick_size)
    apply_all(wanted, broken)
    own = new_symbols([VENUE.tick_size], [params_record()])
    assert loop(new_session(VENUE, RULES, len(broken)), own, broken) == len(broken)
    book = own["book"][0]
    assert book["gaps"] == wanted.gaps == (broken["kind"] == GAP).sum() > 3
    assert book["crossings"] == wanted.crossings > 50
    assert book.tobytes() == np.asarray(wanted).tobytes()


@pytest.mark.parametrize("name", ["interrupted", "funded", "liquidated"])
def test_batch_is_the_event_by_event_run_to_the_bit(tape, broken, name):
    events = {"interrupted": broken, "funded": near_funding(240.0), "liquidated": shaken(tape)}[name]
    venue = MARGINED if name == "liquidated" else VENUE
    batch = run_compiled([events], two_sided_quotes_strategy(CLOSE), venue, RULES)
    live = run_events([events], two_sided_quotes_strategy(CLOSE), venue, RULES)
    assert len(batch.fills) > 20
    for part in ("intents", "orders", "fills", "trades", "equity", "markouts_bps"):
        assert getattr(batch, part).tobytes() == getattr(live, part).tobytes(), part
    totals = ("profit", "fees", "funding", "turnover", "dropped", "liquidations", "ticks")
    assert [getattr(batch, total) for total in totals] == [getattr(live, total) for total in totals]


def test_a_liquidation_costs_the_margin_and_the_strategy_goes_on(tape):
    events = shaken(tape)
    result = run_compiled([events], two_sided_quotes_strategy(CLOSE), MARGINED, RULES)
    forced = np.flatnonzero(result.fills["id"] == 0)
    assert result.liquidations == len(forced) > 0
    for row in forced:
        fill, before = result.fills[row], result.fills[row - 1]
        assert fill["side"] * before["position"] < 0.0
        assert fill["quantity"] == pytest.approx(abs(before["position"]))
        assert fill["position"] == 0.0
        assert not fill["maker"]
        # Bankruptcy: a twenty-fifth away from the mean entry, all of the margin.
        lost = fill["realised"] - before["realised"]
        entry = fill["price"] / (1.0 - np.sign(before["position"]) / MARGINED.leverage)
        assert lost == pytest.approx(-abs(before["position"]) * entry / MARGINED.leverage)
        marks = events[(events["kind"] == MARK) & (events["exch_ts"] == fill["exch_ns"])]
        account = np.zeros(1, new_simulator(MARGINED, 0.0).account.dtype)[0]
        account["position"], account["entry_value"] = before["position"], abs(before["position"]) * entry
        limit = liquidation_price(account, MARGINED)
        assert ((marks["price"] - limit) * np.sign(before["position"]) <= 0.0).any()
    assert (result.orders["end_reason"] == FORCED_OUT).any()
    assert (result.orders["end"][result.orders["end_reason"] == FORCED_OUT] == CANCELLED).all()
    assert result.fills["local_ns"].max() > result.fills["local_ns"][forced[0]]
    assert result.profit == pytest.approx(result.equity["equity"][-1] - RULES.capital)


def test_funding_is_paid_on_the_position_at_the_settlement():
    events = near_funding(240.0)
    (at,) = np.flatnonzero(events["kind"] == FUNDING)
    result = run_compiled([events], two_sided_quotes_strategy(CLOSE), VENUE, RULES)
    fills = result.fills
    held = fills["position"][fills["exch_ns"] < events["exch_ts"][at]][-1]
    marks = events["price"][events["kind"] == MARK]
    mark, rate = marks[(events["kind"][:at] == MARK).sum() - 1], events["price"][at]
    assert held != 0.0
    assert rate != 0.0
    assert result.funding == pytest.approx(held * mark * rate)
    gross = fills["position"][-1] * marks[-1] - (fills["side"] * fills["quantity"] * fills["price"]).sum()
    assert result.profit == pytest.approx(gross - result.fees - result.funding, abs=1e-6)


def test_a_full_ring_stops_the_loop_at_the_next_tick(tape):
    session = new_session(SLOW, RULES, len(tape))
    small = session._replace(simulator=new_simulator(SLOW, RULES.capital, orders=MOST_OPEN, reports=2))
    own = new_symbols([SLOW.tick_size], [params_record()])
    account = small.simulator.account[0]
    stopped = loop(small, own, tape, SLOW)
    assert stopped < len(tape)
    assert account["overflowed"] == 1
    # Nothing read, and the report too many came after the last tick: no tick was taken on what it overwrote.
    assert tape["local_ts"][stopped] >= own["market"]["next_tick_ns"][0]
    assert account["reports_read"] == account["reports_sent"] - 2
    assert small.simulator.reports["exch_ns"].max() > own["market"]["tick_at_ns"][0] - 100_000_000


@pytest.mark.parametrize("run", [run_compiled, run_events])
def test_an_overflow_is_an_error_that_says_when(tape, monkeypatch, run):
    def small(venue, parameters, rows):
        session = new_session(venue, parameters, rows)
        ring = new_simulator(venue, parameters.capital, orders=MOST_OPEN, reports=2)
        return session._replace(simulator=ring)

    monkeypatch.setattr(driver, "new_session", small)
    with pytest.raises(DataError, match="overflow before tick"):
        run([tape], two_sided_quotes_strategy(CLOSE), SLOW, RULES)


def test_nothing_is_placed_while_the_book_is_invalid(broken):
    times, features = features_of(broken, VENUE.tick_size, params_record())
    blind = set(times[np.isnan(features[:, 0])].tolist())
    assert 20 < len(blind) < len(times) // 2
    price = float(np.nanmean(features[:, 0]))

    def step(market, _params, state):
        # Far from the market and asked for at every tick, whatever the book; every tenth tick out of everything.
        if market["ticks"] % 10 == 0:
            return nothing(EXIT, 2)
        side = 1 if market["ticks"] % 2 else -1
        return Intent(1, LIMIT, side, price * (1.0 - 0.1 * side), 0.01, 2, 1, 0, 1)

    result = run_events([broken], Strategy((), quotes.new_state(), step), VENUE, RULES)
    asked = result.intents[result.intents["action"] == 1]
    assert not blind & set(result.orders["at_ns"].tolist())
    assert result.dropped >= 2 * sum(at in blind for at in asked["at_ns"].tolist()) > 40
    # Those under way when the book broke were refused at the venue.
    assert (result.orders["end_reason"] == BOOK_INVALID).any()


def test_no_exit_into_an_invalid_book(tape):
    gap = np.zeros(1, EVENT)
    cut = len(tape) // 2
    gap["local_ts"], gap["exch_ts"], gap["kind"] = tape["local_ts"][cut - 1], tape["exch_ts"][cut - 1], GAP
    events = np.concatenate([part.view(np.uint8) for part in (tape[:cut], gap, tape[cut:])]).view(EVENT)
    opened = []

    def step(market, _params, state):
        if state["position"] == 0.0 and state["open_orders"] == 0 and market["valid"]:
            return Intent(1, 2, 1, np.nan, 0.01, 1, 0, 0, 1)
        if not market["valid"]:
            opened.append(float(state["position"]))
            return nothing(EXIT, 2)
        return nothing(0, 0)

    result = run_events([events], Strategy((), quotes.new_state(), step), VENUE, RULES)
    assert len(opened) > 100
    assert all(position > 0.0 for position in opened)
    assert (result.orders["at_ns"] <= gap["local_ts"][0]).all()


def test_a_tape_read_from_a_file_is_the_same_tape(tape, tmp_path):
    np.save(tmp_path / "tape.npy", tape)
    loaded = np.load(tmp_path / "tape.npy")
    wanted = run_compiled([tape], two_sided_quotes_strategy(CLOSE), VENUE, RULES)
    found = run_compiled([loaded], two_sided_quotes_strategy(CLOSE), VENUE, RULES)
    assert found.fills.tobytes() == wanted.fills.tobytes()
    with pytest.raises(DataError, match="expected a tape"):
        run_compiled([np.zeros(3)], two_sided_quotes_strategy(CLOSE), VENUE, RULES)
