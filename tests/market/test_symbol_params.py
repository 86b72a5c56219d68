"""Buckets of VPIN by symbol: the table against the recorded turnover it was made of, and who asks for it."""

from __future__ import annotations

import math

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from models.market.feature_params import FeatureParams, params_hash, params_record
from models.market.symbol_params import (
    SYMBOL_PARAMS_HASH,
    UNLISTED_BUCKET_USD,
    VPIN_BUCKET_USD,
    params_of_symbol,
)
from tests.support import shared_path

FIRST, END = "2025-09-24", "2026-03-05"
BARS_A_DAY = {"5m": 288, "1h": 24}
STEPS = [step * 10.0**power for power in range(2, 6) for step in (1.0, 2.0, 5.0)]


def daily_usd(interval: str) -> dict[str, float]:
    """Mean turnover a day by symbol over the days the table names."""
    rows = pq.read_table(
        shared_path(f"data/history/bybit_perp_klines_{interval}.parquet"),
        columns=["symbol", "ts", "close", "volume"],
    )
    day = pc.strftime(rows["ts"], "%Y-%m-%d")
    rows = rows.filter(pc.and_(pc.greater_equal(day, FIRST), pc.less(day, END)))
    rows = rows.append_column("usd", pc.multiply(rows["close"], rows["volume"]))
    found = rows.group_by("symbol").aggregate([("usd", "mean")]).to_pylist()
    return {row["symbol"]: BARS_A_DAY[interval] * row["usd_mean"] for row in found}


def test_buckets_are_the_measured_share_of_btcs_to_the_nearest_step():
    turnover = daily_usd("1h") | daily_usd("5m")
    assert set(VPIN_BUCKET_USD) <= set(turnover)
    for symbol, bucket in VPIN_BUCKET_USD.items():
        wanted = 50_000.0 * turnover[symbol] / turnover["BTCUSDT"]
        assert bucket == min(STEPS, key=lambda step: abs(math.log(step / wanted))), (symbol, wanted)


def test_btc_is_as_the_system_has_it_and_the_testnet_a_tenth():
    assert params_of_symbol("BTCUSDT") == FeatureParams()
    assert params_of_symbol("BTCUSDT", testnet=True).vpin_bucket_usd == 5_000.0
    assert params_of_symbol("SOLUSDT", testnet=True).vpin_bucket_usd == 1_000.0
    assert params_of_symbol("XYZUSDT").vpin_bucket_usd == UNLISTED_BUCKET_USD == min(VPIN_BUCKET_USD.values())


@pytest.mark.parametrize("symbol", [*VPIN_BUCKET_USD, "XYZUSDT"])
@pytest.mark.parametrize("testnet", [False, True])
def test_only_the_bucket_is_the_symbols_own(symbol: str, testnet: bool):
    base = FeatureParams(theta=3e-4, tick_ns=1_000_000_000, vpin_bucket_usd=7.0)
    own = params_of_symbol(symbol, testnet, base)
    assert own._replace(vpin_bucket_usd=7.0) == base
    assert own.vpin_bucket_usd == params_of_symbol(symbol, testnet).vpin_bucket_usd
    assert params_record(own)["vpin_bucket_usd"] == own.vpin_bucket_usd


def test_the_hash_follows_the_table(monkeypatch):
    from models.market import symbol_params

    assert symbol_params._hash() == SYMBOL_PARAMS_HASH != params_hash(FeatureParams())
    monkeypatch.setattr(symbol_params, "VPIN_BUCKET_USD", {**VPIN_BUCKET_USD, "SOLUSDT": 20_000.0})
    assert symbol_params._hash() != SYMBOL_PARAMS_HASH
