"""The bank's steps without its thread: what is told, in which order, and what comes of an outlook."""

from __future__ import annotations

import numpy as np
import pytest

from hean_live.shadow.bank import SymbolBank
from hean_live.shadow.service import ShadowService
from hean_live.shadow.tap import EventTap
from models.market.tape import EVENT
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
