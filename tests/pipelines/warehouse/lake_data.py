"""A small lake for tests of the warehouse: days of plausible rows, the same each time."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from hean_pipelines.resources.lake import Lake
from hean_pipelines.resources.lake_schemas import DATASETS

FIRST_DAY = date(2025, 3, 1)
SYMBOLS = ("BTCUSDT", "ETHUSDT")
_STEPS_S = {
    "raw_bybit__settlement_funding": 28_800,
    "raw_bybit__5m_open_interest": 300,
    "raw_bybit__1h_account_ratio": 3600,
    "raw_bybit__5m_perp_klines": 300,
    "raw_bybit__5m_spot_klines": 300,
    "raw_bybit__1m_premium_index_klines": 60,
    "raw_bybit__trades": 120,
    "raw_bybit__liquidations": 7200,
    "raw_binance__settlement_funding": 28_800,
    "raw_binance__5m_perp_klines": 300,
    "raw_binance__5m_spot_klines": 300,
    "raw_binance__5m_metrics": 300,
    "raw_binance__1h_account_ratio": 3600,
    "raw_binance__agg_trades": 240,
    "raw_okx__settlement_funding": 14_400,
    "raw_okx__snapshot_funding": 3600,
    "raw_okx__snapshot_instruments": 43_200,
    "raw_okx__snapshot_open_interest": 3600,
}


def write_day(root: Path, offset: int, symbols: tuple[str, ...] = SYMBOLS) -> None:
    """Write every dataset's rows of the day `offset` days after the first."""
    lake, day = Lake(root), FIRST_DAY + timedelta(days=offset)
    midnight = (day - date(1970, 1, 1)).days * 86_400_000_000_000
    for name, step_s in _STEPS_S.items():
        for symbol in symbols:
            if name == "raw_bybit__1m_premium_index_klines" and symbol != "BTCUSDT":
                continue
            generator = np.random.default_rng([offset, step_s, *symbol.encode()])
            named = f"{symbol.removesuffix('USDT')}-USDT-SWAP" if "_okx__" in name else symbol
            lake.write_partition(name, named, day, _rows(name, named, midnight, step_s, generator))


def _rows(name: str, symbol: str, midnight: int, step_s: int, generator: np.random.Generator) -> pl.DataFrame:
    dataset = DATASETS[name]
    ts = midnight + np.arange(86_400 // step_s, dtype=np.int64) * step_s * 10**9
    walk = generator.normal(0, 1e-4, len(ts))
    by_kind = {"i64": np.ones(len(ts), dtype=np.int64), "f64": 1 + walk, "str": ["x"] * len(ts)}
    values = {column: by_kind[kind] for column, kind in dataset.columns.items()}
    values |= {
        "ts": ts,
        "local_ts": ts,
        "exch_ts": ts,
        "seen_at": ts,
        "seq": np.arange(len(ts)),
        "trade_id": [str(i) for i in range(len(ts))],
        "side": np.where(walk > 0, 1, -1),
        "account_ratio": 1 + walk,
        "lower_funding_rate": -np.ones(len(ts)),
        "symbol": [symbol] * len(ts),
        "funding_rate": walk,
        "open_interest": 1000 + walk,
        "buy_ratio": 0.5 + walk,
        "sell_ratio": 0.5 - walk,
        "high": np.full(len(ts), 2.0),
        "low": np.full(len(ts), 0.5),
        "open": 1 + walk,
        "close": walk if "premium" in name else 1 + walk,
        "volume": np.ones(len(ts)),
        "turnover": np.ones(len(ts)),
        "available_at": ts + dataset.available_after_s * 10**9,
    }
    return pl.DataFrame({column: values[column] for column in dataset.columns})
