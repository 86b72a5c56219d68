"""The part of `benchmarks.data` about published files: a day made up, served, brought into the lake, and read by plain Polars."""

from __future__ import annotations

import gzip
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

SYMBOL = "BTCUSDT"
FIRST = date(2025, 1, 1)
_HEADER = "timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,foreignNotional"


def write_day(path: Path, day: date, rows: int, seed: int) -> None:
    """Write a day of seeded trades as the venue's gzip file."""
    import numpy as np
    import polars as pl

    rng = np.random.default_rng(seed)
    midnight = (day - date(1970, 1, 1)).days * 86_400
    price = 60_000.0 + 0.1 * np.cumsum(rng.integers(-1, 2, rows))
    size = rng.integers(1, 5000, rows) / 1000
    raw = rng.bytes(16 * rows).hex()
    ids = [f"{raw[i : i + 8]}-{raw[i + 8 : i + 12]}-{raw[i + 12 : i + 32]}" for i in range(0, 32 * rows, 32)]
    frame = pl.DataFrame(
        {
            "timestamp": (midnight + np.sort(rng.integers(0, 864_000_000, rows)) / 1e4).round(4),
            "symbol": pl.repeat(SYMBOL, rows, eager=True),
            "side": np.where(rng.random(rows) < 0.5, "Buy", "Sell"),
            "size": size,
            "price": price.round(1),
            "tickDirection": pl.repeat("ZeroMinusTick", rows, eager=True),
            "trdMatchID": ids,
            "grossValue": (price * size * 1e8).round(0),
            "homeNotional": size,
            "foreignNotional": (price * size).round(4),
        }
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wb", compresslevel=5) as file:
        file.write(frame.write_csv().encode())


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on loopback; yields its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def ours(url: str, home: Path, days: int) -> float:
    """Seconds to bring `days` days into a new lake."""
    from hean_pipelines.defs.archives.ingest import ingest_archives
    from hean_pipelines.defs.archives.specs import archive_specs
    from hean_pipelines.resources.lake import Lake
    from hean_pipelines.settings import load_settings
    from hean_pipelines.sources.archives import ArchiveFetcher
    from hean_pipelines.sources.http import PoliteHttp

    settings = load_settings(home=home, bybit_archive_url=url)
    spec = next(spec for spec in archive_specs(settings) if spec.dataset.name == "raw_bybit__trades")
    http = PoliteHttp()
    started = time.perf_counter()
    fetcher, lake = ArchiveFetcher(http, home / "archives"), Lake(settings.lake_root)
    report = ingest_archives(spec, fetcher, lake, [SYMBOL], FIRST, FIRST + timedelta(days - 1))
    seconds = time.perf_counter() - started
    http.close()
    if report.failed or report.files != days:
        raise SystemExit(f"archive ingest failed: {report}")
    return seconds


def plain(path: Path, target: Path) -> None:
    """Read the same file and write Parquet with Polars, with nothing checked."""
    import polars as pl

    pl.read_csv(path).write_parquet(target, compression="zstd")


def streaming(path: Path, target: Path) -> None:
    """Do the same with Polars' streaming engine, and only the columns the lake keeps."""
    import polars as pl

    columns = ["timestamp", "symbol", "side", "size", "price", "trdMatchID"]
    pl.scan_csv(path).select(columns).sink_parquet(target, compression="zstd")


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Return wall and processor seconds of a call."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


def archive(folder: Path, rows: int, runs: int) -> dict[str, Any]:
    """One big day, ours and Polars' two ways interleaved."""
    path = folder / "site" / "trading" / SYMBOL / f"{SYMBOL}{FIRST}.csv.gz"
    write_day(path, FIRST, rows, 1)
    mine, theirs, streamed = [], [], []
    with served(folder / "site") as url:
        for run in range(runs + 1):
            theirs.append(timed(partial(plain, path, folder / "plain.parquet")))
            streamed.append(timed(partial(streaming, path, folder / "streamed.parquet")))
            mine.append(timed(partial(ours, url, folder / f"home{run}", 1)))
    # The first run warms libraries and page cache.
    mine, theirs, streamed = mine[1:], theirs[1:], streamed[1:]
    seconds = statistics.median(wall for wall, _ in mine)

    def ratio(others: list[tuple[float, float]], part: int) -> float:
        return round(statistics.median(a[part] / b[part] for a, b in zip(mine, others, strict=True)), 3)

    stored = next((folder / f"home{runs}").rglob("data.parquet"))
    return {
        "archive_rows": rows,
        "archive_rows_per_s": round(rows / seconds),
        "archive_mb_per_s": round(path.stat().st_size / 1e6 / seconds, 1),
        "archive_stored_mb": round(stored.stat().st_size / 1e6, 1),
        "polars_rows_per_s": round(rows / statistics.median(wall for wall, _ in theirs)),
        "polars_streaming_stored_mb": round((folder / "streamed.parquet").stat().st_size / 1e6, 1),
        "ratio_polars": ratio(theirs, 0),
        "ratio_polars_cpu": ratio(theirs, 1),
        "ratio_polars_streaming": ratio(streamed, 0),
        "ratio_polars_streaming_cpu": ratio(streamed, 1),
    }
