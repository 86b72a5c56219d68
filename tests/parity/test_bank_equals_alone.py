"""A bank of one on the slow market against the same strategy event by event, as a live process runs it: to the bit.

Outlooks come to the bank stretch by stretch and to the other as one table: what was known at a tick must be the same.
"""

from __future__ import annotations

import numpy as np
import pytest

from models.simulation.backtest.run import run_events
from models.simulation.bank.alone import strategy_alone
from models.simulation.bank.run import run_strategies
from models.simulation.fills.parameters import FillParameters
from models.simulation.slow_market.generator import outlooks_of, stream_slow_market
from models.simulation.slow_market.kernel import ROOM
from models.simulation.slow_market.scenarios import SCENARIOS
from models.simulation.slow_market.symbols import SYMBOLS
from models.strategies.catalogue import CATALOGUE

SYMBOL = "XRPUSDT"
HOUR = 1.0 / 24.0
PRESET = SYMBOLS[SYMBOL]
VENUE = FillParameters(PRESET.tick_size, PRESET.lot_size, seed=4)


# A taker that needs no outlook, resting orders that follow the touch, and entries by the hour's extremes.
@pytest.mark.parametrize("name", ["impact_reversion", "rebate_farmer", "liquidity_sweep"])
def test_a_bank_of_one_does_what_the_strategy_does_alone(name):
    entry, market = CATALOGUE[name], SCENARIOS["whales"]()
    stretches = list(stream_slow_market(market, SYMBOL, 4, HOUR, chunk_events=2 * ROOM))
    assert sum(len(stretch.outlooks) > 0 for stretch in stretches) > 1
    banked = run_strategies(stretches, [name], VENUE)[name].results
    strategy = strategy_alone(entry, entry.params(), outlooks_of(market, SYMBOL, 4, HOUR))
    alone = run_events((stretch.events for stretch in stretches), strategy, VENUE)
    assert len(alone.fills) > 0
    for field in ("intents", "orders", "fills", "equity"):
        one, other = getattr(alone, field), getattr(banked, field)
        assert np.array_equal(one.view(np.uint8), other.view(np.uint8)), field
    assert (alone.events, alone.ticks, alone.profit) == (banked.events, banked.ticks, banked.profit)
