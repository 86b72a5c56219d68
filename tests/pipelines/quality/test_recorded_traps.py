"""The faults of the recorded data, each caught on the very file that has it; and sound files left in peace."""

from __future__ import annotations

import gzip
import json
from itertools import islice
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from hean_pipelines.quality.comparing import (
    HOUR_NS,
    contract_spread,
    disagreement,
    time_zone_shift,
    unit_factor,
)
from hean_pipelines.quality.stamps import Outage, clock_skew, outages, venue_outages
from tests.support import shared_path

OKX_CONTRACTS = {"BTC": 0.01, "ETH": 0.1, "SOL": 1.0, "DOGE": 1000.0, "HYPE": 0.1}
"""Coins a contract of OKX holds, by its instruments (`ctVal`)."""


def _ns(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.Datetime("ns", "UTC")).to_physical()


def _history(name: str, symbol: str, value: str) -> pl.DataFrame:
    frame = pl.read_parquet(shared_path(f"data/history/{name}.parquet")).filter(pl.col("symbol") == symbol)
    return frame.select(ts=_ns("ts"), value=value).sort("ts")


def _csv(name: str) -> pl.DataFrame:
    frame = pl.read_csv(shared_path(f"data/multi_venue/{name}"), try_parse_dates=True)
    return frame.select(ts=_ns("Date"), value="Funding Rate").unique("ts").sort("ts")


def _multi(name: str, venue: str, coin: str, value: str) -> pl.DataFrame:
    frame = pl.read_parquet(shared_path(f"data/multi_venue/{name}.parquet"))
    chosen = frame.filter((pl.col("venue") == venue) & (pl.col("coin") == coin))
    return chosen.select(ts=_ns("timestamp"), value=value).unique("ts").sort("ts")


@pytest.mark.parametrize("coin", ["BTC", "ETH"])
def test_stamps_of_utc_plus_3_are_caught(coin: str):
    good = _history("bybit_funding", f"{coin}USDT", "funding_rate")
    doubtful = _csv(f"{coin}-USDT_bybit_2021-01-01_2024-01-01_funding_history.csv")
    found = time_zone_shift(good, doubtful)
    assert found.lag_ns == -3 * HOUR_NS
    assert found.correlation > 0.99
    assert np.isnan(found.unshifted)  # not one settlement falls together
    mended = doubtful.with_columns(pl.col("ts") + found.lag_ns)
    same = disagreement(mended, good, 1e-9, relative=False)
    assert same.matched > 1000
    assert same.beyond / same.matched < 0.01


def test_another_venue_with_right_stamps_is_not_called_shifted():
    good = _history("bybit_funding", "BTCUSDT", "funding_rate")
    assert not time_zone_shift(
        good, _csv("BTC-USDT_gate_2020-01-01_2024-01-01_funding_history.csv")
    ).is_shifted


def test_hourly_bars_of_two_venues_are_of_one_time_zone():
    a = _history("bybit_perp_klines_1h", "BTCUSDT", "close")
    b = _history("binance_perp_klines_1h", "BTCUSDT", "close")
    found = time_zone_shift(a, b)
    assert not found.is_shifted
    assert found.correlation > 0.99
    assert time_zone_shift(a, b.with_columns(pl.col("ts") + 8 * HOUR_NS)).lag_ns == -8 * HOUR_NS


def test_okx_liquidations_lack_the_contract_multiplier():
    frame = pl.read_parquet(shared_path("data/multi_venue/liquidations_okx_hyperliquid.parquet"))
    okx = frame.filter(pl.col("venue") == "okx")
    forced = dict(okx.group_by("coin").agg(pl.col("size_usd").sum()).iter_rows())
    candles = pl.read_parquet(shared_path("data/multi_venue/candles_1h.parquet"))
    traded = candles.filter(
        (pl.col("venue") == "binance")
        & pl.col("timestamp").is_between(okx["timestamp"].min(), okx["timestamp"].max())
    )
    volume = dict(traded.group_by("coin").agg((pl.col("v") * pl.col("c")).sum()).iter_rows())
    spread = contract_spread({coin: forced[coin] / volume[coin] for coin in forced}, OKX_CONTRACTS)
    assert spread.lacks_multiplier
    assert spread.as_stated > 4
    right = {coin: forced[coin] * OKX_CONTRACTS[coin] / volume[coin] for coin in forced}
    assert not contract_spread(right, OKX_CONTRACTS).lacks_multiplier


