"""Events that do not concern our orders pass without a look at them: the same as looking at all of them."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from models.market.book import new_book
from models.market.tape import BBO, DEPTH, SNAPSHOT, TRADE
from models.simulation.fills import parameters as fp
from models.simulation.fills.records import new_simulator
from models.simulation.fills.requests import send_cancel, send_order
from models.simulation.fills.step import admit, advance, due, finish, react
from models.simulation.order_flow.generator import generate_order_flow
from models.simulation.order_flow.parameters import OrderFlowParameters
from tests.simulation.fills.scripted_orders import CANCEL_ACTION, write_script

THIN = OrderFlowParameters(
    regime_touch_depth=(0.3, 0.2, 0.1),
    regime_volatility_bps=(0.02, 0.05, 0.2),
    regime_spread_ticks=(1.0, 1.0, 2.0),
    background_rate=4.0,
    flow_impact_bps=0.001,
    refreshed_levels=8,
)


@njit
def play(sim, p, book, events, script, always):
    """Play a script by the parts of a step; `always` lets every print and level be looked at closely."""
    k = 0
    looked = 0
    a = sim.account[0]
    for i in range(events.shape[0]):
        event = events[i]
        while k < script.shape[0] and script[k].local_ns < event.local_ts:
            row = script[k]
            if row.action == CANCEL_ACTION:
                send_cancel(sim, p, row.local_ns, row.id)
            else:
                send_order(
                    sim, p, row.local_ns, row.id, row.side, row.tick, row.quantity, row.time_in_force, 0
                )
            k += 1
        if due(a, event):
            admit(sim, p, book, event)
        concerns = advance(a, book, event, p.leverage)
        if concerns or (always and event.kind in (TRADE, DEPTH, SNAPSHOT, BBO)):
            looked += 1
            react(sim, p, book, event)
        a.reports_read = max(a.reports_read, a.reports_sent - 1000)
    finish(sim, p, book)
    return looked


def with_best_levels(events):
    """The same market told by best levels too: the last level of each side in a message is also its touch."""
    out = events.copy()
    levels = np.flatnonzero(out["kind"] == DEPTH)
    touches = levels[(out["size"][levels] > 0.0) & (np.arange(len(levels)) % 7 == 0)]
    out["kind"][touches] = BBO
    return out


@pytest.mark.parametrize("model", [fp.RISK_ADVERSE, fp.POWER, fp.LOG_2])
@pytest.mark.parametrize("kind", ["levels", "best levels"])
def test_what_passes_unseen_would_have_changed_nothing(model, kind):
    tape = generate_order_flow(THIN, seed=5, duration_s=120.0).events
    script = write_script(tape, THIN.tick_size, seed=9, every_s=0.3)
    events = tape if kind == "levels" else with_best_levels(tape)
    p = fp.constant_latency(fp.FillParameters(0.5, 0.001, queue_model=model), 80.0, 60.0)
    ends, looked = [], []
    for always in (False, True):
        sim, book = new_simulator(p, wallet=0.0, reports=1 << 14), new_book(p.tick_size)
        looked.append(play(sim, p, book, events, script, always))
        ends.append([array.tobytes() for array in sim])
        assert sim.account[0]["fills"] > 30
    assert ends[0] == ends[1]
    assert 0 < looked[0] < looked[1] // 2
