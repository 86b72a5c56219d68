"""Peer of `benchmarks.core`: the two-sided quotes on hftbacktest, without features; runs in an environment of its own.

    python core_hftbacktest.py tape.npz '{"tick_size": ...}'

Each line on standard input runs the tape once more; each answer is one line of JSON: seconds and what became of the orders. The
rules are those of `models/strategies/two_sided_quotes.py`, the venue that of the compared run: constant latencies, the
risk-averse queue, partial fills. Imports nothing of ours, so that it can be read beside hftbacktest's own examples.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import hftbacktest as hft
import numpy as np
from hftbacktest.order import GTX, LIMIT
from numba import njit


@njit
def cancel_all(hbt: Any) -> None:
    """Cancel every order."""
    orders = hbt.orders(0).values()
    while orders.has_next():
        hbt.cancel(0, orders.get().order_id, False)


@njit
def send(hbt: Any, number: int, side: int, price: float, value: float) -> None:
    """Place a post-only order of whole lots, its price rounded away from the market."""
    tick_size, lot_size = hbt.depth(0).tick_size, hbt.depth(0).lot_size
    quantity = np.floor(value / price / lot_size + 1e-9) * lot_size
    if side > 0:
        hbt.submit_buy_order(
            0, number, np.floor(price / tick_size + 1e-6) * tick_size, quantity, GTX, LIMIT, False
        )
    else:
        hbt.submit_sell_order(
            0, number, np.ceil(price / tick_size - 1e-6) * tick_size, quantity, GTX, LIMIT, False
        )


@njit
def quote(hbt: Any, period_ns: int, distance: float, requote: float, value: float) -> int:
    """Quote one order either side of the mid; returns the orders sent."""
    phase, sent, number, centre = 0, 0, 0, 0.0
    hbt.elapse(0)
    wait = period_ns - hbt.current_timestamp % period_ns
    while hbt.elapse(wait) == 0:
        wait = period_ns
        hbt.clear_inactive_orders(0)
        depth = hbt.depth(0)
        if not depth.best_bid_tick < depth.best_ask_tick:
            continue
        mid = 0.5 * (depth.best_bid + depth.best_ask)
        open_orders = len(hbt.orders(0))
        if phase == 3 and open_orders == 0:
            phase = 0
        if phase >= 2:
            if phase == 2 and (abs(mid - centre) >= requote * centre or open_orders < sent):
                cancel_all(hbt)
                phase = 3
            continue
        if phase == 0:
            centre, sent = mid, 0
        side = 1 - 2 * phase
        phase += 1
        if hbt.position(0) * side < 0.5 * depth.lot_size:
            number += 1
            sent += 1
            send(hbt, number, side, centre * (1.0 - side * distance), value)
    return number


def backtest(data: Any, p: dict[str, Any]) -> Any:
    """Return a backtest of the tape in the fastest depth that holds its prices."""
    asset = (
        hft.BacktestAsset()
        .data(data)
        .linear_asset(1.0)
        .constant_order_latency(p["entry_ns"], p["response_ns"])
        .risk_adverse_queue_model()
        .partial_fill_exchange()
        .trading_value_fee_model(p["maker_fee"], p["taker_fee"])
        .tick_size(p["tick_size"])
        .lot_size(p["lot_size"])
    )
    if p["depth"] == "hashmap":
        return hft.HashMapMarketDepthBacktest([asset])
    prices = data["px"][data["px"] > 0.0]
    asset = asset.roi_lb(float(prices.min())).roi_ub(float(prices.max()))
    return hft.ROIVectorMarketDepthBacktest([asset])


def run(data: Any, p: dict[str, Any]) -> dict[str, Any]:
    """Run once; the time is that of the loop alone."""
    hbt = backtest(data, p)
    rule = (p["period_ns"], p["distance"], p["requote"], p["share"] * p["capital"])
    started = time.process_time()
    orders = quote(hbt, *rule)
    seconds = time.process_time() - started
    state = hbt.state_values(0)
    fills, position = int(state.num_trades), float(state.position)
    hbt.close()
    return {"seconds": seconds, "orders": orders, "fills": fills, "position": position}


def main() -> None:
    """Answer every line with one run; the first line of output says that the code is compiled."""
    data, p = np.load(sys.argv[1])["data"], json.loads(sys.argv[2])
    run(data[: min(len(data), 20_000)].copy(), p)
    print(json.dumps({"version": hft.__version__, "rows": len(data)}), flush=True)
    for _ in sys.stdin:
        print(json.dumps(run(data, p)), flush=True)


if __name__ == "__main__":
    main()
