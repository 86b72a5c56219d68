"""S5 and S6 where their effect is planted, where it is too small to pay for, and where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from models.simulation.backtest.run import (
    forced_flow_exhaustion_strategy,
    impact_reversion_strategy,
    run_compiled,
)
from models.simulation.fills.parameters import FillParameters
from models.simulation.order_flow.generator import stream_order_flow
from models.simulation.order_flow.scenarios import SCENARIOS


def trades_of(strategy, name, seed, hours):
    p = SCENARIOS[name]()
    tape = (chunk.events for chunk in stream_order_flow(p, seed, hours * 3600.0))
    return run_compiled(tape, strategy(), FillParameters(p.tick_size, p.lot_size)).trades


def bps(trades):
    """Gross and net profit of each trade over its value."""
    value = trades["entry_price"] * trades["quantity"]
    return 1e4 * trades["profit"] / value, 1e4 * (trades["profit"] - trades["fees"]) / value


def mean_and_error(x):
    return float(x.mean()), float(x.std(ddof=1) / np.sqrt(len(x)))


@pytest.mark.parametrize("seed", [321, 322])
def test_impact_reversion_lives_from_strong_whales(seed):
    _, net = bps(trades_of(impact_reversion_strategy, "strong_whales", seed, 3.0))
    assert len(net) > 50
    mean, error = mean_and_error(net)
    assert mean > 4.0 * error


@pytest.mark.parametrize("seed", [321, 322])
def test_ordinary_whales_revert_but_do_not_pay_the_fees(seed):
    gross, net = bps(trades_of(impact_reversion_strategy, "whales", seed, 3.0))
    mean, error = mean_and_error(gross)
    assert mean > 4.0 * error
    assert net.mean() < 0.0


@pytest.mark.parametrize("seed", [321, 322])
def test_impact_that_stays_has_nothing_to_give(seed):
    gross, net = bps(trades_of(impact_reversion_strategy, "permanent_whales", seed, 3.0))
    mean, error = mean_and_error(gross)
    assert mean < 3.0 * error
    assert net.mean() < 0.0


def test_forced_flow_exhaustion_fades_cascades():
    pooled = [bps(trades_of(forced_flow_exhaustion_strategy, "violent_cascades", s, 8.0)) for s in (331, 332)]
    net = np.concatenate([net for _, net in pooled])
    mean, error = mean_and_error(net)
    assert len(net) > 10
    assert mean > 2.0 * error


def test_forced_flow_that_does_not_revert_has_nothing_to_give():
    pooled = [
        bps(trades_of(forced_flow_exhaustion_strategy, "permanent_cascades", s, 6.0)) for s in (331, 332)
    ]
    gross, net = (np.concatenate(x) for x in zip(*pooled, strict=True))
    assert len(gross) > 10
    assert gross.mean() < 0.0
    assert net.mean() < 0.0


@pytest.mark.parametrize("name", ["informed", "null", "calm", "whales"])
def test_without_forced_flow_it_does_not_trade(name):
    assert len(trades_of(forced_flow_exhaustion_strategy, name, 331, 3.0)) == 0


@pytest.mark.parametrize("name", ["null", "calm"])
def test_without_whales_impact_reversion_hardly_trades_and_earns_nothing(name):
    trades = trades_of(impact_reversion_strategy, name, 331, 4.0)
    assert len(trades) < 5
    assert (trades["profit"] - trades["fees"]).sum() <= 0.0
