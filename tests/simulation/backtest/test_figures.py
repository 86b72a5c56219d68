"""Headline figures against sums done by hand, and the overflow that spoils a run."""

from __future__ import annotations

import numpy as np
import pytest

from models.evidence.intervals import block_mean
from models.simulation.backtest.figures import (
    DAY_NS,
    HOUR_NS,
    drawdown_of,
    figures_of,
    net_bps_of,
    period_returns,
    sharpe_of,
)
from models.simulation.backtest.records import EQUITY, BacktestParameters, new_session
from models.simulation.backtest.results import TRADE, Overflow, results_of
from models.simulation.backtest.run import impact_reversion_strategy, run_compiled
from tests.simulation.backtest.markets import VENUE, planted


def equity_of(values, step_ns=HOUR_NS):
    rows = np.zeros(len(values), EQUITY)
    rows["equity"], rows["at_ns"] = values, step_ns * np.arange(len(values))
    return rows


def test_net_is_profit_less_fees_over_the_value_entered():
    trades = np.zeros(1, TRADE)
    trades["profit"], trades["fees"], trades["quantity"], trades["entry_price"] = 3.0, 1.0, 2.0, 100.0
    assert net_bps_of(trades).tolist() == [100.0]


def test_figures_of_a_run_add_up():
    results = run_compiled([planted(1800.0)], impact_reversion_strategy(), VENUE)
    figures = figures_of(results, 100_000.0)
    trades = results.trades
    assert figures.trades == len(trades) > 20
    assert figures.gross_usd - figures.fees_usd - figures.funding_usd == pytest.approx(figures.net_usd)
    assert figures.net_trades_usd.value == pytest.approx((trades["profit"] - trades["fees"]).sum())
    wins = int((trades["profit"] > trades["fees"]).sum())
    assert figures.hit_rate.value == pytest.approx(wins / len(trades))
    held = (trades["closed_ns"] - trades["opened_ns"]).sum()
    span = results.equity["at_ns"][-1] - results.equity["at_ns"][0]
    assert figures.exposure.time_share == pytest.approx(held / span)
    assert 0.0 < figures.exposure.mean < figures.exposure.largest < 0.021


def test_the_interval_of_a_trade_is_that_of_ten_blocks():
    results = run_compiled([planted(3600.0)], impact_reversion_strategy(), VENUE)
    trades = results.trades
    longest = int((trades["closed_ns"] - trades["opened_ns"]).max())
    wanted = block_mean(net_bps_of(trades), trades["opened_ns"], longest)
    found = figures_of(results, 100_000.0).net_bps
    assert wanted is not None
    assert (found.value, found.low, found.high) == (wanted.estimate, wanted.low, wanted.high)


def test_drawdown_is_measured_from_its_peak_to_its_recovery():
    found = drawdown_of(equity_of([100.0, 110.0, 99.0, 105.0, 111.0, 108.0]), 100.0)
    assert (found.usd, found.share) == (11.0, 0.1)
    assert (found.peak_ns, found.trough_ns, found.length_ns) == (HOUR_NS, 2 * HOUR_NS, 3 * HOUR_NS)
    assert found.is_recovered
    assert found.longest_ns == 3 * HOUR_NS


def test_a_drawdown_without_recovery_lasts_to_the_end():
    found = drawdown_of(equity_of([99.0, 98.0, 99.0]), 100.0)
    assert (found.usd, found.is_recovered, found.length_ns) == (2.0, False, 2 * HOUR_NS)
    assert drawdown_of(equity_of([100.0, 101.0]), 100.0) is None


def test_returns_of_periods_are_changes_over_the_capital():
    returns = period_returns(equity_of([100.0, 110.0, 105.0, 105.0]), 100.0, HOUR_NS)
    assert returns.tolist() == pytest.approx([0.1, -0.05, 0.0])


def test_sharpe_uses_days_where_there_are_ten_and_hours_below():
    rng = np.random.default_rng(1)
    hours = equity_of(1000.0 + np.cumsum(rng.normal(0.5, 1.0, 100)))
    days = equity_of(1000.0 + np.cumsum(rng.normal(0.5, 1.0, 31)), DAY_NS)
    short, long = sharpe_of(hours, 1000.0), sharpe_of(days, 1000.0)
    assert (short.period_ns, short.periods) == (HOUR_NS, 99)
    assert (long.period_ns, long.periods) == (DAY_NS, 30)
    returns = period_returns(days, 1000.0, DAY_NS)
    assert long.per_period == pytest.approx(returns.mean() / returns.std(ddof=1))
    assert long.annual == pytest.approx(long.per_period * np.sqrt(365.0))
    chances = [share for _, share in long.probabilities]
    assert chances == sorted(chances, reverse=True)
    assert sharpe_of(equity_of([100.0] * 30), 100.0) is None


def test_a_run_in_which_more_was_under_way_than_fits_is_refused():
    session = new_session(VENUE, BacktestParameters(), 8)
    session.simulator.account["overflowed"] = 1
    with pytest.raises(Overflow, match="overflow"):
        results_of(session, 100.0, 0)
