"""From a published file to the lake: formats, mending, refusing, resuming. Files and server are real."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from hean_pipelines.defs.archives.ingest import ArchiveReport, ingest_archives, split
from hean_pipelines.defs.archives.specs import Archive, archive_specs
from hean_pipelines.resources.lake import Lake
from hean_pipelines.settings import load_settings
from hean_pipelines.sources.archives import ArchiveFetcher
from hean_pipelines.sources.http import PoliteHttp
from tests.pipelines.market_data.archive_tree import agg_day, bybit_day, served, write_zip

DAY = date(2025, 1, 2)
MIDNIGHT_NS = 1_735_776_000 * 10**9
TRADES = "raw_bybit__trades"


@pytest.fixture
def site(tmp_path) -> Iterator[tuple[Path, str]]:
    folder = tmp_path / "site"
    folder.mkdir()
    with served(folder) as url:
        yield folder, url


def spec(url: str, dataset: str) -> Archive:
    settings = load_settings(bybit_archive_url=url, binance_archive_url=url)
    return next(spec for spec in archive_specs(settings) if spec.dataset.name == dataset)


def ingest(
    tmp_path: Path, url: str, dataset: str, first: date = DAY, last: date = DAY
) -> tuple[Lake, ArchiveReport]:
    http = PoliteHttp(backoff_s=0.01, max_attempts=2)
    lake = Lake(tmp_path / "lake")
    fetcher = ArchiveFetcher(http, tmp_path / "archives", sleep=lambda _: None)
    report = ingest_archives(spec(url, dataset), fetcher, lake, ["BTCUSDT"], first, last)
    http.close()
    return lake, report


def test_bybit_trades_keep_their_order_sides_and_exact_times(tmp_path, site):
    folder, url = site
    rows = ["0.1385,Buy,0.5,100.1,b", "0.1385,Sell,0.25,100.0,a", "86399.9999,Sell,1,99.9,c"]
    bybit_day(folder, "2025-01-02", rows)
    lake, report = ingest(tmp_path, url, TRADES)
    frame = lake.read_partition(TRADES, "BTCUSDT", DAY)
    assert frame["trade_id"].to_list() == ["b", "a", "c"]
    assert frame["side"].to_list() == [1, -1, -1]
    assert frame["ts"].to_list() == [
        MIDNIGHT_NS + 138_500_000,
        MIDNIGHT_NS + 138_500_000,
        MIDNIGHT_NS + 86_399_999_900_000,
    ]
    assert (report.findings.rows, report.failed, report.findings.mended) == (3, {}, [])
    assert not list((tmp_path / "archives").rglob("*.gz"))


def test_a_file_without_header_is_read_the_same(tmp_path, site):
    folder, url = site
    bybit_day(folder, "2025-01-02", ["1,Buy,0.5,100.1,b"], header=False)
    lake, _ = ingest(tmp_path, url, TRADES)
    assert lake.read_partition(TRADES, "BTCUSDT", DAY)["price"].to_list() == [100.1]


def test_disorder_repeats_and_strays_are_mended_and_counted(tmp_path, site):
    folder, url = site
    rows = ["5,Buy,1,100,a", "3,Sell,1,101,b", "5,Buy,1,100,a", "86401,Buy,1,100,z", "9,Buy,1,150,d"]
    bybit_day(folder, "2025-01-02", rows)
    lake, report = ingest(tmp_path, url, TRADES)
    assert lake.read_partition(TRADES, "BTCUSDT", DAY)["trade_id"].to_list() == ["b", "a", "d"]
    found = report.findings
    assert (found.out_of_order, found.repeated, found.outside_day, found.jumps) == (2, 1, 1, 1)
    assert found.mended == ["repeats left out", "sorted by time"]


def test_a_file_of_another_time_zone_is_refused_and_nothing_is_stored(tmp_path, site):
    folder, url = site
    bybit_day(folder, "2025-01-02", [f"{86_400 + i},Buy,1,100,{i}" for i in range(9)])
    lake, report = ingest(tmp_path, url, TRADES)
    assert "time zone" in report.failed["BTCUSDT 2025-01-02"]
    assert lake.dates(TRADES, "BTCUSDT") == []


@pytest.mark.parametrize("row", ["1,Buy,0,100,a", "1,Buy,1,-5,a", "1,Hold,1,100,a"])
def test_impossible_rows_are_refused(tmp_path, site, row):
    folder, url = site
    bybit_day(folder, "2025-01-02", [row])
    _, report = ingest(tmp_path, url, TRADES)
    assert list(report.failed) == ["BTCUSDT 2025-01-02"]


def test_a_run_goes_on_where_the_last_one_stopped_and_a_changed_file_replaces_its_day(tmp_path, site):
    folder, url = site
    bybit_day(folder, "2025-01-02", ["1,Buy,1,100,a"])
    _, first = ingest(tmp_path, url, TRADES, date(2025, 1, 1), date(2025, 1, 3))
    assert (first.files, first.not_published) == (1, ["BTCUSDT 2025-01-01", "BTCUSDT 2025-01-03"])
    bybit_day(folder, "2025-01-03", ["2,Sell,1,100,b"])
    lake, second = ingest(tmp_path, url, TRADES, date(2025, 1, 1), date(2025, 1, 3))
    assert (second.files, second.unchanged) == (1, 1)
    path = folder / "trading/BTCUSDT/BTCUSDT2025-01-02.csv.gz"
    bybit_day(folder, "2025-01-02", ["1,Buy,1,100,a", "4,Buy,2,100,c"])
    import os

    os.utime(path, (2e9, 2e9))
    lake, third = ingest(tmp_path, url, TRADES, DAY, DAY)
    assert third.files == 1
    assert lake.row_count(TRADES, ["BTCUSDT"], DAY, DAY) == 2


def test_running_twice_gives_the_same_bytes(tmp_path, site):
    folder, url = site
    bybit_day(folder, "2025-01-02", [f"{i},Buy,1,100,{i}" for i in range(1000)])
    lake, _ = ingest(tmp_path, url, TRADES)
    path = lake.partition_path(TRADES, "BTCUSDT", DAY)
    before = path.read_bytes()
    path.with_name("source.json").unlink()
    ingest(tmp_path, url, TRADES)
    assert path.read_bytes() == before


def test_binance_aggregated_trades_with_and_without_header(tmp_path, site):
    folder, url = site
    ms = MIDNIGHT_NS // 10**6
    rows = [f"7,100.5,0.5,1,2,{ms + 1},true", f"8,100.6,0.1,3,3,{ms + 5},false"]
    agg_day(folder, "2025-01-02", rows)
    lake, report = ingest(tmp_path, url, "raw_binance__agg_trades")
    frame = lake.read_partition("raw_binance__agg_trades", "BTCUSDT", DAY)
    assert frame["side"].to_list() == [-1, 1]  # the buyer was the maker: a taker sold
    assert frame["ts"].to_list() == [MIDNIGHT_NS + 10**6, MIDNIGHT_NS + 5 * 10**6]
    assert report.unverified == 0
    agg_day(folder, "2025-01-02", rows, header=False)
    lake, report = ingest(tmp_path, url, "raw_binance__agg_trades")
    assert report.files == 1
    assert lake.read_partition("raw_binance__agg_trades", "BTCUSDT", DAY).equals(frame)


def test_metrics_come_in_any_order_with_blank_cells(tmp_path, site):
    folder, url = site
    header = (
        "create_time,symbol,sum_open_interest,sum_open_interest_value,count_toptrader_long_short_ratio,"
        "sum_toptrader_long_short_ratio,count_long_short_ratio,sum_taker_long_short_vol_ratio"
    )
    rows = [
        header,
        "2025-01-02 00:10:00,BTCUSDT,10,1000,1.5,1.2,,0.9",
        "2025-01-02 00:05:00,BTCUSDT,9,900,1.4,1.1,2.0,0.8",
    ]
    write_zip(folder / "data/futures/um/daily/metrics/BTCUSDT/BTCUSDT-metrics-2025-01-02.zip", rows)
    lake, report = ingest(tmp_path, url, "raw_binance__5m_metrics")
    frame = lake.read_partition("raw_binance__5m_metrics", "BTCUSDT", DAY)
    assert frame["ts"].to_list() == [MIDNIGHT_NS + 300 * 10**9, MIDNIGHT_NS + 600 * 10**9]
    assert frame["account_ratio"].to_list() == [2.0, None]
    assert report.findings.blanks == 1


def test_spot_bars_in_microseconds_and_futures_bars_in_milliseconds(tmp_path, site):
    folder, url = site
    row = "{t},100,101,99,100.5,5,{t},500,7,2,200,0"
    for base, unit in (("data/spot/daily", 10**6), ("data/futures/um/daily", 10**3)):
        lines = [row.format(t=(MIDNIGHT_NS // 10**9 + 300 * i) * unit) for i in range(3)]
        write_zip(folder / base / "klines/BTCUSDT/5m/BTCUSDT-5m-2025-01-02.zip", lines)
    for dataset in ("raw_binance__5m_spot_klines", "raw_binance__5m_perp_klines"):
        lake, report = ingest(tmp_path, url, dataset)
        frame = lake.read_partition(dataset, "BTCUSDT", DAY)
        assert frame["ts"].to_list() == [MIDNIGHT_NS + 300 * 10**9 * i for i in range(3)]
        assert frame["available_at"][0] == MIDNIGHT_NS + 300 * 10**9
        assert report.failed == {}


def test_a_month_of_fundings_becomes_its_days(tmp_path, site):
    folder, url = site
    rows = ["calc_time,funding_interval_hours,last_funding_rate"]
    rows += [f"{MIDNIGHT_NS // 10**6 + i * 28_800_000 + 3},8,0.0001" for i in range(6)]
    write_zip(folder / "data/futures/um/monthly/fundingRate/BTCUSDT/BTCUSDT-fundingRate-2025-01.zip", rows)
    lake, report = ingest(tmp_path, url, "raw_binance__settlement_funding")
    assert report.days_written == 2
    assert (
        lake.read_partition("raw_binance__settlement_funding", "BTCUSDT", DAY)["interval_h"].to_list()
        == [8.0] * 3
    )


def test_depth_bands_of_both_label_styles_are_the_same_band(tmp_path, site):
    folder, url = site
    rows = [
        "timestamp,percentage,depth,notional",
        "2025-01-02 00:00:30,-5,10,1000",
        "2025-01-02 00:01:00,-5.00,11,1100",
    ]
    write_zip(folder / "data/futures/um/daily/bookDepth/BTCUSDT/BTCUSDT-bookDepth-2025-01-02.zip", rows)
    lake, _ = ingest(tmp_path, url, "raw_binance__book_depth_bands")
    assert lake.read_partition("raw_binance__book_depth_bands", "BTCUSDT", DAY)["band_pct"].to_list() == [
        -5.0,
        -5.0,
    ]


def test_a_damaged_zip_and_a_changed_format_are_named(tmp_path, site):
    folder, url = site
    path = folder / "data/futures/um/daily/aggTrades/BTCUSDT/BTCUSDT-aggTrades-2025-01-02.zip"
    write_zip(path, ["something,else", "1,2"])
    _, report = ingest(tmp_path, url, "raw_binance__agg_trades")
    assert "expected columns" in report.failed["BTCUSDT 2025-01-02"]
    path.write_bytes(path.read_bytes()[:40])
    path.with_name(path.name + ".CHECKSUM").unlink()
    _, report = ingest(tmp_path, url, "raw_binance__agg_trades")
    assert "damaged" in report.failed["BTCUSDT 2025-01-02"]


def test_months_are_asked_for_once(site):
    _, url = site
    pieces = list(
        split(spec(url, "raw_binance__settlement_funding"), ["A", "B"], date(2024, 12, 30), date(2025, 2, 1))
    )
    assert [piece.name for piece in pieces[:3]] == ["A 2024-12-01", "A 2025-01-01", "A 2025-02-01"]
    assert len(pieces) == 6
