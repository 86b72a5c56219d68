"""Benchmark of the road: ingest, retrain, executor, definitions.

    python -m benchmarks.road [--quick]

prints one JSON object. Keys the project's goals name:

- ``year_5_symbols_s``: seconds to ingest a year × 5 symbols of funding, open interest, account ratio and 5-minute klines
  (perpetual and spot) from the local testnet through the Dagster assets, checks included; null with ``--quick``.
- ``ingest_rows_per_s``: rows per second of that ingest (quick: of 14 days × 2 symbols), beside ``fetch_only_rows_per_s``:
  klines and open interest fetched and decoded with requests alone, one page after another.
- ``retrain_s_1x``, ``_3x``, ``_10x``: seconds of the whole retrain job (marts, features, walk-forward, study, registry,
  promotion) on growing history; ``retrain_days_1x`` says how much 1x is.
- ``executor_idle_rss_mb``, ``executor_ready_s``: resident memory of `hean live` after a minute of polls (quick: some
  seconds) and the time from exec to its ready line, with a cached bundle and no registry; beside ``bare_pybit_rss_mb``:
  Python with pybit and LightGBM imported and nothing done.
- ``definitions_import_s``: seconds to import and build the Dagster definitions in a fresh interpreter, beside
  ``dagster_import_s``: importing dagster alone.
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
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

LIGHT = (
    "raw_bybit__settlement_funding",
    "raw_bybit__5m_open_interest",
    "raw_bybit__1h_account_ratio",
    "raw_bybit__5m_perp_klines",
    "raw_bybit__5m_spot_klines",
)
TRAINING = (*LIGHT[:3], "raw_bybit__1m_premium_index_klines", "raw_bybit__snapshot_instruments")
END = date(2025, 6, 1)


@contextmanager
def testnet(symbols: list[str], days: int, environment: dict[str, str]):
    """Serve a synthetic market whose clock stands at midnight of `END`; yields its ready line."""
    command = [sys.executable, "-m", "hean_live.cli", "testnet", "--port", "0", "--speed", "0"]
    command += [
        "--symbols",
        ",".join(symbols),
        "--now",
        END.isoformat(),
        "--days",
        str(days),
        "--equity",
        "500",
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(10)


def ingest(
    home: Path, url: str, symbols: list[str], days: int, datasets: tuple[str, ...]
) -> tuple[float, int]:
    """Backfill the last `days` before `END`; returns seconds and rows."""
    from hean_pipelines.backfill import run_backfill
    from hean_pipelines.backfill_plan import plan_backfill
    from hean_pipelines.settings import load_settings

    first = END - timedelta(days=days)
    settings = load_settings(
        home=home, venue_url=url, universe=tuple(symbols), partitions_start=date(2023, 1, 1)
    )
    plan = plan_backfill(settings, first, END - timedelta(days=1), symbols=tuple(symbols), datasets=datasets)
    started = time.perf_counter()
    result = run_backfill(settings, plan)
    seconds = time.perf_counter() - started
    if not result.success:
        raise SystemExit(f"ingest failed: {result.errors}")
    return seconds, sum(row.rows for row in result.rows)


def fetch_only(url: str, symbols: list[str], days: int) -> float:
    """Rows per second of the same five datasets with requests alone: no checks, no Parquet, no Dagster."""
    import requests

    end_ms = int(datetime.combine(END, datetime.min.time()).timestamp() * 1000)
    start_ms = end_ms - days * 86_400_000
    rows = 0
    started = time.perf_counter()
    with requests.Session() as session:
        for symbol in symbols:
            for category in ("linear", "spot"):
                end = end_ms - 1
                while end > start_ms:
                    params = {
                        "category": category,
                        "symbol": symbol,
                        "interval": "5",
                        "start": start_ms,
                        "end": end,
                    }
                    page = session.get(f"{url}/v5/market/kline", params={**params, "limit": 1000}).json()[
                        "result"
                    ]["list"]
                    if not page:
                        break
                    rows, end = rows + len(page), int(page[-1][0]) - 1
            end = end_ms - 1
            while end > start_ms:
                params = {
                    "category": "linear",
                    "symbol": symbol,
                    "intervalTime": "5min",
                    "startTime": start_ms,
                }
                answer = session.get(
                    f"{url}/v5/market/open-interest", params={**params, "endTime": end, "limit": 200}
                )
                page = answer.json()["result"]["list"]
                if not page:
                    break
                rows, end = rows + len(page), int(page[-1]["timestamp"]) - 1
                time.sleep(0.004)  # the venue's address limit, 600 requests in 5 s
    return rows / (time.perf_counter() - started)


def retrain(home: Path, url: str, symbols: list[str]) -> float:
    """Seconds of the retrain job on what the lake holds."""
    from hean_pipelines.defs.schedules import retrain_selection
    from hean_pipelines.jobs import run_selection
    from hean_pipelines.settings import load_settings

    settings = load_settings(
        home=home, venue_url=url, universe=tuple(symbols), partitions_start=date(2023, 1, 1)
    )
    started = time.perf_counter()
    run_selection(settings, retrain_selection())
    return time.perf_counter() - started


def make_registry(home: Path) -> None:
    """Make MLflow's database beforehand: it takes seconds, once in the life of a home, and is no part of a retrain."""
    from hean_pipelines.resources.registry import Registry
    from hean_pipelines.settings import load_settings

    Registry.from_settings(load_settings(home=home)).versions("hean-funding")


