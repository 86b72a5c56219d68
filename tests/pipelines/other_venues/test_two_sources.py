"""A day that the testnet's REST tells and a published file holds: where they agree nothing is said, a difference is reported."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from hean_pipelines.defs.archives.specs import Archive, archive_specs
from hean_pipelines.defs.other_venues import clients
from hean_pipelines.defs.other_venues.history import VenueReport, ingest_venue
from hean_pipelines.defs.other_venues.specs import venue_histories
from hean_pipelines.quality.two_sources import difference
from hean_pipelines.resources.lake import Lake
from hean_pipelines.resources.lake_schemas import DATASETS
from hean_pipelines.settings import load_settings
from hean_pipelines.sources.archives import ArchiveFetcher
from tests.local_testnet.server import RunningTestnet, start_testnet
from tests.pipelines.market_data.archive_tree import served, write_zip

BARS = "raw_binance__5m_perp_klines"
DAY = date(2025, 1, 2)


@pytest.fixture(scope="module")
def net() -> Iterator[RunningTestnet]:
    with start_testnet(("BTCUSDT",), days=4) as testnet:
        yield testnet


def ingest(net: RunningTestnet, home: Path, files: str, *, with_files: bool) -> tuple[Lake, VenueReport]:
    settings = load_settings(home=home, binance_url=net.base_url, binance_archive_url=files)
    spec = next(spec for spec in venue_histories() if spec.history.dataset.name == BARS)
    archive: Archive = next(each for each in archive_specs(settings) if each.dataset.name == BARS)
    lake = Lake(settings.lake_root)
    with clients.binance(settings) as client:
        fetcher = ArchiveFetcher(client.http, home / "archives")
        report = ingest_venue(
            spec, client, lake, ["BTCUSDT"], DAY, DAY, archive=(archive, fetcher) if with_files else None
        )
    assert report.failed == {}
    return lake, report


def publish(site: Path, bars: pl.DataFrame) -> None:
    """Write the day as Binance publishes it: no header, times in ms, volume and turnover of takers' purchases."""
    lines = [
        f"{row['ts'] // 10**6},{row['open']!r},{row['high']!r},{row['low']!r},{row['close']!r},{row['volume']!r},"
        f"{row['ts'] // 10**6 + 299_999},{row['turnover']!r},10,{row['taker_buy_volume']!r},1,0"
        for row in bars.iter_rows(named=True)
    ]
    write_zip(site / f"data/futures/um/daily/klines/BTCUSDT/5m/BTCUSDT-5m-{DAY}.zip", lines)


@pytest.mark.parametrize("planted", [False, True])
def test_a_planted_difference_is_reported_and_the_file_takes_the_day(net, tmp_path, planted, caplog):
    site = tmp_path / "site"
    site.mkdir()
    with served(site) as files:
        lake, _ = ingest(net, tmp_path, files, with_files=False)
        by_rest = lake.read_partition(BARS, "BTCUSDT", DAY)
        assert by_rest.height == 288
        published = by_rest
        if planted:
            published = by_rest.with_columns(
                close=pl.when(pl.int_range(pl.len()) == 100).then(pl.col("close") * 1.001).otherwise("close")
            )[:-2]
        publish(site, published)
        lake, report = ingest(net, tmp_path, files, with_files=True)
        assert report.files is not None
        assert report.files.files == 1
        assert lake.read_partition(BARS, "BTCUSDT", DAY).equals(published)
        if not planted:
            assert report.files.differs_from_rest == {}
            return
        words = report.files.differs_from_rest["BTCUSDT 2025-01-02"]
        assert words.startswith(
            "2 rows by REST only, close differs in 1 rows (first: close at 2025-01-02 08:20"
        )
        assert any("file and REST differ" in message for message in caplog.messages)
        # A file against its own former version is another matter: nothing is said the second time.
        (lake.partition_path(BARS, "BTCUSDT", DAY).with_name("source.json")).write_text("{}")
        _, again = ingest(net, tmp_path, files, with_files=True)
        assert again.files is not None
        assert again.files.differs_from_rest == {}


def test_empty_cells_are_not_compared_and_last_digits_do_not_count():
    dataset = DATASETS["raw_binance__settlement_funding"]
    columns = {"ts": [8], "symbol": ["A"], "funding_rate": [0.1], "mark_price": [5.0], "interval_h": [None]}
    schema = {"mark_price": pl.Float64, "interval_h": pl.Float64}
    rest = pl.DataFrame(columns | {"available_at": [8]}, schema_overrides=schema)
    file = rest.with_columns(
        funding_rate=pl.col("funding_rate") * (1 + 1e-12),
        mark_price=pl.lit(None, dtype=pl.Float64),
        interval_h=pl.lit(8.0),
    )
    assert difference(rest, file, dataset).words == ""
    other = file.with_columns(funding_rate=pl.lit(0.2))
    assert "funding_rate differs in 1 rows" in difference(rest, other, dataset).words
    assert difference(rest.head(0), file, dataset).words == "1 rows in the file only"
