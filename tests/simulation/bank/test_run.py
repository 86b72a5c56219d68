"""A bank against the loops of single strategies, and against itself with the tape cut elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

from models.errors import ConfigError, DataError
from models.market.outlook import new_outlooks
from models.simulation.backtest.run import (
    forced_flow_exhaustion_strategy,
    impact_reversion_strategy,
    run_compiled,
)
from models.simulation.backtest.synthetic_tape import stream_synthetic_tape
from models.simulation.bank.records import unknown_outlooks
from models.simulation.bank.run import BankRun, run_strategies
from models.simulation.fills.parameters import FillParameters
from models.simulation.order_flow.scenarios import everything

VENUE = FillParameters(tick_size=0.5, lot_size=0.001)
BOTH = ("impact_reversion", "forced_flow_exhaustion")


@pytest.fixture(scope="module")
def tape():
    return np.concatenate(
        [stretch.events for stretch in stream_synthetic_tape(everything(), 3, 3600.0)]
    ).view(np.ndarray)


def same(one, other):
    return np.array_equal(one.view(np.uint8), other.view(np.uint8))


def test_each_strategy_of_a_bank_does_what_it_does_alone(tape):
    records = run_strategies([(tape, unknown_outlooks())], BOTH, VENUE)
    for name, make in zip(BOTH, (impact_reversion_strategy, forced_flow_exhaustion_strategy), strict=True):
        alone, banked = run_compiled([tape], make(), VENUE), records[name].results
        assert len(alone.intents) > 0
        for field in ("intents", "orders", "fills", "trades", "equity"):
            assert same(getattr(alone, field), getattr(banked, field)), (name, field)
        assert (alone.ticks, alone.profit) == (banked.ticks, banked.profit)


def test_round_trips_add_up_to_the_profit(tape):
    record = run_strategies([(tape, unknown_outlooks())], BOTH, VENUE)["impact_reversion"]
    assert len(record.trips) > 10
    assert not record.unfinished
    assert record.trips["profit"].sum() == pytest.approx(record.results.profit, abs=1e-6)
    assert record.trips["fees"].sum() == pytest.approx(record.results.fees, abs=1e-6)
    trades = record.results.trades
    assert len(trades) == len(record.trips)
    np.testing.assert_allclose(record.trips["profit"], trades["profit"] - trades["fees"], atol=1e-6)
    assert np.array_equal(record.trips["side"], trades["side"])


def test_where_the_tape_is_cut_changes_nothing(tape):
    whole = run_strategies([(tape, unknown_outlooks())], BOTH, VENUE)
    parts = [tape[:777], tape[777:200_001], tape[200_001:]]
    run = BankRun(BOTH, VENUE, spare=64)
    for part in parts:
        run.take(part)
    for name, record in run.finish().items():
        assert same(whole[name].results.fills, record.results.fills), name
        assert same(whole[name].trips, record.trips), name


def test_what_cannot_be_run_is_refused(tape):
    with pytest.raises(ConfigError, match="among funding_pressure, funding_harvester"):
        BankRun(["magic"], VENUE)
    with pytest.raises(ConfigError, match="at least one"):
        BankRun([], VENUE)
    run = BankRun(BOTH, VENUE)
    with pytest.raises(DataError, match="expected a tape"):
        run.take(np.zeros(3))
    with pytest.raises(DataError, match="at least one row"):
        run.tell(new_outlooks(0))


def outlooks_at(*times_ns):
    rows = new_outlooks(len(times_ns))
    rows["at_ns"], rows["fear_greed"] = times_ns, range(1, len(times_ns) + 1)
    return rows


def test_outlooks_go_on_between_stretches(tape):
    """What held before a stretch holds until the first new row's time, wherever the bank was in the old table."""
    ns = tape["local_ts"]
    first, second, third = int(ns[0]), int(ns[30_000]), int(ns[60_000])
    run = BankRun(BOTH, VENUE)
    run.tell(outlooks_at(first, second))
    run.take(tape[:20_000])
    assert held_by(run)["fear_greed"] == 1.0
    # The second row was never reached: told again, it is not lost, and the first one holds until then.
    run.tell(outlooks_at(second, third))
    assert held_by(run)["fear_greed"] == 1.0
    run.take(tape[20_000:25_000])
    assert held_by(run)["at_ns"] == first
    run.take(tape[25_000:40_000])
    assert held_by(run)["at_ns"] == second
    run.tell(outlooks_at(third + 1))
    assert held_by(run)["at_ns"] == second
    run.take(tape[40_000:])
    assert held_by(run)["at_ns"] == third + 1


def held_by(run):
    return run._outlooks[int(run.bank.shared.outlook_row[0])]


def test_before_anything_was_told_nothing_is_known(tape):
    run = BankRun(BOTH, VENUE)
    run.tell(outlooks_at(int(tape["local_ts"][5_000])))
    run.take(tape[:100])
    assert np.isnan(held_by(run)["fear_greed"])
