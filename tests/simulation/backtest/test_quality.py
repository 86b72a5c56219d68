"""Markouts, capacity, planted truth and activity: by hand, and on a market whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from models.simulation.backtest.activity import below_minimum, held_back, intents_of, orders_of
from models.simulation.backtest.capacity import capacity_row
from models.simulation.backtest.markouts import (
    SOUND,
    SUSPECT,
    TOXIC,
    UNKNOWN,
    markouts_of,
    quoting_verdict,
)
from models.simulation.backtest.records import FILL, MARKOUTS_S, BacktestParameters
from models.simulation.backtest.results import TRADE
from models.simulation.backtest.run import impact_reversion_strategy, run_compiled
from models.simulation.backtest.synthetic_tape import stream_synthetic_tape
from models.simulation.backtest.truth import NOTHING, truth_rows
from models.simulation.order_flow.generator import stream_order_flow
from models.simulation.order_flow.labels import EPISODE, FORCED, INFORMED, WHALE
from models.simulation.order_flow.parameters import OrderFlowParameters
from models.strategies import impact_reversion as s5
from tests.simulation.backtest.markets import PLANTED, VENUE

SECOND = 1_000_000_000


def fills(marks, maker=1, step_ns=10 * SECOND):
    rows = np.zeros(len(marks), FILL)
    rows["markout_bps"] = np.asarray(marks)[:, None]
    rows["maker"], rows["exch_ns"] = maker, step_ns * np.arange(len(marks))
    return rows


@pytest.fixture(scope="module")
def stretches():
    return list(stream_synthetic_tape(PLANTED, 3, 2400.0))


@pytest.fixture(scope="module")
def run(stretches):
    return run_compiled([s.events for s in stretches], impact_reversion_strategy(), VENUE)


def test_the_tape_is_the_generators_bit_for_bit(stretches):
    wanted = list(stream_order_flow(PLANTED, 3, 2400.0))
    assert b"".join(s.events.tobytes() for s in stretches) == b"".join(c.events.tobytes() for c in wanted)
    assert b"".join(s.episodes.tobytes() for s in stretches) == b"".join(c.episodes.tobytes() for c in wanted)


@pytest.mark.parametrize(
    ("mean", "spread", "verdict"), [(-1.0, 0.5, TOXIC), (-0.01, 5.0, SUSPECT), (1.0, 0.5, SOUND)]
)
def test_maker_fills_marked_down_are_toxic(mean, spread, verdict):
    noise = np.random.default_rng(2).normal(0.0, spread, 400)
    marks = markouts_of(fills(mean + noise - noise.mean()))
    assert quoting_verdict(marks["maker"]) == verdict
    assert marks["maker"].means[0].value == pytest.approx(mean)


def test_nothing_is_said_of_quoting_without_maker_fills():
    marks = markouts_of(fills([-3.0] * 60, maker=0))
    assert marks["maker"].means == (None,) * len(MARKOUTS_S)
    assert quoting_verdict(marks["maker"]) == UNKNOWN
    assert marks["taker"].means[0].n == 60


def test_means_of_markouts_are_those_of_the_results(run):
    found = [mean.value for mean in markouts_of(run.fills)["all"].means]
    assert found == pytest.approx(run.markouts_bps.tolist())


def test_a_longer_run_cut_short_gives_the_row_of_the_shorter(stretches, run):
    half = [s.events for s in stream_synthetic_tape(PLANTED, 3, 1200.0)]
    shorter = run_compiled(half, impact_reversion_strategy(), VENUE)
    until = int(half[-1]["local_ts"][-1])
    cut, whole = capacity_row(run, 1.0, 1e5, until), capacity_row(shorter, 1.0, 1e5)
    assert cut.trades == whole.trades > 5
    assert cut.net_usd == pytest.approx(whole.net_usd)
    assert cut.net_bps.value == pytest.approx(whole.net_bps.value)


def test_larger_orders_get_worse_prices(stretches):
    rows = []
    for capital in (1e5, 5e8):
        tape = [s.events for s in stretches]
        results = run_compiled(tape, impact_reversion_strategy(), VENUE, BacktestParameters(capital))
        rows.append(capacity_row(results, capital / 1e5, capital))
    assert rows[1].net_bps.value < rows[0].net_bps.value
    assert rows[1].mean_entry_usd > 100.0 * rows[0].mean_entry_usd


def test_a_trade_counts_for_the_episode_that_began_last_and_is_still_felt():
    market = OrderFlowParameters(whale_reversion_s=1.0, cascade_reversion_s=10.0)
    episodes = np.zeros(3, EPISODE)
    episodes["cause"], episodes["side"] = (FORCED, WHALE, INFORMED), (-1, 1, 1)
    episodes["start_ns"] = np.array([0, 10, 200]) * SECOND
    episodes["end_ns"] = np.array([20, 10, 210]) * SECOND
    trades = np.zeros(5, TRADE)
    # In the cascade against it; against the whale, with it; against the fading cascade; long after everything.
    trades["opened_ns"] = np.array([5, 11, 12, 40, 300]) * SECOND
    trades["side"] = (1, -1, 1, 1, 1)
    trades["closed_ns"] = trades["opened_ns"] + SECOND
    trades["quantity"] = trades["entry_price"] = 1.0
    rows = {row.cause: row for row in truth_rows(trades, episodes, market)}
    assert (rows["cascade"].trades, rows["cascade"].traded_against, rows["cascade"].traded_with) == (2, 1, 0)
    assert (rows["whale"].trades, rows["whale"].traded_against, rows["whale"].traded_with) == (2, 1, 1)
    assert (rows["trend"].episodes, rows["trend"].trades) == (1, 0)
    assert rows[NOTHING].trades == 1


def test_impact_reversion_trades_against_most_planted_whales(stretches, run):
    episodes = np.concatenate([s.episodes for s in stretches])
    rows = {row.cause: row for row in truth_rows(run.trades, episodes, PLANTED)}
    assert rows["whale"].episodes > 50
    assert rows["whale"].traded_against > 0.5 * rows["whale"].episodes
    assert rows["whale"].traded_with < 0.1 * rows["whale"].episodes
    assert sum(row.trades for row in rows.values()) == len(run.trades)


def test_activity_counts_every_intent_and_order(run):
    intents, orders = intents_of(run, s5.REASON_NAMES), orders_of(run)
    assert sum(c.count for c in intents) == len(run.intents)
    assert sum(c.count for c in orders) == len(run.orders)
    assert ("place", "ENTRY") in {(c.what, c.why) for c in intents}
    assert ("filled", "") in {(c.what, c.why) for c in orders}


def test_orders_below_the_least_value_are_counted(run):
    entries = int((run.orders["reduce_only"] == 0).sum())
    assert below_minimum(run, 1.0, VENUE.tick_size) == 0
    assert below_minimum(run, 1e9, VENUE.tick_size) == entries


def test_what_was_said_at_each_tick_is_counted_holding_included():
    tape = [s.events for s in stream_synthetic_tape(PLANTED, 3, 300.0)]
    said = held_back(tape, impact_reversion_strategy(), VENUE, BacktestParameters(), s5.REASON_NAMES)
    results = run_compiled(tape, impact_reversion_strategy(), VENUE)
    assert sum(c.count for c in said) == results.ticks
    assert said[0].what == "hold"
