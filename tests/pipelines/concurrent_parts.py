"""The processes that meet in a home: `python -m tests.pipelines.concurrent_parts WHAT …`, settings from the environment.

Each prints a line when it is at work, and ends with an error of its own if it meets a lock, half a file or anything else.
"""

from __future__ import annotations

import sys
import time
from datetime import date
from pathlib import Path

import dagster as dg

from hean_pipelines.jobs import run_selection
from hean_pipelines.settings import load_settings

DAYS = (date(2025, 1, 1), date(2025, 1, 4))
TABLES = (
    "mart_bybit__funding_panel",
    "mart_bybit__bar_premium",
    "mart_coverage__symbol_day",
    "mart_hean__events",
)
"""What is built, with all it stands on: tables made whole and day by day, of market data and of the journal. Every table more
is another step that starts and ends, and no other way to meet."""


def ingest(times: str) -> None:
    """Fetch all market data, again and again, recorded in the home's Dagster instance."""
    settings = load_settings()
    for _ in range(int(times)):
        result = run_selection(settings, dg.AssetSelection.groups("market_data"), days=DAYS)
        print("ingested", result.run_id, flush=True)


def learn(times: str) -> None:
    """Copy the journal into the lake and build tables that stand on it and on market data."""
    settings = load_settings()
    built = dg.AssetSelection.assets(*TABLES).upstream() & dg.AssetSelection.groups(
        "staging", "intermediate", "marts"
    )
    for _ in range(int(times)):
        run_selection(settings, dg.AssetSelection.groups("own_activity"), days=DAYS)
        result = run_selection(settings, built)
        print("learned", result.run_id, flush=True)


def execute(path: str, stop: str) -> None:
    """Write the journal as the executor does, until the file `stop` is there."""
    from hean_live.execution.journal import Journal

    journal = Journal(Path(path))
    at_ns = 1_735_700_000 * 10**9
    print("executing", flush=True)
    while not Path(stop).exists():
        with journal.transaction():
            journal.stamp(at_ns, time.time_ns())
            journal.event("tick", {"at": at_ns})
        assert journal.events("tick")[-1]["at"] == at_ns
        at_ns += 10**9
        time.sleep(0.02)
    journal.close()


def read(lake: str, stop: str) -> None:
    """Read partitions and marts as a notebook does, every file that is there, until `stop` is there."""
    import duckdb
    import polars as pl

    print("reading", flush=True)
    looks = 0
    while not Path(stop).exists():
        for path in sorted(Path(lake).rglob("data.parquet")):
            assert pl.read_parquet(path, hive_partitioning=False).height > 0, path
        for path in sorted((Path(lake) / "marts").glob("*.parquet")):
            duckdb.sql(f"select count(*) from read_parquet('{path}')").fetchall()
        looks += 1
        time.sleep(0.1)
    print("looks", looks, flush=True)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
