"""Asset checks between datasets, over lakes with a planted fault and without."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import numpy as np
import polars as pl
import pytest

from hean_pipelines.defs.quality import judges
from hean_pipelines.defs.quality.checks import quality_definitions
from hean_pipelines.resources.lake import NS_PER_DAY, Lake, schema_of
from hean_pipelines.resources.lake_schemas import DATASETS
from hean_pipelines.settings import load_settings

FIRST = date(2025, 3, 1)
SPAN = (FIRST, FIRST + timedelta(days=2))
MIDNIGHT = (FIRST - date(1970, 1, 1)).days * NS_PER_DAY


def _write(lake: Lake, dataset: str, symbol: str, **columns: object) -> None:
    declared = DATASETS[dataset]
    times = np.asarray(columns[declared.time])
    filler = {"i64": 0, "f64": 1.0, "str": "x"}
    values = {name: columns.get(name, filler[kind]) for name, kind in declared.columns.items()}
    values |= {"symbol": symbol, "available_at": times}
    frame = pl.DataFrame(
        {name: pl.Series(name, np.resize(value, len(times))) for name, value in values.items()}
    )
    frame = frame.cast(dict(schema_of(declared)))
    for day in range((times.max() - MIDNIGHT) // NS_PER_DAY + 1):
        start = MIDNIGHT + day * NS_PER_DAY
        part = frame.filter(pl.col(declared.time).is_between(start, start + NS_PER_DAY - 1))
        if part.height:
            lake.write_partition(dataset, symbol, FIRST + timedelta(days=int(day)), part)


def _bars(seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    ts = MIDNIGHT + np.arange(3 * 288, dtype=np.int64) * judges.BAR_NS
    return ts, 100 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 1e-3, len(ts))))


@pytest.mark.parametrize(
    ("hours", "factor", "words"),
    [
        (0, 1.0, ""),
        (3, 1.0, "stamps -3 h apart"),
        (0, 0.001, "another unit, ratio 1000"),
        (0, 1.05, "beyond the tolerance"),
    ],
)
def test_bars_of_two_venues(tmp_path: Path, hours: int, factor: float, words: str):
    lake, (ts, close) = Lake(tmp_path), _bars()
    _write(lake, "raw_bybit__5m_perp_klines", "BTCUSDT", ts=ts, close=close)
    _write(
        lake, "raw_binance__5m_perp_klines", "BTCUSDT", ts=ts + hours * judges.HOUR_NS, close=close * factor
    )
    outcome = judges.klines_of_two_venues(lake, (SPAN[0], SPAN[1] + timedelta(days=1)))
    assert outcome.passed == (words == "")
    assert words in outcome.description
    assert outcome.warn == (words in ("", "beyond the tolerance"))


def test_funding_of_two_venues(tmp_path: Path):
    lake = Lake(tmp_path)
    ts = MIDNIGHT + np.arange(60, dtype=np.int64) * judges.HOUR_NS
    rate = np.random.default_rng(1).normal(0, 1e-4, len(ts))
    _write(lake, "raw_bybit__settlement_funding", "BTCUSDT", ts=ts, funding_rate=rate)
    _write(lake, "raw_binance__settlement_funding", "BTCUSDT", ts=ts + 7_000_000, funding_rate=rate)
    assert judges.funding_of_two_venues(lake, SPAN).passed
    _write(lake, "raw_binance__settlement_funding", "BTCUSDT", ts=ts + 3 * judges.HOUR_NS, funding_rate=rate)
    outcome = judges.funding_of_two_venues(lake, SPAN)
    assert not outcome.passed
    assert "-3 h apart" in outcome.description


def test_files_against_rest(tmp_path: Path):
    lake = Lake(tmp_path)
    ts = MIDNIGHT + np.arange(2880, dtype=np.int64) * 30 * 10**9
    price = 100 + np.arange(2880) % 7
    ids = [str(i) for i in range(2880)]
    _write(lake, "raw_bybit__trades", "BTCUSDT", ts=ts, price=price, size=0.5, side=1, trade_id=ids)
    bars = ts[::10]
    _write(lake, "raw_bybit__5m_perp_klines", "BTCUSDT", ts=bars, close=price[9::10], volume=5.0)
    assert judges.trades_against_bars(lake, SPAN).passed
    _write(
        lake,
        "raw_bybit__5m_perp_klines",
        "BTCUSDT",
        ts=bars,
        close=price[9::10],
        volume=np.where(bars == bars[3], 6.0, 5.0),
    )
    outcome = judges.trades_against_bars(lake, SPAN)
    assert (outcome.passed, outcome.warn) == (False, True)
    assert "volume: they differ" in outcome.description
    assert outcome.metadata["series"]["BTCUSDT 2025-03-01 volume"]["beyond"] == 1


@pytest.mark.parametrize("in_contracts", [False, True])
def test_contracts_passed_off_as_coins(tmp_path: Path, in_contracts: bool):
    lake, ts = Lake(tmp_path), np.array([MIDNIGHT])
    for coin, value, coins in (("BTC", 0.01, 20_000.0), ("DOGE", 1000.0, 5e8)):
        stated = coins / value if in_contracts else coins
        _write(lake, "raw_okx__snapshot_open_interest", f"{coin}-USDT-SWAP", seen_at=ts, coins=stated)
        _write(lake, "raw_okx__snapshot_instruments", f"{coin}-USDT-SWAP", seen_at=ts, contract_value=value)
        _write(lake, "raw_binance__5m_open_interest", f"{coin}USDT", ts=ts, open_interest=coins * 2)
    assert judges.okx_in_coins(lake, SPAN).passed != in_contracts


def test_holes_of_all_symbols(tmp_path: Path):
    lake, (ts, close) = Lake(tmp_path), _bars()
    for symbol, own in (("A", 5), ("B", 50)):
        kept = ~np.isin(np.arange(len(ts)), [own, 100, 101])
        _write(lake, "raw_bybit__5m_perp_klines", symbol, ts=ts[kept], close=close[kept])
    outcome = judges.holes_of_the_venue(lake, "raw_bybit__5m_perp_klines", SPAN)
    assert not outcome.passed
    assert outcome.metadata["outages"] == ["2025-03-01T08:20Z to 2025-03-01T08:30Z, 2 bars"]


def test_one_side_alone_passes_and_says_so(tmp_path: Path):
    for judge in (
        judges.klines_of_two_venues,
        judges.funding_of_two_venues,
        judges.trades_against_bars,
        judges.okx_in_coins,
    ):
        outcome = judge(Lake(tmp_path), SPAN)
        assert outcome.passed
        assert "nothing to compare" in outcome.description


def test_checks_run_in_dagster(tmp_path: Path):
    settings = load_settings(home=tmp_path)
    lake, (ts, close) = Lake(settings.lake_root), _bars()
    _write(lake, "raw_bybit__5m_perp_klines", "BTCUSDT", ts=ts, close=close)
    _write(lake, "raw_binance__5m_perp_klines", "BTCUSDT", ts=ts, close=close * 2e-3)
    definitions = quality_definitions(settings)
    job = dg.define_asset_job("checks", selection=dg.AssetSelection.all_asset_checks())
    raw = [
        dg.AssetSpec(key)
        for key in sorted(
            {check.asset_key for each in definitions.asset_checks for check in each.check_specs}
        )
    ]
    merged = dg.Definitions.merge(definitions, dg.Definitions(assets=raw, jobs=[job]))
    result = merged.resolve_job_def("checks").execute_in_process()
    found = {
        (each.asset_key.to_user_string(), each.check_name): (each.passed, each.severity)
        for each in result.get_asset_check_evaluations()
    }
    assert len(found) == 6
    assert found["raw_bybit__5m_perp_klines", "agrees_with_binance"] == (False, dg.AssetCheckSeverity.ERROR)
    assert found["raw_bybit__trades", "agrees_with_klines"][0]
