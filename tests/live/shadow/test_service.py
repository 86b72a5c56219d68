"""The bank's steps without its thread: what is told, in which order, and what comes of an outlook."""

from __future__ import annotations

import numpy as np
import pytest

from hean_live.shadow.bank import SymbolBank
from hean_live.shadow.service import ShadowService
from hean_live.shadow.tap import EventTap
from models.market.outlook import new_outlooks
from models.market.tape import EVENT, GAP
from models.simulation.backtest.synthetic_tape import stream_synthetic_tape
from models.simulation.order_flow.scenarios import everything
from tests.live.shadow.test_bank import CAPITAL, CONTRACT, NAMES


@pytest.fixture(scope="module")
def tape():
    stretches = stream_synthetic_tape(everything(), 5, 2400.0)
    return np.concatenate([stretch.events.view(np.uint8) for stretch in stretches]).view(EVENT)


def test_a_signal_is_told_with_its_strategy_among_those_that_hold(tape):
    """Else the engine would leave a position it has just begun."""
    tap = EventTap(["ETHUSDT", "BTCUSDT"])
    service = ShadowService(
        {"BTCUSDT": CONTRACT}, tap, CAPITAL, NAMES, clock_ns=lambda: int(tape["local_ts"][-1])
    )
    banks = [SymbolBank("BTCUSDT", CONTRACT, CAPITAL, NAMES)]
    assert (service.news().running, service.news().signals) == (False, ())
    service.problem = ""
    signals = trips = 0
    for start in range(0, len(tape), 200):
        tap.put(1, tape[start : start + 200])
        service.step(banks)
        news = service.news()
        assert news.running
        for signal in news.signals:
            assert (signal.strategy, signal.symbol) in news.holding
            assert np.isnan(signal.confidence)
        signals += len(news.signals)
        trips += len(news.trips)
    assert signals >= trips > 5
    assert service.news().lagging_s == 0.0
    assert service.news().signals == service.news().trips == ()


MINUTE_NS = 60_000_000_000


def outlook_at(at_ns):
    """An outlook in which nothing but funding is known."""
    told = new_outlooks(1)
    told["at_ns"], told["settlement_ns"] = at_ns, at_ns + 60 * MINUTE_NS
    told["interval_h"], told["indicative_rate"], told["own_rate_per_h"] = 8.0, 0.008, 0.001
    return told


def with_spot(told, mid):
    told["spot_bid"], told["spot_ask"], told["spot_at_ns"] = 0.99 * mid, 0.9901 * mid, told["at_ns"]


def with_terms(told, mid):
    told["pair_alpha"], told["pair_beta"], told["pair_sigma"] = -0.03, 1.0, 0.01
    told["pair_half_life_s"], told["pair_pvalue"] = 3600.0, 0.01


def with_venue(told, mid):
    told["other_bid"], told["other_ask"], told["other_at_ns"] = 0.9999 * mid, 1.0001 * mid, told["at_ns"]
    told["other_rate_per_h"], told["other_interval_h"] = -0.0005, 8.0
    told["other_settlement_ns"] = told["settlement_ns"]


@pytest.mark.parametrize(
    ("name", "know"),
    [("basis_arbitrage", with_spot), ("correlation_arb", with_terms), ("cross_exchange_funding", with_venue)],
)
def test_a_strategy_on_two_markets_begins_once_the_other_is_known(tape, name, know):
    """The partner of the pair is a bank on the same tape: its touch is the own one, and the spread is minus alpha."""
    knows = [False]
    mid = [0.0]
    now = [0]

    def outlooks(_symbol):
        told = outlook_at(now[0])
        if knows[0]:
            know(told, mid[0])
        return told

    tap = EventTap(["BTCUSDT", "ETHUSDT"])
    symbols = {"BTCUSDT": CONTRACT, "ETHUSDT": CONTRACT}
    service = ShadowService(symbols, tap, CAPITAL, (name,), outlooks, partner={"BTCUSDT": "ETHUSDT"}.get)
    banks = [SymbolBank(symbol, CONTRACT, CAPITAL, (name,)) for symbol in symbols]
    signals = []
    for start in range(0, 20_000, 200):
        stretch = tape[start : start + 200]
        tap.put(0, stretch)
        tap.put(1, stretch)
        bid, ask, _ = banks[1].touch()
        now[0], mid[0] = banks[1].newest_ns, 0.5 * (bid + ask)
        knows[0] = start >= 10_000 and mid[0] > 0.0
        service.step(banks)
        told = banks[0]._run._outlooks[-1]
        assert np.array_equal([told["pair_bid"], told["pair_ask"]], [bid, ask], equal_nan=True)
        assert told["at_ns"] >= told["pair_at_ns"]
        assert np.isnan(banks[1]._run._outlooks[-1]["pair_bid"])
        begun = [signal for signal in service.news().signals if signal.symbol == "BTCUSDT"]
        assert not begun or start >= 10_000
        signals += begun
    assert [(signal.strategy, signal.side) for signal in signals[:1]] == [(name, -1)]
    # Where the partner can be traded live, a signal says which it is and how much of it is held.
    paired = ("ETHUSDT", pytest.approx(1.0, rel=0.05)) if name == "correlation_arb" else ("", 0.0)
    assert (signals[0].partner, signals[0].ratio) == paired
    assert banks[0].holding() == [name]


def test_a_touch_is_the_books_and_unknown_while_the_book_is_not_whole(tape):
    bank = SymbolBank("BTCUSDT", CONTRACT, CAPITAL, NAMES)
    assert np.isnan(bank.touch()[0])
    bank.take(tape[:5000])
    bid, ask, at_ns = bank.touch()
    market = bank._run.symbols["market"][0]
    assert 0.5 * (bid + ask) == pytest.approx(market["mid"], rel=1e-3)
    assert 0.0 < ask - bid < 100.0
    assert 0 < at_ns <= bank.newest_ns
    gap = tape[4999:5000].copy()
    gap["kind"] = GAP
    gap["local_ts"] += 1_000_000_000
    bank.take(gap)
    bank.take(tape[5000:5001])
    assert np.isnan(bank.touch()[0])
    assert bank.touch()[2] == 0
