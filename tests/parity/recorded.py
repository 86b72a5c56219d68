"""Recorded and synthetic tapes for parity and causality, and settings so short that features and strategies act on them.

No tests here.
"""

from __future__ import annotations

import functools

import numpy as np

from hean_pipelines.studies.recordings import find_recordings, open_tapes
from models.market.feature_params import SECOND_NS, FeatureParams, params_record
from models.market.tape import LIQUIDATION, TRADE
from models.simulation.fills.parameters import FillParameters
from models.simulation.order_flow.generator import generate_order_flow
from models.simulation.order_flow.parameters import OrderFlowParameters
from models.strategies import forced_flow_exhaustion as s6
from models.strategies import impact_reversion as s5
from tests.support import shared_path

BYBIT = "data/streams/cryptofeed__BYBIT_v5_20260809.jsonl.zst"
BINANCE = "data/streams/hftbacktest__usdm_btcusdt_20240808.gz"

# Windows of seconds instead of hours, limits of next to nothing: 42 s of a quiet market must bring intents and fills.
SHORT = FeatureParams(
    vpin_bucket_usd=5_000.0,
    vpin_buckets=10,
    vpin_least_history=5,
    kyle_least_trades=5,
    z_window_ns=60 * SECOND_NS,
    z_least_count=20,
    theta=0.0,
    volume_least_s=2.0,
    depth_least_s=2.0,
    oi_lag_ns=2 * SECOND_NS,
    z_fsi_limit=1e-3,
    z_oi_limit=1e-3,
    liquidation_window_ticks=8,
    lpi_limit=1e-3,
    falling_ticks=1,
    whale_least_trades=5,
    whale_inflow_multiple=1.5,
    whale_multiple=2.0,
    cascade_multiple=1.0,
    cascade_trades=2,
    cvd_periods=10,
    bar_ns=5 * SECOND_NS // 4,
    regime_bars=8,
)
PARAMS = params_record(SHORT)
S5 = s5.Params(least_impact_bps=1e-6, most_spread_bps=100.0)
S6 = s6.Params(
    lpi_limit=0.0,
    exit_lpi=-100.0,
    most_z_impact=100.0,
    time_stop_s=30.0,
    sigma_horizon_s=10.0,
    sigma_least_s=2.0,
)
# Forced orders print through a thin book, so that S6 has something to fade.
SYNTHETIC = OrderFlowParameters(
    start_price=2000.0,
    tick_size=0.1,
    lot_size=0.01,
    trade_size_median=0.5,
    regime_touch_depth=(6.0, 4.0, 2.0),
    book_updates=10.0,
    whales_per_hour=120.0,
    cascades_per_hour=15.0,
    cascade_orders=80.0,
    cascade_order_multiple=150.0,
)


@functools.cache
def recorded_tape(relative: str, symbol: str) -> tuple[np.ndarray, FillParameters]:
    """The whole tape of a symbol of a recording, and its venue; skips the test where the recording is absent."""
    recordings, _ = find_recordings([shared_path(relative)])
    tapes = [tape for tape in open_tapes(recordings[0]) if tape.market.symbol == symbol]
    return np.concatenate(list(tapes[0].chunks())), FillParameters(tapes[0].tick_size, tapes[0].lot_size)


def with_liquidations(events: np.ndarray, every: int) -> np.ndarray:
    """Print some trades as liquidations too: public recordings lack them, and S6 waits for them."""
    trades = np.flatnonzero(events["kind"] == TRADE)[::every]
    prints = events[trades].copy()
    prints["kind"] = LIQUIDATION
    return np.insert(events, trades + 1, prints)


@functools.cache
def synthetic_tape(seconds: float) -> tuple[np.ndarray, FillParameters]:
    """A synthetic tape and its venue."""
    venue = FillParameters(SYNTHETIC.tick_size, SYNTHETIC.lot_size)
    return generate_order_flow(SYNTHETIC, 5, seconds).events, venue
