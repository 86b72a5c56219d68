"""What a trade does to a market record: flow since the tick, VPIN, sweeps, whales, participants, cascades.

Wiring only: the formulas are the kernels' (`features/`). What does not belong here: the book and reports (`step.py`).
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from models.market.features import cascade, heatmap, liquidity_pressure, retail_flow, vpin, whales
from models.market.features import whale_cvd as cvd
from models.market.tape import NO_TIME


@njit(cache=True)
def _on_whale(
    market: np.record,
    now_ns: int,
    side: int,
    price: float,
    notional: float,
    multiple: float,
    params: np.record,
) -> None:
    own = market.internal
    # An order is counted once, with all it has printed so far; what it prints later is added.
    first = whales.crosses(own.sizes, params.whale_inflow_multiple)
    if first:
        market.whales += 1
    market.whale_side = side
    market.whale_multiple = multiple
    own.last_whale_ns = now_ns
    heatmap.add_entry(
        own.heatmap,
        now_ns,
        side,
        price,
        own.sizes.order_usd if first else notional,
        params.maintenance_margin,
        params.heatmap_half_life_s,
    )
    if whales.crosses(own.sizes, params.whale_multiple) and not math.isnan(market.mid):
        whales.start_impact(own.impact, now_ns, side, market.mid)


@njit(cache=True)
def on_trade(
    market: np.record, now_ns: int, exch_ns: int, side: int, price: float, size: float, params: np.record
) -> None:
    """Bring the market record up to one trade; `side` is the taker's. Prints of one venue time and side are one order."""
    own = market.internal
    notional = price * size
    if not 0.0 < notional < math.inf:
        market.refused += 1
        return
    market.trades += 1
    own.tick_trades += 1
    own.tick_volume += notional
    own.tick_signed += side * notional
    own.bar_volume += notional
    if vpin.update(own.vpin, notional, side, params.vpin_bucket_usd, params.vpin_buckets) > 0:
        vpin.remember(own.vpin_history, vpin.value(own.vpin, params.vpin_buckets))
    liquidity_pressure.add_trade(own.sweep, side, price, size, params.theta)
    cvd.add_trade(own.whale_cvd, side, notional)
    alone = whales.size_multiple(own.sizes, notional, params.whale_least_trades)
    order_ns = now_ns if exch_ns == NO_TIME else exch_ns
    if whales.ends_order(own.sizes, order_ns, side):
        ended = own.sizes
        retail_flow.add_order(
            own.retail, ended.order_now, ended.order_side, ended.order_usd, params.retail_multiple
        )
    multiple = whales.order_multiple(own.sizes, order_ns, side, notional, params.whale_least_trades)
    basis = (market.mid - market.index) / market.index if market.index > 0.0 else math.nan
    market.participant = whales.participant(
        multiple, side, now_ns - market.trade_at_ns, own.last_trade_side, basis, params.arbitrage_basis
    )
    if multiple >= params.whale_inflow_multiple:
        _on_whale(market, now_ns, side, price, notional, multiple, params)
    cascade.on_trade(
        own.cascade,
        now_ns,
        side,
        alone,
        params.cascade_multiple,
        params.cascade_trades,
        params.cascade_gap_ns,
        params.cascade_alive_ns,
    )
    market.trade_at_ns = now_ns
    own.last_trade_side = side
