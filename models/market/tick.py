"""What happens to a market record at an alpha tick: every feature is brought up to date, one family after the other.

Wiring only: the formulas are the kernels' (`features/`). A tick at time T sees the events received before T and nothing
else. What does not belong here: events (`step.py`), the slower clock of bars (`tick_bars.py`).
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from models.market.book import Book, band_depth, depth_levels, is_valid
from models.market.features import (
    cascade,
    forced_flow,
    heatmap,
    kyle,
    liquidity_pressure,
    open_interest,
    order_flow,
    retail_flow,
    session,
    vpin,
    whale_cvd,
    whales,
)
from models.market.features.robust_z import NORMAL, location_scale, observe, robust_z, score
from models.market.features.windows import add_fading, add_tick, fading_mean
from models.market.record import LEVELS
from models.market.tick_bars import close_bars


@njit(cache=True)
def publish_touch(market: np.record, bid: float, bid_size: float, ask: float, ask_size: float) -> None:
    """Write what follows from the touch alone."""
    market.best_bid = bid
    market.best_ask = ask
    market.bid_size = bid_size
    market.ask_size = ask_size
    mid = 0.5 * (bid + ask)
    market.mid = mid
    market.spread_bps = 1e4 * (ask - bid) / mid


@njit(cache=True)
def publish_no_touch(market: np.record) -> None:
    """Unpublish the touch of a book that may not be traded on, and break the OFI."""
    publish_touch(market, math.nan, math.nan, math.nan, math.nan)
    market.valid = 0
    market.internal.touch.known = 0


@njit(cache=True)
def _book_features(market: np.record, book: Book) -> None:
    own = market.internal
    if not is_valid(book):
        publish_no_touch(market)
        market.queue_imbalance = math.nan
        market.weighted_mid = math.nan
        market.depth_imbalance = math.nan
        return
    bids = depth_levels(book, 1, LEVELS, own.bids)
    asks = depth_levels(book, -1, LEVELS, own.asks)
    market.queue_imbalance = order_flow.queue_imbalance(market.bid_size, market.ask_size)
    market.weighted_mid = order_flow.weighted_mid(
        market.best_bid, market.bid_size, market.best_ask, market.ask_size
    )
    market.depth_imbalance = order_flow.depth_imbalance(own.bids[:bids, 1], own.asks[:asks, 1], LEVELS)


@njit(cache=True)
def _flow_features(market: np.record, now_ns: int, params: np.record) -> None:
    own = market.internal
    market.volume_usd = own.tick_volume
    market.signed_usd = own.tick_signed
    market.ofi = own.tick_ofi
    market.ofi_window = add_tick(own.ofi, own.tick_ofi, params.ofi_window_ticks)
    volume = add_tick(own.flow_volume, own.tick_volume, params.flow_window_ticks)
    signed = add_tick(own.flow_signed, own.tick_signed, params.flow_window_ticks)
    market.flow_imbalance = signed / volume if volume > 0.0 else math.nan
    # The mean of before judges the tick: a burst must not raise the average it is measured against.
    market.usd_per_s = fading_mean(own.mean_volume, params.volume_least_s)
    tick_s = 1e-9 * params.tick_ns
    add_fading(own.mean_volume, now_ns, own.tick_volume / tick_s, tick_s, params.volume_time_constant_s)
    market.vpin = vpin.value(own.vpin, params.vpin_buckets)
    market.vpin_rank = vpin.rank(own.vpin_history, market.vpin, params.vpin_least_history)


@njit(cache=True)
def _kyle_features(market: np.record, now_ns: int, params: np.record) -> None:
    own = market.internal
    change = market.mid - own.tick_mid
    if own.tick_trades > 0 and not math.isnan(change):
        kyle.update(own.kyle, change, own.tick_signed, own.tick_trades, params.kyle_window)
    market.kyle_lambda = kyle.kyle_lambda(own.kyle, params.kyle_window, params.kyle_least_trades)
    relative = market.kyle_lambda / market.mid
    market.kyle_lambda_z = robust_z(own.z_lambda, relative, 0.0, params.lambda_unit, params.z_least_count)
    observe(own.z_lambda, now_ns, relative, params.z_window_ns, params.lambda_unit)


@njit(cache=True)
def _oi_features(market: np.record, now_ns: int, params: np.record) -> float:
    """Bring OI up to date and return the size dOI typically has."""
    own = market.internal
    change = open_interest.fall(own.open_interest, now_ns, params.oi_lag_ns, params.oi_stale_ns)
    market.oi_fall = change
    market.z_oi_fall = math.nan
    sigma = math.nan
    if own.z_oi.count >= params.z_least_count:
        median, mad = location_scale(own.z_oi, params.oi_unit)
        sigma = NORMAL * mad + params.oi_epsilon
        market.z_oi_fall = score(change, median, mad, params.oi_epsilon)
    observe(own.z_oi, now_ns, change, params.z_window_ns, params.oi_unit)
    market.oi_spike = 1.0 if cascade.is_oi_spike(market.z_oi_fall, params.oi_spike_z) else 0.0
    return sigma


@njit(cache=True)
def _ldr(market: np.record, book: Book, now_ns: int, params: np.record) -> float:
    own = market.internal
    if market.valid == 0:
        return math.nan
    depth = band_depth(book, 1, params.band_bps) + band_depth(book, -1, params.band_bps)
    mean = fading_mean(own.mean_depth, params.depth_least_s)
    weight = 1e-9 * params.tick_ns
    add_fading(own.mean_depth, now_ns, depth, weight, params.depth_time_constant_s)
    return liquidity_pressure.liquidity_drain_ratio(
        market.best_ask - market.best_bid, market.mid, depth, mean
    )


@njit(cache=True)
def _pressure_features(
    market: np.record, book: Book, now_ns: int, oi_sigma: float, params: np.record
) -> None:
    own = market.internal
    sells, buys = own.sweep.sells_usd, own.sweep.buys_usd
    if sells > buys:
        market.pressure_side = -1.0
    elif buys > sells:
        market.pressure_side = 1.0
    window_s = 1e-9 * params.tick_ns
    market.fsi = liquidity_pressure.forced_selling_index(
        max(sells, buys), market.usd_per_s, window_s, market.oi_fall, oi_sigma, params.kappa
    )
    market.ldr = _ldr(market, book, now_ns, params)
    # An undefined mid on either side makes this NaN, and with it everything that follows from it.
    average = market.usd_per_s * window_s if market.usd_per_s > 0.0 else math.nan
    market.price_impact = liquidity_pressure.price_impact(
        math.log(market.mid / own.tick_mid), own.tick_volume, params.impact_floor * average
    )
    impact_epsilon = params.impact_epsilon / average
    count, window = params.z_least_count, params.z_window_ns
    market.z_fsi = robust_z(own.z_fsi, market.fsi, params.fsi_epsilon, params.fsi_unit, count)
    market.z_ldr = robust_z(own.z_ldr, market.ldr, params.ldr_epsilon, params.ldr_unit, count)
    market.z_price_impact = robust_z(
        own.z_impact, market.price_impact, impact_epsilon, params.impact_unit, count
    )
    observe(own.z_fsi, now_ns, market.fsi, window, params.fsi_unit)
    observe(own.z_ldr, now_ns, market.ldr, window, params.ldr_unit)
    observe(own.z_impact, now_ns, market.price_impact, window, params.impact_unit)
    market.lpi = liquidity_pressure.liquidity_pressure(market.z_fsi, market.z_ldr, market.z_price_impact)


@njit(cache=True)
def _forced_flow_features(market: np.record, now_ns: int, params: np.record) -> None:
    own = market.internal
    ticks = params.liquidation_window_ticks
    buys = add_tick(own.forced_buys, own.tick_forced_buys, ticks)
    sells = add_tick(own.forced_sells, own.tick_forced_sells, ticks)
    market.liquidation_usd = buys - sells
    average = market.usd_per_s * ticks * 1e-9 * params.tick_ns
    spike = max(buys, sells) > params.liquidation_spike * average
    if spike:
        market.pressure_side = 1.0 if buys > sells else -1.0
    market.liquidation_spike = 1.0 if spike else 0.0
    sparse = open_interest.is_sparse(own.open_interest, now_ns, params.oi_lag_ns)
    market.flow_state = forced_flow.classify_flow(
        market.z_fsi,
        market.z_oi_fall,
        sparse,
        spike,
        abs(market.flow_imbalance),
        params.z_fsi_limit,
        params.z_oi_limit,
        params.persistent_flow,
    )
    direction = 0 if math.isnan(market.pressure_side) else int(market.pressure_side)
    exhausted = forced_flow.exhaustion_step(
        own.exhaustion,
        now_ns,
        market.mid,
        market.lpi,
        market.z_ldr,
        market.z_oi_fall,
        direction,
        params.lpi_limit,
        params.z_oi_limit,
        params.falling_ticks,
        params.divergence_short_ns,
        params.divergence_long_ns,
    )
    market.exhausted = 1.0 if exhausted else 0.0


@njit(cache=True)
def _whale_features(market: np.record, now_ns: int, params: np.record) -> None:
    own = market.internal
    if market.whales > 0:
        market.whale_age_s = 1e-9 * (now_ns - own.last_whale_ns)
    whales.follow_impacts(own.impact, now_ns, market.mid, params.impact_delay_ns)
    if own.impact.latest > 0:
        slot = (own.impact.latest - 1) % len(own.impact.ts)
        market.impact_bps = own.impact.impact_bps[slot]
        market.impact_side = own.impact.side[slot]
        market.impact_age_s = 1e-9 * (now_ns - own.impact.ts[slot])
        market.reversion_500ms_bps = own.impact.reversion_bps[slot, 0]
        market.reversion_1s_bps = own.impact.reversion_bps[slot, 1]
        market.reversion_2s_bps = own.impact.reversion_bps[slot, 2]
        market.reversion_5s_bps = own.impact.reversion_bps[slot, 3]
    market.cascade_side = cascade.cascade_side(own.cascade, now_ns)
    if now_ns % params.cvd_period_ns == 0:
        whale_cvd.close_period(own.whale_cvd, params.cvd_periods, params.cvd_volume_multiple)
        market.whale_cvd = whale_cvd.whale_cvd(own.whale_cvd, params.cvd_periods)
        market.whale_intensity = whale_cvd.whale_intensity(own.whale_cvd, params.cvd_periods)
        retail_flow.close_period(own.retail, params.cvd_periods)
        market.retail_imbalance = retail_flow.retail_imbalance(own.retail, params.cvd_periods)


@njit(cache=True)
def _heatmap_features(market: np.record, now_ns: int, params: np.record) -> None:
    own = market.internal
    if math.isnan(market.mid):
        market.round_number_distance = math.nan
        return
    market.round_number_distance = heatmap.round_number_distance(market.mid)
    heatmap.on_price(own.heatmap, now_ns, market.mid, params.heatmap_half_life_s)
    reach, multiple = params.cluster_reach_bins, params.cluster_multiple
    below = heatmap.nearest_cluster(own.heatmap, heatmap.LONGS, reach, multiple)
    above = heatmap.nearest_cluster(own.heatmap, heatmap.SHORTS, reach, multiple)
    market.cluster_below_distance, market.cluster_below_usd = below
    market.cluster_above_distance, market.cluster_above_usd = above


@njit(cache=True)
def _start_tick(market: np.record, now_ns: int, params: np.record) -> None:
    own = market.internal
    own.tick_volume = 0.0
    own.tick_signed = 0.0
    own.tick_ofi = 0.0
    own.tick_forced_buys = 0.0
    own.tick_forced_sells = 0.0
    own.tick_trades = 0
    own.tick_mid = market.mid
    liquidity_pressure.start_window(own.sweep, market.best_bid, market.best_ask)
    market.now_ns = now_ns
    market.tick_at_ns = now_ns
    market.next_tick_ns = now_ns + params.tick_ns
    market.ticks += 1


@njit(cache=True)
def on_tick(market: np.record, book: Book, params: np.record) -> None:
    """Bring every feature up to the tick that is due, `market.next_tick_ns`, and set the next one.

    Parameters
    ----------
    market : record of MARKET
        Changed in place.
    book : record of BOOK
        As it stands after the last event before the tick.
    params : record of PARAMS

    """
    now_ns = market.next_tick_ns
    _book_features(market, book)
    _flow_features(market, now_ns, params)
    _kyle_features(market, now_ns, params)
    oi_sigma = _oi_features(market, now_ns, params)
    _pressure_features(market, book, now_ns, oi_sigma, params)
    _forced_flow_features(market, now_ns, params)
    _whale_features(market, now_ns, params)
    _heatmap_features(market, now_ns, params)
    close_bars(market, now_ns, params)
    market.session = session.session_of(now_ns)
    market.golden_hour = 1.0 if session.is_golden_hour(now_ns) else 0.0
    market.hour = session.hour_of_day(now_ns)
    _start_tick(market, now_ns, params)