def test_okx_open_interest_and_volume_lack_it_too():
    last = (
        pl.read_parquet(shared_path("data/multi_venue/open_interest.parquet"))
        .sort("timestamp")
        .group_by("venue", "coin")
        .agg(pl.col("oi_usd").last())
    )
    by = {(venue, coin): usd for venue, coin, usd in last.iter_rows()}
    ratios = {coin: by["okx", coin] / by["binance", coin] for coin in OKX_CONTRACTS}
    assert contract_spread(ratios, OKX_CONTRACTS).lacks_multiplier
    sound = {coin: by["bybit", coin] / by["binance", coin] for coin in OKX_CONTRACTS}
    assert not contract_spread(sound, OKX_CONTRACTS).lacks_multiplier
    volumes = {
        coin: unit_factor(_multi("candles_1h", "okx", coin, "v"), _multi("candles_1h", "bybit", coin, "v"))
        for coin in ("BTC", "DOGE")
    }
    assert {coin: found.power for coin, found in volumes.items()} == {"BTC": 2, "DOGE": -3}


def test_prices_of_one_unit_are_left_in_peace():
    found = unit_factor(
        _multi("candles_1h", "okx", "DOGE", "c"), _multi("candles_1h", "binance", "DOGE", "c")
    )
    assert not found.is_another_unit


@pytest.mark.parametrize("name", ["usdm_btcusdt_20240808", "usdm_ethusdt_20240808", "spot_btcusdt_20240808"])
def test_a_recorders_clock_behind_the_venue_is_caught(name: str):
    venue, received = _sent_and_received(shared_path(f"data/streams/hftbacktest__{name}.gz"), 2000)
    found = clock_skew(venue, received)
    assert found.is_behind
    assert 1.2e9 < -found.least_ns < 1.6e9


def test_outages_of_the_venue_are_told_from_a_symbols_own():
    hour = {
        symbol: outages(_history("binance_spot_klines_1h", symbol, "close")["ts"].to_numpy(), HOUR_NS)
        for symbol in ("BTCUSDT", "ETHUSDT")
    }
    found = venue_outages(hour, HOUR_NS)
    upgrade = 1_518_051_600 * 10**9  # 2018-02-08 01:00 UTC: Binance stopped for a day and a half
    assert Outage(upgrade, upgrade + 33 * HOUR_NS, 33) in found
    assert len(found) == 27
    assert all(outage.missing >= 1 for outage in found)


def test_gappy_spot_and_the_hole_of_a_symbol_are_found():
    five_minutes = 300 * 10**9
    perp = outages(_history("bybit_perp_klines_5m", "SOLUSDT", "close")["ts"].to_numpy(), five_minutes)
    spot = outages(_history("bybit_spot_klines_5m", "BTCUSDT", "close")["ts"].to_numpy(), five_minutes)
    (hole,) = perp
    assert hole.missing == (hole.end_ns - hole.start_ns) // five_minutes
    assert 44 < hole.missing / 288 < 46
    assert len(spot) >= 8
    whole = outages(_history("bybit_perp_klines_5m", "BTCUSDT", "close")["ts"].to_numpy(), five_minutes)
    assert venue_outages({"SOLUSDT": perp, "BTCUSDT": whole}, five_minutes) == []


def test_two_venues_agree_on_prices_and_differ_on_funding():
    prices = disagreement(
        _history("bybit_perp_klines_1h", "BTCUSDT", "close"),
        _history("binance_perp_klines_1h", "BTCUSDT", "close"),
        0.01,
    )
    assert prices.matched > 20_000
    assert prices.beyond / prices.matched < 1e-3
    funding = disagreement(
        _history("bybit_funding", "BTCUSDT", "funding_rate"),
        _history("binance_funding", "BTCUSDT", "funding_rate"),
        3e-4,
        relative=False,
    )
    assert funding.matched > 5000
    assert 0 < funding.beyond < funding.matched / 10


def test_a_synthetic_wrong_stamp_in_jittered_funding_is_seen():
    """Binance's stamps carry milliseconds: matched to the second, they are Bybit's hours."""
    binance = _multi("funding_rates", "binance", "BTC", "funding_rate")
    rounded = binance.with_columns((pl.col("ts") + 5 * 10**8) // 10**9 * 10**9)
    assert (binance["ts"] % 10**9 != 0).any()
    bybit = _multi("funding_rates", "bybit", "BTC", "funding_rate")
    assert disagreement(rounded, bybit, 1.0, relative=False).matched > 1000


def _sent_and_received(path: Path, most: int) -> tuple[np.ndarray, np.ndarray]:
    sent, received = [], []
    with gzip.open(path, "rt") as lines:
        for line in islice(lines, most):
            local, _, body = line.partition(" ")
            stamp = json.loads(body).get("data", {}).get("E")
            if stamp is not None:
                sent.append(int(stamp) * 10**6)
                received.append(int(local))
    return np.array(sent, dtype=np.int64), np.array(received, dtype=np.int64)
