"""The same tape through the compiled loop and through one call per event: features, intents and fills equal to the bit."""

from __future__ import annotations

import numpy as np
import pytest

from models.market.feature_params import params_record
from models.market.step import features_of
from models.simulation.backtest.run import impact_reversion_strategy, run_compiled, run_events
from models.strategies import impact_reversion as s5
from tests.simulation.backtest.markets import VENUE, planted


@pytest.fixture(scope="module")
def tape():
    return planted(400.0)


@pytest.fixture(scope="module")
def live(tape):
    rows, times = [], []

    def keep(at_ns, vector):
        times.append(at_ns)
        rows.append(vector.copy())

    result = run_events([tape], impact_reversion_strategy(), VENUE, on_features=keep)
    return result, np.array(times), np.array(rows)


def test_features_are_the_same_bits(tape, live):
    times, features = features_of(tape, VENUE.tick_size, params_record())
    assert live[1].tobytes() == times.tobytes()
    assert live[2].tobytes() == features.tobytes()


def test_intents_orders_fills_and_equity_are_the_same_bits(tape, live):
    batch = run_compiled([tape], impact_reversion_strategy(), VENUE)
    assert len(batch.fills) > 0
    for name in ("intents", "orders", "fills", "trades", "equity", "markouts_bps"):
        assert getattr(batch, name).tobytes() == getattr(live[0], name).tobytes(), name


def test_a_plain_python_step_gives_the_same(tape, live):
    strategy = impact_reversion_strategy()

    def plain(market, params, state):
        return s5.step.py_func(market, params, state)

    part = tape[: len(tape) // 3]
    python = run_events([part], strategy._replace(step=plain, loop=None), VENUE)
    assert python.intents.tobytes() == run_compiled([part], strategy, VENUE).intents.tobytes()
    assert python.ticks > 0
