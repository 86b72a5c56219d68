"""The loop on a market with planted whales and on one without; its record adds up."""

from __future__ import annotations

import numpy as np
import pytest

from models.errors import ConfigError
from models.simulation.backtest.records import FILL, BacktestParameters, new_session
from models.simulation.backtest.results import trades_of
from models.simulation.backtest.run import (
    forced_flow_exhaustion_strategy,
    impact_reversion_strategy,
    run_compiled,
)
from models.strategies import impact_reversion as s5
from tests.simulation.backtest.markets import VENUE, null, planted


@pytest.fixture(scope="module")
def tape():
    return planted(900.0)


@pytest.fixture(scope="module")
def result(tape):
    return run_compiled([tape], impact_reversion_strategy(), VENUE)


def test_impact_reversion_trades_the_planted_whales(result):
    assert len(result.trades) >= 3
    assert (result.intents["reason"] == s5.ENTRY).sum() >= len(result.trades)


def test_on_the_null_market_it_makes_no_money_after_costs():
    result = run_compiled([null(900.0)], impact_reversion_strategy(), VENUE)
    assert len(result.trades) > 0
    assert result.profit < 0.0


def test_the_record_adds_up(result):
    gross = result.trades["profit"].sum()
    assert result.fills["position"][-1] == 0.0
    assert result.profit == pytest.approx(gross - result.fees - result.funding, abs=1e-6)
    assert result.fees == pytest.approx(result.fills["fee"].sum())
    assert result.trades["fees"].sum() == pytest.approx(result.fees)
    assert result.turnover == pytest.approx((result.fills["price"] * result.fills["quantity"]).sum() / 1e5)
    assert result.orders["filled"].sum() == pytest.approx(result.fills["quantity"].sum())
    assert (result.orders["end"] > 0).all()
    assert result.dropped == 0


def test_every_early_fill_is_marked_out_at_all_horizons(tape, result):
    end = tape["exch_ts"].max()
    early = result.fills[result.fills["exch_ns"] < end - 125_000_000_000]
    assert len(early) > 0
    assert not np.isnan(early["markout_bps"]).any()
    assert np.isfinite(result.markouts_bps).all()


def test_where_the_tape_is_cut_changes_nothing(tape, result):
    cut = run_compiled(np.array_split(tape, 7), impact_reversion_strategy(), VENUE)
    assert cut.fills.tobytes() == result.fills.tobytes()
    assert cut.equity.tobytes() == result.equity.tobytes()


def test_forced_flow_exhaustion_runs_and_is_quiet_without_cascades(tape):
    result = run_compiled([tape], forced_flow_exhaustion_strategy(), VENUE)
    assert result.ticks > 3000
    assert len(result.fills) == 0


def test_a_fill_that_turns_the_position_ends_one_trade_and_begins_another():
    fills = np.zeros(3, FILL)
    fills["side"], fills["quantity"], fills["price"] = (1, -1, 1), (1.0, 3.0, 2.0), (100.0, 110.0, 105.0)
    fills["position"], fills["realised"], fills["fee"] = (1.0, -2.0, 0.0), (0.0, 10.0, 20.0), (1.0, 3.0, 2.0)
    trades = trades_of(fills)
    assert trades["side"].tolist() == [1, -1]
    assert trades["profit"].tolist() == [10.0, 10.0]
    assert trades["exit_price"].tolist() == [110.0, 105.0]
    assert trades["fees"].tolist() == [2.0, 4.0]


def test_no_capital_is_refused():
    assert len(new_session(VENUE, BacktestParameters(), 8).fills) == 8
    with pytest.raises(ConfigError, match="capital"):
        new_session(VENUE, BacktestParameters(capital=0.0), 8)