def executor(
    home: Path, ready: dict[str, Any], environment: dict[str, str], symbols: list[str], polls_s: float
) -> dict[str, float]:
    """Time to ready and idle memory of `hean live`, first run to fill the cache, then with the registry gone."""
    own = {
        **environment,
        "HEAN_LIVE_ENVIRONMENT": "local",
        "HEAN_LIVE_ORDER_URL": ready["base_url"],
        "HEAN_LIVE_API_KEY": ready["api_key"],
        "HEAN_LIVE_API_SECRET": ready["api_secret"],
        "HEAN_LIVE_SYMBOLS": ",".join(symbols),
    }
    command = [sys.executable, "-m", "hean_live.cli", "live"]
    fill = subprocess.Popen(command, stdout=subprocess.PIPE, env=own)
    fill.stdout.readline()
    cache = home / "bundles" / "hean-funding" / "current.json"
    waited = time.monotonic()
    while not cache.is_file() and time.monotonic() - waited < 60:
        time.sleep(0.2)
    fill.terminate()
    fill.wait(30)
    if not cache.is_file():
        raise SystemExit("the executor did not cache the champion's bundle")
    times, memory = [], 0.0
    for attempt in range(3):
        # No registry from here on: what is measured is the start from the cache.
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            env={**own, "HEAN_LIVE_TRACKING_URI": f"sqlite:///{home}/absent.db"},
        )
        json.loads(process.stdout.readline())
        times.append(time.perf_counter() - started)
        if attempt == 2:
            time.sleep(polls_s)
            memory = _rss_mb(process.pid)
        process.terminate()
        process.wait(30)
    return {"executor_ready_s": round(statistics.median(times), 3), "executor_idle_rss_mb": round(memory, 1)}


def _rss_mb(pid: int) -> float:
    for row in Path(f"/proc/{pid}/status").read_text().splitlines():
        if row.startswith("VmRSS:"):
            return int(row.split()[1]) / 1024.0
    raise SystemExit(f"process {pid} has no VmRSS")


def fresh(code: str, environment: dict[str, str], runs: int) -> float:
    """Run a snippet that prints a number in fresh interpreters; the mean of all but the first, which warms the caches."""
    numbers = [
        float(
            subprocess.run(
                [sys.executable, "-c", code], env=environment, capture_output=True, check=True
            ).stdout
        )
        for _ in range(runs)
    ]
    return round(statistics.mean(numbers[1:] or numbers), 3)


def peers(environment: dict[str, str], runs: int) -> dict[str, float]:
    """Import times and the bare memory of the libraries the executor cannot do without."""
    timed = "import time; t = time.perf_counter(); {}; print(time.perf_counter() - t)"
    rss = (
        "import numpy, lightgbm, pybit.unified_trading; "
        "print(int(open('/proc/self/statm').read().split()[1]) * 4096 / 2**20)"
    )
    build = "from hean_pipelines.build import build_definitions; build_definitions()"
    return {
        "definitions_import_s": fresh(timed.format(build), environment, runs),
        "dagster_import_s": fresh(timed.format("import dagster"), environment, runs),
        "bare_pybit_rss_mb": fresh(rss, environment, 1),
    }


def measure(quick: bool) -> dict[str, Any]:
    """Run everything and return the figures."""
    out: dict[str, Any] = {"quick": quick, "year_5_symbols_s": None}
    with tempfile.TemporaryDirectory(prefix="hean-benchmark-") as folder:
        home = Path(folder) / "home"
        environment = {**os.environ, "HEAN_HOME": str(home), "PYTHONPATH": os.getcwd()}
        symbols = (
            ["ETHUSDT", "SOLUSDT"] if quick else ["BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT", "DOGEUSDT"]
        )
        days = 14 if quick else 365
        with testnet(symbols, days + 1, environment) as ready:
            seconds, rows = ingest(Path(folder) / "year", ready["base_url"], symbols, days, LIGHT)
            out["ingest_rows"], out["ingest_rows_per_s"] = rows, round(rows / seconds)
            if not quick:
                out["year_5_symbols_s"] = round(seconds, 1)
            out["fetch_only_rows_per_s"] = round(fetch_only(ready["base_url"], symbols[:2], min(days, 60)))
        base = 12 if quick else 36
        trained = symbols[:1] if quick else symbols[:3]
        out["retrain_days_1x"], out["retrain_symbols"] = base, len(trained)
        make_registry(home)
        with testnet(trained, 10 * base + 1, environment) as ready:
            for times in (1, 3, 10):
                ingest(home, ready["base_url"], trained, times * base, TRAINING)
                out[f"retrain_s_{times}x"] = round(retrain(home, ready["base_url"], trained), 2)
            out |= executor(home, ready, environment, trained, 2.0 if quick else 60.0)
        out |= peers(environment, 2 if quick else 4)
    return out


def main() -> None:
    """Print the figures as one JSON object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="smaller sizes, within a minute")
    print(json.dumps(measure(parser.parse_args().quick), indent=1))


if __name__ == "__main__":
    main()
