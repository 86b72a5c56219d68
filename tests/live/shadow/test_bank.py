"""The live bank against the batch run over the same events, however they arrive."""

from __future__ import annotations

import numpy as np
import pytest

from hean_live.shadow.bank import SPARE_ROWS, SymbolBank, venue_of
from hean_live.shadow.contracts import ShadowContract
from hean_live.shadow.tap import MOST_WAITING, EventTap
from models.market.tape import EVENT, GAP
from models.regimes.kernel import REGIME_NAMES
from models.simulation.backtest.records import BacktestParameters
from models.simulation.backtest.synthetic_tape import stream_synthetic_tape
from models.simulation.bank.records import BankParameters, unknown_outlooks
from models.simulation.bank.run import run_strategies
from models.simulation.bank.steps import NAMES as BANK_NAMES
from models.simulation.order_flow.scenarios import everything
from models.strategies.forced_flow_exhaustion import ENTRY

CONTRACT = ShadowContract(0.5, 0.001, 0.0002, 0.00055)
NAMES = ("impact_reversion", "inventory_neutral_mm", "rebate_farmer")
CAPITAL = 10_000.0


@pytest.fixture(scope="module")
def tape():
    stretches = stream_synthetic_tape(everything(), 5, 2400.0)
    return np.concatenate([stretch.events.view(np.uint8) for stretch in stretches]).view(EVENT)


@pytest.fixture(scope="module")
def batch(tape):
    parameters = BankParameters(BacktestParameters(CAPITAL, 3_600_000_000_000))
    return run_strategies([(tape, unknown_outlooks())], NAMES, venue_of(CONTRACT), parameters)


def live(tape, size):
    bank = SymbolBank("BTCUSDT", CONTRACT, CAPITAL, NAMES)
    signals, trips = [], []
    for start in range(0, len(tape), size):
        begun, ended = bank.take(tape[start : start + size])
        signals += begun
        trips += ended
    return bank, signals, trips


@pytest.mark.parametrize("size", [997, 20_011])
def test_live_shadows_make_the_round_trips_of_the_backtest(tape, batch, size):
    _, _, trips = live(tape, size)
    for name in NAMES:
        rows = batch[name].trips
        ours = [trip for trip in trips if trip.strategy == name]
        assert len(ours) == len(rows), name
        for trip, row in zip(ours, rows, strict=True):
            assert (trip.entry_ns, trip.exit_ns, trip.side) == (row["entry_ns"], row["exit_ns"], row["side"])
            assert trip.profit_usd == pytest.approx(row["profit"], abs=1e-9)
            assert trip.regime in ("", *REGIME_NAMES.values())
    assert sum(trip.strategy == "impact_reversion" for trip in trips) > 5


def test_a_signal_comes_with_what_gates_ask_and_before_its_trip(tape):
    _, signals, trips = live(tape, 20)
    whales = [signal for signal in signals if signal.strategy == "impact_reversion"]
    taken = [trip for trip in trips if trip.strategy == "impact_reversion"]
    assert len(whales) >= len(taken) > 5
    assert {trip.signal_ns for trip in taken} <= {signal.at_ns for signal in whales}
    for signal in whales:
        assert signal.is_taker
        assert signal.reason == "ENTRY"
        assert signal.share == pytest.approx(0.02)
        assert signal.side in (-1, 1)
        assert {"mid", "spread_bps"} <= set(signal.features)
    assert {trip.reason for trip in taken} == {"ENTRY"}
    # Makers of markets renew quotes all day: only what fills is a signal.
    makers = [signal for signal in signals if signal.strategy != "impact_reversion"]
    assert len(makers) < 200


def test_a_bank_that_runs_for_long_does_not_grow(tape):
    bank, _, _ = live(tape, 997)
    sizes = {len(session.orders) for session in bank._run.bank.sessions}
    assert max(sizes) < 8 * SPARE_ROWS
    assert bank._run.bank.shared.trips.shape[1] < 8 * SPARE_ROWS


def test_a_tap_gives_back_what_was_put_and_says_what_was_lost(tape):
    tap = EventTap(["A", "B"])
    assert tap.drain(0) is None
    for start in range(0, 1000, 10):
        tap.put(1, tape[start : start + 10])
    assert tap.drain(0) is None
    assert np.array_equal(tap.drain(1).view(np.uint8), tape[:1000].view(np.uint8))
    for _ in range(MOST_WAITING + 1):
        tap.put(0, tape[:1])
    assert tap.lost == MOST_WAITING
    left = tap.drain(0)
    assert (left["kind"][0], len(left)) == (GAP, 2)


def test_what_a_strategy_measured_goes_with_its_signal():
    """S6's volatility is no feature of the market: without it nobody could hold its edge against costs."""
    bank = SymbolBank("BTCUSDT", CONTRACT, CAPITAL, ("forced_flow_exhaustion",))
    bank._run.bank.states["forced_flow_exhaustion"]["entry_sigma"] = 0.002
    bank._run.symbols["market"]["retail_imbalance"] = 0.25
    place = BANK_NAMES.index("forced_flow_exhaustion")
    signal = bank._signal(place, -1, 5, 0.01, False, ENTRY)
    assert signal.features == {"sigma": 0.002, "retail_imbalance": 0.25}
    assert signal.edge_bps == pytest.approx(2.5 * 20.0)  # its stop at 2.5 standard deviations of 20 bps


def test_quotes_are_told_as_distances_from_the_mid_and_ask_only_while_flat(tape):
    makers = ("inventory_neutral_mm", "rebate_farmer")
    bank = SymbolBank("BTCUSDT", CONTRACT, CAPITAL, NAMES)
    told = []
    for start in range(0, len(tape), 500):
        bank.take(tape[start : start + 500])
        told += bank.quotes(makers)
    assert bank.quotes(()) == []
    assert {row.strategy for row in told} == set(makers)
    bounds_bps = {"inventory_neutral_mm": (-5.0, 40.0), "rebate_farmer": (10.0, 90.0)}
    for row in told:
        low, high = bounds_bps[row.strategy]
        for quote in row.resting:
            # A bid is below the mid, an ask above it; how far, the rules say, give or take what moves a quote.
            assert low < -quote.side * 1e4 * (quote.price_ratio - 1.0) < high
            assert quote.quantity > 0.0
            assert quote.reduce_only == (row.position_side != 0)
        if row.signal is not None:
            assert row.position_side == 0
            assert {quote.side for quote in row.resting} == {-1, 1}
            assert row.signal.to_quote
            assert (row.signal.side, row.signal.is_taker, row.signal.at_ns) == (0, False, row.at_ns)
            assert row.signal.reason in {"BID", "ASK"}
    flat = [row for row in told if row.signal is not None]
    held = [row for row in told if row.position_side and row.resting]
    assert len(flat) > 100
    assert len(held) > 10
    assert {quote.side for row in held for quote in row.resting if row.position_side > 0} == {-1}


def test_an_order_below_a_lot_is_no_signal(tape):
    coarse = ShadowContract(0.5, 1.0, 0.0002, 0.00055)  # a lot is worth more than the whole capital
    bank = SymbolBank("BTCUSDT", coarse, CAPITAL, ("impact_reversion",))
    signals = [s for start in range(0, len(tape), 500) for s in bank.take(tape[start : start + 500])[0]]
    assert signals == []
    assert int(bank._run.bank.shared.counts["dropped"].sum()) > 0
