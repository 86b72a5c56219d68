"""Snapshots of contracts and tickers: one row per moment, only for the venue's today."""

from datetime import date
from pathlib import Path

from hean_pipelines.defs.market_data.snapshots import ingest_snapshot
from hean_pipelines.resources.lake import Lake
from tests.local_testnet.server import RunningTestnet, start_testnet
from tests.pipelines.market_data.support import NS_PER_MS, client_of, fingerprint

TICKERS = "raw_bybit__snapshot_tickers"
INSTRUMENTS = "raw_bybit__snapshot_instruments"
SYMBOLS = ("BTCUSDT", "ETHUSDT")
TODAY = date(2025, 1, 4)


def take(net: RunningTestnet, lake: Lake, name: str, symbols=SYMBOLS, first=date(2025, 1, 1), last=TODAY):
    with client_of(net.base_url) as client:
        return ingest_snapshot(name, client, lake, symbols, first, last)


def test_snapshots_accumulate_as_the_clock_moves_and_not_while_it_stands(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    with start_testnet(symbols=SYMBOLS, days=3) as net:
        for name in (TICKERS, INSTRUMENTS):
            take(net, lake, name)
        once = fingerprint(tmp_path)
        for name in (TICKERS, INSTRUMENTS):
            take(net, lake, name)
        assert fingerprint(tmp_path) == once
        first_ns = net.now_ms * NS_PER_MS
        net.advance(hours=1)
        report = take(net, lake, TICKERS)
        take(net, lake, INSTRUMENTS)
    assert report.rows == {"BTCUSDT": 2, "ETHUSDT": 2}
    assert lake.dates(TICKERS, "BTCUSDT") == [TODAY]
    tickers = lake.scan(TICKERS, ["BTCUSDT"]).collect()
    assert tickers["seen_at"].to_list() == [first_ns, first_ns + 3600 * 10**9]
    assert tickers["available_at"].to_list() == tickers["seen_at"].to_list()
    assert (tickers["next_funding_ts"] > tickers["seen_at"]).all()
    assert (tickers["bid1_price"] < tickers["ask1_price"]).all()
    contracts = lake.scan(INSTRUMENTS, ["BTCUSDT"]).collect()
    assert contracts["funding_interval_min"].to_list() == [480, 480]
    assert (contracts["upper_funding_rate"] == -contracts["lower_funding_rate"]).all()
    assert contracts["tick_size"][0] > 0


def test_days_before_the_venues_today_get_nothing(tmp_path: Path) -> None:
    with start_testnet(symbols=SYMBOLS, days=3) as net:
        report = take(net, Lake(tmp_path), TICKERS, last=date(2025, 1, 3))
    assert report.days_written == 0
    assert not list(tmp_path.rglob("*.parquet"))


def test_unknown_symbol_is_skipped(tmp_path: Path) -> None:
    with start_testnet(symbols=SYMBOLS, days=3) as net:
        report = take(net, Lake(tmp_path), INSTRUMENTS, symbols=("NOPEUSDT", "ETHUSDT"))
    assert list(report.skipped) == ["NOPEUSDT"]
    assert report.rows == {"ETHUSDT": 1}
