"""Benchmark of the data road: published files to the lake, a light year through Dagster, the warehouse.

    python -m benchmarks.data [--quick]

prints one JSON object. Keys the project's goals name:

- ``archive_rows_per_s``, ``archive_mb_per_s``: a synthetic day of trades in Bybit's daily format (``archive_rows`` rows; MB of
  compressed file), from the file on loopback to the lake with every check; beside ``polars_rows_per_s``: Polars reading the same
  file and writing Parquet with the same compression, nothing checked. ``ratio_polars`` is our time over Polars', the median of
  interleaved runs; ``ratio_polars_cpu`` the same in processor time of this process (the file's server runs in it and counts as
  ours), which a busy machine disturbs less. ``ratio_polars_streaming``: over Polars' streaming engine writing only our columns.
- ``growth_10x_time_ratio``, ``growth_30x_time_ratio``: time of 10 and 30 such (smaller) days over 10 and 30 times that of one;
  ``growth_30x_memory_ratio``: peak memory of 30 days over that of one, each in a process of its own.
- ``year_10_symbols_s``: light datasets through Dagster (quick: fewer days and symbols, see ``light_days``), with
  ``network_s``, ``parse_s``, ``write_s``, ``checks_s``, and ``dagster_overhead_share``: what is left of the wall time.
- ``warehouse_rebuild_s``: every table made from that lake; ``mart_query_ms`` beside ``parquet_scan_ms``: the mean funding rate by
  symbol from the mart and from the raw files.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from benchmarks.data_archives import FIRST, SYMBOL, archive, ours, served, write_day
from benchmarks.road import END, LIGHT, testnet


def growth(folder: Path, rows: int) -> dict[str, Any]:
    """Days of equal size: 1, 10 and 30, each count in a process of its own."""
    site = folder / "growth"
    for offset in range(30):
        day = FIRST + timedelta(offset)
        write_day(site / "trading" / SYMBOL / f"{SYMBOL}{day}.csv.gz", day, rows, offset)
    times, peaks = {}, {}
    with served(site) as url:
        for days in (1, 10, 30):
            command = [
                sys.executable,
                "-m",
                "benchmarks.data",
                "--days-of",
                url,
                str(days),
                str(folder / f"g{days}"),
            ]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            times[days], peaks[days] = json.loads(done.stdout)
    return {
        "growth_rows_per_day": rows,
        "growth_10x_time_ratio": round(times[10] / (10 * times[1]), 3),
        "growth_30x_time_ratio": round(times[30] / (30 * times[1]), 3),
        "growth_30x_memory_ratio": round(peaks[30] / peaks[1], 3),
        "growth_30x_peak_mb": round(peaks[30] / 1024, 1),
    }


def days_of(url: str, days: int, home: Path) -> None:
    """Print seconds and peak kB of an ingest of `days` days, after one day that warms the libraries."""
    ours(url, home / "warm", 1)
    seconds = ours(url, home / "measured", days)
    # Not getrusage: its peak is handed on by the parent, which may have been larger.
    status = Path("/proc/self/status").read_text().splitlines()
    peak_kb = next(int(row.split()[1]) for row in status if row.startswith("VmHWM:"))
    print(json.dumps([seconds, peak_kb]))


def through_dagster(folder: Path, symbols: list[str], days: int) -> dict[str, Any]:
    """Light datasets through the assets: where the wall time goes; then the warehouse."""
    from hean_pipelines.backfill import run_backfill
    from hean_pipelines.backfill_plan import plan_backfill
    from hean_pipelines.instance import open_instance
    from hean_pipelines.settings import load_settings

    home = folder / "light"
    environment = {**os.environ, "HEAN_HOME": str(home), "PYTHONPATH": os.getcwd()}
    with testnet(symbols, days + 1, environment) as ready:
        settings = load_settings(
            home=home, venue_url=ready["base_url"], universe=tuple(symbols), partitions_start=date(2023, 1, 1)
        )
        first, last = END - timedelta(days), END - timedelta(1)
        plan = plan_backfill(settings, first, last, symbols=tuple(symbols), datasets=LIGHT)
        started = time.perf_counter()
        result = run_backfill(settings, plan)
        wall = time.perf_counter() - started
    if not result.success:
        raise SystemExit(f"ingest failed: {result.errors}")
    with open_instance(settings) as instance:
        parts = _parts(instance, result.run_id)
    accounted = parts["asset_s"] + parts["checks_s"]
    return {
        "year_10_symbols_s": round(wall, 1) if days == 365 and len(symbols) == 10 else None,
        "light_days": days,
        "light_symbols": len(symbols),
        "light_rows": sum(row.rows for row in result.rows),
        "light_wall_s": round(wall, 2),
        **{name: round(parts[name], 2) for name in ("network_s", "parse_s", "write_s", "checks_s")},
        "dagster_overhead_share": round(max(0.0, 1.0 - accounted / wall), 4),
        **warehouse(settings),
    }


def _parts(instance: Any, run_id: str) -> dict[str, float]:
    parts = dict.fromkeys(("asset_s", "network_s", "parse_s", "write_s", "checks_s"), 0.0)
    seen: set[str] = set()
    began: dict[str, float] = {}
    for entry in instance.all_logs(run_id):
        event = entry.dagster_event
        if event is None:
            continue
        if event.event_type_value == "STEP_START":
            began[event.step_key] = entry.timestamp
        elif event.event_type_value == "STEP_SUCCESS" and "check" in event.step_key:
            parts["checks_s"] += entry.timestamp - began[event.step_key]
        elif event.event_type_value == "ASSET_MATERIALIZATION" and event.step_key not in seen:
            seen.add(event.step_key)
            values = {name: value.value for name, value in event.materialization.metadata.items()}
            parts["asset_s"] += float(values["seconds"])
            for name in ("network_s", "parse_s", "write_s"):
                parts[name] += float(values[name])
    return parts


def warehouse(settings: Any) -> dict[str, Any]:
    """Rebuild every table, then ask the mart and the raw files the same."""
    import duckdb

    command = [sys.executable, "-m", "hean_live.cli", "warehouse", "rebuild"]
    environment = {**os.environ, "HEAN_HOME": str(settings.home), "PYTHONPATH": os.getcwd()}
    started = time.perf_counter()
    subprocess.run(command, env=environment, capture_output=True, check=True)
    rebuilt = time.perf_counter() - started
    raw = settings.lake_root / "raw_bybit__settlement_funding" / "**" / "*.parquet"
    mart = settings.lake_root / "marts" / "mart_bybit__settlement_funding.parquet"
    times = {}
    with duckdb.connect() as connection:
        for name, path in (("mart_query_ms", mart), ("parquet_scan_ms", raw)):
            query = f"select symbol, avg(funding_rate) from read_parquet('{path}', hive_partitioning=false) group by 1"
            runs = []
            for _ in range(4):
                started = time.perf_counter()
                connection.execute(query).fetchall()
                runs.append(1000 * (time.perf_counter() - started))
            times[name] = round(statistics.median(runs[1:]), 2)
    return {"warehouse_rebuild_s": round(rebuilt, 2), **times}


def measure(quick: bool) -> dict[str, Any]:
    """Run everything and return the figures."""
    symbols = [
        "BTCUSDT",
        "ETHUSDT",
        "SOLUSDT",
        "XRPUSDT",
        "DOGEUSDT",
        "ADAUSDT",
        "LINKUSDT",
        "LTCUSDT",
        "WIFUSDT",
        "HYPEUSDT",
    ]
    with tempfile.TemporaryDirectory(prefix="hean-benchmark-") as name:
        folder = Path(name)
        out: dict[str, Any] = {"quick": quick}
        out |= archive(folder, 500_000 if quick else 5_000_000, 3)
        out |= growth(folder, 20_000 if quick else 300_000)
        out |= through_dagster(folder, symbols[: 2 if quick else 10], 30 if quick else 365)
    return out


def main() -> None:
    """Print the figures as one JSON object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="smaller sizes, within a minute")
    parser.add_argument("--days-of", nargs=3, metavar=("URL", "DAYS", "HOME"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.days_of:
        url, days, home = arguments.days_of
        days_of(url, int(days), Path(home))
        return
    print(json.dumps(measure(arguments.quick), indent=1))


if __name__ == "__main__":
    main()
