"""Checks over the lake: which days they judge, and that they see what is wrong in the files."""

from datetime import date, timedelta
from pathlib import Path

import polars as pl

from hean_pipelines.defs.market_data.check_assets import check_names, evaluated_days, judge
from hean_pipelines.resources.lake import Lake, schema_of
from hean_pipelines.resources.lake_schemas import DATASETS

NAME = "raw_bybit__5m_open_interest"
DATASET = DATASETS[NAME]
DAY = date(2025, 3, 10)
DAY_NS = 86_400 * 10**9


def write(lake: Lake, day: date, minutes: range, value: float = 5.0, symbol: str = "BTCUSDT") -> Path:
    midnight = (day - date(1970, 1, 1)).days * DAY_NS
    ts = [midnight + minute * 60 * 10**9 for minute in minutes]
    columns = {"ts": ts, "symbol": [symbol] * len(ts), "open_interest": [value] * len(ts), "available_at": ts}
    return lake.write_partition(NAME, symbol, day, pl.DataFrame(columns, schema=schema_of(DATASET)))


def venue_time(day: date, minutes: int) -> int:
    return (day - date(1970, 1, 1)).days * DAY_NS + minutes * 60 * 10**9


def test_days_judged_are_the_runs_own_or_the_newest_thirty(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    assert evaluated_days(lake, NAME, {}) is None
    write(lake, DAY, range(0, 1440, 5))
    assert evaluated_days(lake, NAME, {}) == (DAY - timedelta(days=29), DAY)
    assert evaluated_days(lake, NAME, {"dagster/partition": "2025-03-01"}) == (
        date(2025, 3, 1),
        date(2025, 3, 1),
    )
    tags = {
        "dagster/asset_partition_range_start": "2021-01-01",
        "dagster/asset_partition_range_end": "2025-03-10",
    }
    assert evaluated_days(lake, NAME, tags) == (date(2024, 3, 10), DAY)


def test_good_days_pass(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    for back in range(3):
        write(lake, DAY - timedelta(days=back), range(0, 1440, 5))
    outcomes = judge(lake, DATASET, (DAY - timedelta(days=2), DAY), venue_time(DAY, 1440))
    assert (
        set(outcomes)
        == set(check_names(DATASET))
        == {"gaps", "duplicates", "order", "out_of_range", "freshness"}
    )
    assert all(outcome.passed for outcome in outcomes.values())


def test_hole_at_midnight_between_two_partitions_is_seen(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    write(lake, DAY - timedelta(days=1), range(0, 1430, 5))
    write(lake, DAY, range(0, 1440, 5))
    outcome = judge(lake, DATASET, (DAY, DAY), None)["gaps"]
    assert not outcome.passed
    assert outcome.metadata["missing"] == 2


def test_one_bad_symbol_among_good_ones_fails_the_check(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    write(lake, DAY, range(0, 1440, 5), symbol="ETHUSDT")
    write(lake, DAY, range(0, 1440, 5), value=-1.0)
    outcome = judge(lake, DATASET, (DAY, DAY), None)["out_of_range"]
    assert not outcome.passed
    assert outcome.metadata["examples"][0]["symbol"] == "BTCUSDT"
    assert outcome.metadata["rows"] == 576


def test_files_tampered_with_are_seen(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    path = write(lake, DAY, range(0, 1440, 5))
    frame = pl.read_parquet(path, hive_partitioning=False)
    pl.concat([frame, frame.tail(1), frame.head(1)]).write_parquet(path)
    outcomes = judge(lake, DATASET, (DAY, DAY), None)
    assert not outcomes["duplicates"].passed
    assert not outcomes["order"].passed


def test_freshness_is_by_the_venues_clock_and_only_for_its_today(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    write(lake, DAY, range(0, 600, 5))
    span = (DAY, DAY)
    assert judge(lake, DATASET, span, venue_time(DAY, 605))["freshness"].passed
    late = judge(lake, DATASET, span, venue_time(DAY, 700))["freshness"]
    assert not late.passed
    assert late.warn
    assert judge(lake, DATASET, span, venue_time(DAY + timedelta(days=3), 0))["freshness"].passed
    assert judge(lake, DATASET, span, None)["freshness"].passed
    assert not judge(lake, DATASET, None, venue_time(DAY, 0))["freshness"].passed


def test_one_stale_symbol_makes_the_dataset_stale(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    write(lake, DAY, range(0, 600, 5))
    write(lake, DAY, range(0, 300, 5), symbol="ETHUSDT")
    assert not judge(lake, DATASET, (DAY, DAY), venue_time(DAY, 605))["freshness"].passed


def test_funding_rates_are_held_against_the_snapshots_in_the_lake(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    midnight = venue_time(DAY, 0)
    instruments = DATASETS["raw_bybit__snapshot_instruments"]
    row = {
        name: 1 if kind == "i64" else 1.0 if kind == "f64" else "x"
        for name, kind in instruments.columns.items()
    }
    row |= {
        "seen_at": midnight,
        "symbol": "BTCUSDT",
        "upper_funding_rate": 0.001,
        "lower_funding_rate": -0.001,
    }
    lake.write_partition(instruments.name, "BTCUSDT", DAY, pl.DataFrame([row], schema=schema_of(instruments)))
    funding = DATASETS["raw_bybit__settlement_funding"]
    for rate, fine in ((0.001, True), (0.002, False)):
        ts = [midnight + 8 * 3600 * 10**9]
        columns = {"ts": ts, "symbol": ["BTCUSDT"], "funding_rate": [rate], "available_at": ts}
        lake.write_partition(funding.name, "BTCUSDT", DAY, pl.DataFrame(columns, schema=schema_of(funding)))
        assert judge(lake, funding, (DAY, DAY), None)["caps"].passed is fine
