"""Same tape, same orders: the fills of hftbacktest's queue models, to the lot and the nanosecond."""

from __future__ import annotations

import numpy as np
import pytest

from models.market.book import new_book
from models.simulation.fills import parameters as fp
from models.simulation.fills.records import new_simulator
from models.simulation.order_flow.generator import generate_order_flow
from models.simulation.order_flow.parameters import OrderFlowParameters
from tests.simulation.fills.scripted_orders import (
    CANCEL_ACTION,
    FILL_ROW,
    SUBMIT_ACTION,
    play_script,
    write_script,
)

pytest.importorskip("hftbacktest", reason="hftbacktest is not installed: its fills cannot be compared")
pytestmark = pytest.mark.filterwarnings("ignore")

# A thin, quiet and busy book: most fills are decided by the queue.
THIN = OrderFlowParameters(
    regime_touch_depth=(0.3, 0.2, 0.1),
    regime_volatility_bps=(0.02, 0.05, 0.2),
    regime_spread_ticks=(1.0, 1.0, 2.0),
    background_rate=4.0,
    flow_impact_bps=0.001,
    refreshed_levels=8,
)
QUEUE_MODELS = (fp.RISK_ADVERSE, fp.POWER, fp.POWER_2, fp.POWER_3, fp.LOG, fp.LOG_2)


@pytest.fixture(scope="module")
def tape():
    return generate_order_flow(THIN, seed=3, duration_s=240.0).events


@pytest.fixture(scope="module")
def script(tape):
    return write_script(tape, THIN.tick_size, seed=7, every_s=0.3)


def venue(model, partial):
    p = fp.FillParameters(tick_size=0.5, lot_size=0.001, queue_model=model, partial_fills=partial)
    return fp.constant_latency(p, 80.0, 60.0)


def ours(tape, script, p):
    simulator = new_simulator(p, wallet=0.0)
    fills = np.zeros(8 * len(script), FILL_ROW)
    n = play_script(simulator, p, new_book(p.tick_size), tape, script, fills)
    assert simulator.account[0]["overflowed"] == 0
    return fills[:n], simulator.account[0]


def by_order_and_time(fills):
    """Quantity, last price and liquidity of what one order got at one instant: hftbacktest reports no finer."""
    merged = {}
    for row in fills:
        key = int(row["id"]), int(row["exch_ns"])
        before = merged.get(key, (0.0, 0, 0))[0]
        merged[key] = round(before + float(row["quantity"]), 9), int(row["tick"]), int(row["maker"])
    return merged


@pytest.mark.parametrize("partial", [0, 1])
@pytest.mark.parametrize("model", QUEUE_MODELS)
def test_fills_are_those_of_hftbacktest(tape, script, model, partial):
    from tests.simulation.fills.hftbacktest_run import run_hftbacktest

    p = venue(model, partial)
    if partial:
        # Off the lot, so that no print fills an order exactly: there hftbacktest 2.4.4 stops (below).
        script = script.copy()
        script["quantity"] += 0.0006
    mine, _ = ours(tape, script, p)
    theirs, code, _ = run_hftbacktest(tape, script, p, 80_000_000, 60_000_000)
    assert code in (0, 1)
    assert len(mine) > 100
    assert 0.2 < np.mean(mine["maker"]) < 1.0
    assert by_order_and_time(mine) == by_order_and_time(theirs)


def test_the_queue_models_differ_on_this_tape(tape, script):
    outcomes = {str(by_order_and_time(ours(tape, script, venue(model, 1))[0])) for model in QUEUE_MODELS}
    assert len(outcomes) >= 4


def test_position_balance_and_fees_agree(tape, script):
    from tests.simulation.fills.hftbacktest_run import run_hftbacktest

    # Without cancels and partial fills, which hftbacktest's local account counts wrongly (docs/fill_model.md).
    submitted = script[(script["action"] == SUBMIT_ACTION) & (script["time_in_force"] == 1)]
    p = venue(fp.RISK_ADVERSE, 0)
    _, account = ours(tape, submitted, p)
    _, _, (position, balance, fee) = run_hftbacktest(tape, submitted, p, 80_000_000, 60_000_000)
    assert account["position"] == pytest.approx(position, abs=1e-9)
    assert account["fees"] == pytest.approx(fee, rel=1e-9)
    entered = np.sign(account["position"]) * account["entry_value"]
    assert account["realised"] - entered == pytest.approx(balance, rel=1e-9, abs=1e-6)
    assert account["wallet"] == pytest.approx(account["realised"] - account["fees"], rel=1e-12)


def test_hftbacktest_counts_a_fill_again_when_the_filled_order_is_cancelled(tape, script):
    from tests.simulation.fills.hftbacktest_run import run_hftbacktest

    p = venue(fp.RISK_ADVERSE, 0)
    _, account = ours(tape, script, p)
    theirs, _, (position, _, _) = run_hftbacktest(tape, script, p, 80_000_000, 60_000_000)
    sides = {int(row["id"]): int(row["side"]) for row in script if row["action"] == SUBMIT_ACTION}
    cancels = {int(row["id"]): int(row["local_ns"]) for row in script if row["action"] == CANCEL_ACTION}
    once = again = 0.0
    for (order, at), (quantity, _, _) in by_order_and_time(theirs).items():
        once += sides[order] * quantity
        if at + 60_000_000 <= cancels.get(order, 0):
            again += sides[order] * quantity
    assert account["position"] == pytest.approx(once, abs=1e-9)
    assert abs(again) > 0.01
    assert position == pytest.approx(once + again, abs=1e-9)


def test_hftbacktest_stops_after_a_print_that_fills_an_order_exactly(tape, script):
    from tests.simulation.fills.hftbacktest_run import run_hftbacktest

    p = venue(fp.RISK_ADVERSE, 1)
    mine = by_order_and_time(ours(tape, script, p)[0])
    fills, code, _ = run_hftbacktest(tape, script, p, 80_000_000, 60_000_000)
    theirs = by_order_and_time(fills)
    assert code == 14  # InvalidOrderStatus: the filled order is still in its book when the next print comes
    stopped = max(at for _, at in theirs)
    assert theirs == {key: fill for key, fill in mine.items() if key[1] <= stopped}
    assert len(mine) > len(theirs)


@pytest.mark.parametrize("partial", [0, 1])
def test_every_disagreement_is_an_order_that_took_more_than_the_touch_offered(partial):
    from tests.simulation.fills.hftbacktest_run import run_hftbacktest

    tape = generate_order_flow(THIN, seed=4, duration_s=400.0).events
    script = write_script(tape, THIN.tick_size, seed=54, every_s=0.3)
    if partial:
        script["quantity"] += 0.0006
    p = venue(fp.RISK_ADVERSE, partial)
    fills, _ = ours(tape, script, p)
    theirs, _, _ = run_hftbacktest(tape, script, p, 80_000_000, 60_000_000)
    mine, other = by_order_and_time(fills), by_order_and_time(theirs)
    differing = {key[0] for key in set(mine) | set(other) if mine.get(key) != other.get(key)}
    assert 0 < len(differing) < 0.02 * len(mine)
    for order in differing:
        own = fills[fills["id"] == order]
        asked = script["quantity"][(script["id"] == order) & (script["action"] == SUBMIT_ACTION)][0]
        assert own["maker"][0] == 0
        assert own["quantity"][0] < asked - 1e-9
