"""Real recorded history, served by the local testnet as the venue would, arrives in the lake as it was recorded."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from hean_live.local_testnet.markets.recorded import RecordedMarket
from hean_live.local_testnet.setup import build_venue
from hean_live.local_testnet.venue import derive_keys
from hean_pipelines.defs.market_data.ingest import Report, ingest_history
from hean_pipelines.defs.market_data.specs import history_specs
from hean_pipelines.resources.lake import Lake
from hean_pipelines.settings import load_settings
from tests.local_testnet.server import RunningTestnet, serve
from tests.pipelines.market_data.support import client_of
from tests.support import shared_path

FIRST, LAST = date(2025, 5, 1), date(2025, 5, 10)
NOW_MS = 1_747_000_000_000  # 2025-05-11T21:46:40Z


@pytest.fixture(scope="module")
def net() -> Iterator[RunningTestnet]:
    market = RecordedMarket(Path(shared_path("data/history")), ("BTCUSDT", "BNBUSDT"))
    with serve(build_venue(market, derive_keys(1), now_ms=NOW_MS, speed=0.0, ip_limit=100_000)) as running:
        yield running


def ingest(net: RunningTestnet, lake: Lake, name: str, symbols: tuple[str, ...], **settings) -> Report:
    spec = {spec.dataset.name: spec for spec in history_specs(load_settings(**settings))}[name]
    with client_of(net.base_url) as client:
        return ingest_history(spec, client, lake, symbols, FIRST, LAST)


def recorded(name: str, symbol: str) -> pl.DataFrame:
    files = sorted(shared_path("data/history").glob(f"{name}*"))
    assert files, f"no file of {name}"
    frame = pl.scan_parquet(files[0] if files[0].is_file() else files[0] / "**/*.parquet").collect()
    start, end = (pl.lit(day).cast(pl.Datetime("us", "UTC")) for day in (FIRST, date(2025, 5, 11)))
    ts = pl.col("ts").cast(pl.Datetime("us", "UTC"))
    return frame.filter((pl.col("symbol") == symbol) & (ts >= start) & (ts < end)).sort("ts")


def test_funding_is_what_was_recorded(net: RunningTestnet, tmp_path: Path) -> None:
    report = ingest(net, Lake(tmp_path), "raw_bybit__settlement_funding", ("BTCUSDT", "BNBUSDT"))
    assert report.without_history == ["BNBUSDT"]  # recorded from September on
    stored = Lake(tmp_path).scan("raw_bybit__settlement_funding").collect()
    truth = recorded("bybit_funding", "BTCUSDT")
    assert stored.height == truth.height == 30
    column = next(name for name in truth.columns if "rate" in name)
    np.testing.assert_allclose(stored["funding_rate"].to_numpy(), truth[column].to_numpy(), atol=1e-12)


def test_spot_and_perp_bars_are_what_was_recorded(net: RunningTestnet, tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    for name, source in (
        ("raw_bybit__5m_perp_klines", "bybit_perp_klines_5m"),
        ("raw_bybit__5m_spot_klines", "bybit_spot_klines_5m"),
    ):
        ingest(net, lake, name, ("BTCUSDT",))
        stored, truth = lake.scan(name).collect(), recorded(source, "BTCUSDT")
        assert stored.height == truth.height == 2880
        np.testing.assert_allclose(stored["close"].to_numpy(), truth["close"].to_numpy(), rtol=1e-9)


def test_what_was_not_recorded_is_no_history_and_no_error(net: RunningTestnet, tmp_path: Path) -> None:
    for name in ("raw_bybit__1m_premium_index_klines", "raw_bybit__1h_account_ratio"):
        report = ingest(net, Lake(tmp_path), name, ("BTCUSDT",))
        assert not report.failed
        assert report.without_history == ["BTCUSDT"]
    assert not list(tmp_path.rglob("*.parquet"))


def test_hourly_open_interest_needs_the_hourly_setting(net: RunningTestnet, tmp_path: Path) -> None:
    name = "raw_bybit__5m_open_interest"
    hourly = ingest(net, Lake(tmp_path), name, ("BTCUSDT",), open_interest_interval="1h")
    assert hourly.rows == {"BTCUSDT": 240}
