"""The same tape and the same orders through hftbacktest; imported only where it is installed."""

from __future__ import annotations

import hftbacktest as hft
import numpy as np
from hftbacktest.types import event_dtype
from numba import njit

from models.market.tape import DEPTH, SNAPSHOT, SNAPSHOT_START, TRADE
from models.simulation.fills import parameters as fp
from tests.simulation.fills.scripted_orders import CANCEL_ACTION, FILL_ROW

BOTH = hft.EXCH_EVENT | hft.LOCAL_EVENT
KINDS = {
    TRADE: hft.TRADE_EVENT,
    DEPTH: hft.DEPTH_EVENT,
    SNAPSHOT: hft.DEPTH_SNAPSHOT_EVENT,
    SNAPSHOT_START: hft.DEPTH_CLEAR_EVENT,
}


def to_hftbacktest(events):
    kept = events[np.isin(events["kind"], list(KINDS))]
    out = np.zeros(len(kept), event_dtype)
    flags = np.zeros(len(kept), np.uint64)
    for ours, theirs in KINDS.items():
        flags[kept["kind"] == ours] = theirs
    flags[kept["side"] > 0] |= np.uint64(hft.BUY_EVENT)
    flags[kept["side"] < 0] |= np.uint64(hft.SELL_EVENT)
    out["ev"] = flags | np.uint64(BOTH)
    out["exch_ts"], out["local_ts"] = kept["exch_ts"], kept["local_ts"]
    out["px"], out["qty"] = kept["price"], kept["size"]
    return out


def asset(data, p, entry_ns, response_ns):
    a = (
        hft.BacktestAsset()
        .data(data)
        .linear_asset(1.0)
        .constant_latency(entry_ns, response_ns)
        .tick_size(p.tick_size)
        .lot_size(p.lot_size)
        .trading_value_fee_model(p.maker_fee, p.taker_fee)
    )
    a = a.partial_fill_exchange() if p.partial_fills else a.no_partial_fill_exchange()
    return {
        fp.RISK_ADVERSE: lambda: a.risk_adverse_queue_model(),
        fp.POWER: lambda: a.power_prob_queue_model(p.queue_power),
        fp.POWER_2: lambda: a.power_prob_queue_model2(p.queue_power),
        fp.POWER_3: lambda: a.power_prob_queue_model3(p.queue_power),
        fp.LOG: lambda: a.log_prob_queue_model(),
        fp.LOG_2: lambda: a.log_prob_queue_model2(),
    }[p.queue_model]()


@njit
def _collect(hbt, ids, leaves, fills, n):
    orders = hbt.orders(0)
    for k in range(len(ids)):
        order = orders.get(ids[k])
        if order is None or leaves[k] <= 0.0:
            continue
        if order.leaves_qty < leaves[k] - 1e-9 and order.exec_qty > 0.0:
            fills[n].id = ids[k]
            fills[n].exch_ns = order.exch_timestamp
            fills[n].quantity = leaves[k] - order.leaves_qty
            fills[n].tick = order.arr[0].exec_price_tick
            fills[n].maker = 1 if order.arr[0].maker else 0
            leaves[k] = order.leaves_qty
            n += 1
    return n


@njit
def _drive(hbt, script, ids, leaves, fills, tick_size, end_ns):
    n = 0
    submitted = 0
    hbt.elapse(0)  # sets the clock to the first event
    for i in range(len(script)):
        row = script[i]
        while hbt.current_timestamp < row.local_ns:
            code = hbt.wait_next_feed(True, row.local_ns - hbt.current_timestamp)
            if code == 3:
                n = _collect(hbt, ids[:submitted], leaves[:submitted], fills, n)
            elif code not in (0, 2):
                return n, code
        if row.action == CANCEL_ACTION:
            hbt.cancel(0, row.id, False)
        else:
            ids[submitted] = row.id
            leaves[submitted] = row.quantity
            submitted += 1
            price = row.tick * tick_size
            if row.side > 0:
                hbt.submit_buy_order(0, row.id, price, row.quantity, row.time_in_force, 0, False)
            else:
                hbt.submit_sell_order(0, row.id, price, row.quantity, row.time_in_force, 0, False)
    while hbt.current_timestamp < end_ns:
        code = hbt.wait_next_feed(True, end_ns - hbt.current_timestamp)
        if code == 3:
            n = _collect(hbt, ids[:submitted], leaves[:submitted], fills, n)
        elif code not in (0, 2):
            return n, code
    return n, 0


def run_hftbacktest(events, script, p, entry_ns, response_ns):
    """Return fills, the code the run ended with (0 or 1: it reached the end), and its totals."""
    data = to_hftbacktest(events)  # hftbacktest keeps the address only: the array must outlive the run
    hbt = hft.HashMapMarketDepthBacktest([asset(data, p, entry_ns, response_ns)])
    fills = np.zeros(4 * len(script) + 16, FILL_ROW)
    ids = np.zeros(len(script), np.uint64)
    n, code = _drive(hbt, script, ids, np.zeros(len(script)), fills, p.tick_size, int(events["local_ts"][-1]))
    values = hbt.state_values(0)
    totals = (values.position, values.balance, values.fee)
    hbt.close()
    del data
    return fills[:n], code, totals
